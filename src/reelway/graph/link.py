"""A link: the bounded queue from a Pid to one consumer, and the consumer's end of it.

One thread appends, one thread takes; every counter has one writer. It relies on deque's append and popleft
being atomic under the GIL. Nothing here wakes anybody: the scheduler looks at the counters after each turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, get_args

from reelway.errors import OptionError
from reelway.graph.ages import Ages
from reelway.graph.caps import lost
from reelway.media.packet import Packet
from reelway.media.timebase import MICROSECONDS

if TYPE_CHECKING:
    from reelway.graph.filter import Filter
    from reelway.graph.pid import Pid
    from reelway.media.events import Event

Policy = Literal["block", "drop_oldest", "drop_newest", "latest", "fresh", "drop_to_keyframe"]
POLICIES: tuple[Policy, ...] = get_args(Policy)
UNLIMITED = 1 << 62


@dataclass(frozen=True, slots=True)
class Limits:
    """What a link may hold. The first limit reached makes it full; an empty link always takes one packet.

    `direct`: its producer goes on only when the consumer could send on what it gets, so that nothing waits
    between a source and who holds its packets.
    """

    packets: int = 64
    bytes: int = 32 << 20
    seconds: float = 10.0
    policy: Policy = "block"
    direct: bool = False

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise OptionError(f"no link policy {self.policy!r}", hint=f"one of {', '.join(POLICIES)}")
        if self.packets < 1 or self.bytes < 1 or self.seconds <= 0:
            raise OptionError(f"a link must be able to hold something: {self}")


class News(Enum):
    """What a mark in the queue announces."""

    CONFIGURE = "new properties"
    RESTART = "the stream goes on from another place"
    END = "the stream has ended"


class Mark:
    """News that travels in order with the packets."""

    __slots__ = ("news", "properties")
    dts = None  # so that a look at the head of a queue needs no test of its class

    def __init__(self, news: News, properties: dict[str, Any] | None = None) -> None:
        self.news = news
        self.properties = properties


class Link:
    """A filter's input PID.

    A filter reads with `get()`, or iterates; both give None or stop at a mark, at an empty queue, and while
    one of the filter's own outputs is full. `properties` are those of the next packet.
    """

    __slots__ = (
        "__weakref__",
        "_share",
        "ages",
        "announced",
        "bytes_dropped",
        "bytes_in",
        "bytes_out",
        "coming",
        "configured",
        "data",
        "ended",
        "filter",
        "grown",
        "limits",
        "marks_in",
        "marks_out",
        "max_bytes",
        "max_packets",
        "max_seconds",
        "max_ticks",
        "moved",
        "open_ended",
        "output",
        "packets_dropped",
        "packets_in",
        "packets_out",
        "pid",
        "properties",
        "queue",
        "removed",
        "since",
        "source",
        "stopped",
        "told",
        "waiting",
    )
    lossless = True
    """False for a link that drops packets rather than make its producer wait."""

    def __init__(self, pid: Pid, consumer: Filter, limits: Limits) -> None:
        self.pid = pid
        self.source: Filter = pid.filter
        self.filter = consumer
        self.limits = limits
        self.queue: deque[Packet | Mark] = deque()
        self.properties: dict[str, Any] = {}
        self.told: dict[str, Any] = dict(pid.properties)
        """What its consumer was chosen for; from then on, what it was last told in the queue."""
        self.configured = self.ended = self.removed = False
        self.stopped = False
        """The consumer wants no more (`Stop`): packets pass it by until it says `Play`."""
        self.moved = False
        """Another PID feeds it than the one it was made for."""
        self.coming: Pid | None = None
        """What feeds it as soon as the turns of both producers are over."""
        self.open_ended = False
        """Another PID is going to feed it: the end of this one is not told."""
        self.data: Any = None
        """For the consumer: whatever it keeps for this input."""
        self.output: Pid | None = None
        """The consumer's PID that carries this stream on, and ends with it (`new_pid(of=link)`)."""
        self.ages: Ages | None = None
        """Of the packets that were taken, where they say when they were captured."""
        # written by the producer's thread
        self.packets_in = self.bytes_in = self.marks_in = 0
        self.packets_dropped = self.bytes_dropped = 0
        # written by the consumer's thread
        self.packets_out = self.bytes_out = self.marks_out = 0
        # written by the scheduler's thread
        self.announced = self.grown = 0
        self.waiting = False
        self.since = 0.0
        """When the packet at the head got there [s of the scheduler's turns]."""
        self.max_packets = limits.packets
        self.max_bytes = limits.bytes
        self.max_seconds = limits.seconds
        self.max_ticks = UNLIMITED
        self._share = 2
        """A waiting producer goes on at 1/share of each limit: at half, or below it once it cannot grow."""

    @property
    def name(self) -> str:
        return self.pid.name

    # Consumer's thread

    def get(self) -> Packet | None:
        """The next packet, which is then the caller's; None: nothing to take, or nowhere to send it."""
        queue = self.queue
        if queue and not self.filter.blocked:
            packet = queue.popleft()
            if packet.__class__ is Mark:
                queue.appendleft(packet)
                return None
            self.packets_out += 1
            self.bytes_out += packet.size  # type: ignore[union-attr]
            if packet.capture_time is not None:  # type: ignore[union-attr]
                self.note_age(packet.capture_time)  # type: ignore[union-attr]
            return packet  # type: ignore[return-value]
        return None

    def peek(self) -> Packet | None:
        """The next packet, which stays in the queue; None where `get` would give None."""
        queue = self.queue
        if queue and not self.filter.blocked:
            packet = queue[0]
            if packet.__class__ is not Mark:
                return packet  # type: ignore[return-value]
        return None

    def take(self, packet: Packet) -> bool:
        """Takes away what `peek` gave, also while an output is full; False where it was dropped since."""
        queue = self.queue
        if queue and queue[0] is packet:
            queue.popleft()
            self.packets_out += 1
            self.bytes_out += packet.size
            if packet.capture_time is not None:
                self.note_age(packet.capture_time)
            return True
        return False

    def __iter__(self) -> Iterator[Packet]:
        queue, filter = self.queue, self.filter
        while queue and not filter.blocked:
            packet = queue.popleft()
            if packet.__class__ is Mark:
                queue.appendleft(packet)
                return
            self.packets_out += 1
            self.bytes_out += packet.size  # type: ignore[union-attr]
            if packet.capture_time is not None:  # type: ignore[union-attr]
                self.note_age(packet.capture_time)  # type: ignore[union-attr]
            yield packet  # type: ignore[misc]

    def note_age(self, captured_ns: int) -> None:
        """A packet of that capture time was taken."""
        if self.ages is None:
            self.ages = Ages()
        self.ages.note(captured_ns)

    def __len__(self) -> int:
        return self.packets_in - self.packets_out - self.packets_dropped

    def __bool__(self) -> bool:
        return True  # a link is a link, also an empty one

    @property
    def buffer_us(self) -> int:
        """Media time in the queue [us], from the first packet's start to the last one's end."""
        packets = [p for p in tuple(self.queue) if isinstance(p, Packet) and p.dts is not None]
        timescale = self.properties.get("Timescale") or self.pid.properties.get("Timescale")
        if not packets or not timescale:
            return 0
        span = packets[-1].dts + (packets[-1].duration or 0) - packets[0].dts  # type: ignore[operator]
        return int(max(0, span) * MICROSECONDS // timescale)

    def send_event(self, event: Event) -> None:
        """Sends `event` upstream, to the filter that feeds this link."""
        self.filter.context.send_upstream(self, event)

    def take_mark(self) -> Mark | None:
        """The mark at the head of the queue, taken; None where there is none. For the scheduler."""
        queue = self.queue
        if queue and queue[0].__class__ is Mark:
            self.marks_out += 1
            return queue.popleft()  # type: ignore[return-value]
        return None

    # Either thread

    @property
    def full(self) -> bool:
        """True where the producer must wait; never for an empty link."""
        return self._over(1)

    @property
    def roomy(self) -> bool:
        """True where a waiting producer may go on: half of every limit is free."""
        return not self._over(self._share) and not (self.limits.direct and self.filter.blocked)

    def _over(self, share: int) -> bool:
        """At or over 1/share of a limit (for a half: over it)."""
        held = self.packets_in - self.packets_out - self.packets_dropped
        if not held or self.stopped:
            return False
        margin = share - 1
        return (
            held * share >= self.max_packets + margin
            or (self.bytes_in - self.bytes_out - self.bytes_dropped) * share >= self.max_bytes + margin
            or self._span() * share >= self.max_ticks + margin
        )

    def _span(self) -> int:
        """Ticks from the first to the last packet in the queue; 0 where unknown."""
        try:
            first, last = self.queue[0].dts, self.queue[-1].dts
        except IndexError:  # the other thread emptied it
            return 0
        return 0 if first is None or last is None else last - first

    # Producer's thread

    def push_mark(self, mark: Mark) -> None:
        if mark.news is News.CONFIGURE:
            self.told = mark.properties or {}
            self.set_timescale(self.told.get("Timescale"))
        elif mark.news is News.END and self.open_ended:
            return
        self.marks_in += 1
        self.queue.append(mark)

    def refuses(self, properties: Mapping[str, Any]) -> bool:
        """Its consumer takes the stream as it is, and not as it would be with these."""
        return lost(self.told, properties, self.filter.inputs) is not None

    def set_timescale(self, timescale: int | None) -> None:
        self.max_ticks = max(1, int(self.max_seconds * timescale)) if timescale else UNLIMITED

    def require(self, seconds: float) -> None:
        """Another limit in media time, for all of the stream that is to come."""
        self.max_seconds = seconds
        self.set_timescale(self.pid.properties.get("Timescale"))

    def set_limits(self, limits: Limits) -> None:
        """How much it may hold from now on; its policy stays."""
        self.max_packets, self.max_bytes, self.max_seconds = limits.packets, limits.bytes, limits.seconds
        self.set_timescale(self.pid.properties.get("Timescale"))

    # Scheduler's thread

    @property
    def reopens(self) -> bool:
        """Another PID may feed it: its end was not told yet."""
        return not self.ended and not self.removed

    def close(self, end: Mark) -> None:
        """Nobody feeds it any more: `end` is told, where no end was."""
        told = any(isinstance(item, Mark) and item.news is News.END for item in tuple(self.queue))
        if self.reopens and not told:
            self.open_ended = False
            self.push_mark(end)

    def reopen(self, pid: Pid, open_ended: bool = False) -> None:
        """From here on `pid` feeds it; an end that waits in the queue is none. While nobody feeds it."""
        self.pid, self.source = pid, pid.filter
        self.moved, self.open_ended, self.coming = True, open_ended, None
        for item in tuple(self.queue):
            if isinstance(item, Mark) and item.news is News.END:
                try:
                    self.queue.remove(item)
                except (ValueError, IndexError):  # the consumer was quicker
                    continue
                self.marks_out += 1

    def grow(self, max_bytes: int) -> None:
        """Doubles every limit, bytes up to `max_bytes`, until there is room. While the producer waits."""
        self.grown += 1
        while self._over(self._share):
            self.max_packets *= 2
            self.max_seconds *= 2
            self.max_ticks = min(UNLIMITED, self.max_ticks * 2)
            self.max_bytes *= 2
            if self.max_bytes >= max_bytes:
                self.max_bytes, self._share = max_bytes, 1

    def discard(self) -> None:
        """Drops the packets in the queue, counted; marks stay. While the consumer does not run."""
        marks: list[Mark] = []
        for _ in range(len(self.queue)):  # the producer may append meanwhile
            item = self.queue.popleft()
            if isinstance(item, Mark):
                marks.append(item)
            else:
                self.packets_dropped += 1
                self.bytes_dropped += item.size
        self.queue.extendleft(reversed(marks))

    # Producer's thread, always

    def push(self, packet: Packet) -> None:
        size = packet.size  # first: what is no packet never gets into the queue
        queue = self.queue
        queue.append(packet)
        self.packets_in += 1
        self.bytes_in += size
        if len(queue) >= self.max_packets or self.bytes_in - self.bytes_out >= self.max_bytes:
            if self.full:  # marks and drops are in the sums above
                self.source.blocked = True
            return
        dts = packet.dts
        if dts is not None:
            try:
                first = queue[0].dts
            except IndexError:  # the consumer was quicker
                return
            if first is not None and dts - first >= self.max_ticks:
                self.source.blocked = True
