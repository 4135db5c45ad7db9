"""How old packets are when a filter takes them: the time since they were captured."""

from __future__ import annotations

from collections import deque
from time import time_ns

__all__ = ["REMEMBERED", "Ages"]

REMEMBERED = 500
"""The last so many are what percentiles are of: 20 s of 25 pictures a second."""


class Ages:
    """Filled on the consumer's thread; looked at from any, for what it holds changes under the GIL alone."""

    __slots__ = ("count", "last_ns", "most_ns", "recent")

    def __init__(self) -> None:
        self.count = 0
        self.most_ns = self.last_ns = 0
        self.recent: deque[int] = deque(maxlen=REMEMBERED)

    def note(self, captured_ns: int) -> None:
        """A packet of that capture time [ns since 1970] was taken now."""
        age_ns = time_ns() - captured_ns
        if not self.count or age_ns > self.most_ns:
            self.most_ns = age_ns
        self.last_ns = age_ns
        self.count += 1
        self.recent.append(age_ns)
