"""Pictures of H.264 and HEVC that were lost on the way, told by what the next one says of itself.

What refers to a picture that did not come decodes into something plausible and wrong. In H.264 each reference
picture counts one on (frame_num: ITU-T H.264, 7.4.3); in HEVC each picture names all that it, or a later
one, still refers to (H.265, 8.3.2).
"""

from __future__ import annotations

from reelway.engine.picture_order import most_significant
from reelway.engine.slice_headers import H264Headers, HevcHeaders

__all__ = ["FrameNumbers", "HevcNumbers", "frame_numbers"]

LOOK = 2048
"""Bytes of a picture in which its first slice begins."""


def frame_numbers(codec: str, config: bytes | None = None) -> FrameNumbers | HevcNumbers | None:
    """What tells lost pictures of a codec; None where nothing does."""
    if codec == "h264":
        return FrameNumbers(config)
    return HevcNumbers(config) if codec == "hevc" else None


class FrameNumbers:
    """Takes coded pictures of H.264 in decode order, as byte streams (Annex B)."""

    def __init__(self, config: bytes | None = None) -> None:
        self._headers = H264Headers()
        self._last: int | None = None
        """Of the reference picture that came last."""
        if config:
            self.lost(config)

    def lost(self, data: bytes | memoryview) -> bool:
        """True where something is missing before this picture, or at its beginning."""
        slice = self._headers.read(bytes(data[:LOOK]))
        if slice is None or slice.sequence is None:
            return False
        number, last = slice.frame_num, self._last
        if slice.kept or slice.idr:
            self._last = number
        if not slice.first:
            return True
        if slice.idr or last is None:
            return False
        return number not in (last, (last + 1) % (1 << slice.sequence.frame_num_bits))


class HevcNumbers:
    """Takes coded pictures of HEVC in decode order, as byte streams (Annex B)."""

    def __init__(self, config: bytes | None = None) -> None:
        self._headers = HevcHeaders()
        self._previous = (0, 0)
        """Most and least significant part of the order count that the next one refers to."""
        self._there: set[int] = set()
        """Order counts of the pictures that came, and that a later one may refer to."""
        self._begun = False
        """A picture came that decoding can begin with."""
        if config:
            self._headers.read(config)

    def lost(self, data: bytes | memoryview) -> bool:
        """True where something is missing that this picture refers to, or its beginning."""
        slice = self._headers.read(bytes(data[:LOOK]))
        if slice is None:
            return False
        if not slice.first:
            return True
        restarts = slice.anchor and (slice.kind < 21 or self._headers.fresh or not self._begun)
        self._headers.fresh = False
        sequence = slice.sequence
        if sequence is None or not (self._begun or restarts):
            return False
        order, size = slice.order, 1 << sequence.lsb_bits
        most = 0 if restarts else most_significant(self._previous, order, size)
        if slice.counts:
            self._previous = (most, order)
        count = most + order
        if restarts:
            self._begun, self._there = True, set()
        named = {count + delta for delta, _ in slice.references}
        missing = any(used and count + delta not in self._there for delta, used in slice.references)
        self._there = (self._there & named) | {count}
        return missing and not slice.leading  # what leads to the first anchor cannot be decoded anyway
