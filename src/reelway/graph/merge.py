"""Several inputs as one sequence in time order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reelway.graph.link import Link
from reelway.media.packet import Packet


def merge(inputs: Sequence[Link]) -> Iterator[tuple[Link, Packet]]:
    """(input, packet), the earliest dts on the running time first; equal ones in the order of `inputs`.

    Yields only while every input that has not ended has a packet, for otherwise a later one may come
    first. A packet without dts takes the place of the packet before it.
    """
    latest: dict[Link, float] = {}
    while True:
        first: Link | None = None
        first_time = 0.0
        for link in inputs:
            packet = link.peek()
            if packet is None:
                if link.ended or link.removed:
                    continue
                return
            if packet.dts is None:
                time = latest.get(link, 0.0)
            else:
                timescale = link.properties.get("Timescale") or 1
                time = latest[link] = link.pid.timeline.running_s(packet.dts, timescale)
            if first is None or time < first_time:
                first, first_time = link, time
        if first is None:
            return
        packet = first.get()
        if packet is None:
            return
        yield first, packet
