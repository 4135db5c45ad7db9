"""`videosink`: 1080p yuv420p frames a second in a window under Xvfb, against copying the same frames.

Drawn in software, as on a machine without a graphics card: SDL converts to RGB and sends the picture to the X
server, three times as many bytes as came in. Beside it SDL alone, without a session. Needs Xvfb.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy
from _measure import arguments, heading, measure, table

import reelway as rw
from reelway.display.panel import Look, Panel
from reelway.display.pictureformat import picture_format
from reelway.display.stage import enter, leave
from reelway.display.window import VideoSink
from reelway.media.frame import MemoryFrame
from reelway.testing.parts import Feed

PROPERTIES = {
    "StreamType": "Visual",
    "CodecID": "raw",
    "Timescale": 25,
    "PixelFormat": "yuv420p",
    "Width": 1920,
    "Height": 1080,
    "ColorMatrix": "bt709",
}


@contextmanager
def xvfb() -> Iterator[None]:
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1920x1080x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as said:
        os.environ |= {"DISPLAY": f":{said.readline().strip()}", "SDL_RENDER_DRIVER": "software"}
    try:
        yield
    finally:
        server.terminate()
        server.wait()


def frames(count: int) -> list[MemoryFrame]:
    """A few, by turns: as much memory as a decoder has in hand."""
    made = []
    for number in range(8):
        frame = MemoryFrame.picture("yuv420p", 1920, 1080)
        random = numpy.random.default_rng(number)
        for plane in frame.planes(writable=True):
            plane[:] = random.integers(16, 235, plane.shape, numpy.uint8)
        made.append(frame)
    return [made[number % len(made)] for number in range(count)]


def copy(pictures: list[MemoryFrame]) -> float:
    into = numpy.empty(pictures[0].size, numpy.uint8)
    started = time.perf_counter()
    for picture in pictures:
        into[:] = picture.view()
    return (time.perf_counter() - started) / len(pictures)


def sdl_alone(pictures: list[MemoryFrame]) -> float:
    stage = enter()
    panel = stage.call(lambda: Panel(stage, Look(), picture_format(PROPERTIES), lambda *_: None))

    def draw() -> float:
        started = time.perf_counter()
        for picture in pictures:
            panel.show(picture.planes())
        return (time.perf_counter() - started) / len(pictures)

    try:
        return stage.call(draw, 600)
    finally:
        stage.post(panel.close)
        leave(stage)


def session(pictures: list[MemoryFrame]) -> float:
    packets = [rw.Packet(picture, n, n, 1, 1, picture.size) for n, picture in enumerate(pictures)]
    with rw.Session() as made:
        sink = VideoSink()
        made.add(Feed(packets, properties=PROPERTIES)) >> made.add(sink)
        made.link()  # the display is open
        started = time.perf_counter()
        made.run()
        took = time.perf_counter() - started
    assert sink.shown == len(pictures), "it drops nothing"
    return took / len(pictures)


def main() -> None:
    given = arguments(__doc__, rounds=7)
    print(heading())
    if not shutil.which("Xvfb"):
        print("Xvfb is not installed: nothing is measured")
        return
    pictures = frames(20 if given.tiny else 400)
    runs = {
        "memcpy": lambda: copy(pictures),
        "SDL alone": lambda: sdl_alone(pictures),
        "videosink": lambda: session(pictures),
    }
    with xvfb():
        found = measure(runs, given.rounds)
    rate = 1 / min(found["videosink"])
    print(f"1080p yuv420p shown in software: at best {rate:.0f} frames/s; milliseconds a frame")
    table(found, "memcpy", unit="ms", scale=1000)


if __name__ == "__main__":
    main()
