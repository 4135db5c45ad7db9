"""Elements and pads: what a pipeline text names, apart from the filters that do the work."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reelway import elements
from reelway.elements.kinds import ElementKind, PadTemplate, Property
from reelway.errors import (
    LinkError,
    OptionError,
    PipelineError,
    ReelwayError,
    UnknownNameError,
    UnknownOptionError,
)

if TYPE_CHECKING:
    from reelway.graph.filter import Filter
    from reelway.graph.link import Link
    from reelway.graph.pid import Pid
    from reelway.media.packet import Packet
    from reelway.session.application.choice import StreamChoice
    from reelway.session.application.pipeline import Pipeline
    from reelway.session.application.probes import Probe, ProbeKind

__all__ = ["SIGNALS", "Edge", "Element", "Pad", "fits_template", "make_element"]

log = logging.getLogger("reelway.application")

SIGNALS: tuple[str, ...] = ("pad-added", "no-more-pads", "handoff")
"""What an element tells, besides notify::PROPERTY."""


def make_element(kind: str, name: str = "", **properties: Any) -> Element:
    """An element of this kind, in no pipeline yet. Raises UnknownNameError, OptionError."""
    for what, text in (("kind", kind), ("name", name)):
        if not isinstance(text, str):
            raise OptionError(f"the {what} of an element is text, not {text!r}", hint='"videotestsrc"')
    found = elements.find(kind)
    if found.role == "missing":
        raise UnknownNameError(f"{kind} is not part of Reelway", name=kind, hint=f"use {found.instead}")
    element = Element(found, name)
    for key, value in properties.items():
        element.set(key.replace("_", "-"), value)
    return element


class Edge:
    """A link of the pipeline: from a pad that puts out to one that takes."""

    __slots__ = ("done", "sink", "source")

    def __init__(self, source: Pad, sink: Pad) -> None:
        self.source, self.sink = source, sink
        self.done = False
        """The session knows of it."""

    def __repr__(self) -> str:
        return f"<{self.source.element.name}.{self.source.name} ! {self.sink.element.name}.{self.sink.name}>"


class Pad:
    """Where a stream leaves an element or gets into it.

    The name is empty for one that appears when its stream is found, until then.
    """

    def __init__(self, element: Element, template: PadTemplate, name: str) -> None:
        self.element = element
        self.template = template
        self.name = name
        self.edge: Edge | None = None
        self.filter: Filter | None = None
        """What decodes for it, where the element decodes; its first PID is this pad's."""
        self.choice: StreamChoice | None = None
        """Which of a demuxer's PIDs leaves here."""
        self.probes: list[Probe] = []

    @property
    def direction(self) -> str:
        """`src` or `sink`."""
        return self.template.direction

    @property
    def peer(self) -> Pad | None:
        """The pad that it is linked to."""
        if self.edge is None:
            return None
        return self.edge.sink if self.direction == "src" else self.edge.source

    @property
    def pid(self) -> Pid | None:
        """The stream that leaves here, or that comes in, before any converter; None: it is not there yet."""
        if self.direction == "sink":
            return self.edge.source.pid if self.edge is not None else None
        maker = self.filter or self.element.exit
        if maker is None:
            return None
        if self.filter is None and self.choice is not None:
            return next((pid for pid in tuple(maker.opids) if pid.name == self.choice.taken), None)
        return next(iter(tuple(maker.opids)), None)

    @property
    def link(self) -> Link | None:
        """The input of the sink's filter at the end of this link; None: it is not there yet."""
        consumer = self.edge.sink.element.entry if self.edge is not None else None
        wanted = self.edge.source.pid if self.edge is not None else None
        if consumer is None or wanted is None:
            return None
        return next((link for link in tuple(consumer.ipids) if _origin(link, wanted) is wanted), None)

    def add_probe(self, kind: ProbeKind, callback: Callable[..., Any]) -> Probe:
        """Has `callback` see what passes; see `Probe`."""
        from reelway.session.application.probes import add_probe

        return add_probe(self, kind, callback)

    @property
    def stream(self) -> Mapping[str, Any]:
        """The properties of what flows through it; empty before that is known."""
        if self.direction == "sink" and (link := self.link) is not None:
            return link.properties or link.pid.properties
        pid = self.pid
        return pid.properties if pid is not None else {}

    def __repr__(self) -> str:
        return f"<Pad {self.element.name}.{self.name}>"


