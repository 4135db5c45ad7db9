"""An array in the writer's memory, with what was said of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy

from reelway.media.layout import Array
from reelway.share.content import Description, array_in, planes_in, properties_from
from reelway.share.wire import FrameNote

__all__ = ["SharedArray"]

FLAG_SAP, FLAG_CORRUPTED, FLAG_DISCONTINUITY = 1, 2, 4


class SharedArray(numpy.ndarray[Any, Any]):
    """One frame: a numpy array in shared memory, read-only, not copied; `content.array_in` says its shape.

    The writer leaves it as it is until the array, and every view of it, is gone: keep `frame.copy()` rather
    than many frames. DLPack passes it on to who takes read-only arrays; others need a copy.
    """

    sequence: int
    """Counts the frames of the writer, from 1; those between two that came were not for this reader."""
    dts: int | None
    cts: int | None
    duration: int | None
    """Times in ticks of `properties["Timescale"]`."""
    capture_time: int | None
    """Wall clock [ns since 1970]."""
    sap: int
    corrupted: bool
    discontinuity: bool
    properties: Mapping[str, Any]
    """Of the PID that it came from."""
    metadata: Mapping[str, Any]
    """What the writer added."""
    _description: Description | None
    _memory: memoryview

    @classmethod
    def of(cls, memory: memoryview, description: Description, note: FrameNote) -> SharedArray:
        """The frame in a slot. Raises PacketError where that is not what it says."""
        made = array_in(description, memory).view(cls)
        made._description = description
        made.sequence = note.sequence
        made.dts, made.cts, made.duration = note.dts, note.cts, note.duration
        made.capture_time = note.capture_time
        made.sap = note.flags & FLAG_SAP
        made.corrupted = bool(note.flags & FLAG_CORRUPTED)
        made.discontinuity = bool(note.flags & FLAG_DISCONTINUITY)
        made.properties = MappingProxyType(properties_from(description))
        made.metadata = MappingProxyType(note.metadata)
        made._memory = memory
        return made

    def __array_finalize__(self, source: Any) -> None:
        """Views and results of arithmetic are plain: nothing was said of them."""
        self._description = None
        self.sequence = self.sap = 0
        self.dts = self.cts = self.duration = self.capture_time = None
        self.corrupted = self.discontinuity = False
        self.properties = self.metadata = MappingProxyType({})

    @property
    def time(self) -> float | None:
        """Seconds on the timeline of its PID; None: unknown."""
        ticks = self.cts if self.cts is not None else self.dts
        timescale = self.properties.get("Timescale")
        return ticks / timescale if ticks is not None and timescale else None

    def planes(self) -> list[Array]:
        """The planes of raw media, read-only views; of anything else the array itself."""
        if self._description is None:
            return [numpy.asarray(self)]
        return planes_in(self._description, self._memory)

    def payload(self) -> memoryview:
        """All its bytes, not copied; of a frame as it came, not of what was computed from one."""
        return self._memory
