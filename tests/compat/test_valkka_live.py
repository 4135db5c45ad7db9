"""Valkka's threads with a real camera's server and a real screen."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

import reelway as rw
from reelway.compat.valkka import core
from tests.compat.valkka_peers import Script, Seen, counter, counters
from tests.display.conftest import _server, screen  # noqa: F401 - fixtures
from tests.display.showing import until
from tests.display.xclient import desktop
from tests.display.xserver import XServer
from tests.live.conftest import MakeServer, coded, rtsp_server  # noqa: F401 - fixtures
from tests.live.serving import free_port, wait_for_file
from tests.media import make
from tests.secrets import MARK

FPS = 25
STUBBED = (  # the wheel's windows want a screen of their own: what would be shown is printed
    "import cv2; cv2.imshow = lambda name, image: print(name, image.shape, flush=True); "
    "cv2.waitKey = lambda ms: -1; "
)


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="rw-"))
    monkeypatch.setenv("REELWAY_SHARE_DIR", str(path))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_the_documents_server_with_its_three_clients(rtsp_server: MakeServer, screen: XServer) -> None:  # noqa: F811
    pytest.importorskip("cv2")
    camera = rtsp_server(auth="digest")
    server = Script("valkka_01_server.py", RTSP=camera.url, SECONDS_TO_RUN="8")
    clients = [
        Script("valkka_02_client_api2.py"),
        Script("valkka_03_client_opencv.py", prelude=STUBBED),
        Script("valkka_04_client_api1.py"),
    ]
    wanted = ["got data: ", "valkka_opencv_demo (270, 480, 3)", "payload  "]
    try:
        shown: list[int] = []

        def shows() -> bool:
            shown.extend(counters(screen))
            return len(set(shown)) > 5

        until(shows, "no counters on the screen")
        for client, text in zip(clients, wanted, strict=True):
            until(
                lambda client=client, text=text: sum(text in line for line in client.lines) >= 3,  # type: ignore[misc]
                f"{text} is not printed",
            )
        said = server.end()
    finally:
        server.process.kill()
        errors = [client.kill() for client in clients]
    assert (server.process.returncode, server.lines, said) == (0, ["bye"], "")
    assert errors == ["", "", ""]
    assert shown == sorted(shown)
    assert not any(MARK in line for line in [said, *server.lines])


# What lessons do, each with one camera, or more


@contextlib.contextmanager
def playing(*threads: Any) -> Iterator[None]:
    """They run, and have stopped afterwards."""
    for thread in threads:
        thread.startCall()
    try:
        yield
    finally:
        for thread in threads[::-1]:
            thread.stopCall()


def live(address: str, slot: int, chain: core.FrameFilter) -> core.LiveConnectionContext:
    return core.LiveConnectionContext(core.LiveConnectionType_rtsp, address, slot, chain)


def play(thread: core.LiveThread, context: core.LiveConnectionContext) -> None:
    thread.registerStreamCall(context)
    thread.playStreamCall(context)


def is_picture(frame: core.Frame) -> bool:
    return frame.kind == "Visual"


@pytest.mark.parametrize("form", ["fifo", "last"])
def test_one_stream_is_decoded_and_forked(rtsp_server: MakeServer, form: str) -> None:  # noqa: F811
    camera = rtsp_server(auth="basic", sound="aac")
    coded_ones, decoded, small = Seen(), Seen(), Seen()
    ends = core.ForkFrameFilter("fork", decoded, core.SwScaleFrameFilter("scale", 160, 90, small))
    if form == "fifo":
        fifo = core.FrameFifo("fifo", 10)
        decoder = core.AVThread("av", fifo, ends)
        entry = core.FifoFrameFilter("in", fifo)
    else:
        decoder = core.AVThread("av", ends, core.FrameFifoContext())
        entry = decoder.getFrameFilter()
    streams = core.LiveThread("live")
    with playing(decoder, streams):
        decoder.decodingOnCall()
        play(streams, live(camera.url, 5, core.ForkFrameFilter("first", coded_ones, entry)))
        pictures = decoded.wait(40)[:40]
        both = coded_ones.wait(40, lambda each: each.kind == "Audio")
    assert [counter(frame) for frame in pictures] == list(range(40))
    assert {(frame.slot, frame.subsession) for frame in [*pictures, *both]} == {(5, 0)}
    assert {frame.kind for frame in both} == {"Visual", "Audio"}
    assert all(abs(frame.wall_ms - time.time() * 1000) < 60_000 for frame in pictures)
    assert make.read_counter(small.frames[7].array()) == 7
    assert small.frames[7].array().shape == (90, 160, 3)


def test_decoding_is_switched_off_and_on_while_the_stream_goes_on(rtsp_server: MakeServer) -> None:  # noqa: F811
    camera = rtsp_server()
    received, decoded = Seen(), Seen()
    decoder = core.AVThread("av", decoded)
    streams = core.LiveThread("live")
    with playing(decoder, streams):
        play(streams, live(camera.url, 1, core.ForkFrameFilter("f", received, decoder.getFrameFilter())))
        received.wait(40)
        assert decoded.frames == []
        decoder.decodingOnCall()
        first = counter(decoded.wait(5)[0])
        decoder.decodingOffCall()
        received.wait(len(received.frames) + 5)
        decoded.forget()  # what was in the decoder
        received.wait(len(received.frames) + 30)
        assert decoded.frames == []
        decoder.decodingOnCall()
        again = [counter(frame) for frame in decoded.wait(5)[:5]]
    assert first > FPS  # the picture of that moment, and not the keyframe before it
    assert again[0] > first + 25
    assert again == list(range(again[0], again[0] + 5))


@pytest.mark.debian("ffmpeg")
def test_a_stream_by_sdp(tmp_path: Path) -> None:
    film, sdp = make.film(tmp_path / "film.mp4", seconds=20, bframes=0, audio=0), tmp_path / "camera.sdp"
    send = f"ffmpeg -v error -nostdin -re -i {film} -c copy -f rtp"
    command = [*send.split(), f"rtp://127.0.0.1:{free_port() & ~1}", "-sdp_file", str(sdp)]
    sender = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seen = Seen()
    streams = core.LiveThread("live")
    try:
        wait_for_file(sdp)
        with playing(streams):
            play(streams, core.LiveConnectionContext(core.LiveConnectionType_sdp, str(sdp), 6, seen))
            frames = seen.wait(20)
    finally:
        sender.kill()
        sender.wait()
    assert frames[0].key
    assert {(frame.slot, frame.properties["CodecID"]) for frame in frames} == {(6, "h264")}


def test_two_cameras_are_a_grid_and_come_and_go(rtsp_server: MakeServer, screen: XServer) -> None:  # noqa: F811
    cameras = [rtsp_server(), rtsp_server()]
    window = core.OpenGLThread("gl", 10, 10, 0, 0)
    decoder = core.AVThread("av", window.getFrameFilter())
    streams = core.LiveThread("live")
    with playing(window, decoder, streams):
        decoder.decodingOnCall()
        for slot, camera in enumerate(cameras, 1):
            play(streams, live(camera.url, slot, decoder.getFrameFilter()))
        number = window.createWindow()
        assert window.newRenderGroupCall(number)
        ids = [window.newRenderContextCall(slot, number, 0) for slot in (1, 2)]
        seen: list[list[int]] = []

        def both() -> bool:
            seen.extend([found] if len(found := counters(screen, 2)) == 2 else [])
            return len({tuple(each) for each in seen}) > 5

        until(both, "not two pictures")
        assert window.delRenderContextCall(ids[0])
        assert not window.delRenderContextCall(ids[0])
        assert window.delRenderGroupCall(number)
        with desktop(screen.display) as desk:
            until(lambda: "gl 1" not in desk.windows(), "the window stays")
        assert window.newRenderGroupCall(number)
        window.newRenderContextCall(2, number, 0)
        until(lambda: len(counters(screen)) == 1, "the window does not come back")
    assert all(left <= right for left, right in itertools.pairwise(seen))


def test_a_stream_is_written_and_played(rtsp_server: MakeServer, tmp_path: Path) -> None:  # noqa: F811
    camera = rtsp_server(sound="aac")
    film = tmp_path / "film.mkv"
    received = Seen()
    writer = core.FileFrameFilter("writer", received)
    streams = core.LiveThread("live")
    with playing(streams):
        play(streams, live(camera.url, 1, writer))
        received.wait(10, is_picture)
        assert writer.activate(film)
        assert not writer.activate(film)
        received.forget()
        received.wait(75, is_picture)
        assert writer.deActivate()
        assert not writer.deActivate()
        size = film.stat().st_size
        received.wait(len(received.frames) + 5)
    assert film.stat().st_size == size
    assert writer.fifo.dropped == 0
    with av.open(str(film)) as container:
        assert container.format.name.startswith("matroska")
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        pictures = list(container.decode(video=0))
    numbers = [make.read_counter(each.to_ndarray(format="gray")) for each in pictures]
    assert numbers == list(range(FPS, FPS + len(numbers)))
    assert len(numbers) > 40
    assert pictures[0].time == pytest.approx(0, abs=0.05)

    played = Seen()
    decoder = core.AVThread("av", played)
    files = core.FileThread("files")
    context = core.FileContext(str(film), 3, decoder.getFrameFilter())
    with playing(decoder, files):
        decoder.decodingOnCall()
        files.openFileStreamCall(context)
        assert context.status == core.FileState_ok
        files.playFileStreamCall(context)
        began_s = time.monotonic()
        shown = [counter(frame) for frame in played.wait(25)]
        took_s = time.monotonic() - began_s
        assert shown[:25] == numbers[:25]
        assert took_s > 0.7
        files.stopFileStreamCall(context)
        context.seektime_ = 1000
        files.seekFileStreamCall(context)
        played.forget()
        files.playFileStreamCall(context)
        until(lambda: 2 * FPS in [counter(frame) for frame in played.frames], "it does not go on")
        files.closeFileStreamCall(context)
        wrong = core.FileContext(str(tmp_path / "none.mkv"), 4, decoder.getFrameFilter())
        files.openFileStreamCall(wrong)
        assert wrong.status == core.FileState_error
        with pytest.raises(rw.StateError, match="is not open"):
            files.playFileStreamCall(wrong)


# Ends


@pytest.mark.alone
def test_a_camera_that_says_nothing_is_left_within_two_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        streams = core.LiveThread("live")
        streams.startCall()
        play(streams, live(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/cam", 1, Seen()))
        silent.accept()[0].close()
        connection = silent.accept()[0]  # the next try
        began_s = time.monotonic()
        streams.stopCall()
        assert time.monotonic() - began_s < 2.5
        connection.close()


def test_a_lost_camera_comes_back(rtsp_server: MakeServer) -> None:  # noqa: F811
    camera = rtsp_server()
    decoded = Seen()
    decoder = core.AVThread("av", decoded)
    streams = core.LiveThread("live")
    with playing(decoder, streams):
        decoder.decodingOnCall()
        play(streams, live(camera.url, 1, decoder.getFrameFilter()))
        decoded.wait(10)
        camera.kill()
        camera.start()
        decoded.forget()
        until(lambda: 0 in [counter(frame) for frame in decoded.frames], "it does not come back")


def test_why_a_camera_does_not_come_is_logged_without_its_password(
    rtsp_server: MakeServer,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    camera = rtsp_server(auth="digest")
    streams = core.LiveThread("live")
    with playing(streams):
        play(streams, live(camera.url.replace("s3cret", "wr0ng"), 4, Seen()))
        until(lambda: "tries again" in caplog.text, "nothing is logged")
    assert caplog.text.count("live slot 4: ") == 1
    assert "wr0ng" not in caplog.text


class Broken(core.FrameFilter):
    def go(self, frame: core.Frame) -> None:
        raise ZeroDivisionError("of the script")


def test_what_a_filter_raises_is_logged_and_raised_by_the_stop(
    rtsp_server: MakeServer,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    camera = rtsp_server(auth="digest")
    streams = core.LiveThread("live")
    streams.startCall()
    play(streams, live(camera.url, 1, Broken("broken")))
    until(lambda: "of the script" in caplog.text, "nothing is logged")
    with pytest.raises(rw.FilterError, match="of the script"):
        streams.stopCall()
    assert MARK not in caplog.text
    streams.stopCall()  # again does nothing


def test_a_script_that_forgets_to_stop_ends_all_the_same(rtsp_server: MakeServer, tmp_path: Path) -> None:  # noqa: F811
    camera = rtsp_server(auth="digest")
    script = tmp_path / "forgets.py"
    script.write_text(
        """
