"""What coded pictures of H.264 and HEVC say of themselves: their first slice header, by its parameter sets.

ITU-T H.264, 7.3.3, and H.265, 7.3.6: only as far as what tells in which order pictures are shown, and what
they refer to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from reelway.engine.bits import Bits
from reelway.engine.parameter_sets import (
    References,
    Sequence,
    h264_sequence,
    hevc_sequence,
    reference_set,
)

__all__ = ["H264Headers", "H264Slice", "HevcHeaders", "HevcSlice"]

HEADER = 96  # bytes of a slice that surely hold what is read from its header


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
                number, sequence = h264_sequence(unit)
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
                number, sequence = hevc_sequence(unit)
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
            references = reference_set(bits, sets, in_slice=True)
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
