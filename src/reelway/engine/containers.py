"""What containers can hold, asked of FFmpeg before a file is touched, and what each wants to be told.

FFmpeg's muxers refuse a codec when they write their header, after the file is opened and emptied, and say
which codec only in a log. So the header is first written into memory. MPEG-TS takes anything as private
data that no reader understands, and FLV has extensions that few readers know: those two have tables.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

import av

from reelway.engine.streaminfo import StreamInfo
from reelway.errors import LinkError

__all__ = ["Planned", "add_stream", "check", "max_gap_s", "muxer_options", "needs_config", "stream_filter"]

_MP4 = {"mp4", "mov", "ipod", "3gp", "3g2", "ismv", "psp", "f4v"}
_TS = {
    "h264", "hevc", "vvc", "mpeg1video", "mpeg2video", "mpeg4", "cavs", "avs2", "avs3", "vc1", "jpeg2000",
    "aac", "aac_latm", "mp1", "mp2", "mp3", "ac3", "eac3", "dts", "truehd", "opus", "pcm_bluray", "s302m",
    "dvb_subtitle", "dvb_teletext", "hdmv_pgs_subtitle", "arib_caption", "klv", "timed_id3", "smpte_2038",
}  # fmt: skip
_FLV = {
    "h264", "flv1", "vp6f", "vp6a", "flashsv", "flashsv2", "mpeg4", "h263",
    "aac", "mp3", "pcm_s16le", "pcm_u8", "pcm_mulaw", "pcm_alaw", "adpcm_swf", "nellymoser", "speex", "text",
}  # fmt: skip
_GLOBAL = {"matroska", "webm", "flv"}
_IN_BAND = {"h264", "hevc", "vvc", "av1", "mpeg4", "vc1"}
"""Codecs whose configuration can be extracted from the stream."""
_NAMES = {"matroska": "mkv", "mpegts": "ts", "ipod": "m4a"}
_OFFERED = ("mp4", "matroska", "webm", "mpegts", "mov", "ogg", "flv")
"""Containers that the hint of an error considers."""


class Planned(NamedTuple):
    """A stream that shall go into a container."""

    name: str
    info: StreamInfo
    time_base: Fraction
    fps: Fraction | None = None


def check(format_name: str, options: Mapping[str, str], streams: Sequence[Planned]) -> None:
    """Raises LinkError, naming codec and container, where the container cannot hold these streams."""
    refused = [stream for stream in streams if not _holds(format_name, options, [stream])]
    if not refused and _holds(format_name, options, streams):
        return
    container = _NAMES.get(format_name, format_name)
    names = [f"{stream.info.codec} ({stream.name})" for stream in refused or streams]
    together = "" if refused or len(streams) < 2 else " together"
    hint = "choose another container"
    if others := [_NAMES.get(other, other) for other in _OFFERED if _holds(other, {}, streams)]:
        hint += f": {' or '.join(others)} would do"
    if format_name == "flv":
        hint += '; or allow what few players read: ffmpeg={"strict": "experimental"}'
    raise LinkError(f"{container} cannot hold {', '.join(names)}{together}", hint=hint)


def _holds(format_name: str, options: Mapping[str, str], streams: Sequence[Planned]) -> bool:
    codecs = [stream.info.codec for stream in streams]
    if format_name == "mpegts" and not _TS.issuperset(codecs):
        return False
    if format_name == "flv" and "strict" not in options:
        kinds = [stream.info.template.type for stream in streams]
        if not _FLV.issuperset(codecs) or len(set(kinds)) < len(kinds):
            return False
    try:
        trial = av.open(io.BytesIO(), "w", format=format_name, container_options=dict(options))
        if trial.format.no_file:  # it writes files of its own: HLS, images, RTP
            return True
        for stream in streams:
            add_stream(trial, stream)
        trial.start_encoding()
    except (av.error.FFmpegError, ValueError, NotImplementedError):
        return False
    return True


def add_stream(container: Any, planned: Planned) -> Any:
    """A new stream of an output container. ValueError where the container does not take the codec."""
    name, info = container.format.name, planned.info
    video = info.template.type == "video"
    try:
        stream = container.add_stream_from_template(info.template, opaque=True)
    except ValueError:
        if name != "matroska" or info.template.type not in {"video", "audio"}:
            raise
        # Matroska takes every codec that AVI and WAV have a number for, but does not say so when asked.
        stream = container.add_mux_stream("h264" if video else "aac", rate=planned.fps if video else None)
        av.BitStreamFilterContext("null", info.template, stream)
        stream.time_base = planned.time_base
        return stream
    stream.time_base = planned.time_base
    if video and planned.fps:
        stream.codec_context.framerate = planned.fps  # Matroska's default duration: the last picture's, too
        if name in {"ogg", "ogv"}:
            stream.time_base = 1 / planned.fps  # Ogg counts pictures
    if name in _MP4 and info.codec == "hevc" and _complete(info.extradata):
        stream.codec_context.codec_tag = "hvc1"  # Apple's players refuse hev1
    return stream


def _complete(config: bytes | None) -> bool:
    """True for an hvcC record (ISO/IEC 14496-15, 8.3.3.1) that holds all there is of its parameter sets."""
    if not config or config[0] != 1 or len(config) < 23:
        return False
    at, complete = 23, True
    for _ in range(config[22]):
        complete = complete and bool(config[at] & 0x80)
        at += 3
        for _ in range(int.from_bytes(config[at - 2 : at], "big")):
            at += 2 + int.from_bytes(config[at : at + 2], "big")
        if at >= len(config):
            break
    return complete


def muxer_options(
    format_name: str, options: Mapping[str, str], time_bases: Sequence[Fraction]
) -> dict[str, str]:
    """`options` with those that keep times exact, where the user does not say otherwise.

    MP4 says when a track starts in a timescale of its own, a thousandth of a second by default.
    """
    chosen = dict(options)
    if format_name in _MP4 and "movie_timescale" not in chosen:
        scale = lcm(*(time_base.denominator for time_base in time_bases)) if time_bases else 1000
        chosen["movie_timescale"] = str(scale if 1000 <= scale <= 10_000_000 else 90000)
    return chosen


def stream_filter(format_name: str, info: StreamInfo) -> Any:
    """A bitstream filter that packets have to pass on their way into this container, or None.

    FFmpeg's muxers put in most by themselves: Annex B for MPEG-TS, plain AAC for MP4.
    """
    if format_name in {"mpegts", "m4v", "mpeg", "vob"} and info.codec == "mpeg4" and info.extradata:
        return av.BitStreamFilterContext("dump_extra=freq=keyframe", info.template)
    return None


def max_gap_s(format_name: str, planned: Planned) -> float:
    """The longest time between two packets of a stream that the container can say."""
    if format_name in _MP4:  # 31 bits of what FFmpeg makes the track's timescale
        rate = (
            planned.info.template.codec_context.sample_rate
            if planned.info.template.type == "audio"
            else 20000
        )
        return 0x7FFFFFFF / max(planned.time_base.denominator, rate)
    if format_name == "mpegts":  # half of 33 bits of 1/90000 s (ISO/IEC 13818-1, 2.4.3.7)
        return (1 << 32) / 90000
    return 0x7FFFFFFF / 1000


def needs_config(form: Any, info: StreamInfo) -> bool:
    """True where the container stores a decoder configuration apart and none is known yet."""
    return info.codec in _IN_BAND and not info.extradata and (form.name in _MP4 or form.name in _GLOBAL)
