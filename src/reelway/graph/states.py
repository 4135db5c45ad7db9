"""The states of an application, and the only ways from one to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum

from reelway.errors import OptionError

__all__ = ["TRANSITIONS", "State", "checked_state", "way"]


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


def checked_state(value: object) -> State:
    """The state itself, or the one of that name or number. Raises OptionError."""
    if isinstance(value, str) and value.upper() in State.__members__:
        return State[value.upper()]
    if isinstance(value, int) and value in tuple(State):
        return State(value)
    raise OptionError(f"{value!r} is no state", hint=f"one of {', '.join(State.__members__)}")


def way(start: State, end: State) -> Iterator[tuple[State, State]]:
    """The transitions from one state to another, in order; none where they are the same."""
    step = 1 if end > start else -1
    for number in range(start, end, step):
        yield State(number), State(number + step)
