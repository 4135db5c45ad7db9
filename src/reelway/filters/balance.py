"""`balance`: brightness, contrast, saturation, hue and gamma of pictures."""

from __future__ import annotations

from math import cos, pi, sin

import numpy

from reelway.filters.colour import samples_of
from reelway.filters.frames import carry, frame_of
from reelway.filters.pictures import PictureFilter
from reelway.graph.caps import Caps
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.media.frame import MemoryFrame
from reelway.media.layout import Array
from reelway.media.packet import Packet

__all__ = ["Balance"]

_FORMATS = ("yuv420p", "yuv422p", "yuv444p", "yuv411p", "yuv410p", "yuv440p", "yuva420p", "gray")
"""8 bits, and a plane for each component."""


class Balance(PictureFilter):
    """Looks every sample up in a table; what changes nothing copies nothing.

    Luma is spread around its middle by `contrast` after `gamma`, and lifted by `brightness` of its range; the
    colours are turned by `hue` half circles and multiplied by `saturation`. What is too much is clipped.
    """

    registry_name = "balance"
    inputs = (Caps(StreamType="Visual", CodecID="raw", PixelFormat=_FORMATS),)

    brightness: float = option(0.0, low=-1.0, high=1.0, live=True, help="lighter above 0")
    contrast: float = option(1.0, low=0.0, high=2.0, live=True, help="0 is all grey")
    saturation: float = option(1.0, low=0.0, high=2.0, live=True, help="0 is black and white")
    hue: float = option(0.0, low=-1.0, high=1.0, live=True, help="colours turned by so many half circles")
    gamma: float = option(1.0, low=0.01, high=10.0, live=True, help="lighter in the middle above 1")

    def configure(self, pid: Link) -> None:
        super().configure(pid)
        low, high = (0, 255) if samples_of(pid.properties).full_range else (16, 235)
        pid.data = self._luma(low, high)

    def change(self, packet: Packet, pid: Link) -> Packet:
        if (self.brightness, self.contrast, self.saturation, self.hue, self.gamma) == (0, 1, 1, 0, 1):
            return packet
        properties = pid.properties
        frame = MemoryFrame.picture(properties["PixelFormat"], properties["Width"], properties["Height"])
        sources, targets = frame_of(packet, properties).planes(), frame.planes(writable=True)
        targets[0][:] = pid.data[sources[0]]
        if len(sources) >= 3:
            self._turn(sources[1], sources[2], targets[1], targets[2])
        for source, target in zip(sources[3:], targets[3:], strict=True):
            target[:] = source
        return carry(packet, frame)

    def _luma(self, low: int, high: int) -> Array:
        """What becomes of each of the 256 values of luma."""
        level = (numpy.arange(256) - low) / (high - low)
        if self.gamma != 1:
            level = numpy.clip(level, 0, None) ** (1 / self.gamma)
        level = (level - 0.5) * self.contrast + 0.5 + self.brightness
        table: Array = numpy.clip(numpy.rint(level * (high - low) + low), 0, 255).astype(numpy.uint8)
        return table

    def _turn(self, u: Array, v: Array, to_u: Array, to_v: Array) -> None:
        across, down = self.saturation * cos(pi * self.hue), self.saturation * sin(pi * self.hue)
        if (across, down) == (1.0, 0.0):
            to_u[:], to_v[:] = u, v
            return
        blue, red = u.astype(numpy.float32) - 128, v.astype(numpy.float32) - 128
        for target, value in ((to_u, blue * across + red * down), (to_v, red * across - blue * down)):
            numpy.rint(value, out=value)
            target[:] = numpy.clip(value + 128, 0, 255).astype(numpy.uint8)
