"""Where the samples of raw media lie in memory: by format, picture size or number of samples.

Raw media in one piece of memory has its planes one after the other. `Stride` and `StrideUV` of its PID say
how many bytes a line takes; without them lines follow each other without a gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy

from reelway.errors import PacketError, UnsupportedError

Array = numpy.ndarray[Any, Any]

# A plane is written `components` or `components/divisor of width/divisor of height`.
_YUV = {"410": "1/4/4", "411": "1/4/1", "420": "1/2/2", "422": "1/2/1", "440": "1/1/2", "444": "1/1/1"}
_RGBA = "rgba bgra argb abgr rgb0 bgr0 0rgb 0bgr"
_DEPTHS = ("9", "10", "12", "14", "16")


def _picture_formats() -> dict[str, str]:
    """FFmpeg's name -> numpy's type of a sample, then the planes. A few that FFmpeg lacks do no harm."""
    formats = {
        "gray": "u1 1",
        "ya8": "u1 2",
        "rgb24": "u1 3",
        "bgr24": "u1 3",
        **dict.fromkeys(_RGBA.split(), "u1 4"),
        "nv12": "u1 1 2/2/2",
        "nv21": "u1 1 2/2/2",
        "nv16": "u1 1 2/2/1",
        "nv24": "u1 1 2",
        "nv42": "u1 1 2",
        **dict.fromkeys(("yuyv422", "uyvy422", "yvyu422"), "u1 2"),
        "gbrp": "u1 1 1 1",
        "gbrap": "u1 1 1 1 1",
    }
    for name, chroma in _YUV.items():
        formats[f"yuv{name}p"] = formats[f"yuvj{name}p"] = f"u1 1 {chroma} {chroma}"
        formats[f"yuva{name}p"] = f"u1 1 {chroma} {chroma} 1"
    for suffix, sign in (("le", "<"), ("be", ">")):
        for name, planes in {
            **{f"yuv{name}p": f"1 {chroma} {chroma}" for name, chroma in _YUV.items()},
            **{f"yuva{name}p": f"1 {chroma} {chroma} 1" for name, chroma in _YUV.items()},
            "gray": "1",
            "gbrp": "1 1 1",
            "gbrap": "1 1 1 1",
        }.items():
            formats |= {f"{name}{depth}{suffix}": f"{sign}u2 {planes}" for depth in _DEPTHS}
        for digit, planes in {"0": "1 2/2/2", "2": "1 2/2/1", "4": "1 2"}.items():
            formats |= {f"p{digit}{depth}{suffix}": f"{sign}u2 {planes}" for depth in ("10", "12", "16")}
        formats |= {
            f"ya16{suffix}": f"{sign}u2 2",
            f"rgb48{suffix}": f"{sign}u2 3",
            f"bgr48{suffix}": f"{sign}u2 3",
            f"rgba64{suffix}": f"{sign}u2 4",
            f"bgra64{suffix}": f"{sign}u2 4",
            f"grayf32{suffix}": f"{sign}f4 1",
            f"rgbf32{suffix}": f"{sign}f4 3",
            f"gbrpf32{suffix}": f"{sign}f4 1 1 1",
            f"gbrapf32{suffix}": f"{sign}f4 1 1 1 1",
        }
    return formats


PICTURE_FORMATS = _picture_formats()
SAMPLE_FORMATS = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
"""Packed formats; with a `p` behind the name each channel has a plane of its own."""


class Plane(NamedTuple):
    """`shape` is (lines, columns) of a picture and (samples,) of sound, then components or channels, where
    there are several; `stride` is bytes from line to line, or from sample to sample."""

    offset: int
    stride: int
    shape: tuple[int, ...]


class Layout(NamedTuple):
    """The planes of a picture or of a piece of sound in one piece of memory of `size` bytes."""

    format: str
    dtype: str
    planes: tuple[Plane, ...]
    size: int

    def views(self, memory: Any) -> list[Array]:
        """One array a plane, of the planes' shapes; not copied, writable where `memory` is."""
        item = int(self.dtype[-1])
        found = []
        for offset, stride, shape in self.planes:
            inner = (stride, item) if len(shape) == 2 else (stride, shape[-1] * item, item)
            strides = (stride,) if len(shape) == 1 else inner
            found.append(numpy.ndarray(shape, self.dtype, memory, offset, strides))
        return found


