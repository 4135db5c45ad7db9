"""A Pid: one stream that a filter produces, with its properties, its end, and one link to each consumer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reelway.errors import PacketError, StateError
from reelway.graph.link import Link, Mark, News
from reelway.media.packet import Packet
from reelway.media.payload import SharedBuffer
from reelway.media.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reelway.graph.filter import Filter
    from reelway.media.events import Event

MAX_WAITING = 64  # packets in a PID that the session has not linked yet

Probe = Callable[[Packet], "Packet | None"]
"""Sees each packet on its way, on the producer's thread; what it returns goes on, None: nothing."""


class _Probed:
    """A link behind probes."""

    __slots__ = ("link", "pid", "probes")

    def __init__(self, pid: Pid, link: Link, probes: list[Probe]) -> None:
        self.pid, self.link, self.probes = pid, link, probes

    @property
    def packets_in(self) -> int:
        return self.link.packets_in

    def push(self, packet: Packet) -> None:
        for probe in self.probes:
            seen = probe(packet)
            if seen is None:
                self.pid.packets_taken += 1
                return
            packet = seen
        self.link.push(packet)


class Pid:
    """Made by `Filter.new_pid()`; used on that filter's thread only.

    `send(packet)` gives the packet to every consumer. It is bound to fit their number when the session
    links the PID; what is sent before waits inside and is delivered then. A full link blocks the filter
    (`filter.blocked`); it may finish what it is doing, a few packets more.
    """

    __slots__ = (
        "__weakref__",
        "_begun",
        "_bound",
        "_counted",
        "_first_properties",
        "_held",
        "_linked",
        "_probes",
        "_targets",
        "_tried",
        "_waiting",
        "data",
        "ended",
        "filter",
        "links",
        "name",
        "on_mark",
        "packets_taken",
        "packets_unlinked",
        "properties",
        "said",
        "send",
        "timeline",
    )

    def __init__(self, filter: Filter, name: str, properties: dict[str, Any]) -> None:
        self.filter = filter
        self.name = name
        self.properties = properties
        self.links: list[Link] = []
        self.ended = False
        self.timeline = Timeline()
        self.packets_unlinked = self.packets_taken = 0
        """`taken`: by probes, which let nothing through."""
        self.on_mark: Callable[[Mark], None] | None = None
        """Sees each mark on its way, as a probe sees packets."""
        self.data: Any = None
        """For the producer: whatever it keeps for this PID."""
        self.said: Mapping[str, Any] = {}
        """What a user says of it, which holds whatever its filter says later."""
        self._begun = False
        """The call that made it is over."""
        self._bound = False
        self._linked = False
        """The session has linked it; where it is held, it is bound later."""
        self._held = 0
        self._first_properties = dict(properties)
        self._waiting: deque[Packet | Mark] = deque()
        self._tried: Mark | None = None
        """Not every consumer takes what it tells; the session has done what can be done."""
        self._probes: list[tuple[Probe, Filter | None]] = []
        self._targets: list[Link | _Probed] = []
        self._counted = 0
        """Packets sent before, or beyond, what the first target counts."""
        self.send: Callable[[Packet], None] = self._wait

    # Producer's thread

    def set(self, **properties: Any) -> None:
        """New properties; None removes one. Consumers are configured before the next packet sent.

        In the call that made the PID these are its first ones, as if `new_pid()` had been given them.
        """
        for name, value in properties.items():
            if value is None:
                self.properties.pop(name, None)
            else:
                self.properties[name] = value
        if not self._begun and not self._waiting:
            self._first_properties = dict(self.properties)
            return
        self._mark(News.CONFIGURE, dict(self.properties))

    def copy_properties(self, other: Link | Pid) -> None:
        """Takes over all properties of another PID."""
        self.set(**other.properties)

    def replace_properties(self, properties: Mapping[str, Any]) -> None:
        """Has these from here on, and no others. Where they are what it has, nobody is told."""
        said = {**properties, **self.said}
        wanted = {name: value for name, value in said.items() if value is not None}
        if wanted != self.properties:
            self.set(**{name: None for name in self.properties if name not in wanted}, **wanted)

    def restart(self) -> None:
        """The next packet comes from another place of the stream, as after a seek."""
        self._mark(News.RESTART)

    def end(self) -> None:
        """No more packets. Saying it twice changes nothing."""
        if not self.ended:
            self.ended = True
            self._mark(News.END)
            self.send = self._refuse

    def send_event(self, event: Event) -> None:
        """Sends `event` downstream, to every consumer."""
        self.filter.context.send_downstream(self, event)

    def new_shared(self, memory: Any, release: Callable[[], None] | None = None) -> Packet:
        """A packet on memory of yours, not copied: leave it unchanged until `release()` is called.

        `release` runs on the session's thread, after the last reader and the last view are gone.
        """
        return Packet(SharedBuffer(memory, release, self.filter.context.defer))

    @property
    def blocked(self) -> bool:
        """True while a consumer's queue is full."""
        return any(link.full for link in self.links)

    @property
    def packets_sent(self) -> int:
        """How many packets have gone to consumers, each counted once."""
        targets = self._targets
        return self._counted + (targets[0].packets_in if targets else 0)

    # For the session

    def begin(self) -> None:
        """The call that made it is over: what is set from here on is news."""
        self._begun = True

    def attach(self, link: Link, *, restart: bool = False) -> None:
        """Adds a consumer; it starts with the properties that the next packet has, or goes on with them."""
        self.links.append(link)
        if self.holds and self._tried in self._waiting:  # which will tell it
            if restart:
                link.push_mark(Mark(News.RESTART))
            return
        first = Mark(News.CONFIGURE, dict(self.properties if self._bound else self._first_properties))
        changed = self._bound and not self.ended  # perhaps, since it was chosen
        if changed and link.refuses(self.properties):
            self._ask(first)
            self._waiting.append(first)
        else:
            link.push_mark(first)
        if restart:
            link.push_mark(Mark(News.RESTART))
        if self._bound:
            if self.ended:
                link.push_mark(Mark(News.END))
            self.bind()

    def detach(self, link: Link) -> None:
        self.links.remove(link)
        self.bind()

    def hold(self) -> None:
        """A consumer is to come that shall see all of it: until `release()` it delivers nothing, where it
        does not deliver already."""
        self._held += 1

    def release(self) -> None:
        """Ends one `hold`; after the last, what waited is delivered."""
        self._held -= 1
        if not self._held and self._linked and not self._bound:
            self.bind()

    @property
    def holds(self) -> bool:
        """What it was sent waits in it, until who is to take it is linked."""
        return bool(self._held and self._waiting)

    @property
    def waits_full(self) -> bool:
        """It is held, and holds as much as it may."""
        return bool(self._held) and len(self._waiting) >= MAX_WAITING

    def bind(self) -> None:
        """Delivers what waited, and from here on sends straight to the links."""
        self._linked = True
        if self._held and not self._bound:
            return
        self._begun = self._bound = True
        sent = self.packets_sent
        targets = self._targets = [self._behind_probes(link) for link in self.links if not link.stopped]
        self._counted = sent - (targets[0].packets_in if targets else 0)
        while self._waiting:
            item = self._waiting.popleft()
            if isinstance(item, Packet):
                self._send_all(item)
            elif self._refused(item):
                self._ask(item)
                self._waiting.appendleft(item)
                return
            else:
                self._push_mark(item)
        if self.ended:
            return
        match targets:
            case []:
                self.send = self._send_nowhere
            case [only]:
                self.send = only.push
            case _:
                self.send = self._send_all

    def add_probe(self, probe: Probe, consumer: Filter | None = None) -> Callable[[], None]:
        """Has `probe` see what goes to `consumer`, or to each; the value removes it. Between its turns."""
        entry = probe, consumer
        self._probes.append(entry)
        if self._bound:
            self.bind()

        def remove() -> None:
            if entry in self._probes:
                self._probes.remove(entry)
                if self._bound:
                    self.bind()

        return remove

    def _behind_probes(self, link: Link) -> Link | _Probed:
        probes = [probe for probe, consumer in self._probes if consumer in (None, link.filter)]
        return _Probed(self, link, probes) if probes else link

    def _send_all(self, packet: Packet) -> None:
        targets = self._targets
        if not targets:
            self._send_nowhere(packet)
            return
        for link in targets[1:]:
            link.push(packet.clone())
        targets[0].push(packet)

    def _send_nowhere(self, packet: Packet) -> None:
        self.packets_unlinked += 1

    def _refuse(self, packet: Packet) -> None:
        raise StateError(f"{self.filter.name} sends on {self.name}, which it has ended")

    def _wait(self, packet: Packet) -> None:
        if not isinstance(packet, Packet):
            raise PacketError(f"{self.filter.name} sends {type(packet).__name__} on {self.name}: no packet")
        self._waiting.append(packet)
        if len(self._waiting) >= MAX_WAITING:
            self.filter.blocked = True

    def _mark(self, news: News, properties: dict[str, Any] | None = None) -> None:
        mark = Mark(news, properties)
        if self._bound and not self._refused(mark):
            self._push_mark(mark)
            return
        if self._bound:
            self._ask(mark)
        self._waiting.append(mark)

    def _refused(self, mark: Mark) -> bool:
        """A consumer took the stream as it was, and does not as the mark says it is from now on."""
        if mark.properties is None or mark is self._tried:
            return False
        return any(link.refuses(mark.properties) for link in self.links)

    def _ask(self, mark: Mark) -> None:
        """Delivers nothing until the session has put between what makes the stream fit."""
        self._tried = mark
        self._first_properties = mark.properties or {}
        self._held, self._bound = self._held + 1, False
        if not self.ended:
            self.send = self._wait
        self.filter.context.refit(self, self._first_properties)

    def _push_mark(self, mark: Mark) -> None:
        if self.on_mark is not None:
            self.on_mark(mark)
        again = mark is self._tried
        for link in self.links:
            if not (again and link.marks_in and link.told == mark.properties):  # it was told already
                link.push_mark(mark)

    def __repr__(self) -> str:
        return f"<Pid {self.filter.name}.{self.name}>"
