"""What a slow consumer gets of a live source: the newest picture, unless somebody keeps all of them.

Nobody can make a camera wait, so who is late misses something either way. Behind a source that is live
(the property `Live`) links of raw pictures hold a moment of them and no more; whoever has missed one gets the
newest. What is coded goes on whole, and so does what is on its way into a file.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from reelway import catalog
from reelway.graph.link import Limits

if TYPE_CHECKING:
    from reelway.graph.filter import Filter
    from reelway.graph.resolve import Step
    from reelway.graph.wiring import Wiring

__all__ = ["FRESH", "keeps_all"]

FRESH = Limits(packets=8, seconds=0.06, policy="fresh")
"""Two pictures of 25 a second: a consumer that keeps up is not told of every hiccup of a thread."""


def keeps_all(wiring: Wiring, consumer: Filter, steps: Iterable[Step] = ()) -> bool:
    """It, or anything that what it makes is declared for, is a file or an encoder; or one of `steps` is."""
    if any(catalog.find(step.name).kind == "encode" for step in steps):
        return True
    seen: set[Filter] = set()
    todo = [consumer]
    while todo:
        here = todo.pop()
        if here.records or here.kind == "encode":
            return True
        if here not in seen:
            seen.add(here)
            todo += wiring.takers(here)
    return False