@lru_cache(maxsize=64)
def picture_layout(format: str, width: int, height: int, stride: int = 0, stride_uv: int = 0) -> Layout:
    """The layout of a picture; strides in bytes, 0: as many as the line needs.

    Chroma planes without a `stride_uv` have the part of `stride` that they are wide. Raises UnsupportedError
    for a format whose samples are not whole bytes, or that is not known.
    """
    text = PICTURE_FORMATS.get(format)
    if text is None:
        raise UnsupportedError(
            f"the pixel format {format} has no layout as arrays",
            hint="ask for another one, such as yuv420p, nv12, gray or rgb24",
        )
    dtype, *described = text.split()
    item = int(dtype[-1])
    planes: list[Plane] = []
    offset = 0
    for index, words in enumerate(described):
        components, across, down = (int(word) for word in (*words.split("/"), "1", "1")[:3])
        columns, lines = -(-width // across), -(-height // down)
        if (across, down) == (1, 1) and components == int(described[0].split("/")[0]):
            line = stride
        else:
            line = stride_uv or (-(-stride // across) * components if stride else 0)
        if index == 0:
            line = stride
        line = line or columns * components * item
        if line < columns * components * item:
            raise UnsupportedError(f"{line} bytes a line are too few for {format} of {width} pixels")
        shape = (lines, columns) if components == 1 else (lines, columns, components)
        planes.append(Plane(offset, line, shape))
        offset += line * lines
    return Layout(format, dtype, tuple(planes), offset)


@lru_cache(maxsize=64)
def sound_layout(format: str, channels: int, samples: int) -> Layout:
    """The layout of `samples` samples of each channel. Raises UnsupportedError for an unknown format."""
    dtype = SAMPLE_FORMATS.get(format.removesuffix("p"))
    if dtype is None:
        raise UnsupportedError(
            f"no sample format is called {format!r}", hint=f"one of {' '.join(SAMPLE_FORMATS)}, or with a p"
        )
    item = int(dtype[-1])
    if format.endswith("p"):
        planes = tuple(Plane(item * samples * channel, item, (samples,)) for channel in range(channels))
    else:
        planes = (Plane(0, item * channels, (samples, channels)),)
    return Layout(format, dtype, planes, item * channels * samples)


def layout_of(properties: Mapping[str, Any], size: int = 0) -> Layout:
    """The layout of raw media with these PID properties; `size` [bytes] says how much sound there is.

    Raises UnsupportedError where the properties do not say enough.
    """
    missing = [name for name in _NEEDED[properties.get("StreamType") == "Audio"] if not properties.get(name)]
    if missing:
        raise UnsupportedError(f"raw media without {' and '.join(missing)} cannot be read")
    if properties.get("StreamType") == "Audio":
        format, channels = properties["AudioFormat"], properties["NumChannels"]
        one = sound_layout(format, channels, 1).size
        return sound_layout(format, channels, size // one)
    return picture_layout(
        properties["PixelFormat"],
        properties["Width"],
        properties["Height"],
        properties.get("Stride") or 0,
        properties.get("StrideUV") or 0,
    )


_NEEDED = {True: ("AudioFormat", "NumChannels"), False: ("PixelFormat", "Width", "Height")}


def one_array(planes: Sequence[Array], format: str) -> Array:
    """All samples of a frame in one array.

    Packed formats: the plane itself, (lines, columns, components) or (samples, channels), a view. Planar
    sound: (samples, channels), a copy. Planes of one size: (planes, lines, columns), a copy. Other planar
    pictures: (lines of all, columns), a copy, below each other as FFmpeg's rawvideo has them. Raises
    PacketError where the width does not allow that.
    """
    first = planes[0]
    if len(planes) == 1:
        return first
    if first.ndim == 1:
        return numpy.stack(planes, axis=1)
    if all(plane.shape == first.shape for plane in planes):
        return numpy.stack(planes)
    joined = numpy.concatenate([plane.ravel() for plane in planes])
    if joined.size % first.shape[1]:
        raise PacketError(
            f"{format} of {first.shape[1]}x{first.shape[0]} does not fit into one array", hint="read planes()"
        )
    return joined.reshape(-1, first.shape[1])
