"""Branches added and taken away while a session runs; statistics meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import reelway as rw
from reelway.filters.simple import Forward
from reelway.runtime.scheduler import Scheduler
from reelway.testing.clock import VirtualClock
from reelway.testing.parts import Collect, Feed, numbered
from tests.runtime.test_deadlock import Header
from tests.runtime.test_threads import THREADS


def scheduler_of(session: rw.Session) -> Scheduler:
    return session._scheduler


def branch(session: rw.Session, source: rw.Filter, thread: str) -> tuple[Forward, Collect]:
    """Forward and Collect behind the first PID of `source`, linked while it runs."""
    middle, sink = Forward(), Collect()
    middle.thread = sink.thread = thread  # type: ignore[assignment]
    session.add(middle)
    session.add(sink)
    middle >> sink
    scheduler_of(session).connect(source.opids[0], middle, session.limits)
    return middle, sink


@pytest.mark.parametrize("thread", THREADS)
def test_branches_come_and_go(thread: str, count: Callable[[int], int]) -> None:
    cycles = count(100)
    session = rw.Session(threads=2, limits=rw.Limits(packets=4))
    packets = numbered(cycles * 400)
    source, main = session.add(Feed(packets)), Collect()
    source >> session.add(main)
    sinks: list[Collect] = []
    now: list[Any] = []

    def change() -> float:
        if now and now[0][1].seen and len(now[0][1].only.packets) > 20:
            scheduler_of(session).remove(now.pop()[0])
        if not now and len(sinks) < cycles and not source.opids[0].ended:
            now.append(branch(session, source, thread))
            sinks.append(now[0][1])
        return -1 if source.opids[0].ended else 0

    def begin() -> float:
        return change() if source.opids else 0

    session.post(begin)
    session.run()
    assert main.numbers == list(range(len(packets)))  # the main path has no gap
    assert len(sinks) >= min(3, cycles)
    for sink in sinks:
        assert sink.closed == 1
        if sink.seen:
            assert sink.numbers == list(range(sink.numbers[0], sink.numbers[0] + len(sink.numbers)))
            assert sink.only.log[0][0] == "configure"
            assert sink.only.ended
    assert len(scheduler_of(session).nodes) <= 4  # what was removed is forgotten


@pytest.mark.parametrize("thread", THREADS)
def test_disconnect_frees_a_producer_that_it_blocked(thread: str) -> None:
    class Stuck(Collect):
        removed: list[rw.Link] = []
        waits_outside = True

        def process(self) -> float | None:
            return None

        def remove(self, pid: rw.Link) -> None:
            self.removed = [*self.removed, pid]
            self.waits_outside = False

    session = rw.Session(threads=1, limits=rw.Limits(packets=2))
    source, stuck, fine = session.add(Feed(numbered(50))), Stuck(), Collect()
    stuck.thread = thread  # type: ignore[assignment]
    source >> session.add(stuck)
    source >> session.add(fine)

    def cut() -> float | None:
        if not source.blocked:
            return 0
        scheduler_of(session).disconnect(stuck.ipids[0])
        return None

    session.post(cut)
    session.run()
    assert fine.numbers == list(range(50))
    assert len(stuck.removed) == 1
    assert stuck.ipids == []
    assert stuck.removed[0].packets_dropped == stuck.removed[0].packets_in > 0


def test_statistics_are_immutable_and_consistent_from_another_thread() -> None:
    session = rw.Session(threads=2, limits=rw.Limits(packets=8))
    middle, sink = Forward(), Collect()
    middle.thread, sink.thread = "pool", "own"
    session.add(Feed(numbered(20_000))) >> session.add(middle) >> session.add(sink)
    over = threading.Event()
    wrong: list[Any] = []

    def look() -> None:
        last = 0
        while not over.wait(0.0001):  # waits, so that the others get the interpreter
            for filter in session.statistics().filters:
                for link in filter.inputs:
                    if link.packets_in != link.packets_out + link.packets_dropped + link.packets_queued:
                        wrong.append(link)
                    if link.packets_queued < 0:
                        wrong.append(link)
            now = session.statistics().filters[1].packets_out
            if now < last:
                wrong.append((last, now))
            last = now

    thread = threading.Thread(target=look)
    thread.start()
    session.run()
    over.set()
    thread.join()
    assert wrong == []
    figures = session.statistics()
    assert [each.packets_out for each in figures.filters] == [20_000, 20_000, 0]
    assert figures.filters[2].packets_in == 20_000
    assert figures.packets_dropped == figures.grown == 0
    with pytest.raises(AttributeError):
        figures.grown = 3  # type: ignore[misc]


def test_live_options_change_between_turns_on_the_filters_thread() -> None:
    class Dial(Forward):
        strength: int = rw.option(0, live=True, help="of the dial")

        def __init__(self) -> None:
            super().__init__()
            self.changes: list[tuple[str, int, int]] = []

        def updated(self, name: str) -> None:
            self.changes.append((name, self.strength, threading.get_ident()))

    session = rw.Session(threads=1)
    dial = Dial()
    session.add(Feed(numbered(300))) >> session.add(dial) >> session.add(Collect())
    dial.update("strength", 1)  # before it runs: at once
    assert dial.strength == 1
    worker = threading.Thread(target=lambda: [dial.update("strength", n) for n in range(2, 50)])

    def start() -> float | None:
        if not dial.opened:
            return 0
        worker.start()
        worker.join()
        return None

    session.post(start)
    session.run()
    assert [value for _, value, _ in dial.changes] == list(range(2, 50))
    assert {where for _, _, where in dial.changes} == {threading.get_ident()}
    session2 = rw.Session()
    with pytest.raises(rw.OptionError):
        session2.add(Dial()).update("strength", "much")
    session2.close()


class Handshake(Header):
    """Has a thread of its own, and is in a turn while another PID is made for it."""

    thread = "own"

    def __init__(self) -> None:
        super().__init__()
        self.in_turn, self.go_on = threading.Event(), threading.Event()

    def process(self) -> None:
        if not self.header:
            self.in_turn.set()
            assert self.go_on.wait(10)
        super().process()


class AfterTurn(Feed):
    """Makes its PID while `sink` is in a turn."""

    sink: Handshake

    def open(self) -> None:
        assert self.sink.in_turn.wait(10)
        super().open()


class Slow(Feed):
    """Opens when it may."""

    go_on: Callable[[], bool]
    opened = False

    def open(self) -> None:
        self.opened = self.go_on()
        super().open()


def test_link_waits_for_a_slow_source_in_every_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the main thread it wakes now and then for signals: that is not its deadline."""
    monkeypatch.setattr("reelway.runtime.clock.SIGNAL_S", 0.01)
    with rw.Session() as session:
        slow = Slow(numbered(5))
        slow.thread, slow.go_on = "own", lambda: not threading.Event().wait(0.3)
        session.add(slow) >> session.add(Collect())
        plan = session.link()
    assert slow.opened
    assert [stream.source for stream in plan.streams] == [slow]


