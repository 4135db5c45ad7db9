"""The reading side: arrays out of a writer's memory, as they come."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
import weakref
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from types import TracebackType
from typing import Any, Literal, Self

import numpy

from reelway.errors import DeadlineError, FormatError, OpenError, OptionError, StateError
from reelway.share import place
from reelway.share.array import SharedArray
from reelway.share.content import Description
from reelway.share.memory import Memory, attach
from reelway.share.wire import VERSION, FrameNote, Kind, Parser, WireError, message, ready, release

__all__ = ["Reader", "look", "open"]

Policy = Literal["every", "latest"]
WhenGone = Literal["end", "error", "wait"]
POLICIES = ("every", "latest")
MOST_MEMORIES = 64


def open(
    name: str,
    *,
    policy: Policy = "every",
    timeout_s: float | None = 10.0,
    when_gone: WhenGone = "end",
    user: int | None = None,
) -> Reader:
    """Reads what is shared as `name`; waits for the writer. No parameter of the writer is repeated.

    policy     `every`: each frame, and the writer waits for this reader, up to its patience; `latest`: the
               newest at each time, and the writer waits for nobody
    timeout_s  how long to wait for the writer; None: as long as it takes
    when_gone  where the writer goes without a word: `end` the frames, raise an `error`, `wait` for another
    user       uid of another user whose writer it is, where that one allows it

    Raises DeadlineError where no writer comes, OpenError where it refuses.
    """
    return Reader(name, policy=policy, timeout_s=timeout_s, when_gone=when_gone, user=user)


class _Outbox:
    """What is said to the writer: also by finalizers of arrays, in any thread, so that nothing here waits."""

    def __init__(self, link: socket.socket) -> None:
        self.link: socket.socket | None = link
        self._waiting: deque[bytes] = deque()
        self._lock = threading.Lock()

    def send(self, data: bytes) -> None:
        self._waiting.append(data)
        self.flush()

    def flush(self) -> None:
        """Sends what it can. Who has the lock sends for who has not."""
        while self._waiting and self._lock.acquire(blocking=False):
            try:
                while self._waiting and self.link is not None:
                    data = self._waiting[0]
                    try:
                        sent = self.link.send(data)
                    except BlockingIOError:
                        return
                    except OSError:
                        self.link = None
                        return
                    self._waiting.popleft()
                    if sent < len(data):
                        self._waiting.appendleft(data[sent:])
                if self.link is None:
                    self._waiting.clear()
            finally:
                self._lock.release()


class Reader:
    """Gives frames as `SharedArray`s. One thread at a time; arrays may go anywhere."""

    def __init__(
        self,
        name: str,
        *,
        policy: Policy = "every",
        timeout_s: float | None = 10.0,
        when_gone: WhenGone = "end",
        user: int | None = None,
    ) -> None:
        if policy not in POLICIES:
            raise OptionError(f"no policy {policy!r}", hint=f"one of {', '.join(POLICIES)}")
        if when_gone not in ("end", "error", "wait"):
            raise OptionError(f"when_gone is {when_gone!r}", hint="one of end, error, wait")
        self.name = place.check_name(name)
        self.policy = policy
        self.when_gone = when_gone
        self.properties: Mapping[str, Any] = {}
        """Of the PID whose frames these are, as they were for the frame that came last."""
        self.info: Mapping[str, Any] = {}
        """What the writer said of itself at the beginning."""
        self.frames = 0
        """Frames that came."""
        self.missed = 0
        """Frames between these that were not for this reader."""
        self._user = user
        self._link: socket.socket | None = None
        self._over = ""
        self._asked = False
        _readers.add(self)
        self._attach(timeout_s)

    # Frames

    def pull(self, timeout_s: float | None = None) -> SharedArray | None:
        """The next frame, in the writer's memory until the array is gone. None: there are no more.

        Raises DeadlineError after `timeout_s`, OpenError where the writer cut this reader off, or went
        without a word and `when_gone` is `error`.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            if self._ready:
                return self._next()
            if self._over:
                return None
            self._ask()
            self._wait(until, timeout_s)

    async def pull_async(self, timeout_s: float | None = None) -> SharedArray | None:
        """`pull()` for asyncio."""
        import asyncio

        loop = asyncio.get_running_loop()
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            if self._ready:
                return self._next()
            if self._over:
                return None
            self._ask()
            link = self._link
            if link is None:
                left = None if until is None else until - time.monotonic()
                await loop.run_in_executor(None, self._attach, left)
                continue
            readable = asyncio.Event()
            loop.add_reader(link, readable.set)
            try:
                left = None if until is None else max(0.0, until - time.monotonic())
                await asyncio.wait_for(readable.wait(), left)
            except TimeoutError:
                raise self._late(timeout_s) from None
            finally:
                loop.remove_reader(link)
            self._receive()

    def poll(self) -> SharedArray | None:
        """The next frame where one is there already."""
        if not self._ready and not self._over:
            self._ask()
            with contextlib.suppress(DeadlineError):
                self._wait(time.monotonic(), 0.0)
        return self._next() if self._ready else None

    def __iter__(self) -> Iterator[SharedArray]:
        while (frame := self.pull()) is not None:
            yield frame

    async def __aiter__(self) -> AsyncIterator[SharedArray]:
        while (frame := await self.pull_async()) is not None:
            yield frame

    def fileno(self) -> int:
        """A descriptor that is readable when `poll()` may have something; for select and its like."""
        if self._link is None:
            raise StateError(f"{self.name} is not connected", hint="its writer is gone")
        self._ask()
        return self._link.fileno()

    @property
    def over(self) -> str:
        """Why there are no more frames; empty while there may be."""
        return self._over if not self._ready else ""

    def close(self) -> None:
        """Lets go. Arrays that are left stay as they are, until they are gone."""
        self._over = self._over or "closed"
        self._ready.clear()
        self._detach()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Inside

    def _attach(self, timeout_s: float | None) -> None:
        """Connects, and waits for the welcome. Raises DeadlineError, OpenError."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        pause_s = 0.005
        while (link := place.connect(self.name, self._user)) is None:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                raise DeadlineError(
                    f"nobody shares {self.name}, after {timeout_s:g} s",
                    hint="`reelway shared` lists what there is",
                )
            time.sleep(pause_s if left is None else min(pause_s, left))
            pause_s = min(0.2, pause_s * 1.5)
        link.setblocking(False)
        self._link = link
        self._outbox = _Outbox(link)
        self._parser = Parser()
        self._descriptors: deque[int] = deque()
        self._memories: dict[int, Memory] = {}
        self._formats: dict[int, Description] = {}
        self._ready: deque[SharedArray] = deque()
        self._welcome = False
        self._asked = False
        self._last = 0
        self._outbox.send(message(Kind.HELLO, {"version": VERSION, "policy": self.policy}))
        while not self._welcome and not self._over:
            self._wait(until, timeout_s)

    def _detach(self) -> None:
        link, self._link = self._link, None
        if link is None:
            return
        self._outbox.link = None
        link.close()
        while self._descriptors:
            os.close(self._descriptors.popleft())
        for memory in self._memories.values():
            memory.close()
        self._memories.clear()

    def _ask(self) -> None:
        """With `latest`: says that it wants a frame."""
        if self.policy == "latest" and not self._asked and self._link is not None:
            self._asked = True
            self._outbox.send(ready(self._last))
        elif self._link is not None:
            self._outbox.flush()

    def _wait(self, until: float | None, timeout_s: float | None) -> None:
        """Until something came, or the deadline."""
        if self._link is None:
            self._attach(None if until is None else max(0.0, until - time.monotonic()))
            return
        watch = select.poll()
        watch.register(self._link, select.POLLIN)
        left = None if until is None else max(0.0, until - time.monotonic()) * 1000
        if not watch.poll(left):
            raise self._late(timeout_s)
        self._receive()

    def _receive(self) -> None:
        assert self._link is not None
        try:
            data, descriptors, _, _ = socket.recv_fds(self._link, 65536, 4)
        except BlockingIOError:
            return
        except OSError:
            data, descriptors = b"", []
        self._descriptors.extend(descriptors)
        if not data:
            self._lost()
            return
        try:
            for kind, body in self._parser.feed(data):
                self._hear(kind, body)
        except WireError as error:
            self._detach()
            raise FormatError(f"{self.name}: the writer does not speak our language: {error}") from None

    def _hear(self, kind: Kind, body: Any) -> None:
        if self._link is None:  # the end was said
            return
        match kind:
            case Kind.WELCOME:
                self._welcome, self.info = True, body
            case Kind.MEMORY:
                self._map(body)
            case Kind.FORMAT:
                number, description = body.get("format"), body.get("description")
                if not isinstance(number, int) or not isinstance(description, dict):
                    raise WireError("FORMAT without a format")
                self._formats = {**dict(list(self._formats.items())[-8:]), number: description}
            case Kind.FRAME:
                self._ready.append(self._found(body))
            case Kind.END:
                self._over = "the writer has ended"
                self._detach()
            case Kind.CUT:
                self._over = str(body.get("reason", "it was cut off"))
                self._detach()
                raise OpenError(f"{self.name}: the writer cut this reader off: {self._over}")
            case _:
                raise WireError(f"{kind.name} from a writer")

    def _map(self, body: dict[str, Any]) -> None:
        number, slots, slot_bytes = body.get("memory"), body.get("slots"), body.get("slot_bytes")
        if not (isinstance(number, int) and isinstance(slots, int) and isinstance(slot_bytes, int)):
            raise WireError("MEMORY without its numbers")
        if not self._descriptors:
            raise WireError("MEMORY without a memory")
        if len(self._memories) >= MOST_MEMORIES:
            raise WireError("too many memories")
        for each in self._memories.values():
            each.close()  # arrays in it keep it
        self._memories = {number: attach(self._descriptors.popleft(), number, slots, slot_bytes)}

    def _found(self, note: FrameNote) -> SharedArray:
        memory, description = self._memories.get(note.memory), self._formats.get(note.format)
        if memory is None or description is None:
            raise WireError("FRAME of a memory or a format that nobody told of")
        if note.slot >= memory.slots or note.size > memory.slot_bytes:
            raise WireError(
                f"FRAME in slot {note.slot} of {memory.slots}, {note.size} of {memory.slot_bytes} bytes"
            )
        exporter: Any = numpy.frombuffer(memory.slot(note.slot, note.size), numpy.uint8)
        gone = weakref.finalize(exporter, self._outbox.send, release(note.sequence))
        gone.atexit = False
        if self._last:
            self.missed += note.sequence - self._last - 1
        self._last, self._asked = note.sequence, False
        return SharedArray.of(memoryview(exporter), description, note)

    def _next(self) -> SharedArray:
        frame = self._ready.popleft()
        self.frames += 1
        self.properties = frame.properties
        return frame

    def _lost(self) -> None:
        """The writer went without a word."""
        self._detach()
        place.tidy(self.name, self._user)
        if self.when_gone == "end":
            self._over = "the writer is gone"
        elif self.when_gone == "error":
            self._over = "the writer is gone"
            raise OpenError(
                f"{self.name}: the writer is gone without a word", hint="it was killed, or has crashed"
            )

    def _late(self, timeout_s: float | None) -> DeadlineError:
        return DeadlineError(f"{self.name}: no frame came, after {timeout_s or 0:g} s")

    def forked(self) -> None:
        """In a child of a fork: the connection is the parent's, and is only closed here."""
        if self._link is not None:
            self._outbox.link = None
            with contextlib.suppress(OSError):
                self._link.close()
            self._link = None
            self._over = "this process is a fork of the one that reads"


def look(name: str, timeout_s: float = 2.0) -> dict[str, Any] | None:
    """What a writer says of itself; None: there is none, or it does not answer in time."""
    link = place.connect(name)
    if link is None:
        return None
    parser = Parser()
    with link:
        link.settimeout(timeout_s)
        try:
            link.sendall(message(Kind.HELLO, {"version": VERSION, "policy": "look"}))
            while data := link.recv(65536):
                for kind, body in parser.feed(data):
                    if kind is Kind.WELCOME:
                        return dict(body)
        except (OSError, WireError):
            return None
    return None


_readers: weakref.WeakSet[Reader] = weakref.WeakSet()


def _forked() -> None:
    for reader in tuple(_readers):
        reader.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
