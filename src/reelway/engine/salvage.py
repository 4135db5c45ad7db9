"""Makes a whole file of one that somebody stopped writing in the middle, without coding anything anew.

What lies behind the last packet that can be decoded is cut off: of each stream the packets since a keyframe
are held back, and decoded when there are no more.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import av

from reelway.engine import containers
from reelway.engine.continuity import Continuity, Track
from reelway.engine.errors import quotable, reading, writing
from reelway.engine.fileobjects import writer
from reelway.engine.streaminfo import StreamInfo
from reelway.errors import FormatError, ReelwayError

__all__ = ["Salvaged", "salvage"]

MOST_HELD = 256 << 20
"""Bytes of packets that are held back, whatever the distance of keyframes."""


LOOK = {"analyzeduration": "60000000", "probesize": "100000000"}
"""A stream that begins so late in a file without an index is found [us, bytes]."""


class Salvaged(NamedTuple):
    """packets     of all streams that were written; none: there was nothing that could be
    cut            that could not be decoded, at the end
    duration_s     of the longest stream
    codecs         kind of stream -> codec
    """

    packets: int = 0
    cut: int = 0
    duration_s: float = 0.0
    codecs: Mapping[str, str] = {}


def salvage(source: str, target: Any, format: str, options: Mapping[str, str]) -> Salvaged:
    """Writes what can be read of the file `source` to the file object `target`, as a complete `format`.

    Nothing of `source` is changed. Raises FormatError where it is no media at all, OpenError where it cannot
    be read or `target` not be written.
    """
    try:
        container = av.open(source, options=LOOK, metadata_errors="replace")
    except (av.error.FFmpegError, OSError, ValueError, UnicodeError) as error:
        raise reading(error, source) from quotable(error)
    with container:
        taken = _Taken(container)
        if not taken.infos:
            return Salvaged()
        try:
            return _copied(taken, target, format, options)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise writing(error, repr(target)) from quotable(error)


class _Taken:
    """The packets of a file up to the last one of each stream that can be decoded."""

    def __init__(self, container: Any) -> None:
        self.container = container
        self.cut = 0
        self.infos: dict[int, StreamInfo] = {}
        for stream in container.streams:
            with contextlib.suppress(ReelwayError):  # a codec that FFmpeg does not know cannot be kept
                if _is_known(stream):
                    self.infos[stream.index] = StreamInfo.of(stream)
        kinds = {index: container.streams[index].type for index in self.infos}
        pictures = {index for index, kind in kinds.items() if kind == "video"}
        self._leading = pictures or {index for index, kind in kinds.items() if kind == "audio"}

    def packets(self) -> Iterator[Any]:
        held: deque[Any] = deque()
        first, size = 0, 0  # the number of held[0], and the bytes of all
        starts: dict[int, int] = {}
        for packet in self._read():
            if packet.stream_index in self._leading and packet.is_keyframe and _is_whole(packet):
                starts[packet.stream_index] = first + len(held)
            held.append(packet)
            size += packet.size
            sure = min(starts.values(), default=0)
            while held and (first < sure or size > MOST_HELD):
                size -= held[0].size
                first += 1
                yield held.popleft()
        yield from self._decodable(list(held))

    def _read(self) -> Iterator[Any]:
        """Until the end, or an error: that is where nothing more can be read."""
        with contextlib.suppress(av.error.FFmpegError, IndexError):  # IndexError: PyAV 18, at a new stream
            for packet in self.container.demux():
                if packet.size and packet.stream_index in self.infos:
                    yield packet

    def _decodable(self, held: list[Any]) -> list[Any]:
        """Without the packets of each stream behind the last one of it that decodes."""
        streams = {packet.stream_index for packet in held}
        ends = {index: self._last_good(index, held) for index in streams}
        kept = [packet for at, packet in enumerate(held) if at <= ends[packet.stream_index]]
        self.cut += len(held) - len(kept)
        return kept

    def _last_good(self, index: int, held: list[Any]) -> int:
        """Where in `held` the last packet of a stream is that decodes; -1: none does."""
        info = self.infos[index]
        kind = info.template.type
        mine = [(at, packet) for at, packet in enumerate(held) if packet.stream_index == index]
        decoder: Any = None
        if kind in {"video", "audio"}:
            with contextlib.suppress(av.error.FFmpegError, ValueError, LookupError):
                decoder = self._decoder(self.container.streams[index], info)
        last, begun = -1, False
        for at, packet in mine:
            good = _is_whole(packet)
            begun = begun or packet.is_keyframe
            if good and decoder is not None and begun:
                try:
                    decoder.decode(packet)
                except (av.error.FFmpegError, ValueError):
                    good = False
            if good:
                last = at
        return last

    def _decoder(self, stream: Any, info: StreamInfo) -> Any:
        """One that says what is wrong instead of hiding it, and at once: no threads."""
        context = av.CodecContext.create(stream.codec_context.codec.name, "r")
        context.extradata = info.extradata
        if info.template.type == "audio":
            context.sample_rate = stream.codec_context.sample_rate
            context.layout = stream.codec_context.layout
        else:
            context.width, context.height = stream.codec_context.width, stream.codec_context.height
        context.thread_type = "NONE"
        context.thread_count = 1
        context.options = {"err_detect": "explode"}
        return context


def _is_known(stream: Any) -> bool:
    """False: it was announced, but nothing of it came that says what it is."""
    if stream.type == "video":
        return bool(stream.codec_context.width)
    return stream.type != "audio" or bool(stream.codec_context.sample_rate)


def _is_whole(packet: Any) -> bool:
    """It was not cut short, and is not a hole that a file system filled with zeros after a loss of power."""
    data = memoryview(packet)
    return not packet.is_corrupt and (any(data[:64]) or any(data))


def _copied(taken: _Taken, target: Any, format: str, told: Mapping[str, str]) -> Salvaged:
    continuity, number = Continuity(), 0
    outputs: dict[int, tuple[Any, Fraction, Track, Any]] = {}
    starts: list[Fraction] = []
    ends: list[Fraction] = []
    container: Any = None
    start_s = Fraction(0)
    for packet in taken.packets():
        if container is None:
            container = av.open(writer(target), "w", format=format)
            outputs, start_s = _begin(container, taken, told, continuity)
        stream, time_base, track, filter = outputs[packet.stream_index]
        dts = packet.dts if packet.dts is not None else packet.pts
        if dts is None:
            dts = (track.last or 0) + 1
        pts = packet.pts if packet.pts is not None else dts
        behind, moved = pts - dts, round(start_s / time_base)
        dts -= moved
        time = dts + track.offset
        if track.last is None or not track.last < time <= track.last + track.max_gap:
            time = track.repair(dts, packet.duration)
        track.last = time
        packet.dts, packet.pts = time, max(time, dts + track.offset + behind)
        if not packet.is_discard:
            starts.append(packet.pts * time_base)
            ends.append((packet.pts + (packet.duration or 0)) * time_base)
            starts, ends = [min(starts)], [max(ends)]
        for each in [packet] if filter is None else filter.filter(packet):
            each.stream = stream
            container.mux_one(each)
        number += 1
    if container is None:
        return Salvaged(cut=taken.cut)
    container.close()
    if number and not ends:
        raise FormatError(f"{taken.container.name}: nothing in it is ever shown")
    codecs = {info.template.type: info.codec for info in taken.infos.values()}
    return Salvaged(number, taken.cut, float(ends[0] - max(starts[0], Fraction(0))), codecs)


def _begin(
    container: Any, taken: _Taken, told: Mapping[str, str], continuity: Continuity
) -> tuple[dict[int, tuple[Any, Fraction, Track, Any]], Fraction]:
    """Every stream of the new file, and when it shall begin."""
    source, format = taken.container, container.format.name
    bases = {index: Fraction(source.streams[index].time_base) for index in taken.infos}
    container.container_options.update(containers.muxer_options(format, told, list(bases.values()), True))
    outputs = {}
    for index, info in taken.infos.items():
        stream = source.streams[index]
        rate = stream.average_rate if info.template.type == "video" else None
        planned = containers.Planned(stream.type, info, bases[index], rate)
        made = containers.add_stream(container, planned)
        made.metadata.update(stream.metadata)
        made.disposition = stream.disposition
        track = continuity.track(bases[index], containers.max_gap_s(format, planned))
        outputs[index] = made, bases[index], track, containers.stream_filter(format, info, None)
    container.metadata.update(source.metadata)
    late = format == "mpegts" and source.start_time  # whose muxer begins later, to have room for the clock
    return outputs, Fraction(source.start_time, 1_000_000) if late else Fraction(0)
