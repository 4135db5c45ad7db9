"""The codecs' filters keep the contract that every filter keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import reelway as rw
from reelway import catalog
from reelway.testing.conformance import check_filter
from tests.engine.parts import picture_properties, pictures, sound_properties, tones
from tests.engine.test_decode import coded
from tests.media import make

PICTURES = picture_properties((320, 240), 1000)
SOUND = sound_properties(48000, 2, "s16")


def packets(source: Any) -> list[rw.Packet]:
    return [each for each in source.items if isinstance(each, rw.Packet)]


class Encode(catalog.find("encode")):  # type: ignore[misc]  # a class by its name
    """Without its StreamInfo, which is not comparable: each run has another one."""

    def new_pid(self, *arguments: Any, **properties: Any) -> rw.Pid:
        return super().new_pid(*arguments, **{**properties, "StreamInfo": None})  # type: ignore[no-any-return]


def filter_of(name: str, **options: Any) -> Callable[[], rw.Filter]:
    return lambda: catalog.find(name)(**options)


@pytest.mark.parametrize(
    "options",
    [{}, {"format": "rgb24"}, {"width": 160}, {"rotate": 90}, {"format": "yuv444p", "matrix": "bt709"}],
)
def test_convert(options: dict[str, Any]) -> None:
    check_filter(
        filter_of("convert", **options), packets(pictures(range(0, 400, 40), 1000)), PICTURES, max_held=0
    )


@pytest.mark.parametrize("options", [{}, {"format": "fltp"}, {"rate": 44100}, {"channels": 1}])
def test_resample(options: dict[str, Any]) -> None:
    check_filter(filter_of("resample", **options), packets(tones(9600, 480)), SOUND)


@pytest.mark.parametrize("codec", ["mpeg4", "mjpeg", "libx264"])
def test_encode_pictures(codec: str) -> None:
    options = {"preset": "ultrafast"} if codec == "libx264" else {}
    source = packets(pictures(range(0, 400, 40), 1000))
    check_filter(lambda: Encode(codec=codec, threads=1, **options), source, PICTURES)


@pytest.mark.parametrize("codec", ["aac", "libopus", "pcm_s16le"])
def test_encode_sound(codec: str) -> None:
    check_filter(lambda: Encode(codec=codec), packets(tones(9600, 480)), SOUND)


@pytest.mark.parametrize("name", ["plain.mp4", "film.mp4"])
def test_decode(name: str) -> None:
    info, found, timescale = coded(make.media(name))
    properties = {"StreamType": "Visual", "CodecID": "h264", "StreamInfo": info, "Timescale": timescale}
    check_filter(filter_of("decode", threads=2), found[:50], properties)
