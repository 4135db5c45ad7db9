"""The resolver: the cheapest chain of catalogue filters that makes a stream fit a consumer.

Dijkstra's algorithm over capability bundles. A state is the stream's properties; a value may be a frozenset
of choices that a converter can make, or `Not(...)`, anything else: whoever matches narrows it, and what is
left becomes its option. What nobody narrows stays as it was. No kind of conversion occurs twice in a chain,
so that nothing is decoded twice.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from types import MappingProxyType
from typing import Any, NamedTuple

from reelway.errors import LinkError
from reelway.graph.caps import Caps, Mismatch, Not, choices, match


class Conversion(NamedTuple):
    """One thing that a converter can do."""

    accepts: Caps
    makes: Caps
    options: Mapping[str, str] = MappingProxyType({})
    """Property made -> option that asks for it."""
    removes: frozenset[str] = frozenset()
    """Properties that the stream has no more."""


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


class Demand(NamedTuple):
    """A converter that a stream has to go through, also where it would fit without."""

    converter: str
    makes: Mapping[str, Any]
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
            narrowed = _decided(match(have, wanted), start)
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
                    kept = {name: narrowed[name] for name in narrowed if name not in conversion.removes}
                    made = {name: _made(value) for name, value in conversion.makes.items()}
                    entry = {**kept, **made}, (*path, (converter, conversion))
                    heapq.heappush(heap, (cost + converter.cost, next(tick), *entry))
    return NoChain(nearest[1], nearest[2]) if nearest else NoChain(None)


def resolve_through(
    demand: Demand,
    properties: Mapping[str, Any],
    accepts: Sequence[Caps],
    preferred: Mapping[str, Any],
    converters: Sequence[Converter],
) -> Chain | NoChain:
    """`resolve`, by way of the converter that `demand` names. Raises LinkError where it is not among them."""
    asked = next((each for each in converters if each.name == demand.converter), None)
    if asked is None:
        made = ", ".join(f"{name}={value}" for name, value in demand.makes.items())
        raise LinkError(
            f"{demand.converter} is asked for{f' ({made})' if made else ''}, and it is blacklisted",
            hint=f"take {demand.converter} out of blacklist= of the session, or do not ask for what it does",
        )
    fitting = [
        each
        for each in asked.conversions
        if not isinstance(match(demand.makes, _only(each, demand)), Mismatch)
    ]
    others = [each for each in converters if each.kind != asked.kind]
    before = resolve(properties, [each.accepts for each in fitting], preferred, others)
    if isinstance(before, NoChain):
        return before
    done = next(each for each in fitting if not isinstance(match(before.properties, each.accepts), Mismatch))
    kept = {name: value for name, value in before.properties.items() if name not in done.removes}
    used = {step.name for step in before.steps}
    after = resolve(
        {**kept, **done.makes.made(), **demand.makes},
        accepts,
        preferred,
        [each for each in others if each.name not in used],
    )
    if isinstance(after, NoChain):
        return after
    steps = (*before.steps, Step(demand.converter, demand.options), *after.steps)
    return Chain(steps, after.properties)


def _decided(narrowed: dict[str, Any] | Mismatch, start: Mapping[str, Any]) -> dict[str, Any] | Mismatch:
    """`narrowed`, unless a property just shall not be what it is, and nobody names another value."""
    if not isinstance(narrowed, Mismatch):
        for name, value in narrowed.items():
            if isinstance(value, Not) and start.get(name) in value.values:
                return Mismatch(name, start[name], value)
    return narrowed


def _only(conversion: Conversion, demand: Demand) -> Caps:
    return Caps(**{name: conversion.makes[name] for name in demand.makes if name in conversion.makes})


def _made(value: frozenset[Any] | Not) -> Any:
    return value if isinstance(value, Not) or len(value) > 1 else next(iter(value))


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
    removed = frozenset().union(*(conversion.removes for _, conversion in path))
    final = {name: value for name, value in original.items() if name not in removed}
    makers = Counter(name for _, conversion in path for name in conversion.makes)
    as_it_was = set()
    for name, value in arrived.items():
        if not isinstance(value, (frozenset, Not)):
            final[name] = value
            continue
        before = original.get(name) if makers[name] < 2 else None  # made twice: what it was is gone
        if (chosen := _choose(value, before, preferred.get(name))) is not None:
            final[name] = chosen
        if chosen == before:
            as_it_was.add(name)
    steps = []
    for converter, conversion in path:
        asked = {
            option: final[name]
            for name, option in conversion.options.items()
            if name in final and name not in as_it_was
        }
        steps.append(Step(converter.name, asked))
    return Chain(tuple(steps), final)


def _choose(left: frozenset[Any] | Not, before: Any, preferred: Any) -> Any:
    """One of the choices that are left: what it was, what is preferred (a tuple: the first that is left), the
    nearest number, the first by name."""
    if isinstance(left, Not) or before in left:
        return before
    for wanted in preferred if isinstance(preferred, tuple) else (preferred,):
        if wanted in left:
            return wanted
    if isinstance(before, (int, float)) and all(isinstance(each, (int, float)) for each in left):
        return min(left, key=lambda each: (each < before, abs(each - before)))
    return min(left, key=str)


__all__ = [
    "Chain",
    "Conversion",
    "Converter",
    "Demand",
    "NoChain",
    "Step",
    "choices",
    "resolve",
    "resolve_through",
]
