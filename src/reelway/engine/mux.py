"""The muxer: writes PIDs into a container.

It drains all its inputs and lets FFmpeg interleave them, and writes no header before every input is
configured. What the container cannot hold is found out before the file is touched. Decode times rise, also
where the source's do not. A payload that another packet may hold gets an av packet of its own, for muxing
rewrites ticks, time base and stream of an av packet.
"""

from __future__ import annotations

import contextlib
import logging
import os
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from reelway.engine import coding, containers
from reelway.engine.channel import Channel, open_channel
from reelway.engine.continuity import Continuity, Track
from reelway.engine.demux import Demux, is_regular
from reelway.engine.errors import quotable, writing
from reelway.engine.fileobjects import can_seek, writer
from reelway.engine.streaminfo import StreamInfo
from reelway.errors import LinkError, OptionError, UnknownOptionError, redact
from reelway.graph.caps import Caps, Not
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.graph.resolve import Demand
from reelway.media.packet import Packet
from reelway.media.timebase import rescale

log = logging.getLogger("reelway.engine")

ATTACHED_PICTURE = 1 << 10
"""The bit of Disposition that marks a cover (FFmpeg's AV_DISPOSITION_ATTACHED_PIC)."""
_KINDS = {"Visual": "video", "Audio": "audio", "Text": "text"}
"""Kind of stream -> the option that says what becomes of it."""
LONGEST_PRIMING_S = Fraction(1, 2)
TECHNICAL = {"major_brand", "minor_version", "compatible_brands", "encoder", "duration"}


@dataclass(slots=True)
class _Output:
    """Where an input's packets go."""

    stream: Any
    time_base: Fraction
    track: Track
    filter: Any
    timescale: int
    """Of the packets that come: that of `time_base`, unless the PID has changed it since."""
    direct: bool
    """The packets come from a demuxer, with nothing in between that could change them."""


