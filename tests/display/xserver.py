"""An X server without a screen for tests, and pictures of what it shows."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy

from reelway.media.layout import Array

WIDTH, HEIGHT = 1280, 800


class XServer:
    """Runs Xvfb, whose screen lies in a file that can be read at any time."""

    def __init__(self, display: str, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.display = display
        self.kill = process.kill
        self._file = folder / "Xvfb_screen0"

    def screen(self) -> Array:
        """What is on the screen: (lines, columns, 3) uint8, RGB; a copy."""
        with self._file.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as memory:
            # XWD (X11/XWDFile.h): 25 big-endian numbers of 32 bits, the window's name, colours of 12 bytes
            numbers = struct.unpack(">25I", memory[:100])
            header, width, height, line, colours = (numbers[at] for at in (0, 4, 5, 12, 19))
            assert (numbers[1], numbers[11]) == (7, 32), "XWD version 7 of 32 bits a pixel"
            assert numbers[14:17] == (0xFF0000, 0xFF00, 0xFF), "red, green, blue"
            start = header + 12 * colours
            pixels = numpy.frombuffer(memory, numpy.uint8, line * height, start).reshape(height, line)
            picture: Array = pixels[:, : 4 * width].reshape(height, width, 4)[:, :, 2::-1].copy()
            del pixels
        return picture


def _end_with_parent() -> None:
    """The server does not outlive a test run that crashes: prctl(PR_SET_PDEATHSIG, SIGTERM)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


@contextmanager
def xserver(folder: Path) -> Iterator[XServer]:
    """A server with a display number that is free; it ends with the block."""
    read, write = os.pipe()
    command = [
        "Xvfb", "-displayfd", str(write), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp",
        "-noreset", "-fbdir", str(folder),
    ]  # fmt: skip
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, pass_fds=[write], stdin=quiet, stderr=quiet, preexec_fn=_end_with_parent
    )
    os.close(write)
    try:
        with os.fdopen(read) as said:
            number = said.readline().strip()  # it is there when it says so
        assert number, "Xvfb did not start"
        yield XServer(f":{number}", folder, process)
    finally:
        process.terminate()
        process.wait(10)
