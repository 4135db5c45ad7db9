"""`bytesink`: packets as the bytes that they are, into files, descriptors, sockets and file objects."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Mapping
from typing import Any

from reelway.errors import OpenError, redact
from reelway.filters.bytesource import connected, file_path, is_regular
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.graph.resolve import Demand
from reelway.media.packet import Packet
from reelway.media.payload import Frame

__all__ = ["ByteSink", "ByteWriter", "coded_header", "packed"]

_IN_BAND = ("h264", "hevc", "aac")
"""Written so that the bytes alone can be played: Annex B, ADTS."""


class ByteWriter(Filter):
    """What writes packets as the bytes that they are: all codecs, with what a decoder needs among them."""

    inputs = (Caps(),)
    max_inputs = 1
    records = True

    def demand(self, properties: Mapping[str, Any]) -> Demand | None:
        codec, mode = properties.get("CodecID"), properties.get("DecoderConfigMode")
        if codec not in _IN_BAND or mode != "out-of-band":
            return None
        return Demand("bitstream", {"DecoderConfigMode": "in-band"}, {"mode": "in-band"})


class ByteSink(ByteWriter):
    """Writes packets one after the other, and nothing between them.

    Raw pictures are written as GStreamer has them in memory: lines of whole groups of 4 bytes, and an even
    number of them where chroma has half of them; raw sound is interleaved. H.264 and H.265 are written as
    Annex B, AAC as ADTS, FLAC with its header.

    `dst` is a path, a file://, tcp:// or udp:// address (a datagram for each packet), `pipe:1` or the number
    of a descriptor, or a Python object with `write()`. A descriptor and an object stay open.
    """

    registry_name = "bytesink"

    dst: Any = option(kind=object, help="path, address, descriptor, or a Python object with write()")
    append: bool = option(False, help="behind what is in the file")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.bytes = 0
        """How many were written."""
        self._write: Callable[[Any], Any] | None = None
        self._close: Callable[[], None] | None = None
        if not isinstance(self.dst, io.BytesIO) and not is_regular(self.dst):
            self.thread = "own"

    def configure(self, pid: Link) -> None:
        if self._write is None:
            self._write = self._opened()

    def process(self) -> float | None:
        for pid in self.ipids:
            for packet in pid:
                data = packed(packet, pid.properties)
                if not self.bytes and (header := coded_header(pid.properties, data)):
                    self._put(header)
                self._put(data)
        return None

    def close(self) -> None:
        if self._close is not None:
            close, self._close = self._close, None
            try:
                close()
            except OSError as error:
                raise self._failed(error) from error

    def _put(self, data: bytes | memoryview) -> None:
        assert self._write is not None
        self.bytes += len(data)
        try:
            self._write(data)
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> OpenError:
        return OpenError(f"writing {self._name} failed: {error.strerror or error}", url=self._name)

    @property
    def _name(self) -> str:
        return redact(self.dst) if isinstance(self.dst, str) else repr(self.dst)

    def _opened(self) -> Callable[[Any], Any]:
        target = self.dst
        if hasattr(target, "write"):
            return _whole(target.write)
        try:
            if isinstance(target, str) and target.startswith("tcp://"):
                connection = connected(target)
                self._close = connection.close
                return connection.sendall
            if isinstance(target, str) and target.startswith("udp://"):
                return self._datagrams(target)
            if isinstance(target, int) or (isinstance(target, str) and target.startswith("pipe:")):
                number = target if isinstance(target, int) else int(target[5:] or 1)
                return _whole(io.FileIO(number, "wb", closefd=False).write)
            mode = "ab" if self.append else "wb"
            file = open(file_path(target), mode)  # noqa: SIM115 - close() does
        except OSError as error:
            raise OpenError(
                f"{self._name} cannot be written: {error.strerror or error}", url=self._name
            ) from error
        self._close = file.close
        return file.write

    def _datagrams(self, url: str) -> Callable[[Any], Any]:
        from urllib.parse import urlsplit

        parts = urlsplit(url)
        kind, _, _, _, address = socket.getaddrinfo(
            parts.hostname or "localhost", parts.port or 0, type=socket.SOCK_DGRAM
        )[0]
        sender = socket.socket(kind, socket.SOCK_DGRAM)
        self._close = sender.close
        return lambda data: sender.sendto(data, address)


def packed(packet: Packet, properties: Mapping[str, Any]) -> bytes | memoryview:
    """The bytes of a packet as `ByteSink` writes them."""
    if properties.get("CodecID") != "raw":
        return packet.data if packet.size else b""
    from reelway.filters.frames import frame_of  # numpy comes with it

    frame = frame_of(packet, properties)
    if properties.get("StreamType") == "Audio":
        return _interleaved(frame)
    return _padded(frame)


def _interleaved(frame: Frame) -> bytes:
    import numpy

    planes = frame.planes()
    return (planes[0] if planes[0].ndim == 2 else numpy.stack(planes, axis=1)).tobytes()


def _padded(frame: Frame) -> bytes:
    """Lines of whole groups of 4 bytes; an even number of them where another plane has half as many."""
    import numpy

    planes = frame.planes()
    lines = planes[0].shape[0]
    halved = any(plane.shape[0] < lines for plane in planes)
    made = []
    for plane in planes:
        rows = numpy.ascontiguousarray(plane).view(numpy.uint8).reshape(plane.shape[0], -1)
        below = lines % 2 if halved and plane.shape[0] == lines else 0
        behind = -rows.shape[1] % 4
        if below or behind:
            rows = numpy.pad(rows, ((0, below), (0, behind)))
        made.append(rows.tobytes())
    return b"".join(made)


def coded_header(properties: Mapping[str, Any], first: bytes | memoryview) -> bytes:
    """What goes in front of the first packet, where that does not have it.

    Parameter sets of H.264 and H.265 in Annex B (ISO/IEC 14496-10, annex B), and FLAC's (RFC 9639, 8).
    """
    codec, config = properties.get("CodecID"), bytes(properties.get("DecoderConfig") or b"")
    if codec == "flac" and config:
        return config if config[:4] == b"fLaC" else b"fLaC" + bytes((0x80, 0, 0, len(config))) + config
    if codec in ("h264", "hevc") and config.lstrip(b"\0")[:1] == b"\1":
        unit = config.lstrip(b"\0")[1:].partition(b"\0\0\1")[0].rstrip(b"\0")
        return b"" if unit in bytes(first) else config
    return b""


def _whole(write: Callable[[Any], int | None]) -> Callable[[Any], None]:
    """Writes all of it, however often that takes."""

    def put(data: Any) -> None:
        left = memoryview(data)
        while left:
            done = write(left)
            if done == 0:
                raise OSError("write() took nothing")
            left = left[len(left) if done is None else done :]

    return put
