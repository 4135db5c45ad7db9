"""Test pictures and test sound, and what is empty."""

from __future__ import annotations

from reelway.elements.declare import (
    MAX,
    U32,
    base_src,
    boolean,
    choices,
    enum,
    integer,
    number,
    pad,
)
from reelway.elements.kinds import ElementKind

__all__ = ["KINDS", "PATTERNS"]

PATTERNS = choices(
    (0, "smpte", "smpte-full"),
    "snow",
    "black",
    "white",
    "red",
    "green",
    "blue",
    (7, "checkers-1", "checkers1"),
    (8, "checkers-2", "checkers2"),
    (9, "checkers-4", "checkers4"),
    (10, "checkers-8", "checkers8"),
    "circular",
    "blink",
    "smpte75",
    (14, "zone-plate", "circular"),
    (15, "gamut", "checkers"),
    (16, "chroma-zone-plate", "circular"),
    (17, "solid-color", "solid"),
    "ball",
    "smpte100",
    "bar",
    "pinwheel",
    "spokes",
    (23, "gradient", "ramp"),
    "colors",
    (25, "smpte-rp-219", "smpte"),
)
"""GStreamer's patterns, and which of Reelway's each is, or is nearest to it."""

_WAVES = choices(
    "sine",
    "square",
    "saw",
    "triangle",
    "silence",
    (5, "white-noise", "noise"),
    (6, "pink-noise", "noise"),
    (7, "sine-table", "sine"),
    "ticks",
    (9, "gaussian-noise", "noise"),
    (10, "red-noise", "noise"),
    (11, "blue-noise", "noise"),
    (12, "violet-noise", "noise"),
)


def argb(value: int) -> str:
    """0xAARRGGBB as a colour of Reelway's, #rrggbbaa."""
    return f"#{value & 0xFFFFFF:06x}{value >> 24 & 0xFF:02x}"


def _seconds(ns: int) -> float:
    return ns / 1e9


_VIDEO = ElementKind(
    "videotestsrc",
    "Test pictures",
    "Source/Video",
    "testvideo",
    properties=(
        enum("pattern", "smpte", PATTERNS, "what is shown", "pattern"),
        integer("foreground-color", U32, "of solid-color, 0xAARRGGBB", "color", low=0, high=U32, make=argb),
        integer("background-color", 4278190080, "0xAARRGGBB", low=0, high=U32, ignored=True),
        boolean("is-live", False, "send in real time", "live"),
        integer("timestamp-offset", 0, "added to all times", "offset", unit="ns", low=0, make=_seconds),
        boolean("flip", False, "turn the colours of the ball every second", ignored=True),
        integer("horizontal-speed", 0, "scroll so fast", low=-(2**31), high=MAX, ignored=True),
        enum(
            "motion",
            "wavy",
            choices("wavy", "sweep", "hsweep"),
            "how the ball moves; here always to and fro",
            ignored=True,
        ),
        boolean("counter", False, "burn number and time in; Reelway's own", "counter"),
        *base_src(count="frames"),
    ),
    pads=(pad("src", "src", caps="video/x-raw"),),
    options={"size": "320x240", "fps": "30/1", "counter": False},
    caps_options={"width": "width", "height": "height", "framerate": "fps", "format": "pixel_format"},
)


_AUDIO = ElementKind(
    "audiotestsrc",
    "Test sound",
    "Source/Audio",
    "testaudio",
    properties=(
        enum("wave", "sine", _WAVES, "what is heard", "wave"),
        number("freq", 440.0, "of the wave", "frequency", unit="Hz", low=0.0),
        number("volume", 0.8, "greatest sample, 1 is full", "volume", low=0.0, high=1.0),
        integer("samplesperbuffer", 1024, "in each packet", "samples", low=1, high=MAX),
        boolean("is-live", False, "send in real time", "live"),
        integer("timestamp-offset", 0, "added to all times", "offset", unit="ns", make=_seconds),
        integer("tick-interval", 1_000_000_000, "from tick to tick", unit="ns", low=1, ignored=True),
        *base_src(U32, count="packets"),
    ),
    pads=(pad("src", "src", caps="audio/x-raw"),),
    options={"sample_rate": 44100, "channels": 1, "sample_format": "s16"},
    caps_options={"rate": "sample_rate", "channels": "channels", "format": "sample_format"},
)


KINDS = (_VIDEO, _AUDIO)
