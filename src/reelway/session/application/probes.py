"""Probes: an application's own code at a pad, on each packet, on news, or while nothing passes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

from reelway.errors import FilterError, OptionError, nearest
from reelway.graph.link import Mark, News
from reelway.media.packet import Packet
from reelway.runtime.linking import hold, release

if TYPE_CHECKING:
    from reelway.graph.filter import Filter
    from reelway.graph.pid import Pid
    from reelway.session.application.element import Pad

__all__ = ["Probe", "ProbeKind", "add_probe", "attach"]

ProbeKind = Literal["packet", "event", "block", "idle"]
KINDS: tuple[ProbeKind, ...] = get_args(ProbeKind)
_EVENTS = {News.CONFIGURE: "caps", News.RESTART: "segment", News.END: "eos"}


class Probe:
    """One probe. `remove()` ends it, from any thread.

    packet  `callback(pad, packet)` for each packet, on the thread of who sends it. None lets it pass, another
            packet goes in its place, False throws it away (counted)
    event   `callback(pad, name)` with caps, segment or eos, which travel in order with the packets
    block   nothing passes any more until the probe is removed; `callback(pad, None)` is called once, then
    idle    `callback(pad, None)` once, between two packets
    """

    def __init__(self, pad: Pad, kind: ProbeKind, callback: Callable[..., Any]) -> None:
        self.pad, self.kind, self.callback = pad, kind, callback
        self.calls = 0
        self.attached = self.removed = False
        self._undo: Callable[[], None] = lambda: None

    def remove(self) -> None:
        if self.removed:
            return
        self.removed = True
        if self in self.pad.probes:
            self.pad.probes.remove(self)
        realiser = self.pad.element.pipeline.realiser if self.pad.element.pipeline else None
        if realiser is not None and not realiser.session.finished:
            realiser.session._scheduler.inbox.put(self._undo)

    # For the application, on the session's thread

    def attach(self, pid: Pid, of_pad: bool) -> None:
        """At `pid`; with `of_pad` False for the one consumer behind the pad."""
        self.attached = True
        consumer = None if of_pad else self._consumer()
        match self.kind:
            case "packet":
                self._undo = pid.add_probe(self._see, consumer)
            case "event":
                self._listen(pid)
            case "block":
                behind = self._entry() or next((link.filter for link in pid.links), None)
                if behind is None:
                    self.attached = False  # nothing is linked to it yet
                    return
                scheduler = behind.context.scheduler  # type: ignore[attr-defined]
                hold(scheduler, behind)
                self._undo = partial(release, scheduler, behind)
                self._once()
            case "idle":
                self._once()
                self.remove()

    def _entry(self) -> Filter | None:
        """What stands still for a block: the first filter of the element behind the pad."""
        pad = self.pad if self.pad.direction == "sink" else self.pad.peer
        return pad.element.entry if pad is not None else None

    def _consumer(self) -> Filter | None:
        pad = self.pad if self.pad.direction == "sink" else self.pad.peer
        return pad.element.filter if pad is not None else None

    def _see(self, packet: Packet) -> Packet | None:
        if self.removed:  # perhaps by itself, and its PID hears of it after this turn
            return packet
        self.calls += 1
        try:
            said = self.callback(self.pad, packet)
        except Exception as cause:
            raise self._failed(f"failed: {type(cause).__name__}: {cause}", cause) from cause
        if said is None or said is True:
            return packet
        if said is False:
            return None
        if isinstance(said, Packet):
            return said
        raise self._failed(
            f"returned {said!r}: None lets pass, False throws away, a packet takes its place", None
        )

    def _failed(self, what: str, cause: Exception | None) -> FilterError:
        """It is the probe's fault, not that of who sends."""
        place = f"{self.pad.element.name}.{self.pad.name}"
        return FilterError(f"the probe at {place} {what}", filter=self.pad.element.name, cause=cause)

    def _listen(self, pid: Pid) -> None:
        """Besides who listens already."""
        before = pid.on_mark

        def told(mark: Mark) -> None:
            if before is not None:
                before(mark)
            if not self.removed:
                self._tell(mark)

        def undo() -> None:
            if pid.on_mark is told:
                pid.on_mark = before

        pid.on_mark, self._undo = told, undo

    def _tell(self, mark: Mark) -> None:
        self.calls += 1
        self.callback(self.pad, _EVENTS[mark.news])

    def _once(self) -> None:
        self.calls += 1
        self.callback(self.pad, None)


def add_probe(pad: Pad, kind: ProbeKind, callback: Callable[..., Any]) -> Probe:
    """Puts a probe at `pad`, now or as soon as its stream is there. Raises OptionError."""
    if kind not in KINDS:
        near = nearest(kind, KINDS)
        raise OptionError(
            f"no probe of kind {kind!r}",
            hint=f"did you mean {near[0]!r}?" if near else f"one of {', '.join(KINDS)}",
        )
    probe = Probe(pad, kind, callback)
    pad.probes.append(probe)
    pipeline = pad.element.pipeline
    if pipeline is not None and pipeline.realiser is not None:
        pipeline.realiser.session._ask(lambda: attach(pad))
    elif kind == "idle":
        probe.attached = True
        probe._once()
        probe.remove()
    return probe


def _arriving(pad: Pad) -> Pid | None:
    """What gets into the filter of a sink pad, at its time."""
    element = pad.element
    if element.entry is not element.filter and element.entry is not None:  # its gate
        return next(iter(tuple(element.entry.opids)), None)
    link = pad.link
    return link.pid if link is not None else None


def attach(pad: Pad) -> None:
    """Puts the probes of `pad` where its packets pass, if that is known."""
    if all(each.attached for each in pad.probes):
        return
    target, of_pad = pad, True
    if pad.direction == "src" and pad.template.presence == "request" and pad.peer is not None:
        target = pad.peer  # of a tee: what goes to this branch
    if target.direction == "sink":
        pid, of_pad = _arriving(target), False
    else:
        pid = target.pid
    if pid is None:
        return
    for probe in [each for each in pad.probes if not each.attached]:
        probe.pad = pad
        probe.attach(pid, of_pad)
