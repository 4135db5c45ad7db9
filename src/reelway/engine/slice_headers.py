"""What coded pictures of H.264 and HEVC say of themselves: their first slice header, by its parameter sets.

ITU-T H.264, 7.3.2.1 to 7.3.3, and H.265, 7.3.2.2 to 7.3.7: only as far as what tells in which order pictures
are shown, and what they refer to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from reelway.engine.bits import Bits

__all__ = ["H264Headers", "H264Slice", "HevcHeaders", "HevcSlice", "Sequence"]

MOST_REORDERED = 16  # no conforming stream has more (H.264, A.3.1; H.265, A.4.2)
MOST_SETS = 64  # of reference pictures (H.265, 7.4.3.2.1), with 16 pictures each
HEADER = 96  # bytes of a slice that surely hold what is read from its header

References = tuple[tuple[int, bool], ...]
"""Pictures that are kept (H.265, 7.3.7): by how much their order counts differ from this one's, and whether
it refers to them."""


@dataclass
class Sequence:
    """What of a sequence parameter set the slice headers depend on."""

    lsb_bits: int
    counted: bool = True  # the order count lies in the slice header
    frame_num_bits: int = 0
    frames_only: bool = True
    separate_planes: bool = False
    reorder: int | None = None
    references: tuple[References, ...] = ()


class H264Slice(NamedTuple):
    """The beginning of a picture. Without `sequence` the rest is not known."""

    sequence: Sequence | None
    idr: bool
    kept: bool
    """Others refer to it."""
    first: bool = True
    """It is the first slice of the picture."""
    frame_num: int = 0
    order: int = 0
    """The least significant bits of its order count."""


class HevcSlice(NamedTuple):
    """The beginning of a picture. Without `sequence` the rest is not known."""

    sequence: Sequence | None
    kind: int
    """NAL unit type (H.265, table 7-1)."""
    lowest: bool
    """It belongs to the lowest temporal layer."""
    first: bool = True
    order: int = 0
    references: References = ()

    @property
    def anchor(self) -> bool:
        """Decoding may begin with it."""
        return 16 <= self.kind <= 23

    @property
    def leading(self) -> bool:
        """It is shown before the anchor that it follows."""
        return 6 <= self.kind <= 9

    @property
    def counts(self) -> bool:
        """The order counts of the following pictures refer to its own (H.265, 8.3.1)."""
        return self.lowest and not (self.kind < 16 and self.kind % 2 == 0) and not self.leading


class H264Headers:
    """Takes coded pictures as byte streams (Annex B)."""

    def __init__(self) -> None:
        self._sequences: dict[int, Sequence] = {}
        self._pictures: dict[int, int] = {}  # picture parameter set -> sequence parameter set

    def read(self, data: bytes) -> H264Slice | None:
        """The first slice of a picture; None where there is none. Parameter sets before it are kept."""
        for unit in _units(data):
            kind = unit[0] & 31 if unit else 0
            if kind == 7:
                number, sequence = _h264_sequence(unit)
                self._sequences[number] = sequence
            elif kind == 8:
                bits = Bits(unit[1:24])
                number = bits.ue()
                self._pictures[number] = bits.ue()
            elif kind in {1, 5}:
                return self._slice(unit[:HEADER], kind == 5)
        return None

    def _slice(self, unit: bytes, idr: bool) -> H264Slice:
        bits = Bits(unit[1:])
        kept = bool(unit[0] >> 5 & 3)  # nal_ref_idc
        first = not bits.ue()  # first_mb_in_slice
        bits.ue()  # slice_type
        sequence = self._sequences.get(self._pictures.get(bits.ue(), 0))
        if sequence is None:
            return H264Slice(None, idr, kept, first)
        if sequence.separate_planes:
            bits.u(2)
        frame_num = bits.u(sequence.frame_num_bits)
        if not sequence.frames_only and bits.u(1):
            bits.u(1)
        if idr:
            bits.ue()  # idr_pic_id
        return H264Slice(sequence, idr, kept, first, frame_num, bits.u(sequence.lsb_bits))


class HevcHeaders:
    """Takes coded pictures as byte streams (Annex B)."""

    def __init__(self) -> None:
        self.fresh = True
        """A sequence begins with the next picture; who reads it sets this back."""
        self._sequences: dict[int, Sequence] = {}
        self._pictures: dict[int, tuple[int, int, bool]] = {}  # sequence, extra bits, output flag present

    def read(self, data: bytes) -> HevcSlice | None:
        """The first slice of a picture; None where there is none. Parameter sets before it are kept."""
        for unit in _units(data):
            kind = unit[0] >> 1 & 63 if len(unit) > 2 else -1
            if kind == 33:
                number, sequence = _hevc_sequence(unit)
                self._sequences[number] = sequence
            elif kind == 34:
                bits = Bits(unit[2:24])
                number, belongs = bits.ue(), bits.ue()
                bits.u(1)
                output_flag = bool(bits.u(1))
                self._pictures[number] = (belongs, bits.u(3), output_flag)
            elif kind in {36, 37}:  # the end of a sequence, or of the bitstream
                self.fresh = True
            elif 0 <= kind < 32:
                return self._slice(unit[:HEADER], kind)
        return None

    def _slice(self, unit: bytes, kind: int) -> HevcSlice:
        bits = Bits(unit[2:])
        lowest = unit[1] & 7 == 1
        first = bool(bits.u(1))
        if 16 <= kind <= 23:
            bits.u(1)
        picture = self._pictures.get(bits.ue())
        sequence = self._sequences.get(picture[0]) if picture else None
        if picture is None or sequence is None or not first:  # behind another one its address comes first
            return HevcSlice(None, kind, lowest, first)
        bits.u(picture[1])
        bits.ue()  # slice_type
        if picture[2]:
            bits.u(1)
        if sequence.separate_planes:
            bits.u(2)
        if kind in {19, 20}:
            return HevcSlice(sequence, kind, lowest)
        order, sets = bits.u(sequence.lsb_bits), sequence.references
        if not bits.u(1):  # short_term_ref_pic_set_sps_flag
            references = _reference_set(bits, sets, in_slice=True)
        else:
            at = bits.u((len(sets) - 1).bit_length()) if len(sets) > 1 else 0
            references = sets[at] if at < len(sets) else ()
        return HevcSlice(sequence, kind, lowest, True, order, references)


def _units(data: bytes) -> Iterator[bytes]:
    """NAL units behind start codes, found one by one, as a picture's first slice ends the search."""
    at = data.find(b"\x00\x00\x01")
    while at >= 0:
        start = at + 3
        at = data.find(b"\x00\x00\x01", start)
        yield data[start : at if at >= 0 else start + 4096]


