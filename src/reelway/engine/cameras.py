"""The cameras of this machine."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path
from typing import NamedTuple

from reelway.errors import UnsupportedError

__all__ = ["Camera", "cameras"]

DEVICES = Path("/sys/class/video4linux")
QUERY = 0x80685600
"""VIDIOC_QUERYCAP, of Linux's <linux/videodev2.h>."""
CAPTURES = 0x00000001 | 0x00001000
"""V4L2_CAP_VIDEO_CAPTURE, and with several planes."""


class Camera(NamedTuple):
    """Where it is, and what its driver calls it."""

    device: str
    name: str


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
