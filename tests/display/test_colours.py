"""Colours on the screen, read back from the X server, against computed ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest

import reelway as rw
from reelway.display.window import VideoSink
from tests.display.showing import blocks, show, until
from tests.display.xserver import XServer
from tests.filters.raw import picture_properties

CLOSE = 3
"""Of 255; samples of 8 bits and SDL's arithmetic both round."""

YUV = ["yuv420p", "nv12", "nv21", "yuv422p", "yuv444p", "yuv420p10le"]
RGB = ["rgb24", "bgr24", "rgba", "bgra", "argb", "abgr", "rgb0", "bgr0", "gbrp"]


def off(seen: Any) -> Any:
    """The greatest difference from `blocks()` inside them: converters smooth chroma at their edges."""
    squares = numpy.abs(seen.astype(int) - blocks()).reshape(8, 16, 12, 16, 3)
    return squares[:, 4:-4, :, 4:-4].max()


def on_screen(screen: XServer, properties: dict[str, Any]) -> tuple[Any, VideoSink]:
    with show(properties) as made:
        made.push(blocks())
        return screen.screen()[:128, :192].astype(int), made.sink


def direct(properties: dict[str, Any]) -> bool:
    """Nothing is put between a source of these and the window."""
    with rw.Session() as session:
        session.add(rw.AppSource(properties=properties)) >> session.add(VideoSink())
        return "convert" not in str(session.explain())


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", ["smpte170m", "bt709", "bt2020nc"])
@pytest.mark.parametrize("format", YUV)
def test_yuv_as_computed(format: str, matrix: str, full: bool, screen: XServer) -> None:
    properties = {**picture_properties(format, 192, 128), "ColorMatrix": matrix, "FullRange": full}
    seen, _ = on_screen(screen, properties)
    assert off(seen) <= CLOSE
    knows = (matrix, full) in (("smpte170m", False), ("smpte170m", True), ("bt709", False))
    assert direct(properties) == (knows and format in YUV[:3])


@pytest.mark.parametrize("format", RGB)
def test_rgb_is_exact(format: str, screen: XServer) -> None:
    properties = picture_properties(format, 192, 128)
    seen, _ = on_screen(screen, properties)
    assert off(seen) == 0
    assert direct(properties) == (format != "gbrp")


def test_a_small_picture_that_does_not_say_its_matrix_is_bt601(screen: XServer) -> None:
    seen, sink = on_screen(screen, picture_properties("yuv420p", 192, 128))
    assert off(seen) <= CLOSE
    assert sink.status == "192x128 yuv420p on x11"


def test_gray(screen: XServer) -> None:
    level = blocks().mean(2).astype(numpy.uint8)[:, :, None].repeat(3, 2)
    with show(picture_properties("gray", 192, 128)) as made:
        made.push(level)
        assert numpy.abs(screen.screen()[:128, :192].astype(int) - level).max() <= 1


def test_a_pattern_that_was_coded(screen: XServer, tmp_path: Path) -> None:
    """Through an encoder, a file and a decoder."""
    film = str(tmp_path / "bars.mp4")
    pattern = "testvideo:pattern=smpte:counter=no:frames=5:size=320x240"
    with rw.Session() as session:
        session.load(pattern) >> session.load_dst(film, video="libx264:crf=1")
        session.run()
    shots: list[Any] = []

    def look() -> float | None:
        """Once the last frame is there; the session lasts until then."""
        if sink.shown < 5:
            return 0.005
        shots.append(screen.screen()[:240, :320].astype(int))
        return None

    with rw.Session() as session:
        sink = VideoSink(x=0, y=0)
        session.load_src(film) >> session.add(sink)
        assert "-> decode -> videosink" in str(session.explain()), "nothing is converted without need"
        session.post(look)
        session.run()
    with rw.Session() as session:
        pictures = rw.AppSink(pixel_format="rgb24")
        session.load(pattern) >> session.add(pictures)
        session.run()
        first = pictures.poll()
    assert first is not None
    wanted = first.array().astype(int)
    windows = numpy.lib.stride_tricks.sliding_window_view(wanted, (17, 17), axis=(0, 1))
    inside = (windows.max((-1, -2)) == windows.min((-1, -2))).all(-1)
    wrong = numpy.abs(shots[0] - wanted).max(2)[8:-8, 8:-8] > CLOSE
    assert inside.mean() > 0.2
    assert wrong[inside].mean() < 0.001


@pytest.mark.parametrize("size", [(191, 127), (33, 17), (2, 2), (1, 1)])
@pytest.mark.parametrize("format", ["yuv420p", "nv12", "rgb24"])
def test_odd_sizes(format: str, size: tuple[int, int], screen: XServer) -> None:
    width, height = size
    picture = numpy.full((height, width, 3), (30, 160, 90), numpy.uint8)
    with show(picture_properties(format, width, height), width=190, height=126) as made:
        made.push(picture)
        shown = made.sink.snapshot()
        middle = shown[60:66, 90:100].astype(int)
        assert numpy.abs(middle - (30, 160, 90)).max() <= CLOSE


def test_opengl_where_it_is_there_shows_the_same(screen: XServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SDL_RENDER_DRIVER")
    properties = {**picture_properties("yuv420p", 192, 128), "ColorMatrix": "bt709", "FullRange": False}
    with show(properties) as made:
        made.push(blocks())
        assert off(made.sink.snapshot()) <= CLOSE
        until(lambda: bool(off(screen.screen()[:128, :192]) <= CLOSE))
