"""Probes: a program's callbacks at pads, by Reelway's probes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reelway.compat.gst.buffers import Buffer, buffer_of, packet_of
from reelway.compat.gst.constants import ENUMERATIONS
from reelway.compat.gst.events import Event
from reelway.compat.gst.mainloop import report_exception
from reelway.compat.gst.names import missing
from reelway.compat.gst.segments import Segment

if TYPE_CHECKING:
    from reelway.compat.gst.pads import Pad
    from reelway.session.application.element import Pad as CorePad
    from reelway.session.application.probes import ProbeKind

__all__ = ["PadProbeInfo", "PadProbeType", "ProbeCalls"]

log = logging.getLogger("reelway.gst")

PadProbeReturn: Any = ENUMERATIONS["PadProbeReturn"]
PadProbeType: Any = ENUMERATIONS["PadProbeType"]

BUFFERS = int(PadProbeType.BUFFER | PadProbeType.BUFFER_LIST)
EVENTS = int(PadProbeType.EVENT_DOWNSTREAM | PadProbeType.EVENT_FLUSH)
BLOCK, IDLE = int(PadProbeType.BLOCK), int(PadProbeType.IDLE)
_PASSES = (int(PadProbeReturn.DROP), int(PadProbeReturn.HANDLED))
_REMOVE = int(PadProbeReturn.REMOVE)
_PUSHED = PadProbeType.BUFFER | PadProbeType.PUSH


class PadProbeInfo:
    """What a probe sees: `type`, and `get_buffer()` or `get_event()`."""

    offset = size = 0

    def __init__(self, type: Any, id: int, data: Any = None) -> None:
        self.type, self.id, self.data = type, id, data

    def get_buffer(self) -> Buffer | None:
        """The buffer; None where it is none."""
        return self.data if isinstance(self.data, Buffer) else None

    def get_event(self) -> Event | None:
        """The event; None where it is none."""
        return self.data if isinstance(self.data, Event) else None

    def get_buffer_list(self) -> None:
        """None: buffers come one by one."""

    def get_query(self) -> None:
        """None: there are no probes of queries."""


class ProbeCalls:
    """One probe of a program. What its callback raises is shown, and the packet passes."""

    def __init__(
        self, pad: Pad, id: int, mask: int, callback: Callable[..., Any], data: tuple[Any, ...]
    ) -> None:
        self._pad, self._id, self._callback, self._data = pad, id, callback, data
        self._removed = False
        self._begun = False
        """The events before the first buffer were told."""
        self._probes: list[Any] = []
        self._ends_left = 0
        self._place: tuple[Any, ...] = ()
        self._carrier: Any = None
        """The link or PID whose properties say what passes."""
        core = pad.target_core()
        if mask & BUFFERS:
            self._warn_where_nothing_passes(core)
            self._put(core, "packet", self._packet)
        if mask & EVENTS:
            self._put(core, "packet", self._first)
            self._watch_ends(core)
        if mask & BLOCK:
            self._put(core, "block", self._still)
        elif mask & IDLE:
            self._put(core, "idle", self._still)
        if not self._probes:
            raise missing(f"a probe of {PadProbeType(mask)!r}", "probes see buffers, events, or block")
        self._still_type = PadProbeType(mask & (BLOCK | IDLE))

    def _put(self, core: CorePad, kind: ProbeKind, method: Callable[..., Any]) -> None:
        self._still_type = PadProbeType.IDLE if kind == "idle" else PadProbeType.BLOCK
        probe = core.add_probe(kind, method)
        self._probes.append(probe)
        if self._removed:  # by the callback, which was called before add_probe() returned
            probe.remove()

    def remove(self) -> None:
        """Ends it, at once for the callback."""
        self._removed = True
        for probe in self._probes:
            probe.remove()

    def _call(self, type: Any, data: Any = None) -> Any:
        if self._removed:
            return PadProbeReturn.OK
        try:
            said = self._callback(self._pad, PadProbeInfo(type, self._id, data), *self._data)
        except BaseException:  # noqa: BLE001 - shown, and an exit goes on
            report_exception()
            return PadProbeReturn.OK
        if said == _REMOVE:
            self._pad.remove_probe(self._id)
            self.remove()
        return said

    # What Reelway's probes call

    def _stream_of(self, pad: CorePad) -> Mapping[str, Any]:
        """`pad.stream`, looked for again only where what the pad belongs to is another."""
        element = pad.element
        place = pad.edge, element.entry, element.exit
        if place != self._place or self._carrier is None:
            self._place = place
            self._carrier = (pad.link or pad.pid) if pad.direction == "sink" else pad.pid
        carrier = self._carrier
        return (carrier.properties if carrier is not None else None) or pad.stream

    def _packet(self, pad: CorePad, packet: Any) -> Any:
        stream = self._stream_of(pad)
        buffer = buffer_of(packet, stream)
        said = self._call(_PUSHED, buffer)
        if said is not None and said in _PASSES:
            return False
        return packet_of(buffer, stream) if buffer.touched() else None

    def _first(self, pad: CorePad, _packet: Any) -> None:
        """What GStreamer sends before the first buffer."""
        if self._begun:
            return
        self._begun = True
        pid = pad.pid
        self._event(Event.new_stream_start(pid.name if pid is not None else ""))
        caps = self._pad.get_current_caps()
        if caps is not None:
            self._event(Event.new_caps(caps))
        self._event(Event.new_segment(Segment.of_time()))

    def _watch_ends(self, core: CorePad) -> None:
        """The end of what passes here; of a file's place, that of all inputs of who writes it."""
        watched = [core]
        writer = _writer_before(core)
        if writer is not None:
            watched = [each for each in writer.pads if each.direction == "sink" and each.edge is not None]
        self._ends_left = len(watched)
        for each in watched:
            self._put(each, "event", self._mark)

    def _mark(self, pad: CorePad, name: str) -> None:
        if name == "eos":
            self._ends_left -= 1
            if self._ends_left <= 0:
                self._event(Event.new_eos())
        elif self._begun and name == "caps":
            caps = self._pad.get_current_caps()
            if caps is not None:
                self._event(Event.new_caps(caps))
        elif self._begun:
            self._event(Event.new_segment(Segment.of_time()))

    def _event(self, event: Event) -> None:
        self._call(PadProbeType.EVENT_DOWNSTREAM | PadProbeType.PUSH, event)

    def _still(self, _pad: CorePad, _nothing: None) -> None:
        self._call(self._still_type)

    def _warn_where_nothing_passes(self, core: CorePad) -> None:
        if _writer_before(core) is not None:
            log.warning("no buffers are seen at %s: it and the muxer before it are one", core.element.name)


def _writer_before(core: CorePad) -> Any:
    """The muxer that writes to the place that `core` is the input of; None where there is none."""
    element = core.element
    while element.kind.role != "closer":
        before = element.pipeline.producers(element) if element.pipeline is not None else []
        if len(before) != 1 or element.kind.role not in ("destination", "filter") or not _is_place(element):
            return None
        element = before[0]
    return element if core.element is not element else None


def _is_place(element: Any) -> bool:
    return element.kind.role == "destination" or element.kind.name in ("queue", "identity", "capsfilter")
