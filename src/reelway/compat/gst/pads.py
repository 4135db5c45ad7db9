"""Pads, pad templates, ghost pads and probes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import reelway as rw
from reelway.compat.gst.caps import Caps
from reelway.compat.gst.constants import ENUMERATIONS
from reelway.compat.gst.events import Event
from reelway.compat.gst.gstobject import GstObject, unused_name
from reelway.compat.gst.gtypes import ParamSpec
from reelway.compat.gst.names import missing
from reelway.compat.gst.padprobes import PadProbeInfo, PadProbeType, ProbeCalls
from reelway.compat.gst.signals import SignalSpec
from reelway.elements.kinds import PadTemplate as CoreTemplate
from reelway.session.application.element import Element as CoreElement
from reelway.session.application.element import Pad as CorePad
from reelway.session.application.element import make_element

__all__ = ["GhostPad", "Pad", "PadProbeInfo", "PadProbeType", "PadTemplate"]

PadDirection: Any = ENUMERATIONS["PadDirection"]
PadLinkReturn: Any = ENUMERATIONS["PadLinkReturn"]
PadPresence: Any = ENUMERATIONS["PadPresence"]
EventType: Any = ENUMERATIONS["EventType"]

_DECODED = {"Visual": "video/x-raw", "Audio": "audio/x-raw", "Text": "text/x-raw"}
_DIRECTIONS = {"src": PadDirection.SRC, "sink": PadDirection.SINK}
_PRESENCES = {
    "always": PadPresence.ALWAYS,
    "sometimes": PadPresence.SOMETIMES,
    "request": PadPresence.REQUEST,
}


class PadTemplate(GstObject):
    """What pads an element has: name, direction, presence, caps."""

    def __init__(self, name_template: str, direction: Any, presence: Any, caps: Caps) -> None:
        super().__init__()
        self._name = self.name_template = name_template
        self.direction, self.presence, self.caps = direction, presence, caps

    @classmethod
    def new(cls, name_template: str, direction: Any, presence: Any, caps: Caps) -> PadTemplate:
        """As the class itself."""
        return cls(name_template, direction, presence, caps)

    @classmethod
    def of(cls, core: CoreTemplate) -> PadTemplate:
        """The face of a template of `reelway.elements`."""
        return cls(core.name, _DIRECTIONS[core.direction], _PRESENCES[core.presence], Caps(core.caps))

    def core(self) -> CoreTemplate:
        """The same for `reelway.elements`."""
        direction: Any = next(name for name, each in _DIRECTIONS.items() if each == self.direction)
        presence: Any = next(name for name, each in _PRESENCES.items() if each == self.presence)
        return CoreTemplate(self.name_template, direction, presence, str(self.caps.media()))

    def get_caps(self) -> Caps:
        """What may flow."""
        return self.caps


class Pad(GstObject):
    """Where a stream leaves an element or gets into it."""

    __gsignals__ = {
        "linked": SignalSpec("linked", arguments=(object,)),
        "unlinked": SignalSpec("unlinked", arguments=(object,)),
    }
    _ids = itertools.count(1)

    def __init__(self, core: CorePad | None = None, element: Any = None) -> None:
        if core is None:
            raise missing(
                "a pad that belongs to no element", "get_static_pad, request_pad_simple, GhostPad.new"
            )
        super().__init__()
        self._core = core
        self._parent = element
        self._probes: dict[int, ProbeCalls] = {}

    @classmethod
    def new(cls, *_arguments: Any) -> Pad:
        """Raises: pads belong to elements, and are made by them."""
        return cls()

    # What it is

    def get_name(self) -> str:
        """Its name."""
        return self._core.name or self._core.template.name.replace("%u", "0")

    def get_direction(self) -> Any:
        """PadDirection.SRC or SINK."""
        return _DIRECTIONS[self._core.direction]

    @property
    def direction(self) -> Any:
        """PadDirection.SRC or SINK."""
        return self.get_direction()

    def get_parent_element(self) -> Any:
        """Its element."""
        return self._parent

    def get_pad_template(self) -> PadTemplate:
        """What it was made from."""
        return PadTemplate.of(self._core.template)

    @property
    def template(self) -> PadTemplate:
        """What it was made from."""
        return self.get_pad_template()

    @property
    def caps(self) -> Caps | None:
        """What flows now."""
        return self.get_current_caps()

    def get_pad_template_caps(self) -> Caps:
        """What may flow."""
        return Caps(self._core.template.caps)

    def target_core(self) -> CorePad:
        """The pad that does the work: its own, or a ghost pad's target's."""
        return self._core

    def get_current_caps(self) -> Caps | None:
        """What flows now; None: nothing yet."""
        from reelway.graph.mediaformats import of_properties

        core = self.target_core()
        stream = core.stream
        if not stream:
            return None
        if core.element.kind.decodes and core.direction == "src" and stream.get("CodecID") != "raw":
            return Caps(_DECODED.get(str(stream.get("StreamType")), "ANY"))  # it is known when it is linked
        return Caps(of_properties(stream))

    def has_current_caps(self) -> bool:
        """True where something flows."""
        return bool(self.target_core().stream)

    get_allowed_caps = get_current_caps

    def query_caps(self, filter: Caps | None = None) -> Caps:
        """What may flow: what flows now, or else what its template says."""
        found = self.get_current_caps() or self.get_pad_template_caps()
        return found if filter is None else filter.intersect(found)

    def query_accept_caps(self, caps: Caps) -> bool:
        """True where that may flow."""
        return self.get_pad_template_caps().can_intersect(caps)

    def is_active(self) -> bool:
        """True while its pipeline is open."""
        pipeline = self.target_core().element.pipeline
        return pipeline is not None and pipeline.open

    def set_active(self, _active: bool) -> bool:
        """True: pads are active with their pipeline."""
        return True

    def is_blocked(self) -> bool:
        """True while a blocking probe is on it."""
        return any(probe.kind == "block" for probe in self.target_core().probes)

    is_blocking = is_blocked

    def get_stream_id(self) -> str | None:
        """The name of its stream."""
        pid = self.target_core().pid
        return None if pid is None else f"{pid.filter.name}/{pid.name}"

    # Properties: those of an input of a compositor

    def _spec_of(self, name: str) -> ParamSpec | None:
        from reelway.compat.gst.specs import spec_of

        kind = self._core.element.kind
        found = next((each for each in kind.pad_properties if each.name == name), None)
        return spec_of(kind, found) if found is not None else super()._spec_of(name)

    def _fetch(self, spec: ParamSpec) -> Any:
        from reelway.compat.gst.specs import to_program

        kind = self._core.element.kind
        found = next((each for each in kind.pad_properties if each.name == spec.name), None)
        if found is None:
            return super()._fetch(spec)
        said = self._core.element.pad_values.get(self._core.name, {})
        held = found.default if found.make or found.choices else said.get(spec.name, found.default)
        return to_program(spec, self.__dict__.get("_values", {}).get(spec.name, held))

    def _store(self, spec: ParamSpec, value: Any) -> None:
        from reelway.compat.gst.specs import to_element

        if not any(each.name == spec.name for each in self._core.element.kind.pad_properties):
            super()._store(spec, value)
            return
        fitting = to_element(self.get_name(), spec, value)
        self._core.element.set(f"{self._core.name}::{spec.name}", fitting)
        self.__dict__.setdefault("_values", {})[spec.name] = fitting

    # Links

    def is_linked(self) -> bool:
        """True where it is linked."""
        return self.target_core().edge is not None

    def get_peer(self) -> Any:
        """The pad that it is linked to; None: none."""
        from reelway.compat.gst.elements import face_of_pad

        peer = self.target_core().peer
        return None if peer is None else face_of_pad(peer)

    def can_link(self, sinkpad: Pad) -> bool:
        """True where `link()` would do."""
        free = not (self.is_linked() or sinkpad.is_linked())
        return free and self.direction == PadDirection.SRC and sinkpad.direction == PadDirection.SINK

    def link(self, sinkpad: Pad) -> Any:
        """Links; PadLinkReturn.OK, or why not."""
        source, sink = self.target_core(), sinkpad.target_core()
        if source.direction != "src" or sink.direction != "sink":
            return PadLinkReturn.WRONG_DIRECTION
        if source.edge is not None or sink.edge is not None:
            return PadLinkReturn.WAS_LINKED
        if source.element.pipeline is None or source.element.pipeline is not sink.element.pipeline:
            return PadLinkReturn.WRONG_HIERARCHY
        if not Caps(source.template.caps).can_intersect(Caps(sink.template.caps)):
            return PadLinkReturn.NOFORMAT
        try:
            source.element.pipeline.link(source, sink)
        except rw.LinkError as error:
            self._parent._root().post_error(error, self._parent)
            return PadLinkReturn.NOFORMAT
        self.emit("linked", sinkpad)
        sinkpad.emit("linked", self)
        return PadLinkReturn.OK

    def link_full(self, sinkpad: Pad, _flags: int) -> Any:
        """`link()`."""
        return self.link(sinkpad)

    def link_maybe_ghosting(self, sink: Pad) -> bool:
        """`link()`, True where it did."""
        return bool(self.link(sink) == PadLinkReturn.OK)

    def unlink(self, sinkpad: Pad) -> bool:
        """Undoes `link()`: what is queued still gets there. False where they were not linked."""
        edge = self.target_core().edge
        if edge is None or edge is not sinkpad.target_core().edge:
            return False
        pipeline = edge.source.element.pipeline
        if pipeline is None:
            return False
        pipeline.unlink(edge)
        self.emit("unlinked", sinkpad)
        sinkpad.emit("unlinked", self)
        return True

    # Probes

    def add_probe(self, mask: int, callback: Callable[..., Any], *user_data: Any) -> int:
        """Calls `callback(pad, info, *user_data)`; returns an id. What it returns is a PadProbeReturn."""
        probe_id = next(self._ids)
        self._probes[probe_id] = ProbeCalls(self, probe_id, int(mask), callback, user_data)
        return probe_id

    def remove_probe(self, id: int) -> None:
        """Ends a probe; what it blocked goes on."""
        probe = self._probes.pop(id, None)
        if probe is not None:
            probe.remove()

    # Events and queries

    def send_event(self, event: Event) -> bool:
        """Gives an event to this pad. The end of the stream ends what is behind it."""
        if event.type == EventType.EOS:
            return self._end()
        root = self._parent._root()
        return bool(root.send_event(event))

    push_event = send_event

    def _end(self) -> bool:
        core = self.target_core()
        pipeline, edge = core.element.pipeline, core.edge
        if pipeline is not None and edge is not None:
            pipeline.unlink(edge)
        return True

    def query_position(self, format: Any) -> Any:
        """As the pipeline's."""
        return self._parent._root().query_position(format)

    def query_duration(self, format: Any) -> Any:
        """As the pipeline's."""
        return self._parent._root().query_duration(format)

    def query(self, query: Any) -> bool:
        """As the pipeline's; caps are its own."""
        if query.type == ENUMERATIONS["QueryType"].CAPS:
            query.set_caps_result(self.query_caps(query.parse_caps()))
            return True
        return bool(self._parent._root().query(query))

    peer_query_caps = query_caps
    peer_query = query

    def get_sticky_event(self, event_type: Any, _idx: int = 0) -> Event | None:
        """The caps, where they are known; None for others."""
        caps = self.get_current_caps()
        return Event.new_caps(caps) if event_type == EventType.CAPS and caps is not None else None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("set_") and name.endswith(("_function", "_function_full")):
            raise missing(f"Pad.{name}", "inherit from GstBase.BaseTransform, PushSrc or BaseSink")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    def __repr__(self) -> str:
        return f"<Gst.Pad object at 0x{id(self):x} ({self._core.element.name}:{self.get_name()})>"


