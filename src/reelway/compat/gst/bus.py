"""The bus: messages for whoever pops them, watches them in a main loop, or handles them at once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from reelway.compat.gst.constants import CONSTANTS, ENUMERATIONS
from reelway.compat.gst.gstobject import GstObject
from reelway.compat.gst.mainloop import MainContext, report_exception
from reelway.compat.gst.messages import Message
from reelway.compat.gst.signals import SignalFlags, SignalSpec
from reelway.compat.gst.sources import Priority, Source

__all__ = ["Bus"]

NONE: int = CONSTANTS["CLOCK_TIME_NONE"]
SECOND = 1_000_000_000
MessageType: Any = ENUMERATIONS["MessageType"]
BusSyncReply: Any = ENUMERATIONS["BusSyncReply"]
MAX_MESSAGES = 10_000
"""So many wait when nobody takes them; then the oldest go, and are counted."""


class _Watch(Source):
    """Calls in a main loop for each message."""

    def __init__(self, bus: Bus, priority: int) -> None:
        super().__init__(priority)
        self.bus = bus

    def attached(self, now: float) -> None:
        self.called(now)

    def call(self) -> bool:
        message = self.bus.pop()
        if message is None:
            return True
        if self.callback is None:
            self.bus.emit_message(message)
            return True
        return bool(self.callback(self.bus, message, *self.arguments))

    def called(self, now: float) -> None:
        with self.bus.lock:
            self.ready_at = 0.0 if self.bus.queue else None

    def detached(self) -> None:
        self.bus.forget(self)


class Bus(GstObject):
    """Messages in order. Any thread posts and takes."""

    __gsignals__ = {
        "message": SignalSpec(
            "message", int(SignalFlags.RUN_LAST | SignalFlags.DETAILED), arguments=(object,)
        ),
        "sync-message": SignalSpec(
            "sync-message", int(SignalFlags.RUN_LAST | SignalFlags.DETAILED), arguments=(object,)
        ),
    }

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Condition()
        self.queue: deque[Message] = deque()
        self.dropped = 0
        self._flushing = False
        self._watch: _Watch | None = None
        self._signal_watches = 0
        self._sync_emission = 0
        self._sync: tuple[Callable[..., Any], tuple[Any, ...]] | None = None

    @classmethod
    def new(cls) -> Bus:
        """A bus of its own."""
        return cls()

    # Posting

    def post(self, message: Message) -> bool:
        """Gives a message to the synchronous handlers, then to who pops or watches."""
        if self._handled(message):
            return True
        with self.lock:
            if self._flushing:
                return False
            self.queue.append(message)
            if len(self.queue) > MAX_MESSAGES:
                self.queue.popleft()
                self.dropped += 1
            self.lock.notify_all()
            watch = self._watch
            if watch is not None and not watch.busy:
                watch.ready_at = 0.0
        if watch is not None and watch.context is not None:
            watch.context.wakeup()
        return True

    def _handled(self, message: Message) -> bool:
        reply = BusSyncReply.PASS
        if self._sync is not None:
            function, data = self._sync
            try:
                reply = function(self, message, *data)
            except BaseException:  # noqa: BLE001 - shown, and an exit goes on
                report_exception()
        if self._sync_emission:
            self.emit_message(message, "sync-message")
        return bool(reply == BusSyncReply.DROP)

    def emit_message(self, message: Message, signal: str = "message") -> None:
        """Sends the signal, with the message's type as its detail."""
        self.emit(f"{signal}::{MessageType.get_name(message.type)}", message)

    def set_sync_handler(self, func: Callable[..., Any] | None, *user_data: Any) -> None:
        """Calls `func(bus, message, *user_data)` on posting; BusSyncReply.DROP ends the message there."""
        self._sync = None if func is None else (func, user_data)

    def enable_sync_message_emission(self) -> None:
        """Sends sync-message on the thread that posts."""
        self._sync_emission += 1

    def disable_sync_message_emission(self) -> None:
        """Ends one `enable_sync_message_emission()`."""
        self._sync_emission = max(0, self._sync_emission - 1)

    # Taking

    def pop(self) -> Message | None:
        """The first message; None: there is none."""
        return self.timed_pop_filtered(0, MessageType.ANY)

    def pop_filtered(self, types: int) -> Message | None:
        """The first message of these types that is there; others before it are thrown away."""
        return self.timed_pop_filtered(0, types)

    def timed_pop(self, timeout: int) -> Message | None:
        """The first message; waits for it up to `timeout` ns, CLOCK_TIME_NONE: as long as it takes."""
        return self.timed_pop_filtered(timeout, MessageType.ANY)

    def timed_pop_filtered(self, timeout: int, types: int) -> Message | None:
        """`timed_pop()` of these types; others before it are thrown away."""
        until = None if timeout in (NONE, -1) else time.monotonic() + timeout / SECOND
        with self.lock:
            while True:
                while self.queue:
                    message = self.queue.popleft()
                    if _is_one(message, types):
                        return message
                left = None if until is None else until - time.monotonic()
                if self._flushing or (left is not None and left <= 0):
                    return None
                self.lock.wait(left)

    def poll(self, events: int, timeout: int) -> Message | None:
        """`timed_pop_filtered()`, the other way round; -1: as long as it takes."""
        return self.timed_pop_filtered(timeout, events)

    def peek(self) -> Message | None:
        """The first message, which stays."""
        with self.lock:
            return self.queue[0] if self.queue else None

    def have_pending(self) -> bool:
        """There are messages."""
        return bool(self.queue)

    def set_flushing(self, flushing: bool) -> None:
        """Throws away what is there, and while it is flushing, what is posted."""
        with self.lock:
            self._flushing = flushing
            if flushing:
                self.queue.clear()
            self.lock.notify_all()

    # Watching

    def add_watch(self, priority: int, func: Callable[..., Any], *user_data: Any) -> int:
        """Calls `func(bus, message, *user_data)` in the main loop while it returns something true."""
        return self._add(priority, func, user_data)

    def add_signal_watch(self) -> None:
        """Sends the signal message, and message::eos and so on, in the main loop."""
        self.add_signal_watch_full(Priority.DEFAULT)

    def add_signal_watch_full(self, priority: int) -> None:
        """`add_signal_watch()` with a priority."""
        self._signal_watches += 1
        if self._signal_watches == 1:
            self._add(priority, None, ())

    def remove_signal_watch(self) -> None:
        """Ends one `add_signal_watch()`."""
        self._signal_watches = max(0, self._signal_watches - 1)
        if not self._signal_watches:
            self.remove_watch()

    def remove_watch(self) -> bool:
        """Ends the watch; False where there was none."""
        watch = self._watch
        if watch is None:
            return False
        watch.destroy()
        return True

    def create_watch(self) -> Source:
        """A source that is still to be attached."""
        return _Watch(self, Priority.DEFAULT)

    def forget(self, watch: Source) -> None:
        """The watch is no more; called by it."""
        if self._watch is watch:
            self._watch = None
            self._signal_watches = 0

    def _add(self, priority: int, func: Callable[..., Any] | None, data: tuple[Any, ...]) -> int:
        if self._watch is not None:
            raise RuntimeError("the bus has a watch already: only one at a time")
        watch = self._watch = _Watch(self, priority)
        if func is not None:
            watch.set_callback(func, *data)
        return MainContext.ref_thread_default().add(watch)


def _is_one(message: Message, types: int) -> bool:
    kind, wanted = int(message.type), int(types)
    if kind & 0x80000000:
        return kind == wanted or bool(wanted == 0xFFFFFFFF)
    return bool(kind & wanted)
