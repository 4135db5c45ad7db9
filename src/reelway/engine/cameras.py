"""The cameras of this machine, and what they offer: Linux's V4L2, asked without FFmpeg.

FFmpeg asks a camera for a size, gets another one and says nothing; so what it offers is asked for here.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from reelway.errors import UnsupportedError

__all__ = ["Camera", "Offer", "cameras", "offers", "offers_text"]

DEVICES = Path("/sys/class/video4linux")
QUERY = 0x80685600
"""VIDIOC_QUERYCAP, of Linux's <linux/videodev2.h>."""
FORMATS, SIZES, INTERVALS = 0xC0405602, 0xC02C564A, 0xC034564B
"""VIDIOC_ENUM_FMT, VIDIOC_ENUM_FRAMESIZES, VIDIOC_ENUM_FRAMEINTERVALS."""
MOST = 64
"""Answers to one question: a driver that never says that there are no more is not asked for ever."""
NAMES = {
    "YUYV": "yuyv422", "UYVY": "uyvy422", "YVYU": "yvyu422", "422P": "yuv422p", "YU12": "yuv420p",
    "NV12": "nv12", "NV21": "nv21", "GREY": "gray", "Y16 ": "gray16le", "RGB3": "rgb24", "BGR3": "bgr24",
    "XR24": "bgr0", "MJPG": "mjpeg", "JPEG": "mjpeg", "H264": "h264", "HEVC": "hevc", "MPG4": "mpeg4",
    "VP80": "vp8",
}  # fmt: skip
"""Linux's four characters -> what FFmpeg, and `input_format`, call it."""
CAPTURES = 0x00000001 | 0x00001000
"""V4L2_CAP_VIDEO_CAPTURE, and with several planes."""


class Camera(NamedTuple):
    """Where it is, and what its driver calls it."""

    device: str
    name: str


class Offer(NamedTuple):
    """One way in which a camera gives pictures.

    format  as FFmpeg calls it: yuyv422, mjpeg; what it has no name for, in the driver's four characters
    size    width and height; of a range, its greatest
    least   of a range of sizes, its least; else the same as `size`
    fps     rates, the greatest first; empty where the driver does not say
    """

    format: str
    size: tuple[int, int]
    least: tuple[int, int]
    fps: tuple[Fraction, ...] = ()

    def has(self, size: tuple[int, int]) -> bool:
        """`size` is one of these."""
        return all(low <= each <= high for low, each, high in zip(self.least, size, self.size, strict=True))

    def __str__(self) -> str:
        sizes = [f"{width}x{height}" for width, height in dict.fromkeys((self.least, self.size))]
        rates = ", ".join(f"{float(each):.3g}" for each in self.fps)
        return " to ".join(sizes) + (f" at {rates} fps" if rates else "")


def cameras() -> list[Camera]:
    """The devices that take pictures, by number. Raises UnsupportedError outside Linux."""
    if not sys.platform.startswith("linux"):
        raise UnsupportedError(
            "cameras are listed on Linux only", hint="elsewhere ffmpeg -list_devices true names them"
        )
    found = []
    for entry in sorted(DEVICES.glob("video*"), key=lambda each: int(each.name[5:] or 0)):
        device = f"/dev/{entry.name}"
        try:
            name = (entry / "name").read_text("utf-8", "replace").strip()
        except OSError:  # it was pulled out just now
            continue
        if captures(device):
            found.append(Camera(device, name))
    return found


def captures(device: str) -> bool:
    """It takes pictures; other devices of the same camera only describe them."""
    import fcntl

    answer = bytearray(104)  # struct v4l2_capability; device_caps are its 22nd number
    try:
        with open(device, "rb", buffering=0) as opened:
            fcntl.ioctl(opened, QUERY, answer)
    except OSError:
        return os.path.exists(device)  # busy, or not ours: it is told all the same
    return bool(struct.unpack_from("<I", answer, 88)[0] & CAPTURES)


def offers(device: str) -> list[Offer]:
    """In which formats, sizes and rates the camera `device` gives pictures; empty where it does not say."""
    import fcntl

    try:
        with open(device, "rb", buffering=0) as opened:

            def ask(request: int, question: bytearray) -> bool:
                try:
                    fcntl.ioctl(opened, request, question)
                except OSError:
                    return False
                return True

            return [
                Offer(NAMES.get(code, code), size, least, tuple(rates))
                for pixels, code in _formats(ask)
                for size, least in _sizes(ask, pixels)
                for rates in [sorted(_rates(ask, pixels, size), reverse=True)]
            ]
    except OSError:
        return []


def offers_text(found: list[Offer]) -> str:
    """In one line: `yuyv422: 640x480 at 30 fps, 1280x720 at 10 fps; mjpeg: 1920x1080 at 30 fps`."""
    formats: dict[str, list[str]] = {}
    for offer in found:
        formats.setdefault(offer.format, []).append(str(offer))
    return "; ".join(f"{format}: {', '.join(each)}" for format, each in formats.items())


_Ask = Callable[[int, bytearray], bool]


def _formats(ask: _Ask) -> Iterator[tuple[int, str]]:
    for index in range(MOST):
        answer = bytearray(64)  # struct v4l2_fmtdesc
        struct.pack_into("<II", answer, 0, index, 1)  # V4L2_BUF_TYPE_VIDEO_CAPTURE
        if not ask(FORMATS, answer):
            return
        yield struct.unpack_from("<I", answer, 44)[0], answer[44:48].decode("latin-1")


def _sizes(ask: _Ask, pixels: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    for index in range(MOST):
        answer = bytearray(44)  # struct v4l2_frmsizeenum
        struct.pack_into("<II", answer, 0, index, pixels)
        if not ask(SIZES, answer):
            return
        kind, width, height = struct.unpack_from("<III", answer, 8)
        if kind == 1:  # V4L2_FRMSIZE_TYPE_DISCRETE
            yield (width, height), (width, height)
            continue
        least_width, width, _, least_height, height = struct.unpack_from("<IIIII", answer, 12)
        yield (width, height), (least_width, least_height)
        return


def _rates(ask: _Ask, pixels: int, size: tuple[int, int]) -> Iterator[Fraction]:
    for index in range(MOST):
        answer = bytearray(52)  # struct v4l2_frmivalenum
        struct.pack_into("<IIII", answer, 0, index, pixels, *size)
        if not ask(INTERVALS, answer):
            return
        kind, over, under = struct.unpack_from("<III", answer, 16)  # of a range the shortest, the fastest
        if over and under:
            yield Fraction(under, over)
        if kind != 1:
            return
