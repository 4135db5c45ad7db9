"""Placeholders in pipeline texts: what is one, where values go, what is told about missing ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelway.errors import PipelineError
from reelway.graph.pipelinetext import parse
from reelway.graph.placeholders import fill, names


def test_placeholders_are_filled_from_values_and_defaults():
    text = "videotestsrc pattern={pattern} num-buffers={frames:30} ! {sink:autovideosink}"
    assert names(text) == {"pattern": None, "frames": "30", "sink": "autovideosink"}
    assert fill(text, {"pattern": "ball"}) == "videotestsrc pattern=ball num-buffers=30 ! autovideosink"
    assert fill(text, {"pattern": 18, "frames": 5, "sink": "fakesink"}) == (
        "videotestsrc pattern=18 num-buffers=5 ! fakesink"
    )


def test_one_default_is_good_for_every_place():
    assert fill("a x={n:3} y={n} z={n}", {}) == "a x=3 y=3 z=3"
    assert fill("a x={n} y={n:3}", {}) == "a x=3 y=3"


@pytest.mark.parametrize(
    "text",
    [
        "video/x-raw,format={ I420, NV12 }",
        "video/x-raw,format={I420,NV12}",
        "video/x-raw,format={ I420 }",
        "video/x-raw,width={1,2}",
        "a x={} y={1} z={a b}",
        "a # {comment}",
    ],
)
def test_what_is_no_placeholder_stays(text):
    assert names(text) == {}
    assert fill(text, {}) == text


def test_doubled_braces_are_literal_ones():
    assert fill("a x={{y}} z={w:{{}}}", {}) == "a x={y} z={}"
    assert names("a x={{y}}") == {}


def test_truth_is_written_as_gstreamer_does():
    assert fill("a x={x} y={y}", {"x": True, "y": False}) == "a x=true y=false"


def test_a_missing_value_is_named_with_its_place_and_what_to_write():
    with pytest.raises(PipelineError) as caught:
        fill("videotestsrc\n  pattern={pattern} ! fakesink", {})
    error = caught.value
    assert str(error) == "line 2, column 11: the placeholder {pattern} has no value"
    assert error.caret == "  pattern={pattern} ! fakesink\n          ^^^^^^^^^"
    assert error.hint == "give it one: pattern=... in Python, --pattern=... on the command line"


def test_a_value_that_nobody_asks_for_is_told_with_the_near_placeholder():
    with pytest.raises(PipelineError) as caught:
        fill("a x={pattern:ball}", {"patern": "snow"})
    assert str(caught.value) == "no placeholder is named 'patern'"
    assert caught.value.hint == "did you mean 'pattern'?"
    with pytest.raises(PipelineError) as caught:
        fill("a", {"x": 1})
    assert caught.value.hint == "the text has no placeholders"


@pytest.mark.parametrize(
    "text",
    [
        "filesrc location={place}",
        "filesrc location = {place} ! fakesink",
        'filesrc location="{place}"',
        "filesrc location='{place}' ! fakesink",
    ],
)
@given(value=st.text(" ab!\"'\\#{}=\n", min_size=1))
def test_a_value_of_a_property_stays_one_value(text, value):
    if value[0] in "\"'" and value[-1] == value[0]:
        value = f"x{value}"  # a value in quotes keeps its own
    (element, *_) = parse(fill(text, {"place": value})).nodes
    assert [(each.name, each.value) for each in element.settings] == [("location", value)]


@given(st.text(" ab!\"'\\#=", min_size=1))
def test_a_value_may_be_a_part_of_a_property(value):
    filled = fill("filesrc location=/films/{place}/a.mp4", {"place": value})
    assert parse(filled).nodes[0].settings[0].value == f"/films/{value}/a.mp4"


def test_a_value_in_quotes_keeps_them():
    assert fill("a text={text}", {"text": '"two words"'}) == 'a text="two words"'


def test_elsewhere_a_value_is_text_unless_it_is_to_be_quoted():
    assert fill("a ! {rest}", {"rest": "queue ! fakesink"}) == "a ! queue ! fakesink"
    assert fill("a ! video/x-raw, width={w}", {"w": "[ 1, 2 ]"}) == "a ! video/x-raw, width=[ 1, 2 ]"
    assert fill("a ! {rest}", {"rest": "queue ! fakesink"}, quote=True) == 'a ! "queue ! fakesink"'
