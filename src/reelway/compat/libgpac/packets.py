"""libgpac's FilterPacket on Reelway's packets."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import reelway as rw
from reelway.compat.libgpac.later import comes_later
from reelway.compat.libgpac.properties import held, key_of, shown, to_reelway
from reelway.media.payload import Buffer, Frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelway.compat.libgpac.pids import FilterPid

__all__ = ["NO_TIMESTAMP", "FilterPacket", "numpy_support"]

numpy_support = find_spec("numpy") is not None
"""libgpac's binding runs without numpy too: `data` is then a memoryview."""

NO_TIMESTAMP = 0xFFFFFFFFFFFFFFFF
"""What libgpac reads where a time or an offset is unknown. Reelway holds None."""

_EXTRA = "libgpac."
"""Begins the names of packet properties that hold libgpac's own flags; they are not shown as properties."""


def _extra(name: str, default: int, doc: str) -> Any:
    """An attribute that Reelway's packets lack: it travels in the packet's properties."""
    key = _EXTRA + name

    def get(self: FilterPacket) -> int:
        value: int = (self._packet.properties or {}).get(key, default)
        return value

    def set(self: FilterPacket, value: int) -> None:
        packet = self._mine(f"set {name}")
        packet.properties = {**(packet.properties or {}), key: int(value)}

    return property(get, set, doc=doc)


def _ticks(attribute: str, unknown: int, doc: str) -> Any:
    """A time of the packet; `unknown` stands for None."""

    def get(self: FilterPacket) -> int:
        value: int | None = getattr(self._packet, attribute)
        return unknown if value is None else value

    def set(self: FilterPacket, value: int) -> None:
        setattr(self._mine(f"set {attribute}"), attribute, None if value == unknown else int(value))

    return property(get, set, doc=doc)


def _flag(attribute: str, kind: Callable[[Any], Any], doc: str) -> Any:
    def get(self: FilterPacket) -> Any:
        return getattr(self._packet, attribute)

    def set(self: FilterPacket, value: Any) -> None:
        setattr(self._mine(f"set {attribute}"), attribute, kind(value))

    return property(get, set, doc=doc)


