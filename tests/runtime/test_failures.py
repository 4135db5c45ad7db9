"""What becomes of exceptions, and of calls that come at the wrong time."""

from __future__ import annotations

import pytest

import reelway as rw
from reelway.filters.simple import Forward, Null
from reelway.testing.faults import Failing, InjectedError
from reelway.testing.parts import Collect, Feed, numbered
from tests.runtime.test_threads import THREADS


@pytest.mark.parametrize("thread", THREADS)
@pytest.mark.parametrize("where", ["open", "configure", "process", "ended", "close"])
def test_an_exception_is_a_typed_error_and_everything_is_closed(where: str, thread: str) -> None:
    session = rw.Session(threads=1)
    fails, before, after = Failing(where=where, at=7, name="bad"), Collect(), Collect()
    fails.thread = thread  # type: ignore[assignment]
    source = session.add(Feed(numbered(100)))
    source >> session.add(fails) >> session.add(after)
    source >> session.add(before)
    with pytest.raises(rw.FilterError, match="filter 'bad' failed") as caught:
        session.run()
    error = caught.value
    assert isinstance(error.cause, InjectedError)
    assert error.__cause__ is error.cause
    assert error.filter == "bad"
    assert error.time is not None
    assert error.pid == ("video1" if where in ("configure", "ended") else "")
    assert (before.closed, after.closed) == (1, 1)
    if where != "open":  # else it did not begin
        assert before.only.ended
        assert before.numbers == list(range(len(before.numbers)))  # a prefix
    if where == "process":
        assert after.numbers == list(range(7))
        assert after.only.ended
    with pytest.raises(rw.StateError, match="the session is over"):
        session.run()


@pytest.mark.parametrize("thread", THREADS)
def test_skip_goes_on_with_the_next_packet(thread: str) -> None:
    session = rw.Session(threads=1, blocking=True)
    fails, sink = Failing(at=7, on_error="skip"), Collect()
    fails.thread = thread  # type: ignore[assignment]
    session.add(Feed(numbered(100))) >> session.add(fails) >> session.add(sink)
    session.run()
    assert sink.numbers == [n for n in range(100) if n != 7]
    assert session.statistics().filters[1].errors == 1


def test_skip_where_the_flush_fails_still_ends() -> None:
    session = rw.Session(threads=0)
    sink = Collect()
    (
        session.add(Feed(numbered(9)))
        >> session.add(Failing(where="ended", on_error="skip"))
        >> session.add(sink)
    )
    session.run()
    assert sink.only.ended
    assert sink.numbers == list(range(9))


def test_skip_does_not_wait_for_ever_where_nothing_moves() -> None:
    class Broken(rw.Filter):
        outputs = (rw.Caps(),)

        def open(self) -> None:
            self.new_pid("p")

        def process(self) -> float | None:
            raise InjectedError("again")

    session = rw.Session(threads=0)
    session.add(Broken(on_error="skip")) >> session.add(Null())
    with pytest.raises(rw.FilterError, match="again"):
        session.run()


@pytest.mark.parametrize("thread", ["pool", "own"])
def test_exit_in_a_thread_is_a_failure_not_a_hang(thread: str) -> None:
    class Exits(Forward):
        def process(self) -> float | None:
            raise SystemExit(3)

    session = rw.Session(threads=1)
    exits = Exits()
    exits.thread = thread  # type: ignore[assignment]
    session.add(Feed(numbered(9))) >> session.add(exits)
    with pytest.raises(rw.FilterError, match="SystemExit: 3"):
        session.run()


def test_a_packet_after_the_end_is_refused() -> None:
    class Late(Forward):
        def ended(self, pid: rw.Link) -> None:
            super().ended(pid)
            pid.output.send(rw.Packet(b""))  # type: ignore[union-attr]

    session = rw.Session(threads=0)
    session.add(Feed(numbered(1))) >> session.add(Late(name="late")) >> session.add(Null())
    with pytest.raises(rw.FilterError, match="late sends on video1, which it has ended"):
        session.run()


def test_recursion_is_refused() -> None:
    session = rw.Session(threads=0)

    class Runs(Forward):
        def process(self) -> float | None:
            session.run()
            return None

    session.add(Feed(numbered(1))) >> session.add(Runs())
    with pytest.raises(rw.ReelwayError, match="running already") as caught:
        session.run()
    assert isinstance(caught.value.__cause__ or caught.value, rw.StateError)


def test_loops_are_refused() -> None:
    session = rw.Session()
    a, b, c = (session.add(Forward(name=name)) for name in "abc")
    a >> b >> c
    for source, consumer in ((c, a), (b, a), (a, a)):
        with pytest.raises(rw.LinkError, match=f"linking {source.name} to .* would make a loop"):
            source >> consumer
    session.close()


def test_a_callback_of_the_session_that_fails_closes_the_rest() -> None:
    def deleted(filter: rw.Filter) -> None:
        raise ValueError(filter.name)

    session = rw.Session(threads=0, on_filter_del=deleted)
    sinks = [Collect(), Collect()]
    source = session.add(Feed(numbered(1)))
    for sink in sinks:
        source >> session.add(sink)
    with pytest.raises(rw.FilterError, match="ValueError"):
        session.run()
    assert [sink.closed for sink in sinks] == [1, 1]
