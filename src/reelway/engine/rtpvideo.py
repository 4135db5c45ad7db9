"""Pictures of H.264 and HEVC from the payloads of RTP: RFC 6184 (single, STAP-A, FU-A) and RFC 7798 (single,
AP, FU), as byte streams (Annex B).

A picture is given with the packet that says it is the last one of it, and not when the next picture begins.
Where a sender sets that mark wrongly, or never, the time of the next packet tells. What is incomplete is
given, and said to be so.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from reelway.engine.rtpreceive import Unit

__all__ = ["H264", "Hevc", "Video"]

CODE = b"\0\0\0\1"
MOST_BYTES = 32 << 20
"""Of a picture."""
PART = 64
"""What keeping a part of one takes at least."""
MOST_SETS, MOST_OF_SET = 64, 4096
"""Parameter sets, and bytes of each."""
BURST = 16
"""So many packets that are missing in a row may have been pictures of which nothing else tells: the numbers
of pictures (`frame_numbers`) begin anew after as many at least."""
MOST_BARE = 1 << 16
"""Bytes of what stands before a picture, and belongs to it, that may come with none."""
MOST_MESSAGE = 512
"""Bytes of supplemental information that are looked at."""


class Video:
    """What both codecs share. `units` is taken from by others.

    Where `burst` packets or more are missing, no picture but a keyframe is whole, whatever is there of it.
    """

    HEAD = 1
    """Bytes of a NAL unit's header."""
    SEQUENCE = 7
    """Type of the parameter sets that all others follow."""

    def __init__(self, sets: list[bytes] | None = None, burst: int = BURST) -> None:
        self.units: deque[Unit] = deque()
        self.sets: dict[tuple[int, bytes], bytes] = {}
        """Parameter sets that came, by their type and beginning."""
        self._told = bool(sets)
        """They are those of the session description: what comes with the pictures is newer."""
        self._burst = burst
        self._parts: list[bytes] = []
        self._size = 0
        self._time: int | None = None
        self._given: int | None = None
        """The time of the picture that was given last, where a mark ended it."""
        self._marks = True
        """Marks are at the ends of pictures."""
        self._hole = 0
        """Packets that are missing right before this picture, or in it."""
        self._pictured = self._key = self._broken = self._within = False
        for unit in sets or ():
            self.sets[self._place(self.kind_of(unit[0]), unit)] = unit

    @staticmethod
    def kind_of(first: int) -> int:
        """The type of a NAL unit, from its first byte."""
        raise NotImplementedError

    def add(self, data: Any, at: int, stop: int, time: int, marker: bool, lost: int) -> None:
        """See `rtpreceive.Format`."""
        if time != self._time:
            if self._parts:
                if lost:
                    self._broken = True
                self._give(marked=False)
            self._time = time
        if lost:
            self._hole += lost
            if self._parts:
                self._broken = True
            self._within = False
        self._payload(data, at, stop)
        if self._size > MOST_BYTES:
            self._clear()
            self._broken = True
        if marker and self._marks and self._pictured:
            self._given = time
            self._give(marked=True)

    def flush(self) -> None:
        """Nothing more comes: what is there is a picture."""
        self._give(marked=False)

    def _payload(self, data: Any, at: int, stop: int) -> None:
        raise NotImplementedError

    def _unit(self, data: Any, at: int, stop: int) -> None:
        """A whole NAL unit."""
        if self._within:  # the end of another one is missing
            self._broken, self._within = True, False
        if stop - at <= self.HEAD:
            return
        self._look(data, at, stop)
        self._parts += (CODE, data[at:stop])
        self._size += stop - at + PART

    def _fragment(self, said: int, head: bytes, key: bool | None, data: Any, at: int, stop: int) -> None:
        """A part of a NAL unit: `said` is its own header, `head` that of the whole; `key`: None for no
        slice."""
        if said & 0x80:
            self._broken = self._broken or self._within
            self._within = True
            if key is not None:
                self._slice(key, data[at] > 127)
            self._parts += (CODE, head)
        elif not self._within:
            self._broken = self._pictured = True  # its beginning is missing
            return
        self._parts.append(data[at:stop])
        self._size += stop - at + PART
        if said & 0x40:
            self._within = False

    def _look(self, data: Any, at: int, stop: int) -> None:
        raise NotImplementedError

    def _slice(self, key: bool, first: bool) -> None:
        """A slice of a picture begins; `first`: it says to be the first one."""
        if not self._pictured:
            if not first:
                if self._given == self._time and not self._hole:
                    self._marks = False  # the mark was in the middle of a picture
                self._broken = True
            self._pictured = True
        self._key = self._key or key

    def _keep(self, kind: int, unit: bytes) -> None:
        place = self._place(kind, unit)
        if self.sets.get(place) == unit or len(unit) > MOST_OF_SET:
            return
        if self._told and kind == self.SEQUENCE:
            self.sets.clear()
        self._told = False
        if place in self.sets or len(self.sets) < MOST_SETS:
            self.sets[place] = unit

    def _place(self, kind: int, unit: bytes) -> tuple[int, bytes]:
        # H.264's begins with profile and level; its number comes behind them, so sets that differ only in it
        # replace each other
        return kind, unit[: 4 if kind == 7 else self.HEAD + (kind != self.SEQUENCE)]

    @property
    def config(self) -> bytes:
        """All parameter sets, as a byte stream; empty where the one that tells the size is missing."""
        if not any(kind == self.SEQUENCE for kind, _ in self.sets):
            return b""
        return b"".join(CODE + self.sets[place] for place in sorted(self.sets))

    def _together(self, data: Any, at: int, stop: int) -> None:
        """Several NAL units, each behind its length."""
        while at + 2 < stop:
            size = data[at] << 8 | data[at + 1]
            at += 2
            if size > stop - at:
                self._broken = True
                return
            self._unit(data, at, at + size)
            at += size

    def _give(self, *, marked: bool) -> None:
        if self._pictured:
            assert self._time is not None
            broken = self._broken or self._within or (self._hole >= self._burst and not self._key)
            # of what is broken there may be nothing: then a start code stands for it
            self.units.append(Unit(b"".join(self._parts) or CODE, self._time, self._key, broken))
            self._clear()
        elif not marked and self._size > MOST_BARE:
            self._clear()
        # what came without a picture belongs to the next one

    def _clear(self) -> None:
        self._parts, self._size = [], 0
        self._hole = 0
        self._pictured = self._key = self._broken = self._within = False


