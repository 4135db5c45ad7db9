"""Bins and pipelines: elements together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import reelway as rw
from reelway.compat.gst.constants import ENUMERATIONS
from reelway.compat.gst.elements import Element, Iterator_, face_of, face_of_pad
from reelway.compat.gst.gstobject import unused_name
from reelway.compat.gst.objects import Property
from reelway.compat.gst.pads import GhostPad, Pad
from reelway.compat.gst.running import Runner, SystemClock
from reelway.compat.gst.signals import SignalSpec
from reelway.elements.kinds import ElementKind
from reelway.session.application.element import Element as CoreElement
from reelway.session.application.element import Pad as CorePad
from reelway.session.application.pipeline import Pipeline as CorePipeline

__all__ = ["AddError", "Bin", "Pipeline"]

CLOSE_S = 10.0
"""`remove()` waits so long for files to be closed."""

_BIN = ElementKind("bin", "Elements together", "Generic/Bin")
_PIPELINE = ElementKind("pipeline", "Elements together, with a clock and a bus", "Generic/Bin")


class AddError(Exception):
    """What could not be added to a bin."""


class Bin(Element):
    """Elements together. They all live in the pipeline of the outermost bin."""

    __gsignals__ = {
        "element-added": SignalSpec("element-added", arguments=(object,)),
        "element-removed": SignalSpec("element-removed", arguments=(object,)),
        "deep-element-added": SignalSpec("deep-element-added", arguments=(object, object)),
        "deep-element-removed": SignalSpec("deep-element-removed", arguments=(object, object)),
    }
    message_forward = Property(type=bool, default=False)
    async_handling = Property(type=bool, default=False)
    _kind = _BIN

    def __init__(self, name: str | None = None, **properties: Any) -> None:
        if not isinstance(name, str):
            name = None
        core = CoreElement(self._kind, name or unused_name(self._kind.name))
        vars(core)["named_by_itself"] = not name
        self._bind(core)
        self._children: list[Element] = []
        self._ghosts: list[GhostPad] = []
        super().__init__(**properties)

    @classmethod
    def new(cls, name: str | None = None) -> Any:
        """A bin of that name."""
        return cls(name)

    def _own_runner(self) -> Runner:
        if self._runner is None:
            self._runner = Runner(self, CorePipeline(self.get_name()))
        return self._runner

    # Who is in it

    def add(self, *args: Element) -> bool:
        """Takes elements in. Raises Gst.AddError where one is in a bin already, or its name is taken."""
        for element in args:
            self._take(element)
        return True

    add_many = add

    def _take(self, element: Element) -> None:
        if element._parent is not None:
            raise AddError(f"{element.get_name()} is in {element._parent.get_name()} already")
        taken = {each.get_name() for each in self._children}
        while element.get_name() in taken and vars(element._core).get("named_by_itself"):
            element._core.name = unused_name(element._core.kind.name)
        if element.get_name() in taken:
            raise AddError(f"{self.get_name()} has an element called {element.get_name()} already")
        pipeline = self._root().core
        if isinstance(element, Bin):
            element._move(pipeline)
        else:
            element._leave_alone()
            _add(pipeline, element._core)
        element._parent = self
        self._children.append(element)
        self.emit("element-added", element)
        self.emit("deep-element-added", self, element)

    def _cores(self) -> Iterator[CoreElement]:
        yield from (pad.stand_in for pad in self._ghosts if pad.stand_in is not None)
        for child in self._children:
            if isinstance(child, Bin):
                yield from child._cores()
            else:
                yield child._core

    def _move(self, pipeline: CorePipeline) -> None:
        """All elements of it, with their links, to another pipeline."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        runner.set_state(ENUMERATIONS["State"].NULL)
        _move(list(self._cores()), runner.core, pipeline)

    def remove(self, *args: Element) -> bool:
        """Takes elements out, unlinked; files behind them are closed when this returns."""
        for element in args:
            if element._parent is not self:
                return False
            pipeline = self._root().core
            if isinstance(element, Bin):
                inside = list(element._cores())
                element._parent = None
                _move(inside, pipeline, element._own_runner().core)
            else:
                root = self._root()
                wait = pipeline.remove(element._core)
                element._parent = None
                if not root.on_own_thread():
                    wait(CLOSE_S)
            self._children.remove(element)
            self.emit("element-removed", element)
            self.emit("deep-element-removed", self, element)
        return True

    remove_many = remove

    def make_and_add(self, factory_name: str, instance_name: str | None = None) -> Element:
        """A new element, in here. Raises Gst.AddError where there is no such kind."""
        from reelway.compat.gst.factory import ElementFactory

        element: Element | None = ElementFactory.make(factory_name, instance_name)
        if element is None:
            raise AddError(f"No such element: {factory_name}")
        self._take(element)
        return element

    @property
    def children(self) -> list[Element]:
        """Its elements, the last one added first."""
        return self._children[::-1]

    @property
    def numchildren(self) -> int:
        """How many."""
        return len(self._children)

    def get_children_count(self) -> int:
        """How many."""
        return len(self._children)

    def get_child_by_index(self, index: int) -> Element:
        """One of them."""
        return self._children[index]

    def _all(self) -> Iterator[Element]:
        for child in self.children:
            yield child
            if isinstance(child, Bin):
                yield from child._all()

    def get_by_name(self, name: str) -> Any:
        """The element of that name, in here or in bins within; None: there is none."""
        return next((each for each in self._all() if each.get_name() == name), None)

    get_child_by_name = get_by_name

    def get_by_name_recurse_up(self, name: str) -> Any:
        """`get_by_name()`, then in the bins around."""
        found = self.get_by_name(name)
        if found is None and self._parent is not None:
            return self._parent.get_by_name_recurse_up(name)
        return found

    def iterate_elements(self) -> Iterator_:
        """Its elements."""
        return Iterator_(self.children)

    def iterate_recurse(self) -> Iterator_:
        """Its elements, and those of bins within."""
        return Iterator_(self._all())

    def iterate_sorted(self) -> Iterator_:
        """Its elements, sinks first."""
        return Iterator_(sorted(self.children, key=lambda each: bool(each._pad_faces("src"))))

    def iterate_sinks(self) -> Iterator_:
        """Elements without outputs."""
        return Iterator_(each for each in self.children if not each._pad_faces("src"))

    def iterate_sources(self) -> Iterator_:
        """Elements without inputs."""
        return Iterator_(each for each in self.children if not each._pad_faces("sink"))

    def find_unlinked_pad(self, direction: Any) -> Pad | None:
        """A pad of an element in here that is not linked."""
        for child in self._children:
            for pad in child._pad_faces():
                if pad.direction == direction and not pad.is_linked():
                    return pad
        return None

    def sync_children_states(self) -> bool:
        """True: elements follow their bin."""
        return True

    def recalculate_latency(self) -> bool:
        """True: there is nothing to be done."""
        return True

    # Pads: those that stand for pads within

    def add_pad(self, pad: Pad) -> bool:
        """One more ghost pad. False where there is one of that name."""
        if not isinstance(pad, GhostPad) or self.get_static_pad(pad.get_name()) is not None:
            return False
        self._ghosts.append(pad)
        pad._parent = self
        if pad.stand_in is not None:
            _add(self._root().core, pad.stand_in)
        self.emit("pad-added", pad)
        return True

    def remove_pad(self, pad: Pad) -> bool:
        """One less."""
        if not isinstance(pad, GhostPad) or pad not in self._ghosts:
            return False
        self._ghosts.remove(pad)
        if pad.stand_in is not None:
            self._root().core.remove(pad.stand_in)
        return True

    def _pad_faces(self, direction: str = "") -> list[Pad]:
        return [pad for pad in self._ghosts if direction in ("", pad._core.direction)]

    def get_static_pad(self, name: str) -> Pad | None:
        """The ghost pad of that name."""
        return next((pad for pad in self._ghosts if pad.get_name() == name), None)

    def _end(self, direction: str, name: str | None = None) -> CorePad:
        for pad in self._pad_faces(direction):
            if (name is None and not pad.is_linked()) or pad.get_name() == name:
                return pad.target_core()
        raise rw.LinkError(
            f"{self.get_name()} has no pad for that",
            hint="bin.add_pad(Gst.GhostPad.new(name, element.get_static_pad(...)))",
        )

    def ghost_unlinked(self) -> None:
        """Ghost pads for one unlinked input and one unlinked output."""
        for name, word in (("src", "SRC"), ("sink", "SINK")):
            pad = self.find_unlinked_pad(getattr(ENUMERATIONS["PadDirection"], word))
            if pad is None:
                pad = self._free_face(name)
            if pad is not None:
                self.add_pad(GhostPad(name, pad))

    def _free_face(self, direction: str) -> Pad | None:
        """A pad of a tee, say, that is made for it."""
        for child in reversed(self._children):
            asked = any(t.direction == direction and t.presence == "request" for t in child._core.kind.pads)
            if asked and not isinstance(child, Bin) and not child._pad_faces(direction):
                found: Pad = face_of_pad(child._core.free_pad(direction))
                return found
        return None

    def adopt(self, core: CorePipeline) -> None:
        """Becomes the face of a pipeline that a text said, with the bins in it."""
        self._runner = Runner(self, core)
        owner = dict.fromkeys(core.elements, self)
        for name, inside in sorted(core.bins.items(), key=lambda item: -len(item[1])):
            within = Bin(name)
            outer = owner[inside[0]] if inside else self
            within._parent = outer
            outer._children.append(within)
            owner |= dict.fromkeys(inside, within)
        for element in core.elements:
            face = face_of(element)
            face._parent = owner[element]
            owner[element]._children.append(face)

    def _type_name(self) -> str:
        return "GstBin"


