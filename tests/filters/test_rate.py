"""rate: exact times, and every frame that comes twice or not at all is counted."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reelway as rw
from reelway.filters.rate import Rate
from reelway.testing.burnin import read_counter
from reelway.testing.parts import RESTART, Seen
from tests.filters.raw import picture_properties, through


def frames(times: list[int], duration: int = 40) -> list[rw.Packet]:
    return [rw.Packet(bytes([n % 256]), time, time, duration, 1) for n, time in enumerate(times)]


def run(times: list[int], fps: object, duration: int = 40) -> tuple[Seen, Rate]:
    rate = Rate(fps=fps)
    properties = picture_properties("gray", 1, 1) | {"Timescale": 1000}
    return through(frames(times, duration), properties, rate), rate


def shown(seen: Seen) -> list[int]:
    return [packet.data[0] for packet in seen.packets]


def test_twice_the_rate_shows_each_twice() -> None:
    seen, rate = run([n * 40 for n in range(10)], 50)
    assert shown(seen) == [n for n in range(10) for _ in range(2)]
    assert [packet.dts for packet in seen.packets] == list(range(20))
    assert (rate.repeated, rate.dropped) == (10, 0)
    assert seen.properties["FPS"] == 50
    assert rate.status == "10 frames repeated, 0 left out"


def test_half_the_rate_leaves_every_other_out() -> None:
    seen, rate = run([n * 40 for n in range(10)], "25/2")
    assert len(seen.packets) == 5
    assert (rate.repeated, rate.dropped) == (0, 5)
    assert [packet.dts for packet in seen.packets] == [n * 2 for n in range(5)]
    assert {packet.duration for packet in seen.packets} == {2}


def test_ntsc_times_are_exact() -> None:
    seen, _ = run([n * 40 for n in range(250)], "30000/1001")
    assert seen.properties["Timescale"] == 30000
    assert [packet.dts for packet in seen.packets] == [n * 1001 for n in range(300)]


def test_gaps_are_filled_and_bursts_thinned() -> None:
    seen, rate = run([0, 5, 10, 40, 200, 240], 25)
    assert shown(seen) == [2, 3, 3, 3, 3, 4, 5]
    assert (rate.repeated, rate.dropped) == (3, 2)


@pytest.mark.parametrize(("fps", "places"), [(10, 40), (24, 96), (12, 48), (3, 12)])
def test_the_whole_becomes_no_longer(fps: int, places: int) -> None:
    """100 frames of 25 a second are 4 s: the last one, which would begin at 4.0 s, is left out."""
    seen, rate = run([n * 40 for n in range(100)], fps)
    assert [packet.dts for packet in seen.packets] == list(range(places))
    assert rate.dropped == 100 - places


@given(
    gaps=st.lists(st.integers(0, 200), min_size=1, max_size=40),
    fps=st.sampled_from([Fraction(25), Fraction(30000, 1001), Fraction(1), Fraction(60), Fraction(7, 3)]),
)
def test_whatever_comes_every_place_is_filled_once(gaps: list[int], fps: Fraction) -> None:
    times = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    seen, rate = run(times, fps)
    got = [packet.dts / fps.denominator for packet in seen.packets]
    first = math.ceil(times[0] * fps / 1000 - Fraction(1, 2))
    assert got == list(range(first, first + len(got)))
    assert len(set(shown(seen))) + rate.dropped == len(times)
    assert len(seen.packets) == len(set(shown(seen))) + rate.repeated
    for packet in seen.packets:  # none is shown earlier than half a place before its time
        assert times[packet.data[0]] * fps / 1000 - Fraction(1, 2) <= packet.dts / fps.denominator


def test_a_full_output_changes_nothing_and_a_restart_begins_anew() -> None:
    properties = picture_properties("gray", 1, 1) | {"Timescale": 1000}
    items = [*frames([0, 4000]), RESTART, *frames([80, 120])]
    wide, tight = Rate(), Rate()
    one = through(items, properties, wide)
    other = through(items, properties, tight, limits=rw.Limits(packets=1))
    assert one.log == other.log
    at = one.log.index("restart")
    assert [entry[0] for entry in one.log[1:at]] == list(range(101))
    assert [entry[0] for entry in one.log[at + 1 : -1]] == [2, 3]


def test_numbers_tell_which_frames_are_shown() -> None:
    numbers: list[int] = []

    def look(packet: rw.Packet) -> None:
        found = read_counter(packet)
        assert found is not None
        numbers.append(found[0])

    with rw.Session() as session:
        source = session.load("testvideo:frames=30:fps=30:size=64x48")
        source >> session.load("rate:fps=20") >> session.load("call", function=look)
        session.run()
    assert len(numbers) == 20
    assert numbers == sorted(set(numbers))


def test_an_impossible_rate_is_refused() -> None:
    with pytest.raises(rw.OptionError, match="out of range"):
        Rate(fps=-1)


@pytest.mark.parametrize(
    ("source", "expected"), [("30000/1001", Fraction(30000, 1001)), ("10", Fraction(10))]
)
def test_without_a_rate_of_its_own_it_keeps_that_of_the_input(source: str, expected: Fraction) -> None:
    numbers: list[int | None] = []
    with rw.Session() as session:
        rate = session.load("rate:fps=0")
        source_filter = session.load(f"testvideo:frames=12:fps={source}:size=64x48:counter=no")
        source_filter >> rate >> session.load("call", function=lambda packet: numbers.append(packet.dts))
        session.run()
        assert rate.opids[0].properties["FPS"] == expected
    assert numbers == [n * expected.denominator for n in range(12)]
