"""What goes through chains of frame filters."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy

import reelway as rw

__all__ = ["Frame", "FrameFilter"]


@dataclass(slots=True)
class Frame:
    """A picture, a piece of sound, or what is coded of them.

    payload       of a stream: a `rw.Packet`, which others may hold, too; of a script: bytes, or an array
    slot          Valkka's number of its stream
    mstimestamp   wall clock [ms]; None: now
    properties    of the stream, as Reelway names them: StreamType, CodecID, Width, PixelFormat ...
    subsession    0 for the first picture stream, or the first sound, of its slot; else counted on
    """

    payload: Any
    slot: int = 1
    mstimestamp: int | None = None
    properties: Mapping[str, Any] = field(default_factory=dict, repr=False)
    subsession: int = 0

    @property
    def kind(self) -> str:
        """`Visual`, `Audio`, or what else its stream says."""
        return str(self.properties.get("StreamType", ""))

    @property
    def coded(self) -> bool:
        """It is to be decoded."""
        return str(self.properties.get("CodecID", "raw")) != "raw"

    @property
    def key(self) -> bool:
        """One can begin here: a keyframe, sound, or a raw picture."""
        return not self.coded or self.kind != "Visual" or bool(self.payload.sap > 0)

    @property
    def wall_ms(self) -> int:
        """`mstimestamp`, or now."""
        return int(time.time() * 1000) if self.mstimestamp is None else self.mstimestamp

    @property
    def late_ms(self) -> int:
        """How long ago it was captured."""
        return 0 if self.mstimestamp is None else int(time.time() * 1000) - self.mstimestamp

    def array(self) -> Any:
        """What it holds, read-only: a raw packed picture as (lines, columns, components), else uint8."""
        if isinstance(self.payload, rw.Packet):
            return self.payload.array()
        if isinstance(self.payload, (bytes, bytearray, memoryview)):
            return numpy.frombuffer(self.payload, numpy.uint8)
        return self.payload


class FrameFilter:
    """Does `go(frame)`, then has the next one run: a chain is made from its end.

    It runs on the thread that its frames come from: a LiveThread's for what is coded, an AVThread's for
    pictures. What it raises ends the work of that thread, and is logged.
    """

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
        from reelway.compat.valkka.later import comes_later

        raise comes_later("EventFd")
