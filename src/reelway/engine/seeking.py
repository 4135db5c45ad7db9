"""Going to a time in a container, so that everything from that time on can be decoded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

FARTHEST_S = 1 << 6
"""How far before the target a random access point is looked for; then the stream is read from its start."""
MAX_READ = 4_000, 64 << 20
"""Packets and bytes in which the first random access point is to be found."""


def packets_from(container: Any, streams: Sequence[Any], target_us: int) -> Iterator[Any]:
    """The packets of `streams` from the last random access point that is shown at or before `target_us`.

    FFmpeg's own seek may land behind it, as it compares decoding times, or times that it guesses from bytes:
    then it is asked again for an earlier one. Pictures before the first random access point cannot be
    decoded and are left out. Raises what FFmpeg raises where the container cannot seek.
    """
    lead = lead_of(streams)
    if lead is None:
        container.seek(target_us, backward=True)
        return iter(container.demux(streams))
    target = target_us / 1_000_000 / lead.time_base
    start_us = container.start_time or 0
    margin_s = 0
    while True:
        at_us = target_us - margin_s * 1_000_000
        container.seek(round(at_us / 1_000_000 / lead.time_base), stream=lead, backward=True)
        packets = iter(container.demux(streams))
        held, first = _up_to_access_point(packets, lead.index)
        landed = first is not None and first.pts is not None and first.pts <= target
        if landed or at_us <= start_us:
            return chain(held, () if first is None else (first,), packets)
        margin_s = margin_s * 2 + 1
        if margin_s > FARTHEST_S:
            margin_s = (target_us - start_us) // 1_000_000 + 1


def lead_of(streams: Sequence[Any]) -> Any:
    """The stream whose random access points count: the first one of moving pictures; None without one."""
    attached = 1 << 10  # AV_DISPOSITION_ATTACHED_PIC
    moving = (each for each in streams if each.type == "video" and not int(each.disposition) & attached)
    return next(moving, None)


def _up_to_access_point(packets: Iterator[Any], lead: int) -> tuple[list[Any], Any]:
    """Packets of other streams, then the first of `lead` that can be decoded by itself, or None."""
    held: list[Any] = []
    left, bytes_left = MAX_READ
    for packet in packets:
        left, bytes_left = left - 1, bytes_left - packet.size
        if packet.stream_index != lead:
            held.append(packet)
        elif packet.is_keyframe:
            return held, packet
        if left < 0 or bytes_left < 0:
            break
    return held, None
