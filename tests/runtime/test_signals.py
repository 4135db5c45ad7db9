"""A signal that does not wake who sleeps, because it came just before, is heard all the same.

Here another thread gets it: Python's handler then waits for the main thread, and nothing wakes that.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from reelway.cli.record import _Playing
from reelway.runtime.clock import wait_for
from reelway.session.application.application import Application
from reelway.session.session import Session


class Heard(Exception):
    """What the handler raises."""


@pytest.fixture
def unheard() -> Iterator[None]:
    """A signal for another thread, while the main thread sleeps in what the test calls, and 20 s at most."""

    def handle(_number: int, _frame: object) -> None:
        raise Heard

    before = signal.signal(signal.SIGUSR1, handle)
    timer = threading.Timer(0.1, lambda: signal.raise_signal(signal.SIGUSR1))
    timer.start()
    yield
    timer.join()
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.usefixtures("unheard")
@pytest.mark.parametrize("timeout_s", [None, 20.0])
def test_while_an_event_is_waited_for(timeout_s: float | None) -> None:
    with pytest.raises(Heard):
        wait_for(threading.Event(), timeout_s)


def test_an_event_is_waited_for_no_longer_than_was_said() -> None:
    event = threading.Event()
    assert not wait_for(event, 0.0)
    assert not wait_for(event, 0.01)
    event.set()
    assert wait_for(event, None)


@pytest.mark.usefixtures("unheard")
def test_while_an_application_plays() -> None:
    with pytest.raises(Heard):
        Application().wait()


@pytest.mark.usefixtures("unheard")
def test_while_cameras_are_recorded() -> None:
    over = threading.Event()

    class Endless(Session):
        def run(self, *_given: object, **_more: object) -> None:  # type: ignore[override]
            over.wait(20)

    with Endless() as session:
        playing = _Playing(session, session.load("testvideo"), "cam", "cam", None)
        playing.start()
        try:
            with pytest.raises(Heard):
                playing.join()
        finally:
            over.set()
            playing.join()
