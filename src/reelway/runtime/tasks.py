"""Tasks: callbacks that the session calls again after a delay."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reelway.runtime.scheduler import Scheduler

Task = Callable[[], "float | None"]


def post(scheduler: Scheduler, task: Task, delay_s: float, watches: bool) -> None:
    """`Scheduler.post`. From any thread."""
    due = scheduler.clock.now() + delay_s

    def run() -> None:
        scheduler.tasks -= not watches
        try:
            delay = task()
            if delay is not None and delay >= 0:
                schedule(scheduler.clock.now() + delay)
        except Exception as cause:  # noqa: BLE001 - whatever a task raises ends the session, typed
            scheduler.failed("task", task, cause)

    def schedule(due: float) -> None:
        if watches or not scheduler.stopping:
            scheduler.tasks += not watches
            scheduler.timers.at(due, run, watches=watches)

    if scheduler.is_here():
        schedule(due)
    else:
        scheduler.inbox.put(lambda: schedule(due))
