"""`FileFrameFilter`: what is coded, into a Matroska file."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

import reelway as rw
from reelway.compat.valkka.fifo import Feed, FrameFifo
from reelway.compat.valkka.frames import Frame, FrameFilter
from reelway.compat.valkka.work import Work, log

__all__ = ["FileFrameFilter"]

MOST = 2000
"""Frames that wait for the disk; more are dropped, and counted."""

Which = tuple[int, str, int]
"""Slot, kind, and number."""


class FileFrameFilter(FrameFilter):
    """Writes coded frames into a Matroska file, between `activate(filename)` and `deActivate()`.

    The file begins with the next keyframe, at time 0, with the streams that were seen by then. It belongs at
    the end of a chain through which frames come all the time. Written on a thread of its own.
    """

    def __init__(self, name: str, next: FrameFilter | None = None) -> None:
        super().__init__(name, next)
        self.fifo = FrameFifo(name, MOST)
        """`dropped` counts what the disk was too slow for."""
        self._lock = threading.Lock()
        """Held by who writes a frame, activates or deactivates, for moments."""
        self._streams: dict[Which, Mapping[str, Any]] = {}
        self._filename: str | None = None
        self._zero_ms = 0
        self._zero_s = 0.0
        """Where the file begins on the time of the streams [s]."""
        self._work: Work | None = None
        self._feeds: dict[Which, Feed] = {}

    def activate(self, filename: str | os.PathLike[str], zerotime: int = 0) -> bool:
        """Begins a file with the next keyframe; `zerotime` [ms, wall clock] lies at its time 0.

        False: one is being written. Raises OpenError where there is no such folder.
        """
        path = os.fspath(filename)
        if not os.path.isdir(os.path.dirname(path) or "."):
            raise rw.OpenError(f"{self.name}: no folder for {path}", url=path)
        with self._lock:
            if self._filename is not None:
                return False
            self._filename, self._zero_ms = path, zerotime
        return True

    def deActivate(self) -> bool:
        """Ends the file; when this returns it is complete. False: none was active. Raises what failed."""
        with self._lock:
            was, self._filename = self._filename, None
            work, self._work = self._work, None
            feeds, self._feeds = self._feeds, {}
        for feed in feeds.values():
            feed.end()
        if work is not None:
            work.finish()
        return was is not None

    def go(self, frame: Frame) -> None:
        if not frame.coded:
            return
        which = frame.slot, frame.kind, frame.subsession
        with self._lock:
            self._streams[which] = frame.properties
            if self._filename is None:
                return
            if self._work is None and self._may_begin(frame):
                self._begin(frame, self._filename)
            if self._work is not None:
                self._write(which, frame)

    def _may_begin(self, frame: Frame) -> bool:
        if any(kind == "Visual" for _, kind, _ in self._streams):
            return frame.kind == "Visual" and frame.key
        return True

    def _begin(self, frame: Frame, filename: str) -> None:
        self._zero_s = _seconds(frame) or 0.0
        if self._zero_ms:
            self._zero_s -= (frame.wall_ms - self._zero_ms) / 1000
        self._work = work = Work(f"{self.name}, {filename}")
        session = work.session
        sink = session.load_dst(filename, format="matroska")
        for which, properties in self._streams.items():
            feed = session.add(Feed(self.fifo, properties=properties, name=f"{which[1]} of slot {which[0]}"))
            assert isinstance(feed, Feed)
            self._feeds[which] = feed
            feed >> sink
        work.start()

    def _write(self, which: Which, frame: Frame) -> None:
        feed = self._feeds.get(which)
        if feed is None:
            log.warning("%s: %s of slot %d begins too late for the file", self.name, frame.kind, frame.slot)
            self._feeds[which] = Feed(self.fifo)  # told once
            return
        time_s = _seconds(frame)
        if time_s is None or time_s < self._zero_s:
            return
        packet = frame.payload.clone()
        shift = round(self._zero_s * (frame.properties.get("Timescale") or 1))
        packet.cts = None if packet.cts is None else packet.cts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        feed.offer(Frame(packet, frame.slot, frame.mstimestamp, frame.properties, frame.subsession))


def _seconds(frame: Frame) -> float | None:
    packet = frame.payload
    time = packet.dts if packet.dts is not None else packet.cts
    return None if time is None else time / (frame.properties.get("Timescale") or 1)
