"""Tasks, delays, the virtual clock, and sessions run step by step."""

from __future__ import annotations

import itertools
import math
import threading
import time

import pytest

import reelway as rw
from reelway.filters.simple import Null
from reelway.runtime.clock import Note, RealClock
from reelway.runtime.inbox import Inbox
from reelway.testing.clock import VirtualClock
from reelway.testing.faults import Slow
from reelway.testing.parts import Collect, Feed, numbered
from tests.runtime.test_deadlock import Live


def test_tasks_run_at_their_times_and_keep_the_session() -> None:
    clock = VirtualClock()
    session = rw.Session(clock=clock)
    calls: list[tuple[str, float]] = []

    def repeated() -> float:
        calls.append(("repeated", clock.now()))
        return 3600.0 if len(calls) < 5 else -1

    session.post(repeated, 10.0)
    session.post(lambda: calls.append(("once", clock.now())), 20.0)
    session.run()
    assert calls == [
        ("repeated", 10.0), ("once", 20.0), ("repeated", 3610.0), ("repeated", 7210.0), ("repeated", 10810.0)
    ]  # fmt: skip
    assert session.finished


@pytest.mark.parametrize("last", [None, -1, -0.5])
def test_none_and_negative_end_a_task(last: float | None) -> None:
    session = rw.Session(clock=VirtualClock())
    calls = []
    session.post(lambda: calls.append(1) or last)  # type: ignore[func-returns-value]
    session.run()
    assert calls == [1]


def test_a_task_without_delay_starves_nobody() -> None:
    session = rw.Session(clock=VirtualClock(), threads=0)
    sink = Collect()
    session.add(Feed(numbered(300))) >> session.add(sink)
    calls = []

    def always() -> float:
        calls.append(len(sink.seen))
        return -1 if sink.seen and sink.only.ended else 0

    session.post(always)
    session.run()
    assert sink.numbers == list(range(300))
    assert 3 < len(calls) < 100


@pytest.mark.parametrize("result", [ValueError("no"), "soon"])
def test_a_task_that_fails_is_a_typed_error(result: object) -> None:
    session = rw.Session(clock=VirtualClock())
    sink = Collect()
    session.add(Feed(numbered(3))) >> session.add(sink)

    def task() -> float:
        if isinstance(result, Exception):
            raise result
        return result  # type: ignore[return-value]

    session.post(task)
    with pytest.raises(rw.FilterError, match="task 'task' failed: (ValueError: no|TypeError)"):
        session.run()
    assert sink.closed == 1


def test_last_task() -> None:
    session = rw.Session(clock=VirtualClock(), threads=0)
    sink = Collect()
    session.add(Feed(numbered(300))) >> session.add(sink)
    seen = []

    def task() -> float:
        seen.append((session.last_task, bool(sink.seen) and sink.only.ended))
        return -1 if session.last_task else 1.0

    session.post(task)
    session.run()
    assert len(seen) > 1
    assert seen[0] == (False, False)
    assert seen[-1] == (True, True)
    assert session.last_task


def test_two_tasks_are_not_the_last() -> None:
    session = rw.Session(clock=VirtualClock())
    seen = []
    session.post(lambda: seen.append(session.last_task), 1.0)
    session.post(lambda: seen.append(session.last_task), 2.0)
    session.run()
    assert seen == [False, True]


def test_one_task_asked_from_outside_is_the_last() -> None:
    session = rw.Session(clock=VirtualClock())
    seen = []
    session.post(lambda: None, 2.0)
    session.watch(lambda: seen.append(session.last_task), 1.0)
    session.run()
    assert seen == [False]  # a watcher is not the task that is left
    assert session.last_task


def test_posts_from_other_threads_and_from_tasks() -> None:
    clock = VirtualClock()
    session = rw.Session(clock=clock)
    on: list[int] = []

    def first() -> None:
        worker = threading.Thread(target=lambda: session.post(lambda: on.append(threading.get_ident()), 5.0))
        worker.start()
        worker.join()
        session.post(lambda: on.append(threading.get_ident()), 1.0)

    session.post(first)
    session.run()
    assert on == [threading.get_ident()] * 2


