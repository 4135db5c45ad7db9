"""Questions to a running application, answered at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from reelway.errors import OptionError
from reelway.graph.pid import Pid

if TYPE_CHECKING:
    from reelway.graph.mediacaps import MediaCaps
    from reelway.session.application.application import Application
    from reelway.session.application.element import Element, Pad

__all__ = ["Latency", "Queries", "Seeking"]


class Latency(NamedTuple):
    """How far behind its sources a sink is."""

    live: bool
    """A source sends in real time, whoever asks."""
    latency_s: float
    """How late the last packet was let through by the gate that is furthest behind [s]."""


class Seeking(NamedTuple):
    """Where one can go."""

    seekable: bool
    start_s: float
    end_s: float | None
    """None: unknown."""


class Queries:
    """`app.query.position()` and its like. From any thread."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def position(self) -> float | None:
        """Media time of what the sinks show now [s]; None: nothing yet."""
        session, realiser = self._application.session, self._application.pipeline.realiser
        if session is None or realiser is None:
            return None
        positions = [gate.position_s for gate in realiser.gates if gate.position_s is not None]
        if positions:
            return min(positions)
        return session.progress().position_s

    def duration(self) -> float | None:
        """Of the longest stream [s]; None: unknown, or without end."""
        known = [pid.properties.get("Duration") for pid in self._source_pids()]
        return max((float(each) for each in known if each), default=None)

    def caps(self, pad: Pad) -> MediaCaps | None:
        """What flows through `pad` now; None: nothing yet."""
        from reelway.graph.mediaformats import of_properties

        _check_pad(pad, "caps")
        stream = pad.stream
        return of_properties(stream) if stream else None

    def latency(self) -> Latency:
        """Whether it is live, and how late packets come."""
        realiser = self._application.pipeline.realiser
        gates = realiser.gates if realiser is not None else []
        return Latency(
            any(map(_is_live, self._application.pipeline)), max((g.late_s for g in gates), default=0.0)
        )

    def seeking(self) -> Seeking:
        """Whether a seek works, and where to."""
        live = any(map(_is_live, self._application.pipeline))
        sources = {pid.filter for pid in self._source_pids()}
        seekable = not live and bool(sources) and all(source.seeks for source in sources)
        return Seeking(seekable and self._application.session is not None, 0.0, self.duration())

    def bitrate(self, pad: Pad) -> float | None:
        """Of what flows through `pad` [bit/s]: as its source says, else as measured so far; None: unknown."""
        _check_pad(pad, "bitrate")
        said = pad.stream.get("Bitrate")
        if said:
            return float(said)
        link = pad.link
        timescale = pad.stream.get("Timescale")
        if link is None or not timescale or not link.packets_out:
            return None
        position = self.position()
        return link.bytes_out * 8 / position if position else None

    def _source_pids(self) -> Iterator[Pid]:
        session = self._application.session
        for filter in tuple(session.filters) if session is not None else ():
            if not filter.inputs:
                yield from tuple(filter.opids)


def _check_pad(pad: Any, what: str) -> None:
    from reelway.session.application.element import Pad

    if not isinstance(pad, Pad):
        raise OptionError(
            f"query.{what}() wants a pad, not {pad!r}", hint=f'app.query.{what}(app["out"].pad("sink"))'
        )


def _is_live(element: Element) -> bool:
    if element.kind.live:
        return True
    property = element.kind.property("is-live")
    value: Any = element.get("is-live") if property is not None else False
    return bool(value)
