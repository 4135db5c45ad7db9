"""Who gets a new PID, through which converters; and inputs that wait for one to take over."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from reelway import catalog
from reelway.errors import FilterError, LinkError
from reelway.graph.filter import Filter
from reelway.graph.link import Limits, Link, Mark, News
from reelway.graph.pid import Pid
from reelway.graph.resolve import Chain, Converter, NoChain, Step, resolve
from reelway.graph.wiring import Refusal, link_error
from reelway.media.origin import is_live_picture
from reelway.runtime.linking import detach, feed
from reelway.session.check import goes_nowhere
from reelway.session.freshness import FRESH, keeps_all

if TYPE_CHECKING:
    from reelway.graph.select import Selector
    from reelway.session.session import Session

log = logging.getLogger("reelway.session")

UNKNOWN = b"\0"
"""A decoder configuration that is known when its encoder is open, and is no other encoder's."""


class Onward(NamedTuple):
    """Where what a converter makes goes: through `steps` to `consumer`, into its input `link`, if any."""

    steps: tuple[Step, ...]
    consumer: Filter
    link: Link | None = None
    restart: bool = False


class Takeover:
    """An input that the next fitting PID of a filter feeds from then on.

    of       it takes what is made of one of these: of one PID, or of those that feed the same input after it
    yields   it is fed as before until then, and another edit may change that
    """

    __slots__ = ("link", "of", "restart", "selector", "yields")

    def __init__(
        self,
        link: Link,
        selector: Selector | None = None,
        *,
        of: tuple[Pid, ...] = (),
        restart: bool = False,
        yields: bool = False,
    ) -> None:
        self.link, self.selector, self.of = link, selector, of
        self.restart, self.yields = restart, yields


