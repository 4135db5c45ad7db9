"""rawvideo, rawaudio and parse: what they pass is converted in front of them."""

from __future__ import annotations

import pytest

import reelway as rw
from reelway.filters.passing import Parse, RawAudio, RawVideo
from reelway.testing.conformance import check_filter
from reelway.testing.parts import Collect, numbered
from tests.filters.raw import noise, picture_properties, sound_properties
from tests.media import make


def test_the_contract_is_kept() -> None:
    pictures = noise("yuv420p", 32, 24, 5)
    check_filter(RawVideo, pictures, picture_properties("yuv420p", 32, 24), max_held=0)
    check_filter(RawAudio, numbered(5, size=16), sound_properties(), max_held=0)
    check_filter(Parse, numbered(20), max_held=0)


@pytest.mark.parametrize(("mark", "kind"), [("rawvideo", "video"), ("rawaudio", "audio")])
def test_what_is_coded_is_decoded_in_front_of_it(mark: str, kind: str) -> None:
    sink = Collect()
    with rw.Session() as session:
        source = session.load_src(make.media("film.mp4"))
        (source.video if kind == "video" else source.audio) >> session.load(mark) >> session.add(sink)
        session.run()
    assert sink.only.properties["CodecID"] == "raw"
    assert sink.only.ended


def test_what_is_raw_is_not_touched() -> None:
    sink = Collect()
    with rw.Session() as session:
        source = session.load("testvideo:frames=3:pixel_format=gray")
        source >> session.load("rawvideo") >> session.add(sink)
        session.run()
    assert sink.only.properties["PixelFormat"] == "gray"


def test_a_parser_takes_its_codecs_only() -> None:
    sink = Collect()
    with rw.Session() as session:
        source = session.load_src(make.media("film.mp4"))
        source.video >> session.load("parse:codecs=h264") >> session.add(sink)
        session.run()
    assert sink.only.properties["CodecID"] == "h264"
    assert Parse(codecs="mp3,mp2").inputs[0]["CodecID"] == {"mp3", "mp2"}
