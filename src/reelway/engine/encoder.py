"""One stream's encoder: frames of av in, packets of av out, times kept to the tick.

The encoder is a stream of a container that writes nothing, with its header asked for apart (`global_header`):
so a muxer can take it as a template, decoder configuration included.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import av

from reelway.engine.codecs import candidates, codec_options, picture_formats
from reelway.engine.decoder import threads_for
from reelway.engine.frame import channel_layout
from reelway.engine.priorities import kept_priorities
from reelway.engine.rawformat import MATRICES, PRIMARIES, TRANSFERS, code_of
from reelway.engine.streaminfo import StreamInfo
from reelway.errors import OptionError, UnknownOptionError, UnsupportedError, nearest

__all__ = ["Asked", "Encoder", "choose_picture_format", "open_encoder"]

log = logging.getLogger("reelway.engine")

GLOBAL_HEADER = 1 << 22
_PRESETS = "ultrafast superfast veryfast faster fast medium slow slower veryslow placebo".split()
_SAID_NOWHERE = {("libx264", "preset"): _PRESETS, ("libx265", "preset"): _PRESETS}
"""Values of options that FFmpeg does not list."""
_WEB = ("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mpeg2video", "theora")
"""Codecs that players expect in 4:2:0."""


class Asked(NamedTuple):
    """What the user wants of an encoder."""

    codec: str
    bitrate: int | None = None
    gop: int | None = None
    gop_s: Fraction | None = None
    threads: int = 0
    options: Mapping[str, str] = {}
    avoid: frozenset[str] = frozenset()


class Encoder:
    """An open encoder. `frame_base` is the duration of a tick in which frames have to come."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.context = stream.codec_context
        self.name: str = self.context.codec.name
        self.info = StreamInfo.of(stream)
        self.time_base = Fraction(self.context.time_base)
        self._done = False

    def encode(self, frame: Any) -> list[Any]:
        found: list[Any] = self.context.encode(frame)
        return found

    def drain(self) -> list[Any]:
        """The last packets. After that it takes no more frames."""
        if self._done:
            return []
        self._done = True
        try:
            found: list[Any] = self.context.encode(None)
        except av.error.EOFError:
            return []
        return found


def open_encoder(asked: Asked, properties: Mapping[str, Any], timescale: int) -> Encoder:
    """The first encoder of what is asked that opens.

    Raises OptionError for an option that it does not know or take, UnsupportedError where none opens.
    """
    failures: list[str] = []
    for codec in candidates(asked.codec, asked.avoid):
        try:
            encoder = _open(codec, asked, properties, timescale)
        except (av.error.FFmpegError, ValueError, OSError) as error:
            if isinstance(error, OptionError):
                raise
            failures.append(f"{codec.name}: {_reason(error)}")
            continue
        first = next(candidates(asked.codec, frozenset()))
        if codec.name != first.name:
            log.warning(
                "%s is not there or does not open: %s is encoded by %s", first.name, asked.codec, codec.name
            )
        return encoder
    for name in asked.options:  # is it one of these?
        _blame(name, asked, properties, timescale)
    what = "; ".join(failures) or "there is no encoder for it here"
    hint = "another codec, size, format or option may do; `reelway doctor` says which encoders there are"
    width, height = properties.get("Width") or 0, properties.get("Height") or 0
    if width % 2 or height % 2:
        even = f"convert:size={width + width % 2}x{height + height % 2}"
        hint = f"most codecs take no odd size, and this is {width}x{height}: put {even} before it"
    raise UnsupportedError(f"{asked.codec} cannot be encoded: {what}", hint=hint)


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error)


def _open(codec: Any, asked: Asked, properties: Mapping[str, Any], timescale: int) -> Encoder:
    bases = [Fraction(1, timescale)]
    if codec.type == "video" and (fps := properties.get("FPS")):
        bases.append(1 / Fraction(fps))  # MPEG-4 counts at most 65535 ticks a second
    for last, base in ((base is bases[-1], base) for base in bases):
        try:
            return _try(codec, asked, properties, base)
        except av.error.FFmpegError:
            if last:
                raise
    raise AssertionError("there is a time base")


