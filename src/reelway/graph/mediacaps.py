"""Caps as GStreamer writes them: `video/x-raw,format={ I420, NV12 },width=[ 1, 640 ],framerate=30/1`.

A value of a field is an int, a Fraction, a float, a str, a bool, `Choices` of those (`{ }`), a `Range`
(`[ ]`) or an `Array` (`< >`). What these names are called in Reelway stands in graph/mediaformats.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

__all__ = ["Array", "Choices", "Mask", "MediaCaps", "Range", "Scalar", "Structure", "Value", "common"]


class Mask(int):
    """A number that is written as a bit mask, such as a channel mask."""

    __slots__ = ()


Scalar: TypeAlias = int | float | Fraction | str | bool


@dataclass(frozen=True, slots=True)
class Choices:
    """One of several values, the best first: `{ I420, NV12 }`."""

    values: tuple[Scalar | Range | Array, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, both included; of ints only the multiples of `step`: `[ 2, 640, 2 ]`."""

    low: int | float | Fraction
    high: int | float | Fraction
    step: int = 1

    def __contains__(self, value: object) -> bool:
        if isinstance(value, (str, bool)) or not isinstance(value, (int, float, Fraction)):
            return False
        return self.low <= value <= self.high and (self.step == 1 or value % self.step == 0)


@dataclass(frozen=True, slots=True)
class Array:
    """Several values in order, all of them: `< 1, 2 >`."""

    values: tuple[Value, ...]


Value: TypeAlias = "Scalar | Choices | Range | Array"


@dataclass(frozen=True, slots=True)
class Structure:
    """One kind of media: `video/x-raw(memory:NVMM), width=640`.

    Fields are kept in the order in which they were written; equality and hash ignore it.
    """

    media: str
    fields: Mapping[str, Value]
    features: frozenset[str] = frozenset()

    def __hash__(self) -> int:
        return hash((self.media, frozenset(self.fields.items()), self.features))

    def __str__(self) -> str:
        from reelway.graph.capstext import short

        return self._spell(short, ",")

    def typed(self) -> str:
        """As GStreamer prints it, with the types: `video/x-raw, width=(int)640`."""
        from reelway.graph.capstext import typed

        return self._spell(typed, ", ")

    def _spell(self, spell: Any, comma: str) -> str:
        features = f"({', '.join(sorted(self.features))})" if self.features else ""
        return comma.join(
            [self.media + features, *(f"{name}={spell(value)}" for name, value in self.fields.items())]
        )

    def intersect(self, other: Structure) -> Structure | None:
        """What both allow, or None; a field that one does not name is free there."""
        if self.media != other.media or not (
            self.features == other.features or "ANY" in self.features or "ANY" in other.features
        ):
            return None
        fields = dict(self.fields)
        for name, value in other.fields.items():
            both = common(fields[name], value) if name in fields else value
            if both is None:
                return None
            fields[name] = both
        return Structure(self.media, fields, other.features if "ANY" in self.features else self.features)

    def is_subset(self, other: Structure) -> bool:
        """Whether `other` allows whatever this one allows."""
        return (
            self.media == other.media
            and (self.features == other.features or "ANY" in other.features)
            and all(
                name in self.fields and _within(self.fields[name], value)
                for name, value in other.fields.items()
            )
        )

    def is_fixed(self) -> bool:
        """Whether it leaves nothing open."""
        return all(map(_is_fixed, self.fields.values()))

    def fixate(self) -> Structure:
        """With one value for each field: the first of choices, the least of a range."""
        fields = {name: _fixate(value) for name, value in self.fields.items()}
        return Structure(self.media, fields, self.features)


