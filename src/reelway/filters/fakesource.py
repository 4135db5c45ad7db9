"""`fakesource`: packets of nothing in particular, for trying pipelines out."""

from __future__ import annotations

import random

from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.option import option
from reelway.media.events import Event, Stop
from reelway.media.packet import Packet

__all__ = ["FakeSource"]


class FakeSource(Filter):
    """Sends packets without times. Their sizes and contents are the same for the same `seed`."""

    registry_name = "fakesource"
    outputs = (Caps(StreamType="File"),)

    packets: int | None = option(None, low=0, help="how many; by default without end")
    sizes: str = option("empty", choices=("empty", "fixed", "random"), help="how large they are")
    size: int = option(4096, low=0, unit="bytes", help="of fixed ones, and the largest of random ones")
    least: int = option(0, low=0, unit="bytes", help="the smallest of random ones")
    fill: str = option("zero", choices=("zero", "random", "pattern"), help="what is in them")
    seed: int = option(0, low=0, help="of random sizes and contents")

    def open(self) -> None:
        self.new_pid("file", StreamType="File")
        self._random = random.Random(self.seed)
        self._number = 0

    def process(self) -> float | None:
        output = self.opids[0]
        left = self.quantum
        while left and not self.blocked and not output.ended:
            if self._number == self.packets:
                output.end()
                return None
            self._number += 1
            output.send(Packet(self._content(), sap=1))
            left -= 1
        return None

    def on_event(self, event: Event) -> bool:
        """Stop ends it; it can do nothing else."""
        if isinstance(event, Stop):
            event.pid.end()
        return True

    def _content(self) -> bytes:
        if self.sizes == "empty":
            return b""
        size = self.size
        if self.sizes == "random":
            size = self._random.randint(min(self.least, size), size)
        match self.fill:
            case "random":
                return self._random.randbytes(size)
            case "pattern":
                return (bytes(range(256)) * (size // 256 + 1))[:size]
        return bytes(size)
