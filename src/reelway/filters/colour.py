"""RGB in the samples of any pixel format: by component, matrix, range and chroma subsampling.

For what filters draw themselves: bars, text, borders. Converting whole films is the engine's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy

from reelway.errors import OptionError, UnsupportedError
from reelway.filters.blocks import block_sums
from reelway.media.layout import Array, picture_layout

__all__ = ["INTERLEAVED_422", "Samples", "matrix_of", "parse_colour", "samples_of", "usual_matrix"]

INTERLEAVED_422 = ("yuyv422", "uyvy422", "yvyu422")
"""Formats whose chroma changes meaning from column to column; filters here ask for others."""

_WEIGHTS = {
    "bt709": (0.2126, 0.0722),
    "fcc": (0.3, 0.11),
    "bt470bg": (0.299, 0.114),
    "smpte170m": (0.299, 0.114),
    "smpte240m": (0.212, 0.087),
    "bt2020nc": (0.2627, 0.0593),
}
"""Kr and Kb (ISO/IEC 23091-2 8.3)."""

_COLOURS = {
    "black": "000000", "white": "ffffff", "gray": "808080", "grey": "808080", "red": "ff0000",
    "green": "008000", "lime": "00ff00", "blue": "0000ff", "yellow": "ffff00", "cyan": "00ffff",
    "magenta": "ff00ff", "orange": "ffa500", "purple": "800080", "pink": "ffc0cb", "navy": "000080",
    "silver": "c0c0c0", "transparent": "00000000",
}  # fmt: skip


def parse_colour(text: str) -> tuple[int, int, int, int]:
    """Red, green, blue, alpha (0 to 255) of `red`, `#ff8800`, `#ff8800cc`, or either with `@0.5` for alpha.

    Raises OptionError.
    """
    name, _, alpha = text.partition("@")
    digits = _COLOURS.get(name.lower(), name.lower().removeprefix("0x").removeprefix("#"))
    if not re.fullmatch("[0-9a-f]{6}([0-9a-f]{2})?", digits) or not re.fullmatch(
        r"|0?\.\d+|[01](\.0*)?", alpha
    ):
        raise OptionError(f"{text!r} is no colour", hint="write red, #ff8800, #ff8800cc or red@0.5")
    red, green, blue, *rest = bytes.fromhex(digits)
    return red, green, blue, round(255 * float(alpha)) if alpha else (rest[0] if rest else 255)


class Samples(NamedTuple):
    """How colours are written in one pixel format."""

    format: str
    components: tuple[str, ...]
    """By plane, a letter each: Y U V, R G B, A alpha, X nothing."""
    subsampling: tuple[tuple[int, int], ...]
    """By plane: pixels of a sample, down and across."""
    depth: int
    """Bits of a sample; 0: floating point, 1.0 is full."""
    shift: int
    """By how many bits samples stand higher than they are deep."""
    dtype: str
    full_range: bool
    weights: tuple[float, float]

    @property
    def grid(self) -> tuple[int, int]:
        """(lines, columns) that a place must be a multiple of for every plane to have it."""
        return max(down for down, _ in self.subsampling), max(across for _, across in self.subsampling)

    @property
    def has_alpha(self) -> bool:
        return any("A" in letters for letters in self.components)

    def planes(self, rgb: Array) -> list[Array]:
        """The planes of a picture (lines, columns, 3 or 4) uint8 RGB(A); chroma is the mean of its pixels.

        Of the dtype and, but for gaps, the shapes that the planes of a frame have.
        """
        scaled = rgb.astype(numpy.float32) / 255
        red, green, blue = scaled[..., 0], scaled[..., 1], scaled[..., 2]
        alpha = scaled[..., 3] if rgb.shape[-1] == 4 else numpy.ones_like(red)
        known = {"R": red, "G": green, "B": blue, "A": alpha, "X": alpha}
        if "Y" in self.components[0]:
            kr, kb = self.weights
            luma = kr * red + (1 - kr - kb) * green + kb * blue
            known |= {"Y": luma, "U": (blue - luma) / (2 - 2 * kb), "V": (red - luma) / (2 - 2 * kr)}
        return self._written(known)

    def gray(self, level: Array) -> list[Array]:
        """The planes of a picture (lines, columns) uint8 of greys, from 0, black, to 255, white."""
        if self.components[0] != "Y" or self.depth != 8:
            return self.planes(numpy.repeat(level[:, :, None], 3, axis=2))
        made = [level if self.full_range else _LIMITED[level]]
        for letters, (down, across) in zip(self.components[1:], self.subsampling[1:], strict=True):
            shape = -(-level.shape[0] // down), -(-level.shape[1] // across), len(letters)
            value = 255 if letters == "A" else 128
            made.append(numpy.full(shape if len(letters) > 1 else shape[:2], value, numpy.uint8))
        return made

    def colour(self, rgba: Sequence[int]) -> list[Array]:
        """One sample of each plane, shape () or (components,), to fill planes with."""
        return [plane[0, 0] for plane in self.planes(numpy.array([[rgba]], numpy.uint8))]

    def weigh(self, alpha: Array) -> list[Array]:
        """`alpha` (lines, columns) float of 0 to 1 for the samples of each plane, shaped to multiply it."""
        made = []
        for letters, (down, across) in zip(self.components, self.subsampling, strict=True):
            mean = _mean(alpha, down, across)
            made.append(mean if len(letters) == 1 else mean[:, :, None])
        return made

    def _written(self, known: Mapping[str, Array]) -> list[Array]:
        planes = []
        for letters, (down, across) in zip(self.components, self.subsampling, strict=True):
            parts = [self._quantized(letter, _mean(known[letter], down, across)) for letter in letters]
            planes.append(parts[0] if len(parts) == 1 else numpy.stack(parts, axis=-1))
        return planes

    def _quantized(self, letter: str, value: Array) -> Array:
        if not self.depth:
            return value.astype(self.dtype)
        most = (1 << self.depth) - 1
        unit = 1 << (self.depth - 8)
        if letter in "UV":
            value = value * (most if self.full_range else 224 * unit) + 128 * unit
        elif letter == "Y" and not self.full_range:
            value = value * (219 * unit) + 16 * unit
        else:
            value = value * most
        whole: Array = numpy.clip(numpy.rint(value), 0, most).astype(self.dtype)
        return whole << self.shift if self.shift else whole


_LIMITED = numpy.rint(16 + numpy.arange(256) * 219 / 255).astype(numpy.uint8)


def usual_matrix(properties: Mapping[str, Any]) -> str:
    """What a YUV picture that does not say its matrix has, by its size."""
    return "bt709" if properties["Width"] >= 1280 or properties["Height"] >= 720 else "smpte170m"


def matrix_of(properties: Mapping[str, Any]) -> str:
    """The colour matrix of a PID's pictures, said or usual."""
    said = str(properties.get("ColorMatrix") or "")
    return said if said in _WEIGHTS else usual_matrix(properties)


