"""Where in a session that runs an edit takes hold: which links another filter takes over, and how it fits.

Nothing here changes anything; what cannot be done raises LinkError, what is too early StateError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reelway.errors import LinkError, StateError
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.pid import Pid
from reelway.graph.resolve import Step

if TYPE_CHECKING:
    from reelway.session.linker import Linker
    from reelway.session.session import Session

__all__ = ["Feed", "Places"]


class Feed(NamedTuple):
    """A stream and how it gets to its new consumer, perhaps into an input that is there."""

    pid: Pid
    steps: tuple[Step, ...]
    link: Link | None
    cost: int = 0
    """How many new filters it takes, also behind what is inserted."""


class Places:
    """Looks for the places of edits in the chains that the session and its resolver made."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def _linker(self) -> Linker:
        return self._session._linker

    def ends(self, consumer: Filter) -> list[Link]:
        """Its inputs, and those of the resolver's filters that are to make it one."""
        makers = [
            maker
            for maker, onward in self._linker.made_for.items()
            if not maker.opids and any(to.consumer is consumer and to.link is None for to in onward)
        ]
        return [*consumer.ipids, *(link for maker in makers for link in maker.ipids)]

    def upstream(self, new: Filter, end: Link, consumer: Filter) -> Feed:
        """Through `new`, at the place on the way to `end` that takes the fewest filters, the last of these.

        Raises LinkError.
        """
        best: Feed | None = None
        refused: LinkError | None = None
        for link in reversed(self._linker.way(end)):
            if self._linker.users(link) != {consumer}:
                break  # from here up it is another one's too
            try:
                found = self._through(new, link)
            except LinkError as error:
                refused = refused or error
                continue
            if best is None or found.cost < best.cost:
                best = found
        if best is None or best.cost:
            self._check_complete(end)
        if best is None:
            assert refused is not None
            raise refused
        return best

    def downstream(self, new: Filter, link: Link) -> list[Feed]:
        """The same from `link` on, for all that it leads to; the first of the best places."""
        here: list[Feed] = []
        try:
            here = [self._through(new, link)]
        except LinkError as error:
            refused = error
        further = link.filter.opids if link.filter in self._linker.made_for else ()
        below = [each for pid in further for each in pid.links]
        try:
            there = [feed for each in below for feed in self.downstream(new, each)]
        except LinkError:
            there = []
        if not here and not there:
            self._check_complete(link)
            raise refused
        costs = [sum(each.cost for each in feeds) for feeds in (here, there)]
        if not below and costs[0]:
            self._check_complete(link)
        return there if not here or (there and costs[1] < costs[0]) else here

    def _through(self, new: Filter, link: Link) -> Feed:
        """How the stream of `link` gets into `new`; what that makes of it must fit the consumer."""
        self.check_way(link)
        if link.pid.ended:
            raise LinkError(f"{link.source.name} has ended")
        pid, wiring = link.pid, self._session._wiring
        steps = self._linker.check_fit(pid.filter, pid.name, pid.properties, new, None)
        chain = wiring.fit(pid.properties, new)
        planned = new.plan(dict(chain.properties))  # type: ignore[union-attr]  # check_fit() raises
        return Feed(pid, steps, link, len(steps) + self.check_planned(new, pid.name, planned, link))

    def check_planned(self, new: Filter, name: str, planned: list[dict[str, object]], link: Link) -> int:
        """How many filters it takes until that fits the consumer. Raises LinkError."""
        errors: list[LinkError] = []
        more = 0
        for properties in planned:
            try:
                more += len(self._linker.check_fit(new, name, properties, link.filter, link))
            except LinkError as error:
                errors.append(error)
        if errors and len(errors) == len(planned):
            raise errors[0]
        return more

    def instead(self, new: Filter, link: Link) -> Feed:
        """How what comes by `link` gets into `new`: from raw media on the way, for a decoder begins anywhere
        else than at a random access point with nothing; else with converters of its own. Raises LinkError.
        """
        linker = self._linker
        way = linker.way(link)
        raw = [each for each in way if each.pid.properties.get("CodecID") == "raw" and not each.pid.ended]
        found: list[Feed] = []
        for each in raw or way[:1]:
            pid = each.pid
            try:
                steps = linker.check_fit(pid.filter, pid.name, pid.properties, new, None)
            except LinkError:
                if each is (raw or way)[0]:
                    raise
                continue
            found.append(Feed(pid, steps, each))
        return min(found, key=lambda feed: len(feed.steps))

    def _check_complete(self, link: Link) -> None:
        """Raises StateError where a filter of the resolver's has made nothing yet, which may fit better."""
        if link.filter in self._linker.made_for and not link.filter.opids:
            user = next(iter(self._linker.users(link)), link.filter)
            raise self.unsettled(user, link.filter)

    def check_way(self, link: Link) -> None:
        """`check_settled` for all that leads to it."""
        for each in self._linker.way(link):
            self.check_settled(each)

    def check_settled(self, link: Link) -> None:
        """Raises StateError where an earlier edit is not done with this input yet."""
        for source, waiting in self._linker.takeovers.items():
            for each in waiting:
                if each.link is link and not each.yields:
                    raise self.unsettled(link.filter, source)
        if link.coming is not None:
            raise self.unsettled(link.filter, link.coming.filter)

    def unsettled(self, consumer: Filter, source: Filter) -> StateError:
        """For an edit that comes too early."""
        return StateError(
            f"{consumer.name} is about to be fed by {source.name}, which has not begun yet",
            hint="an earlier edit is not done: try again a little later, from a task",
        )
