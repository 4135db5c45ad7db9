"""`box`: cuts off the edges of pictures, or adds to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reelway.errors import OptionError
from reelway.filters.colour import parse_colour, samples_of
from reelway.filters.frames import carry, frame_of
from reelway.filters.pictures import PictureFilter
from reelway.filters.places import paste
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.media.frame import MemoryFrame
from reelway.media.packet import Packet

__all__ = ["Box"]


class Box(PictureFilter):
    """Takes so many pixels off each edge; a number below 0 adds so many of one colour.

    Places are rounded to where the format has chroma (to even ones in yuv420p), sizes are kept.
    """

    registry_name = "box"

    left: int = option(0, live=True, unit="pixels", help="off the left edge; below 0: added")
    right: int = option(0, live=True, unit="pixels", help="off the right edge; below 0: added")
    top: int = option(0, live=True, unit="pixels", help="off the top; below 0: added")
    bottom: int = option(0, live=True, unit="pixels", help="off the bottom; below 0: added")
    color: str = option("black", live=True, help="of what is added: black, #ff8800, #ff8800cc")

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        parse_colour(self.color)

    def made(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        made = super().made(properties)
        made.pop("OriginalSize", None)
        made["Width"] -= self.left + self.right
        made["Height"] -= self.top + self.bottom
        if made["Width"] <= 0 or made["Height"] <= 0:
            whole = f"{properties['Width']}x{properties['Height']}"
            raise OptionError(f"{self.name}: nothing is left of a picture of {whole}", hint="take less of it")
        return made

    def configure(self, pid: Link) -> None:
        super().configure(pid)
        assert pid.output is not None
        made = pid.output.properties
        samples = samples_of(made)
        around = MemoryFrame.picture(made["PixelFormat"], made["Width"], made["Height"])
        if min(self.left, self.right, self.top, self.bottom) < 0:
            for plane, value in zip(
                around.planes(writable=True), samples.colour(parse_colour(self.color)), strict=True
            ):
                plane[:] = value
        pid.data = around

    def change(self, packet: Packet, pid: Link) -> Packet:
        if not (self.left or self.right or self.top or self.bottom):
            return packet
        samples = samples_of(pid.properties)
        tall, wide = samples.grid
        frame: MemoryFrame = pid.data.copy()
        top, left = int(self.top / tall) * tall, int(self.left / wide) * wide
        sources = frame_of(packet, pid.properties).planes()
        for source, target, (down, across) in zip(
            sources, frame.planes(writable=True), samples.subsampling, strict=True
        ):
            paste(source, target, -top // down, -left // across)
        return carry(packet, frame)