@pytest.mark.parametrize("where", ["main thread", "another thread"])
def test_nobody_waits_for_a_source_that_is_slow_to_open(where: str) -> None:
    session = rw.Session()
    slow, sink, come = Slow(numbered(5)), Collect(), threading.Event()
    slow.thread, slow.go_on = "own", lambda: come.wait(10)

    def see(packet: rw.Packet) -> rw.Packet:
        come.set()
        return packet

    session.chain(session.add(Feed(numbered(5))), session.load("call", function=see), session.load("null"))
    session.add(slow) >> session.add(sink)
    if where == "main thread":
        session.run()
    else:
        running = threading.Thread(target=session.run)
        running.start()
        running.join(30)
    assert slow.opened, "what was open was held up"
    assert sink.numbers == list(range(5))


def test_a_muxer_in_a_turn_hears_of_the_pid_that_is_joining() -> None:
    session = rw.Session(threads=0, open_timeout_s=0.0)
    sink, late = Handshake(), AfterTurn({"b": numbered(5)})
    late.sink, late.thread = sink, "own"
    first = session.add(Feed({"a": numbered(5)}))
    first >> session.add(sink)
    session.add(late) >> sink
    session.watch(lambda: sink.go_on.set() if late.opids and late.opids[0].links else 0.0)
    session.run()
    assert set(sink.header) == {"a", "b"}
    assert sink.late == ()
    assert [len(seen.packets) for seen in sink.seen.values()] == [5, 5]


class Early(rw.Filter):
    """Has sent all before others begin."""

    outputs = [rw.Caps(Kind="early")]

    def process(self) -> None:
        pid = self.new_pid(Kind="early")
        pid.send(rw.Packet(b"early"))
        pid.end()


class Late(rw.Filter):
    """Makes its PID when it has waited for so long."""

    outputs = [rw.Caps(Kind="late")]

    def __init__(self) -> None:
        super().__init__()
        self.waited = False

    def process(self) -> float | None:
        if not self.waited:
            self.waited = True
            return 3.0
        pid = self.new_pid(Kind="late")
        pid.send(rw.Packet(b"late"))
        pid.end()
        return None


class Never(rw.Filter):
    """Could make a PID, and reads to the end without."""

    inputs = [rw.Caps(Kind="early")]
    outputs = [rw.Caps(Kind="late")]

    def process(self) -> None:
        for pid in self.ipids:
            for _ in pid:
                pass


class Both(rw.Filter):
    """Keeps what comes."""

    inputs = [rw.Caps(Kind=["early", "late"])]

    def __init__(self) -> None:
        super().__init__()
        self.got: list[bytes] = []
        self.calls_at_the_end = 0

    def process(self) -> None:
        self.calls_at_the_end += all(pid.ended for pid in self.ipids)
        self.got += [bytes(packet.data) for pid in self.ipids for packet in pid]


@pytest.mark.parametrize("threads", [0, 2])
def test_a_stream_that_begins_when_another_has_ended_is_not_lost(threads: int) -> None:
    both = Both()
    with rw.Session(clock=VirtualClock(), threads=threads) as session:
        session.add(Early()) >> session.add(both)
        session.add(Late()) >> both
        session.run()
    assert both.got == [b"early", b"late"]


@pytest.mark.parametrize("threads", [0, 2])
def test_a_stream_that_is_never_made_is_not_waited_for(threads: int) -> None:
    both = Both()
    with rw.Session(clock=VirtualClock(), threads=threads) as session:
        early = session.add(Early())
        early >> session.add(both)
        early >> session.add(Never()) >> both
        session.run()
    assert both.got == [b"early"]
    assert both.calls_at_the_end == 1