class FilterPacket:
    """A packet: read-only where it came in on a PID, yours where you made it.

    The `new_pck...` methods of FilterPid make them.
    """

    _gone = ""
    """What became of it, where it is not there any more."""

    def __init__(self, packet: rw.Packet, pid: FilterPid, source: bool, readonly: bool) -> None:
        self._packet = packet
        self._pid = pid
        self._source = source
        self._readonly = readonly

    def _mine(self, doing: str) -> rw.Packet:
        """The packet, for a change. Raises PacketError on one that came in, or is sent or discarded."""
        if self._source:
            hint = "make one of your own: opid.new_pck_clone(pck)"
            raise rw.PacketError(f"cannot {doing} on a packet that came in", hint=hint)
        if self._gone:
            raise rw.PacketError(f"cannot {doing}: the packet was {self._gone}")
        return self._packet

    # What to do with it

    def send(self) -> None:
        """Gives the packet to the consumers of its PID."""
        packet = self._mine("send")
        self._gone = "sent already"
        self._packet = rw.Packet(b"")  # who keeps this object shall not keep shared memory from its release
        self._packet.copy_properties(packet)
        self._pid._send(packet)

    def discard(self) -> None:
        """Drops a packet of yours instead of sending it."""
        self._mine("discard")
        self._gone = "discarded"
        self._packet = rw.Packet(b"")

    def ref(self) -> None:
        """Keeps the packet past `drop_packet()`. Python holds it as long as this object is held."""

    def unref(self) -> None:
        """Ends what `ref()` began."""

    def clone(self, cached_pck: FilterPacket | None = None) -> FilterPacket | None:
        """A copy with memory of its own, which belongs to no PID; reuses the memory of `cached_pck`."""
        if cached_pck is not None and not cached_pck._source and cached_pck._packet.size == self._packet.size:
            cached_pck._packet.writable()[:] = self._packet.data
            cached_pck._packet.copy_properties(self._packet)
            cached_pck._gone = ""
            return cached_pck
        return FilterPacket(flat_copy(self._packet), self._pid, False, False)

    def readonly(self) -> None:
        """From here on `data` cannot be written into."""
        self._mine("set readonly")
        self._readonly = True

    def truncate(self, size: int) -> None:
        self._mine("truncate").truncate(size)

    def copy_props(self, ipck: FilterPacket | None) -> None:
        """Takes over timing, flags and properties of `ipck`."""
        packet = self._mine("copy properties")
        if ipck is not None:
            packet.copy_properties(ipck._packet)

    # Properties

    def get_prop(self, prop_name: str) -> Any:
        return held(self._packet.properties, prop_name)

    def set_prop(self, pcode: str, prop: Any, custom_type: int = 0) -> None:
        """None removes the property."""
        packet = self._mine("set a property")
        properties = dict(packet.properties or {})
        key = key_of(properties, pcode)
        properties[key] = to_reelway(pcode, prop, custom_type)
        if prop is None:
            del properties[key]
        packet.properties = properties

    def enum_props(self, callback_obj: Any) -> None:
        """Calls `callback_obj.on_prop_enum(name, value)` for each property."""
        if hasattr(callback_obj, "on_prop_enum"):
            for name, value in self._shown():
                callback_obj.on_prop_enum(name, value)

    def _shown(self) -> list[tuple[str, Any]]:
        return [each for each in shown(self._packet.properties or {}) if not each[0].startswith(_EXTRA)]

    @property
    def has_properties(self) -> bool:
        return bool(self._shown())

    # Data

    @property
    def size(self) -> int:
        return self._packet.size

    @property
    def data(self) -> Any:
        """uint8 array of shape (size,), a view: read-only unless the packet has memory of its own.

        A memoryview where numpy is missing; None where there are no bytes. Of a decoder's frame it is a
        copy: its planes one after the other, with lines as long as `Stride` and `StrideUV` of the PID say.
        """
        if not self._packet.size:
            return None
        fixed = self._readonly or self._gone or self.frame_ifce
        view = self._packet.data if fixed else self._packet.writable()
        if not numpy_support:
            return view
        import numpy

        return numpy.frombuffer(view, numpy.uint8)

    @property
    def frame_ifce(self) -> bool:
        """True for a decoder's frame, whose planes lie apart; `clone()` gives its bytes in one piece."""
        return isinstance(self._packet.payload, Frame)

    @property
    def frame_ifce_gl(self) -> bool:
        """False: no packet is an OpenGL texture."""
        return False

    @property
    def blocking_ref(self) -> bool:
        return False

    def get_gl_texture(self, idx: int) -> Any:
        raise comes_later("FilterPacket.get_gl_texture")

    # Timing, in ticks of `timescale`

    @property
    def timescale(self) -> int:
        return self._pid.timescale

    dts = _ticks("dts", NO_TIMESTAMP, "Decoding time.")
    cts = _ticks("cts", NO_TIMESTAMP, "Composition time.")
    dur = _ticks("duration", 0, "Duration; 0 where unknown.")

    # Flags

    sap = _flag("sap", int, "Stream access point type, 0 for none.")
    seek = _flag("seek", bool, "Decoded only to reach a seek target, not to be shown.")
    corrupted = _flag("corrupted", bool, "Known to be damaged.")
    start = _extra("start", 1, "First packet of its frame.")
    end = _extra("end", 1, "Last packet of its frame.")
    interlaced = _extra("interlaced", 0, "0 progressive, 1 top field first, 2 bottom field first.")
    byte_offset = _extra("byte_offset", NO_TIMESTAMP, "Offset of the data in its source file.")
    roll = _extra("roll", 0, "Roll distance of a gradual decoder refresh.")
    crypt = _extra("crypt", 0, "Encryption flags.")
    clock = _extra("clock", 0, "0 media, 1 clock reference, 2 the same after a discontinuity.")
    carousel = _extra("carousel", 0, "Carousel version.")
    seqnum = _extra("seqnum", 0, "Sequence number.")
    deps = _extra("deps", 0, "Dependency flags as in an ISO base media file.")


def flat_copy(packet: rw.Packet) -> rw.Packet:
    """A copy whose bytes are its own and lie in one piece, also of a decoder's frame."""
    if not isinstance(packet.payload, Frame):
        return packet.copy()
    flat = packet.clone()
    flat.payload, flat.shared = Buffer(packet.payload.view()), False
    return flat
