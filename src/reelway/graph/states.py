"""The states of an application, and the only ways from one to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum

__all__ = ["TRANSITIONS", "State", "way"]


class State(IntEnum):
    """How far an application is: its numbers, and their order, are GStreamer's."""

    NULL = 1
    """Nothing is open."""
    READY = 2
    """Elements and links are checked; nothing is open."""
    PAUSED = 3
    """Sources are open, every sink has its first packet, nothing moves."""
    PLAYING = 4
    """It runs."""

    def __str__(self) -> str:
        return self.name


TRANSITIONS: Mapping[tuple[State, State], str] = {
    (State.NULL, State.READY): "check",
    (State.READY, State.PAUSED): "open",
    (State.PAUSED, State.PLAYING): "play",
    (State.PLAYING, State.PAUSED): "pause",
    (State.PAUSED, State.READY): "close",
    (State.READY, State.NULL): "forget",
}
"""From one state to the next one up or down, and what is done on the way. There is nothing else."""


def way(start: State, end: State) -> Iterator[tuple[State, State]]:
    """The transitions from one state to another, in order; none where they are the same."""
    step = 1 if end > start else -1
    for number in range(start, end, step):
        yield State(number), State(number + step)
