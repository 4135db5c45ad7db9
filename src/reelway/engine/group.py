"""The packets since the last random access point, kept while nobody wants to see them."""

from __future__ import annotations

from collections import deque

from reelway.media.packet import Packet

__all__ = ["MOST_BYTES", "Group"]

MOST_BYTES = 16 << 20
"""Of a longer group nothing is kept: then the next random access point is waited for."""


class Group:
    """From it a decoder can show the picture of this moment, whenever it is asked."""

    __slots__ = ("_size", "packets")

    def __init__(self) -> None:
        self.packets: deque[Packet] = deque()
        """In the order of decoding, the first of them a random access point."""
        self._size = 0

    def keep(self, packet: Packet) -> None:
        """Takes `packet`, where it can be decoded with what is here."""
        if packet.sap:
            self.clear()
        elif not self.packets or packet.discontinuity:
            self.clear()
            return
        self.packets.append(packet)
        self._size += packet.size
        if self._size > MOST_BYTES:
            self.clear()

    def clear(self) -> None:
        self.packets.clear()
        self._size = 0

    def take(self) -> deque[Packet]:
        """All of it; it is empty then."""
        taken, self.packets = self.packets, deque()
        self._size = 0
        return taken
