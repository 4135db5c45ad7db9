"""RTP as it comes in (RFC 3550): packets in their order, their times, what is missing, reports both ways.

No sockets and no clock of its own: packets go in with the time when they came, and what is made of them is
the payload format's (`rtpvideo`, `rtpsound`).
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple, Protocol

__all__ = ["NTP_S", "Format", "Receiver", "Unit"]

HEADER = struct.Struct(">BBHII")
WAIT_S = 0.03
"""A packet that is missing is waited for so long, while those behind it are there already."""
MOST_HELD = 128
"""Packets that wait for one before them."""
RESTART = 3000
"""A step in the numbers that is larger is no loss: the sender has begun anew."""
LATE = 500
"""A number that lies so far back at most is that of a packet which comes too late, or twice."""
NTP_S = 2_208_988_800
"""From the zero of NTP, 1900, to that of Unix, 1970."""
SENDER_REPORT, RECEIVER_REPORT, DESCRIBED, GOODBYE = 200, 201, 202, 203
HALF, WHOLE = 1 << 31, 1 << 32


class Unit(NamedTuple):
    """What a payload format makes: coded data of one moment. Times in ticks of RTP; `duration` 0: unknown."""

    data: bytes
    time: int
    key: bool = True
    broken: bool = False
    duration: int = 0


class Format(Protocol):
    """What makes packets of a codec from the payloads of RTP."""

    def add(self, data: Any, at: int, stop: int, time: int, marker: bool, lost: int) -> None:
        """`data[at:stop]` is the next payload; `lost` packets before it are missing. `time` is RTP's [ticks],
        counted on where that wraps around; it goes back where pictures are shown out of order."""


class Receiver:
    """One stream. `reorders`: its packets may come in another order than they were sent."""

    def __init__(self, format: Format, payload_type: int, clock: int, *, reorders: bool = False) -> None:
        self.format = format
        self.clock = clock
        self.held: dict[int, tuple[bytes, float]] = {}
        """What came too early, by number, and when [s]."""
        self.ticks: int | None = None
        """The time of the packet that came last, with what it wrapped around; None before the first."""
        self.over = False
        """The sender has said goodbye."""
        self.lost = 0
        self.wall: tuple[int, int] | None = None
        """(ns since 1970, ticks): the sender's clock at one moment, as it was told last."""
        self.told = 0
        """How often it was told."""
        self._payload_type = payload_type
        self._reorders = reorders
        self._next = -1
        """The number that is due; below 0 before the first packet."""
        self._time = 0
        self._ssrc = 0
        self._skipped = 0
        """Packets before the next one that are known to be missing."""
        self._unread_report: tuple[int, int] | None = None
        # for reports
        self._first = self._received = self._missed = 0
        self._expected_before = self._received_before = 0
        self._transit = self._jitter = 0.0
        self._report: tuple[int, float] = (0, 0.0)
        """The middle of the last sender report's time, and when it came [s]."""

    def take(self, data: Any, start: int, stop: int, now_s: float) -> None:
        """A packet that came, as `data[start:stop]`. What is none is left out."""
        if stop - start < 12:
            return
        first, second, number, time, ssrc = HEADER.unpack_from(data, start)
        if first & 0xC0 != 0x80 or second & 0x7F != self._payload_type:
            return
        if (number != self._next or ssrc != self._ssrc) and not self._skip_to(ssrc, number):
            if self._reorders and number not in self.held and 0 < number - self._next & 0xFFFF < RESTART:
                self.held[number] = bytes(memoryview(data)[start:stop]), now_s
                if len(self.held) > MOST_HELD:
                    self._give_up()
            return
        self._next = number + 1 & 0xFFFF
        self._received += 1
        if time != self._time or self.ticks is None:
            self._step(time, now_s)
        start += 12
        if first != 0x80:
            start, stop = _payload(data, first, start, stop)
        if start < stop:
            skipped, self._skipped = self._skipped, 0
            self.format.add(data, start, stop, self.ticks, second > 127, skipped)  # type: ignore[arg-type]
        if self.held:
            self._follow()

    def due_s(self) -> float | None:
        """When what is missing is given up [s]; None where nothing waits."""
        return min(at for _, at in self.held.values()) + WAIT_S if self.held else None

    def look(self, now_s: float) -> None:
        """Gives up what was waited for too long."""
        while self.held and (due_s := self.due_s()) is not None and due_s <= now_s:
            self._give_up()

    def release(self) -> None:
        """What waits is passed on, whatever is missing."""
        while self.held:
            self._give_up()

    def _skip_to(self, ssrc: int, number: int) -> bool:
        """Makes a packet that is not the next one the next; False where it has to wait, or comes too late."""
        if ssrc != self._ssrc or self._next < 0:
            if self._next >= 0:
                self.release()
                self._skipped += 1
            self._begin(ssrc, number)
            return True
        ahead = number - self._next & 0xFFFF
        if ahead >= 0x10000 - LATE:
            if not self._reorders:  # nothing is late, and nothing missing: the sender counts anew
                self._begin(ssrc, number)
            return not self._reorders
        if ahead > RESTART:
            self.release()
            self._skipped += 1
            self._begin(ssrc, number)
            return True
        if self._reorders:
            return False
        self._miss(ahead)
        return True

    def _begin(self, ssrc: int, number: int) -> None:
        if self._next >= 0:  # what was told of the clock was of other times
            self.wall = self._unread_report = None
            self.told += 1
        self.held.clear()
        self._ssrc, self._next = ssrc, number
        self._first = number
        self._received = self._missed = self._expected_before = self._received_before = 0

    def _miss(self, count: int) -> None:
        self._skipped += count
        self._missed += count
        self.lost += count
        self._next = self._next + count & 0xFFFF

    def _give_up(self) -> None:
        """The next packet is the first of those that are there."""
        self._miss(min(number - self._next & 0xFFFF for number in self.held))
        self._follow()

    def _follow(self) -> None:
        while (found := self.held.pop(self._next, None)) is not None:
            data, came_s = found
            held, self.held = self.held, {}  # so that take() does not come back here
            self.take(data, 0, len(data), came_s)
            self.held = held

    def _step(self, time: int, now_s: float) -> None:
        """The time of the packet that is next."""
        if self.ticks is None:
            self.ticks = time
        else:
            self.ticks += (time - self._time + HALF) % WHOLE - HALF
            transit = now_s * self.clock - self.ticks
            if self._transit:
                self._jitter += (min(abs(transit - self._transit), 1e9) - self._jitter) / 16
            self._transit = transit
        self._time = time

    # Reports

    def control(self, data: bytes, now_s: float) -> None:
        """A packet of RTCP, or several in one (RFC 3550, 6.1)."""
        at = 0
        while at + 8 <= len(data):
            first, kind, length = (
                data[at],
                data[at + 1],
                4 * (int.from_bytes(data[at + 2 : at + 4], "big") + 1),
            )
            if first >> 6 != 2:
                return
            if kind == SENDER_REPORT and length >= 28 and at + 28 <= len(data):
                self._reported(data[at + 4 : at + 28], now_s)
            elif kind == GOODBYE and self._ssrc in _sources(data, at + 4, first & 31):
                self.over = True
            at += length

    def _reported(self, body: bytes, now_s: float) -> None:
        ssrc, seconds, rest, time, _, _ = struct.unpack(">IIIIII", body)
        if self._ssrc and ssrc != self._ssrc:
            return
        self._report = (seconds & 0xFFFF) << 16 | rest >> 16, now_s
        if seconds:
            if seconds < HALF:
                seconds += WHOLE  # NTP's second era, from 2036
            self._unread_report = (seconds - NTP_S) * 1_000_000_000 + (rest * 1_000_000_000 >> 32), time
            self.told += 1

    def clock_told(self) -> tuple[int, int] | None:
        """`wall`, with what the last report said. None where nothing was said, or nothing came yet."""
        if self._unread_report is not None and self.ticks is not None:
            wall_ns, time = self._unread_report
            self.wall = wall_ns, self.ticks + (time - self._time + HALF) % WHOLE - HALF
            self._unread_report = None
        return self.wall

    def report(self, own: int, now_s: float) -> bytes:
        """What is told to the sender: how much of it comes (RFC 3550, 6.4.2), and who says so."""
        body = struct.pack(">I", own)
        if self._received:
            expected = self._received + self._missed
            new, came = expected - self._expected_before, self._received - self._received_before
            self._expected_before, self._received_before = expected, self._received
            fraction = min(255, max(0, new - came) * 256 // new) if new > 0 else 0
            middle, came_s = self._report
            body += struct.pack(
                ">IIIIII",
                self._ssrc,
                fraction << 24 | min(0x7FFFFF, self._missed),
                self._first + expected - 1 & 0xFFFFFFFF,
                min(int(self._jitter), 0xFFFFFFFF),
                middle,
                min(int((now_s - came_s) * 65536), 0xFFFFFFFF) if middle else 0,
            )
        name = b"reelway"
        item = struct.pack(">IBB", own, 1, len(name)) + name
        item += bytes(4 - len(item) % 4)
        return _control(RECEIVER_REPORT, len(body) // 24, body) + _control(DESCRIBED, 1, item)


def _payload(data: Any, first: int, start: int, stop: int) -> tuple[int, int]:
    """Where the payload is, behind contributing sources and an extension, and before padding."""
    start += 4 * (first & 15)
    if first & 0x10 and start + 4 <= stop:
        start += 4 + 4 * (data[start + 2] << 8 | data[start + 3])
    return start, stop - data[stop - 1] if first & 0x20 else stop


def _sources(data: bytes, at: int, count: int) -> list[int]:
    ends = range(at + 4, min(at + 4 * count, len(data)) + 1, 4)
    return [int.from_bytes(data[end - 4 : end], "big") for end in ends]


def _control(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0x80 | count, kind, len(body) // 4) + body
