"""`multifile` and `filesequence`: numbered files, one for each packet."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from reelway.errors import OpenError, OptionError
from reelway.filters.bytesink import ByteWriter, coded_header, packed
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.option import Seconds, option
from reelway.media.events import Event, Stop
from reelway.media.packet import Packet

__all__ = ["FileSequence", "MultiFile"]

_ENDINGS = {
    "jpg": "mjpeg", "jpeg": "mjpeg", "png": "png", "bmp": "bmp", "webp": "webp", "gif": "gif", "tif": "tiff",
    "tiff": "tiff", "ppm": "ppm", "pgm": "pgm", "h264": "h264",
}  # fmt: skip


def numbered(pattern: str, number: int) -> str:
    """`pattern` with its %d, %05d replaced. Raises OptionError where it has no such place, or others."""
    try:
        return pattern % number
    except (TypeError, ValueError):
        raise OptionError(
            f"{pattern!r} has no place for a number", hint="write %05d where it is to be"
        ) from None


class MultiFile(ByteWriter):
    """Writes packets as `bytesink` does, into a new file for each, or whenever `next` says.

    `files` counts those that are finished. A message `multifile` with `filename`, `index` and `timestamp`
    [ns] tells of each where `post` is set.
    """

    registry_name = "multifile"

    dst: str = option("%05d", help="names of the files, with a place for the number")
    index: int = option(0, low=0, help="number of the first file")
    max_files: int = option(0, low=0, help="keeps the last so many and removes older ones; 0: keeps all")
    next: str = option(
        "packet",
        choices=("packet", "keyframe", "discontinuity", "size", "duration"),
        help="where a file begins: at each packet, at random access points, behind gaps, when one is full",
    )
    max_bytes: int = option(2 << 30, low=1, unit="bytes", help="of a file, with next=size")
    max_s: Seconds | None = option(
        None, low=0.0, kind=Seconds | None, unit="s", help="of a file, with next=duration"
    )
    post: bool = option(False, help="post a message for each file")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        numbered(self.dst, 0)
        self.number = self.index
        """Of the next file."""
        self.files = 0
        self._file: Any = None
        self._name = ""
        self._bytes = 0
        self._start: tuple[int | None, int] = (None, 1)
        """Ticks at which the file begins, and how many make a second."""
        self._kept: deque[str] = deque()

    def process(self) -> float | None:
        for pid in self.ipids:
            for packet in pid:
                data = packed(packet, pid.properties)
                if self._file is None or self._begins(packet, len(data)):
                    self._finish()
                    self._begin()
                    self._start = packet.dts, pid.properties.get("Timescale") or 1
                    data = coded_header(pid.properties, data) + bytes(data)
                try:
                    self._file.write(data)
                except OSError as error:
                    raise OpenError(f"writing {self._name} failed: {error}", url=self._name) from error
                self._bytes += len(data)
                if self.next == "packet":
                    self._finish()
        return None

    def close(self) -> None:
        self._finish()

    def _begins(self, packet: Packet, size: int) -> bool:
        match self.next:
            case "keyframe":
                return bool(packet.sap)
            case "discontinuity":
                return packet.discontinuity
            case "size":
                return self._bytes + size > self.max_bytes
            case "duration":
                ticks, (start, timescale) = packet.dts, self._start
                if ticks is None or start is None or self.max_s is None:
                    return False
                return ticks - start >= self.max_s * timescale
        return True

    def _begin(self) -> None:
        self._name = numbered(self.dst, self.number)
        try:
            self._file = open(self._name, "wb")  # noqa: SIM115 - _finish() closes it
        except OSError as error:
            raise OpenError(
                f"{self._name} cannot be written: {error.strerror or error}", url=self._name
            ) from error
        self._bytes = 0

    def _finish(self) -> None:
        if self._file is None:
            return
        file, self._file = self._file, None
        file.close()
        self.files += 1
        self._kept.append(self._name)
        if self.max_files and len(self._kept) > self.max_files:
            os.unlink(self._kept.popleft())
        elif not self.max_files:
            self._kept.clear()
        if self.post:
            start, timescale = self._start
            at = None if start is None else start * 1_000_000_000 // timescale
            self.post_message("multifile", filename=self._name, index=self.number, timestamp=at)
        self.number += 1


class FileSequence(Filter):
    """Reads numbered files, one after the other, as pictures of `fps` each second.

    What they hold is told by their ending (.jpg, .png ...), or by `properties`.
    """

    registry_name = "filesequence"
    outputs = (Caps(),)

    src: str = option("%05d", help="names of the files, with a place for the number")
    first: int = option(0, low=0, help="number of the first file")
    last: int = option(-1, low=-1, help="number of the last file; -1: while there are more")
    loop: bool = option(False, help="begin again behind the last")
    frames: int | None = option(None, low=0, help="how many packets; by default all files")
    fps: Fraction = option("25", low=Fraction(1, 3600), kind=Fraction, help="files a second")
    properties: Mapping[str, Any] = option(
        {}, kind=object, help="of the stream: StreamType, CodecID ..., where the ending does not say it"
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.number = self.first
        """Of the next file."""
        self._sent = 0

    def open(self) -> None:
        name = numbered(self.src, self.first)
        codec = _ENDINGS.get(name.rpartition(".")[2].lower(), "")
        if not codec and "CodecID" not in self.properties:
            raise OptionError(
                f"the ending of {name} does not say what it holds", hint="give properties={'CodecID': ...}"
            )
        if not os.path.exists(name):
            raise OpenError(f"{name} cannot be read: there is no such file", url=name)
        made: dict[str, Any] = {
            "StreamType": "Visual",
            "CodecID": codec,
            "Timescale": self.fps.numerator,
            "FPS": self.fps,
        }
        self.new_pid("video1", **{**made, **self.properties})

    def process(self) -> float | None:
        output, left = self.opids[0], self.quantum
        while left and not self.blocked and not output.ended:
            data = None if self._sent == self.frames else self._next()
            if data is None:
                output.end()
                return None
            ticks = self._sent * self.fps.denominator
            output.send(Packet(data, ticks, ticks, self.fps.denominator, 1))
            self._sent += 1
            left -= 1
        return None

    def on_event(self, event: Event) -> bool:
        """Stop ends it; it can do nothing else."""
        if isinstance(event, Stop):
            event.pid.end()
        return True

    def _next(self) -> bytes | None:
        over = 0 <= self.last < self.number
        if over or (self.last < 0 and not os.path.exists(numbered(self.src, self.number))):
            if not self.loop or self.number == self.first:
                return None
            self.number = self.first
        name = numbered(self.src, self.number)
        try:
            with open(name, "rb") as file:
                data = file.read()
        except OSError as error:
            raise OpenError(f"{name} cannot be read: {error.strerror or error}", url=name) from error
        self.number += 1
        return data
