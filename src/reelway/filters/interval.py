"""`interval`: at most one picture each so many seconds."""

from __future__ import annotations

from typing import Any

from reelway.filters.simple import Forward
from reelway.graph.caps import Caps
from reelway.graph.link import Link
from reelway.graph.option import Seconds, option
from reelway.media.packet import Packet

__all__ = ["Interval"]

NEARLY = 0.1
"""Part of a picture's duration by which it may come too early: clocks of cameras are not exact."""


class Interval(Forward):
    """Lets one picture through, then none that is shown less than `interval` after it, by their own times.

    They keep their times: what is left is a film with fewer pictures. `dropped` counts the others. Pictures
    without times all pass.
    """

    registry_name = "interval"
    inputs = (Caps(StreamType="Visual", CodecID="raw"),)
    outputs = inputs

    interval: Seconds = option(
        1.0, low=0.0, kind=Seconds, unit="s", live=True, help="between one picture and the next"
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.dropped = 0

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        return [_without_rate(properties)]

    def configure(self, pid: Link) -> None:
        self.output_for(pid, _without_rate(pid.properties))
        pid.data = pid.data or _Last()

    def restarted(self, pid: Link) -> None:
        pid.data = _Last()
        super().restarted(pid)

    def process(self) -> float | None:
        for pid in self.ipids:
            last: _Last = pid.data
            for packet in pid:
                if self._passes(packet, pid, last):
                    packet.discontinuity = packet.discontinuity or last.gap
                    last.gap = False
                    assert pid.output is not None  # made in configure()
                    pid.output.send(packet)
                else:
                    self.dropped += 1
                    last.gap = last.gap or packet.discontinuity
        return None

    def _passes(self, packet: Packet, pid: Link, last: _Last) -> bool:
        ticks = packet.cts if packet.cts is not None else packet.dts
        if ticks is None:
            return True
        if packet.seek:
            return False
        timescale = pid.properties.get("Timescale") or 1
        nearly_s = (packet.duration or 0) * NEARLY / timescale
        here_s = ticks / timescale
        if last.shown_s is not None and 0 <= here_s - last.shown_s < float(self.interval) - nearly_s:
            return False
        last.shown_s = here_s
        return True


class _Last:
    """The picture of one input that passed last."""

    __slots__ = ("gap", "shown_s")

    def __init__(self) -> None:
        self.shown_s: float | None = None
        self.gap = False
        """One that did not pass was a discontinuity."""


def _without_rate(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name not in ("FPS", "NumFrames")}
