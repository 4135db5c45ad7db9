"""What changes sound, joins it, and looks at it."""

from __future__ import annotations

from reelway.elements.declare import (
    QOS_OFF,
    U64,
    boolean,
    choices,
    enum,
    integer,
    number,
    pad,
    through,
)
from reelway.elements.kinds import ElementKind, Property

__all__ = ["KINDS"]

RAW = "audio/x-raw"


def _converter(name: str, help: str, *own: Property, klass: str = "Filter/Converter/Audio") -> ElementKind:
    """Raw sound passes; what comes behind says what it becomes, and a converter is put there."""
    return ElementKind(name, help, klass, "rawaudio", properties=own, pads=through(RAW))


_DITHER = (
    enum(
        "dithering",
        "tpdf",
        choices("none", "rpdf", "tpdf", "tpdf-hf"),
        "where samples get coarser",
        ignored=True,
    ),
    integer("dithering-threshold", 20, "only below so many bits", low=0, high=32, ignored=True),
    enum(
        "noise-shaping",
        "none",
        choices("none", "error-feedback", "simple", "medium", "high"),
        "where the noise of it goes",
        ignored=True,
    ),
    QOS_OFF,
)
_RESAMPLES = (
    integer("quality", 4, "10 is best", low=0, high=10, ignored=True),
    enum(
        "resample-method",
        "kaiser",
        choices("nearest", "linear", "cubic", "blackman-nuttall", "kaiser"),
        "how samples in between are found",
        ignored=True,
    ),
    enum("sinc-filter-mode", "auto", choices("interpolated", "full", "auto"), "of that", ignored=True),
    QOS_OFF,
)
_MIXES = {"rate": "sample_rate", "channels": "channels", "format": "sample_format"}
_VOICE = (
    number("volume", 1.0, "of this input", low=0.0, high=10.0),
    boolean("mute", False, "silence"),
)

KINDS = (
    _converter("audioconvert", "Sound in the format and channels that are asked for", *_DITHER),
    _converter("audioresample", "Sound with as many samples a second as are asked for", *_RESAMPLES),
    _converter(
        "audiorate",
        "Sound without gaps; here it passes as it is",
        integer(
            "tolerance", 40_000_000, "how much times may be off", unit="ns", low=0, high=U64, ignored=True
        ),
        boolean("skip-to-first", False, "begin with the first sample", ignored=True),
        boolean("silent", True, "tell nothing of what is added", ignored=True),
        klass="Filter/Effect/Audio",
    ),
    ElementKind(
        "audiomixer",
        "Several sounds at once",
        "Generic/Audio",
        "mixer",
        properties=(
            integer("alignment-threshold", 40_000_000, "gaps below are none", unit="ns", low=0, ignored=True),
            integer("discont-wait", 1_000_000_000, "before a gap is one", unit="ns", low=0, ignored=True),
            integer("latency", 0, "to wait for late inputs", unit="ns", low=0, high=U64, ignored=True),
            boolean("force-live", False, "go on without late inputs", ignored=True),
        ),
        pads=(pad("sink_%u", "sink", "request", RAW), pad("src", "src", caps=RAW)),
        caps_options=_MIXES,
        pad_properties=_VOICE,
        pad_option="pads",
    ),
    ElementKind(
        "adder",
        "Several sounds at once",
        "Generic/Audio",
        "mixer",
        pads=(pad("sink_%u", "sink", "request", RAW), pad("src", "src", caps=RAW)),
        caps_options=_MIXES,
        pad_properties=_VOICE,
        pad_option="pads",
    ),
    ElementKind(
        "volume",
        "Louder and softer",
        "Filter/Effect/Audio",
        "volume",
        properties=(
            number("volume", 1.0, "factor; 1 changes nothing", "gain", low=0.0, high=10.0),
            boolean("mute", False, "silence", "mute"),
            QOS_OFF,
        ),
        pads=through(RAW),
    ),
    ElementKind(
        "level",
        "Tells how loud it is",
        "Filter/Analyzer/Audio",
        "level",
        properties=(
            integer(
                "interval",
                100_000_000,
                "from one message to the next",
                "interval",
                unit="ns",
                low=1,
                high=U64,
                make=lambda ns: ns / 1e9,
            ),
            boolean("message", True, "post messages; the old name"),
            boolean("post-messages", True, "post messages", "post"),
            integer(
                "peak-ttl",
                300_000_000,
                "how long a peak stands",
                "peak_ttl",
                unit="ns",
                low=0,
                high=U64,
                make=lambda ns: ns / 1e9,
            ),
            number("peak-falloff", 10.0, "then it sinks so fast", "peak_falloff", unit="dB/s", low=0.0),
            boolean("audio-level-meta", False, "write it beside each packet", ignored=True),
            QOS_OFF,
        ),
        pads=through(RAW),
        derive=lambda values: {"post": values["post-messages"] and values["message"]},
    ),
    ElementKind(
        "audiopanorama",
        "Sound further left or right",
        "Filter/Effect/Audio",
        "panorama",
        properties=(
            number("panorama", 0.0, "-1 is left, 1 is right", "position", low=-1.0, high=1.0),
            enum(
                "method",
                "psychoacoustic",
                choices((0, "psychoacoustic", "move"), (1, "simple", "fade")),
                "whether the far side is moved over or fades",
                "method",
            ),
            QOS_OFF,
        ),
        pads=through(RAW),
    ),
)
