"""What packets and their PIDs say of the source that they come from: whether it is live, and its slot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelway.media.packet import Packet

__all__ = ["is_live_picture", "slot_of"]

Slot = int | str | None


def is_live_picture(properties: Mapping[str, Any]) -> bool:
    """`properties` are those of decoded pictures of a source that nobody can make wait."""
    return bool(
        properties.get("Live")
        and properties.get("CodecID") == "raw"
        and properties.get("StreamType") == "Visual"
    )


def slot_of(packet: Packet, properties: Mapping[str, Any]) -> Slot:
    """The number or name of the source of `packet`, where it got one; `properties` are those of its PID.

    Where packets of several sources share a PID, each says its own.
    """
    own = packet.properties
    slot: Slot = own["Slot"] if own and "Slot" in own else properties.get("Slot")
    return slot
