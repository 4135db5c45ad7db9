"""A session that shows what a test pushes, in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy

import reelway as rw
from reelway.display.window import VideoSink
from reelway.filters.colour import samples_of
from reelway.media.frame import MemoryFrame
from reelway.media.layout import Array
from tests.filters.raw import picture_properties

PATIENCE_S = 20.0


def until(holds: Callable[[], bool], what: str = "it does not come about") -> None:
    """Waits for what another thread, or another process, does."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, what
        threading.Event().wait(0.005)


def blocks(size: int = 16, seed: int = 3) -> Array:
    """(128, 192, 3) uint8: squares of one colour each, among them black, white, and the corners of RGB."""
    random = numpy.random.default_rng(seed)
    colours = random.integers(0, 256, (8, 12, 3))
    corners = [[255 * (n >> shift & 1) for shift in range(3)] for n in range(8)]
    colours.reshape(-1, 3)[:8] = corners
    made: Array = colours.repeat(size, 0).repeat(size, 1).astype(numpy.uint8)
    return made


def packet_of(rgb: Array, properties: dict[str, Any]) -> rw.Packet:
    """A picture in the format, matrix and range that `properties` say."""
    height, width = rgb.shape[:2]
    frame = MemoryFrame.picture(properties["PixelFormat"], width, height)
    for plane, drawn in zip(frame.planes(writable=True), samples_of(properties).planes(rgb), strict=True):
        plane[:] = drawn
    return rw.Packet(frame, sap=1)


class Show:
    """A running session: `push()` shows a picture and returns when it is in the window."""

    def __init__(self, sink: VideoSink, properties: dict[str, Any]) -> None:
        self.session = rw.Session()
        self.source = rw.AppSource(properties=properties)
        self.sink = sink
        self.properties = properties
        self.pushed = 0
        self.error: Exception | None = None
        self.session.add(self.source) >> self.session.add(sink)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def push(self, rgb: Array) -> None:
        self.pushed += 1
        self.source.push(packet_of(rgb, self.properties))
        until(lambda: self.sink.shown == self.pushed or not self._thread.is_alive())

    def join(self, timeout_s: float = PATIENCE_S) -> None:
        self._thread.join(timeout_s)
        assert not self._thread.is_alive(), "the session does not end"
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        try:
            self.session.run()
        except Exception as error:  # noqa: BLE001 - the test raises it
            self.error = error


@contextmanager
def show(properties: dict[str, Any] | None = None, **options: Any) -> Iterator[Show]:
    """At the screen's upper left corner, where nothing else is said."""
    sink = VideoSink(**{"x": 0, "y": 0, "title": "test", **options})
    made = Show(sink, properties or picture_properties("rgb24", 192, 128))
    try:
        yield made
    finally:
        made.session.stop("none")
        made.join()