class H264(Video):
    """RFC 6184, packetization modes 0 and 1."""

    @staticmethod
    def kind_of(first: int) -> int:
        return first & 31

    def _payload(self, data: Any, at: int, stop: int) -> None:
        kind = self.kind_of(data[at])
        if kind == 28:
            if stop - at < 3:
                self._broken = True
                return
            said = data[at + 1]
            kind = self.kind_of(said)
            key = kind == 5 if kind in (1, 5) else None
            self._fragment(said, bytes((data[at] & 0xE0 | kind,)), key, data, at + 2, stop)
        elif 1 <= kind <= 23:
            self._unit(data, at, stop)
        elif kind == 24:
            self._together(data, at + 1, stop)
        elif 25 <= kind <= 29:
            self._broken = True  # of a mode that was not offered

    def _look(self, data: Any, at: int, stop: int) -> None:
        kind = self.kind_of(data[at])
        if kind == 1 or kind == 5:
            self._slice(kind == 5, data[at + 1] > 127)
        elif 2 <= kind <= 4:
            self._slice(False, kind != 2 or data[at + 1] > 127)
        elif kind == 6:
            if _recovers(bytes(data[at + 1 : min(stop, at + MOST_MESSAGE)])):
                self._key = True
        elif kind in (7, 8, 13):
            self._keep(kind, bytes(data[at:stop]))


class Hevc(Video):
    """RFC 7798, without decoding order numbers."""

    HEAD, SEQUENCE = 2, 33

    @staticmethod
    def kind_of(first: int) -> int:
        return first >> 1 & 63

    def _payload(self, data: Any, at: int, stop: int) -> None:
        kind = self.kind_of(data[at])
        if kind == 49:
            if stop - at < 4:
                self._broken = True
                return
            said = data[at + 2]
            kind = said & 63
            head = bytes((data[at] & 0x81 | kind << 1, data[at + 1]))
            self._fragment(said, head, 16 <= kind <= 23 if kind < 32 else None, data, at + 3, stop)
        elif kind < 48:
            self._unit(data, at, stop)
        elif kind == 48:
            self._together(data, at + 2, stop)
        elif kind == 50:  # with more of a header
            self._broken = True

    def _look(self, data: Any, at: int, stop: int) -> None:
        kind = self.kind_of(data[at])
        if kind < 32:
            self._slice(16 <= kind <= 23, data[at + 2] > 127)
        elif 32 <= kind <= 34:
            self._keep(kind, bytes(data[at:stop]))


def _recovers(message: bytes) -> bool:
    """Supplemental information of H.264 (7.3.2.3) says that decoding may begin here (D.1.8)."""
    at = 0
    while at + 1 < len(message) and message[at] != 0x80:
        kind = size = 0
        while at < len(message) and message[at] == 255:
            kind, at = kind + 255, at + 1
        kind, at = kind + (message[at] if at < len(message) else 0), at + 1
        while at < len(message) and message[at] == 255:
            size, at = size + 255, at + 1
        size, at = size + (message[at] if at < len(message) else 0), at + 1
        if kind == 6:
            return True
        at += size
    return False
