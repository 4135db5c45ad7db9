"""What sources of made-up media have in common: the order of their streams, real time, the end."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from reelway.filters.pacing import Pacer
from reelway.graph.filter import Filter
from reelway.graph.option import Seconds, option
from reelway.graph.pid import Pid
from reelway.media.events import Event, Play, Seek, Stop
from reelway.media.packet import Packet
from reelway.media.timeline import Timeline

__all__ = ["Generator", "Signal"]


class Signal(ABC):
    """One stream that is computed: packet after packet, each from its number only."""

    name: str
    properties: dict[str, Any]
    pid: Pid
    until_s: Fraction | None = None
    """It ends before a packet that begins here."""

    @property
    @abstractmethod
    def next_s(self) -> Fraction:
        """When the next packet begins."""

    @abstractmethod
    def seek(self, time_s: Fraction) -> None:
        """The next packet is the one that is shown, or heard, at `time_s`."""

    @abstractmethod
    def packet(self) -> Packet | None:
        """The next packet; None: that was all."""


class Generator(Filter):
    """A source of signals, the earliest packet first."""

    seeks = True

    live: bool = option(False, help="send in real time, each packet when its time has come")
    duration: Seconds = option(
        0.0,
        low=0.0,
        unit="s",
        kind=Seconds,
        aliases=("dur", "duration_s"),
        help="how long it goes on; 0: without end",
    )

    offset: Seconds = option(
        0.0,
        low=0.0,
        unit="s",
        kind=Seconds,
        help="where time 0 of its streams lies on the session's running time",
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
        self._speed = 1.0
        self._signals = self.signals()
        for signal in self._signals:
            signal.pid = self.new_pid(signal.name, **signal.properties)
            signal.pid.timeline = Timeline(0, float(self.offset), 1.0)
        if self.live:
            self._pacer.due_s(
                None, -float(self.offset), self.context.now(), 1.0, True
            )  # the clock starts now

    def on_event(self, event: Event) -> bool:
        """Play moves the stream that it concerns, Seek all of them; a stream that nobody wants ends."""
        match event:
            case Stop():
                self._end([each for each in self._signals if each.pid is event.pid])
            case Seek(time_s=time_s):
                self._move(self._signals, time_s, None)
            case Play(start_s=start_s, end_s=end_s, speed=speed):
                self._speed = speed if speed > 0 else 1.0
                self._move([each for each in self._signals if each.pid is event.pid], start_s, end_s)
        return True

    def process(self) -> float | None:
        left = self.quantum
        while self._signals and left and not self.blocked:
            signal = min(self._signals, key=lambda each: each.next_s)
            if self.live:
                now = self.context.now()
                due = self._pacer.due_s(None, float(signal.next_s), now, self._speed, True)
                if due > now:
                    return due - now
            packet = (
                None if signal.until_s is not None and signal.next_s >= signal.until_s else signal.packet()
            )
            if packet is None:
                self._end([signal])
                continue
            if self.live:
                packet.capture_time = time.time_ns()
            signal.pid.send(packet)
            left -= 1
        return None

    def _end(self, signals: Sequence[Signal]) -> None:
        for signal in signals:
            self._signals.remove(signal)
            signal.pid.end()

    def _move(self, signals: Sequence[Signal], start_s: float, end_s: float | None) -> None:
        for signal in signals:
            signal.until_s = None if end_s is None else Fraction(end_s)
            before = signal.next_s
            signal.seek(Fraction(start_s))
            if before and signal.next_s != before:
                signal.pid.restart()
        self._pacer.restart()
