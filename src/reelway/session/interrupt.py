"""Ctrl-C: the first stops the session with a flush, the second at once; files are closed either way.

Other signals do the same where the program has handed them to an `Interrupting`.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelway.session.session import Session

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C, `kill`, and a terminal that is closed, which Windows has not."""
SPARED_S = 5.0
"""So long after an interruption another one is passed over: what closes files is left to it."""


class Interrupting:
    """A handler of signals that raises KeyboardInterrupt, as Python's own does at Ctrl-C.

    Impatience does no harm: signals that come within SPARED_S behind one are only counted. A process that was
    forked from this one is ended by them, as it would be without.
    """

    def __init__(self) -> None:
        self.received: list[int] = []
        """The signals that came, in their order."""
        self._process = os.getpid()
        self._spared_until_s = 0.0

    @property
    def ours(self) -> bool:
        """True in the process that made it."""
        return os.getpid() == self._process

    def note(self, number: int) -> None:
        """The signal came, and somebody else sees to it."""
        self.received.append(number)
        self._spared_until_s = time.monotonic() + SPARED_S

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Called by Python, in the main thread."""
        if not self.ours:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        spared = time.monotonic() < self._spared_until_s
        self.received.append(number)
        if not spared:
            self._spared_until_s = time.monotonic() + SPARED_S
            raise KeyboardInterrupt


@contextmanager
def interrupting() -> Iterator[list[int]]:
    """While it lasts SIGTERM and SIGHUP do what Ctrl-C does; the list says which of them came, in order.

    Only where nobody sees to them yet, and in the main thread: what `nohup` has ignored stays ignored. A
    program that sets handlers of its own meanwhile keeps them.
    """
    handler = Interrupting()
    numbers = [each for each in _numbers() if signal.getsignal(each) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, handler)
    try:
        yield handler.received
    finally:
        for number in numbers:
            if signal.getsignal(number) is handler:
                signal.signal(number, signal.SIG_DFL)


@contextmanager
def interruptible(session: Session) -> Iterator[None]:
    """While it lasts SIGINT stops `session`; afterwards KeyboardInterrupt is raised if one came.

    Likewise the signals of an `Interrupting`. Only in the main thread, and only where Python's own handler,
    or that one, is in place: a program's own is respected.
    """
    before = {each: handler for each in _numbers() if _interrupts(handler := signal.getsignal(each))}
    presses = 0

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal presses
        handler = before[signal.Signals(number)]
        if isinstance(handler, Interrupting):
            if not handler.ours:
                handler(number, frame)
                return
            handler.note(number)
        presses += 1
        session.stop("all" if presses == 1 else "none")

    try:
        for number in before:
            signal.signal(number, stop)
        yield
    finally:
        for number, handler in reversed(before.items()):  # Ctrl-C last: until then it cannot raise here
            signal.signal(number, handler)
    if presses:
        raise KeyboardInterrupt


def _interrupts(handler: Any) -> bool:
    """True for a handler that raises KeyboardInterrupt."""
    return handler is signal.default_int_handler or (isinstance(handler, Interrupting) and handler.ours)


def _numbers() -> list[signal.Signals]:
    """None in any thread but the main one, where Python has no handlers."""
    if threading.current_thread() is not threading.main_thread():
        return []
    return [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
