"""Cameras, screens and microphones of this machine. There is no camera where tests run: of V4L2 a driver that
answers as Linux documents it stands in for one, and only for what it says, never for its pictures."""

from __future__ import annotations

import errno
import fcntl
import logging
import mmap
import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy
import pytest

import reelway as rw
from reelway.engine import cameras, live, livedevices, liveopen
from reelway.engine.decoder import Decoder
from reelway.engine.livedevices import Asked
from reelway.engine.liveopen import LATER, Connection, connect
from reelway.engine.streaminfo import StreamInfo, describe
from reelway.errors import DeadlineError, OpenError, OptionError, UnsupportedError
from reelway.graph.optiontext import split_url
from reelway.media.addresses import Device, device_of, live_protocol
from reelway.media.packet import Packet
from reelway.media.values import Size
from tests.conftest import needs
from tests.live.test_return import Director, Signals
from tests.live.watching import Watch, WatchSound, frames, rises

WIDTH, HEIGHT = 320, 200
COLOURS = {
    "upper left": (255, 0, 0),
    "upper right": (0, 200, 0),
    "lower left": (0, 0, 130),
    "rest": (9, 80, 250),
}


class Screen:
    """An X server without a screen, on one display number, whose pixels a test paints itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.display = ""
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Screen:
        """The first time on a number that is free, then on the same again."""
        read, write = os.pipe()
        size = f"{WIDTH}x{HEIGHT}x24"
        command = ["Xvfb", *filter(None, [self.display]), "-displayfd", str(write), "-screen", "0", size]
        command += ["-nolisten", "tcp", "-noreset", "-fbdir", str(self.folder)]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, pass_fds=[write], stdin=quiet, stderr=quiet)
        os.close(write)
        with os.fdopen(read) as said:
            number = said.readline().strip()  # it is there when it says so
        assert number, "Xvfb did not start"
        self.display = f":{number}"
        self.paint()
        return self

    def paint(self) -> None:
        """A colour to each quarter: what lies in the server's file is what it shows."""
        with (self.folder / "Xvfb_screen0").open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            numbers = struct.unpack(">25I", memory[:100])  # X11/XWDFile.h
            start, line = numbers[0] + 12 * numbers[19], numbers[12]
            pixels = numpy.frombuffer(memory, numpy.uint8, line * HEIGHT, start).reshape(HEIGHT, line // 4, 4)
            quarters = [(y, x) for y in (0, HEIGHT // 2) for x in (0, WIDTH // 2)]
            for (y, x), (red, green, blue) in zip(quarters, COLOURS.values(), strict=True):
                pixels[y : y + HEIGHT // 2, x : x + WIDTH // 2, :3] = blue, green, red
            del pixels

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    needs("xvfb")
    made = Screen(tmp_path).start()
    monkeypatch.setenv("DISPLAY", made.display)
    yield made
    made.kill()


class Seen(Watch):
    """Keeps the pictures themselves."""

    def __init__(self, enough: Callable[[Watch], bool]) -> None:
        super().__init__(enough)
        self.pictures: list[Any] = []

    def see(self, packet: Packet) -> None:
        self.pictures.append(packet.array().copy())
        self._keep(packet)


def seen(url: str, count: int, **options: Any) -> Seen:
    with rw.Session() as session:
        watch = Seen(frames(count))
        session.add(watch)
        session.load_src(url, **options) >> watch
        session.run()
    return watch


# Addresses


@pytest.mark.parametrize(
    ("url", "format", "name"),
    [
        ("/dev/video0", "video4linux2,v4l2", "/dev/video0"),
        ("/dev/v4l/by-id/usb-cam-index0", "video4linux2,v4l2", "/dev/v4l/by-id/usb-cam-index0"),
        ("v4l2:/dev/video2", "video4linux2,v4l2", "/dev/video2"),
        ("v4l2:///dev/video2", "video4linux2,v4l2", "/dev/video2"),
        ("av://v4l2:/dev/video2", "video4linux2,v4l2", "/dev/video2"),
        ("screen:", "x11grab", ""),
        ("screen://", "x11grab", ""),
        ("screen::0.0+10,20", "x11grab", ":0.0+10,20"),
        ("x11grab::0", "x11grab", ":0"),
        ("alsa:hw:CARD=1,DEV=0", "alsa", "hw:CARD=1,DEV=0"),
        ("lavfi:testsrc2=size=64x64:rate=5", "lavfi", "testsrc2=size=64x64:rate=5"),
        ("dshow:video=What? A camera", "dshow", "video=What? A camera"),
        ("/dev/fb0", "fbdev", "/dev/fb0"),
    ],
)
def test_addresses_of_devices(url: str, format: str, name: str) -> None:
    assert device_of(url) == Device(format, name, {})
    assert live_protocol(url) is not None


@pytest.mark.parametrize(
    "url", ["/dev/null", "film.mp4", "screen.mp4", "file:/dev/video0", "http://screen:80/", 7]
)
def test_what_is_no_device(url: object) -> None:
    assert device_of(url) is None


@pytest.mark.parametrize(
    ("text", "url", "options"),
    [
        ("screen::size=64x48:fps=5", "screen:", [("size", "64x48"), ("fps", "5")]),
        ("screen::0.0+10,20", "screen::0.0+10,20", []),
        ("screen::0.0+10,20:fps=5", "screen::0.0+10,20", [("fps", "5")]),
        ("alsa:hw:CARD=1,DEV=0:retry=-1", "alsa:hw:CARD=1,DEV=0", [("retry", "-1")]),
        ("lavfi:testsrc2=rate=5:size=64x64", "lavfi:testsrc2=rate=5:size=64x64", []),
        ("/dev/video7:size=64x48", "/dev/video7", [("size", "64x48")]),
    ],
)
def test_their_names_keep_their_colons(text: str, url: str, options: list[tuple[str, str]]) -> None:
    assert split_url(text, {"size", "fps", "retry"}, exists=os.path.exists) == (url, options)


def test_options_of_the_filter_count_more_than_those_of_the_address() -> None:
    device = device_of("v4l2:/dev/video0?size=64x48&framerate=5&standard=PAL")
    assert device is not None
    asked = Asked(device, Size(320, 200), None, "mjpeg")
    assert asked.size == (320, 200)
    told = {name: value for name, value in asked.options.items() if name != "fflags"}
    assert told == {"video_size": "320x200", "framerate": "5", "standard": "PAL", "input_format": "mjpeg"}


# The screen


def test_the_screen_as_it_is(screen: Screen) -> None:
    before_ns = time.time_ns()
    watch = seen("screen:", 5)
    picture = watch.pictures[-1]
    assert picture.shape == (HEIGHT, WIDTH, 4)
    places = [(20, 20), (20, -20), (-20, 20), (-20, -20)]
    assert [tuple(picture[y, x, 2::-1]) for y, x in places] == list(COLOURS.values())
    assert (watch.properties["FPS"], watch.properties["PixelFormat"]) == (30, "bgr0")
    assert watch.times[0] == 0
    assert rises(watch.times)
    walls = [each for each in watch.wall_ns if each is not None]
    assert len(walls) == len(watch.times)
    assert before_ns < walls[0] < walls[-1] < time.time_ns()


@pytest.mark.parametrize("said", ["address", "options", "GPAC"])
def test_a_part_of_the_screen(screen: Screen, said: str) -> None:
    place = f"screen:{screen.display}+150,90"
    options: dict[str, Any] = {}
    if said == "address":
        place += "?size=64x48&fps=50"
    elif said == "GPAC":
        place += ":size=64x48:fps=50"
    else:
        options = {"size": "64x48", "fps": 50}
    watch = seen(place, 3, **options)
    picture = watch.pictures[0]
    assert picture.shape == (48, 64, 4)
    corners = picture[[0, 0, -1, -1], [0, -1, 0, -1], 2::-1]
    assert [tuple(each) for each in corners] == list(COLOURS.values())
    assert watch.properties["FPS"] == 50


def test_from_a_place_to_the_corner(screen: Screen) -> None:
    assert seen("screen:+300,150", 1).pictures[0].shape == (50, 20, 4)


def test_frames_by_the_short_way(screen: Screen) -> None:
    for frame in rw.frames("screen:", pixel_format="rgb24"):
        assert tuple(frame.array[20, 20]) == COLOURS["upper left"]
        break


def test_a_pipeline_reads_the_screen(screen: Screen) -> None:
    app = rw.launch("ximagesrc startx=150 starty=90 endx=213 endy=137 ! videoconvert ! appsink name=out")
    try:
        sink = app["out"].filter
        assert isinstance(sink, rw.AppSink)
        packet = sink.pull(20)
        assert packet is not None
        assert packet.array().shape == (48, 64, 4)
    finally:
        app.stop()


def test_a_pipeline_asks_a_screen_for_a_rate(screen: Screen) -> None:
    app = rw.launch("ximagesrc name=screen ! video/x-raw,framerate=10/1 ! fakesink")
    try:
        filter = app["screen"].filter
        assert filter is not None
        assert (filter.registry_name, filter.given["fps"]) == ("live", "10")
    finally:
        app.stop()


@pytest.mark.parametrize(
    ("caps", "options"),
    [
        ("image/jpeg,width=1280,height=720", {"size": "1280x720", "input_format": "mjpeg"}),
        ("video/x-raw,format=YUY2,framerate=15/1", {"fps": "15", "input_format": "yuyv422"}),
        ("video/x-raw", {}),
        ("video/x-raw,width=640,height=480;image/jpeg,width=640", {}),
    ],
)
def test_a_pipeline_asks_a_camera_for_what_the_caps_behind_it_say(
    caps: str, options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[dict[str, Any]] = []

    def connect(*_: object, asked: Asked, **__: object) -> None:
        made.append({name: value for name, value in asked.options.items() if name != "fflags"})
        raise OpenError("there is no camera where tests run")

    monkeypatch.setattr(live, "connect", connect)
    with pytest.raises(OpenError, match="no camera where tests run"):
        rw.launch(f"v4l2src ! {caps} ! decodebin ! fakesink")
    names = {"size": "video_size", "fps": "framerate", "input_format": "input_format"}
    assert made == [{names[name]: value for name, value in options.items()}]


def test_raw_pictures_are_not_copied_on_their_way_to_frames(screen: Screen) -> None:
    protocol = live_protocol("screen:")
    device = device_of("screen:")
    assert protocol is not None
    assert device is not None
    connection = connect("screen:", protocol, open_s=5.0, silence_s=2.0, asked=Asked(device))
    payload = connection.read()
    stream = connection.container.streams[0]
    decoder = Decoder(describe(stream, StreamInfo.of(stream)))
    packet = Packet(payload, 0, 0, None, 1, payload.size)
    there = numpy.frombuffer(payload, numpy.uint8).ctypes.data
    (frame,) = decoder.decode(packet)
    assert numpy.frombuffer(frame.planes[0], numpy.uint8).ctypes.data == there
    del frame, packet, payload
    connection.close()


def test_a_screen_that_comes_back(screen: Screen, caplog: pytest.LogCaptureFixture) -> None:
    def work() -> None:
        for number in range(2):
            watch.wait_for(len(watch.seen_s) + 5)
            screen.kill()
            watch.wait_for_loss(number + 1)
            watch.wait_for_tries(source)
            screen.start()
            watch.wait_for(len(watch.seen_s) + 5)

    caplog.set_level(logging.INFO, "reelway.engine.live")
    with rw.Session() as session:
        source = session.load_src("screen:", fps=25)
        watch = ScreenSignals()
        session.add(watch)
        source >> watch
        Director(session, work).run()
    assert source.connections == 3
    assert [gap.end_s is not None for gap in watch.gaps] == [False, True, False, True]
    assert rises(watch.times)
    first, second = source.gaps
    scale = watch.properties["Timescale"]
    for gap in (first, second):
        assert gap.end_s > gap.start_s
        behind = next(i for i, time in enumerate(watch.times) if time / scale >= gap.end_s - 1e-6)
        assert watch.flags[behind]
        assert watch.times[behind] / scale == pytest.approx(gap.end_s, abs=1e-4)
    assert (watch.times[-1] - watch.times[0]) / scale == pytest.approx(
        watch.seen_s[-1] - watch.seen_s[0], abs=0.5
    )


class ScreenSignals(Signals):
    def see(self, packet: Packet) -> None:
        self._keep(packet)

    @staticmethod
    def wait_for_tries(source: Any) -> None:
        """Until it has tried to connect while nobody was there; it says so in its status."""
        until = time.monotonic() + 10
        while "tries again" not in source.status:
            assert time.monotonic() < until, source.status
            threading.Event().wait(0.02)


def test_what_is_not_on_the_screen(screen: Screen) -> None:
    with pytest.raises(UnsupportedError, match=f"5000x20 is not all on the screen.*{WIDTH}x{HEIGHT}"):
        seen("screen:", 1, size="5000x20")
    with pytest.raises(UnsupportedError, match="8x8 at 9999,0"):
        seen("screen:+9999,0", 1, size="8x8")


def test_no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(OpenError, match="DISPLAY is not set") as caught:
        seen("screen:", 1)
    assert "screen::0" in str(caught.value.hint)
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    with pytest.raises(OpenError) as caught:
        seen("screen:", 1)
    assert "Wayland" in str(caught.value.hint)
    with pytest.raises(OpenError, match="there is no X server nonsense"):
        seen("screen:nonsense", 1)
    with pytest.raises(OpenError, match="there is no X server :9999"):
        seen("screen::9999", 1)


@pytest.mark.alone
def test_an_x_server_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(livedevices, "X_SOCKETS", tmp_path)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "X77"))
        mute.listen()
        started = time.monotonic()
        with pytest.raises(DeadlineError, match="the X server :77 did not answer"):
            seen("screen::77", 1, timeout_s=1.0)
        assert 0.9 < time.monotonic() - started < 2.0


# What FFmpeg's filters make, and sound


def test_what_filters_make_is_raw_and_ends() -> None:
    with rw.Session() as session:
        source = session.load_src("lavfi:testsrc2=size=64x48:rate=25:duration=2[out0];sine=duration=1[out1]")
        one, other = Seen(lambda _: False), Seen(lambda _: False)
        sound = WatchSound(lambda _: False)
        for watch in (one, other, sound):
            session.add(watch)
        source.video >> one
        source.video >> other
        source.audio >> sound
        session.run()
        assert [pid.properties["CodecID"] for pid in source.opids] == ["raw", "pcm_s16le"]
    assert len(one.pictures) == len(other.pictures) == 50
    assert [time / one.properties["Timescale"] for time in one.times] == [i / 25 for i in range(50)]
    assert numpy.array_equal(one.pictures[30], other.pictures[30])
    assert not numpy.array_equal(one.pictures[0], one.pictures[49])
    assert sound.times
    assert source.connections == 1
    assert not source.gaps


def test_filters_that_there_are_not() -> None:
    with pytest.raises(OptionError, match="lavfi:nosuch"):
        seen("lavfi:nosuch", 1)


def test_sound_of_alsa() -> None:
    if not os.path.exists(livedevices.ALSA_CONFIG):
        pytest.skip("ALSA is not set up here: no libasound2-data")
    with rw.Session() as session:
        watch = WatchSound(frames(50))
        session.add(watch)
        session.load_src("alsa:null") >> watch
        before_ns = time.time_ns()
        session.run()
    assert rises(watch.times)
    assert all(before_ns - 10**9 < each < time.time_ns() + 10**9 for each in watch.wall_ns if each)
    with pytest.raises(OpenError, match="no such sound device") as caught:
        seen("alsa:nobody", 1)
    assert "arecord" in str(caught.value.hint)


# Cameras: what goes wrong


def test_no_such_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    there = [cameras.Camera("/dev/video4", "A camera")]
    monkeypatch.setattr(livedevices, "cameras", lambda: there)
    with pytest.raises(OpenError, match="there is no such camera") as caught:
        seen("/dev/video97", 1)
    assert caught.value.errno == errno.ENOENT
    assert "/dev/video4 (A camera)" in str(caught.value.hint)


def test_what_is_no_camera() -> None:
    with pytest.raises(OpenError, match="no camera that gives pictures"):
        seen("v4l2:/dev/null", 1)


@pytest.mark.parametrize(
    ("number", "message", "hint"),
    [
        (errno.EBUSY, "another program uses it", "fuser -v /dev/video97"),
        (errno.EACCES, "you may not use it", "usermod -aG video"),
        (errno.ENODEV, "was pulled out", "this machine has"),
        (errno.ENOSPC, "no room for its pictures", "input_format=mjpeg"),
    ],
)
def test_a_camera_that_cannot_be_opened(
    number: int, message: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(livedevices.os, "open", fail)  # what Linux says in such a case
    device = device_of("/dev/video97")
    assert device is not None
    with pytest.raises(OpenError, match=message) as caught:
        livedevices.make_ready(Asked(device), "/dev/video97", time.monotonic() + 1)
    assert hint in str(caught.value.hint)
    assert caught.value.errno == number


DRIVER = {
    "YUYV": {(640, 480): [(1, 30), (1, 15)], (1280, 720): [(1, 10)]},
    "MJPG": {(1920, 1080): [(1, 30)]},
}


def driver(_: object, request: int, answer: bytearray) -> int:
    """What a driver says of `DRIVER`, by Linux's <linux/videodev2.h>."""
    index, code = struct.unpack_from("<II", answer)
    name = struct.pack("<I", code).decode("latin-1")
    try:
        if request == cameras.FORMATS:
            answer[44:48] = list(DRIVER)[index].encode()
        elif request == cameras.SIZES:
            struct.pack_into("<III", answer, 8, 1, *list(DRIVER[name])[index])
        else:
            size = struct.unpack_from("<II", answer, 8)
            struct.pack_into("<III", answer, 16, 1, *DRIVER[name][size][index])
    except IndexError:
        raise OSError(errno.EINVAL, "no more") from None
    return 0


def test_a_size_that_a_camera_does_not_offer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "ioctl", driver)
    found = cameras.offers("/dev/null")
    assert [(each.format, each.size) for each in found] == [
        ("yuyv422", (640, 480)),
        ("yuyv422", (1280, 720)),
        ("mjpeg", (1920, 1080)),
    ]
    assert found[0].fps == (Fraction(30), Fraction(15))
    device = device_of("v4l2:/dev/null")
    assert device is not None
    gives = SimpleNamespace(streams=[SimpleNamespace(type="video", width=640, height=480)])
    livedevices.check(gives, Asked(device, Size(640, 480)), "cam")
    with pytest.raises(UnsupportedError, match="offers no pictures of 800x600.*640x480") as caught:
        livedevices.check(gives, Asked(device, Size(800, 600)), "cam")
    assert "yuyv422: 640x480 at 30, 15 fps, 1280x720 at 10 fps; mjpeg: 1920x1080" in str(caught.value.hint)
    with pytest.raises(UnsupportedError) as caught:
        livedevices.check(gives, Asked(device, Size(800, 600), None, "mjpeg"), "cam")
    assert "yuyv422" not in str(caught.value.hint)


def test_a_range_of_sizes() -> None:
    offer = cameras.Offer("nv12", (1920, 1080), (32, 32))
    assert offer.has((640, 480))
    assert not offer.has((16, 480))
    assert str(offer) == "32x32 to 1920x1080"


class MuteDevice:
    """What FFmpeg's camera is that is read without waiting and has nothing."""

    streams = ()
    closed = False

    def demux(self) -> Iterator[Any]:
        raise av.error.BlockingIOError(errno.EAGAIN, "nothing yet")
        yield

    def close(self) -> None:
        self.closed = True


def test_a_camera_that_gives_nothing_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(liveopen.time, "monotonic", lambda: clock[0])
    device = MuteDevice()
    connection = Connection(device, "cam", "", Device("video4linux2,v4l2", "cam", {}))
    connection._silence_s = 4.0
    assert connection.read() is LATER
    clock[0] += 3.9
    assert connection.read() is LATER
    clock[0] += 0.2
    with pytest.raises(DeadlineError, match="cam has sent nothing"):
        connection.read()


@pytest.mark.alone
def test_a_camera_that_gives_nothing_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveopen.av, "open", lambda *_, **__: MuteDevice())
    started = time.monotonic()
    with pytest.raises(DeadlineError, match="is there, but gave nothing within 0.5 s"):
        seen("v4l2:/dev/null", 1, timeout_s=0.5)
    assert 0.4 < time.monotonic() - started < 1.5


def test_a_packet_is_taken_out_of_the_drivers_memory() -> None:
    packet: Any = av.Packet(b"\x01\x02\x03" * 100)
    packet.pts = packet.dts = 7
    packet.duration, packet.time_base, packet.is_keyframe = 2, Fraction(1, 25), True
    own = livedevices.owned(packet)
    numpy.frombuffer(packet, numpy.uint8)[:] = 0
    assert bytes(own) == b"\x01\x02\x03" * 100
    assert (own.pts, own.dts, own.duration, own.is_keyframe, own.stream_index) == (7, 7, 2, True, 0)


def test_times_of_either_clock() -> None:
    now = livedevices.wall_of(time.monotonic_ns())
    assert now == pytest.approx(time.time_ns(), abs=10**8)
    wall = time.time_ns() - 5 * 10**8
    assert livedevices.wall_of(wall) == wall
    assert livedevices.wall_of(12345) is None or time.monotonic() < 11
