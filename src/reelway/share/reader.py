"""The reading side: arrays out of a writer's memory, as they come."""

from __future__ import annotations

import os
import time
import weakref
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from types import TracebackType
from typing import Any, Literal, Self

import numpy

from reelway.errors import DeadlineError, FormatError, OpenError, OptionError, PacketError, StateError
from reelway.share import place
from reelway.share.array import SharedArray
from reelway.share.content import Format
from reelway.share.line import Line
from reelway.share.memory import Memory, attach
from reelway.share.watch import deadline
from reelway.share.wire import VERSION, FrameNote, Kind, Parser, WireError, message, ready

__all__ = ["Reader", "look", "open"]

Policy = Literal["every", "latest"]
WhenGone = Literal["end", "error", "wait"]
POLICIES = ("every", "latest")
GONE = ("end", "error", "wait")
LEAST_PAUSE_S, MOST_PAUSE_S = 0.005, 0.2
"""Between two looks for a writer."""
DYING_MS = 50
"""A process that is killed has closed all it had in a moment."""
CLOSED = "closed"


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
    when_gone  `end` the frames; raise an `error`, where the writer goes without a word; `wait` for the next
               one, which may share something else
    user       uid of another user whose writer it is, where that one allows it

    Raises DeadlineError where no writer comes, OpenError where it refuses, or cannot be trusted.
    """
    return Reader(name, policy=policy, timeout_s=timeout_s, when_gone=when_gone, user=user)


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
        if when_gone not in GONE:
            raise OptionError(f"when_gone is {when_gone!r}", hint=f"one of {', '.join(GONE)}")
        if not (user is None or str(user).isdecimal()):
            raise OptionError(f"user is {user!r}", hint="the number of a user, as `id -u NAME` says it")
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
        self._line: Line | None = None
        self._forget()
        self._ready: deque[SharedArray] = deque()
        self._over = ""
        self._fork = False
        self._untidy = False
        """What its writer has left behind may be there still."""
        self._pause_s = LEAST_PAUSE_S
        _readers.add(self)
        until = deadline(timeout_s)
        try:
            while not self._welcome:
                self._wait(until, timeout_s)
        except BaseException:
            self.close()
            raise

    # Frames

    def pull(self, timeout_s: float | None = None) -> SharedArray | None:
        """The next frame, in the writer's memory until the array is gone. None: there are no more.

        Raises DeadlineError after `timeout_s`, OpenError where the writer cut this reader off, or went
        without a word and `when_gone` is `error`, FormatError where it sends what is no frame, and StateError
        in a fork of the process that reads.
        """
        until = deadline(timeout_s)
        while not self._ready:
            if self._ended():
                return None
            self._ask()
            self._wait(until, timeout_s)
        return self._next()  # None: it was closed meanwhile

    async def pull_async(self, timeout_s: float | None = None) -> SharedArray | None:
        """`pull()` for asyncio. One task at a time."""
        import asyncio

        until = deadline(timeout_s)
        while not self._ready:
            if self._ended():
                return None
            self._ask()
            left = None if until is None else until - time.monotonic()
            if self._line or self._connect():
                self._receive()
            if self._ready or self._over:
                continue
            if (line := self._line) is None:
                await asyncio.sleep(self._pause(left, timeout_s))
                continue
            try:
                async with asyncio.timeout(left):
                    await line.readable()
            except TimeoutError:
                raise self._late(timeout_s) from None
        return self._next()

    def poll(self) -> SharedArray | None:
        """The next frame where one is there already; None: not now, or no more, as `over` says."""
        if not self._ready and not self._ended():
            self._ask()
            if self._line or self._connect():
                self._receive()
        return self._next()

    def __iter__(self) -> Iterator[SharedArray]:
        while (frame := self.pull()) is not None:
            yield frame

    async def __aiter__(self) -> AsyncIterator[SharedArray]:
        while (frame := await self.pull_async()) is not None:
            yield frame

    def fileno(self) -> int:
        """A descriptor that is readable while `poll()` may have something; for select and its like.

        Call `poll()` until it gives None, and then wait: with `latest` that asks for the next frame. It is
        another one after the writer has gone and come back. Raises StateError while there is no writer.
        """
        self._ask()
        line = self._line
        link = line.link if line is not None else None
        if link is None:
            raise StateError(f"{self.name} is not connected", hint="its writer is gone")
        return link.fileno()

    @property
    def over(self) -> str:
        """Why there are no more frames; empty while there may be."""
        return self._over if not self._ready else ""

    def close(self) -> None:
        """Lets go. Arrays that are left stay as they are, until they are gone.

        Another thread or task may close it, too: who waits for a frame then gets None.
        """
        self._over = self._over or CLOSED
        self._ready.clear()
        self._detach()
        self._tidy(DYING_MS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Inside

    def _connect(self) -> Line | None:
        """Looks for the writer once. Raises OpenError."""
        self._tidy()
        link = place.connect(self.name, self._user)
        if link is None:
            return None
        try:
            line = Line(link)
        except OSError as error:  # no descriptors are left
            link.close()
            raise OpenError(f"{self.name} cannot be read: {error.strerror}", errno=error.errno) from None
        self._forget()
        self._parted = weakref.finalize(self, line.leave)
        self._untidy = False
        self._line = line  # last: from now on another thread may close it
        if self._over:  # it has
            self._detach()
            return None
        line.send(message(Kind.HELLO, {"version": VERSION, "policy": self.policy}))
        return line

    def _forget(self) -> None:
        """What one writer told says nothing of another."""
        self._parser = Parser()
        self._memory: Memory | None = None
        self._formats: dict[int, Format] = {}
        self._welcome = self._asked = False
        self._last = 0

    def _detach(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            self._parted.detach()
            line.leave()
        memory, self._memory = self._memory, None
        if memory is not None:
            memory.close()

    def _tidy(self, dying_ms: int = 0) -> None:
        """What its writer has left behind goes, if that can be done at once; or when it has died."""
        if self._untidy:
            self._untidy = not place.tidy(self.name, self._user, dying_ms)

    def _ended(self) -> bool:
        if self._fork:
            raise StateError(
                f"{self.name} is read by another process: this is a fork of it",
                hint="open it here; or start processes with spawn, not fork",
            )
        return bool(self._over)

    def _ask(self) -> None:
        """With `latest`: says that it wants a frame."""
        line = self._line
        if line is not None:
            if self.policy == "latest" and self._welcome and not self._asked:
                self._asked = True
                line.send(ready(self._last))
            line.flush()

    def _wait(self, until: float | None, timeout_s: float | None) -> None:
        """Until something came. Raises DeadlineError."""
        left = None if until is None else until - time.monotonic()
        line = self._line or self._connect()
        if line is not None:
            if not line.wait(left):
                raise self._late(timeout_s)
            self._receive()
        if self._line is None and not self._over:
            time.sleep(self._pause(left, timeout_s))

    def _pause(self, left: float | None, timeout_s: float | None) -> float:
        """How long to wait before it looks for a writer again [s]. Raises DeadlineError."""
        if left is not None and left <= 0:
            raise self._late(timeout_s)
        pause_s = self._pause_s
        self._pause_s = min(MOST_PAUSE_S, pause_s * 1.5)
        return pause_s if left is None else min(pause_s, left)

    def _receive(self) -> None:
        """What has come: no more than one frame, so that others are seen by who selects."""
        while (line := self._line) is not None and not self._ready:
            try:
                data = line.receive(self._parser.wanted, not self._parser.begun)
                if data is None:
                    return
                if not data:
                    self._lost()
                    return
                for kind, body in self._parser.feed(data):
                    self._hear(kind, body)
            except (WireError, PacketError) as error:
                if self._over == CLOSED:
                    break
                self._end("the writer does not speak our language")
                raise FormatError(f"{self.name}: {self._over}: {error}") from None
            except OpenError as error:
                if self._over == CLOSED:
                    break
                if not self._over:
                    self._end(f"its memory cannot be read: {error}")
                raise
        if self._over == CLOSED:  # another thread has closed it, in the middle of that
            self._ready.clear()
            self._detach()

    def _end(self, why: str) -> None:
        self._over = why
        self._detach()

    def _hear(self, kind: Kind, body: Any) -> None:
        match kind:
            case Kind.WELCOME:
                self._welcome, self.info = True, body
                self._pause_s = LEAST_PAUSE_S
            case Kind.MEMORY:
                self._map(body)
            case Kind.FORMAT:
                number, description = body.get("format"), body.get("description")
                if not isinstance(number, int) or not isinstance(description, dict):
                    raise WireError("FORMAT without a format")
                self._formats = {**dict(list(self._formats.items())[-8:]), number: Format(description)}
            case Kind.FRAME:
                self._ready.append(self._found(body))
            case Kind.END:
                if self.when_gone == "wait":
                    self._detach()
                else:
                    self._end("the writer has ended")
            case Kind.CUT:
                self._end(str(body.get("reason", "it was cut off")))
                raise OpenError(f"{self.name}: the writer cut this reader off: {self._over}")
            case _:
                raise WireError(f"{kind.name} from a writer")

    def _map(self, body: dict[str, Any]) -> None:
        number, slots, slot_bytes = body.get("memory"), body.get("slots"), body.get("slot_bytes")
        if not (isinstance(number, int) and isinstance(slots, int) and isinstance(slot_bytes, int)):
            raise WireError("MEMORY without its numbers")
        line = self._line
        descriptor = line.take_descriptor() if line is not None else None
        if descriptor is None:
            raise WireError("MEMORY without a memory")
        made = attach(descriptor, number, slots, slot_bytes)
        if self._memory is not None:
            self._memory.close()  # arrays in it keep it
        self._memory = made

    def _found(self, note: FrameNote) -> SharedArray:
        memory, format, line = self._memory, self._formats.get(note.format), self._line
        if memory is None or note.memory != memory.number or format is None or line is None:
            raise WireError("FRAME of a memory or a format that nobody told of")
        if note.slot >= memory.slots or note.size > memory.slot_bytes:
            raise WireError(
                f"FRAME in slot {note.slot} of {memory.slots}, {note.size} of {memory.slot_bytes} bytes"
            )
        if note.sequence <= self._last:
            raise WireError(f"FRAME {note.sequence} after {self._last}")
        try:
            exporter: Any = numpy.frombuffer(memory.slot(note.slot, note.size), numpy.uint8)
        except ValueError:  # another thread has closed it
            raise WireError("FRAME of a memory that is closed") from None
        line.keep(exporter, note.sequence)
        made = SharedArray.of(memoryview(exporter), format, note)
        if self._last:
            self.missed += note.sequence - self._last - 1
        self._last, self._asked = note.sequence, False
        return made

    def _next(self) -> SharedArray | None:
        """The frame that is there; None: there is none, as another thread may have closed the reader."""
        try:
            frame = self._ready.popleft()
        except IndexError:
            return None
        self.frames += 1
        self.properties = frame.properties
        return frame

    def _lost(self) -> None:
        """The writer went without a word."""
        welcome = self._welcome
        self._detach()
        if self._over:  # it is closed
            return
        self._untidy = True
        self._tidy()
        if not welcome or self.when_gone == "wait":  # it looks on for one
            return
        self._over = "the writer is gone"
        if self.when_gone == "error":
            raise OpenError(
                f"{self.name}: the writer is gone without a word", hint="it was killed, or has crashed"
            )

    def _late(self, timeout_s: float | None) -> DeadlineError:
        after = f"after {timeout_s or 0:g} s"
        if self._line is None:
            return DeadlineError(
                f"nobody shares {self.name}, {after}", hint="`reelway shared` lists what there is"
            )
        if not self._welcome:
            return DeadlineError(
                f"who shares {self.name} does not answer, {after}", hint="it hangs, or stopped"
            )
        return DeadlineError(f"{self.name}: no frame came, {after}")

    def forked(self) -> None:
        """In a child of a fork: the connection is the parent's."""
        self._fork = True
        self._over = "this process is a fork of the one that reads"
        self._line = None


def look(name: str, timeout_s: float = 2.0) -> dict[str, Any] | None:
    """What a writer says of itself; None: there is none, or it does not answer in time."""
    until = time.monotonic() + timeout_s
    link = place.connect(name)
    if link is None:
        return None
    parser = Parser()
    with link:
        try:
            link.sendall(message(Kind.HELLO, {"version": VERSION, "policy": "look"}))
            while (left := until - time.monotonic()) > 0:
                link.settimeout(left)
                data = link.recv(65536)
                if not data:
                    return None
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
