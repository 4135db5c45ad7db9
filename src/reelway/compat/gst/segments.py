"""Segments: where media time lies on the running time of a pipeline."""

from __future__ import annotations

from typing import Any

from reelway.compat.gst.constants import CONSTANTS, ENUMERATIONS
from reelway.compat.gst.values import result

__all__ = ["Segment"]

NONE: int = CONSTANTS["CLOCK_TIME_NONE"]
Format: Any = ENUMERATIONS["Format"]


class Segment:
    """Start, stop, time, base, rate and position; times in ns."""

    def __init__(self) -> None:
        self.init(Format.UNDEFINED)

    @classmethod
    def new(cls) -> Segment:
        """An empty one."""
        return cls()

    @classmethod
    def of_time(cls, start: int = 0, stop: int = NONE) -> Segment:
        """One in ns that begins at `start`."""
        made = cls()
        made.init(Format.TIME)
        made.start = made.time = made.position = start
        made.stop = stop
        return made

    def init(self, format: Any) -> None:
        """As new, in this format."""
        self.format = format
        self.flags = ENUMERATIONS["SegmentFlags"](0)
        self.rate = self.applied_rate = 1.0
        self.base = self.offset = self.start = self.time = self.position = 0
        self.stop = self.duration = NONE

    def copy(self) -> Segment:
        """Another like it."""
        made = Segment()
        made.__dict__.update(self.__dict__)
        return made

    def to_running_time(self, format: Any, position: int) -> int:
        """When what lies at `position` is due; CLOCK_TIME_NONE outside of the segment."""
        if format != self.format or not self._inside(position):
            return NONE
        if self.rate > 0:
            return int((position - self.start - self.offset) / abs(self.rate)) + self.base
        return int((self.stop - self.offset - position) / abs(self.rate)) + self.base

    def to_stream_time(self, format: Any, position: int) -> int:
        """Where `position` lies in the whole stream; CLOCK_TIME_NONE outside of the segment."""
        if format != self.format or not self._inside(position):
            return NONE
        return int((position - self.start) * abs(self.applied_rate)) + self.time

    def position_from_running_time(self, format: Any, running_time: int) -> int:
        """The position that is due then."""
        if format != self.format or running_time < self.base:
            return NONE
        return int((running_time - self.base) * abs(self.rate)) + self.start + self.offset

    position_from_stream_time = position_from_running_time
    to_position = position_from_running_time

    def clip(self, format: Any, start: int, stop: int) -> Any:
        """(True, start, stop) of what is within, or (False, ...) where nothing is."""
        end = NONE if self.stop == NONE else self.stop
        outside = (
            format != self.format
            or (end != NONE and start >= end)
            or (stop not in (NONE, start) and stop <= self.start)
        )
        if outside:
            return result(". clip_start clip_stop", False, start, stop)
        return result(". clip_start clip_stop", True, max(start, self.start), min(stop, end))

    def _inside(self, position: int) -> bool:
        return position != NONE and position >= self.start and (self.stop == NONE or position <= self.stop)
