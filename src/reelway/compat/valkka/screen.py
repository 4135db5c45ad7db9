"""`OpenGLThread`: windows, and which slots they show."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass
from typing import Any

import reelway as rw
from reelway.compat.valkka.fifo import Feed, FifoFrameFilter, FrameFifo
from reelway.compat.valkka.frames import Frame
from reelway.compat.valkka.work import Work, WorkThread

__all__ = ["OpenGLFrameFifoContext", "OpenGLThread"]

FPS = 25
"""Pictures a second in a window."""


@dataclass(slots=True)
class OpenGLFrameFifoContext:
    """What Valkka reserves on the graphics card; nothing needs it here."""

    n_720p: int = 20
    n_1080p: int = 0
    n_1440p: int = 0
    n_4K: int = 0
    n_setup: int = 20
    n_signal: int = 20
    flush_when_full: bool = False
    debug: bool = False


class _Window:
    """What is shown in it; it opens with its first picture, as large as that, and closes with its last."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.grouped = False
        self.grid: rw.Filter | None = None
        self.contexts: list[_Context] = []


@dataclass(eq=False)
class _Context:
    """A slot in a window."""

    slot: int
    window: _Window
    z: int
    feed: Feed
    opened: bool = False
    """It was added to the session: since its first picture."""
    over: bool = False


class OpenGLThread(WorkThread):
    """Shows slots in windows, on a thread of its own: `newRenderContextCall(slot, window, z)`.

    Several contexts of one window stand side by side, in the order in which they came; z is known, and
    changes nothing. Of what comes faster than it is shown the
    newest counts. The numbers of frames that Valkka reserves may be given, and change nothing.
    """

    def __init__(self, name: str, *_reserved: object, **_named: object) -> None:
        super().__init__(name)
        self._fifo = FrameFifo(f"{name} in")
        self._fifo.readers.append(self._take)
        self._work: Work | None = None
        self._numbers = itertools.count(1)
        self._windows: dict[int, _Window] = {}
        self._contexts: dict[int, _Context] = {}
        self._newest: dict[int, Frame] = {}
        """Of each slot, so that a new window shows something at once."""
        self._lock = threading.Lock()
        """Held for moments: whose picture is the first."""

    # What comes in

    def getFifo(self) -> FrameFifo:
        """Pictures that are written into it are shown."""
        return self._fifo

    def getFrameFilter(self) -> FifoFrameFilter:
        """The filter that writes into it."""
        return FifoFrameFilter(f"{self.name} in", self._fifo)

    # Windows

    def createWindow(self, show: bool = True, window_id: int = 0) -> int:
        """A new window's id. It opens with the first picture that is to be seen in it."""
        number = next(self._numbers)
        self._windows[number] = _Window(f"{self.name} {number}")
        return number

    def newRenderGroupCall(self, window_id: int) -> bool:
        """Contexts may be shown in that window. Raises UnsupportedError for one that is not its own."""
        self._window(window_id).grouped = True
        return True

    def delRenderGroupCall(self, window_id: int) -> bool:
        """Nothing is shown in that window any more: it closes. False: nothing was."""
        window = self._window(window_id)
        was, window.grouped = window.grouped, False
        for number in [number for number, each in self._contexts.items() if each.window is window]:
            self.delRenderContextCall(number)
        return was

    def newRenderContextCall(self, slot: int, window_id: int, z: int = 0, *_more: object) -> int:
        """Shows a slot in a window; the id of that. Raises StateError before `newRenderGroupCall()`."""
        window = self._window(window_id)
        work = self._work
        if work is None or not window.grouped:
            raise rw.StateError(
                f"window {window_id} has no render group", hint="startCall() and newRenderGroupCall() first"
            )
        feed = Feed(self._fifo, "latest", name=f"slot{slot}")
        context = _Context(slot, window, z, feed)
        number = next(self._numbers)
        self._contexts[number] = context
        if (newest := self._newest.get(slot)) is not None:
            self._show(work, context, newest)
        return number

    def delRenderContextCall(self, context_id: int) -> bool:
        """The slot leaves its window, which closes with its last one. False: there is no such context."""
        context = self._contexts.pop(context_id, None)
        work = self._work
        if context is None or work is None:
            return False
        context.over = True
        work.do(lambda: self._close(work.session, context))
        return True

    # Inside

    def _begin(self) -> None:
        self._work = Work(self.name)
        self._work.start()

    def _works(self) -> list[Work]:
        return [self._work] if self._work is not None else []

    def _forget(self) -> None:
        self._work = None
        self._windows, self._contexts, self._newest = {}, {}, {}

    def _take(self, frame: Frame) -> None:
        """On the thread that writes."""
        work = self._work
        if work is None or not work.runs or frame.kind != "Visual" or frame.coded:
            return
        self._newest[frame.slot] = frame
        for context in tuple(self._contexts.values()):
            if context.slot == frame.slot:
                self._show(work, context, frame)

    def _show(self, work: Work, context: _Context, frame: Frame) -> None:
        with self._lock:
            first, context.opened = not context.opened, True
        if first:
            work.do(lambda: self._open(work.session, context, frame))
        context.feed.offer(frame)

    def _window(self, number: Any) -> _Window:
        if (window := self._windows.get(number)) is not None:
            return window
        raise rw.UnsupportedError(
            f"{self.name} has no window {number}",
            hint="createWindow() makes one; windows of other programs come later",
        )

    def _open(self, session: rw.Session, context: _Context, first: Frame) -> None:
        """On its own thread, as `_close()`."""
        if context.over:
            return
        window = context.window
        window.contexts.append(context)
        session.add(context.feed)
        if window.grid is None:
            size = f"{first.properties['Width']}x{first.properties['Height']}"
            window.grid = session.load("grid", live=True, fps=FPS, size=size)
            window.grid >> session.load("videosink", title=window.title, on_close="stream")
        context.feed >> window.grid

    def _close(self, session: rw.Session, context: _Context) -> None:
        window = context.window
        if context not in window.contexts:
            return
        window.contexts.remove(context)
        if not window.contexts and window.grid is not None:
            session.remove(window.grid)
            window.grid = None
        session.remove(context.feed)
