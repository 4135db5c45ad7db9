"""Parts of a picture, written in fractions of it, and as masks of its samples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy

from reelway.errors import OptionError
from reelway.media.layout import Array

__all__ = ["WHOLE", "Zone", "parse_zone"]

_NUMBER = r"(\d+\.?\d*|\.\d+)"
_RECTANGLE = re.compile(rf"{_NUMBER}x{_NUMBER}\+{_NUMBER}\+{_NUMBER}")
_CORNER = re.compile(rf"{_NUMBER}/{_NUMBER}")
SLACK = 1e-6
"""Thirds do not add up to 1."""


class Zone(NamedTuple):
    """A polygon; its corners are (x, y), from 0 / 0, top left, to 1 / 1, bottom right."""

    corners: Sequence[tuple[float, float]]

    def mask(self, lines: int, columns: int) -> Array:
        """(lines, columns) bool: samples whose middle lies in it; where none does, the nearest to its own."""
        y = ((numpy.arange(lines) + 0.5) / lines)[:, None]
        x = ((numpy.arange(columns) + 0.5) / columns)[None, :]
        inside = numpy.zeros((lines, columns), bool)
        for (x1, y1), (x2, y2) in pairwise((*self.corners, self.corners[0])):
            if y1 == y2:
                continue  # no line through a sample's middle crosses it
            crossed = (y1 <= y) != (y2 <= y)
            inside ^= crossed & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
        if not inside.any():
            middle = numpy.mean(self.corners, axis=0)
            inside[min(lines - 1, int(middle[1] * lines)), min(columns - 1, int(middle[0] * columns))] = True
        return inside


WHOLE = Zone(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))


def parse_zone(text: str) -> Zone:
    """`0.5x1+0.5+0`, width x height + left + top, or a polygon by its corners: `0/0-1/0-0.5/1`.

    Raises OptionError.
    """
    plain = text.strip()
    if found := _RECTANGLE.fullmatch(plain):
        width, height, left, top = map(float, found.groups())
        right, bottom = left + width, top + height
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        empty = not width or not height
    else:
        parts = [_CORNER.fullmatch(part) for part in plain.split("-")]
        corners = [(float(part[1]), float(part[2])) for part in parts if part is not None]
        empty = len(parts) < 3 or len(corners) < len(parts)
    if empty:
        raise OptionError(
            f"{text!r} is no zone",
            hint="width x height + left + top, in parts of the picture: 0.5x1+0.5+0 is its right half; "
            "or corners: 0/0-1/0-0.5/1",
        )
    if any(value > 1 + SLACK for corner in corners for value in corner):
        raise OptionError(f"{text!r} reaches out of the picture", hint="1 is its whole width or height")
    return Zone(tuple(corners))
