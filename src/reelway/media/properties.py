"""Properties of pids and packets: GPAC's names and codes, the Python type of each, and their text.

A pid's properties are a plain `dict[str, object]`. This module says what the well-known names mean;
any other name is allowed too and then holds whatever Python value it was given. Values inside are
canonical: FFmpeg's codec, pixel and sample format names, GPAC's stream types (see `names`).
"""

from __future__ import annotations

import enum
import zlib
from collections.abc import Iterable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any, NamedTuple

from reelway.errors import OptionError, redact
from reelway.media import names
from reelway.media.kinds import fit_value, parse_value
from reelway.media.propertytable import TABLE
from reelway.media.values import Size, format_value

__all__ = ["KNOWN", "PropertyInfo", "PropertyType", "fit", "format", "lookup", "parse", "type_of"]


class PropertyType(enum.Enum):
    """What a property holds; the value is GPAC's short name of the type, where GPAC has one."""

    BOOL = "bool"
    INT = "sint"
    UINT = "uint"
    LONG = "lsint"
    ULONG = "luint"
    FRACTION = "frac"
    FRACTION64 = "lfrac"
    FLOAT = "flt"
    DOUBLE = "dbl"
    SIZE = "v2di"  # a Size
    VEC3I = "v3di"  # a tuple of 3 int
    VEC4I = "v4di"  # a tuple of 4 int
    STRING = "str"
    DATA = "mem"  # bytes
    STRINGS = "strl"
    UINTS = "uintl"
    INTS = "sintl"
    FOURCC = "4cc"  # a str of 4 characters
    FOURCCS = "4ccl"
    PIXEL_FORMAT = "pfmt"
    AUDIO_FORMAT = "afmt"
    COLOR_PRIMARIES = "cprm"
    COLOR_TRANSFER = "ctfc"
    COLOR_MATRIX = "cmxc"
    STREAM_TYPE = "styp"
    CODEC = "cdec"
    OBJECT = "object"  # any Python value of a user-defined property


_KINDS: dict[PropertyType, Any] = {
    PropertyType.BOOL: bool,
    PropertyType.INT: int,
    PropertyType.UINT: int,
    PropertyType.LONG: int,
    PropertyType.ULONG: int,
    PropertyType.FRACTION: Fraction,
    PropertyType.FRACTION64: Fraction,
    PropertyType.FLOAT: float,
    PropertyType.DOUBLE: float,
    PropertyType.SIZE: Size,
    PropertyType.STRINGS: list[str],
    PropertyType.FOURCCS: list[str],
    PropertyType.UINTS: list[int],
    PropertyType.INTS: list[int],
    PropertyType.DATA: bytes,
    PropertyType.OBJECT: object,
}
_NOT_NEGATIVE = frozenset((PropertyType.UINT, PropertyType.ULONG))
_VECTORS = {PropertyType.VEC3I: 3, PropertyType.VEC4I: 4}
_CANONICAL = {
    PropertyType.PIXEL_FORMAT: names.canonical_pixel_format,
    PropertyType.AUDIO_FORMAT: names.canonical_sample_format,
    PropertyType.STREAM_TYPE: names.canonical_stream_type,
    PropertyType.CODEC: names.canonical_codec,
}
_TYPE_OF: tuple[tuple[Any, PropertyType], ...] = (
    (bool, PropertyType.BOOL),
    (int, PropertyType.LONG),
    (float, PropertyType.DOUBLE),
    (Fraction, PropertyType.FRACTION64),
    (Size, PropertyType.SIZE),
    (str, PropertyType.STRING),
    ((bytes, bytearray, memoryview), PropertyType.DATA),
)


class PropertyInfo(NamedTuple):
    """One well-known property. `code` is GPAC's four characters, empty for Reelway's own properties."""

    name: str
    code: str
    type: PropertyType
    help: str
    of_packet: bool = False


def _read_table() -> dict[str, PropertyInfo]:
    found: dict[str, PropertyInfo] = {}
    for line in TABLE.strip().splitlines():
        name, kind, code, description = (field.strip() for field in line.split("|"))
        kind, _, flag = kind.partition(" ")
        code = "" if code == "-" else f"{code:4}"
        found[name] = PropertyInfo(name, code, PropertyType(kind), description, flag == "packet")
    return found


