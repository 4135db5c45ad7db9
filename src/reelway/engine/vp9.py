"""VP9: what a frame says of itself."""

from __future__ import annotations

__all__ = ["is_keyframe"]


def is_keyframe(data: bytes | memoryview) -> bool:
    """True for a frame that decoding can begin with (VP9 bitstream, 6.2). FFmpeg does not tell it of RTP."""
    if not len(data) or data[0] >> 6 != 2:
        return False
    # profile 3 has one more bit in front of these two: an old frame again, no keyframe
    shift = 1 if data[0] >> 4 & 3 == 3 else 2
    return data[0] >> shift & 3 == 0
