"""`VideoRecorder`: clips around events, from before them. Never here: media work."""

from __future__ import annotations

import enum
import os
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from reelway.compat.gst.bins import Pipeline
from reelway.compat.pythiags.recorder.record_bin import RecordBin
from reelway.compat.pythiags.recorder.ring_buffer import RingBuffer
from reelway.errors import DeadlineError
from reelway.record import Recorder, Recording, RecordingInfo

__all__ = ["RecordBin", "RingBuffer", "States", "VideoRecorder"]

BEGIN_S = 10.0
"""`record()` waits so long by itself."""


class States(enum.IntFlag):
    """What a recorder does; `DETTACHED` is pythiags' spelling."""

    DETTACHED = 0
    BUFFERING = 1
    STARTING = 2
    RECORDING = 4
    FINISHING = 8


class VideoRecorder:
    """Records clips of what an element of a running pipeline puts out, each from `window_size_sec` before the
    first call of `record()` to as long after the last one.

    pipeline             the Gst.Pipeline, as `Standalone.pipeline` has it; it plays
    src_tee_name         the element
    filename_generator   gives the path of each file; its ending says the container
    timeout_sec          taken, and without effect: nothing is polled
    ring_buffer_cls      a RingBuffer with other elements in front of the ring
    record_bin_cls       a RecordBin with other elements between the ring and the file
    on_video_finished    called with the path of each file that is complete

    Raises UnknownNameError where there is no such element.
    """

    RING_BUFFER_CLS: type[RingBuffer] = RingBuffer
    RECORD_BIN_CLS: type[RecordBin] = RecordBin

    def __init__(
        self,
        pipeline: Pipeline,
        src_tee_name: str,
        filename_generator: Callable[[], str | os.PathLike[str]],
        timeout_sec: float = 1.0,
        window_size_sec: float = 2.0,
        ring_buffer_cls: type[RingBuffer] | None = None,
        record_bin_cls: type[RecordBin] | None = None,
        on_video_finished: Callable[[str], Any] | None = None,
    ) -> None:
        self.pipeline = pipeline
        self.on_video_finished = on_video_finished
        self.ring_buffer = (ring_buffer_cls or self.RING_BUFFER_CLS)(src_tee_name, window_size_sec)
        self.record_bin = (record_bin_cls or self.RECORD_BIN_CLS)(filename_generator, timeout_sec)
        self.recorder = Recorder(
            pipeline._root().application,
            src_tee_name,
            filename_generator,
            before_s=window_size_sec,
            after_s=window_size_sec,
            ring_chain=self.ring_buffer.chain,
            record_chain=self.record_bin.chain,
            on_finished=self._finished,
        )
        self._listening: WeakKeyDictionary[Recording, Callable[[str], Any]] = WeakKeyDictionary()
        """Who wants to know when it is complete."""

    def record(
        self,
        *_metadata: Any,
        max_delay_sec: float = BEGIN_S,
        on_video_finished: Callable[[str], Any] | None = None,
        **_named: Any,
    ) -> str:
        """Begins a clip, or makes it longer, waits until its file has begun, and returns its path.

        Raises TimeoutError after `max_delay_sec`, and what keeps the file from being written.
        """
        recording = self._record(_metadata, on_video_finished)
        try:
            recording.wait_begun(max_delay_sec)
        except DeadlineError as error:
            raise TimeoutError(f"record took longer than {max_delay_sec}") from error
        return recording.path

    def record_bg(
        self, *_metadata: Any, on_video_finished: Callable[[str], Any] | None = None, **_named: Any
    ) -> None:
        """`record()` that waits for nothing."""
        self._record(_metadata, on_video_finished)

    @property
    def state(self) -> States:
        """What it does at the moment."""
        name = self.recorder.state.name
        return States.DETTACHED if name == "DETACHED" else States[name]

    @property
    def busy(self) -> bool:
        """It records, or completes a file."""
        return self.recorder.busy

    def stop(self) -> None:
        """Ends what is being recorded at this moment."""
        self.recorder.stop()

    def _record(self, metadata: tuple[Any, ...], on_video_finished: Callable[[str], Any] | None) -> Recording:
        recording = self.recorder.record(list(metadata) or None)
        if on_video_finished is not None:
            self._listening[recording] = on_video_finished
        return recording

    def _finished(self, path: str, _info: RecordingInfo) -> None:
        mine = next((each for each in tuple(self._listening) if each.path == path), None)
        listening = None if mine is None else self._listening.pop(mine, None)
        for told in (listening, self.on_video_finished):
            if told is not None:
                told(path)
