"""The time that filters see: the clock's, without the times in which the session was paused."""

from __future__ import annotations

from reelway.runtime.clock import Clock


class PausableTime:
    """The session's thread only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lost_s = 0.0
        self._paused_at: float | None = None

    @property
    def paused(self) -> bool:
        return self._paused_at is not None

    def now(self) -> float:
        """Running time [s]; it stands still while the session is paused."""
        at = self._clock.now() if self._paused_at is None else self._paused_at
        return at - self._lost_s

    def pause(self) -> None:
        if self._paused_at is None:
            self._paused_at = self._clock.now()

    def resume(self) -> None:
        if self._paused_at is not None:
            self._lost_s += self._clock.now() - self._paused_at
            self._paused_at = None
