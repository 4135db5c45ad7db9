"""`shared`: what another process shares, as a source of this session."""

from __future__ import annotations

import time
import weakref
from collections.abc import Mapping
from typing import Any, Literal, cast

import numpy

from reelway.errors import DeadlineError
from reelway.filters.arrays import picture_of
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Limits
from reelway.graph.option import Seconds, option
from reelway.graph.pid import Pid
from reelway.media.events import Event, Stop
from reelway.media.frame import MemoryFrame
from reelway.media.packet import Packet
from reelway.share.array import SharedArray
from reelway.share.content import properties_from
from reelway.share.reader import Reader
from reelway.share.sink import name_in

__all__ = ["Shared"]

TURN_S = 0.2
"""It waits for the writer no longer than this at once: so soon it hears of `stop()`."""
TIMESCALE = 1_000_000
"""Of what comes without times: they are those of its arrival."""


class Shared(Filter):
    """Reads what another process shares as `name=cam1`, which must be said; packets are in its memory.

    Nothing is copied while filters hold no more than half of the writer's slots; frames beyond that are. What
    comes without times gets those of its arrival. A writer that comes back, and one that jumps, is a restart.
    """

    registry_name = "shared"
    thread = "own"
    outputs = (Caps(),)
    output_limits = Limits(packets=2)

    policy: str = option(
        "every", choices=("every", "latest"), help="every frame, or the newest; then no writer waits"
    )
    timeout: Seconds = option(
        10.0, low=0.0, unit="s", kind=Seconds, help="longest wait for the writer to come; 0: any"
    )
    when_gone: str = option(
        "end",
        choices=("end", "error", "wait"),
        help="of the writer: end the stream; an error, where it went without a word; or wait for another",
    )
    pixel_format: str = option(
        "", help="arrays are pictures of this format, bgr24 for one; empty: what the writer says they are"
    )
    user: int = option(-1, low=-1, help="uid of another user whose writer it is; -1: one's own")

    def __init__(self, **options: Any) -> None:
        self.shared_name = name_in(options, "shared")
        super().__init__(**options)
        self.missed = 0
        """Frames of the writer that did not come here."""
        self._reader: Reader | None = None
        self._out: Pid | None = None
        self._began_s: float | None = None
        self._arrived = -1
        self._jumped = False
        """What comes next does not follow on what came last."""
        self._last = 0
        """Number of the frame that came last from this writer."""
        self._held: list[weakref.ref[Any]] = []
        """The frames in the writer's memory that somebody in the session looks at, or did until now."""

    # The filter

    def open(self) -> None:
        self._until = time.monotonic() + float(self.timeout) if self.timeout else None
        if self._attach() and self._reader is not None:
            format = self._reader.info.get("format")
            properties = properties_from(format) if isinstance(format, dict) else {}
            if properties.get("CodecID") and properties.get("Timescale"):  # known before the first frame
                properties |= {"Live": True} if self.policy == "latest" else {}
                self._out = self.new_pid("shared", **properties)

    def process(self) -> float | None:
        if self.blocked or (self._out is not None and self._out.ended):
            return None
        if self._reader is not None or self._attach():
            self._go_on()  # one a turn: the next one may take its time, and this one is wanted now
        return 0.0

    def on_event(self, event: Event) -> bool:
        """Stop ends it; a writer is not told to do anything else."""
        if isinstance(event, Stop):
            event.pid.end()
            self.close()
        return True

    def close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    # Inside

    def _attach(self) -> bool:
        """Looks for the writer, for a moment. Raises DeadlineError when it should be there."""
        try:
            self._reader = Reader(
                self.shared_name,
                policy=cast(Literal["every", "latest"], self.policy),
                timeout_s=TURN_S,
                when_gone="error" if self.when_gone == "error" else "end",
                user=None if self.user < 0 else self.user,
            )
        except DeadlineError as error:
            self.status = f"waits for {self.shared_name}"
            if self._until is not None and time.monotonic() >= self._until:
                raise DeadlineError(
                    f"nobody shares {self.shared_name}, after {float(self.timeout):g} s", hint=error.hint
                ) from None
            return False
        self._until = None  # one that is gone is waited for as long as it takes
        self._last = 0
        self.status = ""
        return True

    def _go_on(self) -> None:
        """Sends the next frame, unless none comes so soon, or the writer is gone. Raises as `Reader.pull`."""
        reader = self._reader
        assert reader is not None
        try:
            frame = reader.pull(TURN_S)
        except DeadlineError:
            return
        if frame is None:
            self._lose()
        else:
            self._send(frame)

    def _lose(self) -> None:
        """The writer has ended, or is gone."""
        self.close()
        if self.when_gone == "wait":
            self.status = f"waits for {self.shared_name}"
            self._jumped = self._out is not None
            return
        if self._out is None:  # it shared nothing
            self._out = self.new_pid("shared", StreamType="Metadata")
        self._out.end()

    def _send(self, frame: SharedArray) -> None:
        properties = self._described(frame)
        packet = self._packet(frame, properties)
        if self._out is None:
            self._out = self.new_pid("shared", **properties)
        else:
            self._out.replace_properties(properties)
        if self._last:
            self.missed += max(0, frame.sequence - self._last - 1)
            self._jumped = self._jumped or frame.discontinuity
        self._last = frame.sequence
        if self._jumped:
            self._jumped = False
            self._out.restart()
        self._out.send(packet)

    def _described(self, frame: SharedArray) -> dict[str, Any]:
        """What its PID says of it."""
        properties = dict(frame.properties)
        if self.pixel_format and not _is_raw(properties):
            made, width, height = picture_of(frame, self.pixel_format, copy=False)
            properties |= {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": made.format}
            properties |= {"Width": width, "Height": height}
        properties.setdefault("StreamType", "Metadata")
        properties.setdefault("Timescale", TIMESCALE)
        if self.policy == "latest":
            properties["Live"] = True
        return properties

    def _packet(self, frame: SharedArray, properties: dict[str, Any]) -> Packet:
        memory = self._memory(frame)
        payload: Any = memory
        if _is_raw(properties):
            payload = MemoryFrame.of(memory, properties)
        elif frame.dtype != numpy.uint8 or frame.ndim != 1:
            payload = numpy.ndarray(frame.shape, frame.dtype, memory)
        packet = Packet(payload, frame.dts, frame.cts, frame.duration, frame.sap, frame.nbytes)
        packet.corrupted, packet.discontinuity = frame.corrupted, frame.discontinuity
        packet.seek = frame.seek
        packet.capture_time = frame.capture_time
        if frame.metadata:
            packet.properties = dict(frame.metadata)
        if frame.dts is None and frame.cts is None and "Timescale" not in frame.properties:
            packet.dts = packet.cts = self._arrival()
        return packet

    def _memory(self, frame: SharedArray) -> memoryview:
        """Its bytes: in the writer's memory, as long as filters do not hold too many of its slots."""
        memory = frame.payload()
        assert self._reader is not None
        self._held = [ref for ref in self._held if ref() is not None]
        if len(self._held) >= max(1, int(self._reader.info.get("slots", 2)) // 2):
            return memoryview(bytes(memory))
        self._held.append(weakref.ref(memory.obj))
        return memory

    def _arrival(self) -> int:
        """Ticks of TIMESCALE since the first frame came; later each time."""
        now_s = self.context.now()
        if self._began_s is None:
            self._began_s = now_s
        self._arrived = max(self._arrived + 1, round((now_s - self._began_s) * TIMESCALE))
        return self._arrived


def _is_raw(properties: Mapping[str, Any]) -> bool:
    """True where they say all about pictures or sound that are decoded."""
    return properties.get("CodecID") == "raw" and properties.get("StreamType") in ("Visual", "Audio")
