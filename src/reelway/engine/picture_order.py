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
from dataclasses import dataclass
from typing import Any

from reelway.engine.bits import Bits

__all__ = ["PictureTimes", "h264_sequence", "units"]

MOST_REORDERED = 16  # no conforming stream has more (H.264, A.3.1; H.265, A.4.2)
HEADER = 48  # bytes of a slice that surely hold what is read from its header


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


def units(data: bytes) -> Any:
    """NAL units behind start codes, found one by one, as a packet's first slice ends the search."""
    at = data.find(b"\x00\x00\x01")
    while at >= 0:
        start = at + 3
        at = data.find(b"\x00\x00\x01", start)
        yield data[start : at if at >= 0 else start + 4096]


@dataclass
class _Sequence:
    """What of a sequence parameter set the slice headers depend on."""

    lsb_bits: int
    counted: bool = True  # the order count lies in the slice header
    frame_num_bits: int = 0
    frames_only: bool = True
    separate_planes: bool = False
    reorder: int | None = None


class _H264:
    def __init__(self) -> None:
        self.reorder: int | None = None
        self._sequences: dict[int, _Sequence] = {}
        self._pictures: dict[int, int] = {}  # picture parameter set -> sequence parameter set
        self._previous = (0, 0)  # most and least significant part of the last reference picture's count
        self._decoded = 0

    def read(self, data: bytes) -> tuple[int | None, bool]:
        """The order count of a picture, and whether counting starts again with it."""
        for unit in units(data):
            kind = unit[0] & 31 if unit else 0
            if kind == 7:
                number, sequence = h264_sequence(unit)
                self._sequences[number] = sequence
                self.reorder = sequence.reorder
            elif kind == 8:
                bits = Bits(unit[1:24])
                number = bits.ue()
                self._pictures[number] = bits.ue()
            elif kind in {1, 5}:
                return self._slice(unit[:HEADER], kind == 5)
        return None, False

    def _slice(self, unit: bytes, idr: bool) -> tuple[int | None, bool]:
        bits = Bits(unit[1:])
        bits.ue()  # first_mb_in_slice
        bits.ue()  # slice_type
        sequence = self._sequences.get(self._pictures.get(bits.ue(), 0))
        if sequence is None:
            return None, idr
        self.reorder = sequence.reorder
        self._decoded = 0 if idr else self._decoded + 1
        if not sequence.counted:
            return self._decoded, idr
        if sequence.separate_planes:
            bits.u(2)
        bits.u(sequence.frame_num_bits)
        if not sequence.frames_only and bits.u(1):
            bits.u(1)
        if idr:
            bits.ue()  # idr_pic_id
        least, size = bits.u(sequence.lsb_bits), 1 << sequence.lsb_bits
        most = 0 if idr else _most_significant(self._previous, least, size)
        if unit[0] >> 5 & 3:  # nal_ref_idc
            self._previous = (most, least)
        return most + least, idr


def _most_significant(previous: tuple[int, int], least: int, size: int) -> int:
    """H.264, 8.2.1.1, and H.265, 8.3.1, alike."""
    most, before = previous
    if least < before and before - least >= size // 2:
        return most + size
    if least > before and least - before > size // 2:
        return most - size
    return most


def h264_sequence(unit: bytes) -> tuple[int, _Sequence]:
    """H.264, 7.3.2.1.1."""
    bits = Bits(unit[1:])
    profile = bits.u(8)
    bits.u(16)
    number = bits.ue()
    separate = False
    if profile in {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}:
        chroma = bits.ue()
        separate = chroma == 3 and bool(bits.u(1))
        bits.ue(), bits.ue(), bits.u(1)
        if bits.u(1):
            for i in range(12 if chroma == 3 else 8):
                if bits.u(1):
                    _skip_scaling_list(bits, 16 if i < 6 else 64)
    frame_num_bits = bits.ue() + 4
    order_type = bits.ue()
    lsb_bits = 0
    if order_type == 0:
        lsb_bits = bits.ue() + 4
    elif order_type == 1:
        bits.u(1), bits.se(), bits.se()
        for _ in range(min(bits.ue(), 255)):
            bits.se()
    bits.ue(), bits.u(1), bits.ue(), bits.ue()
    frames_only = bool(bits.u(1))
    if not frames_only:
        bits.u(1)
    bits.u(1)
    if bits.u(1):
        for _ in range(4):
            bits.ue()
    if order_type or profile == 66:
        reorder: int | None = 0
    else:
        reorder = _h264_reorder(bits) if bits.u(1) else None
    return number, _Sequence(lsb_bits, order_type == 0, frame_num_bits, frames_only, separate, reorder)


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _h264_reorder(bits: Bits) -> int | None:
    """max_num_reorder_frames of the usability information (H.264, E.1.1), or None where it says nothing."""
    if bits.u(1) and bits.u(8) == 255:
        bits.u(32)
    if bits.u(1):
        bits.u(1)
    if bits.u(1):
        bits.u(4)
        if bits.u(1):
            bits.u(24)
    if bits.u(1):
        bits.ue(), bits.ue()
    if bits.u(1):
        bits.u(65)
    hypothetical = 0
    for _ in range(2):
        if bits.u(1):
            hypothetical += 1
            schedules = bits.ue() + 1
            bits.u(8)
            for _ in range(min(schedules, 32)):
                bits.ue(), bits.ue(), bits.u(1)
            bits.u(20)
    if hypothetical:
        bits.u(1)
    bits.u(1)
    if not bits.u(1):
        return None
    bits.u(1)
    for _ in range(4):
        bits.ue()
    return min(bits.ue(), MOST_REORDERED)


