"""The same packets, whatever the number of threads: random graphs against the one-thread scheduler."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

import reelway as rw
from reelway.filters.simple import Forward
from reelway.testing.clock import VirtualClock
from reelway.testing.faults import Choppy, Failing, InjectedError
from reelway.testing.parts import PROPERTIES, RESTART, Collect, Feed, numbered
from tests.conftest import count

THREADS = ("session", "pool", "own")


class Join(rw.Filter):
    """All inputs as one output, in the order of time, each packet with its input's Width as a property."""

    inputs = (rw.Caps(),)
    outputs = (rw.Caps(),)

    def configure(self, pid: rw.Link) -> None:
        if not hasattr(self, "out"):
            self.out = self.new_pid("joined", **PROPERTIES)

    def process(self) -> float | None:
        if self.context.expects_inputs(self):
            return None
        for pid, packet in rw.merge(self.ipids):
            packet.properties = {"Width": pid.properties.get("Width")}
            self.out.send(packet)
        return None

    def restarted(self, pid: rw.Link) -> None:
        """Where it lies among the packets of the others depends on nothing that is the same each time."""


class Hoard(Forward):
    """Keeps everything, and sends it when the input has ended: a flush of any size."""

    def configure(self, pid: rw.Link) -> None:
        super().configure(pid)
        pid.data = pid.data or []

    def process(self) -> float | None:
        for pid in self.ipids:
            pid.data.extend(pid)
        return None

    def ended(self, pid: rw.Link) -> None:
        assert pid.output is not None
        for packet in pid.data:
            pid.output.send(packet)
        super().ended(pid)


@dataclass
class Part:
    """One filter of a random graph."""

    kind: str
    thread: str
    inputs: list[int]
    seed: int = 0
    streams: list[list[Any]] = field(default_factory=list)


def _stream(draw: Any, start: int) -> list[Any]:
    """Packets with rising times, now and then new properties or a restart."""
    items: list[Any] = []
    time = start
    for _ in range(draw(st.integers(0, 40))):
        what = draw(st.integers(0, 19))
        if what == 0:
            items.append({"Width": draw(st.integers(1, 9))})
        elif what == 1:
            items.append(RESTART)
        else:
            time += draw(st.sampled_from((1, 1, 2, 40, 400)))
            items.append(rw.Packet(bytes([what]) * draw(st.integers(0, 30)), time, time, 1, what % 2))
    return items


@st.composite
def graphs(draw: Any) -> list[Part]:
    """Sources first, then filters that take from one or more of those before; every end is collected."""
    parts: list[Part] = []
    for _ in range(draw(st.integers(1, 2))):
        streams = [_stream(draw, start) for start in range(draw(st.integers(1, 3)))]
        parts.append(Part("feed", draw(st.sampled_from(THREADS)), [], streams=streams))
    for _ in range(draw(st.integers(0, 6))):
        kind = draw(st.sampled_from(("forward", "choppy", "choppy", "join", "hoard", "failing")))
        most = 3 if kind == "join" else 1
        inputs = draw(st.lists(st.integers(0, len(parts) - 1), min_size=1, max_size=most, unique=True))
        parts.append(Part(kind, draw(st.sampled_from(THREADS)), inputs, draw(st.integers(0, 30))))
    return parts


def run(parts: list[Part], limits: rw.Limits, threads: int, *, plain: bool = False) -> tuple[bool, list[Any]]:
    """(did it fail, what each sink saw of each PID). `plain`: every filter on the session's thread."""
    session = rw.Session(threads=threads, limits=limits, clock=VirtualClock(patience_s=20))
    made: list[rw.Filter] = []
    sinks: list[Collect] = []
    for number, part in enumerate(parts):
        filter: rw.Filter
        match part.kind:
            case "feed":
                filter = Feed({f"s{number}.{n}": stream for n, stream in enumerate(part.streams)})
            case "forward":
                filter = Forward()
            case "choppy":
                filter = Choppy(seed=part.seed)
            case "join":
                filter = Join()
            case "hoard":
                filter = Hoard()
            case _:
                filter = Failing(at=part.seed)
        filter.thread = "session" if plain else part.thread  # type: ignore[assignment]
        made.append(session.add(filter))
        for source in part.inputs:
            made[source] >> filter
        sink = Collect()
        sink.thread = "session" if plain else THREADS[part.seed % 3]
        sinks.append(sink)
        session.add(sink)
        filter >> sink
    failed = False
    try:
        session.run()
    except rw.FilterError as error:
        if not isinstance(error.cause, InjectedError):
            raise
        failed = True
    except rw.DeadlineError:
        pytest.fail("\n".join(map(str, session.statistics().filters)))
    else:
        assert all(seen.ended for sink in sinks for seen in sink.seen.values())
    figures = session.statistics()
    for filter_figures in figures.filters:
        assert filter_figures.state == "closed"
        for link in filter_figures.inputs:
            assert link.packets_in == link.packets_out + link.packets_dropped + link.packets_queued
            assert failed or link.packets_in == link.packets_out
    assert all(sink.closed == 1 for sink in sinks)
    return failed, [{name: seen.log for name, seen in sink.seen.items()} for sink in sinks]


