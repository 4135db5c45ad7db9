"""identity and valve: what passes, what does not, and when."""

from __future__ import annotations

import pytest

import reelway as rw
from reelway.filters.identity import Identity, Valve
from reelway.testing.clock import VirtualClock
from reelway.testing.conformance import check_filter
from reelway.testing.parts import Collect, Feed, numbered


def passed(filter: rw.Filter, count: int = 10) -> Collect:
    sink = Collect()
    with rw.Session() as session:
        session.add(Feed(numbered(count))) >> session.add(filter) >> session.add(sink)
        session.run()
    return sink


@pytest.mark.parametrize("make", [Identity, Valve, lambda: Identity(drop_probability=0.5, seed=1)])
def test_the_contract_is_kept(make: type[rw.Filter]) -> None:
    check_filter(make, numbered(20), max_held=20)


def test_everything_passes() -> None:
    called: list[rw.Packet] = []
    identity = Identity(on_packet=called.append)
    sink = passed(identity)
    assert sink.numbers == list(range(10))
    assert [packet.dts for packet in called] == [packet.dts for packet in sink.only.packets]
    assert identity.packets == 10


def test_it_ends_in_the_place_of_a_packet() -> None:
    sink = passed(Identity(eos_after=3))
    assert sink.numbers == [0, 1]
    assert sink.only.ended


def test_it_fails_at_a_packet() -> None:
    with pytest.raises(rw.FilterError, match="fails at packet 3, as it was told"):
        passed(Identity(error_after=3))


def test_a_share_is_dropped_and_the_same_one_each_time() -> None:
    first, second = Identity(drop_probability=0.5, seed=3), Identity(drop_probability=0.5, seed=3)
    kept = passed(first, 200).numbers
    assert 60 < len(kept) < 140
    assert first.dropped == 200 - len(kept)
    assert passed(second, 200).numbers == kept
    assert passed(Identity(drop_probability=1.0)).only.packets == []


def test_it_sleeps_behind_each_packet_while_others_go_on() -> None:
    clock = VirtualClock()
    slow, quick = Collect(), Collect()
    with rw.Session(clock=clock, blocking=False) as session:
        source = session.add(Feed(numbered(3)))
        source >> session.add(Identity(sleep=1.0)) >> session.add(slow)
        source >> session.add(quick)
        seen = []
        while session.run():
            seen.append((round(clock.now()), len(slow.only.packets) if slow.seen else 0))
            clock.advance(0.5)
    assert quick.numbers == slow.numbers == [0, 1, 2]
    counts = dict(seen)
    assert counts[0] == 1
    assert counts[1] <= 2


def test_a_closed_valve_lets_nothing_through_and_counts() -> None:
    valve = Valve(drop=True)
    sink = passed(valve)
    assert sink.only.packets == []
    assert sink.only.ended
    assert valve.dropped == 10


def test_a_valve_opens_while_it_runs_and_says_that_something_is_missing() -> None:
    valve, sink = Valve(drop=True), Collect()

    def look(packet: rw.Packet) -> rw.Packet:
        if packet.dts == 5 * 40:
            valve.update("drop", False)
        return packet

    with rw.Session(limits=rw.Limits(packets=1)) as session:
        source = session.add(Feed(numbered(10)))
        source >> session.load("call", function=look) >> session.add(valve) >> session.add(sink)
        session.run()
    assert sink.numbers in ([5, 6, 7, 8, 9], [6, 7, 8, 9])
    first, *others = sink.only.packets
    assert first.discontinuity
    assert not any(packet.discontinuity for packet in others)
    assert valve.dropped == sink.numbers[0]
