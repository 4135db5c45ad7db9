"""Ring buffers at Valkka's API level 1, and the integer pointers that go with them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy

import reelway as rw
from reelway.compat.valkka.element import Element
from reelway.compat.valkka.later import comes_later

__all__ = [
    "IntPointer",
    "RGB24Meta",
    "SharedMemRingBuffer",
    "SharedMemRingBufferBase",
    "SharedMemRingBufferRGB",
    "copy_intp",
    "delete_intp",
    "getNumpyShmem",
    "intp_assign",
    "intp_value",
    "new_intp",
]

RGB = 3
FIRST_S = 0.2
"""Where the server is not there within this, a client waits for it in its first pull."""
PAGE = 4096


@dataclass(slots=True)
class IntPointer:
    """What `new_intp()` gives."""

    value: int = 0


def new_intp() -> IntPointer:
    """A pointer to 0."""
    return IntPointer()


def copy_intp(value: int) -> IntPointer:
    """A pointer to `value`."""
    return IntPointer(value)


def delete_intp(pointer: IntPointer) -> None:
    """Does nothing: Python does it."""


def intp_value(pointer: IntPointer) -> int:
    """What it points to."""
    return pointer.value


def intp_assign(pointer: IntPointer, value: int) -> None:
    """Lets it point to `value`."""
    pointer.value = value


@dataclass(slots=True)
class RGB24Meta:
    """What is said of a frame: bytes, pixels, Valkka's number of the stream, wall clock [ms]."""

    size: int = 0
    width: int = 0
    height: int = 0
    slot: int = 0
    mstimestamp: int = 0


