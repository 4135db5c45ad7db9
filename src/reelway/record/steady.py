"""Times of a stream without jumps that no clock explains: a sender set back, or films that were joined."""

from __future__ import annotations

__all__ = ["Steady"]

BACK_S = 1.0
"""What is decoded so much earlier than what came before has jumped; less is the muxer's to repair."""
AHEAD_S = 10.0
"""What is so much later than a live source's clock allows has jumped."""
GAP_S = 60.0
"""The same for what is not live: its gaps are real, up to this length."""
PAUSE_S = 1.0
"""A live source that was silent for longer goes on so much later; less is its network's."""
ALIKE_S = 1.0
"""Streams that jump by nearly the same have jumped together, and stay in step."""
MOST_SHIFTS = 8
"""So many are known, the newest ones."""


class Steady:
    """One stream. What jumps goes on where the packet before it ended, or as much later as it came."""

    def __init__(self, shifts: list[float]) -> None:
        """`shifts` of all streams that are recorded together [s]."""
        self._shifts = shifts
        self._shift_s = 0.0
        self._last: tuple[float, float, float] | None = None
        """Of the packet before: decoded, ended, came [s]."""

    def shift_s(self, decoded_s: float, duration_s: float, now_s: float, live: bool) -> float:
        """What to add to the times of the packet that is decoded at this time and comes at `now_s`."""
        if self._last is not None:
            before_s, ended_s, came_s = self._last
            waited_s = now_s - came_s
            ahead_s = decoded_s - ended_s - (waited_s if live else 0.0)
            if decoded_s < before_s - BACK_S or ahead_s > (AHEAD_S if live else GAP_S):
                goes_on_s = ended_s + (waited_s if live and waited_s > PAUSE_S else 0.0)
                self._shift_s = self._together(self._shift_s + goes_on_s - decoded_s)
        self._last = decoded_s, decoded_s + duration_s, now_s
        return self._shift_s

    def _together(self, shift_s: float) -> float:
        for other_s in self._shifts:
            if abs(other_s - shift_s) < ALIKE_S:
                return other_s
        self._shifts.append(shift_s)
        del self._shifts[:-MOST_SHIFTS]
        return shift_s
