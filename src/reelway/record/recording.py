"""A recording: what `record()` gives, and what becomes of it: one file.

It is written by a session of its own, in a thread of its own: a disk that is slow, or an encoder, holds up
neither the stream nor other recordings.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from reelway.errors import DeadlineError, FormatError, OpenError, ReelwayError
from reelway.record.disk import PART, Disk, sha256
from reelway.record.media import codings, container_of
from reelway.record.replay import Replay
from reelway.record.ring import Kept, Stream
from reelway.record.states import RecorderState

if TYPE_CHECKING:
    from reelway.record.host import Host

__all__ = ["Recording", "RecordingInfo", "Trigger"]

log = logging.getLogger("reelway.record")

Writing = Callable[["Host", Replay, Disk], None]
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

    def sidecar(self) -> dict[str, Any]:
        """For JSON."""
        return {name: _said(getattr(self, name)) for name in self.__slots__}


def _said(value: Any) -> Any:
    if isinstance(value, tuple):
        return [{name: _said(each) for name, each in trigger._asdict().items()} for trigger in value]
    return value.isoformat() if isinstance(value, datetime) else value


class Recording:
    """One file, from `start_s` to `until_s` of the session's clock; the latter may still move.

    path       of the file when it is complete; until then `.part` is behind it
    triggers   the calls of `record()`
    info       what has become of it; None until it is done, or where it failed
    error      why it failed; what was written by then can be played, under its name with `.part`
    """

    def __init__(
        self,
        path: str,
        start_s: float,
        until_s: float,
        *,
        make: Callable[[], Host],
        exact: bool = False,
        metadata: Any = None,
        most_bytes: int = 64 << 20,
        lossless: bool = False,
        write: Writing | None = None,
        changed: Callable[[Recording], None] = lambda _: None,
    ) -> None:
        """`write` links the clip's source to its file: by default through a muxer, and encoders where needed.

        `changed` is called, in any thread, when it has begun, has all, and is done. Raises OptionError.
        """
        self.path = path
        self.start_s = start_s
        self.until_s = until_s
        self.exact = exact
        self.triggers = [Trigger.now(metadata)]
        self.lossless = lossless
        """Its tape waits when its disk is slow; else packets are dropped, and counted."""
        self.info: RecordingInfo | None = None
        self.error: ReelwayError | None = None
        self.dropped = 0
        self._container = container_of(path)
        self._make = make
        self._link = write or self._link_to
        self._most_bytes = most_bytes
        self._changed = changed
        self._replay: Replay | None = None
        self._finishing = False
        self._begun = threading.Event()
        self._done = threading.Event()
        self._skipping: set[Stream] = set()
        """Streams of which something was dropped: they go on at a keyframe."""
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
        return self._replay is not None and self._replay.waiting > self._most_bytes

    def begin(
        self, first: list[Kept], streams: Iterable[Stream], now_s: float, room: Callable[[], None]
    ) -> None:
        """With what there is already; `first` is not empty. `room()` is called when something was written."""
        head = next((kept for kept in first if kept.stream.picture), first[0])
        start_s = head.media_s + (self.start_s - head.due_s if self.exact else 0.0)
        if self.exact and head.due_s > self.start_s:  # there is nothing before
            start_s = head.media_s
        if (taken_ns := head.packet.capture_time) is not None:
            self._wall_s = taken_ns / 1e9 + (start_s - head.media_s)
        else:
            self._wall_s = time.time() - (now_s - head.due_s) + (start_s - head.media_s)
        self._replay = Replay(streams, start_s)
        self._replay.on_taken = lambda: self._taken(room)
        self._most_bytes += sum(kept.packet.size for kept in first)
        for kept in first:
            self._replay.give(kept)
        self._codings = codings(self._container, streams, self.exact and head.media_s < start_s)
        threading.Thread(
            target=self._write, name=f"reelway-{os.path.basename(self.path)}", daemon=True
        ).start()
        _unfinished.add(self)

    def give(self, kept: Kept) -> None:
        """One more packet. Where the disk is too slow it is dropped, with what follows up to a keyframe."""
        assert self._replay is not None
        if self.full and not self.lossless:
            self._skipping.add(kept.stream)
        if kept.stream in self._skipping:
            if self.full or not kept.start:
                self.dropped += 1
                return
            self._skipping.discard(kept.stream)
        self._replay.give(kept)

    def finish(self) -> None:
        """That was all."""
        self._finishing = True
        if self._replay is not None:
            self._replay.give(None)
            self._changed(self)
        elif not self.done:
            self._fail(
                FormatError(f"{self.path}: nothing came that could be recorded", hint="does its source send?")
            )
            self._end()

    # Its own thread

    def _taken(self, room: Callable[[], None]) -> None:
        if not self._begun.is_set():
            self._begun.set()
            self._changed(self)
        room()

    def _write(self) -> None:
        disk = None
        try:
            disk = Disk(self.path)
            self._run(disk)
            self._publish(disk)
        except ReelwayError as error:
            self._fail(error)
        except OSError as error:
            self._fail(OpenError(f"{self.path}: {error.strerror}", url=self.path, errno=error.errno))
        except BaseException as error:  # a fault of ours must not look like a recording that goes on
            self._fail(FormatError(f"{self.path}: {type(error).__name__}: {error}"))
            raise
        finally:
            if disk is not None:
                disk.close()
            self._end()

    def _run(self, disk: Disk) -> None:
        assert self._replay is not None
        with self._make() as session:
            session.add(self._replay)
            self._link(session, self._replay, disk)
            session.run()
        if disk.failure is not None:
            raise disk.failure

    def _link_to(self, session: Host, replay: Replay, disk: Disk) -> None:
        container = self._container
        for kind, codec in self._codings.items():
            log.info("%s: %s is coded with %s", self.path, kind, codec)
        replay >> session.load_dst(disk, format=container.name, ffmpeg=container.ffmpeg, **self._codings)

    def _publish(self, disk: Disk) -> None:
        assert self._replay is not None
        assert self._wall_s is not None
        start = datetime.fromtimestamp(self._wall_s, UTC)
        duration_s = round(self._replay.end_s, 6)
        self.info = info = RecordingInfo(
            self.path,
            start,
            start + timedelta(seconds=duration_s),
            duration_s,
            self._replay.packets,
            self.dropped,
            os.path.getsize(self.path + PART),
            self._codings,
            tuple(self.triggers),
            sha256(self.path + PART),
        )
        try:
            disk.publish(info.sidecar())
        except BaseException:
            self.info = None
            raise

    def _fail(self, error: ReelwayError) -> None:
        self.error = error
        log.error("%s", error)

    def _end(self) -> None:
        _unfinished.discard(self)
        self._done.set()
        self._begun.set()
        self._changed(self)


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
