"""`decoded`: passes raw media on, so that what comes before it is decoded whoever comes behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from reelway.filters.simple import Forward
from reelway.graph.caps import Caps

__all__ = ["Decoded"]


class Decoded(Forward):
    """Takes pictures and sound raw, and text as it is; the resolver puts decoders in front of it.

    What is decoded only to get to the place of a seek (`packet.seek`) goes no further.
    """

    registry_name = "decoded"
    inputs: ClassVar[Sequence[Caps]] = (
        Caps(StreamType="Visual", CodecID="raw"),
        Caps(StreamType="Audio", CodecID="raw"),
        Caps(StreamType="Text"),
    )
    outputs: ClassVar[Sequence[Caps]] = inputs

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        return [dict(properties)]

    def process(self) -> float | None:
        for pid in self.ipids:
            assert pid.output is not None  # made in configure()
            for packet in pid:
                if not packet.seek:
                    pid.output.send(packet)
        return None
