"""A source that keeps a session waiting, and says nothing: the log names it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from reelway.runtime.clock import RealClock

if TYPE_CHECKING:
    from reelway.runtime.node import Node
    from reelway.runtime.scheduler import Scheduler

log = logging.getLogger("reelway.runtime")

SILENT_S = 5.0
"""A source that can move only when something outside wakes it is named after so long."""
LOOKS = 10
"""In that time."""


class Silence:
    """What stands still, and since when [s of the clock]. The session's thread only."""

    def __init__(self) -> None:
        self._since: dict[Node, tuple[int, float]] = {}
        self._told: set[Node] = set()
        self._next_s = 0.0
        """Before that nobody is looked at again: every packet of every source wakes a session."""

    def listen(self, scheduler: Scheduler, until: float | None) -> float | None:
        """Until when to sleep, so that a silent source can be named; names those that are due."""
        if not isinstance(scheduler.clock, RealClock):  # nobody waits before a virtual one
            return until
        now = scheduler.clock.now()
        if now < self._next_s:
            return self._next_s if until is None else min(until, self._next_s)
        self._next_s = now + SILENT_S / LOOKS
        silent = [node for node in scheduler.nodes if _is_silent(node)]
        self._told.intersection_update(scheduler.nodes)
        since, self._since = self._since, {}
        for node in silent:
            if node in self._told:
                continue
            turns, began = since.get(node, (node.turns, now))
            if turns != node.turns:
                began = now
            if now - began >= SILENT_S:
                self._told.add(node)
                log.warning(
                    "%s has neither sent nor ended for %g s, and asked for no other call: the session waits "
                    "for it (process() returns a delay, ends its PIDs, or the filter sets waits_outside)",
                    node.filter.name,
                    SILENT_S,
                )
                continue
            self._since[node] = node.turns, began
            due = began + SILENT_S
            until = due if until is None else min(until, due)
        return until


def _is_silent(node: Node) -> bool:
    filter = node.filter
    at_work = node.running or node.ready or node.done or node.abandoned or node.held
    waits = node.timer is not None or filter.waits_outside or filter.blocked
    return node.is_source and not at_work and not waits
