"""Parsers and depayloaders: here streams come parsed already, so most pass on what they are for."""

from __future__ import annotations

from reelway.elements.declare import boolean, integer, pad
from reelway.elements.kinds import ElementKind, Property

__all__ = ["KINDS"]

_PASS = boolean("disable-passthrough", False, "look at what is parsed already", ignored=True)
_CONFIG = integer(
    "config-interval",
    0,
    "from parameter sets to the next; -1: with each key frame; here where they are needed",
    unit="s",
    low=-1,
    high=3600,
    ignored=True,
)


def _parser(
    name: str,
    help: str,
    caps: str,
    codecs: str,
    *properties: Property,
    format: str = "",
    kind: str = "Video",
) -> ElementKind:
    return ElementKind(
        name,
        help,
        f"Codec/Parser/{kind}",
        "parse",
        properties=properties if name == "vorbisparse" else (*properties, _PASS),
        pads=(pad("sink", "sink", caps=caps), pad("src", "src", caps=caps)),
        options={"codecs": codecs},
        format=format,
    )


def _depayloader(name: str, help: str, codecs: str, caps: str) -> ElementKind:
    return ElementKind(
        name,
        help,
        "Codec/Depayloader/Network/RTP",
        "parse",
        properties=(
            boolean("wait-for-keyframe", False, "drop what comes before the first", ignored=True),
            boolean("request-keyframe", False, "ask for one where packets are lost", ignored=True),
        )
        if name in ("rtph264depay", "rtpvp8depay", "rtpvp9depay")
        else (),
        pads=(pad("sink", "sink", caps="application/x-rtp"), pad("src", "src", caps=caps)),
        options={"codecs": codecs},
    )


KINDS = (
    _parser("h264parse", "H.264", "video/x-h264", "h264", _CONFIG, format="h264"),
    _parser("h265parse", "H.265", "video/x-h265", "hevc", _CONFIG, format="hevc"),
    _parser(
        "mpegvideoparse", "MPEG-1 and MPEG-2 video", "video/mpeg", "mpeg2video,mpeg1video", format="mpegvideo"
    ),
    _parser("mpeg4videoparse", "MPEG-4 Visual", "video/mpeg, mpegversion=4", "mpeg4", format="m4v"),
    _parser("vp9parse", "VP9", "video/x-vp9", "vp9"),
    _parser("av1parse", "AV1", "video/x-av1", "av1"),
    _parser("jpegparse", "JPEG", "image/jpeg", "mjpeg", format="mjpeg"),
    _parser("aacparse", "AAC", "audio/mpeg", "aac", format="aac", kind="Audio"),
    _parser(
        "mpegaudioparse",
        "MP3, MP2 and MP1",
        "audio/mpeg, mpegversion=1",
        "mp3,mp2,mp1",
        format="mp3",
        kind="Audio",
    ),
    _parser("ac3parse", "AC-3", "audio/x-ac3", "ac3,eac3", format="ac3", kind="Audio"),
    _parser("flacparse", "FLAC", "audio/x-flac", "flac", format="flac", kind="Audio"),
    _parser("opusparse", "Opus", "audio/x-opus", "opus", kind="Audio"),
    _parser("vorbisparse", "Vorbis", "audio/x-vorbis", "vorbis", kind="Audio"),
    _depayloader("rtph264depay", "H.264 out of RTP", "h264", "video/x-h264"),
    _depayloader("rtph265depay", "H.265 out of RTP", "hevc", "video/x-h265"),
    _depayloader("rtpvp8depay", "VP8 out of RTP", "vp8", "video/x-vp8"),
    _depayloader("rtpvp9depay", "VP9 out of RTP", "vp9", "video/x-vp9"),
    _depayloader("rtpjpegdepay", "JPEG out of RTP", "mjpeg", "image/jpeg"),
    _depayloader("rtpmp4gdepay", "AAC out of RTP", "aac,mpeg4", "audio/mpeg"),
    _depayloader("rtpmp4adepay", "AAC out of RTP", "aac", "audio/mpeg"),
    _depayloader("rtppcmudepay", "G.711 (mu-law) out of RTP", "pcm_mulaw", "audio/x-mulaw"),
    _depayloader("rtppcmadepay", "G.711 (A-law) out of RTP", "pcm_alaw", "audio/x-alaw"),
    _depayloader("rtpopusdepay", "Opus out of RTP", "opus", "audio/x-opus"),
    ElementKind(
        "rtpjitterbuffer",
        "Against jitter; here FFmpeg's receiver does that",
        "Filter/Network/RTP",
        "parse",
        properties=(
            integer("latency", 200, "to hold", unit="ms", low=0, ignored=True),
            boolean("drop-on-latency", False, "never hold more", ignored=True),
        ),
        pads=(pad("sink", "sink", caps="application/x-rtp"), pad("src", "src", caps="application/x-rtp")),
    ),
)
