"""Buffers, memory and samples: bytes with times, on Reelway's packets where they come from there."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import reelway as rw
from reelway.compat.gst.caps import Caps, Structure
from reelway.compat.gst.constants import CONSTANTS, ENUMERATIONS
from reelway.compat.gst.layouts import frame_of, laid_out
from reelway.compat.gst.segments import Segment
from reelway.media.packet import Packet
from reelway.media.payload import Frame

__all__ = ["Buffer", "BufferList", "MapInfo", "Memory", "Sample", "buffer_of", "packet_of"]

NONE: int = CONSTANTS["CLOCK_TIME_NONE"]
SECOND = 1_000_000_000
BufferFlags: Any = ENUMERATIONS["BufferFlags"]
MapFlags: Any = ENUMERATIONS["MapFlags"]
_DISCONT, _CORRUPTED = int(BufferFlags.DISCONT), int(BufferFlags.CORRUPTED)
_DELTA_UNIT = int(BufferFlags.DELTA_UNIT)


class MapInfo:
    """Mapped memory: `data` is a memoryview, to be written only where it was mapped so."""

    def __init__(self, data: memoryview, flags: int, memory: Any = None) -> None:
        self.data = data
        self.size = self.maxsize = data.nbytes
        self.flags = MapFlags(int(flags))
        self.memory = memory


class _Mapped(tuple[bool, MapInfo]):
    """(True, info), and `with buffer.map(...) as info:`, which unmaps at the end."""

    owner: Any

    def __enter__(self) -> MapInfo:
        return self[1]

    def __exit__(self, *_error: object) -> None:
        self.owner.unmap(self[1])


class Memory:
    """One piece of memory."""

    def __init__(self, data: Any = b"") -> None:
        self._data: Any = data

    @classmethod
    def new_wrapped(cls, _flags: int, data: Any, *_rest: Any) -> Memory:
        """Around `data`."""
        return cls(data)

    @property
    def size(self) -> int:
        """How many bytes."""
        return memoryview(self._data).nbytes

    def get_sizes(self) -> tuple[int, int, int]:
        """(size, offset, most)."""
        return self.size, 0, self.size

    def map(self, flags: int) -> Any:
        """(True, info)."""
        found = _Mapped((True, MapInfo(_view(self._data, bool(flags & MapFlags.WRITE)), flags, self)))
        found.owner = self
        return found

    def unmap(self, info: MapInfo) -> None:
        """Ends `map()`."""
        _released(info)


def _view(data: Any, write: bool) -> memoryview:
    view = memoryview(data).cast("B") if memoryview(data).nbytes else memoryview(bytearray(data))
    return view if write else view.toreadonly()


def _released(info: MapInfo) -> None:
    with contextlib.suppress(BufferError):  # an array still looks at it: it may, the memory stays
        info.data.release()


class Buffer:
    """Bytes, times [ns] and flags.

    One that came through a pipeline shows its packet's bytes without a copy, raw pictures and sound in the
    layout that GStreamer has; mapped for writing it gets bytes of its own.
    """

    def __init__(self, data: Any = None) -> None:
        self._memory: Any = b"" if data is None else data
        self._packet: Packet | None = None
        self._stream: Mapping[str, Any] = {}
        self._changed = False
        self._times: tuple[int, int, int] = (NONE, NONE, NONE)
        self.pts = self.dts = self.duration = NONE
        self.offset = self.offset_end = NONE
        self._flags = self._was = 0

    # Making one

    @classmethod
    def new(cls) -> Buffer:
        """Without bytes."""
        return cls()

    @classmethod
    def new_wrapped(cls, data: Any) -> Buffer:
        """A copy of `data`: bytes, a bytearray, an array."""
        return cls(bytearray(data if isinstance(data, (bytes, bytearray)) else bytes(data)))

    new_wrapped_full = new_memdup = new_wrapped

    @classmethod
    def new_wrapped_bytes(cls, data: Any) -> Buffer:
        """A copy of a `GLib.Bytes`."""
        return cls(bytearray(bytes(data)))

    @classmethod
    def new_allocate(cls, _allocator: Any, size: int, _params: Any = None) -> Buffer:
        """`size` zero bytes."""
        return cls(bytearray(size))

    # Bytes

    def _bytes(self) -> Any:
        if self._memory is None:
            assert self._packet is not None
            payload = self._packet.payload
            self._memory = (
                laid_out(payload, self._stream) if isinstance(payload, Frame) else self._packet.data
            )
        return self._memory

    def _own(self) -> bytearray:
        held = self._bytes()
        if not isinstance(held, bytearray):
            held = self._memory = bytearray(held)
        self._changed = True
        return held

    def get_size(self) -> int:
        """How many bytes."""
        return memoryview(self._bytes()).nbytes

    def map(self, flags: int) -> Any:
        """(True, info), or for `with`; `info.data` is a memoryview. Ends with `unmap(info)`."""
        held = self._own() if flags & MapFlags.WRITE else self._bytes()
        found = _Mapped((True, MapInfo(_view(held, bool(flags & MapFlags.WRITE)), flags)))
        found.owner = self
        return found

    def map_range(self, idx: int, length: int, flags: int) -> Any:
        """`map()` of all: there is one piece of memory."""
        return self.map(flags)

    def unmap(self, info: MapInfo) -> None:
        """Ends `map()`; what was written stays."""
        _released(info)

    def extract_dup(self, offset: int, size: int) -> bytes:
        """A copy of `size` bytes from `offset` on."""
        return bytes(memoryview(self._bytes()).cast("B")[offset : offset + size]) if self.get_size() else b""

    def extract(self, offset: int, dest: Any = None) -> Any:
        """Copies into `dest`; how many bytes. Without `dest`: a copy of the bytes from `offset` on."""
        if dest is None:
            return self.extract_dup(offset, self.get_size() - offset)
        piece = self.extract_dup(offset, memoryview(dest).nbytes)
        memoryview(dest).cast("B")[: len(piece)] = piece
        return len(piece)

    def fill(self, offset: int, src: Any, size: int | None = None) -> int:
        """Writes `src` at `offset`; how many bytes there was room for."""
        held = self._own()
        piece = bytes(src)[: len(held) - offset if size is None else min(size, len(held) - offset)]
        held[offset : offset + len(piece)] = piece
        return len(piece)

    def memset(self, offset: int, val: int, size: int) -> int:
        """Writes `size` bytes of `val`."""
        return self.fill(offset, bytes((val,)) * size)

    def memcmp(self, offset: int, mem: Any) -> int:
        """0 where the bytes from `offset` on are those of `mem`, else less or more."""
        mine = self.extract_dup(offset, len(mem))
        return (mine > bytes(mem)) - (mine < bytes(mem))

    def set_size(self, size: int) -> None:
        """Keeps the first `size` bytes."""
        self.resize(0, size)

    def resize(self, offset: int, size: int) -> None:
        """Keeps `size` bytes from `offset` on."""
        self._memory = bytearray(self.extract_dup(offset, size if size >= 0 else self.get_size()))
        self._changed = True

    def append(self, buf2: Buffer) -> Buffer:
        """The bytes of both."""
        self._own().extend(buf2.extract_dup(0, buf2.get_size()))
        return self

    def append_memory(self, mem: Memory) -> None:
        """More bytes."""
        self._own().extend(bytes(mem._data))

    insert_memory = append_memory

    def n_memory(self) -> int:
        """How many pieces of memory: one, or none."""
        return int(bool(self.get_size()))

    def get_memory(self, _idx: int = 0) -> Memory:
        """The bytes as one piece."""
        return Memory(self._bytes())

    peek_memory = get_memory

    def get_all_memory(self) -> Memory:
        """The bytes as one piece."""
        return Memory(self._bytes())

    def touched(self) -> bool:
        """Something about it was changed since it was made of a packet."""
        return self._changed or (self.pts, self.dts, self.duration) != self._times or self._flags != self._was

    # Copies, flags

    def copy(self) -> Buffer:
        """Another with the same bytes and times."""
        made = Buffer(self._memory)
        made.__dict__.update(self.__dict__)
        if isinstance(self._memory, bytearray):
            made._memory = bytearray(self._memory)
        return made

    def copy_deep(self) -> Buffer:
        """Another with bytes of its own."""
        made = self.copy()
        made._memory = bytearray(made._bytes())
        return made

    def copy_region(self, _flags: int, offset: int, size: int) -> Buffer:
        """Another with `size` bytes from `offset` on."""
        made = self.copy()
        made.resize(offset, size)
        return made

    def copy_into(self, src: Buffer, _flags: int, offset: int = 0, size: int = -1) -> bool:
        """Times, flags and bytes of `src`."""
        self.__dict__.update(src.copy_region(0, offset, size).__dict__)
        return True

    def is_writable(self) -> bool:
        """It may be changed."""
        return True

    def make_writable(self) -> Buffer:
        """Itself: it may be changed."""
        return self

    def get_flags(self) -> Any:
        """Its flags."""
        return BufferFlags(self._flags)

    def set_flags(self, flags: int) -> bool:
        """Sets flags."""
        self._flags |= int(flags)
        return True

    def unset_flags(self, flags: int) -> bool:
        """Takes flags away."""
        self._flags &= ~int(flags)
        return True

    def has_flags(self, flags: int) -> bool:
        """True where all of these are set."""
        return self._flags & int(flags) == int(flags)

    @property
    def mini_object(self) -> Buffer:
        """Itself, whose `flags` may be read and set."""
        return self

    @property
    def flags(self) -> int:
        """Its flags as a number."""
        return self._flags

    @flags.setter
    def flags(self, flags: int) -> None:
        self._flags = int(flags)

    def get_reference_timestamp_meta(self, _reference: Any = None) -> None:
        """None: there is no such thing here."""

    def __len__(self) -> int:
        return self.get_size()

    def __repr__(self) -> str:
        return f"<Gst.Buffer of {self.get_size()} bytes, pts {self.pts}>"


def _ns(ticks: int | None, timescale: int) -> int:
    return NONE if ticks is None or ticks < 0 else ticks * SECOND // timescale


def _ticks(ns: int, timescale: int) -> int | None:
    return None if ns == NONE else (ns * timescale + SECOND // 2) // SECOND


def buffer_of(packet: Packet, stream: Mapping[str, Any]) -> Buffer:
    """The face of a packet of a stream with these properties; no bytes are copied yet."""
    timescale = stream.get("Timescale") or 1
    raw = stream.get("CodecID") == "raw"
    pts = _ns(packet.cts if packet.cts is not None else packet.dts, timescale)
    dts = NONE if raw else _ns(packet.dts, timescale)
    duration = _ns(packet.duration, timescale)
    flags = _DISCONT if packet.discontinuity else 0
    if packet.corrupted:
        flags |= _CORRUPTED
    if not packet.sap and not raw:
        flags |= _DELTA_UNIT
    made = Buffer.__new__(Buffer)
    made.__dict__ = {  # in one go: this is done for each buffer that a probe sees
        "_memory": None,
        "_packet": packet,
        "_stream": stream,
        "_changed": False,
        "_times": (pts, dts, duration),
        "pts": pts,
        "dts": dts,
        "duration": duration,
        "offset": NONE,
        "offset_end": NONE,
        "_flags": flags,
        "_was": flags,
    }
    return made


def packet_of(buffer: Buffer, stream: Mapping[str, Any]) -> Packet:
    """The packet that a buffer stands for, in a stream with these properties.

    It is the one that it came with where nothing was changed. Raises PacketError where its bytes are too few
    for what the stream is.
    """
    timescale = stream.get("Timescale") or SECOND
    raw = stream.get("CodecID") == "raw"
    packet = buffer._packet
    if packet is None or buffer._changed or stream is not buffer._stream:
        held = buffer._bytes()
        if raw and stream.get("StreamType") in ("Visual", "Audio"):
            frame = frame_of(held, stream)
            made = Packet(frame, size=frame.size)
        else:
            made = Packet(held)
        if packet is not None:
            made.copy_properties(packet)
        packet = made
    if (buffer.pts, buffer.dts, buffer.duration) != buffer._times or packet is not buffer._packet:
        packet.cts = _ticks(buffer.pts, timescale)
        packet.dts = packet.cts if buffer.dts == NONE else _ticks(buffer.dts, timescale)
        packet.duration = _ticks(buffer.duration, timescale)
    packet.sap = 0 if buffer._flags & BufferFlags.DELTA_UNIT else packet.sap or 1
    packet.discontinuity = bool(buffer._flags & BufferFlags.DISCONT)
    return packet


class BufferList:
    """Several buffers."""

    def __init__(self) -> None:
        self._buffers: list[Buffer] = []

    @classmethod
    def new(cls) -> BufferList:
        """An empty one."""
        return cls()

    def insert(self, idx: int, buffer: Buffer) -> None:
        """Puts one in; -1: behind the others."""
        self._buffers.insert(len(self._buffers) if idx < 0 else idx, buffer)

    def add(self, buffer: Buffer) -> None:
        """One more."""
        self._buffers.append(buffer)

    def length(self) -> int:
        """How many."""
        return len(self._buffers)

    def get(self, idx: int) -> Buffer:
        """One of them."""
        return self._buffers[idx]


class Sample:
    """A buffer with the caps of its stream."""

    def __init__(
        self, buffer: Buffer | None = None, caps: Caps | None = None, segment: Segment | None = None
    ) -> None:
        self._buffer, self._caps, self._segment = buffer, caps, segment or Segment.of_time()
        self._info: Structure | None = None

    @classmethod
    def new(
        cls, buffer: Buffer | None, caps: Caps | None, segment: Segment | None = None, info: Any = None
    ) -> Sample:
        """Of these."""
        made = cls(buffer, caps, segment)
        made._info = info
        return made

    def get_buffer(self) -> Buffer | None:
        """The buffer."""
        return self._buffer

    def get_caps(self) -> Caps | None:
        """The caps of its stream."""
        return self._caps

    def get_segment(self) -> Segment:
        """Where it lies in time."""
        return self._segment

    def get_info(self) -> Structure | None:
        """What else was said."""
        return self._info

    def set_buffer(self, buffer: Buffer) -> None:
        """Another buffer."""
        self._buffer = buffer

    def set_caps(self, caps: Caps) -> None:
        """Other caps."""
        self._caps = caps

    def set_segment(self, segment: Segment) -> None:
        """Another segment."""
        self._segment = segment


def wrong_buffer(what: Any) -> rw.PacketError:
    """The error for what was given in the place of a buffer."""
    return rw.PacketError(f"{what!r} is no Gst.Buffer", hint="Gst.Buffer.new_wrapped(data)")
