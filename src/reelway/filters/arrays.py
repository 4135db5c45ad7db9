"""Frames of arrays, as people who write functions and applications have them."""

from __future__ import annotations

from typing import Any

import numpy

from reelway.errors import PacketError
from reelway.media.frame import MemoryFrame
from reelway.media.layout import Array, picture_layout, sound_layout

__all__ = ["format_of_picture", "format_of_sound", "picture_of", "sound_of"]

_BY_SHAPE = {(2, 1): "gray", (3, 2): "ya8", (3, 3): "rgb24", (3, 4): "rgba"}
_SOUNDS = {"u1": "u8", "i2": "s16", "i4": "s32", "i8": "s64", "f4": "flt", "f8": "dbl"}


def format_of_picture(array: Array) -> str:
    """What an array of uint8 most likely is: gray, rgb24 or rgba by its shape. Raises PacketError."""
    last = array.shape[2] if array.ndim == 3 else 1
    format = _BY_SHAPE.get((array.ndim, last))
    if format is None or array.dtype != numpy.uint8:
        raise PacketError(
            f"an array {array.shape} of {array.dtype} does not say which picture it is",
            hint="say pixel_format=, or give (lines, columns, 3) of uint8",
        )
    return format


def format_of_sound(array: Array) -> str:
    """The packed sample format of an array's numbers. Raises PacketError."""
    format = _SOUNDS.get(array.dtype.str[1:])
    if format is None or array.ndim not in (1, 2):
        raise PacketError(
            f"an array {array.shape} of {array.dtype} is no sound",
            hint="give (samples, channels) of float32 or int16",
        )
    return format


def picture_of(array: Array, format: str, copy: bool) -> tuple[MemoryFrame, int, int]:
    """A frame of an array as `Packet.array()` gives it, its width and its height. Raises PacketError.

    With `copy=False` the frame lies in the array's memory where that has no gaps.
    """
    probe = picture_layout(format, 64, 64)
    shape = probe.planes[0].shape
    if len(probe.planes) > 1 and all(plane.shape == shape for plane in probe.planes):
        shape = (len(probe.planes), *shape)
        lines, columns, fits = 1, 2, array.ndim == len(shape) and array.shape[0] == shape[0]
    else:
        lines, columns, fits = 0, 1, array.ndim == len(shape) and array.shape[2:] == shape[2:]
    if fits:
        width, height = array.shape[columns], array.shape[lines]
        if len(probe.planes) > 1 and lines == 0:  # planes below each other: more lines than the picture has
            whole = probe.size // (64 * int(probe.dtype[-1]))
            height = height * 64 // whole
        layout = picture_layout(format, width, height)
        if layout.size == array.size * int(layout.dtype[-1]) and width and height:
            return MemoryFrame(layout, _memory(array, layout.dtype, copy)), width, height
    raise PacketError(
        f"an array {array.shape} is no picture of {format}",
        hint="shapes are those of packet.array(): rgb24 (lines, columns, 3), gray (lines, columns), "
        "yuv420p (lines * 3 / 2, columns)",
    )


def sound_of(array: Array, format: str, copy: bool) -> MemoryFrame:
    """A frame of (samples, channels), or (samples,) of one channel. Raises PacketError."""
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise PacketError(f"an array {array.shape} is no sound", hint="give (samples, channels)")
    layout = sound_layout(format, array.shape[1], array.shape[0])
    planar = format.endswith("p")
    return MemoryFrame(layout, _memory(array.T if planar else array, layout.dtype, copy))


def _memory(array: Array, dtype: str, copy: bool) -> Any:
    wanted = numpy.dtype(dtype)
    if array.dtype.kind != wanted.kind or array.dtype.itemsize != wanted.itemsize:
        raise PacketError(
            f"the array holds {array.dtype}, the format {wanted}", hint=f"array.astype({wanted.name!r})"
        )
    whole = numpy.array(array, wanted, order="C") if copy else numpy.ascontiguousarray(array, wanted)
    flat: Any = whole.reshape(-1).view(numpy.uint8)
    return memoryview(flat)
