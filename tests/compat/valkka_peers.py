"""What tests of Valkka's live half share: a script with its clients, and filters that keep what they see."""

from __future__ import annotations

import threading
from collections.abc import Callable

from reelway.compat.valkka import core
from tests.media import make

PATIENCE_S = 20.0


class Seen(core.FrameFilter):
    """Keeps the frames that reach it; `wait(enough)` returns when they are enough."""

    def __init__(self, name: str = "seen", next: core.FrameFilter | None = None) -> None:
        super().__init__(name, next)
        self.frames: list[core.Frame] = []
        self._changed = threading.Condition()

    def go(self, frame: core.Frame) -> None:
        with self._changed:
            self.frames.append(frame)
            self._changed.notify_all()

    def wait(self, count: int, of: Callable[[core.Frame], bool] = lambda _: True) -> list[core.Frame]:
        """The frames, once `count` of them are as wanted."""

        def enough() -> bool:
            return sum(map(of, self.frames)) >= count

        with self._changed:
            assert self._changed.wait_for(enough, PATIENCE_S), f"only {len(self.frames)} frames"
            return list(self.frames)

    def forget(self) -> None:
        with self._changed:
            self.frames.clear()


def counter(frame: core.Frame) -> int:
    """What is burned into a raw picture."""
    return make.read_counter(frame.payload.planes()[0])
