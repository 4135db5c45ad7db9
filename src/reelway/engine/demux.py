"""The demuxer: reads a container and sends each stream's packets on a PID of its own."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any

import av

from reelway.engine.errors import quotable, reading
from reelway.engine.fileobjects import reader
from reelway.engine.seeking import packets_from
from reelway.engine.streaminfo import StreamInfo, describe
from reelway.errors import FormatError, ReelwayError, UnknownOptionError, redact
from reelway.graph.caps import Caps, Not
from reelway.graph.filter import Filter
from reelway.graph.option import option
from reelway.graph.pid import Pid
from reelway.media.packet import Packet
from reelway.media.timebase import unify

if TYPE_CHECKING:
    from reelway.engine.picture_order import PictureTimes
    from reelway.media.events import Event, Play

av.logging.set_level(None)  # a log callback into Python deadlocks and contends
UNTIMED = {"h264", "hevc", "avi"}
"""Containers without display times: none at all, or AVI, where FFmpeg makes them up, wrong with B-frames."""
TABLED = (".mp4", ".mov", ".m4a", ".m4v")
AS_TABLED = "+noparse+nofillin"
"""The tables of these files say all about each packet: parsing the packets too takes a tenth of the time of
reading them, and gives the last packet of MP3 a duration that its table denies."""
NAMES = {"video": "video", "audio": "audio", "subtitle": "text", "data": "data", "attachment": "file"}


class Demux(Filter):
    """Reads any container or elementary stream that FFmpeg reads, from a URL or a Python file object."""

    registry_name = "demux"
    outputs = (Caps(CodecID=Not("raw")),)
    seeks = True

    src: Any = option(kind=object, help="URL, path, or a Python object with read() and perhaps seek()")
    format: str = option("", help="container format, where it cannot be told from the data")
    timeout_s: float = option(
        10.0, low=0.1, unit="s", help="longest wait for the source to open or to answer"
    )
    ffmpeg: dict[str, str] = option(
        {}, kind=dict, help="options of FFmpeg's demuxer and protocol, by its names"
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if self.format and self.format not in av.formats_available:
            raise UnknownOptionError.of("container format", self.format, av.formats_available)
        self.url = (
            self.src if isinstance(self.src, str) else os.fspath(self.src) if _is_path(self.src) else ""
        )
        self._container: Any = None
        self._packets: Iterator[Any] = iter(())
        self._outputs: list[Pid | None] = []
        self._factors: list[int] = []
        self._bounds: dict[Pid, tuple[int, int | None]] = {}
        """Ticks from which and up to which a PID plays, once it was told."""
        self._asked: tuple[Play, set[Pid]] | None = None
        self._begun = False
        if not is_regular(self.url) and not isinstance(self.src, io.BytesIO):
            self.thread = "own"

    def open(self) -> None:
        self._open()
        container = self._container
        streams = list(container.streams)
        self._outputs = [None] * len(streams)
        self._factors = [1] * len(streams)
        counts: dict[str, int] = {}
        whole: dict[str, Any] = {"URL": self.url, "Container": container.format.name}
        if container.metadata:
            whole["FileMetadata"] = dict(container.metadata)
        if chapters := container.chapters():
            whole["Chapters"] = chapters
        for stream in streams:
            try:
                info = StreamInfo.of(stream)
            except ReelwayError as error:
                self.status = f"left out: {error}"
                continue
            counts[stream.type] = counts.get(stream.type, 0) + 1
            name = f"{NAMES.get(stream.type, stream.type)}{counts[stream.type]}"
            self._factors[stream.index] = unify(stream.time_base or Fraction(1, 90000))[1]
            pid = self.new_pid(name, **describe(stream, info), **whole)
            pid.data = stream
            self._outputs[stream.index] = pid
        if not any(self._outputs):
            what = f"{redact(self.url or repr(self.src))} ({container.format.name})"
            raise FormatError(
                f"{what} holds no stream that can be read", hint="the file is damaged or cut short"
            )
        self._demux()

    def process(self) -> float | None:
        outputs, factors, left = self._outputs, self._factors, self.quantum
        self._begun = True
        try:
            for payload in self._packets:
                index = payload.stream_index
                pid = outputs[index]
                size = payload.size
                dts = payload.dts
                if pid is None or (dts is None and not size):  # the latter flushes decoders
                    continue
                cts, duration, factor = payload.pts, payload.duration, factors[index]
                if factor != 1:
                    dts = None if dts is None else dts * factor
                    cts = None if cts is None else cts * factor
                    duration = duration * factor if duration else None
                packet = Packet(payload, dts, cts, duration or None, 1 if payload.is_keyframe else 0, size)
                if payload.is_corrupt:
                    packet.corrupted = True
                if payload.is_discard:
                    packet.seek = True
                if self._bounds and self._past_end(pid, packet):
                    continue
                pid.send(packet)
                left -= 1
                if self.blocked or not left:
                    return None
        except IndexError:
            pass  # PyAV 18 ends so where streams appeared while it read; those it knew are read to the end
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise reading(error, self.url or repr(self.src)) from quotable(error)
        for pid in self.opids:
            pid.end()
        return None

    def on_event(self, event: Event) -> bool:
        """Play and Seek move the whole source; Stop ends the PID it concerns."""
        from reelway.media.events import Play, Seek, Stop  # most sessions send none

        match event:
            case Stop():
                event.pid.end()
                self._outputs[event.pid.data.index] = None
            case Play():
                self._play(event)
            case Seek(time_s=time_s):
                self.seek(time_s)
        return True

    def _play(self, event: Play) -> None:
        """Each consumer says it; what comes for another PID with the same words is the same wish."""
        pid: Pid = event.pid
        asked, heard = self._asked or (None, set())
        start_s, timescale = self._start_s(), pid.properties["Timescale"]
        start = floor((event.start_s + start_s) * timescale)
        end = None if event.end_s is None else round((event.end_s + start_s) * timescale)
        self._bounds[pid] = start, end
        if asked == event and pid not in heard:
            heard.add(pid)
            return
        self._asked = event, {pid}
        if self._begun or event.start_s > 0:
            self.seek(event.start_s)

    def seek(self, time_s: float) -> None:
        """Goes on from the random access point at or before `time_s` [s from the start of the media].

        Raw H.264 and HEVC and AVI, whose times are counted from the beginning, begin again; a pipe or another
        source that cannot seek is read on from where it is.
        """
        container, source = self._container, self.url or repr(self.src)
        try:
            if container.format.name in UNTIMED:
                if not is_regular(self.url):
                    raise NotImplementedError
                self._reopen()
            else:
                streams = [pid.data for pid in self._outputs if pid is not None]
                target_us = round((time_s + self._start_s()) * 1_000_000)
                self._packets = packets_from(container, streams, target_us)
        except (av.error.PermissionError, NotImplementedError):
            self.status = "cannot seek"
            return
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise reading(error, source) from quotable(error)
        for pid in self.opids:
            pid.restart()

    def _reopen(self) -> None:
        self._packets = iter(())
        self._container.close()
        self._open()
        for index, pid in enumerate(self._outputs):
            if pid is not None:
                pid.data = self._container.streams[index]
        self._demux()

    def untouched(self, pid: Pid) -> bool:
        """True where the times of its packets are those that the av packets in them hold."""
        factor: int = self._factors[pid.data.index]
        return factor == 1

    def close(self) -> None:
        self._packets = iter(())
        if self._container is not None:
            self._container.close()
            self._container = None

    def _start_s(self) -> float:
        return (self._container.start_time or 0) / 1_000_000

    def _past_end(self, pid: Pid, packet: Packet) -> bool:
        """Ends `pid` there; a packet outside of its bounds that others may refer to is flagged."""
        start, end = self._bounds.get(pid, (None, None))
        dts, cts = packet.dts, packet.cts
        if start is not None and cts is not None:
            kind = pid.properties["StreamType"]
            if cts < start if kind == "Visual" else cts + (packet.duration or 0) <= start:
                packet.seek = True
        if end is None:
            return False
        if cts is not None and cts >= end:
            packet.seek = True
        time = dts if dts is not None else cts
        if time is None or time < end:
            return False
        pid.end()
        self._outputs[pid.data.index] = None
        return True

    def _open(self) -> None:
        options = dict(self.ffmpeg)
        if self.url.lower().endswith(TABLED) and is_regular(self.url) and "fflags" not in options:
            self._container = self._opened({**options, "fflags": AS_TABLED})
            if self._container.format.name == "mov,mp4,m4a,3gp,3g2,mj2":
                return
            self._container.close()  # it is not what its name says
        self._container = self._opened(options)

    def _opened(self, options: dict[str, str]) -> Any:
        try:
            return av.open(
                self.url or reader(self.src),
                "r",
                format=self.format or None,
                options=options,
                timeout=(self.timeout_s, self.timeout_s) if self.thread == "own" and self.url else None,
                metadata_errors="replace",
            )
        except (av.error.FFmpegError, OSError, ValueError, UnicodeError) as error:
            raise reading(error, self.url or repr(self.src), self.format) from quotable(error)

    def _demux(self) -> None:
        wanted = [pid.data for pid in self._outputs if pid is not None]
        self._packets = self._container.demux(wanted) if wanted else iter(())
        if self._container.format.name in UNTIMED:
            self._packets = _timed(self._packets)


def _timed(packets: Iterator[Any]) -> Iterator[Any]:
    """Gives times to H.264 and HEVC packets that have none; all others pass."""
    from reelway.engine.picture_order import PictureTimes

    clocks: dict[int, PictureTimes | None] = {}
    for packet in packets:
        if not packet.size:
            continue
        index = packet.stream_index
        if index not in clocks:
            context = packet.stream.codec_context
            codec = context.codec.canonical_name if context is not None else ""
            duration = packet.duration or round(1 / 25 / packet.time_base)
            clocks[index] = PictureTimes(codec, duration) if codec in {"h264", "hevc"} else None
        clock = clocks[index]
        if clock is None:
            yield packet
        else:
            for ready, dts, pts in clock.add(packet, memoryview(packet), packet.dts):
                ready.dts, ready.pts = dts, pts
                yield ready
    for clock in clocks.values():
        for ready, dts, pts in clock.flush() if clock else ():
            ready.dts, ready.pts = dts, pts
            yield ready


def is_regular(url: str) -> bool:
    """True for a file of the file system: reading it does not block for long."""
    try:
        return stat.S_ISREG(os.stat(url.removeprefix("file:")).st_mode)
    except (OSError, ValueError):
        return False


def _is_path(source: Any) -> bool:
    return isinstance(source, os.PathLike)
