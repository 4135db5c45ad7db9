"""What changes pictures, and what joins them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reelway.elements.declare import (
    MAX,
    QOS,
    QOS_OFF,
    U32,
    U64,
    boolean,
    choices,
    enum,
    integer,
    number,
    pad,
    string,
    through,
)
from reelway.elements.kinds import ElementKind, Property

__all__ = ["KINDS", "converter"]

Values = Mapping[str, Any]
RAW = "video/x-raw"
_LEAST = -(2**31)


def converter(name: str, help: str, *own: Property, note: str = "", klass: str = "") -> ElementKind:
    """Raw pictures pass; what comes behind says what they become, and a converter is put there."""
    return ElementKind(
        name,
        help,
        klass or "Filter/Converter/Video",
        "rawvideo",
        properties=own,
        pads=through(RAW),
        note=note,
    )


def _changes(name: str, help: str, filter: str, *own: Property, **more: Any) -> ElementKind:
    return ElementKind(name, help, "Filter/Effect/Video", filter, properties=own, pads=through(RAW), **more)


_CONVERTS = (
    QOS,
    enum(
        "dither",
        "bayer",
        choices("none", "verterr", "floyd-steinberg", "sierra-lite", "bayer"),
        "where samples get coarser",
        ignored=True,
    ),
    integer("n-threads", 1, "to use", low=0, high=U32, ignored=True),
    enum(
        "matrix-mode",
        "full",
        choices("full", "input-only", "output-only", "none"),
        "convert between matrices",
        ignored=True,
    ),
    enum("gamma-mode", "none", choices("none", "remap"), "convert between curves", ignored=True),
    enum(
        "primaries-mode",
        "none",
        choices("none", "merge-only", "fast"),
        "convert between primaries",
        ignored=True,
    ),
    enum(
        "chroma-mode",
        "full",
        choices("full", "upsample-only", "downsample-only", "none"),
        "how chroma is resampled",
        ignored=True,
    ),
    enum("alpha-mode", "copy", choices("copy", "set", "mult"), "what becomes of alpha", ignored=True),
    number("alpha-value", 1.0, "of it", low=0.0, high=1.0, ignored=True),
)
_SCALES = (
    enum(
        "method",
        "bilinear",
        choices(
            *("nearest-neighbour", "bilinear", "4-tap", "lanczos", "bilinear2", "sinc", "hermite"),
            *("spline", "catrom", "mitchell"),
        ),
        "how pixels in between are found; here bicubic",
        ignored=True,
    ),
    boolean("add-borders", True, "keep the shape of the picture", ignored=True),
    number("sharpness", 1.0, "of what is scaled", low=0.5, high=1.5, ignored=True),
    number("sharpen", 0.0, "of what is scaled", low=0.0, high=1.0, ignored=True),
)

_METHODS = {
    "none": ("none", 0),
    "identity": ("none", 0),
    "clockwise": ("none", 90),
    "90r": ("none", 90),
    "rotate-180": ("none", 180),
    "180": ("none", 180),
    "counterclockwise": ("none", 270),
    "90l": ("none", 270),
    "horizontal-flip": ("horizontal", 0),
    "horiz": ("horizontal", 0),
    "vertical-flip": ("vertical", 0),
    "vert": ("vertical", 0),
    "upper-left-diagonal": ("horizontal", 270),
    "ul-lr": ("horizontal", 270),
    "upper-right-diagonal": ("horizontal", 90),
    "ur-ll": ("horizontal", 90),
    "automatic": ("none", 0),
    "auto": ("none", 0),
    "custom": ("none", 0),
}
"""What each way to turn is of `flip`: mirrored how, then turned clockwise by how much."""


def _flip(values: Values) -> Values:
    asked = values["video-direction"] if values["video-direction"] != "identity" else values["method"]
    mode, rotate = _METHODS[asked]
    return {"mode": mode, "rotate": rotate}


def _edges(help: str, low: int, crops: bool) -> tuple[Property, ...]:
    most = {"make": lambda pixels: max(0, pixels)} if crops else {}
    return tuple(
        integer(name, 0, help, name, unit="pixels", low=low, high=MAX, **most)
        for name in ("left", "right", "top", "bottom")
    )


# Text

_VERTICAL = choices("baseline", "bottom", "top", "position", "center", "absolute")
_HORIZONTAL = choices("left", "center", "right", (4, "position"), (5, "absolute"))
_LINES = {"baseline": "bottom", "bottom": "bottom", "top": "top", "center": "middle"}


def _colour(value: int) -> str:
    return f"#{value & 0xFFFFFF:06x}{value >> 24 & 0xFF:02x}"


def _overlay(what: str) -> Any:
    """The options of `text`; `what` is what the text is followed by."""

    def options(values: Values) -> Values:
        size = values["font-desc"].replace(",", " ").split()
        points = next((float(each) for each in reversed(size) if _is_size(each)), 18.0)
        line = _LINES.get(values["valignment"], "top")
        column = values["halignment"] if values["halignment"] in ("left", "center", "right") else "left"
        across = values["deltax"] + (0 if column == "center" else values["xpad"])
        down = values["deltay"] + (0 if line == "middle" else values["ypad"])
        text = " ".join(filter(None, (values["text"], what)))
        return {
            "content": "" if values["silent"] else text,
            "font_size": max(4, round(points * 4 / 3)),
            "position": f"{line}-{column}",
            "x": across,
            "y": down,
            "box": f"#000000@{values['shading-value'] / 255:.3f}" if values["shaded-background"] else "",
        }

    return options


def _is_size(word: str) -> bool:
    return word.replace(".", "", 1).isdigit()


def _text(name: str, help: str, what: str, vertical: str, horizontal: str, *own: Property) -> ElementKind:
    return ElementKind(
        name,
        help,
        "Filter/Editor/Video",
        "text",
        properties=(
            string("text", "", "what is written"),
            string("font-desc", "", "family and size: Sans, 24; here the family is always the same"),
            enum("valignment", vertical, _VERTICAL, "at which edge"),
            enum("halignment", horizontal, _HORIZONTAL, "at which edge"),
            integer("xpad", 25, "from that edge", unit="pixels", low=0, high=MAX),
            integer("ypad", 25, "from that edge", unit="pixels", low=0, high=MAX),
            integer("deltax", 0, "further right", unit="pixels", low=_LEAST, high=MAX),
            integer("deltay", 0, "further down", unit="pixels", low=_LEAST, high=MAX),
            integer("color", U32, "0xAARRGGBB", "color", low=0, high=U32, make=_colour),
            boolean("shaded-background", False, "a box behind the letters"),
            integer("shading-value", 80, "how dark that is", low=1, high=255),
            boolean("silent", False, "write nothing"),
            integer("outline-color", 4278190080, "0xAARRGGBB", low=0, high=U32, ignored=True),
            boolean("draw-shadow", True, "below the letters", ignored=True),
            boolean("draw-outline", True, "around the letters", ignored=True),
            enum(
                "line-alignment",
                "center",
                choices("left", "center", "right"),
                "of several lines",
                ignored=True,
            ),
            enum(
                "wrap-mode",
                "wordchar",
                choices((-1, "none"), (0, "word"), (1, "char"), (2, "wordchar")),
                "where lines break",
                ignored=True,
            ),
            boolean("auto-resize", True, "letters as large as the picture has it", ignored=True),
            *own,
        ),
        pads=(pad("video_sink", "sink", caps=RAW), pad("src", "src", caps=RAW)),
        derive=_overlay(what),
    )


def _picture(values: Values) -> Values:
    left, top = values["offset-x"], values["offset-y"]
    absolute = values["positioning-mode"] == "pixels-absolute"
    line = "bottom" if top < 0 and not absolute else "top"
    column = "right" if left < 0 and not absolute else "left"
    return {
        "position": f"{line}-{column}",
        "x": left if column == "left" else -left,
        "y": top if line == "top" else -top,
    }


# Compositions


def _composed(values: Values) -> Values:
    return {"checker": values["background"] == "checker", "background": _BACKGROUNDS[values["background"]]}


_BACKGROUNDS = {"checker": "black", "black": "black", "white": "white", "transparent": "transparent"}
_BACK = enum("background", "checker", choices(*_BACKGROUNDS), "below all pictures")
_PLACES = (
    integer("xpos", 0, "left edge", unit="pixels", low=_LEAST, high=MAX),
    integer("ypos", 0, "top edge", unit="pixels", low=_LEAST, high=MAX),
    integer("width", -1, "-1: as it comes", unit="pixels", low=_LEAST, high=MAX),
    integer("height", -1, "-1: as it comes", unit="pixels", low=_LEAST, high=MAX),
    number("alpha", 1.0, "0 is not to be seen", low=0.0, high=1.0),
    integer("zorder", 0, "higher ones lie above; 0: as they were linked", low=0, high=U32),
)
_COMPOSES = {"width": "width", "height": "height", "framerate": "fps", "format": "pixel_format"}
_SIZING = enum(
    "sizing-policy", "none", choices("none", "keep-aspect-ratio"), "fill the place, or keep the shape"
)
_OPERATOR = enum("operator", "over", choices("source", "over", "add"), "how it is laid over", ignored=True)
_REPEAT = boolean("repeat-after-eos", False, "show the last picture until all are over", ignored=True)
_AGGREGATES = (
    integer("latency", 0, "to wait for late inputs", unit="ns", low=0, high=U64, ignored=True),
    boolean("force-live", False, "go on without late inputs", ignored=True),
)


KINDS = (
    converter("videoconvert", "Pictures in the format that is asked for", *_CONVERTS, *_SCALES),
    converter("videoscale", "Pictures in the size that is asked for", *_CONVERTS, *_SCALES),
    converter(
        "videoconvertscale", "Pictures in the format and size that are asked for", *_CONVERTS, *_SCALES
    ),
    converter("autovideoconvert", "Pictures in the format that is asked for"),
    _changes(
        "videorate",
        "A constant frame rate",
        "rate",
        boolean("drop-only", False, "repeat nothing", ignored=True),
        boolean("skip-to-first", False, "begin with the first picture", ignored=True),
        boolean("silent", True, "tell nothing of what is repeated", ignored=True),
        integer("max-rate", MAX, "at most", unit="pictures/s", low=1, high=MAX, ignored=True),
        number("new-pref", 1.0, "of two pictures as near, the later", low=0.0, high=1.0, ignored=True),
        number("rate", 1.0, "how fast it plays", low=0.0, ignored=True),
        integer("average-period", 0, "over which to count", unit="ns", low=0, ignored=True),
        integer("duplicate", 0, "pictures repeated", writable=False, read=lambda filter: filter.repeated),
        integer("drop", 0, "pictures left out", writable=False, read=lambda filter: filter.dropped),
        QOS_OFF,
        options={"fps": 0},
        caps_options={"framerate": "fps"},
    ),
    _changes("videocrop", "Less of a picture", "box", *_edges("to cut off", -1, True), QOS),
    _changes(
        "videobox",
        "Less of a picture, or a border around it",
        "box",
        *_edges("to cut off; below 0: to add", _LEAST, False),
        enum(
            "fill",
            "black",
            choices("black", (1, "green", "lime"), "blue", "red", "yellow", "white"),
            "colour of the border",
            "color",
        ),
        number("alpha", 1.0, "of the picture", low=0.0, high=1.0, ignored=True),
        number("border-alpha", 1.0, "of the border", low=0.0, high=1.0, ignored=True),
        boolean("autocrop", False, "cut as what follows asks", ignored=True),
        QOS,
    ),
    _changes(
        "videoflip",
        "Mirrors and turns pictures",
        "flip",
        enum(
            "method",
            "none",
            choices(
                *("none", "clockwise", "rotate-180", "counterclockwise", "horizontal-flip"),
                *("vertical-flip", "upper-left-diagonal", "upper-right-diagonal", "automatic"),
            ),
            "which way; automatic: as converters do unasked",
        ),
        enum(
            "video-direction",
            "identity",
            choices(*("identity", "90r", "180", "90l", "horiz", "vert", "ul-lr", "ur-ll", "auto", "custom")),
            "which way, by other names",
        ),
        QOS,
        derive=_flip,
    ),
    _changes(
        "videobalance",
        "Brighter, more contrast, other colours",
        "balance",
        number("brightness", 0.0, "lighter above 0", "brightness", low=-1.0, high=1.0),
        number("contrast", 1.0, "0 is all grey", "contrast", low=0.0, high=2.0),
        number("saturation", 1.0, "0 is black and white", "saturation", low=0.0, high=2.0),
        number("hue", 0.0, "turned by half a circle at 1", "hue", low=-1.0, high=1.0),
        QOS,
    ),
    _changes(
        "gamma",
        "Lighter or darker in the middle",
        "balance",
        number("gamma", 1.0, "lighter above 1", "gamma", low=0.01, high=10.0),
        QOS,
    ),
    _text("textoverlay", "Writes text into pictures", "", "baseline", "center"),
    _text("timeoverlay", "Writes the time of the stream into pictures", "{time}", "top", "left"),
    _text(
        "clockoverlay",
        "Writes the time of day into pictures",
        "{clock}",
        "top",
        "left",
        string("time-format", "%H:%M:%S", "of the clock; here always this one", ignored=True),
    ),
    _changes(
        "gdkpixbufoverlay",
        "Lays a picture over others",
        "picture",
        string("location", None, "the file", "image"),
        integer("offset-x", 0, "from the left edge; below 0: the right", unit="pixels", low=_LEAST, high=MAX),
        integer("offset-y", 0, "from the top edge; below 0: the bottom", unit="pixels", low=_LEAST, high=MAX),
        integer("overlay-width", 0, "0: as it is", "width", unit="pixels", low=0, high=MAX),
        integer("overlay-height", 0, "0: as it is", "height", unit="pixels", low=0, high=MAX),
        number("alpha", 1.0, "0 is not to be seen", "opacity", low=0.0, high=1.0),
        enum(
            "positioning-mode",
            "pixels-relative-to-edges",
            choices("pixels-relative-to-edges", "pixels-absolute"),
            "what offsets below 0 mean",
        ),
        number("relative-x", 0.0, "further right, in widths", low=-1.0, high=1.0, ignored=True),
        number("relative-y", 0.0, "further down, in heights", low=-1.0, high=1.0, ignored=True),
        number("coef-x", 0.0, "left by so many of its widths", low=-1.0, high=1.0, ignored=True),
        number("coef-y", 0.0, "up by so many of its heights", low=-1.0, high=1.0, ignored=True),
        QOS,
        derive=_picture,
    ),
    ElementKind(
        "compositor",
        "Several pictures in one",
        "Filter/Editor/Video/Compositor",
        "compositor",
        properties=(
            _BACK,
            integer("max-threads", 0, "to use", low=0, high=MAX, ignored=True),
            *_AGGREGATES,
        ),
        pads=(pad("sink_%u", "sink", "request", RAW), pad("src", "src", caps=RAW)),
        caps_options=_COMPOSES,
        pad_properties=(*_PLACES, _SIZING, _OPERATOR, _REPEAT),
        pad_option="pads",
        derive=_composed,
    ),
    ElementKind(
        "videomixer",
        "Several pictures in one",
        "Filter/Editor/Video/Compositor",
        "compositor",
        properties=(_BACK,),
        pads=(pad("sink_%u", "sink", "request", RAW), pad("src", "src", caps=RAW)),
        caps_options=_COMPOSES,
        pad_properties=tuple(each for each in _PLACES if each.name not in ("width", "height")),
        pad_option="pads",
        derive=_composed,
    ),
    ElementKind(
        "imagefreeze",
        "One picture, again and again",
        "Filter/Video",
        "freeze",
        properties=(
            integer(
                "num-buffers",
                -1,
                "pictures before it ends; -1: without end",
                "frames",
                low=-1,
                high=MAX,
                make=lambda count: count if count >= 0 else None,
            ),
            boolean("is-live", False, "in real time", "live"),
            boolean("allow-replace", False, "take newer pictures", ignored=True),
        ),
        pads=through(RAW),
        caps_options={"framerate": "fps"},
    ),
)
