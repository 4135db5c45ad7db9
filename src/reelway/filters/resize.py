"""Planes of another size, for compositions: quick, not fine. Who wants fine scaling converts before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from reelway.filters.blocks import block_sums
from reelway.media.layout import Array
from reelway.media.payload import Frame

__all__ = ["fitted", "resized", "scaled"]


def fitted(width: int, height: int, into_width: int, into_height: int) -> tuple[int, int]:
    """The largest width and height of the same shape that fit, at least one pixel each."""
    if width * into_height >= height * into_width:
        return into_width, max(1, round(height * into_width / width))
    return max(1, round(width * into_height / height)), into_height


def scaled(frame: Frame, subsampling: Sequence[tuple[int, int]], width: int, height: int) -> list[Array]:
    """The planes of a picture as those of one of `width` x `height`; `subsampling` as in `Samples`."""
    return [
        resized(plane, -(-height // down), -(-width // across))
        for plane, (down, across) in zip(frame.planes(), subsampling, strict=True)
    ]


def resized(plane: Array, lines: int, columns: int) -> Array:
    """`plane` in `lines` and `columns`, components kept: the mean of whole blocks, then the nearest.

    The plane itself where it has that size.
    """
    if plane.shape[:2] == (lines, columns):
        return plane
    down, across = max(1, plane.shape[0] // lines), max(1, plane.shape[1] // columns)
    if (down, across) != (1, 1):
        plane = _block_means(plane, down, across)
    return plane[_nearest(plane.shape[0], lines)][:, _nearest(plane.shape[1], columns)]


def _block_means(plane: Array, down: int, across: int) -> Array:
    """In the type that it has, whole numbers rounded."""
    count, floats = down * across, plane.dtype.kind == "f"
    total = block_sums(plane, down, across, numpy.float32 if floats else numpy.uint32)
    means: Array = total / count if floats else (total + count // 2) // count
    return means.astype(plane.dtype)


def _nearest(have: int, wanted: int) -> Sequence[int] | Array:
    return numpy.minimum((2 * numpy.arange(wanted) + 1) * have // (2 * wanted), have - 1)
