"""Capabilities: what fits, what is left of it, and what is said where it does not."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from reelway.graph.caps import Caps, Mismatch, Not, describe, match

values = st.sampled_from("abcd")
chosen = st.frozensets(values, min_size=1)


@given(chosen, chosen)
def test_what_is_left_is_what_both_have(have: frozenset[str], want: frozenset[str]) -> None:
    result = match({"CodecID": have if len(have) > 1 else next(iter(have))}, Caps(CodecID=want))
    both = have & want
    if not both:
        assert isinstance(result, Mismatch)
    else:
        assert result == {"CodecID": both if len(both) > 1 else next(iter(both))}
    without = match({"CodecID": have}, Caps(CodecID=Not(*want)))
    assert isinstance(without, Mismatch) == (have <= want)


@pytest.mark.parametrize(
    ("properties", "caps", "fits"),
    [
        ({"CodecID": "h264"}, Caps(), True),
        ({}, Caps(CodecID="h264"), False),
        ({}, Caps(CodecID=Not("raw")), True),
        ({"CodecID": "raw"}, Caps(CodecID=Not("raw")), False),
        ({"CodecID": "h264", "Width": 3}, Caps(CodecID=["h264", "hevc"], Width=3), True),
        ({"CodecID": "h264", "Width": 3}, Caps(CodecID="h264", Width=4), False),
    ],
)
def test_match(properties: dict[str, object], caps: Caps, fits: bool) -> None:
    assert isinstance(match(properties, caps), Mismatch) != fits


def test_caps_are_values() -> None:
    assert Caps(A=[1, 2]) == Caps(A=(2, 1))
    assert len({Caps(A=[1, 2]), Caps(A=(2, 1)), Caps(A=1)}) == 2
    assert repr(Caps(A=1, B=Not("x"))) == "Caps(A=1, B=not x)"


def test_an_excluded_value_lets_an_undefined_property_pass() -> None:
    assert match({}, Caps(A=Not("raw", "x"))) == {}


def test_choices_in_words_stop_after_five() -> None:
    assert describe(list("abcdefg")) == "a or b or c or d or e or 2 more"
