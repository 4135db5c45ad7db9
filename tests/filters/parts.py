"""Small filters that tests put around the one they test."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import reelway as rw
from reelway.filters.simple import Forward


class Source(rw.Filter):
    """Sends prepared packets on one PID."""

    outputs = (rw.Caps(),)

    def __init__(self, packets: Iterable[rw.Packet], **properties: Any) -> None:
        super().__init__()
        self._packets = iter(packets)
        self._properties = {"StreamType": "Visual", "CodecID": "h264", "Timescale": 1000, **properties}

    def open(self) -> None:
        self.new_pid("stream", **self._properties)

    def process(self) -> None:
        pid = self.opids[0]
        for packet in self._packets:
            pid.send(packet)
            if self.blocked:
                return
        pid.end()


class Watch(Forward):
    """Notes when each packet passes, by the session's clock."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: list[tuple[str, float, rw.Packet]] = []
        self.properties: list[dict[str, Any]] = []
        self.restarts = 0

    def configure(self, pid: rw.Link) -> None:
        super().configure(pid)
        self.properties.append(pid.properties)

    def restarted(self, pid: rw.Link) -> None:
        self.restarts += 1
        super().restarted(pid)

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                self.seen.append((pid.name, self.context.now(), packet.clone()))
                assert pid.output is not None
                pid.output.send(packet)

    def of(self, name: str) -> list[rw.Packet]:
        return [packet for seen, _, packet in self.seen if seen == name]


def run(
    source: str | Path | rw.Filter, target: str | Path, *filters: rw.Filter | str, **session: Any
) -> rw.Session:
    """`source` through the filters, given or as filter strings, into `target`; the finished session."""
    with rw.Session(**session) as made:
        first = made.add(source) if isinstance(source, rw.Filter) else made.load_src(str(source))
        middle = [made.load(each) if isinstance(each, str) else made.add(each) for each in filters]
        made.chain(first, *middle, made.load_dst(str(target)))
        made.run()
    return made
