"""Links that drop rather than block: for live sources, whose packets will not wait.

Here the producer takes packets out of the queue too, so both ends take turns under `guard`, a lock that the
scheduler gives (graph makes none). A drop is counted and the next packet is flagged as a discontinuity;
marks survive.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from reelway.graph.link import Limits, Link, Mark
from reelway.media.packet import Packet

if TYPE_CHECKING:
    from reelway.graph.filter import Filter
    from reelway.graph.pid import Pid


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
    "drop_to_keyframe": DropToKeyframe,
}


def make_link(pid: Pid, consumer: Filter, limits: Limits, guard: AbstractContextManager[Any]) -> Link:
    """The link that `limits.policy` asks for."""
    dropping = _DROPPING.get(limits.policy)
    return Link(pid, consumer, limits) if dropping is None else dropping(pid, consumer, limits, guard)
