"""Pictures into another size, pixel format, colour matrix, range, or turned upright.

FFmpeg's scaler believes what the frame says of its colours, and guesses where it says nothing. So it is
always told. What a stream leaves open is taken by convention: BT.709 from 1280x720 on, BT.601 below;
limited range, but full range for RGB, grey and FFmpeg's yuvj formats. Grey of RGB is BT.601's luma.

The scaler's quickest way from YUV to RGB is off by 3 of 255 (measured); here results are within 1 unless
`fast` is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import av
import numpy
from av.video.reformatter import Interpolation, VideoReformatter

from reelway.engine.rawformat import MATRICES, code_of
from reelway.engine.through import Through
from reelway.errors import FormatError, UnsupportedError

__all__ = ["INTERPOLATIONS", "PictureConverter", "check_samples", "is_rgb", "spare_bits", "usual_matrix"]

INTERPOLATIONS = {
    "nearest": Interpolation.POINT,
    "fast_bilinear": Interpolation.FAST_BILINEAR,
    "bilinear": Interpolation.BILINEAR,
    "bicubic": Interpolation.BICUBIC,
    "area": Interpolation.AREA,
    "gauss": Interpolation.GAUSS,
    "sinc": Interpolation.SINC,
    "lanczos": Interpolation.LANCZOS,
    "spline": Interpolation.SPLINE,
}
_ROUNDED = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
_FAST = Interpolation.FULL_CHR_H_INT
_FROM_PLANES = {"rgb24", "bgr24", "rgba", "bgra", "argb", "abgr"}
"""What FFmpeg makes exactly of YUV in twice the time that it takes by way of planes (gbrp)."""
_SCALER = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""FFmpeg's number of a colour matrix -> that of its scaler."""
_TURNS = {
    1: (("transpose", "dir=cclock"),),
    2: (("hflip", ""), ("vflip", "")),
    3: (("transpose", "dir=clock"),),
}
LIMITED, FULL = 1, 2


def is_rgb(format: str) -> bool:
    return av.VideoFormat(format).is_rgb


def usual_matrix(width: int, height: int) -> int:
    """BT.709 or BT.601, where nothing says which."""
    return 1 if width >= 1280 or height >= 720 else 6


def spare_bits(format: str) -> int:
    """How many bits of its 16 a sample of `format` leaves at 0; 0 also where those lie elsewhere."""
    found = re.fullmatch(r"(?:yuva?4\d\dp|gbra?p|gray)(9|10|12|14)le", format)
    return 16 - int(found[1]) if found else 0


def check_samples(frame: Any, spare: int) -> None:
    """Raises FormatError where a sample needs bits that its format has not: x264 aborts the process."""
    most = 0xFFFF >> spare
    for plane in frame.planes:
        lines = numpy.frombuffer(plane, "<u2").reshape(plane.height, -1)[:, : plane.width]
        if lines.size and (highest := int(lines.max())) > most:
            raise FormatError(
                f"a picture of {frame.format.name} has a sample of {highest}: {most} is the highest",
                hint=f"samples of 16 bits are to be shifted right by {spare}",
            )