def _origin(link: Link, wanted: Pid) -> Pid:
    """`wanted`, or the PID that the first filter in front of `link` with several inputs, or none, sends."""
    pid = link.pid
    while pid is not wanted and len(pid.filter.ipids) == 1:
        pid = pid.filter.ipids[0].pid
    return pid


class Element:
    """A named element with GStreamer's properties. What it does, its filters do; see `realise`."""

    def __init__(self, kind: ElementKind, name: str = "") -> None:
        self.kind = kind
        self.name = name
        self.values: dict[str, Any] = {}
        """Properties that were set, as `settings.fit` gives them."""
        self.pad_values: dict[str, dict[str, Any]] = {}
        self.pads: list[Pad] = []
        self.pipeline: Pipeline | None = None
        self.entry: Filter | None = None
        """The filter that takes its input, while the pipeline is open."""
        self.exit: Filter | None = None
        """The filter whose PIDs are its outputs."""
        self.filter: Filter | None = None
        """The filter that does what the element is there for."""
        self.choices: list[StreamChoice] = []
        """Which streams of a file its pads stand for."""
        self.swallowed = False
        """What it says is done by another element's filter, as a filesrc's by the demuxer behind it."""
        self.written: Callable[..., PipelineError] | None = None
        """An error that points at where a text has it; given a message and a hint."""
        self._signals: dict[str, list[tuple[Callable[..., Any], tuple[Any, ...]]]] = {}
        for template in kind.pads:
            if template.presence == "always":
                self.pads.append(Pad(self, template, template.name))

    # Properties

    def set(self, name: str, value: Any) -> None:
        """Sets a property; one that is live also while the pipeline plays, from its next turn on. Any thread.

        `sink_0::xpos` is a property of a pad. Raises UnknownOptionError, OptionError.
        """
        if "::" in name:
            pad, _, of_pad = name.partition("::")
            self._set_of_pad(pad, of_pad, value)
            return
        property = self.kind.find(name)
        if not property.writable:
            raise OptionError(
                f"{self.name or self.kind.name}.{property.name} can only be read",
                hint="ask for it while the pipeline plays",
            )
        fitted = property.fit(value)
        if property.name == "caps" and fitted:
            _check_caps(self.kind, fitted)
        if self.filter is not None and property.option and not self._opened_over():
            self._update(property, fitted)
        elif self._derives(property) and self.filter is not None and not self._opened_over():
            self._update_derived(property, fitted)
        elif self.filter is not None and property.name == "sync" and self.entry is not self.filter:
            assert self.entry is not None
            self.entry.update("sync", fitted)
        before = self.values.get(property.name)
        self.values[property.name] = fitted
        if self.kind.name == "capsfilter" and property.name == "caps" and not self._opened_over():
            self._set_caps(before)
        self.emit(f"notify::{property.name}", self, property.name)

    def get(self, name: str) -> Any:
        """The value of a property: what it is now, was set to, or by default. Raises UnknownNameError."""
        property = self.kind.find(name)
        if property.read is not None and self.filter is not None:
            return property.read(self.filter)
        return self.values.get(property.name, property.default)

    def is_live(self, name: str) -> bool:
        """True for a property that can change while the pipeline plays."""
        property = self.kind.find(name)
        gated = self.kind.role == "filter" and not any(pad.direction == "src" for pad in self.kind.pads)
        if (gated and property.name == "sync") or (self.kind.name, property.name) == ("capsfilter", "caps"):
            return True
        options = [property.option]
        if self._derives(property):
            options = list(self._derived({}))
        if not all(options) or not options or not property.writable:
            return False
        from reelway import catalog

        declared = catalog.find(self.kind.filter).options()
        return all(each in declared and declared[each].live for each in options)

    def options(self) -> dict[str, Any]:
        """The options of its filter, by what was set and by GStreamer's defaults."""
        made = self.kind.filter_options(self.values)
        if self.kind.pad_option and self.pad_values:
            made[self.kind.pad_option] = {pad: dict(each) for pad, each in self.pad_values.items()}
        if self.kind.count_option:
            made[self.kind.count_option] = sum(each.template.presence == "request" for each in self.pads)
        return made

    def url(self) -> str:
        """Where it reads from or writes to. Raises OptionError where that was not said."""
        assert self.kind.url is not None
        url = self.kind.url(self.kind.fitted(self.values))
        if not url:
            names = [
                each.name for each in self.kind.properties if each.name in ("location", "uri", "fd", "host")
            ]
            error = OptionError(
                f"{self.name} does not say where to {'write' if self.kind.role == 'destination' else 'read'}",
                hint=f"set {names[0] if names else 'its location'}=...",
            )
            self.locate(error)
            raise error
        return url

    def locate(self, error: ReelwayError) -> None:
        """Lets `error`, which came up as the pipeline opened, say where the text has this element."""
        if self.written is not None and error.place is None and not isinstance(error, PipelineError):
            error.place = self.written(error.message, hint=error.hint)
            error.add_note(error.place.caret)

    def _set_of_pad(self, pad: str, name: str, value: Any) -> None:
        wanted = name.replace("_", "-")
        property = next((each for each in self.kind.pad_properties if each.name == wanted), None)
        if property is None:
            raise UnknownOptionError.of(
                f"pad property of {self.kind.name}", name, [each.name for each in self.kind.pad_properties]
            )
        templates = [each for each in self.kind.pads if each.presence == "request"]
        if not any(fits_template(pad, each) for each in templates):
            raise UnknownOptionError.of(f"pad of {self.kind.name}", pad, [each.name for each in templates])
        self.pad_values.setdefault(pad, {})[property.name] = property.option_value(property.fit(value))
        if self.filter is not None and self.kind.pad_option and not self._opened_over():
            self.filter.update(
                self.kind.pad_option, {key: dict(each) for key, each in self.pad_values.items()}
            )

    def _update(self, property: Property, value: Any) -> None:
        assert self.filter is not None
        if self.filter.opened and not self.is_live(property.name):
            raise OptionError(
                f"{self.name}.{property.name} cannot change while the pipeline is open",
                hint="set it before, or go to READY first",
            )
        self.filter.update(property.option, property.option_value(value))

    def _derives(self, property: Property) -> bool:
        """Options of its filter are made of this property and others together, as a text's place."""
        kind = self.kind
        return bool(kind.derive and kind.role == "filter" and not property.option and not property.ignored)

    def _derived(self, change: dict[str, Any]) -> dict[str, Any]:
        assert self.kind.derive is not None
        return dict(self.kind.derive(self.kind.fitted({**self.values, **change})))

    def _update_derived(self, property: Property, value: Any) -> None:
        from reelway import catalog

        assert self.filter is not None
        before, after = self._derived({}), self._derived({property.name: value})
        changed = {name: each for name, each in after.items() if before.get(name) != each}
        declared = catalog.find(self.kind.filter).options()
        if self.filter.opened and not all(declared[name].live for name in changed):
            raise OptionError(
                f"{self.name}.{property.name} cannot change while the pipeline is open",
                hint="set it before, or go to READY first",
            )
        for name, each in changed.items():
            self.filter.update(name, declared[name].default if each is None else each)

    def _set_caps(self, before: Any) -> None:
        assert self.pipeline is not None
        assert self.pipeline.realiser is not None
        try:
            self.pipeline.realiser.set_caps(self)
        except Exception:
            self.values["caps"] = before
            raise

    def _opened_over(self) -> bool:
        return self.pipeline is None or not self.pipeline.open

    # Pads

    def pad(self, name: str) -> Pad:
        """The pad called `name`; one that is to be asked for, or is to appear, is made. Raises LinkError."""
        for each in self.pads:
            if each.name == name:
                return each
        for template in self.kind.pads:
            if template.presence != "always" and fits_template(name, template):
                pad = Pad(self, template, name)
                self.pads.append(pad)
                return pad
        known = [each.name for each in self.kind.pads]
        raise LinkError(
            f"{self.name} has no pad {name!r}",
            hint=f"{self.kind.name} has {', '.join(known)}" if known else f"{self.kind.name} has no pads",
        )

    def free_pad(self, direction: str) -> Pad:
        """A pad of this direction that is not linked: one that is there, or a new one. Raises LinkError."""
        for each in self.pads:
            if each.direction == direction and each.edge is None and each.template.presence == "always":
                return each
        for template in self.kind.pads:
            if template.direction == direction and template.presence != "always":
                name = ""
                if template.presence == "request":
                    name = self._next_name(template)
                pad = Pad(self, template, name)
                self.pads.append(pad)
                return pad
        what = "output" if direction == "src" else "input"
        if any(each.direction == direction for each in self.kind.pads):
            hint = (
                "put `tee name=t` behind it, and link from `t.`"
                if direction == "src"
                else "link one stream only"
            )
            raise LinkError(f"the only {what} of {self.name} is linked already", hint=hint)
        raise LinkError(
            f"{self.name} has no {what}",
            hint=f"{self.kind.name} {'ends' if direction == 'src' else 'begins'} a chain",
        )

    def release(self, pad: Pad) -> None:
        """Gives back a pad that was asked for; it is unlinked first."""
        if self.pipeline is not None and pad.edge is not None:
            self.pipeline.unlink(pad.edge)
        if pad.template.presence != "always" and pad in self.pads:
            self.pads.remove(pad)

    def appear(self, stream_type: str) -> Pad:
        """A new pad for a stream that was found in a file, called as its template says."""
        words = {"Visual": "video", "Audio": "audio", "Text": "subtitle"}
        fitting = [each for each in self.kind.pads if each.presence == "sometimes"]
        named = [each for each in fitting if each.name.startswith(words.get(stream_type, "?"))]
        template = (named or fitting or [PadTemplate("src_%u", "src", "sometimes")])[0]
        pad = Pad(self, template, self._next_name(template))
        self.pads.append(pad)
        return pad

    def _next_name(self, template: PadTemplate) -> str:
        taken = {each.name for each in self.pads}
        names = (template.name.replace("%u", str(n)).replace("%d", str(n)) for n in range(len(taken) + 1))
        return next(name for name in names if name not in taken)

    # Signals

    def connect(self, signal: str, callback: Callable[..., Any], *arguments: Any) -> Callable[[], None]:
        """Has `callback(element, ..., *arguments)` called when `signal` is sent; the value disconnects it.

        pad-added(element, pad) and no-more-pads(element) of what opens files; handoff(element, packet, pad)
        of whatever takes packets; notify::name(element, name) of every property. Called where it happens,
        mostly on the session's thread. An appsink's filter is a `rw.AppSink`, an appsrc's a `rw.AppSource`.
        Raises UnknownNameError for any other signal.
        """
        self._check_signal(signal)
        entry = callback, arguments
        if signal == "handoff" and not self.listens(signal):
            for pad in self.pads:
                if pad.direction == "sink":
                    pad.add_probe("packet", self._hand_off)
        self._signals.setdefault(signal, []).append(entry)
        return lambda: self._signals[signal].remove(entry) if entry in self._signals[signal] else None

    def _check_signal(self, signal: str) -> None:
        if not isinstance(signal, str):
            raise OptionError(f"the name of a signal is text, not {signal!r}", hint=", ".join(SIGNALS))
        detail, known = signal.removeprefix("notify::"), SIGNALS
        if detail != signal:
            if detail == "name":
                return
            known = tuple(f"notify::{each.name}" for each in self.kind.properties)
        if signal not in known:
            raise UnknownNameError.of(f"signal of {self.name or self.kind.name}", signal, known)

    def _hand_off(self, pad: Pad, packet: Packet) -> None:
        self.emit("handoff", self, packet, pad)

    def listens(self, signal: str) -> bool:
        """Somebody is connected to `signal`."""
        return bool(self._signals.get(signal))

    def emit(self, signal: str, *arguments: Any) -> Any:
        """Calls who is connected, in order; the value is the last one's. What they raise is logged."""
        result: Any = None
        for callback, more in tuple(self._signals.get(signal, ())):
            try:
                result = callback(*arguments, *more)
            except Exception:
                log.exception("%s: a callback for %s failed", self.name, signal)
        return result

    def __repr__(self) -> str:
        return f"<{self.kind.name} {self.name}>"


def _check_caps(kind: ElementKind, text: str) -> None:
    """Raises PipelineError for what is no caps text; a caps filter's must be known formats, too."""
    from reelway.graph.mediacaps import MediaCaps
    from reelway.graph.mediaformats import to_bundles

    caps = MediaCaps.parse(text)
    if kind.name == "capsfilter":
        to_bundles(caps)


def fits_template(name: str, template: PadTemplate) -> bool:
    """True where a pad of this template may be called so: video_0 of video_%u."""
    for sign in ("%u", "%d", "%s"):
        if sign in template.name:
            head, tail = template.name.split(sign, 1)
            middle = name[len(head) : len(name) - len(tail)]
            return name.startswith(head) and name.endswith(tail) and (sign == "%s" or middle.isdigit())
    return name == template.name
