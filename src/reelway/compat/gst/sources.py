"""What a main loop looks after: timeouts, idle callbacks, descriptors, signals of the system."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reelway.compat.gst.enums import GFlags, enumerations

if TYPE_CHECKING:
    from reelway.compat.gst.mainloop import MainContext

__all__ = ["IOCondition", "IOWatch", "Idle", "Priority", "Source", "Timeout", "UnixSignal"]

IOCondition: Any = enumerations("GLib", "IOCondition G_IO_ IN=1 PRI=2 OUT=4 ERR=8 HUP=16 NVAL=32", GFlags)[
    "IOCondition"
]


class Priority:
    """Lower numbers first, as GLib has them."""

    HIGH, DEFAULT, HIGH_IDLE, DEFAULT_IDLE, LOW = -100, 0, 100, 200, 300


class Source:
    """One thing to be called for. Its context's lock guards what changes.

    `ready_at` is when it wants to be called [s of `time.monotonic`]: a moment that has passed, or None while
    only something else makes it ready.
    """

    def __init__(self, priority: int = Priority.DEFAULT) -> None:
        self.priority = priority
        self.id = 0
        self.context: MainContext | None = None
        self.callback: Callable[..., Any] | None = None
        self.arguments: tuple[Any, ...] = ()
        self.ready_at: float | None = None
        self.busy = False
        """It is being called: a nested loop does not call it again."""
        self.destroyed = False
        self.name = ""

    def set_callback(self, fn: Callable[..., Any], *user_data: Any) -> None:
        """Says what to call; while that returns something true, again."""
        self.callback, self.arguments = fn, user_data

    def attach(self, context: MainContext | None = None) -> int:
        """Puts it under a context, the default one where none is said; returns its id."""
        from reelway.compat.gst.mainloop import MainContext

        return (context or MainContext.default()).add(self)

    def destroy(self) -> None:
        """Takes it away; harmless a second time."""
        if self.context is not None:
            self.context.remove(self)
        self.destroyed = True

    def is_destroyed(self) -> bool:
        """True where it is not, or no longer, looked after."""
        return self.destroyed

    def get_id(self) -> int:
        """Its id within its context."""
        return self.id

    def get_context(self) -> MainContext | None:
        """The context that looks after it."""
        return self.context

    def get_priority(self) -> int:
        """Lower is earlier."""
        return self.priority

    def set_priority(self, priority: int) -> None:
        """Lower is earlier."""
        self.priority = priority

    def set_name(self, name: str) -> None:
        """For people."""
        self.name = name

    def get_name(self) -> str:
        """For people."""
        return self.name

    def set_can_recurse(self, can_recurse: bool) -> None:
        """Taken and not needed: no source here is called within its own call."""

    # What kinds of sources differ in

    def attached(self, now: float) -> None:
        """It is under a context from now on."""

    def detached(self) -> None:
        """It is no longer."""

    def call(self) -> bool:
        """Calls back; False: that was the last time."""
        return bool(self.callback(*self.arguments)) if self.callback is not None else False

    def called(self, now: float) -> None:
        """The call is over, and there will be another."""


class Timeout(Source):
    """Calls every `interval` ms, counted from the end of the call before."""

    def __init__(self, interval: int = 0, priority: int = Priority.DEFAULT) -> None:
        super().__init__(priority)
        self.interval_s = interval / 1000

    def attached(self, now: float) -> None:
        self.ready_at = now + self.interval_s

    def called(self, now: float) -> None:
        self.ready_at = now + self.interval_s


class Idle(Source):
    """Calls whenever nothing of a lower number is to be called."""

    def __init__(self, priority: int = Priority.DEFAULT_IDLE) -> None:
        super().__init__(priority)
        self.ready_at = 0.0


class IOWatch(Source):
    """Calls when a descriptor can be read or written: fn(channel, condition, *data)."""

    def __init__(self, channel: Any, condition: int, priority: int = Priority.DEFAULT) -> None:
        super().__init__(priority)
        self.channel = channel
        self.fd: int = channel if isinstance(channel, int) else channel.fileno()
        self.condition = int(condition)
        self.seen = 0

    def call(self) -> bool:
        assert self.callback is not None
        return bool(self.callback(self.channel, IOCondition(self.seen), *self.arguments))

    def called(self, now: float) -> None:
        self.ready_at = None


class UnixSignal(Source):
    """Calls in the loop after a signal of the system, whose handler it is as long as it exists."""

    def __init__(self, signum: int, priority: int = Priority.DEFAULT) -> None:
        super().__init__(priority)
        self.signum = signum
        self._before: Any = None

    def attached(self, now: float) -> None:
        self._before = signal.signal(self.signum, self._arrived)

    def detached(self) -> None:
        signal.signal(self.signum, self._before)

    def called(self, now: float) -> None:
        self.ready_at = None

    def _arrived(self, _number: int, _frame: Any) -> None:
        self.ready_at = time.monotonic()
        if self.context is not None:
            self.context.wakeup()
