"""An input with another property: the producer is asked, or a converter put between. Other inputs stay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import reelway as rw
from reelway.graph.caps import Mismatch, match

if TYPE_CHECKING:
    from reelway.compat.libgpac.pids import FilterPid

__all__ = ["negotiate"]


def negotiate(pid: FilterPid, pcode: str, value: Any) -> None:
    """What `FilterPid.negotiate_cap` does, with a value of Reelway's."""
    link = pid._in("negotiate")
    adapter, session = pid._filter._adapter, pid._filter._session._session

    def convert() -> None:
        before = adapter.inputs
        kind = link.properties.get("StreamType")
        adapter.inputs = [each for caps in before for each in _narrowed(caps, kind, pcode, value)]  # type: ignore[misc]
        try:
            session._ask(lambda: session._edits.refit(link))
        except rw.ReelwayError:
            adapter.inputs = before  # type: ignore[misc]
            raise

    opid = link.pid.data
    producer = getattr(link.source, "face", None)
    if callable(getattr(producer, "reconfigure_output", None)) and opid is not None:
        opid._filter._negotiate(opid, pcode, value, convert)
    else:
        convert()


def _narrowed(caps: rw.Caps, kind: str | None, pcode: str, value: Any) -> Iterator[rw.Caps]:
    """A bundle of the filter's, with the property where it is for streams of that kind, else as it was."""
    wanted = caps.get("StreamType", rw.Not())
    if isinstance(match({"StreamType": kind}, rw.Caps(StreamType=wanted)), Mismatch):
        yield caps
        return
    if kind is None:
        yield rw.Caps(**{**caps, pcode: value})
        return
    yield rw.Caps(**{**caps, "StreamType": kind, pcode: value})
    others = rw.Not(*wanted.values, kind) if isinstance(wanted, rw.Not) else wanted - {kind}
    if isinstance(others, rw.Not) or others:
        yield rw.Caps(**{**caps, "StreamType": others})
