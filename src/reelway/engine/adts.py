"""The headers of AAC in a stream without a container (ADTS: ISO/IEC 14496-3, 1.A.2.2)."""

from __future__ import annotations

from reelway.errors import UnsupportedError

__all__ = ["RATES", "Adts"]

RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
"""Of AAC, by number (ISO/IEC 14496-3, 1.6.3.4)."""
_SPECTRAL_BAND_REPLICATION = (5, 29)  # audio object types that wrap another one
LARGEST = (1 << 13) - 1


class Adts:
    """Makes headers for the AAC that `config` describes, an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1).

    HE-AAC is written as the AAC inside it, which is how ADTS carries it. Raises UnsupportedError for what
    ADTS cannot say: other object types, a rate outside its table, channels listed in a program config.
    """

    def __init__(self, config: bytes) -> None:
        self._value = int.from_bytes(config, "big") << 128
        self._left = len(config) * 8 + 128
        kind = self._object_type()
        rate = self._rate()
        channels = self._take(4)
        if kind in _SPECTRAL_BAND_REPLICATION:
            self._rate()
            kind = self._object_type()
        if not 1 <= kind <= 4 or rate is None or not 1 <= channels <= 7:
            raise UnsupportedError(
                f"ADTS cannot carry this AAC (object type {kind}, {channels} in the channel field)",
                hint="keep it in mp4 or Matroska, or encode it again",
            )
        # sync word, MPEG-4, layer 0, no checksum; profile, rate, channels; one block, no fill rate known
        self._fixed = 0xFFF1 << 40 | kind - 1 << 38 | rate << 34 | channels << 30 | 0x7FF << 2

    def header(self, size: int) -> bytes:
        """The seven bytes before a frame of `size` bytes."""
        whole = size + 7
        if whole > LARGEST:
            raise UnsupportedError(f"an AAC frame of {size} bytes is too large for ADTS")
        return (self._fixed | whole << 13).to_bytes(7, "big")

    def _take(self, bits: int) -> int:
        self._left -= bits
        return self._value >> self._left & (1 << bits) - 1

    def _object_type(self) -> int:
        kind = self._take(5)
        return kind if kind != 31 else 32 + self._take(6)

    def _rate(self) -> int | None:
        """Index into the table of rates; None for another rate."""
        index = self._take(4)
        if index == 15:
            rate = self._take(24)
            return RATES.index(rate) if rate in RATES else None
        return index if index < len(RATES) else None
