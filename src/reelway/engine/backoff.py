"""How long to wait before the next try: longer each time, and never for all sources alike."""

from __future__ import annotations

import random
from collections.abc import Callable

__all__ = ["Backoff"]

FIRST_S = 0.2
LONGEST_S = 3.0
"""A camera is to be seen again within 5 s of its return; connecting takes its part of that."""
JITTER = 0.25
"""Hundreds of sources that were lost together do not come back in one moment."""


class Backoff:
    """Delays [s]: FIRST_S, doubled up to LONGEST_S, each up to JITTER of itself more or less."""

    def __init__(self, draw: Callable[[], float] = random.random) -> None:
        self._draw = draw
        self.tries = 0
        """How many delays were taken since it went well."""

    def next_s(self) -> float:
        delay_s = min(LONGEST_S, FIRST_S * 2.0 ** min(self.tries, 10))
        self.tries += 1
        return delay_s * (1 + JITTER * (2 * self._draw() - 1))

    def reset(self) -> None:
        """It went well."""
        self.tries = 0
