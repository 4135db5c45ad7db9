"""The plan: which stream will go where, through what, and why, before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from reelway.graph.filter import Filter
from reelway.graph.wiring import Refusal, Route, Wiring
from reelway.session.words import stream_in_words


class Stream(NamedTuple):
    """One planned PID: who makes it, its name and its properties."""

    source: Filter
    name: str
    properties: dict[str, Any]
    routes: tuple[Route, ...]

    @property
    def summary(self) -> str:
        """Its codec and format in a few words."""
        return stream_in_words(self.properties)


class Plan(NamedTuple):
    """What `explain()` gives; `str()` of it is for people."""

    streams: tuple[Stream, ...]
    refused: tuple[Refusal, ...]

    @property
    def unlinked(self) -> tuple[Stream, ...]:
        return tuple(stream for stream in self.streams if not stream.routes)

    def __str__(self) -> str:
        lines = []
        for stream in self.streams:
            lines.append(f"{stream.source.name}.{stream.name}: {stream.summary}")
            for route in stream.routes:
                steps = "".join(
                    f" -> {step.name}" + "".join(f":{name}={value}" for name, value in step.options.items())
                    for step in route.chain.steps
                )
                lines.append(f"   {steps} -> {route.consumer.name}  ({route.why})".replace("    ->", "  ->"))
            if not stream.routes:
                reasons = [r for r in self.refused if r.source is stream.source and r.pid == stream.name]
                lines.append(
                    "  goes nowhere" + "".join(f"; {r.consumer.name}: {r.reason.mismatch}" for r in reasons)
                )
        return "\n".join(lines)


def make_plan(wiring: Wiring, filters: Sequence[Filter]) -> Plan:
    """Follows every stream that is known, and what filters say they will make of it."""
    streams: list[Stream] = []
    refused_before = len(wiring.refused)
    counts: dict[tuple[Filter, Any], int] = {}
    arrived: dict[Filter, int] = {}

    def follow(source: Filter, name: str, properties: dict[str, Any], depth: int) -> None:
        if depth > len(filters):
            return
        key = source, properties.get("StreamType")
        counts[key] = counts.get(key, 0) + 1
        routes = tuple(
            route
            for route in wiring.routes(source, name, properties, counts[key])
            if has_room(route.consumer)
        )
        streams.append(Stream(source, name, properties, routes))
        for route in routes:
            for made in route.consumer.plan(dict(route.chain.properties)):
                follow(route.consumer, name, made, depth + 1)

    def has_room(consumer: Filter) -> bool:
        arrived[consumer] = arrived.get(consumer, 0) + 1
        return consumer.max_inputs is None or arrived[consumer] <= consumer.max_inputs

    for filter in filters:
        if not filter.ipids:
            for pid in filter.opids:
                follow(filter, pid.name, pid.properties, 0)
    refused = tuple(wiring.refused[refused_before:])
    del wiring.refused[refused_before:]
    return Plan(tuple(streams), refused)
