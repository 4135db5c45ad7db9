"""`gate`: lets packets through when they are due, on one clock for all sinks of a pipeline."""

from __future__ import annotations

from typing import Any

from reelway.filters.simple import Forward
from reelway.filters.tempo import Tempo
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.media.events import Event, Play
from reelway.media.packet import Packet

__all__ = ["Gate", "Tempo"]


class _Stream:
    """What the gate keeps for one input."""

    __slots__ = ("came", "run")

    def __init__(self) -> None:
        self.run = 0
        """How often it was restarted."""
        self.came = 0
        """How many packets have come."""


class Gate(Forward):
    """Each packet waits until its running time has come; without `sync` it passes at once.

    What comes before the place that a seek asked for (`packet.seek`) does not pass.
    """

    registry_name = "gate"
    holds = True

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
        self._ahead_s = 0.0

    def feed_sound(self, lead_s: float, ahead_s: float) -> None:
        """What comes through is sound: it passes `ahead_s` before it is due, and all is due `lead_s` later.

        The session's thread. Then who plays it sees to it that it is heard when `clock.when_s()` says.
        """
        self._ahead_s = ahead_s
        self.clock.set_lead(lead_s)

    def configure(self, pid: Link) -> None:
        super().configure(pid)
        if pid.data is None:
            pid.data = _Stream()

    def process(self) -> float | None:
        wait_s: float | None = None
        for pid in self.ipids:
            output = pid.output
            assert output is not None  # made in configure()
            self._look_at_arrival(pid)
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
        pid.data.run += 1
        self.skipping = False
        super().restarted(pid)

    def on_event(self, event: Event) -> bool:
        if isinstance(event, Play):
            self.clock.set_speed(event.speed)
        return False

    def _look_at_arrival(self, pid: Link) -> None:
        """Tells the clock of a packet that has just come, even if others wait in front of it."""
        stream: _Stream = pid.data
        if not self.sync or stream.came == pid.packets_in:
            return
        stream.came = pid.packets_in
        try:
            last = pid.queue[-1]
        except IndexError:
            return
        if isinstance(last, Packet) and (running_s := _running_s(pid, last)) is not None:
            self.clock.came(pid, stream.run, running_s, self.context.now())

    def _left_s(self, pid: Link, packet: Packet) -> float:
        running_s = _running_s(pid, packet)
        if running_s is None:
            return 0.0
        now_s = self.context.now()
        left_s = self.clock.due_s(pid.data.run, running_s, now_s) - now_s - self._ahead_s
        self.late_s = max(0.0, -left_s)
        return left_s

    def _note(self, pid: Link, packet: Packet) -> None:
        ticks = packet.cts if packet.cts is not None else packet.dts
        if ticks is not None:
            self.position_s = ticks / (pid.properties.get("Timescale") or 1)


def _running_s(pid: Link, packet: Packet) -> float | None:
    ticks = packet.cts if packet.cts is not None else packet.dts
    return None if ticks is None else pid.pid.timeline.running_s(ticks, pid.properties.get("Timescale") or 1)
