"""Which encoder makes which codec, what it takes, and what it can be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import av
from av.codec.context import OptionFlags

from reelway.errors import UnknownNameError, UnsupportedError
from reelway.media.names import canonical_codec

__all__ = ["candidates", "codec_and_type", "codec_options", "encodable", "picture_formats"]

_FIRST = {
    "h264": ("libx264", "libopenh264"),
    "hevc": ("libx265",),
    "av1": ("libsvtav1", "libaom-av1", "librav1e"),
    "vp8": ("libvpx",),
    "vp9": ("libvpx-vp9",),
    "theora": ("libtheora",),
    "opus": ("libopus",),
    "vorbis": ("libvorbis",),
    "mp3": ("libmp3lame",),
    "prores": ("prores_ks",),
    "webp": ("libwebp_anim", "libwebp"),
}
"""The encoders to try first: those that people know and that run everywhere."""
_HARDWARE = ("_nvenc", "_qsv", "_amf", "_vaapi", "_videotoolbox", "_v4l2m2m", "_mf", "_vulkan", "_d3d12va")
_NO_MEDIA = {"anull", "vnull", "wrapped_avframe", "comfortnoise", "bitpacked"}


@lru_cache(maxsize=1)
def _encoders() -> dict[str, list[Any]]:
    """Codec -> its encoders, hardware last."""
    found: dict[str, list[Any]] = {}
    for name in sorted(av.codecs_available, key=lambda name: (name.endswith(_HARDWARE), name)):
        try:
            codec = av.Codec(name, "w")
        except (ValueError, RuntimeError):
            continue
        if codec.type in ("video", "audio") and codec.name == name and name not in _NO_MEDIA:
            found.setdefault(codec.canonical_name, []).append(codec)
    for codec_name, first in _FIRST.items():
        if codec_name in found:
            found[codec_name].sort(key=lambda codec: first.index(codec.name) if codec.name in first else 9)
    return found


def encodable(kind: str) -> dict[str, Any]:
    """Codec -> the encoder that makes it, of a media type; without experimental and hardware ones."""
    return {
        name: encoders[0]
        for name, encoders in _encoders().items()
        if encoders[0].type == kind
        and not encoders[0].experimental
        and not encoders[0].name.endswith(_HARDWARE)
    }


def codec_and_type(name: str) -> tuple[str, str]:
    """Codec and media type of a codec's or an encoder's name, FFmpeg's or GPAC's.

    Raises UnknownNameError for a name that nothing has, UnsupportedError where nothing encodes it.
    """
    codec = canonical_codec(name)
    known = _encoders()
    if codec in known:
        return codec, str(known[codec][0].type)
    for codec_name, encoders in known.items():
        if any(encoder.name == name for encoder in encoders):
            return codec_name, str(encoders[0].type)
    if codec in av.codecs_available:
        raise UnsupportedError(f"this build of FFmpeg cannot encode {codec}", hint="see `reelway doctor`")
    raise UnknownNameError.of(
        "encoder or codec", name, [*known, *(e.name for es in known.values() for e in es)]
    )


def candidates(name: str, avoid: frozenset[str]) -> Iterator[Any]:
    """The encoders to try for a codec's or an encoder's name, the best first."""
    codec = canonical_codec(name)
    for encoder in _encoders().get(codec, ()):
        if encoder.name not in avoid:
            yield encoder
    if codec not in _encoders() and name not in avoid:
        yield av.Codec(name, "w")


def picture_formats(encoder: Any) -> list[str]:
    """The pixel formats that an encoder takes; JPEG is full range, which only these say by themselves."""
    names = [str(each.name) for each in encoder.video_formats or ()]
    return [name for name in names if name.startswith("yuvj")] or names if "jpeg" in encoder.name else names


@lru_cache(maxsize=32)
def codec_options(encoder: str) -> Mapping[str, Any]:
    """What an encoder can be told, by name: its own options and those of all encoders of its kind."""
    context = av.CodecContext.create(encoder, "w")
    offered = context.supported_options
    wanted = OptionFlags.VIDEO_PARAM if context.type == "video" else OptionFlags.AUDIO_PARAM
    general = [
        each for each in offered.generic if each.flags & OptionFlags.ENCODING_PARAM and each.flags & wanted
    ]
    return {each.name: each for each in (*general, *offered.private) if each.type != 10}  # a constant
