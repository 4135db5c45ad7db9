"""What acceptance tests share: filters in Python that change pictures, and looks at what came out."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy

import reelway as rw

BLACK_AND_WHITE = 0xFFFF
"""A counter of `make` in an inverted picture is this less the number."""


class Invert(rw.Filter):
    """Inverts luma in place, the burned-in counter too."""

    inputs = (rw.Caps(StreamType="Visual", CodecID="raw", PixelFormat="yuv420p"),)
    outputs = (rw.Caps(StreamType="Visual", CodecID="raw"),)

    def configure(self, pid: rw.Link) -> None:
        if pid.output is None:
            self.new_pid(of=pid)
        else:
            pid.output.copy_properties(pid)

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                luma = packet.writable()[0]
                numpy.subtract(255, luma, out=luma)
                assert pid.output is not None
                pid.output.send(packet)


@rw.video_filter(pixel_format="yuv420p")
def invert_planes(image: Any) -> Any:
    lines = image.shape[0] * 2 // 3
    made = image.copy()
    made[:lines] = 255 - image[:lines]
    return made


@rw.video_filter(pixel_format="rgb24")
def invert_rgb(image: Any) -> Any:
    return 255 - image


@rw.video_filter(pixel_format="rgb24", writable=True)
def invert_in_place(image: Any) -> Any:
    numpy.subtract(255, image, out=image)
    return image


class Shown(NamedTuple):
    """One decoded picture: seconds, and (lines, columns) of luma."""

    time: Fraction
    luma: Any


def shown(path: Path, **options: Any) -> list[Shown]:
    """All pictures of a file as PyAV decodes them, without Reelway."""
    with av.open(str(path), **options) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        found = []
        for frame in container.decode(stream):
            plane = frame.planes[0]
            wide = numpy.frombuffer(plane, numpy.uint8).reshape(-1, abs(plane.line_size))
            assert frame.pts is not None
            at = Fraction(frame.pts) * Fraction(frame.time_base or 0)
            found.append(Shown(at, wide[: frame.height, : frame.width].copy()))
        return found


def heard(path: Path) -> tuple[Fraction, int, Any]:
    """(time of the first sample [s], sample rate, (samples,) float of the first channel), by PyAV."""
    with av.open(str(path)) as container:
        start: Fraction | None = None
        pieces, rate = [], 0
        for frame in container.decode(audio=0):
            if start is None:
                start = Fraction(frame.pts or 0) * Fraction(frame.time_base or 0)
                rate = frame.sample_rate
            array = frame.to_ndarray()
            if not frame.format.is_planar:
                array = array.reshape(-1, frame.layout.nb_channels).T
            scale = 1.0 if array.dtype.kind == "f" else 2.0 ** (8 * array.itemsize - 1)
            pieces.append(array[0] / scale)
        assert start is not None
        return start, rate, numpy.concatenate(pieces)


def clicks(start: Fraction, rate: int, samples: Any) -> list[float]:
    """When a click begins [s]: loud after a tenth of a second of silence."""
    loud = numpy.flatnonzero(numpy.abs(samples) > 0.1)
    first = numpy.concatenate(([True], numpy.diff(loud) > rate // 10))
    return [float(start) + int(at) / rate for at in loud[first]]


def ffmpeg(tool: Path | str, *arguments: Any) -> bytes:
    """What Debian's ffmpeg writes to its standard output."""
    command = [str(tool), "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
