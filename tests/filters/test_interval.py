"""interval: how often a picture passes, by the pictures' own times."""

from __future__ import annotations

import pytest

import reelway as rw
from reelway.filters.interval import Interval
from reelway.testing.conformance import check_filter
from reelway.testing.parts import Collect, Feed

RAW = {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": "gray", "Width": 2, "Height": 2}


def pictures(*times: int | None, duration: int = 40) -> list[rw.Packet]:
    return [rw.Packet(bytes(4), time, time, duration, 1) for time in times]


def passed(interval: Interval, packets: list[rw.Packet]) -> list[rw.Packet]:
    sink = Collect()
    with rw.Session() as session:
        feed = Feed(packets, properties={**RAW, "Timescale": 1000, "FPS": 25})
        session.add(feed) >> session.add(interval) >> session.add(sink)
        session.run()
    return list(sink.only.packets)


def times(packets: list[rw.Packet]) -> list[int | None]:
    return [packet.cts for packet in packets]


@pytest.mark.parametrize(
    ("interval", "kept"),
    [(0.1, [0, 120, 240, 360]), (0.08, [0, 80, 160, 240, 320]), (0.0, list(range(0, 400, 40))), (1.0, [0])],
)
def test_none_comes_sooner(interval: float, kept: list[int]) -> None:
    filter = Interval(interval=interval)
    assert times(passed(filter, pictures(*range(0, 400, 40)))) == kept
    assert filter.dropped == 10 - len(kept)


def test_a_clock_that_is_a_little_off_loses_no_picture() -> None:
    assert times(passed(Interval(interval="80ms"), pictures(0, 40, 79, 121, 159))) == [0, 79, 159]


def test_times_that_go_back_begin_anew_and_none_are_no_hindrance() -> None:
    assert times(passed(Interval(interval=1.0), pictures(0, 500, 1000, 200, 600, 1200))) == [
        0,
        1000,
        200,
        1200,
    ]
    assert len(passed(Interval(interval=1.0), pictures(None, None))) == 2


def test_a_gap_among_those_left_out_is_told_by_the_next_one() -> None:
    packets = pictures(0, 40, 80, 120)
    packets[1].discontinuity = True
    assert [packet.discontinuity for packet in passed(Interval(interval=0.1), packets)] == [False, True]


def test_the_rate_of_the_pictures_is_no_longer_known() -> None:
    interval = Interval()
    passed(interval, pictures(0))
    assert "FPS" not in interval.opids[0].properties


def test_it_keeps_the_contract() -> None:
    check_filter(lambda: Interval(interval=0.1), pictures(*range(0, 400, 40)), {**RAW, "Timescale": 1000})
