"""Encoders. Bit rates are GStreamer's: kbit/s for x264enc, x265enc and lamemp3enc, bit/s for the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reelway.elements.declare import (
    MAX,
    QOS_OFF,
    U32,
    boolean,
    choices,
    enum,
    flags,
    integer,
    number,
    pad,
    string,
)
from reelway.elements.kinds import ElementKind, Property

__all__ = ["KINDS", "encoder"]

Values = Mapping[str, Any]


def encoder(
    name: str,
    help: str,
    codec: str,
    caps: str,
    *properties: Property,
    derive: Callable[[Values], Values] | None = None,
    kind: str = "Video",
    **more: Any,
) -> ElementKind:
    """An element that encodes with FFmpeg's `codec`; options of the encoder go by FFmpeg's names."""
    raw = "audio/x-raw" if kind == "Audio" else "video/x-raw"
    common = _sound(name in ("flacenc", "vorbisenc")) if kind == "Audio" else (QOS_OFF,)
    return ElementKind(
        name,
        help,
        f"Codec/Encoder/{kind}",
        "encode",
        properties=(*properties, *common),
        pads=(pad("sink", "sink", caps=raw), pad("src", "src", caps=caps)),
        options={"codec": codec, **more.pop("options", {})},
        derive=derive,
        **more,
    )


def _sound(perfect: bool) -> tuple[Property, ...]:
    return (
        boolean("perfect-timestamp", perfect, "times without a gap", ignored=True),
        boolean("hard-resync", False, "follow gaps in the input", ignored=True),
        integer("tolerance", 40_000_000, "how much times may be off", unit="ns", low=0, ignored=True),
    )


_PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"),
    "placebo",
)


def _unless(default: object) -> Callable[[Any], Any]:
    """The value where it was said: presets decide otherwise."""
    return lambda value: None if value == default else value


# H.264 and H.265


def _x264(values: Values) -> Values:
    rate, quality = 1000 * values["bitrate"], values["quantizer"]
    match values["pass"]:
        case "quant":
            made: dict[str, Any] = {"bitrate": None, "qp": quality}
        case "qual":
            made = {"bitrate": None, "crf": float(quality)}
        case _:
            held = rate * values["vbv-buf-capacity"] // 1000
            made = {"bitrate": rate}
            if held:
                made |= {"maxrate": rate, "bufsize": held}
    tunes = [] if values["psy-tune"] == "none" else [values["psy-tune"]]
    tunes += [each for each in values["tune"].split("+") if each]
    return {**made, "tune": ",".join(tunes) or None}


_X264 = (
    integer("bitrate", 2048, "on average", unit="kbit/s", low=1, high=2_048_000),
    enum(
        "speed-preset",
        "medium",
        choices((0, "None", None), *((at + 1, name) for at, name in enumerate(_PRESETS))),
        "speed against size",
        "preset",
    ),
    flags(
        "tune",
        "",
        choices((1, "stillimage"), (2, "fastdecode"), (4, "zerolatency")),
        "what it is for",
    ),
    enum(
        "psy-tune",
        "none",
        choices("none", "film", "animation", "grain", "psnr", "ssim"),
        "what it shall look like",
    ),
    integer("key-int-max", 0, "pictures between key frames; 0: chosen", "gop", low=0, make=_unless(0)),
    integer("bframes", 0, "B-frames in a row", "bf", low=0, high=16),
    integer("threads", 0, "0: as many as there are cores", "threads", low=0, make=_unless(0)),
    enum(
        "pass",
        "cbr",
        choices((0, "cbr"), (4, "quant"), (5, "qual"), (17, "pass1"), (18, "pass2"), (19, "pass3")),
        "what is constant: the bit rate, or with quantizer the quantizer or the quality",
    ),
    integer("quantizer", 21, "of pass=quant and pass=qual", low=0, high=50),
    integer("qp-min", 10, "smallest quantizer", "qmin", low=0, high=63),
    integer("qp-max", 51, "greatest quantizer", "qmax", low=0, high=63),
    integer("vbv-buf-capacity", 600, "of the decoder", unit="ms", low=0, high=10_000),
    integer("ref", 3, "pictures to refer to", "refs", low=1, high=16, make=_unless(3)),
    integer("rc-lookahead", 40, "pictures to look ahead", "rc-lookahead", low=0, high=250, make=_unless(40)),
    boolean("aud", True, "mark where pictures begin", "aud", make=int),
    boolean("cabac", True, "code with CABAC", "coder", make=lambda on: None if on else "cavlc"),
    boolean("intra-refresh", False, "no key frames", "intra-refresh", make=lambda on: 1 if on else None),
    string("option-string", "", "x264's own words: a=1:b=2", "x264-params", make=_unless("")),
    boolean("byte-stream", False, "Annex B; here where the stream needs it", ignored=True),
    boolean("sliced-threads", False, "threads share a picture", ignored=True),
    boolean("b-adapt", True, "choose where B-frames are", ignored=True),
    boolean("b-pyramid", False, "refer to B-frames", ignored=True),
    boolean("weightb", False, "weigh B-frames", ignored=True),
    boolean("dct8x8", False, "of High profile; here as the profile says", ignored=True),
    boolean("mb-tree", True, "by how long blocks live", ignored=True),
    boolean("interlaced", False, "code fields", ignored=True),
    boolean("insert-vui", True, "write what colours mean", ignored=True),
    enum("me", "hex", choices("dia", "hex", "umh", "esa", "tesa"), "search for motion", ignored=True),
    integer("subme", 1, "how fine it searches", low=1, high=10, ignored=True),
    boolean("trellis", True, "search for quantizers", ignored=True),
    integer("sync-lookahead", -1, "pictures ahead for threads", low=-1, high=250, ignored=True),
)


def _x265(values: Values) -> Values:
    if values["qp"] >= 0:
        return {"bitrate": None, "x265-params": _joined(f"qp={values['qp']}", values["option-string"])}
    return {
        "bitrate": 1000 * values["bitrate"],
        "x265-params": _joined("log-level=none", values["option-string"]),
    }


def _joined(*texts: str) -> str:
    return ":".join(filter(None, texts))


_X265 = (
    integer("bitrate", 2048, "on average", unit="kbit/s", low=1, high=102_400),
    enum(
        "speed-preset",
        "medium",
        choices(*((at + 1, name) for at, name in enumerate(_PRESETS))),
        "speed against size",
        "preset",
    ),
    enum(
        "tune",
        "ssim",
        choices(
            *((1, "psnr"), (2, "ssim"), (3, "grain"), (4, "zerolatency"), (5, "fastdecode"), (6, "animation"))
        ),
        "what it is for",
        "tune",
    ),
    integer("key-int-max", 0, "pictures between key frames; 0: chosen", "gop", low=0, make=_unless(0)),
    integer("qp", -1, "constant quantizer; -1: constant bit rate", low=-1, high=51),
    string("option-string", "", "x265's own words: a=1:b=2"),
    enum(
        "log-level",
        "none",
        choices((-1, "none"), (0, "error"), (1, "warning"), (2, "info"), (3, "debug"), (4, "full")),
        "what it tells",
        ignored=True,
    ),
)
_BASELINE = {"constrained-baseline": "baseline", "progressive-high": "high"}
# VP8 and VP9


def _vpx(values: Values) -> Values:
    rate = values["target-bitrate"] or None
    match values["end-usage"]:
        case "cbr":
            return {"bitrate": rate, "maxrate": rate, "minrate": rate}
        case "cq":
            return {"bitrate": rate, "crf": float(values["cq-level"])}
    return {"bitrate": rate}


def _vpx_properties(vp9: bool) -> tuple[Property, ...]:
    own = (
        boolean("row-mt", False, "threads share rows", "row-mt", make=int),
        integer("tile-columns", 6, "at most 2 to the power of it", "tile-columns", low=0, high=6),
        integer("tile-rows", 0, "2 to the power of it", "tile-rows", low=0, high=2),
    )
    return (
        integer("target-bitrate", 256_000, "on average; 0: chosen", unit="bit/s", low=0, high=MAX),
        integer("keyframe-max-dist", 128, "pictures between key frames", "gop", low=0, high=MAX),
        integer(
            "deadline",
            1_000_000,
            "of a picture; 1: as quick as can be, 0: as good as can be",
            "deadline",
            unit="us",
            low=0,
            make=lambda us: "realtime" if us == 1 else "best" if us == 0 else "good",
        ),
        integer("cpu-used", 0, "quicker, above 0", "cpu-used", low=-16, high=16),
        integer("threads", 8 if vp9 else 0, "to use", "threads", low=0, high=64, make=_unless(0)),
        enum("end-usage", "vbr", choices("vbr", "cbr", "cq"), "what is constant"),
        integer("cq-level", 10, "of end-usage=cq", low=0, high=63),
        integer("min-quantizer", 0 if vp9 else 4, "the smallest", "qmin", low=0, high=63),
        integer("max-quantizer", 63, "the greatest", "qmax", low=0, high=63),
        integer("lag-in-frames", 25 if vp9 else 0, "pictures to look ahead", "lag-in-frames", low=0, high=25),
        flags(
            "error-resilient",
            "",
            choices((1, "default"), (2, "partitions")),
            "decodes where something is lost",
            "error-resilient",
            make=lambda each: "+".join(each) or None,
        ),
        boolean("auto-alt-ref", False, "pictures that are only referred to", "auto-alt-ref", make=int),
        integer("undershoot", 25 if vp9 else 100, "below the rate", unit="%", low=0, high=1000, ignored=True),
        integer("overshoot", 25 if vp9 else 100, "above the rate", unit="%", low=0, high=1000, ignored=True),
        integer("buffer-size", 6000, "of the decoder", unit="ms", low=0, high=MAX, ignored=True),
        integer("buffer-initial-size", 4000, "of the decoder", unit="ms", low=0, high=MAX, ignored=True),
        integer("buffer-optimal-size", 5000, "of the decoder", unit="ms", low=0, high=MAX, ignored=True),
        integer("noise-sensitivity", 0, "smoothing", low=0, high=6, ignored=True),
        integer("static-threshold", 1, "what moves less is still", low=0, high=MAX, ignored=True),
        integer("dropframe-threshold", 0, "drop pictures below it", low=0, high=100, ignored=True),
        enum("token-partitions", "1", choices("1", "2", "4", "8"), "parts to decode at once", ignored=True),
        *(own if vp9 else ()),
    )


# Pictures


def _jpeg_scale(quality: int) -> int:
    """FFmpeg's scale of quantizers, 2 (best) to 31, times FF_QP2LAMBDA."""
    return 118 * max(2, round(31 - 29 * quality / 100))


