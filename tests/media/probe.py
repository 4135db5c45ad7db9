"""Looks into media files without Reelway, so that tests can compare what went in with what came out.

`packets` reads with PyAV, `ffprobe` asks the real ffprobe, `counters` decodes and reads the frame
numbers that `make` burned in. Containers wrap the same coded picture differently: Annex B start codes
or length prefixes, ADTS headers or none, parameter sets repeated or stored once. `packets` digests
what is left when the wrapping is taken off, so that digests compare across containers.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av

from tests.media.make import read_counter

__all__ = ["Coded", "Stream", "bare", "counters", "digest_pcm", "ffprobe", "packets"]


class Coded(NamedTuple):
    """One packet: times in seconds, and the digest of its bare payload."""

    pts: Fraction | None
    dts: Fraction | None
    duration: Fraction
    keyframe: bool
    digest: str


class Stream(NamedTuple):
    """One stream: FFmpeg's codec name, media type, seconds a tick, and all packets in file order."""

    codec: str
    kind: str
    tick: Fraction
    language: str
    packets: list[Coded]


def packets(path: str | Path, normal: bool = True, **options: Any) -> list[Stream]:
    """Every packet of every stream. `normal=False` digests payloads as they lie in the file.

    Empty mov_text samples, with which MP4 fills the time between cues, are left out.
    """
    with av.open(str(path), **options) as container:
        found: list[Stream] = []
        config: list[bytes] = []
        for stream in container.streams:
            context = stream.codec_context
            name = context.codec.canonical_name if context else "none"
            tick = Fraction(stream.time_base or 0)
            found.append(Stream(name, stream.type, tick, stream.metadata.get("language", ""), []))
            config.append(bytes(context.extradata or b"") if context else b"")
        for packet in container.demux():
            stream_index = packet.stream.index
            if not packet.size or stream_index >= len(found):  # a flush, or a stream found on the way
                continue
            data = bytes(packet)
            into = found[stream_index]
            base = Fraction(packet.time_base)
            if normal:
                data = bare(into.codec, data, config[stream_index])
                if into.codec == "mov_text" and not data:
                    continue
            into.packets.append(
                Coded(
                    None if packet.pts is None else packet.pts * base,
                    None if packet.dts is None else packet.dts * base,
                    (packet.duration or 0) * base,
                    packet.is_keyframe,
                    hashlib.sha1(data).hexdigest(),
                )
            )
    return found


def bare(codec: str, data: bytes, config: bytes) -> bytes:
    """A payload without what its container added; `config` is the stream's extradata."""
    if codec in {"h264", "hevc"}:
        if config[:1] == b"\x01":
            length = (config[4] if codec == "h264" else config[21]) % 4 + 1
            units = list(prefixed(data, length))
        else:
            units = list(annex_b(data))
        return b"".join(unit + b"|" for unit in units if not is_header(codec, unit))
    if codec == "aac" and data[:1] == b"\xff" and data[1] & 0xF6 == 0xF0 and not config:
        return data[7 if data[1] & 1 else 9 :]
    if codec == "mpeg4":
        return data[max(0, data.find(b"\x00\x00\x01\xb6")) :]
    if codec == "av1":
        return b"".join(unit for kind, unit in obus(data) if kind not in {1, 2})
    if codec == "mov_text":
        return data[2 : 2 + int.from_bytes(data[:2], "big")]
    if codec in {"subrip", "webvtt"}:
        return data.strip()
    return data


def prefixed(data: bytes, length: int) -> Iterator[bytes]:
    """NAL units behind length prefixes (ISO/IEC 14496-15, 5.3.2)."""
    at = 0
    while at + length <= len(data):
        size = int.from_bytes(data[at : at + length], "big")
        yield data[at + length : at + length + size].rstrip(b"\0")
        at += length + size


def annex_b(data: bytes) -> Iterator[bytes]:
    """NAL units behind start codes (ITU-T H.264, annex B)."""
    for unit in data.split(b"\x00\x00\x01")[1:]:
        yield unit.rstrip(b"\0")


def is_header(codec: str, unit: bytes) -> bool:
    """Parameter sets and access unit delimiters, which move between the stream and its description."""
    if not unit:
        return True
    if codec == "h264":
        return unit[0] & 31 in {7, 8, 9}
    return unit[0] >> 1 & 63 in {32, 33, 34, 35}


def obus(data: bytes) -> Iterator[tuple[int, bytes]]:
    """AV1 units with their type (AV1 specification, 5.3); the payload alone, as sizes may be left out."""
    at = 0
    while at < len(data):
        head = data[at]
        kind, extended, sized = head >> 3 & 15, head >> 2 & 1, head >> 1 & 1
        at += 1 + extended
        size = len(data) - at
        if sized:
            size, shift = 0, 0
            while True:
                byte = data[at]
                at += 1
                size |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
        yield kind, data[at : at + size]
        at += size


def digest_pcm(path: str | Path, index: int) -> tuple[int, str]:
    """Length in bytes and digest of all of one stream's payload: containers cut PCM where they like."""
    total, digest = 0, hashlib.sha1()
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams[index]):
            total += packet.size
            digest.update(bytes(packet))
    return total, digest.hexdigest()


def ffprobe(path: str | Path, *arguments: str) -> tuple[dict[str, Any], str]:
    """What the real ffprobe says of a file that it reads and decodes to the end: its JSON and its warnings.

    The tests that call this need the Debian package ffmpeg. A nonzero exit is reported as a warning.
    """
    command = ["ffprobe", "-v", "warning", "-show_streams", "-show_format", "-count_frames", "-of", "json"]
    done = subprocess.run(
        [*command, *arguments, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    # Raw AAC and AC-3 state no duration, and ffprobe says so of every such file.
    lines = [line for line in done.stderr.splitlines() if "Estimating duration from bitrate" not in line]
    warnings = "\n".join(lines)
    if done.returncode:
        warnings += f"\nffprobe ended with {done.returncode}"
    return json.loads(done.stdout or "{}"), warnings.strip()


def counters(path: str | Path, **options: Any) -> list[int]:
    """The burned-in numbers of all frames of the first video stream, in the order they are shown."""
    with av.open(str(path), **options) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"  # one thread: it is small, and the order of errors is the file's
        return [read_counter(frame.to_ndarray(format="gray")) for frame in container.decode(stream)]
