"""Where the parts of a composed picture lie."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from reelway.errors import OptionError
from reelway.media.layout import Array

__all__ = ["Place", "cells", "extent", "parse_place", "paste"]


class Place(NamedTuple):
    """A rectangle of the composition, in pixels."""

    left: int
    top: int
    width: int
    height: int


def parse_place(text: str) -> Place:
    """`320x180+640+0`: width x height + left + top. Raises OptionError."""
    found = re.fullmatch(r"(\d+)x(\d+)\+(\d+)\+(\d+)", text.strip())
    if found is None or not int(found[1]) or not int(found[2]):
        raise OptionError(f"{text!r} is no place", hint="width x height + left + top: 320x180+640+0")
    width, height, left, top = map(int, found.groups())
    return Place(left, top, width, height)


def extent(places: Sequence[Place]) -> tuple[int, int]:
    """Width and height of what holds them all."""
    return max(at.left + at.width for at in places), max(at.top + at.height for at in places)


def cells(count: int, columns: int, width: int, height: int) -> Sequence[Place]:
    """`count` places side by side, row after row, that fill `width` x `height`."""
    rows = -(-count // columns)
    lefts = [width * at // columns for at in range(columns + 1)]
    tops = [height * at // rows for at in range(rows + 1)]
    return [
        Place(lefts[x], tops[y], lefts[x + 1] - lefts[x], tops[y + 1] - tops[y])
        for y, x in (divmod(at, columns) for at in range(count))
    ]


def paste(source: Array, target: Array, top: int, left: int, alpha: float = 1.0) -> None:
    """Copies what `target` has room for, with the corner of `source` at (top, left), which may be outside.

    Both are planes of one kind; `alpha` below 1 lets `target` shine through.
    """
    into = target[max(0, top) :, max(0, left) :]
    part = source[max(0, -top) :, max(0, -left) :]
    lines, columns = min(into.shape[0], part.shape[0]), min(into.shape[1], part.shape[1])
    into, part = into[:lines, :columns], part[:lines, :columns]
    if alpha >= 1:
        into[:] = part
    elif alpha > 0 and into.dtype.kind == "f":
        into[:] = into + (part - into) * alpha
    elif alpha > 0:
        weight = round(alpha * 256)
        wide = into.astype("i4") * (256 - weight) + part.astype("i4") * weight
        into[:] = (wide + 128) >> 8
