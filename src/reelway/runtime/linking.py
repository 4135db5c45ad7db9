"""Links made and undone while filters run.

A filter's `ipids` and a PID's `links` change between its turns, on the session's thread: nobody else looks.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from reelway.graph.filter import Filter
from reelway.graph.link import Limits, Link, Mark, News
from reelway.graph.pid import Pid
from reelway.graph.policy import make_link

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

    def attach() -> None:
        pid.attach(link)
        scheduler.between_turns(node, join)  # its properties are in the queue: no turn without configure()

    passes_on = bool(consumer.outputs)
    scheduler.joining += passes_on
    node.joining += 1

    def join() -> None:
        scheduler.joining -= passes_on
        node.joining -= 1
        consumer.ipids.append(link)
        # whichever source was quicker; not sort(), which shows other threads an empty list meanwhile
        consumer.ipids[:] = sorted(consumer.ipids, key=_place)
        scheduler.wake(node)

    scheduler.between_turns(producer, attach)
    return link


def _place(link: Link) -> tuple[int, int]:
    return link.source.context.number, link.source.opids.index(link.pid)  # type: ignore[attr-defined]


def disconnect(scheduler: Scheduler, link: Link) -> None:
    """Undoes `connect`; what is in the queue is dropped and counted."""
    node: Node = link.filter.context  # type: ignore[assignment]
    _detach(scheduler, link)

    def leave() -> None:
        link.filter.ipids.remove(link)
        link.removed = True
        link.discard()
        node.call(link.filter, partial(link.filter.remove, link))

    scheduler.between_turns(node, leave)


def remove(scheduler: Scheduler, filter: Filter) -> None:
    """Takes `filter` out with what it alone feeds; ends travel, so that each finishes what it has."""
    node: Node = filter.context  # type: ignore[assignment]
    if node.leaving or node not in scheduler.nodes:
        return
    _leave_with_consumers(node)
    for link in filter.ipids:
        _detach(scheduler, link, Mark(News.END))
    if node.done or node.is_source or not filter.ipids:
        scheduler.between_turns(node, lambda: scheduler.end(node))


def _leave_with_consumers(node: Node) -> None:
    node.leaving = True
    for pid in node.filter.opids:
        for link in pid.links:
            consumer: Node = link.filter.context  # type: ignore[assignment]
            if all(each.source.context.leaving for each in link.filter.ipids):  # type: ignore[attr-defined]
                _leave_with_consumers(consumer)


def _detach(scheduler: Scheduler, link: Link, last: Mark | None = None) -> None:
    producer: Node = link.source.context  # type: ignore[assignment]

    def detach() -> None:
        if link not in link.pid.links:
            return
        link.pid.detach(link)
        if last is not None and not link.pid.ended:
            link.push_mark(last)
        scheduler.let_go_on(link.source)
        scheduler.wake(link.filter.context)  # type: ignore[arg-type]

    scheduler.between_turns(producer, detach)
