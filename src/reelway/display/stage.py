"""The one thread on which SDL's windows live.

SDL wants a window, its renderer and the events of all windows on the thread that began its video. So all
windows of a process, of whatever session, share one thread: it begins with the first window, takes jobs in
order, looks for events, and ends with the last window, or may stay for good where the display went away
(`lose`). On Linux it may be any thread; macOS wants the main thread, and there SDL may refuse.

Locks: `_lock`, between those who come and go; nothing of SDL is called under it.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty
from typing import Any, Protocol, TypeVar

from reelway.display import sdl
from reelway.errors import DeadlineError, UnsupportedError
from reelway.runtime.inbox import Inbox

__all__ = ["OPEN_S", "Stage", "enter", "leave"]

log = logging.getLogger("reelway.display")

PUMP_S = 0.02
"""While a window is open, events are looked for so often; frames do not wait for that."""
OPEN_S = 10.0
"""A display that does not answer is given up after so long."""

Job = Callable[[], None]
_T = TypeVar("_T")


class Window(Protocol):
    """What the stage knows of a window."""

    def on_sdl_event(self, event: Any) -> None:
        """An event that SDL has for it; on the stage's thread."""

    def on_display_gone(self) -> None:
        """There is nothing to draw on any more, and nothing of SDL may be called; on the stage's thread."""


