"""Where packets of a long pre-roll lie: on disk, in files without a name, which are gone with the process.

A thread of its own writes, and who writes a clip reads, so that a slow disk holds up neither the session nor
its other recordings: what it does not get done stays in memory.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import tempfile
import threading
import weakref

from reelway.errors import OpenError
from reelway.media.packet import Packet
from reelway.media.payload import Viewed

__all__ = ["Spill"]

log = logging.getLogger("reelway.record")

SEGMENT = 16 << 20
"""Bytes of one file. Its room is free again when the last of its packets is."""
WAITING = 2000
"""So many packets wait to be written; more stay in memory."""


class Spill:
    """Moves the bytes of packets to files in `folder`."""

    def __init__(self, folder: str) -> None:
        """Raises OpenError where nothing can be written there."""
        self.folder = folder
        self.failure: OSError | None = None
        """From then on everything stays in memory."""
        self._segment = self._new()
        self._waiting: queue.Queue[Packet | None] = queue.Queue(WAITING)
        threading.Thread(target=self._work, name="reelway-spill", daemon=True).start()

    def move(self, packet: Packet) -> bool:
        """Soon `packet` holds no memory; False: it does, as the disk is too slow, or full."""
        if self.failure is not None:
            return False
        try:
            self._waiting.put_nowait(packet)
        except queue.Full:
            return False
        return True

    def close(self) -> None:
        """Nothing more is moved; what was can be read as long as somebody has it."""
        self.failure = self.failure or OSError("closed")
        with contextlib.suppress(queue.Full):  # then it sees the failure
            self._waiting.put_nowait(None)

    def _work(self) -> None:
        while self.failure is None and (packet := self._waiting.get()) is not None:
            try:
                packet.payload = self._written(packet.data)
            except OSError as error:
                self.failure = error
                log.warning("%s: %s: what comes before an event stays in memory", self.folder, error.strerror)

    def _written(self, data: memoryview) -> Spilled:
        if self._segment.size + len(data) > SEGMENT:
            self._segment = _Segment(self.folder)
        return self._segment.append(data)

    def _new(self) -> _Segment:
        try:
            return _Segment(self.folder)
        except OSError as error:
            raise OpenError(
                f"{self.folder} cannot hold what comes before an event: {error.strerror}",
                url=self.folder,
                errno=error.errno,
                hint="spill= names a folder that can be written to",
            ) from error


class _Segment:
    """A file without a name."""

    def __init__(self, folder: str) -> None:
        self._file, path = tempfile.mkstemp(dir=folder)
        weakref.finalize(self, os.close, self._file)
        os.unlink(path)
        self.size = 0

    def append(self, data: memoryview) -> Spilled:
        left, at = data, self.size
        while left:
            written = os.pwrite(self._file, left, self.size)
            self.size += written
            left = left[written:]
        return Spilled(self, at, len(data))

    def read(self, offset: int, size: int) -> bytes:
        return os.pread(self._file, size, offset)


class Spilled(Viewed):
    """The bytes of a packet, on disk: a payload that is read when somebody looks."""

    __slots__ = ("_offset", "_segment", "_size")

    def __init__(self, segment: _Segment, offset: int, size: int) -> None:
        self._segment, self._offset, self._size = segment, offset, size

    def view(self) -> memoryview:
        """A copy in memory."""
        return memoryview(self._segment.read(self._offset, self._size))
