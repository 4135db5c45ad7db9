"""Work that belongs to the session's thread, asked for from any other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from reelway.errors import DeadlineError

if TYPE_CHECKING:
    from reelway.runtime.scheduler import Scheduler

_T = TypeVar("_T")

ASK_S = 10.0
"""The session's thread has so long to begin what is asked of it."""


def ask(scheduler: Scheduler, work: Callable[[], _T]) -> _T:
    """What `work()` gives, or raises.

    On the session's thread it is done at once. While no thread runs the session it is done here, and a
    `run()` that comes meanwhile waits for it. Else it is done between two turns, and this thread waits.
    Raises DeadlineError after ASK_S; then `work` is not done later either.
    """
    if scheduler.is_here():
        return work()
    if not scheduler.entry.acquire(timeout=ASK_S):
        raise _late()
    try:
        if scheduler.thread is None:
            scheduler.thread = threading.get_ident()
            try:
                return work()
            finally:
                scheduler.thread = None
    finally:
        scheduler.entry.release()
    return _wait(scheduler, work)


def _wait(scheduler: Scheduler, work: Callable[[], _T]) -> _T:
    from concurrent.futures import Future  # only who asks from another thread pays for it

    answer: Future[_T] = Future()

    def note() -> None:
        if answer.set_running_or_notify_cancel():
            try:
                answer.set_result(work())
            except Exception as error:  # noqa: BLE001 - raised again on the thread that asked
                answer.set_exception(error)

    scheduler.inbox.put(note)
    if scheduler.drained:  # nobody looks into the inbox any more
        scheduler.drain_inbox()
    try:
        return answer.result(ASK_S)
    except TimeoutError as error:
        if answer.cancel():
            raise _late() from None
        if answer.done() and answer.exception() is error:  # work() itself says so
            raise
        return answer.result()  # it is at it


def _late() -> DeadlineError:
    return DeadlineError(
        f"the session's thread did not come to it in {ASK_S:g} s",
        hint="a filter keeps it busy: give that one thread = 'own'",
    )
