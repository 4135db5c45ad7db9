"""The end of filters: each is closed once, on its own thread, and what hangs in C is abandoned."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from reelway.runtime.clock import RealClock
from reelway.runtime.node import Node

if TYPE_CHECKING:
    from reelway.runtime.scheduler import Scheduler

CLOSE_S = 0.5
"""Threads have so long to close after a stop; then they are abandoned."""
END_CLOSE_S = 10.0
"""Threads have so long when a session ends by itself."""


class Closing:
    """Sinks first. Filters with threads of their own close there, all at once; the others one by one.

    A filter that a thread still uses is never closed by another: that thread closes it when C returns. One
    for each session: what was taken out of it, and is still closing at its end, is waited for like the rest.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._left: dict[Node, None] = {}
        self._until = float("inf")

    def hurry(self) -> None:
        """The session is stopped while it closes."""
        self._until = min(self._until, time.monotonic() + CLOSE_S)

    def begin(self, nodes: Iterable[Node]) -> None:
        """Closes what can be closed now; threads will report to the inbox."""
        begun = dict.fromkeys(node for node in _sinks_first(nodes) if node not in self._left)
        self._left.update(begun)
        for node in begun:
            if node.own is not None:
                if node.running:
                    node.filter.interrupt()
                report = partial(self._scheduler.inbox.put, partial(self._report, node))
                self._scheduler.workers.close_there(node, report)
            elif not node.running:
                node.close()
                self._report(node)

    def run(self, nodes: Iterable[Node]) -> None:
        """Closes all; waits for threads, and abandons those that are not back in time."""
        self._until = time.monotonic() + (CLOSE_S if self._scheduler.stopping else END_CLOSE_S)
        self.begin(nodes)
        while self._left and (note := RealClock().wait(self._scheduler.inbox, self._until, True)):
            note()
            self._close_returned()
        for node in self._left:
            self._scheduler.workers.abandon(node)
            if node not in self._scheduler.nodes:  # it was taken out; statistics name it all the same
                self._scheduler.nodes.append(node)
        while not self._scheduler.inbox.empty():  # one may have come back just before
            self._scheduler.inbox.get()()
        self._close_returned()
        for node in tuple(self._left):
            self._report(node)
        self._scheduler.workers.finish(self._until)

    def _close_returned(self) -> None:
        for node in tuple(self._left):
            if node.own is None and not node.running:
                node.abandoned = False
                node.close()
                self._report(node)

    def _report(self, node: Node) -> None:
        """What its closing brought, told on the session's thread."""
        if node not in self._left:
            return
        del self._left[node]
        if node.error is not None:
            self._scheduler.fail(node.error)
            node.error = None
        try:
            self._scheduler.on_close(node.filter)
        except Exception as cause:  # noqa: BLE001 - the other filters are closed all the same
            self._scheduler.failed("callback", self._scheduler.on_close, cause)


def _sinks_first(nodes: Iterable[Node]) -> list[Node]:
    """Consumers before their producers; else in the order in which they were added."""
    nodes = list(nodes)
    order: list[Node] = []
    seen: set[Node] = set()

    def visit(node: Node) -> None:
        if node in seen:
            return
        seen.add(node)
        for pid in node.filter.opids:
            for link in pid.links:
                visit(link.filter.context)  # type: ignore[arg-type]
        order.append(node)

    for node in nodes:
        visit(node)
    return [node for node in order if node in set(nodes)]
