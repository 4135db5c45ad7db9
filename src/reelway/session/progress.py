"""How far a session is: a value, a callback, and a bar on the terminal."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TextIO

from reelway.errors import FilterError
from reelway.graph.link import Link
from reelway.graph.pid import Pid
from reelway.media.packet import Packet

if TYPE_CHECKING:
    from reelway.session.session import Session

__all__ = ["Meter", "Progress", "follow", "show_progress"]

INTERVAL_S = 0.25
SHOW_AFTER_S = 0.6
"""Work that takes less shows no bar."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a session is, in media time of the source that is furthest."""

    position_s: float | None
    """Seconds from the start of the media; None while nothing is known."""
    duration_s: float | None
    """Seconds of the longest source; None for live ones, and where the source does not say."""
    elapsed_s: float
    """Seconds since the session was made."""

    @property
    def fraction(self) -> float | None:
        """0 to 1; None where the duration is unknown."""
        if not self.duration_s or self.position_s is None:
            return None
        return min(1.0, self.position_s / self.duration_s)

    @property
    def speed(self) -> float | None:
        """Seconds of media per second; None where nothing is known yet."""
        if self.position_s is None or self.elapsed_s <= 0:
            return None
        return self.position_s / self.elapsed_s

    def __str__(self) -> str:
        words = [clock(self.position_s) + (f" of {clock(self.duration_s)}" if self.duration_s else "")]
        if self.fraction is not None:
            words.append(f"{self.fraction:.0%}")
        if self.speed is not None:
            words.append(pace(self.speed))
        return ", ".join(words)


class Meter:
    """Looks at the queues behind a session's sources now and then, and remembers what it saw.

    It costs the packets nothing: how far a stream is taken is read from the next packet in its queue, or,
    where the queue happens to be empty, from the packets counted and the frames that the source announced.
    It relies on the GIL: another thread may push and take meanwhile.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._starts: dict[Pid, int] = {}
        self._positions: dict[Pid, float] = {}

    def read(self) -> Progress:
        """What is known now."""
        pids = [pid for each in self._session.filters if not each.inputs for pid in tuple(each.opids)]
        durations = {pid: _seconds(pid.properties.get("Duration")) for pid in pids}
        self._positions = {pid: self._positions[pid] for pid in pids if pid in self._positions}
        self._starts = {pid: self._starts[pid] for pid in pids if pid in self._starts}
        for pid in pids:
            position = self._position(pid)
            if position is not None and position > self._positions.get(pid, 0.0):
                self._positions[pid] = position
        position = max((self._positions[pid] for pid in pids if pid in self._positions), default=None)
        duration = max((each for each in durations.values() if each), default=None)
        if duration and all(pid.ended for pid in pids) and self._session.completed:
            position = duration
        return Progress(position, duration, self._session.statistics().elapsed_s)

    def _position(self, pid: Pid) -> float | None:
        links = tuple(pid.links)
        if not links:
            return None
        timescale = pid.properties.get("Timescale")
        held = tuple(links[0].queue)
        packets = [each for each in held if isinstance(each, Packet) and each.dts is not None]
        if packets and timescale:
            start = self._starts.setdefault(pid, _first_dts(links[0], packets))
            next_one: int = packets[0].dts  # type: ignore[assignment]
            return float(next_one - start) / int(timescale)
        frames, duration = pid.properties.get("NumFrames"), _seconds(pid.properties.get("Duration"))
        if frames and duration:
            return duration * min(1.0, links[0].packets_out / int(frames))
        return None


def _first_dts(link: Link, packets: list[Packet]) -> int:
    """Where the stream began, reckoned back from the packets that are left in the queue [ticks]."""
    first: int = packets[0].dts  # type: ignore[assignment]
    last: int = packets[-1].dts  # type: ignore[assignment]
    step = (last - first) / (len(packets) - 1) if len(packets) > 1 else packets[0].duration or 0
    return first - round(link.packets_out * step)


def _seconds(duration: Any) -> float | None:
    return float(duration) if isinstance(duration, (int, float, Fraction)) and duration > 0 else None


def follow(session: Session, tell: Callable[[Progress], None], interval_s: float = INTERVAL_S) -> None:
    """Calls `tell(progress)` every `interval_s` on the session's thread, and once more after its end.

    It keeps nothing running: a session ends as it would without it. An exception of `tell` fails the session,
    as a FilterError.
    """

    def say() -> None:
        try:
            tell(session.progress())
        except Exception as cause:
            raise FilterError(
                f"on_progress() failed: {type(cause).__name__}: {cause}", filter="on_progress", cause=cause
            ) from cause

    def look() -> float:
        say()
        return interval_s

    session.watch(look, interval_s, at_end=say)


def show_progress(session: Session) -> None:
    """Draws a bar on stderr while `session` runs, once it has taken longer than a moment.

    Only where stderr is a terminal; elsewhere nothing is shown. The session ends as it would without it.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        return
    bar = _Bar()

    def draw() -> float | None:
        try:
            return bar.draw(session.progress())
        except OSError:  # the terminal was closed: what it showed is not worth the work
            bar.close()
            return None

    def end() -> None:
        with contextlib.suppress(OSError):
            bar.end(session.progress())

    session.watch(draw, SHOW_AFTER_S, at_end=end)


class _Bar:
    """A rich progress bar without its refresh thread: the session's thread draws it.

    It has a file of its own on the terminal: what a closed one did not take shall not be tried again when
    the interpreter ends.
    """

    def __init__(self) -> None:
        self._progress: Any = None
        self._task: Any = None
        self._terminal: TextIO | None = None

    def draw(self, progress: Progress) -> float:
        from rich.console import Console  # loaded only by what lasts long enough to be watched
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn
        from rich.progress import Progress as Bar

        if self._progress is None:
            self._terminal = open(  # noqa: SIM115 - close() closes it
                os.dup(sys.stderr.fileno()), "w", encoding=sys.stderr.encoding, errors="replace"
            )
            self._progress = Bar(
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("{task.fields[text]}"),
                console=Console(file=self._terminal),
                auto_refresh=False,
            )
            self._task = self._progress.add_task("", total=None, text="")
            self._progress.start()
        self._show(progress)
        return INTERVAL_S

    def end(self, progress: Progress) -> None:
        """The last state stays on the terminal, and the cursor comes back."""
        try:
            if self._progress is not None:
                self._show(progress)
        finally:
            self.close()

    def close(self) -> None:
        """Lets go of the terminal. Nothing is drawn after it."""
        bar, self._progress = self._progress, None
        with contextlib.suppress(OSError):
            if bar is not None:
                bar.stop()
        with contextlib.suppress(OSError):
            if self._terminal is not None:
                self._terminal.close()

    def _show(self, progress: Progress) -> None:
        fraction = progress.fraction
        of = f" / {clock(progress.duration_s)}" if progress.duration_s else ""
        speed = f"  {pace(progress.speed)}" if progress.speed is not None else ""
        self._progress.update(
            self._task,
            total=None if fraction is None else 1.0,
            completed=fraction or 0.0,
            text=f"{clock(progress.position_s)}{of}{speed}",
        )
        self._progress.refresh()


def pace(speed: float) -> str:
    """`1.00x`, `12.3x`, `240x`."""
    return f"{speed:.0f}x" if speed >= 100 else f"{speed:.3g}x"


def clock(seconds: float | None) -> str:
    """`1:02:03`, `2:03`, or `-` for None."""
    if seconds is None:
        return "-"
    minutes, left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
