"""Pictures of H.264 that were lost on the way, told by what the next one says of itself.

A reference picture counts one on (frame_num: ITU-T H.264, 7.4.3); what refers to one that did not come
decodes into something plausible and wrong. Of other codecs nothing is told here.
"""

from __future__ import annotations

from reelway.engine.bits import Bits
from reelway.engine.picture_order import HEADER, h264_sequence, units

__all__ = ["FrameNumbers"]

LOOK = 2048
"""Bytes of a picture in which its first slice begins."""


class FrameNumbers:
    """Takes coded pictures in decode order, as byte streams (Annex B)."""

    def __init__(self, config: bytes | None = None) -> None:
        self._bits: dict[int, tuple[int, bool]] = {}
        """Sequence parameter set -> bits of a frame number, and whether its colour planes are apart."""
        self._pictures: dict[int, int] = {}
        self._last: int | None = None
        """Of the reference picture that came last."""
        if config:
            self.lost(config)

    def lost(self, data: bytes | memoryview) -> bool:
        """True where something is missing before this picture, or at its beginning."""
        for unit in units(bytes(data[:LOOK])):
            kind = unit[0] & 31 if unit else 0
            if kind == 7:
                number, sequence = h264_sequence(unit)
                self._bits[number] = sequence.frame_num_bits, sequence.separate_planes
            elif kind == 8:
                bits = Bits(unit[1:24])
                number = bits.ue()
                self._pictures[number] = bits.ue()
            elif kind in {1, 5}:
                return self._slice(unit[:HEADER], kind == 5)
        return False

    def _slice(self, unit: bytes, idr: bool) -> bool:
        bits = Bits(unit[1:])
        headless = bits.ue() > 0  # first_mb_in_slice
        bits.ue()  # slice_type
        size, separate = self._bits.get(self._pictures.get(bits.ue(), 0), (0, False))
        if not size:
            return False
        if separate:
            bits.u(2)
        number, last = bits.u(size), self._last
        if unit[0] >> 5 & 3 or idr:  # nal_ref_idc
            self._last = number
        if idr or last is None:
            return headless
        return headless or number not in (last, (last + 1) % (1 << size))
