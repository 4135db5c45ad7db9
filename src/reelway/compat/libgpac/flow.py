"""Packets on their way: parts of frames joined, decode times found out from composition times."""

from __future__ import annotations

import heapq
from collections import deque

import reelway as rw

__all__ = ["DecodeTimes", "Parts", "has_ended", "is_last", "is_part"]

REORDER = 16
"""No codec shows a picture more than so many pictures later than it codes it (H.264 and HEVC)."""

MAX_BYTES = 256 << 20
"""As much as a link holds that does not block. More is refused: a part that is dropped spoils its frame."""
OVERHEAD = 256
"""Bytes that a packet takes besides its data, about: parts without data are not for nothing."""

START, END = "libgpac.start", "libgpac.end"


def is_part(packet: rw.Packet) -> bool:
    """True for a packet that is not a whole frame: libgpac's `start` or `end` is 0 on it."""
    properties = packet.properties or {}
    return not (properties.get(START, 1) and properties.get(END, 1))


def is_last(packet: rw.Packet) -> bool:
    """True for the part that ends a frame."""
    return bool((packet.properties or {}).get(END, 1))


def joined(parts: list[rw.Packet]) -> rw.Packet:
    """One packet with the bytes of all, and the times and flags of the first; corrupted where parts lack."""
    whole = rw.Packet(b"".join(bytes(part.data) for part in parts))
    whole.copy_properties(parts[0])
    whole.corrupted = not is_last(parts[-1]) or any(part.corrupted for part in parts)
    properties = parts[0].properties or {}
    whole.properties = {name: properties[name] for name in properties if name not in (START, END)} or None
    return whole


class Parts:
    """Parts of frames that wait for the last one, or to know who reads them: MAX_BYTES at most."""

    def __init__(self) -> None:
        self.held: list[rw.Packet] = []
        self.bytes = 0
        """Of those that are held, and of what Python needs for each."""
        self._looked_at = 0
        """None of the first so many is the last of its frame."""

    def add(self, packet: rw.Packet) -> None:
        """Raises PacketError where that is too much; then what was held before still is."""
        size = packet.size + OVERHEAD
        if self.held and self.bytes + size > MAX_BYTES:
            raise self._too_many()
        self.held.append(packet)
        self.bytes += size

    def _too_many(self) -> rw.PacketError:
        many = f"{len(self.held)} parts of frames ({MAX_BYTES >> 20} MiB) wait for"
        if any(map(is_last, self.held)):
            return rw.PacketError(
                f"{many} their PID to be linked",
                hint="a new PID is linked when the callback returns: send the rest in the next one",
            )
        return rw.PacketError(
            f"{many} the last one of their frame",
            hint="send the last part of each frame with `end` set to True, or whole frames: with `start` and "
            "`end` left alone",
        )

    def frames(self) -> list[rw.Packet]:
        """The frames that are whole, joined."""
        whole: list[rw.Packet] = []
        begun = 0
        for at in range(self._looked_at, len(self.held)):
            if is_last(self.held[at]):
                whole.append(joined(self.held[begun : at + 1]))
                begun = at + 1
        self.bytes -= sum(packet.size + OVERHEAD for packet in self.held[:begun])
        del self.held[:begun]
        self._looked_at = len(self.held)
        return whole

    def through(self, packet: rw.Packet, readers: list[rw.Link], *, linked: bool) -> list[rw.Packet]:
        """What to send now: parts to filters of scripts, which join them as they like; frames to others."""
        self.add(packet)
        if not linked:
            return []
        return self._as_they_are() if _scripts(readers) else self.frames()

    def rest(self, readers: list[rw.Link]) -> list[rw.Packet]:
        """All that is left, at the end of the stream."""
        if _scripts(readers):
            return self._as_they_are()
        whole = self.frames()
        held = self._as_they_are()
        return [*whole, joined(held)] if held else whole

    def _as_they_are(self) -> list[rw.Packet]:
        held, self.held = self.held, []
        self.bytes = self._looked_at = 0
        return held


def _scripts(readers: list[rw.Link]) -> bool:
    return bool(readers) and all(hasattr(link.filter, "face") for link in readers)


def has_ended(pid: rw.Pid) -> bool:
    """`pid` has ended, or something before it has, where no filter on the way blocks the question."""
    if pid.ended:
        return True
    if getattr(getattr(pid.filter, "face", None), "_eos_blocked", False):
        return False
    return any(has_ended(link.pid) for link in tuple(pid.filter.ipids) if link.output in (None, pid))


class DecodeTimes:
    """Gives packets in decoding order the decode times that their composition times imply.

    The n-th decode time is the n-th smallest composition time, less what the first pictures need so that no
    picture is shown before it is decoded. It holds REORDER packets to know.
    """

    def __init__(self) -> None:
        self._held: deque[rw.Packet] = deque()
        self._times: list[int] = []
        self._shift: int | None = None
        self._last: int | None = None

    def add(self, packet: rw.Packet) -> list[rw.Packet]:
        """The packets that are ready."""
        self._held.append(packet)
        if packet.cts is not None:
            heapq.heappush(self._times, packet.cts)
        return [self._next()] if len(self._held) > REORDER else []

    def flush(self) -> list[rw.Packet]:
        """All that are held."""
        return [self._next() for _ in range(len(self._held))]

    def _next(self) -> rw.Packet:
        if self._shift is None:
            order = [packet.cts for packet in self._held if packet.cts is not None]
            late = (time - cts for time, cts in zip(sorted(order), order, strict=True))
            self._shift = max(late, default=0)
        packet = self._held.popleft()
        if packet.cts is None:
            packet.dts = None
            return packet
        dts = heapq.heappop(self._times) - self._shift
        if self._last is not None and dts <= self._last:
            dts = self._last + 1
        packet.dts = self._last = min(dts, packet.cts)
        return packet
