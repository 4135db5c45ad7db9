"""From elements to filters: what an open pipeline is made of. The session's thread, or before it runs.

A filesrc and the demuxer behind it are one filter, and so are a muxer and its filesink; a decodebin is a
demuxer and a mark for each stream in front of which the resolver decodes; a sink that keeps time has a gate.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from reelway import catalog
from reelway.elements.flow import pad_number
from reelway.errors import LinkError, OptionError
from reelway.filters.decoded import Decoded
from reelway.filters.gate import Gate, Tempo
from reelway.graph.filter import Filter
from reelway.graph.link import Limits, Link
from reelway.graph.mediacaps import MediaCaps
from reelway.graph.mediaformats import to_bundles
from reelway.graph.select import Selector
from reelway.media.addresses import live_protocol
from reelway.session.application.choice import StreamChoice
from reelway.session.application.element import Edge, Element, Pad
from reelway.session.application.negotiate import asked_of, asked_of_device, coded_as, stream_type_of

if TYPE_CHECKING:
    from reelway.graph.pid import Pid
    from reelway.session.application.pipeline import Pipeline
    from reelway.session.session import Session

__all__ = ["Realiser"]

log = logging.getLogger("reelway.application")

BETWEEN = frozenset(("queue", "queue2", "multiqueue", "identity", "typefind", "capsfilter"))
"""What may stand between a place and who opens it: it does nothing to bytes."""
CONTAINERS = {"flacenc": "flac"}
"""Encoders whose stream has a header that is completed at the end."""
DIRECT = Limits(packets=1, direct=True)
"""In front of a gate nothing waits where the text has no queue, so that a change is seen at once."""


class Realiser:
    """Makes filters for the elements that get a stream; called again, for those that came since."""

    def __init__(self, pipeline: Pipeline, session: Session) -> None:
        self.pipeline = pipeline
        self.session = session
        self.tempo = Tempo()
        self.gates: list[Gate] = []
        self._openers: dict[Element, Element] = {}
        """Who opens a file -> the source that says which."""
        self._told: set[str] = set()
        self._closing: dict[Filter, threading.Event] = {}
        self._closed: weakref.WeakSet[Filter] = weakref.WeakSet()
        session.on_filter_del = self.closed

    def realise(self) -> None:
        """Makes what is not made yet. Raises what a filter has against its options, and LinkError."""
        self.session._ask(self._realise)

    def _realise(self) -> None:
        for element in self.pipeline.elements:
            if element.kind.role == "source" and element.filter is None and not element.swallowed:
                self._find_opener(element)
        for element in self._fed():
            try:
                self._make(element)
            except (LinkError, OptionError) as error:
                element.locate(error)
                raise
        edges = [each for each in self.pipeline.edges if not each.done]
        for edge in reversed(edges):  # who is behind is linked first: nothing is sent to nobody
            if edge.source.element.exit is not None and edge.sink.element.entry is not None:
                try:
                    self._link(edge)
                except LinkError as error:
                    edge.sink.element.locate(error)
                    raise
            elif self._inside(edge):
                edge.done = True

    # Which elements take part

    def _fed(self) -> Iterator[Element]:
        """Elements that need a filter: sources, and what they lead to, each once."""
        seen: set[Element] = set()
        todo = [each for each in self.pipeline.elements if self._begins(each)]
        while todo:
            element = todo.pop(0)
            if element in seen:
                continue
            seen.add(element)
            if element.filter is None and not element.swallowed:
                yield element
            todo += self.pipeline.consumers(element)

    def _begins(self, element: Element) -> bool:
        if element in self._openers or (element.kind.role == "opener" and element.kind.url is not None):
            return True
        return not any(pad.direction == "sink" for pad in element.kind.pads)

    def _find_opener(self, source: Element) -> None:
        """Gives the place that `source` names to the demuxer behind it, where there is one."""
        way, element = [source], source
        while len(behind := self.pipeline.consumers(element)) == 1:
            element = behind[0]
            if _opens(element, straight=len(way) == 1):
                self._openers[element] = source
                for each in way:
                    each.swallowed = True
                return
            if element.kind.name not in BETWEEN:
                return
            way.append(element)

    def _destination(self, closer: Element) -> Element:
        """Where `closer` writes to. Raises LinkError."""
        way: list[Element] = []
        element = closer
        while behind := self.pipeline.consumers(element):
            element = behind[0]
            if element.kind.role == "destination" or element.kind.name == "fakesink":
                for each in (*way, element):
                    each.swallowed = True
                return element
            if element.kind.name not in BETWEEN:
                raise LinkError(
                    f"{closer.name} cannot send to {element.name}",
                    hint="a muxer writes to a filesink, fdsink, udpsink, tcpclientsink or rtmpsink",
                )
            way.append(element)
        raise LinkError(
            f"nothing is behind {closer.name}",
            hint=f"end the chain with `{closer.kind.name} ! filesink location=...`",
        )

    def _inside(self, edge: Edge) -> bool:
        """The edge is between elements that one filter stands for."""
        return edge.source.element.swallowed or edge.sink.element.swallowed

    # Filters

    def _make(self, element: Element) -> None:
        kind = element.kind
        if kind.note and kind.name not in self._told:
            self._told.add(kind.name)
            log.warning("%s: %s", kind.name, kind.note)
        options = element.options()
        match kind.role:
            case "opener" if not self._is_opener(element):
                filter = catalog.find("decoded" if kind.decodes else "forward")()
            case _ if self._is_opener(element):
                place = self._openers.get(element, element)
                told = options if place is element else place.options() if place.kind.role == "source" else {}
                if kind.filter == "live":
                    told = {**told, **asked_of_device(self.pipeline, element)}
                format = {"format": kind.format} if kind.format else {}
                filter = _reader(place.url(), **format, **_known(told))
            case "closer":
                destination = self._destination(element)
                target: Any = destination.url() if destination.kind.url is not None else _Nowhere()
                if kind.format:
                    options["format"] = kind.format
                filter = catalog.find("mux")(dst=target, **options)
            case "destination" if (container := self._container_of(element)) is not None:
                filter = catalog.find("mux")(dst=element.url(), format=container)
            case "source" if kind.filter == "demux":  # nobody behind it opens what it names
                filter = _reader(element.url(), **_known(options))
            case _:
                if kind.url is not None:
                    element.url()  # raises where none was said
                options |= asked_of(self.pipeline, element)
                filter = (kind.maker or catalog.find(kind.filter))(**options)
        if kind.name == "capsfilter":
            filter.inputs = tuple(to_bundles(MediaCaps.parse(element.get("caps"))))  # type: ignore[misc]
        element.filter = element.entry = element.exit = self._add(filter, element.name)
        self._listen(element, filter)
        if any(each.direction == "sink" and each.presence == "request" for each in kind.pads):
            filter.input_number = partial(_number_of, element)
        if element in self.pipeline.sinks and kind.role == "filter" and kind.property("sync") is not None:
            self._put_gate(element)

    def _container_of(self, destination: Element) -> str | None:
        """Of a stream whose bytes alone make no whole file; None: they do."""
        before = [each.kind.name for each in self.pipeline.producers(destination)]
        return next((CONTAINERS[name] for name in before if name in CONTAINERS), None)

    def set_caps(self, element: Element) -> None:
        """A caps filter has other caps: what comes to it is converted to those from here on."""
        filter = element.filter
        assert filter is not None

        def work() -> None:
            before = filter.inputs
            filter.inputs = tuple(to_bundles(MediaCaps.parse(element.get("caps"))))  # type: ignore[misc]
            try:
                for link in tuple(filter.ipids):
                    self.session._edits.refit(link)
            except Exception:
                filter.inputs = before  # type: ignore[misc]
                raise

        self.session._ask(work)

    def _add(self, filter: Filter, name: str) -> Filter:
        filter.name = name
        return self.session.add(filter)

    def _put_gate(self, element: Element) -> None:
        """In front of a sink that keeps time, and in the format that the sink takes."""
        sync = bool(element.get("sync"))
        sink = element.filter
        assert sink is not None
        gate = Gate(tempo=self.tempo, sync=sync)
        gate.inputs = sink.inputs  # type: ignore[misc]  # converted before it waits, not after
        gate.preferred = sink.preferred  # type: ignore[method-assign]
        element.entry = self._add(gate, f"{element.name}.gate")
        self.gates.append(gate)
        gate >> sink

    def _listen(self, element: Element, filter: Filter) -> None:
        """What the filter has to say goes to the bus, under its element's name."""
        if hasattr(filter, "on_message"):
            filter.on_message = lambda name, fields: self.on_message(element, name, fields)

    on_message: Any = staticmethod(lambda _element, _name, _fields: None)
    """Called with element, name and fields when a filter has something to say; set by the application."""

    # Links

    def _link(self, edge: Edge) -> None:
        pad, consumer = edge.source, edge.sink.element.entry
        assert consumer is not None
        producer, choice = self._exit_of(pad, edge)
        self._direct(edge)
        self.session._wiring.declare(producer, consumer, choice, restrict=True)
        edge.done = True

    def _exit_of(self, pad: Pad, edge: Edge) -> tuple[Filter, Selector | None]:
        """The filter whose PIDs leave by `pad`, and which of them; of a decoded stream, who decodes."""
        element = pad.element
        assert element.exit is not None
        if not self._is_opener(element):
            return element.exit, _branch(pad) if element.kind.count_option else None
        if pad.choice is None:
            pad.choice = self._choice(pad, edge)
        if not element.kind.decodes or coded_as(self.pipeline, element):
            return element.exit, pad.choice
        if pad.filter is None:
            pad.name = pad.name or f"src_{sum(each.filter is not None for each in element.pads)}"
            pad.filter = self._add(Decoded(), f"{element.name}.{pad.name}")
            self.session._wiring.declare(element.exit, pad.filter, pad.choice, restrict=True)
        return pad.filter, None

    def _is_opener(self, element: Element) -> bool:
        """It opens a place; a decodebin behind a demuxer opens none, and only decodes."""
        return element in self._openers or (element.kind.role == "opener" and element.kind.url is not None)

    def _choice(self, pad: Pad, edge: Edge) -> StreamChoice:
        others = [each.choice for each in pad.element.pads if each.choice is not None]
        kind, nth = _named(pad.name)
        if not kind:
            kind = stream_type_of(self.pipeline, edge.sink)
            nth = 1 + sum(each.stream_type == kind for each in others)
        return StreamChoice.make(kind, nth, pad.element.choices)

    def _direct(self, edge: Edge) -> None:
        """Short links where a gate behind them sets the pace."""
        filter = edge.sink.element.entry
        if filter is None or not self._leads_to_gate(edge.sink.element):
            return
        for each in {filter, edge.source.element.exit}:
            if each is not None and each.input_limits is None and not each.conversions:
                each.input_limits = DIRECT

    def _leads_to_gate(self, element: Element) -> bool:
        todo, seen = [element], set()
        while todo:
            here = todo.pop()
            if here in seen:
                continue
            seen.add(here)
            if isinstance(here.entry, Gate) and here.entry.sync:
                return True
            if here.kind.name not in ("queue", "queue2", "multiqueue"):
                todo += self.pipeline.consumers(here)
        return False

    # While it runs

    def appeared(self, pid: Pid) -> tuple[Element, Pad] | None:
        """The pad of a file's stream that is new; None: `pid` is no such stream."""
        for element in self.pipeline.elements:
            if element.exit is pid.filter and self._is_opener(element):
                for pad in element.pads:
                    if pad.choice is not None and pad.choice.taken == pid.name:
                        return element, pad
                pad = element.appear(str(pid.properties.get("StreamType", "")))
                pad.choice = StreamChoice.make("", 1, element.choices)
                pad.choice.taken = pid.name
                return element, pad
        return None

    def remove(self, elements: Sequence[Element]) -> Callable[[float], bool]:
        """Takes their filters out; what they alone feed finishes what it has and goes too.

        The value waits for that, from any thread but the session's.
        """
        leaving = {
            each for element in elements for each in (element.entry, element.filter) if each is not None
        }
        if self.session.finished:
            return lambda _timeout_s: True

        def work() -> None:
            open_yet = leaving - set(self._closed)
            self._closing |= {filter: threading.Event() for filter in open_yet}
            for element in elements:
                if element.entry is not None and element.entry in self.session.filters:
                    self.session.remove(element.entry)

        self.session._ask(work)
        for element in elements:
            element.entry = element.exit = element.filter = None
        return partial(self._wait_closed, leaving)

    def closed(self, filter: Filter) -> None:
        """A filter is closed: who waits for it goes on."""
        self._closed.add(filter)
        event = self._closing.pop(filter, None)
        if event is not None:
            event.set()

    def _wait_closed(self, filters: set[Filter], timeout_s: float) -> bool:
        until = time.monotonic() + timeout_s
        events = [event for filter in filters if (event := self._closing.get(filter)) is not None]
        return all(event.wait(max(0.0, until - time.monotonic())) for event in events)

    def unlink(self, edge: Edge) -> None:
        """The consumer of `edge` reads what is queued, then the end."""
        link = edge.sink.link
        if link is not None:
            self.session._ask(lambda: self.session._edits.end_input(link))

    def forget(self) -> None:
        """The session is over: elements have no filters any more."""
        for element in self.pipeline.elements:
            element.entry = element.exit = element.filter = None
            element.swallowed = False
            for pad in element.pads:
                pad.filter = pad.choice = None
                for probe in pad.probes:
                    probe.attached = False
            element.choices.clear()
        for edge in self.pipeline.edges:
            edge.done = False


