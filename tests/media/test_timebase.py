"""Ticks and seconds, and the timelines on which they lie."""

from __future__ import annotations

from fractions import Fraction

import hypothesis.strategies as st
import pytest
from hypothesis import given

from reelway.media.timebase import rescale, seconds, ticks, unify
from reelway.media.timeline import Timeline

scales = st.integers(1, 10**9)
times = st.integers(-(2**62), 2**62)


@given(times, scales, scales)
def test_rescale_is_the_nearest(time: int, source: int, target: int) -> None:
    exact = Fraction(time * target, source)
    result = rescale(time, source, target)
    assert abs(result - exact) <= Fraction(1, 2)
    assert rescale(-time, source, target) == -result
    assert rescale(time, source, source) == time


@pytest.mark.parametrize(("time", "result"), [(1, 1), (-1, -1), (3, 2), (-3, -2), (2, 1), (0, 0)])
def test_halves_go_away_from_zero(time: int, result: int) -> None:
    assert rescale(time, 2, 1) == result


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6))
def test_a_finer_scale_and_back_is_exact(time: int, source: int) -> None:
    assert rescale(rescale(time, source, source * 3), source * 3, source) == time


def test_seconds_ticks_and_time_bases() -> None:
    assert seconds(45_000, 90_000) == 0.5
    assert ticks(0.5, 90_000) == 45_000
    assert ticks(Fraction(1001, 30_000), 30_000) == 1001
    assert unify(Fraction(1001, 30_000)) == (30_000, 1001)


@given(
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 1000),
    st.sampled_from((0.25, 0.5, 1.0, 2.0, 8.0)),
)
def test_a_timeline_and_its_inverse(time: int, start: int, offset: int, rate: float) -> None:
    line = Timeline(start, float(offset), rate)
    assert line.ticks(line.running_s(time, 1000), 1000) == time
    assert line.running_s(start, 1000) == offset


def test_double_speed_takes_half_the_time() -> None:
    assert Timeline(rate=2.0).running_s(1000, 1000) == 0.5
    assert Timeline(start=500, offset_s=3.0).running_s(1500, 1000) == 4.0
