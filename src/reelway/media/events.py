"""Events: messages along the graph.

A consumer sends one through its input and it travels upstream, filter by filter, to the source; a producer
sends one through its PID and it travels downstream. Each filter on the way may answer, change or stop it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any


@dataclass(slots=True, kw_only=True)
class Event:
    """Each filter that it passes gets its own, changes it in place, and the next one gets that."""

    pid: Any = field(default=None, repr=False, compare=False)
    """Where it arrives: the receiving filter's own PID when it travels upstream, its input downstream."""
    on_answer: Callable[[Any], None] | None = field(default=None, repr=False, compare=False)

    def answer(self, value: Any) -> None:
        """Has the sender's `on_answer(value)` called, on the session's thread. For who received it."""
        if self.on_answer is not None:
            self.pid.filter.context.defer(partial(self.on_answer, value))

    @property
    def kind(self) -> str:
        return type(self).__name__


@dataclass(slots=True, kw_only=True)
class Play(Event):
    """Deliver media from `start_s` to `end_s` [s of media time; None: to the end] at `speed`."""

    start_s: float = 0.0
    end_s: float | None = None
    speed: float = 1.0


@dataclass(slots=True, kw_only=True)
class Stop(Event):
    """No more packets are wanted. Goes on to the source when every consumer of a PID has said so."""


@dataclass(slots=True, kw_only=True)
class Seek(Event):
    """Go on from `time_s` [s of media time], at the random access point at or before it."""

    time_s: float


@dataclass(slots=True, kw_only=True)
class BufferRequirement(Event):
    """How much media a consumer wants queued before it [us]; None leaves the link's limit as it is."""

    max_buffer_us: int | None = None
    min_playout_us: int | None = None
    max_playout_us: int | None = None


@dataclass(slots=True, kw_only=True)
class Gap(Event):
    """A live source has nothing from `start_s` to `end_s` [s of running time] on.

    Sent downstream twice: when it is lost, with `end_s` None, and when it is there again, as its next packet
    is sent. `reason` is one line for people.
    """

    start_s: float
    end_s: float | None = None
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class User(Event):
    """Anything else, by name."""

    name: str
    value: Any = None
