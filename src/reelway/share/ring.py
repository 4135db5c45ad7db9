"""The writer's slots, and who holds what in them. Not locked: the writer does that."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import NamedTuple

from reelway.share.memory import Memory, create
from reelway.share.wire import FrameNote

__all__ = ["Held", "Ring", "Slots"]

SPARE = 1.25
"""A new memory has so much room for frames that grow a little."""
PAGE = 4096


class Held(NamedTuple):
    """A frame that somebody holds."""

    slots: Slots
    slot: int
    since_s: float


@dataclass(eq=False)
class Slots:
    """One memory, with how many hold each of its slots."""

    memory: Memory
    holds: list[int] = field(default_factory=list)

    def free(self) -> int | None:
        """A slot that nobody holds."""
        return next((slot for slot, holds in enumerate(self.holds) if not holds), None)

    @property
    def idle(self) -> bool:
        return not any(self.holds)


class Ring:
    """The memory that is written to now, and earlier ones that readers still look at."""

    def __init__(self, slots: int, slot_bytes: int, max_bytes: int) -> None:
        self.slots = slots
        self.slot_bytes = slot_bytes
        self.max_bytes = max_bytes
        self.current: Slots | None = None
        self.newest: tuple[FrameNote, Held] | None = None
        """The last frame that was written, held for who asks for it."""
        self._old: list[Slots] = []
        self._made = 0

    def room_for(self, size: int) -> Slots:
        """The memory whose slots take `size` bytes; a new one where they are too small. Raises OpenError."""
        if self.current is None or size > self.current.memory.slot_bytes:
            wanted = self.slot_bytes or int(size * SPARE if self._made else size)
            wanted = max(PAGE, -(-max(wanted, size) // PAGE) * PAGE)
            made = Slots(create(self._made + 1, self.slots, wanted), [0] * self.slots)
            self._made += 1
            if self.current is not None:
                self._old.append(self.current)
            self.current = made
            self.sweep()
        return self.current

    def hold(self, slots: Slots, slot: int) -> Held:
        """One more holds it."""
        slots.holds[slot] += 1
        return Held(slots, slot, time.monotonic())

    def let_go(self, held: Held) -> None:
        """One fewer."""
        held.slots.holds[held.slot] -= 1
        if held.slots is not self.current:
            self.sweep()

    def remember(self, note: FrameNote, slots: Slots, slot: int) -> None:
        """This is the newest frame from now on."""
        before, self.newest = self.newest, (note, self.hold(slots, slot))
        if before is not None:
            self.let_go(before[1])

    def sweep(self) -> None:
        """Memories that nobody looks at any more go."""
        for slots in [each for each in self._old if each.idle]:
            self._old.remove(slots)
            slots.memory.close()

    @property
    def bytes(self) -> int:
        """All memory that it has."""
        every = [*self._old, *([self.current] if self.current is not None else [])]
        return sum(each.memory.slots * each.memory.slot_bytes for each in every)

    def close(self) -> None:
        """Lets go of all; what readers have mapped stays theirs."""
        for slots in (*self._old, *([self.current] if self.current is not None else [])):
            slots.memory.close()
        self._old, self.current, self.newest = [], None, None
