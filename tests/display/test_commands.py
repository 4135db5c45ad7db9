"""`reelway play` and `reelway view` as a user runs them, on a real screen that is read back."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest

import reelway as rw
from reelway.cli import show
from reelway.display.sound import AudioSink
from reelway.display.window import VideoSink
from reelway.engine import cameras
from reelway.media.layout import Array
from reelway.session.showing import Player, Showing
from reelway.testing.burnin import read_counter
from tests.display.showing import until
from tests.display.xclient import desktop
from tests.display.xserver import XServer
from tests.live.serving import free_port
from tests.secrets import PLAIN, USER

LIMIT_S = 30


@contextlib.contextmanager
def running(*words: object, **environment: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-m", "reelway", *map(str, words)]
    settings = {**os.environ, "SDL_AUDIODRIVER": "dummy", **environment}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=settings
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=LIMIT_S)
    return process.returncode, out, err


def luma(screen: XServer, left: int, top: int, width: int, height: int) -> Array:
    part = screen.screen()[top : top + height, left : left + width].astype(float)
    made: Array = (part @ (0.299, 0.587, 0.114)).round().astype(numpy.uint8)
    return made


def where(screen: XServer, title: str) -> tuple[int, int]:
    """The upper left corner of what a window of that title shows."""
    with desktop(screen.display) as desk:
        until(lambda: title in desk.windows(), "no window")
    lit = numpy.argwhere(screen.screen().any(axis=2))
    top, left = (int(each) for each in lit.min(axis=0))
    return left, top


@pytest.fixture
def folder() -> Iterator[str]:
    """Of what is shared: its path is short enough for a socket."""
    path = tempfile.mkdtemp(prefix="rw-")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    with rw.Session() as session:
        sink = session.load_dst(path)
        session.load("testvideo:size=320x240:frames=75") >> sink
        session.load("testaudio:duration=3") >> sink
        session.run()
    return path


@pytest.mark.alone
def test_a_film_is_played_at_its_speed_and_ends(screen: XServer, film: Path) -> None:
    with running("play", film) as process:
        with desktop(screen.display) as desk:
            until(lambda: "film.mp4" in desk.windows(), "no window")
        seen: list[tuple[float, int]] = []
        while process.poll() is None:
            picture = screen.screen()
            lit = numpy.argwhere(picture.any(axis=2))
            if len(lit):
                top, left = lit.min(axis=0)
                read = read_counter(luma(screen, int(left), int(top), 320, 240))
                if read is not None and (not seen or seen[-1][1] != read[0]):
                    seen.append((time.monotonic(), read[0]))
        assert ended(process) == (0, "", "")
    numbers = [number for _, number in seen]
    assert numbers == sorted(numbers)
    assert len(numbers) > 20
    took_s = seen[-1][0] - seen[0][0]
    assert abs(took_s - (numbers[-1] - numbers[0]) / 25) < 0.3


def test_closing_the_window_ends_it(screen: XServer) -> None:
    with running("play", "testvideo:live=on") as process:
        with desktop(screen.display) as desk:
            until(lambda: "testvideo:live=on" in desk.windows(), "no window")
            desk.press_close_button(desk.windows()["testvideo:live=on"])
        assert ended(process) == (0, "", "")


COLOURS = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}


def test_four_sources_are_a_grid(screen: XServer) -> None:
    sources = [f"testvideo:live=on:size=320x240:pattern=solid:color={name}" for name in COLOURS]
    with running("view", *sources, "--size", "640x480") as process:

        def shows() -> bool:
            picture = screen.screen().astype(int)
            lit = numpy.argwhere(picture.max(axis=2) > 60)
            if not len(lit):
                return False
            top, left = lit.min(axis=0)
            if top + 480 > picture.shape[0] or left + 640 > picture.shape[1]:  # half drawn
                return False
            corners = [picture[top + y, left + x] for y in (200, 440) for x in (160, 480)]
            wanted = COLOURS.values()
            return all(abs(have - want).max() < 12 for have, want in zip(corners, wanted, strict=True))

        until(shows, "the colours do not come")
        process.send_signal(signal.SIGINT)
        assert ended(process) == (130, "", "reelway: interrupted\n")


def test_a_camera_that_is_not_there_ends_no_other(screen: XServer) -> None:
    missing = f"rtsp://{USER}:{PLAIN}@127.0.0.1:{free_port()}/stream"
    with running("view", missing, "testvideo:live=on:size=320x240", "--size", "640x240") as process:
        found: set[int] = set()

        def counts() -> bool:
            """In its own half."""
            lit = numpy.argwhere(screen.screen().any(axis=2))
            if len(lit):
                top, left = lit.min(axis=0)
                read = read_counter(luma(screen, int(left), int(top), 320, 240))
                found.update(read[:1] if read is not None else ())
            return len(found) > 10

        until(counts)
        process.send_signal(signal.SIGTERM)
        returned, out, err = ended(process)
    assert (returned, out) == (143, "")
    assert f"rtsp://{USER}:***@127.0.0.1" in err
    assert "tries again" in err


def test_what_another_process_shares_is_shown(screen: XServer, folder: str) -> None:
    with (
        running("share", "testvideo:live=on:size=320x240", "--name", "cam1", "-q", REELWAY_SHARE_DIR=folder),
        running("view", "shared:cam1", "--size", "320x240", REELWAY_SHARE_DIR=folder) as viewer,
    ):
        found: list[int] = []

        def counts() -> bool:
            lit = numpy.argwhere(screen.screen().any(axis=2))
            if len(lit):
                top, left = lit.min(axis=0)
                read = read_counter(luma(screen, int(left), int(top), 320, 240))
                if read is not None:
                    found.append(read[0])
            return len(set(found)) > 10

        until(counts)
        assert found == sorted(found)
        viewer.send_signal(signal.SIGTERM)
        assert ended(viewer) == (143, "", "")


@pytest.mark.alone
def test_all_of_a_film_is_shown_and_played(
    screen: XServer, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing of it twice; whether both are in step, test_cameras.py looks at."""
    monkeypatch.setenv("SDL_AUDIODRIVER", "dummy")
    with rw.Session() as session:
        player = Player(session, Showing([str(film)]))
        session.run()
        window = next(each for each in session.filters if isinstance(each, VideoSink))
        sound = next(each for each in session.filters if isinstance(each, AudioSink))
    assert player.shown == {"Visual", "Audio"}
    assert (window.shown, window.last_shown) == (75, 74 / 25)
    assert sound.played_s == pytest.approx(3, abs=0.15), "the stand-in's clock is 1.6 % fast"
    assert screen.screen().max() == 0, "the window has gone"


