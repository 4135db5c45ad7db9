"""Names of codecs, formats and stream types: FFmpeg's inside, GPAC's understood and given back.

Inside Reelway a codec is what FFmpeg calls it (`h264`, `aac`), "raw" is decoded media, a pixel or sample
format is FFmpeg's, and a stream type is GPAC's (`Visual`). The `canonical_` functions bring any spelling
to that; the `gpac_` functions give GPAC's. A name that no table knows passes through unchanged, because
FFmpeg knows hundreds more.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "STREAM_TYPES",
    "canonical_codec",
    "canonical_pixel_format",
    "canonical_sample_format",
    "canonical_stream_type",
    "ffmpeg_media_type",
    "gpac_codec",
    "gpac_pixel_format",
    "gpac_sample_format",
    "short_stream_type",
]

# FFmpeg's name: GPAC's names, the one to give back first.
_CODECS = {
    "h264": "avc 264 h264",
    "hevc": "hevc hvc h265",
    "vvc": "vvc 266 h266",
    "av1": "av1 obu av1b",
    "mpeg4": "m4v cmp m4ve",
    "mpeg2video": "m2v m2vs",
    "mpeg1video": "m1v",
    "mjpeg": "jpg jpeg",
    "jpeg2000": "jp2 j2k",
    "theora": "theora theo",
    "prores": "prores apch apco apcn apcs ap4x ap4h",
    "msmpeg4v3": "div3",
    "aac": "aac aac2m aac2l aac2s",
    "mp3": "mp3 m1a",
    "vorbis": "vorbis vorb",
    "speex": "speex spx",
    "amr_nb": "amr",
    "amr_wb": "amrwb",
    "evrc": "evrc evc",
    "qcelp": "qcelp qcp",
    "dts": "dstc dstca",
    "pcm_alaw": "alaw",
    "pcm_mulaw": "mulaw",
    "mpegh_3d_audio": "mhas",
    "webvtt": "vtt",
    "mov_text": "tx3g",
    "ass": "ssa",
    "dvd_subtitle": "vobsub",
    "dvb_subtitle": "dvbs",
    "ttml": "subx",
    "text": "txt",
}

# GPAC's "yuv444p" is packed and FFmpeg's is planar: the bare name is FFmpeg's here, as everywhere inside.
_PIXEL_FORMATS = {
    "yuv420p": "yuv420 yuv",
    "yuv420p10le": "yuv420_10 yuvl",
    "yuv422p": "yuv422 yuv2",
    "yuv422p10le": "yuv422_10 yp2l",
    "yuv444p": "yuv444 yuv4",
    "yuv444p10le": "yuv444_10 yp4l",
    "yuva420p": "yuva",
    "yuva444p": "yuv444a yp4a",
    "uyvy422": "uyvy",
    "yuyv422": "yuyv",
    "yvyu422": "yvyu",
    "p010le": "nv1l",
    "gray": "grey",
    "ya8": "gral",
    "rgb24": "rgb",
    "bgr24": "bgr",
    "0rgb": "xrgb",
    "rgb0": "rgbx",
    "0bgr": "xbgr",
    "bgr0": "bgrx",
    "rgb444le": "rgb4",
    "rgb555le": "rgb5",
    "rgb565le": "rgb6",
}

# FFmpeg's older names for full range; GPAC keeps the range in a property of its own (FullRange).
_FULL_RANGE = {"yuvj420p": "yuv420p", "yuvj422p": "yuv422p", "yuvj444p": "yuv444p"}

_SAMPLE_FORMATS = {"u8": "u8 pc8", "s16": "s16 pcm", "u8p": "u8p pc8p", "s16p": "s16p pcmp"}

# GPAC's stream type: (GPAC's short name, other spellings)
_STREAM_TYPES = {
    "Visual": ("video", "image"),
    "Audio": ("audio", ""),
    "SceneDescription": ("scene", ""),
    "Text": ("text", "subtitle subtitles subs"),
    "Metadata": ("meta", "data attachment"),
    "File": ("file", ""),
    "Encrypted": ("crypt", ""),
    "ObjectDescriptor": ("od", ""),
    "ClockReference": ("ocr", ""),
    "MPEG7": ("mpeg7", ""),
    "IPMP": ("ipmp", ""),
    "OCI": ("oci", ""),
    "MPEGJ": ("mpegj", ""),
    "Interaction": ("interact", ""),
    "Font": ("font", ""),
    "Unknown": ("unknown", ""),
}

STREAM_TYPES = tuple(_STREAM_TYPES)
"""Every stream type, in GPAC's spelling."""

_FFMPEG_MEDIA_TYPES = {"Visual": "video", "Audio": "audio", "Text": "subtitle", "Metadata": "data"}


def _reverse(table: Mapping[str, str]) -> dict[str, str]:
    """alias -> FFmpeg's name; FFmpeg's own names win over an alias that looks the same."""
    aliases = {alias: name for name, others in table.items() for alias in others.split()}
    return aliases | {name: name for name in table}


_CODEC_OF = _reverse(_CODECS)
_PIXEL_FORMAT_OF = _reverse(_PIXEL_FORMATS)
_SAMPLE_FORMAT_OF = _reverse(_SAMPLE_FORMATS)
_STREAM_TYPE_OF = {
    alias.lower(): name
    for name, (short, others) in _STREAM_TYPES.items()
    for alias in (name, short, *others.split())
}


def canonical_codec(name: str) -> str:
    """FFmpeg's name of a codec given by any name: `AVC`, `264` and `h264` are all `h264`."""
    return _CODEC_OF.get(name.lower(), name)


def gpac_codec(name: str) -> str:
    """GPAC's name of a codec: `avc` for `h264`, `vtt` for `webvtt`."""
    return _CODECS.get(canonical_codec(name), name).split(" ", 1)[0]


def canonical_pixel_format(name: str) -> str:
    """FFmpeg's name of a pixel format: `yuv420p` for GPAC's `yuv`, `gray` for `grey`."""
    return _PIXEL_FORMAT_OF.get(name, name)


def gpac_pixel_format(name: str) -> str:
    """GPAC's long name of a pixel format: `yuv420` for `yuv420p`, `rgb` for `rgb24`."""
    name = _FULL_RANGE.get(name, name)
    return _PIXEL_FORMATS.get(canonical_pixel_format(name), name).split(" ", 1)[0]


def canonical_sample_format(name: str) -> str:
    """FFmpeg's name of an audio sample format: `s16` for GPAC's `pcm`. Most names are the same."""
    return _SAMPLE_FORMAT_OF.get(name, name)


def gpac_sample_format(name: str) -> str:
    """GPAC's name of an audio sample format."""
    return _SAMPLE_FORMATS.get(canonical_sample_format(name), name).split(" ", 1)[0]


def canonical_stream_type(name: str) -> str:
    """GPAC's stream type for any spelling, FFmpeg's media types too: `video` is `Visual`."""
    return _STREAM_TYPE_OF.get(name.lower(), name)


def short_stream_type(name: str) -> str:
    """GPAC's short name of a stream type, as link selectors and file templates use it: `video`."""
    entry = _STREAM_TYPES.get(canonical_stream_type(name))
    return entry[0] if entry else name


def ffmpeg_media_type(name: str) -> str | None:
    """FFmpeg's media type of a stream type: `video` for `Visual`; None where FFmpeg has none."""
    return _FFMPEG_MEDIA_TYPES.get(canonical_stream_type(name))
