"""Caps in Reelway's properties and back: I420 is yuv420p, `video/x-h264` is h264, `rate` is SampleRate.

What properties cannot say stays in the caps only: ranges, `alignment`, `profile`, colorimetry, channel
masks, memory features. `to_bundles` leaves such fields open, and `accepts` looks at the ranges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

from reelway.errors import PipelineError
from reelway.graph.caps import Caps, Not
from reelway.graph.mediacaps import Choices, MediaCaps, Range, Structure, Value, common
from reelway.media.names import canonical_codec, canonical_pixel_format, canonical_sample_format

__all__ = ["MEDIA", "PIXEL_FORMATS", "SAMPLE_FORMATS", "accepts", "of_properties", "to_bundles"]

# GStreamer's name: FFmpeg's.
PIXEL_FORMATS: Mapping[str, str] = {
    "I420": "yuv420p", "NV12": "nv12", "NV21": "nv21", "YUY2": "yuyv422", "UYVY": "uyvy422",
    "YVYU": "yvyu422", "Y41B": "yuv411p", "Y42B": "yuv422p", "Y444": "yuv444p", "YUV9": "yuv410p",
    "NV16": "nv16", "NV24": "nv24", "A420": "yuva420p", "A422": "yuva422p", "A444": "yuva444p",
    "AYUV": "ayuv", "VUYA": "vuya", "RGB": "rgb24", "BGR": "bgr24", "RGBA": "rgba", "BGRA": "bgra",
    "ARGB": "argb", "ABGR": "abgr", "RGBx": "rgb0", "BGRx": "bgr0", "xRGB": "0rgb", "xBGR": "0bgr",
    "RGB16": "rgb565le", "BGR16": "bgr565le", "RGB15": "rgb555le", "BGR15": "bgr555le", "RGB8P": "pal8",
    "GRAY8": "gray", "GRAY10_LE16": "gray10le", "GRAY16_LE": "gray16le", "GRAY16_BE": "gray16be",
    "I420_10LE": "yuv420p10le", "I420_10BE": "yuv420p10be", "I420_12LE": "yuv420p12le",
    "I420_12BE": "yuv420p12be", "I422_10LE": "yuv422p10le", "I422_10BE": "yuv422p10be",
    "I422_12LE": "yuv422p12le", "I422_12BE": "yuv422p12be", "Y444_10LE": "yuv444p10le",
    "Y444_10BE": "yuv444p10be", "Y444_12LE": "yuv444p12le", "Y444_12BE": "yuv444p12be",
    "Y444_16LE": "yuv444p16le", "Y444_16BE": "yuv444p16be", "A420_10LE": "yuva420p10le",
    "A422_10LE": "yuva422p10le", "A444_10LE": "yuva444p10le", "P010_10LE": "p010le",
    "P010_10BE": "p010be", "P012_LE": "p012le", "P016_LE": "p016le", "Y210": "y210le", "GBR": "gbrp",
    "GBRA": "gbrap", "GBR_10LE": "gbrp10le", "GBR_12LE": "gbrp12le", "GBR_16LE": "gbrp16le",
    "GBRA_10LE": "gbrap10le", "GBRA_12LE": "gbrap12le", "ARGB64_LE": "argb64le", "RGBA64_LE": "rgba64le",
    "BGRA64_LE": "bgra64le",
}  # fmt: skip
"""GStreamer's names of pixel formats, and Reelway's."""

SAMPLE_FORMATS: Mapping[str, str] = {
    "U8": "u8", "S16LE": "s16", "S32LE": "s32", "F32LE": "flt", "F64LE": "dbl",
}  # fmt: skip
"""GStreamer's names of sample formats, and Reelway's where channels are interleaved."""

MEDIA: Mapping[str, str] = {
    "h264": "video/x-h264",
    "hevc": "video/x-h265",
    "vvc": "video/x-h266",
    "av1": "video/x-av1",
    "vp8": "video/x-vp8",
    "vp9": "video/x-vp9",
    "mpeg1video": "video/mpeg,mpegversion=1,systemstream=false",
    "mpeg2video": "video/mpeg,mpegversion=2,systemstream=false",
    "mpeg4": "video/mpeg,mpegversion=4,systemstream=false",
    "theora": "video/x-theora",
    "mjpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "jpeg2000": "image/x-jpc",
    "dvvideo": "video/x-dv",
    "h263": "video/x-h263",
    "flv1": "video/x-flash-video",
    "prores": "video/x-prores",
    "huffyuv": "video/x-huffyuv",
    "ffv1": "video/x-ffv",
    "aac": "audio/mpeg,mpegversion=4",
    "mp3": "audio/mpeg,mpegversion=1,layer=3",
    "mp2": "audio/mpeg,mpegversion=1,layer=2",
    "ac3": "audio/x-ac3",
    "eac3": "audio/x-eac3",
    "dts": "audio/x-dts",
    "vorbis": "audio/x-vorbis",
    "opus": "audio/x-opus",
    "flac": "audio/x-flac",
    "alac": "audio/x-alac",
    "speex": "audio/x-speex",
    "wavpack": "audio/x-wavpack",
    "pcm_alaw": "audio/x-alaw",
    "pcm_mulaw": "audio/x-mulaw",
    "amr_nb": "audio/AMR",
    "amr_wb": "audio/AMR-WB",
    "text": "text/x-raw,format=utf8",
    "subrip": "application/x-subtitle",
    "mov_text": "text/x-raw,format=utf8",
    "webvtt": "application/x-subtitle-vtt",
    "ass": "application/x-ass",
    "dvd_subtitle": "subpicture/x-dvd",
    "dvb_subtitle": "subpicture/x-dvb",
    "hdmv_pgs_subtitle": "subpicture/x-pgs",
}
"""Codecs by Reelway's name, and the caps that GStreamer gives them."""

