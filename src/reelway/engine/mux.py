"""The muxer: writes PIDs into a container.

It drains all its inputs and lets FFmpeg interleave them, and writes no header before every input is
configured. A payload that another packet may hold gets an av packet of its own, for muxing rewrites ticks,
time base and stream of an av packet.
"""

from __future__ import annotations

import os
from fractions import Fraction
from typing import Any

import av

from reelway.engine.demux import is_regular
from reelway.engine.errors import writing
from reelway.engine.streaminfo import StreamInfo
from reelway.errors import FormatError, LinkError, OptionError, UnsupportedError, redact
from reelway.graph.caps import Caps, Not
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.media.packet import Packet


class Mux(Filter):
    """Writes any container that FFmpeg writes, to a URL or a Python file object."""

    registry_name = "mux"
    inputs = (Caps(CodecID=Not("raw")),)

    dst: Any = option(kind=object, help="URL, path, or a Python object with write() and perhaps seek()")
    format: str = option("", help="container format; by default the one of the file name's ending")
    options: dict[str, str] = option({}, kind=dict, help="options of FFmpeg's muxer")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.url = self.dst if isinstance(self.dst, str) else os.fspath(self.dst) if isinstance(self.dst, os.PathLike) else ""
        self._container: Any = None
        self._streams: dict[Link, Any] = {}
        self._header_written = False
        if self.url and not _will_be_regular(self.url):
            self.thread = "own"

    def configure(self, pid: Link) -> None:
        if pid in self._streams:
            return
        if self._header_written:
            raise LinkError(f"{self.name} cannot add {pid.name}: the header of {redact(self.url)} is written")
        if self._container is None:
            self._open()
        info = pid.properties.get("StreamInfo")
        if not isinstance(info, StreamInfo):
            info = StreamInfo.from_properties(pid.properties)
        config = pid.properties.get("DecoderConfig")
        if config is not None and config != info.extradata:
            info = info.with_extradata(bytes(config))
        time_base = Fraction(1, pid.properties.get("Timescale") or 90000)
        try:
            stream = info.add_to(self._container, time_base)
        except ValueError:
            raise FormatError(
                f"{self._container.format.name} cannot hold {info.codec}",
                hint="choose another container, such as .mkv",
            ) from None
        metadata = dict(pid.properties.get("Metadata") or {})
        if language := pid.properties.get("Language"):
            metadata["language"] = language
        stream.metadata.update(metadata)
        if disposition := pid.properties.get("Disposition"):
            stream.disposition = disposition
        self._streams[pid] = stream
        pid.data = (stream, time_base)

    def process(self) -> float | None:
        inputs = self.ipids
        if not self._header_written:
            if not all(pid.configured for pid in inputs) or self.context.expects_inputs(self):
                return None
            self._header_written = True
        container = self._container
        try:
            write = container.mux_one
            for pid in inputs:
                stream, time_base = pid.data
                for packet in pid:
                    payload = packet.payload
                    if payload.__class__ is not av.Packet or packet.shared:
                        payload = _own_packet(packet)
                    payload.dts = packet.dts
                    payload.pts = packet.cts
                    payload.duration = packet.duration or 0
                    payload.time_base = time_base
                    payload.stream = stream
                    write(payload)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise writing(error, self.url or repr(self.dst)) from error
        return None

    def close(self) -> None:
        container, self._container = self._container, None
        if container is None:
            return
        try:
            container.close()
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise writing(error, self.url or repr(self.dst)) from error

    def _open(self) -> None:
        target = self.url or self.dst
        if self.format and self.format not in av.formats_available:
            raise OptionError(f"FFmpeg knows no format {self.format!r}")
        try:
            self._container = av.open(
                target, "w", format=self.format or None, container_options=dict(self.options)
            )
        except ValueError as error:
            raise UnsupportedError(
                f"the name {redact(self.url)!r} says no container format",
                hint="give it an ending such as .mp4, .mkv or .ts, or the option format=",
            ) from error
        except (av.error.FFmpegError, OSError) as error:
            raise writing(error, self.url or repr(self.dst)) from error


def _own_packet(packet: Packet) -> Any:
    """An av packet for this muxer alone, on the same bytes."""
    new = av.Packet(packet.data)
    new.is_keyframe = bool(packet.sap)
    if isinstance(packet.payload, av.Packet):
        for side_data in packet.payload.iter_sidedata():
            new.set_sidedata(side_data)
        new.is_discard = packet.payload.is_discard
    return new


def _will_be_regular(url: str) -> bool:
    return is_regular(url) or ("://" not in url and not os.path.exists(url))