def samples_of(properties: Mapping[str, Any]) -> Samples:
    """For the raw video of a PID. Raises UnsupportedError."""
    format: str = properties["PixelFormat"]
    grey = format.startswith(("gray", "ya"))  # its luma is that of BT.601
    matrix = "smpte170m" if grey else matrix_of(properties)
    return _samples(format, matrix, properties.get("FullRange"))


@lru_cache(maxsize=32)
def _samples(format: str, matrix: str, full_range: bool | None) -> Samples:
    layout = picture_layout(format, 64, 64)
    if format in INTERLEAVED_422:
        raise UnsupportedError(f"{format} cannot be drawn into", hint="convert it first, to yuv422p for one")
    name = re.sub("(le|be)$", "", format)
    depth = 8 * int(layout.dtype[-1])
    shift = 0
    if layout.dtype[-2] == "f":
        depth = 0
    elif semiplanar := re.fullmatch("p[024](10|12|16)", name):
        depth, shift = int(semiplanar[1]), 16 - int(semiplanar[1])
    elif depth == 16 and (digits := re.fullmatch(r"(?:gray|yuva?\d{3}p|gbra?p)(9|\d\d)", name)):
        depth = int(digits[1])
    components = _components(name)
    tall, wide = layout.planes[0].shape[:2]
    subsampling = tuple((tall // plane.shape[0], wide // plane.shape[1]) for plane in layout.planes)
    if name.startswith("yuvj") or components[0] != "Y":
        full_range = True
    elif full_range is None:
        full_range = name.startswith(("gray", "ya"))  # as FFmpeg reads grey
    return Samples(format, components, subsampling, depth, shift, layout.dtype, full_range, _WEIGHTS[matrix])


def _components(name: str) -> tuple[str, ...]:
    if name in ("nv21", "nv42"):
        return "Y", "VU"
    if name.startswith(("nv", "p0", "p2", "p4")):
        return "Y", "UV"
    if name.startswith("yuv"):
        return ("Y", "U", "V", "A") if name.startswith("yuva") else ("Y", "U", "V")
    if name.startswith("gbr"):
        return ("G", "B", "R", "A") if name.startswith("gbra") else ("G", "B", "R")
    if name.startswith("gray"):
        return ("Y",)
    if name.startswith("ya"):
        return ("YA",)
    return (re.sub("[^rgba0]", "", re.sub(r"(24|48|64|f32)$", "", name)).upper().replace("0", "X"),)


def _mean(value: Array, down: int, across: int) -> Array:
    """The mean of each block; blocks at the edge have the last line or column more than once."""
    if (down, across) == (1, 1):
        return value
    lines, columns = value.shape
    padded = numpy.pad(value, ((0, -lines % down), (0, -columns % across)), "edge")
    return block_sums(padded, down, across, value.dtype) / (down * across)
