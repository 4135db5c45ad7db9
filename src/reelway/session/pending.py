"""Which filters may still make a PID for a consumer that must know all its inputs, as a muxer must."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.wiring import Wiring

if TYPE_CHECKING:
    from reelway.session.linker import Onward

__all__ = ["pending"]


def pending(consumer: Filter, wiring: Wiring, made_for: Mapping[Filter, list[Onward]]) -> list[Filter]:
    """Those of its sources, declared, linked or implied, that are not done and have not made all their PIDs.

    `made_for`: the resolver's filters, each with the consumers behind it. It may be asked on a worker's
    thread while the session's thread links: it looks at copies, which the GIL makes in one piece.
    """
    seen: set[Filter] = {consumer}

    def may_make_more(filter: Filter) -> bool:
        if filter in seen:
            return False
        seen.add(filter)
        if getattr(filter.context, "done", False) or not filter.outputs:
            return False
        if not filter.inputs:
            return not filter.opids
        inputs = tuple(filter.ipids)
        if any(not link.configured and not link.ended for link in inputs) or (inputs and not filter.opids):
            return True
        if filter.conversions and any(map(silent, inputs)):
            return True
        return any(may_make_more(source) for source in upstream(filter))

    def silent(link: Link) -> bool:
        """A converter makes an output of each input: that of this one is not there for the session."""
        if link.output is not None:
            return link.output not in tuple(link.filter.opids)  # made in a turn that is not over
        return not link.ended and bool(link.filter.plan(dict(link.properties)))

    def upstream(filter: Filter) -> list[Filter]:
        linked = [link.source for link in tuple(filter.ipids)]
        if filter in made_for:
            return linked
        makers = [
            maker
            for maker, rest in tuple(made_for.items())
            if any(each.consumer is filter for each in tuple(rest))
        ]
        declared = [each.source for each in wiring.sources_of(filter)]
        return (declared or [*linked, *wiring.implied_feeders(filter)]) + makers

    return [source for source in dict.fromkeys(upstream(consumer)) if may_make_more(source)]
