"""Values and how people write them: sizes, times, fractions, numbers with units.

Options and properties share these rules, so `1280x720`, `30000/1001`, `T00:01:02.5` and `2m` mean the
same everywhere. This module knows single values; `kinds` builds lists, choices and unions of them.
"""

from __future__ import annotations

import enum
import math
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

__all__ = ["NAMED_SIZES", "SCALARS", "Seconds", "Size", "format_value"]

# The numbers and hd, 2k, 4k, 8k are GPAC's and mean what they mean there ("hd" is 1080 lines); the other
# names are the usual ones. Case does not count.
NAMED_SIZES = {
    "qcif": (176, 144),
    "qvga": (320, 240),
    "cif": (352, 288),
    "360": (640, 360),
    "480": (640, 480),
    "vga": (640, 480),
    "ntsc": (720, 480),
    "576": (720, 576),
    "pal": (720, 576),
    "sd": (720, 576),
    "svga": (800, 600),
    "xga": (1024, 768),
    "720": (1280, 720),
    "1080": (1920, 1080),
    "hd": (1920, 1080),
    "fhd": (1920, 1080),
    "2k": (2048, 1080),
    "2160": (3840, 2160),
    "4k": (3840, 2160),
    "uhd": (3840, 2160),
    "4320": (7680, 4320),
    "8k": (7680, 4320),
}

_TRUE = frozenset(("", "1", "true", "yes", "on"))
_FALSE = frozenset(("0", "false", "no", "off"))
_UNITS = {"": 1, "k": 1000, "m": 1_000_000, "g": 1_000_000_000}
_TIME_UNITS = {
    "ns": Fraction(1, 10**9),
    "us": Fraction(1, 10**6),
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "sec": Fraction(1),
    "min": Fraction(60),
    "h": Fraction(3600),
}
# compiled when first used, and kept by `re`
_NUMBER = r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)([kKmMgG]?)"
_TIME = r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(ns|us|ms|s|sec|min|h)"
_CLOCK = r"([+-]?)T?(?:(\d+):)?(\d+):(\d+(?:\.\d*)?)"
_FRACTION = r"([+-]?\d+)[/\-](\d+)"


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels. Unpacks as `width, height`."""

    width: int
    height: int

    def __iter__(self) -> Iterator[int]:
        return iter((self.width, self.height))

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


class Seconds(float):
    """A time or duration in seconds: a float that can also be written `T01:02:03.5` or `1500ms`."""

    __slots__ = ()


def _clock(match: re.Match[str]) -> Fraction:
    """The seconds of a time written `T01:02:03.5`."""
    sign, hours, minutes, seconds = match.groups()
    total = (int(hours or 0) * 60 + int(minutes)) * 60 + Fraction(seconds)
    return -total if sign == "-" else total


def _number(text: str, unit: str) -> Fraction:
    """The exact value of a number with a k, m or g suffix, or of a time when `unit` is a time unit."""
    if text[:2].lower() == "0x":
        return Fraction(int(text, 16))
    if match := re.fullmatch(_NUMBER, text):
        return Fraction(match[1]) * _UNITS[match[2].lower()]
    if unit in _TIME_UNITS:
        if match := re.fullmatch(_TIME, text):
            return Fraction(match[1]) * _TIME_UNITS[match[2]] / _TIME_UNITS[unit]
        if match := re.fullmatch(_CLOCK, text):
            return _clock(match) / _TIME_UNITS[unit]
    raise ValueError


def _parse_bool(text: str, _unit: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError


def _parse_int(text: str, unit: str) -> int:
    if text in ("+I", "-I"):
        return sys.maxsize if text == "+I" else -sys.maxsize
    value = _number(text, unit)
    if value.denominator != 1:
        raise ValueError
    return int(value)


def _parse_float(text: str, unit: str) -> float:
    if text in ("+I", "-I"):
        return math.inf if text == "+I" else -math.inf
    if text.lower() in ("inf", "-inf", "nan"):
        return float(text)
    if re.fullmatch(_FRACTION, text) and "/" in text:
        return float(_parse_fraction(text, unit))
    try:
        return float(_number(text, unit))
    except OverflowError:
        raise ValueError("too large") from None


def _parse_fraction(text: str, unit: str) -> Fraction:
    if match := re.fullmatch(_FRACTION, text):
        if int(match[2]) == 0:
            raise ValueError
        return Fraction(int(match[1]), int(match[2]))
    if match := re.fullmatch(_CLOCK, text):
        return _clock(match)
    return _number(text, unit)


def _parse_size(text: str, _unit: str) -> Size:
    if named := NAMED_SIZES.get(text.lower()):
        return Size(*named)
    if match := re.fullmatch(r"(\d+)[xX*](\d+)", text):
        return Size(int(match[1]), int(match[2]))
    raise ValueError


def _parse_seconds(text: str, _unit: str) -> Seconds:
    if match := re.fullmatch(_CLOCK, text):
        return Seconds(float(_clock(match)))
    if match := re.fullmatch(_TIME, text):
        return Seconds(float(Fraction(match[1]) * _TIME_UNITS[match[2]]))
    return Seconds(_parse_float(text, "s"))


def _parse_bytes(text: str, _unit: str) -> bytes:
    return bytes.fromhex(text[2:]) if text[:2].lower() == "0x" else text.encode()


# kind -> (what an error calls it, how a text becomes one; the text reader raises ValueError)
SCALARS: dict[Any, tuple[str, Callable[[str, str], Any]]] = {
    bool: ("true or false", _parse_bool),
    int: ("a whole number", _parse_int),
    float: ("a number", _parse_float),
    Fraction: ("a fraction such as 30000/1001", _parse_fraction),
    Size: ("a size such as 1280x720 or 'hd'", _parse_size),
    Seconds: ("a time such as 3.5, 1500ms or T00:01:02.5", _parse_seconds),
    str: ("text", lambda text, _unit: text),
    bytes: ("bytes, as text or 0x and hex digits", _parse_bytes),
    Path: ("a path", lambda text, _unit: Path(text)),
    Any: ("anything", lambda text, _unit: text),
    object: ("anything", lambda text, _unit: text),
}


def format_value(value: object) -> str:
    """The text that parses back to `value`: `true`, `30000/1001`, `1280x720`, `a,b`, `0x00ff`.

    A whole Fraction is written `25/1`, as GPAC does; None is the empty text; an Enum is its name.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, float):
        return {math.inf: "+I", -math.inf: "-I"}.get(value) or repr(float(value))
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "0x" + bytes(value).hex()
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return ",".join(format_value(item) for item in items)
    return str(value)
