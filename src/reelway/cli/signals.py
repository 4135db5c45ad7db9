"""Signals that ask for an end: the first one closes files properly, and none of them ends the process itself.

Once one has come, the process ends with its exit code, 128 and its number, as a shell counts.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from reelway.session.interrupt import NAMES, Interrupting

__all__ = ["heeding", "hush", "settle"]

_before: dict[int, Any] = {}
"""Handlers in whose place `_nothing` is."""


@contextmanager
def heeding(act: Callable[[int, int], None]) -> Iterator[list[int]]:
    """While it lasts `act(number, count)` is called for each signal; the list says which came, in order.

    Where one came they are ignored afterwards, until `settle`: a second one does no harm to what is written
    at the end. What `nohup` has ignored stays ignored; in any thread but the main one nothing is heeded.
    """
    received: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        act(number, len(received))

    before = {number: signal.signal(number, handle) for number in _numbers()}
    try:
        yield received
    finally:
        for number, handler in before.items():
            if received:
                _replace(number, handler)
            else:
                signal.signal(number, handler)


def hush() -> None:
    """From here on they are ignored, until `settle`."""
    for number in _numbers():
        if signal.getsignal(number) is not _nothing:
            _replace(number, signal.getsignal(number))


def settle(*, last: bool) -> None:
    """All is said. `last`: the process ends now, and they stay ignored; else it is as it was before."""
    while _before:
        number, handler = _before.popitem()
        signal.signal(
            number, signal.SIG_IGN if last else handler
        )  # Python puts its own handlers back at exit


def _replace(number: int, handler: Any) -> None:
    unset = handler is None or isinstance(handler, Interrupting)  # which stands where nothing did
    _before.setdefault(number, signal.SIG_DFL if unset else handler)
    signal.signal(number, _nothing)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """They are ignored."""


def _numbers() -> list[signal.Signals]:
    if threading.current_thread() is not threading.main_thread():
        return []
    found = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    return [each for each in found if each.name != "SIGHUP" or signal.getsignal(each) is not signal.SIG_IGN]
