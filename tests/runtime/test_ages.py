"""How old packets are when they are taken, in the statistics and as the command line prints them."""

from __future__ import annotations

import time

import pytest

import reelway as rw
from reelway.cli.statistics import table
from reelway.graph import ages
from reelway.graph.ages import Ages
from reelway.testing.parts import Feed, numbered


class Wall:
    """In the place of `time_ns`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ns = 1_000_000_000_000
        monkeypatch.setattr(ages, "time_ns", lambda: self.now_ns)


def captured(ages_ms: list[int | None], now_ns: int) -> list[rw.Packet]:
    packets = numbered(len(ages_ms))
    for packet, age_ms in zip(packets, ages_ms, strict=True):
        packet.capture_time = None if age_ms is None else now_ns - age_ms * 1_000_000
    return packets


def test_of_each_filter_and_each_link(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = Wall(monkeypatch)
    packets = captured([*range(1, 100), None, 300], wall.now_ns)
    with rw.Session() as session:
        feed = session.add(Feed(packets))
        feed >> session.load("forward") >> session.load("null")
        session.run()
        statistics = session.statistics()
    source, forward, sink = statistics.filters
    assert source.latency is None
    assert forward.latency == sink.latency == sink.inputs[0].latency
    assert sink.latency is not None
    assert sink.latency.packets == 100
    assert sink.latency.last_s == sink.latency.max_s == pytest.approx(0.3)
    assert sink.latency.p50_s == pytest.approx(0.05)
    assert sink.latency.p99_s == pytest.approx(0.099)
    assert "captured before" in table(statistics)
    assert [line.split() for line in table(statistics).splitlines() if line.startswith("null ")][-1] == [
        "null", "100", "50.0", "99.0", "300.0",
    ]  # fmt: skip


def test_where_nothing_says_when_it_was_captured_there_is_none() -> None:
    with rw.Session() as session:
        session.add(Feed(numbered(3))) >> session.load("null")
        session.run()
        statistics = session.statistics()
    assert [each.latency for each in statistics.filters] == [None, None]
    assert "captured" not in table(statistics)


def test_a_sender_whose_clock_is_ahead_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = Wall(monkeypatch)
    with rw.Session() as session:
        session.add(Feed(captured([-2000], wall.now_ns))) >> session.load("null")
        session.run()
        (_, sink) = session.statistics().filters
    assert sink.latency is not None
    assert sink.latency.max_s == pytest.approx(-2.0)


def test_percentiles_are_of_the_last_and_the_longest_of_all() -> None:
    kept = Ages()
    for _ in range(ages.REMEMBERED):
        kept.note(time.time_ns() - 10**12)
    for _ in range(ages.REMEMBERED):
        kept.note(time.time_ns())
    assert max(kept.recent) < 10**11
    assert kept.most_ns >= 10**12
    assert kept.count == 2 * ages.REMEMBERED