# What a container's file is called: GStreamer's media type, and the extensions of such files.
_FILES = {
    "video/quicktime": "mp4 mov m4v 3gp",
    "audio/x-m4a": "m4a",
    "video/x-matroska": "mkv",
    "audio/x-matroska": "mka",
    "video/webm": "webm",
    "video/mpegts": "ts m2ts mts",
    "video/x-msvideo": "avi",
    "video/x-flv": "flv",
    "application/ogg": "ogg ogv oga opus",
    "audio/x-wav": "wav",
    "audio/x-aiff": "aiff aif",
    "video/mpeg": "mpg mpeg vob",
    "application/x-yuv4mpeg": "y4m",
    "application/x-hls": "m3u8",
    "application/dash+xml": "mpd",
    "multipart/x-mixed-replace": "mjpg",
}

# Fields that carry over as they are: GStreamer's name, Reelway's.
_PICTURE_FIELDS = {"width": "Width", "height": "Height", "framerate": "FPS", "pixel-aspect-ratio": "SAR"}
_SOUND_FIELDS = {"rate": "SampleRate", "channels": "NumChannels"}
_FORMS = {
    **dict.fromkeys("avc avc3 hvc1 hev1 raw".split(), "out-of-band"),
    **dict.fromkeys("byte-stream adts".split(), "in-band"),
}
_FORM_OF = {
    ("h264", "out-of-band"): "avc", ("h264", "in-band"): "byte-stream",
    ("hevc", "out-of-band"): "hvc1", ("hevc", "in-band"): "byte-stream",
    ("aac", "out-of-band"): "raw", ("aac", "in-band"): "adts",
}  # fmt: skip
_RAW = {"video/x-raw": "Visual", "audio/x-raw": "Audio"}


def to_bundles(caps: MediaCaps) -> list[Caps]:
    """What `caps` allow, in Reelway's properties: one bundle or more for each structure.

    Choices become choices. Left open is what a bundle cannot say: ranges, fields that no property has, a
    frame rate of 0/1, square pixels and progressive pictures, which a stream need not mention. A planar
    sample format is meant where `layout=non-interleaved` says so. No bundle comes of empty caps, one that
    allows anything of `ANY`. Raises PipelineError for a format or a media type that is not known, with near
    ones in its hint.
    """
    if caps.is_any:
        return [Caps()]
    return [bundle for structure in caps for bundle in _bundles(structure)]


def accepts(caps: MediaCaps, properties: Mapping[str, Any]) -> bool:
    """Whether a stream with these properties is one that `caps` allow, ranges included.

    A field that Reelway has no property for counts as met; so does a range where the stream does not say.
    """
    if caps.is_any:
        return True
    described = of_properties(properties)
    return any(_accepts(structure, have) for structure in caps for have in described)


