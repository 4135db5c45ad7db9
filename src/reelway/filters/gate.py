"""`gate`: lets packets through when they are due, on one clock for all sinks of a pipeline."""

from __future__ import annotations

from typing import Any

from reelway.filters.simple import Forward
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.media.events import Event, Play
from reelway.media.packet import Packet

__all__ = ["Gate", "Tempo"]


class Tempo:
    """When what lies at a running time is due: the same for all gates that share it. The session's thread.

    The first packet that comes to any gate, at the beginning and after a seek, is due at once.
    """

    def __init__(self) -> None:
        self.speed = 1.0
        self.free = False
        """Everything is due at once: the end was asked for."""
        self._run = 0
        self._start: tuple[float, float] | None = None
        """Running time of the first packet, and the session's time at which it was due."""

    def due_s(self, run: int, running_s: float, now_s: float) -> float:
        """When a packet of the run number `run` (counted in restarts) is due; of an older run: at once."""
        if run < self._run or self.free:
            return now_s
        if run > self._run or self._start is None:
            self._run, self._start = run, (running_s, now_s)
        first_s, at_s = self._start
        return at_s + (running_s - first_s) / self.speed

    def set_speed(self, speed: float) -> None:
        """Another speed from the next packet on, which is due at once."""
        if speed > 0 and speed != self.speed:
            self.speed, self._start = speed, None


class Gate(Forward):
    """Each packet waits until its running time has come; without `sync` it passes at once.

    What comes before the place that a seek asked for (`packet.seek`) does not pass.
    """

    registry_name = "gate"

    sync: bool = option(True, live=True, help="wait until packets are due, by the clock")
    tempo: Tempo | None = option(None, kind=object, help="the clock that gates share; None: one of its own")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.clock = self.tempo if self.tempo is not None else Tempo()
        self.position_s: float | None = None
        """Media time of the packet that was let through last [s]; None before the first."""
        self.late_s = 0.0
        """How much later than it was due the last packet was let through [s]."""
        self.passed = 0
        self.skipping = False
        """What is still on its way from before a seek is thrown away, up to the restart."""
        self.skipped = 0

    def configure(self, pid: Link) -> None:
        super().configure(pid)
        if pid.data is None:
            pid.data = 0  # runs: how often it was restarted

    def process(self) -> float | None:
        wait_s: float | None = None
        for pid in self.ipids:
            output = pid.output
            assert output is not None  # made in configure()
            while (packet := pid.peek()) is not None:
                if self.skipping or packet.seek:
                    self.skipped += pid.take(packet)
                    continue
                if self.sync and (left_s := self._left_s(pid, packet)) > 0:
                    wait_s = left_s if wait_s is None else min(wait_s, left_s)
                    break
                if pid.take(packet):
                    self.passed += 1
                    self._note(pid, packet)
                    output.send(packet)
        return wait_s

    def restarted(self, pid: Link) -> None:
        pid.data += 1
        self.skipping = False
        super().restarted(pid)

    def on_event(self, event: Event) -> bool:
        if isinstance(event, Play):
            self.clock.set_speed(event.speed)
        return False

    def _left_s(self, pid: Link, packet: Packet) -> float:
        ticks = packet.cts if packet.cts is not None else packet.dts
        if ticks is None:
            return 0.0
        running_s = pid.pid.timeline.running_s(ticks, pid.properties.get("Timescale") or 1)
        now_s = self.context.now()
        left_s = self.clock.due_s(pid.data, running_s, now_s) - now_s
        self.late_s = max(0.0, -left_s)
        return left_s

    def _note(self, pid: Link, packet: Packet) -> None:
        ticks = packet.cts if packet.cts is not None else packet.dts
        if ticks is not None:
            self.position_s = ticks / (pid.properties.get("Timescale") or 1)
