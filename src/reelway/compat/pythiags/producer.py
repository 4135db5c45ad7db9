"""`Producer`: code that finds metadata at a pad, on the media path."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import reelway as rw

__all__ = ["Producer"]


class Producer:
    """Inherit, and write `extract_metadata(pad, info)`; it runs on the media path, so it must be quick.

    `pad` is a Gst.Pad and `info` has get_buffer(). What it returns goes to the consumer; None is nothing.
    """

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        if "extract_metadata" in vars(cls):
            cls.extract_metadata = _in_gst_words(cls.extract_metadata)  # type: ignore[method-assign]

    def extract_metadata(self, pad: Any, info: Any) -> Any:
        """What is found in the buffer of `info`; a list of events, mostly."""
        raise NotImplementedError(f"{type(self).__name__} has no extract_metadata(pad, info)")


def _in_gst_words(method: Callable[..., Any]) -> Callable[..., Any]:
    """`reelway launch` calls with Reelway's pad and packet; the program gets Gst.Pad and PadProbeInfo."""

    @functools.wraps(method)
    def call(self: Producer, pad: Any, info: Any) -> Any:
        if isinstance(info, rw.Packet):
            from reelway.compat.gst.buffers import buffer_of
            from reelway.compat.gst.elements import face_of_pad
            from reelway.compat.gst.pads import PadProbeInfo, PadProbeType

            info = PadProbeInfo(PadProbeType.BUFFER, 0, buffer_of(info, pad.stream))
            pad = face_of_pad(pad)
        return method(self, pad, info)

    return call
