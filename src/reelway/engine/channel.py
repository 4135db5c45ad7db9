"""Where bytes go that cannot be sought in: pipes, devices, TCP connections, HTTP uploads.

FFmpeg would open them, and write header and index to them, while PyAV holds the GIL: one that blocks then
stops every thread of the process. Opened and written in Python, it stops the thread of its muxer only.
"""

from __future__ import annotations

import os
from typing import Protocol
from urllib.parse import urlsplit

__all__ = ["Channel", "open_channel"]

CONNECT_S = 10.0
"""How long a TCP connection may take to come about."""
ANSWER_S = 10.0
"""How long a server may take to say what it thinks of an upload."""


class _Sink(Protocol):
    def write(self, data: memoryview, /) -> int | None: ...
    def close(self) -> None: ...


class Channel:
    """A file object for av that can only be written to."""

    def __init__(self, sink: _Sink) -> None:
        self._sink = sink

    def write(self, data: bytes) -> int:
        """Writes all of `data`, however often the system has to be asked. Raises OSError."""
        left = memoryview(data)
        while left:
            if not (done := self._sink.write(left)):
                raise OSError("write() took nothing")
            left = left[done:]
        return len(data)

    def close(self) -> None:
        self._sink.close()


class _Upload:
    """The body of an HTTP request in chunks (RFC 9112, 7.1), as FFmpeg sends it: POST.

    All that goes wrong is an OSError. Its text has nothing of the address, which may hold secrets, nor of
    what the server sent but for the status: http.client's errors quote either.
    """

    def __init__(self, url: str) -> None:
        import http.client
        from base64 import b64encode
        from urllib.parse import unquote

        self._no_http = http.client.HTTPException
        self._failure: OSError | None = None
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        try:
            self._connection = kind(parts.hostname or "", _port(url), timeout=CONNECT_S)
        except self._no_http:
            raise OSError(_NO_ADDRESS) from None
        try:
            self._connection.connect()
            self._connection.sock.settimeout(None)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            self._connection.putrequest("POST", target)
            self._connection.putheader("Transfer-Encoding", "chunked")
            if parts.username is not None:
                secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
                self._connection.putheader("Authorization", f"Basic {b64encode(secret).decode()}")
            self._connection.endheaders()
        except BaseException as error:
            self._connection.close()
            if isinstance(error, (self._no_http, ValueError)) and not isinstance(error, OSError):
                raise OSError(_NO_ADDRESS) from None  # a space is in it, or letters beyond ASCII
            raise

    def write(self, data: memoryview) -> int:
        if data:  # an empty chunk would be the end
            self._send(b"%x\r\n" % len(data))
            self._send(bytes(data) + b"\r\n")
        return len(data)

    def close(self) -> None:
        """Ends the body, and raises OSError where the server does not take it or does not say so in time."""
        try:
            self._send(b"0\r\n\r\n")
            status, words = self._answer()
        finally:
            self._connection.close()
        if not 200 <= status < 300:  # redirected is not stored either
            raise OSError(f"the server answered {words}")

    def _send(self, data: bytes) -> None:
        if self._failure is not None:  # http.client would connect anew, and begin in the middle
            raise self._failure
        try:
            self._connection.send(data)
        except ConnectionError as broken:
            self._failure = self._early_answer() or broken
            self._connection.close()
            raise self._failure from None

    def _early_answer(self) -> OSError | None:
        """What a server said that closed the connection before it had everything, if it said anything."""
        try:
            status, words = self._answer()
        except OSError:
            return None
        return OSError(f"the server answered {words}{' before it had all' if 200 <= status < 300 else ''}")

    def _answer(self) -> tuple[int, str]:
        """The status, and how to tell it."""
        self._connection.sock.settimeout(ANSWER_S)
        try:
            answer = self._connection.getresponse()
        except ConnectionError:
            raise
        except self._no_http:
            raise OSError("what the server answered is not HTTP") from None
        return answer.status, f"{answer.status} {answer.reason}".rstrip()


_NO_ADDRESS = "such an address cannot be asked for: spaces, and letters beyond ASCII, have to be %-encoded"


def _port(url: str) -> int | None:
    """Raises OSError where it is no number: what stands there may be half a password."""
    try:
        return urlsplit(url).port
    except ValueError:
        raise OSError("the port in this address is no number") from None


def open_channel(url: str) -> Channel | None:
    """The channel behind `pipe:N`, `tcp://host:port`, `http(s)://` or the path of a pipe or device, or None.

    Blocks until there is a reader. Raises OSError.
    """
    if url.startswith("pipe:"):
        return Channel(os.fdopen(os.dup(int(url[5:] or "1")), "wb", buffering=0))
    if url.startswith("tcp://") and "listen" not in (parts := urlsplit(url)).query:
        import socket  # with what it imports, as long as the rest of a remux: for who needs it

        connection = socket.create_connection((parts.hostname, _port(url) or 0), CONNECT_S)
        connection.settimeout(None)
        with connection:  # the file holds it open
            return Channel(connection.makefile("wb", buffering=0))
    if url.startswith(("http://", "https://")):
        return Channel(_Upload(url))
    path = url.removeprefix("file:")
    if "://" in path or not os.path.exists(path) or os.path.isfile(path):
        return None
    return Channel(open(path, "wb", buffering=0))
