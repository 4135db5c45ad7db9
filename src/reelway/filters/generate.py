"""What sources of made-up media have in common: the order of their streams, real time, the end."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from fractions import Fraction
from typing import Any

from reelway.filters.pacing import Pacer
from reelway.graph.filter import Filter
from reelway.graph.option import Seconds, option
from reelway.graph.pid import Pid
from reelway.media.events import Event, Stop
from reelway.media.packet import Packet

__all__ = ["Generator", "Signal"]


class Signal(ABC):
    """One stream that is computed: packet after packet, each from its number only."""

    name: str
    properties: dict[str, Any]
    pid: Pid

    @property
    @abstractmethod
    def next_s(self) -> Fraction:
        """When the next packet begins."""

    @abstractmethod
    def packet(self) -> Packet | None:
        """The next packet; None: that was all."""


class Generator(Filter):
    """A source of signals, the earliest packet first."""

    live: bool = option(False, help="send in real time, each packet when its time has come")
    duration: Seconds = option(
        0.0,
        low=0.0,
        unit="s",
        kind=Seconds,
        aliases=("dur", "duration_s"),
        help="how long it goes on; 0: without end",
    )

    def signals(self) -> list[Signal]:
        """What it sends, made from its options."""
        raise NotImplementedError

    @property
    def length_s(self) -> Fraction | None:
        """`duration` as an exact number; None: without end."""
        return Fraction(repr(float(self.duration))) if self.duration else None

    def open(self) -> None:
        self._pacer = Pacer()
        self._signals = self.signals()
        for signal in self._signals:
            signal.pid = self.new_pid(signal.name, **signal.properties)

    def on_event(self, event: Event) -> bool:
        """A stream that nobody wants any more ends."""
        for signal in self._signals if isinstance(event, Stop) else ():
            if signal.pid is event.pid:
                self._signals.remove(signal)
                signal.pid.end()
                break
        return False

    def process(self) -> float | None:
        left = self.quantum
        while self._signals and left and not self.blocked:
            signal = min(self._signals, key=lambda each: each.next_s)
            if self.live:
                now = self.context.now()
                due = self._pacer.due_s(None, float(signal.next_s), now, 1.0, True)
                if due > now:
                    return due - now
            packet = signal.packet()
            if packet is None:
                self._signals.remove(signal)
                signal.pid.end()
                continue
            if self.live:
                packet.capture_time = time.time_ns()
            signal.pid.send(packet)
            left -= 1
        return None
