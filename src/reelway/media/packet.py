"""A packet: a payload with its timing and flags.

Times are int ticks of its PID's Timescale; None is unknown, never a magic number. A packet that was sent is
given away: the sender neither changes nor sends it again; who wants to keep one keeps `clone()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelway.errors import PacketError
from reelway.media.payload import Buffer, Frame, Part, view

if TYPE_CHECKING:
    import numpy


class Packet:
    """Slots, for speed; one holder at a time.

    payload         bytes, an array, a packet or frame of a codec, or any object
    dts, cts        decoding and composition time [ticks of the PID], or None
    duration        [ticks], or None
    sap             stream access point type 1 to 4 (ISO/IEC 14496-12 Annex I), 0: none
    size            bytes of the payload
    seek            decoded only to reach a seek target, not to be shown
    discontinuity   what came before is missing
    corrupted       known to be damaged
    capture_time    wall clock [ns since 1970], the sender's where it says so, else of arrival; or None
    properties      dict of per-packet properties, or None
    shared          another packet may hold this payload: nobody writes into it
    """

    __slots__ = (
        "__weakref__",
        "capture_time",
        "corrupted",
        "cts",
        "discontinuity",
        "dts",
        "duration",
        "payload",
        "properties",
        "sap",
        "seek",
        "shared",
        "size",
    )

    def __init__(
        self,
        payload: Any,
        dts: int | None = None,
        cts: int | None = None,
        duration: int | None = None,
        sap: int = 0,
        size: int | None = None,
    ) -> None:
        self.payload = payload
        self.dts = dts
        self.cts = cts
        self.duration = duration
        self.sap = sap
        self.size: int = _size_of(payload) if size is None else size
        self.seek = self.discontinuity = self.corrupted = self.shared = False
        self.capture_time: int | None = None
        self.properties: dict[str, Any] | None = None

    @classmethod
    def allocate(cls, size: int) -> Packet:
        """A packet with `size` zero bytes of its own, to be filled through `writable()`."""
        if size < 0:
            raise PacketError(f"a packet cannot hold {size} bytes")
        return cls(Buffer(size), size=size)

    # What it holds

    @property
    def data(self) -> memoryview:
        """The bytes, read-only, not copied. Lives as long as the view does.

        Raises PacketError where the payload is an object without bytes.
        """
        return self._view().toreadonly()

    def array(self) -> numpy.ndarray[Any, Any]:
        """A raw frame as one array, anything else as uint8 of shape (size,); to be read only.

        A packed frame is a view, (lines, columns, components) or (samples, channels); a planar one is copied
        (see `media.layout.one_array`). Bytes are a view.
        """
        if isinstance(self.payload, Frame):
            return self.payload.array()
        import numpy

        return numpy.frombuffer(self.data, numpy.uint8)

    def planes(self) -> list[Any]:
        """One array a plane of a raw frame (see `Frame`): read-only views; to write, `writable()`."""
        if not isinstance(self.payload, Frame):
            raise PacketError(f"{self!r} holds no raw frame", hint="planes() is for CodecID=raw; else data")
        return self.payload.planes()

    @property
    def readonly(self) -> bool:
        """True where `writable()` would have to copy."""
        return self.shared or not isinstance(self.payload, Buffer)

    def writable(self) -> Any:
        """What may be changed in place: planes of a raw frame, else a writable uint8 memoryview.

        Copies the payload first where anybody else may see it. Only before `send()`.
        """
        payload = self.payload
        if isinstance(payload, Frame):
            if self.shared:
                payload = self.payload = payload.copy()
                self.shared = False
            else:
                payload.make_writable()
            return payload.planes(writable=True)
        if self.readonly:
            self.payload = Buffer(self._view())
            self.shared = False
        return self.payload.view()[: self.size]

    # More of it

    def clone(self) -> Packet:
        """A second packet on the same payload, which from here on nobody writes into."""
        self.shared = True
        new = Packet.__new__(Packet)
        new.payload = self.payload
        new.dts = self.dts
        new.cts = self.cts
        new.duration = self.duration
        new.sap = self.sap
        new.size = self.size
        new.seek = self.seek
        new.discontinuity = self.discontinuity
        new.corrupted = self.corrupted
        new.shared = True
        new.capture_time = self.capture_time
        properties = self.properties
        new.properties = None if properties is None else dict(properties)
        return new

    def part(self, offset: int, size: int) -> Packet:
        """A second packet on `size` bytes of this payload from `offset` on, not copied."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise PacketError(f"bytes {offset} to {offset + size} are not within a packet of {self.size}")
        new = self.clone()
        if not (offset == 0 and size == self.size):
            new.payload = Part(self.payload, offset, offset + size)
            new.size = size
        return new

    def copy(self) -> Packet:
        """A packet with a payload of its own, which may be changed in place."""
        new = self.clone()
        new.writable()
        return new

    def truncate(self, size: int) -> None:
        """Keeps the first `size` bytes."""
        if size > self.size or size < 0:
            raise PacketError(f"cannot truncate {self.size} bytes to {size}")
        if size == self.size:
            return
        if isinstance(self.payload, Buffer) and not self.shared:
            self.size = size
        else:
            self.payload, self.size = Part(self.payload, 0, size), size

    def copy_properties(self, other: Packet) -> None:
        """Timing, flags and properties of `other`; the payload stays."""
        self.dts, self.cts, self.duration, self.sap = other.dts, other.cts, other.duration, other.sap
        self.seek, self.discontinuity, self.corrupted = other.seek, other.discontinuity, other.corrupted
        self.capture_time = other.capture_time
        self.properties = None if other.properties is None else dict(other.properties)

    def _view(self) -> memoryview:
        try:
            whole = view(self.payload)
        except TypeError:
            raise PacketError(
                f"the payload is a {type(self.payload).__name__}, which has no bytes",
                hint="read packet.payload",
            ) from None
        return whole if whole.nbytes == self.size else whole[: self.size]

    def __repr__(self) -> str:
        return f"<Packet dts={self.dts} cts={self.cts} sap={self.sap} size={self.size}>"


def _size_of(payload: Any) -> int:
    try:
        return view(payload).nbytes
    except TypeError:
        return 0
