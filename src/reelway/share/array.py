"""An array in the writer's memory, with what was said of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy

from reelway.errors import StateError
from reelway.media.layout import Array
from reelway.media.packet import Packet
from reelway.share.content import Format, metadata_from
from reelway.share.wire import FrameNote

__all__ = ["SharedArray", "flags_of"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_CORRUPTED, _DISCONTINUITY, _SEEK, _SAP_SHIFT, _SAP = 1, 2, 4, 4, 0xF


def flags_of(packet: Packet) -> int:
    """What a FRAME message says of it beside its times."""
    return (
        _CORRUPTED * packet.corrupted
        | _DISCONTINUITY * packet.discontinuity
        | _SEEK * packet.seek
        | (packet.sap & _SAP) << _SAP_SHIFT
    )


class SharedArray(numpy.ndarray[Any, Any]):
    """One frame: a numpy array in shared memory, read-only, not copied; shaped as `Format.array` says.

    The writer leaves it as it is until the array, and every view of it, is gone: keep `frame.copy()` rather
    than many frames. Only for this process is that so: a fork of it sees the memory, and holds nothing.
    DLPack passes it on, without a copy, to who takes read-only arrays (`numpy.from_dlpack(frame)`); to others
    give `frame.copy()`. Pickles and results of arithmetic are plain arrays and numbers; of copies and parts
    nothing is said.
    """

    # Of a view or a copy nothing was said: it has what the class has.

    sequence: int = 0
    """Counts the frames of the writer, from 1; those between two that came were not for this reader."""
    dts: int | None = None
    cts: int | None = None
    duration: int | None = None
    """Times in ticks of `properties["Timescale"]`."""
    capture_time: int | None = None
    """Wall clock [ns since 1970]."""
    sap: int = 0
    """Stream access point type, as `rw.Packet.sap`; 0: none."""
    seek: bool = False
    """Decoded only to reach a seek target, not to be shown."""
    corrupted: bool = False
    discontinuity: bool = False
    properties: Mapping[str, Any] = _NOTHING
    """Of the PID that it came from."""
    metadata: Mapping[str, Any] = _NOTHING
    """What the writer added."""
    _format: Format | None = None
    _memory: memoryview | None = None

    @classmethod
    def of(cls, memory: memoryview, format: Format, note: FrameNote) -> SharedArray:
        """The frame in a slot. Raises PacketError where that is not what it says."""
        made = format.array(memory).view(cls)
        made._format = format
        made.sequence = note.sequence
        made.dts, made.cts, made.duration = note.dts, note.cts, note.duration
        made.capture_time = note.capture_time
        made.sap = note.flags >> _SAP_SHIFT & _SAP
        made.corrupted = bool(note.flags & _CORRUPTED)
        made.discontinuity = bool(note.flags & _DISCONTINUITY)
        made.seek = bool(note.flags & _SEEK)
        made.properties = format.properties
        made.metadata = MappingProxyType(metadata_from(note.metadata)) if note.metadata else _NOTHING
        made._memory = memory
        return made

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """What is computed is a plain array, or a number."""
        return array[()] if array.ndim == 0 else array.view(numpy.ndarray)

    def __reduce__(self) -> Any:
        """Pickled as a plain array: a copy."""
        return numpy.asarray(self).__reduce__()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return numpy.asarray(self).__reduce_ex__(protocol)

    @property
    def time(self) -> float | None:
        """Seconds on the timeline of its PID; None: unknown."""
        ticks = self.cts if self.cts is not None else self.dts
        timescale = self.properties.get("Timescale")
        return ticks / timescale if ticks is not None and timescale else None

    def planes(self) -> list[Array]:
        """The planes of raw media, read-only views; of anything else the array itself."""
        if self._format is None or self._memory is None:
            return [numpy.asarray(self)]
        return self._format.planes(self._memory)

    def payload(self) -> memoryview:
        """All its bytes, read-only, not copied; they keep the frame as the array does.

        Raises StateError for what was computed from a frame, or is a part of one.
        """
        if self._memory is None:
            raise StateError("only a frame as it came has a payload", hint="keep that, or use tobytes()")
        return self._memory[:]
