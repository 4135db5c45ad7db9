"""When what lies at a running time is due: one clock for all sinks that shall keep step."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

__all__ = ["SOUND_LEAD_S", "Following", "Tempo"]

SOUND_LEAD_S = 0.1
"""So much before it is due sound must be on its way: to the device, and through it."""

MOST_ARRIVALS = 128
"""Of each stream: what came within the last seconds says how late its packets are."""
SETTLE_EVERY = 32
"""Arrivals of all streams together."""
YOUNG = 128
"""As long as so few have come, what is later than expected moves the time at once."""
SILENT_S = 5.0
"""A stream of which nothing comes for so long has no say."""
SHARE = 0.9
"""Of the packets that shall be there when they are due."""
JUMP_S = 0.1
"""The network has changed: the time is moved at once."""
SLEW_S = 0.001
"""Else by so much at once, which nobody sees or hears."""


class Tempo:
    """The same for all gates that share it. The session's thread; `when_s` from any.

    The first packet that comes to any gate, at the beginning and after a seek, is due at once; where there is
    sound, after the time that it is on its way.
    """

    def __init__(self) -> None:
        self.speed = 1.0
        self.free = False
        """Everything is due at once: the end was asked for."""
        self.lead_s = 0.0
        self._run = 0
        self._start: tuple[float, float] | None = None
        """Running time of the first packet, and the session's time at which it was due. Replaced as a whole:
        `when_s` relies on the GIL."""

    def due_s(self, run: int, running_s: float, now_s: float) -> float:
        """When a packet of the run number `run` (counted in restarts) is due; of an older run: at once."""
        if run < self._run or self.free:
            return now_s
        if run > self._run or self._start is None:
            self._run, self._start = run, (running_s, now_s + self.lead_s)
        first_s, at_s = self._start
        return at_s + (running_s - first_s) / self.speed

    def when_s(self, running_s: float) -> float | None:
        """When that is due; None where sound has nothing to keep to: at another speed, and at the end."""
        start = self._start
        if start is None or self.free or self.speed != 1.0:
            return None
        return start[1] + running_s - start[0]

    def set_lead(self, lead_s: float) -> None:
        """Everything is due later, so that sound can be on its way for so long; never sooner again."""
        more_s = lead_s - self.lead_s
        if more_s > 0:
            self.lead_s = lead_s
            if self._start is not None:
                self._start = self._start[0], self._start[1] + more_s

    def set_speed(self, speed: float) -> None:
        """Another speed from the next packet on, which is due at once."""
        if speed > 0 and speed != self.speed:
            self.speed, self._start = speed, None

    def came(self, stream: Hashable, run: int, running_s: float, now_s: float) -> None:
        """A packet has arrived at a gate."""


class Following(Tempo):
    """Of what is live: due when most packets of all streams are there, whatever clock the sender has.

    A sender's clock differs from this machine's, and networks change. So the time goes with the arrivals,
    slowly where they drift, at once where they jump.
    """

    def __init__(self) -> None:
        super().__init__()
        self._late: dict[Hashable, deque[float]] = {}
        """Of each stream, arrivals less running times."""
        self._last: dict[Hashable, float] = {}
        """When a packet of each stream came last."""
        self._count = 0
        self._offset_s: float | None = None

    def came(self, stream: Hashable, run: int, running_s: float, now_s: float) -> None:
        if run > self._run:
            self._run, self._count, self._offset_s = run, 0, None
            self._late.clear()
            self._last.clear()
        if run < self._run:
            return
        self._late.setdefault(stream, deque(maxlen=MOST_ARRIVALS)).append(now_s - running_s)
        self._last[stream] = now_s
        self._count += 1
        if self._count <= YOUNG or self._count % SETTLE_EVERY == 0:
            self._settle(now_s)

    def due_s(self, run: int, running_s: float, now_s: float) -> float:
        due_s = self.when_s(running_s)
        return now_s if due_s is None or run < self._run else due_s

    def when_s(self, running_s: float) -> float | None:
        offset_s = self._offset_s
        return None if offset_s is None or self.free else running_s + offset_s + self.lead_s

    def set_lead(self, lead_s: float) -> None:
        self.lead_s = max(self.lead_s, lead_s)

    def _settle(self, now_s: float) -> None:
        for stream in [each for each, last_s in self._last.items() if now_s - last_s > SILENT_S]:
            del self._late[stream], self._last[stream]
        wanted_s = max(sorted(late)[int(SHARE * (len(late) - 1))] for late in self._late.values())
        before_s = self._offset_s
        if before_s is None or abs(wanted_s - before_s) > JUMP_S:
            self._offset_s = wanted_s
        elif self._count <= YOUNG:
            self._offset_s = max(before_s, wanted_s)
        else:
            self._offset_s = before_s + max(-SLEW_S, min(SLEW_S, wanted_s - before_s))