def joins(parts: list[Part], number: int) -> bool:
    """True where what part `number` sends has gone through a join."""
    part = parts[number]
    return part.kind == "join" or any(joins(parts, source) for source in part.inputs)


def is_prefix(short: list[Any], long: list[Any]) -> bool:
    """Of the packets; news may overtake them in a filter that keeps packets back."""
    short, long = ([each for each in log if isinstance(each[0], int)] for log in (short, long))
    return short == long[: len(short)]


limits = st.builds(
    rw.Limits,
    packets=st.sampled_from((1, 2, 3, 8, 64)),
    bytes=st.sampled_from((1, 20, 1 << 20)),
    seconds=st.sampled_from((0.01, 1.0, 10.0)),
)


@settings(max_examples=count(400))
@given(parts=graphs(), limits=limits)
def test_thread_counts_give_the_same_packets(parts: list[Part], limits: rw.Limits) -> None:
    failed, expected = run(parts, limits, 0, plain=True)
    for threads in (0, 1, 2, 4):
        failed_too, got = run(parts, limits, threads)
        assert failed_too == failed
        for number, (one, other) in enumerate(zip(expected, got, strict=True)):
            if not failed:
                assert one == other
                continue
            if joins(parts, number):  # its inputs are cut at different places, and it goes on with the rest
                continue
            for name in one.keys() & other.keys():
                assert is_prefix(one[name], other[name]) or is_prefix(other[name], one[name])


def test_the_comparison_can_fail() -> None:
    """What the test above relies on: a filter that depends on timing is told apart."""
    assert is_prefix([(1,), (2,), "end"], [(1,), (2,), (3,)])
    assert not is_prefix([(1,), (3,)], [(1,), (2,), (3,)])
    parts = [Part("feed", "session", [], streams=[[rw.Packet(b"a", 0), rw.Packet(b"b", 1)]])]
    other = [Part("feed", "session", [], streams=[[rw.Packet(b"a", 0), rw.Packet(b"c", 1)]])]
    assert run(parts, rw.Limits(), 0) != run(other, rw.Limits(), 0)


@pytest.mark.parametrize("thread", THREADS)
def test_configure_comes_before_the_first_packet_and_the_end_last(thread: str) -> None:
    session = rw.Session(threads=2, limits=rw.Limits(packets=1))
    stream = [rw.Packet(b"a", 0), {"Width": 5}, rw.Packet(b"b", 1), RESTART, rw.Packet(b"c", 2)]
    source, sink = session.add(Feed(stream)), session.add(Collect())
    sink.thread = thread  # type: ignore[assignment]
    source >> sink
    session.run()
    kinds = [each if isinstance(each, str) else each[0] for each in sink.only.log]  # type: ignore[attr-defined]
    assert kinds == ["configure", 0, "configure", 1, "restart", 2, "end"]
    assert sink.only.properties["Width"] == 5  # type: ignore[attr-defined]


@pytest.mark.parametrize("thread", ["pool", "own"])
def test_a_filter_with_more_in_hand_goes_on_when_room_was_made_during_its_turn(thread: str) -> None:
    """Its input is empty and it is no source: room is the only news that it will ever get."""
    full, emptied = threading.Event(), threading.Event()

    class Backlog(Forward):
        left = numbered(20)[2:]
        over = False

        def process(self) -> float | None:
            (pid,) = self.ipids
            assert pid.output is not None
            if not self.over:
                for packet in pid:  # with which the consumer's turn begins
                    pid.output.send(packet)
                return None
            while self.left and not self.blocked:
                pid.output.send(self.left.pop(0))
            if not full.is_set():
                assert self.blocked
                full.set()
                assert emptied.wait(20)
            if not self.left:
                pid.output.end()
            return None

        def ended(self, pid: rw.Link) -> None:
            self.over = True

    class Last(Collect):
        def process(self) -> float | None:
            assert full.wait(20)
            super().process()
            emptied.set()
            return None

    session = rw.Session(threads=2, limits=rw.Limits(packets=4))
    middle, sink = Backlog(), Last()
    middle.thread = sink.thread = thread  # type: ignore[assignment]
    session.add(Feed(numbered(2))) >> session.add(middle) >> session.add(sink)
    session.run()
    assert sink.numbers == list(range(20))
