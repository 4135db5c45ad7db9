"""`Recorder`: files that begin before the moment at which they were asked for."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakMethod

from reelway import catalog
from reelway.errors import OptionError, ReelwayError, StateError
from reelway.graph.filter import Filter, Output
from reelway.graph.pid import Pid
from reelway.record.attach import attach
from reelway.record.house import House
from reelway.record.media import container_of
from reelway.record.names import Filename, checked, path_of
from reelway.record.recording import Manner, Recording, RecordingInfo, Trigger
from reelway.record.segments import Segments
from reelway.record.states import RecorderState, follow

if TYPE_CHECKING:
    from reelway.record.host import Host

__all__ = ["Recorder"]

log = logging.getLogger("reelway.record")

WRITERS = ("mux", "encode")
"""Filters of a clip's session."""
SETTLE_S = 1.5
"""The end of a session waits so long for its files; they are completed all the same."""


class Recorder:
    """Keeps the last `before_s` of a stream, and writes them to a file with what comes until `after_s` later.

    session      the Session, or Application, whose stream it is; it may run already
    source       a filter, some of its streams (`source.video`), a PID, or a name; an application's element
    filename     the path of the next file: a function, or a template with {time}, {number} and {name}. What
                 is there already is not written over: the name then gets a number
    before_s     [s]; of a compressed stream from the keyframe before that on
    after_s      [s] from the last call of `record()` on
    exact        begin at the very picture: by an edit list in mp4 and mov, elsewhere by coding the clip anew
    live         packets are due when they come; None: as the source says. What is not live is slowed down to
                 real time
    ring_chain   elements in front of the ring, in an application: "queue ! capsfilter caps=..."
    record_chain elements between the ring and a file, likewise: "x264enc ! mp4mux"
    most_bytes   of what is kept before an event
    spill        a folder on whose disk the older part of a long pre-roll lies, of what is coded
    queue_bytes  that wait for the disk of one file; beyond them packets are dropped; what is not live waits
    min_free     bytes that stay free on the disk: with less no file is begun, and what is written ends
    keep_days, keep_bytes, keep_files
                 what is kept of the complete files of events in the folder of `filename`, when one more is:
                 the oldest go first. None: all of them. As much is kept of `segments`, and neither counts
                 for the other
    segments     the paths of files that are written all the time, as `filename`, beside those of events: each
                 begins with the first keyframe at or after a full `segment_s`, by the wall clock in UTC
    on_finished  called with path and RecordingInfo, in a thread of the recorder's
    on_failed    called with path and error, likewise; also where a file is complete, but ended early for want
                 of room

    Times are the session's. All methods may be called from any thread.
    """

    def __init__(
        self,
        session: Host | Any,
        source: Filter | Output | Pid | str,
        filename: Filename,
        *,
        before_s: float = 2.0,
        after_s: float = 2.0,
        exact: bool = False,
        live: bool | None = None,
        ring_chain: str = "",
        record_chain: str = "",
        most_bytes: int = 256 << 20,
        spill: str | os.PathLike[str] = "",
        queue_bytes: int = 64 << 20,
        min_free: int = 0,
        keep_days: float | None = None,
        keep_bytes: int | None = None,
        keep_files: int | None = None,
        segments: Filename = "",
        segment_s: float = 60.0,
        trigger: Callable[[Any, Any], Any] | None = None,
        on_finished: Callable[[str, RecordingInfo], None] | None = None,
        on_failed: Callable[[str, Exception], None] | None = None,
        name: str = "recorder",
    ) -> None:
        _check(before_s, after_s)
        if queue_bytes < 0 or min_free < 0:
            raise OptionError(
                f"queue_bytes is {queue_bytes} and min_free {min_free}", hint="neither may be below 0"
            )
        filename = checked(filename)
        segments = checked(segments) if segments else ""
        self.before_s = before_s
        self.after_s = after_s
        self.exact = exact
        self.name = name
        self.on_finished = on_finished
        self.on_failed = on_failed
        self._filename = filename
        self._queue_bytes = queue_bytes
        self._min_free = min_free
        limits = {"days": keep_days, "bytes": keep_bytes, "files": keep_files}
        self._house = House.of(filename, False, **limits)
        self._segments = segments
        self._segments_house = House.of(segments, True, **limits) if segments else None
        self._number = self._segment = 0
        for each in WRITERS:  # so that the first file begins at once
            catalog.find(each)
        self._lock = threading.RLock()
        self._settled = threading.Condition(self._lock)
        self._closed = False
        self._telling = 0
        """So many files are done of which `on_finished`, or `on_failed`, has not come back yet."""
        self._state = RecorderState.DETACHED
        self._current: Recording | None = None
        """The one that further calls make longer."""
        self._unfinished: list[Recording] = []
        self._continuous: list[Recording] = []
        """Segments that are not done; those neither make it busy nor change its state."""
        self._tape, self._make, self._write, host, self._take_out = attach(
            session,
            source,
            ring_chain,
            record_chain,
            seconds=before_s,
            most_bytes=most_bytes,
            live=live,
            spill=os.fspath(spill) or None,
        )
        self._host = host
        settle = WeakMethod(self._settle)  # the session keeps it beyond close()
        host.watch(lambda: -1.0, at_end=lambda: _called(settle()))
        self._tape.trigger = (
            None if trigger is None else lambda packet, pid: self._triggered(trigger, packet, pid)
        )
        if segments:
            if not callable(segments):
                container_of(path_of(segments, 1, name))
            self._tape.segments = Segments(segment_s, self._next_segment)
        self._tape.on_over = lambda: self._move(RecorderState.DETACHED)
        self._move(RecorderState.BUFFERING)

    # What it is asked for

    def record(
        self,
        metadata: Any = None,
        *,
        extend: bool = True,
        before_s: float | None = None,
        after_s: float | None = None,
    ) -> Recording:
        """Begins a file, or makes the one that is being recorded longer; returns at once.

        With `extend=False` it is a file of its own, whatever else is recorded. The sidecar has the `metadata`
        of each call. Raises StateError when nothing comes any more, and OptionError for a file name that says
        no container. With `after_s=math.inf` it goes on until `stop()`.
        """
        before_s = self.before_s if before_s is None else before_s
        after_s = self.after_s if after_s is None else after_s
        _check(before_s, after_s)
        with self._lock:
            if self._state is RecorderState.DETACHED:
                raise StateError(
                    f"{self.name} is attached to nothing", hint="its session is over, or it was closed"
                )
            now_s = self._tape.context.now()
            until_s = now_s + after_s
            current = self._current
            if extend and current is not None and self._tape.extend(current, until_s):
                current.triggers.append(Trigger.now(metadata))
                return current
            made = self._made(now_s - before_s, until_s, metadata)
            if extend:
                self._current = made
            self._unfinished.append(made)
            self._move(RecorderState.STARTING)
        self._tape.record(made)
        if not self._tape.ipids and until_s < math.inf:  # it gets no turn in which it could see that
            self._host.watch(self._tape.expire, after_s)
        return made

    def stop(self) -> None:
        """Ends what is being recorded at this moment; the files are completed in the background."""
        self._tape.cut()

    def close(self, timeout_s: float | None = 10.0) -> None:
        """`stop()`, then takes the recorder out of its session, and waits so long for its files.

        In the session's own thread it waits for nothing: the session has to go on until they are complete.
        """
        with self._lock:
            closed, self._closed = self._closed, True
        if not self._tape.over:
            self.stop()
        recordings = self.recordings
        if not (closed or self._tape.over):
            self._take_out()
        if not self._tape.opened:
            self._tape.finish_all()
        if self._tape.is_here and not self._tape.over:
            return
        for recording in recordings:
            recording.finished(timeout_s)

    def settled(self, timeout_s: float | None = None) -> bool:
        """Waits until all that was begun is done, and who asked was told; False: not after `timeout_s`."""
        with self._settled:
            return self._settled.wait_for(
                lambda: not (self._unfinished or self._continuous or self._telling), timeout_s
            )

    @property
    def state(self) -> RecorderState:
        """What it does at the moment; of several recordings the newest counts."""
        return self._state

    @property
    def busy(self) -> bool:
        """Something is being recorded, or written."""
        return bool(self._unfinished)

    @property
    def kept_bytes(self) -> int:
        """Of media that are kept for the next recording."""
        return self._tape.ring.bytes

    @property
    def recordings(self) -> list[Recording]:
        """Those that are not done."""
        with self._lock:
            return [*self._unfinished, *self._continuous]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # Inside

    def _made(self, start_s: float, until_s: float, metadata: Any) -> Recording:
        self._number += 1
        path = path_of(self._filename, self._number, self.name)
        return Recording(
            path, start_s, until_s, self._manner(self.exact, self._house), [Trigger.now(metadata)]
        )

    def _next_segment(self, start_s: float) -> Recording:
        with self._lock:
            self._segment += 1
            path = path_of(self._segments, self._segment, self.name)
            made = Recording(path, start_s, math.inf, self._manner(False, self._segments_house), [])
            self._continuous.append(made)
        return made

    def _manner(self, exact: bool, house: House | None) -> Manner:
        return Manner(
            self._make,
            self._changed,
            self._write,
            exact,
            not self._tape.live,
            self._queue_bytes,
            self._min_free,
            house,
        )

    def _triggered(self, trigger: Callable[[Any, Any], Any], packet: Any, pid: Any) -> None:
        found = trigger(packet, pid)
        if found is None or found is False:
            return
        try:
            self.record(None if found is True else found)
        except Exception as error:  # a full disk, a name, who makes names: the stream goes on
            log.error("%s: %s", self.name, error, exc_info=not isinstance(error, ReelwayError))
            if self.on_failed is not None:
                self.on_failed("", error)

    def _changed(self, recording: Recording) -> None:
        """A recording has begun, has all it gets, or is done."""
        with self._lock:
            mine = self._unfinished if recording.triggers else self._continuous
            if recording.done and recording in mine:
                mine.remove(recording)
            if recording.next is not None and not recording.next.done and recording.next not in mine:
                mine.append(recording.next)
            if self._state is not RecorderState.DETACHED:
                states = [each.state for each in self._unfinished]
                going = [state for state in states if state is not RecorderState.BUFFERING]
                if going and self._state is RecorderState.BUFFERING:
                    self._move(RecorderState.STARTING)
                self._move(going[-1] if going else RecorderState.BUFFERING)
            news = recording.done and not recording.told
            recording.told = recording.told or news
            self._telling += news
        if news:
            self._tell(recording)
        with self._settled:
            self._telling -= news
            self._settled.notify_all()

    def _settle(self) -> None:
        """The session is over: its files are complete when `run()` returns, where that is soon."""
        until_s = time.monotonic() + SETTLE_S
        for recording in self.recordings:
            recording.finished(max(0.0, until_s - time.monotonic()))

    def _tell(self, recording: Recording) -> None:
        try:
            if recording.info is not None and self.on_finished is not None:
                self.on_finished(recording.path, recording.info)
            if recording.error is not None and self.on_failed is not None:
                self.on_failed(recording.path, recording.error)
        except Exception:
            log.exception("%s: what it calls at the end of a file failed", self.name)

    def _move(self, state: RecorderState) -> None:
        with self._lock:
            self._state = follow(self._state, state)


def _check(before_s: float, after_s: float) -> None:
    if not (before_s >= 0 and after_s >= 0):
        raise OptionError(f"before_s is {before_s:g} and after_s {after_s:g}", hint="neither may be below 0")


def _called(settle: Callable[[], None] | None) -> None:
    if settle is not None:
        settle()
