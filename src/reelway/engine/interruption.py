"""Reads of an FFmpeg container that another thread ends.

PyAV's time limits are a callback of FFmpeg's, which is asked at every look at a socket, some thirty times a
picture, and takes Python's lock each time. Of fifty cameras that was more than half of what they cost. Where
no limit is set it takes nothing. So a container is read without one, and who wants a read to end sets it
then: the number lies in the container's object, where PyAV's Python interface does not reach it. Its place is
found out, once, by containers whose limit is known. Where that does not succeed, nothing is touched.
"""

from __future__ import annotations

import ctypes
import functools
import io
import logging
import struct
import sys
import time
import wave
from typing import Any

import av

__all__ = ["can_end_reads", "end_read"]

log = logging.getLogger("reelway.engine.live")

TRIED_S = (1234567.25, 7654321.75)
"""Limits that nothing else in the object looks like."""


def can_end_reads(container: Any) -> bool:
    """`end_read` works with this container."""
    return isinstance(container, av.container.InputContainer) and _place() is not None


def end_read(container: Any) -> None:
    """Has a read of `container` that another thread is in, and each one after it, come back with an error.

    That is as soon as FFmpeg looks, which it does every 0.1 s. The container may be closed meanwhile.
    """
    place = _place()
    if place is not None and isinstance(
        container, av.container.InputContainer
    ):  # eight bytes that lie evenly: no thread sees half of them
        ctypes.c_double.from_address(id(container) + place).value = 0.0


@functools.cache
def _place() -> int | None:
    """Where in an input container's object its limit lies: a double [s], behind the time when it began."""
    if sys.implementation.name != "cpython":
        return None
    places = {_place_of(limit_s) for limit_s in TRIED_S}
    place = places.pop() if len(places) == 1 else None
    if place is None:
        log.info("reads of this PyAV end by its own time limits")
    return place


def _place_of(limit_s: float) -> int | None:
    began_s = time.monotonic()
    container: Any = av.open(io.BytesIO(_second_of_silence()), timeout=(None, limit_s))
    with container:
        packets = container.demux()
        next(packets)
        during = _bytes_of(container)
        packets.close()
        after = _bytes_of(container)
    place = during.find(struct.pack("d", limit_s))
    if place < 8 or place % 8 or during.count(struct.pack("d", limit_s)) != 1:
        return None
    (start_s,) = struct.unpack_from("d", during, place - 8)
    (unlimited,) = struct.unpack_from("d", after, place)
    return place if unlimited == -1.0 and began_s <= start_s <= time.monotonic() else None


def _bytes_of(container: Any) -> bytes:
    return ctypes.string_at(id(container), type(container).__basicsize__)


def _second_of_silence() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 8000, 8000, "NONE", ""))
        sound.writeframes(bytes(16000))
    return file.getvalue()
