"""The policy `fresh`: in order for who keeps up, the newest for who does not, in turns for several inputs."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

import reelway as rw
from reelway.filters.simple import Forward, Null
from reelway.graph import policy
from reelway.graph.link import Link, Mark, News
from reelway.graph.pid import Pid
from reelway.graph.policy import make_link

PERIOD = 40


class Clock:
    """In the place of `perf_counter`."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(policy, "perf_counter", made)
    return made


def fresh(consumer: rw.Filter) -> Link:
    link = make_link(
        Pid(Forward(), "p", {"Timescale": 1000}),
        consumer,
        rw.Limits(packets=8, seconds=0.06, policy="fresh"),
        nullcontext(),
    )
    link.push_mark(Mark(News.CONFIGURE, {"Timescale": 1000}))
    assert link.take_mark()
    return link


def push(link: Link, *numbers: int) -> None:
    for number in numbers:
        link.push(rw.Packet(b"", PERIOD * number, PERIOD * number, PERIOD, 1))


def get(link: Link) -> int | None:
    packet = link.get()
    return None if packet is None or packet.dts is None else packet.dts // PERIOD


def turn(*links: Link) -> None:
    """A turn of the consumer begins."""
    for link in links:
        assert link.take_mark() is None


def test_who_keeps_up_gets_all_in_order(clock: Clock) -> None:
    link = fresh(Null())
    for number in range(0, 10, 2):
        turn(link)
        push(link, number, number + 1)
        assert [get(link), get(link), get(link)] == [number, number + 1, None]
    assert not link.packets_dropped


def test_who_has_missed_one_gets_the_newest(clock: Clock) -> None:
    link = fresh(Null())
    push(link, *range(10))
    turn(link)
    packet = link.get()
    assert packet is not None
    assert packet.dts == 9 * PERIOD
    assert packet.discontinuity
    assert link.packets_dropped == 9
    assert len(link) == 0


def test_so_does_who_peeks(clock: Clock) -> None:
    link = fresh(Null())
    push(link, *range(10))
    packet = link.peek()
    assert packet is not None
    assert packet.dts == 9 * PERIOD
    assert link.take(packet)


def test_marks_survive_what_is_left_out(clock: Clock) -> None:
    link = fresh(Null())
    push(link, 0, 1)
    link.push_mark(Mark(News.RESTART))
    push(link, 2, 3, 4)
    assert link.get() is None  # the mark comes first
    mark = link.take_mark()
    assert mark is not None
    assert mark.news is News.RESTART
    assert get(link) == 4


def test_who_takes_long_gets_the_next_one_in_its_next_turn(clock: Clock) -> None:
    link = fresh(Null())
    push(link, 0, 1)
    turn(link)
    assert get(link) == 0
    clock.now_s += 1
    assert get(link) is None
    push(link, 2, 3)
    turn(link)
    assert get(link) == 3


def test_several_inputs_take_turns(clock: Clock) -> None:
    consumer = Null()
    links = [fresh(consumer) for _ in range(3)]
    served = []
    for round in range(9):
        for link in links:
            push(link, 3 * round, 3 * round + 1, 3 * round + 2)
        turn(*links)
        for number, link in enumerate(links):
            while get(link) is not None:
                served.append(number)
                clock.now_s += 1
    assert served == [0, 1, 2] * 3


def test_one_that_is_not_asked_any_more_holds_nobody_up(clock: Clock) -> None:
    consumer = Null()
    one, other = fresh(consumer), fresh(consumer)
    push(one, 0)
    push(other, 0)
    turn(one, other)
    assert get(one) == 0
    clock.now_s += 1
    assert get(other) is None  # it would be the next one
    push(one, 1)
    turn(one, other)
    assert get(one) is None
    turn(one, other)
    assert get(one) == 1
