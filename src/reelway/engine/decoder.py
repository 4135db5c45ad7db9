"""One stream's decoder: packets in, frames of av out, whatever the packets are made of.

A packet's own times count, not those of an av packet in it. FFmpeg drops what is not to be shown (edit
lists, priming of sound encoders) where it is told by the packets' side data and in which ticks they count.
"""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import av

from reelway.engine.frame import channel_layout
from reelway.engine.streaminfo import StreamInfo
from reelway.errors import FormatError, UnknownNameError, UnsupportedError
from reelway.media.packet import Packet

__all__ = ["Decoder", "Known", "decodable", "threads_for"]

MOST_THREADS = 8
"""Of one codec, unless more are asked for: beyond, they cost memory and delay more than they save."""
REMEMBERED = 256
"""Packets whose flags are kept for their frames: more than any decoder holds back."""
_CONTEXT = {"Width": "width", "Height": "height", "SampleRate": "sample_rate", "PixelFormat": "pix_fmt"}

log = logging.getLogger("reelway.engine")


class Known(NamedTuple):
    """What a packet said that its frame shall say too."""

    seek: bool = False
    drop: bool = False
    corrupted: bool = False
    capture_time: int | None = None
    properties: dict[str, Any] | None = None
    duration: int | None = None
    discontinuity: bool = False


PLAIN = Known()


def decodable(kind: str) -> frozenset[str]:
    """The codecs of a media type (`video` or `audio`) that this build of FFmpeg decodes."""
    found = set()
    for name in av.codecs_available:
        try:
            codec = av.Codec(name, "r")
        except (ValueError, RuntimeError):
            continue
        if codec.type == kind:
            found.add(codec.canonical_name)
    return frozenset(found)


def threads_for(threads: int) -> int:
    """How many threads a codec gets; 0 asks for as many as there are cores, up to a limit."""
    return threads or min(os.cpu_count() or 1, MOST_THREADS)


class Decoder:
    """Raises UnsupportedError where FFmpeg has no decoder, or not the hardware that is `required`."""

    def __init__(
        self,
        properties: Mapping[str, Any],
        *,
        threads: int = 0,
        thread_type: str = "auto",
        hwaccel: str = "",
        device: str = "",
        required: bool = False,
    ) -> None:
        self.codec = str(properties.get("CodecID"))
        self.timescale: int = properties.get("Timescale") or 90000
        self.damaged = 0
        self.last_error: Exception | None = None
        """Packets that could not be decoded."""
        self._time_base = Fraction(1, self.timescale)
        self._known: OrderedDict[int | None, Known] = OrderedDict()
        self._context = _context(properties, hwaccel, device, required)
        self._context.thread_count = threads_for(threads)
        self._context.thread_type = thread_type.upper()
        self._context.options = {"pkt_timebase": str(self._time_base)}
        self._hardware = self._context.pix_fmt if hwaccel and self._context.is_hwaccel else None
        self._drained = False

    @property
    def on_hardware(self) -> bool:
        """True where frames come from hardware; FFmpeg may find out with the first one that they do not."""
        return self._hardware is not None and self._context.pix_fmt == self._hardware

    @property
    def sample_aspect(self) -> Fraction | None:
        aspect = self._context.sample_aspect_ratio
        return Fraction(aspect) if aspect else None

    def decode(self, packet: Packet) -> list[Any]:
        """The av frames that are ready; none, where the packet is damaged."""
        self._remember(packet)
        return self._frames(self._own(packet))

    def drain(self) -> list[Any]:
        """The last frames."""
        if self._drained:
            return []
        self._drained = True
        return self._frames(None)

    def flush(self) -> None:
        """Forgets what it holds, to go on at another place."""
        self._context.flush_buffers()
        self._known.clear()
        self._drained = False

    def known(self, frame: Any) -> Known:
        """What the packet said that `frame` was made of."""
        return self._known.pop(frame.pts, PLAIN) if self._known else PLAIN

    def close(self) -> None:
        """FFmpeg's threads come to rest here, where the GIL is released, and not when the context dies."""
        self._context.flush_buffers()

    def _frames(self, payload: Any) -> list[Any]:
        try:
            found: list[Any] = self._context.decode(payload)
            return found
        except av.error.EOFError:
            return []
        except (av.error.FFmpegError, ValueError) as error:
            if isinstance(error, av.error.ArgumentError) and not self._context.is_open:
                raise FormatError(f"{self.codec} cannot be decoded: {error}") from error
            if not self.damaged:
                log.info("%s: a packet was not decoded: %s", self.codec, error)
            self.damaged += 1
            self.last_error = error
            return []

    def _remember(self, packet: Packet) -> None:
        payload = packet.payload
        discard = payload.__class__ is av.Packet and payload.is_discard
        flagged = packet.seek or packet.corrupted or packet.discontinuity
        if flagged or packet.capture_time is not None or packet.properties:
            known = self._known
            known[packet.cts] = Known(
                packet.seek and not discard,
                packet.seek and discard,
                packet.corrupted,
                packet.capture_time,
                packet.properties,
                discontinuity=packet.discontinuity,
            )
            if len(known) > REMEMBERED:
                known.popitem(last=False)

    def _own(self, packet: Packet) -> Any:
        """An av packet that nobody else holds, with the packet's times.

        Bytes are copied: FFmpeg reads a little behind them, and frees them on threads of its own.
        """
        payload = packet.payload
        is_av = payload.__class__ is av.Packet
        if not is_av or packet.shared or payload.size != packet.size or payload.is_discard > packet.seek:
            new: Any = av.Packet(packet.size)
            if packet.size:
                new.update(packet.data)
            if is_av:
                for side_data in payload.iter_sidedata():
                    new.set_sidedata(side_data)
            new.is_keyframe = bool(packet.sap)
            new.is_corrupt = packet.corrupted
            payload = new
        payload.dts, payload.pts, payload.duration = packet.dts, packet.cts, packet.duration or 0
        payload.time_base = self._time_base
        return payload


