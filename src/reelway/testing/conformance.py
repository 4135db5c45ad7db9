"""The filter contract as checks that any filter can be put through: `check_filter(make, packets)`.

A filter that comes out of it clean can be linked anywhere: it ends when its inputs do, changes nothing that
it has sent, holds no more than it is allowed to, survives new properties, keeps its input's place on the
running time, keeps apart what comes before and behind a restart, and is closed once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reelway.errors import ReelwayError
from reelway.graph.filter import Filter
from reelway.graph.link import Limits, Link
from reelway.media.packet import Packet
from reelway.media.timeline import Timeline
from reelway.session.session import Session
from reelway.testing.clock import VirtualClock
from reelway.testing.parts import PROPERTIES, RESTART, Collect, Feed, Seen, fingerprint

__all__ = ["ConformanceError", "check_filter"]


OFFSET_S = 4
"""Where the stream begins on the running time that has an offset: on the raster of usual rates."""
NEAR_S = 0.1
"""What comes out may move by so much where a filter has a raster of its own."""
JUMP_S = 100
"""How much later the stream goes on behind a restart."""


class ConformanceError(AssertionError):
    """A filter does not keep the contract; the text says which part of it."""


def check_filter(
    make: Callable[[], Filter],
    packets: Sequence[Packet],
    properties: Mapping[str, Any] = PROPERTIES,
    *,
    max_held: int | None = None,
    composes: bool = False,
) -> dict[str, Seen]:
    """Runs filters of `make()`, which takes at least one input, on `packets` of a stream with `properties`.

    `max_held` is how many packets it may keep back; None: any number, as a filter that sorts does. Returns
    what it sent in a plain run, by PID, for checks of one's own. Raises ConformanceError.

    `composes`: it lays several inputs over each other on one timeline, as `grid` and `mix` do. One of them
    that goes on from elsewhere is no restart of the whole, so none is asked for behind it, only that the
    whole goes on.
    """
    first = _run(make, packets, properties, "session", Limits())
    plain = first.seen
    for thread in ("pool", "own"):
        if _logs(_run(make, packets, properties, thread, Limits()).seen) != _logs(plain):
            raise ConformanceError(f"it sends other packets with thread={thread!r}")
    tight = _run(make, packets, properties, "session", Limits(packets=1)).seen
    if _logs(tight) != _logs(plain):
        raise ConformanceError("it sends other packets when its output is full after each one")
    _run(make, (), properties, "session", Limits())
    news = [*packets, {"CustomProperty": 1}, RESTART, *packets]
    _run(make, news, properties, "session", Limits())
    if max_held is not None:
        _check_held(make, packets, properties, max_held)
    _check_failure(make, packets, properties)
    _check_offset(make, packets, properties, first)
    for limits in (Limits(), Limits(packets=1)):
        _check_restart(make, packets, properties, limits, composes)
    return plain


class _Watched:
    """A filter whose methods note in which order the session and it do things."""

    def __init__(self, filter: Filter) -> None:
        self.filter = filter
        self.configured: set[Link] = set()
        self.closed = 0
        configure, process, close = filter.configure, filter.process, filter.close

        def configured(pid: Link) -> None:
            configure(pid)
            self.configured.add(pid)

        def processed() -> float | None:
            if not self.configured:
                raise ConformanceError("process() came before configure()")
            return process()

        def close_once() -> None:
            self.closed += 1
            close()

        filter.configure, filter.process, filter.close = configured, processed, close_once  # type: ignore[method-assign]


class _Keeper(Collect):
    """A sink that remembers how each packet looked when it came, and where it lay."""

    def __init__(self) -> None:
        super().__init__()
        self.looks: list[tuple[Packet, Any]] = []
        self.places: dict[str, list[float | None]] = {}
        """By PID, the running time [s] of each packet that says one, and None for each restart."""

    def process(self) -> float | None:
        for pid in self.ipids:
            for packet in pid:
                self.looks.append((packet, fingerprint(packet)))
                pid.data.packets.append(packet)
                pid.data.log.append(fingerprint(packet))
                time = packet.cts if packet.cts is not None else packet.dts
                if time is not None:
                    timescale = pid.properties.get("Timescale") or 1
                    place_s = pid.pid.timeline.running_s(time, timescale)
                    self.places.setdefault(pid.name, []).append(place_s)
        return None

    def restarted(self, pid: Link) -> None:
        super().restarted(pid)
        self.places.setdefault(pid.name, []).append(None)


class _Later(Feed):
    """Its streams begin later on the running time."""

    offset_s = 0.0

    def open(self) -> None:
        super().open()
        for pid in self.pids.values():
            pid.timeline = Timeline(0, self.offset_s, 1.0)


def _run(
    make: Callable[[], Filter],
    items: Sequence[Any],
    properties: Mapping[str, Any],
    thread: str,
    limits: Limits,
    offset_s: float = 0.0,
) -> _Keeper:
    originals = [(item, fingerprint(item)) for item in items if isinstance(item, Packet)]
    filter = make()
    filter.thread = thread  # type: ignore[assignment]
    watched = _Watched(filter)
    sink, beside = _Keeper(), Collect()
    with Session(threads=1, limits=limits, clock=VirtualClock(), unlinked="ignore") as session:
        source = _Later(items, properties=properties)
        source.offset_s = offset_s
        session.add(source)
        session.add(filter)
        source >> filter
        if filter.outputs:
            filter >> session.add(sink)
        source >> session.add(beside)  # shares the payloads
        session.run()
        figures = next(each for each in session.statistics().filters if each.name == filter.name)
    for link in figures.inputs:
        if link.packets_queued or link.packets_dropped:
            left = f"{link.packets_queued} packets unread, {link.packets_dropped} dropped"
            raise ConformanceError(f"it left {left}")
    if not all(pid.ended for pid in filter.opids):
        raise ConformanceError("its outputs did not end with its input")
    if not all(seen.ended for seen in sink.seen.values()):
        raise ConformanceError("the end did not arrive")
    if watched.closed != 1:
        raise ConformanceError(f"it was closed {watched.closed} times")
    for packet, look in originals:
        if fingerprint(packet) != look:
            raise ConformanceError(f"it changed a payload that others read: {packet!r}")
    for packet, look in sink.looks:
        if fingerprint(packet) != look:
            raise ConformanceError(f"it changed a packet after sending it: {packet!r}")
    if len({id(packet) for packet, _ in sink.looks}) != len(sink.looks):
        raise ConformanceError("it sent one packet twice: send a clone")
    return sink


def _check_held(
    make: Callable[[], Filter], packets: Sequence[Packet], properties: Mapping[str, Any], most: int
) -> None:
    """What went in and did not come out, turn by turn."""
    filter, sink, clock = make(), Collect(), VirtualClock()
    filter.thread = "session"
    with Session(threads=0, blocking=False, limits=Limits(packets=1), clock=clock) as session:
        source = session.add(Feed(packets, properties=properties))
        source >> session.add(filter) >> session.add(sink)
        while session.run():
            clock.advance(0.1)
            taken = sum(link.packets_out for link in filter.ipids)
            sent = sum(pid.packets_sent for pid in filter.opids)
            if taken - sent > most:
                raise ConformanceError(f"it holds {taken - sent} packets, {most} are allowed")


def _check_failure(
    make: Callable[[], Filter], packets: Sequence[Packet], properties: Mapping[str, Any]
) -> None:
    """Closed once, too, where the session fails around it."""

    def fail() -> None:
        raise ReelwayError("on purpose")

    filter = make()
    filter.thread = "session"
    watched = _Watched(filter)
    with Session(threads=0, clock=VirtualClock(), unlinked="ignore") as session:
        session.add(Feed(packets, properties=properties)) >> session.add(filter)
        session.post(fail)
        try:
            session.run()
        except ReelwayError as error:
            if "on purpose" not in str(error):
                raise
    if watched.closed != 1:
        raise ConformanceError(f"after a failure it was closed {watched.closed} times")


def _check_offset(
    make: Callable[[], Filter], packets: Sequence[Packet], properties: Mapping[str, Any], plain: _Keeper
) -> None:
    """What comes out lies as much later on the running time as what goes in."""
    later = _run(make, packets, properties, "session", Limits(), OFFSET_S)
    for name, places in plain.places.items():
        for before, behind in zip(places, later.places.get(name, ()), strict=False):
            if before is None or behind is None:
                continue
            if abs(behind - before - OFFSET_S) > NEAR_S:
                raise ConformanceError(
                    f"its input begins {OFFSET_S} s later, its output {name} {behind - before:g} s: "
                    "make it with new_pid(of=...)"
                )


def _check_restart(
    make: Callable[[], Filter],
    packets: Sequence[Packet],
    properties: Mapping[str, Any],
    limits: Limits,
    composes: bool,
) -> None:
    """What came before a restart is sent before it, or not at all; and what comes behind it is sent."""
    jump = JUMP_S * (properties.get("Timescale") or 1)
    moved = [packet.clone() for packet in packets]
    for packet in moved:
        packet.dts = None if packet.dts is None else packet.dts + jump
        packet.cts = None if packet.cts is None else packet.cts + jump
    sent = _run(make, [*packets, RESTART, *moved], properties, "session", limits)
    behind_s = JUMP_S / 2
    for name, places in sent.places.items():
        if not any(place is not None for place in places):
            continue
        if not any(place is not None and place > behind_s for place in places):
            raise ConformanceError(f"behind a restart of its input nothing comes on {name}")
        if composes:
            continue
        if None not in places:
            raise ConformanceError(f"it does not tell the restart of its input on {name}")
        mark = places.index(None)
        late = [place for place in places[mark:] if place is not None and place < behind_s]
        early = [place for place in places[:mark] if place is not None and place > behind_s]
        if late or early:
            text = f"from before behind it: {late[:3]}" if late else f"from behind before it: {early[:3]}"
            raise ConformanceError(f"it sends packets over a restart, {text} s of {name}")


def _logs(seen: dict[str, Seen]) -> dict[str, Any]:
    return {name: [_comparable(entry) for entry in each.log] for name, each in seen.items()}


def _comparable(entry: Any) -> Any:
    """An entry whose properties compare by value; of one that has none, as a codec's parameters, the kind."""
    if entry[0] != "configure":
        return entry
    identity: Any = object.__eq__
    return {
        name: type(value) if type(value).__eq__ is identity else value for name, value in entry[1].items()
    }
