"""libgpac's values: what a script reads, what it may set, and how both are printed."""

from __future__ import annotations

import ctypes
import fractions
from typing import Any

import pytest

import reelway as rw
import reelway.compat.libgpac as gpac
from reelway.compat.libgpac.events import from_reelway_event, to_reelway_event
from reelway.compat.libgpac.properties import from_reelway, held, key_of, shown, to_reelway
from reelway.media.values import Size


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (gpac.Fraction(30000, 1001), "30000/1001"),
        (gpac.Fraction64(3, 0), "3/0"),
        (gpac.PropVec2i(4, 5), "4x5"),
        (gpac.PropVec2(0.5, 2.0), "0.5x2.0"),
        (gpac.PropVec3i(1, 2, 3), "1x2x3"),
        (gpac.PropVec4i(1, 2, 3, 4), "1x2x3x4"),
        (gpac.PropData(b"abc"), "data,size:3"),
    ],
)
def test_how_values_print(value: Any, text: str) -> None:
    assert str(value) == text


def test_values_begin_at_zero() -> None:
    assert (gpac.Fraction().num, gpac.Fraction().den) == (0, 0)
    assert gpac.PropVec4i().w == 0


def test_data_is_read_as_ctypes_reads_it() -> None:
    data = gpac.PropData(b"\x01\x64\x00")
    assert ctypes.string_at(data.ptr, data.size) == b"\x01\x64\x00"
    assert bytes(data) == b"\x01\x64\x00"
    assert gpac.PropData(b"").size == 0


@pytest.mark.parametrize(
    ("name", "reelway", "libgpac"),
    [
        ("StreamType", "Visual", "Visual"),
        ("CodecID", "h264", "avc"),
        ("CodecID", "aac", "aac"),
        ("CodecID", "raw", "raw"),
        ("PixelFormat", "yuv420p", "yuv"),
        ("PixelFormat", "nv12", "nv12"),
        ("PixelFormat", "rgb24", "rgb"),
        ("AudioFormat", "s16", "s16"),
        ("AudioFormat", "fltp", "fltp"),
        ("Width", 640, 640),
        ("Language", "eng", "eng"),
        ("Interlaced", True, True),
        ("FPS", fractions.Fraction(30000, 1001), gpac.Fraction(30000, 1001)),
        ("SAR", fractions.Fraction(4, 3), gpac.Fraction(4, 3)),
        ("Duration", fractions.Fraction(5, 2), gpac.Fraction64(5, 2)),
        ("Role", ["main", "sub"], ["main", "sub"]),
        ("SRDRef", Size(1920, 1080), gpac.PropVec2i(1920, 1080)),
        ("SRD", (1, 2, 3, 4), gpac.PropVec4i(1, 2, 3, 4)),
        ("DecoderConfig", b"\x01", gpac.PropData(b"\x01")),
        ("mine", "text", "text"),
    ],
)
def test_properties_go_both_ways(name: str, reelway: Any, libgpac: Any) -> None:
    assert from_reelway(name, reelway) == libgpac
    assert type(from_reelway(name, reelway)) is type(libgpac)
    back = bytes(libgpac) if isinstance(libgpac, gpac.PropData) else libgpac
    assert to_reelway(name, back) == reelway


def test_what_is_not_known_or_has_no_type_is_none() -> None:
    assert from_reelway("StrideUV", None) is None
    assert from_reelway("StreamInfo", object()) is None
    assert held({}, "Width") is None
    assert held(None, "Width") is None


def test_only_what_libgpac_has_types_for_is_shown() -> None:
    properties = {"Width": 4, "StreamInfo": object(), "Metadata": {"title": "x"}, "mine": "y", "Channels": 2}
    assert dict(shown(properties)) == {"Width": 4, "mine": "y", "NumChannels": 2}


def test_a_property_is_found_by_each_of_its_names() -> None:
    assert held({"Channels": 2}, "NumChannels") == 2
    assert key_of({"Channels": 2}, "NumChannels") == "Channels"
    assert key_of({}, "mine") == "mine"


