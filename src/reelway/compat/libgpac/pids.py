"""libgpac's FilterPid: one class for what comes in (Reelway's Link) and what goes out (Reelway's Pid)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import reelway as rw
from reelway.compat.libgpac import constants as gf
from reelway.compat.libgpac.events import FilterEvent, to_reelway_event
from reelway.compat.libgpac.flow import DecodeTimes, Parts, has_ended, is_last, is_part
from reelway.compat.libgpac.negotiation import negotiate
from reelway.compat.libgpac.packets import NO_TIMESTAMP, FilterPacket, flat_copy
from reelway.compat.libgpac.properties import from_reelway, held, key_of, shown, to_reelway
from reelway.compat.libgpac.values import BufferOccupancy, Fraction64

if TYPE_CHECKING:
    from reelway.compat.libgpac.custom import FilterCustom
    from reelway.compat.libgpac.filters import Filter

__all__ = ["FilterPid"]

_MICROSECONDS = 1_000_000
_TEMPLATE = re.compile(r"\$(?:(\w+)(%0\d+d)?)?\$")


class FilterPid:
    """A PID of a custom filter. Scripts hang attributes of their own on it."""

    def __init__(self, filter: FilterCustom, pid: rw.Link | rw.Pid) -> None:
        self._filter = filter
        self._pid = pid
        self._link = pid if isinstance(pid, rw.Link) else None
        self._head: FilterPacket | None = None
        self._info: dict[str, Any] = {}
        self._playing = True
        self._next_ts = -1
        self._min_duration = 0
        self._framed = True
        self._parts = Parts()
        self._joined = False
        """The head was made of parts, which are taken already."""
        self._cleared = False
        self._decode_times: DecodeTimes | None = None
        self._negotiated: dict[str, Any] = {}
        """What a consumer of this output asked for."""
        if self._link is None:
            self.pck_refs: list[FilterPacket] = []

    def _in(self, doing: str) -> rw.Link:
        if self._link is None:
            raise rw.StateError(f"cannot {doing} on an output PID")
        return self._link

    def _out(self, doing: str) -> rw.Pid:
        if self._link is not None:
            raise rw.StateError(f"cannot {doing} on an input PID")
        return self._pid  # type: ignore[return-value]  # what is no link is one

    def _links(self) -> list[rw.Link]:
        """The queues behind it: its own, or one to each consumer."""
        return [self._pid] if isinstance(self._pid, rw.Link) else list(self._pid.links)

    # Packets that come in

    def get_packet(self) -> FilterPacket | None:
        """The first packet, which stays there until `drop_packet()`; None where there is none now."""
        head = self._head
        if head is None:
            link = self._link
            packet = link.peek() if link is not None else self._in("get packets").peek()
            if self._framed and (self._parts.held or (packet is not None and packet.properties)):
                packet = self._whole(packet)
            if packet is not None:
                head = self._head = FilterPacket(packet, self, True, True)
                duration = packet.duration
                if duration and not 0 < self._min_duration <= duration:
                    self._min_duration = duration
        return head

    def _whole(self, packet: rw.Packet | None) -> rw.Packet | None:
        """`packet`, or the frame that it is a part of, as soon as that is whole."""
        if self._parts.held or (packet is not None and is_part(packet)):
            return self._join()
        return packet

    def _join(self) -> rw.Packet | None:
        """A frame of its parts, as soon as the last is here."""
        link = self._in("get packets")
        while (packet := link.peek()) is not None:
            link.take(packet)
            self._filter._adapter.moved += 1
            self._parts.add(packet)
            if is_last(packet):
                break
        ready = self._parts.rest([]) if link.ended else self._parts.frames()
        self._joined = bool(ready)
        return ready[0] if ready else None

    def drop_packet(self) -> None:
        """Takes away the packet that `get_packet()` gave. Does nothing where it gave none."""
        head = self._head
        if head is not None:
            packet = head._packet
            self._head = None
            if self._link is not None and not self._joined:
                self._link.take(packet)
            self._joined = False
            self._filter._adapter.moved += 1
            if packet.dts is not None:
                self._next_ts = packet.dts + (packet.duration or 0)

    @property
    def first_empty(self) -> bool:
        """No packet waits."""
        return self.get_packet() is None

    @property
    def first_cts(self) -> int | None:
        packet = self.get_packet()
        return None if packet is None or packet.cts == NO_TIMESTAMP else packet.cts

    @property
    def nb_pck_queued(self) -> int:
        return max((len(link) for link in self._links()), default=0)

    # Packets that go out

    def _send(self, packet: rw.Packet) -> None:
        pid: rw.Pid = self._pid if self._link is None else self._out("send")  # type: ignore[assignment]
        self._filter._adapter.moved += 1
        dts, duration = packet.dts, packet.duration
        if packet.properties or self._parts.held or self._decode_times is not None:
            for each in self._ready(packet, pid):
                pid.send(each)
        else:
            pid.send(packet)
        if dts is not None:
            self._next_ts = dts + (duration or 0)
        if duration and not 0 < self._min_duration <= duration:
            self._min_duration = duration

    def _ready(self, packet: rw.Packet, pid: rw.Pid) -> list[rw.Packet]:
        """What can be sent with `packet`: parts of frames wait for the rest, others for their decode time."""
        ready = [packet]
        if self._parts.held or is_part(packet):
            ready = self._parts.through(packet, self._links(), linked=pid not in pid.filter.unlinked)
        if self._decode_times is not None:
            ready = [done for each in ready for done in self._decode_times.add(each)]
        return ready

    def _flush(self) -> None:
        """Sends what is held to find out its decode times, or because its last part is missing."""
        pid = self._out("send")
        ready = self._parts.rest(self._links())
        if self._decode_times is not None:
            ready = [done for packet in ready for done in self._decode_times.add(packet)]
            ready += self._decode_times.flush()
        for packet in ready:
            pid.send(packet)

    def _made(self, packet: rw.Packet, *, readonly: bool) -> FilterPacket:
        return FilterPacket(packet, self, False, readonly)

    def forward(self, ipck: FilterPacket | None) -> None:
        """Sends a packet that came in, as it is."""
        if ipck is not None:
            self._send(ipck._packet.clone())

    def new_pck(self, size: int = 0) -> FilterPacket:
        """A packet with `size` zero bytes to fill."""
        self._out("make packets")
        return self._made(rw.Packet.allocate(size), readonly=False)

    def new_pck_ref(self, ipck: FilterPacket, size: int = 0, offset: int = 0) -> FilterPacket:
        """A packet on `size` bytes of another from `offset` on, not copied; all of them where `size` is 0."""
        self._out("make packets")
        part = source_of(ipck, "new_pck_ref").part(offset, size or ipck.size - offset)
        part.dts = part.cts = part.duration = None
        part.sap, part.properties = 0, None
        return self._made(part, readonly=True)

    def new_pck_copy(self, ipck: FilterPacket) -> FilterPacket:
        """A copy with memory of its own."""
        self._out("make packets")
        return self._made(flat_copy(source_of(ipck, "new_pck_copy")), readonly=False)

    def new_pck_clone(self, ipck: FilterPacket) -> FilterPacket:
        """A copy to change in place."""
        self._out("make packets")
        return self._made(flat_copy(source_of(ipck, "new_pck_clone")), readonly=False)

    def new_pck_shared(self, data: Any) -> FilterPacket:
        """A packet on memory of yours, not copied.

        Leave it unchanged until the filter's `packet_release(opid, pck)` is called, on the session's thread.
        """
        pid = self._out("make packets")
        release = getattr(self._filter, "packet_release", None)
        if release is None:
            raise rw.StateError(
                f"filter {self._filter.name} shares its memory and has no packet_release(opid, pck)",
                hint="it is called when nobody reads the memory any more",
            )

        def released() -> None:
            self.pck_refs.remove(packet)
            self._filter._release(release, self, packet)

        packet = self._made(pid.new_shared(data, released), readonly=True)
        self.pck_refs.append(packet)
        return packet

    # The end

    @property
    def eos(self) -> bool:
        """Input: ended, and its last packet dropped. Output: the end was said; setting it says it."""
        return self._pid.ended and not self._cleared and self._head is None and not self._parts.held

    @eos.setter
    def eos(self, value: bool) -> None:
        pid = self._out("set eos")
        if value and not pid.ended:
            self._flush()
            pid.end()
            self._filter._adapter.moved += 1

    @property
    def has_seen_eos(self) -> bool:
        """The end was seen upstream; packets may be on their way."""
        return not self._cleared and has_ended(self._pid if isinstance(self._pid, rw.Pid) else self._pid.pid)

    @property
    def eos_received(self) -> bool:
        """The end is here; packets before it may wait."""
        return not self._cleared and (self._pid if isinstance(self._pid, rw.Pid) else self._pid.pid).ended

    eos_receievd = eos_received  # as libgpac's binding spells it

    def clear_eos(self, all_pids: bool) -> None:
        """The end of this input, and with `all_pids` of all from the same filter, is forgotten.

        Another source may follow: its PID is another input.
        """
        source = self._in("clear the end").source
        self._cleared = True
        for pid in self._filter.ipids if all_pids else ():
            if isinstance(pid._pid, rw.Link) and pid._pid.source is source:
                pid._cleared = True

    # Properties

    @property
    def name(self) -> str:
        return self._pid.name

    @name.setter
    def name(self, value: str) -> None:
        self._out("set the name").name = value

    @property
    def filter_name(self) -> str:
        """The filter that produces it."""
        return (self._pid.source if isinstance(self._pid, rw.Link) else self._pid.filter).name

    def get_prop(self, pname: str) -> Any:
        found = held(self._pid.properties, pname)
        if found is None and pname in ("Stride", "StrideUV"):
            return _stride(self._pid.properties, pname == "StrideUV")
        return found

    def get_info(self, pname: str) -> Any:
        """What the producer said with `set_info`, else the property."""
        producer = self._pid.pid.data if isinstance(self._pid, rw.Link) else self
        info = producer._info if isinstance(producer, FilterPid) else {}
        return info[pname] if pname in info else self.get_prop(pname)

    def enum_props(self, callback_obj: Any) -> None:
        """Calls `callback_obj.on_prop_enum(name, value)` for each property."""
        enumerate_properties(self._pid.properties, callback_obj)

    def set_prop(self, pcode: str, prop: Any, custom_type: int = 0) -> None:
        """None removes the property."""
        pid = self._out("set properties")
        self._flush()
        pid.set(**{key_of(pid.properties, pcode): to_reelway(pcode, prop, custom_type)})

    def set_info(self, pcode: str, prop: Any, custom_type: int = 0) -> None:
        """As `set_prop`, and no consumer is configured again for it."""
        self._out("set info")
        self._info[pcode] = prop
        if prop is None:
            del self._info[pcode]

    def copy_props(self, ipid: FilterPid | None) -> None:
        pid = self._out("copy properties")
        if ipid is not None:
            self._flush()
            pid.copy_properties(ipid._pid)

    def reset_props(self) -> None:
        pid = self._out("reset properties")
        pid.set(**dict.fromkeys(pid.properties))

    @property
    def timescale(self) -> int:
        return int(self._pid.properties.get("Timescale") or 0)

    @property
    def sparse(self) -> bool:
        """Long gaps between packets are normal."""
        return self._pid.properties.get("StreamType") not in ("Visual", "Audio", "File")

    @property
    def min_pck_dur(self) -> int:
        return self._min_duration

    @property
    def next_ts(self) -> int:
        """Where the next packet is expected [ticks]; -1 where unknown."""
        return self._next_ts

    # Buffers

    @property
    def would_block(self) -> bool:
        return isinstance(self._pid, rw.Pid) and self._pid.blocked

    @property
    def buffer(self) -> int:
        """Media time that waits [us]."""
        return max((link.buffer_us for link in self._links()), default=0)

    @property
    def buffer_full(self) -> bool:
        return any(link.full for link in self._links())

    @property
    def max_buffer(self) -> int:
        """[us]"""
        return int(max((link.limits.seconds for link in self._links()), default=0) * _MICROSECONDS)

    @max_buffer.setter
    def max_buffer(self, value: int) -> None:
        for link in self._links():
            link.send_event(rw.events.BufferRequirement(max_buffer_us=int(value)))

    def get_buffer_occupancy(self) -> BufferOccupancy:
        units = max((link.limits.packets for link in self._links()), default=0)
        return BufferOccupancy(units, self.nb_pck_queued, self.max_buffer, self.buffer, False)

    # Events and the graph

    def send_event(self, evt: FilterEvent) -> None:
        """Upstream from an input PID, downstream from an output PID."""
        evt.base.on_pid = self
        if evt.base.type in (gf.GF_FEVT_PLAY, gf.GF_FEVT_STOP):
            self._playing = evt.base.type == gf.GF_FEVT_PLAY
        event = to_reelway_event(evt)
        if event is not None:
            self._pid.send_event(event)

    @property
    def playing(self) -> bool:
        return self._playing

    def remove(self) -> None:
        """Ends an output PID: its consumers read what was sent, then see its end."""
        pid = self._out("remove")
        if not pid.ended:
            self._flush()
        pid.end()
        if self in self._filter.opids:
            self._filter.opids.remove(self)

    def is_filter_in_parents(self, filter: Filter) -> bool:
        """True where `filter` is somewhere upstream."""
        seen: set[int] = set()
        waiting = [self._pid.source if isinstance(self._pid, rw.Link) else self._pid.filter]
        while waiting:
            upstream = waiting.pop()
            if upstream is filter._filter:
                return True
            if id(upstream) not in seen:
                seen.add(id(upstream))
                waiting += [link.source for link in upstream.ipids]
        return False

    def check_caps(self) -> bool:
        """True where the properties fit the filter's capabilities."""
        return self._filter._accepts(self._pid.properties)

    def query_cap(self, pcode: str) -> Any:
        """The value of a property that every consumer of this output PID asks for; None where none does.

        One that was negotiated goes first.
        """
        if pcode in self._negotiated:
            return from_reelway(pcode, self._negotiated[pcode])
        wanted = [caps[pcode] for link in self._out("query capabilities").links
                  for caps in link.filter.inputs if pcode in caps]  # fmt: skip
        choices = [frozenset(want) for want in wanted if isinstance(want, frozenset)]
        common = sorted(frozenset.intersection(*choices), key=str) if choices else []
        return from_reelway(pcode, common[0]) if common else None

    def negotiate_cap(self, pcode: str, prop: Any, custom_type: int = 0) -> None:
        """Asks for this input with another property, behind what is queued.

        A script's producer that has `reconfigure_output(opid)` is asked, and finds the value with
        `opid.query_cap(pcode)`; else a converter is put between. Raises LinkError where there is none.
        """
        self._in("negotiate")
        negotiate(self, pcode, to_reelway(pcode, prop, custom_type))

    def require_source_id(self) -> None:
        """Nothing to do: Reelway's links know their source."""

    def resolve_template(self, template: str, file_idx: int = 0, suffix: str | None = None) -> str:
        """`$num$` (also `$num%05d$`), `$FS$` and `$Property$` in `template` replaced; `$$` is one `$`."""

        def value(match: re.Match[str]) -> str:
            name, width = match.groups()
            if name is None:
                return "$"
            own: dict[str, Any] = {"num": file_idx, "FS": suffix or ""}
            found = own.get(name, self.get_prop(name))
            if found is None:
                raise rw.UnknownNameError.of("property in the template", name, self._pid.properties)
            return width % int(found) if width else str(found)

        return _TEMPLATE.sub(value, template)

    # Clocks and modes

    def get_clock_type(self) -> int:
        """0: Reelway's PIDs carry no clock references."""
        return 0

    def get_clock_timestamp(self) -> Fraction64:
        return Fraction64(0, 0)

    def discard_block(self) -> None:
        """Nothing to do: Reelway's scheduler grows the link that would deadlock."""

    def allow_direct_dispatch(self) -> None:
        """Nothing to do: one thread sends and consumes already."""

    def loose_connect(self) -> None:
        """Nothing to do: an output PID without consumers is allowed."""

    def set_framing(self, framed: bool) -> None:
        """With False, parts of frames (`start` or `end` is 0) come in as they are; else they are joined."""
        self._in("set framing")
        self._framed = framed

    def set_clock_mode(self, cmode: bool) -> None:
        """Nothing to do: there are no clock references to forward or filter."""

    def set_discard(self, do_discard: bool) -> None:
        """While on, what comes in is dropped before `process` sees it."""
        self._in("discard")
        self._filter._discard(self, do_discard)

    def recompute_dts(self, do_compute: bool) -> None:
        """Output: while on, decode times are found out from composition times; 16 packets wait for that."""
        self._out("recompute decode times")
        if do_compute and self._decode_times is None:
            self._decode_times = DecodeTimes()
        elif not do_compute and self._decode_times is not None:
            self._flush()
            self._decode_times = None


def source_of(ipck: FilterPacket | None, doing: str) -> rw.Packet:
    if ipck is None:
        hint = "get_packet() gives None while none waits"
        raise rw.PacketError(f"{doing} needs a packet, not None", hint=hint)
    return ipck._packet


def enumerate_properties(properties: dict[str, Any], callback_obj: Any) -> None:
    if not hasattr(callback_obj, "on_prop_enum"):
        raise rw.StateError("the callback object has no on_prop_enum(name, value)")
    for name, value in shown(properties):
        callback_obj.on_prop_enum(name, value)


def _stride(properties: Mapping[str, Any], chroma: bool) -> int | None:
    """Bytes a line of raw video, which libgpac always says; Reelway only where lines have gaps."""
    if properties.get("CodecID") != "raw" or not properties.get("PixelFormat"):
        return None
    from reelway.media.layout import layout_of

    planes = layout_of(properties).planes
    return planes[chroma].stride if len(planes) > chroma else None
