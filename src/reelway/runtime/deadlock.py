"""Artificial deadlocks: a cycle of filters that wait for each other, and a full link is the cause.

A join of a dense and a sparse stream waits for the sparse one; its producer waits for room in the full
queue of the dense one. More room is then the only way on (T. M. Parks, Bounded Scheduling of Process
Networks, 1995, chapter 4): the smallest full link of the cycle doubles.
The other ways in which a session can come to a halt are here too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from reelway.errors import InterleaveError, ReelwayError, StateError
from reelway.graph.link import Link
from reelway.runtime.node import Node

if TYPE_CHECKING:
    from reelway.runtime.scheduler import Scheduler

log = logging.getLogger("reelway.runtime")

MAX_PACKETS = 1 << 20
"""No link grows beyond this, whatever its packets weigh."""
RELIEF_PASSES = 64
"""So often a session that never sleeps looks for deadlocks: a busy branch shall not hide that of another."""


Wait = tuple[Node, "Link | None"]
"""Whom one waits for, and at which link; no link: for a PID that is not made yet,
or for the one whose place it takes to close."""


def waits_for(node: Node) -> Iterator[Wait]:
    """Whom an idle node waits for, and at which link; nothing for one that runs, will run, or is done."""
    if node.held_until:
        yield from ((other, None) for other in node.held_until)
        return
    if node.ready or node.running or node.done or node.abandoned or node.timer is not None:
        return
    if node.filter.blocked:
        for pid in node.filter.opids:
            for link in pid.links:
                if not link.roomy:
                    yield link.filter.context, link  # type: ignore[misc]
    else:
        if node.postponed or node.lingers:
            for filter in node.scheduler.pending(node.filter):
                yield filter.context, None  # type: ignore[misc]
        for link in node.filter.ipids:
            if not link.queue and not link.ended:
                yield link.source.context, link  # type: ignore[misc]


def find_cycle(nodes: Iterable[Node]) -> list[Wait] | None:
    """A cycle of waiting as [(node, link at which it waits)], or None."""
    cleared: set[Node] = set()
    for start in nodes:
        if not start.filter.blocked or start in cleared:
            continue
        path: list[Wait] = []
        on_path: dict[Node, int] = {}
        stack: list[tuple[Node, Iterator[Wait]]] = [(start, waits_for(start))]
        on_path[start] = 0
        while stack:
            node, waiting = stack[-1]
            step = next(waiting, None)
            if step is None:
                stack.pop()
                del on_path[node]
                cleared.add(node)
                if path:
                    path.pop()
                continue
            other, link = step
            if other in on_path:
                return [*path[on_path[other] :], (node, link)]
            if other not in cleared:
                path.append((node, link))
                on_path[other] = len(stack)
                stack.append((other, waits_for(other)))
    return None


def relieve(nodes: Iterable[Node], max_bytes: int) -> Link | None:
    """Lets the smallest full link of a cycle of waiting grow, and returns it; None: there is no cycle.

    Raises InterleaveError where that link holds `max_bytes` already.
    """
    cycle = find_cycle(nodes)
    if cycle is None:
        return None
    full = [link for node, link in cycle if link is not None and node.filter.blocked and len(link)]
    if not full:
        return None
    link = min(full, key=_held_bytes)
    if _held_bytes(link) >= max_bytes or len(link) >= MAX_PACKETS:
        starved = [other for node, other in cycle if other is not None and not node.filter.blocked]
        partner = f"{starved[0].source.name}.{starved[0].name}" if starved else "another stream"
        ahead = f"{_held_bytes(link) / 1e6:.1f} MB" if len(link) < MAX_PACKETS else f"{len(link)} packets"
        more = "raise max_link_bytes, or " if len(link) < MAX_PACKETS else ""
        raise InterleaveError(
            f"{link.source.name}.{link.name} is {ahead} ahead of {partner}, "
            f"for which {link.filter.name} waits",
            hint=f"the streams lie too far apart in the source; {more}leave one out",
        )
    link.grow(max_bytes)
    return link


def exhausted(nodes: Iterable[Node]) -> Node | None:
    """A filter that keeps outputs open although all its inputs have ended, when nothing else can move."""
    for node in nodes:
        links = node.filter.ipids
        if node.done or node.abandoned or node.filter.blocked or not links:
            continue
        if all(link.ended and not link.queue for link in links):
            return node
    return None


def unread(nodes: Iterable[Node]) -> StateError | None:
    """The error for a filter that leaves its input alone, when nothing else can move."""
    for node in nodes:
        if node.done or node.abandoned or node.filter.blocked:
            continue
        for link in node.filter.ipids:
            if len(link) and not link.stopped:
                return StateError(
                    f"filter {node.filter.name} does not read its input {link.name}, "
                    f"where {len(link)} packets wait",
                    hint="process() must read with get() or return a delay; one that something outside will "
                    "wake() sets waits_outside",
                )
    return None


def _held_bytes(link: Link) -> int:
    return link.bytes_in - link.bytes_out - link.bytes_dropped


def relieve_and_resume(scheduler: Scheduler) -> bool:
    """Lets a full link grow, or resumes a filter that waited for PIDs which nobody will make. True: it did.

    Also while others are busy: it looks only at filters that wait.
    """
    try:
        while (link := relieve(scheduler.nodes, scheduler.max_link_bytes)) is not None:
            log.info("%s.%s grows to %d packets", link.source.name, link.name, link.max_packets)
            scheduler.let_go_on(link.source)
            if not link.source.blocked:  # else another link blocks the same filter
                return True
    except ReelwayError as error:
        if scheduler.stopping:
            return False
        scheduler.fail(error)
        return True
    while (over := next(filter(_lingers_for_nothing, scheduler.nodes), None)) is not None:
        scheduler.end(over)  # which may be what another one lingers for
    for node in scheduler.nodes:
        if node.postponed and not (node.running or node.done or node.inputs_may_come()):
            node.postponed = False
            scheduler.wake(node)
            return True
    return bool(scheduler.ready)


def _lingers_for_nothing(node: Node) -> bool:
    return node.lingers and not (node.running or node.ready or node.done or node.may_get_inputs())


def unblock(scheduler: Scheduler) -> bool:
    """Before a sleep: as above, or ends what will never end by itself. True: go on."""
    if relieve_and_resume(scheduler):
        return True
    if not scheduler.settled():
        return False
    if (node_or_none := exhausted(scheduler.nodes)) is not None:
        scheduler.end(node_or_none)
        return True
    if scheduler.stopping is None and (error_or_none := unread(scheduler.nodes)) is not None:
        scheduler.fail(error_or_none)
        return True
    return False
