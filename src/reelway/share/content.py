"""What lies in a slot: arrays, pictures, sound, packets; described once, and again when that changes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import isfinite
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy

from reelway.errors import PacketError, UnsupportedError
from reelway.media.layout import Array, Layout, layout_of
from reelway.media.payload import Frame, view
from reelway.media.values import Size

__all__ = [
    "Content",
    "Description",
    "Format",
    "content_of",
    "from_json",
    "metadata_from",
    "metadata_to",
    "properties_from",
    "sayable",
    "to_json",
]

Description = dict[str, Any]
"""A format in JSON: `kind` (array, picture, sound, packet), `properties`; of an array dtype and shape."""

KINDS = ("array", "picture", "sound", "packet")
PACKED = 2
MOST_CHANNELS = 4096
_WRONG = (
    ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError, UnsupportedError,
    SyntaxError, MemoryError,
)  # fmt: skip
"""What a description that means nothing may lead to."""
_TYPES: dict[str, Callable[[Any], Any]] = {
    "/": lambda pair: Fraction(*pair),
    "x": lambda text: base64.b64decode(text, validate=True),
    "f": float,
    "d": lambda pairs: {str(key): from_json(each) for key, each in pairs},
    "t": lambda items: tuple(map(from_json, items)),
    "s": lambda pair: Size(*pair),
}
"""How JSON says what it has no type for: {"/": [30, 1]} is a fraction."""


class Content(NamedTuple):
    """Something to be shared."""

    description: Description
    size: int
    fill: Callable[[memoryview], None]
    """Copies it into a slot of that size."""


def content_of(data: Any, properties: Mapping[str, Any] | None = None) -> Content:
    """What `data` is: an array, what numpy takes for one, a raw frame, or bytes. Raises PacketError.

    `properties` are those of its PID; a raw frame without them is told apart by what it says itself.
    """
    told = dict(properties or {})
    try:
        return _content_of(data, told)
    except RecursionError:
        raise PacketError(
            "the properties cannot be said: they are nested too deep, or in themselves"
        ) from None


def _content_of(data: Any, told: dict[str, Any]) -> Content:
    if isinstance(data, numpy.ndarray):
        return _array(data, told)
    if isinstance(data, Frame):
        return _frame(data, told)
    if not isinstance(data, bytes) and (hasattr(data, "__array__") or hasattr(data, "__array_interface__")):
        try:  # an image of Pillow, a tensor in this machine's memory, a number of numpy
            return _array(numpy.asarray(data), told)
        except (TypeError, RuntimeError) as error:
            raise PacketError(f"a {type(data).__name__} cannot be shared: {error}") from None
    try:
        flat = view(data)
    except TypeError:
        raise PacketError(
            f"a {type(data).__name__} cannot be shared", hint="an array, a raw frame, bytes, or a rw.Packet"
        ) from None
    if told.get("CodecID") == "raw" and told.get("StreamType") in ("Visual", "Audio"):
        kind = _raw(told, flat.nbytes)
    else:
        kind = "packet"
    return Content({"kind": kind, "properties": to_json(told)}, flat.nbytes, lambda slot: _copy(slot, flat))


class Format:
    """A description, read once: what the bytes of a slot are, and the properties of their PID.

    Raises PacketError where it describes nothing: it came from another process, and nobody is trusted.
    """

    __slots__ = ("_dtype", "_shape", "kind", "properties")

    def __init__(self, description: Description) -> None:
        try:
            self.kind: str = description["kind"]
            if self.kind not in KINDS:
                raise ValueError(f"no kind {self.kind!r}")
            properties = from_json(description.get("properties") or {})
            if not isinstance(properties, dict):
                raise TypeError("properties are no object")
            timescale = properties.get("Timescale")
            if timescale is not None and (type(timescale) is not int or timescale < 1):
                raise ValueError(f"Timescale {timescale!r}")
            self.properties: Mapping[str, Any] = MappingProxyType(properties)
            self._dtype, self._shape = numpy.dtype(numpy.uint8), (-1,)
            if self.kind == "array":
                self._dtype = _dtype_from(description["dtype"])
                self._shape = tuple(description["shape"])
                if not all(type(length) is int and length >= 0 for length in self._shape):
                    raise ValueError(f"no shape {self._shape}")
            elif self.kind == "sound" and not 0 < properties["NumChannels"] <= MOST_CHANNELS:
                raise ValueError(f"{properties['NumChannels']} channels")
        except _WRONG as error:
            raise PacketError(f"what was shared is not described: {error!r}") from None

    def array(self, memory: memoryview) -> Array:
        """The content of a slot as one array, not copied; read-only where `memory` is.

        array     as it was written
        picture   packed: (lines, columns, components); planes of one size: (planes, lines, columns); 4:2:0
                  with even sizes: (lines * 3 / 2, columns), as OpenCV has it; else its bytes
        sound     (samples, channels), planar: (channels, samples)
        packet    its bytes

        Raises PacketError where it cannot be that.
        """
        try:
            if self.kind == "array":
                made: Array = numpy.ndarray(self._shape, self._dtype, memory)
                return made
            if self.kind != "packet":
                return _whole(self._layout(memory), memory)
        except _WRONG as error:
            raise PacketError(f"what was shared is not what it says: {error}") from None
        return numpy.frombuffer(memory, numpy.uint8)

    def planes(self, memory: memoryview) -> list[Array]:
        """The planes of raw media, not copied, as `rw.Packet.planes()` has them; of others the one array."""
        if self.kind in ("array", "packet"):
            return [self.array(memory)]
        try:
            return self._layout(memory).views(memory)
        except _WRONG as error:
            raise PacketError(f"what was shared is not what it says: {error}") from None

    def _layout(self, memory: memoryview) -> Layout:
        layout = layout_of(self.properties, memory.nbytes)
        if layout.size > memory.nbytes or layout.size < 0:  # numpy does not look, of memory without a byte
            raise ValueError(f"{memory.nbytes} bytes are too few: {layout.size}")
        return layout


def properties_from(description: Description) -> dict[str, Any]:
    """The PID's properties. Raises PacketError."""
    return dict(Format(description).properties)


