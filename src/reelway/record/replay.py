"""`Replay`: the source of a clip's session, fed from the session that is recorded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from reelway.engine.joinable import with_parameter_sets
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.pid import Pid
from reelway.record.ring import Kept, Stream

__all__ = ["Replay"]


class Replay(Filter):
    """Sends what it is given, with times that count from the beginning of the clip.

    One thread gives, and another one, that of the clip's session, takes: it relies on deque's append and
    popleft being one step under the GIL, and every counter has one writer.
    """

    registry_name = "replay"
    outputs = (Caps(),)
    waits_outside = True

    def __init__(
        self,
        streams: Mapping[Stream, Mapping[str, Any]],
        start_s: float,
        on_taken: Callable[[], None],
        **options: Any,
    ) -> None:
        """`start_s` on the source's timeline comes at 0; what lies before that is only decoded.

        streams    with their first properties
        on_taken   called on the clip's thread, when it has taken something
        """
        super().__init__(**options)
        self.start_s = start_s
        self.ends_s = dict.fromkeys(streams, 0.0)
        """Where each stream ends so far [s]."""
        self.packets = 0
        """Sent, of all streams."""
        self.in_band = False
        """The file has no place for parameter sets but in front of pictures."""
        self._on_taken = on_taken
        self._streams = dict(streams)
        self._pids: dict[Stream, Pid] = {}
        self._told: dict[Stream, Mapping[str, Any]] = {}
        self._joined: set[Stream] = set()
        """Streams whose first picture was sent."""
        self._kept: deque[Kept | None] = deque()
        self._bytes_in = self._bytes_out = 0
        self._over = False

    @property
    def end_s(self) -> float:
        """Where the clip ends so far [s]."""
        return max(self.ends_s.values())

    @property
    def picture_ends_s(self) -> list[float]:
        """Where each picture stream ends, in the order of their tracks [s]."""
        pictures = [stream for stream in self.ends_s if stream.picture]
        pictures.sort(key=lambda stream: stream.properties.get("ID") or 0)
        return [self.ends_s[stream] for stream in pictures]

    # For who gives

    @property
    def waiting(self) -> int:
        """Bytes that were given, and not taken yet."""
        return self._bytes_in - self._bytes_out

    @property
    def over(self) -> bool:
        """Nothing is taken any more."""
        return self._over

    def give(self, kept: Kept | None) -> None:
        """The next packet, a copy of what is given; None: that was all."""
        if self._over:
            return
        self._kept.append(kept)
        if kept is None:
            self._over = True
        else:
            self._bytes_in += kept.packet.size
        if self.opened:  # what was given before is seen in the first turn
            self.wake()

    # For who writes

    def stop(self) -> None:
        """What was sent is all, whatever still waits."""
        self._over = True
        self._kept.clear()
        self._kept.append(None)  # what is given at this moment comes behind that

    # The filter

    def open(self) -> None:
        for stream, properties in self._streams.items():
            self._pids[stream] = self.new_pid(stream.name, **properties)
            self._told[stream] = properties

    def process(self) -> float | None:
        while not self.blocked:
            try:
                kept = self._kept.popleft()
            except IndexError:
                return None
            if kept is None:
                for pid in self._pids.values():
                    pid.end()
                return None
            self._bytes_out += kept.packet.size
            self._send(kept)
            self._on_taken()
        return None

    def _send(self, kept: Kept) -> None:
        pid = self._pids.get(kept.stream)
        if pid is None:  # it began later than the clip, whose header is written
            return
        if self._told[kept.stream] is not kept.properties:
            self._told[kept.stream] = kept.properties
            pid.replace_properties(kept.properties)
        packet = kept.packet.clone()
        if self.in_band and kept.stream.picture and kept.stream not in self._joined:
            self._joined.add(kept.stream)
            packet.payload = with_parameter_sets(kept.properties, bytes(packet.data))
            packet.size = len(packet.payload)
        timescale = kept.properties.get("Timescale") or 1
        ticks = packet.cts if packet.cts is not None else packet.dts
        at = round(kept.media_s * timescale) - round(self.start_s * timescale)
        if ticks is not None:
            packet.cts = None if packet.cts is None else packet.cts + at - ticks
            packet.dts = None if packet.dts is None else packet.dts + at - ticks
        packet.seek = packet.seek or at < 0
        end_s = (at + (packet.duration or 0)) / timescale
        self.ends_s[kept.stream] = max(self.ends_s[kept.stream], end_s)
        self.packets += 1
        pid.send(packet)
