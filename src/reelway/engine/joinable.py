"""A clip that begins with a keyframe which brings no parameter sets, in a container that has no place beside.

FFmpeg puts them in front of the keyframes that forget everything (IDR), and of no others: an open group of
pictures begins with one of those others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reelway.engine.nal import is_parameter_set, split

__all__ = ["with_parameter_sets"]

AVCC, HVCC = 7, 23
"""Bytes of the shortest records of configuration (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1)."""


def with_parameter_sets(properties: Mapping[str, Any], data: bytes) -> bytes:
    """`data`, the first picture of a stream, with the parameter sets that it lacks in front, in its form."""
    codec, config = properties.get("CodecID", ""), bytes(properties.get("DecoderConfig") or b"")
    if codec not in ("h264", "hevc") or not config:
        return data
    if config[0] != 1:  # Annex B
        has = any(is_parameter_set(codec, unit) for unit in split(data))
        return data if has else config + data
    if len(config) < (AVCC if codec == "h264" else HVCC):
        return data
    width = (config[4 if codec == "h264" else 21] & 3) + 1
    if any(is_parameter_set(codec, unit) for unit in _units(data, width)):
        return data
    sets = _sets_of_avcc(config) if codec == "h264" else _sets_of_hvcc(config)
    return b"".join(len(unit).to_bytes(width, "big") + unit for unit in sets) + data


def _units(data: bytes, width: int) -> Iterator[bytes]:
    at = 0
    while at + width < len(data):
        size = int.from_bytes(data[at : at + width], "big")
        if unit := data[at + width : at + width + size]:
            yield unit
        at += width + size


def _sets_of_avcc(config: bytes) -> list[bytes]:
    found: list[bytes] = []
    at = 5
    for mask in (0x1F, 0xFF):
        if at >= len(config):
            break
        at = _listed(config, at + 1, config[at] & mask, found)
    return found


def _sets_of_hvcc(config: bytes) -> list[bytes]:
    found: list[bytes] = []
    at = HVCC
    for _ in range(config[22]):
        at = _listed(config, at + 3, int.from_bytes(config[at + 1 : at + 3], "big"), found)
    return found


def _listed(config: bytes, at: int, count: int, found: list[bytes]) -> int:
    """Adds so many units, each behind its length; where they end."""
    for _ in range(count):
        size = int.from_bytes(config[at : at + 2], "big")
        if unit := config[at + 2 : at + 2 + size]:
            found.append(unit)
        at += 2 + size
    return at
