"""Decoders: all are one filter, which decodes what FFmpeg does."""

from __future__ import annotations

from typing import Any

from reelway.elements.declare import QOS, boolean, choices, enum, flags, integer, pad
from reelway.elements.kinds import ElementKind, Property

__all__ = ["KINDS", "decoder"]


def decoder(
    name: str, help: str, caps: str, *properties: Property, kind: str = "Video", **more: Any
) -> ElementKind:
    """An element that decodes."""
    raw = "audio/x-raw" if kind == "Audio" else "video/x-raw"
    errors = integer("max-errors", 0 if name == "jpegdec" else -1, "that are borne", low=-1, ignored=True)
    return ElementKind(
        name,
        help,
        f"Codec/Decoder/{kind}",
        "decode",
        properties=(*properties, errors, *(() if kind == "Audio" else (QOS,))),
        pads=(pad("sink", "sink", caps=caps), pad("src", "src", caps=raw)),
        **more,
    )


_LIBAV = (
    integer("max-threads", 0, "0: as many as there are cores", "threads", low=0),
    flags(
        "thread-type",
        "auto",
        choices("auto", "frame", "slice"),
        "what threads share",
        "thread_type",
        make=lambda ways: ways[0] if len(ways) == 1 else "auto",
    ),
    enum(
        "skip-frame",
        "Skip nothing",
        choices(
            (0, "Skip nothing"), (1, "Skip B-frames"), (2, "Skip IDCT/Dequantization"), (5, "Skip everything")
        ),
        "what is left out",
        ignored=True,
    ),
    enum("lowres", "full", choices("full", "1/2-size", "1/4-size"), "smaller pictures", ignored=True),
    boolean("output-corrupt", True, "also damaged pictures", ignored=True),
    boolean("direct-rendering", True, "into the next element's memory", ignored=True),
)

_VPX_DECODES = (
    integer("threads", 0, "0: as many as there are cores", "threads", low=0, high=16),
    boolean("post-processing", False, "smooth blocks", ignored=True),
    integer("deblocking-level", 4, "of that", low=0, high=16, ignored=True),
    integer("noise-level", 0, "of that", low=0, high=16, ignored=True),
)

_IDCT = enum(
    "idct-method", "ifast", choices("islow", "ifast", "float"), "of the cosine transform", ignored=True
)

_PLC = (
    boolean("plc", False, "make up what is lost", ignored=True),
    integer("min-latency", 0, unit="ns", low=0, ignored=True),
    integer("tolerance", 0, "how much times may be off", unit="ns", low=0, ignored=True),
)


def _audio_decoder(name: str, help: str, caps: str, *own: Property, format: str = "") -> ElementKind:
    return decoder(name, help, caps, *own, *_PLC, kind="Audio", format=format, decodes=bool(format))


KINDS = (
    decoder("avdec_h264", "H.264", "video/x-h264", *_LIBAV),
    decoder("avdec_h265", "H.265", "video/x-h265", *_LIBAV),
    decoder("avdec_mpeg2video", "MPEG-2 video", "video/mpeg", *_LIBAV),
    decoder("avdec_mpeg4", "MPEG-4 Visual", "video/mpeg", *_LIBAV),
    decoder("avdec_mjpeg", "JPEG", "image/jpeg", *_LIBAV[2:]),
    decoder("vp8dec", "VP8", "video/x-vp8", *_VPX_DECODES),
    decoder("vp9dec", "VP9", "video/x-vp9", *_VPX_DECODES),
    decoder("dav1ddec", "AV1", "video/x-av1"),
    decoder("theoradec", "Theora", "video/x-theora"),
    decoder("jpegdec", "JPEG", "image/jpeg", _IDCT, kind="Image", format="jpeg_pipe", decodes=True),
    decoder("pngdec", "PNG", "image/png", kind="Image", format="png_pipe", decodes=True),
    _audio_decoder("avdec_aac", "AAC", "audio/mpeg"),
    _audio_decoder("faad", "AAC", "audio/mpeg"),
    _audio_decoder("avdec_mp3", "MP3", "audio/mpeg", format="mp3"),
    _audio_decoder("mpg123audiodec", "MP3", "audio/mpeg", format="mp3"),
    _audio_decoder("avdec_ac3", "AC-3", "audio/x-ac3"),
    _audio_decoder("opusdec", "Opus", "audio/x-opus"),
    _audio_decoder("vorbisdec", "Vorbis", "audio/x-vorbis"),
    _audio_decoder("flacdec", "FLAC", "audio/x-flac", format="flac"),
    _audio_decoder("mulawdec", "G.711, mu-law", "audio/x-mulaw"),
    _audio_decoder("alawdec", "G.711, A-law", "audio/x-alaw"),
)
