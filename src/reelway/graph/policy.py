"""Links that drop rather than block: for live sources, whose packets will not wait.

Here the producer takes packets out of the queue too, so both ends take turns under `guard`, a lock that the
scheduler gives (graph makes none). A drop is counted and the next packet is flagged as a discontinuity;
marks survive.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from reelway.graph.link import Limits, Link, Mark
from reelway.media.packet import Packet

if TYPE_CHECKING:
    from reelway.graph.filter import Filter
    from reelway.graph.pid import Pid


class DroppingLink(Link):
    """Never full. Subclasses say which packets go when the limits are passed."""

    __slots__ = ("guard",)
    lossless = False

    def __init__(
        self, pid: Pid, consumer: Filter, limits: Limits, guard: AbstractContextManager[Any]
    ) -> None:
        super().__init__(pid, consumer, limits)
        self.guard = guard

    full = property(lambda self: False)  # type: ignore[assignment]
    roomy = property(lambda self: True)  # type: ignore[assignment]

    def get(self) -> Packet | None:
        with self.guard:
            return super().get()

    def peek(self) -> Packet | None:
        with self.guard:
            return super().peek()

    def take_mark(self) -> Mark | None:
        with self.guard:
            return super().take_mark()

    def push_mark(self, mark: Mark) -> None:
        with self.guard:
            super().push_mark(mark)

    def push(self, packet: Packet) -> None:
        with self.guard:
            self.queue.append(packet)
            self.packets_in += 1
            self.bytes_in += packet.size
            self.make_room()

    def make_room(self) -> None:
        raise NotImplementedError

    def too_much(self) -> bool:
        return self.packets_in - self.packets_out - self.packets_dropped > self.max_packets or self._over(1)

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
        for item in self.queue:
            if isinstance(item, Packet):
                item.discontinuity = True
                break

    def queued(self) -> list[Packet]:
        return [item for item in self.queue if isinstance(item, Packet)]


class DropOldest(DroppingLink):
    __slots__ = ()

    def make_room(self) -> None:
        while len(self) > 1 and (len(self) > self.max_packets or self._over_bytes_or_time()):
            self.drop(1)

    def _over_bytes_or_time(self) -> bool:
        size = self.bytes_in - self.bytes_out - self.bytes_dropped
        return size > self.max_bytes or self._span() > self.max_ticks


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
        if self.waiting_for_keyframe:
            self.waiting_for_keyframe = not self.queued()[-1].sap
        elif not (len(self) > 1 and (len(self) > self.max_packets or self._over_bytes_or_time())):
            return
        queued = self.queued()
        keyframes = [at for at, packet in enumerate(queued) if at and packet.sap]
        if len(queued) == 1 and queued[0].sap:
            return
        self.drop(keyframes[0] if keyframes else len(queued))
        self.waiting_for_keyframe = not keyframes


_DROPPING = {"drop_oldest": DropOldest, "latest": Latest, "drop_to_keyframe": DropToKeyframe}


def make_link(pid: Pid, consumer: Filter, limits: Limits, guard: AbstractContextManager[Any]) -> Link:
    """The link that `limits.policy` asks for."""
    dropping = _DROPPING.get(limits.policy)
    return Link(pid, consumer, limits) if dropping is None else dropping(pid, consumer, limits, guard)
