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
import os
import select
import socket
import threading
import time
import weakref
from collections import deque
from typing import Any

from reelway.errors import DeadlineError, StateError
from reelway.share.door import Door
from reelway.share.guest import Told
from reelway.share.guests import Guests
from reelway.share.ring import Held, Ring
from reelway.share.watch import LONGEST_S, READ, Bell, Watch, deadline
from reelway.share.wire import FrameNote

__all__ = ["Desk", "Told"]

HELLO_S = 5.0
"""Who has connected says what it wants within so long."""
CLOSE_S = 2.0
"""The end takes no longer; half of it is for what is still on its way to readers, half for the name."""


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
        self._times: deque[float] = deque(maxlen=32)
        self._blocked_s: float | None = None
        """Since when the writer finds no slot."""
        self._waits = False
        """The writer waits for one."""
        self._freed = Bell()
        """For the writer that waits."""
        self._watch = Watch()
        self._door = Door(name, server, allowed, self._watch)
        self.guests = Guests(name, ring, self._watch, self._about, self._news)
        self._thread = threading.Thread(target=self._work, name=f"reelway-share-{name}", daemon=True)
        self._thread.start()
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
                self.guests.hear(everybody=heard)
                now_s = time.monotonic()
                found = self.ring.take(size, self.guests.held(), now_s)
                if found is not None:
                    self._blocked_s = None
                    return found
                slowest = self.guests.slowest()
                if slowest is None and not heard:
                    heard = True  # who reads the newest may have let go, and the thread has not run yet
                    continue
                if slowest is None:
                    self._blocked_s = None
                    self.dropped += 1
                    return None
                left_s = self._forbearance(now_s)
                if left_s <= 0:
                    self.guests.cut(slowest, f"nothing was free for {self.patience_s:g} s, and it held most")
                    continue
                if until_s is not None:
                    if until_s <= now_s:
                        raise DeadlineError(
                            f"{self.name}: readers hold all {self.ring.slots} slots, after {timeout_s:g} s",
                            hint="more slots, or readers that let go sooner",
                        )
                    left_s = min(left_s, until_s - now_s)
                watch = select.poll()
                watch.register(self._freed, READ)
                for guest in self.guests.all:
                    if guest.waited_for:
                        watch.register(guest.link, READ)
                self._waits = True
            watch.poll(min(left_s, LONGEST_S) * 1000)
            self._freed.hush()

    def _forbearance(self, now_s: float) -> float:
        """How long the writer goes on to wait for its readers [s]."""
        if self._blocked_s is None:
            self._blocked_s = now_s
        return self._blocked_s + self.patience_s - now_s

    def publish(self, note: FrameNote, held: Held, said: bytes) -> None:
        """Gives a frame to who wants it. `changed` is held."""
        self.frames = note.sequence
        self._times.append(held.since_s)
        self.ring.newest = note, held, said
        self.guests.publish(note, held, said)

    def refuse_closed(self) -> None:
        """Raises StateError where it is closed."""
        if self.closed:
            raise StateError(f"{self.name} is shared no longer", hint="make another Writer")

    # For anybody

    def wait_readers(self, count: int, timeout_s: float | None) -> bool:
        """True: so many are there."""
        until_s = deadline(timeout_s)
        with self.changed:
            self.guests.hear()
            left_s = None if until_s is None else until_s - time.monotonic()
            self.changed.wait_for(lambda: self.reading >= count or self.closed, left_s)
            return self.reading >= count and not self.closed

    @property
    def reading(self) -> int:
        """How many readers there are, as they were heard last. Without a lock."""
        return len(self.guests.reading)

    def readers(self) -> tuple[Told, ...]:
        """Who reads."""
        with self.changed:
            self.guests.hear()
            return tuple(guest.told() for guest in self.guests.reading)

    @property
    def rate(self) -> float:
        """Frames a second, of late."""
        times = tuple(self._times)
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0

    def info(self) -> dict[str, Any]:
        """All of it, for who asks; in JSON."""
        with self.changed:
            self.guests.hear()
            self.ring.sweep(self.guests.held())
            return self._about()

    def end(self) -> None:
        """Ends it, soon. Waits for nothing and takes no lock: a finalizer may call it, anywhere."""
        self.closed = True
        self._watch.bell.ring()
        self._freed.ring()

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
                self.guests.hear()  # who has said hello is a reader, and is told
                self.guests.end()
            until_s = time.monotonic() + CLOSE_S / 2
            while self.guests.busy and (left_s := until_s - time.monotonic()) > 0:
                self._turn(left_s)
        finally:
            with self.changed:
                self.closed = True
                for guest in tuple(self.guests.all):
                    self.guests.drop(guest)
                self.changed.notify_all()
                self.ring.close()
                self._watch.close()
                self._door.close()
                self._freed.close()
            self._door.free(CLOSE_S / 2)  # last: that may have to wait

    def _turn(self, timeout_s: float | None) -> None:
        for number, events in self._watch.wait(timeout_s):
            if number == self._door.number:
                self._let_in()
            else:
                with self._turnstile, self.changed:
                    self.guests.serve(number, events)
        now_s = time.monotonic()
        self._door.listen_again(now_s)
        for guest in tuple(self.guests.all):
            if guest.policy is None and guest.came_s + HELLO_S <= now_s:  # it said nothing in time
                with self._turnstile, self.changed:
                    self.guests.drop(guest)

    def _patience(self) -> float | None:
        """How long until somebody is late [s]; None: nobody can be."""
        late_s = [guest.came_s + HELLO_S for guest in tuple(self.guests.all) if guest.policy is None]
        if self._door.deaf_until_s:
            late_s.append(self._door.deaf_until_s)
        return max(0.0, min(late_s) - time.monotonic()) if late_s else None

    def _let_in(self) -> None:
        guest = self._door.answer(len(self.guests.all))
        if guest is not None:
            with self._turnstile, self.changed:
                self.guests.add(guest)

    def _about(self) -> dict[str, Any]:
        """As `info()`; nobody is heard, as somebody is being heard. `changed` is held."""
        current, format = self.ring.current, self.guests.format
        return {
            "name": self.name,
            "format": format[1] if format is not None else None,
            "frames": self.frames,
            "dropped": self.dropped,
            "rate": round(self.rate, 2),
            "slots": self.ring.slots,
            "slot_bytes": current.slot_bytes if current is not None else self.ring.slot_bytes,
            "bytes": self.ring.bytes,
            "readers": [guest.told()._asdict() for guest in self.guests.reading],
        }

    def _news(self) -> None:
        """Somebody has come, has gone, or has let go of a frame. `changed` is held."""
        self.changed.notify_all()
        if self._waits:
            self._freed.ring()

    def forked(self) -> None:
        """In a child of a fork: all is the parent's, and is only closed here; locks may never come free."""
        self.closed = True
        self.writing = threading.RLock()
        self.changed = threading.Condition()
        self._turnstile = threading.Lock()
        self._watch.close()
        self._door.close()
        self._freed.close()
        self.guests.forked()
        self.ring.close()


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
