"""Timers: what is to be called later."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

from reelway.runtime.clock import Clock

LEAST_DELAY_S = 1e-6
"""What is left of a time after it was rounded shall not keep a filter asking for ever."""


class Timers:
    """A heap of calls. The session's thread only.

    What was cancelled stays in the heap until it is due, or until most of the heap is such.
    """

    def __init__(self, clock: Clock) -> None:
        self.heap: list[tuple[float, int]] = []
        self.awaited = 0
        """How many calls a session has to wait for before it is over: all but watchers."""
        self._clock = clock
        self._calls: dict[int, tuple[Callable[[], None], bool]] = {}
        self._numbers = itertools.count()

    def at(self, due: float, call: Callable[[], None], *, watches: bool = False) -> int:
        """Has `call` called at `due` [s of the clock]; the value is for `cancel`."""
        number = next(self._numbers)
        self._calls[number] = call, watches
        self.awaited += not watches
        heapq.heappush(self.heap, (due, number))
        if len(self.heap) > 64 + 4 * len(self._calls):
            self.heap = [entry for entry in self.heap if entry[1] in self._calls]
            heapq.heapify(self.heap)
        return number

    def cancel(self, number: int) -> bool:
        """True where it was still to come."""
        call = self._calls.pop(number, None)
        if call is not None:
            self.awaited -= not call[1]
        return call is not None

    def clear(self) -> None:
        """Cancels all but watchers."""
        self._calls = {number: call for number, call in self._calls.items() if call[1]}
        self.awaited = 0

    @property
    def next_due(self) -> float | None:
        """When the next one is due."""
        while self.heap and self.heap[0][1] not in self._calls:
            heapq.heappop(self.heap)
        return self.heap[0][0] if self.heap else None

    def run_due(self) -> None:
        """Calls what is due; what that adds waits for the next time, so that a delay of 0 starves nobody."""
        now = self._clock.now()
        due: list[int] = []
        while self.heap and self.heap[0][0] <= now:
            due.append(heapq.heappop(self.heap)[1])
        for number in due:
            call = self._calls.get(number)
            if call is not None:
                self.cancel(number)
                call[0]()
