"""What `inspect` writes: PIDs and packets as text in GPAC's form, by a format of one's own, or as JSON."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Protocol

from reelway.errors import PacketError, redact
from reelway.graph.link import Link
from reelway.media import properties as media_properties
from reelway.media.packet import Packet

__all__ = ["DIGESTS", "Custom", "Json", "Passed", "Report", "Text"]

_TOKEN = r"([$@%])([\w.]+)\1"
_LINE_ENDS = {"lf": "\n", "n": "\n", "t": "\t"}
_UNTOLD = {"bo": "N/A", **dict.fromkeys(("ilace", "roll", "crypt", "vers", "lp", "depo", "depf", "red"), "0")}
"""GPAC's tokens for what packets here do not say."""


def _crc(data: memoryview) -> str:
    return f"0x{zlib.crc32(data):08X}"


def _sha1(data: memoryview) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


DIGESTS: dict[str, Callable[[memoryview], str]] = {"crc": _crc, "sha1": _sha1}


class Passed:
    """What has passed on one input."""

    __slots__ = ("bytes", "configured", "cts", "dts", "number", "packets", "pid")

    def __init__(self, number: int, pid: Link) -> None:
        self.number = number
        self.pid = pid
        self.packets = self.bytes = self.configured = 0
        self.dts: int | None = None
        self.cts: int | None = None

    def count(self, packet: Packet) -> None:
        self.packets += 1
        self.bytes += packet.size


class Report(Protocol):
    """One form of writing. Each method gives whole lines, or nothing."""

    def head(self) -> str: ...
    def stream(self, passed: Passed) -> str:
        """The properties of an input are new."""

    def news(self, passed: Passed, what: str) -> str:
        """An input restarted or was removed."""

    def packet(self, passed: Passed, packet: Packet) -> str: ...


class Text:
    """GPAC's form."""

    def __init__(self, *, full: bool, properties: bool, digest: str, data: bool) -> None:
        self._full = full
        self._properties = properties
        self._digest = DIGESTS.get(digest)
        self._digest_name = "CRC32" if digest == "crc" else digest.upper()
        self._data = data

    def head(self) -> str:
        return ""

    def stream(self, passed: Passed) -> str:
        known = printable(passed.pid.properties)
        if not self._full:
            words = [f"{name} {_format(name, value)}" for name, value in known.items() if not _is_long(value)]
            return f"PID {passed.number} name {passed.pid.name} {' '.join(words)}\n"
        what = "reconfigure" if passed.configured > 1 else "configure"
        return f"PID {passed.number} name {passed.pid.name} {what} - properties:\n" + _listed(known)

    def news(self, passed: Passed, what: str) -> str:
        return f"PID {passed.number} name {passed.pid.name} {what}\n"

    def packet(self, passed: Passed, packet: Packet) -> str:
        data = _bytes_of(packet)
        words = [
            f"PID {passed.number} PCK {passed.packets} - {'full frame' if data is not None else 'interface'}",
            f"dts {_or_none(packet.dts)} cts {_or_none(packet.cts)} dur {_or_none(packet.duration)}",
            f"sap {packet.sap} corr {int(packet.corrupted)} seek {int(packet.seek)}",
        ]
        if packet.discontinuity:
            words.append("discontinuity 1")
        words.append(f"size {packet.size}")
        if self._digest is not None:
            words.append(f"{self._digest_name} {'N/A' if data is None else self._digest(data)}")
        if self._data and data is not None:
            words.append(f"data {data.hex()}")
        line = " ".join(words) + "\n"
        known = printable(packet.properties or {}) if self._properties else {}
        return line + _listed(known)


class Custom:
    """By a format with tokens: `PID $pid.ID$ packet $pn$ DTS $dts$ CTS $cts$ $lf$`.

    Without a token for a line end each packet has its own line.
    """

    def __init__(self, form: str, *, head: bool, filter_name: str) -> None:
        self._parts = re.split(_TOKEN, form)  # text, separator, token, text ...
        self._head = head
        self._filter_name = filter_name
        tokens = self._parts[2::3]
        self._end = "" if "\n" in form or set(tokens) & {"lf", "n"} else "\n"

    def head(self) -> str:
        return (
            self._join(lambda token: _LINE_ENDS.get(token, token.removeprefix("pid."))) if self._head else ""
        )

    def stream(self, passed: Passed) -> str:
        return ""

    def news(self, passed: Passed, what: str) -> str:
        return ""

    def packet(self, passed: Passed, packet: Packet) -> str:
        line = self._join(lambda token: self._token(token, passed, packet))
        passed.dts, passed.cts = packet.dts, packet.cts
        return line

    def _join(self, value: Callable[[str], str]) -> str:
        parts = self._parts
        said = [text + value(token) for text, token in zip(parts[::3], parts[2::3], strict=False)]
        return "".join(said) + parts[-1] + self._end

    def _token(self, token: str, passed: Passed, packet: Packet) -> str:
        if token in _LINE_ENDS:
            return _LINE_ENDS[token]
        if token in _OF_PACKET:
            return str(_OF_PACKET[token](packet))
        if token in _TIMES:
            time = packet.cts if token.startswith("start") else _end(packet)
            return _clock(passed, time, _TIMES[token])
        if token in ("pn", "csize"):
            return str(passed.packets if token == "pn" else passed.bytes)
        if token in ("ddts", "dcts"):
            one, other = (packet.dts, passed.dts) if token == "ddts" else (packet.cts, passed.cts)
            return _or_none(_difference(one, other))
        if token in ("crc", "sha1", "data"):
            data = _bytes_of(packet)
            if data is None:
                return "N/A"
            return _as_text(data) if token == "data" else DIGESTS[token](data)
        if token == "fn":
            return self._filter_name
        of_pid = token.startswith("pid.")
        name = token.removeprefix("pid.")
        known = passed.pid.properties if of_pid else packet.properties or {}
        info = media_properties.lookup(name)
        for key in (name, info.name if info else name):
            if key in known and printable({key: known[key]}):
                return _format(key, known[key])
        return _UNTOLD.get(token, "")


