"""The writer's desk: one thread that lets readers in, hears what they let go of, and tells them what is new.

Locks: the writer's condition guards the guests and their slots, and is held for moments; nothing waits
under it but the writer for a slot. Sockets never block.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import socket
import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from reelway.share import place
from reelway.share.content import Description
from reelway.share.ring import Held, Slots
from reelway.share.wire import VERSION, FrameNote, Kind, Parser, WireError, message
from reelway.share.wire import frame as frame_message

if TYPE_CHECKING:
    from reelway.share.writer import Writer

__all__ = ["Desk", "Guest", "Told"]

log = logging.getLogger("reelway.share")

MAX_GUESTS = 64
HELLO_S = 5.0
"""Who has connected says what it wants within so long."""
CLOSE_S = 2.0
Policy = Literal["every", "latest"]


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
    """One connection. The desk's thread and the writer, under the writer's condition."""

    def __init__(self, link: socket.socket, who: place.Peer | None) -> None:
        self.link = link
        self.who = who or place.Peer(0, -1)
        self.parser = Parser()
        self.policy: Policy | None = None
        """None before it has said what it wants."""
        self.came_s = time.monotonic()
        self.held: dict[int, Held] = {}
        self.wants: int | None = None
        """With `latest`: it waits for a frame behind this one."""
        self.frames = 0
        self.memory = self.format = 0
        """What it was told of."""
        self.out: deque[tuple[bytes, list[int]]] = deque()
        self.gone = False

    def told(self) -> Told:
        return Told(self.who.pid, self.who.uid, self.policy or "?", self.frames, len(self.held))


class Desk:
    """Guests of one writer."""

    def __init__(self, writer: Writer, server: socket.socket, allowed: frozenset[int]) -> None:
        self.guests: list[Guest] = []
        self._all: list[Guest] = []
        """Those that have said nothing yet, too."""
        self._writer = writer
        self._changed = writer._changed
        self._server = server
        self._allowed = allowed
        self._format: tuple[int, Description] | None = None
        self._waker, self._wakened = socket.socketpair()
        for end in (self._waker, self._wakened):
            end.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(server, selectors.EVENT_READ)
        self._selector.register(self._wakened, selectors.EVENT_READ)
        self._closing = False
        self._thread = threading.Thread(target=self._work, name=f"reelway-share-{writer.name}", daemon=True)
        _desks.add(self)
        self._thread.start()

    # For the writer; its condition is held

    def publish(self, note: FrameNote, slots: Slots, slot: int, said: bytes) -> None:
        """Gives a frame to who wants it."""
        for guest in tuple(self.guests):
            if guest.policy == "every" or (guest.wants is not None and note.sequence > guest.wants):
                self._give(guest, note, slots, slot, said)

    def set_format(self, number: int, description: Description) -> None:
        """What is written from now on."""
        self._format = number, description

    def slowest(self) -> tuple[Guest, float] | None:
        """Who has held a frame for longest, of those that may hold the writer up, and since when."""
        since = [
            (min(held.since_s for held in guest.held.values()), at)
            for at, guest in enumerate(self.guests)
            if guest.policy == "every" and guest.held
        ]
        if not since:
            return None
        since_s, at = min(since)
        return self.guests[at], since_s

    def cut(self, guest: Guest, why: str) -> None:
        """Ends a connection, and says why."""
        log.warning("%s: reader %d is cut off: %s", self._writer.name, guest.who.pid, why)
        self._say(guest, message(Kind.CUT, {"reason": why}))
        self._drop(guest)

    # Anybody

    def close(self) -> None:
        """Says the end, and ends the thread."""
        with self._changed:
            for guest in self.guests:
                self._say(guest, message(Kind.END))
        self._closing = True
        self._wake()
        self._thread.join(CLOSE_S)
        place.leave(self._server)

    # The thread

    def _work(self) -> None:
        until = float("inf")
        while True:
            if self._closing:
                until = min(until, time.monotonic() + CLOSE_S / 2)
                if time.monotonic() >= until or not any(guest.out for guest in self._all):
                    break
            for key, events in self._selector.select(0.05 if self._closing else self._patience()):
                if key.fileobj is self._server:
                    self._welcome_in()
                elif key.fileobj is self._wakened:
                    with contextlib.suppress(BlockingIOError):
                        self._wakened.recv(4096)
                    self._mind_writing()
                else:
                    self._serve(key.data, events)
            self._send_home()
        with self._changed:
            for guest in tuple(self._all):
                self._drop(guest)
        self._selector.close()
        for end in (self._waker, self._wakened):
            end.close()

    def _patience(self) -> float | None:
        waiting = [guest.came_s for guest in self._all if guest.policy is None]
        return max(0.0, min(waiting) + HELLO_S - time.monotonic()) if waiting else None

    def _send_home(self) -> None:
        """Who said nothing in time."""
        late = time.monotonic() - HELLO_S
        with self._changed:
            for guest in [each for each in self._all if each.policy is None and each.came_s <= late]:
                self._drop(guest)

    def _welcome_in(self) -> None:
        try:
            link, _ = self._server.accept()
        except OSError as error:
            if not isinstance(error, BlockingIOError):
                log.warning("%s: a reader cannot come in: %s", self._writer.name, error.strerror)
                time.sleep(0.05)  # no descriptors are left: asking again at once would not help
            return
        link.setblocking(False)
        guest = Guest(link, place.peer(link))
        mine = os.getuid()
        with self._changed:
            if guest.who.uid not in ({mine} | self._allowed) and guest.who.uid != -1:
                self._refuse(guest, f"user {guest.who.uid} may not read what user {mine} shares")
            elif len(self._all) >= MAX_GUESTS:
                self._refuse(guest, f"{MAX_GUESTS} readers are there already")
            else:
                self._all.append(guest)
                self._selector.register(link, selectors.EVENT_READ, guest)

    def _refuse(self, guest: Guest, why: str) -> None:
        with contextlib.suppress(OSError):
            guest.link.send(message(Kind.CUT, {"reason": why}))
        guest.link.close()

    def _serve(self, guest: Guest, events: int) -> None:
        with self._changed:
            if guest.gone:
                return
            if events & selectors.EVENT_WRITE:
                self._flush(guest)
            if not events & selectors.EVENT_READ:
                return
            try:
                data = guest.link.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._drop(guest)
                return
            try:
                for kind, body in guest.parser.feed(data):
                    self._hear(guest, kind, body)
            except WireError as error:
                self.cut(guest, f"it does not speak our language: {error}")

    def _hear(self, guest: Guest, kind: Kind, body: Any) -> None:
        if guest.gone:
            return
        if guest.policy is None:
            if kind is not Kind.HELLO:
                raise WireError(f"{kind.name} before HELLO")
            self._greet(guest, body)
        elif kind is Kind.RELEASE:
            self._writer.let_go(guest, body)
        elif kind is Kind.READY and guest.policy == "latest":
            guest.wants = body
            newest = self._writer._ring.newest
            if newest is not None and newest[0].sequence > body:
                note, held = newest
                self._give(guest, note, held.slots, held.slot, frame_message(note))
        else:
            raise WireError(f"{kind.name} from a reader")

    def _greet(self, guest: Guest, body: dict[str, Any]) -> None:
        if body.get("version") != VERSION:
            self.cut(guest, f"it speaks version {body.get('version')}, this is {VERSION}")
            return
        policy = body.get("policy")
        if policy == "look":
            self._say(guest, message(Kind.WELCOME, self._writer.info()))
            self._drop(guest)
            return
        if policy not in ("every", "latest"):
            raise WireError(f"no policy {policy!r}")
        guest.policy = policy
        self.guests.append(guest)
        self._say(guest, message(Kind.WELCOME, self._writer.info()))
        self._tell_format(guest)
        self._changed.notify_all()

    # Under the writer's condition, on either thread

    def _give(self, guest: Guest, note: FrameNote, slots: Slots, slot: int, said: bytes) -> None:
        if guest.memory != note.memory:
            memory = slots.memory
            body = {"memory": memory.number, "slots": memory.slots, "slot_bytes": memory.slot_bytes}
            self._say(guest, message(Kind.MEMORY, body), [memory.descriptor])
            guest.memory = memory.number
        self._tell_format(guest)
        guest.held[note.sequence] = self._writer._ring.hold(slots, slot)
        guest.frames += 1
        guest.wants = None
        self._say(guest, said)

    def _tell_format(self, guest: Guest) -> None:
        if self._format is not None and guest.format != self._format[0]:
            number, description = self._format
            self._say(guest, message(Kind.FORMAT, {"format": number, "description": description}))
            guest.format = number

    def _say(self, guest: Guest, data: bytes, descriptors: list[int] | None = None) -> None:
        if guest.gone:
            return
        guest.out.append((data, [os.dup(each) for each in descriptors or ()]))
        self._flush(guest)
        if guest.out and threading.current_thread() is not self._thread:
            self._wake()

    def _flush(self, guest: Guest) -> None:
        """Sends what can be sent now; the rest when the socket says so."""
        try:
            while guest.out:
                data, descriptors = guest.out[0]
                if descriptors:
                    sent = socket.send_fds(guest.link, [data], descriptors)
                else:
                    sent = guest.link.send(data)
                for each in descriptors:
                    os.close(each)
                guest.out.popleft()
                if sent < len(data):
                    guest.out.appendleft((data[sent:], []))
        except BlockingIOError:
            pass
        except OSError:
            self._drop(guest)
            return
        if threading.current_thread() is self._thread:
            self._mind(guest)

    def _mind_writing(self) -> None:
        with self._changed:
            for guest in tuple(self._all):
                self._mind(guest)

    def _mind(self, guest: Guest) -> None:
        if guest.gone or guest not in self._all:
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if guest.out else 0)
        if self._selector.get_key(guest.link).events != events:
            self._selector.modify(guest.link, events, guest)

    def _drop(self, guest: Guest) -> None:
        """A reader is gone: what it held is free."""
        if guest.gone:
            return
        guest.gone = True
        if guest in self._all:
            self._all.remove(guest)
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(guest.link)
        if guest in self.guests:
            self.guests.remove(guest)
        for _, descriptors in guest.out:
            for each in descriptors:
                os.close(each)
        guest.out.clear()
        guest.link.close()
        for sequence in tuple(guest.held):
            self._writer.let_go(guest, sequence)
        self._changed.notify_all()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._waker.send(b"x")

    def forked(self) -> None:
        """In a child of a fork: the sockets are the parent's, and are only closed here."""
        with contextlib.suppress(OSError):
            self._selector.close()
        for link in (self._server, self._waker, self._wakened, *(guest.link for guest in self._all)):
            with contextlib.suppress(OSError):
                link.close()
        self._writer._closed = True


_desks: weakref.WeakSet[Desk] = weakref.WeakSet()


def _forked() -> None:
    for desk in tuple(_desks):
        desk.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
