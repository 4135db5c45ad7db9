"""Elements: GStreamer's names on `reelway.session.application`'s."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, ClassVar

import reelway as rw
from reelway.compat.gst.caps import Caps
from reelway.compat.gst.constants import CONSTANTS, ENUMERATIONS
from reelway.compat.gst.gstobject import unused_name
from reelway.compat.gst.gtypes import ParamSpec
from reelway.compat.gst.names import missing
from reelway.compat.gst.pads import Pad, PadTemplate
from reelway.compat.gst.signals import SignalSpec
from reelway.compat.gst.specs import PropertyError, specs_of, to_element, to_program
from reelway.compat.gst.wholes import PartOfWhole
from reelway.session.application.element import SIGNALS, fits_template, make_element
from reelway.session.application.element import Element as CoreElement
from reelway.session.application.element import Pad as CorePad

__all__ = ["Element", "Iterator_", "LinkError", "face_of", "face_of_pad"]

log = logging.getLogger("reelway.gst")

State: Any = ENUMERATIONS["State"]
PadLinkReturn: Any = ENUMERATIONS["PadLinkReturn"]
NONE: int = CONSTANTS["CLOCK_TIME_NONE"]


class LinkError(Exception):
    """Elements that `link_many` could not link."""


class Iterator_:
    """Things, one after the other: for a `for` loop, or by `next()` as C has it."""

    def __init__(self, things: Iterable[Any]) -> None:
        self._things = list(things)
        self._at = 0

    def next(self) -> tuple[Any, Any]:
        """(IteratorResult.OK, thing), then (DONE, None)."""
        if self._at >= len(self._things):
            return ENUMERATIONS["IteratorResult"].DONE, None
        self._at += 1
        return ENUMERATIONS["IteratorResult"].OK, self._things[self._at - 1]

    def resync(self) -> None:
        """From the first again."""
        self._at = 0

    def foreach(self, func: Callable[..., Any], *user_data: Any) -> Any:
        """Calls func(thing, *user_data) for each."""
        for thing in self._things:
            func(thing, *user_data)
        return ENUMERATIONS["IteratorResult"].DONE

    def __iter__(self) -> Iterator[Any]:
        return iter(self._things)


_ANY_SIGNAL = "pad-added pad-removed no-more-pads"
_SIGNALS = {
    "identity": "handoff",
    "fakesink": "handoff preroll-handoff",
    "fakevideosink": "handoff preroll-handoff",
    "fakesrc": "handoff",
    "queue": "overrun underrun running pushing",
    "queue2": "overrun underrun",
    "playbin": "about-to-finish source-setup element-setup video-changed audio-changed text-changed",
    **dict.fromkeys(("decodebin", "decodebin3", "parsebin"), "autoplug-continue unknown-type drained"),
    **dict.fromkeys(("uridecodebin", "urisourcebin"), "autoplug-continue unknown-type drained source-setup"),
    "appsink": "eos new-sample new-preroll",
    "appsrc": "need-data enough-data seek-data",
}
"""Signals that elements of a kind have, besides those that all have."""


class Element(PartOfWhole):
    """An element: properties, pads, links, a state. `Gst.ElementFactory.make` makes one."""

    __gstmetadata__: ClassVar[Any] = None
    __gsttemplates__: ClassVar[Any] = None

    def __init__(self, *_arguments: Any, **properties: Any) -> None:
        self._prepare()
        super().__init__(**properties)

    def _prepare(self) -> None:
        """Gives an element that was made by its class what it is the face of."""
        if "_core" not in self.__dict__:
            raise missing(
                f"{type(self).__name__}() on its own",
                "Gst.ElementFactory.make(name), or inherit from GstBase.BaseTransform, PushSrc or BaseSink",
            )

    def _bind(self, core: CoreElement) -> None:
        """Makes it the face of `core`."""
        self._core = core
        vars(core)["face"] = self
        self._listening: set[str] = set()
        self._numbers: dict[str, int] = {}
        """Template -> the number of the next pad of it."""

    # What it is

    def get_name(self) -> str:
        """Its name."""
        return self._core.name or self._name

    def set_name(self, name: str | None) -> bool:
        """Another name; False where it is in a bin."""
        if self._core.pipeline is not None:
            return False
        self._core.name = name or unused_name(self._core.kind.name)
        return True

    def get_factory(self) -> Any:
        """What it was made by."""
        from reelway.compat.gst.factory import ElementFactory

        return ElementFactory(self._core.kind)

    def get_metadata(self, key: str) -> str | None:
        """long-name, klass, description of its factory."""
        found: str | None = self.get_factory().get_metadata(key)
        return found

    # Properties

    def _spec_of(self, name: str) -> ParamSpec | None:
        return super()._spec_of(name) or specs_of(self._core.kind).get(name)

    def _all_specs(self) -> list[ParamSpec]:
        own = super()._all_specs()
        names = {spec.name for spec in own}
        return own + [spec for name, spec in specs_of(self._core.kind).items() if name not in names]

    def _of_class(self, spec: ParamSpec) -> bool:
        return spec.name == "name" or spec.name in type(self)._specs

    def _fetch(self, spec: ParamSpec) -> Any:
        if self._of_class(spec):
            return super()._fetch(spec)
        return to_program(spec, self._core.get(spec.name))

    def _store(self, spec: ParamSpec, value: Any) -> None:
        if self._of_class(spec):
            super()._store(spec, value)
            return
        try:
            self._core.set(spec.name, value)
        except rw.OptionError as error:
            raise PropertyError(f"{self.get_name()}: {error}", hint=error.hint) from None

    def set_property(self, name: str, value: Any) -> None:
        """Sets a property; while playing it takes effect at the next frame, where it is live."""
        spec = self._known(name)
        if self._of_class(spec):
            super().set_property(name, value)
            return
        if not spec.writable:
            raise TypeError(f"property '{spec.name}' is not writable")
        self._store(spec, to_element(self.get_name(), spec, value))
        self.notify(spec.name)

    # Signals

    def _signal_spec(self, name: str) -> SignalSpec | None:
        own = super()._signal_spec(name)
        if own is None and name in self._element_signals():
            return SignalSpec(name, arguments=None)
        return own

    def _element_signals(self) -> list[str]:
        return f"{_ANY_SIGNAL} {_SIGNALS.get(self._core.kind.name, '')}".split()

    def _signal_names(self) -> list[str]:
        return [*super()._signal_names(), *self._element_signals()]

    def _listen(self, spec: SignalSpec) -> None:
        if spec.arguments is None and spec.name not in self._listening:
            self._listening.add(spec.name)
            if spec.name in SIGNALS:  # others are known, and never sent
                self._core.connect(spec.name, self._forward, spec)

    def _forward(self, _core: CoreElement, *arguments: Any) -> Any:
        """Emits what Reelway's element sent, in GStreamer's words."""
        *given, spec = arguments
        translated = tuple(self._translated(each, given) for each in given)
        if spec.name == "handoff" and self._core.kind.name == "identity":
            translated = translated[:1]
        return self.__dict__["_handlers"].run(spec, "", self, translated)

    def _translated(self, argument: Any, given: list[Any]) -> Any:
        from reelway.compat.gst.buffers import buffer_of

        if isinstance(argument, CorePad):
            return face_of_pad(argument)
        if isinstance(argument, rw.Packet):
            stream = next((each.stream for each in self._core.pads if each.stream), {})
            return buffer_of(argument, stream)
        return argument

    # Pads

    def _pad_faces(self, direction: str = "") -> list[Pad]:
        return [face_of_pad(each) for each in self._core.pads if direction in ("", each.direction)]

    def get_static_pad(self, name: str) -> Pad | None:
        """The pad of that name that is there; None: there is none."""
        return next((pad for pad in self._pad_faces() if pad._core.name == name), None)

    def request_pad_simple(self, name: str) -> Pad | None:
        """A new pad of the template `name`, or with that name; None: there is no such template."""
        for template in self._core.kind.pads:
            if template.presence != "request":
                continue
            if template.name == name or fits_template(name, template):
                wanted = self._unused_pad(template.name) if template.name == name else name
                return face_of_pad(self._core.pad(wanted))
        return self.get_static_pad(name)

    get_request_pad = request_pad_simple

    def request_pad(
        self, templ: PadTemplate, name: str | None = None, _caps: Caps | None = None
    ) -> Pad | None:
        """A new pad of that template."""
        return self.request_pad_simple(name or templ.name_template)

    def _unused_pad(self, template: str) -> str:
        """The name behind the highest that there was; a number is not given twice."""
        head, _, tail = template.replace("%d", "%u").partition("%u")
        for pad in self._core.pads:
            digits = pad.name.removeprefix(head).removesuffix(tail)
            if pad.name.startswith(head) and digits.isdigit():
                self._numbers[template] = max(self._numbers.get(template, 0), int(digits) + 1)
        number = self._numbers[template] = self._numbers.get(template, 0) + 1
        return f"{head}{number - 1}{tail}"

    def release_request_pad(self, pad: Pad) -> None:
        """Gives a pad back that was asked for."""
        self._core.release(pad.target_core())

    def get_pad_template(self, name: str) -> PadTemplate | None:
        """The template of that name."""
        return next((PadTemplate.of(each) for each in self._core.kind.pads if each.name == name), None)

    def get_pad_template_list(self) -> list[PadTemplate]:
        """All templates."""
        return [PadTemplate.of(each) for each in self._core.kind.pads]

    def iterate_pads(self) -> Iterator_:
        """Its pads."""
        return Iterator_(self._pad_faces())

    def iterate_src_pads(self) -> Iterator_:
        """Its outputs."""
        return Iterator_(self._pad_faces("src"))

    def iterate_sink_pads(self) -> Iterator_:
        """Its inputs."""
        return Iterator_(self._pad_faces("sink"))

    @property
    def pads(self) -> list[Pad]:
        """Its pads."""
        return self._pad_faces()

    @property
    def srcpads(self) -> list[Pad]:
        """Its outputs."""
        return self._pad_faces("src")

    @property
    def sinkpads(self) -> list[Pad]:
        """Its inputs."""
        return self._pad_faces("sink")

    @property
    def numpads(self) -> int:
        """How many pads."""
        return len(self._pad_faces())

    def get_compatible_pad(self, pad: Pad, _caps: Caps | None = None) -> Pad | None:
        """A pad that `pad` could be linked to."""
        direction = "sink" if pad.target_core().direction == "src" else "src"
        try:
            return face_of_pad(self._core.free_pad(direction))
        except rw.LinkError:
            return None

    def add_pad(self, pad: Pad) -> bool:
        """Raises: an element's pads come from its templates; bins get ghost pads."""
        raise missing("adding pads to an element", "declare __gsttemplates__, or add a GhostPad to a Gst.Bin")

    # Links

    def _end(self, direction: str, name: str | None = None) -> CorePad:
        """The pad to be linked: that of this name, or a free one. Raises LinkError."""
        return self._core.pad(name) if name else self._core.free_pad(direction)

    def link(self, dest: Element) -> bool:
        """Links a free output to a free input of `dest`; False where that cannot be, which is logged."""
        return self.link_pads(None, dest, None)

    def link_pads(self, srcpadname: str | None, dest: Element, destpadname: str | None) -> bool:
        """Links these pads, None: a free one; False where that cannot be, which is logged."""
        try:
            source, sink = self._end("src", srcpadname), dest._end("sink", destpadname)
            _link(source, sink)
        except rw.ReelwayError as error:
            log.warning("%s and %s are not linked: %s%s", self.name, dest.name, error, _hint(error))
            return False
        return True

    def link_pads_full(
        self, srcpadname: str | None, dest: Element, destpadname: str | None, _flags: int
    ) -> bool:
        """`link_pads()`."""
        return self.link_pads(srcpadname, dest, destpadname)

    def link_filtered(self, dest: Element, filter: Caps | None) -> bool:
        """Links through a capsfilter."""
        return self.link_pads_filtered(None, dest, None, filter)

    def link_pads_filtered(
        self, srcpadname: str | None, dest: Element, destpadname: str | None, filter: Caps | None
    ) -> bool:
        """`link_pads()` through a capsfilter."""
        if filter is None:
            return self.link_pads(srcpadname, dest, destpadname)
        if self._parent is None:
            log.warning("%s is in no bin: add it before linking", self.name)
            return False
        between = face_of(make_element("capsfilter", caps=str(filter.media())))
        self._parent.add(between)
        if self.link_pads(srcpadname, between, None) and between.link_pads(None, dest, destpadname):
            return True
        self._parent.remove(between)
        return False

    @staticmethod
    def link_many(*args: Element) -> None:
        """Links one after the other. Raises Gst.LinkError."""
        for one, other in pairwise(args):
            if not one.link(other):
                raise LinkError(f"Failed to link {one.get_name()} and {other.get_name()}")

    def unlink(self, dest: Element) -> None:
        """Undoes all links to `dest`."""
        for pad in self._pad_faces("src"):
            peer = pad.get_peer()
            if peer is not None and peer.get_parent_element() is dest:
                pad.unlink(peer)

    def unlink_pads(self, srcpadname: str, dest: Element, destpadname: str) -> None:
        """Undoes the link between these pads."""
        source, sink = self.get_static_pad(srcpadname), dest.get_static_pad(destpadname)
        if source is not None and sink is not None:
            source.unlink(sink)

    @classmethod
    def register(cls, _plugin: Any, name: str, rank: int, type: Any) -> bool:
        """Lets `name` make elements of that class, also in pipeline texts."""
        from reelway.compat.gst.factory import register

        return register(name, rank, type)

    @classmethod
    def set_metadata(cls, longname: str, classification: str, description: str, author: str) -> None:
        """What is told of the class."""
        cls.__gstmetadata__ = (longname, classification, description, author)

    @classmethod
    def add_pad_template(cls, templ: PadTemplate) -> None:
        """One more template of the class."""
        cls.__gsttemplates__ = (*(cls.__gsttemplates__ or ()), templ)

    def __repr__(self) -> str:
        return f"<__gi__.{self._type_name()} object at 0x{id(self):x} ({self.get_name()})>"

    def _type_name(self) -> str:
        return f"Gst{self._core.kind.name.capitalize().replace('-', '')}"


