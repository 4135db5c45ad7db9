"""The times of streams that go out by RTP: they rise with the clock, whatever the sources' do.

All streams are on one time, which is 0 where the sink began. A stream that jumps, because its source was
sought in or begins anew, goes on where the clock is, and so do the others when they jump after it.
"""

from __future__ import annotations

from reelway.media.packet import Packet
from reelway.media.timebase import rescale

__all__ = ["Lane", "Timeline"]

BACK_S = 1.0
"""A time that goes back by more than this is a jump."""


class Timeline:
    """What the streams share: where the times of their sources lie on the time that goes out."""

    def __init__(self, now_s: float) -> None:
        self.start_s = now_s
        self.run = 0
        """How often it was said, and `shift_s` what the last time."""
        self.shift_s = 0.0

    def begin(self, media_s: float, now_s: float) -> None:
        """From now on `media_s` is now."""
        self.run += 1
        self.shift_s = now_s - self.start_s - media_s


class Lane:
    """One stream, in ticks of RTP: `clock` a second."""

    def __init__(self, timeline: Timeline, clock: int) -> None:
        self.jumped = False
        """What comes next does not follow on what came last."""
        self.dts = -1
        self.pts = 0
        """Of the packet that was sent last."""
        self._timeline = timeline
        self._clock = clock
        self._run = 0
        """Of the timeline, that `_offset` belongs to."""
        self._offset = 0
        """From the source's time to that which goes out."""
        self._last_s: float | None = None

    def place(self, packet: Packet, timescale: int, now_s: float) -> tuple[int, int]:
        """(decode time, presentation time) of `packet`, to go out; decode times rise."""
        time = packet.dts if packet.dts is not None else packet.cts
        if time is None:
            return self.dts + 1, self.dts + 1
        media_s, timeline = time / timescale, self._timeline
        jumps = self.jumped or (self._last_s is not None and media_s < self._last_s - BACK_S)
        if (jumps and self._run == timeline.run) or not timeline.run:
            timeline.begin(media_s, now_s)
        if jumps or not self._run:
            self.jumped, self._last_s = False, None
            self._run = timeline.run
            self._offset = round(timeline.shift_s * self._clock)
        dts = max(rescale(time, timescale, self._clock) + self._offset, self.dts + 1)
        if packet.cts is None:
            return dts, dts
        return dts, max(dts, rescale(packet.cts, timescale, self._clock) + self._offset)

    def due_s(self, dts: int) -> float:
        """When, on the sink's clock, the packet at `dts` is to be sent."""
        return self._timeline.start_s + dts / self._clock

    def sent(self, packet: Packet, timescale: int, dts: int, pts: int) -> None:
        """`packet` went out at these times."""
        time = packet.dts if packet.dts is not None else packet.cts
        self._last_s = self._last_s if time is None else time / timescale
        self.dts, self.pts = dts, pts
