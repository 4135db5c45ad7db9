"""Uncoded pictures in containers: readers see the pictures that went in, or the container is refused."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

import reelway as rw
from reelway.errors import LinkError
from tests.media import make, probe

HELD = {
    "avi": {"yuv420p", "yuv422p", "gray", "nv12", "yuyv422", "uyvy422"},
    "mov": {"yuyv422", "uyvy422", "rgb24", "bgr24"},
    "mkv": {"yuv420p", "yuv422p", "gray", "nv12", "yuyv422", "uyvy422"},
    "nut": {"yuv420p", "yuv422p", "gray", "nv12", "yuyv422", "uyvy422", "rgb24", "bgr24", "yuv444p"},
}
FORMS = sorted(HELD["nut"])


def uncoded(pix_fmt: str, path: Path, count: int = 5, tag: str = "") -> Path:
    """Numbered pictures; with the tag YV12 with their planes of colour in the other order."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("rawvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pix_fmt
        if tag:
            stream.codec_context.codec_tag = tag
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(make.counter_picture(number, (64, 48)), "yuv420p")
            frame.planes[1].update(bytes([90]) * frame.planes[1].buffer_size)
            container.mux(stream.encode(frame.reformat(format=pix_fmt)))
        container.mux(stream.encode(None))
    return path


def pictures(path: Path) -> list[tuple[str, bytes]]:
    with av.open(str(path)) as container:
        return [
            (f.format.name, f.reformat(format="rgb24").to_ndarray().tobytes()) for f in container.decode()
        ]


@pytest.mark.parametrize("target", HELD)
@pytest.mark.parametrize("pix_fmt", FORMS)
def test_pictures_come_out_as_they_went_in_or_are_refused(pix_fmt: str, target: str, tmp_path: Path) -> None:
    source, result = uncoded(pix_fmt, tmp_path / "in.nut"), tmp_path / f"out.{target}"
    if pix_fmt in HELD[target]:
        rw.run(str(source), str(result))
        assert pictures(result) == pictures(source)
        return
    result.write_bytes(b"precious")
    with pytest.raises(LinkError, match=f"{target} cannot hold rawvideo of {pix_fmt}") as caught:
        rw.run(str(source), str(result))
    assert "or encode, with video=" in str(caught.value.hint)
    assert result.read_bytes() == b"precious"


def coded_as_nothing(result: Path) -> None:
    with rw.Session() as session:
        source = session.load_src(str(make.media("film.mp4")))
        source.video >> session.load_dst(str(result), video="rawvideo")
        session.run()


@pytest.mark.parametrize("target", ["avi", "mkv", "nut"])
def test_from_yuv4mpeg_through_avi_and_on(target: str, tmp_path: Path) -> None:
    raw, middle, result = tmp_path / "raw.y4m", tmp_path / "raw.avi", tmp_path / f"out.{target}"
    coded_as_nothing(raw)
    assert rate(raw) == 25
    rw.run(str(raw), str(middle))
    rw.run(str(middle), str(result))
    numbers = probe.counters(make.media("film.mp4"))
    assert probe.counters(middle) == probe.counters(result) == numbers
    assert rate(result) == 25


def rate(path: Path) -> Fraction | None:
    with av.open(str(path)) as container:
        return container.streams.video[0].average_rate


@pytest.mark.parametrize("target", ["avi", "mkv", "nut"])
def test_planes_in_another_order_keep_their_name(target: str, tmp_path: Path) -> None:
    source, result = uncoded("yuv420p", tmp_path / "in.avi", tag="YV12"), tmp_path / f"out.{target}"
    rw.run(str(source), str(result))
    assert pictures(result) == pictures(source)


def test_pictures_that_are_uncoded_on_the_way_out(tmp_path: Path) -> None:
    result = tmp_path / "out.avi"
    coded_as_nothing(result)
    assert probe.counters(result) == probe.counters(make.media("film.mp4"))
