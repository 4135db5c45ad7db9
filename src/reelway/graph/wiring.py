"""Wiring: which PID goes to which filter, said or implied.

A filter with declared sources takes PIDs from those only. One without takes every PID that it accepts, of
any filter that is not downstream of it (GPAC's implicit linking) and whose destinations were not declared
with `>>`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from reelway.errors import LinkError, StateError
from reelway.graph.caps import Caps, Mismatch, Not, check_bundles, lost, match
from reelway.graph.filter import Filter
from reelway.graph.resolve import Chain, Converter, NoChain, resolve, resolve_through
from reelway.media.likeness import nearest_pixel_formats, nearest_sample_formats

if TYPE_CHECKING:
    from reelway.graph.link import Link
    from reelway.graph.select import Selector


def _usual(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """What to choose where a converter may choose freely, the best first: what loses least."""
    return {
        "PixelFormat": nearest_pixel_formats(properties.get("PixelFormat")),
        "AudioFormat": nearest_sample_formats(properties.get("AudioFormat")),
    }


_FORMATS = ("PixelFormat", "AudioFormat", "SampleRate", "NumChannels")


class Declared(NamedTuple):
    """`consumer` takes from `source` the PIDs that `selector` matches and none of `unless` accepts."""

    source: Filter
    selector: Selector | None = None
    unless: tuple[Filter, ...] = ()
    may_pass: bool = False
    """What `consumer` does not accept goes around it."""


class Route(NamedTuple):
    """A stream and the consumer it goes to, through the steps of `chain`."""

    source: str
    pid: str
    consumer: Filter
    chain: Chain
    why: str
    declared: bool


class Refusal(NamedTuple):
    """A stream and a consumer that cannot take it."""

    source: Filter
    pid: str
    properties: Mapping[str, Any]
    consumer: Filter
    reason: NoChain


class Wiring:
    """What was declared about links. `converters` gives what the resolver may use."""

    def __init__(
        self,
        converters: Callable[[], Sequence[Converter]],
        *,
        at_once: Callable[[Filter, Declared], Callable[[], None]] = lambda _consumer, _declared: nothing,
        ask: Callable[[Callable[[], None]], None] = lambda work: work(),
    ) -> None:
        """`at_once` links what the source of a declaration has already: it raises, or gives what does it.

        `ask` has work done where the links belong to.
        """
        self.filters: list[Filter] = []
        self.refused: list[Refusal] = []
        self._declared: dict[Filter, list[Declared]] = {}
        self._restricted: set[Filter] = set()
        self._converters = converters
        self._at_once = at_once
        self._ask = ask

    def add(self, filter: Filter) -> None:
        """Raises OptionError where what it accepts, or makes, is not said in `Caps`."""
        check_bundles(f"{type(filter).__name__}.inputs", filter.inputs)
        check_bundles(f"{type(filter).__name__}.outputs", filter.outputs)
        self.filters.append(filter)

    def declare(
        self, source: Filter, consumer: Filter, selector: Selector | None = None, *, restrict: bool = False
    ) -> None:
        """`consumer` takes from `source`; with `restrict`, the source gives to declared consumers only.

        What the source has already is linked at once. Raises LinkError or StateError, and changes nothing.
        """
        self._ask(lambda: self._declare([(consumer, Declared(source, selector))], restrict))

    def chain(self, filters: Sequence[Filter]) -> None:
        """One after the other; a stream that a filter does not accept goes around it to the next."""
        wanted = [
            (filters[to], Declared(source, None, tuple(filters[at + 1 : to]), may_pass=True))
            for at, source in enumerate(filters)
            for to in range(at + 1, len(filters))
        ]
        self._ask(lambda: self._declare(wanted, True))

    def _declare(self, wanted: Sequence[tuple[Filter, Declared]], restrict: bool) -> None:
        before = {consumer: self._declared.get(consumer) for consumer, _ in wanted}
        try:
            for consumer, each in wanted:
                self.check(each.source, consumer)
                self._declared[consumer] = [*self._declared.get(consumer, ()), each]
            to_do = [self._at_once(consumer, each) for consumer, each in wanted]
        except Exception:
            for consumer, declared in before.items():
                self._declared.pop(consumer, None)
                if declared is not None:
                    self._declared[consumer] = declared
            raise
        if restrict:
            self._restricted.update(each.source for _, each in wanted)
        for link in to_do:
            link()

    def check(self, source: Filter, consumer: Filter) -> None:
        """Raises where `source` cannot be declared to feed `consumer`."""
        for filter in (source, consumer):
            if filter not in self.filters:
                name = getattr(filter, "name", None) or repr(filter)
                raise StateError(f"{name} is not in this session", hint="add it first: session.add(filter)")
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

    # What was declared changes with the links

    def relink(self, consumer: Filter, declared: Declared) -> None:
        """From here on `consumer` takes what `declared` says, and nothing else."""
        self._declared[consumer] = [declared]

    def insert(
        self, new: Filter, between: Iterable[tuple[Filter, Filter]], selector: Selector | None
    ) -> None:
        """What goes from the first to the second filter of each pair goes through `new`, where that fits."""
        pairs = list(between)
        for source, consumer in pairs:
            declared = self._declared.get(consumer)
            if declared is None:  # what was implied is declared from here on
                feeding = self.implied_sources(consumer) + [here for here, to in pairs if to is consumer]
                declared = [Declared(each) for each in dict.fromkeys(feeding)]
            kept = [
                each._replace(unless=(*each.unless, new)) if each.source is source else each
                for each in declared
            ]
            said = next((each.selector for each in declared if each.source is source), None)
            here = Declared(source, selector or said)
            if here not in self._declared.setdefault(new, []):
                self._declared[new].append(here)
            if Declared(new) not in kept:
                kept.append(Declared(new))
            self._declared[consumer] = kept
        self._restricted.add(new)

    def replace(self, old: Filter, new: Filter) -> None:
        """`new` is linked as `old` was; `old` is forgotten."""

        def renamed(filter: Filter) -> Filter:
            return new if filter is old else filter

        for consumer, declared in tuple(self._declared.items()):
            self._declared[consumer] = [
                each._replace(source=renamed(each.source), unless=tuple(map(renamed, each.unless)))
                for each in declared
            ]
        if old in self._declared:
            self._declared[new] = self._declared.pop(old) + self._declared.get(new, [])
        if old in self._restricted:
            self._restricted.add(new)
        self.remove(old)

    def remove(self, filter: Filter) -> None:
        """Forgets it. Who took from it alone takes from nobody now, unless that is said."""
        self.filters.remove(filter)
        self._restricted.discard(filter)
        self._declared.pop(filter, None)
        for consumer, declared in tuple(self._declared.items()):
            self._declared[consumer] = [
                each._replace(unless=tuple(other for other in each.unless if other is not filter))
                for each in declared
                if each.source is not filter
            ]
        self.refused = [each for each in self.refused if filter not in (each.source, each.consumer)]

    def sources_of(self, consumer: Filter) -> list[Declared]:
        return self._declared.get(consumer, [])

    def implied_sources(self, consumer: Filter) -> list[Filter]:
        """The sources that may link to `consumer` without a word, as long as it has no declared ones."""
        if consumer in self._declared:
            return []
        return [filter for filter in self.filters if not filter.inputs and filter not in self._restricted]

    def implied_feeders(self, consumer: Filter) -> list[Filter]:
        """All that may, where filters behind the sources feed it too."""
        if consumer in self._declared:
            return []
        return [
            each
            for each in tuple(self.filters)
            if each is not consumer and each.outputs and each not in self._restricted
            if not self._is_downstream(each, of=consumer)
        ]

    def takers(self, source: Filter) -> list[Filter]:
        """All that may get something of what `source` sends, said or implied."""
        found = []
        for each in tuple(self.filters):
            if each is source or not each.inputs:
                continue
            declared = self._declared.get(each)
            if declared is not None:
                takes = any(one.source is source for one in declared)
            else:
                takes = bool(source.outputs) and source in self.implied_feeders(each)
            if takes:
                found.append(each)
        return found

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
            yield Route(source.name, pid, consumer, result, why, declared is not None)

    def fit(self, properties: Mapping[str, Any], consumer: Filter) -> Chain | NoChain:
        """How a stream gets into `consumer`."""
        if demand := consumer.demand(properties):
            usual, converters = _usual(properties), self._converters()
            return resolve_through(demand, properties, consumer.inputs, usual, converters)
        return self.fit_as_it_is(properties, consumer)

    def fit_as_it_is(self, properties: Mapping[str, Any], consumer: Filter) -> Chain | NoChain:
        """`fit` of a stream that has gone through what `consumer` demands."""
        direct = resolve(properties, consumer.inputs, {}, ())
        if isinstance(direct, Chain):
            return direct
        converters = self._converters()
        if rather := consumer.preferred(properties):
            narrower = [Caps(**{**caps, **rather}) for caps in consumer.inputs]
            chain = resolve(properties, narrower, _usual(properties), converters)
            if isinstance(chain, Chain):
                return chain
        return resolve(properties, consumer.inputs, _usual(properties), converters)

    def fit_as_before(
        self, properties: Mapping[str, Any], consumer: Filter, before: Mapping[str, Any]
    ) -> Chain | NoChain:
        """How a stream gets into `consumer` in the format of another one, for who is behind it."""
        keep = {name: before[name] for name in _FORMATS if before.get(name) is not None}
        taken = [caps for caps in consumer.inputs if not isinstance(match(before, caps), Mismatch)]
        narrower = [Caps(**{**caps, **keep}) for caps in taken]
        return resolve(properties, narrower, _usual(properties), self._converters())

    def fits(self, properties: Mapping[str, Any], consumer: Filter) -> bool:
        """True where a stream gets into `consumer` as it is."""
        return isinstance(resolve(properties, consumer.inputs, {}, ()), Chain)

    def accepts(self, properties: Mapping[str, Any], consumer: Filter) -> bool:
        """True where a stream gets into `consumer`, as it is or through converters."""
        return isinstance(self.fit(properties, consumer), Chain)

    def _declaration(
        self, declared: list[Declared], source: Filter, pid: str, properties: Mapping[str, Any], ordinal: int
    ) -> Declared | None:
        for each in declared:
            if each.source is not source:
                continue
            if each.selector is not None and not each.selector.matches(properties, pid, ordinal):
                continue
            if any(self.accepts(properties, other) for other in each.unless):
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


def nothing() -> None:
    """For a declaration whose source has no PIDs yet."""


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
        consumer=refusal.consumer.name,
    )


def refuse_change(link: Link, properties: Mapping[str, Any]) -> None:
    """Raises LinkError where a consumer took the stream as it was, and does not as it is from now on."""
    reason = lost(link.properties, properties, link.filter.inputs)
    if reason is None:
        return
    consumer = link.filter.name
    wanted = "" if isinstance(reason.want, Not) else str(min(map(str, reason.want)))
    keeps = f"`{text}{wanted}` in front of {consumer}" if (text := _KEEPS.get(reason.name)) else "a converter"
    raise LinkError(
        f"{link.source.name}.{link.name} changes in mid-stream, and {consumer} does not take that: {reason}",
        hint=f"{keeps} keeps the stream as it is",
    )


_KEEPS = {
    "PixelFormat": "convert:format=", "Width": "convert:width=", "Height": "convert:height=",
    "ColorMatrix": "convert:matrix=", "FullRange": "convert:full_range=", "Rotate": "convert",
    "AudioFormat": "resample:format=", "SampleRate": "resample:rate=", "NumChannels": "resample:channels=",
}  # fmt: skip


def _caps(bundles: Sequence[Caps]) -> str:
    return ", or ".join(str(caps).removeprefix("Caps") for caps in bundles)


def _stream(properties: Mapping[str, Any], bundles: Sequence[Caps]) -> str:
    names = dict.fromkeys(("StreamType", "CodecID", *(name for caps in bundles for name in caps)))
    return ", ".join(f"{name}={properties.get(name, 'not set')}" for name in names)
