"""`testvideo`: pictures that are computed, each with its number and time burned in."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor
from typing import Any, ClassVar

import numpy

from reelway.errors import OptionError
from reelway.filters.colour import parse_colour, samples_of, usual_matrix
from reelway.filters.counter import COLUMNS, HEIGHTS, draw_code
from reelway.filters.generate import Generator, Signal
from reelway.filters.patterns import BALL, BLINK, SNOW, SOLID, STILLS, ball_place, still
from reelway.graph.caps import Caps
from reelway.graph.option import Size, option
from reelway.media.frame import MemoryFrame
from reelway.media.layout import Array
from reelway.media.packet import Packet

__all__ = ["PATTERNS", "PictureSignal", "TestVideo"]

PATTERNS = (*STILLS, BLINK, SNOW, SOLID)


class PictureSignal(Signal):
    """Test pictures: those of one pattern, `count` of them (None: without end)."""

    def __init__(
        self,
        *,
        pattern: str = "smpte",
        size: Size,
        fps: Fraction,
        pixel_format: str = "yuv420p",
        colour: str = "gray",
        matrix: str = "",
        seed: int = 0,
        counter: bool = True,
        count: int | None = None,
    ) -> None:
        self.name = "video"
        self.count = count
        self._number = 0
        self._size = size
        self._fps = fps
        self._seed = seed
        self._counter = counter
        if counter and (size.height < HEIGHTS or size.width < COLUMNS):
            raise OptionError(
                f"a picture of {size} is too small for the counter",
                hint=f"counter=no, or at least {COLUMNS}x{HEIGHTS}",
            )
        self.properties = {
            "StreamType": "Visual",
            "CodecID": "raw",
            "Timescale": fps.numerator,
            "PixelFormat": pixel_format,
            "Width": size.width,
            "Height": size.height,
            "FPS": fps,
        }
        probe = samples_of(self.properties)
        if len(probe.components) > 1 and probe.components[0] == "Y":
            self.properties["ColorMatrix"] = matrix or usual_matrix(self.properties)
        self.properties["FullRange"] = probe.full_range
        if count is not None:
            self.properties |= {"NumFrames": count, "Duration": count / fps}
        self._samples = samples_of(self.properties)
        self.show(pattern, colour)

    def show(self, pattern: str, colour: str) -> None:
        """What the next pictures show."""
        self._pattern = pattern
        self._still = self._painted(pattern, parse_colour(colour))

    @property
    def next_s(self) -> Fraction:
        return self._number / self._fps

    def seek(self, time_s: Fraction) -> None:
        # a time is a float that was made of n / fps: it shall find n again
        self._number = max(0, floor(time_s * self._fps + Fraction(1, 10**6)))

    def packet(self) -> Packet | None:
        number = self._number
        if self.count is not None and number >= self.count:
            return None
        self._number += 1
        ticks = self._fps.denominator
        frame = self.frame(number)
        return Packet(frame, number * ticks, number * ticks, ticks, 1, frame.size)

    def frame(self, number: int) -> MemoryFrame:
        """Picture `number`; its time is number / fps."""
        frame = self._still.copy()
        planes = frame.planes(writable=True)
        width, height = self._size
        if self._pattern == BALL:
            self._paste(planes, self._ball, *ball_place(number, width, height))
        elif self._pattern == BLINK and number % 2:
            white = numpy.full((height, width), 255, numpy.uint8)
            self._paste(planes, self._samples.gray(white), 0, 0)
        elif self._pattern == SNOW:
            random = numpy.random.default_rng((self._seed, number))
            level = numpy.frombuffer(random.bytes(width * height), numpy.uint8).reshape(height, width)
            self._paste(planes, self._samples.gray(level), 0, 0)
        if self._counter:
            code = draw_code(width, height, number, round(1000 * number / self._fps))
            self._paste(planes, self._samples.gray(code), 0, 0)
        return frame

    def _painted(self, pattern: str, colour: tuple[int, int, int, int]) -> MemoryFrame:
        width, height = self._size
        frame = MemoryFrame.picture(self._samples.format, width, height)
        if pattern == BALL:
            self._ball = self._samples.planes(still(BALL, width, height, colour))
        below = "black" if pattern in (BALL, BLINK, SNOW) else pattern
        painted = self._samples.planes(still(below, width, height, colour))
        self._paste(frame.planes(writable=True), painted, 0, 0)
        return frame

    def _paste(self, planes: list[Array], drawn: list[Array], top: int, left: int) -> None:
        for plane, part, (down, across) in zip(planes, drawn, self._samples.subsampling, strict=True):
            into = plane[top // down :, left // across :]
            lines, columns = min(into.shape[0], part.shape[0]), min(into.shape[1], part.shape[1])
            into[:lines, :columns] = part[:lines, :columns]


class TestVideo(Generator):
    """Test pictures, each with its number and its time burned in as blocks that survive lossy coding.

    Frame n begins at n / fps exactly. `reelway.testing.burnin.read_counter` reads the blocks again.
    """

    __test__ = False  # no test case, whatever its name
    registry_name = "testvideo"
    outputs: ClassVar[Sequence[Caps]] = (Caps(StreamType="Visual", CodecID="raw"),)

    pattern: str = option("smpte", choices=PATTERNS, live=True, help="what is shown")
    size: Size = option("640x360", kind=Size, aliases=("sizes",), help="width and height")
    width: int = option(0, low=0, unit="pixels", help="another width than that of size")
    height: int = option(0, low=0, unit="pixels", help="another height than that of size")
    fps: Fraction = option(
        "25", low=Fraction(1, 3600), kind=Fraction, help="frames a second, such as 30000/1001"
    )
    frames: int | None = option(None, low=0, help="how many frames; by default as many as duration says")
    pixel_format: str = option("yuv420p", aliases=("pfmt",), help="FFmpeg's name")
    color: str = option("gray", live=True, help="of the pattern solid: red, #ff8800, #ff8800cc")
    matrix: str = option(
        "",
        choices=("", "bt709", "smpte170m", "bt2020nc"),
        help="of YUV; empty: bt709 from 1280x720 on, below smpte170m",
    )
    seed: int = option(0, low=0, help="of the pattern snow, which is the same for the same seed")
    counter: bool = option(True, help="burn the number and the time in")

    def signals(self) -> list[Signal]:
        return [picture_signal(self, self.pattern)]

    def updated(self, name: str) -> None:
        super().updated(name)
        for signal in self._signals:
            if name in ("pattern", "color") and isinstance(signal, PictureSignal):
                signal.show(self.pattern, self.color)


def picture_signal(filter: Any, pattern: str) -> PictureSignal:
    """As the options of `filter` say, which are those of TestVideo."""
    count: int | None = filter.frames
    if filter.length_s is not None:
        whole = -(-filter.length_s * filter.fps // 1)  # a frame that begins before the end is one of it
        count = int(whole) if count is None else min(count, int(whole))
    return PictureSignal(
        pattern=pattern,
        size=Size(filter.width or filter.size.width, filter.height or filter.size.height),
        fps=filter.fps,
        pixel_format=filter.pixel_format,
        colour=filter.color,
        matrix=filter.matrix,
        seed=filter.seed,
        counter=filter.counter,
        count=count,
    )
