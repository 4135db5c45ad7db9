"""A pipeline: named elements and the links between their pads, whether it is open or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from reelway.errors import LinkError, StateError, UnknownNameError
from reelway.session.application.element import Edge, Element, Pad

if TYPE_CHECKING:
    from reelway.session.application.branch import Branch
    from reelway.session.application.realise import Realiser

__all__ = ["Pipeline"]


class Pipeline:
    """Elements by name, and edges. While it is open, what is added and linked takes part at once."""

    def __init__(self, name: str = "pipeline0") -> None:
        self.name = name
        self._by_name: dict[str, Element] = {}
        self.edges: list[Edge] = []
        self.bins: dict[str, list[Element]] = {}
        """Elements that the text has in parentheses, by the name of the bin."""
        self.realiser: Realiser | None = None
        """What makes filters of it, while it is open."""
        self._counts: dict[str, int] = {}

    @property
    def elements(self) -> list[Element]:
        """All of them, in the order in which they were added."""
        return list(self._by_name.values())

    @property
    def open(self) -> bool:
        """A session has its filters."""
        return self.realiser is not None

    def add(self, *elements: Element) -> None:
        """Takes elements in; one without a name is called after its kind. Raises StateError."""
        for element in elements:
            if element.pipeline is not None:
                raise StateError(f"{element.name} is in a pipeline already", hint="make another element")
            if element.name in self._by_name:
                raise StateError(
                    f"there is an element called {element.name} already",
                    hint="names are unique in a pipeline",
                )
            element.name = element.name or self.unused_name(element.kind.name)
            element.pipeline = self
            self._by_name[element.name] = element

    def remove(self, *elements: Element) -> Callable[[float], bool]:
        """Takes elements out, unlinked; while open, what they alone feed finishes what it has, and goes.

        The value waits until they are closed, for at most so many seconds: False where they are not.
        """
        for element in elements:
            self._check(element)
        wait = self.realiser.remove(elements) if self.realiser is not None else lambda _timeout_s: True
        for edge in tuple(self.edges):
            if edge.source.element in elements or edge.sink.element in elements:
                self._forget(edge)
        for element in elements:
            del self._by_name[element.name]
            element.pipeline = None
        return wait

    def branch(self, text: str, source: Element | Pad) -> Branch:
        """Puts the pipeline that `text` says behind `source`, also while it plays; see `attach_branch`."""
        from reelway.session.application.branch import attach_branch

        return attach_branch(self, text, source)

    def link(self, source: Element | Pad, sink: Element | Pad) -> Edge:
        """Links two pads, or free pads of two elements. Raises LinkError; then nothing has changed."""
        before = {id(pad) for end in (source, sink) if isinstance(end, Element) for pad in end.pads}
        try:
            return self._link(source, sink)
        except Exception:
            for end in (source, sink):
                if isinstance(end, Element):
                    end.pads[:] = [pad for pad in end.pads if id(pad) in before or pad.edge is not None]
            raise

    def _link(self, source: Element | Pad, sink: Element | Pad) -> Edge:
        made = source if isinstance(source, Pad) else None
        source_pad = made or self._free(source, "src")  # type: ignore[arg-type]
        sink_pad = sink if isinstance(sink, Pad) else self._free(sink, "sink")
        for pad, direction in ((source_pad, "src"), (sink_pad, "sink")):
            if pad.direction != direction:
                raise LinkError(
                    f"{pad.element.name}.{pad.name} is {'an input' if direction == 'src' else 'an output'}",
                    hint="link an output to an input",
                )
            if pad.edge is not None:
                raise LinkError(
                    f"{pad.element.name}.{pad.name} is linked already",
                    hint="put a tee in between" if direction == "src" else "unlink it first",
                )
            self._check(pad.element)
        if self._reaches(sink_pad.element, source_pad.element):
            raise LinkError(
                f"linking {source_pad.element.name} to {sink_pad.element.name} would make a loop",
                hint="what an element puts out must not come back to it",
            )
        edge = Edge(source_pad, sink_pad)
        source_pad.edge = sink_pad.edge = edge
        self.edges.append(edge)
        if self.realiser is not None:
            try:
                self.realiser.realise()
            except Exception:
                self._forget(edge)
                raise
        return edge

    def chain(self, *elements: Element) -> None:
        """Links one after the other."""
        for source, sink in pairwise(elements):
            self.link(source, sink)

    def unlink(self, edge: Edge) -> None:
        """Undoes `link`: the sink gets the end behind what is queued for it."""
        if self.realiser is not None and edge.done:
            self.realiser.unlink(edge)
        self._forget(edge)

    def __getitem__(self, name: str) -> Element:
        """The element called `name`. Raises UnknownNameError that names near ones."""
        if name not in self._by_name:
            raise UnknownNameError.of("element of this pipeline", name, self._by_name)
        return self._by_name[name]

    def __iter__(self) -> Iterator[Element]:
        return iter(self.elements)

    def __contains__(self, element: object) -> bool:
        return isinstance(element, Element) and element.pipeline is self

    @property
    def sinks(self) -> list[Element]:
        """Elements that put nothing out."""
        return [each for each in self.elements if not any(pad.direction == "src" for pad in each.kind.pads)]

    @property
    def sources(self) -> list[Element]:
        """Elements that take nothing in."""
        return [each for each in self.elements if not any(pad.direction == "sink" for pad in each.kind.pads)]

    def consumers(self, element: Element) -> list[Element]:
        """The elements behind it, in the order in which they were linked."""
        return [edge.sink.element for edge in self.edges if edge.source.element is element]

    def producers(self, element: Element) -> list[Element]:
        """The elements in front of it, likewise."""
        return [edge.source.element for edge in self.edges if edge.sink.element is element]

    def _reaches(self, element: Element, other: Element) -> bool:
        """What `element` puts out gets to `other`, or it is that."""
        seen: set[Element] = set()
        todo = [element]
        while todo:
            here = todo.pop()
            if here is other:
                return True
            if here not in seen:
                seen.add(here)
                todo += [pad.peer.element for pad in here.pads if pad.direction == "src" and pad.peer]
        return False

    def _free(self, element: Element, direction: str) -> Pad:
        self._check(element)
        return element.free_pad(direction)

    def _forget(self, edge: Edge) -> None:
        if edge in self.edges:
            self.edges.remove(edge)
        for pad in (edge.source, edge.sink):
            if pad.edge is edge:
                pad.edge = None

    def _check(self, element: Element) -> None:
        if element not in self.elements:
            raise StateError(
                f"{element.name} is not in this pipeline", hint="add it first: pipeline.add(element)"
            )

    def unused_name(self, kind: str) -> str:
        """A name for an element of this kind, as GStreamer gives them: queue0, queue1."""
        while True:
            number = self._counts.get(kind, 0)
            self._counts[kind] = number + 1
            if (name := f"{kind}{number}") not in self._by_name:
                return name
