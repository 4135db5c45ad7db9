"""Frame filters that share: ends of chains, which write into a ring."""

from __future__ import annotations

from typing import Any

import numpy

import reelway as rw
from reelway.compat.valkka.frames import Frame, FrameFilter
from reelway.compat.valkka.ring import SharedMemRingBuffer, SharedMemRingBufferRGB

__all__ = ["RGBShmemFrameFilter", "SharedMemFrameFilter", "ShmemFrameFilter"]


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
        payload = frame.payload
        if isinstance(payload, rw.Packet):
            payload = numpy.ascontiguousarray(payload.array()).reshape(-1)
        self.shmembuf.serverPush(payload, frame.slot, frame.mstimestamp, properties=shared(frame))


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
            self.shmembuf.serverPushPyRGB(frame.array(), frame.slot, frame.mstimestamp)
        except rw.PacketError as error:
            raise rw.PacketError(f"{self.name}: {error}", hint=error.hint) from None


def shared(frame: Frame) -> dict[str, Any]:
    """Properties of its stream that other readers than Valkka's see, of a raw picture."""
    names = (
        "StreamType",
        "CodecID",
        "PixelFormat",
        "Width",
        "Height",
        "Timescale",
        "ColorMatrix",
        "FullRange",
    )
    return {name: frame.properties[name] for name in names if name in frame.properties}
