"""What pictures look like is read from their sequence parameter set alone, as encoders write it."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av
import pytest

from reelway.engine import nal
from reelway.engine.parameter_sets import h264_sequence, hevc_sequence
from tests.media import make


@pytest.mark.parametrize(
    ("size", "pixels", "rate", "aspect", "full"),
    [
        ((640, 360), "yuv420p", Fraction(25), None, False),
        ((1918, 1078), "yuv420p", Fraction(30000, 1001), None, True),
        ((322, 242), "yuv422p", Fraction(10), Fraction(4, 3), False),
        ((640, 360), "yuv420p10le", Fraction(25), Fraction(12, 11), False),
    ],
)
def test_pictures_are_described(
    size: tuple[int, int], pixels: str, rate: Fraction, aspect: Fraction | None, full: bool
) -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="h264") as container:
        stream: Any = container.add_stream("libx264", rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = pixels
        stream.codec_context.color_range = 2 if full else 1
        stream.options = {"preset": "ultrafast"}
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        frame = av.VideoFrame(*size, pixels)
        for plane in frame.planes:  # what was in that memory may be no sample of 10 bits, and x264 crashes
            plane.update(bytes(plane.buffer_size))
        for _ in range(2):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    unit = next(unit for unit in nal.split(file.getvalue()) if nal.type_of("h264", unit) == 7)
    _, sequence = h264_sequence(unit)
    picture = sequence.picture
    assert (picture.width, picture.height) == size
    assert sequence.pixel_format == (pixels.replace("yuv", "yuvj") if full else pixels)
    assert picture.fps == rate
    assert picture.aspect in (aspect, aspect or 1)


def test_pictures_of_hevc_are_described() -> None:
    path = make.media("film.h265")
    unit = next(unit for unit in nal.split(path.read_bytes()) if nal.type_of("hevc", unit) == 33)
    _, sequence = hevc_sequence(unit)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        picture = sequence.picture
        assert (picture.width, picture.height) == (stream.width, stream.height)
        assert sequence.pixel_format == stream.pix_fmt
        assert picture.fps == stream.guessed_rate
