"""Where a session's time comes from."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Protocol

Note = Callable[[], None]
"""What arrives in the scheduler's inbox: something to do on the session's thread."""


LONGEST_WAIT_S = 3600.0  # a lock's timeout has a limit, which a delay of infinity would pass


class Clock(Protocol):
    """Time, and the one place where a session sleeps."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""

    def wait(self, inbox: SimpleQueue[Note], until: float | None, busy: bool) -> Note | None:
        """The next note, or None at `until` (None: whenever) or sooner. `busy`: a thread will send one."""


class RealClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        return time.monotonic()

    def wait(self, inbox: SimpleQueue[Note], until: float | None, busy: bool) -> Note | None:
        try:
            timeout = None if until is None else min(max(0.0, until - time.monotonic()), LONGEST_WAIT_S)
            return inbox.get(timeout=timeout)
        except Empty:
            return None
