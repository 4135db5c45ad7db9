"""Link selectors: which pids they take, and how they are written."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelway.errors import OptionError
from reelway.graph.select import Selector, parse_sources

VIDEO = {
    "StreamType": "Visual",
    "ID": 1,
    "CodecID": "h264",
    "Width": 640,
    "FPS": Fraction(25),
    "Language": "de",
    "Mine": 3,
    "ItemID": 1,
}
AUDIO = {"StreamType": "Audio", "ID": 2, "CodecID": "aac"}


@pytest.mark.parametrize(
    ("text", "video", "audio"),
    [
        ("", True, True),
        ("#video", True, False),
        ("#audio", False, True),
        ("#text", False, False),
        ("#StreamType=Audio", False, True),
        ("#StreamType=video", True, False),
        ("#PID=1", True, False),
        ("#ID=!1", False, True),
        ("#ID!1", False, True),
        ("#ID!=1", False, True),
        ("#PIDI=2", False, True),
        ("#CodecID=avc", True, False),
        ("#Width=640", True, True),
        ("#Width=641", False, True),
        ("#Width-640", False, True),
        ("#Width-641", True, True),
        ("#Width+640", False, True),
        ("#Width+639", True, True),
        ("#Width+0.6k", True, True),
        ("#FPS=25", True, True),
        ("#FPS+24", True, True),
        ("#FPS-25/1", False, True),
        ("#Language=de", True, True),
        ("#Language=en", False, True),
        ("#Mine=3", True, True),
        ("#Mine=03", True, True),
        ("#Mine=4", False, True),
        ("#Mine+2", True, True),
        ("#Mine=x", False, True),
        ("#ServiceID=*", True, True),
        ("#Width=", True, True),
        ("#ID=ItemID", True, False),
        ("#ID=!ItemID", False, True),
        ("#Width=640#FPS+24", True, True),
        ("#Width=640#FPS+25", False, True),
        ("#video#ID=1", True, False),
    ],
)
def test_which_pids_match(text, video, audio):
    selector = Selector.parse(text)
    assert selector.matches(VIDEO, "v", 1) is video
    assert selector.matches(AUDIO, "a", 1) is audio


def test_the_nth_of_a_type():
    second = Selector.parse("#video2")
    assert [second.matches(VIDEO, "v", ordinal) for ordinal in (1, 2, 3)] == [False, True, False]
    assert not second.matches(AUDIO, "a", 2)
    assert Selector.parse("#audio1").matches(AUDIO, "a", 1)


@pytest.mark.parametrize("name", ["subs", "video0", "cam-left", "left+right eye"])
def test_a_pid_is_found_by_name(name):
    selector = Selector.parse(f"#{name}")
    assert selector.matches(VIDEO, name)
    assert not selector.matches(VIDEO, "other")


@pytest.mark.parametrize(("sign", "value"), [("+", "1"), ("-", "1")])
def test_only_numbers_are_more_or_less(sign, value):
    assert not Selector.parse(f"#Mine{sign}{value}").matches({"Mine": "text"})
    assert not Selector.parse(f"#Mine{sign}{value}").matches({"Mine": True})


@pytest.mark.parametrize(
    ("text", "source"), [("#video", ""), ("*#video", ""), ("reader#video", "reader"), ("reader", "reader")]
)
def test_a_selector_may_name_its_source(text, source):
    assert Selector.parse(text).source == source


def test_a_list_of_sources():
    assert [str(selector) for selector in parse_sources("1,2#video,#audio")] == ["1", "2#video", "#audio"]
    assert parse_sources("") == []


def test_source_dot_video_is_a_selector():
    assert Selector.of_type("video") == Selector.parse("#video")
    assert Selector.of_type("Visual", 2) == Selector.parse("#video2")
    assert Selector.of_type("subtitle") == Selector.parse("#text")


def test_the_fragment_character_can_be_changed():
    assert Selector.parse("a$video", fragment="$") == Selector.parse("a#video")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("#", "selector '#' has nothing after '#'"),
        ("#Width=wide", "selector '#Width=wide': property Width: 'wide' is not a whole number"),
        ("#Width+wide", "selector '#Width+wide': 'wide' is not a number, and + and - compare numbers"),
        ("#CodecID+3", "selector '#CodecID+3': CodecID is no number, and + and - compare numbers"),
        (
            "a#Width=640#FPS=x",
            "selector 'a#Width=640#FPS=x': property FPS: 'x' is not a fraction such as 30000/1001",
        ),
    ],
)
def test_mistakes_are_named(text, says):
    with pytest.raises(OptionError) as caught:
        Selector.parse(text)
    assert str(caught.value) == says


NUMBERS = st.integers(0, 3000)
FRAGMENTS = st.one_of(
    st.sampled_from(["video", "audio2", "text", "name", "a-b"]),
    st.builds("{}{}{}".format, st.sampled_from(["Width", "PID", "Own"]), st.sampled_from("=!+-"), NUMBERS),
)
TEXTS = st.builds(
    "{}{}".format, st.sampled_from(["", "f"]), st.lists(FRAGMENTS).map(lambda f: "".join(f"#{x}" for x in f))
)


@given(TEXTS)
def test_what_is_written_reads_back(text):
    selector = Selector.parse(text)
    assert Selector.parse(str(selector)) == selector


@given(width=NUMBERS, limit=NUMBERS)
def test_the_signs_agree_with_arithmetic(width, limit):
    def holds(sign):
        return Selector.parse(f"#Width{sign}{limit}").matches({"Width": width})

    assert holds("=") == (width == limit)
    assert holds("!") == (width != limit)
    assert holds("+") == (width > limit)
    assert holds("-") == (width < limit)
