"""A window's life: opened, changed, closed by hand, by the session, or not at all."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

import reelway as rw
from reelway.display import sdl, stage
from reelway.display.panel import Panel
from reelway.display.window import VideoSink
from reelway.errors import DeadlineError, StateError, UnknownNameError, UnsupportedError
from reelway.media.layout import Array
from reelway.testing.conformance import check_filter
from reelway.testing.parts import Collect
from tests.display.showing import show, until
from tests.display.xclient import desktop
from tests.display.xserver import XServer, xserver
from tests.filters.raw import noise, picture_properties

ROOT = Path(__file__).parents[2]
RED, GREEN = (250, 10, 20), (10, 200, 30)


def plain(colour: tuple[int, int, int], width: int = 192, height: int = 128) -> Array:
    return numpy.full((height, width, 3), colour, numpy.uint8)


def send_key(name: str) -> None:
    """As if the key were pressed in the one window there is."""
    made = stage._current
    assert made is not None
    library = sdl.sdl()

    def push() -> None:
        event = library.SDL_Event()
        event.type = library.SDL_KEYDOWN
        event.key.windowID = next(iter(made.windows))
        event.key.keysym.sym = library.SDL_GetKeyFromName(name.encode())
        library.SDL_PushEvent(event)

    made.call(push)


def test_the_contract_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    check_filter(VideoSink, noise("yuv420p", 64, 48), picture_properties("yuv420p", 64, 48))


# Showing


def test_a_live_source_is_seen(screen: XServer) -> None:
    """A session as in a program: every frame is shown, and the window is gone afterwards."""
    with rw.Session() as session:
        source = session.load("testvideo:pattern=solid:color=#00ff00:counter=no:live=on:frames=10:fps=50")
        sink = VideoSink(x=0, y=0)
        source >> session.add(sink)
        seen: list[Array] = []

        def look() -> float | None:
            if not sink.shown:
                return 0.005
            seen.append(screen.screen()[100, 100])
            return None

        session.post(look)
        session.run()
        assert (sink.shown, sink.dropped) == (10, 0)
        assert sink.last_shown == 9 / 50
    assert numpy.abs(seen[0].astype(int) - (0, 255, 0)).max() <= 3
    assert not screen.screen().any(), "the window is gone"


def test_the_last_frame_is_shown_before_the_end(screen: XServer) -> None:
    with rw.Session() as session:
        sink = VideoSink()
        session.load("testvideo:frames=300:size=160x120:counter=no") >> session.add(sink)
        session.run()
        assert (sink.shown, sink.last_shown) == (300, 299 / 25)


def test_packets_before_a_seek_target_are_not_shown(screen: XServer) -> None:
    with show() as made:
        made.push(plain(RED))
        hidden = rw.Packet(plain(GREEN).tobytes())
        hidden.seek = True
        made.source.push(hidden)
        made.push(plain(RED))
        assert made.sink.shown == 2


@pytest.mark.parametrize("force_aspect", [True, False], ids=["letterbox", "filled"])
def test_a_window_of_another_shape(force_aspect: bool, screen: XServer) -> None:
    with show(force_aspect=force_aspect) as made, desktop(screen.display) as people:
        made.push(plain(RED))
        people.resize(people.windows()["test"], 384, 384)
        until(lambda: made.sink.snapshot().shape == (384, 384, 3))
        picture = made.sink.snapshot()
        beside = (0, 0, 0) if force_aspect else RED
        assert [tuple(picture[line, 200]) for line in (2, 62, 66, 317, 321, 381)] == [
            beside, beside, RED, RED, beside, beside,
        ]  # fmt: skip
        assert tuple(picture[192, 2]) == tuple(picture[192, 381]) == RED
        until(lambda: numpy.array_equal(screen.screen()[:384, :384], picture))


def test_pixels_that_are_not_square(screen: XServer) -> None:
    properties = {**picture_properties("rgb24", 192, 128), "SAR": 2}
    with show(properties) as made:
        made.push(plain(RED))
        assert made.sink.snapshot().shape == (128, 384, 3)


def test_one_side_gives_the_other(screen: XServer) -> None:
    with show(width=96) as made:
        made.push(plain(RED))
        assert made.sink.snapshot().shape == (64, 96, 3)


def test_a_picture_larger_than_the_screen_fits(screen: XServer) -> None:
    with show(picture_properties("rgb24", 2560, 400)) as made:
        made.push(plain(RED, 2560, 400))
        assert made.sink.snapshot().shape == (200, 1280, 3)


def test_full_screen(screen: XServer) -> None:
    with show(full_screen=True) as made:
        made.push(plain(RED))
        until(lambda: made.sink.snapshot().shape == (800, 1280, 3))
        until(lambda: tuple(screen.screen()[795, 640]) == RED)
        made.sink.update("full_screen", False)
        until(lambda: made.sink.snapshot().shape == (128, 192, 3))


def test_a_stream_that_changes_its_format_and_size(screen: XServer) -> None:
    with show() as made:
        made.push(plain(RED))
        packet = rw.Packet(plain(GREEN, 64, 64).tobytes())
        made.source.properties = picture_properties("bgr24", 64, 64)
        made.source.push(packet)
        until(lambda: made.sink.shown == 2)
        picture = made.sink.snapshot()
        assert picture.shape == (128, 192, 3), "the window stays as it is"
        assert tuple(picture[64, 96]) == GREEN[::-1]
        assert tuple(picture[64, 4]) == (0, 0, 0)
        assert made.sink.status == "64x64 bgr24 on x11"


def test_the_title_is_the_filters_name_and_changes(screen: XServer) -> None:
    with show(title="") as made, desktop(screen.display) as people:
        made.push(plain(RED))
        assert list(people.windows()) == ["videosink"]
        made.sink.update("title", "Straße")
        until(lambda: "Stra" in "".join(people.windows()))


def test_an_unknown_renderer_is_named(screen: XServer) -> None:
    with rw.Session() as session:
        session.load("testvideo:frames=1") >> session.add(VideoSink(renderer="sofware"))
        with pytest.raises(UnknownNameError, match="no renderer of SDL is named 'sofware'") as caught:
            session.run()
    assert caught.value.near == ["software"]


def test_snapshot_without_a_window() -> None:
    with pytest.raises(StateError, match="videosink has no window"):
        VideoSink().snapshot()


# Several


def test_two_windows_in_one_session(screen: XServer) -> None:
    with rw.Session() as session:
        sinks = [VideoSink(x=400 * number, y=0, name=f"window{number}") for number in range(2)]
        for sink, colour in zip(sinks, ("#ff0000", "#0000ff"), strict=True):
            pattern = f"testvideo:pattern=solid:color={colour}:counter=no:live=on:size=320x240"
            session.load(pattern) >> session.add(sink)
        seen: list[Array] = []

        def look() -> float | None:
            if min(sink.shown for sink in sinks) < 5:
                return 0.005
            seen.append(screen.screen())
            session.stop()
            return None

        session.post(look)
        session.run()
    assert numpy.abs(seen[0][120, 160].astype(int) - (255, 0, 0)).max() <= 3
    assert numpy.abs(seen[0][120, 560].astype(int) - (0, 0, 255)).max() <= 3


def test_two_sessions_with_a_window_each(screen: XServer) -> None:
    with show() as one:
        with show(x=400, title="other") as other:
            one.push(plain(RED))
            other.push(plain(GREEN))
            seen = screen.screen()
            assert (tuple(seen[64, 96]), tuple(seen[64, 496])) == (RED, GREEN)
        assert not screen.screen()[64, 496].any()
        one.push(plain(GREEN))
        assert tuple(screen.screen()[64, 96]) == GREEN


TWENTY = """
import gc, os, threading, warnings
import numpy
from tests.display.showing import picture_properties, show

