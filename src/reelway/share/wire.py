"""Messages between a writer and its readers: how they are written, and a parser that trusts nobody.

A message is a head of 8 bytes (kind, three bytes of nothing, length of the body) and a body: JSON, or for
frames a struct and JSON behind it. Numbers are little-endian. What does not parse raises WireError, and the
other side is then cut off.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

__all__ = [
    "MAX_BODY",
    "MAX_DESCRIPTION",
    "FrameNote",
    "Kind",
    "Parser",
    "WireError",
    "frame",
    "message",
    "release",
]

VERSION = 1
MAX_BODY = 256 << 10
"""No message is longer [bytes]."""
MAX_DESCRIPTION = MAX_BODY - (16 << 10)
"""No format is described at greater length: WELCOME has it, and says who reads, too."""

_HEAD = struct.Struct("<BBHI")
_FRAME = struct.Struct("<IIIQQqqqqH")
_NUMBER = struct.Struct("<Q")
_NONE = -(1 << 63)
"""A time that is not known."""


class WireError(ValueError):
    """The other side sent what is no message."""


class Kind(IntEnum):
    """What a message is. From the reader: HELLO, RELEASE, READY, LEAVE; the others are the writer's."""

    HELLO = 1
    WELCOME = 2
    MEMORY = 3
    FORMAT = 4
    FRAME = 5
    END = 6
    CUT = 7
    RELEASE = 8
    READY = 9
    LEAVE = 10


@dataclass(frozen=True, slots=True)
class FrameNote:
    """Says that a frame lies in a slot."""

    memory: int
    """Number of the memory."""
    slot: int
    format: int
    """Number of the format."""
    size: int
    sequence: int
    dts: int | None = None
    cts: int | None = None
    duration: int | None = None
    capture_time: int | None = None
    flags: int = 0
    metadata: dict[str, Any] = field(default_factory=dict)


def message(kind: Kind, body: dict[str, Any] | None = None) -> bytes:
    """A message whose body is JSON. Raises WireError where it is too long, or no JSON."""
    most = MAX_DESCRIPTION if kind is Kind.FORMAT else MAX_BODY
    return _framed(kind, _json(body) if body is not None else b"", most)


def frame(note: FrameNote) -> bytes:
    """A FRAME message. Raises WireError where it cannot be said."""
    times = (note.dts, note.cts, note.duration, note.capture_time)
    try:
        head = _FRAME.pack(
            note.memory,
            note.slot,
            note.format,
            note.size,
            note.sequence,
            *(_NONE if time is None else time for time in times),
            note.flags,
        )
    except struct.error as error:
        raise WireError(f"times are whole numbers of 64 bits: {error}") from None
    return _framed(Kind.FRAME, head + (_json(note.metadata) if note.metadata else b""))


def release(sequence: int) -> bytes:
    """A RELEASE message: the reader holds this frame no longer."""
    return _framed(Kind.RELEASE, _NUMBER.pack(sequence))


def ready(after: int) -> bytes:
    """A READY message: the reader wants the newest frame behind this one."""
    return _framed(Kind.READY, _NUMBER.pack(after))


class Parser:
    """Takes bytes as they come, gives whole messages: (kind, body), the body as what it says."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    @property
    def wanted(self) -> int:
        """How many bytes to read: of what has begun all that is missing, else as many as the shortest FRAME.

        Who reads no more than that gets one FRAME at a time, and leaves a part of the next one unread: there
        is something to read as long as there is a frame. Raises WireError.
        """
        have = len(self._bytes)
        if not have:
            return _HEAD.size + _FRAME.size
        return _HEAD.size - have if have < _HEAD.size else _HEAD.size + self._length(0) - have

    @property
    def begun(self) -> bool:
        """Part of a message has come."""
        return bool(self._bytes)

    def feed(self, data: bytes) -> Iterator[tuple[Kind, Any]]:
        """The messages that are complete with `data`. Raises WireError."""
        self._bytes += data
        at = 0
        try:
            while len(self._bytes) - at >= _HEAD.size:
                number, length = self._bytes[at], self._length(at)
                if len(self._bytes) - at < _HEAD.size + length:
                    return
                body = bytes(self._bytes[at + _HEAD.size : at + _HEAD.size + length])
                at += _HEAD.size + length
                yield _parsed(number, body)
        finally:
            del self._bytes[:at]

    def _length(self, at: int) -> int:
        _, nothing, more, length = _HEAD.unpack_from(self._bytes, at)
        if length > MAX_BODY or nothing or more:
            raise WireError(f"no head of a message: length {length}")
        return int(length)


def _parsed(number: int, body: bytes) -> tuple[Kind, Any]:
    try:
        kind = Kind(number)
    except ValueError:
        raise WireError(f"no kind of message: {number}") from None
    match kind:
        case Kind.RELEASE | Kind.READY:
            if len(body) != _NUMBER.size:
                raise WireError(f"{kind.name} of {len(body)} bytes")
            return kind, _NUMBER.unpack(body)[0]
        case Kind.FRAME:
            return kind, _frame(body)
        case Kind.END | Kind.LEAVE:
            return kind, None
        case _:
            return kind, _object(body)


def _frame(body: bytes) -> FrameNote:
    if len(body) < _FRAME.size:
        raise WireError(f"FRAME of {len(body)} bytes")
    memory, slot, format, size, sequence, *times, flags = _FRAME.unpack_from(body)
    dts, cts, duration, capture_time = (None if time == _NONE else time for time in times)
    rest = body[_FRAME.size :]
    said = _object(rest) if rest else {}
    return FrameNote(memory, slot, format, size, sequence, dts, cts, duration, capture_time, flags, said)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WireError(f"no JSON: {error}") from None
    if not isinstance(value, dict):
        raise WireError("JSON that is no object")
    return value


def _json(body: dict[str, Any]) -> bytes:
    try:
        return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise WireError(f"this cannot be said in JSON: {error}") from None


def _framed(kind: Kind, body: bytes, most: int = MAX_BODY) -> bytes:
    if len(body) > most:
        raise WireError(f"{len(body)} bytes are too many for one message, {most} is the most")
    return _HEAD.pack(kind, 0, 0, len(body)) + body
