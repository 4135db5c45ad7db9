"""Frame filters that say which frames go where."""

from __future__ import annotations

import threading
import time

import reelway as rw
from reelway.compat.valkka.frames import Frame, FrameFilter

__all__ = [
    "CachingGateFrameFilter",
    "ForkFrameFilter",
    "ForkFrameFilter3",
    "ForkFrameFilterN",
    "GateFrameFilter",
    "InitStreamFrameFilter",
    "IntervalFrameFilter",
    "SetSlotFrameFilter",
    "SwitchFrameFilter",
    "ThreadSafeFrameFilter",
    "TimeIntervalFrameFilter",
    "TypeFrameFilter",
]


class ForkFrameFilter(FrameFilter):
    """Each frame goes to both: (name, next, next2). Nothing is copied."""

    def __init__(self, name: str, next: FrameFilter | None = None, next2: FrameFilter | None = None) -> None:
        super().__init__(name, next)
        self.next2 = next2

    def run(self, frame: Frame) -> None:
        super().run(frame)
        if self.next2 is not None:
            self.next2.run(frame)


class ForkFrameFilter3(ForkFrameFilter):
    """Each frame goes to all three."""

    def __init__(
        self,
        name: str,
        next: FrameFilter | None = None,
        next2: FrameFilter | None = None,
        next3: FrameFilter | None = None,
    ) -> None:
        super().__init__(name, next, next2)
        self.next3 = next3

    def run(self, frame: Frame) -> None:
        super().run(frame)
        if self.next3 is not None:
            self.next3.run(frame)


class ForkFrameFilterN(FrameFilter):
    """Each frame goes to all that are connected, which may change while frames come."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._ends: dict[str, FrameFilter] = {}

    def connect(self, tag: str, filter: FrameFilter) -> bool:
        """Frames go there, too. False: that tag is taken."""
        if tag in self._ends:
            return False
        self._ends = {**self._ends, tag: filter}  # replaced as a whole: a frame may be on its way
        return True

    def disconnect(self, tag: str) -> bool:
        """No more frames go there. False: nothing has that tag."""
        if tag not in self._ends:
            return False
        self._ends = {name: end for name, end in self._ends.items() if name != tag}
        return True

    def run(self, frame: Frame) -> None:
        for end in self._ends.values():
            end.run(frame)


class TimeIntervalFrameFilter(FrameFilter):
    """Lets a frame by, and then none for so many milliseconds: (name, ms, next)."""

    def __init__(self, name: str, mstimedelta: int, next: FrameFilter | None = None) -> None:
        super().__init__(name, next)
        if mstimedelta < 0:
            raise rw.OptionError(f"{name}: an interval of {mstimedelta} ms", hint="0 or more")
        self.mstimedelta = mstimedelta
        self._due_s = 0.0

    def run(self, frame: Frame) -> None:
        now_s = time.monotonic()
        if now_s >= self._due_s:
            late_s = now_s - self._due_s
            interval_s = self.mstimedelta / 1000
            # in step, so that a second is a second at 25 frames a second, too
            self._due_s = (now_s if late_s > interval_s else self._due_s) + interval_s
            super().run(frame)


IntervalFrameFilter = TimeIntervalFrameFilter
"""As the documents call it, too."""


class GateFrameFilter(FrameFilter):
    """Lets frames by, or not; open from the beginning.

    What is coded begins with a keyframe when it is opened again only where who reads it sees to that, as an
    AVThread does.
    """

    def __init__(self, name: str, next: FrameFilter | None = None) -> None:
        super().__init__(name, next)
        self.on = True

    def set(self) -> None:
        """Opens it."""
        self.on = True

    def unSet(self) -> None:
        """Closes it."""
        self.on = False

    def passConfigFrames(self) -> None:
        """Does nothing: what a stream is, each frame says."""

    noConfigFrames = passConfigFrames

    def run(self, frame: Frame) -> None:
        if self.on:
            super().run(frame)


class CachingGateFrameFilter(GateFrameFilter):
    """The same: what Valkka keeps for later, each frame says."""


class SwitchFrameFilter(FrameFilter):
    """Each frame goes to one of two: (name, next1, next2); to the first from the beginning."""

    def __init__(self, name: str, next1: FrameFilter | None = None, next2: FrameFilter | None = None) -> None:
        super().__init__(name, next1)
        self.ends = next1, next2

    def set1(self) -> None:
        """To the first."""
        self.next = self.ends[0]

    def set2(self) -> None:
        """To the second."""
        self.next = self.ends[1]


class SetSlotFrameFilter(FrameFilter):
    """Gives frames another slot: `setSlot(n)`."""

    def __init__(self, name: str, next: FrameFilter | None = None) -> None:
        super().__init__(name, next)
        self.slot = 0

    def setSlot(self, n: int = 0) -> None:
        """From the next frame on."""
        self.slot = n

    def run(self, frame: Frame) -> None:
        super().run(Frame(frame.payload, self.slot, frame.mstimestamp, frame.properties, frame.subsession))


class InitStreamFrameFilter(FrameFilter):
    """Lets all by: what it adds in Valkka, each frame says."""


class ThreadSafeFrameFilter(FrameFilter):
    """Several threads may write into it: behind it is one frame at a time."""

    def __init__(self, name: str, next: FrameFilter | None = None) -> None:
        super().__init__(name, next)
        self._lock = threading.Lock()

    def run(self, frame: Frame) -> None:
        with self._lock:
            super().run(frame)


class TypeFrameFilter(FrameFilter):
    """Lets by frames of one kind: (name, kind, next); `Visual`, `Audio` ..., `coded`, or `raw`."""

    def __init__(self, name: str, frameclass: str, next: FrameFilter | None = None) -> None:
        super().__init__(name, next)
        self.frameclass = frameclass

    def run(self, frame: Frame) -> None:
        if self.frameclass in (frame.kind, "coded" if frame.coded else "raw"):
            super().run(frame)
