"""Property values on their way between a script and Reelway, with libgpac's types."""

from __future__ import annotations

import fractions
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import reelway as rw
from reelway.compat.libgpac import constants as gf
from reelway.compat.libgpac.values import Fraction, Fraction64, PropData, PropVec2i, PropVec3i, PropVec4i
from reelway.media import names
from reelway.media.kinds import fit_value
from reelway.media.properties import PropertyType, fit, lookup
from reelway.media.values import Size

__all__ = ["from_reelway", "held", "key_of", "shown", "to_reelway"]

_SHORT_PIXEL_FORMATS = {
    "yuv420": "yuv",
    "yvu420": "yvu",
    "yuv420_10": "yuvl",
    "yuv422": "yuv2",
    "yuv422_10": "yp2l",
    "yuv444": "yuv4",
    "yuv444_10": "yp4l",
    "yuv444a": "yp4a",
}
"""libgpac's long names of pixel formats, and the short ones that its Python gives."""


def _pixel_format(value: str) -> str:
    long = names.gpac_pixel_format(value)
    return _SHORT_PIXEL_FORMATS.get(long, long)


_NAMED: Mapping[PropertyType, Callable[[str], str]] = {
    PropertyType.CODEC: names.gpac_codec,
    PropertyType.PIXEL_FORMAT: _pixel_format,
    PropertyType.AUDIO_FORMAT: names.gpac_sample_format,
}
_PLAIN = (bool, int, float, str)


def from_reelway(name: str, value: Any) -> Any:
    """A property's value as libgpac's Python gives it; None for what it has no type for."""
    info = lookup(name)
    kind = info.type if info else PropertyType.OBJECT
    match value:
        case str():
            return _NAMED[kind](value) if kind in _NAMED else value
        case fractions.Fraction():
            wide = kind is PropertyType.FRACTION64
            return (Fraction64 if wide else Fraction)(value.numerator, value.denominator)
        case bytes() | bytearray() | memoryview():
            return PropData(bytes(value))
        case Size():
            return PropVec2i(value.width, value.height)
        case (_, _, _) if kind is PropertyType.VEC3I:
            return PropVec3i(*value)
        case (_, _, _, _) if kind is PropertyType.VEC4I:
            return PropVec4i(*value)
        case list() | tuple() | set() | frozenset():
            return [from_reelway("", item) for item in value]
    return value if isinstance(value, _PLAIN) else None


def shown(properties: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """(name, value) of what libgpac would enumerate: Reelway's own objects are left out."""
    for name, value in properties.items():
        info = lookup(name)
        if (given := from_reelway(name, value)) is not None:
            yield (info.name if info else name), given


def key_of(properties: Mapping[str, Any], name: str) -> str:
    """The key under which `properties` holds the property that a script calls `name`."""
    if name in properties or (info := lookup(name)) is None:
        return name
    return next((key for key in properties if lookup(key) is info), info.name)


def held(properties: Mapping[str, Any] | None, name: str) -> Any:
    """The value of a property as libgpac's Python gives it; None where it is not known."""
    properties = properties or {}
    return from_reelway(name, properties.get(key_of(properties, name)))


_CUSTOM: Mapping[int, Any] = {
    gf.GF_PROP_SINT: int,
    gf.GF_PROP_UINT: int,
    gf.GF_PROP_LSINT: int,
    gf.GF_PROP_LUINT: int,
    gf.GF_PROP_BOOL: bool,
    gf.GF_PROP_FRACTION: fractions.Fraction,
    gf.GF_PROP_FRACTION64: fractions.Fraction,
    gf.GF_PROP_FLOAT: float,
    gf.GF_PROP_DOUBLE: float,
    gf.GF_PROP_VEC2I: Size,
    gf.GF_PROP_DATA: bytes,
    gf.GF_PROP_DATA_NO_COPY: bytes,
    gf.GF_PROP_CONST_DATA: bytes,
    gf.GF_PROP_STRING_LIST: list[str],
    gf.GF_PROP_UINT_LIST: list[int],
    gf.GF_PROP_SINT_LIST: list[int],
    gf.GF_PROP_VEC2I_LIST: list[Size],
    gf.GF_PROP_4CC_LIST: list[str],
}
"""The types that a script may give a property of its own; any other is text."""


def to_reelway(name: str, value: Any, custom_type: int = 0) -> Any:
    """What a script sets as a property, as Reelway holds it; None stays None, which removes it.

    A name that libgpac does not know holds text, or what `custom_type` says. Raises OptionError where the
    value does not fit.
    """
    if value is None:
        return None
    info = lookup(name)
    try:
        plain = _plain(value)
        if info is None:
            kind = _CUSTOM.get(custom_type, str)
            return str(plain) if kind is str else fit_value(kind, plain)
        match info.type:
            case PropertyType.STRING:
                plain = str(plain)
            case PropertyType.CODEC if isinstance(plain, str):
                plain = plain.lower()
            case PropertyType.INT | PropertyType.UINT | PropertyType.LONG | PropertyType.ULONG:
                plain = int(plain) if isinstance(plain, bool) else plain
        return fit(name, plain)
    except ZeroDivisionError:
        raise rw.OptionError(f"property {name}: {value} is no number") from None
    except rw.OptionError as error:
        if info is None:
            raise rw.OptionError(f"property {name}: {error}") from None
        raise


def _plain(value: Any) -> Any:
    """libgpac's value types as Python's."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if hasattr(value, "num") and hasattr(value, "den"):
        return fractions.Fraction(value.num, value.den)
    if isinstance(value, PropData):
        return bytes(value)
    if hasattr(value, "x") and hasattr(value, "y"):
        return tuple(getattr(value, field) for field in "xyzw" if hasattr(value, field))
    return value
