"""What tests of Valkka's live half share: a script with its clients, and filters that keep what they see."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy

from reelway.compat.valkka import core
from tests.display.xserver import XServer
from tests.media import make

PATIENCE_S = 20.0
SCRIPTS = Path(__file__).parent / "scripts"


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


class Script:
    """A script under `reelway script`, and the lines that it has printed."""

    def __init__(self, name: str, *arguments: str, prelude: str = "", **environment: str) -> None:
        code = f"import sys; from reelway.cli import main; {prelude}sys.exit(main())"
        self.process = subprocess.Popen(
            [sys.executable, "-uc", code, "script", str(SCRIPTS / name), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def kill(self) -> str:
        """What it has said on stderr."""
        self.process.kill()
        return self.end()

    def end(self) -> str:
        self.process.wait(30)
        self._reading.join()
        assert self.process.stderr is not None
        said = self.process.stderr.read()
        self.process.stdout.close()  # type: ignore[union-attr]
        self.process.stderr.close()
        return said


def counters(server: XServer, across: int = 1, down: int = 1) -> list[int]:
    """What is burned into the pictures of a grid in a window of 320x240; [] where one cannot be read.

    Of a picture only what is below its counter is sure to be lit.
    """
    whole = server.screen()
    found = numpy.argwhere(whole.any(axis=2))
    if not len(found):
        return []
    bottom, right = (int(each) + 1 for each in found.max(axis=0))
    wide, tall = 320 // across, 240 // across
    left, top = right - 320, bottom - tall * down
    places = [(top + tall * row, left + wide * column) for row in range(down) for column in range(across)]
    try:
        return [make.read_counter(whole[y : y + tall, x : x + wide]) for y, x in places]
    except (ValueError, ZeroDivisionError):
        return []
