"""Payloads: what a packet carries.

Anything with the buffer protocol is a payload: bytes, an array, a packet of av. Two kinds are Reelway's own.
`Buffer` is memory that its one holder may write; `SharedBuffer` is somebody else's memory with a callback
for the moment when nobody reads it any more. Frames of codecs (engine) add `planes()` and `make_writable()`.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from typing_extensions import Buffer as SupportsBuffer  # collections.abc.Buffer from Python 3.12 on
else:
    SupportsBuffer = Any


@runtime_checkable
class Planar(Protocol):
    """A raw frame: strided planes, and FFmpeg's own rules for who may write into them."""

    def planes(self) -> list[Any]:
        """One (rows, stride) uint8 view a plane, padding included; the views keep the frame alive."""

    def make_writable(self) -> None:
        """Afterwards nobody else sees what is written into `planes()`; copies where somebody else would."""

    def copy(self) -> Planar:
        """A frame of its own."""


class Buffer:
    """`size` bytes of zeroed memory, or a copy of `content`, that Reelway owns."""

    __slots__ = ("__weakref__", "memory")

    def __init__(self, content: SupportsBuffer | int) -> None:
        self.memory = bytearray(content)

    def view(self) -> memoryview:
        return memoryview(self.memory)


class SharedBuffer:
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


class Part:
    """Bytes `start` to `stop` of another payload, which it keeps alive."""

    __slots__ = ("__weakref__", "start", "stop", "whole")

    def __init__(self, whole: Any, start: int, stop: int) -> None:
        self.whole, self.start, self.stop = whole, start, stop

    def view(self) -> memoryview:
        return view(self.whole)[self.start : self.stop]


def view(payload: Any) -> memoryview:
    """The bytes of a payload, not copied; writable only where the payload is. TypeError: it has no bytes."""
    if isinstance(payload, (Buffer, SharedBuffer, Part)):
        return payload.view()
    flat = memoryview(payload)
    return flat if flat.format == "B" and flat.ndim == 1 else flat.cast("B")