def _number_of(element: Element, link: Link) -> int | None:
    """The number of the pad at which a stream comes in: inputs come in any order, pads stay what they are."""
    for pad in element.pads:
        if pad.direction == "sink" and pad.link is link:
            return pad_number(pad.name)
    return None


def _branch(pad: Pad) -> Selector:
    """The one of several outputs that a pad stands for."""
    return Selector.parse(f"#Output={pad_number(pad.name)}")


def _opens(element: Element, *, straight: bool) -> bool:
    """It opens what a source before it names; a parser or a picture decoder only straight behind that."""
    return element.kind.role == "opener" or (
        straight and element.kind.role == "filter" and bool(element.kind.format)
    )


def _reader(url: str, **options: Any) -> Filter:
    """What opens `url`: a demuxer, or for a live source what brings that back when it is lost."""
    return catalog.find("live" if live_protocol(url) else "demux")(src=url, **options)


def _known(options: dict[str, Any]) -> dict[str, Any]:
    """Those options that it has."""
    names = ("timeout_s", "ffmpeg", "transport", "size", "fps", "input_format")
    return {name: options[name] for name in names if name in options}


class _Nowhere:
    """A file that keeps nothing."""

    def write(self, data: Any) -> int:
        return len(data)


def _named(name: str) -> tuple[str, int]:
    """Stream type and number, from 1, of a pad called video_0, audio_1, subtitle_0; ("", 1) for src_0."""
    head, _, number = name.partition("_")
    kind = {"video": "Visual", "audio": "Audio", "subtitle": "Text", "text": "Text"}.get(head, "")
    return (kind, int(number) + 1) if kind and number.isdigit() else ("", 1)
