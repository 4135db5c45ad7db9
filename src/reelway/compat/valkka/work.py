"""Sessions in threads of their own: what Valkka's threads do their work with, and how they start and stop."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable, Iterable

import reelway as rw

__all__ = ["Work", "WorkThread", "join_all", "log"]

log = logging.getLogger("reelway.compat.valkka")

STOP_S = 2.0
"""A session that was stopped is over within this."""
REST_S = 3600.0
_running: set[Work] = set()
"""What runs; it is stopped when the script ends without a word."""


class Work:
    """Runs a session that goes on without sources, too, until `stop()`.

    What fails there is logged at once, kept as `failure`, and raised by `stop()`.
    """

    def __init__(self, name: str, threads: int | None = 0) -> None:
        self.name = name
        self.session = rw.Session(threads=threads)
        self.failure: Exception | None = None
        self.on_end: Callable[[], None] = lambda: None
        """Called on its thread when it is over."""
        self._stops = False
        self._thread = threading.Thread(target=self._run, name=f"valkka-{name}", daemon=True)
        self._let_end = self.session.post(lambda: REST_S, REST_S)

    @property
    def runs(self) -> bool:
        """It may be given more."""
        return self._thread.is_alive() and not self._stops and self.failure is None

    @property
    def started(self) -> bool:
        """It runs, or did."""
        return self._thread.ident is not None

    def start(self) -> None:
        """Begins."""
        _running.add(self)
        self._thread.start()

    def do(self, what: Callable[[], None]) -> None:
        """Has the session's thread do it, soon; nothing where that is over."""
        if not self.session.finished:
            self.session.post(what)

    def ask_to_stop(self) -> None:
        """Returns at once."""
        self._stops = True
        self.session.stop("fast")

    def join(self, patience_s: float = STOP_S) -> None:
        """Until it is over, or this long; raises what failed. One that was never started is closed."""
        if not self.started:
            self.session.close()
            return
        if self._thread is not threading.current_thread():
            self._thread.join(patience_s)
        if self._thread.is_alive():
            log.warning("%s: did not end within %g s, and is left to itself", self.name, patience_s)
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure

    def finish(self) -> None:
        """Waits until its sources have ended and all is written, but no longer; raises what failed."""
        self._let_end()
        self._thread.join(STOP_S)
        self.stop()

    def stop(self) -> None:
        """Stops it, and waits for that; raises what failed."""
        self.ask_to_stop()
        self.join()

    def _run(self) -> None:
        try:
            self.session.run()
        except Exception as error:  # noqa: BLE001 - whatever a filter of the script raised
            self.failure = error
            log.error("%s has stopped: %s", self.name, error)
        finally:
            _running.discard(self)
            self.on_end()


class WorkThread:
    """What Valkka's threads have in common: any number of works, which start and stop with it.

    Heirs make works (`_begin()`, or later), say which there are (`_works()`), and forget them (`_forget()`).
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._runs = False
        self._stopped = True

    def startCall(self) -> None:
        """From now on it works. Raises StateError where it runs."""
        if not self._stopped:
            raise rw.StateError(f"{self.name} runs already", hint="stopCall() first")
        self._runs, self._stopped = True, False
        self._begin()

    def stopCall(self) -> None:
        """Ends all that it does, within 2 s, and raises what failed in it first. It may be started again."""
        self.requestStopCall()
        works = list(self._works())
        self._forget()
        self._stopped = True
        join_all(works)

    def requestStopCall(self) -> None:
        """Asks it to end, and returns; `waitStopCall()` waits."""
        self._runs = False
        for work in self._works():
            work.ask_to_stop()

    def waitStopCall(self) -> None:
        """As `stopCall()`."""
        self.stopCall()

    def _begin(self) -> None:
        """It was started."""

    def _works(self) -> Iterable[Work]:
        """All that run, or may yet."""
        raise NotImplementedError

    def _forget(self) -> None:
        """They are stopped by who called."""
        raise NotImplementedError

    def _must_run(self) -> None:
        """Raises StateError where it does not."""
        if not self._runs:
            raise rw.StateError(f"{self.name} does not run", hint="startCall() first")


def join_all(works: Iterable[Work]) -> None:
    """Waits for all; then raises the first failure."""
    failures: list[Exception] = []
    for work in works:
        try:
            work.join()
        except Exception as error:  # noqa: BLE001 - raised below
            failures.append(error)
    if failures:
        raise failures[0]


def _stop_all() -> None:
    left = tuple(_running)
    for work in left:
        work.ask_to_stop()
    until = time.monotonic() + STOP_S
    for work in left:
        work._thread.join(max(0.0, until - time.monotonic()))


atexit.register(_stop_all)
