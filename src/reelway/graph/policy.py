"""Links that drop rather than block: for live sources, whose packets will not wait.

Here the producer takes packets out of the queue too, so both ends take turns under `guard`, a lock that the
scheduler gives (graph makes none). A drop is counted and the next packet is flagged as a discontinuity;
marks survive.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from time import perf_counter
from typing import TYPE_CHECKING, Any

from reelway.graph.link import Limits, Link, Mark
from reelway.media.packet import Packet

if TYPE_CHECKING:
    from reelway.graph.filter import Filter
    from reelway.graph.pid import Pid


LONG_S = 0.02
"""Over a packet."""


class DroppingLink(Link):
    """Never full. Subclasses say which packets go when the limits are passed."""

    __slots__ = ("gap", "guard")
    lossless = False

    def __init__(
        self, pid: Pid, consumer: Filter, limits: Limits, guard: AbstractContextManager[Any]
    ) -> None:
        super().__init__(pid, consumer, limits)
        self.guard = guard
        self.gap = False
        """All went that was there: the next packet is flagged."""

    @property
    def full(self) -> bool:
        return False

    @property
    def roomy(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Packet]:
        return iter(self.get, None)

    def get(self) -> Packet | None:
        with self.guard:
            return super().get()

    def peek(self) -> Packet | None:
        with self.guard:
            return super().peek()

    def take(self, packet: Packet) -> bool:
        with self.guard:
            return super().take(packet)

    def take_mark(self) -> Mark | None:
        with self.guard:
            return super().take_mark()

    def push_mark(self, mark: Mark) -> None:
        with self.guard:
            super().push_mark(mark)

    def push(self, packet: Packet) -> None:
        with self.guard:
            if self.gap:
                packet.discontinuity, self.gap = True, False
            self.queue.append(packet)
            self.packets_in += 1
            self.bytes_in += packet.size
            self.make_room()

    def discard(self) -> None:
        with self.guard:
            self.gap = True
            super().discard()

    def make_room(self) -> None:
        raise NotImplementedError

    def drop(self, count: int) -> None:
        """Drops the `count` oldest packets; marks among them stay, in their order."""
        marks: list[Mark] = []
        while count:
            item = self.queue.popleft()
            if isinstance(item, Mark):
                marks.append(item)
            else:
                count -= 1
                self.packets_dropped += 1
                self.bytes_dropped += item.size
        self.queue.extendleft(reversed(marks))
        following = next((item for item in self.queue if isinstance(item, Packet)), None)
        if following is None:
            self.gap = True
        else:
            following.discontinuity = True

    def queued(self) -> list[Packet]:
        return [item for item in self.queue if isinstance(item, Packet)]


class DropOldest(DroppingLink):
    __slots__ = ()

    def make_room(self) -> None:
        while self.overfull():
            self.drop(1)

    def overfull(self) -> bool:
        held = len(self)
        if held < 2:
            return False
        size = self.bytes_in - self.bytes_out - self.bytes_dropped
        return held > self.max_packets or size > self.max_bytes or self._span() > self.max_ticks


class DropNewest(DropOldest):
    """Drops what comes where there is no room for it: what waits stays as it is."""

    __slots__ = ()

    def make_room(self) -> None:
        if self.overfull():
            newest = self.queue.pop()
            assert isinstance(newest, Packet)  # it was appended just now
            self.packets_dropped += 1
            self.bytes_dropped += newest.size
            self.gap = True


class Latest(DroppingLink):
    """Holds the newest packet only."""

    __slots__ = ()

    def make_room(self) -> None:
        if len(self) > 1:
            self.drop(len(self) - 1)


class Order:
    """Which of a consumer's fresh inputs gives in this turn of it: where it takes long, one each time.

    It is used on the consumer's thread. A turn begins with a look for marks at each input.
    """

    __slots__ = ("begun", "given", "since_s", "waiting")

    def __init__(self) -> None:
        self.since_s: float | None = None
        """When a packet was first taken in this turn; None before that."""
        self.given: set[Link] = set()
        self.begun: set[Link] = set()
        """Those that were looked at for marks; a second look is another turn."""
        self.waiting: list[Link] = []
        """Those that had to wait, in the order in which they come first in the next turns."""

    def begin(self, link: Link) -> None:
        """A turn begins, where `link` is the first to hear of it."""
        if link not in self.begun:
            self.begun.add(link)
            return
        self.begun = {link}
        if self.since_s is None:  # nothing was taken in the last one: nobody waits for one that is not asked
            self.waiting.clear()
        self.since_s = None
        self.given.clear()

    def allows(self, link: Link) -> bool:
        """`link` may give a packet now. Before its next turn there may be a newer one."""
        waiting = self.waiting
        if self.since_s is not None:
            allowed = perf_counter() - self.since_s <= LONG_S
        else:
            while waiting and not len(waiting[0]):
                waiting.pop(0)
            allowed = not waiting or waiting[0] is link
        if not allowed and link not in self.given and link not in waiting and len(link):
            waiting.append(link)
        return allowed

    def gave(self, link: Link) -> None:
        """A packet was taken from `link`."""
        if self.since_s is None:
            self.since_s = perf_counter()
        self.given.add(link)
        if link in self.waiting:
            self.waiting.remove(link)


class Fresh(DropOldest):
    """Holds a little, in order, for a consumer that keeps up; who has missed something gets the newest.

    Who takes long over a packet gets the next one in its next turn, before which newer ones may come.
    """

    __slots__ = ("missed", "order")

    def __init__(
        self, pid: Pid, consumer: Filter, limits: Limits, guard: AbstractContextManager[Any]
    ) -> None:
        super().__init__(pid, consumer, limits, guard)
        self.missed = False
        """Something went that its consumer did not come for."""
        self.order = consumer.order = consumer.order or Order()

    def take_mark(self) -> Mark | None:
        self.order.begin(self)
        return super().take_mark()

    def get(self) -> Packet | None:
        with self.guard:
            packet = Link.get(self) if self.skip() else None
            if packet is not None:
                self.order.gave(self)
            return packet

    def peek(self) -> Packet | None:
        with self.guard:
            return Link.peek(self) if self.skip() else None

    def take(self, packet: Packet) -> bool:
        taken = super().take(packet)
        if taken:
            self.order.gave(self)
        return taken

    def make_room(self) -> None:
        if self.overfull():
            self.missed = True
            while self.overfull():
                self.drop(1)

    def skip(self) -> bool:
        """Goes to the newest, for a consumer that comes late; False: it comes again."""
        if not self.order.allows(self):
            return False
        if self.missed and not self.filter.blocked:
            self.missed = False
            if len(self) > 1:
                self.drop(len(self) - 1)
        return True


class DropToKeyframe(DropOldest):
    """Drops up to the next random access point, so that what is left decodes."""

    __slots__ = ("waiting_for_keyframe",)

    def __init__(
        self, pid: Pid, consumer: Filter, limits: Limits, guard: AbstractContextManager[Any]
    ) -> None:
        super().__init__(pid, consumer, limits, guard)
        self.waiting_for_keyframe = False

    def make_room(self) -> None:
        if self.waiting_for_keyframe:  # nothing but the newest is here
            self.waiting_for_keyframe = not self.queued()[-1].sap
            if self.waiting_for_keyframe:
                self.drop(1)
        while self.overfull():
            queued = self.queued()
            keyframe = next((at for at, packet in enumerate(queued) if at and packet.sap), None)
            self.drop(len(queued) if keyframe is None else keyframe)
            self.waiting_for_keyframe = keyframe is None


_DROPPING = {
    "drop_oldest": DropOldest,
    "drop_newest": DropNewest,
    "latest": Latest,
    "fresh": Fresh,
    "drop_to_keyframe": DropToKeyframe,
}


def make_link(pid: Pid, consumer: Filter, limits: Limits, guard: AbstractContextManager[Any]) -> Link:
    """The link that `limits.policy` asks for."""
    dropping = _DROPPING.get(limits.policy)
    return Link(pid, consumer, limits) if dropping is None else dropping(pid, consumer, limits, guard)