class PictureConverter:
    """Converts the frames of a stream with `properties`; those of the frames that come out are in `made`.

    `turns` are quarter turns, anticlockwise. A size of 0 follows from the other one, or stays. The frames
    given are the converter's: their tags are changed. Raises UnsupportedError for what the scaler cannot.
    """

    def __init__(
        self,
        properties: Mapping[str, Any],
        *,
        format: str = "",
        width: int = 0,
        height: int = 0,
        matrix: str = "",
        full_range: bool | None = None,
        turns: int = 0,
        interpolation: str = "bicubic",
        fast: bool = False,
        threads: int = 1,
    ) -> None:
        source: str = properties["PixelFormat"]
        self._turns = turns % 4
        self._turner: Through | None = None
        self._source_size = properties["Width"], properties["Height"]
        before = self._source_size[::-1] if self._turns % 2 else self._source_size
        self._size = _size(before, width, height)
        self._format = format or source
        try:
            from_rgb, to_rgb = is_rgb(source), is_rgb(self._format)
        except ValueError as error:
            raise UnsupportedError(f"FFmpeg knows no pixel format {error}") from None
        given = code_of(properties.get("ColorMatrix"), MATRICES)
        usual = usual_matrix(*self._source_size)
        self._matrix = 0 if from_rgb else usual if given in (0, 2) else given
        self._range = _range(source, properties.get("FullRange"), LIMITED)
        if to_rgb:
            self._new_matrix, self._new_range = 0, FULL
        else:
            wanted = code_of(matrix, MATRICES)
            self._new_matrix = wanted if wanted != 2 else self._matrix or usual_matrix(*self._size)
            follows = None if from_rgb or _is_grey(source) else self._range == FULL
            self._new_range = _range(self._format, follows if full_range is None else full_range)
        for code in (self._matrix, self._new_matrix):
            if code and code not in _SCALER:
                raise UnsupportedError(
                    f"FFmpeg's scaler cannot convert the colour matrix {MATRICES.get(code)}"
                )
        self._recoloured = (self._matrix, self._range) != (self._new_matrix, self._new_range)
        self._scales = self._format != source or self._size != before or self._recoloured
        self._by_way_of = ""
        if not fast and to_rgb and not from_rgb and self._format in _FROM_PLANES and _is_8_bit(source):
            self._by_way_of = "gbrp"
        self._flags = int(INTERPOLATIONS[interpolation] | (_FAST if fast else _ROUNDED))
        here, there = _SCALER.get(self._matrix), _SCALER.get(self._new_matrix)
        if _is_grey(source) or _is_grey(self._format):
            here, there = here and 5, there and 5  # for the scaler grey is BT.601's, and luma shall stay
        self._scaler_matrices = here, there
        self._scaler_ranges = self._range, self._new_range
        if _is_grey(source) and self._range == LIMITED and not to_rgb:
            self._scaler_ranges = FULL, FULL  # the scaler knows no such grey: samples stay as they are
            self._new_range = LIMITED
        self._threads = threads
        self._reformatter = VideoReformatter()
        self._packer = VideoReformatter()
        self.made = self._properties(properties, given)

    @property
    def idle(self) -> bool:
        """There is nothing to convert."""
        return not self._scales and not self._turns

    def convert(self, frame: Any) -> Any:
        """A frame in the new format, with the times of `frame`, or `frame` itself."""
        pts, duration, time_base = frame.pts, frame.duration, frame.time_base
        frame.colorspace = self._scaler_matrices[0] or 0
        frame.color_range = self._range
        if self._turns:
            if self._turner is None:
                self._turner = Through(frame, *_TURNS[self._turns])
            frame = self._turner.one(frame)
        if self._scales:
            frame = self._reformatter.reformat(
                frame,
                *self._size,
                self._by_way_of or self._format,
                src_colorspace=self._scaler_matrices[0],
                dst_colorspace=self._scaler_matrices[1],
                src_color_range=self._scaler_ranges[0],
                dst_color_range=self._scaler_ranges[1],
                interpolation=self._flags,
                threads=self._threads,
            )
        if self._by_way_of:
            frame.colorspace, frame.color_range = 0, FULL
            frame = self._packer.reformat(frame, format=self._format, threads=self._threads)
        frame.colorspace, frame.color_range = self._new_matrix, self._new_range
        frame.pts, frame.duration = pts, duration
        if time_base is not None:
            frame.time_base = time_base
        return frame

    def _properties(self, properties: Mapping[str, Any], given: int) -> dict[str, Any]:
        width, height = self._size
        made: dict[str, Any] = {"PixelFormat": self._format, "Width": width, "Height": height}
        made |= {"Stride": None, "StrideUV": None, "BitDepthLuma": None, "BitDepthChroma": None}
        if self._turns:
            made["Rotate"] = None
        if self._recoloured:
            made["FullRange"] = self._new_range == FULL
        guess_holds = given == 2 and usual_matrix(width, height) == self._new_matrix == self._matrix
        if not guess_holds and not (_is_grey(self._format) and given == 2):
            made["ColorMatrix"] = MATRICES[self._new_matrix]
        aspect = Fraction(properties.get("SAR") or 1)
        across, down = self._source_size
        if self._turns % 2:
            aspect, across, down = 1 / aspect, down, across
        if (across, down) != self._size or self._turns:
            aspect *= Fraction(across * height, down * width)
            made["SAR"] = aspect.limit_denominator(10000) if abs(aspect - 1) > Fraction(1, 50) else None
        return made


def _size(before: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    """The new size; what is not given follows from the rest, and is even."""
    across, down = before
    if not width and not height:
        return before
    if not width:
        width = max(2, 2 * round(across * height / down / 2))
    if not height:
        height = max(2, 2 * round(down * width / across / 2))
    return width, height


def _range(format: str, full: bool | None, grey: int = FULL) -> int:
    """Of a stream that says `full`; the scaler knows grey in full range only."""
    if format.startswith("yuvj") or is_rgb(format):
        return FULL
    if _is_grey(format):
        return LIMITED if full is False and grey == LIMITED else FULL
    return FULL if full else LIMITED


def _is_8_bit(format: str) -> bool:
    return all(component.bits == 8 for component in av.VideoFormat(format).components)


def _is_grey(format: str) -> bool:
    return format.startswith(("gray", "ya8", "ya16", "mono"))
