"""A bounded queue between the session's thread and those of an application, blocking or for asyncio.

One lock, held for moments, under which no code of a user runs. Whoever waits wakes when the queue is closed.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from reelway.errors import DeadlineError, StateError

if TYPE_CHECKING:
    import asyncio

__all__ = ["Mailbox"]

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """At most `limit` items. `close()` lets what is in it be taken, and nothing more in."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.closed = ""
        """Why nothing more gets in; empty: something does."""
        self.owner: int | None = None
        """The session's thread, once it runs: were it to wait here, it would wait for itself."""
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._waiting: dict[asyncio.Future[None], Callable[[], Any]] = {}

    def __len__(self) -> int:
        return len(self._items)

    @property
    def full(self) -> bool:
        return len(self._items) >= self.limit

    # Never waits

    def resize(self, limit: int) -> None:
        """Another limit; what is in it above that stays."""
        with self._changed:
            self.limit = limit
            self._tell()

    def offer(self, item: Item) -> bool:
        """Puts `item` in; False where there is no room, or it is closed."""
        with self._changed:
            if self.closed or self.full:
                return False
            self._items.append(item)
            self._tell()
            return True

    def poll(self) -> Item | None:
        """The first item, taken; None where there is none."""
        with self._changed:
            if not self._items:
                return None
            item = self._items.popleft()
            self._tell()
            return item

    def close(self, why: str) -> None:
        """Nothing more gets in, because of `why`; who waits wakes. The first reason counts."""
        with self._changed:
            self.closed = self.closed or why
            self._tell()

    # Waits

    def put(self, item: Item, timeout_s: float | None) -> None:
        """Waits for room. Raises DeadlineError, and StateError where it is closed."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while not self.offer(item):
            with self._changed:
                self._refuse_if_closed()
                self._refuse_owner()
                if self.full and not self._changed.wait(_left(until)):
                    raise self._late(timeout_s)

    def take(self, timeout_s: float | None) -> Item | None:
        """Waits for an item; None: it is closed, and empty. Raises DeadlineError."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while (item := self.poll()) is None:
            with self._changed:
                if self._items:
                    continue
                if self.closed:
                    return None
                self._refuse_owner()
                if not self._changed.wait(_left(until)):
                    raise self._late(timeout_s)
        return item

    async def put_async(self, item: Item, timeout_s: float | None) -> None:
        """`put()` that lets the loop go on."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while not self.offer(item):
            self._refuse_if_closed()
            await self._change(lambda: bool(self.closed) or not self.full, until, timeout_s)

    async def take_async(self, timeout_s: float | None) -> Item | None:
        """`take()` that lets the loop go on."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while (item := self.poll()) is None:
            if self.closed and not self._items:
                return None
            await self._change(lambda: bool(self.closed) or bool(self._items), until, timeout_s)
        return item

    # Inside

    async def _change(
        self, happened: Callable[[], bool], until: float | None, timeout_s: float | None
    ) -> None:
        """Until `happened()`; looked at under the lock, so that no change falls between."""
        import asyncio

        loop = asyncio.get_running_loop()
        future = loop.create_future()

        def wake() -> None:
            if not future.done():
                future.set_result(None)

        with self._changed:
            if happened():
                return
            self._waiting[future] = lambda: loop.call_soon_threadsafe(wake)
        try:
            await asyncio.wait_for(future, _left(until))
        except TimeoutError:
            raise self._late(timeout_s) from None
        finally:
            with self._changed:
                self._waiting.pop(future, None)

    def _tell(self) -> None:
        """Wakes everybody who waits. Under the lock."""
        self._changed.notify_all()
        waiting, self._waiting = self._waiting, {}
        for wake in waiting.values():
            try:
                wake()
            except RuntimeError:  # its loop is closed: nobody is there
                continue

    def _refuse_if_closed(self) -> None:
        if self.closed:
            raise StateError(self.closed)

    def _refuse_owner(self) -> None:
        if threading.get_ident() == self.owner:
            raise StateError(
                "the session's own thread would wait for itself here",
                hint="push and pull in another thread, or run the session in one; poll() never waits",
            )

    def _late(self, timeout_s: float | None) -> DeadlineError:
        what = f"{len(self._items)} of {self.limit} places are taken" if self._items else "nothing came"
        return DeadlineError(f"{what}, after {timeout_s:g} s")


def _left(until: float | None) -> float | None:
    return None if until is None else max(0.0, until - time.monotonic())
