"""Raw frames in and out of packets, and inputs emptied: for filters of pictures and of sound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.media.events import Stop
from reelway.media.frame import MemoryFrame
from reelway.media.packet import Packet
from reelway.media.payload import Frame

__all__ = ["carry", "drain", "frame_of", "shown"]


def frame_of(packet: Packet, properties: Mapping[str, Any]) -> Frame:
    """The raw frame of a packet, also of one that holds flat bytes; nothing is copied."""
    payload = packet.payload
    return payload if isinstance(payload, Frame) else MemoryFrame.of(payload, properties)


def carry(packet: Packet, frame: Frame) -> Packet:
    """A packet with another frame at the time, and with the flags, of `packet`."""
    made = Packet(frame, size=frame.size)
    made.copy_properties(packet)
    return made


def drain(filter: Filter) -> None:
    """Wants no more: tells the sources to stop, and drops what still comes."""
    for pid in filter.ipids:
        if not pid.stopped and not pid.ended:
            pid.send_event(Stop())
        while (packet := pid.peek()) is not None:
            pid.take(packet)


def shown(pid: Link) -> Packet | None:
    """`pid.peek()`, once what is not to be shown before it (`packet.seek`) is taken away."""
    while (packet := pid.peek()) is not None and packet.seek:
        pid.take(packet)
    return packet
