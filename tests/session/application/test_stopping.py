"""Files of applications that are stopped in the middle: they end early, and have no hole before that."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import reelway as rw
from reelway.testing.burnin import read_counter

ENDLESS = "videotestsrc counter=true ! video/x-raw,width=320,height=240"


def stopped(text: str, name: str, count: int, **values: object) -> None:
    """Runs `text` until `count` packets came to the element `name`, and stops it."""
    enough = threading.Event()
    seen = [0]

    def count_up(_pad: object, _packet: rw.Packet) -> None:
        seen[0] += 1
        if seen[0] >= count:
            enough.set()

    app = rw.launch(text, start=False, **values)
    app[name].pad("sink").add_probe("packet", count_up)
    try:
        app.play()
        assert enough.wait(20)
    finally:
        app.stop()


def numbers(path: Path) -> list[int]:
    """What is burned into the pictures of a file."""
    app = rw.launch(
        "filesrc location={path} ! decodebin ! videoconvert ! video/x-raw,format=I420 "
        "! appsink name=out sync=false",
        path=path,
    )
    sink = app["out"].filter
    assert isinstance(sink, rw.AppSink)
    read = [int(read_counter(packet.planes()[0])[0]) for packet in iter(sink.pull, None)]
    app.stop()
    return read


@pytest.mark.parametrize("count", [1, 60, 141])
@pytest.mark.parametrize(
    ("coder", "muxer"),
    [("x264enc", "mp4mux"), ("queue ! x264enc bframes=3 ! queue", "matroskamux"), ("jpegenc", "avimux")],
)
def test_a_stopped_recording_has_every_picture_up_to_its_last(
    coder: str, muxer: str, count: int, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    stopped(
        f"{ENDLESS} ! identity name=i ! {coder} ! {muxer} ! filesink location={{out}}", "i", count, out=out
    )
    read = numbers(out)
    assert len(read) >= min(count, 2)
    assert read == list(range(len(read)))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1000 pictures, most of which are shown in another order than they are coded in."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    app = rw.launch(
        f"{ENDLESS.replace('counter', 'num-buffers=1000 counter')} ! x264enc speed-preset=superfast "
        "bframes=3 ! mp4mux ! filesink location={path}",
        path=path,
        background=False,
    )
    app.stop()
    return path


@pytest.mark.parametrize("count", [40, 42, 91])
@pytest.mark.parametrize("coder", ["x264enc", "jpegenc"])
def test_a_film_that_is_stopped_on_its_way_into_another_has_no_hole(
    coder: str, count: int, film: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mkv"
    stopped(
        f"filesrc location={{film}} ! decodebin ! videoconvert ! identity name=i ! {coder} ! matroskamux "
        "! filesink location={out}",
        "i",
        count,
        film=film,
        out=out,
    )
    read = numbers(out)
    assert len(read) >= 2
    assert read == list(range(len(read)))
