"""Where readers come in: the socket that they connect to, and who may."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time

from reelway.share import place
from reelway.share.guest import Guest
from reelway.share.watch import READ, Watch
from reelway.share.wire import Kind, message

__all__ = ["DEAF_S", "MAX_GUESTS", "Door"]

log = logging.getLogger("reelway.share")

MAX_GUESTS = 64
DEAF_S = 0.1
"""Nobody is let in for so long where no descriptors are left."""


class Door:
    """The desk's thread minds it."""

    def __init__(self, name: str, server: socket.socket, allowed: frozenset[int], watch: Watch) -> None:
        self.name = name
        self.deaf_until_s = 0.0
        """0: it is open."""
        self._server = server
        self._path = place.path_of(server)
        self._allowed = allowed
        self._watch = watch
        self.number = server.fileno()
        watch.set(self.number, READ)

    def answer(self, there: int) -> Guest | None:
        """Who knocks, if it may come in; so many are `there` already."""
        try:
            link, _ = self._server.accept()
        except BlockingIOError:
            return None
        except OSError as error:  # no descriptors are left: asking again at once would not help
            log.warning("%s: a reader cannot come in: %s", self.name, error.strerror)
            self.deaf_until_s = time.monotonic() + DEAF_S
            self._watch.set(self.number, 0)
            return None
        link.setblocking(False)
        guest = Guest(link, place.peer(link))
        mine = os.getuid()
        if guest.who.uid not in ({mine} | self._allowed) and guest.who.uid != -1:
            refused = f"user {guest.who.uid} may not read what user {mine} shares"
        elif there >= MAX_GUESTS:
            refused = f"{MAX_GUESTS} readers are there already"
        else:
            return guest
        with contextlib.suppress(OSError):
            guest.say(message(Kind.CUT, {"reason": refused}))
        guest.close()
        return None

    def listen_again(self, now_s: float) -> None:
        """When it was deaf for long enough."""
        if self.deaf_until_s and self.deaf_until_s <= now_s:
            self.deaf_until_s = 0.0
            self._watch.set(self.number, READ)

    def shut(self) -> None:
        """For good, and at once."""
        self.deaf_until_s = 0.0
        self._watch.forget(self.number)
        self.number = -1
        self._server.close()

    def free(self, timeout_s: float) -> None:
        """The name is free, when it is shut. Waits for who has the folder's lock; no longer than this."""
        place.free(self._path, timeout_s)

    def close(self) -> None:
        """Without a word to anybody, as the child of a fork does."""
        self._server.close()
