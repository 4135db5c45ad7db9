"""Microseconds that a packet takes through one pass-through Python filter.

Chains of 1, 4 and 16 filters between a source and a sink; a hop is the slope between 1 and 16, so that the
source and the sink do not count. Native filters, and FilterCustom of the libgpac face written as GPAC's
examples are: one packet a call of `process`. The reference is a bare deque between two loops. All is CPU
time, for it is all on one thread, and what else the machine does shall not count.
"""

from __future__ import annotations

import time
from collections import deque
from functools import partial
from statistics import median
from typing import Any

from _measure import arguments, heading, measure

import reelway as rw
from reelway.compat import libgpac as gpac
from reelway.filters.simple import Forward, Null

BUDGET_US = {"native": 0.8, "libgpac": 2.0}
CHAINS = (1, 4, 16)
LIMITS = (8, 64)


class Source(rw.Filter):
    """Sends packets that are made before."""

    outputs = (rw.Caps(StreamType="Visual"),)

    def __init__(self, packets: list[rw.Packet]) -> None:
        super().__init__()
        self.packets = iter(packets)

    def open(self) -> None:
        self.pid = self.new_pid("video", StreamType="Visual", CodecID="any", Timescale=15360)

    def process(self) -> float | None:
        send = self.pid.send
        for packet in self.packets:
            send(packet)
            if self.blocked:
                return None
        self.pid.end()
        return None


class Pass(gpac.FilterCustom):
    """Passes each packet on, as in GPAC's documentation."""

    def __init__(self, session: gpac.FilterSession) -> None:
        super().__init__(session, "Pass")
        self.push_cap("StreamType", "Visual", gpac.GF_CAPS_INPUT_OUTPUT)

    def configure_pid(self, pid: Any, is_remove: bool) -> int:
        if not is_remove and pid not in self.ipids:
            pid.opid = self.new_pid()
            pid.opid.copy_props(pid)
        return 0

    def process(self) -> int:
        for pid in self.ipids:
            packet = pid.get_packet()
            if packet is None:
                if pid.eos:
                    pid.opid.eos = True
                break
            pid.opid.forward(packet)
            pid.drop_packet()
        return 0


def make_packets(count: int) -> list[rw.Packet]:
    return [rw.Packet(None, at * 512, at * 512, 512, 1, 1000) for at in range(count)]


def native(packets: list[rw.Packet], chain: int, limit: int) -> float:
    session = rw.Session(threads=0, limits=rw.Limits(packets=limit))
    last: rw.Filter = session.add(Source(packets))
    sink = Null()
    for _ in range(chain):
        last = last >> session.add(Forward())
    last >> session.add(sink)
    session.link()
    return timed(session, sink, len(packets))


def libgpac(packets: list[rw.Packet], chain: int, limit: int) -> float:
    face = gpac.FilterSession()
    session = face._session
    session.limits = rw.Limits(packets=limit)
    last: rw.Filter = session.add(Source(packets))
    sink = Null()
    for _ in range(chain):
        last = last >> Pass(face)._filter
    last >> session.add(sink)
    session.link()
    return timed(session, sink, len(packets))


def timed(session: rw.Session, sink: Null, count: int) -> float:
    start = time.process_time()
    session.run()
    taken = time.process_time() - start
    assert sink.packets == count, f"{sink.packets} of {count} packets arrived"
    return taken


def bare(packets: list[rw.Packet], chain: int, limit: int) -> float:
    """As many deques, each filled up to the limit and emptied into the next."""
    start = time.process_time()
    for at in range(0, len(packets), limit):
        queue = deque(packets[at : at + limit])
        for _ in range(chain):
            following: deque[rw.Packet] = deque()
            while queue:
                following.append(queue.popleft())
            queue = following
    return time.process_time() - start


def main() -> None:
    given = arguments(__doc__, rounds=5)
    count = 200 if given.tiny else 50_000
    packets = make_packets(count)
    kinds = {"bare deque": bare, "native": native, "libgpac": libgpac}
    print(heading())
    for limit in LIMITS:
        print(f"queue limit {limit}: us a packet and filter")
        runs = {
            (name, chain): partial(kinds[name], packets, chain, limit) for name in kinds for chain in CHAINS
        }
        found = measure(runs, given.rounds)
        hops = {}
        for name in kinds:
            ends = zip(found[name, CHAINS[0]], found[name, CHAINS[-1]], strict=True)
            slopes = [(long - short) / (CHAINS[-1] - CHAINS[0]) / count * 1e6 for short, long in ends]
            hops[name] = median(slopes)
            chains = "  ".join(f"{chain}: {median(found[name, chain]) / count * 1e6:.2f}" for chain in CHAINS)
            line = f"  {name:10}  {hops[name]:5.2f} ({min(slopes):.2f} to {max(slopes):.2f})"
            if budget := BUDGET_US.get(name):
                line += f"   budget {budget}: {'kept' if hops[name] <= budget else 'MISSED'}"
            print(f"{line}   a packet through a whole chain of {chains}", flush=True)
        print(f"  native is {hops['native'] / hops['bare deque']:.1f} times the bare deque")


if __name__ == "__main__":
    main()