_SNAPSHOT = boolean("snapshot", False, "end behind the first picture", ignored=True)
_IDCT = enum(
    "idct-method", "ifast", choices("islow", "ifast", "float"), "of the cosine transform", ignored=True
)

# Sound


def _lame(values: Values) -> Values:
    if values["target"] == "quality":
        return {"flags": "+qscale", "global_quality": round(118 * values["quality"])}
    rate: dict[str, Any] = {"bitrate": 1000 * values["bitrate"]}
    return rate if values["cbr"] else {**rate, "abr": 1}


_OPUS = (
    integer("bitrate", 64_000, "on average", "bitrate", unit="bit/s", low=4000, high=650_000),
    enum(
        "bitrate-type",
        "constrained-vbr",
        choices((0, "cbr", "off"), (1, "vbr", "on"), (2, "constrained-vbr", "constrained")),
        "what is constant",
        "vbr",
    ),
    enum(
        "audio-type",
        "generic",
        choices(
            (2049, "generic", "audio"),
            (2048, "voice", "voip"),
            (2051, "restricted-lowdelay", "lowdelay"),
        ),
        "what it is for",
        "application",
    ),
    enum(
        "frame-size",
        "20",
        choices((2, "2.5"), (5, "5"), (10, "10"), (20, "20"), (40, "40"), (60, "60")),
        "of a packet, in ms",
        "frame_duration",
    ),
    integer("complexity", 10, "how hard it tries", "compression_level", low=0, high=10),
    enum(
        "bandwidth",
        "fullband",
        choices(
            *((1101, "narrowband"), (1102, "mediumband"), (1103, "wideband"), (1104, "superwideband")),
            *((1105, "fullband"), (-1000, "auto")),
        ),
        "of the sound",
        ignored=True,
    ),
    boolean("dtx", False, "send nothing in silence", ignored=True),
    boolean("inband-fec", False, "packets that mend the one before", ignored=True),
)


