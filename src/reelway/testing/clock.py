"""A virtual clock: a session that waits for hours ends in moments."""

from __future__ import annotations

from queue import Empty

from reelway.errors import DeadlineError
from reelway.runtime.clock import Note
from reelway.runtime.inbox import Inbox


class VirtualClock:
    """Stands still while anything runs, and jumps to the next timer when nothing does.

    Waiting for a thread, or for nothing at all, takes real time; more than `patience_s` of it is an error,
    for then a test would hang.
    """

    def __init__(self, start: float = 0.0, patience_s: float = 30.0) -> None:
        self._now = start
        self.patience_s = patience_s

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Moves time on, from the session's thread or while no session runs."""
        if seconds < 0:
            raise ValueError(f"time does not go back: {seconds} s")
        self._now += seconds

    def wait(self, inbox: Inbox[Note], until: float | None, busy: bool) -> Note | None:
        if until is not None and not busy:
            try:
                return inbox.get_nowait()
            except Empty:
                self._now = max(self._now, until)
                return None
        try:
            return inbox.get(timeout=self.patience_s)
        except Empty:
            raise DeadlineError(f"the session waited {self.patience_s} s of real time for a thread") from None