def test_what_cannot_be_shown_is_told(screen: XServer, tmp_path: Path) -> None:
    assert screen.display
    cases = {
        ("play", "nothing.mp4"): (1, "nothing.mp4: No such file or directory"),
        ("play", "/dev/video93"): (1, "/dev/video93: "),
        ("play", "a", "b"): (2, "'b' is one too many"),
        ("view", "testvideo", "--size", "big"): (2, "'big' is not a size"),
        ("view", "testaudio:duration=1"): (1, "testaudio"),
        ("cameras", "x"): (2, "'x' is one too many"),
    }
    for words, (code, text) in cases.items():
        with running(*words) as process:
            returned, out, err = ended(process)
        assert (returned, out) == (code, ""), (words, err)
        assert text in err, (words, err)
        assert "Traceback" not in err


@pytest.mark.parametrize(
    "url", ["rtsp://user:q7xsecret@host", "rtsp://user:q7xsecret@host/stream1", "rtmp://host/app/q7xsecret"]
)
def test_a_title_tells_no_secret(url: str) -> None:
    with rw.Session() as session:
        window = Showing([url]).window(session)
        assert isinstance(window, VideoSink)
        assert window.title
        assert "secret" not in window.title


def test_a_grid_waits_for_who_has_not_begun(screen: XServer, tmp_path: Path, folder: str) -> None:
    """A clip that is over at once, and of which one stream is shown, beside a source that comes later."""
    with rw.Session() as session:
        sink = session.load_dst(tmp_path / "two.mp4")
        for _ in range(2):
            session.load("testvideo:size=320x240:frames=5") >> sink
        session.run()
    both = tmp_path / "two.mp4", "shared:cam1"
    with running("view", *both, "--size", "640x240", REELWAY_SHARE_DIR=folder) as viewer:
        with desktop(screen.display) as desk:
            until(lambda: "two.mp4, shared:cam1" in desk.windows(), "no window")
        late = "testvideo:live=on:size=320x240:pattern=blue"
        with running("share", late, "--name", "cam1", "-q", REELWAY_SHARE_DIR=folder):

            def shows() -> bool:
                picture = screen.screen().astype(int)
                blue = (picture[..., 2] > 200) & (picture[..., 0] < 50)
                return bool(blue.sum() > 320 * 150)

            until(shows, "the late one does not come")
            viewer.send_signal(signal.SIGTERM)
            assert ended(viewer) == (143, "", "")


def test_a_machine_without_cameras_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cameras, "DEVICES", tmp_path)
    assert show.cameras() == 0
    assert capsys.readouterr().out == "no camera is on this machine\n"


def test_a_camera_is_listed_with_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "video7").mkdir()
    (tmp_path / "video7" / "name").write_text("Integrated Camera\n")
    monkeypatch.setattr(cameras, "DEVICES", tmp_path)
    monkeypatch.setattr(cameras, "captures", lambda device: device == "/dev/video7")
    assert show.cameras() == 0
    assert capsys.readouterr().out.split() == ["device", "name", "/dev/video7", "Integrated", "Camera"]
