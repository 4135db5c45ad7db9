"""Frame filters that tell what passes: on the terminal, or into a file."""

from __future__ import annotations

import os
import sys
import weakref
from typing import BinaryIO

from reelway.compat.valkka.frames import Frame, FrameFilter

__all__ = ["BriefInfoFrameFilter", "DumpFrameFilter", "InfoFrameFilter"]

BYTES = 20
"""So many of a frame are printed."""


class InfoFrameFilter(FrameFilter):
    """Prints each frame: its size, time, slot and kind, how late it is [ms], and its first bytes."""

    def go(self, frame: Frame) -> None:
        data = bytes(_bytes_of(frame)[:BYTES])
        lines = [
            "start dump>>",
            f"FRAME   : {_line(frame)}",
            f"PAYLOAD : [{' '.join(map(str, data))}]",
            f"timediff: {frame.late_ms}",
            "<<end dump",
        ]
        _say("".join(f"InfoFrameFilter: {self.name} {line}\n" for line in lines))


class BriefInfoFrameFilter(FrameFilter):
    """The same in a line."""

    def go(self, frame: Frame) -> None:
        _say(f"BriefInfoFrameFilter: {self.name} : {_line(frame)} timediff: {frame.late_ms}\n")


class DumpFrameFilter(FrameFilter):
    """Writes what frames hold into a file, one after the other: (name, filename, next)."""

    def __init__(self, name: str, filename: str | os.PathLike[str], next: FrameFilter | None = None) -> None:
        super().__init__(name, next)
        self._file: BinaryIO = open(filename, "wb")  # noqa: SIM115 - open as long as frames come
        weakref.finalize(self, self._file.close)

    def go(self, frame: Frame) -> None:
        self._file.write(_bytes_of(frame))
        self._file.flush()  # a script ends without a word to its filters


def _bytes_of(frame: Frame) -> memoryview:
    array = frame.array()
    return memoryview(array.tobytes() if hasattr(array, "tobytes") else bytes(array))


def _line(frame: Frame) -> str:
    what = " ".join(str(each) for each in (frame.kind, frame.properties.get("CodecID")) if each)
    if frame.kind == "Visual":
        what += f" {frame.properties.get('Width')}x{frame.properties.get('Height')}"
        what += " key" if frame.coded and frame.key else ""
    return (
        f"<Frame: size={len(_bytes_of(frame))} timestamp={frame.wall_ms}"
        f" subsession_index={frame.subsession} slot={frame.slot} / {what or 'unknown'}>"
    )


def _say(text: str) -> None:
    sys.stdout.write(text)
