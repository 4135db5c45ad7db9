"""H.264 and HEVC between their two forms, and the decoder configuration records of one of them.

In a byte stream (Annex B of ITU-T H.264 and H.265) NAL units stand behind start codes, parameter sets
among them. In ISO files each stands behind its length, and the parameter sets in a record beside the
stream: avcC or hvcC (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1).
"""

from __future__ import annotations

from collections.abc import Iterable

from reelway.engine.bits import Bits
from reelway.engine.parameter_sets import WITH_CHROMA, Sequence, h264_sequence, hevc_sequence
from reelway.errors import FormatError

__all__ = ["configuration", "is_parameter_set", "prefixed", "split", "type_of"]

_SETS = {"h264": (7, 8, 13), "hevc": (32, 33, 34)}
"""NAL unit types: sequence and picture parameter sets and the extension; video, sequence and picture ones."""
MOST = {"h264": (31, 255, 255), "hevc": (0xFFFF, 0xFFFF, 0xFFFF)}
"""How many of each a record can count."""


def split(data: bytes) -> list[bytes]:
    """The NAL units of a byte stream, without start codes and the zeros after a unit."""
    return [unit for part in data.split(b"\x00\x00\x01")[1:] if (unit := part.rstrip(b"\0"))]


def prefixed(units: Iterable[bytes]) -> bytes:
    """NAL units behind lengths of four bytes."""
    return b"".join(part for unit in units for part in (len(unit).to_bytes(4, "big"), unit))


def is_parameter_set(codec: str, unit: bytes) -> bool:
    return type_of(codec, unit) in _SETS[codec]


def configuration(codec: str, units: Iterable[bytes]) -> bytes | None:
    """avcC or hvcC from the parameter sets among `units`; None where a kind that is needed is missing.

    Raises FormatError where the record cannot hold them.
    """
    sets: dict[int, list[bytes]] = {kind: [] for kind in _SETS[codec]}
    for unit in units:
        known = sets.get(type_of(codec, unit))
        if known is not None and unit not in known:
            known.append(unit)
    groups = list(sets.values())
    if not (groups[0] and groups[1] and (codec == "h264" or groups[2])):
        return None
    if len(groups[0][0]) < 4 or len(groups[1][0]) < (2 if codec == "h264" else 16):
        return None
    if any(len(unit) > 0xFFFF for group in groups for unit in group) or any(
        len(group) > most for group, most in zip(groups, MOST[codec], strict=True)
    ):
        raise FormatError(f"the {codec} stream has more or larger parameter sets than its record can hold")
    return _avcc(*groups) if codec == "h264" else _hvcc(*groups)


def type_of(codec: str, unit: bytes) -> int:
    """Its NAL unit type."""
    return unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63


def _avcc(sequence: list[bytes], picture: list[bytes], extension: list[bytes]) -> bytes:
    first = sequence[0]
    record = bytes((1, first[1], first[2], first[3], 0xFC | 3, 0xE0 | len(sequence)))
    record += _sized(sequence) + bytes((len(picture),)) + _sized(picture)
    if first[1] in WITH_CHROMA:
        record += _sampled(h264_sequence(first)[1]) + bytes((len(extension),)) + _sized(extension)
    return record


def _hvcc(video: list[bytes], sequence: list[bytes], picture: list[bytes]) -> bytes:
    bits = Bits(sequence[0][2:])
    bits.u(4)  # sps_video_parameter_set_id
    layers = bits.u(3)
    nested = bits.u(1)
    profile = bits.u(88).to_bytes(11, "big") + bytes((bits.u(8),))
    record = b"\x01" + profile + bytes((0xF0, 0, 0xFC)) + _sampled(hevc_sequence(sequence[0])[1]) + bytes(2)
    record += bytes((layers + 1 << 3 | nested << 2 | 3, 3))
    for kind, units in zip(_SETS["hevc"], (video, sequence, picture), strict=True):
        record += bytes((0x80 | kind,)) + len(units).to_bytes(2, "big") + _sized(units)
    return record


def _sampled(sequence: Sequence) -> bytes:
    """Chroma format and bit depths, as both records have them."""
    luma_depth, chroma_depth = sequence.depths
    return bytes((0xFC | sequence.chroma & 3, 0xF8 | luma_depth & 7, 0xF8 | chroma_depth & 7))


def _sized(units: Iterable[bytes]) -> bytes:
    return b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)
