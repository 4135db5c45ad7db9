"""Clients of shared frames at Valkka's API level 2."""

from __future__ import annotations

import logging
from typing import Any

import reelway as rw
from reelway.compat.valkka.element import Element
from reelway.compat.valkka.ring import (
    IntPointer,
    RGB24Meta,
    SharedMemRingBuffer,
    SharedMemRingBufferBase,
    SharedMemRingBufferRGB,
)

__all__ = ["Client", "ShmemClient", "ShmemRGBClient"]

log = logging.getLogger("reelway.compat.valkka")

_NEEDED = object()


class Client:
    """What clients have in common: the ring, its elements, and `pull()`."""

    parameter_defs: dict[str, tuple[type, Any]] = {}
    """Name -> type and default, of those that are said by name."""

    def __init__(self, **parameters: Any) -> None:
        for name, value in _fitted(type(self).__name__, self.parameter_defs, parameters).items():
            setattr(self, name, value)
        self.core = self._ring()
        self.shmem_list: list[Element] = self.core.getBufferListPy()

    def _ring(self) -> SharedMemRingBufferBase:
        raise NotImplementedError

    name: str
    n_ringbuffer: int
    mstimeout: int
    verbose: bool

    def pull(self) -> tuple[int, int] | tuple[None, None]:
        """Index and bytes of the newest frame; (None, None): none came within `mstimeout` [ms]."""
        index, size = IntPointer(), IntPointer()
        if not self.core.clientPull(index, size):
            return None, None
        if self.verbose:
            log.warning("%s: index %d, %d bytes", self.name, index.value, size.value)
        return index.value, size.value

    def useEventFd(self, event_fd: object) -> None:
        """Raises: it comes later."""
        self.core.clientUseFd(event_fd)

    useFd = useEventFd


class ShmemClient(Client):
    """`ShmemClient(name=, n_ringbuffer=10, n_bytes=, mstimeout=0, verbose=False)`, as the server has them."""

    parameter_defs = {
        "name": (str, _NEEDED),
        "n_ringbuffer": (int, 10),
        "n_bytes": (int, _NEEDED),
        "mstimeout": (int, 0),
        "verbose": (bool, False),
    }
    n_bytes: int

    def _ring(self) -> SharedMemRingBufferBase:
        return SharedMemRingBuffer(self.name, self.n_ringbuffer, self.n_bytes, self.mstimeout, False)


class ShmemRGBClient(Client):
    """`ShmemRGBClient(name=, n_ringbuffer=10, width=, height=, mstimeout=0, verbose=False)`."""

    parameter_defs = {
        "name": (str, _NEEDED),
        "n_ringbuffer": (int, 10),
        "width": (int, _NEEDED),
        "height": (int, _NEEDED),
        "mstimeout": (int, 0),
        "verbose": (bool, False),
    }
    width: int
    height: int
    core: SharedMemRingBufferRGB

    def _ring(self) -> SharedMemRingBufferBase:
        return SharedMemRingBufferRGB(
            self.name, self.n_ringbuffer, self.width, self.height, self.mstimeout, False
        )

    def pullFrame(self) -> tuple[int, RGB24Meta] | tuple[None, None]:
        """Index of the newest frame, and what is said of it; (None, None): none came within `mstimeout`."""
        index, meta = IntPointer(), RGB24Meta()
        if not self.core.clientPullFrame(index, meta):
            return None, None
        if self.verbose:
            log.warning("%s: index %d, %s", self.name, index.value, self.metaToString(meta))
        return index.value, meta

    pullFrameThread = pullFrame

    @staticmethod
    def metaToString(meta: RGB24Meta) -> str:
        """For people."""
        size = f"{meta.width}x{meta.height}, {meta.size} bytes"
        return f"<RGB24Meta: {size}, slot {meta.slot}, {meta.mstimestamp} ms>"


def _fitted(what: str, known: dict[str, tuple[type, Any]], given: dict[str, Any]) -> dict[str, Any]:
    """All parameters, checked. Raises OptionError, UnknownNameError."""
    for name in given:
        if name not in known:
            raise rw.UnknownNameError.of(f"parameter of {what}", name, known)
    fitted: dict[str, Any] = {}
    for name, (kind, default) in known.items():
        value = given.get(name, default)
        if value is _NEEDED:
            raise rw.OptionError(f"{what} without {name}", hint=f"the server's: {name}=...")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise rw.OptionError(f"{what}: {name} is {value!r}", hint=f"it takes {kind.__name__}")
        fitted[name] = value
    return fitted
