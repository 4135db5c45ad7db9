"""`crop` and `pad`: less of a picture, and more around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reelway.errors import OptionError
from reelway.filters.colour import parse_colour, samples_of
from reelway.filters.frames import carry, frame_of
from reelway.filters.pictures import PictureFilter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.media.frame import MemoryFrame
from reelway.media.packet import Packet

__all__ = ["Crop", "Pad"]


class Crop(PictureFilter):
    """Cuts a rectangle out of each picture.

    Its corner is rounded down to where the format has chroma (to even places in yuv420p), which `status`
    then says; its size is kept as asked.
    """

    registry_name = "crop"
    x: int = option(-1, low=-1, unit="pixels", live=True, help="left edge; -1: in the middle")
    y: int = option(-1, low=-1, unit="pixels", live=True, help="top edge; -1: in the middle")
    width: int = option(0, low=0, unit="pixels", help="0: from x to the right edge")
    height: int = option(0, low=0, unit="pixels", help="0: from y to the bottom edge")

    def made(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        made = super().made(properties)
        made.pop("OriginalSize", None)
        for name, at, wanted in (("Width", self.x, self.width), ("Height", self.y, self.height)):
            whole = properties[name]
            made[name] = wanted or whole - max(0, at)
            if made[name] > whole or made[name] <= 0:
                what = f"{wanted} pixels" if wanted else f"what begins at {at}"
                raise OptionError(
                    f"crop: there is no {what} in a {name.lower()} of {whole}", hint="take less of it"
                )
        return made

    def configure(self, pid: Link) -> None:
        super().configure(pid)
        assert pid.output is not None
        properties, made = pid.properties, pid.output.properties
        down, across = samples_of(properties).grid
        pid.data = (
            _corner(self, "y", properties["Height"] - made["Height"], down),
            _corner(self, "x", properties["Width"] - made["Width"], across),
        )

    def change(self, packet: Packet, pid: Link) -> Packet:
        assert pid.output is not None
        made = pid.output.properties
        frame = MemoryFrame.picture(made["PixelFormat"], made["Width"], made["Height"])
        top, left = pid.data
        samples = samples_of(pid.properties)
        for source, target, (down, across) in zip(
            frame_of(packet, pid.properties).planes(),
            frame.planes(writable=True),
            samples.subsampling,
            strict=True,
        ):
            lines, columns = target.shape[:2]
            target[:] = source[top // down :, left // across :][:lines, :columns]
        return carry(packet, frame)


class Pad(PictureFilter):
    """Puts each picture on a larger one of one colour; its corner is rounded as that of `crop`."""

    registry_name = "pad"
    width: int = option(0, low=0, unit="pixels", help="of the larger picture; 0: as before")
    height: int = option(0, low=0, unit="pixels", help="of the larger picture; 0: as before")
    x: int = option(-1, low=-1, unit="pixels", live=True, help="where the picture lies; -1: in the middle")
    y: int = option(-1, low=-1, unit="pixels", live=True, help="where the picture lies; -1: in the middle")
    color: str = option("black", live=True, help="around it: black, #ff8800, #ff8800cc")

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        parse_colour(self.color)

    def made(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        made = super().made(properties)
        for name, wanted in (("Width", self.width), ("Height", self.height)):
            whole = properties[name]
            if wanted and wanted < whole:
                raise OptionError(
                    f"pad: a picture of {name.lower()} {whole} does not fit into {wanted}",
                    hint="crop it first",
                )
            made[name] = wanted or whole
        return made

    def configure(self, pid: Link) -> None:
        super().configure(pid)
        assert pid.output is not None
        properties, made = pid.properties, pid.output.properties
        samples = samples_of(properties)
        down, across = samples.grid
        around = MemoryFrame.picture(made["PixelFormat"], made["Width"], made["Height"])
        colour = samples.colour(parse_colour(self.color))
        for plane, value in zip(around.planes(writable=True), colour, strict=True):
            plane[:] = value
        top = _corner(self, "y", made["Height"] - properties["Height"], down)
        left = _corner(self, "x", made["Width"] - properties["Width"], across)
        pid.data = around, top, left

    def change(self, packet: Packet, pid: Link) -> Packet:
        around, top, left = pid.data
        frame = around.copy()
        for source, target, (down, across) in zip(
            frame_of(packet, pid.properties).planes(),
            frame.planes(writable=True),
            samples_of(pid.properties).subsampling,
            strict=True,
        ):
            lines, columns = source.shape[:2]
            into = target[top // down :, left // across :][:lines, :columns]
            into[:] = source[: into.shape[0], : into.shape[1]]
        return carry(packet, frame)


def _corner(filter: PictureFilter, name: str, reach: int, grid: int) -> int:
    """Where the option `name` says, within 0 to `reach`, rounded down to the grid of the chroma."""
    asked = getattr(filter, name)
    at: int = (reach // 2 if asked < 0 else min(asked, reach)) // grid * grid
    if asked >= 0 and at != asked:
        filter.say(f"{name}={asked} became {at}")
    return at