class _Hevc:
    def __init__(self) -> None:
        self.reorder: int | None = None
        self._sequences: dict[int, _Sequence] = {}
        self._pictures: dict[int, tuple[int, int, bool]] = {}  # sequence, extra bits, output flag present
        self._previous = (0, 0)
        self._fresh = True

    def read(self, data: bytes) -> tuple[int | None, bool]:
        """The order count of a picture, and whether counting starts again with it."""
        for unit in units(data):
            kind = unit[0] >> 1 & 63 if len(unit) > 2 else -1
            if kind == 33:
                number, sequence = _hevc_sequence(unit)
                self._sequences[number] = sequence
                self.reorder = sequence.reorder
            elif kind == 34:
                bits = Bits(unit[2:24])
                number, belongs = bits.ue(), bits.ue()
                bits.u(1)
                output_flag = bool(bits.u(1))
                self._pictures[number] = (belongs, bits.u(3), output_flag)
            elif kind in {36, 37}:  # the end of a sequence, or of the bitstream
                self._fresh = True
            elif 0 <= kind < 32:
                return self._slice(unit[:HEADER], kind)
        return None, False

    def _slice(self, unit: bytes, kind: int) -> tuple[int | None, bool]:
        bits = Bits(unit[2:])
        bits.u(1)  # first_slice_segment_in_pic_flag
        anchor = 16 <= kind <= 23
        if anchor:
            bits.u(1)
        picture = self._pictures.get(bits.ue())
        sequence = self._sequences.get(picture[0]) if picture else None
        restarts = anchor and (kind < 21 or self._fresh)
        self._fresh = False
        if picture is None or sequence is None:
            return None, restarts
        self.reorder = sequence.reorder
        bits.u(picture[1])
        bits.ue()  # slice_type
        if picture[2]:
            bits.u(1)
        if sequence.separate_planes:
            bits.u(2)
        least, size = 0, 1 << sequence.lsb_bits
        if kind not in {19, 20}:
            least = bits.u(sequence.lsb_bits)
        most = 0 if restarts else _most_significant(self._previous, least, size)
        if not (unit[1] & 7) - 1 and not (kind < 16 and kind % 2 == 0) and not 6 <= kind <= 9:
            self._previous = (most, least)  # of the lowest layer, referred to, and leading nothing
        return most + least, restarts


def _hevc_sequence(unit: bytes) -> tuple[int, _Sequence]:
    """H.265, 7.3.2.2.1."""
    bits = Bits(unit[2:])
    bits.u(4)
    layers = bits.u(3)
    bits.u(1)
    bits.u(96)  # general profile, tier and level
    present = [(bits.u(1), bits.u(1)) for _ in range(layers)]
    if layers:
        bits.u(2 * (8 - layers))
    for profile, level in present:
        bits.u(88 * profile + 8 * level)
    number = bits.ue()
    separate = bits.ue() == 3 and bool(bits.u(1))
    bits.ue(), bits.ue()
    if bits.u(1):
        for _ in range(4):
            bits.ue()
    bits.ue(), bits.ue()
    lsb_bits = bits.ue() + 4
    each = bits.u(1)
    reorder = 0
    for _ in range(layers + 1 if each else 1):
        bits.ue()
        reorder = bits.ue()
        bits.ue()
    return number, _Sequence(
        min(lsb_bits, 16), separate_planes=separate, reorder=min(reorder, MOST_REORDERED)
    )
