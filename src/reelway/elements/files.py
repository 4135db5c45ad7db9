"""Files and streams in containers: what opens them, and what writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reelway.elements.declare import (
    MAX,
    U32,
    U64,
    boolean,
    caps,
    choices,
    enum,
    integer,
    pad,
    string,
)
from reelway.elements.kinds import ElementKind, PadTemplate, Property

__all__ = ["KINDS"]


def _opener(
    name: str,
    help: str,
    takes: str,
    *properties: Property,
    format: str = "",
    pads: tuple[str, ...] = ("video_%u", "audio_%u", "subtitle_%u"),
    klass: str = "Codec/Demuxer",
    decodes: bool = False,
) -> ElementKind:
    presence = "always" if pads == ("src",) else "sometimes"
    return ElementKind(
        name,
        help,
        klass,
        "demux",
        "opener",
        properties,
        (
            pad("sink", "sink", caps=takes),
            *(PadTemplate(each, "src", presence) for each in pads),  # type: ignore[arg-type]
        ),
        options={"format": format} if format else {},
        format=format,
        decodes=decodes,
    )


def _closer(
    name: str,
    help: str,
    makes: str,
    format: str,
    *properties: Property,
    pads: tuple[str, ...] = ("video_%u", "audio_%u", "subtitle_%u"),
    derive: Any = None,
) -> ElementKind:
    request = "always" if pads == ("sink",) else "request"
    return ElementKind(
        name,
        help,
        "Codec/Muxer",
        "mux",
        "closer",
        properties,
        (
            *(PadTemplate(each, "sink", request) for each in pads),  # type: ignore[arg-type]
            pad("src", "src", caps=makes),
        ),
        options={"format": format},
        format=format,
        derive=derive,
    )


_BINS = (
    caps("caps", None, "what counts as done", ignored=True),
    string("subtitle-encoding", None, "of subtitles that do not say", ignored=True),
    boolean("expose-all-streams", True, "also those that cannot be decoded", ignored=True),
    integer("connection-speed", 0, "of the network", unit="kbit/s", low=0, ignored=True),
)
_SIZES = (
    boolean("use-buffering", False, "tell how full buffers are", ignored=True),
    integer("max-size-bytes", 0, "to hold; 0: as is usual", low=0, high=U32, unit="bytes", ignored=True),
    integer("max-size-buffers", 0, "to hold; 0: as is usual", low=0, high=U32, ignored=True),
    integer("max-size-time", 0, "to hold; 0: as is usual", low=0, high=U64, unit="ns", ignored=True),
)
_MP4_FLAGS = (
    boolean(
        "faststart",
        False,
        "the index at the beginning",
        "ffmpeg",
        make=lambda on: {"movflags": "+faststart"} if on else None,
    ),
    integer(
        "fragment-duration",
        0,
        "of each fragment; 0: a file in one piece",
        "fragment_s",
        unit="ms",
        low=0,
        high=U32,
        make=lambda ms: ms / 1000 if ms else None,
    ),
    boolean("streamable", False, "to be read while it is written", ignored=True),
    boolean("presentation-time", True, "times of showing", ignored=True),
    integer("movie-timescale", 0, "ticks a second; 0: chosen", low=0, high=U32, ignored=True),
    integer("trak-timescale", 0, "ticks a second; 0: chosen", low=0, high=U32, ignored=True),
    enum(
        "fragment-mode",
        "dash-or-mss",
        choices("dash-or-mss", "first-moov-then-finalise"),
        "what becomes of fragments at the end",
        ignored=True,
    ),
    enum("dts-method", "reorder", choices("dd", "reorder", "asc"), "how times are made", ignored=True),
)
_MATROSKA = (
    string("writing-app", "GStreamer Matroska muxer", "who wrote it", ignored=True),
    integer("version", 2, "of Matroska", low=1, high=2, ignored=True),
    integer("min-index-interval", 0, "between entries of the index", unit="ns", low=0, ignored=True),
    boolean("streamable", False, "without an index", "ffmpeg", make=lambda on: {"live": "1"} if on else None),
    boolean("offset-to-zero", False, "begin at 0", ignored=True),
)
_TS_SIZES = tuple(
    integer(name, default, "from one to the next", unit="ticks of 90 kHz", low=1, high=U32, ignored=True)
    for name, default in (("pat-interval", 9000), ("pmt-interval", 9000), ("si-interval", 9000))
)


def _ts(values: Mapping[str, Any]) -> Mapping[str, Any]:
    told = {"mpegts_m2ts_mode": "1"} if values["m2ts-mode"] else {}
    if values["bitrate"]:
        told["muxrate"] = str(values["bitrate"])
    return {"ffmpeg": told} if told else {}


KINDS = (
    _opener(
        "decodebin",
        "Opens what comes and decodes it",
        "ANY",
        *_BINS,
        *_SIZES,
        boolean("force-sw-decoders", False, "decode in software", ignored=True),
        pads=("src_%u",),
        klass="Generic/Bin/Decoder",
        decodes=True,
    ),
    _opener(
        "decodebin3",
        "Opens what comes and decodes it",
        "ANY",
        _BINS[0],
        pads=("video_%u", "audio_%u", "text_%u", "src_%u"),
        klass="Generic/Bin/Decoder",
        decodes=True,
    ),
    _opener(
        "parsebin",
        "Opens what comes; streams stay coded",
        "ANY",
        *_BINS[1:],
        pads=("src_%u",),
        klass="Generic/Bin/Parser",
    ),
    _opener(
        "typefind",
        "Finds out what comes",
        "ANY",
        caps("force-caps", None, "what it is, whatever it looks like", ignored=True),
        integer("minimum", 1, "how sure it must be, in percent", low=1, high=100, ignored=True),
        pads=("src",),
        klass="Generic",
    ),
    _opener("qtdemux", "Opens MP4 and QuickTime files", "video/quicktime", format="mp4"),
    _opener(
        "matroskademux",
        "Opens Matroska and WebM files",
        "video/x-matroska; video/webm; audio/x-matroska; audio/webm",
        integer("max-gap-time", 2_000_000_000, "gaps above are skipped", unit="ns", low=0, ignored=True),
        format="matroska",
    ),
    _opener(
        "tsdemux",
        "Opens MPEG transport streams",
        "video/mpegts",
        integer("program-number", -1, "which programme; -1: all", low=-1, high=MAX, ignored=True),
        integer("latency", 700, "against jitter", unit="ms", low=-1, high=MAX, ignored=True),
        boolean("emit-stats", False, "tell of its clock", ignored=True),
        boolean("ignore-pcr", False, "use no clock of the stream's", ignored=True),
        format="mpegts",
        pads=("video_%01x_%05x", "audio_%01x_%05x", "subpicture_%01x_%05x", "private_%01x_%05x"),
    ),
    _opener(
        "mpegpsdemux",
        "Opens MPEG programme streams",
        "video/mpeg",
        format="mpeg",
        pads=("video_%02x", "audio_%02x"),
    ),
    _opener("oggdemux", "Opens Ogg files", "application/ogg", format="ogg", pads=("src_%08x",)),
    _opener("flvdemux", "Opens FLV files", "video/x-flv", format="flv", pads=("video", "audio")),
    _opener("avidemux", "Opens AVI files", "video/x-msvideo", format="avi"),
    _opener(
        "wavparse",
        "Opens WAV files",
        "audio/x-wav",
        boolean("ignore-length", False, "read on behind the length in the header", ignored=True),
        format="wav",
        pads=("src",),
        klass="Codec/Demuxer/Audio",
        decodes=True,
    ),
    _opener(
        "id3demux",
        "Reads tags in front of MP3",
        "application/x-id3",
        pads=("src",),
        klass="Codec/Demuxer/Metadata",
    ),
    _closer("mp4mux", "Writes MP4 files", "video/quicktime, variant=iso", "mp4", *_MP4_FLAGS),
    _closer("qtmux", "Writes QuickTime files", "video/quicktime, variant=apple", "mov", *_MP4_FLAGS),
    _closer("matroskamux", "Writes Matroska files", "video/x-matroska", "matroska", *_MATROSKA),
    _closer(
        "webmmux",
        "Writes WebM files",
        "video/webm",
        "webm",
        *_MATROSKA,
    ),
    _closer(
        "mpegtsmux",
        "Writes MPEG transport streams",
        "video/mpegts",
        "mpegts",
        integer("alignment", -1, "packets of 188 bytes sent at once", low=-1, high=MAX, ignored=True),
        integer("bitrate", 0, "constant, by stuffing; 0: as it comes", unit="bit/s", low=0, high=U64),
        boolean("m2ts-mode", False, "packets of 192 bytes"),
        integer("pcr-interval", 3600, "from one to the next", unit="ticks of 90 kHz", low=1, ignored=True),
        *_TS_SIZES,
        pads=("sink_%d",),
        derive=_ts,
    ),
    _closer(
        "oggmux",
        "Writes Ogg files",
        "application/ogg",
        "ogg",
        integer("max-delay", 500_000_000, "of streams against each other", unit="ns", low=0, ignored=True),
        integer("max-page-delay", 500_000_000, "of a page", unit="ns", low=0, ignored=True),
        boolean("skeleton", False, "write a skeleton stream", ignored=True),
    ),
    _closer(
        "flvmux",
        "Writes FLV files and streams",
        "video/x-flv",
        "flv",
        boolean(
            "streamable",
            False,
            "for a server: nothing is mended at the end",
            "ffmpeg",
            make=lambda on: {"flvflags": "no_duration_filesize"} if on else None,
        ),
        integer("latency", 0, "against jitter", unit="ns", low=0, high=U64, ignored=True),
        pads=("video", "audio"),
    ),
    _closer(
        "avimux",
        "Writes AVI files",
        "video/x-msvideo",
        "avi",
        boolean("bigfile", True, "of more than 2 GiB", ignored=True),
        pads=("video_%u", "audio_%u"),
    ),
    _closer("wavenc", "Writes WAV files", "audio/x-wav", "wav", pads=("sink",)),
)