import os, threading
from valkka.core import *

class Enough(FrameFilter):
    come = threading.Event()
    def go(self, frame):
        self.come.set()

recorder = FileFrameFilter("file")
decoder = AVThread("av", ForkFrameFilter("fork", Enough("enough")))
streams = LiveThread("live")
decoder.startCall()
streams.startCall()
decoder.decodingOnCall()
ctx = LiveConnectionContext(LiveConnectionType_rtsp, os.environ["RTSP"], 1, decoder.getFrameFilter())
streams.registerStreamCall(ctx)
streams.playStreamCall(ctx)
print(Enough.come.wait(20), ctx)
"""
    )
    done = Script(str(script), RTSP=camera.url)
    said = done.end()
    assert (done.process.returncode, done.lines, said) == (0, ["True <LiveConnectionContext of slot 1>"], "")


CONTEXT = live("rtsp://h", 2, Seen())


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (
            lambda: core.LiveThread("l").registerStreamCall(live("rtsp://h", 1, Seen())),
            rw.StateError,
            "l does not run",
        ),
        (lambda: play(started(), live("rtsp://u:q7x@h", 1, None)), rw.OptionError, "slot 1: no frame filter"),  # type: ignore[arg-type]
        (
            lambda: play(started(), core.LiveConnectionContext(7, "rtsp://h", 1, Seen())),
            rw.OptionError,
            "slot 1: no connection type 7",
        ),
        (
            lambda: started().playStreamCall(live("rtsp://h", 2, Seen())),
            rw.StateError,
            "slot 2> is not registered",
        ),
        (lambda: core.OpenGLThread("gl").newRenderGroupCall(99), rw.UnsupportedError, "gl has no window 99"),
    ],
)
def test_calls_in_the_wrong_order(call: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        call()


def started() -> core.LiveThread:
    thread = core.LiveThread("l")
    thread.startCall()
    return thread
