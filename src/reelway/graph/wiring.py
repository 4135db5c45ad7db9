"""Wiring: which PID goes to which filter, said or implied.

A filter with declared sources takes PIDs from those only. One without takes every PID that it accepts, of
any filter that is not downstream of it (GPAC's implicit linking) and whose destinations were not declared
with `>>`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from reelway.errors import LinkError, StateError
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.resolve import Chain, Converter, NoChain, resolve

if TYPE_CHECKING:
    from reelway.graph.select import Selector


class Declared(NamedTuple):
    """`consumer` takes from `source` the PIDs that `selector` matches and none of `unless` accepts."""

    source: Filter
    selector: Selector | None = None
    unless: tuple[Filter, ...] = ()


class Route(NamedTuple):
    """A stream and the consumer it goes to, through the steps of `chain`."""

    source: str
    pid: str
    consumer: Filter
    chain: Chain
    why: str


class Refusal(NamedTuple):
    """A stream and a consumer that cannot take it."""

    source: Filter
    pid: str
    properties: Mapping[str, Any]
    consumer: Filter
    reason: NoChain


class Wiring:
    """What was declared about links. `converters` gives what the resolver may use."""

    def __init__(self, converters: Callable[[], Sequence[Converter]]) -> None:
        self.filters: list[Filter] = []
        self.refused: list[Refusal] = []
        self._declared: dict[Filter, list[Declared]] = {}
        self._restricted: set[Filter] = set()
        self._converters = converters

    def add(self, filter: Filter) -> None:
        self.filters.append(filter)

    def declare(
        self,
        source: Filter,
        consumer: Filter,
        selector: Selector | None = None,
        *,
        restrict: bool = False,
        unless: tuple[Filter, ...] = (),
    ) -> None:
        """`consumer` takes from `source`; with `restrict`, the source gives to declared consumers only."""
        for filter in (source, consumer):
            if filter not in self.filters:
                name = getattr(filter, "name", None) or repr(filter)
                raise StateError(f"{name} is not in this session", hint="add it first: session.add(filter)")
        if source.opids:
            raise StateError(
                f"a link from {source.name} comes too late: its PIDs are linked",
                hint="declare links before run() or explain(); links that change while it runs are to come",
            )
        if consumer is source or self._is_downstream(source, of=consumer):
            what = "itself" if consumer is source else consumer.name
            raise LinkError(
                f"linking {source.name} to {what} would make a loop",
                hint="what a filter puts out must not come back to it",
            )
        if not consumer.inputs:
            raise LinkError(
                f"{consumer.name} is a source and takes no input",
                hint=f"did you mean {consumer.name} >> {source.name}?",
            )
        self._declared.setdefault(consumer, []).append(Declared(source, selector, unless))
        if restrict:
            self._restricted.add(source)

    def chain(self, filters: Sequence[Filter]) -> None:
        """One after the other; a stream that a filter does not accept goes around it to the next."""
        for at, source in enumerate(filters):
            for to in range(at + 1, len(filters)):
                self.declare(source, filters[to], restrict=True, unless=tuple(filters[at + 1 : to]))

    def sources_of(self, consumer: Filter) -> list[Declared]:
        return self._declared.get(consumer, [])

    def implied_sources(self, consumer: Filter) -> list[Filter]:
        """The sources that may link to `consumer` without a word, as long as it has no declared ones."""
        if consumer in self._declared:
            return []
        return [filter for filter in self.filters if not filter.inputs and filter not in self._restricted]

    def routes(
        self, source: Filter, pid: str, properties: Mapping[str, Any], ordinal: int
    ) -> Iterator[Route]:
        """Where a stream of `source` goes. What was declared and refused is kept in `refused`."""
        for consumer in self.filters:
            if consumer is source or not consumer.inputs:
                continue
            declared = self._declared.get(consumer)
            if declared is None:
                if source in self._restricted or self._is_downstream(source, of=consumer):
                    continue
                why = "implied: it takes what it accepts"
            else:
                found = self._declaration(declared, source, pid, properties, ordinal)
                if found is None:
                    continue
                why = f"declared{f' with {found.selector}' if found.selector else ''}"
            result = self.fit(properties, consumer)
            if isinstance(result, NoChain):
                self.refused.append(Refusal(source, pid, properties, consumer, result))
                continue
            yield Route(source.name, pid, consumer, result, why)

    def fit(self, properties: Mapping[str, Any], consumer: Filter) -> Chain | NoChain:
        """How a stream gets into `consumer`."""
        direct = resolve(properties, consumer.inputs, {}, ())
        if isinstance(direct, Chain):
            return direct
        return resolve(properties, consumer.inputs, {}, self._converters())

    def _declaration(
        self, declared: list[Declared], source: Filter, pid: str, properties: Mapping[str, Any], ordinal: int
    ) -> Declared | None:
        for each in declared:
            if each.source is not source:
                continue
            if each.selector is not None and not each.selector.matches(properties, pid, ordinal):
                continue
            if any(isinstance(self.fit(properties, other), Chain) for other in each.unless):
                continue
            return each
        return None

    def _is_downstream(self, filter: Filter, *, of: Filter) -> bool:
        """True where what `of` sends may reach `filter`."""
        seen: set[Filter] = set()
        todo = [filter]
        while todo:
            here = todo.pop()
            if here in seen:
                continue
            seen.add(here)
            upstream = {link.source for link in here.ipids} | {
                each.source for each in self._declared.get(here, ())
            }
            if of in upstream:
                return True
            todo.extend(upstream)
        return False


def link_error(refusal: Refusal) -> LinkError:
    """The LinkError for a stream that cannot get to its consumer."""
    reason = refusal.reason
    codec = refusal.properties.get("CodecID")
    stream = f"{refusal.source.name}.{refusal.pid}" + (f" ({codec})" if codec else "")
    what = f"{reason.mismatch}" if reason.mismatch else "nothing fits"
    through = f" after {' and '.join(reason.through)}" if reason.through else ""
    return LinkError(
        f"{stream} does not fit {refusal.consumer.name}: {what}{through}",
        hint=f"{refusal.consumer.name} accepts {_caps(refusal.consumer.inputs)}; "
        f"the stream is {_stream(refusal.properties, refusal.consumer.inputs)}",
    )


def _caps(bundles: Sequence[Caps]) -> str:
    return ", or ".join(str(caps).removeprefix("Caps") for caps in bundles)


def _stream(properties: Mapping[str, Any], bundles: Sequence[Caps]) -> str:
    names = dict.fromkeys(("StreamType", "CodecID", *(name for caps in bundles for name in caps)))
    return ", ".join(f"{name}={properties.get(name, 'not set')}" for name in names)
