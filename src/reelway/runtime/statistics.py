"""What has happened so far, as immutable snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil
from typing import NamedTuple

from reelway.graph.ages import Ages
from reelway.graph.link import Link
from reelway.runtime.node import Node


class Latency(NamedTuple):
    """How long ago packets were captured when they were taken [s], by the clock of this machine.

    Where a sender tells the capture time (RTCP sender reports), it is by the sender's clock, and off by as
    much as the two clocks are apart. `p50_s` and `p99_s` are of the last 500, the others of all.
    """

    packets: int
    last_s: float
    p50_s: float
    p99_s: float
    max_s: float


class LinkStatistics(NamedTuple):
    """One link. packets_in = packets_out + packets_dropped + packets_queued."""

    source: str
    pid: str
    consumer: str
    policy: str
    packets_in: int
    packets_out: int
    packets_dropped: int
    packets_queued: int
    bytes_in: int
    bytes_out: int
    bytes_dropped: int
    oldest_s: float
    """How long the packet at the head has been there [s], to the precision of a turn; 0 for an empty one."""
    grown: int
    """How often its limits were doubled to dissolve a deadlock."""
    latency: Latency | None = None
    """From capture to the consumer; None where no packet says when it was captured."""


class FilterStatistics(NamedTuple):
    """One filter. Times in seconds.

    CPU time is measured where a worker ran it; on the session's thread, where a turn rarely waits, it is
    the wall time (asking the kernel twice a turn would cost more than a short turn).
    """

    name: str
    kind: str
    turns: int
    packets_in: int
    packets_out: int
    packets_unlinked: int
    bytes_in: int
    bytes_out: int
    wall_s: float
    cpu_s: float
    errors: int
    state: str
    status: str
    inputs: tuple[LinkStatistics, ...]
    latency: Latency | None = None
    """From capture to this filter, of all its inputs; of a sink that is from end to end."""


class Statistics(NamedTuple):
    """The session. `abandoned` names filters whose thread did not come back from C in time."""

    elapsed_s: float
    filters: tuple[FilterStatistics, ...]
    grown: int
    abandoned: tuple[str, ...]

    @property
    def packets_dropped(self) -> int:
        return sum(link.packets_dropped for filter in self.filters for link in filter.inputs)


def snapshot(nodes: Iterable[Node], elapsed_s: float, now: float) -> Statistics:
    filters = tuple(of_filter(node, now) for node in nodes)
    return Statistics(
        elapsed_s=elapsed_s,
        filters=filters,
        grown=sum(link.grown for filter in filters for link in filter.inputs),
        abandoned=tuple(node.filter.name for node in nodes if node.abandoned),
    )


def state_of(node: Node) -> str:
    """One word."""
    if node.abandoned:
        return "abandoned"
    if node.closed:
        return "closed"
    if node.done:
        return "done"
    if node.running or node.ready:
        return "running"
    if node.filter.blocked:
        return "blocked"
    return "waiting"


def of_filter(node: Node, now: float) -> FilterStatistics:
    filter = node.filter
    links = tuple(filter.ipids)
    inputs = tuple(_of_link(link, now) for link in links)
    pids = tuple(filter.opids)
    sent = [fed[0] for pid in pids if (fed := tuple(pid.links))]  # copies: another thread may link
    return FilterStatistics(
        name=filter.name,
        kind=filter.registry_name or type(filter).__name__,
        turns=node.turns,
        packets_in=sum(link.packets_out for link in inputs),
        packets_out=sum(pid.packets_sent for pid in pids),
        packets_unlinked=sum(pid.packets_unlinked for pid in pids),
        bytes_in=sum(link.bytes_out for link in inputs),
        bytes_out=sum(link.bytes_in for link in sent),
        wall_s=node.wall_s,
        cpu_s=node.cpu_s if node.elsewhere else node.wall_s,
        errors=node.errors,
        state=state_of(node),
        status=filter.status,
        inputs=inputs,
        latency=_latency([link.ages for link in links if link.ages is not None]),
    )


def _of_link(link: Link, now: float) -> LinkStatistics:
    # each counter once, what is written last first: a thread may be at work on the others
    dropped, bytes_dropped = link.packets_dropped, link.bytes_dropped
    taken, bytes_out, sent = link.packets_out, link.bytes_out, link.packets_in
    queued = sent - taken - dropped
    return LinkStatistics(
        source=link.source.name,
        pid=link.name,
        consumer=link.filter.name,
        policy=link.limits.policy,
        packets_in=sent,
        packets_out=taken,
        packets_dropped=dropped,
        packets_queued=queued,
        bytes_in=link.bytes_in,
        bytes_out=bytes_out,
        bytes_dropped=bytes_dropped,
        oldest_s=max(0.0, now - link.since) if queued else 0.0,
        grown=link.grown,
        latency=_latency([link.ages] if link.ages is not None else []),
    )


def _latency(all_ages: Sequence[Ages]) -> Latency | None:
    """What is between its figures changes at the same time by a packet at most."""
    recent = sorted(age for ages in all_ages for age in tuple(ages.recent))
    if not recent:
        return None
    return Latency(
        packets=sum(ages.count for ages in all_ages),
        last_s=max(ages.last_ns for ages in all_ages) / 1e9,
        p50_s=recent[(len(recent) - 1) // 2] / 1e9,
        p99_s=recent[ceil(len(recent) * 0.99) - 1] / 1e9,
        max_s=max(ages.most_ns for ages in all_ages) / 1e9,
    )
