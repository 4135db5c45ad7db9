"""The ring: what came last, each packet with the moment when it is due, so that a clip begins in the past."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from reelway.media.packet import Packet

if TYPE_CHECKING:
    from reelway.record.spill import Spill

__all__ = ["SLACK_S", "Kept", "Ring", "Stream"]

WARM_S = 2.0
"""What is newer is not spilled: most events are short."""
SLACK_S = 1e-4
"""Two times that differ by less are the same: they come from different sums."""


class Stream:
    """One stream that comes in. `properties` are what it is now: never changed, only replaced; `restarts`
    says how often it went on from elsewhere."""

    __slots__ = ("name", "properties", "restarts")

    def __init__(self, name: str, properties: Mapping[str, Any]) -> None:
        self.name = name
        self.properties = properties
        self.restarts = 0

    @property
    def picture(self) -> bool:
        return self.properties.get("StreamType") == "Visual"


class Kept(NamedTuple):
    """A packet, and what it takes to understand it later.

    properties  of its stream, when it came
    due_s       when it is to be shown, by the session's clock [s]
    media_s     where it lies on its source's timeline [s]
    """

    stream: Stream
    properties: Mapping[str, Any]
    packet: Packet
    due_s: float
    media_s: float

    @property
    def start(self) -> bool:
        """Decoding can begin with it."""
        return bool(self.packet.sap) or self.properties.get("CodecID") == "raw"


class Ring:
    """The last `seconds` of all streams; of pictures also what lies between that and the keyframe before it.

    At most `most_bytes`: beyond that the oldest go first, which `short` tells.
    """

    def __init__(self, seconds: float, most_bytes: int, spill: Spill | None = None) -> None:
        """`spill` takes what is coded and older than two seconds; it does not count any more then."""
        self.seconds = seconds
        self.most_bytes = most_bytes
        self.bytes = 0
        """In memory."""
        self.short = False
        """There was no room for all of it."""
        self._kept: deque[Kept] = deque()
        """As it came."""
        self._starts: dict[Stream, deque[float]] = {}
        """Of each picture stream: when the packets are due that a clip can begin with."""
        self._spill = spill
        self._warm: deque[Kept] = deque()
        """What may be spilled some time."""
        self._spilled: set[Packet] = set()

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, kept: Kept) -> None:
        """The newest; what is too old by now goes."""
        if kept.stream.picture:
            starts = self._starts.setdefault(kept.stream, deque())
            if kept.start:
                starts.append(kept.due_s)
            elif not starts:
                return  # nothing can be made of it
        self._kept.append(kept)
        self.bytes += kept.packet.size
        if self._spill is not None and kept.properties.get("CodecID") != "raw":
            self._warm.append(kept)
            while self._warm[0].due_s < kept.due_s - WARM_S:
                self._cool(self._warm.popleft().packet)
        self.trim(kept.due_s)

    def trim(self, now_s: float) -> None:
        """Forgets what a clip that is asked for at `now_s` would not hold."""
        oldest_s = now_s - self.seconds + SLACK_S
        for starts in self._starts.values():
            while len(starts) > 1 and starts[1] <= oldest_s:
                starts.popleft()
        firsts = [starts[0] for starts in self._starts.values() if starts]
        first_s = min(oldest_s, *firsts) if firsts else oldest_s
        while self._kept and self._kept[0].due_s < first_s - SLACK_S:
            self._forget()
        while self.bytes > self.most_bytes and len(self._kept) > 1:
            self.short = True
            self._forget()

    def since(self, start_s: float, exact: bool = False) -> list[Kept]:
        """What a clip from `start_s` on has so far, as it came.

        Pictures begin with the last keyframe at or before `start_s`, or the first one where all are later;
        other streams begin with them, or at `start_s` where that is meant `exact`.
        """
        begins: dict[Stream, int] = {}
        for number, kept in enumerate(self._kept):
            early = kept.due_s <= start_s + SLACK_S or kept.stream not in begins
            if kept.stream.picture and kept.start and early:
                begins[kept.stream] = number
        least_s = {stream: self._kept[number].due_s for stream, number in begins.items()}
        others_s = start_s if exact else min(least_s.values(), default=start_s)
        return [
            kept
            for number, kept in enumerate(self._kept)
            if number >= begins.get(kept.stream, 0)
            and kept.due_s >= least_s.get(kept.stream, others_s) - SLACK_S
            and (kept.stream in begins or not kept.stream.picture)
        ]

    def clear(self) -> None:
        """Forgets all."""
        self._kept.clear()
        self._starts.clear()
        self._warm.clear()
        self._spilled.clear()
        self.bytes = 0

    def _cool(self, packet: Packet) -> None:
        assert self._spill is not None
        if self._spill.move(packet):
            self._spilled.add(packet)
            self.bytes -= packet.size

    def _forget(self) -> None:
        kept = self._kept.popleft()
        if kept.packet in self._spilled:
            self._spilled.discard(kept.packet)
        else:
            self.bytes -= kept.packet.size
        if self._warm and self._warm[0] is kept:
            self._warm.popleft()
        starts = self._starts.get(kept.stream)
        if starts and kept.start and starts[0] <= kept.due_s:
            starts.popleft()
