"""The bus: what an application's elements have to say, for whoever listens, in any thread.

`pop()`, iteration and `messages()` take from one bounded queue; callbacks are called by who posts.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

from reelway.errors import DeadlineError, OptionError, nearest
from reelway.filters.mailbox import Mailbox

__all__ = ["KINDS", "Bus", "Kind", "Message"]

log = logging.getLogger("reelway.application")

Kind = Literal[
    "eos",
    "error",
    "warning",
    "state-changed",
    "stream-start",
    "tag",
    "buffering",
    "element",
    "application",
    "latency",
    "async-done",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

MAX_MESSAGES = 1000
"""So many wait when nobody takes them; then the oldest go, and are counted."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `source` is the element or the pipeline it is about, `fields` what it says.

    eos            {}
    error          error (a ReelwayError), debug (text)
    warning        text, error: what went wrong in a filter that goes on (on_error=skip)
    buffering      percent: 0 while the network has not answered, 100 when every sink has its first packet
    state-changed  old, new, pending (State)
    stream-start   stream (name of the PID), caps (text)
    tag            tags (name -> value)
    element        name, and what the filter says, as `level` its rms and peak [dB]
    application    name, and whatever the application posts
    latency        live (bool), latency_s
    async-done     {}
    """

    kind: Kind
    source: Any
    fields: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    number: int = 0
    """Counts all messages of the bus."""
    time_s: float = 0.0
    """When it was posted, on the machine's monotonic clock."""

    @property
    def name(self) -> str:
        """Of its source."""
        return getattr(self.source, "name", "")

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def __str__(self) -> str:
        said = ", ".join(f"{name}={value}" for name, value in self.fields.items() if name != "debug")
        return f"{self.kind} from {self.name}" + (f": {said}" if said else "")


class Bus:
    """Posts and takes messages. Every method may be called from any thread."""

    def __init__(self) -> None:
        self.dropped = 0
        """Messages that nobody took in time."""
        self._box: Mailbox[Message] = Mailbox(MAX_MESSAGES)
        self._numbers = itertools.count(1)
        self._callbacks: list[tuple[frozenset[str], Callable[[Message], Any]]] = []

    def post(self, kind: Kind, source: Any, **fields: Any) -> Message:
        """Calls who is connected, then keeps the message for who takes it."""
        message = Message(
            kind, source, MappingProxyType(fields), number=next(self._numbers), time_s=time.monotonic()
        )
        self.put(message)
        return message

    def put(self, message: Message) -> None:
        """`post()` of a message that is there."""
        for kinds, callback in tuple(self._callbacks):
            if not kinds or message.kind in kinds:
                try:
                    callback(message)
                except Exception:
                    log.exception("a callback for %s messages failed", message.kind)
        while not self._box.offer(message) and not self._box.closed:
            if self._box.poll() is not None:
                self.dropped += 1

    def connect(
        self, kinds: Kind | Collection[Kind], callback: Callable[[Message], Any]
    ) -> Callable[[], None]:
        """Has `callback(message)` called for messages of these kinds (none: all), by the thread that posts.

        It must not wait for the application. The value disconnects it. Raises OptionError.
        """
        entry = _checked(kinds), callback
        self._callbacks.append(entry)
        return lambda: self._callbacks.remove(entry) if entry in self._callbacks else None

    def pop(self, kinds: Kind | Collection[Kind] = (), timeout_s: float | None = 0.0) -> Message | None:
        """The next message of these kinds (none: any); others before it are thrown away.

        Waits for `timeout_s` (None: as long as it takes). None: there is none, or the application is over.
        """
        wanted = _checked(kinds)
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            left = None if until is None else max(0.0, until - time.monotonic())
            try:
                message = self._box.poll() or (None if left == 0 else self._box.take(left))
            except DeadlineError:
                return None
            if message is None or not wanted or message.kind in wanted:
                return message

    def __iter__(self) -> Iterator[Message]:
        """Messages as they come, up to the end of the stream, the error, or the end of the application."""
        while (message := self.pop(timeout_s=None)) is not None:
            yield message
            if message.kind in ("eos", "error"):
                return

    async def messages(self) -> AsyncIterator[Message]:
        """The same for asyncio."""
        while (message := await self._box.take_async(None)) is not None:
            yield message
            if message.kind in ("eos", "error"):
                return

    def close(self) -> None:
        """Nothing more will come; what waits can be taken."""
        self._box.close("the application is over")

    def reopen(self) -> None:
        """The application plays again."""
        if self._box.closed:
            self._box = Mailbox(MAX_MESSAGES)


def _checked(kinds: Kind | Collection[Kind]) -> frozenset[str]:
    wanted = frozenset((kinds,) if isinstance(kinds, str) else kinds)
    for kind in wanted - set(KINDS):
        near = nearest(kind, KINDS)
        raise OptionError(
            f"no messages of kind {kind!r}",
            hint=f"did you mean {near[0]!r}?" if near else f"one of {', '.join(KINDS)}",
        )
    return wanted
