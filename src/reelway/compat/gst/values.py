"""Small values of GStreamer: fractions, ranges, lists, named results."""

from __future__ import annotations

import fractions
import math
from collections.abc import Callable
from typing import Any

from reelway.graph import mediacaps

__all__ = [
    "Bitmask",
    "DoubleRange",
    "Fraction",
    "FractionRange",
    "Int64Range",
    "IntRange",
    "Result",
    "ValueArray",
    "ValueList",
    "from_media",
    "result",
    "to_media",
]


class Result(tuple[Any, ...]):
    """What a function with several results gives: a tuple whose places may have names."""

    _fields: tuple[str, ...]

    def __getattr__(self, name: str) -> Any:
        if name in self._fields:
            return self[self._fields.index(name)]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        shown = (
            f"{name}={each!r}" if name else repr(each) for name, each in zip(self._fields, self, strict=True)
        )
        return f"({', '.join(shown)})"


def result(names: str, *values: Any) -> Any:
    """A Result; `names` has a word a value, "." where it has no name."""
    made = Result(values)
    made._fields = tuple("" if name == "." else name for name in names.split())
    return made


class Fraction:
    """A fraction in lowest terms: `Fraction(30, 1)`; `num` and `denom`."""

    type = "fraction"

    def __init__(self, num: int = 0, denom: int = 1) -> None:
        if denom == 0:
            raise ValueError(f"a fraction of {num}/0")
        divisor = math.gcd(num, denom) or 1
        sign = -1 if denom < 0 else 1
        self.num, self.denom = sign * num // divisor, sign * denom // divisor

    def _own(self) -> fractions.Fraction:
        return fractions.Fraction(self.num, self.denom)

    def _calculated(self, other: Any, work: Callable[[Any, Any], fractions.Fraction]) -> Any:
        if isinstance(other, Fraction):
            other = other._own()
        if not isinstance(other, (int, fractions.Fraction)):
            return NotImplemented
        found = work(self._own(), other)
        return Fraction(found.numerator, found.denominator)

    def __mul__(self, other: Any) -> Any:
        return self._calculated(other, lambda one, two: one * two)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return self._calculated(other, lambda one, two: one / two)

    def __rtruediv__(self, other: Any) -> Any:
        return self._calculated(other, lambda one, two: two / one)

    def __float__(self) -> float:
        return self.num / self.denom

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (Fraction, fractions.Fraction)):
            own = other._own() if isinstance(other, Fraction) else other
            return self._own() == own
        return False

    def __hash__(self) -> int:
        return hash(self._own())

    def __str__(self) -> str:
        return f"{self.num}/{self.denom}"

    def __repr__(self) -> str:
        return f"<Gst.Fraction {self}>"


class IntRange:
    """Whole numbers from a to b, as a `range` says them: `IntRange(range(1, 100))`."""

    def __init__(self, r: range) -> None:
        if not isinstance(r, range):
            raise TypeError(f"{type(r)} is not a range")
        if r.start >= r.stop:
            raise TypeError("Range start must be smaller then stop")
        self.range = r

    def __eq__(self, other: object) -> bool:
        return getattr(other, "range", other) == self.range

    def __hash__(self) -> int:
        return hash(self.range)

    def __repr__(self) -> str:
        return f"<Gst.{type(self).__name__} [{self.range.start},{self.range.stop},{self.range.step}]>"

    def __str__(self) -> str:
        step = f",{self.range.step}" if self.range.step != 1 else ""
        return f"[{self.range.start},{self.range.stop}{step}]"


class Int64Range(IntRange):
    """IntRange, for larger numbers."""


class DoubleRange:
    """Numbers from `start` to `stop`."""

    def __init__(self, start: float, stop: float) -> None:
        self.start, self.stop = start, stop
        if float(start) >= float(stop):
            raise TypeError("Range start must be smaller then stop")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DoubleRange) and (self.start, self.stop) == (other.start, other.stop)

    def __hash__(self) -> int:
        return hash((self.start, self.stop))

    def __str__(self) -> str:
        return f"[{self.start},{self.stop}]"

    def __repr__(self) -> str:
        return f"<Gst.{type(self).__name__} {self}>"


class FractionRange(DoubleRange):
    """Fractions from `start` to `stop`."""


class ValueList(list[Any]):
    """One of several values, in caps."""

    def __str__(self) -> str:
        return "{" + ",".join(map(str, self)) + "}"

    def __repr__(self) -> str:
        return f"<Gst.ValueList {self}>"


class ValueArray(list[Any]):
    """Several values in order."""

    def __str__(self) -> str:
        return "<" + ",".join(map(str, self)) + ">"

    def __repr__(self) -> str:
        return f"<Gst.ValueArray {self}>"

    @property
    def n_values(self) -> int:
        """How many."""
        return len(self)

    def get_nth(self, index: int) -> Any:
        """One of them."""
        return self[index]


class Bitmask(int):
    """A number of which each bit counts."""

    def __str__(self) -> str:
        return f"0x{int(self):016x}"

    @property
    def v(self) -> int:
        """The number."""
        return int(self)


def from_media(value: Any) -> Any:
    """A field's value of caps as a program of GStreamer's gets it."""
    match value:
        case fractions.Fraction():
            return Fraction(value.numerator, value.denominator)
        case mediacaps.Mask():
            return Bitmask(value)
        case mediacaps.Choices():
            return ValueList(map(from_media, value.values))
        case mediacaps.Array():
            return ValueArray(map(from_media, value.values))
        case mediacaps.Range(low=int(), high=int()):
            return IntRange(range(int(value.low), int(value.high), value.step))
        case mediacaps.Range(low=fractions.Fraction()) | mediacaps.Range(high=fractions.Fraction()):
            return FractionRange(_fraction(value.low), _fraction(value.high))  # type: ignore[arg-type]
        case mediacaps.Range():
            return DoubleRange(float(value.low), float(value.high))
    return value


def _fraction(number: Any) -> Fraction:
    exact = fractions.Fraction(number)
    return Fraction(exact.numerator, exact.denominator)


def to_media(value: Any) -> Any:
    """What a program says as a field's value, as caps hold it; what has no form there becomes text."""
    match value:
        case bool() | str() | float() | fractions.Fraction():
            return value
        case Fraction():
            return fractions.Fraction(value.num, value.denom)
        case Bitmask():
            return mediacaps.Mask(value)
        case int():
            return getattr(value, "value_nick", None) or int(value)
        case ValueArray() | tuple():
            return mediacaps.Array(tuple(map(to_media, value)))
        case ValueList() | list():
            return mediacaps.Choices(tuple(map(to_media, value)))
        case IntRange():
            return mediacaps.Range(value.range.start, value.range.stop, value.range.step)
        case FractionRange():
            return mediacaps.Range(to_media(value.start), to_media(value.stop))
        case DoubleRange():
            return mediacaps.Range(value.start, value.stop)
    return str(value)
