"""The time that filters see: the clock's, without the times in which the session was paused."""

from __future__ import annotations

from typing import NamedTuple

from reelway.runtime.clock import Clock


class _State(NamedTuple):
    lost_s: float
    """How long it stood still in the pauses that are over."""
    paused_at: float | None
    """The clock's time at which it was paused; None while it runs."""


class PausableTime:
    """`now()` and `paused` from any thread; `pause()` and `resume()` from the session's only.

    What they change is one tuple, stored at once: that nobody sees half of a change relies on the GIL, under
    which storing and loading an attribute are atomic.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._state = _State(0.0, None)

    @property
    def paused(self) -> bool:
        return self._state.paused_at is not None

    def now(self) -> float:
        """Running time [s]; it stands still while the session is paused."""
        while True:
            lost_s, paused_at = state = self._state
            at = self._clock.now() if paused_at is None else paused_at
            if state is self._state:  # else a pause lies between the two looks, and would count as time
                return at - lost_s

    def pause(self) -> None:
        lost_s, paused_at = self._state
        if paused_at is None:
            self._state = _State(lost_s, self._clock.now())

    def resume(self) -> None:
        lost_s, paused_at = self._state
        if paused_at is not None:
            self._state = _State(lost_s + self._clock.now() - paused_at, None)
