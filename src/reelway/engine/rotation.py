"""How far pictures have to be turned, as their stream's description says it.

PyAV tells a stream's display matrix only on decoded frames. FFmpeg's muxer for QuickTime writes it into the
track header (ISO/IEC 14496-12, 8.3.2), where it can be read before anything is decoded.
"""

from __future__ import annotations

import io
import math
import struct
from typing import Any

import av

__all__ = ["quarter_turns"]


def quarter_turns(template: Any) -> int:
    """Quarter turns, anticlockwise, that show the pictures of a stream upright; 0 where nothing says so."""
    header = io.BytesIO()
    try:
        writer = av.open(header, "w", format="mov", container_options={"movflags": "empty_moov"})
        writer.add_stream_from_template(template, opaque=True)
        writer.start_encoding()
    except (av.error.FFmpegError, ValueError):  # no codec of QuickTime's, or nothing is known of it yet
        return 0
    found = header.getvalue()
    at = found.find(b"tkhd") + 4
    if at < 4 or len(found) < at + 88:
        return 0
    across, down = struct.unpack_from(">ii", found, at + (52 if found[at] else 40))
    return round(-math.atan2(down, across) / (math.pi / 2)) % 4