class Stage:
    """The thread, from the first user to the last. Made by `enter()`."""

    def __init__(self, before: Stage | None) -> None:
        self.users = 0
        """Under `_lock`."""
        self.error: Exception | None = None
        """Why there is no display; set before `ready`."""
        self.ready = threading.Event()
        self.driver = ""
        """What SDL shows windows with: x11, wayland, dummy ..."""
        self.gone = False
        """The display went away while it was used. What SDL has of it is left as it is."""
        self.windows: dict[int, Window] = {}
        """By SDL's number of the window; the stage's thread only."""
        self.jobs: Inbox[Job | None] = Inbox()
        self._before = before
        self._fail: Callable[[Exception], None] | None = None
        """Tells whoever waits for the job that is being done that it will not be; the stage's thread only."""
        self._looking = False
        """SDL looks for events; the stage's thread only."""
        self._thread = threading.Thread(target=self._run, name="reelway-display", daemon=True)
        self._thread.start()

    # From any other thread

    def post(self, job: Job) -> None:
        """Has `job` done, in order; an exception of it is lost."""
        self.jobs.put(job)

    def call(self, work: Callable[[], _T], timeout_s: float = OPEN_S) -> _T:
        """What `work()` gives, done there. Raises what it raises; DeadlineError."""
        done = threading.Event()
        found: list[_T] = []
        raised: list[Exception] = []

        def fail(error: Exception) -> None:
            raised.append(error)
            done.set()

        def job() -> None:
            self._fail = fail
            try:
                found.append(work())
            except Exception as error:  # noqa: BLE001 - it is raised by who asked
                raised.append(error)
            self._fail = None
            done.set()

        self.post(job)
        if not done.wait(timeout_s):
            raise DeadlineError(
                f"the display did not answer for {timeout_s:g} s",
                hint="is the X server, or its network, alive?",
            )
        if raised:
            raise raised[0]
        return found[0]

    def wait(self, timeout_s: float) -> bool:
        """True where what was posted before is done in time."""
        done = threading.Event()
        self.post(done.set)
        return done.wait(timeout_s)

    def join(self, timeout_s: float) -> bool:
        """True where the thread is over."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # The thread

    def _run(self) -> None:
        try:
            if self._before is not None and self._before.gone:
                self.gone = True
                raise _no_display(
                    "the one that this process had went away, and SDL does not come back from that"
                )
            if self._before is not None and not self._before.join(OPEN_S):
                raise DeadlineError("the display that was used before does not come to an end")
            self._before = None
            self.driver = _begin_video()
        except Exception as error:  # noqa: BLE001 - whoever wanted a window gets it
            self.error = error
            self.ready.set()
            return
        self.ready.set()
        self._work()
        if not self.gone:
            sdl.end(sdl.sdl().SDL_INIT_VIDEO)

    def _work(self) -> None:
        looked = 0.0
        while True:
            try:
                job = self.jobs.get(timeout=PUMP_S if self.windows else None)
            except Empty:
                pass
            else:
                if job is None:
                    return
                with suppress(Exception):  # `call` raises elsewhere, and `post` says that it is lost
                    job()
                del job  # it may hold a frame, or a filter
            if self.windows and time.monotonic() - looked >= PUMP_S / 2:
                self._look_for_events()
                looked = time.monotonic()

    def _look_for_events(self) -> None:
        library = sdl.sdl()
        event = library.SDL_Event()
        while self._next(event):
            window = self.windows.get(int(event.window.windowID))
            if window is not None:
                try:
                    window.on_sdl_event(event)
                except (
                    Exception
                ):  # the other windows go on; what it cannot draw now fails with the next picture
                    log.warning("a window could not follow what was done with it", exc_info=True)

    def _next(self, event: Any) -> bool:
        """True where SDL had an event, and has put it there."""
        self._looking = True
        found = not self.gone and bool(sdl.sdl().SDL_PollEvent(event))
        self._looking = False
        return found

    def lose(self) -> None:
        """The display went away, in the middle of a call of SDL.

        Out of a look for events the way back is short, and has to be gone: Xlib holds a lock there that the
        end of the process waits for. Back into any other call the stage's thread does not go: the driver of
        a graphics card may have no answer to what cannot be, and take the process with it. What is still to
        be done is then done from here. On any other thread it only notes that.
        """
        self.gone = True
        if threading.current_thread() is not self._thread:
            return
        if self._fail is not None:
            self._fail(_no_display("it went away"))
        while self.windows:
            self.windows.popitem()[1].on_display_gone()
        if self._looking:
            return
        self._work()
        threading.Event().wait()  # for good: this thread has nowhere to go back to


_lock = threading.RLock()  # a finalizer may come to leave while its own thread holds it
_current: Stage | None = None
_last: Stage | None = None


def enter() -> Stage:
    """The stage, with one more user. Raises UnsupportedError where there is no display; DeadlineError."""
    global _current, _last
    sdl.sdl()
    with _lock:
        stage = _current
        if stage is None:
            stage = _current = _last = Stage(_last)
        stage.users += 1
    if stage.ready.wait(OPEN_S * 1.5) and stage.error is None:
        return stage
    error = stage.error
    leave(stage)
    if isinstance(error, UnsupportedError):
        raise UnsupportedError(error.message, hint=error.hint)
    raise error or DeadlineError(f"the display did not open within {OPEN_S * 1.5:g} s")


def leave(stage: Stage) -> None:
    """One user less; with the last one the thread ends, after what it has to do. From any thread."""
    global _current
    with _lock:
        stage.users -= 1
        if stage.users:
            return
        if _current is stage:
            _current = None
    stage.jobs.put(None)


def _begin_video() -> str:
    """The name of what SDL shows windows with. Raises UnsupportedError."""
    library = sdl.sdl()
    asked = os.environ.get("SDL_VIDEODRIVER", "")
    where = asked or "the display"
    if not asked and sys.platform not in ("darwin", "win32"):
        desktops = {"x11": os.environ.get("DISPLAY"), "wayland": os.environ.get("WAYLAND_DISPLAY")}
        drivers = [name for name, value in desktops.items() if value]
        if not drivers:
            raise _no_display("neither DISPLAY nor WAYLAND_DISPLAY is set")
        # or else SDL would look further: for a graphics card, whose console it takes over, or for nothing
        library.SDL_SetHint(b"SDL_VIDEODRIVER", ",".join(drivers).encode())
        where = " or ".join(filter(None, desktops.values()))
    if said := sdl.begin(library.SDL_INIT_VIDEO):
        raise _no_display(f"SDL cannot open {where}: {said}")
    driver: str = library.SDL_GetCurrentVideoDriver().decode()
    library.SDL_StopTextInput()
    return driver


def _no_display(why: str) -> UnsupportedError:
    return UnsupportedError(
        f"no display to show video on: {why}",
        hint="set DISPLAY (or ssh -X), run it under xvfb-run, set SDL_VIDEODRIVER=dummy, "
        "or replace the window: write a file, or fakesink",
    )
