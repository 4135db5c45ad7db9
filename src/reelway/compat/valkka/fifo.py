"""Where frames go from one of Valkka's threads to another, and a session's end of that."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import reelway as rw
from reelway.compat.valkka.frames import Frame, FrameFilter

__all__ = ["BlockingFifoFrameFilter", "FifoFrameFilter", "FrameFifo", "FrameFifoContext"]

FEW = 2
"""Frames that wait where only the newest counts."""
LEAST = 100
"""So many may wait in each fifo: a source that was just opened sends what it was recognised by at once."""


@dataclass(slots=True)
class FrameFifoContext:
    """How large a fifo is: what Valkka reserves for each kind of frame. The largest of them counts."""

    n_basic: int = 20
    n_avpkt: int = 20
    n_avframe: int = 20
    n_yuvpbo: int = 0
    n_setup: int = 20
    n_signal: int = 20
    n_marker: int = 20
    flush_when_full: bool = False

    @property
    def most(self) -> int:
        """So many frames of one stream may wait."""
        return max(self.n_basic, self.n_avpkt, self.n_avframe, 1)


class FrameFifo:
    """Hands frames to the thread that reads it, and never waits: (name, frames), or (name, context).

    It holds nothing itself. The reading thread lets so many frames of each stream wait, 100 at least; when
    there are more, they are dropped up to the next keyframe, and counted (`dropped`). Frames go nowhere
    without such a thread, and before it runs.
    """

    def __init__(self, name: str, size: int | FrameFifoContext = 20) -> None:
        self.name = name
        most = size.most if isinstance(size, FrameFifoContext) else size
        if most < 1:
            raise rw.OptionError(f"{name}: a fifo of {most} frames", hint="at least 1")
        self.most = max(most, LEAST)
        self.readers: list[Callable[[Frame], None]] = []
        self.written = 0
        self.dropped = 0
        """Frames that came when it was full."""

    def writeCopy(self, frame: Frame, wait: bool = False) -> bool:
        """Hands a frame to each reader. `wait` is not kept to: a stream is never held up. True: one reads."""
        self.written += 1
        for read in self.readers:
            read(frame)
        return bool(self.readers)


class FifoFrameFilter(FrameFilter):
    """The end of a chain that leads to another thread: (name, fifo)."""

    def __init__(self, name: str, fifo: FrameFifo) -> None:
        super().__init__(name)
        if not isinstance(fifo, FrameFifo):
            raise rw.OptionError(f"{name}: {fifo!r} is no fifo", hint='FrameFifo("name", 10), or getFifo()')
        self.fifo = fifo

    def go(self, frame: Frame) -> None:
        self.fifo.writeCopy(frame)


class BlockingFifoFrameFilter(FifoFrameFilter):
    """The same: a stream is never held up."""


class Feed(rw.Filter):
    """Gives a session the frames of one stream, from any thread, with the properties that they bring.

    `keyframe`: what is too much is dropped up to the next keyframe; `latest`: the oldest is. With
    `properties` its stream is there before a frame has come.
    """

    outputs = (rw.Caps(),)

    def __init__(
        self,
        fifo: FrameFifo,
        policy: Literal["keyframe", "latest"] = "keyframe",
        properties: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.waits_outside = True
        self._fifo = fifo
        self._policy = policy
        self._frames: deque[Frame] = deque()  # its methods are atomic under the GIL
        self._out: rw.Pid | None = None
        self._said = properties
        self._given = properties is not None
        self._waits = True
        """For something to begin with; the writing thread's."""
        self._begun = self._closing = self._stopped = False

    # For the thread that writes

    @property
    def said(self) -> Mapping[str, Any]:
        """What its stream is, as far as that is known."""
        return self._said or {}

    @property
    def closing(self) -> bool:
        """It takes nothing more."""
        return self._closing

    def offer(self, frame: Frame) -> None:
        """Takes a frame, or drops and counts it."""
        if self._stopped or self._closing:
            return
        if self._policy == "latest":
            while len(self._frames) >= FEW:
                self._drop_first()
        elif self._waits and not frame.key:
            self._fifo.dropped += 1
            return
        elif len(self._frames) >= self._fifo.most:
            self._fifo.dropped += 1
            self._waits = True
            return
        packet = frame.payload.clone()
        packet.discontinuity |= self._waits and self._begun
        self._begun = True
        self._waits = False
        self._frames.append(Frame(packet, frame.slot, frame.mstimestamp, frame.properties, frame.subsession))
        if self.opened:
            self.wake()

    def end(self) -> None:
        """Nothing more comes; what waits still goes on."""
        self._closing = True
        if self.opened:
            self.wake()

    # The filter

    def open(self) -> None:
        if self._given and self._said is not None:
            self._out = self.new_pid("stream", **self._said)

    def process(self) -> float | None:
        while not self.blocked:
            try:
                frame = self._frames.popleft()
            except IndexError:
                break
            self._send(frame)
        if self._closing and not self._frames:
            self.waits_outside = False
            if self._out is not None:
                self._out.end()
        return None

    def on_event(self, event: rw.events.Event) -> bool:
        if isinstance(event, rw.events.Stop):
            self._stopped = True
        return True

    def _send(self, frame: Frame) -> None:
        if self._out is None:
            self._out = self.new_pid("stream", **frame.properties)
        elif frame.properties is not self._said and frame.properties != self._said:
            self._out.replace_properties(frame.properties)
        self._said = frame.properties
        self._out.send(frame.payload)

    def _drop_first(self) -> None:
        try:
            self._frames.popleft()
        except IndexError:  # the session took it
            return
        self._fifo.dropped += 1


class Chain(rw.Filter):
    """Has each packet run through a chain of frame filters."""

    inputs = (rw.Caps(),)

    def __init__(self, first: FrameFilter, slot: int, subsession: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.slot = slot
        self._first = first
        self._subsession = subsession
        self._counts: dict[Any, int] = {}

    def configure(self, pid: rw.Link) -> None:
        number = self._subsession
        if number is None:
            number = pid.data[1] if pid.data else self._count(pid.properties.get("StreamType"))
        pid.data = dict(pid.properties), number

    def process(self) -> float | None:
        for pid in self.ipids:
            properties, number = pid.data or ({}, 0)
            for packet in pid:
                if packet.seek:
                    continue
                wall_ns = packet.capture_time
                wall_ms = None if wall_ns is None else wall_ns // 1_000_000
                self._first.run(Frame(packet, self.slot, wall_ms, properties, number))
        return None

    def _count(self, kind: Any) -> int:
        number = self._counts.get(kind, 0)
        self._counts[kind] = number + 1
        return number
