"""Samples of sound as numbers from -1 to 1, and back in the format of a PID."""

from __future__ import annotations

import numpy

from reelway.errors import UnsupportedError
from reelway.graph.caps import Caps
from reelway.media.frame import MemoryFrame
from reelway.media.layout import SAMPLE_FORMATS, Array
from reelway.media.payload import Frame

__all__ = ["RAW_SOUND", "to_floats", "to_frame"]

RAW_SOUND = Caps(StreamType="Audio", CodecID="raw")


def to_floats(frame: Frame) -> Array:
    """(samples, channels), float32 (float64 for s32, s64 and dbl); a copy, or a read-only view of `flt`."""
    planes = frame.planes()
    samples: Array = planes[0] if planes[0].ndim == 2 else numpy.stack(planes, axis=1)
    kind = samples.dtype.kind
    if kind == "f":
        return samples
    wide: Array = samples.astype(numpy.float64 if samples.dtype.itemsize > 2 else numpy.float32)
    if kind == "u":
        wide -= 128
    wide /= _full(samples.dtype)
    return wide


def to_frame(samples: Array, format: str) -> MemoryFrame:
    """(samples, channels) floats in `format`: rounded, and clipped where the format has a limit."""
    count, channels = samples.shape
    name = format.removesuffix("p")
    if name not in SAMPLE_FORMATS:
        raise UnsupportedError(f"no sample format is called {format!r}")
    frame = MemoryFrame.sound(format, channels, count)
    planes = frame.planes(writable=True)
    dtype = planes[0].dtype
    if dtype.kind == "f":
        whole = samples
    else:
        full = _full(dtype)
        wide = numpy.float32 if dtype.itemsize <= 2 else numpy.float64
        scaled = numpy.rint(samples * wide(full))
        # the greatest s64 is no float64: what rounds up to it is clipped below it
        most = full - 1 if dtype.itemsize < 8 else full - 1024
        numpy.clip(scaled, -full, most, out=scaled)
        whole = scaled + 128 if dtype.kind == "u" else scaled
    if len(planes) == 1 and planes[0].ndim == 2:
        planes[0][:] = whole
    else:
        for channel, plane in enumerate(planes):
            plane[:] = whole[:, channel]
    return frame


def _full(dtype: numpy.dtype[numpy.generic]) -> int:
    """What stands for 1.0."""
    return 1 << (8 * dtype.itemsize - 1)
