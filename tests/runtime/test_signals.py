"""A signal that does not wake who sleeps, because it came just before, is heard all the same.

Here another thread gets it: Python's handler then waits for the main thread, and nothing wakes that.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from reelway.cli.record import _Playing
from reelway.runtime.clock import wait_for
from reelway.session.application.application import Application
from reelway.session.session import Session


class Heard(Exception):
    """What the handler raises."""


@pytest.fixture
def unheard() -> Iterator[Callable[[], None]]:
    """Begins to wait for a moment, and then sends another thread a signal, while the main one sleeps."""

    def handle(_number: int, _frame: object) -> None:
        raise Heard

    before = signal.signal(signal.SIGUSR1, handle)
    timer = threading.Timer(0.5, lambda: signal.raise_signal(signal.SIGUSR1))
    yield timer.start
    timer.join()
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("timeout_s", [None, 20.0])
@pytest.mark.timeout(20)
def test_while_an_event_is_waited_for(unheard: Callable[[], None], timeout_s: float | None) -> None:
    unheard()
    with pytest.raises(Heard):
        wait_for(threading.Event(), timeout_s)


def test_an_event_is_waited_for_no_longer_than_was_said() -> None:
    event = threading.Event()
    assert not wait_for(event, 0.0)
    assert not wait_for(event, 0.01)
    event.set()
    assert wait_for(event, None)


@pytest.mark.timeout(20)
def test_while_an_application_plays(unheard: Callable[[], None]) -> None:
    unheard()
    with pytest.raises(Heard):
        Application().wait()


def test_while_cameras_are_recorded(unheard: Callable[[], None]) -> None:
    over = threading.Event()

    class Endless(Session):
        def run(self, *_given: object, **_more: object) -> None:  # type: ignore[override]
            over.wait(20)

    with Endless() as session:
        playing = _Playing(session, session.load("testvideo"), "cam", "cam", None)
        playing.start()
        try:
            unheard()
            with pytest.raises(Heard):
                playing.join()
        finally:
            over.set()
            playing.join()
