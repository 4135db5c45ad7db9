"""Samples taken together block by block, as chroma is of pixels, and small pictures of large ones."""

from __future__ import annotations

from typing import Any

import numpy

from reelway.media.layout import Array

__all__ = ["block_sums"]


def block_sums(value: Array, down: int, across: int, dtype: Any) -> Array:
    """The sum of each block of `down` lines and `across` columns, of type `dtype`; (lines, columns, ...).

    What is left at the edges, being no whole block, is left out.
    """
    lines, columns = value.shape[0] // down, value.shape[1] // across
    total = numpy.zeros((lines, columns, *value.shape[2:]), dtype)
    for line in range(down):
        for column in range(across):
            total += value[line : lines * down : down, column : columns * across : across]
    return total
