"""Times for raw H.264 and HEVC, which carry none.

Every picture says its place in the order of display (its picture order count: ITU-T H.264, 8.2.1; H.265,
8.3.1). `PictureTimes` reads it from the slice headers and hands out decode and display times at a constant
frame rate. FFmpeg's own filter for this, dts2pts, gave two pictures of a hundred each other's times.

Sequences with picture order count type 1 are taken to be shown in decode order, and pictures that reset the
count in mid-sequence (memory management operation 5) are not looked for.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import Any

from reelway.engine.parameter_sets import MOST_REORDERED
from reelway.engine.slice_headers import H264Headers, HevcHeaders

__all__ = ["PictureTimes", "most_significant"]


class PictureTimes:
    """Takes coded pictures in decode order (Annex B or AVCC NAL units); gives them back with times.

    Holds back as many pictures as the stream says may be shown out of order, 16 where it does not say.
    """

    def __init__(self, codec: str, duration: int) -> None:
        self._parser: _H264 | _Hevc = _H264() if codec == "h264" else _Hevc()
        self._duration = duration
        self._slots: dict[int, int] = {}  # place in the order of decoding -> time in that of display
        self._pending: deque[tuple[Any, int]] = deque()  # in decode order, with the decode index
        self._waiting: list[tuple[int, int]] = []  # heap of (order count, decode index)
        self._ranks: dict[int, int] = {}  # decode index -> place in the order of display
        self._decoded = self._shown = 0
        self._delay: int | None = None
        self._last_dts: int | None = None

    def add(
        self, picture: Any, data: bytes | memoryview, time: int | None = None
    ) -> list[tuple[Any, int, int]]:
        """The pictures that are ready, each with its dts and pts in ticks; the first is shown at 0.

        `time` is that of the picture's place in the file, where the file says one, as AVI does.
        """
        count, restarts = self._parser.read(bytes(data))
        if restarts and self._waiting:
            self._learn(self._parser.reorder)
            self._show_all()
        index, self._decoded = self._decoded, self._decoded + 1
        self._pending.append((picture, index))
        self._slots[index] = index * self._duration if time is None else time
        if count is None:  # no slice in it: it comes after what is there
            count = max((waiting for waiting, _ in self._waiting), default=0) + 1
        heapq.heappush(self._waiting, (count, index))
        depth = self._parser.reorder
        if self._delay is None and (depth is not None or len(self._waiting) > MOST_REORDERED):
            self._learn(depth)
        while len(self._waiting) > (MOST_REORDERED if depth is None else depth):
            self._show()
        return self._ready()

    def flush(self) -> list[tuple[Any, int, int]]:
        """The rest, after the last picture."""
        self._learn(self._parser.reorder)
        self._show_all()
        return self._ready()

    def _show(self) -> None:
        _, index = heapq.heappop(self._waiting)
        self._ranks[index] = self._shown
        self._shown += 1

    def _show_all(self) -> None:
        while self._waiting:
            self._show()

    def _learn(self, depth: int | None) -> None:
        """By how many pictures decoding runs ahead: what the stream says, else what its beginning shows."""
        if self._delay is None:
            order = enumerate(sorted(self._waiting), start=self._shown)
            self._delay = (
                max((index - rank for rank, (_, index) in order), default=0) if depth is None else depth
            )

    def _ready(self) -> list[tuple[Any, int, int]]:
        ready: list[tuple[Any, int, int]] = []
        delay = self._delay
        if delay is None:
            return ready
        while self._pending and self._pending[0][1] in self._ranks:
            picture, index = self._pending.popleft()
            pts = self._slots[self._ranks.pop(index)]
            decoded = index - delay
            dts = self._slots[decoded] if decoded >= 0 else self._slots[0] + decoded * self._duration
            dts = min(dts, pts)
            self._slots.pop(decoded - 2 * MOST_REORDERED, None)
            if self._last_dts is not None and dts <= self._last_dts:  # the stream broke its promise
                dts = self._last_dts + 1
                pts = max(pts, dts)
            self._last_dts = dts
            ready.append((picture, dts, pts))
        return ready


class _H264:
    def __init__(self) -> None:
        self.reorder: int | None = None
        self._headers = H264Headers()
        self._previous = (0, 0)  # most and least significant part of the last reference picture's count
        self._decoded = 0

    def read(self, data: bytes) -> tuple[int | None, bool]:
        """The order count of a picture, and whether counting starts again with it."""
        slice = self._headers.read(data)
        if slice is None:
            return None, False
        sequence = slice.sequence
        if sequence is None:
            return None, slice.idr
        self.reorder = sequence.reorder
        self._decoded = 0 if slice.idr else self._decoded + 1
        if not sequence.counted:
            return self._decoded, slice.idr
        order, size = slice.order, 1 << sequence.lsb_bits
        most = 0 if slice.idr else most_significant(self._previous, order, size)
        if slice.kept:
            self._previous = (most, order)
        return most + order, slice.idr


class _Hevc:
    def __init__(self) -> None:
        self.reorder: int | None = None
        self._headers = HevcHeaders()
        self._previous = (0, 0)

    def read(self, data: bytes) -> tuple[int | None, bool]:
        """The order count of a picture, and whether counting starts again with it."""
        slice = self._headers.read(data)
        if slice is None:
            return None, False
        restarts = slice.anchor and (slice.kind < 21 or self._headers.fresh)
        self._headers.fresh = False
        sequence = slice.sequence
        if sequence is None:
            return None, restarts
        self.reorder = sequence.reorder
        order, size = slice.order, 1 << sequence.lsb_bits
        most = 0 if restarts else most_significant(self._previous, order, size)
        if slice.counts:
            self._previous = (most, order)
        return most + order, restarts


def most_significant(previous: tuple[int, int], least: int, size: int) -> int:
    """What is to be added to the part of an order count that a slice says, by both parts of the one before:
    H.264, 8.2.1.1, and H.265, 8.3.1, alike."""
    most, before = previous
    if least < before and before - least >= size // 2:
        return most + size
    if least > before and least - before > size // 2:
        return most - size
    return most
