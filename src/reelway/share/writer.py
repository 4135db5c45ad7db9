"""`Writer`: shares arrays, frames and packets under a name, with whoever reads them."""

from __future__ import annotations

import time
import weakref
from collections.abc import Collection, Mapping
from operator import index
from types import TracebackType
from typing import Any, Self

import numpy

from reelway.errors import DeadlineError, OpenError, OptionError, PacketError
from reelway.media.packet import Packet
from reelway.media.payload import Frame
from reelway.share import place
from reelway.share.array import flags_of
from reelway.share.content import content_of, metadata_to
from reelway.share.desk import Desk, Told
from reelway.share.ring import Ring
from reelway.share.watch import deadline
from reelway.share.wire import FrameNote, WireError, frame

__all__ = ["Writer"]

LEAST_SLOTS = 2
MOST_SLOTS = 1 << 16


class Writer:
    """Shares what it is given with readers in other processes, which see it in this memory.

    Any thread may write; one at a time does. Who forgets to close it closes it with the last reference, or
    with the end of the interpreter. A fork of the process has no part in it.

    slots         how many frames lie in memory at once; readers hold them until they have let go
    slot_bytes    room for each [bytes]; 0: as the frames need, and more when they grow
    patience_s    when nothing was free for so long, the reader with the policy `every` that holds most is cut
                  off, and told so; what it still looks at stays as it is
    max_bytes     no more memory than this, old formats included
    allow_users   uids of other users who may read; root may not either, unless it is among them
    """

    def __init__(
        self,
        name: str,
        *,
        slots: int = 10,
        slot_bytes: int = 0,
        patience_s: float = 5.0,
        max_bytes: int = 1 << 30,
        allow_users: Collection[int] = (),
    ) -> None:
        asked = f"slots={slots}"
        try:
            slots, slot_bytes, max_bytes, *users = map(index, (slots, slot_bytes, max_bytes, *allow_users))
        except TypeError:
            slots = 0
        if not LEAST_SLOTS <= slots <= MOST_SLOTS or slot_bytes < 0 or max_bytes <= 0:
            raise OptionError(
                f"{asked}, slot_bytes={slot_bytes}, max_bytes={max_bytes}, allow_users={allow_users}",
                hint=f"{LEAST_SLOTS} to {MOST_SLOTS} slots; whole numbers; users by their numbers",
            )
        if not patience_s > 0:
            raise OptionError(f"patience_s={patience_s}", hint="a time above 0; inf: without end")
        self.name = place.check_name(name)
        self.patience_s = patience_s
        server = place.listen(self.name, open_to_others=bool(allow_users))
        ring = Ring(self.name, slots, slot_bytes, max_bytes)
        try:
            self._desk = Desk(self.name, ring, server, frozenset(users), patience_s)
        except (OSError, RuntimeError) as error:  # no more descriptors, no more threads
            place.leave(server)
            raise OpenError(
                f"{self.name} cannot be shared: {error}", hint="the limits of this process"
            ) from None
        self._ended = weakref.finalize(self, self._desk.end)
        self._ended.atexit = False  # the desks see to that themselves, and wait

    # Writing

    def write(
        self,
        data: Any,
        *,
        properties: Mapping[str, Any] | None = None,
        dts: int | None = None,
        cts: int | None = None,
        duration: int | None = None,
        capture_time: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        timeout_s: float | None = None,
    ) -> int:
        """Shares an array of any type and shape, a raw frame, bytes, or a `rw.Packet`; its number.

        What numpy takes for an array is one: an image of Pillow, a tensor of torch. Not for signal handlers.

        The content is copied once. `properties` are those of the PID, and say what a raw frame is; times are
        in ticks of their `Timescale`. `metadata` has names as keys; values are numbers, text,
        bytes, fractions, and lists, tuples and dicts of these. Waits while readers with the policy
        `every` hold all slots; where only `latest` ones do, the frame is dropped, counted, and 0 returned.
        Raises PacketError for what cannot be shared, OpenError where memory is short, DeadlineError after
        `timeout_s`, StateError where it is closed.
        """
        until_s = deadline(timeout_s)
        flags = 0
        if isinstance(data, Packet):
            packet = data
            flags = flags_of(packet)
            dts, cts, duration = packet.dts, packet.cts, packet.duration
            capture_time = packet.capture_time if capture_time is None else capture_time
            whole = isinstance(packet.payload, (Frame, numpy.ndarray))
            data = packet.payload if whole else packet.data  # bytes may be more than their packet has
        content = content_of(data, properties)
        said_too = metadata_to(metadata) if metadata else {}
        desk = self._desk
        desk.refuse_closed()
        writing = desk.writing
        if not writing.acquire(timeout=-1 if until_s is None else max(0.0, until_s - time.monotonic())):
            raise DeadlineError(f"{self.name}: another thread writes, after {timeout_s:g} s")
        try:
            held = desk.take(content.size, until_s, timeout_s)
            if held is None:
                return 0
            try:
                slot = held.memory.slot(held.slot, content.size)
                content.fill(slot)
            except ValueError:
                desk.refuse_closed()  # in the meantime
                raise
            with desk.changed:
                desk.refuse_closed()
                try:
                    format = desk.guests.describe(content.description, slot)
                    note = FrameNote(
                        held.memory.number, held.slot, format, content.size,
                        desk.frames + 1, dts, cts, duration, capture_time, flags, said_too,
                    )  # fmt: skip
                    said = frame(note)
                except WireError as error:
                    raise PacketError(
                        f"{self.name}: {error}", hint="fewer and plainer properties and metadata"
                    ) from None
                desk.publish(note, held, said)
        finally:
            desk.ring.filling = None
            writing.release()
        return note.sequence

    def wait_readers(self, count: int = 1, timeout_s: float | None = None) -> bool:
        """Waits until so many readers are there; False: they are not, after `timeout_s`."""
        return self._desk.wait_readers(count, timeout_s)

    # Seeing

    @property
    def frames(self) -> int:
        """Frames written."""
        return self._desk.frames

    @property
    def dropped(self) -> int:
        """Frames that went to nobody, as readers with the policy `latest` held every slot."""
        return self._desk.dropped

    @property
    def reading(self) -> int:
        """How many readers there are. Cheap: nobody is asked, and no lock is waited for."""
        return self._desk.reading

    @property
    def readers(self) -> tuple[Told, ...]:
        """Who reads."""
        return self._desk.readers()

    @property
    def rate(self) -> float:
        """Frames a second, of late."""
        return self._desk.rate

    def info(self) -> dict[str, Any]:
        """All of it, for who asks; in JSON."""
        return self._desk.info()

    # The end

    def close(self) -> None:
        """Ends it: readers get what is on its way to them, then the end. Nothing is left behind."""
        self._desk.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
