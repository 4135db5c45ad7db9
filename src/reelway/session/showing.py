"""Pictures on the screen with their sound, from whatever shows some: what `reelway play` and `view` do.

Sound and pictures keep to one clock. What is live goes to the screen as soon as it comes where it has no
sound; else each picture waits for its sound, which is on its way to the device for a tenth of a second.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

from reelway.errors import UnsupportedError, redact
from reelway.filters.tempo import SOUND_LEAD_S, Following, Tempo
from reelway.graph.filter import Filter
from reelway.graph.link import Limits
from reelway.graph.option import Size
from reelway.graph.pace import keeps_pace
from reelway.graph.pid import Pid
from reelway.media.addresses import device_of, live_protocol
from reelway.media.kinds import fit_value
from reelway.session.loading import load_word
from reelway.session.session import Session

__all__ = ["Player", "Showing", "Viewer"]

WAITING = Limits(packets=25, bytes=512 << 20, policy="drop_oldest")
"""Pictures of what is live that wait for their sound."""
STEP_S = 10.0
"""So far the arrow keys go."""


@dataclass(frozen=True, slots=True)
class Showing:
    """What to show, and how."""

    urls: Sequence[str]
    sound: bool = True
    size: str = ""
    """Of the window: 1280x720; empty: as the picture, a grid 1280x720."""
    fps: int = 25
    """Of a grid."""
    full_screen: bool = False

    @property
    def pixels(self) -> Size | None:
        """`size`, read. Raises OptionError."""
        size: Size | None = fit_value(Size, self.size) if self.size else None
        return size

    def window(self, session: Session) -> Filter:
        """The window, not linked yet."""
        titles = [redact(url) for url in self.urls]  # before it is cut: a password hides in a whole address
        title = ", ".join(os.path.basename(each.rstrip("/")) or each for each in titles)
        width, height = self.pixels or (0, 0)
        return session.load(
            "videosink", title=title, width=width, height=height, full_screen=self.full_screen
        )


class Player:
    """Shows the first picture stream of a source and plays its first sound, whenever they come."""

    def __init__(self, session: Session, showing: Showing) -> None:
        self._session, self._showing = session, showing
        self._source = _load(session, showing.urls[0])
        self._tempo: Tempo | None = None
        self._gates: list[Filter] = []
        self.shown: set[str] = set()
        session.on_pid_new = self._look

    def _look(self, pid: Pid) -> None:
        kind = pid.properties.get("StreamType")
        if pid.filter is not self._source or kind in self.shown:
            return
        if kind == "Visual":
            self.shown.add(kind)
            self._link("#video1", "rawvideo", self._window())
        elif kind == "Audio" and self._showing.sound:
            self.shown.add(kind)
            self._link("#audio1", "rawaudio", self._session.load("audiosink"))
            assert self._tempo is not None  # made with the gate
            self._tempo.set_lead(SOUND_LEAD_S)
            for gate in self._gates:
                gate.update("sync", True)

    def _window(self) -> Filter:
        window = self._showing.window(self._session)
        hands = _Hands if keeps_pace(self._source) else _Seeking
        window.on_event_out = hands(self._session, window)  # type: ignore[attr-defined]
        return window

    def _link(self, stream: str, raw: str, sink: Filter) -> None:
        session, live = self._session, keeps_pace(self._source)
        if self._tempo is None:
            self._tempo = Following() if live else Tempo()
        gate = session.load("gate", tempo=self._tempo, sync=not live or "Audio" in self.shown)
        gate.inputs = sink.inputs  # type: ignore[misc]  # converted before it waits, not after
        gate.preferred = sink.preferred  # type: ignore[method-assign]
        if live and raw == "rawvideo":
            gate.input_limits = WAITING
        self._gates.append(gate)
        session.chain(first := session.load(raw), gate, sink)
        self._source.select(stream) >> first

    def check(self) -> None:
        """At the end: raises UnsupportedError where there was nothing to be seen or heard."""
        if not self.shown:
            there = "pictures nor sound" if self._showing.sound else "pictures, nor sound that was asked for"
            raise UnsupportedError(f"{redact(self._showing.urls[0])} has neither {there}")


class Viewer:
    """Shows the pictures of several sources side by side, each as it comes, until all have ended.

    A camera that is not there beside others is tried again until it is.
    """

    def __init__(self, session: Session, showing: Showing) -> None:
        self._gates: dict[Filter, Filter] = {}
        patience = {"retry": -1} if len(showing.urls) > 1 else {}
        for url in showing.urls:
            source = _load(session, url, **patience if _is_network(url) else {})
            # one picture has one matrix and one range, whatever its parts had
            first = session.load("convert", format="yuv420p", matrix="bt709", full_range=False)
            session.chain(first, gate := session.load("gate"))
            source.select("#video1") >> first
            self._gates[source] = gate
        across = ceil(sqrt(len(showing.urls)))
        grid = session.load(
            "grid",
            live=True,
            fps=showing.fps,
            size=showing.pixels or Size(1280, 720),
            columns=across,
            rows=-(-len(showing.urls) // across),
        )
        grid.reserved = gates = list(self._gates.values())  # type: ignore[attr-defined]  # whoever comes first
        for gate in gates:
            gate >> grid
        grid >> (window := showing.window(session))
        window.on_event_out = _Hands(session, window)  # type: ignore[attr-defined]
        session.on_pid_new = self._look

    def _look(self, pid: Pid) -> None:
        """Whether a source keeps to the clock by itself is known when it is there."""
        if pid.filter in self._gates:
            self._gates[pid.filter].update("sync", not keeps_pace(pid.filter))


class _Hands:
    """What keys and the mouse do: q, Esc or the cross end it, f is full screen, the space bar is a pause."""

    def __init__(self, session: Session, window: Filter) -> None:
        self._session, self._window = session, window
        self._paused = False

    def __call__(self, kind: str, fields: Mapping[str, Any]) -> None:
        if kind == "close":
            self._session.stop("fast")
        elif kind == "key-press" and (act := self.keys().get(fields["key"])) is not None:
            act()

    def keys(self) -> dict[str, Callable[[], None]]:
        """Key -> what it does."""
        window, stop = self._window, lambda: self._session.stop("fast")
        return {
            "q": stop,
            "Escape": stop,
            "f": lambda: window.update("full_screen", not window.full_screen),  # type: ignore[attr-defined]
            "Space": self._pause,
        }

    def _pause(self) -> None:
        self._paused = not self._paused
        (self._session.pause if self._paused else self._session.resume)()


class _Seeking(_Hands):
    """The arrow keys go back and on, too."""

    def keys(self) -> dict[str, Callable[[], None]]:
        return {**super().keys(), "Left": lambda: self._go(-STEP_S), "Right": lambda: self._go(STEP_S)}

    def _go(self, by_s: float) -> None:
        at_s = self._session.progress().position_s or 0.0
        self._session.play(max(0.0, at_s + by_s))


def _is_network(url: str) -> bool:
    return live_protocol(url) is not None and device_of(url) is None


def _load(session: Session, url: str, **options: Any) -> Filter:
    """What another process shares is shown as it is now."""
    if url.startswith("shared:") and "=" not in url:
        options["policy"] = "latest"
    return load_word(session, url, **options)
