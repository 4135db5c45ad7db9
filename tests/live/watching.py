"""What comes out of a live source: the counters in its pictures, its packets, its gaps."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import reelway as rw
from reelway.media.events import Event, Gap
from reelway.media.packet import Packet
from tests.media import make


class Watch(rw.Filter):
    """Keeps what it saw, and asks `enough` after each packet whether the session may stop.

    It wants every picture, also where it comes late.
    """

    inputs = (rw.Caps(StreamType="Visual", CodecID="raw"),)
    input_limits: rw.Limits | None = rw.Limits()

    def __init__(self, enough: Callable[[Watch], bool], **options: Any) -> None:
        super().__init__(**options)
        self.enough = enough
        self.counters: list[int] = []
        self.times: list[int] = []
        self.wall_ns: list[int | None] = []
        self.flags: list[bool] = []
        self.gaps: list[Gap] = []
        self.properties: dict[str, Any] = {}
        self.configured = 0

    def configure(self, pid: Any) -> None:
        self.properties = dict(pid.properties)
        self.configured += 1

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                self.see(packet)
                if self.enough(self):
                    self.context.end_session()

    def see(self, packet: Packet) -> None:
        self.counters.append(make.read_counter(packet.planes()[0]))
        self._keep(packet)

    def _keep(self, packet: Packet) -> None:
        assert packet.cts is not None
        self.times.append(packet.cts)
        self.wall_ns.append(packet.capture_time)
        self.flags.append(packet.discontinuity)

    def on_event(self, event: Event) -> bool:
        if isinstance(event, Gap):
            self.gaps.append(event)
        return False


class WatchSound(Watch):
    """The same of sound, which has no counters."""

    inputs = (rw.Caps(StreamType="Audio", CodecID="raw"),)

    def see(self, packet: Packet) -> None:
        self._keep(packet)


class WatchCoded(Watch):
    """The same of pictures as they are coded: `sap` stands for the counters."""

    inputs = (rw.Caps(StreamType="Visual"),)
    input_limits = None

    def see(self, packet: Packet) -> None:
        self.counters.append(packet.sap)
        self._keep(packet)


def frames(count: int) -> Callable[[Watch], bool]:
    return lambda watch: len(watch.times) >= count


def rises(times: list[int]) -> bool:
    return all(a < b for a, b in pairwise(times))


def watched(url: str, count: int, **options: Any) -> Watch:
    """What came of `url` until there were `count` pictures."""
    with rw.Session() as session:
        source = session.load_src(url, **options)
        watch = Watch(frames(count))
        session.add(watch)
        source >> watch
        session.run()
    return watch
