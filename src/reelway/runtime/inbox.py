"""What one thread is given by others, and waits for."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from queue import Empty
from typing import Generic, TypeVar

__all__ = ["Inbox"]

Item = TypeVar("Item")


class Inbox(Generic[Item]):
    """A queue without a limit, as who puts may be a finalizer or a signal handler, and can neither wait nor
    be refused. `put()` from any thread; one thread waits.

    Not `queue.SimpleQueue`: where something was taken from it without waiting, `get(timeout=...)` of CPython
    waits in two steps, and for ever where the time is up between them, as on a busy machine it is.
    """

    __slots__ = ("_news", "items")

    def __init__(self) -> None:
        self.items: deque[Item] = deque()
        """What is there; who waits may look, and take."""
        self._news = threading.Lock()
        """Held until something comes; whoever gets it looks whether there really is something."""
        self._news.acquire()

    def put(self, item: Item) -> None:
        """It relies on deque's append being atomic under the GIL."""
        self.items.append(item)
        if self._news.locked():
            with suppress(RuntimeError):  # another one was quicker
                self._news.release()

    def get(self, timeout: float | None = None) -> Item:
        """The first item, taken; waits for it up to `timeout` [s]. Raises queue.Empty."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            with suppress(IndexError):
                return self.items.popleft()
            left = -1.0 if until is None else max(0.0, until - time.monotonic())
            if not self._news.acquire(timeout=left):
                raise Empty

    def get_nowait(self) -> Item:
        """The first item, taken; from any thread. Raises queue.Empty."""
        try:
            return self.items.popleft()
        except IndexError:
            raise Empty from None

    def empty(self) -> bool:
        """Nothing is there."""
        return not self.items
