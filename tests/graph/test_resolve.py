"""The resolver: the cheapest chain, nothing decoded twice, and what was missing."""

from __future__ import annotations

from reelway.graph.caps import Caps
from reelway.graph.resolve import Chain, Conversion, Converter, NoChain, resolve

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
