"""The resolver: the cheapest chain, nothing decoded twice, and what was missing."""

from __future__ import annotations

from pathlib import Path

import pytest

import reelway as rw
from reelway.graph.caps import Caps, Mismatch, Not
from reelway.graph.resolve import (
    Chain,
    Conversion,
    Converter,
    Demand,
    NoChain,
    Step,
    resolve,
    resolve_through,
)
from tests.media import make

DECODE = Converter("decode", 10, "decode", [Conversion(Caps(CodecID=["h264", "vp9"]), Caps(CodecID="raw"))])
ENCODE = Converter(
    "encode",
    20,
    "encode",
    [Conversion(Caps(CodecID="raw"), Caps(CodecID=["h264", "av1"]), {"CodecID": "codec"})],
)
SCALE = Converter(
    "scale", 2, "scale",
    [Conversion(Caps(CodecID="raw"), Caps(PixelFormat=["rgb24", "gray"]), {"PixelFormat": "format"})],
)  # fmt: skip
DEAR = Converter("dear", 50, "dear", [Conversion(Caps(CodecID="h264"), Caps(CodecID="av1"))])
ALL = [DECODE, ENCODE, SCALE, DEAR]


def names(result: Chain | NoChain) -> list[str]:
    assert isinstance(result, Chain)
    return [step.name for step in result.steps]


def test_what_fits_needs_nothing() -> None:
    assert names(resolve({"CodecID": "h264"}, [Caps(CodecID="h264")], {}, ALL)) == []


def test_the_cheapest_chain_wins() -> None:
    result = resolve({"CodecID": "h264"}, [Caps(CodecID="av1")], {}, ALL)
    assert names(result) == ["decode", "encode"]  # 30, and not 50
    assert isinstance(result, Chain)
    assert result.steps[1].options == {"codec": "av1"}
    assert result.properties["CodecID"] == "av1"
    cheap = Converter("cheap", 5, "cheap", DEAR.conversions)
    assert names(resolve({"CodecID": "h264"}, [Caps(CodecID="av1")], {}, [*ALL, cheap])) == ["cheap"]


def test_choices_narrow_backwards_into_options() -> None:
    result = resolve({"CodecID": "vp9"}, [Caps(CodecID="raw", PixelFormat="gray")], {}, ALL)
    assert names(result) == ["decode", "scale"]
    assert isinstance(result, Chain)
    assert result.steps[1].options == {"format": "gray"}


def test_preferences_decide_between_choices() -> None:
    wants = [Caps(CodecID=["h264", "av1"])]
    for preferred in ("h264", "av1"):
        result = resolve({"CodecID": "raw"}, wants, {"CodecID": preferred}, ALL)
        assert isinstance(result, Chain)
        assert result.properties["CodecID"] == preferred
        assert result.steps[0].options == {"codec": preferred}


def test_no_kind_comes_twice_and_what_is_missing_is_told() -> None:
    again = Converter("again", 1, "decode", [Conversion(Caps(CodecID="raw"), Caps(CodecID="odd"))])
    result = resolve({"CodecID": "h264"}, [Caps(CodecID="odd")], {}, [DECODE, again])
    assert isinstance(result, NoChain)
    result = resolve({"CodecID": "vp9", "List": []}, [Caps(CodecID="raw", Width=5)], {}, [DECODE])
    assert isinstance(result, NoChain)
    assert str(result.mismatch) == "Width is not set, wanted 5"
    assert result.through == ("decode",)


RAW = {"CodecID": "raw", "PixelFormat": "nv12", "Width": 320, "Height": 240, "Rotate": 1}
CONVERT = Converter(
    "convert",
    5,
    "convert",
    [
        Conversion(
            Caps(CodecID="raw"),
            Caps(PixelFormat=["rgb24", "nv12", "yuv420p"], Width=Not(), Height=Not()),
            {"PixelFormat": "format", "Width": "width", "Height": "height"},
            removes=frozenset(["Rotate"]),
        )
    ],
)


def steps(wanted: Caps, preferred: dict[str, object] | None = None) -> tuple[list[Step], dict[str, object]]:
    result = resolve(RAW, [wanted], preferred or {}, [CONVERT, ENCODE])
    assert isinstance(result, Chain)
    return list(result.steps), dict(result.properties)


def test_what_is_left_open_stays_and_is_not_asked_for() -> None:
    made, properties = steps(Caps(Width=640), {"PixelFormat": "yuv420p"})
    assert made == [Step("convert", {"width": 640})]
    assert properties == {"CodecID": "raw", "PixelFormat": "nv12", "Width": 640, "Height": 240}


def test_numbers_go_to_the_nearest_rather_above() -> None:
    assert steps(Caps(Width=[100, 300, 400, 640]))[0] == [Step("convert", {"width": 400})]
    assert steps(Caps(Width=[100, 300]))[0] == [Step("convert", {"width": 300})]


def test_what_a_converter_takes_away_is_gone() -> None:
    assert steps(Caps(Rotate=Not(1, 2, 3))) == (
        [Step("convert", {})],
        {"CodecID": "raw", "PixelFormat": "nv12", "Width": 320, "Height": 240},
    )


def test_anything_but() -> None:
    made, properties = steps(Caps(PixelFormat=Not("nv12", "rgb24"), Width=Not(160)))
    assert made == [Step("convert", {"format": "yuv420p"})]
    assert (properties["PixelFormat"], properties["Width"]) == ("yuv420p", 320)


def test_anything_but_what_it_is_says_nothing_to_a_converter_that_makes_any() -> None:
    result = resolve(RAW, [Caps(Width=Not(320))], {}, [CONVERT, ENCODE])
    assert result == NoChain(Mismatch("Width", 320, Not(320)), ())


def test_a_converter_that_is_demanded_and_blacklisted_is_named(tmp_path: Path) -> None:
    dst = tmp_path / "out.mp4"
    with rw.Session(blacklist="encode") as session:
        session.load_src(str(make.media("film.mp4")))
        session.load_dst(str(dst), video="libx264")
        with pytest.raises(rw.LinkError, match="^encode is asked for .*, and it is blacklisted") as told:
            session.run()
    assert told.value.hint is not None
    assert told.value.hint.startswith("take encode out of blacklist= of the session")
    assert not dst.exists()
    with pytest.raises(rw.LinkError, match="scale is asked for"):
        resolve_through(
            Demand("scale", {"Width": 5}, {}), {"CodecID": "raw"}, [Caps(CodecID="raw")], {}, [DECODE]
        )
