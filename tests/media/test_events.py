"""Events and requests along a graph: who gets them, who answers, changes and stops them."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

import reelway as rw
from reelway.filters.simple import Forward
from reelway.media import events
from reelway.testing.parts import Collect, Feed, numbered

ALL = [
    events.Play(start_s=1.5, end_s=9.0, speed=2.0),
    events.Stop(),
    events.Seek(time_s=3.0),
    events.BufferRequirement(max_buffer_us=500_000),
    events.User(name="hello", value={"a": 1}),
]


class Passes(Forward):
    """Notes what passes; `do` may change or answer it, and stops it by being true."""

    do: Callable[[events.Event], object] = staticmethod(lambda event: False)

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.got: list[events.Event] = []
        self.on: set[int] = set()

    def on_event(self, event: events.Event) -> bool:
        self.got.append(event)
        self.on.add(threading.get_ident())
        return bool(self.do(event))


class Asks(Collect):
    """Sends an event upstream as soon as it is configured."""

    event: events.Event

    def configure(self, pid: rw.Link) -> None:
        super().configure(pid)
        pid.send_event(self.event)


def graph(event: events.Event, thread: str = "session") -> tuple[rw.Session, Feed, Passes, Asks]:
    session = rw.Session(threads=1, limits=rw.Limits(packets=1))
    source, middle, sink = Feed(numbered(50)), Passes(), Asks()
    middle.thread = thread  # type: ignore[assignment]
    sink.event = event
    session.add(source) >> session.add(middle) >> session.add(sink)
    return session, source, middle, sink


@pytest.mark.parametrize("thread", ["session", "pool", "own"])
@pytest.mark.parametrize("event", ALL, ids=lambda event: event.kind)
def test_each_event_travels_to_the_source(event: events.Event, thread: str) -> None:
    session, source, middle, _ = graph(event, thread)
    session.run()
    assert middle.got == [event]
    assert source.events == [event]
    assert type(source.events[0]) is type(event)
    assert source.events[0].pid is source.opids[0]  # where it arrives: the receiver's own PID
    assert middle.got[0].pid is middle.opids[0]
    assert (middle.on == {threading.get_ident()}) == (thread == "session")


def test_a_filter_stops_a_request() -> None:
    session, source, middle, _ = graph(events.Seek(time_s=1.0))
    middle.do = lambda event: True
    session.run()
    assert len(middle.got) == 1
    assert source.events == []


def test_a_filter_changes_a_request_for_those_behind_it() -> None:
    asked = events.Seek(time_s=1.0)
    session, source, middle, _ = graph(asked)

    def later(event: events.Event) -> None:
        assert isinstance(event, events.Seek)
        event.time_s += 10

    middle.do = later
    session.run()
    assert source.events == [events.Seek(time_s=11.0)]
    assert asked.time_s == 1.0  # the sender's own is not touched


@pytest.mark.parametrize("thread", ["session", "own"])
def test_an_answer_comes_on_the_sessions_thread(thread: str) -> None:
    answers: list[tuple[object, int]] = []
    asked = events.User(
        name="how many", on_answer=lambda value: answers.append((value, threading.get_ident()))
    )
    session, _, middle, _ = graph(asked, thread)
    middle.do = lambda event: event.answer(50) or True
    session.run()
    assert answers == [(50, threading.get_ident())]


def test_stop_goes_on_when_every_consumer_has_said_so() -> None:
    session = rw.Session(threads=0)
    source, one, other = Feed(numbered(200)), Asks(), Asks()
    one.event, other.event = events.Stop(), events.User(name="not yet")
    session.add(source) >> session.add(one)
    source >> session.add(other)
    session.run()
    assert [event.kind for event in source.events] == ["User"]
    assert len(one.only.packets) < 200
    assert other.numbers == list(range(200))  # one that stopped holds nobody up
    assert one.only.ended

    session = rw.Session(threads=0)
    source, one, other = Feed(numbered(200)), Asks(), Asks()
    one.event = other.event = events.Stop()
    session.add(source) >> session.add(one)
    source >> session.add(other)
    session.run()
    assert [event.kind for event in source.events] == ["Stop"]


def test_a_buffer_requirement_moves_the_links_limit() -> None:
    session, _, middle, sink = graph(events.BufferRequirement(max_buffer_us=500_000))
    session.run()
    assert sink.ipids[0].max_ticks == 500  # of 1000 a second
    sink.ipids[0].set_timescale(2000)
    assert sink.ipids[0].max_ticks == 1000  # new properties do not forget it
    assert middle.ipids[0].max_ticks == 500


def test_buffer_us() -> None:
    session = rw.Session(threads=0, blocking=False, limits=rw.Limits(packets=5))
    source, sink = Feed(numbered(5)), Collect()
    sink.process = lambda: None  # type: ignore[method-assign]
    sink.waits_outside = True
    session.add(source) >> session.add(sink)
    for _ in range(5):
        session.run()
    assert sink.ipids[0].buffer_us == 200_000  # five packets of 40 ms
    sink.ipids[0].get()
    assert sink.ipids[0].buffer_us == 160_000
    session.close()


def test_a_producer_sends_downstream() -> None:
    class Tells(Feed):
        def process(self) -> float | None:
            self.opids[0].send_event(events.User(name="hello"))
            return super().process()

    class Hears(Collect):
        got: list[events.Event]

        def on_event(self, event: events.Event) -> bool:
            self.got = [*getattr(self, "got", []), event]
            return False

    session = rw.Session(threads=0)
    middle, sink = Passes(), Hears()
    session.add(Tells(numbered(1))) >> session.add(middle) >> session.add(sink)
    session.run()
    assert middle.got[0].pid is middle.ipids[0]
    assert sink.got[0] == events.User(name="hello")
    assert sink.got[0].pid is sink.ipids[0]


def test_branches_do_not_share_an_event() -> None:
    session = rw.Session(threads=0)
    a, b, sink = Passes(name="a"), Passes(name="b"), Collect()
    source = session.add(Feed(numbered(3)))
    source >> session.add(a) >> session.add(sink)
    source >> session.add(b) >> sink

    def mine(event: events.Event) -> None:
        event.value = "a"  # type: ignore[attr-defined]

    a.do = mine

    def send() -> float | None:
        if len(sink.ipids) < 2:
            return 0
        sink.send_event(events.User(name="x", value="?"))
        return None

    session.post(send)
    session.run()
    assert [event.value for event in a.got + b.got] == ["a", "?"]  # type: ignore[attr-defined]