class Linker:
    """Links PIDs as the session's wiring says. The session's thread only."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.made_for: dict[Filter, list[Onward]] = {}
        """The resolver's filters."""
        self.takeovers: dict[Filter, list[Takeover]] = {}
        self.properties: dict[Filter, dict[str, Any]] = {}
        """What a user adds to the PIDs of a filter."""
        self._counts: dict[Filter, dict[Any, int]] = {}

    def say(self, filter: Filter, properties: Mapping[str, str | None], slot: object) -> None:
        """What a user adds to all PIDs of a filter: properties, as text, and the number or name of a slot."""
        from reelway.media.properties import parse  # reads the table of properties: for who needs it

        said = {name: parse(name, value) for name, value in properties.items()}
        if slot is not None:
            said["Slot"] = int(slot) if isinstance(slot, str) and slot.isdecimal() else slot
        self.properties[filter] = said

    def link(self, pid: Pid) -> None:
        """A PID is new: links it to whoever takes it, through whatever is needed."""
        source, session = pid.filter, self._session
        if source in self.made_for:
            for each in tuple(self.made_for[source]):
                steps = each.steps or self._unforeseen(pid, each.consumer)
                self.connect(pid, steps, each.consumer, None, each.link, each.restart)
            if session.on_pid_new is not None:
                session.on_pid_new(pid)
            return
        if source.context.leaving:  # type: ignore[attr-defined]
            return  # it was taken out with all that it would feed
        if said := self.properties.get(source):
            pid.said = said
            pid.set(**said)
        counts = self._counts.setdefault(source, {})
        kind = pid.properties.get("StreamType")
        counts[kind] = counts.get(kind, 0) + 1
        made: dict[Any, Filter] = {}
        served = self._take_over(pid, counts[kind], made)
        taken = bool(served)
        for route in tuple(session._wiring.routes(source, pid.name, pid.properties, counts[kind])):
            if route.consumer in served:
                continue
            if session._started and not self._still_takes(pid, route.consumer, declared=route.declared):
                continue
            taken |= self.connect(pid, route.chain.steps, route.consumer, made)
        if not taken:
            error = goes_nowhere(source.name, pid.name, pid.properties)
            if session.unlinked == "error":
                raise error
            log.log(logging.WARNING if session.unlinked == "warn" else logging.INFO, "%s", error)
        if session.on_pid_new is not None:
            session.on_pid_new(pid)

    def connect(
        self,
        pid: Pid,
        steps: Sequence[Step],
        consumer: Filter,
        made: dict[Any, Filter] | None = None,
        link: Link | None = None,
        restart: bool = False,
    ) -> bool:
        """Links `pid` to `consumer` through new filters for `steps`; False where it takes no more inputs.

        `link`: the consumer's input that is fed from now on, instead of a new one.
        """
        session = self._session
        full = consumer.max_inputs is not None and len(consumer.ipids) >= consumer.max_inputs
        if link is None and full:
            return False
        if link is not None:  # who waits for what is made of this input waits for what is made of `pid` too
            for behind in (consumer, *self.users(link)):
                for waiting in self.takeovers.get(behind, ()):
                    if self.origin(link) in waiting.of:
                        waiting.of = (*waiting.of, pid)
        if not steps:
            if link is not None and link.reopens:
                feed(session._scheduler, link, pid, restart=restart, open_ended=link in self.awaited())
            else:
                session._scheduler.connect(pid, consumer, self._limits(pid, consumer, consumer))
            return True
        first, rest = steps[0], tuple(steps[1:])
        key = first.name, repr(sorted(first.options.items(), key=str))  # an option may be a dict
        filter = made.get(key) if made is not None else None
        if filter is None:
            filter = self._make(first)
            if pid.filter.context.leaving:  # type: ignore[attr-defined]  # what drains it leaves with it
                filter.context.leaving = True  # type: ignore[attr-defined]
                session._edits.wait_for(filter, beside=pid.filter)
            session._scheduler.connect(pid, filter, self._limits(pid, filter, consumer, steps))
            if made is not None:
                made[key] = filter
        if link is not None and link.reopens:  # else it might get the same packets twice
            link.coming = pid
            detach(session._scheduler, link)
        self.made_for[filter].append(Onward(rest, consumer, link, restart))
        return True

    def _limits(self, pid: Pid, filter: Filter, consumer: Filter, steps: Sequence[Step] = ()) -> Limits:
        """Of a link: what its filter wants, else what is live does, else its producer, else the session.

        `consumer` is who gets it in the end, through `steps`.
        """
        session = self._session
        if filter.input_limits is not None:
            return filter.input_limits
        live = session.fresh and not filter.holds and is_live_picture(pid.properties)
        if live and not keeps_all(session._wiring, consumer, steps):
            return FRESH
        return filter.usual_limits or pid.filter.output_limits or session.limits

    def _unforeseen(self, pid: Pid, consumer: Filter) -> tuple[Step, ...]:
        """What is needed besides the plan, as for a turn of the pictures that only their decoder sees.

        Not what was put in already: a converter that did not make what was asked for does not the next time.
        """
        chain = self._session._wiring.fit_as_it_is(pid.properties, consumer)
        there = {each.filter.registry_name for each in self.way(pid.filter.ipids[0])}
        if not isinstance(chain, NoChain) and not there.isdisjoint(step.name for step in chain.steps):
            chain = resolve(pid.properties, consumer.inputs, {}, ())
        if isinstance(chain, NoChain):
            raise link_error(Refusal(pid.filter, pid.name, pid.properties, consumer, chain))
        return tuple(chain.steps)

    def _make(self, step: Step) -> Filter:
        session = self._session
        filter = catalog.find(step.name)(**step.options)
        filter.set_defaults(session.defaults)
        filter.name = session._unused_name(step.name)
        self.made_for[filter] = []
        try:
            session._adopt(filter)
        except Exception as cause:  # a user's on_filter_new(): the session ends, and says so
            raise FilterError(
                f"on_filter_new() failed: {type(cause).__name__}: {cause}", filter=filter.name, cause=cause
            ) from cause
        return filter

    def _still_takes(self, pid: Pid, consumer: Filter, *, declared: bool) -> bool:
        """False where a consumer that was not asked to take it cannot, as a muxer behind its header.

        Raises LinkError where it was asked to.
        """
        try:
            consumer.check_input(f"{pid.filter.name}.{pid.name}", pid.properties)
        except LinkError as error:
            if declared:
                raise
            log.info("%s", error)
            return False
        return True

    def _take_over(self, pid: Pid, ordinal: int, made: dict[Any, Filter]) -> set[Filter]:
        """Feeds the inputs that wait for this PID; the value is whose they are."""
        waiting = self.takeovers.get(pid.filter)
        if not waiting:
            return set()
        chosen = list(self._chosen(pid, ordinal, waiting))
        for each in chosen:
            waiting.remove(each)
        if not waiting:
            del self.takeovers[pid.filter]
        elif not all(each.of for each in waiting):  # after this turn no more PIDs are to be expected
            self._session._scheduler.defer(lambda: self._give_up(pid.filter))
        for each in chosen:
            link, steps = self.entry(pid, each.link)
            if link is not each.link:  # what feeds it goes on
                each.link.open_ended = False
            self.connect(pid, steps, link.filter, made, link, each.restart)
        return {user for each in chosen for user in self.users(each.link)}

    def _chosen(self, pid: Pid, ordinal: int, waiting: list[Takeover]) -> Iterator[Takeover]:
        kind = pid.properties.get("StreamType")
        made_of = {self.origin(link) for link in pid.filter.ipids if link.output is pid}
        served: set[Filter] = set()
        first: Pid | None = None
        for each in waiting:
            if each.selector is not None and not each.selector.matches(pid.properties, pid.name, ordinal):
                continue
            if each.of and made_of:
                if not made_of.isdisjoint(each.of):
                    yield each
                continue
            if each.link.pid.properties.get("StreamType") != kind:
                continue
            if each.of:  # the filter does not say of what it made it: of the first that fits
                first = first or each.of[0]
                if first in each.of:
                    yield each
            elif each.link.filter not in served:
                served.add(each.link.filter)
                yield each

    def _give_up(self, source: Filter) -> None:
        """Inputs for which `source` has no stream end."""
        waiting = self.takeovers.pop(source, [])
        left = [each for each in waiting if not each.of]
        if kept := [each for each in waiting if each.of]:
            self.takeovers[source] = kept
        for each in left:
            self._session._edits.end_input(each.link)

    def origin(self, link: Link) -> Pid:
        """The PID that a filter of the user's sends, before the resolver's filters."""
        pid = link.pid
        while pid.filter in self.made_for and pid.filter.ipids:
            pid = pid.filter.ipids[0].pid
        return pid

    def way(self, link: Link) -> list[Link]:
        """The links from the PID of a filter of the user's to `link`, through the resolver's filters."""
        found = [link]
        while found[0].source in self.made_for and found[0].source.ipids:
            found.insert(0, found[0].source.ipids[0])
        return found

    def users(self, link: Link) -> set[Filter]:
        """The filters of the user's that `link` leads to."""
        todo, found = [link.filter], set()
        while todo:
            filter = todo.pop()
            if filter in self.made_for:
                todo += [each.consumer for each in self.made_for[filter]]
            else:
                found.add(filter)
        return found

    def entry(self, pid: Pid, link: Link) -> tuple[Link, tuple[Step, ...]]:
        """By which link of the way to `link` another PID feeds that from now on, and the steps to get there.

        Of all that can be done, what takes the fewest new filters: raw media goes on in the encoder that is
        there, so that a muxer behind its header goes on too. Raises LinkError.
        """
        best: tuple[Link, tuple[Step, ...]] | None = None
        refused: LinkError | None = None
        kind, users = pid.properties.get("StreamType"), self.users(link)
        for at in reversed(self.way(link)):
            have = at.pid.properties
            raw = have.get("CodecID") == "raw" and have.get("StreamType") == kind
            if at is not link and not (raw and at.reopens and self.users(at) == users):
                continue
            try:
                steps = self.check_fit(
                    pid.filter, pid.name, pid.properties, at.filter, at if at.reopens else None
                )
            except LinkError as error:
                refused = refused or error
                continue
            if best is None or len(steps) < len(best[1]):
                best = at, steps
        if best is None:
            assert refused is not None
            raise refused
        return best

    def awaited(self) -> dict[Link, Filter]:
        """Who is going to feed which input."""
        return {each.link: source for source, waiting in self.takeovers.items() for each in waiting}

    def check_fit(
        self, source: Filter, name: str, properties: dict[str, Any], consumer: Filter, link: Link | None
    ) -> tuple[Step, ...]:
        """The steps by which a stream gets into `consumer`. Raises LinkError."""
        chain = self._session._wiring.fit(properties, consumer)
        if isinstance(chain, NoChain):
            raise link_error(Refusal(source, name, properties, consumer, chain))
        if link is not None and (wrong := self._refused_behind(link, chain.properties)) is not None:
            raise wrong
        self._check_arriving(source, name, chain, consumer, link)
        return chain.steps

    def refit(self, pid: Pid, properties: dict[str, Any]) -> None:
        """Puts converters between `pid`, which has these from now on, and who does not take it any more.

        They keep what was taken. Where none does, the consumer says so when it is told.
        """
        made: dict[Any, Filter] = {}
        for link in tuple(pid.links):
            if not link.refuses(properties) or not link.reopens:
                continue
            consumer = link.filter
            if consumer.context.leaving and not pid.filter.context.leaving:  # type: ignore[attr-defined]
                detach(self._session._scheduler, link, Mark(News.END))  # an edit takes it out
                continue
            chain = self._session._wiring.fit_as_before(properties, consumer, link.told)
            if isinstance(chain, NoChain):
                continue
            try:
                self._check_arriving(pid.filter, pid.name, chain, consumer, link)
            except LinkError as error:
                log.info("%s", error)
                continue
            steps = ", ".join(step.name for step in chain.steps)
            log.info(
                "%s.%s changes, and goes to %s through %s", pid.filter.name, pid.name, consumer.name, steps
            )
            self.connect(pid, chain.steps, consumer, made, link)

    def _check_arriving(
        self, source: Filter, name: str, chain: Chain, consumer: Filter, link: Link | None
    ) -> None:
        """Raises LinkError where `consumer` cannot go on with what comes out of `chain`."""
        arriving = chain.properties
        if link is not None and any(self._codes_otherwise(step, link) for step in chain.steps):
            arriving = {**arriving, "DecoderConfig": UNKNOWN}
        consumer.check_input(f"{source.name}.{name}", arriving, link)

    def _refused_behind(self, link: Link, properties: Mapping[str, Any]) -> LinkError | None:
        """Why a filter behind the one that `link` feeds cannot go on, where that gets `properties` now."""
        filter = link.filter
        if filter in self.made_for or not filter.outputs:
            return None  # a converter makes what it made before
        pids = [link.output] if link.output is not None else filter.opids
        for pid, made in zip(pids, filter.plan(dict(properties)), strict=False):
            if not {"PixelFormat", "AudioFormat"}.isdisjoint(pid.properties.keys() - made.keys()):
                continue  # it does not know yet
            for behind in pid.links:
                if isinstance(chain := self._session._wiring.fit(made, behind.filter), NoChain):
                    return link_error(Refusal(filter, pid.name, made, behind.filter, chain))
                if (wrong := self._refused_behind(behind, chain.properties)) is not None:
                    return wrong
        return None

    def _codes_otherwise(self, step: Step, link: Link) -> bool:
        """It makes an encoder unlike the one that feeds `link`: nobody knows what that writes."""
        kind, maker = catalog.find(step.name), link.source
        same = type(maker) is kind and maker in self.made_for and maker.given == dict(step.options)
        return kind.kind == "encode" and not same

    def feeds(self, pid: Pid, consumer: Filter) -> bool:
        """`pid` goes to `consumer` already, perhaps through converters."""
        for link in pid.links:
            if link.filter is consumer:
                return True
            onward = self.made_for.get(link.filter, ())
            if any(each.consumer is consumer for each in onward):
                return True
        return False

    def forget(self, filter: Filter) -> None:
        """Nothing is kept of a filter that was taken out."""
        self.made_for.pop(filter, None)
        waiting = [
            each for waiting in self.takeovers.values() for each in waiting if each.link.filter is filter
        ]
        for each in (*waiting, *self.takeovers.pop(filter, ())):
            link = each.link
            fed = link.open_ended and link in link.pid.links and not link.pid.ended
            link.open_ended = False
            if not fed:  # nobody else will say that it ends
                self._session._edits.end_input(link)
        self.properties.pop(filter, None)
        self._counts.pop(filter, None)
        for maker, onward in self.made_for.items():
            self.made_for[maker] = [each for each in onward if each.consumer is not filter]
        self.forget_takeovers(filter)

    def forget_takeovers(self, consumer: Filter) -> None:
        """No input of `consumer` waits for another PID any more."""
        for source, waiting in tuple(self.takeovers.items()):
            left = [each for each in waiting if each.link.filter is not consumer]
            for each in waiting:
                each.link.open_ended = each.link.open_ended and each in left
            if left:
                self.takeovers[source] = left
            else:
                del self.takeovers[source]

    def converters(self) -> list[Converter]:
        """What the resolver may use."""
        found = []
        for name, cost in catalog.CONVERTERS.items():
            if name not in self._session.blacklist:
                kind = catalog.find(name)
                found.append(Converter(name, cost, kind.kind or name, kind.conversions))
        return found
