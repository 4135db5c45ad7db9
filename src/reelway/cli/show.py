"""`play`, `view` and `cameras`: pictures on the screen, sound from the loudspeakers."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path
from typing import Any

from reelway import catalog
from reelway.cli.job import terminable
from reelway.cli.outcome import DONE, outcome_of
from reelway.cli.statistics import columns
from reelway.errors import UnsupportedError, redact
from reelway.filters.gate import Tempo
from reelway.graph.filter import Filter
from reelway.graph.link import Limits
from reelway.graph.option import Size
from reelway.graph.pid import Pid
from reelway.media.kinds import fit_value
from reelway.session.logs import set_logs
from reelway.session.session import Session

__all__ = ["Showing", "cameras", "play", "view"]

FRESH = Limits(packets=2, policy="latest")
"""Of what is live the newest is shown: who is late leaves pictures out, and they are counted."""
LIVE = ("live", "shared")
"""Sources that keep to a time of their own."""
STEP_S = 10.0
"""So far the arrow keys go."""
DEVICES = Path("/sys/class/video4linux")
QUERY = 0x80685600
"""VIDIOC_QUERYCAP, of Linux's <linux/videodev2.h>."""
CAPTURES = 0x00000001 | 0x00001000
"""V4L2_CAP_VIDEO_CAPTURE, and with several planes."""


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


def play(showing: Showing, *, threads: int | None, log: str | None, quiet: bool) -> int:
    """Shows one source, and plays its sound in step with it, until it ends or its window is closed."""
    with _session(threads, log, quiet) as session, terminable(session) as received:
        player = _Player(session, showing)
        session.run(progress=not quiet)
        if not player.shown and not received:
            there = "pictures nor sound" if showing.sound else "pictures, nor sound that was asked for"
            raise UnsupportedError(f"{redact(showing.urls[0])} has neither {there}")
    return outcome_of(received)


def view(showing: Showing, *, threads: int | None, log: str | None, quiet: bool) -> int:
    """Shows the pictures of several sources side by side, each as it comes, until all have ended."""
    with _session(threads, log, quiet) as session, terminable(session) as received:
        across = ceil(sqrt(len(showing.urls)))
        down = -(-len(showing.urls) // across)
        size = showing.pixels or Size(1280, 720)
        gates: dict[Filter, Filter] = {}
        for url in showing.urls:
            source = _load(session, url)
            session.chain(first := session.load("convert", format="yuv420p"), gate := session.load("gate"))
            source.select("#video1") >> first
            gates[source] = gate
        grid = session.load("grid", live=True, fps=showing.fps, size=size, columns=across, rows=down)
        for gate in gates.values():
            gate >> grid

        def look(pid: Pid) -> None:
            if pid.filter in gates:
                gates[pid.filter].update("sync", not _is_live(pid.filter))

        session.on_pid_new = look
        grid >> (window := showing.window(session))
        window.on_event_out = _Hands(session, window)  # type: ignore[attr-defined]
        session.run()
    return outcome_of(received)


def cameras() -> int:
    """Prints the cameras of this machine, a line each; says so where there is none."""
    if not sys.platform.startswith("linux"):
        raise UnsupportedError(
            "cameras are listed on Linux only", hint="elsewhere ffmpeg -list_devices true names them"
        )
    rows = [["device", "name"]]
    for entry in sorted(DEVICES.glob("video*"), key=lambda each: int(each.name[5:] or 0)):
        device = Path("/dev") / entry.name
        if _captures(device):
            rows.append([str(device), (entry / "name").read_text("utf-8", "replace").strip()])
    print("\n".join(columns(rows)) if rows[1:] else "no camera is on this machine")
    return DONE


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


class _Player:
    """Links the first picture stream and the first sound of a source, whenever they come."""

    def __init__(self, session: Session, showing: Showing) -> None:
        self._session, self._showing = session, showing
        self._source = _load(session, showing.urls[0])
        self._tempo = Tempo()
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

    def _window(self) -> Filter:
        window = self._showing.window(self._session)
        hands = _Hands if _is_live(self._source) else _Seeking
        window.on_event_out = hands(self._session, window)  # type: ignore[attr-defined]
        if _is_live(self._source):
            window.input_limits = FRESH
        return window

    def _link(self, stream: str, raw: str, sink: Filter) -> None:
        session = self._session
        between = [session.load(raw)]
        if not _is_live(self._source):
            between.append(session.load("gate", tempo=self._tempo))
        session.chain(*between, sink)
        self._source.select(stream) >> between[0]


def _session(threads: int | None, log: str | None, quiet: bool) -> Session:
    set_logs(f"all@{'quiet' if quiet else 'warning'}{':' + log if log else ''}")
    return Session(unlinked="ignore", threads=threads)


def _load(session: Session, url: str) -> Filter:
    """The filter that reads `url`: a file, an address, `shared:NAME`, or a filter with its options."""
    name, _, rest = url.partition(":")
    if name == "shared" and "=" not in rest:
        return session.load("shared", name=rest, policy="latest")
    if not os.path.exists(url) and (name in catalog.FILTERS or name in catalog.ALIASES):
        return session.load(url)
    return session.load_src("pipe:0" if url == "-" else url)


def _is_live(source: Filter) -> bool:
    if source.registry_name in LIVE:
        return not getattr(source, "ends", False)
    return bool(getattr(source, "live", False))


def _captures(device: Path) -> bool:
    """The device takes pictures; what only describes them does not."""
    import fcntl

    answer = bytearray(104)  # struct v4l2_capability; device_caps are its 22nd number
    try:
        with open(device, "rb", buffering=0) as opened:
            fcntl.ioctl(opened, QUERY, answer)
    except OSError:
        return os.path.exists(device)  # busy, or not ours: it is told all the same
    return bool(struct.unpack_from("<I", answer, 88)[0] & CAPTURES)
