"""GLib's main context and main loop: callbacks by time, by priority, and by descriptors; no polling.

Lock order: a context's `_owner` (held while it runs) before its `_lock` (held for moments, under which no
callback runs). A thread that changes something wakes the one that waits through a pipe.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import selectors
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar

from reelway.compat.gst.sources import Idle, IOCondition, IOWatch, Source

__all__ = ["MainContext", "MainLoop", "report_exception"]


def report_exception() -> None:
    """Shows the exception that a callback raised and goes on, as the binding does; an exit is let through."""
    kind, error, frames = sys.exc_info()
    if kind is None or error is None:
        return
    if not isinstance(error, Exception):
        raise error
    sys.excepthook(kind, error, frames)


class MainContext:
    """Sources and who waits for them. One thread at a time runs it; any may add and remove."""

    _default: ClassVar[MainContext | None] = None
    _default_lock: ClassVar[threading.Lock] = threading.Lock()
    _local: ClassVar[threading.local] = threading.local()

    def __init__(self) -> None:
        self._owner = threading.RLock()
        self._lock = threading.RLock()  # a signal's handler may come while this thread holds it
        self._sources: dict[int, Source] = {}
        self._ids = itertools.count(1)
        self._selector: selectors.BaseSelector | None = None
        self._waker: int | None = None
        self._watched: dict[int, int] = {}

    @classmethod
    def new(cls) -> MainContext:
        """A context of its own."""
        return cls()

    @classmethod
    def default(cls) -> MainContext:
        """The one that everybody means who says none."""
        with cls._default_lock:
            if cls._default is None:
                cls._default = cls()
            return cls._default

    @classmethod
    def get_thread_default(cls) -> MainContext | None:
        """What this thread pushed last; None: nothing."""
        stack = getattr(cls._local, "stack", None)
        return stack[-1] if stack else None

    @classmethod
    def ref_thread_default(cls) -> MainContext:
        """What this thread pushed last, else the default one."""
        return cls.get_thread_default() or cls.default()

    def push_thread_default(self) -> None:
        """From now on this thread's asynchronous work comes back here."""
        if not hasattr(self._local, "stack"):
            self._local.stack = []
        self._local.stack.append(self)

    def pop_thread_default(self) -> None:
        """Ends the last `push_thread_default()`."""
        self._local.stack.pop()

    # Sources

    def add(self, source: Source) -> int:
        """Looks after `source` from now on; returns its id."""
        with self._lock:
            source.id = next(self._ids)
            source.context = self
            source.attached(time.monotonic())
            self._sources[source.id] = source
        self.wakeup()
        return source.id

    def remove(self, source: Source) -> bool:
        """Takes `source` away; False where it was not here."""
        with self._lock:
            if self._sources.pop(source.id, None) is None:
                return False
            source.destroyed = True
        source.detached()
        self.wakeup()
        return True

    def find_source_by_id(self, source_id: int) -> Source | None:
        """The source with this id."""
        return self._sources.get(source_id)

    def invoke(self, function: Callable[..., Any], *user_data: Any) -> None:
        """Calls `function` on the thread that runs this context; at once where that is this one."""
        if self.is_owner():
            function(*user_data)
            return
        source = Idle(priority=0)
        source.set_callback(lambda: bool(function(*user_data)))
        self.add(source)

    # Running

    def acquire(self) -> bool:
        """Makes this thread the one that runs it; False where another does."""
        return self._owner.acquire(blocking=False)

    def release(self) -> None:
        """Ends `acquire()`."""
        self._owner.release()

    def is_owner(self) -> bool:
        """True on the thread that runs it."""
        return bool(self._owner._is_owned())  # type: ignore[attr-defined]

    @contextlib.contextmanager
    def owned(self) -> Iterator[None]:
        """Waits until no other thread runs it, and runs it."""
        with self._owner:
            yield

    def pending(self) -> bool:
        """True where something could be called now."""
        with self.owned():
            self._open()
            self._look(0.0)
            return bool(self._ready(time.monotonic())[0])

    def iteration(self, may_block: bool = True) -> bool:
        """Calls what is due, waiting for the first where `may_block`; True where something was called."""
        with self.owned():
            self._open()
            ready, next_at = self._ready(time.monotonic())
            if ready or not may_block:
                self._look(0.0)
            else:
                self._look(None if next_at is None else max(0.0, next_at - time.monotonic()))
            ready, _ = self._ready(time.monotonic())
            for source in ready:
                self._call(source)
            return bool(ready)

    def wakeup(self) -> None:
        """Ends the waiting of `iteration()`; from any thread, also from a signal's handler."""
        waker = self._waker
        if waker is not None:
            with contextlib.suppress(BlockingIOError):  # it is full: the other side will wake
                os.write(waker, b"\0")

    def _ready(self, now: float) -> tuple[list[Source], float | None]:
        """Who is due, of the lowest number only, and when somebody is next where nobody is."""
        with self._lock:
            waiting = [s for s in self._sources.values() if s.ready_at is not None and not s.busy]
        due = [s for s in waiting if s.ready_at is not None and s.ready_at <= now]
        if due:
            first = min(source.priority for source in due)
            return [source for source in due if source.priority == first], None
        return [], min((s.ready_at for s in waiting if s.ready_at is not None), default=None)

    def _open(self) -> None:
        """Makes what it waits with, the first time it runs."""
        if self._selector is not None:
            return
        selector = selectors.DefaultSelector()
        far, near = os.pipe()
        os.set_blocking(near, False)
        os.set_blocking(far, False)
        selector.register(far, selectors.EVENT_READ, None)
        self._selector, self._waker = selector, near
        for close in (selector.close, partial(os.close, near), partial(os.close, far)):
            # not at the end of the program: a thread that is left may still wait with them
            weakref.finalize(self, close).atexit = False

    def _look(self, wait_s: float | None) -> None:
        """Waits for descriptors and wake-ups, None: for ever; marks what can be read or written."""
        assert self._selector is not None
        watches = self._watch()
        for key, events in self._selector.select(wait_s):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    while os.read(key.fd, 4096):
                        pass
                continue
            for source in watches.get(key.fd, ()):
                seen = (IOCondition.IN if events & selectors.EVENT_READ else 0) | (
                    IOCondition.OUT if events & selectors.EVENT_WRITE else 0
                )
                wanted = source.condition & (int(seen) or source.condition)
                if wanted and not source.busy:
                    source.seen, source.ready_at = wanted, 0.0

    def _watch(self) -> dict[int, list[IOWatch]]:
        """Registers what is to be watched now, and nothing else."""
        assert self._selector is not None
        watches: dict[int, list[IOWatch]] = {}
        with self._lock:
            for source in self._sources.values():
                if isinstance(source, IOWatch) and not source.busy:
                    watches.setdefault(source.fd, []).append(source)
        wanted: dict[int, int] = {}
        for fd, sources in watches.items():
            condition = 0
            for source in sources:
                condition |= source.condition
            events = selectors.EVENT_READ if condition & ~int(IOCondition.OUT) else 0
            wanted[fd] = events | (selectors.EVENT_WRITE if condition & int(IOCondition.OUT) else 0)
        for fd in [fd for fd in self._watched if fd not in wanted]:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(fd)
        for fd, events in wanted.items():
            if fd not in self._watched:
                self._selector.register(fd, events, fd)
            elif self._watched[fd] != events:
                self._selector.modify(fd, events, fd)
        self._watched = wanted
        return watches

    def _call(self, source: Source) -> None:
        if source.destroyed:
            return
        source.busy = True
        again = False
        try:
            again = source.call()
        except BaseException:  # noqa: BLE001 - shown, and an exit goes on
            report_exception()
        finally:
            source.busy = False
            if not source.destroyed:
                if again:
                    source.called(time.monotonic())
                else:
                    self.remove(source)


class MainLoop:
    """Runs a context until `quit()`. Loops may nest. Ctrl-C ends `run()` with KeyboardInterrupt."""

    def __init__(self, context: MainContext | None = None, is_running: bool = False) -> None:
        self._context = context or MainContext.default()
        self._running = is_running

    @classmethod
    def new(cls, context: MainContext | None = None, is_running: bool = False) -> MainLoop:
        """As the class itself."""
        return cls(context, is_running)

    def run(self) -> None:
        """Calls what is due until `quit()`; waits where nothing is, without using the processor."""
        self._running = True
        try:
            with self._context.owned():
                while self._running:
                    self._context.iteration(True)
        finally:
            self._running = False

    def quit(self) -> None:
        """Ends `run()` after the callback that is running; from any thread."""
        self._running = False
        self._context.wakeup()

    def is_running(self) -> bool:
        """True between `run()` and `quit()`."""
        return self._running

    def get_context(self) -> MainContext:
        """The context that it runs."""
        return self._context