def _h264_sequence(unit: bytes) -> tuple[int, Sequence]:
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
    return number, Sequence(lsb_bits, order_type == 0, frame_num_bits, frames_only, separate, reorder)


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


def _hevc_sequence(unit: bytes) -> tuple[int, Sequence]:
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
    for _ in range(6):  # sizes of blocks, depths of their trees
        bits.ue()
    if bits.u(1) and bits.u(1):
        _skip_scaling_lists(bits)
    bits.u(2)
    if bits.u(1):  # samples as they are
        bits.u(8), bits.ue(), bits.ue(), bits.u(1)
    sets: tuple[References, ...] = ()
    for _ in range(min(bits.ue(), MOST_SETS)):
        sets += (_reference_set(bits, sets, in_slice=False),)
    return number, Sequence(
        min(lsb_bits, 16), separate_planes=separate, reorder=min(reorder, MOST_REORDERED), references=sets
    )


def _skip_scaling_lists(bits: Bits) -> None:
    """H.265, 7.3.4."""
    for size in range(4):
        for _ in range(2 if size == 3 else 6):
            if not bits.u(1):
                bits.ue()
                continue
            if size > 1:
                bits.se()
            for _ in range(min(64, 1 << 4 + 2 * size)):
                bits.se()


def _reference_set(bits: Bits, sets: tuple[References, ...], *, in_slice: bool) -> References:
    """st_ref_pic_set (H.265, 7.3.7 and 7.4.8) after `sets`, or in the header of a slice."""
    if sets and bits.u(1):  # as a difference to one before
        back = min(bits.ue() + 1, len(sets)) if in_slice else 1
        sign = bits.u(1)
        moved = (1 - 2 * sign) * (bits.ue() + 1)
        found = []
        for delta, _ in (*sets[len(sets) - back], (0, True)):
            used = bool(bits.u(1))
            if used or bits.u(1):
                found.append((delta + moved, used))
        below = sorted((each for each in found if each[0] < 0), reverse=True)
        return (*below, *sorted(each for each in found if each[0] > 0))
    below_count, above_count = min(bits.ue(), MOST_REORDERED), min(bits.ue(), MOST_REORDERED)
    found = []
    for count, sign in ((below_count, -1), (above_count, 1)):
        delta = 0
        for _ in range(count):
            delta += sign * (bits.ue() + 1)
            found.append((delta, bool(bits.u(1))))
    return tuple(found)