def test_watchers_keep_nothing_running() -> None:
    session = rw.Session(clock=VirtualClock(), threads=0)
    session.add(Feed(numbered(300))) >> session.add(Null())
    calls = []
    session.watch(lambda: calls.append(1) or 0.0)  # type: ignore[func-returns-value]
    session.run()
    assert calls


def test_hours_pass_in_moments() -> None:
    clock = VirtualClock()
    session = rw.Session(clock=clock, threads=0)
    sink = Collect()
    session.add(Feed(numbered(100))) >> session.add(Slow(delay_s=360.0)) >> session.add(sink)
    started = time.perf_counter()
    session.run()
    assert sink.numbers == list(range(100))
    assert 99 * 360 <= clock.now() <= 101 * 360
    assert time.perf_counter() - started < 10


def test_a_delay_without_end() -> None:
    class Forever(Live):
        def process(self) -> float | None:
            return math.inf

    session = rw.Session(threads=0)
    session.add(Forever()) >> session.add(Null())
    threading.Timer(0.0, session.stop).start()
    session.run()
    assert session.finished


def test_step_by_step() -> None:
    session = rw.Session(blocking=False, threads=0)
    sink = Collect()
    session.add(Feed(numbered(1000))) >> session.add(sink)
    lengths = [0]
    while session.run():
        lengths.append(len(sink.only.packets) if sink.seen else 0)
    assert len(lengths) > 10
    assert max(b - a for a, b in itertools.pairwise(lengths)) <= 64  # one quantum a pass
    assert sink.numbers == list(range(1000))
    assert session.finished
    assert sink.closed == 1
    assert session.run() is False


class Counting(RealClock):
    """Counts how often the session sleeps, and says when it does."""

    def __init__(self) -> None:
        self.sleeps = 0
        self.asleep = threading.Event()

    def wait(self, inbox: Inbox[Note], until: float | None, busy: bool) -> Note | None:
        self.sleeps += 1
        self.asleep.set()
        return super().wait(inbox, until, busy)


def test_an_idle_session_uses_no_cpu() -> None:
    clock = Counting()
    session = rw.Session(clock=clock, threads=2)
    session.add(Live()) >> session.add(Null())
    used: list[float] = []

    def run() -> None:
        session.run()
        used.append(time.thread_time())

    thread = threading.Thread(target=run)
    thread.start()
    assert clock.asleep.wait(10)
    threading.Event().wait(0.5)  # what is measured is that nothing happens meanwhile
    assert clock.sleeps == 1
    session.stop()
    thread.join(10)
    assert used[0] < 0.2


def test_a_cancelled_task_is_not_waited_for() -> None:
    clock = VirtualClock()
    session = rw.Session(threads=0, clock=clock)
    source, sink = session.add(Feed(numbered(3))), Collect()
    source >> session.add(sink)
    called: list[str] = []
    cancel = session.post(lambda: called.append("late"), 3600.0)  # type: ignore[func-returns-value]
    session.post(cancel, 1.0)
    session.run()
    assert called == []
    assert clock.now() < 2.0


def test_a_task_that_cancels_itself_is_not_called_again() -> None:
    session = rw.Session(threads=0, clock=VirtualClock())
    session.add(Feed(numbered(3))) >> session.add(Collect())
    calls: list[int] = []

    def once() -> float:
        calls.append(1)
        cancel()
        return 1.0

    cancel = session.post(once)
    session.run()
    assert calls == [1]


def test_nothing_is_posted_to_a_session_that_is_over() -> None:
    session = rw.Session(threads=0)
    session.add(Feed(numbered(3))) >> session.add(Collect())
    session.run()
    with pytest.raises(rw.StateError, match="this session is over"):
        session.post(lambda: None)
