"""Sound from the payloads of RTP: AAC (RFC 3640), Opus (RFC 7587), and samples as they are (RFC 3551)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from reelway.engine.adts import RATES
from reelway.engine.rtpreceive import Unit

__all__ = ["Aac", "Opus", "Samples", "aac_of"]

AAC_SAMPLES = 1024
"""In a frame."""
MOST_BYTES = 1 << 16
"""Of a frame."""
MOST_PARTS = MOST_BYTES >> 4
"""Packets that a frame comes in."""
OTHERS = (
    "ctsdeltalength",
    "dtsdeltalength",
    "randomaccessindication",
    "streamstateindication",
    "auxiliarydatasizelength",
    "constantsize",
)
"""What may stand in front of a frame besides (RFC 3640, 4.1), and is not read here."""
DOUBLED = b"\x56\xe5"
"""Behind it stands whether it is played at twice the rate that it is coded at (ISO/IEC 14496-3, 1.6.5)."""
OPUS_TICKS = (480, 960, 1920, 2880)
"""10, 20, 40 and 60 ms (RFC 6716, 3.1)."""


class Sound:
    """What all share. `units` is taken from by others."""

    def __init__(self) -> None:
        self.units: deque[Unit] = deque()


class Samples(Sound):
    """Samples as they are, or of G.711; `bytes`: those of all channels at one moment."""

    def __init__(self, bytes: int) -> None:
        super().__init__()
        self._bytes = bytes

    def add(self, data: Any, at: int, stop: int, time: int, marker: bool, lost: int) -> None:
        """See `rtpreceive.Format`."""
        count = (stop - at) // self._bytes
        if count:
            self.units.append(Unit(bytes(data[at : at + count * self._bytes]), time, duration=count))


class Opus(Sound):
    """A packet of Opus in each of RTP."""

    def add(self, data: Any, at: int, stop: int, time: int, marker: bool, lost: int) -> None:
        """See `rtpreceive.Format`."""
        packet = bytes(data[at:stop])
        self.units.append(Unit(packet, time, duration=_opus_ticks(packet)))


class Aac(Sound):
    """Frames of AAC, several in a packet or one in several, as `mode=AAC-hbr` and `AAC-lbr` have them."""

    def __init__(self, size_bits: int, index_bits: int, delta_bits: int) -> None:
        super().__init__()
        self._bits = size_bits, index_bits, delta_bits
        self._parts: list[bytes] = []
        """Of a frame that did not fit into one packet."""
        self._left = 0
        """Bytes of it that are still to come."""
        self._time = 0

    def add(self, data: Any, at: int, stop: int, time: int, marker: bool, lost: int) -> None:
        """See `rtpreceive.Format`."""
        if lost or time != self._time:
            self._parts, self._left = [], 0
        self._time = time
        if stop - at < 2:
            return
        bits = data[at] << 8 | data[at + 1]
        begin = at + 2 + (bits + 7) // 8
        if begin > stop:
            return
        size_bits, index_bits, delta_bits = self._bits
        value, left = int.from_bytes(data[at + 2 : begin], "big"), (begin - at - 2) * 8
        used, number = 0, 0
        skipped = index_bits
        while used + size_bits + skipped <= bits and begin < stop:
            size = value >> left - used - size_bits & (1 << size_bits) - 1
            used += size_bits + skipped
            skipped = delta_bits
            if self._left or size > stop - begin:
                self._fragment(data, begin, stop, size, time)
                return
            if size:
                frame = bytes(data[begin : begin + size])
                self.units.append(Unit(frame, time + number * AAC_SAMPLES, duration=AAC_SAMPLES))
            begin += size
            number += 1

    def _fragment(self, data: Any, at: int, stop: int, size: int, time: int) -> None:
        """A part of a frame of `size` bytes: each packet says that of the whole (RFC 3640, 3.2.3.2)."""
        if not self._parts:
            if size > MOST_BYTES:
                return
            self._left = size
        part = bytes(data[at:stop])
        if len(part) > self._left or len(self._parts) > MOST_PARTS:
            self._parts, self._left = [], 0
            return
        self._parts.append(part)
        self._left -= len(part)
        if not self._left:
            self.units.append(Unit(b"".join(self._parts), time, duration=AAC_SAMPLES))
            self._parts = []


def aac_of(parameters: Mapping[str, str], clock: int) -> tuple[Aac, bytes, int] | None:
    """The format, the decoder configuration and the channels of AAC as its `fmtp` tells; None where it is of
    a kind that is not read here: another profile, other fields in front of each frame, short frames."""
    try:
        config = bytes.fromhex(parameters.get("config", ""))
        widths = [
            int(parameters.get(name, "0")) for name in ("sizelength", "indexlength", "indexdeltalength")
        ]
        if any(int(parameters.get(name, "0")) for name in OTHERS):
            return None
    except ValueError:
        return None
    doubled = config.partition(DOUBLED)[2][:1] >= b"\x80"
    if len(config) < 2 or doubled or not 0 < widths[0] <= 16 or any(not 0 <= each <= 16 for each in widths):
        return None
    kind, rate, channels = config[0] >> 3, (config[0] & 7) << 1 | config[1] >> 7, config[1] >> 3 & 15
    if kind != 2 or config[1] & 4 or not 1 <= channels <= 7 or rate >= len(RATES) or RATES[rate] != clock:
        return None  # not low complexity, 960 samples in a frame, or channels that are told elsewhere
    return Aac(widths[0], widths[1], widths[2]), config, channels if channels < 7 else 8


def _opus_ticks(packet: bytes) -> int:
    """How long it is, at 48 kHz (RFC 6716, 3.1)."""
    kind = packet[0] >> 3
    if kind < 12:
        each = OPUS_TICKS[kind & 3]
    elif kind < 16:
        each = 480 << (kind & 1)
    else:
        each = 120 << (kind & 3)
    count = (1, 2, 2, packet[1] & 63 if len(packet) > 1 else 0)[packet[0] & 3]
    return each * count