def _hint(error: rw.ReelwayError) -> str:
    return f" ({error.hint})" if error.hint else ""


def _link(source: CorePad, sink: CorePad) -> None:
    """Links two pads of one pipeline. Raises LinkError."""
    pipeline = source.element.pipeline
    if pipeline is None or pipeline is not sink.element.pipeline:
        raise rw.LinkError("they are not in the same pipeline", hint="add both before linking them")
    if not Caps(source.template.caps).can_intersect(Caps(sink.template.caps)):
        raise rw.LinkError(
            f"one gives {source.template.caps}, the other takes {sink.template.caps}",
            hint="put a converter, decoder or parser in between",
        )
    pipeline.link(source, sink)


def face_of(core: CoreElement) -> Any:
    """The face of an element; always the same one."""
    found = vars(core).get("face")
    if found is None:
        from reelway.compat.gst.factory import class_of

        kind = class_of(core.kind)
        found = kind() if kind.__dict__.get("_of_program") else kind.__new__(kind)
        found._bind(core)
    return found


def face_of_pad(core: CorePad) -> Pad:
    """The face of a pad; always the same one."""
    found = vars(core).get("face")
    if found is None:
        found = vars(core)["face"] = Pad(core, face_of(core.element))
    pad: Pad = found
    return pad
