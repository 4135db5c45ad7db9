"""`freeze`: one picture, again and again."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from reelway.filters.frames import drain, shown
from reelway.filters.pacing import Pacer
from reelway.filters.pictures import RAW_PICTURES
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.graph.pid import Pid
from reelway.media.packet import Packet

__all__ = ["Freeze"]


class Freeze(Filter):
    """Shows the first picture of its input `frames` times; what comes behind it is not wanted.

    Picture n is at n / fps exactly.
    """

    registry_name = "freeze"
    inputs = (RAW_PICTURES,)
    outputs = (RAW_PICTURES,)
    max_inputs = 1

    fps: Fraction = option("25", low=Fraction(1, 3600), kind=Fraction, help="frames a second")
    frames: int | None = option(None, low=0, help="how many; by default without end")
    live: bool = option(False, help="send in real time, each picture when its time has come")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._out: Pid | None = None
        self._picture: Packet | None = None
        self._number = 0
        self._pacer = Pacer()

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        return [self._made(properties)]

    def configure(self, pid: Link) -> None:
        if self._out is None:
            self._out = self.new_pid(pid.name, **self._made(pid.properties))

    def process(self) -> float | None:
        for pid in self.ipids:
            if self._picture is None:
                self._picture = pid.get() if shown(pid) is not None else None
            if self._picture is not None:
                drain(self)
        if self._picture is None or self._out is None or self._out.ended:
            return None
        left = self.quantum
        while left and not self.blocked:
            if self._number == self.frames:
                self._out.end()
                return None
            if self.live and (wait_s := self._wait_s()) > 0:
                return wait_s
            self._out.send(self._next())
            left -= 1
        return None

    def ended(self, pid: Link) -> None:
        if self._picture is None and self._out is not None:
            self._out.end()  # there was no picture
        # else the output ends in process(), behind the last one

    def restarted(self, pid: Link) -> None:
        """It shows what it shows."""

    def _made(self, properties: dict[str, Any]) -> dict[str, Any]:
        made = {name: value for name, value in properties.items() if name not in ("Duration", "NumFrames")}
        if self.frames is not None:
            made |= {"NumFrames": self.frames, "Duration": self.frames / self.fps}
        return {**made, "FPS": self.fps, "Timescale": self.fps.numerator}

    def _next(self) -> Packet:
        assert self._picture is not None
        packet = self._picture.clone()
        packet.dts = packet.cts = self._number * self.fps.denominator
        packet.duration, packet.sap = self.fps.denominator, 1
        self._number += 1
        return packet

    def _wait_s(self) -> float:
        now = self.context.now()
        return self._pacer.due_s(None, float(self._number / self.fps), now, 1.0, True) - now
