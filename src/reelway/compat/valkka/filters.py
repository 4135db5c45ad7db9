"""Frame filters of Valkka, as far as they share: each sees a frame, and hands it to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reelway as rw
from reelway.compat.valkka.later import comes_later
from reelway.compat.valkka.ring import SharedMemRingBuffer, SharedMemRingBufferRGB

__all__ = ["Frame", "FrameFilter", "RGBShmemFrameFilter", "SharedMemFrameFilter", "ShmemFrameFilter"]


@dataclass(slots=True)
class Frame:
    """What goes through frame filters: bytes or an array, Valkka's number of its stream, wall clock [ms]."""

    payload: Any
    slot: int = 1
    mstimestamp: int | None = None
    """None: now."""


class FrameFilter:
    """Does `go(frame)`, then has the next one run: a chain is made from its end."""

    def __init__(self, name: str, next: FrameFilter | None = None) -> None:
        self.name = name
        self.next = next

    def run(self, frame: Frame) -> None:
        """One frame through this filter and those behind it."""
        self.go(frame)
        if self.next is not None:
            self.next.run(frame)

    def go(self, frame: Frame) -> None:
        """What this filter does."""

    def useFd(self, event_fd: object) -> None:
        """Raises: it comes later."""
        raise comes_later("EventFd")


class SharedMemFrameFilter(FrameFilter):
    """Writes frames into a ring: (name, buffers, bytes of each[, timeout]); waits for nobody.

    With width, height and timeout, or those two by name, it is an `RGBShmemFrameFilter`.
    """

    def __new__(cls, *words: Any, **named: Any) -> Any:
        most = 4  # one more is the form with width and height
        if cls is SharedMemFrameFilter and (len(words) > most or "width" in named):
            return RGBShmemFrameFilter(*words, **named)
        return super().__new__(cls)

    def __init__(self, name: str, n_cells: int, n_bytes: int, mstimeout: int = 0) -> None:
        super().__init__(name)
        self.shmembuf = SharedMemRingBuffer(name, n_cells, n_bytes, mstimeout, True)

    def go(self, frame: Frame) -> None:
        self.shmembuf.serverPush(frame.payload, frame.slot, frame.mstimestamp)


ShmemFrameFilter = SharedMemFrameFilter
"""Its name in the last version."""


class RGBShmemFrameFilter(FrameFilter):
    """Writes pictures (lines, columns, 3) of at most this size into a ring; waits for nobody."""

    def __init__(self, name: str, n_cells: int, width: int, height: int, mstimeout: int = 0) -> None:
        super().__init__(name)
        self.shmembuf = SharedMemRingBufferRGB(name, n_cells, width, height, mstimeout, True)

    def go(self, frame: Frame) -> None:
        """Raises PacketError for what is no such picture."""
        try:
            self.shmembuf.serverPushPyRGB(frame.payload, frame.slot, frame.mstimestamp)
        except rw.PacketError as error:
            raise rw.PacketError(f"{self.name}: {error}", hint=error.hint) from None
