"""What lies in a slot: arrays, pictures, sound, packets; described once, and again when that changes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import numpy

from reelway.errors import PacketError
from reelway.media.layout import Array, Layout, layout_of
from reelway.media.payload import Frame, view
from reelway.media.values import Size

__all__ = ["Content", "Description", "array_in", "content_of", "planes_in", "properties_from", "to_json"]

Description = dict[str, Any]
"""A format in JSON: `kind` (array, picture, sound, packet), `properties`; of an array dtype and shape."""

PACKED = 2
_TYPES: dict[str, Callable[[Any], Any]] = {
    "/": lambda pair: Fraction(*pair),
    "x": base64.b64decode,
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
    """What `data` is: an array, a raw frame, or bytes. Raises PacketError for anything else.

    `properties` are those of its PID; a raw frame without them is told apart by what it says itself.
    """
    told = dict(properties or {})
    if isinstance(data, numpy.ndarray):
        return _array(data, told)
    if isinstance(data, Frame):
        return _frame(data, told)
    try:
        flat = view(data)
    except TypeError:
        raise PacketError(
            f"a {type(data).__name__} cannot be shared", hint="an array, a raw frame, bytes, or a rw.Packet"
        ) from None
    if told.get("CodecID") == "raw" and told.get("StreamType") in ("Visual", "Audio"):
        kind = "picture" if told["StreamType"] == "Visual" else "sound"
    else:
        kind = "packet"
    return Content({"kind": kind, "properties": to_json(told)}, flat.nbytes, lambda slot: _copy(slot, flat))


def array_in(description: Description, memory: memoryview) -> Array:
    """The content of a slot as one array, not copied; read-only where `memory` is.

    array     as it was written
    picture   packed: (lines, columns, components); planes of one size: (planes, lines, columns); 4:2:0 with
              even sizes: (lines * 3 / 2, columns), as OpenCV has it; else its bytes
    sound     (samples, channels), planar: (channels, samples)
    packet    its bytes

    Raises PacketError where it cannot be that.
    """
    try:
        match description["kind"]:
            case "array":
                made: Array = numpy.ndarray(tuple(description["shape"]), description["dtype"], memory)
                return made
            case "picture" | "sound":
                return _whole(_layout(description, memory), memory)
    except (KeyError, TypeError, ValueError) as error:
        raise PacketError(f"what was shared is not what it says: {error}") from None
    return numpy.frombuffer(memory, numpy.uint8)


def planes_in(description: Description, memory: memoryview) -> list[Array]:
    """The planes of raw media, not copied, as `rw.Packet.planes()` has them; of others the one array."""
    if description["kind"] in ("picture", "sound"):
        return _layout(description, memory).views(memory)
    return [array_in(description, memory)]


def properties_from(description: Description) -> dict[str, Any]:
    """The PID's properties."""
    found = from_json(description.get("properties", {}))
    return found if isinstance(found, dict) else {}


def to_json(value: Any) -> Any:
    """A value of a property as JSON; what has no such form is left out of its dict or list."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Fraction():
            return {"/": [value.numerator, value.denominator]}
        case bytes() | bytearray() | memoryview():
            return {"x": base64.b64encode(value).decode()}
        case Size():
            return {"s": list(value)}
        case tuple():
            return {"t": [to_json(each) for each in value if _said(each)]}
        case list():
            return [to_json(each) for each in value if _said(each)]
        case Mapping():
            return {str(key): to_json(each) for key, each in value.items() if _said(each)}
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


def _said(value: Any) -> bool:
    return value is None or to_json(value) is not None


def _array(data: Array, properties: dict[str, Any]) -> Content:
    if data.dtype.hasobject:
        raise PacketError(f"an array of {data.dtype} cannot be shared", hint="objects live in one process")
    description = {
        "kind": "array",
        "dtype": data.dtype.str if data.dtype.names is None else data.dtype.descr,
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


def _layout(description: Description, memory: memoryview) -> Layout:
    return layout_of(properties_from(description), memory.nbytes)


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
    numpy.copyto(numpy.frombuffer(slot, numpy.uint8), numpy.frombuffer(flat, numpy.uint8))
