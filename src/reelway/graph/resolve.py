"""The resolver: the cheapest chain of catalogue filters that makes a stream fit a consumer.

Dijkstra's algorithm over capability bundles. A state is the stream's properties; a value may be a frozenset
of choices that a converter can make: whoever matches narrows it, and what is left becomes its option. No
kind of conversion occurs twice in a chain, so that nothing is decoded twice.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from types import MappingProxyType
from typing import Any, NamedTuple

from reelway.graph.caps import Caps, Mismatch, Not, choices, match


class Conversion(NamedTuple):
    """One thing that a converter can do."""

    accepts: Caps
    makes: Caps
    options: Mapping[str, str] = MappingProxyType({})
    """Property made -> option that asks for it."""


class Converter(NamedTuple):
    """A filter that the resolver may put between two others."""

    name: str
    cost: int
    kind: str
    """Converters of one kind follow each other in no chain."""
    conversions: Sequence[Conversion]


class Step(NamedTuple):
    """One converter of a chain, and the options that it needs."""

    name: str
    options: Mapping[str, Any]


class Chain(NamedTuple):
    """How a stream gets to a consumer: the steps, and its properties when it arrives."""

    steps: tuple[Step, ...]
    properties: Mapping[str, Any]


class NoChain(NamedTuple):
    """What was missing where the search got furthest, and the converters on the way there."""

    mismatch: Mismatch | None
    through: tuple[str, ...] = ()


def resolve(
    properties: Mapping[str, Any],
    accepts: Sequence[Caps],
    preferred: Mapping[str, Any],
    converters: Iterable[Converter],
) -> Chain | NoChain:
    """The cheapest chain from a stream with `properties` to a consumer that `accepts` any of these.

    `preferred` decides where several choices are left over (a container's default codec).
    """
    tick = count()
    best: dict[frozenset[tuple[str, Any]], int] = {}
    nearest: tuple[tuple[int, int], Mismatch, tuple[str, ...]] | None = None
    known = list(converters)
    start = _comparable(properties)
    heap: list[tuple[int, int, dict[str, Any], tuple[tuple[Converter, Conversion], ...]]] = [
        (0, next(tick), start, ())
    ]
    while heap:
        cost, _, have, path = heapq.heappop(heap)
        for wanted in accepts:
            narrowed = match(have, wanted)
            if not isinstance(narrowed, Mismatch):
                return _finish(properties, narrowed, path, preferred)
            score = list(wanted).index(narrowed.name), -len(path)
            if nearest is None or score > nearest[0]:
                nearest = score, narrowed, tuple(converter.name for converter, _ in path)
        key = frozenset(have.items())
        if best.get(key, cost + 1) <= cost:
            continue
        best[key] = cost
        used = {converter.kind for converter, _ in path}
        for converter in known:
            if converter.kind in used:
                continue
            for conversion in converter.conversions:
                narrowed = match(have, conversion.accepts)
                if not isinstance(narrowed, Mismatch):
                    made = {name: _made(value) for name, value in conversion.makes.items()}
                    heapq.heappush(
                        heap,
                        (
                            cost + converter.cost,
                            next(tick),
                            {**narrowed, **made},
                            (*path, (converter, conversion)),
                        ),
                    )
    return NoChain(nearest[1], nearest[2]) if nearest else NoChain(None)


def _made(value: frozenset[Any] | Not) -> Any:
    if isinstance(value, Not):
        raise TypeError("what a converter makes is named, not excluded")
    return value if len(value) > 1 else next(iter(value))


def _comparable(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that capabilities can speak of: hashable ones."""
    comparable = {}
    for name, value in properties.items():
        try:
            hash(value)
        except TypeError:
            continue
        comparable[name] = value
    return comparable


def _finish(
    original: Mapping[str, Any],
    arrived: dict[str, Any],
    path: tuple[tuple[Converter, Conversion], ...],
    preferred: Mapping[str, Any],
) -> Chain:
    final = dict(original)
    for name, value in arrived.items():
        if isinstance(value, frozenset):
            wanted = preferred.get(name)
            final[name] = wanted if wanted in value else min(value, key=str)
        else:
            final[name] = value
    steps = tuple(
        Step(converter.name, {option: final[name] for name, option in conversion.options.items()})
        for converter, conversion in path
    )
    return Chain(steps, final)


__all__ = ["Chain", "Conversion", "Converter", "NoChain", "Step", "choices", "resolve"]
