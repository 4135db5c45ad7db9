"""Link policies: what is dropped, that it is counted, that marks survive, and what blocks."""

from __future__ import annotations

from contextlib import nullcontext

import hypothesis.strategies as st
import pytest
from hypothesis import given

import reelway as rw
from reelway.filters.simple import Forward, Null
from reelway.graph.link import POLICIES, Link, Mark, News
from reelway.graph.pid import Pid
from reelway.graph.policy import make_link


def link_of(policy: str, **limits: object) -> Link:
    producer, consumer = Forward(), Null()
    pid = Pid(producer, "p", {"Timescale": 1000})
    return make_link(pid, consumer, rw.Limits(policy=policy, **limits), nullcontext())  # type: ignore[arg-type]


def packet(n: int, sap: int = 0, size: int = 10) -> rw.Packet:
    return rw.Packet(bytes(size), n, n, 1, sap)


def taken(link: Link) -> list[int | None]:
    return [each.dts for each in link]


def test_block_never_drops() -> None:
    link = link_of("block", packets=4)
    for n in range(10):
        link.push(packet(n))
        assert link.source.blocked == (n >= 3)
    assert link.full
    assert not link.roomy
    assert [link.get().dts for _ in range(8)] == list(range(8))  # type: ignore[union-attr]
    assert link.roomy
    assert link.packets_dropped == 0


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        ({"packets": 3}, [7, 8, 9]),
        ({"bytes": 25}, [8, 9]),
        ({"seconds": 0.002}, [7, 8, 9]),
        ({"bytes": 1}, [9]),
    ],
)
def test_drop_oldest(limits: dict[str, object], kept: list[int]) -> None:
    link = link_of("drop_oldest", **limits)
    link.push_mark(Mark(News.CONFIGURE, {"Timescale": 1000}))
    assert link.take_mark()
    for n in range(10):
        link.push(packet(n))
    first = link.peek()
    assert first is not None
    assert first.discontinuity
    assert taken(link) == kept
    assert link.packets_dropped == 10 - len(kept)
    assert link.bytes_dropped == 10 * link.packets_dropped
    assert not link.source.blocked


def test_latest() -> None:
    link = link_of("latest")
    link.push(packet(0))
    assert not link.peek().discontinuity  # type: ignore[union-attr]
    for n in range(1, 10):
        link.push(packet(n))
    assert link.peek().discontinuity  # type: ignore[union-attr]
    assert taken(link) == [9]
    assert link.packets_dropped == 9


def test_drop_newest_keeps_what_waits() -> None:
    link = link_of("drop_newest", packets=3)
    for n in range(5):
        link.push(packet(n))
    assert link.packets_dropped == 2
    assert not link.full
    assert taken(link) == [0, 1, 2]
    link.push(packet(5))
    behind = link.get()
    assert behind is not None
    assert (behind.dts, behind.discontinuity) == (5, True)


def test_drop_newest_takes_one_packet_of_any_size() -> None:
    link = link_of("drop_newest", bytes=5)
    link.push(packet(0))
    link.push(packet(1))
    assert taken(link) == [0]
    assert (link.packets_dropped, link.bytes_dropped) == (1, 10)


def test_drop_newest_keeps_marks() -> None:
    link = link_of("drop_newest", packets=1)
    link.push(packet(0))
    link.push_mark(Mark(News.RESTART))
    link.push(packet(1))
    assert taken(link) == [0]
    mark = link.take_mark()
    assert mark is not None
    assert mark.news is News.RESTART
    assert not link.queue


def test_drop_to_keyframe_leaves_what_decodes() -> None:
    link = link_of("drop_to_keyframe", packets=4)
    for n in range(5):  # key 0, then the fifth is too much: up to the key at 3
        link.push(packet(n, sap=n % 3 == 0))
    first = link.peek()
    assert first is not None
    assert first.discontinuity
    assert taken(link) == [3, 4]
    for n in range(5, 10):  # no key in sight: all go, and all that follow, until one comes
        link.push(packet(n))
    assert len(link) == 0
    link.push(packet(10))
    assert len(link) == 0
    link.push(packet(11, sap=1))
    link.push(packet(12))
    first = link.peek()
    assert first is not None
    assert first.discontinuity  # although nothing was left in the queue when it came
    assert taken(link) == [11, 12]
    assert link.packets_dropped == 3 + 5 + 1