class Mux(Filter):
    """Writes any container that FFmpeg writes, to a URL or a Python file object."""

    registry_name = "mux"
    records = True
    inputs = (Caps(CodecID=Not("raw")),)

    dst: Any = option(kind=object, help="URL, path, or a Python object with write() and perhaps seek()")
    format: str = option("", help="container format; by default the one of the file name's ending")
    # a sink has no PIDs that `Filter.video` and `Filter.audio` could select
    video: str = option(  # type: ignore[assignment]
        "",
        help="what video is coded to: an encoder and its options, as in libx264:preset=fast; copy; or none, "
        "to leave it out",
    )
    audio: str = option(  # type: ignore[assignment]
        "", help="what audio is coded to: an encoder and its options, copy or none"
    )
    text: str = option(  # type: ignore[assignment]
        "", choices=("", "copy", "none"), help="none leaves subtitles out"
    )
    fragment_s: float | None = option(
        None,
        low=0.0,
        unit="s",
        help="mp4 and mov in fragments, which play while they are written and after a crash: at least so "
        "long each, from a random access point; 0: one for each group of pictures",
    )
    ffmpeg: dict[str, str] = option({}, kind=dict, help="options of FFmpeg's muxer, by its names")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if self.format and self.format not in av.formats_available:
            raise UnknownOptionError.of("container format", self.format, av.formats_available)
        self.url = (
            self.dst
            if isinstance(self.dst, str)
            else os.fspath(self.dst)
            if isinstance(self.dst, os.PathLike)
            else ""
        )
        self._container: Any = None
        self._channel: Channel | None = None
        self._when_dropped: Any = None
        self._planned: dict[Link, containers.Planned] = {}
        self._continuity = Continuity()
        self._header_written = False
        if self.url and not _will_be_regular(self.url):
            self.thread = "own"
        self._format_name = self.format
        target = self.url or _writer(self.dst)
        if not self.format:
            try:  # nothing is opened before the header is written
                self._format_name = av.open(target, "w").format.name
            except ValueError:
                raise OptionError(
                    f"the name {redact(self.url or repr(self.dst))} says no container format",
                    hint=containers.nameless(self.url),
                ) from None
        self._check_fragments()

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        left_out = [kind for kind, name in _KINDS.items() if getattr(self, name) == "none"]
        if left_out:
            self.inputs = (Caps(CodecID=Not("raw"), StreamType=Not(*left_out)),)  # type: ignore[misc]
        if hasattr(self, "_format_name"):  # what the session says for all its filters comes later
            self._check_fragments()

    def _check_fragments(self) -> None:
        if self.fragment_s is not None and self._format_name not in containers.MP4:
            raise OptionError(f"{self._format_name} has no fragments", hint="fragment_s is for mp4 and mov")

    def _told(self) -> dict[str, str]:
        """What FFmpeg's muxer is told."""
        fragments = {} if self.fragment_s is None else containers.fragmented(self.fragment_s)
        return {**fragments, **self.ffmpeg}

    def configure(self, pid: Link) -> None:
        if self._header_written and pid in self._planned:
            self._configure_again(pid)
            return
        if self._header_written:
            raise LinkError(f"{self.name} cannot add {pid.name}: the header of {redact(self.url)} is written")
        if self._container is None:
            self._open()
        self._planned[pid] = self._plan(f"{pid.source.name}.{pid.name}", pid.properties)

    def _configure_again(self, pid: Link) -> None:
        """New properties behind the header: other ticks are converted, another codec is too late."""
        name = f"{pid.source.name}.{pid.name}"
        if words := containers.difference(self._format_name, self._planned[pid].info, pid.properties):
            raise self._begun_otherwise(f"{name} becomes {words[0]}", words[1])
        output: _Output | None = pid.data
        if output is not None:
            output.timescale = pid.properties.get("Timescale") or 90000
            same = output.timescale == output.time_base.denominator
            output.direct = output.direct and same and not pid.moved

    def check_input(self, name: str, properties: Mapping[str, Any], link: Link | None = None) -> None:
        """Behind the header nothing is added, and an input goes on with its codec."""
        if not self._header_written:
            return
        if link is None or link not in self._planned:
            raise LinkError(
                f"{self.name} cannot add {name}: the header of {redact(self.url)} is written",
                hint="write another file from here on, or session.relink() an input to it",
            )
        if words := containers.difference(self._format_name, self._planned[link].info, properties):
            raise self._begun_otherwise(f"{self.name} cannot go on with {name} ({words[0]})", words[1])

    def _begun_otherwise(self, what: str, begun: str) -> LinkError:
        return LinkError(
            f"{what}, but {redact(self.url)} was begun with {begun}",
            hint="write another file from here on, or encode it: load_dst(..., video='libx264')",
        )

    def demand(self, properties: Mapping[str, Any]) -> Demand | None:
        """The encoder that `video` or `audio` names; a stream that is to be copied must be coded already."""
        kind = _KINDS.get(properties.get("StreamType", ""))
        text = getattr(self, kind) if kind else ""
        cover = int(properties.get("Disposition") or 0) & ATTACHED_PICTURE
        if kind is None or kind == "text" or cover:
            return None
        return coding.demanded(self.name, kind, text, properties.get("CodecID") == "raw")

    def preferred(self, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        """The codec that raw media becomes where nobody says which."""
        if properties.get("CodecID") != "raw":
            return {}
        video = properties.get("StreamType") == "Visual"
        codec = containers.usual_codec(self._format_name, video, self.url)
        return {"CodecID": codec or ("h264" if video else "aac")}  # which will be refused by its name

    def check_inputs(self, streams: Mapping[str, Mapping[str, Any]]) -> None:
        """Asks the container, so that a codec it cannot hold is told of before the file is touched."""
        planned = [self._plan(name, properties) for name, properties in streams.items()]
        seekable = self._seekable()
        if not any(containers.needs_config(self._format_name, each.info, seekable) for each in planned):
            self._refused(planned, containers.muxer_options(self._format_name, self._told(), [], True))

    def _refused(
        self, planned: Sequence[containers.Planned], options: Mapping[str, str]
    ) -> list[containers.Planned]:
        """The streams to leave out: covers and data that the container refuses. LinkError for any other."""
        name = self._format_name
        some = containers.refused(name, options, planned)
        rest = [each for each in planned if each not in some]
        if some and (
            not rest or not all(each.aside for each in some) or containers.refused(name, options, rest)
        ):
            raise containers.refusal(name, some, planned, self.url)
        return some

    def _plan(self, name: str, properties: Mapping[str, Any]) -> containers.Planned:
        info = properties.get("StreamInfo")
        if not isinstance(info, StreamInfo):
            info = StreamInfo.from_properties(properties)
        config = properties.get("DecoderConfig")
        if config is not None and config != info.extradata:
            info = info.with_extradata(bytes(config))
        time_base = Fraction(1, properties.get("Timescale") or 90000)
        aside = properties.get("StreamType") not in {"Visual", "Audio", "Text"}
        aside = aside or bool((properties.get("Disposition") or 0) & ATTACHED_PICTURE)
        return containers.Planned(name, info, time_base, properties.get("FPS"), aside)

    def process(self) -> float | None:
        inputs = self.ipids
        if not self._header_written:
            if not all(pid.configured for pid in inputs) or self.context.expects_inputs(self):
                return None
            if not self._complete_configs():
                return None
            self._add_streams()
            self._header_written = True
        try:
            for pid in inputs:
                output: _Output | None = pid.data
                if output is None:
                    for _ in pid:
                        pass
                elif output.direct:
                    self._pass_on(pid, output)
                else:
                    for packet in pid:
                        self._write(packet, output)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise writing(error, self.url or repr(self.dst), *_place(pid)) from quotable(error)
        return None

    def _pass_on(self, pid: Link, output: _Output) -> None:
        """Writes packets as a demuxer made them, with the times that they hold, as long as these are good."""
        write, stream, track = self._container.mux_one, output.stream, output.track
        last, max_gap = track.last, track.max_gap
        for packet in pid:
            dts, cts = packet.dts, packet.cts
            if (
                last is None
                or dts is None
                or cts is None
                or packet.shared
                or not last < dts <= cts <= last + max_gap
            ):
                self._write(packet, output)
                last = track.last
                if track.offset:  # from here on no time stands any more
                    output.direct = False
                    for each in pid:
                        self._write(each, output)
                    return
            else:
                track.last = last = dts
                payload = packet.payload
                payload.stream = stream
                write(payload)

    def _write(self, packet: Packet, output: _Output) -> None:
        payload = packet.payload
        if payload.__class__ is not av.Packet or packet.shared:
            payload = _own_packet(packet)
        dts, cts, duration, track = packet.dts, packet.cts, packet.duration, output.track
        if output.timescale != output.time_base.denominator:
            here, there = output.timescale, output.time_base.denominator
            dts, cts, duration = (
                None if time is None else rescale(time, here, there) for time in (dts, cts, duration)
            )
        if dts is not None:
            time = dts + track.offset
            if track.last is None or not track.last < time <= track.last + track.max_gap:
                time = track.repair(dts, duration)
            track.last = dts = time
        if cts is not None:
            cts += track.offset
            if dts is not None and not dts <= cts <= dts + track.max_gap:
                cts = dts
        payload.dts = dts
        payload.pts = cts
        payload.duration = duration or 0
        payload.time_base = output.time_base
        if output.filter is None:
            payload.stream = output.stream
            self._container.mux_one(payload)
            return
        for filtered in output.filter.filter(payload):
            filtered.stream = output.stream
            self._container.mux_one(filtered)

    def close(self) -> None:
        container, self._container = self._container, None
        channel, self._channel = self._channel, None
        if self._when_dropped is not None:
            self._when_dropped.detach()
        try:
            with contextlib.closing(channel) if channel is not None else contextlib.nullcontext():
                if container is not None:
                    container.close()
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise writing(error, self.url or repr(self.dst)) from quotable(error)

    def _complete_configs(self) -> bool:
        """Takes decoder configurations that only the packets hold from the first; False: not there yet.

        It does not wait for a stream that has not begun when another one's queue is full.
        """
        for pid, planned in self._planned.items():
            if not containers.needs_config(self._format_name, planned.info, self._seekable()) or pid.ended:
                continue
            packet = pid.peek()
            if packet is not None:
                info = planned.info.with_extradata_of(packet.data)
                self._planned[pid] = planned._replace(info=info)
            elif not any(other.full for other in self.ipids):
                return False
        return True

    def _add_streams(self) -> None:
        """Every stream of the container, once it is sure to take them."""
        container, planned = self._container, self._planned
        name = container.format.name
        time_bases = [each.time_base for each in planned.values()]
        options = containers.muxer_options(name, container.container_options, time_bases, self._seekable())
        if some := self._refused(list(planned.values()), options):
            log.warning("%s: %s: left out", redact(self.url), containers.refusal(name, some, some))
        container.container_options.update(options)
        taken = _as_in_source([pid for pid in self.ipids if planned[pid] not in some])
        for pid in taken:
            each = planned[pid]
            first = pid.peek()
            stream = containers.add_stream(container, each, first.data if first else None)
            properties = pid.properties
            container.metadata.update(_of_any_file(properties.get("FileMetadata") or {}))
            if chapters := properties.get("Chapters"):
                container.set_chapters(chapters)
            stream.metadata.update(properties.get("Metadata") or {})
            if language := properties.get("Language"):
                stream.metadata["language"] = language
            if disposition := properties.get("Disposition"):
                stream.disposition = disposition
            track = self._continuity.track(each.time_base, containers.max_gap_s(name, each))
            convert = containers.stream_filter(name, each.info, first.data if first else None)
            direct = convert is None and _as_demuxed(pid)
            pid.data = _Output(stream, each.time_base, track, convert, each.time_base.denominator, direct)
        if start_s := self._start_s(name, taken):
            for pid in taken:
                pid.data.track.offset = round(-start_s / pid.data.time_base)
                pid.data.direct = False

    def _start_s(self, name: str, taken: list[Link]) -> Fraction | None:
        """When the first packet comes, where MP4 would take it for one to be skipped; else None.

        A start below zero is an edit list in MP4: right for the priming of sound encoders, and for packets
        that a demuxer marks so. A transport stream may start there too, and shall be shown from its start.
        """
        if name not in containers.MP4:
            return None
        firsts = [(packet, pid.data.time_base) for pid in taken if (packet := pid.peek()) is not None]
        if any(packet.seek for packet, _ in firsts):
            return None
        times = [packet.cts * base for packet, base in firsts if packet.cts is not None]
        start_s = min(times, default=Fraction(0))
        return start_s if start_s < -LONGEST_PRIMING_S else None

    def _seekable(self) -> bool:
        if self.url:
            return _will_be_regular(self.url)
        return can_seek(self.dst)

    def _open(self) -> None:
        try:
            self._channel = open_channel(self.url) if self.url else None
            self._container = av.open(
                self._channel or self.url or writer(self.dst),
                "w",
                format=self._format_name,
                container_options=self._told(),
            )
            if self.url and self._channel is None:  # FFmpeg opens it, and PyAV does not close it by itself
                self._when_dropped = weakref.finalize(self, _close_dropped, self._container, os.getpid())
                self._when_dropped.atexit = False  # a thread may still be at it
        except (av.error.FFmpegError, OSError) as error:
            raise writing(error, self.url or repr(self.dst)) from quotable(error)


def _close_dropped(container: Any, process: int) -> None:
    """Nobody is left who could be told what goes wrong. In a child of a fork the file is its parent's."""
    if os.getpid() != process:
        return
    with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
        container.close()


def _writer(file: Any) -> Any:
    try:
        return writer(file)
    except ValueError as error:
        raise OptionError(f"{file!r} cannot be written to: {error}") from None


def _as_in_source(pids: Sequence[Link]) -> list[Link]:
    """In the order of the sources, and of the streams in each: which one gets ready first is chance."""
    sources = list(dict.fromkeys(pid.properties.get("URL") for pid in pids))
    return sorted(
        pids, key=lambda pid: (sources.index(pid.properties.get("URL")), pid.properties.get("ID") or 0)
    )


def _as_demuxed(pid: Link) -> bool:
    """Its packets come from a demuxer, with the times that the av packets in them hold."""
    return isinstance(pid.source, Demux) and not pid.moved and pid.source.untouched(pid.pid)


def _place(pid: Link) -> tuple[str, bool]:
    """Which packet was written last, in words, and whether it is one of a file."""
    output: _Output = pid.data
    track = output.track
    name, last = f"{pid.source.name}.{pid.name}", track.last
    if last is not None:
        name += f" at {float((last - track.offset) * output.time_base):.3f} s"
    return name, isinstance(pid.source, Demux)


def _own_packet(packet: Packet) -> Any:
    """An av packet for this muxer alone, on the same bytes."""
    new: Any = av.Packet(packet.data)  # type: ignore[arg-type]  # any buffer
    new.is_keyframe = bool(packet.sap)
    if isinstance(packet.payload, av.Packet):
        for side_data in packet.payload.iter_sidedata():
            new.set_sidedata(side_data)
    return new


def _of_any_file(metadata: dict[str, str]) -> dict[str, str]:
    """What a film says of itself, without what its container said of itself."""
    return {key: text for key, text in metadata.items() if key.lower() not in TECHNICAL}


def _will_be_regular(url: str) -> bool:
    if url.startswith("pipe:"):
        return False
    return is_regular(url) or ("://" not in url and not os.path.exists(url))
