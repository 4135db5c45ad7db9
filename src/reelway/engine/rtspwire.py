"""What comes over an RTSP connection, taken apart: messages, and packets of RTP between them (10.12 of
RFC 2326).

No sockets: bytes go in where `space()` says, `next()` says what they were. Every length has a limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from reelway.errors import FormatError

__all__ = ["MESSAGE", "MORE", "Message", "Wire", "request"]

MORE, MESSAGE = -1, -2
"""What `Wire.next` says that is no channel."""
HEAD = 64 << 10
"""Bytes that a message's lines may have together."""
BODY = 1 << 20
"""Bytes behind them: session descriptions are seldom larger than two kilobytes."""
NOISE = 256 << 10
"""Bytes that are neither a message nor a packet, before it is said that this is no RTSP."""
START = 16 << 10
DOLLAR = 0x24
BEGINNINGS = (
    b"RTSP",
    b"OPTI",
    b"GET_",
    b"SET_",
    b"ANNO",
    b"REDI",
    b"TEAR",
    b"PAUS",
    b"PLAY",
)
"""How messages begin, those of a server that asks as well."""


class Message(NamedTuple):
    """An answer, or what a server asks for: then `status` is 0, and `reason` the method."""

    status: int
    reason: str
    headers: Mapping[str, list[str]]
    """By their names in small letters."""
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first of this name, or nothing."""
        found = self.headers.get(name)
        return found[0] if found else ""


class Wire:
    """The bytes of one connection; `buffer[start:stop]` is the packet that `next()` has found."""

    def __init__(self) -> None:
        self.buffer = bytearray(START)
        self.start = self.stop = 0
        self.message = Message(0, "", {})
        """The last one."""
        self._view = memoryview(self.buffer)
        self._at = self._end = 0
        self._noise = 0
        self._began = False
        """Something that is RTSP came."""

    def space(self) -> memoryview:
        """Where the next bytes go; never empty."""
        at, end = self._at, self._end
        if at == end:
            self._at = self._end = 0
        elif end == len(self.buffer):
            if at > end >> 1:
                self._view[: end - at] = self._view[at:end]  # they do not overlap
            else:
                grown = bytearray(max(2 * (end - at), START))
                grown[: end - at] = self._view[at:end]
                self.buffer, self._view = grown, memoryview(grown)
            self._at, self._end = 0, end - at
        return self._view[self._end :]

    def received(self, count: int) -> None:
        self._end += count

    def next(self) -> int:
        """The channel of the packet that comes next, MESSAGE, or MORE where bytes are missing.

        Raises FormatError where it can be no RTSP.
        """
        while (size := self._end - self._at) >= 4:
            at, buffer = self._at, self.buffer
            if buffer[at] == DOLLAR:
                length = buffer[at + 2] << 8 | buffer[at + 3]
                if size < length + 4:
                    return MORE
                self.start = at + 4
                self.stop = self._at = at + 4 + length
                return buffer[at + 1]
            if bytes(self._view[at : at + 4]) in BEGINNINGS:
                if not self._message():
                    return MORE
                self._began, self._noise = True, 0
                return MESSAGE
            self._skip()
        return MORE

    def heard(self) -> None:
        """What came last was media: what is wrong elsewhere may be forgotten."""
        self._noise = 0

    def _skip(self) -> None:
        """To where a packet or a message may begin."""
        if not self._began:
            raise FormatError("what came is no RTSP")
        at = self._at
        found = [self.buffer.find(DOLLAR, at + 1, self._end), self.buffer.find(b"RTSP/", at + 1, self._end)]
        best = min((each for each in found if each > 0), default=max(at + 1, self._end - 4))
        self._noise += best - at
        self._at = best
        if self._noise > NOISE:
            raise FormatError("what came is no RTSP any more")

    def _message(self) -> bool:
        at = self._at
        ends = self.buffer.find(b"\r\n\r\n", at, self._end)
        size = 4
        if ends < 0:
            ends, size = self.buffer.find(b"\n\n", at, min(self._end, at + HEAD)), 2
        if ends < 0 or ends - at > HEAD:
            if self._end - at > HEAD:
                raise FormatError("a message of RTSP has no end")
            return False
        first, headers = _head(bytes(self._view[at:ends]))
        length = _length(headers)
        behind = ends + size
        if self._end < behind + length:
            return False
        body = bytes(self._view[behind : behind + length])
        self._at = behind + length
        words = first.split(None, 2)
        if first.startswith("RTSP/"):
            if len(words) < 2 or not (words[1].isascii() and words[1].isdigit() and len(words[1]) == 3):
                raise FormatError("an answer of RTSP has no number")
            self.message = Message(int(words[1]), words[2] if len(words) > 2 else "", headers, body)
        else:
            self.message = Message(0, words[0], headers, body)
        return True


def request(method: str, url: str, headers: Mapping[str, str]) -> bytes:
    """A request as it is sent, without a body. Raises FormatError for what would be several lines."""
    lines = [f"{method} {url} RTSP/1.0", *(f"{name}: {value}" for name, value in headers.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise FormatError("what was to be asked for is more than one line")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def _head(data: bytes) -> tuple[str, dict[str, list[str]]]:
    first, *lines = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", " ").split("\n")
    headers: dict[str, list[str]] = {}
    last = ""
    for line in lines:
        if line[:1] in (" ", "\t") and last:  # goes on from the line before
            headers[last][-1] += " " + line.strip()
            continue
        name, colon, value = line.partition(":")
        if colon:
            last = name.strip().lower()
            headers.setdefault(last, []).append(value.strip())
    return first, headers


def _length(headers: Mapping[str, list[str]]) -> int:
    text = headers["content-length"][0] if "content-length" in headers else "0"
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise FormatError("a message of RTSP has a length that is no number")
    if int(text) > BODY:
        raise FormatError(f"a message of RTSP says that {int(text)} bytes follow")
    return int(text)
