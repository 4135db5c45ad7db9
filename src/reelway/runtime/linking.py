"""Links made and undone while filters run.

A filter's `ipids` and a PID's `links` change between its turns, on the session's thread: nobody else looks.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from reelway.graph.filter import Filter
from reelway.graph.link import Limits, Link, Mark, News
from reelway.graph.pid import Pid
from reelway.graph.policy import DroppingLink, make_link

if TYPE_CHECKING:
    from reelway.runtime.node import Node
    from reelway.runtime.scheduler import Scheduler


def connect(scheduler: Scheduler, pid: Pid, consumer: Filter, limits: Limits) -> Link:
    """Links `pid` to `consumer`, which is first told of its properties."""
    node: Node = consumer.context  # type: ignore[assignment]
    producer: Node = pid.filter.context  # type: ignore[assignment]
    threaded = node.elsewhere or producer.elsewhere
    guard: AbstractContextManager[Any] = threading.Lock() if threaded else nullcontext()
    link = make_link(pid, consumer, limits, guard)
    scheduler.catching_up.wanted |= limits.policy == "fresh"

    def attach() -> None:
        pid.attach(link)
        scheduler.between_turns(node, join)  # its properties are in the queue: no turn without configure()

    passes_on = bool(consumer.outputs)
    scheduler.joining += passes_on
    node.joining.append(pid)

    def join() -> None:
        scheduler.joining -= passes_on
        node.joining.remove(pid)
        consumer.ipids.append(link)
        # whichever source was quicker; not sort(), which shows other threads an empty list meanwhile
        consumer.ipids[:] = sorted(consumer.ipids, key=_place)
        if node.leaving and not producer.leaving:
            detach(scheduler, link, Mark(News.END))
        scheduler.wake(node)

    scheduler.between_turns(producer, attach)
    return link


def _place(link: Link) -> tuple[int, int]:
    return link.source.context.number, link.source.opids.index(link.pid)  # type: ignore[attr-defined]


def disconnect(scheduler: Scheduler, link: Link) -> None:
    """Undoes `connect`; what is in the queue is dropped and counted."""
    node: Node = link.filter.context  # type: ignore[assignment]
    detach(scheduler, link)

    def leave() -> None:
        if link not in link.filter.ipids or (link.ended and len(link.filter.ipids) == 1):
            return  # by its last input, which has ended, a filter is known to be done
        link.filter.ipids.remove(link)
        link.removed = True
        link.discard()
        node.call(link.filter, partial(link.filter.remove, link))

    scheduler.between_turns(node, leave)


def feed(scheduler: Scheduler, link: Link, pid: Pid, *, restart: bool, open_ended: bool = False) -> None:
    """From now on `link` gets what `pid` sends, behind what is queued in it; its consumer keeps its input.

    The consumer is told of the new properties in order, and with `restart` of a new place in the stream.
    `open_ended`: yet another PID is going to feed it, and the end of this one is not told.
    """
    producer: Node = pid.filter.context  # type: ignore[assignment]
    detach(scheduler, link)
    link.coming = pid
    pid.hold()  # what a new PID sends until then waits in it

    def attach() -> None:
        consumer: Node = link.filter.context  # type: ignore[assignment]
        if consumer.leaving and not producer.leaving:
            link.coming = None
            link.close(Mark(News.END))
            pid.release()
            scheduler.wake(consumer)
            return
        threaded = producer.elsewhere or consumer.elsewhere
        if threaded and isinstance(link, DroppingLink) and isinstance(link.guard, nullcontext):
            link.guard = threading.Lock()  # both ends were on this thread, where nobody is in it
        link.reopen(pid, open_ended)
        pid.attach(link, restart=restart)
        pid.release()
        scheduler.let_go_on(pid.filter)
        link.filter.ipids[:] = sorted(link.filter.ipids, key=_place)
        scheduler.wake(consumer)

    # not before the old producer has let go of it: no packet of his comes behind one of the new one's
    old: Node = link.source.context  # type: ignore[assignment]
    if link in link.pid.links:
        scheduler.between_turns(old, lambda: scheduler.between_turns(producer, attach))
    else:
        scheduler.between_turns(producer, attach)


def leaving_with(
    filter: Filter,
    made: Collection[Filter] = (),
    *,
    downstream: bool = True,
    awaited: Mapping[Link, Filter] = MappingProxyType({}),
    expected: Mapping[Filter, Collection[Filter]] = MappingProxyType({}),
) -> list[Filter]:
    """`filter` with what it alone feeds, and those of `made`, upstream, that feed nobody else.

    `awaited` says who is going to feed a link instead of the one that does; `expected`, consumer -> filters
    that have no PIDs yet and will feed it.
    """
    leaving = {filter: None}

    def feeds(link: Link) -> Filter:
        coming = awaited.get(link)
        return coming or (link.coming or link.pid).filter

    def alone(consumer: Filter) -> bool:
        joining = (pid.filter for pid in consumer.context.joining)  # type: ignore[attr-defined]
        feeding = (*map(feeds, consumer.ipids), *joining, *expected.get(consumer, ()))
        return all(each in leaving for each in feeding)

    joins: dict[Filter, list[Filter]] = {}
    for node in filter.context.scheduler.nodes:  # type: ignore[attr-defined]
        for pid in node.joining:
            joins.setdefault(pid.filter, []).append(node.filter)
    seen = 0
    while seen < len(leaving):  # again, until none is added
        seen = len(leaving)
        for here in tuple(leaving):
            for link in here.ipids:
                fed = (each.filter for pid in link.source.opids for each in pid.links)
                if link.source in made and all(consumer in leaving for consumer in fed):
                    leaving[link.source] = None
            if downstream:
                fed = (link.filter for pid in here.opids for link in pid.links)
                waiting = [link.filter for link, coming in awaited.items() if coming is here]
                waiting += joins.get(here, ())
                later = (consumer for consumer, sources in expected.items() if here in sources)
                leaving.update(dict.fromkeys(each for each in (*fed, *waiting, *later) if alone(each)))
        for maker in made:
            fed_later = [consumer for consumer, sources in expected.items() if maker in sources]
            if fed_later and all(consumer in leaving for consumer in fed_later):
                leaving[maker] = None
    return list(leaving)


def remove(scheduler: Scheduler, filters: Collection[Filter]) -> None:
    """Takes `filters` out; ends travel, so that each finishes what it has."""
    nodes: list[Node] = [filter.context for filter in filters]  # type: ignore[misc]
    nodes = [node for node in nodes if not node.leaving and node in scheduler.nodes]
    for node in nodes:
        node.leaving = True
    for node in nodes:
        for link in node.filter.ipids:
            if link.coming is not None or not link.source.context.leaving:  # type: ignore[attr-defined]
                detach(scheduler, link, Mark(News.END))
        for pid in node.filter.opids:
            for link in tuple(pid.links):
                if link.ended and not link.filter.context.leaving:  # type: ignore[attr-defined]
                    disconnect(scheduler, link)
        if node.done or node.is_source or not node.filter.ipids:
            scheduler.between_turns(node, partial(scheduler.end, node))


def detach(scheduler: Scheduler, link: Link, last: Mark | None = None) -> None:
    """Nothing more gets into `link`, but for `last`."""
    producer: Node = link.source.context  # type: ignore[assignment]
    pid = link.pid  # by then another one may feed it

    def let_go() -> None:
        if link in pid.links:
            pid.detach(link)
        if last is not None:
            link.close(last)
        scheduler.let_go_on(producer.filter)
        scheduler.wake(link.filter.context)  # type: ignore[arg-type]

    scheduler.between_turns(producer, let_go)


def hold(scheduler: Scheduler, filter: Filter, until: Filter | None = None) -> None:
    """`filter` gets no turn until `release`, which comes when all `until` are closed; the session waits."""
    node: Node = filter.context  # type: ignore[assignment]
    if not node.held:
        node.held = True
        scheduler.held += 1
    if until is not None:
        node.held_until.append(until.context)  # type: ignore[arg-type]


def release(scheduler: Scheduler, filter: Filter) -> None:
    """Ends `hold`."""
    node: Node = filter.context  # type: ignore[assignment]
    if node.held:
        node.held, node.held_until = False, []
        scheduler.held -= 1
        scheduler.wake(node)