KNOWN: Mapping[str, PropertyInfo] = MappingProxyType(_read_table())
"""The well-known properties by GPAC's name."""

_BY_CODE = {info.code: info for info in KNOWN.values() if info.code}
_BY_SHORT_NAME = {kind.value: kind for kind in PropertyType}
_ALIASES = {"PID": "ID", "Channels": "NumChannels"}


def lookup(name_or_code: str) -> PropertyInfo | None:
    """The well-known property with this name or four character code (case counts), or None.

    `PID` is another name of ID, as in link selectors, and `Channels` of NumChannels.
    """
    name = _ALIASES.get(name_or_code, name_or_code)
    return KNOWN.get(name) or _BY_CODE.get(f"{name:4}")


def type_of(value: object) -> PropertyType:
    """The type that a user-defined property gets from its Python value."""
    for kind, found in _TYPE_OF:
        if isinstance(value, kind):
            return found
    if isinstance(value, (list, tuple)) and value:
        if all(isinstance(item, str) for item in value):
            return PropertyType.STRINGS
        if all(isinstance(item, int) for item in value):
            return PropertyType.INTS
    return PropertyType.OBJECT


def fit(name: str, value: object) -> object:
    """`value` as the property `name` holds it: text parsed, numbers widened, names made canonical.

    A user-defined name takes any value as it is, and None fits every property. Raises OptionError when
    the value does not fit.
    """
    info = lookup(name)
    if info is None or value is None:
        return value
    return _typed(info.name, info.type, value)


def parse(name: str, text: str | None) -> object:
    """The value of property `name` that `text` writes; None is a bare flag and reads as true.

    A user-defined property holds the text, or what `TYPE@text` says, with GPAC's type names: `uint@5`.
    Raises OptionError when the text does not fit.
    """
    info = lookup(name)
    if info is not None:
        return _typed(info.name, info.type, "true" if text is None else text)
    if text is None:
        return True
    short, at, rest = text.partition("@")
    if at and short in _BY_SHORT_NAME:
        return _typed(name, _BY_SHORT_NAME[short], rest)
    return text


def format(name: str, value: object) -> str:
    """The text of a property as `inspect` prints it, in GPAC's manner; secrets in URLs are hidden.

    Data is `12 bytes 0xAABB...`, and its length with a CRC-32 from 40 bytes on; a whole fraction is
    `25`. Except for data and secrets, `parse(name, format(name, value))` gives the value back when the
    property is well known.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        if len(data) < 40:
            return f"{len(data)} bytes 0x{data.hex().upper()}"
        return f"{len(data)} bytes (CRC32 0x{zlib.crc32(data):08X})"
    if isinstance(value, Fraction) and value.denominator == 1:
        return str(value.numerator)
    info = lookup(name)
    if isinstance(value, tuple) and (info is None or info.type in _VECTORS):
        return "x".join(format_value(item) for item in value)
    return redact(format_value(value))


def _typed(name: str, kind: PropertyType, value: object) -> object:
    try:
        return _fit_type(kind, value)
    except OptionError as error:
        raise OptionError(f"property {name}: {error}") from None


def _fit_type(kind: PropertyType, value: object) -> object:
    if kind is PropertyType.DATA and isinstance(value, str):
        if value.startswith("b64@"):
            import base64

            try:
                return base64.b64decode(value[4:], validate=True)
            except ValueError:
                raise OptionError(f"{value!r} is not base64") from None
        return parse_value(bytes, value)
    if length := _VECTORS.get(kind):
        items = value.split("x") if isinstance(value, str) else value
        vector = tuple(fit_value(int, item) for item in items) if isinstance(items, Iterable) else ()
        if len(vector) != length:
            raise OptionError(f"{value!r} is not {length} whole numbers such as {'x'.join('1234'[:length])}")
        return vector
    if kind not in _KINDS:
        if not isinstance(value, str):
            raise OptionError(f"{value!r} is not {'text' if kind is PropertyType.STRING else 'a name'}")
        return _CANONICAL[kind](value) if kind in _CANONICAL else value
    fitted = fit_value(_KINDS[kind], value)
    if kind in _NOT_NEGATIVE and fitted < 0:
        raise OptionError(f"{fitted} is negative")
    return fitted
