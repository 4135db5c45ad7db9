"""merge(): the earliest of all inputs, and only when every one has a say."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import given

import reelway as rw
from reelway.filters.simple import Forward, Null
from reelway.graph.link import Link
from reelway.graph.pid import Pid
from reelway.media.timeline import Timeline


def links(*streams: tuple[int, list[int | None]], ended: bool = True) -> list[Link]:
    """One link a stream of (timescale, dts ...)."""
    consumer = Null()
    made = []
    for timescale, times in streams:
        pid = Pid(Forward(), "p", {"Timescale": timescale})
        link = Link(pid, consumer, rw.Limits(packets=1000))
        link.properties = dict(pid.properties)
        for time in times:
            link.push(rw.Packet(b"", time))
        link.ended = ended
        made.append(link)
    return made


def merged(inputs: list[Link]) -> list[tuple[int, int | None]]:
    return [(inputs.index(link), packet.dts) for link, packet in rw.merge(inputs)]


def test_earliest_first_across_timescales_and_ties_in_order() -> None:
    assert merged(links((1000, [0, 500, 1000]), (2, [0, 1, 2]))) == [
        (0, 0), (1, 0), (0, 500), (1, 1), (0, 1000), (1, 2)
    ]  # fmt: skip


def test_it_waits_for_an_empty_input_that_has_not_ended() -> None:
    a, b = links((1, [0, 1]), (1, []))
    b.ended = False
    assert merged([a, b]) == []
    assert len(a) == 2
    b.push(rw.Packet(b"", 0))
    assert merged([a, b]) == [(0, 0), (1, 0)]
    b.removed = True
    assert merged([a, b]) == [(0, 1)]


def test_it_stops_where_the_filter_is_blocked() -> None:
    inputs = links((1, [0, 1, 2]))
    taken = []
    for _, packet in rw.merge(inputs):
        taken.append(packet.dts)
        inputs[0].filter.blocked = True
    assert taken == [0]


def test_a_packet_without_time_follows_the_one_before() -> None:
    assert merged(links((1, [5, None, 7]), (1, [6]))) == [(0, 5), (0, None), (1, 6), (0, 7)]


def test_timelines_decide() -> None:
    a, b = links((1, [0, 1]), (1, [100, 101]))
    b.pid.timeline = Timeline(start=100, offset_s=0.5)
    assert merged([a, b]) == [(0, 0), (1, 100), (0, 1), (1, 101)]


@given(
    st.lists(st.tuples(st.sampled_from((1, 25, 1000)), st.lists(st.integers(0, 99))), min_size=1, max_size=4)
)
def test_all_packets_once_in_order(streams: list[tuple[int, list[int]]]) -> None:
    ordered: list[Any] = [(timescale, sorted(times)) for timescale, times in streams]
    inputs = links(*ordered)
    result = merged(inputs)
    times = [dts / ordered[at][0] for at, dts in result]  # type: ignore[operator]
    assert times == sorted(times)
    for at, (_, expected) in enumerate(ordered):
        assert [dts for which, dts in result if which == at] == expected
