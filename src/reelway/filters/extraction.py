"""Time ranges of a source: which packets lie in them, and when they come in the output.

Where a range begins is decided by the pictures, which decode from a random access point only; the other
streams follow. In the output the ranges stand one behind the other, from 0.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import pairwise
from math import ceil, isfinite
from typing import Literal

from reelway.errors import OptionError
from reelway.graph.link import Link
from reelway.media.packet import Packet

__all__ = ["Extraction", "Range", "Rounding", "State", "StreamCutter", "ranges"]

Rounding = Literal["before", "seek", "after", "closest"]
ATTACHED_PICTURE = 0x400  # AV_DISPOSITION_ATTACHED_PIC: a cover, not a film


@dataclass(slots=True)
class Range:
    """`start_s` to `end_s` (None: the end) of the media, in seconds from its beginning."""

    start_s: Fraction
    end_s: Fraction | None = None
    cut_s: Fraction | None = None
    """Where it begins after all; None until that is decided."""
    offset_s: Fraction = Fraction(0)
    """Where it begins in the output."""

    @property
    def text(self) -> str:
        return f"{float(self.start_s):g} s to " + (
            f"{float(self.end_s):g} s" if self.end_s is not None else "the end"
        )


def ranges(starts: Sequence[float], ends: Sequence[float | str]) -> list[Range]:
    """The ranges that GPAC's `xs` and `xe` mean, those that touch joined to one.

    An end may be `D5`: 5 seconds after its start. A start without an end goes on to the next start, the
    last one to the end of the media. Raises OptionError.
    """
    if ends and not starts:
        starts = [0.0]
    if len(ends) > len(starts):
        raise OptionError(f"xe has {len(ends)} times and xs {len(starts)}", hint="each end needs a start")
    found: list[Range] = []
    exact = [_exact(start) for start in starts]
    if any(b <= a for a, b in pairwise(exact)):
        raise OptionError(
            "the times in xs must rise", hint="one range after the other, in the order of the media"
        )
    for at, start in enumerate(exact):
        following = exact[at + 1] if at + 1 < len(exact) else None
        end = _end(ends[at], start) if at < len(ends) else following
        if start < 0 or (end is not None and end <= start):
            raise OptionError(f"there is no range from {Range(start, end).text}")
        last = found[-1] if found else None
        if last is not None and last.end_s is not None and last.end_s >= start:
            last.end_s = None if end is None else max(end, last.end_s)
        else:
            found.append(Range(start, end))
    return found


def _exact(seconds: float) -> Fraction:
    if not isfinite(seconds):
        raise OptionError(f"{seconds} is no time of a range", hint="leave xe out to go on to the end")
    return Fraction(repr(float(seconds)))


def _end(value: float | str, start: Fraction) -> Fraction:
    if isinstance(value, str):
        try:
            if value[:1] != "D":
                raise ValueError
            return start + Fraction(value[1:])
        except (ValueError, ZeroDivisionError):
            raise OptionError(
                f"xe: {value!r} is no time", hint="write 3.5, T00:01:02.5, or D5 for 5 s long"
            ) from None
    return _exact(value)


class State(Enum):
    """Of one stream, in the present range."""

    LOOKING = "for where to begin"
    READY = "knows where it would begin"
    INSIDE = "sends"
    PAST = "has nothing more to send"


class Extraction:
    """What the streams of one reframer share: the ranges, one after the other, and where each is cut."""

    def __init__(self, found: Sequence[Range], rounding: Rounding, keep_times: bool) -> None:
        self.rounding = rounding
        self.keep_times = keep_times
        self.cutters: list[StreamCutter] = []
        self.sent = 0
        self._left = list(found)
        self.range = self._left.pop(0)

    @property
    def last(self) -> bool:
        """The present range is the last."""
        return not self._left

    def add(self, pid: Link) -> StreamCutter:
        cutter = StreamCutter(self, pid)
        self.cutters.append(cutter)
        return cutter

    def step(self) -> list[tuple[StreamCutter, list[Packet]]] | None:
        """Begins the present range or goes on to the next one, where all streams are ready for it.

        Gives what can be sent then; None: nothing has changed. `range` is another one after the change.
        """
        if self.range.cut_s is None:
            if any(cutter.state is not State.READY for cutter in self.cutters if cutter.leads):
                return None
            points = [cutter.point_s for cutter in self.cutters if cutter.point_s is not None]
            self.range.cut_s = min(points) if points and self.rounding != "seek" else self.range.start_s
            return [(cutter, cutter.begin()) for cutter in self.cutters]
        if self.last or any(cutter.state is not State.PAST for cutter in self.cutters):
            return None
        before, self.range = self.range, self._left.pop(0)
        assert before.end_s is not None  # only the last range is open
        assert before.cut_s is not None
        reached = [cutter.reached_s for cutter in self.cutters if cutter.leads]
        self.range.offset_s = before.offset_s + max([before.end_s, *reached]) - before.cut_s
        for cutter in self.cutters:
            cutter.enter()
        return []

    @property
    def group_s(self) -> Fraction | None:
        """When the earliest group of pictures begins in which a stream is."""
        return min(
            (cutter.group_s for cutter in self.cutters if cutter.leads and cutter.group_s is not None),
            default=None,
        )

    @property
    def floor_s(self) -> Fraction | None:
        """The present range does not begin before this time; None where that is not known yet."""
        points = [cutter.point_s for cutter in self.cutters if cutter.leads]
        found = [point for point in points if point is not None]
        return min(found) if found and len(found) == len(points) else None


class StreamCutter:
    """One stream on its way through the ranges.

    `feed(packet)` gives the packets that shall be sent, their times changed. While the start of a range is
    looked for, it holds the pictures from the last random access point on: one group of pictures.
    """

    def __init__(self, extraction: Extraction, pid: Link) -> None:
        properties = pid.properties
        self.pid = pid
        self.timescale: int = properties.get("Timescale") or 1
        kind, codec = properties.get("StreamType"), properties.get("CodecID")
        cover = int(properties.get("Disposition") or 0) & ATTACHED_PICTURE
        self.leads = kind == "Visual" and codec != "raw" and not cover
        """Ranges begin where this stream can: it holds pictures that depend on others."""
        self.state = State.LOOKING
        self.point_s: Fraction | None = None
        """Where this stream would begin the present range, as far as it has looked."""
        self.reached_s = Fraction(0)
        self.ended = False
        self.last_dts: int | None = None
        self.skip_to: int | None = None
        """After a seek, what came before comes again, up to this time."""
        self._sent_dts: int | None = None
        self._farthest = 0
        """The latest time of a packet so far."""
        self._is_text = kind == "Text"
        self._origin = round(Fraction(properties.get("StartTime") or 0) * self.timescale)
        self._extraction = extraction
        self._held: list[Packet] = []
        self._late: list[Packet] = []
        self._group: deque[Packet] = deque()
        self._carry: list[Packet] = []
        self._first: int | None = None
        self.enter()
        if extraction.range.cut_s is not None:
            self.begin()

    @property
    def over(self) -> bool:
        """No range will get anything more of it."""
        return self.state is State.PAST and (self._extraction.last or (self.ended and not self._carry))

    @property
    def reads(self) -> bool:
        """It wants the next packet; if not, others have to decide or to get as far first."""
        return self.over or self.state is State.INSIDE or (self.state is State.LOOKING and self.leads)

    @property
    def position_s(self) -> Fraction:
        """How far into the media it has read."""
        return (
            Fraction(0) if self.last_dts is None else Fraction(self.last_dts - self._origin, self.timescale)
        )

    def needless(self, packet: Packet) -> bool:
        """True for a packet that comes before whatever the present range will hold."""
        if self.state is not State.LOOKING or self.leads:
            return False
        floor = self._extraction.floor_s
        return floor is not None and self._time(packet) + (packet.duration or 0) < self._ticks(floor)

    def feed(self, packet: Packet) -> list[Packet]:
        """Takes the next packet, where `reads` says so."""
        dts = packet.dts
        time = self._time(packet)
        if self.skip_to is not None:
            # Matroska knows no decode times behind a seek: a picture shown later than all before it is new
            if (dts if dts is not None else time) <= (self.skip_to if dts is not None else self._farthest):
                return []
            self.skip_to = None
        if dts is not None:
            self.last_dts = dts
        self._farthest = max(self._farthest, time)
        if self.over:
            return []
        if self.state is State.INSIDE:
            return self._cut([packet])
        self._look(packet)
        return []

    def finish(self) -> None:
        """The input has ended."""
        self.ended = True
        if self.state is State.LOOKING and self.leads:
            self.state = State.READY
            if all(self._time(packet) + (packet.duration or 1) <= self._start for packet in self._held):
                self._held, self.point_s = [], None  # it ended before the range begins
        elif self.state is State.INSIDE:
            self.state = State.PAST

    def enter(self) -> None:
        """Another range has become the present one."""
        chosen = self._extraction.range
        self.state = State.LOOKING
        self.point_s = self._first = None
        self._start = self._ticks(chosen.start_s)
        self._end = None if chosen.end_s is None else self._ticks(chosen.end_s)
        carry, self._carry, self._held = self._carry, [], []
        self._group.clear()
        if not self.leads:
            self._held = carry
        else:
            for packet in carry:
                self._look(packet)
            if self.ended:
                self.finish()

    def begin(self) -> list[Packet]:
        """Where the present range is cut is known. Gives what of it was held."""
        chosen = self._extraction.range
        assert chosen.cut_s is not None
        self.state = State.INSIDE
        self._cut_at = self._ticks(chosen.cut_s)
        shift = Fraction(0) if self._extraction.keep_times else chosen.offset_s - chosen.cut_s
        self._shift = round(shift * self.timescale) - (0 if self._extraction.keep_times else self._origin)
        held, self._held = self._held, []
        self._first = self._time(held[0]) if held and self.leads else None
        out = self._cut(held)
        if self.ended:
            self.state = State.PAST
        return out

    def _look(self, packet: Packet) -> None:
        """Finds the random access point from which to decode, and holds what follows it."""
        if self.state is State.READY:
            self._held.append(packet)
            return
        time, rounding = self._time(packet), self._extraction.rounding
        if packet.sap:
            early = time < self._start
            if early and rounding == "after":
                return
            known = bool(self._held)
            if early or not known or (rounding == "closest" and self._is_nearer(time)):
                self._held = []
                self.point_s = Fraction(time - self._origin, self.timescale)
            elif time == self._start:
                self._held = []
                self.point_s = self._extraction.range.start_s
            if not early:
                self.state = State.READY
        elif not self._held:
            return
        self._held.append(packet)
        order = packet.dts if packet.dts is not None else time
        if order > self._start and rounding in ("before", "seek"):
            self.state = State.READY  # no later picture is shown before the range begins

    def _is_nearer(self, time: int) -> bool:
        return time - self._start < self._start - self._time(self._held[0])

    def _cut(self, packets: list[Packet]) -> list[Packet]:
        """What of `packets` lies in the present range. From the one that ends it on, they are kept."""
        out: list[Packet] = []
        for at, packet in enumerate(packets):
            time = self._time(packet)
            if self.leads:
                if self._first is None and packet.sap and time >= self._cut_at:
                    self._first = time
                if self._first is None or (time < self._first and not packet.sap):
                    continue  # it shows what came before, and what it depends on is not there
            if not self._extraction.last:
                self._keep(packet)
            if not self.leads and time < self._cut_at and not self._reaches_in(packet, time):
                continue
            if self._end is not None and time >= self._end:
                if packet.dts is not None and packet.dts >= self._end:
                    self.state = State.PAST
                    self._late = []
                    self._carry = [*self._group, *packets[at + 1 :]]
                    break
                self._late.append(packet)  # only in the range if one that is shown earlier needs it
                continue
            out += self._late
            out.append(packet)
            self._late = []
        for packet in out:
            self._retime(packet)
        self._extraction.sent += len(out)
        return out

    def _keep(self, packet: Packet) -> None:
        """Keeps what the next range may need again, as it may begin in the same group of pictures."""
        group = self._group
        if self.leads:
            if packet.sap:
                group.clear()
        else:
            since = self._extraction.group_s
            oldest = self._time(packet) if since is None else self._ticks(since)
            while group and self._time(group[0]) + (group[0].duration or 0) < oldest:
                group.popleft()
        group.append(packet.clone())

    @property
    def group_s(self) -> Fraction | None:
        """When the group of pictures begins in which the stream is."""
        return Fraction(self._time(self._group[0]) - self._origin, self.timescale) if self._group else None

    def _reaches_in(self, packet: Packet, time: int) -> bool:
        """True for a cue, and in `seek` mode for sound, that begins before the cut and lasts beyond it."""
        if time + (packet.duration or 0) <= self._cut_at:
            return False
        if self._is_text:
            packet.duration = time + (packet.duration or 0) - self._cut_at
            packet.cts = packet.dts = self._cut_at
            return True
        return self._extraction.rounding == "seek"

    def _retime(self, packet: Packet) -> None:
        time = self._time(packet)
        if self._extraction.rounding == "seek" and time < self._start:
            packet.seek = True
        self.reached_s = max(
            self.reached_s, Fraction(time + (packet.duration or 0) - self._origin, self.timescale)
        )
        if self._shift:
            if packet.dts is not None:
                packet.dts += self._shift
            if packet.cts is not None:
                packet.cts += self._shift
        if packet.dts is None and self._sent_dts is not None and packet.cts is not None:
            # unknown behind a seek in Matroska, and muxers want one in the middle of a stream
            guess = min(packet.cts, self._sent_dts + (packet.duration or 1))
            packet.dts = guess if guess > self._sent_dts else None
        if packet.dts is not None:
            self._sent_dts = packet.dts

    def _time(self, packet: Packet) -> int:
        if packet.cts is not None:
            return packet.cts
        return packet.dts if packet.dts is not None else self.last_dts or 0

    def _ticks(self, seconds: Fraction) -> int:
        """The first tick at or after a time."""
        return self._origin + ceil(seconds * self.timescale)
