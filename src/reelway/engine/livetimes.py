"""The times of a live source: one timeline across all its connections, on which no stream goes back.

It begins with the first packet. A new connection goes on where the clock is, so that a recording is as long
as it took; what was missed is a hole. Within a connection the sender's times hold, as long as they go with
the clock: a step back or ahead that no waiting explains is closed, for all streams alike.
"""

from __future__ import annotations

__all__ = ["LiveTimes", "LiveTrack"]

GLITCH_S = 0.5
"""A step back of less than this is one bad time, or the sender's clocks being set to each other."""
AHEAD_S = 5.0
"""A step ahead of so much more than was waited for it is a break."""


class LiveTimes:
    """What the streams of one source share. Times of the clock are seconds of any steady one."""

    def __init__(self) -> None:
        self._began_s: float | None = None
        self.offset_s: float | None = None
        """Running time of this connection's time 0, as of the break that came last."""
        self.begin_s = 0.0
        """Running time of the first packet of this connection."""
        self.tracks: list[LiveTrack] = []

    def track(self, timescale: int) -> LiveTrack:
        """One for each PID, whatever connection its packets come from."""
        self.tracks.append(LiveTrack(self, timescale))
        return self.tracks[-1]

    def connected(self) -> None:
        """What comes from now on is of another connection."""
        self.offset_s = None
        for track in self.tracks:
            track.offset, track._unsaid_last = None, False

    def running_s(self, now_s: float) -> float:
        """Where the clock is on the timeline; its first question is the beginning."""
        if self._began_s is None:
            self._began_s = now_s
        return now_s - self._began_s

    @property
    def end_s(self) -> float:
        """Where the stream that came farthest is."""
        return max((each.last / each.timescale for each in self.tracks if each.last is not None), default=0.0)


class LiveTrack:
    """One stream, in ticks of its PID."""

    __slots__ = ("_came_s", "_duration", "_shared", "_unsaid_last", "jumps", "last", "offset", "timescale")

    def __init__(self, shared: LiveTimes, timescale: int) -> None:
        self._shared = shared
        self.timescale = timescale
        self.offset: int | None = None
        """Ticks that are added to what this connection says; None: not known yet."""
        self.last: int | None = None
        """The decode time that was given last."""
        self._duration = 0
        self._came_s = 0.0
        self._unsaid_last = False
        self.jumps = 0
        """How many steps were closed."""

    def precedes(self, time: int | None) -> bool:
        """`time`, as the sender says it, lies before the beginning of this connection."""
        offset_s = self._shared.offset_s
        if time is None or offset_s is None:
            return False
        return time / self.timescale + offset_s < self._shared.begin_s

    def had(self, time: int | None) -> bool:
        """`time`, as the sender says it, was given already."""
        if time is None or self.offset is None or self.last is None:
            return False
        return time + self.offset <= self.last

    def place(
        self, dts: int | None, cts: int | None, duration: int | None, now_s: float
    ) -> tuple[int | None, int]:
        """Decode and composition time of a packet that came at `now_s`, from what the sender says of it.

        Without a time of its own it follows on the packet before, by that one's duration. Composition times
        keep their distance from the decode times. A decode time that is unknown stays so.
        """
        said = dts if dts is not None else cts
        here_s = self._shared.running_s(now_s)
        if said is None:
            time = self._unsaid(here_s)
        else:
            time = said + self._offset_for(said, here_s, now_s)
            if self.last is not None and time <= self.last:
                time = self.last + 1
        shown = time
        if dts is not None and cts is not None:
            shown = time + max(0, cts - dts)
        self.last, self._duration, self._came_s = time, duration or 0, now_s
        self._unsaid_last = said is None
        return (time if dts is not None or said is None else None), shown

    def _unsaid(self, here_s: float) -> int:
        if self.last is not None and (self.offset is not None or self._unsaid_last):
            return self.last + max(1, self._duration)
        return max(round(here_s * self.timescale), -1 if self.last is None else self.last + 1)

    def _offset_for(self, said: int, here_s: float, now_s: float) -> int:
        shared, scale = self._shared, self.timescale
        if self.offset is None:
            if shared.offset_s is None:
                shared.begin_s = max(here_s, shared.end_s + (self._duration / scale if shared.end_s else 0.0))
                if self._unsaid_last and self.last is not None:  # only the first of this one had no time
                    shared.begin_s = (self.last + self._duration) / scale
                shared.offset_s = shared.begin_s - said / scale
            self.offset = round(shared.offset_s * scale)
            if self._fits(said + self.offset, now_s, first=True):
                return self.offset
        elif self._fits(said + self.offset, now_s):
            return self.offset
        self.jumps += 1
        moved = round((shared.offset_s or 0.0) * scale)
        if moved != self.offset and self._fits(said + moved, now_s):  # another stream has made the same step
            self.offset = moved
            return moved
        waited = round((now_s - self._came_s) * scale)
        self.offset = (self.last or 0) + max(1, self._duration, waited) - said
        shared.offset_s = self.offset / scale
        return self.offset

    def _fits(self, time: int, now_s: float, *, first: bool = False) -> bool:
        """`time` goes with the clock since the packet before."""
        if self.last is None:
            return True
        step_s = (time - self.last) / self.timescale
        waited_s = now_s - self._came_s
        return step_s > -GLITCH_S and (first or step_s - waited_s < AHEAD_S)