def to_json(value: Any, *, whole: bool = False) -> Any:
    """A value of a property as JSON; what has no such form is left out of its dict or list.

    `whole` raises TypeError for that, and for keys that are no names.
    """
    match value:
        case float() if not isfinite(value):
            return {"f": str(float(value))}
        case None | bool() | int() | float() | str():
            return value
        case numpy.generic() if not isinstance(value.item(), numpy.generic):
            return to_json(value.item(), whole=whole)
        case Fraction():
            return {"/": [value.numerator, value.denominator]}
        case bytes() | bytearray() | memoryview():
            return {"x": base64.b64encode(value).decode()}
        case Size():
            return {"s": list(value)}
        case tuple():
            return {"t": to_json(list(value), whole=whole)}
        case list():
            pairs = ((each, to_json(each, whole=whole)) for each in value)
            return [said for each, said in pairs if said is not None or each is None]
        case Mapping():
            if whole and not all(isinstance(key, str) for key in value):
                raise TypeError("keys that are no names")
            items = ((str(key), each, to_json(each, whole=whole)) for key, each in value.items())
            named = {key: said for key, each, said in items if said is not None or each is None}
            if len(named) == 1 and next(iter(named)) in _TYPES:  # it would be taken for one of these
                return {"d": [list(pair) for pair in named.items()]}
            return named
    if whole:
        raise TypeError(f"a {type(value).__name__} has no form in JSON")
    return None


def from_json(value: Any) -> Any:
    """The value that `to_json` wrote. Raises ValueError and its like for what nobody wrote so."""
    match value:
        case list():
            return [from_json(each) for each in value]
        case dict():
            if len(value) == 1 and (key := next(iter(value))) in _TYPES:
                return _TYPES[key](value[key])
            return {key: from_json(each) for key, each in value.items()}
    return value


