"""Which pictures SDL's textures take as they are, and how it is told of their colours."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from reelway.filters.colour import matrix_of
from reelway.graph.caps import Caps, Mismatch, Not, match

__all__ = ["INPUTS", "PictureFormat", "picture_format", "preferred"]

# SDL's conversion modes
JPEG, BT601, BT709 = 0, 1, 2

_TEXTURES = {
    "yuv420p": "SDL_PIXELFORMAT_IYUV",
    "yuvj420p": "SDL_PIXELFORMAT_IYUV",
    "nv12": "SDL_PIXELFORMAT_NV12",
    "nv21": "SDL_PIXELFORMAT_NV21",
    "rgb24": "SDL_PIXELFORMAT_RGB24",
    "bgr24": "SDL_PIXELFORMAT_BGR24",
    # FFmpeg names these by the order of bytes, SDL by that in a (little-endian) number
    "rgba": "SDL_PIXELFORMAT_ABGR8888",
    "bgra": "SDL_PIXELFORMAT_ARGB8888",
    "argb": "SDL_PIXELFORMAT_BGRA8888",
    "abgr": "SDL_PIXELFORMAT_RGBA8888",
    "rgb0": "SDL_PIXELFORMAT_ABGR8888",
    "bgr0": "SDL_PIXELFORMAT_ARGB8888",
    "0rgb": "SDL_PIXELFORMAT_BGRA8888",
    "0bgr": "SDL_PIXELFORMAT_RGBA8888",
}

_BT601 = ("smpte170m", "bt470bg")
_OTHER_MATRICES = (
    "gbr", "fcc", "smpte240m", "ycgco", "bt2020nc", "bt2020c", "smpte2085", "chroma-derived-nc",
    "chroma-derived-c", "ictcp",
)  # fmt: skip
_UPRIGHT = Not(1, 2, 3)

# RGB first: the converters are asked for that, not for YUV of colours that SDL does not know
INPUTS = (
    Caps(
        StreamType="Visual",
        CodecID="raw",
        PixelFormat=[name for name in _TEXTURES if not name.startswith(("yuv", "nv"))],
        Rotate=_UPRIGHT,
    ),
    Caps(
        StreamType="Visual",
        CodecID="raw",
        PixelFormat=("yuv420p", "nv12", "nv21"),
        FullRange=Not(True),
        ColorMatrix=Not(*_OTHER_MATRICES),
        Rotate=_UPRIGHT,
    ),
    Caps(
        StreamType="Visual",
        CodecID="raw",
        PixelFormat=("yuv420p", "yuvj420p", "nv12", "nv21"),
        FullRange=True,
        ColorMatrix=_BT601,
        Rotate=_UPRIGHT,
    ),
)


def preferred(properties: Mapping[str, Any]) -> dict[str, Any]:
    """What a stream that SDL does not take, or that is not decoded yet, shall become."""
    decoded = {**properties, "CodecID": "raw"}
    decoded.pop("Rotate", None)
    if any(not isinstance(match(decoded, caps), Mismatch) for caps in INPUTS):
        return {"PixelFormat": properties["PixelFormat"]}
    return {"PixelFormat": "bgra"}  # exact colours, in the order of bytes of most screens


class PictureFormat(NamedTuple):
    """All that a texture must know of its pictures."""

    name: str
    width: int
    height: int
    texture: str
    """Name of SDL's pixel format."""
    mode: int
    """SDL's conversion mode."""
    aspect: Fraction
    """Width by height, as it is to be seen."""


def picture_format(properties: Mapping[str, Any]) -> PictureFormat:
    """For a stream that one of `INPUTS` fits."""
    name, width, height = properties["PixelFormat"], properties["Width"], properties["Height"]
    mode = BT709 if matrix_of(properties) == "bt709" else BT601
    if name.startswith("yuvj") or properties.get("FullRange"):
        mode = JPEG
    sar = properties.get("SAR") or 1
    return PictureFormat(name, width, height, _TEXTURES[name], mode, Fraction(width, height) * Fraction(sar))
