"""What an application sees of its session while that runs: first packets, new pads, seeks."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from reelway.filters.gate import Gate
from reelway.graph.filter import Filter
from reelway.graph.pid import Pid
from reelway.session.application.probes import attach

if TYPE_CHECKING:
    from reelway.errors import FilterError
    from reelway.session.application.application import Application
    from reelway.session.application.element import Element
    from reelway.session.application.realise import Realiser
    from reelway.session.session import Session

__all__ = ["Watch"]

LOOK_S = 0.005
LONGEST_LOOK_S = 0.25
"""So often it looks whether the sinks have their first packets: ever more seldom, and only until they do."""
_NO_TAGS = frozenset(("major_brand", "minor_version", "compatible_brands"))


class Watch:
    """Follows one session of an application."""

    def __init__(self, application: Application, session: Session, realiser: Realiser) -> None:
        self._application = application
        self._session = session
        self._realiser = realiser
        self._begun: dict[Filter, int] = {}
        self._told: set[Pid] = set()
        self._lock = threading.Lock()  # between those who seek
        self._begun_told = False
        self._asked = self._going = self._there = 0
        """Seeks: asked for (under `_lock`), told to the sources, and done (both the session's thread's;
        `seeking` looks at them from any)."""
        self.ending = False
        """The end was asked for: what is under way shall reach the sinks."""
        session.on_pid_new = self._new_pid
        session._scheduler.on_skip = self._skipped
        if any(map(_is_network, application.pipeline)):
            application.bus.post("buffering", application.pipeline, percent=0)
        self._look_soon()

    def _skipped(self, error: FilterError) -> None:
        source = next((each for each in self._application.pipeline if each.name == error.filter), None)
        self._application.bus.post(
            "warning", source or self._application.pipeline, text=str(error), error=error
        )

    def play(self) -> None:
        """The session goes on."""
        self._session.resume()

    def hurry(self) -> None:
        """Nothing waits for its time any more."""
        self.ending = True
        self._realiser.tempo.free = True
        for gate in self._realiser.gates:
            if gate.opened:
                gate.wake()

    def end(self) -> None:
        """Stops: nothing more is shown, files are whole; after `hurry()` with all that is queued."""
        for gate in self._realiser.gates:
            gate.skipping = not self.ending
        self._session.stop("all" if self.ending else "fast")

    def has_read_all(self) -> bool:
        """A source that could go elsewhere has ended."""
        nodes = self._session._scheduler.nodes
        return any(node.done and node.filter.seeks for node in tuple(nodes))

    def seek(self, start_s: float, end_s: float | None, speed: float) -> None:
        """From any thread: the sources start again there, and what is queued is thrown away."""
        with self._lock:
            self._asked += 1
            number = self._asked

        def work() -> None:
            self._going = number
            for gate in self._realiser.gates:
                gate.skipping = any(each.seeks for each in _sources_of(gate))
                self._begun[gate] = gate.passed
            self._realiser.tempo.set_speed(speed)
            self._session.play(start_s, end_s, speed=speed)
            self._session.resume()
            self._look_soon()

        self._session._scheduler.inbox.put(work)

    @property
    def seeking(self) -> bool:
        """A seek was asked for, and not every sink has the first packet of where it goes."""
        return self._there != self._asked

    def arrived(self) -> None:
        """Every sink has its first packet."""
        self._there = self._going

    # First packets

    def _look_soon(self) -> None:
        self._pause_s = LOOK_S
        self._session.watch(self._look, LOOK_S)

    def _look(self) -> float | None:
        self._pause_s = min(LONGEST_LOOK_S, self._pause_s * 1.2)
        filters = self._sinks()
        if not filters or not all(map(self._has_begun, filters)):
            return self._pause_s
        application = self._application
        if not self._begun_told:
            self._begun_told = True
            self._tell_beginning(filters)
        if application.session is not self._session:
            return None
        return None if application.prerolled() else LOOK_S

    def _tell_beginning(self, sinks: list[Filter]) -> None:
        application = self._application
        self._tell_streams(sinks)
        if any(map(_is_network, application.pipeline)):
            application.bus.post("buffering", application.pipeline, percent=100)
        latency = application.query.latency()
        if latency.live:
            application.bus.post("latency", application.pipeline, **latency._asdict())

    def _sinks(self) -> list[Filter]:
        """The filters at the ends of the pipeline, those behind a gate by the gate."""
        found = [
            element.entry for element in self._application.pipeline.elements if element.filter is not None
        ]
        return [each for each in found if each is not None and each.inputs and _is_end(each)]

    def _has_begun(self, filter: Filter) -> bool:
        if getattr(filter.context, "done", False):
            return True
        before = self._begun.get(filter, 0)
        passed = getattr(filter, "passed", None)
        if passed is not None and filter.ipids:
            return passed > before or all(link.ended for link in filter.ipids)
        return bool(filter.ipids) and all(link.packets_out > 0 or link.ended for link in filter.ipids)

    def _tell_streams(self, sinks: list[Filter]) -> None:
        from reelway.graph.mediaformats import of_properties

        for filter in sinks:
            for link in filter.ipids:
                if link.pid not in self._told:
                    self._told.add(link.pid)
                    element = self._element_of(filter)
                    caps = str(of_properties(link.properties))
                    self._application.bus.post("stream-start", element, stream=link.name, caps=caps)

    # New streams

    def _new_pid(self, pid: Pid) -> None:
        self._attach_probes()
        self._session._scheduler.defer(self._attach_probes)  # of links to filters that were in a turn
        if pid.filter in self._session._linker.made_for:
            return
        self._tell_tags(pid)
        appeared = self._realiser.appeared(pid)
        if appeared is not None:
            element, pad = appeared
            element.emit("pad-added", element, pad)
            self._session._scheduler.defer(partial(self._tell_last, element, pid))

    def _tell_last(self, element: Element, pid: Pid) -> None:
        """After the turn in which `pid` came: no other came behind it."""
        if pid is pid.filter.opids[-1]:
            element.emit("no-more-pads", element)

    def _attach_probes(self) -> None:
        for element in self._application.pipeline:
            for pad in element.pads:
                if pad.probes:
                    attach(pad)

    def _tell_tags(self, pid: Pid) -> None:
        properties: Mapping[str, Any] = pid.properties
        tags: dict[str, Any] = {
            str(name): value
            for name, value in {
                **(properties.get("FileMetadata") or {}),
                **(properties.get("Metadata") or {}),
            }.items()
            if name not in _NO_TAGS
        }
        for name, key in (
            ("container-format", "Container"),
            ("language-code", "Language"),
            ("bitrate", "Bitrate"),
        ):
            if properties.get(key):
                tags[name] = properties[key]
        if "Container" in properties and properties.get("CodecID"):
            kind = {"Visual": "video-codec", "Audio": "audio-codec"}.get(
                str(properties.get("StreamType")), "codec"
            )
            tags[kind] = properties["CodecID"]
        element = self._element_of(pid.filter)
        if tags and element is not self._application.pipeline:
            self._application.bus.post("tag", element, tags=tags)

    def _element_of(self, filter: Filter) -> Any:
        for element in self._application.pipeline.elements:
            if filter in (element.filter, element.entry, element.exit):
                return element
        return self._application.pipeline


def _is_network(element: Element) -> bool:
    """It reads from the network."""
    if element.kind.url is None or "Source" not in element.kind.klass:
        return False
    url = element.kind.url(element.kind.fitted(element.values)) or ""
    return "://" in url and not url.startswith("file:")


def _is_end(filter: Filter) -> bool:
    """Nothing is behind it, but what it is the gate of."""
    return isinstance(filter, Gate) or not any(pid.links for pid in filter.opids)


def _sources_of(filter: Filter) -> set[Filter]:
    found: set[Filter] = set()
    todo, seen = [filter], set()
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        if not here.ipids:
            found.add(here)
        todo += here.sources
    return found
