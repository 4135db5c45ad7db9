"""`Writer`: shares arrays, frames and packets under a name, with whoever reads them."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Any, Self

from reelway.errors import DeadlineError, OpenError, OptionError, PacketError, StateError
from reelway.media.packet import Packet
from reelway.share import place
from reelway.share.array import FLAG_CORRUPTED, FLAG_DISCONTINUITY
from reelway.share.content import Content, Description, content_of
from reelway.share.desk import Desk, Guest, Told
from reelway.share.ring import Ring, Slots
from reelway.share.wire import FrameNote, WireError, frame

__all__ = ["Writer"]

LEAST_SLOTS = 2


class Writer:
    """Shares what it is given with readers in other processes, which see it in this memory.

    slots         how many frames lie in memory at once; readers hold them until they have let go
    slot_bytes    room for each [bytes]; 0: as the frames need, and more when they grow
    patience_s    a reader with the policy `every` that holds all up for longer is cut off
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
        if slots < LEAST_SLOTS or slot_bytes < 0 or patience_s <= 0:
            raise OptionError(
                f"slots={slots}, slot_bytes={slot_bytes}, patience_s={patience_s:g}",
                hint=f"at least {LEAST_SLOTS} slots, and a patience above 0",
            )
        self.name = place.check_name(name)
        self.patience_s = patience_s
        self.frames = 0
        """Frames written."""
        self.dropped = 0
        """Frames that went to nobody, as readers with the policy `latest` held every slot."""
        self._ring = Ring(slots, slot_bytes, max_bytes)
        self._formats = 0
        self._description: Description | None = None
        self._changed = threading.Condition()
        """Guards all below, and the guests; notified when a slot comes free or a reader comes or goes."""
        self._closed = False
        self._times: list[float] = []
        server = place.listen(self.name, open_to_others=bool(allow_users))
        self._desk = Desk(self, server, frozenset(allow_users))

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

        The content is copied once. `properties` are those of the PID, and say what a raw frame is; times are
        in ticks of their `Timescale`. `metadata` is what JSON can say. Waits while readers with the policy
        `every` hold all slots; where only `latest` ones do, the frame is dropped, counted, and 0 returned.
        Raises PacketError for what cannot be shared, OpenError where memory is short, DeadlineError after
        `timeout_s`, StateError where it is closed.
        """
        flags = 0
        if isinstance(data, Packet):
            packet = data
            flags = (
                packet.sap & 1 | FLAG_CORRUPTED * packet.corrupted | FLAG_DISCONTINUITY * packet.discontinuity
            )
            dts, cts, duration = packet.dts, packet.cts, packet.duration
            capture_time = packet.capture_time if capture_time is None else capture_time
            data = packet.payload
        content = content_of(data, properties)
        with self._changed:
            found = self._take_slot(content, timeout_s)
            if found is None:
                self.dropped += 1
                return 0
            slots, slot = found
            ours = self._ring.hold(slots, slot)
        try:
            content.fill(slots.memory.slot(slot, content.size))
            with self._changed:
                self._refuse_closed()
                note = FrameNote(
                    slots.memory.number, slot, self._format(content), content.size, self.frames + 1,
                    dts, cts, duration, capture_time, flags, dict(metadata or {}),
                )  # fmt: skip
                try:
                    said = frame(note)
                except WireError as error:
                    raise PacketError(
                        f"{self.name}: {error}", hint="less metadata, plain values only"
                    ) from None
                self.frames = note.sequence
                self._times = [*self._times[-31:], time.monotonic()]
                self._ring.remember(note, slots, slot)
                self._desk.publish(note, slots, slot, said)
        finally:
            with self._changed:
                self._ring.let_go(ours)
        return note.sequence

    def wait_readers(self, count: int = 1, timeout_s: float | None = None) -> bool:
        """Waits until so many readers are there; False: they are not, after `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._desk.guests) >= count or self._closed, timeout_s)

    # Seeing

    @property
    def readers(self) -> tuple[Told, ...]:
        """Who reads."""
        with self._changed:
            return tuple(guest.told() for guest in self._desk.guests)

    @property
    def rate(self) -> float:
        """Frames a second, of late."""
        times = self._times
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0

    def info(self) -> dict[str, Any]:
        """All of it, for who asks; in JSON."""
        with self._changed:
            current = self._ring.current
            return {
                "name": self.name,
                "format": self._description,
                "frames": self.frames,
                "dropped": self.dropped,
                "rate": round(self.rate, 2),
                "slots": self._ring.slots,
                "slot_bytes": current.memory.slot_bytes if current is not None else self._ring.slot_bytes,
                "bytes": self._ring.bytes,
                "readers": [guest.told()._asdict() for guest in self._desk.guests],
            }

    # The end

    def close(self) -> None:
        """Ends it: readers get what is on its way to them, then the end. Nothing is left behind."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
        self._desk.close()
        with self._changed:
            self._ring.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Inside; `_changed` is held

    def _take_slot(self, content: Content, timeout_s: float | None) -> tuple[Slots, int] | None:
        """A slot that nobody holds; None: there is none, and nobody who holds one may hold the writer up."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            self._refuse_closed()
            slots = self._room_for(content.size)
            slot = slots.free()
            if slot is not None:
                return slots, slot
            oldest = self._desk.slowest()
            if oldest is None:
                return None
            guest, since_s = oldest
            now = time.monotonic()
            left = since_s + self.patience_s - now
            if left <= 0:
                self._desk.cut(
                    guest, f"it held a frame for longer than {self.patience_s:g} s, and nothing was free"
                )
                continue
            if until is not None:
                if until <= now:
                    raise DeadlineError(
                        f"{self.name}: readers hold all {self._ring.slots} slots, after {timeout_s:g} s"
                    )
                left = min(left, until - now)
            self._changed.wait(left)

    def _room_for(self, size: int) -> Slots:
        ring = self._ring
        current = ring.current.memory.slot_bytes if ring.current is not None else 0
        if size > current:
            if ring.slot_bytes and size > ring.slot_bytes:
                raise PacketError(
                    f"{self.name}: a frame of {size} bytes is too large for slots of {ring.slot_bytes}",
                    hint="larger slot_bytes; 0 lets them grow",
                )
            ring.sweep()
            if ring.bytes + size * ring.slots > ring.max_bytes:
                raise OpenError(
                    f"{self.name}: {ring.slots} slots of {size} bytes are over max_bytes={ring.max_bytes}",
                    hint="fewer slots, smaller frames, or a larger max_bytes",
                )
        return ring.room_for(size)

    def _format(self, content: Content) -> int:
        """The number of the format; a new one where it is new."""
        if content.description != self._description:
            self._formats += 1
            self._description = content.description
            self._desk.set_format(self._formats, content.description)
        return self._formats

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StateError(f"{self.name} is shared no longer", hint="make another Writer")

    def let_go(self, guest: Guest, sequence: int) -> None:
        """A reader has let go of a frame. By the desk, which holds `_changed`."""
        held = guest.held.pop(sequence, None)
        if held is not None:
            self._ring.let_go(held)
            self._changed.notify_all()