def _rate(default: int, low: int, high: int) -> Property:
    return integer(
        "bitrate",
        default,
        "on average; 0: chosen",
        "bitrate",
        unit="bit/s",
        low=low,
        high=high,
        make=_unless(0),
    )


def _rated(value: int) -> int | None:
    return value if value > 0 else None


KINDS = (
    encoder(
        "x264enc",
        "H.264, with x264",
        "libx264",
        "video/x-h264",
        *_X264,
        derive=_x264,
        caps_options={"profile": "profile"},
        caps_values={"profile": _BASELINE},
    ),
    encoder("x265enc", "H.265, with x265", "libx265", "video/x-h265", *_X265, derive=_x265),
    encoder("vp8enc", "VP8", "libvpx", "video/x-vp8", *_vpx_properties(False), derive=_vpx),
    encoder("vp9enc", "VP9", "libvpx-vp9", "video/x-vp9", *_vpx_properties(True), derive=_vpx),
    encoder(
        "av1enc",
        "AV1",
        "av1",
        "video/x-av1",
        integer(
            "target-bitrate",
            256,
            "on average",
            "bitrate",
            unit="kbit/s",
            low=1,
            high=U32,
            make=lambda kbit: 1000 * kbit,
        ),
        integer("keyframe-max-dist", 30, "pictures between key frames", "gop", low=0, high=MAX),
        integer("cpu-used", 0, "quicker, above 0", low=0, high=10, ignored=True),
        integer("threads", 0, "0: as many as there are cores", low=0, high=U32, ignored=True),
        enum("end-usage", "vbr", choices("vbr", "cbr", "cq", "q"), "what is constant", ignored=True),
        boolean("row-mt", True, "threads share rows", ignored=True),
    ),
    encoder(
        "jpegenc",
        "JPEG",
        "mjpeg",
        "image/jpeg",
        integer("quality", 85, "100 is best", "global_quality", low=0, high=100, make=_jpeg_scale),
        _SNAPSHOT,
        _IDCT,
        kind="Image",
        options={"flags": "+qscale"},
    ),
    encoder(
        "pngenc",
        "PNG",
        "png",
        "image/png",
        integer("compression-level", 6, "9 is smallest", "compression_level", low=0, high=9),
        _SNAPSHOT,
        kind="Image",
    ),
    encoder("avenc_mpeg4", "MPEG-4 Visual", "mpeg4", "video/mpeg, mpegversion=4", _rate(200_000, 0, MAX)),
    encoder("avenc_aac", "AAC", "aac", "audio/mpeg, mpegversion=4", _rate(0, 0, MAX), kind="Audio"),
    encoder("voaacenc", "AAC", "aac", "audio/mpeg, mpegversion=4", _rate(128_000, 0, 320_000), kind="Audio"),
    encoder(
        "fdkaacenc",
        "AAC",
        "aac",
        "audio/mpeg, mpegversion=4",
        _rate(0, 0, MAX),
        kind="Audio",
        note="encoded with FFmpeg's own AAC encoder",
    ),
    encoder(
        "faac",
        "AAC",
        "aac",
        "audio/mpeg, mpegversion=4",
        _rate(128_000, 8000, 320_000),
        kind="Audio",
        note="encoded with FFmpeg's own AAC encoder",
    ),
    encoder(
        "lamemp3enc",
        "MP3, with LAME",
        "libmp3lame",
        "audio/mpeg, mpegversion=1, layer=3",
        enum("target", "quality", choices("quality", "bitrate"), "what is constant"),
        integer("bitrate", 128, "of target=bitrate", unit="kbit/s", low=8, high=320),
        boolean("cbr", False, "the same at every moment, with target=bitrate"),
        number("quality", 4.0, "of target=quality, 0 is best", low=0.0, high=9.999),
        boolean("mono", False, "as mono", ignored=True),
        derive=_lame,
        kind="Audio",
    ),
    encoder("opusenc", "Opus", "libopus", "audio/x-opus", *_OPUS, kind="Audio"),
    encoder(
        "flacenc",
        "FLAC",
        "flac",
        "audio/x-flac",
        enum("quality", "5", choices(*"0123456789"), "9 is smallest", "compression_level"),
        kind="Audio",
    ),
    encoder(
        "vorbisenc",
        "Vorbis",
        "vorbis",
        "audio/x-vorbis",
        integer(
            "bitrate",
            -1,
            "on average; -1: chosen",
            "bitrate",
            unit="bit/s",
            low=-1,
            high=250_001,
            make=_rated,
        ),
        number("quality", 0.3, "1 is best", low=-0.1, high=1.0, ignored=True),
        boolean("managed", False, "hold to the bit rate", ignored=True),
        kind="Audio",
        options={"strict": "experimental"},
        note="encoded with FFmpeg's own Vorbis encoder, in stereo",
    ),
    encoder("avenc_ac3", "AC-3", "ac3", "audio/x-ac3", _rate(0, 0, MAX), kind="Audio"),
    encoder("avenc_mp2", "MP2", "mp2", "audio/mpeg, mpegversion=1, layer=2", _rate(0, 0, MAX), kind="Audio"),
    encoder("mulawenc", "G.711, mu-law", "pcm_mulaw", "audio/x-mulaw", kind="Audio"),
    encoder("alawenc", "G.711, A-law", "pcm_alaw", "audio/x-alaw", kind="Audio"),
)