@pytest.mark.parametrize(
    ("name", "given", "type_", "held"),
    [
        ("mine", 5, 0, "5"),
        ("mine", 5, gpac.GF_PROP_UINT, 5),
        ("mine", [1, 2], gpac.GF_PROP_UINT_LIST, [1, 2]),
        ("mine", [gpac.PropVec2i(1, 2)], gpac.GF_PROP_VEC2I_LIST, [Size(1, 2)]),
        ("CodecID", "Raw", 0, "raw"),
        ("CodecID", "264", 0, "h264"),
        ("StreamType", "video", 0, "Visual"),
        ("PixelFormat", "yuv", 0, "yuv420p"),
        ("AudioFormat", "pcm", 0, "s16"),
        ("FPS", 25, 0, fractions.Fraction(25)),
        ("FPS", 29.97, 0, fractions.Fraction(2997, 100)),
        ("Duration", 1.5, 0, fractions.Fraction(3, 2)),
        ("PStart", 2, 0, 2.0),
        ("Interlaced", 1, 0, True),
    ],
)
def test_setting_a_property(name: str, given: Any, type_: int, held: Any) -> None:
    assert to_reelway(name, given, type_) == held


@pytest.mark.parametrize(
    ("name", "given", "type_", "wanted"),
    [
        ("Width", "wide", 0, "a whole number"),
        ("Width", 1.5, 0, "a whole number"),
        ("Width", -1, 0, "negative"),
        ("FPS", gpac.Fraction(1, 0), 0, "no number"),
        ("SRDRef", 3, 0, "a size"),
        ("CodecID", 3, 0, "a name"),
        ("mine", "x", gpac.GF_PROP_UINT, "a whole number"),
    ],
)
def test_a_value_that_does_not_fit_says_what_would(name: str, given: Any, type_: int, wanted: str) -> None:
    with pytest.raises(rw.OptionError, match=f"property {name}: .*{wanted}"):
        to_reelway(name, given, type_)


def test_an_argument_prints_what_it_is() -> None:
    arg = gpac.FilterArg(b"saps", b"which packets", gpac.GF_PROP_UINT, b"0", b"0-4")
    assert str(arg) == "- saps (uint): which packets (default: 0 min_max_enum: 0-4)"
    assert str(gpac.FilterArg(b"rt", b"real time", gpac.GF_PROP_BOOL)) == "- rt (bool): real time"


# Events


def event(type_: int, part: str = "base", **values: Any) -> gpac.FilterEvent:
    evt = gpac.FilterEvent(type_)
    for name, value in values.items():
        setattr(getattr(evt, part), name, value)
    return evt


def test_play_from_the_start_is_what_a_session_does_unasked() -> None:
    assert to_reelway_event(event(gpac.GF_FEVT_PLAY)) is None
    assert (
        to_reelway_event(event(gpac.GF_FEVT_PLAY, "play", start_range=0.0, end_range=-1.0, speed=1.0)) is None
    )


@pytest.mark.parametrize(
    ("evt", "expected"),
    [
        (
            event(gpac.GF_FEVT_PLAY, "play", start_range=2.5, speed=2.0),
            rw.events.Play(start_s=2.5, speed=2.0),
        ),
        (
            event(gpac.GF_FEVT_PLAY, "play", start_range=1.0, end_range=3.0),
            rw.events.Play(start_s=1.0, end_s=3.0),
        ),
        (event(gpac.GF_FEVT_STOP), rw.events.Stop()),
        (
            event(gpac.GF_FEVT_BUFFER_REQ, "buffer_req", max_buffer_us=10, min_playout_us=3),
            rw.events.BufferRequirement(max_buffer_us=10, min_playout_us=3),
        ),
    ],
)
def test_events_go_out(evt: gpac.FilterEvent, expected: rw.events.Event) -> None:
    assert to_reelway_event(evt) == expected


def test_events_come_in() -> None:
    play = from_reelway_event(rw.events.Play(start_s=1.5, end_s=4.0, speed=0.5))
    assert (play.base.type, play.play.start_range, play.play.end_range, play.play.speed) == (1, 1.5, 4.0, 0.5)
    seek = from_reelway_event(rw.events.Seek(time_s=7.0))
    assert (seek.base.type, seek.play.start_range) == (gpac.GF_FEVT_PLAY, 7.0)
    assert from_reelway_event(rw.events.Stop()).base.type == gpac.GF_FEVT_STOP
    need = from_reelway_event(rw.events.BufferRequirement(max_buffer_us=9))
    assert (need.base.type, need.buffer_req.max_buffer_us) == (gpac.GF_FEVT_BUFFER_REQ, 9)
    assert from_reelway_event(rw.events.User(name="x")).base.type == gpac.GF_FEVT_USER


def test_an_event_that_reelway_lacks_arrives_as_it_was_sent() -> None:
    evt = event(gpac.GF_FEVT_QUALITY_SWITCH, "quality_switch", up=True)
    sent = to_reelway_event(evt)
    assert sent is not None
    assert from_reelway_event(sent) is evt