def metadata_to(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What a user says of a frame, as JSON. Raises PacketError for what would be lost on the way."""
    said: dict[str, Any] = {}
    for name, value in metadata.items():
        try:
            if not isinstance(name, str):
                raise TypeError("no name")
            said[name] = to_json(value, whole=True)
        except (TypeError, RecursionError):
            raise PacketError(
                f"metadata {name!r} cannot be said: {type(value).__name__}",
                hint="numbers, text, bytes, fractions; lists, tuples, and dicts with names as keys",
            ) from None
    return said


def sayable(name: Any, value: Any) -> bool:
    """`metadata_to` takes it."""
    try:
        metadata_to({name: value})
    except PacketError:
        return False
    return True


def metadata_from(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What `metadata_to` wrote. Raises PacketError."""
    try:
        return {name: from_json(value) for name, value in metadata.items()}
    except _WRONG as error:
        raise PacketError(f"the metadata is not what it says: {error!r}") from None


def _structure(dtype: numpy.dtype[Any]) -> Any:
    """A list of [name, type] or [name, type, shape], in JSON."""
    try:
        return _lists(numpy.lib.format.dtype_to_descr(dtype))
    except ValueError as error:
        raise PacketError(f"an array of {dtype} cannot be shared: {error}") from None


def _lists(said: Any) -> Any:
    """As JSON will have it, so that one description equals the next."""
    return [_lists(each) for each in said] if isinstance(said, (list, tuple)) else said


def _dtype_from(said: Any) -> numpy.dtype[Any]:
    dtype: numpy.dtype[Any] = numpy.lib.format.descr_to_dtype(_fields(said))
    if dtype.hasobject or dtype.kind == "O":  # addresses out of another process
        raise ValueError(f"no type {dtype}")
    return dtype


def _fields(said: Any) -> Any:
    """JSON has no tuples, and numpy wants them."""
    if isinstance(said, str):
        return said
    fields: list[tuple[Any, ...]] = []
    for name, form, *shape in said:
        named = tuple(name) if isinstance(name, list) else name
        fields.append((named, _fields(form), *(tuple(each) for each in shape)))
    return fields


def _raw(properties: dict[str, Any], size: int) -> str:
    """What raw media in one piece is; a packet where its format has no layout. Raises PacketError."""
    try:
        layout = layout_of(properties, size)
    except UnsupportedError:
        return "packet"
    if layout.size > size:
        raise PacketError(f"{size} bytes are too few for {layout.format}: it has {layout.size}")
    return "picture" if properties["StreamType"] == "Visual" else "sound"


def _array(data: Array, properties: dict[str, Any]) -> Content:
    if data.dtype.hasobject:
        raise PacketError(f"an array of {data.dtype} cannot be shared", hint="objects live in one process")
    if isinstance(data, numpy.ma.MaskedArray):
        raise PacketError(
            "an array with a mask cannot be shared", hint="filled() of it, and its mask for itself"
        )
    description = {
        "kind": "array",
        "dtype": data.dtype.str if data.dtype.names is None else _structure(data.dtype),
        "shape": list(data.shape),
        "properties": to_json(properties),
    }

    def fill(slot: memoryview) -> None:
        if data.size:
            numpy.copyto(numpy.ndarray(data.shape, data.dtype, slot), data)

    return Content(description, data.nbytes, fill)


def _frame(data: Frame, properties: dict[str, Any]) -> Content:
    planes = data.planes()
    kind = properties.get("StreamType")
    if kind not in ("Visual", "Audio"):
        raise PacketError("a raw frame is shared with the properties of its PID", hint="pass properties=")
    told = {name: value for name, value in properties.items() if name not in ("Stride", "StrideUV")}
    if kind == "Visual":
        told |= {"PixelFormat": data.format, "Height": planes[0].shape[0], "Width": planes[0].shape[1]}
        size = layout_of(told, 0).size
    else:
        told["AudioFormat"] = data.format
        size = sum(plane.nbytes for plane in planes)
    layout = layout_of(told, size)

    def fill(slot: memoryview) -> None:
        for into, plane in zip(layout.views(slot), planes, strict=True):
            numpy.copyto(into, plane)

    description = {"kind": "picture" if kind == "Visual" else "sound", "properties": to_json(told)}
    return Content(description, layout.size, fill)


def _whole(layout: Layout, memory: memoryview) -> Array:
    planes = layout.views(memory)
    first = planes[0]
    if len(planes) == 1:
        return first
    if all(plane.shape == first.shape and plane.flags.c_contiguous for plane in planes):
        return numpy.ndarray((len(planes), *first.shape), layout.dtype, memory)
    lines, columns = first.shape[:2]
    half = lines * columns // 2
    even = first.ndim == PACKED and not lines % 2 and not columns % 2
    if even and sum(plane.size for plane in planes[1:]) == half:
        return numpy.ndarray((lines + lines // 2, columns), layout.dtype, memory)
    return numpy.frombuffer(memory, numpy.uint8)


def _copy(slot: memoryview, flat: memoryview) -> None:
    numpy.copyto(numpy.frombuffer(slot, numpy.uint8), numpy.asarray(flat))  # which may have gaps
