"""A link as a queue: limits, marks, room, and what an empty one takes."""

from __future__ import annotations

import pytest

import reelway as rw
from reelway.filters.simple import Forward, Null
from reelway.graph.link import Link, Mark, News
from reelway.graph.pid import MAX_WAITING, Pid


def link_of(**limits: object) -> Link:
    pid = Pid(Forward(), "p", {"Timescale": 1000})
    link = Link(pid, Null(), rw.Limits(**limits))  # type: ignore[arg-type]
    link.push_mark(Mark(News.CONFIGURE, {"Timescale": 1000}))
    assert link.take_mark() is not None
    return link


def fill(link: Link, count: int, size: int = 10, step: int = 1) -> int:
    """How many packets go in before the producer is blocked."""
    for n in range(count):
        link.push(rw.Packet(bytes(size), n * step))
        if link.source.blocked:
            return n + 1
    return count


@pytest.mark.parametrize(
    ("limits", "size", "step", "taken"),
    [
        ({"packets": 5}, 10, 1, 5),
        ({"bytes": 45}, 10, 1, 5),
        ({"seconds": 0.1}, 10, 25, 5),
        ({"packets": 1}, 10, 1, 1),
        ({"bytes": 1}, 1000, 1, 1),  # whatever its size
        ({"packets": 5, "bytes": 25}, 10, 1, 3),  # the first one reached
    ],
)
def test_each_limit_blocks(limits: dict[str, object], size: int, step: int, taken: int) -> None:
    link = link_of(**limits)
    assert link.roomy
    assert fill(link, 100, size, step) == taken
    assert link.full
    assert not link.roomy
    room = 0
    while not link.roomy:
        assert link.get() is not None
        room += 1
    assert len(link) <= (taken + 1) / 2
    assert room >= taken // 2


def test_get_and_iteration_stop_at_a_mark() -> None:
    link = link_of()
    fill(link, 2)
    link.push_mark(Mark(News.RESTART))
    fill(link, 1)
    assert [packet.dts for packet in link] == [0, 1]
    assert link.get() is None
    assert link.peek() is None
    mark = link.take_mark()
    assert mark is not None
    assert mark.news is News.RESTART
    assert link.take_mark() is None
    first = link.peek()
    assert first is not None
    assert link.get() is first
    assert (link.packets_in, link.packets_out, link.marks_in, link.marks_out) == (3, 3, 2, 2)


def test_nothing_is_read_while_the_consumer_is_blocked() -> None:
    link = link_of()
    fill(link, 2)
    link.filter.blocked = True
    assert link.get() is None
    assert list(link) == []
    link.filter.blocked = False
    assert len(list(link)) == 2


def test_marks_do_not_count_as_packets() -> None:
    link = link_of(packets=2)
    for _ in range(10):
        link.push_mark(Mark(News.RESTART))
    assert not link.full
    assert len(link) == 0
    link.push(rw.Packet(b""))
    assert not link.source.blocked
    assert bool(link)


def test_growth_makes_room_and_ends_at_the_hard_limit() -> None:
    link = link_of(packets=4)
    fill(link, 4)
    link.grow(1 << 20)
    assert link.roomy
    assert link.max_packets == 8
    assert link.grown == 1
    link = link_of(bytes=30)
    fill(link, 3)
    link.grow(35)
    assert link.max_bytes == 35
    assert link.roomy  # although less than half is free
    assert not link.full


def test_a_required_buffer_survives_new_properties() -> None:
    link = link_of(seconds=10.0)
    link.require(0.5)
    assert link.max_ticks == 500
    link.push_mark(Mark(News.CONFIGURE, {"Timescale": 90_000}))
    assert link.max_ticks == 45_000
    link.set_timescale(1)
    assert link.max_ticks == 1  # never 0: one packet always fits


def test_a_pid_that_is_not_linked_holds_a_few_and_blocks() -> None:
    filter = Forward()
    pid = Pid(filter, "p", {})
    for n in range(MAX_WAITING):
        assert not filter.blocked
        pid.send(rw.Packet(b"", n))
    assert filter.blocked
    pid.set(Width=3)
    pid.send(rw.Packet(b"", 99))
    pid.end()
    link = Link(pid, Null(), rw.Limits(packets=1000))
    pid.attach(link)
    pid.bind()
    order = [item.dts if isinstance(item, rw.Packet) else item.news for item in link.queue]
    assert order == [News.CONFIGURE, *range(MAX_WAITING), News.CONFIGURE, 99, News.END]
    marks = [item.properties for item in link.queue if isinstance(item, Mark)]
    assert marks == [{}, {"Width": 3}, None]


def test_a_pid_without_consumers_counts() -> None:
    pid = Pid(Forward(), "p", {})
    pid.bind()
    pid.send(rw.Packet(b""))
    assert (pid.packets_unlinked, pid.packets_sent) == (1, 0)
    link = Link(pid, Null(), rw.Limits())
    pid.attach(link)
    pid.send(rw.Packet(b""))
    late = Link(pid, Null(), rw.Limits())
    pid.attach(late)
    pid.send(rw.Packet(b""))
    assert (link.packets_in, late.packets_in, pid.packets_sent) == (2, 1, 2)
    pid.detach(link)
    pid.send(rw.Packet(b""))
    assert (late.packets_in, pid.packets_sent) == (2, 3)
    late.stopped = True
    pid.bind()
    pid.send(rw.Packet(b""))
    assert (late.packets_in, pid.packets_sent, pid.packets_unlinked) == (2, 3, 2)


def test_properties_are_set_removed_and_copied() -> None:
    pid, other = Pid(Forward(), "p", {"Width": 1}), Pid(Forward(), "q", {"Height": 2})
    pid.set(Width=None, Language="en")
    pid.copy_properties(other)
    assert pid.properties == {"Language": "en", "Height": 2}
    pid.end()
    pid.end()
    with pytest.raises(rw.StateError, match="which it has ended"):
        pid.send(rw.Packet(b""))
