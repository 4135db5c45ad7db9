"""The writer's memory, and which slot of it is free. Not locked: the desk does that.

Who holds what is written down in one place only, with the reader that holds it; what is free follows from
that, each time. There are no counts that an interrupt could leave wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from reelway.errors import OpenError, PacketError
from reelway.share.memory import Memory, create
from reelway.share.wire import FrameNote

__all__ = ["Held", "Ring"]

SPARE = 1.25
"""A new memory has so much room for frames that grow a little."""
PAGE = 4096


class Held(NamedTuple):
    """A slot that somebody reads, or writes."""

    memory: Memory
    slot: int
    since_s: float


class Ring:
    """The memory that is written to now, and earlier ones that readers still look at."""

    def __init__(self, name: str, slots: int, slot_bytes: int, max_bytes: int) -> None:
        self.name = name
        self.slots = slots
        self.slot_bytes = slot_bytes
        self.max_bytes = max_bytes
        self.current: Memory | None = None
        self.newest: tuple[FrameNote, Held, bytes] | None = None
        """The last frame that was written, and the message that says so; for who asks, if there is room."""
        self.filling: Held | None = None
        """What the writer writes to now."""
        self._old: list[Memory] = []
        self._made = 0
        self._before = 0
        """Bytes of a slot, of the memory before."""

    def take(self, size: int, readers: Collection[Held], now_s: float) -> Held | None:
        """A slot for `size` bytes that no reader holds, as `filling`; None: there is none now.

        Raises PacketError where no slot may ever be so large, OpenError where there is no memory for it.
        """
        self.filling = None  # what an interrupt has left
        if self._old:
            self.sweep(readers)
        if (self.current is None or size > self.current.slot_bytes) and not self._grow(size, readers):
            return None
        memory = self.current
        assert memory is not None  # as it grew
        busy = {held.slot for held in readers if held.memory is memory}
        newest = self.newest[1].slot if self.newest is not None and self.newest[1].memory is memory else -1
        # the lowest first: few slots in turn stay in the processor's cache
        slot = next((each for each in range(self.slots) if each not in busy and each != newest), None)
        if slot is None:
            if newest < 0 or newest in busy:
                return None
            slot, self.newest = newest, None
        self.filling = Held(memory, slot, now_s)
        return self.filling

    def retire(self, readers: Iterable[Held]) -> None:
        """Writes no more to this memory: somebody looks at it who cannot be asked any more."""
        if self.current is not None:
            self._old.append(self.current)
            self._before, self.current = self.current.slot_bytes, None
        self.sweep(readers)

    def sweep(self, readers: Iterable[Held]) -> None:
        """Memories that nobody looks at any more go."""
        looked_at = {held.memory for held in readers}
        if self.newest is not None:
            looked_at.add(self.newest[1].memory)
        if self.filling is not None:
            looked_at.add(self.filling.memory)
        for memory in [each for each in self._old if each not in looked_at]:
            self._old.remove(memory)
            memory.close()

    @property
    def bytes(self) -> int:
        """All memory that it has."""
        return sum(each.slots * each.slot_bytes for each in self._every())

    def close(self) -> None:
        """Lets go of all; what readers have mapped stays theirs."""
        for memory in self._every():
            memory.close()
        self._old, self.current, self.newest = [], None, None

    def _every(self) -> list[Memory]:
        return [*self._old, *([self.current] if self.current is not None else [])]

    def _grow(self, size: int, readers: Collection[Held]) -> bool:
        """A new memory whose slots take `size` bytes; False: readers have to let go of old ones first."""
        if self.slot_bytes and size > self.slot_bytes:
            raise PacketError(
                f"{self.name}: a frame of {size} bytes is too large for slots of {self.slot_bytes}",
                hint="larger slot_bytes; 0 lets them grow",
            )
        most = self.max_bytes // self.slots // PAGE * PAGE
        if size > most:
            raise OpenError(
                f"{self.name}: {self.slots} slots of {size} bytes are over max_bytes={self.max_bytes}",
                hint="fewer slots, smaller frames, or a larger max_bytes",
            )
        self.retire(readers)
        wanted = self.slot_bytes or int(size * SPARE if self._made else size)
        if size <= self._before <= most:  # that one was retired, not too small
            wanted = self._before
        wanted = min(most, max(PAGE, -(-max(wanted, size) // PAGE) * PAGE))
        if self.bytes + self.slots * wanted > self.max_bytes and self.newest is not None:
            self.newest = None
            self.sweep(readers)
        if self.bytes + self.slots * wanted > self.max_bytes:
            return False
        self.current = create(self._made + 1, self.slots, wanted)
        self._made += 1
        return True
