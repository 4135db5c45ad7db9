"""Waits until sockets have something to say: epoll(7), or poll(2) where there is none."""

from __future__ import annotations

import select

__all__ = ["GONE", "READ", "WRITE", "Watch"]

READ, WRITE = select.POLLIN, select.POLLOUT
GONE: int = getattr(select, "EPOLLRDHUP", READ)
"""The other side has gone. Without epoll that is heard by reading only."""


class Watch:
    """Descriptors, and what of each is waited for. One thread waits; with epoll any thread may change it."""

    def __init__(self) -> None:
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        self._poll = select.poll() if self._epoll is None else None
        self._known: dict[int, int] = {}

    @property
    def at_once(self) -> bool:
        """Changes count for who waits already."""
        return self._epoll is not None

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

    def forget(self, descriptor: int) -> None:
        """Waits for it no longer; before it is closed."""
        polled = self._epoll or self._poll
        if self._known.pop(descriptor, None) is not None and polled is not None:
            polled.unregister(descriptor)

    def wait(self, timeout_s: float | None) -> list[tuple[int, int]]:
        """Descriptors and what they have."""
        if self._epoll is not None:
            return self._epoll.poll(timeout_s)
        assert self._poll is not None
        return self._poll.poll(None if timeout_s is None else timeout_s * 1000)

    def close(self) -> None:
        """The end, also in the child of a fork, where it changes nothing for the parent."""
        if self._epoll is not None:
            self._epoll.close()
