"""Payloads: what a packet carries.

Anything with the buffer protocol is a payload: bytes, an array, a packet of av. Two kinds are Reelway's own.
`Buffer` is memory that its one holder may write; `SharedBuffer` is somebody else's memory with a callback
for the moment when nobody reads it any more. Raw media is a `Frame`.
"""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Buffer as SupportsBuffer  # collections.abc.Buffer from Python 3.12 on

    from reelway.media.layout import Array
else:
    SupportsBuffer = Any


class Frame(ABC):
    """Raw media: a picture or a piece of sound, and the rules for who may write into it.

    A plane of a picture is an array (lines, columns) or (lines, columns, components), perhaps with gaps
    between its lines; a plane of sound is (samples,) for one channel or (samples, channels).
    """

    __slots__ = ()

    @property
    @abstractmethod
    def format(self) -> str:
        """Pixel or sample format, FFmpeg's name."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes without gaps."""

    @abstractmethod
    def planes(self, writable: bool = False) -> list[Array]:
        """Views that keep the frame alive; read-only, unless asked for, after `make_writable()`."""

    @abstractmethod
    def make_writable(self) -> None:
        """Afterwards nobody else sees what is written into `planes()`; copies where somebody else would."""

    @abstractmethod
    def copy(self) -> Frame:
        """A frame of its own."""

    @abstractmethod
    def view(self) -> memoryview:
        """Its planes one after the other: a view where they lie so in memory, else a copy."""

    def array(self) -> Array:
        """All samples in one array: a view of packed formats, a copy of planar ones (`layout.one_array`)."""
        from reelway.media.layout import one_array

        return one_array(self.planes(), self.format)


class Viewed(ABC):
    """Bytes that are not simply there, but can be looked at."""

    __slots__ = ()

    @abstractmethod
    def view(self) -> memoryview:
        """All of them."""


class Buffer(Viewed):
    """`size` bytes of zeroed memory, or a copy of `content`, that Reelway owns."""

    __slots__ = ("__weakref__", "memory")

    def __init__(self, content: SupportsBuffer | int) -> None:
        self.memory = bytearray(content)

    def view(self) -> memoryview:
        return memoryview(self.memory)


class SharedBuffer(Viewed):
    """Memory of somebody else, readable until the last view of it is gone.

    Then `release` is handed to `defer`, which queues it for the session's thread: the last reference may
    die anywhere, also inside a queue operation, and no code of a user runs there.
    """

    __slots__ = ("__weakref__", "memory")

    def __init__(
        self,
        memory: SupportsBuffer,
        release: Callable[[], None] | None,
        defer: Callable[[Callable[[], None]], None],
    ) -> None:
        flat = view(memory)
        if release is not None:
            flat = _watched(flat, partial(defer, release))
        self.memory = flat.toreadonly()

    def view(self) -> memoryview:
        return self.memory


def _watched(flat: memoryview, gone: Callable[[], None]) -> memoryview:
    """The same memory; `gone` is called when the last view of what is returned has died.

    Views of a memoryview keep the exporter alive, not the view they came from, so the exporter has to be
    an object whose end can be seen. Before Python 3.12 an array is the only one at hand.
    """
    import numpy

    exporter: Any = numpy.frombuffer(flat, numpy.uint8)
    weakref.finalize(exporter, gone).atexit = False
    return memoryview(exporter)


class Part(Viewed):
    """Bytes `start` to `stop` of another payload, which it keeps alive."""

    __slots__ = ("__weakref__", "start", "stop", "whole")

    def __init__(self, whole: Any, start: int, stop: int) -> None:
        self.whole, self.start, self.stop = whole, start, stop

    def view(self) -> memoryview:
        return view(self.whole)[self.start : self.stop]


def view(payload: Any) -> memoryview:
    """The bytes of a payload, not copied; writable only where the payload is. TypeError: it has no bytes."""
    if isinstance(payload, Viewed):
        return payload.view()
    try:
        flat = memoryview(payload)
    except TypeError:
        if not isinstance(payload, Frame):  # asked last: it is abstract, and to ask takes long
            raise
        return payload.view()
    return flat if flat.format == "B" and flat.ndim == 1 else flat.cast("B")
