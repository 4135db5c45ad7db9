"""Ticks, timescales and seconds.

A timescale is ticks a second, an int. A time base num/den of another system becomes timescale den, and its
ticks are multiplied by num (`unify`). Ticks are exact; seconds are floats, for people.
"""

from __future__ import annotations

from fractions import Fraction

MICROSECONDS = 1_000_000
NANOSECONDS = 1_000_000_000


def rescale(ticks: int, source: int, target: int) -> int:
    """`ticks` of timescale `source` in timescale `target`, rounded to the nearest, halves away from zero."""
    if source == target:
        return ticks
    doubled = 2 * abs(ticks) * target + source
    nearest = doubled // (2 * source)
    return nearest if ticks >= 0 else -nearest


def seconds(ticks: int, timescale: int) -> float:
    return ticks / timescale


def ticks(time_s: float | Fraction, timescale: int) -> int:
    """Seconds in ticks, rounded to the nearest."""
    return round(time_s * timescale)


def unify(time_base: Fraction) -> tuple[int, int]:
    """(timescale, factor): a count in `time_base` units times factor is a count in timescale ticks."""
    return time_base.denominator, time_base.numerator
