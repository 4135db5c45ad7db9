"""A number and a time in blocks of black and white, which survive lossy coding and scaling.

The code lies at the top of a picture: 3 lines of 32 blocks, each 1/32 of the width and 1/20 of the height.
From left to right, top to bottom: 8 bits of a start pattern, the number (32 bits), the time in milliseconds
(40 bits), and the CRC-16 (CCITT) of these two; the highest bit first, white is 1.
"""

from __future__ import annotations

from binascii import crc_hqx
from typing import Any

import numpy

from reelway.media.layout import Array
from reelway.media.packet import Packet
from reelway.media.payload import Frame

__all__ = ["code_height", "draw_code", "read_counter"]

COLUMNS, LINES, HEIGHTS = 32, 3, 20
START = 0b10110010
NUMBERS, TIMES = 1 << 32, 1 << 40
CONTRAST = 0.1
"""White differs from black by so much of the brightest block, or this is no code."""


def code_height(height: int) -> int:
    """How many lines of a picture the code covers."""
    return -(-LINES * height // HEIGHTS)


def draw_code(width: int, height: int, number: int, time_ms: int) -> Array:
    """The top of a picture of `width` x `height`: (code_height, width) uint8, blocks of 0 and 255.

    Both count modulo what their bits hold. A block should be at least 8 pixels wide and high to survive
    both coding and scaling to a half: a width of 256 and a height of 160.
    """
    content = (number % NUMBERS).to_bytes(4, "big") + (time_ms % TIMES).to_bytes(5, "big")
    code = bytes((START,)) + content + crc_hqx(content, 0xFFFF).to_bytes(2, "big")
    blocks = numpy.unpackbits(numpy.frombuffer(code, numpy.uint8)).reshape(LINES, COLUMNS) * numpy.uint8(255)
    lines = numpy.minimum(numpy.arange(code_height(height)) * HEIGHTS // height, LINES - 1)
    columns = numpy.arange(width) * COLUMNS // width
    drawn: Array = blocks[lines][:, columns]
    return drawn


def read_counter(picture: Any) -> tuple[int, int] | None:
    """(number, time in ms) of a picture with the code; None where there is none that can be read.

    `picture` is a packet or a frame of raw video, or an array: luma (lines, columns) or components (lines,
    columns, 3 or 4), of any size and number type.
    """
    if isinstance(picture, (Packet, Frame)):
        picture = picture.planes()[0]
    luma = picture if picture.ndim == 2 else picture.mean(axis=2)
    height, width = luma.shape
    if height < HEIGHTS or width < COLUMNS:
        return None
    levels = numpy.array([_levels(luma, line, height, width) for line in range(LINES)]).ravel()
    start = numpy.unpackbits(numpy.array([START], numpy.uint8)).astype(bool)
    white, black = levels[:8][start], levels[:8][~start]
    if white.min() - black.max() <= CONTRAST * white.max():
        return None
    bits = levels > (white.mean() + black.mean()) / 2
    code = numpy.packbits(bits).tobytes()
    content = code[1:10]
    if code[0] != START or crc_hqx(content, 0xFFFF) != int.from_bytes(code[10:], "big"):
        return None
    return int.from_bytes(content[:4], "big"), int.from_bytes(content[4:], "big")


def _levels(luma: Array, line: int, height: int, width: int) -> Array:
    """The mean of the inner half of each block of one line, so that edges may be smeared."""
    top, bottom = line * height / HEIGHTS, (line + 1) * height / HEIGHTS
    quarter = (bottom - top) / 4
    first = int(top + quarter)
    band = luma[first : max(first + 1, int(bottom - quarter))].mean(axis=0, dtype=float)
    sums = numpy.concatenate(([0.0], numpy.cumsum(band)))
    edges = numpy.arange(COLUMNS + 1) * width / COLUMNS
    inset = width / COLUMNS / 4
    lefts = (edges[:-1] + inset).astype(int)
    rights = numpy.maximum(lefts + 1, (edges[1:] - inset).astype(int))
    levels: Array = (sums[rights] - sums[lefts]) / (rights - lefts)
    return levels
