"""`identity` and `valve`: what passes packets on, mostly."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from reelway.errors import FilterError
from reelway.filters.simple import Forward
from reelway.graph.option import Seconds, option
from reelway.media.packet import Packet

__all__ = ["Identity", "Valve"]


class Identity(Forward):
    """Passes every packet on, unless told otherwise: for looking, for pauses, and for making faults.

    Packets are counted from 1, over all inputs; `packets` is how many came. `on_packet` is called with each
    that passes, on the session's thread.
    """

    registry_name = "identity"

    sleep: Seconds = option(
        0.0, low=0.0, kind=Seconds, unit="s", live=True, help="pause behind each packet; others go on"
    )
    drop_probability: float = option(0.0, low=0.0, high=1.0, live=True, help="of each packet")
    eos_after: int = option(-1, low=-1, live=True, help="ends in the place of this packet; below 1: never")
    error_after: int = option(-1, low=-1, live=True, help="fails at this packet; below 1: never")
    seed: int = option(0, low=0, help="of what is dropped, which is the same for the same seed")
    on_packet: Callable[[Packet], None] | None = option(None, kind=object, help="called with each packet")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.packets = 0
        self.dropped = 0
        self._random = random.Random(self.seed)
        self._until_s: float | None = None
        """It sleeps until then, by the session's clock."""

    def process(self) -> float | None:
        for pid in self.ipids:
            output = pid.output
            if output is None:
                continue
            while (left_s := self._left_s()) is None and (packet := pid.get()) is not None:
                self.packets += 1
                if self.packets == self.error_after:
                    raise FilterError(f"{self.name} fails at packet {self.packets}, as it was told")
                if self.packets == self.eos_after:
                    self._end()
                    return None
                if self.drop_probability and self._random.random() < self.drop_probability:
                    self.dropped += 1
                    continue
                if self.on_packet is not None:
                    self.on_packet(packet)
                output.send(packet)
                if self.sleep:
                    self._until_s = self.context.now() + self.sleep
            if left_s is not None:
                return left_s
        return None

    def _left_s(self) -> float | None:
        """For how long it still sleeps; None: not at all."""
        if self._until_s is None:
            return None
        left_s = self._until_s - self.context.now()
        if left_s <= 0:
            self._until_s = None
            return None
        return left_s

    def _end(self) -> None:
        from reelway.filters.frames import drain  # numpy comes with it

        for output in self.opids:
            output.end()
        drain(self)


class Valve(Forward):
    """Lets packets through, or, with `drop`, none; `dropped` counts those."""

    registry_name = "valve"

    drop: bool = option(False, live=True, help="drop everything")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.dropped = 0
        self._gap = False

    def process(self) -> float | None:
        for pid in self.ipids:
            for packet in pid:
                if self.drop:
                    self.dropped += 1
                    self._gap = True
                    continue
                if self._gap:
                    packet.discontinuity, self._gap = True, False
                if pid.output is not None:
                    pid.output.send(packet)
        return None
