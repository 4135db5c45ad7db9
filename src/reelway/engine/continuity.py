"""Decode times that rise, as every muxer asks for, and as cameras and joined files do not give them.

Muxers refuse times that go back, and MP4's writes gaps of 2^31 ticks and more as nonsense (FFmpeg 8.1).
Such breaks are closed: a stream goes on where it stopped. The streams of one source break together, one
after the other, so the later ones follow the first where that fits, and they stay in step.
"""

from __future__ import annotations

from fractions import Fraction

__all__ = ["Continuity", "Track"]

GLITCH_S = Fraction(1, 2)
"""A step back of less than this is one bad time, not a break."""
IN_STEP_S = 10
"""A stream that would leave a larger hole than this by following another one goes its own way."""
FARTHEST = 1 << 53
"""Ticks beyond which even a first time is no time."""


class Continuity:
    """What the streams of one muxer share."""

    def __init__(self) -> None:
        self.repaired = 0
        """How many packets stood at a break, or had a bad time."""
        self.moved_s: Fraction | None = None
        """By how much the stream that broke last is moved altogether."""
        self.tracks: list[Track] = []

    def track(self, time_base: Fraction, max_gap_s: float) -> Track:
        self.tracks.append(Track(self, time_base, int(max_gap_s / time_base)))
        return self.tracks[-1]


class Track:
    """One stream, in its own ticks.

    The muxer adds `offset` to each time, asks `repair()` where the decode time then is not above `last` by
    at most `max_gap`, and keeps `last`.
    """

    __slots__ = ("_shared", "_time_base", "last", "max_gap", "offset")

    def __init__(self, shared: Continuity, time_base: Fraction, max_gap: int) -> None:
        self._shared = shared
        self._time_base = time_base
        self.max_gap = max_gap
        self.offset = 0
        self.last: int | None = None

    def repair(self, dts: int, duration: int | None) -> int:
        """The decode time to write instead of `dts` (as it came, without `offset`); changes `offset`."""
        time, last = dts + self.offset, self.last
        if last is None:
            last = self._elsewhere()
            if last is None and abs(time) <= FARTHEST:
                return time
            if last is not None and abs(time - last) <= self.max_gap:
                return time
            last = last or 0
        elif 0 <= last - time < GLITCH_S / self._time_base:
            self._shared.repaired += 1
            return last + 1
        self._shared.repaired += 1
        moved_s = self._shared.moved_s
        if moved_s is not None:
            offset = round(moved_s / self._time_base)
            if -GLITCH_S < (dts + offset - last) * self._time_base < IN_STEP_S:
                self.offset = offset
                return max(dts + offset, last + 1)
        ends_s = [track.last * track._time_base for track in self._shared.tracks if track.last is not None]
        here_s = last * self._time_base
        latest_s = max((end_s for end_s in ends_s if end_s - here_s < GLITCH_S), default=here_s)
        self.offset = max(last + max(1, duration or 1), round(latest_s / self._time_base)) - dts
        self._shared.moved_s = self.offset * self._time_base
        return dts + self.offset

    def _elsewhere(self) -> int | None:
        """Where the other streams are, in this one's ticks."""
        times = [track.last * track._time_base for track in self._shared.tracks if track.last is not None]
        return round(max(times) / self._time_base) if times else None
