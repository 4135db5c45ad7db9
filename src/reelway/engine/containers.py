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

__all__ = [
    "MP4",
    "Planned",
    "add_stream",
    "difference",
    "max_gap_s",
    "muxer_options",
    "nameless",
    "needs_config",
    "stream_filter",
]

MP4 = {"mp4", "mov", "ipod", "3gp", "3g2", "ismv", "psp", "f4v"}
_TS = {
    "h264", "hevc", "vvc", "mpeg1video", "mpeg2video", "mpeg4", "cavs", "avs2", "avs3", "vc1", "jpeg2000",
    "aac", "aac_latm", "mp1", "mp2", "mp3", "ac3", "eac3", "dts", "truehd", "opus", "pcm_bluray", "s302m",
    "dvb_subtitle", "dvb_teletext", "hdmv_pgs_subtitle", "arib_caption", "klv", "timed_id3", "smpte_2038",
}  # fmt: skip
_FLV = {
    "h264", "flv1", "vp6f", "vp6a", "flashsv", "flashsv2", "mpeg4", "h263",
    "aac", "mp3", "pcm_s16le", "pcm_u8", "pcm_mulaw", "pcm_alaw", "adpcm_swf", "nellymoser", "speex", "text",
}  # fmt: skip
_USUALLY = {
    **dict.fromkeys((*MP4, "mpegts", "matroska", "hls", "dash", "segment", "rtsp", "flv"), ("h264", "aac")),
    "webm": ("vp9", "opus"),
    "ogg": ("vp8", "opus"),
    "null": ("h264", "aac"),
    **dict.fromkeys(("rawvideo", "yuv4mpegpipe"), ("rawvideo", None)),
}
"""Container -> codecs of video and sound, where FFmpeg's own defaults are old or not to be had."""
_UNCODED = {"rawvideo", "yuv4mpegpipe"}
"""Containers of pictures that are not coded."""
_COVERS_ONLY = {"mp3", "flac", "aiff"}
"""Containers of sound whose only pictures are covers."""
_IMAGES = {
    "png": "png", "apng": "apng", "jpg": "mjpeg", "jpeg": "mjpeg", "bmp": "bmp", "tif": "tiff",
    "tiff": "tiff", "webp": "webp", "gif": "gif", "tga": "targa", "ppm": "ppm", "pgm": "pgm",
    "jp2": "jpeg2000", "exr": "exr", "dpx": "dpx", "sgi": "sgi", "qoi": "qoi",
}  # fmt: skip
"""Ending of a picture's name -> its codec."""
_GLOBAL = {"matroska", "webm", "flv"}
_IN_BAND = {"h264", "hevc", "vvc", "av1", "mpeg4", "vc1"}
"""Codecs whose configuration can be extracted from the stream."""
_WANT_ANNEX_B = {"avi", "mpeg", "vob", "svcd", "dvd", "wtv"}
"""Containers of H.264 and HEVC as a stream (ITU-T H.264, Annex B) whose muxers do not see to it."""
_HEADED = {"flac", "vorbis", "theora", "alac"}
"""Codecs without a stream that lacks a configuration apart: what has none yet is still to be encoded."""
_NAMES = {"matroska": "mkv", "mpegts": "ts", "ipod": "m4a"}
_OFFERED = ("mp4", "matroska", "webm", "mpegts", "mov", "ogg", "flv")
"""Containers that the hint of an error considers."""
_STREAMED = {
    **dict.fromkeys(("rtmp", "rtmps", "rtmpt"), "flv"),
    **dict.fromkeys(("udp", "tcp", "srt", "pipe"), "mpegts"),
}
"""Protocol whose addresses have no endings -> the container that its receivers usually expect."""


class Planned(NamedTuple):
    """A stream that shall go into a container."""

    name: str
    info: StreamInfo
    time_base: Fraction
    fps: Fraction | None = None
    aside: bool = False
    """A picture of the cover, or data: what a film can go without."""


def refused(format_name: str, options: Mapping[str, str], streams: Sequence[Planned]) -> list[Planned]:
    """Those of `streams` that the container cannot hold; all, where it holds each but not all together."""
    if _holds(format_name, options, streams):
        return []
    return [stream for stream in streams if not _holds(format_name, options, [stream])] or list(streams)


def refusal(
    format_name: str, some: Sequence[Planned], streams: Sequence[Planned], url: str = ""
) -> LinkError:
    """The error for `some` of `streams` that were refused: it names codecs, the container, and others."""
    container = _NAMES.get(format_name, format_name)
    names = [f"{_in_words(stream.info)} ({stream.name})" for stream in some]
    together = " together" if len(some) > 1 and _holds(format_name, {}, some[:1]) else ""
    hint = "choose another container"
    if others := [_NAMES.get(other, other) for other in _OFFERED if _holds(other, {}, streams)]:
        hint += f": {' or '.join(others)} would do"
    kinds = sorted({stream.info.template.type for stream in some} & {"audio", "video"})
    usual = {kind: usual_codec(format_name, kind == "video", url) for kind in kinds}
    ways = []
    if codecs := [f"{kind}={codec}" for kind, codec in usual.items() if codec]:
        ways.append(f"encode, with {' and '.join(codecs)}")
    placeless = [kind for kind in kinds if usual[kind] is None]
    if placeless and {stream.info.template.type for stream in streams}.difference(placeless):
        ways.append(f"leave {placeless[0]} out, with the option {placeless[0]}=none")
    if ways:
        hint += f"; or {', and '.join(ways)}"
    if format_name == "flv":
        hint += '; or allow what few players read: ffmpeg={"strict": "experimental"}'
    return LinkError(f"{container} cannot hold {', '.join(names)}{together}", hint=hint)