class SharedMemRingBufferBase:
    """One end of a ring: a server writes, a client reads the newest frame and holds it until the next pull.

    A client may come before its server, and stays when that goes: it times out, until there is one again. A
    server waits for nobody. Where a client's parameters are not the server's, OptionError says so.
    """

    def __init__(self, name: str, n_cells: int, n_bytes: int, mstimeout: int, is_server: bool) -> None:
        if n_cells < 2 or n_bytes < 1 or mstimeout < 0:
            raise rw.OptionError(
                f"{name}: {n_cells} buffers of {n_bytes} bytes, timeout {mstimeout} ms",
                hint="at least 2 buffers of 1 byte; timeout 0 waits for ever",
            )
        self.name, self.n_cells, self.n_bytes = name, n_cells, n_bytes
        self.timeout_s = mstimeout / 1000 or None
        self.elements = [Element(n_bytes) for _ in range(n_cells)]
        self._writer: rw.share.Writer | None = None
        self._reader: rw.share.Reader | None = None
        self._checked: Mapping[str, Any] | None = None
        """What the server said when it was compared last: a new one is compared again."""
        self._pulled = 0
        if is_server:
            self._writer = rw.share.Writer(name, slots=n_cells, slot_bytes=n_bytes)
        else:
            self._attach(FIRST_S)

    # Clients

    def getBufferListPy(self) -> list[Element]:
        """All elements; the same as `getNumpyShmem` of each."""
        return self.elements

    def clientPull(self, index_out: IntPointer, size_out: IntPointer) -> bool:
        """Waits for a frame, and says where it is and how long. False: none came in time."""
        pulled = self._pull()
        if pulled is None:
            return False
        index_out.value, size_out.value = pulled[0], pulled[1].size
        return True

    clientPullThread = clientPull

    def clientPullPy(self) -> tuple[int, ...]:
        """(index, bytes); index -1: none came in time."""
        pulled = self._pull()
        return (-1, 0) if pulled is None else (pulled[0], pulled[1].size)

    def clientUseFd(self, event_fd: object) -> None:
        """Raises: it comes later."""
        raise comes_later("EventFd")

    serverUseFd = clientUseFd

    # Servers

    def serverPush(
        self,
        payload: Any,
        slot: int = 1,
        mstimestamp: int | None = None,
        *,
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes bytes, or an array, into the ring; waits for nobody. Raises PacketError: too long.

        `properties` say to Reelway's own readers what it is.
        """
        self._push(payload, dict(properties or {}), slot, mstimestamp)

    def close(self) -> None:
        """Lets go of the ring. Valkka's have no such call: one that is forgotten does the same."""
        for end in (self._writer, self._reader):
            if end is not None:
                end.close()
        self._reader = None

    # Inside

    def _push(self, data: Any, properties: dict[str, Any], slot: int, mstimestamp: int | None) -> None:
        if self._writer is None:
            raise rw.StateError(
                f"{self.name} is a client's end", hint="the server's is made with True as last argument"
            )
        moment = int(time.time() * 1000) if mstimestamp is None else mstimestamp
        with contextlib.suppress(rw.DeadlineError):  # readers with the policy `every` hold all
            self._writer.write(
                data,
                properties=properties,
                capture_time=moment * 1_000_000,
                metadata={"slot": slot, "mstimestamp": moment},
                timeout_s=0.0,
            )

    def _attach(self, timeout_s: float | None) -> bool:
        try:
            self._reader = rw.share.Reader(self.name, policy="latest", timeout_s=timeout_s, when_gone="wait")
        except rw.DeadlineError:
            return False
        self._compare(self._reader.info)
        return True

    def _pull(self) -> tuple[int, RGB24Meta] | None:
        if self._writer is not None:
            raise rw.StateError(
                f"{self.name} is a server's end", hint="a client's has False as last argument"
            )
        until = None if self.timeout_s is None else time.monotonic() + self.timeout_s
        if self._reader is None and not self._attach(self.timeout_s):
            return None
        assert self._reader is not None
        try:
            frame = self._reader.pull(None if until is None else max(0.0, until - time.monotonic()))
        except rw.DeadlineError:
            return None
        if frame is None:  # cannot be: it waits for the next server
            return None
        if self._reader.info is not self._checked:
            self._compare(self._reader.info)
        self._check(frame)
        index = self._pulled % self.n_cells
        if self._pulled:
            self.elements[index - 1].let_go()
        self._pulled += 1
        self.elements[index].hold(numpy.frombuffer(frame.payload(), numpy.uint8))
        return index, self._meta(frame)

    def _meta(self, frame: rw.share.SharedArray) -> RGB24Meta:
        told, said = frame.metadata, frame.properties
        wall_ms = (
            frame.capture_time // 1_000_000 if frame.capture_time is not None else int(time.time() * 1000)
        )
        return RGB24Meta(
            frame.nbytes,
            int(said.get("Width", 0)),
            int(said.get("Height", 0)),
            int(told.get("slot", 1)),
            int(told.get("mstimestamp", wall_ms)),
        )

    def _compare(self, info: Mapping[str, Any]) -> None:
        """What can be told before a frame comes."""
        self._checked = info
        if info["slots"] != self.n_cells:
            raise self._differs("n_ringbuffer", self.n_cells, info["slots"])
        if not info["frames"] and info["slot_bytes"] not in (0, self.n_bytes):
            raise self._differs("n_bytes", self.n_bytes, info["slot_bytes"])

    def _check(self, frame: rw.share.SharedArray) -> None:
        """Of a server with elements of a fixed size frames may be shorter."""
        info = self._checked or {}
        fixed = info.get("slot_bytes") and _pages(info["slot_bytes"]) == _pages(self.n_bytes)
        if frame.nbytes > self.n_bytes or (frame.nbytes != self.n_bytes and not fixed):
            raise self._differs("n_bytes", self.n_bytes, frame.nbytes)

    def _differs(self, what: str, mine: object, theirs: object) -> rw.OptionError:
        return rw.OptionError(
            f"{self.name}: {what} is {mine} here and {theirs} in the server",
            hint="server and client take the same parameters; `reelway shared` lists the server's",
        )


class SharedMemRingBufferRGB(SharedMemRingBufferBase):
    """A ring of RGB pictures of at most `width` times `height` pixels."""

    def __init__(
        self,
        name: str,
        n_cells: int,
        width: int,
        height: int,
        mstimeout: int = 0,
        is_server: bool = False,
    ) -> None:
        self.width, self.height = width, height
        super().__init__(name, n_cells, width * height * RGB, mstimeout, is_server)

    def clientPullPy(self) -> tuple[int, ...]:
        """(index, bytes, width, height, slot, wall clock in ms); index -1: none came in time."""
        pulled = self._pull()
        if pulled is None:
            return -1, 0, 0, 0, 0, 0
        index, meta = pulled
        return index, meta.size, meta.width, meta.height, meta.slot, meta.mstimestamp

    def clientPullFrame(self, index_out: IntPointer, meta: RGB24Meta) -> bool:
        """Waits for a frame, and says where and what it is. False: none came in time."""
        pulled = self._pull()
        if pulled is None:
            return False
        index_out.value, found = pulled
        for each in RGB24Meta.__slots__:
            setattr(meta, each, getattr(found, each))
        return True

    clientPullFrameThread = clientPullFrame

    def serverPushPyRGB(self, array: Any, slot: int = 1, mstimestamp: int | None = None) -> bool:
        """Writes a picture (lines, columns, 3) of uint8; waits for nobody. Raises PacketError."""
        picture = numpy.ascontiguousarray(array)
        if picture.dtype != numpy.uint8 or picture.ndim != RGB or picture.shape[2] != RGB:
            raise rw.PacketError(
                f"an array {picture.shape} of {picture.dtype} is no RGB picture",
                hint="(lines, columns, 3) of uint8",
            )
        height, width = picture.shape[:2]
        properties = {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": "rgb24", "Timescale": 1000}
        self._push(picture.reshape(-1), properties | {"Width": width, "Height": height}, slot, mstimestamp)
        return True

    def _check(self, frame: rw.share.SharedArray) -> None:
        said = frame.properties
        if (format := said.get("PixelFormat", "rgb24")) != "rgb24":
            raise self._differs("the format", "rgb24", format)
        width, height = said.get("Width", self.width), said.get("Height", self.height)
        larger = width > self.width or height > self.height
        if larger or (frame.nbytes == self.n_bytes and (width, height) != (self.width, self.height)):
            raise self._differs("width x height", f"{self.width}x{self.height}", f"{width}x{height}")
        super()._check(frame)


class SharedMemRingBuffer(SharedMemRingBufferBase):
    """(name, buffers, bytes of each, timeout [ms], is it a server); or, with width and height, one of RGB.

    Of the last version: `SharedMemRingBuffer(name, buffers, width, height, timeout, is_server)`.
    """

    def __new__(cls, *words: Any, **_named: Any) -> Any:
        most = 5  # one more is the form with width and height
        if cls is SharedMemRingBuffer and len(words) > most:
            return SharedMemRingBufferRGB(*words)
        return super().__new__(cls)

    def __init__(
        self, name: str, n_cells: int, n_bytes: int, mstimeout: int = 0, is_server: bool = False
    ) -> None:
        super().__init__(name, n_cells, n_bytes, mstimeout, is_server)


def getNumpyShmem(ring: SharedMemRingBufferBase, index: int) -> Element:
    """An element of a ring: what stands for it as an array of uint8."""
    if not 0 <= index < ring.n_cells:
        raise rw.OptionError(f"{ring.name} has no element {index}", hint=f"it has {ring.n_cells}")
    return ring.elements[index]


def _pages(size: int) -> int:
    return -(-size // PAGE)