class Pipeline(Bin):
    """A bin that plays: with a clock and a bus."""

    auto_flush_bus = Property(type=bool, default=True)
    delay = Property(type=int, default=0)
    latency = Property(type=int, default=0)
    _kind = _PIPELINE

    def get_pipeline_clock(self) -> Any:
        """The clock."""
        return SystemClock.obtain()

    def use_clock(self, _clock: Any) -> None:
        """Nothing: there is one clock."""

    auto_clock = set_clock = use_clock

    def set_auto_flush_bus(self, auto_flush: bool) -> None:
        """Whether the bus is emptied with NULL."""
        self.auto_flush_bus = auto_flush

    def get_latency(self) -> int:
        """The latency that was set."""
        return int(self.latency)

    def set_latency(self, latency: int) -> None:
        """Kept; nothing here is late by a fixed time."""
        self.latency = latency

    def _type_name(self) -> str:
        return "GstPipeline"


def _add(pipeline: CorePipeline, core: CoreElement) -> None:
    """Into the pipeline, under another name where that is taken there."""
    if not core.name or core.name in [each.name for each in pipeline]:
        core.name = pipeline.unused_name(core.name or core.kind.name)
    pipeline.add(core)


def _move(cores: list[CoreElement], old: CorePipeline, new: CorePipeline) -> None:
    """Elements, with the links between them."""
    edges = [
        (edge.source, edge.sink)
        for edge in old.edges
        if edge.source.element in cores and edge.sink.element in cores
    ]
    old.remove(*cores)
    for core in cores:
        _add(new, core)
    for source, sink in edges:
        new.link(source, sink)