def once():
    with show(picture_properties("rgb24", 640, 360)) as made:
        for _ in range(3):
            made.push(numpy.full((360, 640, 3), 7, numpy.uint8))

def held():
    gc.collect()
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return threading.active_count(), len(os.listdir("/proc/self/fd")), pages * os.sysconf("SC_PAGESIZE")

for _ in range(3):
    once()
before = held()
for _ in range(20):
    once()
print(*(now - then for now, then in zip(held(), before)))
"""


def test_twenty_sessions_leave_nothing_behind(screen: XServer) -> None:
    """In a process whose memory has one arena, so that what is kept for threads to come does not count."""
    environment = os.environ | {"MALLOC_ARENA_MAX": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", TWENTY], env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    threads, files, memory = map(int, done.stdout.split())
    assert (threads, files) == (0, 0)
    assert memory < 8e6, "the frames of three sessions"


# Closed by hand


def test_closing_the_window_ends_the_session(screen: XServer) -> None:
    with show() as made, desktop(screen.display) as people:
        made.push(plain(RED))
        people.press_close_button(people.windows()["test"])
        made.join()
        assert made.sink.closed_by_user
        assert made.sink.status == "the window was closed"
        assert "test" not in people.windows()


@pytest.mark.parametrize("key", ["q", "Escape"])
def test_so_do_keys(key: str, screen: XServer) -> None:
    with show() as made:
        made.push(plain(RED))
        send_key(key)
        made.join()
        assert made.sink.closed_by_user


def test_f_is_full_screen(screen: XServer) -> None:
    with show() as made:
        made.push(plain(RED))
        send_key("f")
        until(lambda: made.sink.snapshot().shape == (800, 1280, 3))


def test_a_paused_session_can_be_closed(screen: XServer) -> None:
    with show() as made, desktop(screen.display) as people:
        made.push(plain(RED))
        made.session.pause()
        people.press_close_button(people.windows()["test"])
        made.join()
        assert made.sink.closed_by_user


def test_only_the_stream_may_end(screen: XServer) -> None:
    """Another branch goes on to its end, and what the window would have got is counted."""
    with rw.Session() as session, desktop(screen.display) as people:
        source = rw.AppSource(properties=picture_properties("rgb24", 192, 128))
        session.add(source)
        tee = source >> session.load("tee")
        sink, other = VideoSink(on_close="stream", title="test"), Collect()
        tee >> session.add(sink)
        tee >> session.add(other)
        thread = threading.Thread(target=session.run)
        thread.start()
        source.push(plain(RED))
        until(lambda: sink.shown == 1)
        people.press_close_button(people.windows()["test"])
        until(lambda: sink.closed_by_user and "test" not in people.windows())
        for _ in range(5):
            source.push(plain(RED))
        source.end()
        thread.join(20)
        assert len(other.only.packets) == 6
        assert sink.shown + sink.dropped <= 6
        assert session.completed


def test_an_application_gets_what_people_do(screen: XServer) -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    with show() as made, desktop(screen.display) as people:
        made.sink.on_event_out = lambda kind, fields: told.append((kind, dict(fields)))
        made.push(plain(RED))
        people.press_close_button(people.windows()["test"])
        until(lambda: ("close", {}) in told)
        send_key("q")
        until(lambda: ("key-press", {"key": "q"}) in told)
        people.resize(people.windows()["test"], 300, 200)
        until(lambda: ("resize", {"width": 300, "height": 200}) in told)
        made.push(plain(GREEN))
        assert not made.sink.closed_by_user


def test_the_mouse_is_told_in_pixels_of_the_picture(screen: XServer) -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    with show(width=384, height=356) as made:
        made.sink.on_event_out = lambda kind, fields: told.append((kind, dict(fields)))
        made.push(plain(RED))
        library, here = sdl.sdl(), stage._current
        assert here is not None

        def press() -> None:
            event = library.SDL_Event()
            event.type = library.SDL_MOUSEBUTTONDOWN
            event.button.windowID = next(iter(here.windows))
            event.button.button, event.button.x, event.button.y = 3, 100, 150
            library.SDL_PushEvent(event)

        here.call(press)
        # twice as large, 50 black lines above
        until(lambda: ("mouse-button-press", {"button": 3, "x": 50.0, "y": 50.0}) in told)


def test_an_event_that_fails_costs_no_window(
    screen: XServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(panel: Panel, event: Any) -> None:
        raise UnsupportedError("SDL draws nothing just now")

    with show() as made, desktop(screen.display) as people:
        made.push(plain(RED))
        with monkeypatch.context() as patched:
            patched.setattr(Panel, "on_sdl_event", refuse)
            people.resize(people.windows()["test"], 300, 200)
            until(lambda: "could not follow" in caplog.text)
        made.push(plain(GREEN))
        assert made.sink.snapshot().shape == (200, 300, 3)


# Stopping


def test_stop_is_soon_done(screen: XServer) -> None:
    with rw.Session() as session:
        sink = VideoSink()
        session.load("testvideo:live=on:fps=50") >> session.add(sink)
        thread = threading.Thread(target=session.run)
        thread.start()
        until(lambda: sink.shown > 3)
        session.stop()
        thread.join(2)
        assert not thread.is_alive()


def test_a_display_that_does_not_answer_holds_nobody_up(screen: XServer) -> None:
    """Its thread sits in C: the session goes on without it, and the window closes when it comes back."""
    free = threading.Event()
    try:
        with show() as made:
            made.push(plain(RED))
            here = stage._current
            assert here is not None

            def hang() -> None:
                free.wait(60)

            here.post(hang)
            for _ in range(4):
                made.source.push(plain(GREEN))
            made.session.stop()
            made.join(2)
        with pytest.raises(DeadlineError, match=r"the display did not answer for 0\.05 s"):
            here.call(lambda: None, 0.05)
    finally:
        free.set()
    until(lambda: "reelway-display" not in [thread.name for thread in threading.enumerate()])
    assert not screen.screen().any()


def test_a_session_that_nobody_closes_leaves_no_window(screen: XServer) -> None:
    with desktop(screen.display) as people:

        def abandon() -> None:
            session, sink = rw.Session(), VideoSink(title="test")
            source = rw.AppSource(properties=picture_properties("rgb24", 192, 128))
            session.add(source) >> session.add(sink)
            source.push(plain(RED))
            assert session.run_until(lambda: sink.shown == 1)
            assert "test" in people.windows()

        abandon()
        # again and again: the display's thread may still be in what it was asked to do
        until(lambda: gc.collect() >= 0 and "test" not in people.windows())


@pytest.mark.parametrize("frames", [1, 9])
def test_what_sdl_refuses_ends_the_session(
    frames: int, screen: XServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(panel: Panel, planes: Any) -> None:
        raise UnsupportedError("SDL does not take the picture: too hot")

    monkeypatch.setattr(Panel, "show", refuse)
    with rw.Session() as session:
        session.load(f"testvideo:frames={frames}") >> session.add(VideoSink())
        with pytest.raises(UnsupportedError, match="too hot"):
            session.run()


SCRIPT = """
import os, signal, sys, threading
import reelway as rw
from reelway.display.window import VideoSink
with rw.Session() as session:
    sink = VideoSink()
    session.load("testvideo:live=on") >> session.add(sink)
    def task():
        if not sink.shown:
            return 0.01
        print("shown", flush=True)
    session.post(task)
    try:
        session.run()
    except KeyboardInterrupt:
        print("interrupted", [thread.name for thread in threading.enumerate()], flush=True)
        raise
