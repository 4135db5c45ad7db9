"""Uncoded pictures (FFmpeg's codec rawvideo) in containers: under which four characters readers see them.

FFmpeg's muxers take any of them and write files that nobody reads, with a word in a log only. So one picture
is written into memory, read again, and looked at.
"""

from __future__ import annotations

import contextlib
import io
from fractions import Fraction
from typing import Any

import av

from reelway.engine.streaminfo import StreamInfo

__all__ = ["tag_for"]

PERIOD = 251
"""A prime: no line of a usual size is as long as a multiple of it."""
LOOKED_AT = {"avi", "mov", "matroska", "nut"}
"""Containers that say what their pictures are, and are read again."""


def tag_for(format_name: str, info: StreamInfo) -> str:
    """The codec's four characters to write; empty: those that the muxer chooses.

    Raises ValueError where the pictures of `info`, of the codec rawvideo, could not be read again.
    """
    context = info.template.codec_context
    if format_name not in LOOKED_AT or not context.width or not context.pix_fmt:  # the latter: not known yet
        return ""
    with contextlib.suppress(av.error.FFmpegError, ValueError):
        data, usual = _sample(context.width, context.height, context.pix_fmt)
        seen = _seen(_decoder(info), av.Packet(data))
        for tag in dict.fromkeys(["", info.tag, usual]):
            with contextlib.suppress(av.error.FFmpegError, ValueError, LookupError):
                if seen == _read_again(format_name, info, tag, data):
                    return tag
    raise ValueError(f"{format_name} has no name for pictures of {context.pix_fmt}")


def _sample(width: int, height: int, pix_fmt: str) -> tuple[bytes, str]:
    """A picture in which no two lines or planes are alike, as bytes, and what FFmpeg calls such pictures."""
    frame = av.VideoFrame(width, height, pix_fmt)
    for number, plane in enumerate(frame.planes, 1):
        size = plane.buffer_size
        pattern = bytes(at * number % PERIOD for at in range(PERIOD))
        plane.update((pattern * (size // PERIOD + 1))[:size])
    context: Any = av.CodecContext.create("rawvideo", "w")
    context.width, context.height, context.pix_fmt = width, height, pix_fmt
    context.time_base = Fraction(1, 25)
    packet = context.encode(frame)[0]
    tag = ""
    with contextlib.suppress(UnicodeDecodeError):  # a number rather than letters
        tag = context.codec_tag
    return bytes(packet), tag


def _decoder(info: StreamInfo) -> Any:
    keeper = av.open("parameters", "w", format="null")
    context = keeper.add_stream_from_template(info.template, opaque=True).codec_context
    if not context.is_decoder:  # it comes out of an encoder
        context = av.CodecContext.create("rawvideo", "r")
        given = info.template.codec_context
        context.width, context.height, context.pix_fmt = given.width, given.height, given.pix_fmt
    if info.tag:
        context.codec_tag = info.tag
    return context


def _read_again(format_name: str, info: StreamInfo, tag: str, data: bytes) -> tuple[str, bytes]:
    file = io.BytesIO()
    with av.open(file, "w", format=format_name) as container:
        stream: Any = container.add_stream_from_template(info.template, opaque=True)
        stream.time_base = Fraction(1, 25)
        if tag:
            stream.codec_context.codec_tag = tag
        packet = av.Packet(data)
        packet.dts = packet.pts = 0
        packet.duration, packet.time_base, packet.is_keyframe = 1, Fraction(1, 25), True
        packet.stream = stream
        container.mux_one(packet)
    file.seek(0)
    with av.open(file, "r", format="mov" if format_name == "mov" else None) as container:
        return _seen(container.streams.video[0].codec_context, next(container.demux(video=0)))


def _seen(context: Any, packet: Any) -> tuple[str, bytes]:
    """The pixel format and the picture that a decoder shows, as RGB."""
    frame = context.decode(packet)[0]
    return frame.format.name, bytes(frame.reformat(format="rgb24").planes[0])