def nameless(url: str) -> str:
    """How to say the container of a URL whose name does not."""
    scheme = url.partition(":")[0] if "://" in url or url.startswith("pipe:") else ""
    if (usual := _STREAMED.get(scheme)) is not None:
        return f"name one behind it, as in :format={usual}, or with the option format="
    return "give it an ending such as .mp4, .mkv or .ts, or the option format="


def _in_words(info: StreamInfo) -> str:
    """The codec, and of uncoded pictures the form that they have."""
    if info.codec != "rawvideo":
        return info.codec
    return f"{info.codec} of {info.template.codec_context.pix_fmt}"


def _holds(format_name: str, options: Mapping[str, str], streams: Sequence[Planned]) -> bool:
    codecs = [stream.info.codec for stream in streams]
    if format_name in _UNCODED and set(codecs) != {"rawvideo"}:
        return False
    if format_name in _COVERS_ONLY and any(_moving(stream) for stream in streams):
        return False
    if format_name in MP4 and "unknown" in codecs:  # a timecode: its muxer makes one of the metadata
        return False
    if format_name == "mpegts" and not _TS.issuperset(codecs):
        return False
    if format_name == "flv" and "strict" not in options:
        kinds = [stream.info.template.type for stream in streams]
        if not _FLV.issuperset(codecs) or len(set(kinds)) < len(kinds):
            return False
    try:
        trial = av.open(io.BytesIO(), "w", format=format_name, container_options=dict(options))
        for stream in streams:
            add_stream(trial, stream)
        if not trial.format.no_file:  # else it writes files of its own: HLS, images, RTP
            trial.start_encoding()
    except (av.error.FFmpegError, ValueError, NotImplementedError):
        return False
    return True


def _moving(stream: Planned) -> bool:
    return stream.info.template.type == "video" and not stream.aside


def usual_codec(format_name: str, video: bool, url: str = "") -> str | None:
    """The codec that most players of a container expect: H.264 and AAC, or what FFmpeg makes its default.

    Of pictures in files of their own the ending of `url` says it. None: the container has no such stream.
    """
    if format_name == "image2" and (codec := _IMAGES.get(url.rpartition(".")[2].lower())):
        return codec if video else None
    if format_name in _COVERS_ONLY and video:
        return None
    if format_name in _USUALLY:
        return _USUALLY[format_name][not video]
    try:
        container: Any = av.open(io.BytesIO(), "w", format=format_name)
        codec = container.default_video_codec if video else container.default_audio_codec
    except (av.error.FFmpegError, ValueError):
        return None
    return None if codec in {"none", "wrapped_avframe"} else str(codec)


def add_stream(container: Any, planned: Planned, first: memoryview | None = None) -> Any:
    """A new stream of an output container. ValueError where the container does not take the codec.

    `first` is the data of its first packet, where there is one.
    """
    name = container.format.name
    info = _annex_b(planned.info)[0] if _needs_annex_b(name, planned.info) else planned.info
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
    if info.codec == "rawvideo":
        from reelway.engine.uncoded import tag_for  # a remux seldom has such pictures

        if tag := tag_for(name, info):
            stream.codec_context.codec_tag = tag
    stream.time_base = planned.time_base
    if video and planned.fps:
        stream.codec_context.framerate = planned.fps  # Matroska's default duration: the last picture's, too
        if name in {"ogg", "ogv", "yuv4mpegpipe"}:
            stream.time_base = 1 / planned.fps  # they count pictures
    if name in MP4 and info.codec == "hevc" and first is not None and _apart(info.extradata, first):
        stream.codec_context.codec_tag = "hvc1"  # Apple's players refuse hev1
    return stream


def _needs_annex_b(format_name: str, info: StreamInfo) -> bool:
    """FFmpeg's muxer puts in no filter, but refuses every packet, or writes what no reader takes."""
    lengths = info.codec in {"h264", "hevc"} and (info.extradata or b"")[:1] == b"\1"
    return lengths and format_name in _WANT_ANNEX_B


def _annex_b(info: StreamInfo) -> tuple[StreamInfo, Any]:
    """What a stream of length prefixes becomes, and the filter that its packets go through."""
    keeper = av.open("parameters", "w", format="null")
    target = keeper.add_stream_from_template(info.template, opaque=True)
    convert = av.BitStreamFilterContext(f"{info.codec}_mp4toannexb", info.template, target)
    return StreamInfo.of(target), convert


