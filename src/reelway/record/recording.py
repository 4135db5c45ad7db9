"""A recording: what `record()` gives, and what becomes of it: one file.

It is written by a session of its own, in a thread of its own: a disk that is slow, or an encoder, holds up
neither the stream nor other recordings.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import errno
import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from reelway.errors import DeadlineError, FormatError, OpenError, ReelwayError
from reelway.record.disk import PART, Disk, is_published, is_taken, release, reserve, sha256
from reelway.record.house import House
from reelway.record.media import codings, container_of, goes_on
from reelway.record.mp4 import lengthen
from reelway.record.plain import plain
from reelway.record.replay import Replay
from reelway.record.ring import SLACK_S, Kept, Stream
from reelway.record.states import RecorderState

if TYPE_CHECKING:
    from reelway.record.host import Host

__all__ = ["Manner", "Recording", "RecordingInfo", "Trigger"]

log = logging.getLogger("reelway.record")

Writing = Callable[["Host", Replay, Disk], None]
MOST_EARLY = 1000
"""Packets of sound wait for the pictures beside them."""
NAMES = 100
"""So many are tried for a file, where other processes take them."""
END_S = 10.0
"""The end of the process waits so long for files that are being written."""


class Trigger(NamedTuple):
    """A call of `record()`: when (UTC), and what it gave."""

    time: datetime
    metadata: Any

    @classmethod
    def now(cls, metadata: Any) -> Trigger:
        return cls(datetime.now(UTC), metadata)


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """What a recording has become; also what its sidecar says.

    start, end   wall clock of its first picture and its end, UTC: the camera's where that tells it
    duration_s   of the media in it
    packets      written, of all streams
    dropped      packets that were left out, as its disk was too slow
    coded        kind of stream -> what it was coded to; the others are as they came
    triggers     the calls of `record()`
    next         the file in which it goes on, where it does
    error        why it ended before its time, though it is complete: as little room was left
    segment      one of those that are written all the time
    """

    path: str
    start: datetime | None
    end: datetime | None
    duration_s: float
    packets: int
    dropped: int
    bytes: int
    coded: Mapping[str, str] = field(default_factory=dict)
    triggers: tuple[Trigger, ...] = ()
    sha256: str = ""
    next: str = ""
    error: str = ""
    segment: bool = False

    def sidecar(self) -> dict[str, Any]:
        """For JSON."""
        return {name: _said(getattr(self, name)) for name in self.__slots__}


def _said(value: Any) -> Any:
    if isinstance(value, tuple):
        return [{"time": each.time.isoformat(), "metadata": plain(each.metadata)} for each in value]
    return value.isoformat() if isinstance(value, datetime) else value


@dataclass(frozen=True, slots=True)
class Manner:
    """How a recorder writes its files.

    make         a new session
    changed      called, in any thread, when a recording has begun, has all, and is done
    write        links the source of a file to it; None: through a muxer, and encoders where needed
    exact        begin at the very picture
    lossless     the tape waits when the disk is slow; else packets are dropped, and counted
    most_bytes   that wait for the disk
    min_free     bytes that stay free there
    house        what is done with old files, each time that one is complete
    """

    make: Callable[[], Host]
    changed: Callable[[Recording], None]
    write: Writing | None = None
    exact: bool = False
    lossless: bool = False
    most_bytes: int = 64 << 20
    min_free: int = 0
    house: House | None = None


class Recording:
    """One file, from `start_s` to `until_s` of the session's clock; the latter may still move.

    path       of the file when it is complete; until then `.part` is behind it. It is certain once that has
               `begun`: a name that another process takes until then gets a number
    triggers   the calls of `record()`
    info       what has become of it; None until it is done, or where it failed
    error      why it failed; what was written by then can be played, under its name with `.part`. With an
               `info`: why it ended before its time
    next       where it goes on, after a change of the stream that no file can hold, as of its size
    """

    def __init__(
        self,
        path: str,
        start_s: float,
        until_s: float,
        manner: Manner,
        triggers: list[Trigger],
    ) -> None:
        """A `path` that is taken gets a number. Raises OptionError where it says no container."""
        self._container = container_of(path)
        self.path = reserve(path)
        self.start_s = start_s
        self.until_s = until_s
        self.manner = manner
        self.triggers = triggers
        self.info: RecordingInfo | None = None
        self.error: ReelwayError | None = None
        self.dropped = 0
        self.next: Recording | None = None
        self.told = False
        """Who asked for it was told of its end; the recorder's."""
        self._begun_as: dict[Stream, Mapping[str, Any]] = {}
        """What the streams were when the file began."""
        self._most_bytes = manner.most_bytes
        self._replay: Replay | None = None
        self._disk: Disk | None = None
        self._told = 0
        """Triggers that are known even after a crash."""
        self._room: Callable[[], None] = lambda: None
        self._finishing = False
        self._begun = threading.Event()
        self._done = threading.Event()
        self._skipping: set[Stream] = set()
        """Streams of which something was dropped: they go on at a keyframe."""
        self._jumped: set[Stream] = set()
        """Streams that go on from elsewhere since the file began: another one takes what comes."""
        self._stale: set[Stream] = set()
        """Streams that have yet to jump to where the file began."""
        self._restarts = 0
        """Of the stream that the file began with."""
        self._heads: dict[Stream, float | None] = {}
        """Where the first picture of each stream lies on its timeline, as long as leading ones may come."""
        self._early: deque[Kept] = deque(maxlen=MOST_EARLY)
        """Sound that has jumped, until the pictures do."""
        self._wall_s: float | None = None
        """Of what lies at the clip's 0 [s since 1970]."""

    # For who asked for it

    @property
    def begun(self) -> bool:
        """Its file is there, and grows."""
        return self._begun.is_set()

    @property
    def done(self) -> bool:
        """The file is complete and has its name, or there is an `error`."""
        return self._done.is_set()

    @property
    def state(self) -> RecorderState:
        """starting, recording or finishing; buffering when it is done."""
        if self.done:
            return RecorderState.BUFFERING
        if self._finishing:
            return RecorderState.FINISHING
        return RecorderState.RECORDING if self.begun else RecorderState.STARTING

    def wait(self, timeout_s: float | None = None) -> RecordingInfo:
        """Until it is done. Raises DeadlineError, and what made it fail."""
        return self._result(self._done.wait(timeout_s), timeout_s)

    def finished(self, timeout_s: float | None = None) -> bool:
        """Waits until it is done; False: it is not, after `timeout_s`."""
        return self._done.wait(timeout_s)

    async def wait_async(self, timeout_s: float | None = None) -> RecordingInfo:
        """`wait()` for asyncio."""
        return self._result(await asyncio.to_thread(self._done.wait, timeout_s), timeout_s)

    def wait_begun(self, timeout_s: float | None = None) -> None:
        """Until its file is there. Raises DeadlineError, and what made it fail."""
        if not self._begun.wait(timeout_s):
            raise DeadlineError(f"{self.path} has not begun after {timeout_s:g} s")
        if self.error is not None and self.info is None:
            raise self.error

    def _result(self, done: bool, timeout_s: float | None) -> RecordingInfo:
        if not done:
            raise DeadlineError(f"{self.path} is not complete after {timeout_s:g} s")
        if self.info is None:
            assert self.error is not None
            raise self.error
        return self.info

    # For the tape, on one thread

    @property
    def fed(self) -> bool:
        """It gets packets."""
        return self._replay is not None

    @property
    def full(self) -> bool:
        """As much as may be waits for its disk."""
        if self.next is not None:
            return self.next.full
        return self._replay is not None and not self.closed and self._replay.waiting > self._most_bytes

    @property
    def closed(self) -> bool:
        """It takes no more: it has all, or has failed."""
        if self.next is not None:
            return self.next.closed
        return self.done or (self._replay is not None and self._replay.over)

    def begin(
        self, first: list[Kept], streams: Iterable[Stream], now_s: float, room: Callable[[], None]
    ) -> None:
        """With what there is already; `first` is not empty. `room()` is called when something was written."""
        head = next((kept for kept in first if kept.stream.picture), first[0])
        start_s = head.media_s
        if self.manner.exact and head.due_s < self.start_s:
            start_s += self.start_s - head.due_s
        taken_ns = head.packet.capture_time
        head_s = time.time() - (now_s - head.due_s) if taken_ns is None else taken_ns / 1e9
        self._wall_s = head_s + start_s - head.media_s
        for kept in first:
            self._begun_as.setdefault(kept.stream, kept.properties)
        for stream in streams:
            self._begun_as.setdefault(stream, stream.properties)
        self._restarts = head.stream.restarts
        self._stale = {stream for stream in self._begun_as if stream.restarts < self._restarts}
        self._jumped = {stream for stream in self._begun_as if stream.restarts > self._restarts}
        self._room = room
        self._most_bytes += sum(kept.packet.size for kept in first)
        self._codings = codings(self._container, self._begun_as.values(), head.media_s < start_s)
        self._replay = Replay(self._begun_as, start_s, self._taken)
        threading.Thread(
            target=self._write, name=f"reelway-{os.path.basename(self.path)}", daemon=True
        ).start()
        _unfinished.add(self)
        for kept in first:
            self._pass(kept)

    def give(self, kept: Kept) -> None:
        """One more packet. Where the disk is too slow it is dropped, with what follows up to a keyframe."""
        if self.closed:
            return
        if self.full and not self.manner.lossless:
            self._skipping.add(kept.stream)
        if kept.stream in self._skipping:
            if self.full or not kept.start:
                self.dropped += 1
                return
            self._skipping.discard(kept.stream)
        self._pass(kept)

    def jump(self, stream: Stream) -> None:
        """What comes of `stream` from here on comes from elsewhere, as after a seek."""
        if self.next is not None:
            self.next.jump(stream)
        elif stream.restarts <= self._restarts:
            self._stale.discard(stream)
        else:
            self._jumped.add(stream)

    def finish(self) -> None:
        """That was all."""
        if self.next is not None:
            self.next.finish()
        elif self._replay is not None:
            if not self.closed:
                self._close()
        elif not self.done:
            self._fail(
                FormatError(f"{self.path}: nothing came that could be recorded", hint="does its source send?")
            )
            self._end()

    def _pass(self, kept: Kept) -> None:
        assert self._replay is not None
        begun = self._begun_as.get(kept.stream, kept.properties)
        if self.next is not None:
            self.next.give(kept)
        elif kept.stream in self._stale:
            return
        elif kept.stream in self._jumped:
            if kept.start and (kept.stream.picture or not any(each.picture for each in self._begun_as)):
                self._go_on(kept, "goes on from elsewhere")
            elif not kept.stream.picture:
                self._early.append(kept)
        elif goes_on(self._container, begun, kept.properties):
            if not self._is_leading(kept):
                self._replay.give(kept)
        else:
            self._go_on(kept, "has changed")

    def _is_leading(self, kept: Kept) -> bool:
        """It is shown before the keyframe that it comes behind, and needs others that are not in the file."""
        head_s = self._heads.setdefault(kept.stream, kept.media_s) if kept.stream.picture else None
        if head_s is None:
            return False
        if kept.media_s < head_s - SLACK_S and not kept.start:
            return True
        if kept.media_s > head_s or (kept.start and kept.media_s < head_s):
            self._heads[kept.stream] = None  # all that follows can be decoded, whatever its time
        return False

    def _go_on(self, kept: Kept, why: str) -> None:
        """In another file, from a packet on."""
        log.info("%s: its stream %s, and so it is continued in another file", self.path, why)
        self.next = Recording(self.path, kept.due_s, self.until_s, self.manner, self.triggers)
        self.next.begin([*self._early, kept], self._begun_as, kept.due_s, self._room)
        self._close()

    def _close(self, now: bool = False) -> None:
        """The file has all that it gets; `now`, on the thread that writes: not even what still waits."""
        assert self._replay is not None
        self._finishing = True
        if now:
            self._replay.stop()
        else:
            self._replay.give(None)
        self.manner.changed(self)

    # Its own thread

    def _taken(self) -> None:
        if not self._begun.is_set():
            self._begun.set()
            self.manner.changed(self)
        assert self._disk is not None
        if self.error is None and (short := self._disk.short()) is not None:
            self._fail(short)
            self._close(True)
        elif self._told != len(self.triggers):
            with contextlib.suppress(OSError):  # the file itself will tell
                self._disk.say(self._known())
        self._room()

    def _write(self) -> None:
        try:
            self._disk = self._opened()
            self._run(self._disk)
            self._publish(self._disk)
        except (ReelwayError, OSError) as error:
            self._fail(error)
        except BaseException as error:  # a fault of ours must not look like a recording that goes on
            self._fail(FormatError(f"{self.path}: {type(error).__name__}: {error}"))
            raise
        finally:
            if self._disk is not None:
                self._disk.close()
            if self.info is not None and self.manner.house is not None:
                self.manner.house.tidy(self.path)
            self._end()

    def _opened(self) -> Disk:
        """Its file. Another process may have taken the name since it was reserved: then it gets a number."""
        for _ in range(NAMES):
            try:
                return Disk(self.path, self._known(), min_free=self.manner.min_free)
            except OpenError as error:
                if error.errno != errno.EEXIST or not is_taken(self.path):
                    raise
            self._give_way()
        raise OpenError(f"{self.path}: all its names are taken", url=self.path, errno=errno.EEXIST)

    def _give_way(self) -> None:
        """Its name is another file's by now."""
        taken, self.path = self.path, reserve(self.path, patient=True)
        release(taken)
        log.info("%s is taken by now: it becomes %s", taken, self.path)

    def _known(self) -> dict[str, Any]:
        """What a sidecar can say of a file whose end is not known."""
        assert self._wall_s is not None
        self._told = len(self.triggers)
        return {
            "start": _said(datetime.fromtimestamp(self._wall_s, UTC)),
            "container": self._container.name,
            "coded": self._codings,
            "triggers": _said(tuple(self.triggers)),
            "segment": not self.triggers,
        }

    def _run(self, disk: Disk) -> None:
        assert self._replay is not None
        with self.manner.make() as session:
            session.add(self._replay)
            (self.manner.write or self._link)(session, self._replay, disk)
            session.run()
        if self._container.edits and self.manner.write is None:
            lengthen(disk, self._replay.picture_ends_s)
        if disk.failure is not None:
            raise disk.failure

    def _link(self, session: Host, replay: Replay, disk: Disk) -> None:
        container = self._container
        for kind, codec in self._codings.items():
            log.info("%s: %s is coded with %s", self.path, kind, codec)
        replay.in_band = container.name == "mpegts" and "video" not in self._codings
        replay >> session.load_dst(disk, format=container.name, ffmpeg=container.ffmpeg, **self._codings)

    def _publish(self, disk: Disk) -> None:
        assert self._replay is not None
        assert self._wall_s is not None
        start = datetime.fromtimestamp(self._wall_s, UTC)
        duration_s = round(self._replay.end_s, 6)
        if is_published(self.path):
            self._give_way()
        self.info = info = RecordingInfo(
            self.path,
            start,
            start + timedelta(seconds=duration_s),
            duration_s,
            self._replay.packets,
            self.dropped,
            os.path.getsize(disk.part),
            self._codings,
            tuple(self.triggers),
            sha256(disk.part),
            self.next.path if self.next is not None else "",
            str(self.error or ""),
            not self.triggers,
        )
        try:
            disk.publish(info.sidecar(), self.path)
        except BaseException:
            self.info = None
            raise

    def _fail(self, error: ReelwayError | OSError) -> None:
        told: BaseException | None = error
        if self._disk is not None and (self._disk.failure or not isinstance(error, ReelwayError)):
            told = self._disk.trouble(error if isinstance(error, OSError) else None)
        self.error = told if isinstance(told, ReelwayError) else OpenError(f"{self.path}: {error}")
        log.error("%s%s", self.error, f" ({self.error.hint})" if self.error.hint else "")

    def _end(self) -> None:
        release(self.path)
        _unfinished.discard(self)
        self._done.set()
        self._begun.set()
        self._room()
        self.manner.changed(self)


_unfinished: weakref.WeakSet[Recording] = weakref.WeakSet()


@atexit.register
def _wait_for_all() -> None:
    """What was recorded is written before the process goes."""
    until_s = time.monotonic() + END_S
    for recording in tuple(_unfinished):
        recording.finish()
    for recording in tuple(_unfinished):
        if not recording._done.wait(max(0.0, until_s - time.monotonic())):
            log.error("%s%s is not complete: its disk is too slow", recording.path, PART)
