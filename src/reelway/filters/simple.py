"""Small filters that pass packets on, or do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.media.packet import Packet


class Forward(Filter):
    """Passes every packet on, one output for each input. A base for filters that change packets."""

    inputs = (Caps(),)
    outputs = (Caps(),)

    def configure(self, pid: Link) -> None:
        if pid.output is None:
            self.new_pid(of=pid)
        else:
            pid.output.copy_properties(pid)

    def process(self) -> float | None:
        for pid in self.ipids:
            if pid.output is not None:
                send = pid.output.send
                for packet in pid:
                    send(packet)
        return None


class Tee(Forward):
    """One stream to any number of consumers: each sees every packet."""

    registry_name = "tee"


class Null(Filter):
    """Takes everything and keeps nothing."""

    registry_name = "null"
    inputs = (Caps(),)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.packets = 0
        self.bytes = 0

    def process(self) -> float | None:
        for pid in self.ipids:
            for packet in pid:
                self.packets += 1
                self.bytes += packet.size
        return None


class Call(Forward):
    """Calls a function with each packet: `function(packet)` or `function(packet, pid)`.

    It returns the packet to send on, or None to send nothing. The packet is the function's; `pid` is the
    input, for its properties.
    """

    registry_name = "call"
    function: Callable[..., Packet | None] = option(kind=object, help="what is called with each packet")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._with_pid = _takes_two(self.function)

    def process(self) -> float | None:
        function = self.function
        for pid in self.ipids:
            assert pid.output is not None  # made in configure()
            for packet in pid:
                result = function(packet, pid) if self._with_pid else function(packet)
                if result is not None:
                    pid.output.send(result)
        return None


def _takes_two(function: Callable[..., Any]) -> bool:
    import inspect

    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        return False
    return True