"""


def test_ctrl_c_is_pythons(screen: XServer) -> None:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "shown\n"
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert said == "interrupted ['MainThread']\n", errors
    assert errors.endswith("KeyboardInterrupt\n")
    assert process.returncode == -signal.SIGINT


RECORDING = """
import signal, sys, threading
import reelway as rw
from reelway.display.window import VideoSink
target, on_close, source = sys.argv[1:]

def shows(**options):
    sink = VideoSink(**options)
    with rw.Session() as session:
        tee = session.load(source) >> session.load("tee")
        tee >> session.add(sink)
        tee >> session.load_dst(target)
        def task():
            if sink.shown < 5:
                return 0.01
            print("shown", flush=True)
        session.post(task)
        session.run()
    return sink.status

try:
    print(shows(on_close=on_close))
except rw.ReelwayError as error:
    print(f"{error}. {error.hint}")
try:
    shows()
except rw.ReelwayError as error:
    print(error)
"""


@pytest.mark.parametrize("renderer", ["software", ""], ids=["software", "by default"])
@pytest.mark.parametrize(
    ("on_close", "source", "count"),
    [
        ("session", "testvideo:live=on:frames=50", 50),
        ("stream", "testvideo:live=on:frames=50", 50),
        ("stream", "testvideo:live=on:frames=8:fps=4", 8),
    ],
    ids=["session", "stream", "stream, while SDL looks for events"],
)
def test_a_server_that_goes_away_costs_no_recording(
    on_close: str,
    source: str,
    count: int,
    renderer: str,
    tmp_path: Path,
    debian_tool: Callable[[str], Path],
) -> None:
    """Xlib's own answer is exit(1)."""
    debian_tool("Xvfb")
    film = str(tmp_path / "out.mp4")
    with xserver(tmp_path) as server:
        environment = {**os.environ, "DISPLAY": server.display, "SDL_RENDER_DRIVER": renderer}
        environment = {name: value for name, value in environment.items() if value}
        command = [sys.executable, "-X", "faulthandler", "-c", RECORDING, film, on_close, source]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "shown\n"
        server.kill()
        try:
            said, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0
    first, second = said.splitlines()
    lost = "the display went away"
    hint = "on_close=stream lets the other streams go on"
    assert first == (f"videosink: {lost}. {hint}" if on_close == "session" else lost)
    assert second.startswith("no display to show video on: the one that this process had went away")
    frames = len(list(rw.frames(film)))
    assert frames == count if on_close == "stream" else 5 <= frames <= count


