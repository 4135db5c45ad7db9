"""Tasks: callbacks that the session calls again after a delay."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reelway.runtime.scheduler import Scheduler

Task = Callable[[], "float | None"]


def post(scheduler: Scheduler, task: Task, delay_s: float, watches: bool) -> Callable[[], None]:
    """`Scheduler.post`. From any thread; the value cancels the task, likewise."""
    due = scheduler.clock.now() + delay_s
    number: int | None = None
    cancelled = False

    def run() -> None:
        nonlocal number
        number = None
        scheduler.tasks -= not watches
        scheduler.in_task = True
        try:
            delay = task()
            if delay is not None and delay >= 0 and not cancelled:
                schedule(scheduler.clock.now() + delay)
        except Exception as cause:  # noqa: BLE001 - whatever a task raises ends the session, typed
            scheduler.failed("task", task, cause)
        finally:
            scheduler.in_task = False

    def schedule(due: float) -> None:
        nonlocal number
        if (watches or not scheduler.stopping) and not cancelled:
            scheduler.tasks += not watches
            number = scheduler.timers.at(due, run, watches=watches)

    def forget() -> None:
        nonlocal cancelled, number
        cancelled = True
        if number is not None and scheduler.timers.cancel(number):
            scheduler.tasks -= not watches
        number = None

    def here(work: Callable[[], None]) -> None:
        if scheduler.is_here():
            work()
        else:
            scheduler.inbox.put(work)

    here(lambda: schedule(due))
    return lambda: here(forget)


def only_the_asker_is_left(scheduler: Scheduler) -> bool:
    """`Scheduler.last_task`. The task that asks is no longer counted while it runs."""
    return only_tasks_are_left(scheduler) and scheduler.timers.awaited <= (0 if scheduler.in_task else 1)


def only_tasks_are_left(scheduler: Scheduler) -> bool:
    """No filter has anything left to do."""
    return (
        not (scheduler.ready or scheduler.in_flight)
        and scheduler.inbox.empty()
        and scheduler.tasks == scheduler.timers.awaited  # no filter waits for its delay
        and all(node.done or node.abandoned or not node.is_source for node in scheduler.nodes)
    )
