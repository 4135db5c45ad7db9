"""Time that stands still, as other threads see it while that is being said."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from reelway.runtime.clock import Note
from reelway.runtime.inbox import Inbox
from reelway.runtime.pause import PausableTime


class Hand:
    """A clock that is set by hand; `between()` is called once, while it is being read."""

    def __init__(self) -> None:
        self.at = 100.0
        self.between: Callable[[], None] | None = None

    def now(self) -> float:
        between, self.between = self.between, None
        if between is not None:
            between()
        return self.at

    def wait(self, inbox: Inbox[Note], until: float | None, busy: bool) -> Note | None:
        raise NotImplementedError


def at_every_step(call: Callable[[], None], look: Callable[[], None]) -> int:
    """Calls `look()` where another thread may get its turn: between the instructions of `call()`."""
    looks = 0

    def step(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal looks
        if frame.f_code is not call.__func__.__code__:  # type: ignore[attr-defined]
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            looks += 1
            look()
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        call()
    finally:
        sys.settrace(before)
    return looks


def test_no_thread_sees_half_of_a_pause_or_of_its_end() -> None:
    clock = Hand()
    time = PausableTime(clock)
    clock.at = 110.0
    seen: set[float] = set()
    assert at_every_step(time.pause, lambda: seen.add(time.now())) > 5
    assert (time.paused, time.now()) == (True, 110.0)
    clock.at = 150.0
    assert at_every_step(time.resume, lambda: seen.add(time.now())) > 5
    assert (time.paused, time.now()) == (False, 110.0)
    assert seen == {110.0}
    clock.at = 151.0
    assert time.now() == pytest.approx(111.0)


def test_a_pause_while_the_clock_is_read_does_not_count() -> None:
    clock = Hand()
    time = PausableTime(clock)

    def pause_for_a_while() -> None:
        time.pause()
        clock.at += 40.0
        time.resume()

    clock.between = pause_for_a_while
    assert time.now() == 100.0
