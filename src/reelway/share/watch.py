"""Waits until sockets have something to say: epoll(7), or poll(2) where there is none."""

from __future__ import annotations

import contextlib
import select
import socket
import time

from reelway.errors import OptionError

__all__ = ["GONE", "LONGEST_S", "READ", "WRITE", "Bell", "Watch", "deadline"]

READ: int = getattr(select, "POLLIN", 1)  # Windows has none, and imports this all the same
WRITE: int = getattr(select, "POLLOUT", 4)
GONE: int = getattr(select, "EPOLLRDHUP", READ)
"""The other side has gone. Without epoll that is heard by reading only."""

LONGEST_S = 1e6
"""poll(2) counts milliseconds, and not to much more."""


def deadline(timeout_s: float | None) -> float | None:
    """When that time is over [s, of time.monotonic()]; None: never, also where it is very long.

    Raises OptionError where it is no time.
    """
    try:
        if timeout_s is None or timeout_s > LONGEST_S:
            return None
        if timeout_s <= LONGEST_S:
            return time.monotonic() + timeout_s
    except TypeError:
        pass
    raise OptionError(f"timeout_s is {timeout_s!r}", hint="seconds, or None to wait as long as it takes")


class Bell:
    """Wakes who waits for it, from any thread, also in a finalizer: nothing is waited for."""

    def __init__(self) -> None:
        self._here, self._there = socket.socketpair()
        self._here.setblocking(False)
        self._there.setblocking(False)

    def fileno(self) -> int:
        return self._here.fileno()

    def ring(self) -> None:
        with contextlib.suppress(OSError):  # full of it, or closed
            self._there.send(b"x")

    def hush(self) -> None:
        """What was rung for is heard."""
        with contextlib.suppress(OSError):
            self._here.recv(4096)

    def close(self) -> None:
        self._here.close()
        self._there.close()


class Watch:
    """Descriptors, and what of each is waited for. One thread waits; any thread may change it."""

    def __init__(self) -> None:
        self.bell = Bell()
        """Ends `wait()`."""
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        self._poll = select.poll() if self._epoll is None else None
        self._known: dict[int, int] = {}
        self.set(self.bell.fileno(), READ)

    def set(self, descriptor: int, events: int) -> None:
        """Waits for these events of it from now on."""
        before = self._known.get(descriptor)
        if before == events:
            return
        polled = self._epoll or self._poll
        assert polled is not None
        if before is None:
            polled.register(descriptor, events)
        else:
            polled.modify(descriptor, events)
        self._known[descriptor] = events
        if self._epoll is None and events & WRITE:  # who waits already does not know
            self.bell.ring()

    def forget(self, descriptor: int) -> None:
        """Waits for it no longer; before it is closed."""
        polled = self._epoll or self._poll
        if self._known.pop(descriptor, None) is not None and polled is not None:
            polled.unregister(descriptor)

    def wait(self, timeout_s: float | None) -> list[tuple[int, int]]:
        """Descriptors and what they have; none of them after `timeout_s`, or the bell."""
        if self._epoll is not None:
            found = self._epoll.poll(timeout_s)
        else:
            assert self._poll is not None
            found = self._poll.poll(None if timeout_s is None else timeout_s * 1000)
        bell = self.bell.fileno()
        if not any(number == bell for number, _ in found):
            return found
        self.bell.hush()
        return [each for each in found if each[0] != bell]

    def close(self) -> None:
        """The end, also in the child of a fork, where it changes nothing for the parent."""
        if self._epoll is not None:
            self._epoll.close()
        self.bell.close()
