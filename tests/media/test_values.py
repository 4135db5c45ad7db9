"""Sizes, times, fractions and numbers: text to value and back."""

from __future__ import annotations

import enum
import math
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelway.errors import OptionError
from reelway.media.kinds import choose, fit_value, kind_name, parse_value
from reelway.media.values import Seconds, Size, format_value


class Mode(enum.Enum):
    fast = 1
    slow = 2


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (bool, "yes", True),
        (bool, "on", True),
        (bool, None, True),
        (bool, "0", False),
        (bool, "Off", False),
        (int, "12", 12),
        (int, "-3", -3),
        (int, "2k", 2000),
        (int, "1.5M", 1_500_000),
        (int, "3g", 3 * 10**9),
        (int, "0xFF", 255),
        (float, "2.5k", 2500.0),
        (float, "1/4", 0.25),
        (float, "1e-3", 0.001),
        (float, "+I", math.inf),
        (Fraction, "30000/1001", Fraction(30000, 1001)),
        (Fraction, "25-1", Fraction(25)),
        (Fraction, "29.97", Fraction(2997, 100)),
        (Fraction, "T01:30", Fraction(90)),
        (Size, "1280x720", Size(1280, 720)),
        (Size, "720", Size(1280, 720)),
        (Size, "HD", Size(1920, 1080)),
        (Size, "4k", Size(3840, 2160)),
        (Seconds, "3.5", 3.5),
        (Seconds, "1500ms", 1.5),
        (Seconds, "2min", 120.0),
        (Seconds, "T00:01:02.5", 62.5),
        (Seconds, "T01:02", 62.0),
        (Seconds, "-T00:01", -1.0),
        (str, "a:b", "a:b"),
        (bytes, "0x00fF", b"\x00\xff"),
        (bytes, "ab", b"ab"),
        (Path, "a/b", Path("a/b")),
        (list[int], "1,2k", [1, 2000]),
        (list[int], "", []),
        (tuple[float, ...], "1,2", (1.0, 2.0)),
        (Mode, "FAST", Mode.fast),
        (Mode, "2", Mode.slow),
        (Literal["a", 3], "3", 3),
        (int | None, "none", None),
        (int | None, "7", 7),
        (int | str, "x", "x"),
    ],
)
def test_text_is_read(kind, text, value):
    read = parse_value(kind, text)
    assert read == value
    assert type(read) is type(value) or kind is Seconds


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        (bool, "maybe", "'maybe' is not true or false"),
        (int, "1.5", "'1.5' is not a whole number"),
        (int, "", "'' is not a whole number"),
        (float, "1x", "'1x' is not a number"),
        (Fraction, "1/0", "'1/0' is not a fraction such as 30000/1001"),
        (Size, "12", "'12' is not a size such as 1280x720 or 'hd'"),
        (Seconds, "soon", "'soon' is not a time such as 3.5, 1500ms or T00:01:02.5"),
        (bytes, "0xg0", "'0xg0' is not bytes, as text or 0x and hex digits"),
        (list[int], "1,b", "'b' is not a whole number"),
        (Mode, "quick", "'quick' is not one of fast|slow"),
        (Literal["a", "b"], "c", "'c' is not one of a|b"),
        (int | None, "x", "'x' is not a whole number"),
        (Mode | int, "x", "'x' is not fast|slow or int"),
        (dict, "x", "'x' is text, and dict cannot be written as text"),
    ],
)
def test_text_that_does_not_fit_says_what_would(kind, text, says):
    with pytest.raises(OptionError) as caught:
        parse_value(kind, text)
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [("2s", "ms", 2000), ("1min", "s", 60), ("250", "ms", 250), ("T00:01", "ms", 1000)],
)
def test_a_time_suffix_counts_in_the_unit_of_the_option(text, unit, value):
    assert parse_value(int, text, unit) == value


def test_a_time_suffix_needs_a_time():
    with pytest.raises(OptionError, match="not a whole number"):
        parse_value(int, "2s", "frames")


@pytest.mark.parametrize(
    ("kind", "given_value", "value"),
    [
        (float, 3, 3.0),
        (Fraction, 29.97, Fraction(2997, 100)),
        (Fraction, (30000, 1001), Fraction(30000, 1001)),
        (Size, (4, 3), Size(4, 3)),
        (Size, Size(4, 3), Size(4, 3)),
        (Seconds, 2, Seconds(2)),
        (str, Path("a"), "a"),
        (bytes, memoryview(b"a"), b"a"),
        (list[int], (1, 2), [1, 2]),
        (list[int], "1,2", [1, 2]),
        (Mode, Mode.slow, Mode.slow),
        (Mode, 1, Mode.fast),
        (int | None, None, None),
        (float | int, 3, 3),
        (int | str, "x", "x"),
        (dict, {"a": 1}, {"a": 1}),
        (Any, print, print),
    ],
)
def test_python_values_fit(kind, given_value, value):
    assert fit_value(kind, given_value) == value


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [
        (int, True, "True is not a whole number"),
        (int, 1.5, "1.5 is not a whole number"),
        (bool, 2, "2 is not true or false"),
        (str, 3, "3 is not text"),
        (Size, (1, 2, 3), "(1, 2, 3) is not a size such as 1280x720 or 'hd'"),
        (Fraction, (1, 0), "(1, 0) is not a fraction such as 30000/1001"),
        (list[int], 3, "3 is not list of int"),
        (Literal["a"], 1, "1 is not one of a"),
        (int | None, [], "[] is not a whole number"),
        (Mode, 7, "7 is not one of fast|slow"),
        (dict, 3, "3 is not a dict"),
    ],
)
def test_python_values_that_do_not_fit(kind, value, says):
    with pytest.raises(OptionError) as caught:
        fit_value(kind, value)
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("kind", "name"),
    [(float, "float"), (list[int], "list of int"), (Mode, "fast|slow"), (int | None, "int"), (str, "text")],
)
def test_kinds_have_names_for_people(kind, name):
    assert kind_name(kind) == name


def test_a_size_unpacks():
    width, height = Size(4, 3)
    assert (width, height) == (4, 3)


def test_choices_by_name_or_value():
    assert choose(["a", "b"], "B") == "b"
    assert choose({"low": 1, "high": 2}, "high") == 2
    assert choose({"low": 1, "high": 2}, 1) == 1
    with pytest.raises(OptionError, match="'hihg' is not one of low, high") as caught:
        choose({"low": 1, "high": 2}, "hihg")
    assert caught.value.hint == "did you mean 'high'?"


WRITABLE = st.one_of(
    st.tuples(st.just(bool), st.booleans()),
    st.tuples(st.just(int), st.integers()),
    st.tuples(st.just(float), st.floats(allow_nan=False)),
    st.tuples(st.just(Fraction), st.fractions()),
    st.tuples(st.just(Size), st.builds(Size, st.integers(0, 10**6), st.integers(0, 10**6))),
    st.tuples(st.just(Seconds), st.floats(allow_nan=False).map(Seconds)),
    st.tuples(st.just(str), st.text()),
    st.tuples(st.just(bytes), st.binary()),
    st.tuples(st.just(Mode), st.sampled_from(Mode)),
    st.tuples(st.just(list[int]), st.lists(st.integers())),
    st.tuples(st.just(int | None), st.none() | st.integers()),
)


@given(WRITABLE)
def test_what_is_written_reads_back(case):
    kind, value = case
    assert parse_value(kind, format_value(value)) == value
