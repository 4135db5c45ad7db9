"""A reader, as its writer sees it."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections import deque
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from reelway.share.place import NO_SIGNAL, Peer
from reelway.share.ring import Held
from reelway.share.watch import GONE, READ, WRITE
from reelway.share.wire import Kind, Parser

__all__ = ["Guest", "Policy", "Told"]

Policy = Literal["every", "latest"]
MOST_SAID = 8
"""Messages for a frame; a new memory, a new format, and itself are three."""


class Told(NamedTuple):
    """A reader, for people and programs."""

    pid: int
    uid: int
    policy: str
    frames: int
    """Frames it was given."""
    held: int
    """Of these, how many it holds."""


class Guest:
    """One connection. Not locked: the desk does that."""

    def __init__(self, link: socket.socket, who: Peer | None) -> None:
        self.link = link
        self.who = who or Peer(0, -1)
        self.parser = Parser()
        self.policy: Policy | None = None
        """None before it has said what it wants."""
        self.left = False
        """It wants no more frames, and still looks at some."""
        self.looks = False
        """It wanted to know what there is, and goes when it has been told."""
        self.came_s = time.monotonic()
        self.held: dict[int, Held] = {}
        """Frames that it was given and has not let go of, by their numbers."""
        self.wants: int | None = None
        """With `latest`: it waits for a frame behind this one."""
        self.given = 0
        """The number of the frame that it was given last."""
        self.frames = 0
        self.memory = self.format = 0
        """What it was told of."""
        self.gone = False
        self._out: deque[tuple[bytes, tuple[int, ...]]] = deque()
        """What the socket did not take yet; no more than its frames, so there is an end to it."""

    def told(self) -> Told:
        return Told(self.who.pid, self.who.uid, self.policy or "?", self.frames, len(self.held))

    @property
    def waited_for(self) -> bool:
        """It may hold the writer up; the writer hears it."""
        return self.policy == "every"

    @property
    def events(self) -> int:
        """What the desk's thread waits for."""
        return GONE | (0 if self.waited_for else READ) | (WRITE if self._out else 0)

    @property
    def deaf(self) -> bool:
        """It lets go of frames before it reads that they came: what is on its way would have no end."""
        return len(self._out) > MOST_SAID * (len(self.held) + 1)

    @property
    def busy(self) -> bool:
        """Something is still on its way out."""
        return bool(self._out)

    def hear(self) -> list[tuple[Kind, Any]] | None:
        """What it says; None: it is gone. Raises WireError."""
        try:
            data = self.link.recv(16384)
        except BlockingIOError:
            return []
        except OSError:
            return None
        return list(self.parser.feed(data)) if data else None

    def say(self, data: bytes, descriptors: Iterable[int] = ()) -> None:
        """Sends it, now or when there is room. Raises OSError where nobody is there."""
        self._out.append((data, tuple(map(os.dup, descriptors))))
        self.flush()

    def flush(self) -> None:
        """Sends what can be sent. Raises OSError."""
        while self._out:
            data, descriptors = self._out[0]
            try:
                if descriptors:
                    rights = b"".join(each.to_bytes(4, sys.byteorder) for each in descriptors)
                    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)]
                    sent = self.link.sendmsg([data], ancillary, NO_SIGNAL)
                else:
                    sent = self.link.send(data, NO_SIGNAL)
            except BlockingIOError:
                return
            self._out.popleft()
            for each in descriptors:
                os.close(each)
            if sent < len(data):
                self._out.appendleft((data[sent:], ()))

    def close(self) -> None:
        """It holds nothing any more."""
        self.gone = True
        self.held.clear()
        while self._out:
            for each in self._out.popleft()[1]:
                os.close(each)
        self.link.close()