def of_properties(properties: Mapping[str, Any]) -> MediaCaps:
    """What GStreamer would call a stream with these properties; `ANY` where it has no word for it.

    A property that is a frozenset, choices that are still open, becomes choices.
    """
    kind, codec = properties.get("StreamType"), properties.get("CodecID")
    if kind == "File":
        return _file(properties)
    if not isinstance(codec, str):
        return MediaCaps(is_any=True)
    if codec == "raw" and kind == "Visual":
        return _made("video/x-raw", _format(properties), properties, _PICTURE_FIELDS)
    if codec == "raw" and kind == "Audio":
        return _made("audio/x-raw", _sound_format(properties), properties, _SOUND_FIELDS)
    codec = canonical_codec(codec)
    if codec.startswith("pcm_") and codec not in MEDIA:
        fields: dict[str, Value] = {"format": codec[4:].upper(), "layout": "interleaved"}
        return _made("audio/x-raw", fields, properties, _SOUND_FIELDS)
    if codec not in MEDIA:
        return MediaCaps(is_any=True)
    structure = _named()[codec]
    fields = dict(structure.fields)
    mode = properties.get("DecoderConfigMode")
    if isinstance(mode, str) and (codec, mode) in _FORM_OF:
        fields["stream-format"] = _FORM_OF[codec, mode]
    if codec in ("h264", "hevc"):
        fields["alignment"] = "au"
    if codec == "aac":
        fields["framed"] = True
    names = _SOUND_FIELDS if kind == "Audio" else _PICTURE_FIELDS if kind == "Visual" else {}
    return _made(structure.media, fields, properties, names)


# From caps to properties


def _bundles(structure: Structure) -> list[Caps]:
    wanted: dict[str, Any] = {}
    if kind := _RAW.get(structure.media):
        wanted |= {"StreamType": kind, "CodecID": "raw"}
        wanted |= _wanted_format(structure, kind)
    elif structure.media in _FILES and structure.fields.get("systemstream", True) is not False:
        extensions = frozenset(_FILES[structure.media].split())
        return [Caps(StreamType="File", Extension=extensions)]
    else:
        codecs = _codecs(structure)
        if not codecs:
            return []
        wanted["StreamType"] = _stream_type(structure.media)
        wanted["CodecID"] = frozenset(codecs)
        forms = {_FORMS[form] for form in _texts(structure.fields.get("stream-format")) if form in _FORMS}
        if len(forms) == 1 and any((codec, *forms) in _FORM_OF for codec in codecs):
            wanted["DecoderConfigMode"] = forms.pop()
    for field, name in (_PICTURE_FIELDS | _SOUND_FIELDS).items():
        values = _scalars(structure.fields.get(field))
        if field == "framerate":
            values = [Fraction(value) for value in values if value]
        if values and not (field == "pixel-aspect-ratio" and 1 in values):
            wanted[name] = frozenset(values)
    mode = _texts(structure.fields.get("interlace-mode"))
    if mode == ["progressive"]:
        wanted["Interlaced"] = Not(True)
    elif mode and "progressive" not in mode:
        wanted["Interlaced"] = True
    return [Caps(**wanted)]


def _wanted_format(structure: Structure, kind: str) -> dict[str, Any]:
    names = _texts(structure.fields.get("format"))
    if not names:
        return {}
    known = PIXEL_FORMATS if kind == "Visual" else SAMPLE_FORMATS
    what = "pixel format" if kind == "Visual" else "sample format"
    for name in names:
        if name not in known:
            raise _unknown_format(what, name, known)
    formats = [known[name] for name in names]
    if kind == "Visual":
        return {"PixelFormat": frozenset(formats)}
    layouts = _texts(structure.fields.get("layout")) or ["interleaved"]
    suffixes = [{"interleaved": "", "non-interleaved": "p"}.get(layout, "") for layout in layouts]
    return {"AudioFormat": frozenset(name + suffix for name in formats for suffix in suffixes)}


def _unknown_format(what: str, name: str, known: Mapping[str, str]) -> PipelineError:
    same = [ours for ours, own in known.items() if own == name.lower()]
    if same:  # Reelway's own name, which caps do not know
        return PipelineError(f"no {what} is named {name!r}", near=same)
    return PipelineError.unknown(what, name, known)


def _codecs(structure: Structure) -> list[str]:
    """The codecs that a structure allows; the fields that tell codecs apart are looked at, no others."""
    found, media = [], set()
    for codec, named in _named().items():
        media.add(named.media)
        if named.media == structure.media and all(
            field not in structure.fields or common(structure.fields[field], value) is not None
            for field, value in named.fields.items()
        ):
            found.append(codec)
    if structure.media == "audio/mpeg" and 2 in _scalars(structure.fields.get("mpegversion")):
        found.append("aac")  # MPEG-2 AAC
    if structure.media not in media:
        raise PipelineError.unknown("media type", structure.media, {*media, *_FILES, *_RAW})
    return found


