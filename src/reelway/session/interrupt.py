"""Ctrl-C: the first stops the session with a flush, the second at once; files are closed either way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reelway.session.session import Session


@contextmanager
def interruptible(session: Session) -> Iterator[None]:
    """While it lasts SIGINT stops `session`; afterwards KeyboardInterrupt is raised if one came.

    Only in the main thread, and only where Python's own handler is in place: a program's own is respected.
    """
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    presses = 0

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal presses
        presses += 1
        session.stop("all" if presses == 1 else "none")

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if presses:
        raise KeyboardInterrupt
