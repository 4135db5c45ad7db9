"""Where a session's time comes from."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from queue import Empty
from typing import Protocol

from reelway.runtime.inbox import Inbox

Note = Callable[[], None]
"""What arrives in the scheduler's inbox: something to do on the session's thread."""


LONGEST_WAIT_S = 3600.0  # a lock's timeout has a limit, which a delay of infinity would pass
SIGNAL_S = 0.5
"""A signal that comes just before the main thread sleeps does not wake it; then its handler runs so late."""

YIELD_S = 50e-6
"""A session whose task asks again at once waits so long for its workers: they need the GIL to come back."""


def wait_for(event: threading.Event, timeout_s: float | None) -> bool:
    """`event.wait(timeout_s)`, in which a signal is heard after SIGNAL_S at the latest."""
    until = math.inf if timeout_s is None else time.monotonic() + timeout_s
    while not event.wait(max(0.0, min(SIGNAL_S, until - time.monotonic()))):
        if time.monotonic() >= until:
            return event.is_set()
    return True


class Clock(Protocol):
    """Time, and the one place where a session sleeps."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""

    def wait(self, inbox: Inbox[Note], until: float | None, busy: bool) -> Note | None:
        """The next note, or None at `until` (None: whenever) or sooner. `busy`: a thread will send one."""


class RealClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        return time.monotonic()

    def wait(self, inbox: Inbox[Note], until: float | None, busy: bool) -> Note | None:
        try:
            longest = SIGNAL_S if threading.current_thread() is threading.main_thread() else LONGEST_WAIT_S
            left = longest if until is None else max(YIELD_S if busy else 0.0, until - time.monotonic())
            return inbox.get(timeout=min(left, longest))
        except Empty:
            return None
