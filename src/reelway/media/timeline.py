"""Where a PID's ticks lie on the session's running time."""

from __future__ import annotations

from typing import NamedTuple


class Timeline(NamedTuple):
    """running time [s] = offset_s + (ticks - start) / timescale / rate.

    Seek, pause, speed and reconnects change the timeline of a PID, never the ticks of its packets.
    """

    start: int = 0
    offset_s: float = 0.0
    rate: float = 1.0

    def running_s(self, ticks: int, timescale: int) -> float:
        return self.offset_s + (ticks - self.start) / timescale / self.rate

    def ticks(self, running_s: float, timescale: int) -> int:
        return self.start + round((running_s - self.offset_s) * self.rate * timescale)