# No display


def refusal(run: Callable[[], Any]) -> UnsupportedError:
    with pytest.raises(UnsupportedError) as caught:
        run()
    return caught.value


def shown_by_dummy() -> VideoSink:
    with rw.Session() as session:
        sink = VideoSink()
        session.load("testvideo:frames=3") >> session.add(sink)
        session.run()
    return sink


@pytest.fixture
def no_display(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_without_a_display_the_error_names_ways_out(no_display: pytest.MonkeyPatch) -> None:
    error = refusal(shown_by_dummy)
    assert str(error) == "no display to show video on: neither DISPLAY nor WAYLAND_DISPLAY is set"
    for way in ("DISPLAY", "xvfb-run", "SDL_VIDEODRIVER=dummy", "fakesink", "write a file"):
        assert way in (error.hint or "")


def test_a_display_that_is_not_there(no_display: pytest.MonkeyPatch) -> None:
    no_display.setenv("DISPLAY", ":4711")
    assert str(refusal(shown_by_dummy)).startswith("no display to show video on: SDL cannot open :4711: ")


def test_sdls_dummy_shows_to_nobody(no_display: pytest.MonkeyPatch) -> None:
    no_display.setenv("SDL_VIDEODRIVER", "dummy")
    sink = shown_by_dummy()
    assert (sink.shown, sink.status) == (3, "640x360 yuv420p on dummy")


def test_without_pysdl2_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    sdl.sdl.cache_clear()
    monkeypatch.setitem(sys.modules, "sdl2", None)
    try:
        error = refusal(shown_by_dummy)
    finally:
        sdl.sdl.cache_clear()
    assert 'pip install "reelway[display]"' in (error.hint or "")
    assert "need PySDL2" in str(error)
