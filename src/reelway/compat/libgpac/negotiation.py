"""An input with another property: the producer is asked, or a converter put between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reelway as rw

if TYPE_CHECKING:
    from reelway.compat.libgpac.pids import FilterPid

__all__ = ["negotiate"]


def negotiate(pid: FilterPid, pcode: str, value: Any) -> None:
    """What `FilterPid.negotiate_cap` does, with a value of Reelway's."""
    link = pid._in("negotiate")
    adapter, session = pid._filter._adapter, pid._filter._session._session

    def convert() -> None:
        before = adapter.inputs
        adapter.inputs = [rw.Caps(**{**caps, pcode: value}) for caps in before]  # type: ignore[misc]
        try:
            session.relink(adapter, *_origin(link))
        except rw.ReelwayError:
            adapter.inputs = before  # type: ignore[misc]
            raise

    opid = link.pid.data
    producer = getattr(link.source, "face", None)
    if callable(getattr(producer, "reconfigure_output", None)) and opid is not None:
        opid._filter._negotiate(opid, pcode, value, convert)
    else:
        convert()


def _origin(link: rw.Link) -> tuple[rw.Filter, str]:
    """Where an input comes from, past converters, and the selector that chooses it there."""
    pid = link.pid
    while pid.filter.wiring is None and pid.filter.ipids:  # the resolver's
        pid = pid.filter.ipids[0].pid
    return pid.filter, f"#{pid.name}"