class GhostPad(Pad):
    """A pad of a bin that stands for one of an element within.

    One that has no target yet stands for an identity in its bin, so that it can be linked; `set_target()`
    links that to the target.
    """

    def __init__(self, name: str | None = None, target: Pad | None = None, direction: Any = None) -> None:
        self.stand_in: CoreElement | None = None
        """What it stands for until it has a target."""
        self._target = target
        if target is None:
            if direction is None:
                raise TypeError("you must pass at least one of target and direction")
            self.stand_in = make_element("identity", unused_name("ghost"))
            super().__init__(self._of_stand_in(direction == PadDirection.SRC))
        else:
            super().__init__(target.target_core())
        self._name = name or (target.get_name() if target is not None else unused_name("ghostpad"))

    @classmethod
    def new(cls, name: str | None, target: Pad) -> GhostPad:
        """A pad called `name` that stands for `target`."""
        return cls(name, target)

    @classmethod
    def new_no_target(cls, name: str | None, direction: Any) -> GhostPad:
        """A pad called `name` that gets its target by `set_target()`."""
        return cls(name, None, direction)

    def _of_stand_in(self, outward: bool) -> CorePad:
        assert self.stand_in is not None
        return next(pad for pad in self.stand_in.pads if (pad.direction == "src") is outward)

    def get_name(self) -> str:
        """Its name."""
        return self._name

    def get_target(self) -> Any:
        """What it stands for; None: nothing yet."""
        return self._target

    def set_target(self, newtarget: Pad | None) -> bool:
        """Stands for another from now on; False where that cannot be any more."""
        if newtarget is None or (self.stand_in is None and self.is_linked()):
            return False
        if self.stand_in is None:
            self._core = newtarget.target_core()
        elif not self._join(newtarget.target_core()):
            return False
        self._target = newtarget
        return True

    def _join(self, target: CorePad) -> bool:
        """Links the target to what stands in for it."""
        outward = self.direction == PadDirection.SRC
        inner = self._of_stand_in(not outward)
        pipeline = inner.element.pipeline
        if inner.edge is not None or pipeline is None or target.element.pipeline is not pipeline:
            return False
        try:
            pipeline.link(*((target, inner) if outward else (inner, target)))
        except rw.LinkError:
            return False
        return True
