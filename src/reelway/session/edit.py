"""Changes to a session that is linked or runs. The session's thread only: `Session` brings them there.

Each first checks all it can, then changes; what is queued in a link is never touched. A consumer keeps its
input (`Link`) while what feeds it changes, so that a muxer behind its header goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from reelway.errors import LinkError, OptionError, ReelwayError, StateError
from reelway.graph.filter import Filter, Output
from reelway.graph.link import Link, Mark, News
from reelway.graph.pid import Pid
from reelway.graph.wiring import Declared
from reelway.runtime.linking import detach, hold, leaving_with, release, remove
from reelway.session.linker import Onward, Takeover
from reelway.session.places import Feed, Places

if TYPE_CHECKING:
    from reelway.graph.select import Selector
    from reelway.session.linker import Linker
    from reelway.session.session import Session


class Edits:
    """What `Session.remove`, `insert`, `relink`, `replace` and late declarations do."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._places = Places(session)
        self._waiting: dict[Filter, Filter] = {}
        """Removed filter -> the one that begins when it is closed."""

    @property
    def _linker(self) -> Linker:
        return self._session._linker

    # Late declarations

    def at_once(self, consumer: Filter, declared: Declared) -> Callable[[], None]:
        """What links the streams that the source has already. Raises LinkError where that cannot be done."""
        session, source = self._session, declared.source
        if session.finished:
            raise StateError("this session is over", hint="make another one")
        if not session._linked:
            return _done
        streams = [pid for pid in self._streams(source, declared.selector) if not pid.ended]
        if not source.opids:
            if consumer.opened:
                consumer.check_input(source.name, {})
            return _done
        if source.opids and not streams and not declared.unless:
            raise self._nothing(source, consumer, declared.selector)
        streams = [pid for pid in streams if not self._fits_any(pid, declared.unless)]
        new = [pid for pid in streams if not self._linker.feeds(pid, consumer)]
        feeds = self._feeds(new, consumer, lenient=bool(declared.unless))
        return partial(self._connect, feeds, consumer)

    def _feeds(self, pids: list[Pid], consumer: Filter, *, lenient: bool = False) -> list[Feed]:
        """How each gets into `consumer`, as one more input. Raises LinkError where none of them does."""
        found: list[Feed] = []
        refused: list[LinkError] = []
        for pid in pids:
            try:
                steps = self._linker.check_fit(pid.filter, pid.name, pid.properties, consumer, None)
                found.append(Feed(pid, steps, None))
            except LinkError as error:
                refused.append(error)
        if refused and not found and not lenient:
            raise refused[0]
        self._check_room(consumer, len(found))
        return found

    def _connect(self, feeds: list[Feed], consumer: Filter) -> None:
        for each in feeds:
            self._linker.connect(each.pid, each.steps, consumer)

    def _check_room(self, consumer: Filter, more: int) -> None:
        most = consumer.max_inputs
        if most is not None and len(consumer.ipids) + more > most:
            raise LinkError(
                f"{consumer.name} takes {most} input{'s' if most > 1 else ''}, and has {len(consumer.ipids)}",
                hint="session.relink() changes what feeds an input",
            )

    def _fits_any(self, pid: Pid, filters: tuple[Filter, ...]) -> bool:
        return any(self._session._wiring.accepts(pid.properties, filter) for filter in filters)

    def _streams(self, source: Filter, selector: Selector | None) -> Iterator[Pid]:
        counts: dict[object, int] = {}
        for pid in source.opids:
            kind = pid.properties.get("StreamType")
            counts[kind] = counts.get(kind, 0) + 1
            if selector is None or selector.matches(pid.properties, pid.name, counts[kind]):
                yield pid

    def _nothing(self, source: Filter, consumer: Filter, selector: Selector | None) -> ReelwayError:
        if all(pid.ended for pid in self._streams(source, selector)) and any(self._streams(source, selector)):
            return StateError(f"{source.name} has ended", hint="load its source once more")
        return LinkError(
            f"{source.name} has no stream that {consumer.name} takes"
            + (f" with {selector}" if selector else ""),
            hint=f"{source.name} has {', '.join(pid.name for pid in source.opids)}",
        )

    # Out

    def remove(self, filter: Filter) -> None:
        self._check_member(filter)
        linker = self._linker
        leaving = leaving_with(filter, linker.made_for, awaited=linker.awaited(), expected=self._expected())
        for each in leaving:
            release(self._session._scheduler, each)
            self._forget(each)
        remove(self._session._scheduler, leaving)

    def _expected(self) -> dict[Filter, set[Filter]]:
        """Consumer -> filters that are to feed it, and have no PIDs yet."""
        expected: dict[Filter, set[Filter]] = {}
        wiring = self._session._wiring
        for consumer in wiring.filters:
            for each in wiring.sources_of(consumer):
                if not each.source.opids and not each.source.context.done:  # type: ignore[attr-defined]
                    expected.setdefault(consumer, set()).add(each.source)
        for maker, onward in self._linker.made_for.items():
            for to in onward:
                if not maker.opids:
                    expected.setdefault(to.consumer, set()).add(maker)
        return expected

    def _forget(self, filter: Filter) -> None:
        session = self._session
        session.filters.remove(filter)
        if filter in session._wiring.filters:  # the resolver's are not
            session._wiring.remove(filter)
        session._ids = {name: each for name, each in session._ids.items() if each is not filter}
        session._sids = [each for each in session._sids if each[0] is not filter]
        self._linker.forget(filter)

    def closed(self, filter: Filter) -> None:
        """A filter is closed: the one that takes its place begins, when all that it sent is on its way."""
        if self._session.finished:
            return
        if any(pid.holds for pid in filter.opids):  # the session is about to put converters behind it
            self._session._scheduler.defer(partial(self.closed, filter))
            return
        successor = self._waiting.pop(filter, None)
        if filter in self._session.filters and filter.context.leaving:  # type: ignore[attr-defined]
            self._forget(filter)  # the resolver's, for what another that left still had to send
        if successor is not None and successor not in self._waiting.values():
            release(self._session._scheduler, successor)

    def wait_for(self, filter: Filter, *, beside: Filter) -> None:
        """Who is to begin when the one is closed begins when both are."""
        if beside in self._waiting:
            successor = self._waiting[filter] = self._waiting[beside]
            hold(self._session._scheduler, successor, until=filter)

    def end_input(self, link: Link) -> None:
        """The consumer reads what is queued, then the end."""
        maker = link.source
        detach(self._session._scheduler, link, Mark(News.END))
        self._prune(maker)

    def _prune(self, maker: Filter) -> None:
        """Takes out a filter of the resolver's that feeds nobody any more."""

        def look() -> None:
            if maker in self._linker.made_for and not any(pid.links for pid in maker.opids):
                self.remove(maker)

        if maker in self._linker.made_for:
            self._session._scheduler.between_turns(maker.context, look)  # type: ignore[arg-type]

    # In between

    def insert(self, new: Filter, after: Filter | None, before: Filter | None, selector: str) -> None:
        session = self._session
        if after is None and before is None:
            raise OptionError("insert() needs a place", hint="say after=, before=, or both")
        for filter in (after, before):
            if filter is not None:
                self._check_member(filter)
        self._check_new(new)
        if not new.inputs or not new.outputs:
            what = "takes no input" if not new.inputs else "puts nothing out"
            raise LinkError(
                f"{new.name} {what}: it cannot be inserted", hint="it must take and put out streams"
            )
        chosen = _parse(selector)
        feeds, pairs = self._between(new, after, before, chosen)
        if new.wiring is None:
            session.add(new)
        session._wiring.insert(new, pairs, chosen)
        for link in (each.link for each in feeds):
            assert link is not None
            takeover = Takeover(link, of=(self._linker.origin(link),))
            self._linker.takeovers.setdefault(new, []).append(takeover)
            detach(session._scheduler, link)
            onward = self._linker.made_for.get(link.source)
            if onward is not None:  # of the resolver's: what it makes goes to `new` from here on
                users = self._linker.users(link)
                onward[:] = [each for each in onward if each.consumer not in (link.filter, *users)]
                onward.append(Onward((), new))
        for each in {each.pid: each for each in feeds}.values():  # once, whatever it feeds
            self._linker.connect(each.pid, each.steps, new)

    def _between(
        self, new: Filter, after: Filter | None, before: Filter | None, selector: Selector | None
    ) -> tuple[list[Feed], list[tuple[Filter, Filter]]]:
        """The links that go through `new` from now on, and which filters are at their ends."""
        linker = self._linker
        if before is not None:
            links = [
                link for link in self._places.ends(before) if after in (None, linker.origin(link).filter)
            ]
        else:
            assert after is not None
            links = [link for pid in after.opids for link in pid.links]
        links = [link for link in links if link.reopens]
        for link in links:
            if linker.origin(link).ended:
                self._places.check_way(link)  # another one may be about to feed it
        links = [link for link in links if not linker.origin(link).ended]
        matching = [link for link in links if _selected(linker.origin(link), selector, self._streams)]
        feeds: list[Feed] = []
        refused: list[LinkError] = []
        for link in matching:
            try:
                if before is not None:
                    feeds.append(self._places.upstream(new, link, before))
                else:
                    feeds += self._places.downstream(new, link)
            except LinkError as error:
                refused.append(error)
        if refused and not feeds:
            if before is not None and (awaited := self._session._pending(before)):
                raise self._places.unsettled(before, awaited[0])
            raise refused[0]
        if not feeds and self._session._linked:
            where = f"before {before.name}" if before is not None else f"behind {after.name}"  # type: ignore[union-attr]
            raise StateError(f"no stream flows {where}", hint="link filters first; see session.graph()")
        if new.max_inputs is not None and len({each.pid for each in feeds}) > new.max_inputs:
            raise LinkError(f"{new.name} takes {new.max_inputs} inputs", hint="choose with selector=")
        pairs = [
            (linker.origin(each.link).filter, user)
            for each in feeds
            if each.link
            for user in sorted(linker.users(each.link), key=self._session.filters.index)
        ]
        if not self._session._linked:
            pairs = [pair for pair in self._declared_pairs(after, before) if new not in pair]
        return feeds, list(dict.fromkeys(pairs))

    def _declared_pairs(self, after: Filter | None, before: Filter | None) -> list[tuple[Filter, Filter]]:
        """As said or implied, before anything is linked."""
        wiring = self._session._wiring
        consumers = [before] if before is not None else wiring.filters
        return [
            (source, consumer)
            for consumer in consumers
            for source in [d.source for d in wiring.sources_of(consumer)] or wiring.implied_sources(consumer)
            if consumer.inputs and after in (None, source)
        ]

    # From elsewhere

    def relink(self, consumer: Filter, source: Filter | Output, selector: str) -> None:
        output = source if isinstance(source, Output) else Output(source)
        chosen = _parse(selector) or output.selector
        origin = output.filter
        self._check_member(consumer)
        self._check_member(origin)
        session = self._session
        session._wiring.check(origin, consumer)
        inputs = [link for link in consumer.ipids if link.reopens]
        for link in inputs:
            self._places.check_way(link)
        if not session._linked or not origin.opids:
            if not inputs and consumer.opened:
                consumer.check_input(origin.name, {})
            session._wiring.relink(consumer, Declared(origin, chosen))
            self._linker.forget_takeovers(consumer)
            for link in inputs:
                link.open_ended = True  # the end of the old one is none of this input
                takeover = Takeover(link, chosen, restart=True, yields=True)
                self._linker.takeovers.setdefault(origin, []).append(takeover)
            return
        streams = [pid for pid in self._streams(origin, chosen) if not pid.ended]
        if not streams:
            raise self._nothing(origin, consumer, chosen)
        feeds, used = self._paired(streams, inputs, consumer)
        makers = [each.link.source for each in feeds if each.link is not None]
        session._wiring.relink(consumer, Declared(origin, chosen))
        self._linker.forget_takeovers(consumer)
        for each in feeds:
            restart = each.link is None or self._linker.origin(each.link) is not each.pid
            to = consumer if each.link is None else each.link.filter
            self._linker.connect(each.pid, each.steps, to, None, each.link, restart)
        for link in inputs:
            if link not in used:
                self.end_input(link)
        for maker in makers:
            self._prune(maker)

    def refit(self, link: Link) -> None:
        """The stream that feeds `link` comes to it as its consumer's `inputs` now say, behind what is queued.

        No other input is touched, nor what was declared. Raises LinkError, StateError; then nothing has
        changed.
        """
        consumer, linker = link.filter, self._linker
        self._check_member(consumer)
        self._places.check_settled(link)
        pid = linker.origin(link)
        if pid.ended or not link.reopens:
            raise StateError(f"{pid.filter.name} has ended", hint="load its source once more")
        steps = linker.check_fit(pid.filter, pid.name, pid.properties, consumer, link)
        if self._session._wiring.fits(link.pid.properties, consumer):
            return
        maker = link.source
        linker.connect(pid, steps, consumer, None, link)
        self._prune(maker)

    def _paired(
        self, streams: list[Pid], inputs: list[Link], consumer: Filter
    ) -> tuple[list[Feed], set[Link]]:
        """Which stream feeds which input from now on (None: one more), and the inputs that go on.

        A stream may come in where one comes to the converters that feed an input.
        """
        feeds: list[Feed] = []
        wiring = self._session._wiring
        stay: set[Link] = {
            link
            for link in inputs
            if self._linker.origin(link) in streams and wiring.fits(link.pid.properties, consumer)
        }
        free = [link for link in inputs if link not in stay]
        fed = {self._linker.origin(link) for link in stay}
        more = 0
        for pid in streams:
            if pid in fed:
                continue
            kind = pid.properties.get("StreamType")
            link = next((each for each in free if each.pid.properties.get("StreamType") == kind), None)
            if link is not None:
                free.remove(link)
            more += link is None
            if link is None:
                steps = self._linker.check_fit(pid.filter, pid.name, pid.properties, consumer, None)
                feeds.append(Feed(pid, steps, None))
            else:
                at, steps = self._linker.entry(pid, link)
                feeds.append(Feed(pid, steps, at))
        self._check_room(consumer, more)
        return feeds, {link for link in inputs if link not in free}

    # Instead

    def replace(self, old: Filter, new: Filter) -> None:
        session, linker = self._session, self._linker
        self._check_member(old)
        self._check_new(new)
        for link in old.ipids:
            self._places.check_way(link)
        inputs = [link for link in old.ipids if link in link.pid.links and not link.pid.ended]
        if old.ipids and not inputs:
            raise StateError(
                f"what feeds {old.name} has ended: nothing would come to {new.name}",
                hint="load another source, and session.relink() what is behind to it",
            )
        ending = [link.output for link in old.ipids if link not in inputs]
        outputs = [link for pid in old.opids if pid not in ending for link in pid.links if link.reopens]
        if (
            bool(inputs) > bool(new.inputs)
            or bool(outputs) > bool(new.outputs)
            or (new.inputs and not old.inputs)
        ):
            raise LinkError(
                f"{new.name} cannot take the place of {old.name}: only one of them has inputs, or outputs",
                hint="replace a source by a source, a sink by a sink",
            )
        for link in outputs:
            self._places.check_way(link)
        if waiting := linker.takeovers.get(old):
            raise self._places.unsettled(waiting[0].link.filter, old)
        feeds: list[Feed] = []
        for link in inputs:
            feeds.append(feed := self._places.instead(new, link))
            chain = session._wiring.fit(feed.pid.properties, new)
            planned = new.plan(dict(chain.properties))  # type: ignore[union-attr]  # instead() raises
            for to in (to for to in outputs if link.output in (None, to.pid)):
                self._places.check_planned(new, feed.pid.name, planned, to)
        if new.max_inputs is not None and len(feeds) > new.max_inputs:
            raise LinkError(f"{new.name} takes {new.max_inputs} inputs, {old.name} has {len(feeds)}")
        if new.wiring is None:
            session.add(new)
        identities = [name for name, each in session._ids.items() if each is old]
        made_of = {link.output: (linker.origin(link),) for link in old.ipids if link.output is not None}
        for link in outputs:
            link.open_ended = True
            takeover = Takeover(link, of=made_of.get(link.pid, ()), restart=not old.ipids)
            linker.takeovers.setdefault(new, []).append(takeover)
        session._wiring.replace(old, new)
        stay = {each.source for feed in feeds if feed.link for each in linker.way(feed.link)}
        made = [maker for maker in linker.made_for if maker not in stay]
        leaving = leaving_with(old, made, downstream=False)
        for each in leaving:
            self._forget(each)
        session._ids.update(dict.fromkeys(identities, new))
        if not old.context.closed:  # type: ignore[attr-defined]
            self._waiting[old] = new
            hold(session._scheduler, new, until=old)
        for feed in feeds:
            if feed.pid.filter in linker.made_for:
                linker.made_for[feed.pid.filter].append(Onward((), new))
        self._connect(feeds, new)
        remove(session._scheduler, leaving)

    # Checks

    def _check_member(self, filter: Filter) -> None:
        if self._session.finished:
            raise StateError("this session is over", hint="make another one")
        if filter not in self._session.filters:
            name = getattr(filter, "name", None) or repr(filter)
            raise StateError(f"{name} is not in this session", hint="add it first: session.add(filter)")

    def _check_new(self, new: Filter) -> None:
        if new.wiring is not None:
            self._check_member(new)
        if new.ipids or new.opids:
            raise StateError(
                f"{new.name} is linked already", hint="make another one, or use session.relink()"
            )


def _done() -> None:
    """Nothing to link yet."""


def _parse(selector: str) -> Selector | None:
    if not selector:
        return None
    return Filter().select(selector).selector


def _selected(
    pid: Pid, selector: Selector | None, streams: Callable[[Filter, Selector | None], Iterator[Pid]]
) -> bool:
    return selector is None or pid in streams(pid.filter, selector)