def _apart(config: bytes | None, data: memoryview) -> bool:
    """True where HEVC parameter sets lie in an hvcC record, and the stream's first packet repeats none.

    ISO/IEC 14496-15, 8.3.3.1 and 8.4.1.
    """
    if not config or config[0] != 1 or len(config) < 23:
        return False
    length, at = config[21] % 4 + 1, 0
    while at + length < len(data):
        if 32 <= data[at + length] >> 1 & 63 <= 34:
            return False
        at += length + int.from_bytes(data[at : at + length], "big")
    return True


def fragmented(least_s: float) -> dict[str, str]:
    """FFmpeg's options for MP4 in movie fragments (ISO/IEC 14496-12, 8.8) that begin with random access."""
    flags = {"movflags": "+frag_keyframe+empty_moov+delay_moov+default_base_moof"}
    return {**flags, "min_frag_duration": str(round(least_s * 1_000_000))} if least_s else flags


def muxer_options(
    format_name: str, options: Mapping[str, str], time_bases: Sequence[Fraction], seekable: bool
) -> dict[str, str]:
    """`options` with those that keep times exact, where the user does not say otherwise.

    MP4 says when a track starts in a timescale of its own, a thousandth of a second by default. Where it
    cannot go back to write its index, it is written in fragments.
    """
    chosen = dict(options)
    if format_name in MP4 and not seekable:
        # Behind the index of fragments (skip_trailer), which only a seekable file needs, FFmpeg would forget
        # that the last bytes could not be written.
        flags = "frag_keyframe+empty_moov+delay_moov+default_base_moof+skip_trailer"
        chosen.setdefault("movflags", flags)
    if format_name in MP4 and "movie_timescale" not in chosen:
        scale = lcm(*(time_base.denominator for time_base in time_bases)) if time_bases else 1000
        chosen["movie_timescale"] = str(scale if 1000 <= scale <= 10_000_000 else 90000)
    return chosen


def stream_filter(format_name: str, info: StreamInfo, first: memoryview | None) -> Any:
    """A bitstream filter that packets have to pass on their way into this container, or None.

    FFmpeg's muxers put in most by themselves: Annex B for MPEG-TS, plain AAC for MP4; the latter not where
    the configuration is known and the `first` packet has an ADTS header all the same.
    """
    adts = first is not None and len(first) > 2 and first[0] == 0xFF and first[1] & 0xF6 == 0xF0
    if info.codec == "aac" and info.extradata and adts and format_name in MP4 | _GLOBAL:
        return av.BitStreamFilterContext("aac_adtstoasc", info.template)
    if format_name in {"mpegts", "m4v", "mpeg", "vob"} and info.codec == "mpeg4" and info.extradata:
        return av.BitStreamFilterContext("dump_extra=freq=keyframe", info.template)
    if _needs_annex_b(format_name, info):
        return _annex_b(info)[1]
    return None


def max_gap_s(format_name: str, planned: Planned) -> float:
    """The longest time between two packets of a stream that the container can say."""
    if format_name in MP4:  # 31 bits of what FFmpeg makes the track's timescale
        rate = (
            planned.info.template.codec_context.sample_rate
            if planned.info.template.type == "audio"
            else 20000
        )
        return 0x7FFFFFFF / max(planned.time_base.denominator, rate)
    if format_name == "mpegts":  # half of 33 bits of 1/90000 s (ISO/IEC 13818-1, 2.4.3.7)
        return (1 << 32) / 90000
    return 0x7FFFFFFF / 1000


def difference(format_name: str, info: StreamInfo, properties: Mapping[str, Any]) -> tuple[str, str] | None:
    """What a stream has become that its track cannot follow, and what it was begun with; None where it can.

    A container that stores the decoder configuration apart has one for the whole track; so has a stream whose
    configuration FFmpeg's muxer moves into the packets.
    """
    codec = properties.get("CodecID")
    if isinstance(codec, str) and codec != info.codec:
        return codec, info.codec
    apart = (
        format_name in MP4 | _GLOBAL or (info.extradata or b"")[:1] == b"\1"
    )  # avcC, hvcC: ISO/IEC 14496-15
    if not apart or info.codec not in _IN_BAND:
        return None
    context = info.template.codec_context
    size = properties.get("Width"), properties.get("Height")
    if all(isinstance(each, int) for each in size) and size != (context.width, context.height):
        return f"{size[0]}x{size[1]}", f"{context.width}x{context.height}"
    config = properties.get("DecoderConfig")
    if config and info.extradata and bytes(config) != bytes(info.extradata):
        return "coded in another way", "another decoder configuration"
    return None


def needs_config(format_name: str, info: StreamInfo, seekable: bool) -> bool:
    """True where the container stores a decoder configuration apart and none is known yet.

    FFmpeg's muxers add that of AAC later, where they can go back to the header.
    """
    if info.extradata:
        return False
    if info.codec in _HEADED or (info.codec == "opus" and format_name in {"ogg", "opus"}):
        return True
    if format_name not in MP4 | _GLOBAL:
        return False
    return info.codec in _IN_BAND or (info.codec == "aac" and not seekable)
