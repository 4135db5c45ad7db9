"""Programs in the manner of GStreamer's tutorials, run by `reelway script`: what they print and write."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import av
import numpy
import pytest

from tests.conftest import needs
from tests.display.showing import until
from tests.display.xserver import XServer, xserver
from tests.media import make

SCRIPTS = Path(__file__).parent / "scripts"
RUNNER = "import sys; from reelway.cli import main; sys.exit(main())"
COMMAND = [sys.executable, "-c", RUNNER, "script"]
LIMIT_S = 60


def run(script: str, source: str = "", dest: Path | None = None, code: int = 0) -> list[str]:
    """The lines that a script prints; what it says on stderr comes after them."""
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    if source:
        environment["SOURCE"] = str(make.media(source))
    if dest is not None:
        environment["DEST"] = str(dest)
    command = [*COMMAND, str(SCRIPTS / script)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert code or not done.stderr, done.stderr
    return (done.stdout + done.stderr).splitlines()


# The documents' own


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[XServer]:
    needs("xvfb")
    with xserver(tmp_path_factory.mktemp("screen")) as server:
        yield server


def on_screen(screen: XServer, **more: str) -> dict[str, str]:
    bare = {
        name: value
        for name, value in os.environ.items()
        if name not in ("WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    }
    return {**bare, "DISPLAY": screen.display, "SDL_RENDER_DRIVER": "software", **more}


def bars_are_shown(screen: XServer) -> bool:
    """Large areas of clear yellow, cyan and magenta: colour bars."""
    picture = screen.screen() > 100
    seen = (numpy.all(picture == wanted, axis=2).sum() for wanted in ((1, 1, 0), (0, 1, 1), (1, 0, 1)))
    return all(count > 64 * 200 for count in seen)


def snow_is_shown(screen: XServer) -> bool:
    """Grey noise over a part of the screen as large as a picture."""
    picture = screen.screen().astype(int)
    grey = numpy.ptp(picture, axis=2) < 12
    noisy = numpy.abs(numpy.diff(picture[..., 0], axis=1)) > 20
    return bool((grey[:, 1:] & noisy).sum() > 320 * 240 // 3)


def ball_is_shown(screen: XServer) -> bool:
    """One white disc on black."""
    white = screen.screen().min(axis=2) > 200
    columns = numpy.flatnonzero(white.any(axis=0))
    return columns.size > 20 and white.sum() < 320 * 240 // 4 and bool((numpy.diff(columns) == 1).all())


@pytest.mark.debian("graphviz")
def test_the_documents_dot_file_and_window(screen: XServer, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, str(SCRIPTS / "gst_01_dot.py")],
        cwd=tmp_path,
        env=on_screen(screen, GST_DEBUG_DUMP_DOT_DIR="."),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: bars_are_shown(screen))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=LIMIT_S)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in said
    drawn = subprocess.run(
        ["dot", "-Tplain", "debug_pipe.dot"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert [line.split()[0] for line in drawn.splitlines()].count("node") == 3
    assert [line.split()[0] for line in drawn.splitlines()].count("edge") == 2
    assert "num-buffers=100" in drawn


def test_without_that_variable_nothing_is_drawn(tmp_path: Path) -> None:
    text = (
        "import gi\nfrom gi.repository import Gst\nGst.init(None)\n"
        "p = Gst.parse_launch('fakesrc ! fakesink')\n"
        "Gst.debug_bin_to_dot_file(p, Gst.DebugGraphDetails.ALL, 'x')\n"
    )
    (tmp_path / "mine.py").write_text(text)
    bare = {name: value for name, value in os.environ.items() if name != "GST_DEBUG_DUMP_DOT_DIR"}
    subprocess.run([*COMMAND, "mine.py"], cwd=tmp_path, env=bare, check=True, timeout=LIMIT_S)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


def test_the_documents_pattern_changed_over_http(screen: XServer) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"server.socket_port": port, "engine.autoreload.on": False}
    setup = f"import cherrypy; cherrypy.config.update({settings}); "
    process = subprocess.Popen(
        [sys.executable, "-c", setup + RUNNER, "script", str(SCRIPTS / "gst_02_http_control.py")],
        env=on_screen(screen, PYTHONUNBUFFERED="1"),  # what it prints is read while it runs
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        until(lambda: snow_is_shown(screen))
        until(lambda: _answers(port))
        assert _ask(port, 1) == 200
        until(lambda: ball_is_shown(screen))
        assert _ask(port, 0) == 200
        until(lambda: snow_is_shown(screen))
        process.send_signal(signal.SIGINT)  # ends the server; then the script waits for another one
        assert process.stdout is not None
        lines = []
        while not lines or "registering" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], f"it ended: {process.wait(10)}"
        assert lines[0] == "Initializing GST Elements\n"
    finally:
        process.kill()
        process.communicate()


def _ask(port: int, number: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/?i={number}", timeout=10) as answer:
        return int(answer.status)


def _answers(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


# Our own, in the manner of the tutorials


def test_elements_by_hand() -> None:
    assert run("gst_03_elements.py") == [
        "videotestsrc source -1",
        "25 snow 1",
        "linked: convert",
        "names: ['capsfilter0', 'convert', 'sink', 'source']",
        "success PLAYING void-pending",
        "end of stream from by-hand",
        "video/x-raw RGB (True, value=64) (True, value=48)",
        "(True, value_numerator=30, value_denominator=1) False",
        "null",
    ]


def test_a_bus_watch_in_a_main_loop() -> None:
    assert run("gst_04_bus_watch.py") == [
        "application: hello 42 with data",
        "eos from pipeline0",
        "[('null', 'ready'), ('ready', 'paused'), ('paused', 'playing')]",
        "asked often: True upwards: True",
        "within two seconds: True",
    ]


def test_pads_that_appear() -> None:
    assert run("gst_05_dynamic_pads.py", "film.mp4") == [
        "pad of decodebin video/x-raw True",
        "pad of decodebin audio/x-raw True",
        "no more pads",
        "buffers: 100 True duration: True 4.0",
    ]


def test_seeking() -> None:
    assert run("gst_06_seeking.py", "film.mp4") == [
        "success",
        "asked: True",
        "seekable: True True 0 4",
        "duration: True 4",
        "seek: True",
        "at 2.00",
        "seek: True",
        "at 0.52",
        "seek: True",
        "at 3.00",
        "sent: True True",
        "from 1.00 to before 1.5, in order: True",
        "over: True",
    ]


def test_probes() -> None:
    assert run("gst_07_probes.py") == [
        "came: 15 [1, 3, 5] of 30",
        "sizes: {128}",
        "once: 1 events: ['caps', 'eos']",
    ]


def test_frames_as_arrays() -> None:
    assert run("gst_08_appsink_numpy.py", "film.mp4") == [
        "True True",
        "frames: 100 (60, 80, 3) uint8",
        "times go up: True",
        "frames differ: True",
    ]


def test_arrays_into_a_file(tmp_path: Path) -> None:
    dest = tmp_path / "drawn.mp4"
    assert run("gst_09_appsrc_numpy.py", dest=dest) == ["pushed: 50 asked often enough: True"]
    with av.open(str(dest)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 160, 120)
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(stream)]
        assert container.duration == pytest.approx(2_000_000, abs=40_000)
    assert len(frames) == 50
    edges = [int((frame[60] > 128).sum()) for frame in frames]
    assert all(abs(edge - 160 * number // 50) <= 2 for number, edge in enumerate(edges))


def test_elements_in_python() -> None:
    got = [(number * 100, number * 15 + 5, 768) for number in range(8) if number != 2]
    assert run("gst_10_python_elements.py") == [
        "Add 5 5 add",
        "started",
        "caps: (24, 32) True",
        "stopped",
        str(got),
    ]


def test_properties_that_change_while_it_plays() -> None:
    assert run("gst_11_while_playing.py") == [
        "[False, True, False]",
        "[('pattern', 'white'), ('pattern', 'black')]",
        "TypeError: True",
        "TypeError: True",
    ]


def test_a_branch_comes_records_and_goes(tmp_path: Path) -> None:
    dest = tmp_path / "branch.mp4"
    assert run("gst_12_branches.py", dest=dest) == [
        "added: src_1 True",
        "removed: True True",
        "main went on: True",
    ]
    with av.open(str(dest)) as container:
        frames = list(container.decode(video=0))
        assert container.streams.video[0].codec_context.name == "h264"
    assert 15 <= len(frames) <= 45  # about one second
    times = [frame.pts for frame in frames]
    assert times == sorted(set(times))
