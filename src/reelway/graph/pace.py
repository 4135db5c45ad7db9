"""Which sources keep to a pace of their own, so that nobody has to hold back what they send."""

from __future__ import annotations

from collections.abc import Iterator

from reelway.graph.filter import Filter

__all__ = ["keeps_pace", "sources_of"]


def keeps_pace(source: Filter) -> bool:
    """A camera, a network stream, live test pictures: what its PIDs (`Live`) or its option `live` say.

    HTTP live streams do not, nor do recordings on RTSP servers: they come as fast as they are taken.
    """
    return bool(getattr(source, "live", False)) or any(pid.properties.get("Live") for pid in source.opids)


def sources_of(filter: Filter) -> Iterator[Filter]:
    """The filters without inputs that lead to it; itself, where it has none."""
    if not filter.ipids:
        yield filter
    for link in tuple(filter.ipids):
        yield from sources_of(link.source)
