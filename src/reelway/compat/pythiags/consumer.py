"""`Consumer`: code that gets what a producer found, in the background."""

from __future__ import annotations

from typing import Any

__all__ = ["Consumer"]


class Consumer:
    """Inherit, and write `incoming(events)`; it runs on a thread of its own, and may be slow.

    Between it and the producer is a bounded queue: what it is too slow for is dropped, and counted.
    """

    def incoming(self, events: Any) -> None:
        """Called with what `extract_metadata` returned."""
        raise NotImplementedError(f"{type(self).__name__} has no incoming(events)")
