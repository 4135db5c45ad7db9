"""`bytesource`: bytes as they come, out of files, descriptors, sockets and Python's file objects."""

from __future__ import annotations

import io
import os
import select
import socket
import stat
from collections.abc import Callable
from typing import Any

from reelway.errors import OpenError, OptionError, redact
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.option import option
from reelway.media.events import Event, Stop
from reelway.media.packet import Packet

__all__ = ["ByteSource", "connected", "file_path", "is_regular"]

WAIT_S = 0.1
"""How long it waits for bytes before it looks whether the session goes on."""
CONNECT_S = 10.0


class ByteSource(Filter):
    """Sends what it reads in blocks, as a stream of type File without times.

    `src` is a path, a file:// or tcp:// address, `pipe:0` or the number of a descriptor, or a Python object
    with `read()`. A descriptor and an object stay open. Whoever wants what is in a file takes `demux`.
    """

    registry_name = "bytesource"
    outputs = (Caps(StreamType="File"),)

    src: Any = option(kind=object, help="path, address, descriptor, or a Python object with read()")
    block_size: int = option(4096, low=1, unit="bytes", help="of a packet, at most")
    blocks: int | None = option(None, low=0, help="how many packets; by default all that comes")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._file: Any = None
        self._close: Callable[[], None] | None = None
        self._left: int | None = None
        self._waits = False
        """It is a descriptor or a socket, which is looked at before it is read."""
        if not isinstance(self.src, io.BytesIO) and not is_regular(self.src):
            self.thread = "own"

    def open(self) -> None:
        self._left = self.blocks
        self._file = self._opened()
        url = self.src if isinstance(self.src, str) else ""
        properties: dict[str, Any] = {"URL": url} if url else {}
        self.new_pid("file", StreamType="File", **properties)

    def process(self) -> float | None:
        output, left = self.opids[0], self.quantum
        while left and not self.blocked and not output.ended:
            if self._left == 0:
                output.end()
                return None
            if self._waits and not _readable(self._file):
                return 0.0  # asked again, unless the session was stopped
            block = self._read()
            if not block:
                output.end()
                return None
            if self._left is not None:
                self._left -= 1
            output.send(Packet(block, sap=1))
            left -= 1
        return None

    def on_event(self, event: Event) -> bool:
        """Stop ends it; it can do nothing else."""
        if isinstance(event, Stop):
            event.pid.end()
        return True

    def close(self) -> None:
        if self._close is not None:
            self._close()
            self._close = None

    def _read(self) -> bytes:
        try:
            return bytes(self._file.read(self.block_size) or b"")
        except OSError as error:
            raise OpenError(f"reading {_name(self.src)} failed: {error}", url=_name(self.src)) from error

    def _opened(self) -> Any:
        source = self.src
        if hasattr(source, "read"):
            return source
        self._waits = self.thread == "own"
        try:
            if isinstance(source, str) and source.startswith("tcp://"):
                with connected(source) as connection:  # the file holds it open
                    stream = connection.makefile("rb", buffering=0)
                self._close = stream.close
                return stream
            number = _descriptor(source)
            if number is not None:
                return io.FileIO(number, "rb", closefd=False)
            buffered = 0 if self._waits else -1  # what is in a buffer cannot be waited for
            file = open(file_path(source), "rb", buffering=buffered)  # noqa: SIM115 - close() does
        except OSError as error:
            raise OpenError(
                f"{_name(source)} cannot be read: {error.strerror or error}", url=_name(source)
            ) from error
        self._close = file.close
        return file


def file_path(place: Any) -> str:
    """The path of a file:// address or of a path. Raises OptionError for another address."""
    text = os.fspath(place)
    if text.startswith("file:"):
        from urllib.parse import unquote, urlsplit

        return unquote(urlsplit(text).path)
    if "://" in text:
        raise OptionError(
            f"{redact(text)} is no file", hint="bytes come and go by files, pipes, tcp:// and udp:// only"
        )
    return str(text)


def connected(url: str) -> socket.socket:
    """A TCP connection to tcp://host:port. Raises OSError."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname or "localhost", parts.port or 0), CONNECT_S)
    connection.settimeout(None)
    return connection


def is_regular(place: Any) -> bool:
    """True for a file of the file system, which never blocks for long; also for one that is to be made."""
    if isinstance(place, int) or not isinstance(place, (str, os.PathLike)):
        return False
    text = os.fspath(place)
    if text.startswith("pipe:") or ("://" in text and not text.startswith("file:")):
        return False
    try:
        return stat.S_ISREG(os.stat(file_path(text)).st_mode)
    except OSError:
        return True


def _descriptor(place: Any) -> int | None:
    if isinstance(place, int):
        return place
    if isinstance(place, str) and place.startswith("pipe:"):
        return int(place[5:] or 0)
    return None


def _readable(file: Any) -> bool:
    """False where nothing came in a while; True where that cannot be told."""
    try:
        ready, _, _ = select.select([file], [], [], WAIT_S)
    except (OSError, ValueError, TypeError):  # no descriptor, or none that can be waited for
        return True
    return bool(ready)


def _name(place: Any) -> str:
    return redact(place) if isinstance(place, str) else repr(place)
