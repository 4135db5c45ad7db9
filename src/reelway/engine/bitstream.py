"""Coded streams into another form of the same codec, nothing decoded.

A decoder configuration travels in the stream (`in-band`: Annex B, ADTS) or beside it (`out-of-band`: avcC,
hvcC, AudioSpecificConfig). `DecoderConfigMode` says which, and the resolver puts this filter where two
others disagree. FFmpeg's bitstream filters do most of it; what they lack is made here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Protocol

import av

from reelway.engine import nal
from reelway.engine.adts import Adts
from reelway.engine.streaminfo import StreamInfo
from reelway.errors import FormatError, OptionError, UnknownNameError
from reelway.graph.caps import Caps, Not
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.graph.resolve import Conversion
from reelway.media.packet import Packet

__all__ = ["Bitstream"]

MODES = ("in-band", "out-of-band")
_CODECS = ("h264", "hevc", "aac")
_FFMPEG = {
    ("h264", "in-band"): "h264_mp4toannexb",
    ("hevc", "in-band"): "hevc_mp4toannexb",
    ("aac", "out-of-band"): "aac_adtstoasc",
}


def _conversion(codec: str, mode: str) -> Conversion:
    other = MODES[mode == MODES[0]]
    return Conversion(
        Caps(CodecID=codec, DecoderConfigMode=other),
        Caps(DecoderConfigMode=mode),
        {"DecoderConfigMode": "mode"},
    )


class Bitstream(Filter):
    """Converts the form of coded streams: where the decoder configuration travels, or by FFmpeg's filters.

    `mode` converts H.264, HEVC and AAC and lets every other stream pass. `f` runs bitstream filters of
    FFmpeg, separated by commas: `bsf:f=h264_metadata=level=4.1`; FFmpeg's `name=` says the same.
    A stream whose configuration is made from the stream starts at the packet that holds it.
    """

    registry_name = "bitstream"
    kind = "bitstream"
    inputs = (Caps(CodecID=Not("raw")),)
    outputs = (Caps(),)
    conversions = tuple(_conversion(codec, mode) for codec in _CODECS for mode in MODES)

    mode: str = option(
        "keep",
        choices=("keep", *MODES),
        help="where the decoder configuration shall be: in the stream or beside it",
    )
    f: str = option(
        "", aliases=("filters",), help="FFmpeg's bitstream filters, as name=option=value, several with commas"
    )

    def __init__(self, **options: Any) -> None:
        name = options.get("name", "")
        if str(name).partition("=")[0].partition(",")[0] in av.bitstream.bitstream_filters_available:
            options["f"] = options.pop("name")
        super().__init__(**options)

    def open(self) -> None:
        for each in self.f.split(",") if self.f else ():
            name = each.partition("=")[0].strip()
            if name not in (known := av.bitstream.bitstream_filters_available):
                raise UnknownNameError.of("bitstream filter of this FFmpeg", name, known)
        if self.f and self.mode != "keep":
            raise OptionError(
                f"{self.name}: mode and f exclude each other", hint="use two filters, one after the other"
            )

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        made = dict(properties)
        if self._converts(properties):
            made["DecoderConfigMode"] = self.mode
        return [made]

    def configure(self, pid: Link) -> None:
        if pid.data is not None:
            self._send(pid, pid.data.finish())
        pid.data = self._work(pid.properties)
        if pid.output is None:
            self._announce(pid)
        elif made := pid.data.properties:
            pid.output.replace_properties(made)

    def process(self) -> float | None:
        for pid in self.ipids:
            convert = pid.data.convert
            for packet in pid:
                self._send(pid, convert(packet))
        return None

    def restarted(self, pid: Link) -> None:
        pid.data.restart()
        super().restarted(pid)

    def ended(self, pid: Link) -> None:
        if pid.data is not None:
            self._send(pid, pid.data.finish())
        if pid.output is None and pid.packets_out:
            raise FormatError(
                f"{pid.name} ended without its decoder configuration",
                hint="no parameter sets or header were found in its packets; the file may be damaged",
            )
        super().ended(pid)

    def _send(self, pid: Link, packets: Iterable[Packet]) -> None:
        for packet in packets:
            if pid.output is None:
                self._announce(pid)
            pid.output.send(packet)  # type: ignore[union-attr]  # known with the first packet made

    def _announce(self, pid: Link) -> None:
        """Makes the output as soon as its properties are known."""
        properties = pid.data.properties
        if properties is not None:
            pid.output = self.new_pid(pid.name, **properties)

    def _converts(self, properties: Mapping[str, Any]) -> bool:
        has = properties.get("DecoderConfigMode")
        return (
            self.mode in MODES and has in MODES and has != self.mode and properties.get("CodecID") in _CODECS
        )

    def _work(self, properties: dict[str, Any]) -> _Work:
        if self.f:
            return _Ffmpeg(self.f, properties)
        if not self._converts(properties):
            return _Pass(properties)
        codec: str = properties["CodecID"]
        if description := _FFMPEG.get((codec, self.mode)):
            return _Ffmpeg(description, properties, self.mode)
        return _ToAdts(properties) if codec == "aac" else _ToLengths(codec, properties)


class _Work(Protocol):
    """What is done to one stream."""

    properties: dict[str, Any] | None
    """Of the output; None as long as they are not known."""

    def convert(self, packet: Packet) -> Iterable[Packet]: ...
    def restart(self) -> None: ...
    def finish(self) -> Iterable[Packet]: ...


class _Pass:
    def __init__(self, properties: dict[str, Any]) -> None:
        self.properties: dict[str, Any] | None = properties

    def convert(self, packet: Packet) -> tuple[Packet, ...]:
        return (packet,)

    def restart(self) -> None:
        pass

    def finish(self) -> tuple[Packet, ...]:
        return ()


class _Ffmpeg:
    """A chain of FFmpeg's bitstream filters.

    aac_adtstoasc knows the configuration only from the first packet, and then says it in side data.
    """

    def __init__(self, description: str, properties: dict[str, Any], mode: str = "") -> None:
        self._given = properties
        self._mode = mode
        self._timescale: int = properties.get("Timescale") or 90000
        self._last = Packet(b"")
        info = _info(properties)
        source, self._target = _stream(info, self._timescale), _stream(info, self._timescale)
        try:
            self._filter = av.BitStreamFilterContext(description, source, self._target)
        except (av.error.FFmpegError, ValueError) as error:
            raise OptionError(
                f"FFmpeg refused the bitstream filter {description!r} for {info.codec}: {error}",
                hint="it takes other codecs, or has no such option",
            ) from error
        self.properties: dict[str, Any] | None = None
        if description != _FFMPEG["aac", "out-of-band"] or not mode:
            self._learn(StreamInfo.of(self._target))

    def _learn(self, info: StreamInfo) -> None:
        made = dict(self._given)
        codec = info.codec
        if codec != made.get("CodecID"):
            made["CodecID"] = codec
        made["StreamInfo"] = info
        made.pop("DecoderConfig", None)
        if info.extradata:
            made["DecoderConfig"] = bytes(info.extradata)
        if self._mode:
            made["DecoderConfigMode"] = self._mode
        self.properties = made

    def convert(self, packet: Packet) -> Iterator[Packet]:
        self._last = packet
        yield from self._made(self._own(packet))

    def restart(self) -> None:
        self._filter.flush()

    def finish(self) -> Iterator[Packet]:
        yield from self._made(None)

    def _made(self, payload: Any) -> Iterator[Packet]:
        try:
            ready = self._filter.filter(payload)
        except (av.error.FFmpegError, ValueError) as error:
            raise FormatError(f"the bitstream filter refused a packet: {error}") from error
        for result in ready:
            if result.has_sidedata("new_extradata") and self.properties is None:
                config = bytes(result.get_sidedata("new_extradata"))
                self._learn(_info(self._given).with_extradata(config))
                result = self._bare(result)
            made = Packet(
                result, result.dts, result.pts, result.duration or None, int(result.is_keyframe), result.size
            )
            last = self._last
            made.seek, made.discontinuity, made.corrupted = last.seek, last.discontinuity, last.corrupted
            made.capture_time = last.capture_time
            made.properties = last.properties
            if last.sap > 1 and made.sap:
                made.sap = last.sap
            yield made

    @staticmethod
    def _bare(payload: Any) -> Any:
        """A copy without side data: Matroska's muxer (FFmpeg 8.1) writes a configuration that it was told
        twice over its own header."""
        bare = av.Packet(bytes(payload))
        bare.dts, bare.pts, bare.duration = payload.dts, payload.pts, payload.duration
        bare.time_base, bare.is_keyframe = payload.time_base, payload.is_keyframe
        return bare

    def _own(self, packet: Packet) -> Any:
        """An av packet that nobody else holds: FFmpeg takes it away from its owner."""
        payload = packet.payload
        if payload.__class__ is not av.Packet or packet.shared or payload.size != packet.size:
            data: Any = packet.data
            payload = av.Packet(data)
        payload.dts, payload.pts, payload.duration = packet.dts, packet.cts, packet.duration or 0
        payload.time_base = Fraction(1, self._timescale)
        payload.is_keyframe = bool(packet.sap)
        return payload


class _Rewritten:
    """Work that gives packets a new payload."""

    properties: dict[str, Any] | None

    def restart(self) -> None:
        pass

    def finish(self) -> tuple[Packet, ...]:
        return ()


class _ToLengths(_Rewritten):
    """Annex B to length prefixes; the parameter sets move into avcC or hvcC.

    They are taken from the extradata or the first packets that hold them; pictures before those cannot be
    decoded and are left out. Sets that differ later on stay in the stream, where decoders take them too.
    """

    def __init__(self, codec: str, properties: dict[str, Any]) -> None:
        self.properties = None
        self._codec = codec
        self._given = properties
        self._sets: list[bytes] = []
        self._left_out = False
        config = properties.get("DecoderConfig") or _info(properties).extradata or b""
        self._take_sets(nal.split(bytes(config)))

    def convert(self, packet: Packet) -> tuple[Packet, ...]:
        units = nal.split(bytes(packet.data))
        if self.properties is None:
            self._take_sets(units)
            if self.properties is None:
                self._left_out = True
                return ()
        made = Packet(nal.prefixed(unit for unit in units if unit not in self._sets))
        made.copy_properties(packet)
        if self._left_out:
            self._left_out, made.discontinuity = False, True
        return (made,)

    def _take_sets(self, units: list[bytes]) -> None:
        self._sets += [u for u in units if nal.is_parameter_set(self._codec, u) and u not in self._sets]
        config = nal.configuration(self._codec, self._sets)
        if config is not None:
            info = _info(self._given).with_extradata(config)
            self.properties = {
                **self._given, "StreamInfo": info, "DecoderConfig": config, "DecoderConfigMode": "out-of-band"
            }  # fmt: skip


class _ToAdts(_Rewritten):
    """Plain AAC with a header before each frame."""

    def __init__(self, properties: dict[str, Any]) -> None:
        info = _info(properties)
        config = properties.get("DecoderConfig") or info.extradata
        if not config:
            raise FormatError("an AAC stream without its AudioSpecificConfig cannot get ADTS headers")
        self._adts = Adts(bytes(config))
        made = {**properties, "StreamInfo": info.with_extradata(None), "DecoderConfigMode": "in-band"}
        made.pop("DecoderConfig", None)
        self.properties = made

    def convert(self, packet: Packet) -> tuple[Packet, ...]:
        made = Packet(self._adts.header(packet.size) + bytes(packet.data))
        made.copy_properties(packet)
        return (made,)


def _info(properties: dict[str, Any]) -> StreamInfo:
    info = properties.get("StreamInfo")
    return info if isinstance(info, StreamInfo) else StreamInfo.from_properties(properties)


def _stream(info: StreamInfo, timescale: int) -> Any:
    keeper = av.open("parameters", "w", format="null")
    stream = keeper.add_stream_from_template(info.template, opaque=True)
    stream.time_base = Fraction(1, timescale)
    return stream