@cache
def _named() -> Mapping[str, Structure]:
    return {codec: MediaCaps.parse(text)[0] for codec, text in MEDIA.items()}


def _stream_type(media: str) -> str:
    family = media.partition("/")[0]
    return {"video": "Visual", "image": "Visual", "audio": "Audio"}.get(family, "Text")


def _scalars(value: Value | None) -> list[Any]:
    """The values that a field allows, where they can be counted: not of a range."""
    if isinstance(value, Choices):
        return [each for each in value.values if not isinstance(each, Range)] if _counted(value) else []
    return [] if value is None or isinstance(value, Range) else [value]


def _counted(value: Choices) -> bool:
    return not any(isinstance(each, Range) for each in value.values)


def _texts(value: Value | None) -> list[str]:
    return [str(each) for each in _scalars(value)]


# From properties to caps


def _made(
    media: str, fields: Mapping[str, Value], properties: Mapping[str, Any], names: Mapping[str, str]
) -> MediaCaps:
    made = dict(fields)
    for field, name in names.items():
        value = _value(properties.get(name))
        if value is not None:
            made[field] = value
    if "pixel-aspect-ratio" in made and not made["pixel-aspect-ratio"]:
        del made["pixel-aspect-ratio"]
    if properties.get("Interlaced") and "Width" in properties:
        made["interlace-mode"] = "interleaved"
    return MediaCaps((Structure(media, made),))


def _value(have: Any) -> Value | None:
    if have is None or isinstance(have, Not):
        return None
    if isinstance(have, frozenset):
        values = tuple(sorted(have, key=lambda each: (str(type(each)), each)))
        return Choices(values) if len(values) > 1 else (values[0] if values else None)
    found: Value = have
    return found


def _renamed(have: Any, names: Mapping[str, str]) -> Value | None:
    """The property's value or values under GStreamer's names; None where it has none."""
    values = have if isinstance(have, frozenset) else frozenset((have,))
    return _value(frozenset(names[value] for value in values if value in names))


def _format(properties: Mapping[str, Any]) -> dict[str, Value]:
    names = {own: name for name, own in PIXEL_FORMATS.items()}
    names |= {"yuvj420p": "I420", "yuvj422p": "Y42B", "yuvj444p": "Y444"}
    have = properties.get("PixelFormat")
    found = _renamed(canonical_pixel_format(have) if isinstance(have, str) else have, names)
    return {} if found is None else {"format": found}


def _sound_format(properties: Mapping[str, Any]) -> dict[str, Value]:
    names = {own: name for name, own in SAMPLE_FORMATS.items()}
    have = properties.get("AudioFormat")
    if have is None or isinstance(have, Not):
        return {}
    every = [canonical_sample_format(each) for each in (have if isinstance(have, frozenset) else (have,))]
    found = _renamed(frozenset(each.removesuffix("p") for each in every), names)
    if found is None:
        return {}
    layouts = frozenset("non-interleaved" if each.endswith("p") else "interleaved" for each in every)
    layout = _value(layouts)
    return {"format": found} if layout is None else {"format": found, "layout": layout}


def _file(properties: Mapping[str, Any]) -> MediaCaps:
    extension = properties.get("Extension")
    for media, extensions in _FILES.items():
        if isinstance(extension, str) and extension.lower().lstrip(".") in extensions.split():
            fields: dict[str, Value] = {}
            if media == "video/quicktime":
                fields["variant"] = "apple" if extension.endswith("mov") else "iso"
            if media in ("video/mpeg", "video/mpegts"):
                fields["systemstream"] = True
            return MediaCaps((Structure(media, fields),))
    return MediaCaps(is_any=True)


def _accepts(structure: Structure, have: Structure) -> bool:
    if structure.media != have.media:
        return False
    implied: dict[str, Value] = {"pixel-aspect-ratio": Fraction(1), "interlace-mode": "progressive"}
    if structure.media in _RAW and "format" in have.fields:
        implied["layout"] = "interleaved"
    fields = implied | dict(have.fields)
    for name, value in structure.fields.items():
        if name in fields:
            if common(value, fields[name]) is None:
                return False
        elif name in _known(structure.media) and not isinstance(value, Range) and value != 0:
            return False
    return True


def _known(media: str) -> Iterable[str]:
    return {*_PICTURE_FIELDS, *_SOUND_FIELDS, *(("format",) if media in _RAW else ())}
