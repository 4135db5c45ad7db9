"""Real time: when a packet is due by the session's clock."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

__all__ = ["Pacer", "RealTime"]

RealTime = Literal["off", "on", "sync"]
BACK_S = 1.0
"""A time that goes back by more than this begins a new run."""


class Pacer:
    """Maps media time to the clock, from the first packet of each stream (`on`) or of all (`sync`) on.

    A packet whose time goes back by more than a second, and the first one after `restart()`, is due at once
    and begins a new run.
    """

    def __init__(self) -> None:
        self._runs: dict[Hashable, tuple[float, float]] = {}
        self._last: dict[Hashable, float] = {}

    def due_s(self, stream: Hashable, media_s: float, now_s: float, speed: float, sync: bool) -> float:
        """When, on the clock that says `now_s`, the packet of `stream` at `media_s` shall be sent."""
        key = None if sync else stream
        last = self._last.get(stream)
        if last is not None and media_s < last - BACK_S:
            self._runs.pop(key, None)
        self._last[stream] = media_s
        start_s, at_s = self._runs.setdefault(key, (media_s, now_s))
        return at_s + (media_s - start_s) / speed

    def restart(self, stream: Hashable = None) -> None:
        """Begins a new run, of one stream and of the clock that all share; of everything without `stream`."""
        if stream is None:
            self._runs.clear()
            self._last.clear()
        else:
            self._runs.pop(stream, None)
            self._runs.pop(None, None)
            self._last.pop(stream, None)
