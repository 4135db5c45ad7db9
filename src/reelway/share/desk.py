"""The writer's desk: one thread that lets readers in, minds who goes, and tells `latest` readers what is new.

What readers with the policy `every` let go of is heard by the writer itself, when it looks for a slot: no
other thread has to run for a frame to pass.

Locks, in this order: `writing` is held by who writes, for as long as that takes; `_turnstile` by the thread
while it waits for `changed` and has it, so that a writer at full speed lets it through; `changed` guards the
guests, the ring and the counters, and is held for moments. The writer waits for a slot without `changed`.
Sockets never block. Nothing here refers to the Writer, so that one that is forgotten ends as if closed.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import logging
import os
import select
import socket
import threading
import time
import weakref
from collections import deque
from typing import Any

from reelway.errors import DeadlineError, StateError
from reelway.share.content import Description
from reelway.share.door import Door
from reelway.share.guest import Guest, Told
from reelway.share.ring import Held, Ring
from reelway.share.watch import READ, WRITE, Watch
from reelway.share.wire import VERSION, FrameNote, Kind, WireError, message
from reelway.share.wire import frame as frame_message

__all__ = ["Desk", "Guest", "Told"]

log = logging.getLogger("reelway.share")

HELLO_S = 5.0
"""Who has connected says what it wants within so long."""
CLOSE_S = 2.0
"""The end takes no longer; half of it is for what is still on its way to readers."""


class Desk:
    """Guests of one writer, its ring, and what it has counted."""

    def __init__(
        self, name: str, ring: Ring, server: socket.socket, allowed: frozenset[int], patience_s: float
    ) -> None:
        self.name = name
        self.ring = ring
        self.patience_s = patience_s
        self.writing = threading.RLock()
        self.changed = threading.Condition()
        self._turnstile = threading.Lock()
        self.closed = False
        """Set once, without a lock."""
        self.frames = self.dropped = 0
        self.guests: list[Guest] = []
        """Those that want frames."""
        self._all: list[Guest] = []
        """Those that have said nothing yet, or have left and still look at something, too."""
        self._times: deque[float] = deque(maxlen=32)
        self._format: tuple[int, Description, bytes] | None = None
        self._blocked_s: float | None = None
        """Since when the writer finds no slot."""
        self._waits = False
        """The writer waits for one."""
        self._waker, self._wakened = _pair()
        self._poker, self._poked = _pair()
        self._watch = Watch()
        self._door = Door(name, server, allowed, self._watch)
        self._watch.set(self._wakened.fileno(), READ)
        self._by_number: dict[int, Guest] = {}
        self._thread = threading.Thread(target=self._work, name=f"reelway-share-{name}", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no more threads
            self._door.shut()
            raise
        _desks.add(self)

    # For who writes

    def take(self, size: int, until_s: float | None, timeout_s: float | None) -> Held | None:
        """A slot to fill; None: readers with the policy `latest` hold all. `writing` is held.

        Raises as `Writer.write()`.
        """
        heard = False
        while True:
            with self._turnstile:
                pass  # locks are not fair: who takes one again and again leaves no moment for another
            with self.changed:
                self.refuse_closed()
                self._waits = False
                self._hear_all(everybody=False)
                now_s = time.monotonic()
                found = self.ring.take(size, self._held(), now_s)
                if found is not None:
                    self._blocked_s = None
                    return found
                slowest = self._slowest()
                if slowest is None and not heard:
                    self._hear_all()  # who reads the newest may have let go, and its thread has not run yet
                    heard = True
                    continue
                if slowest is None:
                    self._blocked_s = None
                    self.dropped += 1
                    return None
                if self._blocked_s is None:
                    self._blocked_s = now_s
                left_s = self._blocked_s + self.patience_s - now_s
                if left_s <= 0:
                    self._cut(slowest, f"nothing was free for {self.patience_s:g} s, and it held most")
                    continue
                if until_s is not None:
                    if until_s <= now_s:
                        raise DeadlineError(
                            f"{self.name}: readers hold all {self.ring.slots} slots, after {timeout_s:g} s",
                            hint="more slots, or readers that let go sooner",
                        )
                    left_s = min(left_s, until_s - now_s)
                watch = select.poll()
                watch.register(self._poked, READ)
                for guest in self._all:
                    if guest.waited_for:
                        watch.register(guest.link, READ)
                self._waits = True
            watch.poll(left_s * 1000)
            with contextlib.suppress(OSError):
                self._poked.recv(4096)

    def format(self, description: Description) -> int:
        """The number of a format; a new one where it is new. `changed` is held. Raises WireError."""
        if self._format is None or description != self._format[1]:
            number = self._format[0] + 1 if self._format is not None else 1
            body = {"format": number, "description": description}
            self._format = number, description, message(Kind.FORMAT, body)
        return self._format[0]

    def publish(self, note: FrameNote, held: Held, said: bytes) -> None:
        """Gives a frame to who wants it. `changed` is held."""
        self.frames = note.sequence
        self._times.append(held.since_s)
        self.ring.newest = note, held
        for guest in tuple(self.guests):
            if guest.policy == "every" or (guest.wants is not None and note.sequence > guest.wants):
                self._give(guest, note, held, said)

    def refuse_closed(self) -> None:
        """Raises StateError where it is closed."""
        if self.closed:
            raise StateError(f"{self.name} is shared no longer", hint="make another Writer")

    # For anybody

    def wait_readers(self, count: int, timeout_s: float | None) -> bool:
        """True: so many are there."""
        with self.changed:
            self._hear_all()
            self.changed.wait_for(lambda: len(self.guests) >= count or self.closed, timeout_s)
            return len(self.guests) >= count and not self.closed

    def readers(self) -> tuple[Told, ...]:
        """Who reads."""
        with self.changed:
            self._hear_all()
            return tuple(guest.told() for guest in self.guests)

    @property
    def rate(self) -> float:
        """Frames a second, of late."""
        times = tuple(self._times)
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0

    def info(self) -> dict[str, Any]:
        """All of it, for who asks; in JSON."""
        with self.changed:
            self._hear_all()
            self.ring.sweep(self._held())
            current = self.ring.current
            return {
                "name": self.name,
                "format": self._format[1] if self._format is not None else None,
                "frames": self.frames,
                "dropped": self.dropped,
                "rate": round(self.rate, 2),
                "slots": self.ring.slots,
                "slot_bytes": current.slot_bytes if current is not None else self.ring.slot_bytes,
                "bytes": self.ring.bytes,
                "readers": [guest.told()._asdict() for guest in self.guests],
            }

    def end(self) -> None:
        """Ends it, soon. Waits for nothing and takes no lock: a finalizer may call it, anywhere."""
        self.closed = True
        self._wake()
        self._poke()

    def close(self) -> None:
        """Ends it: says so to readers, and leaves nothing behind."""
        with self.changed:
            if not self.closed:
                self.end()
            self.changed.notify_all()
        self.join()

    def join(self) -> None:
        """Until its thread has ended."""
        if threading.current_thread() is not self._thread:
            self._thread.join(CLOSE_S)

    # The thread

    def _work(self) -> None:
        try:
            while not self.closed:
                self._turn(self._patience())
            self._door.shut()
            with self.changed:
                for guest in tuple(self.guests):
                    newest = self.ring.newest
                    if guest.policy == "latest" and newest is not None and guest.given < newest[0].sequence:
                        self._give(guest, *newest, frame_message(newest[0]))  # the last one, asked for or not
                    self._say(guest, message(Kind.END))
            until_s = time.monotonic() + CLOSE_S / 2
            while any(guest.busy for guest in self._all) and (left_s := until_s - time.monotonic()) > 0:
                self._turn(left_s)
        finally:
            with self.changed:
                self.closed = True
                for guest in tuple(self._all):
                    self._drop(guest)
                self.changed.notify_all()
                self.ring.close()
                self._watch.close()
                self._door.close()
                for end in (self._waker, self._wakened, self._poker, self._poked):
                    end.close()

    def _turn(self, timeout_s: float | None) -> None:
        for number, events in self._watch.wait(timeout_s):
            if number == self._door.number:
                self._let_in()
            elif number == self._wakened.fileno():
                with contextlib.suppress(OSError):
                    self._wakened.recv(4096)
            else:
                self._serve(number, events)
        now_s = time.monotonic()
        self._door.listen_again(now_s)
        for guest in tuple(self._all):
            if guest.policy is None and guest.came_s + HELLO_S <= now_s:  # it said nothing in time
                with self._turnstile, self.changed:
                    self._drop(guest)

    def _patience(self) -> float | None:
        """How long until somebody is late [s]; None: nobody can be."""
        late_s = [guest.came_s + HELLO_S for guest in tuple(self._all) if guest.policy is None]
        if self._door.deaf_until_s:
            late_s.append(self._door.deaf_until_s)
        return max(0.0, min(late_s) - time.monotonic()) if late_s else None

    def _let_in(self) -> None:
        guest = self._door.answer(len(self._all))
        if guest is not None:
            with self._turnstile, self.changed:
                self._all.append(guest)
                self._by_number[guest.link.fileno()] = guest
                self._mind(guest)

    def _serve(self, number: int, events: int) -> None:
        with self._turnstile, self.changed:
            guest = self._by_number.get(number)
            if guest is None:
                return
            if events & WRITE:
                self._flush(guest)
            if events & ~WRITE and not guest.gone:
                self._hear(guest)

    # On either thread; `changed` is held

    def _held(self) -> list[Held]:
        return [held for guest in self._all for held in guest.held.values()]

    def _slowest(self) -> Guest | None:
        """Of those that may hold the writer up, who holds most, and of these for longest."""
        holding = [guest for guest in self._all if guest.waited_for and guest.held]
        return max(
            holding,
            key=lambda guest: (len(guest.held), -min(held.since_s for held in guest.held.values())),
            default=None,
        )

    def _hear_all(self, everybody: bool = True) -> None:
        """What has been said in the meantime; or only by readers with the policy `every`."""
        for guest in tuple(self._all):
            if everybody or guest.waited_for:
                self._hear(guest)

    def _hear(self, guest: Guest) -> None:
        try:
            said = None if guest.gone else guest.hear()
            if said is None:
                self._drop(guest)
                return
            for kind, body in said:
                self._obey(guest, kind, body)
        except WireError as error:
            self._cut(guest, f"it does not speak our language: {error}")

    def _obey(self, guest: Guest, kind: Kind, body: Any) -> None:
        if guest.gone:
            return
        if guest.policy is None:
            if kind is not Kind.HELLO:
                raise WireError(f"{kind.name} before HELLO")
            self._greet(guest, body)
        elif kind is Kind.RELEASE:
            if guest.held.pop(body, None) is not None:
                self._tell_writer()
                if guest.left and not guest.held:
                    self._drop(guest)
        elif kind is Kind.LEAVE:
            self._let_leave(guest)
        elif kind is Kind.READY and guest.policy == "latest" and not guest.left:
            guest.wants = body
            newest = self.ring.newest
            if newest is not None and newest[0].sequence > body:
                if newest[0].sequence in guest.held:
                    raise WireError("READY for what it has")
                self._give(guest, *newest, frame_message(newest[0]))
        else:
            raise WireError(f"{kind.name} from a reader")

    def _greet(self, guest: Guest, body: dict[str, Any]) -> None:
        if body.get("version") != VERSION:
            self._cut(guest, f"it speaks version {body.get('version')}, this is {VERSION}")
            return
        policy = body.get("policy")
        if policy not in ("every", "latest", "look"):
            raise WireError(f"no policy {str(policy)[:20]!r}")
        self._say(guest, message(Kind.WELCOME, self.info()))
        if policy == "look":
            self._drop(guest)
        if guest.gone:
            return
        guest.policy = policy
        self.guests.append(guest)
        self._tell_format(guest)
        self._mind(guest)
        self.changed.notify_all()

    def _let_leave(self, guest: Guest) -> None:
        """It wants no more, and still looks at what it has."""
        if guest in self.guests:
            self.guests.remove(guest)
        guest.left = True
        guest.wants = None
        if not guest.held:
            self._drop(guest)

    def _give(self, guest: Guest, note: FrameNote, held: Held, said: bytes) -> None:
        memory = held.memory
        if guest.memory != memory.number:
            body = {"memory": memory.number, "slots": memory.slots, "slot_bytes": memory.slot_bytes}
            self._say(guest, message(Kind.MEMORY, body), memory.descriptor)
            guest.memory = memory.number
        self._tell_format(guest)
        if guest.gone:
            return
        guest.held[note.sequence] = held
        guest.given = note.sequence
        guest.frames += 1
        guest.wants = None
        self._say(guest, said)

    def _tell_format(self, guest: Guest) -> None:
        if self._format is not None and guest.format != self._format[0]:
            guest.format = self._format[0]
            self._say(guest, self._format[2])

    def _say(self, guest: Guest, data: bytes, descriptor: int | None = None) -> None:
        if guest.gone:
            return
        try:
            guest.say(data, () if descriptor is None else (descriptor,))
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):  # there is none to pass the memory with
                with contextlib.suppress(OSError):
                    guest.say(message(Kind.CUT, {"reason": "its writer has no file descriptors left"}))
            log.info("%s: reader %d is gone: %s", self.name, guest.who.pid, error.strerror)
            self._drop(guest)
        else:
            self._mind(guest)

    def _flush(self, guest: Guest) -> None:
        try:
            guest.flush()
        except OSError:
            self._drop(guest)
        else:
            self._mind(guest)

    def _mind(self, guest: Guest) -> None:
        """The thread waits for what there is to wait for."""
        if not guest.gone:
            self._watch.set(guest.link.fileno(), guest.events)
            if guest.busy and not self._watch.at_once:
                self._wake()

    def _cut(self, guest: Guest, why: str) -> None:
        """Ends a connection, and says why. What it still looks at is never written to again."""
        log.warning("%s: reader %d is cut off: %s", self.name, guest.who.pid, why)
        looks = any(held.memory is self.ring.current for held in guest.held.values())
        self._say(guest, message(Kind.CUT, {"reason": why}))
        self._drop(guest)
        if looks:
            self.ring.retire(self._held())

    def _drop(self, guest: Guest) -> None:
        """A reader is gone: what it held is free."""
        if guest.gone:
            return
        number = guest.link.fileno()
        self._watch.forget(number)
        self._by_number.pop(number, None)
        self._all.remove(guest)
        if guest in self.guests:
            self.guests.remove(guest)
        guest.close()
        self.ring.sweep(self._held())
        self.changed.notify_all()
        self._tell_writer()

    def _tell_writer(self) -> None:
        if self._waits:
            self._poke()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._waker.send(b"x")

    def _poke(self) -> None:
        with contextlib.suppress(OSError):
            self._poker.send(b"x")

    def forked(self) -> None:
        """In a child of a fork: all is the parent's, and is only closed here; locks may never come free."""
        self.closed = True
        self.writing = threading.RLock()
        self.changed = threading.Condition()
        self._turnstile = threading.Lock()
        self._watch.close()
        self._door.close()
        for link in (self._waker, self._wakened, self._poker, self._poked):
            link.close()
        for guest in self._all:
            guest.close()
        self.guests, self._all, self._by_number = [], [], {}
        self.ring.close()


def _pair() -> tuple[socket.socket, socket.socket]:
    one, other = socket.socketpair()
    for end in (one, other):
        end.setblocking(False)
    return one, other


_desks: weakref.WeakSet[Desk] = weakref.WeakSet()


def _forked() -> None:
    for desk in tuple(_desks):
        desk.forked()


def _exiting() -> None:
    """The interpreter ends: no socket is left behind."""
    ending = tuple(_desks)
    for desk in ending:
        desk.end()
    for desk in ending:
        desk.join()


atexit.register(_exiting)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