@dataclass(frozen=True, slots=True)
class MediaCaps:
    """What may flow between two pads: any of its structures, the best first; `is_any` allows everything."""

    structures: tuple[Structure, ...] = ()
    is_any: bool = False

    @classmethod
    def parse(cls, text: str) -> MediaCaps:
        """The caps that `text` writes; `ANY`, `EMPTY` and `NONE` are known.

        Raises PipelineError, which points at the place in `text`, where it is no caps text.
        """
        word = text.strip()
        if word == "ANY":
            return cls(is_any=True)
        if word in ("EMPTY", "NONE", ""):
            return cls()
        from reelway.graph.capstext import read

        return cls(read(text))

    @classmethod
    def of(cls, media: str, /, *, features: Iterable[str] = (), **fields: Value) -> MediaCaps:
        """Caps of one structure; `_` in a field's name stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        return cls((Structure(media, named, frozenset(features)),))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is allowed."""
        return not self.is_any and not self.structures

    @property
    def is_fixed(self) -> bool:
        """Whether exactly one stream is described: one structure that leaves nothing open."""
        return not self.is_any and len(self.structures) == 1 and self.structures[0].is_fixed()

    def __iter__(self) -> Iterator[Structure]:
        return iter(self.structures)

    def __len__(self) -> int:
        return len(self.structures)

    def __getitem__(self, index: int) -> Structure:
        return self.structures[index]

    def __str__(self) -> str:
        return self._spell(";", str)

    def typed(self) -> str:
        """As GStreamer prints caps: `video/x-raw, format=(string)I420, width=(int)640`."""
        return self._spell("; ", Structure.typed)

    def _spell(self, semicolon: str, spell: Any) -> str:
        if self.is_any:
            return "ANY"
        return semicolon.join(map(spell, self.structures)) or "EMPTY"

    def intersect(self, other: MediaCaps) -> MediaCaps:
        """What both allow, in this one's order."""
        if self.is_any:
            return other
        if other.is_any:
            return self
        found: dict[Structure, None] = {}
        for mine in self.structures:
            for theirs in other.structures:
                if both := mine.intersect(theirs):
                    found[both] = None
        return MediaCaps(tuple(found))

    def can_intersect(self, other: MediaCaps) -> bool:
        """Whether there is anything that both allow."""
        return not self.intersect(other).is_empty

    def is_subset(self, other: MediaCaps) -> bool:
        """Whether each structure of this lies within one of `other`'s."""
        if other.is_any or self.is_empty:
            return True
        return not self.is_any and all(
            any(mine.is_subset(theirs) for theirs in other.structures) for mine in self.structures
        )

    def fixate(self) -> MediaCaps:
        """The first structure with one value for each field. Raises ValueError where there is none."""
        if not self.structures:
            raise ValueError(f"caps that are {self} cannot be fixated")
        return MediaCaps((self.structures[0].fixate(),))


# What fields' values have in common


def _is_fixed(value: Value) -> bool:
    if isinstance(value, Array):
        return all(map(_is_fixed, value.values))
    return not isinstance(value, (Choices, Range))


def _fixate(value: Value) -> Value:
    if isinstance(value, Choices):
        return _fixate(value.values[0])
    if isinstance(value, Range):
        return math.ceil(value.low / value.step) * value.step if value.step > 1 else value.low
    if isinstance(value, Array):
        return Array(tuple(map(_fixate, value.values)))
    return value


def _same(one: Value, other: Value) -> bool:
    """Equal, and of one sort: a text is no number, and true is not 1; 30 and 30/1 are the same."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def common(one: Value, other: Value) -> Value | None:
    """The values of a field that both allow, or None."""
    if isinstance(one, Choices):
        found = [both for value in one.values if (both := common(value, other)) is not None]
        return _choices(found)
    if isinstance(other, Choices):
        found = [both for value in other.values if (both := common(one, value)) is not None]
        return _choices(found)
    if isinstance(one, Range) and isinstance(other, Range):
        step = math.lcm(one.step, other.step)
        low, high = max(one.low, other.low), min(one.high, other.high)
        if step > 1:
            low, high = math.ceil(low / step) * step, math.floor(high / step) * step
        if low >= high:
            return low if low == high else None
        return Range(low, high, step)
    if isinstance(one, Range):
        return other if other in one else None
    if isinstance(other, Range):
        return one if one in other else None
    if isinstance(one, Array) and isinstance(other, Array):
        pairs = [common(*pair) for pair in zip(one.values, other.values, strict=False)]
        values = tuple(value for value in pairs if value is not None)
        return Array(values) if len(values) == len(one.values) == len(other.values) else None
    return one if _same(one, other) else None


def _choices(values: Iterable[Value]) -> Value | None:
    flat: list[Any] = []
    for value in values:
        for each in value.values if isinstance(value, Choices) else (value,):
            if not any(_same(each, known) for known in flat):
                flat.append(each)
    if len(flat) > 1:
        return Choices(tuple(flat))
    return flat[0] if flat else None


def _within(inner: Value, outer: Value) -> bool:
    """Whether `outer` allows whatever `inner` allows."""
    if isinstance(inner, Choices):
        return all(_within(value, outer) for value in inner.values)
    if isinstance(outer, Choices):
        return any(_within(inner, value) for value in outer.values)
    if isinstance(inner, Range):
        return isinstance(outer, Range) and (
            outer.low <= inner.low and inner.high <= outer.high and inner.step % outer.step == 0
        )
    if isinstance(outer, Range):
        return inner in outer
    if isinstance(inner, Array) and isinstance(outer, Array) and len(inner.values) == len(outer.values):
        return all(map(_within, inner.values, outer.values))
    return _same(inner, outer)