def _context(properties: Mapping[str, Any], hwaccel: str, device: str, required: bool) -> Any:
    """A decoder's context with the stream's parameters; without a description, from its properties."""
    codec = str(properties.get("CodecID"))
    info = properties.get("StreamInfo")
    described = isinstance(info, StreamInfo) and info.codec == codec
    template = info.template.codec_context if described else None  # type: ignore[union-attr]
    config = properties.get("DecoderConfig") or (template.extradata if template is not None else None)
    if template is not None and template.is_decoder and not hwaccel:
        keeper = av.open("parameters", "w", format="null")
        context: Any = keeper.add_stream_from_template(info.template, opaque=True).codec_context  # type: ignore[union-attr]
        if info.tag:  # type: ignore[union-attr]
            context.codec_tag = info.tag  # type: ignore[union-attr]
    else:
        context = _bare_context(codec, hwaccel, device, required)
        for name, attribute in _CONTEXT.items():
            if (value := properties.get(name)) is not None and hasattr(context, attribute):
                if name == "PixelFormat" and context.is_hwaccel:
                    continue
                setattr(context, attribute, value)
        if context.type == "audio":
            if properties.get("NumChannels"):
                context.layout = channel_layout(properties)
            if properties.get("AudioFormat"):
                context.format = properties["AudioFormat"]
    if config is not None and bytes(config) != context.extradata:
        context.extradata = bytes(config)
    return context


def _bare_context(codec: str, hwaccel: str, device: str, required: bool) -> Any:
    acceleration = None
    if hwaccel:
        known = av.codec.hwaccel.hwdevices_available()
        if hwaccel not in known:
            raise UnknownNameError.of("hardware for decoding in this build of FFmpeg", hwaccel, known)
        acceleration = av.codec.hwaccel.HWAccel(hwaccel, device or None, allow_software_fallback=not required)
    try:
        context = av.CodecContext.create(codec, "r", hwaccel=acceleration)
    except (av.error.FFmpegError, OSError) as error:
        if not required:
            return av.CodecContext.create(codec, "r")
        raise UnsupportedError(
            f"{hwaccel} cannot decode here: {error}", hint="leave out hwaccel_required to decode in software"
        ) from error
    except ValueError:
        raise UnsupportedError(f"this build of FFmpeg has no decoder for {codec}") from None
    if required and not context.is_hwaccel:
        raise UnsupportedError(
            f"{hwaccel} has no decoder for {codec}", hint="leave out hwaccel_required to decode in software"
        )
    return context
