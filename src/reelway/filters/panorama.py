"""`panorama`: sound further left or further right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy

from reelway.filters.frames import carry, frame_of
from reelway.filters.sound import to_floats, to_frame
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.media.layout import Array
from reelway.media.packet import Packet

__all__ = ["Panorama"]


class Panorama(Filter):
    """Places sound between two loudspeakers; mono becomes stereo.

    `move` adds what goes away on one side to the other, `fade` lets it go.
    """

    registry_name = "panorama"
    inputs = (Caps(StreamType="Audio", CodecID="raw", NumChannels=(1, 2)),)
    outputs = (Caps(StreamType="Audio", CodecID="raw", NumChannels=2),)

    position: float = option(0.0, low=-1.0, high=1.0, live=True, help="-1 is left, 1 is right")
    method: str = option("move", choices=("move", "fade"), live=True, help="what becomes of the far side")

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        return [self._made(properties)]

    def configure(self, pid: Link) -> None:
        self.output_for(pid, self._made(pid.properties))

    def process(self) -> float | None:
        gains = self._gains()
        for pid in self.ipids:
            if pid.output is None:
                continue
            for packet in pid:
                pid.output.send(self._placed(packet, pid, gains))
        return None

    def _made(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        return {**properties, "NumChannels": 2, "ChannelLayout": "stereo"}

    def _placed(self, packet: Packet, pid: Link, gains: Array) -> Packet:
        frame = frame_of(packet, pid.properties)
        samples = to_floats(frame)
        if samples.shape[1] == 2 and not self.position:
            return packet
        if samples.shape[1] == 1:
            samples = numpy.repeat(samples, 2, axis=1)
            gains = gains * numpy.eye(2) if self.method == "fade" else _mono(self.position)
        return carry(packet, to_frame(samples @ gains.astype(samples.dtype), frame.format))

    def _gains(self) -> Array:
        """[from left, right][to left, right]."""
        left, right = max(0.0, -self.position), max(0.0, self.position)
        kept = numpy.diag((1 - right, 1 - left)).astype(float)
        if self.method == "move":
            kept[0, 1], kept[1, 0] = right, left
        return kept


def _mono(position: float) -> Array:
    """Of one sound on both sides: together they stay as loud, in the middle each has half of it."""
    return numpy.diag(((1 - position) / 2, (1 + position) / 2))