def _try(codec: Any, asked: Asked, properties: Mapping[str, Any], base: Fraction) -> Encoder:
    keeper = av.open("encoder", "w", format="null")
    stream: Any = keeper.add_stream(codec.name)
    context = stream.codec_context
    context.flags |= GLOBAL_HEADER
    context.thread_count = threads_for(asked.threads)
    context.thread_type = "AUTO"  # by default PyAV asks for slices, which cost quality
    if asked.bitrate:
        context.bit_rate = asked.bitrate
    if codec.type == "video":
        _set_picture(context, properties, asked)
    else:
        _set_sound(context, properties)
    context.time_base = base
    stream.time_base = base
    known = codec_options(codec.name)
    options = {name: text for name, text in asked.options.items() if name in known}
    context.options = _silenced(codec.name, options)
    with kept_priorities():
        keeper.start_encoding()
    for name in context.options:
        near = nearest(name, known)
        raise UnknownOptionError(f"{codec.name} has no option {name!r}", name=name, near=near)
    return Encoder(stream)


def _silenced(encoder: str, options: Mapping[str, str]) -> dict[str, str]:
    """`options`, and what keeps encoders that write on stderr by themselves from doing so."""
    if encoder == "libx265":
        given = options.get("x265-params")
        return {**options, "x265-params": "log-level=none" + (f":{given}" if given else "")}
    if encoder == "libsvtav1":
        os.environ.setdefault("SVT_LOG", "1")  # errors only; it asks the environment and nothing else
    return dict(options)


def _set_picture(context: Any, properties: Mapping[str, Any], asked: Asked) -> None:
    context.width, context.height = properties["Width"], properties["Height"]
    context.pix_fmt = properties["PixelFormat"]
    context.framerate = Fraction(properties.get("FPS") or 25)
    if aspect := properties.get("SAR"):
        context.sample_aspect_ratio = Fraction(aspect)
    context.colorspace = code_of(properties.get("ColorMatrix"), MATRICES)
    context.color_primaries = code_of(properties.get("ColorPrimaries"), PRIMARIES)
    context.color_trc = code_of(properties.get("ColorTransfer"), TRANSFERS)
    full = properties.get("FullRange")
    context.color_range = 0 if full is None else 2 if full else 1
    if asked.gop is not None:
        context.gop_size = asked.gop
    elif asked.gop_s is not None:
        context.gop_size = round(asked.gop_s * Fraction(context.framerate))


def _set_sound(context: Any, properties: Mapping[str, Any]) -> None:
    context.sample_rate = properties["SampleRate"]
    context.layout = channel_layout(properties)
    context.format = properties["AudioFormat"]


def _blame(name: str, asked: Asked, properties: Mapping[str, Any], timescale: int) -> None:
    """Raises OptionError where the encoder opens without the option `name`."""
    rest = {other: text for other, text in asked.options.items() if other != name}
    for codec in candidates(asked.codec, asked.avoid):
        try:
            _open(codec, asked._replace(options=rest), properties, timescale)
        except (av.error.FFmpegError, ValueError, OSError):
            continue
        text, declared = asked.options[name], codec_options(codec.name).get(name)
        choices = [choice.name for choice in declared.choices] if declared is not None else []
        choices = choices or list(_SAID_NOWHERE.get((codec.name, name), ()))
        near = nearest(text, choices)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"one of {', '.join(choices)}"
        raise OptionError(f"{codec.name} does not take {name}={text}", hint=hint if choices else None)


def choose_picture_format(codec: Any, format: str) -> str:
    """The pixel format that an encoder takes with the least loss; 4:2:0 where players expect it."""
    offered = picture_formats(codec)
    if not offered or format in offered:
        return format
    if codec.canonical_name in _WEB and "yuv420p" in offered and "10" not in format and "12" not in format:
        return "yuv420p"
    best, _ = av.codec.codec.find_best_pix_fmt_of_list(offered, format)
    return str(best.name if best is not None else offered[0])


def choose_rate(codec: Any, rate: int) -> int:
    """The nearest sample rate that an encoder takes, rather above than below."""
    offered: Sequence[int] = codec.audio_rates or ()
    if not offered or rate in offered:
        return rate
    return min(offered, key=lambda each: (each < rate, abs(each - rate)))


def choose_sound_format(codec: Any, format: str) -> str:
    """The sample format that an encoder takes with the least loss."""
    offered = [each.name for each in codec.audio_formats or ()]
    if not offered or format in offered:
        return format
    plain_format = format.removesuffix("p")
    order: tuple[str, ...] = ("s32", "s16", "flt")
    if plain_format in ("flt", "dbl"):
        order = ("flt", "dbl", "s32", "s16", "u8")
    elif plain_format in ("s16", "u8"):
        order = ("s16", "s32", "flt", "u8")
    for plain in order:
        for each in (plain, plain + "p"):
            if each in offered:
                return each
    return str(offered[0])
