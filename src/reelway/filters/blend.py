"""Pictures with transparency laid over others, in the samples that these have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from reelway.errors import UnsupportedError
from reelway.filters.blocks import block_sums
from reelway.filters.colour import Samples
from reelway.media.layout import Array

__all__ = ["POSITIONS", "Stamp", "corner", "pillow"]

POSITIONS = tuple(
    f"{line}-{column}" for line in ("top", "middle", "bottom") for column in ("left", "center", "right")
)


def pillow(what: str) -> None:
    """Raises UnsupportedError where Pillow is missing."""
    try:
        import PIL  # noqa: F401
    except ImportError:
        raise UnsupportedError(f"{what} needs Pillow", hint="pip install pillow") from None


def corner(
    position: str, margins: tuple[int, int], size: tuple[int, int], within: tuple[int, int]
) -> tuple[int, int]:
    """(left, top) of what is `size` (width, height) large, `margins` (x, y) away from its edges."""
    line, _, column = position.partition("-")
    free = within[0] - size[0], within[1] - size[1]
    left = {"left": margins[0], "center": free[0] // 2 + margins[0], "right": free[0] - margins[0]}[column]
    top = {"top": margins[1], "middle": free[1] // 2 + margins[1], "bottom": free[1] - margins[1]}[line]
    return left, top


class Stamp:
    """An RGBA picture at one place, ready to be laid over many pictures of one format and size.

    What lies outside of them is cut off. Chroma is weighed by its pixels' alpha, so that nothing of what is
    transparent shows at the edges.
    """

    def __init__(self, rgba: Array, samples: Samples, left: int, top: int, within: tuple[int, int]) -> None:
        width, height = within
        rgba = rgba[max(0, -top) : max(0, height - top), max(0, -left) : max(0, width - left)]
        left, top = max(0, left), max(0, top)
        self._samples = samples
        self._parts: list[tuple[int, int, Array, Array]] = []
        """By plane: where, what is kept of the picture below, and what is added."""
        if not rgba.size:
            return
        down, across = samples.grid
        lines, columns = -(top + rgba.shape[0]) % down, -(left + rgba.shape[1]) % across
        rgba = numpy.pad(rgba, ((top % down, lines), (left % across, columns), (0, 0)))
        alpha = rgba[..., 3].astype(numpy.float32) / 255
        opaque = rgba.copy()
        opaque[..., 3] = 255
        each = samples._replace(subsampling=((1, 1),) * len(samples.subsampling))
        weighed = samples.weigh(alpha)
        whole = each.planes(opaque)
        for plane, weight, (fine, wide) in zip(whole, weighed, samples.subsampling, strict=True):
            lit = alpha if plane.ndim == 2 else alpha[:, :, None]
            added = block_sums(plane * lit, fine, wide, numpy.float32) / (fine * wide)
            place = top // fine, left // wide
            if plane.dtype == numpy.uint8:
                keep = numpy.rint((1 - weight) * 256).astype(numpy.uint16)
                self._parts.append((*place, keep, numpy.rint(added * 256).astype(numpy.uint16)))
            else:
                self._parts.append((*place, (1 - weight).astype(numpy.float32), added))

    def lay_over(self, planes: Sequence[Array]) -> None:
        """Writes into `planes`."""
        for plane, (top, left, keep, added) in zip(planes, self._parts, strict=False):
            below = plane[top : top + keep.shape[0], left : left + keep.shape[1]]
            lines, columns = below.shape[:2]
            keep, added = keep[:lines, :columns], added[:lines, :columns]
            if keep.dtype == numpy.uint16:  # 8 bits: (keep + what is added) is 256 at most, and fits
                below[:] = numpy.minimum((below * keep + added + 128) >> 8, 255)
            elif below.dtype.kind == "f":
                below[:] = below * keep + added
            else:
                whole = numpy.rint(below * keep + added).astype(below.dtype)
                below[:] = whole >> self._samples.shift << self._samples.shift
