"""Where the parts of a composed picture lie."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from reelway.errors import OptionError

__all__ = ["Place", "cells", "extent", "parse_place"]


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
