"""Raw pictures into the size, pixel format and colours that are asked for, and upright."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import av

from reelway.engine.decode import TURN_FRAMES, TURN_S
from reelway.engine.decoder import threads_for
from reelway.engine.errors import quotable
from reelway.engine.frame import AvFrames, CodecFrame
from reelway.engine.picture import INTERPOLATIONS, PictureConverter
from reelway.engine.rawformat import MATRICES, code_of
from reelway.errors import OptionError, UnknownNameError, UnsupportedError, nearest
from reelway.graph.caps import Caps, Not
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import Size, option
from reelway.graph.resolve import Conversion
from reelway.media.layout import PICTURE_FORMATS
from reelway.media.names import canonical_pixel_format
from reelway.media.packet import Packet

__all__ = ["Convert"]


def _formats() -> tuple[str, ...]:
    """Pixel formats with a layout as arrays that FFmpeg knows."""
    known = []
    for name in PICTURE_FORMATS:
        try:
            av.VideoFormat(name)
        except ValueError:
            continue
        known.append(name)
    return tuple(known)


class Convert(Filter):
    """Converts raw pictures: size, pixel format, colour matrix and range, and upright.

    What is not asked for stays. One side of the size gives the other, in the shape of the picture. Colours
    are converted from what the stream says to what is asked, and the stream then says that; where it says
    nothing, BT.709 is taken from 1280x720 on and BT.601 below, in limited range. Pixels are turned where the
    stream says so (`Rotate`), as phones write it. Results are within 1 of 255 of computed ones.
    """

    registry_name = "convert"
    kind = "convert"
    thread = "pool"
    inputs = (Caps(StreamType="Visual", CodecID="raw"),)
    outputs = (Caps(CodecID="raw"),)
    conversions = (
        Conversion(
            inputs[0],
            Caps(PixelFormat=_formats(), Width=Not(0), Height=Not(0), ColorMatrix=Not(), FullRange=Not()),
            {
                "PixelFormat": "format",
                "Width": "width",
                "Height": "height",
                "ColorMatrix": "matrix",
                "FullRange": "full_range",
            },
            removes=frozenset(("Stride", "StrideUV", "Rotate")),
        ),
    )

    format: str = option("", aliases=("pixel_format", "ofmt"), help="pixel format, such as rgb24 or yuv420p")
    width: int = option(0, low=0, aliases=("w",), help="width in pixels; 0: as the height wants it")
    height: int = option(0, low=0, aliases=("h",), help="height in pixels; 0: as the width wants it")
    size: Size | None = option(None, kind=Size | None, aliases=("osize",), help="both, such as 1280x720")
    matrix: str = option("", help="colour matrix of the result: bt709, smpte170m (BT.601), bt2020nc ...")
    full_range: bool | None = option(None, aliases=("ofr",), help="samples of the result use the full range")
    upright: bool = option(
        True, help="turn pictures that say so; off: leave them, and the property, as it is"
    )
    rotate: int = option(
        0,
        choices={"0": 0, "90": 90, "180": 180, "270": 270},
        unit="degrees",
        help="turn so much further, clockwise",
    )
    interpolation: str = option(
        "bicubic", choices=tuple(INTERPOLATIONS), aliases=("scale",), help="how pixels in between are found"
    )
    fast: bool = option(False, help="YUV to RGB several times quicker, and off by up to 3 of 255")
    threads: int = option(
        1, low=0, help="threads of FFmpeg's scaler; 0: as many as there are cores, 8 at most"
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._unshown: dict[Link, Packet] = {}
        """The last picture that is not to be shown, not converted yet."""

    def open(self) -> None:
        if self.format:
            name = canonical_pixel_format(self.format)
            try:
                av.VideoFormat(name)
            except ValueError:
                near = nearest(name, PICTURE_FORMATS)
                raise UnknownNameError(
                    f"no pixel format is named {self.format!r}", name=self.format, near=near
                ) from None
        if self.matrix and code_of(self.matrix, MATRICES) == 2:
            near = nearest(self.matrix, MATRICES.values())
            raise UnknownNameError(f"no colour matrix is named {self.matrix!r}", name=self.matrix, near=near)
        if self.size is not None and (self.width or self.height):
            raise OptionError(f"{self.name}: size and width or height exclude each other")

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        if not all(isinstance(properties.get(name), kind) for name, kind in _NEEDED.items()):
            return [{**properties, **({"PixelFormat": self.format} if self.format else {})}]
        made = {**properties, **self._converter(properties).made}
        return [{name: value for name, value in made.items() if value is not None}]

    def configure(self, pid: Link) -> None:
        if missing := [name for name in _NEEDED if not pid.properties.get(name)]:
            raise UnsupportedError(f"{pid.name} cannot be converted without {' and '.join(missing)}")
        self._send_unshown(pid)
        converter = self._converter(pid.properties)
        pid.data = converter, AvFrames(pid.properties)
        self.output_for(pid, {**pid.properties, **({} if converter.idle else converter.made)})

    def process(self) -> float | None:
        until = perf_counter() + TURN_S
        for pid in self.ipids:
            converter, frames = pid.data
            left = TURN_FRAMES
            for packet in pid:
                assert pid.output is not None  # made in configure()
                if converter.idle:
                    pid.output.send(packet)
                elif packet.seek:
                    self._unshown[pid] = packet
                else:
                    self._send_unshown(pid)
                    pid.output.send(self._converted(packet, converter, frames))
                    left -= 1
                if not left or perf_counter() > until:
                    break
        return None

    def restarted(self, pid: Link) -> None:
        self._unshown.pop(pid, None)
        super().restarted(pid)

    def ended(self, pid: Link) -> None:
        self._send_unshown(pid)
        super().ended(pid)

    def _send_unshown(self, pid: Link) -> None:
        """Of the pictures that are not to be shown only the last: it may be what was asked to be seen."""
        if (packet := self._unshown.pop(pid, None)) is not None:
            assert pid.output is not None
            pid.output.send(self._converted(packet, *pid.data))

    def _converted(self, packet: Packet, converter: PictureConverter, frames: AvFrames) -> Packet:
        try:
            frame = converter.convert(frames.of(packet))
        except (av.error.FFmpegError, ValueError) as error:
            source = frames.properties["PixelFormat"]
            raise UnsupportedError(
                f"FFmpeg's scaler does not convert {source} to {self.format or source}: {error}"
            ) from quotable(error)
        payload = CodecFrame(frame)
        made = Packet(payload, size=payload.size)
        made.copy_properties(packet)
        return made

    def _converter(self, properties: dict[str, Any]) -> PictureConverter:
        width, height = self.size or (self.width, self.height)
        turns = (properties.get("Rotate") or 0) if self.upright else 0
        return PictureConverter(
            properties,
            format=canonical_pixel_format(self.format),
            width=width,
            height=height,
            matrix=self.matrix,
            full_range=self.full_range,
            turns=turns - self.rotate // 90,
            interpolation=self.interpolation,
            fast=self.fast,
            threads=threads_for(self.threads),
        )


_NEEDED: dict[str, Any] = {"PixelFormat": str, "Width": int, "Height": int}
