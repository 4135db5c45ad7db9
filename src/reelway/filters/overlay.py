"""`text` and `picture`: laid over films."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy

from reelway.errors import OpenError, OptionError
from reelway.filters.blend import POSITIONS, Stamp, corner, pillow
from reelway.filters.colour import parse_colour, samples_of
from reelway.filters.pictures import PictureFilter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.media.frame import MemoryFrame
from reelway.media.layout import Array
from reelway.media.packet import Packet
from reelway.media.payload import Frame

__all__ = ["Picture", "Text"]


class _Laid:
    """What is laid over one stream."""

    __slots__ = ("frame", "key", "stamp")

    def __init__(self) -> None:
        self.key: object = None
        self.stamp: Stamp | None = None
        """What was laid over last, of `key`; None: it is to be made."""
        self.frame = 0
        """The number of the next picture."""


class Overlay(PictureFilter):
    """Draws into each picture; a subclass gives what, as RGBA. Copies only what others read as well."""

    position: str = option("top-left", choices=POSITIONS, live=True, help="where it lies")
    x: int = option(0, live=True, unit="pixels", help="how far from that edge, or right of the middle")
    y: int = option(0, live=True, unit="pixels", help="how far from that edge, or below the middle")

    def drawn(self, packet: Packet, pid: Link) -> tuple[object, Array | None]:
        """A key and the RGBA picture (lines, columns, 4); None where that of the key is known already."""
        raise NotImplementedError

    def made(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        return dict(properties)  # frames keep their memory, and with it its gaps

    def configure(self, pid: Link) -> None:
        super().configure(pid)
        pid.data = pid.data or _Laid()
        pid.data.stamp = None

    def change(self, packet: Packet, pid: Link) -> Packet:
        laid: _Laid = pid.data
        key, rgba = self.drawn(packet, pid)
        if rgba is not None:
            within = pid.properties["Width"], pid.properties["Height"]
            left, top = corner(self.position, (self.x, self.y), (rgba.shape[1], rgba.shape[0]), within)
            laid.key, laid.stamp = key, Stamp(rgba, samples_of(pid.properties), left, top, within)
        if not isinstance(packet.payload, Frame):
            packet.payload = MemoryFrame.of(packet.payload, pid.properties)
        assert laid.stamp is not None
        laid.stamp.lay_over(packet.writable())
        return packet


class Text(Overlay):
    """Writes text into each picture, with Pillow.

    In the text, {time} is the time of the stream (00:01:02.345), {frame} counts the pictures of each
    stream from 0, and {clock} is the local time of day.
    """

    registry_name = "text"
    content: str = option(
        live=True, aliases=("text",), help="what is written; {time} {frame} {clock}; several lines with \\n"
    )
    font_size: int = option(24, low=4, high=2000, live=True, unit="pixels", help="height of the letters")
    font: str = option("", live=True, help="a TrueType file; empty: Pillow's own")
    color: str = option("white", live=True, help="of the letters: white, #ff8800, white@0.5")
    box: str = option("", live=True, help="colour of a box behind the letters: black@0.5; empty: none")
    padding: int = option(4, low=0, live=True, unit="pixels", help="of the box around the letters")
    x: int = option(16, live=True, unit="pixels", help="how far from that edge, or right of the middle")
    y: int = option(16, live=True, unit="pixels", help="how far from that edge, or below the middle")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._font: tuple[tuple[str, int], Any] = (("", 0), None)
        """(file, size) of the font that was loaded last, and the font."""

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        parse_colour(self.color)
        if self.box:
            parse_colour(self.box)

    def open(self) -> None:
        pillow("text on pictures")

    def drawn(self, packet: Packet, pid: Link) -> tuple[object, Array | None]:
        written = self._written(packet, pid)
        pid.data.frame += 1
        if pid.data.stamp is not None and pid.data.key == written:
            return written, None
        return written, self._rendered(written)

    def _written(self, packet: Packet, pid: Link) -> str:
        written = self.content.replace("\\n", "\n").replace("{frame}", str(pid.data.frame))
        if "{time}" in written:
            ticks = packet.cts if packet.cts is not None else packet.dts
            ms = abs(1000 * (ticks or 0) // (pid.properties.get("Timescale") or 1))
            shown = f"{ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"
            written = written.replace("{time}", shown)
        return written.replace("{clock}", time.strftime("%H:%M:%S")) if "{clock}" in written else written

    def _rendered(self, written: str) -> Array:
        from PIL import Image, ImageDraw

        font = self._loaded_font()
        pad = self.padding if self.box else 0
        measure = ImageDraw.Draw(Image.new("L", (1, 1)))
        left, top, right, bottom = measure.multiline_textbbox((0, 0), written, font=font)
        size = int(right - left + 0.5) + 2 * pad, int(bottom - top + 0.5) + 2 * pad
        colour = parse_colour(self.color)
        behind = parse_colour(self.box) if self.box else (*colour[:3], 0)
        image = Image.new("RGBA", (max(1, size[0]), max(1, size[1])), behind)
        letters = Image.new("RGBA", image.size, (*colour[:3], 0))
        ImageDraw.Draw(letters).multiline_text((pad - left, pad - top), written, fill=colour, font=font)
        return numpy.asarray(Image.alpha_composite(image, letters))

    def _loaded_font(self) -> Any:
        """The font that is asked for, loaded once."""
        from PIL import ImageFont

        wanted = self.font, self.font_size
        if self._font[0] != wanted:
            try:
                font: Any = (
                    ImageFont.truetype(*wanted) if self.font else ImageFont.load_default(self.font_size)
                )
            except OSError as error:
                raise OpenError(f"the font {self.font} cannot be read: {error}", url=self.font) from None
            self._font = wanted, font
        return self._font[1]


class Picture(Overlay):
    """Lays one picture over all: a logo, a frame. Its transparency is kept."""

    registry_name = "picture"
    image: Any = option(
        kind=object, live=True, help="a file that Pillow reads, or an array (lines, columns, 3 or 4) uint8"
    )
    opacity: float = option(1.0, low=0.0, high=1.0, live=True, help="on top of its own transparency")
    width: int = option(0, low=0, live=True, unit="pixels", help="scaled to that; 0: as the height has it")
    height: int = option(0, low=0, live=True, unit="pixels", help="scaled to that; 0: as the width has it")

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        if "image" in options and not isinstance(self.image, (str, Path)):
            self._checked(self.image)

    def drawn(self, packet: Packet, pid: Link) -> tuple[object, Array | None]:
        return (None, None) if pid.data.stamp is not None else (None, self._loaded())

    def _loaded(self) -> Array:
        if isinstance(self.image, (str, Path)):
            pillow("reading pictures")
            from PIL import Image

            try:
                with Image.open(self.image) as image:
                    rgba: Array = numpy.asarray(image.convert("RGBA"))
            except OSError as error:
                raise OpenError(
                    f"the picture {self.image} cannot be read: {error}", url=str(self.image)
                ) from None
        else:
            rgba = self._checked(self.image)
        if self.width or self.height:
            rgba = self._scaled(rgba)
        if self.opacity < 1:
            rgba = rgba.copy()
            rgba[..., 3] = numpy.rint(rgba[..., 3] * self.opacity)
        return rgba

    def _scaled(self, rgba: Array) -> Array:
        pillow("scaling pictures")
        from PIL import Image

        lines, columns = rgba.shape[:2]
        width = self.width or max(1, round(columns * self.height / lines))
        height = self.height or max(1, round(lines * self.width / columns))
        return numpy.asarray(Image.fromarray(rgba).resize((width, height), Image.Resampling.LANCZOS))

    @staticmethod
    def _checked(image: Any) -> Array:
        array = numpy.asarray(image)
        if array.dtype != numpy.uint8 or array.ndim != 3 or array.shape[2] not in (3, 4):
            raise OptionError(
                f"picture:image is an array {array.shape} of {array.dtype}",
                hint="give (lines, columns, 3 or 4) of uint8, or the name of a file",
            )
        if array.shape[2] == 4:
            return array
        return numpy.pad(array, ((0, 0), (0, 0), (0, 1)), constant_values=255)