class Json:
    """One JSON object a line: `{"pid": 1, "name": ..., "properties": ...}`, `{"pid": 1, "packet": 1, ...}`.

    Times are ticks of the PID's Timescale, null where unknown; a fraction is text, "30000/1001", and bytes
    are hex digits.
    """

    def __init__(self, *, properties: bool, digest: str, data: bool) -> None:
        self._properties = properties
        self._digest_name = digest
        self._digest = DIGESTS.get(digest)
        self._data = data

    def head(self) -> str:
        return ""

    def stream(self, passed: Passed) -> str:
        known = {name: _json(name, value) for name, value in printable(passed.pid.properties).items()}
        return _line({"pid": passed.number, "name": passed.pid.name, "properties": known})

    def news(self, passed: Passed, what: str) -> str:
        return _line({"pid": passed.number, "name": passed.pid.name, "news": what})

    def packet(self, passed: Passed, packet: Packet) -> str:
        made: dict[str, Any] = {"pid": passed.number, "packet": passed.packets}
        for name in ("dts", "cts", "duration", "sap", "size"):
            made[name] = getattr(packet, name)
        for name in ("seek", "discontinuity", "corrupted"):
            if getattr(packet, name):
                made[name] = True
        data = _bytes_of(packet)
        if self._digest is not None:
            made[self._digest_name] = None if data is None else self._digest(data)
        if self._data and data is not None:
            made["data"] = data.hex()
        if self._properties and packet.properties:
            made["properties"] = {n: _json(n, value) for n, value in printable(packet.properties).items()}
        return _line(made)


_OF_PACKET: dict[str, Callable[[Packet], Any]] = {
    "dts": lambda packet: _or_none(packet.dts),
    "cts": lambda packet: _or_none(packet.cts),
    "ctso": lambda packet: _or_none(_difference(packet.cts, packet.dts)),
    "dur": lambda packet: _or_none(packet.duration),
    "frame": lambda packet: "interface" if _bytes_of(packet) is None else "frame_full",
    "sap": lambda packet: packet.sap,
    "rap": lambda packet: packet.sap,
    "corr": lambda packet: int(packet.corrupted),
    "seek": lambda packet: int(packet.seek),
    "disc": lambda packet: int(packet.discontinuity),
    "size": lambda packet: packet.size,
}
_TIMES = {"start": ".", "startc": ",", "end": ".", "endc": ","}
"""Token of a time of day -> what stands before the milliseconds."""


def printable(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that are values; objects that filters hand to each other are left out."""
    return {name: value for name, value in properties.items() if _is_value(value)}


def _is_value(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_value(item) for item in value.values())
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(_is_value(item) for item in value)
    plain = (bool, int, float, str, bytes, bytearray, memoryview, Fraction)
    return isinstance(value, plain) or type(value).__module__ == "reelway.media.values"


def _is_long(value: Any) -> bool:
    return isinstance(value, (Mapping, bytes, bytearray, memoryview))


def _format(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_format(str(key), item)}" for key, item in value.items())
    return media_properties.format(name, value).replace("\n", "\\n")


def _listed(known: Mapping[str, Any]) -> str:
    return "".join(f"\t{name}: {_format(name, value)}\n" for name, value in known.items())


def _json(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _json(str(key), item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(name, item) for item in value]
    if isinstance(value, str):
        return redact(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Fraction) and value.denominator == 1:
        return value.numerator
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    return media_properties.format(name, value)


def _line(value: Mapping[str, Any] | Sequence[Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"


def _bytes_of(packet: Packet) -> memoryview | None:
    """The bytes of a packet; None where it holds an object without bytes."""
    try:
        return packet.data
    except PacketError:
        return None


def _or_none(ticks: int | None) -> str:
    return "N/A" if ticks is None else str(ticks)


def _difference(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one - other


def _end(packet: Packet) -> int | None:
    return None if packet.cts is None else packet.cts + (packet.duration or 0)


def _clock(passed: Passed, ticks: int | None, point: str) -> str:
    timescale = passed.pid.properties.get("Timescale")
    if ticks is None or not timescale:
        return "N/A"
    ms = abs(round(Fraction(ticks * 1000, timescale)))
    sign = "-" if ticks < 0 and ms else ""
    return f"{sign}{ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"


def _as_text(data: memoryview) -> str:
    """The bytes as text where they are UTF-8, else as hex digits."""
    try:
        return bytes(data).decode()
    except UnicodeDecodeError:
        return data.hex()
