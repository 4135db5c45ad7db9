"""`keyframes`: of coded pictures those that need no others."""

from __future__ import annotations

from typing import Any

from reelway.filters.simple import Forward
from reelway.graph.link import Link
from reelway.graph.option import Seconds, option
from reelway.media.packet import Packet

__all__ = ["Keyframes"]


class Keyframes(Forward):
    """Leaves out coded pictures that need others, for who looks at a stream now and then: it decodes little.

    Behind each keyframe the stream is restarted, so that a decoder gives its picture at once. Where keyframes
    come less often than each `longest` seconds, all pictures pass, from a keyframe on, as long as that is so.
    Raw pictures pass all, and so does what is no picture. `dropped` counts what is left out.
    """

    registry_name = "keyframes"

    longest: Seconds = option(
        0.0,
        low=0.0,
        kind=Seconds,
        unit="s",
        live=True,
        help="all pictures pass where keyframes are further apart; 0: never",
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.dropped = 0

    def configure(self, pid: Link) -> None:
        super().configure(pid)
        pid.data = pid.data or _Last()

    def process(self) -> float | None:
        for pid in self.ipids:
            assert pid.output is not None  # made in configure()
            raw = pid.properties.get("CodecID") == "raw"
            coded = pid.properties.get("StreamType") == "Visual" and not raw
            for packet in pid:
                if coded and not self._passes(packet, pid):
                    self.dropped += 1
                    continue
                pid.output.send(packet)
                if coded and not pid.data.all:
                    pid.output.restart()
        return None

    def restarted(self, pid: Link) -> None:
        pid.data = _Last()
        super().restarted(pid)

    def _passes(self, packet: Packet, pid: Link) -> bool:
        last: _Last = pid.data
        if not packet.sap:
            return last.all
        ticks = packet.dts if packet.dts is not None else packet.cts
        here_s = None if ticks is None else ticks / (pid.properties.get("Timescale") or 1)
        if self.longest and here_s is not None and last.at_s is not None:
            last.all = here_s - last.at_s > self.longest
        last.at_s = here_s
        return True


class _Last:
    """The keyframe before."""

    __slots__ = ("all", "at_s")

    def __init__(self) -> None:
        self.at_s: float | None = None
        self.all = False
        """The next one is far; all pictures pass."""
