"""The beginning of the end: what `stop()` asks for, and what an exception means. On the session's thread."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from reelway.runtime.node import Node
    from reelway.runtime.scheduler import Scheduler

log = logging.getLogger("reelway.runtime")

Flush = Literal["all", "fast", "none"]
FLUSH_S = 1.0
"""What is queued has so long to reach the sinks after `stop()`; with CLOSE_S below the 2 s of run()."""
_STRENGTH = {None: 0, "all": 1, "fast": 2, "none": 3}


def begin_stop(scheduler: Scheduler, flush: Flush) -> None:
    """Ends the sources, and lets the rest finish; a weaker stop than the one under way changes nothing."""
    scheduler.closing.hurry()
    if scheduler.finished or _STRENGTH[flush] <= _STRENGTH[scheduler.stopping]:
        return
    if scheduler.stopping is None:
        scheduler.deadline = scheduler.clock.now() + FLUSH_S
    scheduler.stopping = flush
    scheduler.time.resume()
    scheduler.timers.clear()
    scheduler.tasks = 0
    for node in scheduler.nodes:
        node.timer = None
        if flush == "fast" and node.is_source and not node.running:  # else when its turn is over
            discard_behind(scheduler, node)
    for node in tuple(scheduler.nodes):
        if node.is_source and not node.running and not node.done:
            scheduler.end(node)
        elif not node.running:
            scheduler.let_go_on(node.filter)
            scheduler.wake(node)
        elif node.is_source:
            node.filter.interrupt()


def discard_behind(scheduler: Scheduler, source: Node) -> None:
    """Throws away what waits behind a source that sends nothing more.

    Only there is what waits the last that comes: a filter that is told of the end still writes what it
    holds, an encoder a second or more, and without what it wrote before that a file would have a hole.
    """
    for pid in source.filter.opids:
        for link in pid.links:
            consumer: Node = link.filter.context  # type: ignore[assignment]
            scheduler.between_turns(consumer, link.discard)


def judge(scheduler: Scheduler, node: Node, moved: bool) -> None:
    """What becomes of an exception: the end, or, where the filter says so, a line in the log."""
    error, node.error = node.error, None
    assert error is not None
    if node.skips and (moved or node.done):
        log.warning("%s; it goes on", error)
        scheduler.on_skip(error)
    else:  # without progress it would fail again, or wait for ever
        scheduler.fail(error)
        scheduler.end(node)
