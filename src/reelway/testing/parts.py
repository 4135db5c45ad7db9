"""The two ends of a graph under test: a source that sends what it is given, a sink that keeps all it sees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.pid import Pid
from reelway.media.events import Event
from reelway.media.packet import Packet

RESTART = object()
"""Among what `Feed` sends: the stream goes on from elsewhere."""

PROPERTIES: Mapping[str, Any] = {"StreamType": "Visual", "CodecID": "test", "Timescale": 1000}
"""A stream of nothing in particular."""


def numbered(count: int, step: int = 40, size: int = 8) -> list[Packet]:
    """Packets whose first 8 bytes are their number, `step` ticks apart."""
    return [Packet(n.to_bytes(8, "big").ljust(size, b"."), n * step, n * step, step, 1) for n in range(count)]


class Feed(Filter):
    """Sends, on one PID a name, items in order: a Packet (a clone of it), a dict of new properties, RESTART.

    The items of several PIDs come in the order of `order` (names), one each, and what is left in turns.
    """

    outputs = (Caps(),)

    def __init__(
        self,
        streams: Mapping[str, Iterable[Any]] | Iterable[Any],
        *,
        order: Iterable[str] | None = None,
        properties: Mapping[str, Any] = PROPERTIES,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        named = streams if isinstance(streams, Mapping) else {"video1": streams}
        self._iterators = {name: iter(items) for name, items in named.items()}
        self._order = tuple(order or ())
        self._properties = properties
        self._items = self._in_order()
        self.pids: dict[str, Pid] = {}
        self.events: list[Event] = []

    def open(self) -> None:
        self.pids = {name: self.new_pid(name, **self._properties) for name in self._iterators}

    def process(self) -> float | None:
        left = self.quantum
        for pid, item in self._items:
            if isinstance(item, Packet):
                pid.send(item.clone())
            elif item is RESTART:
                pid.restart()
            else:
                pid.set(**item)
            left -= 1
            if self.blocked or not left:
                return None
        for pid in self.pids.values():
            pid.end()
        return None

    def on_event(self, event: Event) -> bool:
        self.events.append(event)
        return False

    def _in_order(self) -> Iterator[tuple[Pid, Any]]:
        alive = dict(self._iterators)
        order = self._order
        while alive:
            for name in order or tuple(alive):
                if name in alive:
                    item = next(alive[name], None)
                    if item is None:
                        del alive[name]
                        self.pids[name].end()
                    else:
                        yield self.pids[name], item
            order = ()


@dataclass
class Seen:
    """What one input of `Collect` brought: ("configure", properties), (packet), "restart", "end" in order."""

    properties: dict[str, Any] = field(default_factory=dict)
    packets: list[Packet] = field(default_factory=list)
    log: list[Any] = field(default_factory=list)
    ended: bool = False

    @property
    def numbers(self) -> list[int]:
        """What `numbered` wrote into them."""
        return [int.from_bytes(packet.data[:8], "big") for packet in self.packets]


class Collect(Filter):
    """Keeps all packets and all news, by the name of the PID."""

    inputs = (Caps(),)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: dict[str, Seen] = {}
        self.closed = 0

    @property
    def only(self) -> Seen:
        """What came, where one PID came."""
        (seen,) = self.seen.values()
        return seen

    @property
    def numbers(self) -> list[int]:
        return self.only.numbers

    def configure(self, pid: Link) -> None:
        if pid.data is None:
            name = pid.name
            while name in self.seen:
                name += "'"
            pid.data = self.seen[name] = Seen()
        pid.data.properties = dict(pid.properties)
        pid.data.log.append(("configure", dict(pid.properties)))

    def process(self) -> float | None:
        for pid in self.ipids:
            for packet in pid:
                pid.data.packets.append(packet)
                pid.data.log.append(fingerprint(packet))
        return None

    def restarted(self, pid: Link) -> None:
        pid.data.log.append("restart")

    def ended(self, pid: Link) -> None:
        pid.data.ended = True
        pid.data.log.append("end")

    def close(self) -> None:
        self.closed += 1


def fingerprint(packet: Packet) -> tuple[Any, ...]:
    """All that a consumer can see of a packet; equal where two packets are."""
    try:
        content: Any = bytes(packet.data)
    except ValueError:  # PacketError: an object without bytes
        content = id(packet.payload)
    return (
        packet.dts,
        packet.cts,
        packet.duration,
        packet.sap,
        packet.seek,
        packet.discontinuity,
        packet.corrupted,
        tuple(sorted((packet.properties or {}).items())),
        content,
    )
