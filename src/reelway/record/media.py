"""How each container is written so that a crash leaves it playable, and what its streams are coded to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from reelway.engine import containers
from reelway.engine.streaminfo import StreamInfo
from reelway.errors import OptionError

__all__ = ["Container", "codings", "container_of", "goes_on"]

FRAGMENT_S = 0.5
"""What is lost of a file whose writer was killed."""
_US = str(round(FRAGMENT_S * 1_000_000))
_MS = str(round(FRAGMENT_S * 1000))
_PICTURES = "libx264:preset=veryfast"


class Container(NamedTuple):
    """name     as FFmpeg calls it
    ffmpeg      what its muxer is told
    video       what pictures are coded to that have to be coded; audio likewise
    edits       it can say that playing begins within a group of pictures
    """

    name: str
    ffmpeg: dict[str, str]
    video: str
    audio: str
    edits: bool = False


def _mp4(name: str) -> Container:
    flags = (
        "+hybrid_fragmented+default_base_moof+delay_moov"  # an index of fragments, that of a whole at the end
    )
    told = {"movflags": flags, "frag_duration": _US, "flush_packets": "1"}
    return Container(name, told, _PICTURES, "aac", edits=True)


def _matroska(name: str, video: str, audio: str) -> Container:
    return Container(name, {"cluster_time_limit": _MS, "flush_packets": "1"}, video, audio)


_BY_ENDING = {
    ".mp4": _mp4("mp4"),
    ".m4v": _mp4("mp4"),
    ".mov": _mp4("mov"),
    ".mkv": _matroska("matroska", _PICTURES, "aac"),
    ".webm": _matroska("webm", "libvpx:deadline=realtime:cpu-used=8:threads=1", "libopus"),
    ".ts": Container("mpegts", {"flush_packets": "1"}, _PICTURES, "aac"),
}


def container_of(path: str) -> Container:
    """What the ending of `path` says. Raises OptionError."""
    ending = os.path.splitext(path)[1].lower()
    if ending not in _BY_ENDING:
        raise OptionError(
            f"{path}: clips are not written as {ending or 'a file without an ending'}",
            hint=f"give the file name one of the endings {', '.join(_BY_ENDING)}",
        )
    return _BY_ENDING[ending]


def codings(container: Container, streams: Iterable[Mapping[str, Any]], exact: bool) -> dict[str, str]:
    """Which kinds of streams have to be coded for this container, and to what: {"audio": "aac"}.

    Raw ones, those that it cannot hold, and with `exact`, pictures where it has no other way to begin at one.
    """
    found = {}
    for properties in streams:
        kind = {"Visual": "video", "Audio": "audio"}.get(properties.get("StreamType", ""))
        if kind is None:
            continue
        raw = properties.get("CodecID") == "raw"
        begins = exact and kind == "video" and not container.edits
        if raw or begins or not _held(container, properties):
            found[kind] = container.video if kind == "video" else container.audio
    return found


def goes_on(container: Container, begun: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """A file that was begun with a stream like the one can hold the other behind it."""
    raw = [each.get("CodecID") == "raw" for each in (begun, now)]
    if begun is now or all(raw):
        return True  # what is raw is converted
    if any(raw):
        return False
    return containers.difference(container.name, _info(begun), now) is None


def _info(properties: Mapping[str, Any]) -> StreamInfo:
    info = properties.get("StreamInfo")
    return info if isinstance(info, StreamInfo) else StreamInfo.from_properties(properties)


def _held(container: Container, properties: Mapping[str, Any]) -> bool:
    time_base = Fraction(1, properties.get("Timescale") or 90000)
    planned = containers.Planned("", _info(properties), time_base, properties.get("FPS"))
    return not containers.refused(container.name, container.ffmpeg, [planned])
