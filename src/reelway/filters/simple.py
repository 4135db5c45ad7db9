"""Small filters that pass packets on, or do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from reelway.errors import OptionError
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.media.packet import Packet


class Forward(Filter):
    """Passes every packet on, one output for each input. A base for filters that change packets."""

    inputs: ClassVar[Sequence[Caps]] = (Caps(),)
    outputs: ClassVar[Sequence[Caps]] = (Caps(),)

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
    """One stream to any number of consumers: each sees every packet.

    The bytes are shared, not copied. The slowest consumer sets the pace, where its links do not drop.
    """

    registry_name = "tee"


class Null(Filter):
    """Takes everything and keeps nothing but the counts `packets` and `bytes`."""

    registry_name = "null"
    inputs = (Caps(),)

    most: int | None = option(None, low=0, help="how many packets; then it wants no more. By default all")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.packets = 0
        self.bytes = 0

    def process(self) -> float | None:
        for pid in self.ipids:
            for packet in pid:
                self.packets += 1
                self.bytes += packet.size
                if self.packets == self.most:
                    self._stop()
                    return None
        return None

    def _stop(self) -> None:
        from reelway.filters.frames import drain  # numpy comes with it

        drain(self)


class Call(Forward):
    """Calls a function with each packet: `function(packet)` or `function(packet, pid)`.

    It returns the packet to send on, or None to send nothing. The packet is the function's, to change or to
    keep; `pid` is the input, for its properties. It runs on the session's thread, one call at a time.
    """

    registry_name = "call"
    function: Callable[..., Packet | None] = option(kind=object, help="what is called with each packet")

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        function = vars(self).get("function")
        if function is not None and not callable(function):
            raise OptionError(
                f"call:function={function!r} cannot be called", hint="give a function of one packet"
            )

    def open(self) -> None:
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
    except (TypeError, ValueError):  # it takes one, or is C's and says nothing
        return False
    return True
