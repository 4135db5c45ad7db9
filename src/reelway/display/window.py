"""`videosink`: pictures in a window."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from reelway.display.panel import GONE, Look, Panel
from reelway.display.pictureformat import INPUTS, picture_format, preferred
from reelway.display.stage import Stage, enter, leave
from reelway.errors import OpenError, StateError
from reelway.filters.frames import drain, frame_of
from reelway.graph.filter import Filter
from reelway.graph.link import Limits, Link
from reelway.graph.option import option
from reelway.media.layout import Array
from reelway.media.packet import Packet

__all__ = ["VideoSink"]

log = logging.getLogger("reelway.display")

MOST_WAITING = 2
"""Frames on their way to the window."""
CLOSE_S = 0.4
"""What was sent is shown within this, or the session goes on without waiting: less than its own patience."""
CLOSING_KEYS = ("q", "Escape")


class VideoSink(Filter):
    """Shows pictures in a window, each as soon as it comes; what keeps to the clock stands before it.

    Every frame is shown: the window asks for the next one when it has shown the last, and holds the session
    up meanwhile. 4:2:0 pictures of BT.601 and of limited BT.709 go to SDL as they are; others are converted
    before they come here. The window opens with the first picture's size and closes with the session.

    Who closes it, or presses q or Esc, ends the session as `stop()` does; with `on_close=stream` only this
    stream: its source hears Stop and the others go on. f is full screen. An application that sets
    `on_event_out` gets all of that instead.
    """

    registry_name = "videosink"
    thread = "own"
    inputs = INPUTS
    max_inputs = 1
    usual_limits = Limits(packets=3)

    title: str = option("", live=True, help="of the window; empty: the filter's name")
    width: int = option(
        0, low=0, high=16384, unit="pixels", live=True, help="of the window; 0: as the picture"
    )
    height: int = option(0, low=0, high=16384, unit="pixels", live=True, help="as width; one gives the other")
    x: int | None = option(
        None, kind=int | None, unit="pixels", live=True, help="of its left edge; unset: anywhere"
    )
    y: int | None = option(
        None, kind=int | None, unit="pixels", live=True, help="of its upper edge; unset: anywhere"
    )
    full_screen: bool = option(False, live=True, help="the whole screen, without borders")
    force_aspect: bool = option(
        True, live=True, help="keep the picture's shape, black beside it; off: fill the window"
    )
    on_close: str = option(
        "session", choices=("session", "stream"), help="what ends when the window is closed by hand"
    )
    renderer: str = option("", help="SDL's way to draw, such as software or opengl; empty: SDL chooses")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.on_event_out: Callable[[str, Mapping[str, Any]], None] | None = None
        """Called with what people do with the window, a kind and its fields (see `display.inputs`), on the
        session's thread. Where it is set the window itself does nothing about it."""
        self.closed_by_user = False
        self.shown = 0
        """Frames that were in the window."""
        self.dropped = 0
        """Frames that came after it was closed by hand."""
        self.last_shown: float | None = None
        """The time of the picture in the window [s of its stream]."""
        self._stage: Stage | None = None
        self._panels: list[Panel] = []
        """The window, once there is a picture."""
        self._finish: Callable[[], object] = lambda: None
        self._failure: Exception | None = None
        self._sent = 0
        """Frames given to the stage; written by the filter's thread, `_taken` by the stage's."""
        self._taken = 0

    # For the application, from any thread

    def snapshot(self) -> Array:
        """What the window shows now, borders too: (lines, columns, 3) uint8 RGB, a copy.

        Raises StateError where there is no window; DeadlineError where the display does not answer.
        """
        stage = self._stage
        if stage is None or not self._panels:
            raise StateError(f"{self.name} has no window", hint="it opens with the first picture")
        return stage.call(self._panels[0].snapshot)

    # The filter

    def preferred(self, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        return preferred(properties)

    def open(self) -> None:
        self._stage = enter()
        # a session that nobody closes leaves no window behind
        self._finish = finish = weakref.finalize(self, _finish, self._stage, self._panels)
        finish.atexit = False

    def configure(self, pid: Link) -> None:
        format = picture_format(pid.properties)
        pid.data = format
        stage = self._stage
        assert stage is not None  # since open()
        if self.closed_by_user:
            return
        if not self._panels:
            self._panels.append(stage.call(partial(Panel, stage, self._look(), format, _Told(self))))
        else:
            stage.post(partial(self._guarded, partial(self._panels[0].set_format, format)))
        self.status = f"{format.width}x{format.height} {format.name} on {stage.driver}"

    def process(self) -> float | None:
        self._raise_failure()
        if self.closed_by_user:
            self._discard()
            return None
        waiting = False
        for pid in self.ipids:
            room = self._sent - self._taken < MOST_WAITING
            if room and (packet := pid.get()) is not None and not packet.seek:
                self._send(packet, pid)
            waiting = waiting or pid.peek() is not None
        # the stage wakes it when it has room
        self.waits_outside = waiting
        return 0 if waiting and self._sent - self._taken < MOST_WAITING else None

    def updated(self, name: str) -> None:
        if self._stage is not None and self._panels:
            self._stage.post(partial(self._panels[0].set_look, self._look()))

    def close(self) -> None:
        stage, self._stage = self._stage, None
        if stage is None:
            return
        self._finish()
        if stage.users:  # others have windows; this one shall be gone all the same
            stage.wait(CLOSE_S)
        else:
            stage.join(CLOSE_S)
        self._raise_failure()  # of a last picture

    # Inside

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _send(self, packet: Packet, pid: Link) -> None:
        assert self._stage is not None
        ticks = packet.cts if packet.cts is not None else packet.dts
        timescale = pid.properties.get("Timescale")
        time_s = ticks / timescale if ticks is not None and timescale else None
        self._sent += 1
        self._stage.post(partial(self._show, frame_of(packet, pid.properties).planes(), time_s))

    def _show(self, planes: list[Array], time_s: float | None) -> None:
        """On the stage's thread."""
        if not self.closed_by_user:
            self._guarded(partial(self._panels[0].show, planes))
            self.shown += 1
            self.last_shown = time_s
        else:
            self.dropped += 1
        self._taken += 1
        self.wake()

    def _guarded(self, work: Callable[[], None]) -> None:
        """On the stage's thread; what fails there fails in the filter."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - process() raises it
            self._failure = error

    def _look(self) -> Look:
        size = self.width, self.height
        place = self.x, self.y
        return Look(
            self.title or self.name, *size, *place, self.full_screen, self.force_aspect, self.renderer
        )

    def _discard(self) -> None:
        for pid in self.ipids:
            before = len(pid)
            drain(self)
            self.dropped += before - len(pid)
        self.waits_outside = False

    def _on_input(self, kind: str, fields: Mapping[str, Any]) -> None:
        """On the session's thread; after its end, on any."""
        if self._stage is None:
            return
        if kind == GONE:
            self._lose_display()
        elif self.on_event_out is not None:
            self.on_event_out(kind, fields)
        elif kind == "close" or (kind == "key-press" and fields["key"] in CLOSING_KEYS):
            self._close_by_hand()
        elif kind == "key-press" and fields["key"] == "f":
            self.update("full_screen", not self.full_screen)

    def _close_by_hand(self) -> None:
        stage = self._stage
        if self.closed_by_user or stage is None:
            return
        self.closed_by_user = True
        self.status = "the window was closed"
        for panel in self._panels:
            stage.post(panel.close)
        if self.on_close == "session":
            self.context.end_session()
        self.wake()

    def _lose_display(self) -> None:
        self.status = "the display went away"
        if self.on_close == "session":
            self._failure = OpenError(
                f"{self.name}: the display went away", hint="on_close=stream lets the other streams go on"
            )
        else:
            log.warning("%s: the display went away; the other streams go on", self.name)
        self.closed_by_user = True
        self.wake()


def _finish(stage: Stage, panels: list[Panel]) -> None:
    for panel in panels:
        stage.post(panel.close)
    leave(stage)


class _Told:
    """What a panel tells: it does not keep the filter alive, which would keep the window open."""

    def __init__(self, filter: VideoSink) -> None:
        self._filter = weakref.ref(filter)

    def __call__(self, kind: str, fields: Mapping[str, Any]) -> None:
        """On the stage's thread; no code of a user runs there."""
        filter = self._filter()
        if filter is not None:
            filter.context.defer(partial(filter._on_input, kind, fields))
