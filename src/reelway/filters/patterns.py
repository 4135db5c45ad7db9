"""Test pictures, as RGB: still ones, and what moves over them."""

from __future__ import annotations

from collections.abc import Callable

import numpy

from reelway.media.layout import Array

__all__ = ["BALL", "BLINK", "SNOW", "SOLID", "STILLS", "ball_place", "ball_radius", "still"]

BALL, BLINK, SNOW, SOLID = "ball", "blink", "snow", "solid"

# SMPTE ECR 1: seven bars of 75 %, the same backwards with black between, -I, white, +Q and the black steps.
_BARS = "c0c0c0 c0c000 00c0c0 00c000 c000c0 c00000 0000c0"
_CASTELLATIONS = "0000c0 131313 c000c0 131313 00c0c0 131313 c0c0c0"
_STEPS = (
    *((5, "00214c"), (5, "ffffff"), (5, "32006a"), (5, "000000")),
    *((4, "000000000000090909"), (4, "000000")),
)
"""Width in quarters of a bar, and colours."""


def still(pattern: str, width: int, height: int, colour: tuple[int, int, int, int]) -> Array:
    """(height, width, 4) uint8 RGBA; `colour` is that of `solid`."""
    return _plain(*colour)(width, height) if pattern == SOLID else STILLS[pattern](width, height)


def _plain(*rgba: int) -> Callable[[int, int], Array]:
    def paint(width: int, height: int) -> Array:
        return numpy.tile(numpy.array(rgba, numpy.uint8), (height, width, 1))

    return paint


def _smpte(width: int, height: int) -> Array:
    picture = numpy.full((height, width, 4), 255, numpy.uint8)
    bars, steps = height * 2 // 3, height * 3 // 4
    at = numpy.arange(width) * 7 // width
    picture[:bars, :, :3] = _rgb(_BARS)[at]
    picture[bars:steps, :, :3] = _rgb(_CASTELLATIONS)[at]
    ends = numpy.cumsum([share for share, _ in _STEPS]) * width // 28  # quarters of a bar
    left = 0
    for right, (_, digits) in zip([*ends[:-1], width], _STEPS, strict=True):
        tones = _rgb(digits)
        picture[steps:, left:right, :3] = tones[
            numpy.arange(right - left) * len(tones) // max(1, right - left)
        ]
        left = right
    return picture


_FULL_BARS = "ffffff ffff00 00ffff 00ff00 ff00ff ff0000 0000ff"
_FULL_CASTELLATIONS = "0000ff 000000 ff00ff 000000 00ffff 000000 ffffff"
_FULL_STEPS = ((2, "000080"), (4, "ffffff"), (6, "0080ff"), (7, "000000"), (8, "000000"), (9, "131313"))
"""Where each ends, in twelfths of the width, and its colour; snow fills the rest."""


