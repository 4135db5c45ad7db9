"""A reader's connection to one writer. It lives as long as the reader, or any array that came over it.

Arrays may go in any thread, also inside a garbage collection that interrupts what is below, so that nothing
here waits for a lock. Lists and sets rely on the GIL: `append`, `popleft` and `discard` are one step.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import threading
import time
import weakref
from collections import deque
from functools import cache
from typing import Any

from reelway.share.place import NO_SIGNAL
from reelway.share.watch import Bell
from reelway.share.wire import Kind, WireError, message, release

__all__ = ["Line"]

MOST_DESCRIPTORS = 4
"""That wait to be claimed; a writer passes one, and then says what it is."""
_CLOSE_ON_EXEC: int = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class Line:
    """One connection, and the numbers of the frames that are looked at."""

    def __init__(self, link: socket.socket) -> None:
        link.setblocking(False)
        self.link: socket.socket | None = link
        """None: closed."""
        self._held: set[int] = set()
        self._left = False
        self._ending = False
        self._out: deque[bytes] = deque()
        self._sending = threading.Lock()
        self._descriptors: deque[int] = deque()
        self._poll = select.poll()
        self._number = link.fileno()
        self._bell = Bell()
        """It may be told to leave while it waits."""
        self._waits = False
        """Set before anything else is looked at: who leaves then closes neither socket nor bell, as what is
        opened next would have their numbers. They are closed by who has waited."""
        self._poll.register(self._bell, select.POLLIN)
        _lines.add(self)

    # For the reader

    def wait(self, timeout_s: float | None) -> bool:
        """Until there is something to receive, or it has left; False: not in this time."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        self._waits = True
        try:
            while self.link is not None and not self._left:
                self._poll.register(self._number, select.POLLIN | (select.POLLOUT if self._out else 0))
                left = None if until is None else max(0.0, until - time.monotonic()) * 1000
                found = self._poll.poll(left)
                if not found:
                    return False
                if any(events & ~select.POLLOUT for _, events in found):
                    return True
                self.flush()
            return True
        finally:
            self._waited()

    async def readable(self) -> None:
        """`wait()` for asyncio."""
        import asyncio

        self._waits = True
        try:
            if self.link is None or self._left:
                return
            loop = asyncio.get_running_loop()
            readable = asyncio.Event()
            number, bell = self._number, self._bell.fileno()
            try:
                loop.add_reader(number, readable.set)
                loop.add_reader(bell, readable.set)
                if self._out:
                    loop.add_writer(number, lambda: self._flushed(loop, number))
                await readable.wait()
            finally:
                loop.remove_reader(bell)
                loop.remove_reader(number)
                loop.remove_writer(number)
        finally:
            self._waited()

    def _waited(self) -> None:
        """What was put off while somebody waited."""
        self._waits = False
        if self._left:
            self._bell.close()
        self.flush()

    def receive(self, size: int, first: bool) -> bytes | None:
        """Up to `size` bytes; b"": the writer is gone; None: nothing yet. Raises WireError.

        Descriptors come with the `first` bytes of a message; the system drops others.
        """
        if self.link is None:
            return b""
        try:
            if not first:
                return self.link.recv(size)
            data, ancillary, _, _ = self.link.recvmsg(size, _room(), _CLOSE_ON_EXEC)
        except BlockingIOError:
            return None
        except OSError:
            return b""
        for level, kind, rights in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                count = len(rights) // struct.calcsize("i")
                self._descriptors.extend(struct.unpack(f"{count}i", rights[: count * struct.calcsize("i")]))
        if self._left:  # another thread has left, before these came
            self._drop_descriptors()
        if len(self._descriptors) > MOST_DESCRIPTORS:
            raise WireError("more descriptors than memories")
        return data

    def take_descriptor(self) -> int | None:
        """The memory that was passed."""
        try:
            return self._descriptors.popleft()
        except IndexError:
            return None

    def _drop_descriptors(self) -> None:
        """Those that nobody has claimed, and nobody will."""
        while (descriptor := self.take_descriptor()) is not None:
            os.close(descriptor)

    def keep(self, exporter: Any, sequence: int) -> None:
        """Says so to the writer when nobody looks at `exporter` any more."""
        self._held.add(sequence)
        weakref.finalize(exporter, self._let_go, sequence).atexit = False

    def leave(self) -> None:
        """The reader wants no more. The connection ends with the last array."""
        if self._left:
            return
        self._left = True
        if self._waits:
            self._bell.ring()
        else:  # nobody will wait any more
            self._bell.close()
        self._drop_descriptors()
        if self._held:
            self.send(message(Kind.LEAVE))
        else:
            self._close()

    # For anybody

    def send(self, data: bytes) -> None:
        """Sends it, now or with the next `flush()`."""
        if self.link is not None:
            self._out.append(data)
            self.flush()

    def flush(self) -> None:
        """Sends what it can. Who has the lock sends for who has not, and closes for who wants that."""
        full = False
        while (self._closing or (self._out and not full)) and self._sending.acquire(blocking=False):
            try:
                link = self.link
                if link is None:
                    return
                if self._closing:
                    self.link = None
                    link.close()
                    return
                full = not self._sent(link)
            finally:
                self._sending.release()

    @property
    def _closing(self) -> bool:
        """It is to be closed, and nobody waits at it."""
        return self._ending and not self._waits and self.link is not None

    def _sent(self, link: socket.socket) -> bool:
        """All of it; False: the writer has to read first. The lock is had."""
        while self._out:
            data = self._out[0]
            try:
                sent = link.send(data, NO_SIGNAL)
            except BlockingIOError:
                return False
            except OSError:  # nobody is there; that is heard by receiving
                self._out.clear()
                return True
            self._out.popleft()
            if sent < len(data):
                self._out.appendleft(data[sent:])
        return True

    def _let_go(self, sequence: int) -> None:
        self._held.discard(sequence)
        if self._left and not self._held:
            self._close()
        else:
            self.send(release(sequence))

    def _close(self) -> None:
        self._ending = True
        self.flush()

    def _flushed(self, loop: Any, number: int) -> None:
        self.flush()
        if not self._out:
            loop.remove_writer(number)

    def forked(self) -> None:
        """In a child of a fork: the connection is the parent's, and is only closed here."""
        link, self.link = self.link, None
        self._left = True
        self._sending = threading.Lock()
        if link is not None:
            link.close()
        self._bell.close()
        self._drop_descriptors()


@cache
def _room() -> int:
    """For descriptors, beside the bytes of a message."""
    return socket.CMSG_SPACE(MOST_DESCRIPTORS * struct.calcsize("i"))


_lines: weakref.WeakSet[Line] = weakref.WeakSet()


def _forked() -> None:
    for line in tuple(_lines):
        line.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
