"""All readers of one writer: what they say, what they are told, and what they hold. The desk locks it."""

from __future__ import annotations

import contextlib
import errno
import logging
from collections.abc import Callable
from typing import Any

from reelway.share.content import Description, Format
from reelway.share.guest import Guest
from reelway.share.ring import Held, Ring
from reelway.share.watch import WRITE, Watch
from reelway.share.wire import VERSION, FrameNote, Kind, WireError, message

__all__ = ["Guests"]

log = logging.getLogger("reelway.share")


class Guests:
    """The connections to one writer.

    about   all of the writer, as who comes is told it
    news    is called when somebody has come, has gone, or has let go of a frame
    """

    def __init__(
        self,
        name: str,
        ring: Ring,
        watch: Watch,
        about: Callable[[], dict[str, Any]],
        news: Callable[[], None],
    ) -> None:
        self.name = name
        self.reading: list[Guest] = []
        """Those that want frames."""
        self.all: list[Guest] = []
        """Those that have said nothing yet, or have left and still look at something, too."""
        self.format: tuple[int, Description, bytes] | None = None
        """What frames are now: its number, its description, and the message that says so."""
        self._ring = ring
        self._watch = watch
        self._about = about
        self._news = news
        self._by_number: dict[int, Guest] = {}

    @property
    def busy(self) -> bool:
        """Something is still on its way to somebody."""
        return any(guest.busy for guest in self.all)

    def held(self) -> list[Held]:
        """What is looked at."""
        return [held for guest in self.all for held in guest.held.values()]

    def slowest(self) -> Guest | None:
        """Of those that may hold the writer up, who holds most, and of these for longest."""
        holding = [guest for guest in self.all if guest.waited_for and guest.held]
        return max(
            holding,
            key=lambda guest: (len(guest.held), -min(held.since_s for held in guest.held.values())),
            default=None,
        )

    # Coming and going

    def add(self, guest: Guest) -> None:
        """It has come in, and will say what it wants."""
        self.all.append(guest)
        self._by_number[guest.link.fileno()] = guest
        self._mind(guest)

    def cut(self, guest: Guest, why: str) -> None:
        """Ends a connection, and says why. What it still looks at is never written to again."""
        log.warning("%s: reader %d is cut off: %s", self.name, guest.who.pid, why)
        looks = any(held.memory is self._ring.current for held in guest.held.values())
        with contextlib.suppress(OSError):
            guest.say(message(Kind.CUT, {"reason": why}))
        self.drop(guest)
        if looks:
            self._ring.retire(self.held())

    def drop(self, guest: Guest) -> None:
        """A reader is gone: what it held is free."""
        if guest.gone:
            return
        number = guest.link.fileno()
        self._watch.forget(number)
        self._by_number.pop(number, None)
        self.all.remove(guest)
        if guest in self.reading:
            self.reading.remove(guest)
        guest.close()
        self._ring.sweep(self.held())
        self._news()

    def forked(self) -> None:
        """In a child of a fork: they are the parent's, and connections are only closed here."""
        for guest in self.all:
            guest.close()
        self.reading, self.all, self._by_number = [], [], {}

    # What they are told

    def describe(self, description: Description, slot: memoryview) -> int:
        """The number of a format; a new one where it is new. `slot` holds the first frame of it.

        Raises WireError where it is too long, PacketError where a reader could not make out what it says.
        """
        if self.format is None or description != self.format[1]:
            Format(description).array(slot)
            number = self.format[0] + 1 if self.format is not None else 1
            body = {"format": number, "description": description}
            self.format = number, description, message(Kind.FORMAT, body)
        return self.format[0]

    def publish(self, note: FrameNote, held: Held, said: bytes) -> None:
        """Gives a new frame to who wants it."""
        for guest in tuple(self.reading):
            if guest.policy == "every" or (guest.wants is not None and note.sequence > guest.wants):
                self._give(guest, note, held, said)

    def end(self) -> None:
        """Says so to all; who reads the newest gets the last one before, asked for or not.

        Who has not said what it wants may look for another writer.
        """
        newest = self._ring.newest
        for guest in tuple(self.all):
            if guest.policy is None and not guest.looks:
                self.drop(guest)
        for guest in tuple(self.reading):
            if guest.policy == "latest" and newest is not None and guest.given < newest[0].sequence:
                self._give(guest, *newest)
            self._say(guest, message(Kind.END))

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
        if self.format is not None and guest.format != self.format[0]:
            guest.format = self.format[0]
            self._say(guest, self.format[2])

    def _say(self, guest: Guest, data: bytes, descriptor: int | None = None) -> None:
        if guest.gone:
            return
        try:
            guest.say(data, () if descriptor is None else (descriptor,))
        except (BrokenPipeError, ConnectionError):
            self.drop(guest)
        except OSError as error:  # it is there, and may look at something
            none_left = error.errno in (errno.EMFILE, errno.ENFILE)  # to pass the memory with
            what = "file descriptors left" if none_left else f"way to tell it: {error.strerror}"
            self.cut(guest, f"its writer has no {what}")
        else:
            if guest.deaf:
                self.cut(guest, "it lets go of frames before it reads that they came")
            else:
                self._mind(guest)

    # What they say

    def serve(self, number: int, events: int) -> None:
        """Something has happened at this descriptor."""
        guest = self._by_number.get(number)
        if guest is None:
            return
        if events & WRITE:
            self._flush(guest)
        if events & ~WRITE:
            self._hear(guest)

    def hear(self, everybody: bool = True) -> None:
        """What has been said in the meantime; or only by readers with the policy `every`."""
        for guest in tuple(self.all):
            if everybody or guest.waited_for:
                self._hear(guest)

    def _hear(self, guest: Guest) -> None:
        try:
            for _ in range(2):  # the second time tells whether it has gone after what it said
                if guest.gone:
                    return
                said = guest.hear()
                if said is None:
                    self.drop(guest)
                    return
                for kind, body in said:
                    self._obey(guest, kind, body)
                if not said:
                    return
        except WireError as error:
            self.cut(guest, f"it does not speak our language: {error}")

    def _obey(self, guest: Guest, kind: Kind, body: Any) -> None:
        if guest.gone:
            return
        if guest.policy is None and not guest.looks:
            if kind is not Kind.HELLO:
                raise WireError(f"{kind.name} before HELLO")
            self._greet(guest, body)
        elif kind is Kind.RELEASE:
            if guest.held.pop(body, None) is not None:
                self._news()
                if guest.left and not guest.held:
                    self.drop(guest)
        elif kind is Kind.LEAVE:
            self._let_leave(guest)
        elif kind is Kind.READY and guest.policy == "latest" and not guest.left:
            guest.wants = body
            newest = self._ring.newest
            if newest is not None and newest[0].sequence > body:
                if newest[0].sequence in guest.held:
                    raise WireError("READY for what it has")
                self._give(guest, *newest)
        else:
            raise WireError(f"{kind.name} from a reader")

    def _greet(self, guest: Guest, body: dict[str, Any]) -> None:
        if body.get("version") != VERSION:
            self.cut(guest, f"it speaks version {body.get('version')}, this is {VERSION}")
            return
        policy = body.get("policy")
        if policy not in ("every", "latest", "look"):
            raise WireError(f"no policy {str(policy)[:20]!r}")
        self._say(guest, message(Kind.WELCOME, self._about()))
        if policy == "look":
            guest.looks = True
            self._told_all(guest)
        if guest.gone or guest.looks:
            return
        guest.policy = policy
        self.reading.append(guest)
        self._tell_format(guest)
        self._mind(guest)
        self._news()

    def _let_leave(self, guest: Guest) -> None:
        """It wants no more, and still looks at what it has."""
        if guest in self.reading:
            self.reading.remove(guest)
        guest.left = True
        guest.wants = None
        if not guest.held:
            self.drop(guest)

    def _flush(self, guest: Guest) -> None:
        try:
            guest.flush()
        except OSError:
            self.drop(guest)
        else:
            self._mind(guest)
            self._told_all(guest)

    def _told_all(self, guest: Guest) -> None:
        """Who only looks goes, when the last of it is on its way."""
        if guest.looks and not guest.busy:
            self.drop(guest)

    def _mind(self, guest: Guest) -> None:
        """The desk's thread waits for what there is to wait for."""
        if not guest.gone:
            self._watch.set(guest.link.fileno(), guest.events)
