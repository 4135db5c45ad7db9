"""How GStreamer lays raw media out in memory: lines padded to whole words, planes one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import reelway as rw
from reelway.graph.mediacaps import MediaCaps
from reelway.media.frame import MemoryFrame
from reelway.media.layout import Layout, Plane, picture_layout, sound_layout
from reelway.media.payload import Frame

__all__ = ["frame_of", "gst_layout", "laid_out", "layout_of_caps", "properties_of"]


def _up(number: int, step: int) -> int:
    return -(-number // step) * step


@lru_cache(maxsize=64)
def gst_layout(format: str, width: int, height: int) -> Layout:
    """The layout of a picture in GStreamer's memory; `format` is FFmpeg's name of it.

    Each line is a multiple of four bytes; with chroma of half height, and in 4:2:2 of more than 8 bits, a
    plane has an even number of lines.
    """
    tight = picture_layout(format, width, height)
    square = [plane.shape for plane in picture_layout(format, 64, 64).planes]
    even = any(lines == 32 for lines, *_ in square) or format.startswith(("yuv422p1", "yuva422p1"))
    planes: list[Plane] = []
    offset = 0
    for plane, (lines, *_) in zip(tight.planes, square, strict=True):
        stride = _up(plane.stride, 4)
        planes.append(Plane(offset, stride, plane.shape))
        offset += stride * (_up(plane.shape[0], 2) if even and lines == 64 else plane.shape[0])
    return Layout(format, tight.dtype, tuple(planes), offset)


def laid_out(frame: Frame, properties: Mapping[str, Any]) -> bytearray:
    """The bytes of a raw frame as GStreamer has them, copied."""
    planes = frame.planes()
    if properties.get("StreamType") == "Audio":
        layout = sound_layout(frame.format, properties["NumChannels"], planes[0].shape[0])
    else:
        layout = gst_layout(frame.format, properties["Width"], properties["Height"])
    memory = bytearray(layout.size)
    for plane, view in zip(planes, layout.views(memory), strict=True):
        view[...] = plane
    return memory


def frame_of(memory: Any, properties: Mapping[str, Any]) -> MemoryFrame:
    """A raw frame on bytes that GStreamer's programs made, not copied; tight lines are understood too."""
    held = memoryview(memory).nbytes
    if properties.get("StreamType") == "Audio":
        format, channels = properties["AudioFormat"], properties["NumChannels"]
        one = sound_layout(format, channels, 1).size
        return MemoryFrame(sound_layout(format, channels, held // one), memory)
    size = properties["PixelFormat"], properties["Width"], properties["Height"]
    padded, tight = gst_layout(*size), picture_layout(*size)
    if held < padded.size and held >= tight.size:
        return MemoryFrame(tight, memory)
    if held < padded.size:
        raise rw.PacketError(
            f"{held} bytes are no picture of {size[1]}x{size[2]} {size[0]}, which takes {padded.size}",
            hint="the caps and what is pushed must fit: format, width, height",
        )
    return MemoryFrame(padded, memory)


def properties_of(caps: MediaCaps) -> dict[str, Any]:
    """Reelway's properties of a stream that fixed caps describe."""
    from reelway.graph.mediaformats import to_bundles

    bundles = to_bundles(caps)
    if not bundles:
        raise rw.OptionError(f"no stream is described by the caps {caps}")
    return {name: value for name, value in bundles[0].made().items() if not isinstance(value, frozenset)}


def layout_of_caps(caps: MediaCaps) -> Layout:
    """The layout of the pictures that fixed raw video caps describe."""
    properties = properties_of(caps)
    return gst_layout(properties["PixelFormat"], properties["Width"], properties["Height"])