def _smpte_full(width: int, height: int) -> Array:
    """Bars of 100 %, the same backwards, -I, white, +Q, steps of black, and snow at the lower right."""
    picture = numpy.full((height, width, 4), 255, numpy.uint8)
    bars, steps = height * 2 // 3, height * 3 // 4
    at = numpy.zeros(width, int)
    for number in range(1, 7):
        at[number * width // 7 :] = number
    picture[:bars, :, :3] = _rgb(_FULL_BARS)[at]
    picture[bars:steps, :, :3] = _rgb(_FULL_CASTELLATIONS)[at]
    left = 0
    for end, digits in _FULL_STEPS:
        right = width * end // 12
        picture[steps:, left:right, :3] = _rgb(digits)
        left = right
    snow = numpy.random.default_rng(0).integers(0, 256, (height - steps, width - left), numpy.uint8)
    picture[steps:, left:, :3] = snow[:, :, None]
    return picture


def _bars(level: int) -> Callable[[int, int], Array]:
    """The seven bars alone, as bright as `level`."""
    tones = numpy.where(_rgb(_BARS) > 0, level, 0).astype(numpy.uint8)

    def paint(width: int, height: int) -> Array:
        picture = numpy.full((height, width, 4), 255, numpy.uint8)
        picture[..., :3] = tones[numpy.arange(width) * 7 // width]
        return picture

    return paint


def _fields(side: int) -> Callable[[int, int], Array]:
    """Red and green fields of `side` pixels."""

    def paint(width: int, height: int) -> Array:
        odd = (numpy.arange(height)[:, None] // side + numpy.arange(width)[None, :] // side) % 2
        picture: Array = numpy.array([(255, 0, 0, 255), (0, 255, 0, 255)], numpy.uint8)[odd]
        return picture

    return paint


def _bar(width: int, height: int) -> Array:
    """A white bar at the left, on black."""
    lit = numpy.arange(width) < width // 7
    return _gray(numpy.tile(numpy.where(lit, 255, 0).astype(numpy.uint8), (height, 1)))


def _ramp(width: int, height: int) -> Array:
    """From black at the top to white at the bottom."""
    return _gray(numpy.repeat((numpy.arange(height) * 255 // height).astype(numpy.uint8)[:, None], width, 1))


def _polar(width: int, height: int) -> tuple[Array, Array]:
    """Of each pixel, how far it is from the middle (1: half of the smaller side), and its angle."""
    down = numpy.arange(height)[:, None] - (height - 1) / 2
    across = numpy.arange(width)[None, :] - (width - 1) / 2
    return numpy.hypot(down, across) * 2 / min(width, height), numpy.arctan2(down, across)


def _circular(width: int, height: int) -> Array:
    """Rings that get narrower outwards."""
    away, _ = _polar(width, height)
    return _gray((127.5 + 127.5 * numpy.cos(away**2 * min(width, height) / 4)).astype(numpy.uint8))


def _pinwheel(width: int, height: int) -> Array:
    """Blades of black and white around the middle, bent outwards."""
    away, angle = _polar(width, height)
    return _gray(numpy.where(numpy.sin(6 * angle + 3 * away) > 0, 255, 0).astype(numpy.uint8))


def _spokes(width: int, height: int) -> Array:
    """White spokes around the middle, on black."""
    _, angle = _polar(width, height)
    return _gray(numpy.where(numpy.cos(12 * angle) > 0.8, 255, 0).astype(numpy.uint8))


def _colors(width: int, height: int) -> Array:
    """A square for each red, in which green rises to the right and blue downwards."""
    picture = numpy.full((height, width, 4), 255, numpy.uint8)
    across, down = numpy.arange(width) * 64 // width, numpy.arange(height) * 64 // height
    picture[..., 0] = (across // 16)[None, :] * 64 + (down // 16)[:, None] * 16
    picture[..., 1] = (across % 16 * 17)[None, :]
    picture[..., 2] = (down % 16 * 17)[:, None]
    return picture


def _checkers(width: int, height: int) -> Array:
    cell = max(8, height // 64 * 8)
    odd = (numpy.arange(height)[:, None] // cell + numpy.arange(width)[None, :] // cell) % 2
    return _gray(numpy.where(odd, 224, 32).astype(numpy.uint8))


def _gradient(width: int, height: int) -> Array:
    """Red from left to right, green from top to bottom."""
    picture = numpy.full((height, width, 4), 255, numpy.uint8)
    picture[..., 0] = numpy.linspace(0, 255, width).round()[None, :]
    picture[..., 1] = numpy.linspace(0, 255, height).round()[:, None]
    picture[..., 2] = 128
    return picture


def _ball(width: int, height: int) -> Array:
    """The ball alone, on black: a square of twice its radius."""
    radius = ball_radius(width, height)
    away = numpy.arange(2 * radius) - radius + 0.5
    distance = numpy.sqrt(away[:, None] ** 2 + away[None, :] ** 2)
    return _gray((numpy.clip(radius - distance, 0, 1) * 255).astype(numpy.uint8))


def _rgb(digits: str) -> Array:
    return numpy.frombuffer(bytes.fromhex(digits), numpy.uint8).reshape(-1, 3)


def _gray(level: Array) -> Array:
    picture = numpy.repeat(level[:, :, None], 4, axis=2)
    picture[..., 3] = 255
    return picture


STILLS: dict[str, Callable[[int, int], Array]] = {
    "smpte": _smpte,
    "smpte-full": _smpte_full,
    "smpte75": _bars(191),
    "smpte100": _bars(255),
    "checkers": _checkers,
    "checkers1": _fields(1),
    "checkers2": _fields(2),
    "checkers4": _fields(4),
    "checkers8": _fields(8),
    "bar": _bar,
    "ramp": _ramp,
    "circular": _circular,
    "pinwheel": _pinwheel,
    "spokes": _spokes,
    "colors": _colors,
    "gradient": _gradient,
    "black": _plain(0, 0, 0, 255),
    "white": _plain(255, 255, 255, 255),
    "red": _plain(255, 0, 0, 255),
    "green": _plain(0, 255, 0, 255),
    "blue": _plain(0, 0, 255, 255),
    "gray": _plain(128, 128, 128, 255),
    BALL: _ball,
}


def ball_radius(width: int, height: int) -> int:
    """A multiple of 4 pixels, so that the ball's chroma is its own."""
    return max(4, min(width, height) // 32 * 4)


def ball_place(number: int, width: int, height: int) -> tuple[int, int]:
    """(top, left) of picture `number`, in steps of 4 pixels; from the middle to the edges and back."""
    size = 2 * ball_radius(width, height)
    down, across = (height - size) // 4, (width - size) // 4
    return _bounce(number + down // 2, down) * 4, _bounce(number + across // 2, across) * 4


def _bounce(number: int, reach: int) -> int:
    if reach <= 0:
        return 0
    at = number % (2 * reach)
    return min(at, 2 * reach - at)
