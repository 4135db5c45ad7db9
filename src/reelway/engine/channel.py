"""Where bytes go that cannot be sought in: pipes, devices, TCP connections.

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
            left = left[self._sink.write(left) or 0 :]
        return len(data)

    def close(self) -> None:
        self._sink.close()


def open_channel(url: str) -> Channel | None:
    """The channel behind `pipe:N`, `tcp://host:port` or the path of a pipe or device; None for any other.

    Blocks until there is a reader. Raises OSError.
    """
    if url.startswith("pipe:"):
        return Channel(os.fdopen(os.dup(int(url[5:] or "1")), "wb", buffering=0))
    if url.startswith("tcp://") and "listen" not in (parts := urlsplit(url)).query:
        import socket  # with what it imports, as long as the rest of a remux: for who needs it

        connection = socket.create_connection((parts.hostname, parts.port or 0), CONNECT_S)
        connection.settimeout(None)
        with connection:  # the file holds it open
            return Channel(connection.makefile("wb", buffering=0))
    path = url.removeprefix("file:")
    if "://" in path or not os.path.exists(path) or os.path.isfile(path):
        return None
    return Channel(open(path, "wb", buffering=0))