@pytest.mark.parametrize("policy", POLICIES)
def test_marks_survive_in_order(policy: str) -> None:
    link = link_of(policy, packets=2)
    link.push_mark(Mark(News.CONFIGURE, {"Width": 1}))
    for n in range(5):
        link.push(packet(n, sap=1))
    link.push_mark(Mark(News.CONFIGURE, {"Width": 2}))
    for n in range(5, 9):
        link.push(packet(n, sap=1))
    link.push_mark(Mark(News.END))
    news = []
    while link.queue:
        while (mark := link.take_mark()) is not None:
            news.append((mark.news, (mark.properties or {}).get("Width")))
        if (one := link.get()) is not None:
            news.append(one.dts)
    marks = [each for each in news if isinstance(each, tuple)]
    assert marks == [(News.CONFIGURE, 1), (News.CONFIGURE, 2), (News.END, None)]
    late = news[news.index((News.CONFIGURE, 2)) + 1 : -1]
    newest = [] if policy == "drop_newest" else list(range(5, 9))[-max(1, len(late)) :]
    assert late == newest
    assert news[-1] == (News.END, None)


@given(
    policy=st.sampled_from(POLICIES),
    packets=st.integers(1, 6),
    size=st.integers(1, 60),
    steps=st.lists(st.tuples(st.sampled_from("ppppgm"), st.integers(0, 20), st.booleans()), max_size=80),
)
def test_in_is_out_plus_drops(
    policy: str, packets: int, size: int, steps: list[tuple[str, int, bool]]
) -> None:
    link = link_of(policy, packets=packets, bytes=size)
    sent, got, marks, n = 0, [], 0, 0
    for what, length, key in steps:
        if what == "p":
            n += 1
            sent += 1
            link.push(packet(n, int(key), length))
        elif what == "m":
            link.push_mark(Mark(News.RESTART))
            marks += 1
        elif (one := link.get()) is not None:
            got.append(one)
        else:
            marks -= link.take_mark() is not None
        assert link.packets_in == sent
        assert len(link) == link.packets_in - link.packets_out - link.packets_dropped
        assert len(link) == sum(isinstance(item, rw.Packet) for item in link.queue)
        held = sum(item.size for item in link.queue if isinstance(item, rw.Packet))
        assert held == link.bytes_in - link.bytes_out - link.bytes_dropped
        if policy != "block":
            assert len(link) <= packets
            assert len(link) <= 1 or held <= size
    times = [one.dts for one in got]
    assert times == sorted(times)  # type: ignore[type-var]
    while link.queue:
        marks -= link.take_mark() is not None
        got += list(link)
    assert marks == 0
    assert len(got) + link.packets_dropped == sent
    if policy == "block":
        assert link.packets_dropped == 0


@pytest.mark.parametrize("policy", POLICIES)
def test_discard_counts_and_keeps_marks(policy: str) -> None:
    link = link_of(policy)
    link.push_mark(Mark(News.CONFIGURE, {}))
    for n in range(3):
        link.push(packet(n, sap=1))
    held = len(link)
    link.push_mark(Mark(News.END))
    link.discard()
    assert [item.news for item in link.queue if isinstance(item, Mark)] == [News.CONFIGURE, News.END]
    assert len(link) == 0
    assert link.packets_dropped == 3
    assert held in (1, 3)


def test_an_unknown_policy_and_limits_that_hold_nothing() -> None:
    with pytest.raises(rw.OptionError, match="no link policy 'leaky'") as caught:
        rw.Limits(policy="leaky")  # type: ignore[arg-type]
    assert "drop_oldest" in str(caught.value.hint)
    for wrong in ({"packets": 0}, {"bytes": 0}, {"seconds": 0.0}):
        with pytest.raises(rw.OptionError, match="must be able to hold something"):
            rw.Limits(**wrong)  # type: ignore[arg-type]
