"""`flip`: mirrors pictures and turns them by quarters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy

from reelway.errors import UnsupportedError
from reelway.filters.colour import samples_of
from reelway.filters.frames import carry, frame_of
from reelway.filters.pictures import PictureFilter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.media.frame import MemoryFrame
from reelway.media.packet import Packet

__all__ = ["Flip"]


class Flip(PictureFilter):
    """Mirrors each picture, then turns it.

    Quarter turns need a format with as much chroma down as across (4:2:0, 4:4:4, RGB). Where a width or
    height is odd, chroma moves by half a sample.
    """

    registry_name = "flip"
    mode: str = option(
        "horizontal",
        choices=("none", "horizontal", "vertical", "both"),
        live=True,
        help="which way to mirror: left and right, up and down",
    )
    rotate: int = option(
        0,
        choices={"0": 0, "90": 90, "180": 180, "270": 270},
        live=True,
        unit="degrees",
        help="then turn so far clockwise; 90 and 270 swap width and height",
    )

    def set_options(self, options: dict[str, Any]) -> None:
        if "rotate" in options and "mode" not in options and "mode" not in self.given:
            options = {**options, "mode": "none"}  # who asks for a turn only gets one
        super().set_options(options)

    def made(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        made = super().made(properties)
        if self.rotate % 180:
            if any(down != across for down, across in samples_of(properties).subsampling):
                raise UnsupportedError(
                    f"a quarter turn of {properties['PixelFormat']} needs another chroma",
                    hint="convert it first, to yuv420p or yuv444p",
                )
            made |= {"Width": properties["Height"], "Height": properties["Width"]}
            if sar := properties.get("SAR"):
                made["SAR"] = 1 / sar
        return made

    def change(self, packet: Packet, pid: Link) -> Packet:
        assert pid.output is not None
        made = pid.output.properties
        frame = MemoryFrame.picture(made["PixelFormat"], made["Width"], made["Height"])
        down = -1 if self.mode in ("vertical", "both") else 1
        across = -1 if self.mode in ("horizontal", "both") else 1
        sources = frame_of(packet, pid.properties).planes()
        for source, target in zip(sources, frame.planes(writable=True), strict=True):
            target[:] = numpy.rot90(source[::down, ::across], -self.rotate // 90)
        return carry(packet, frame)
