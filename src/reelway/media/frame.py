"""Raw frames in memory of Reelway's or of numpy's: pictures and pieces of sound.

Frames of codecs are the engine's; these are for filters in Python. Both are a `Frame`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reelway.errors import PacketError
from reelway.media.layout import Array, Layout, layout_of, picture_layout, sound_layout
from reelway.media.payload import Frame, view


class MemoryFrame(Frame):
    """A picture or a piece of sound in one piece of memory, which its one holder may write.

    `memory` is anything with the buffer protocol, given away; read-only memory is copied before it is
    written.
    """

    __slots__ = ("__weakref__", "layout", "memory")

    def __init__(self, layout: Layout, memory: Any = None) -> None:
        self.layout = layout
        self.memory: Any = bytearray(layout.size) if memory is None else memory
        if (held := view(self.memory).nbytes) < layout.size:
            raise PacketError(f"{held} bytes are too few for {layout.format}: it takes {layout.size}")

    @classmethod
    def picture(cls, format: str, width: int, height: int) -> MemoryFrame:
        """A black picture in most formats: all bytes are zero."""
        return cls(picture_layout(format, width, height))

    @classmethod
    def sound(cls, format: str, channels: int, samples: int) -> MemoryFrame:
        """Silence, but in u8."""
        return cls(sound_layout(format, channels, samples))

    @classmethod
    def of(cls, payload: Any, properties: Mapping[str, Any]) -> MemoryFrame:
        """A frame on the bytes of a payload, not copied, laid out as the PID's `properties` say."""
        memory = view(payload)
        return cls(layout_of(properties, memory.nbytes), memory)

    @property
    def format(self) -> str:
        """Pixel or sample format, FFmpeg's name."""
        return self.layout.format

    @property
    def size(self) -> int:
        return self.layout.size

    def planes(self, writable: bool = False) -> list[Array]:
        planes = self.layout.views(self.memory)
        if not writable:
            for plane in planes:
                plane.flags.writeable = False
        return planes

    def make_writable(self) -> None:
        if memoryview(self.memory).readonly:
            self.memory = bytearray(self.memory)

    def copy(self) -> MemoryFrame:
        return MemoryFrame(self.layout, bytearray(self.memory))

    def view(self) -> memoryview:
        return memoryview(self.memory).cast("B")[: self.layout.size]
