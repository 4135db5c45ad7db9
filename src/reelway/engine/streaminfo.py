"""Codec parameters that outlive the container they came from.

An av Stream belongs to its container and dies with it. `StreamInfo` keeps the parameters (codec, extradata,
picture and sound format, side data) in a stream of a container of its own that writes nothing, which any
muxer and any decoder can take as a template.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import av

from reelway.engine.rawformat import layout_name
from reelway.engine.rotation import quarter_turns
from reelway.errors import UnsupportedError
from reelway.media.names import canonical_stream_type
from reelway.media.timebase import unify

_CONTEXT = {
    "Width": "width",
    "Height": "height",
    "PixelFormat": "pix_fmt",
    "SampleRate": "sample_rate",
    "ChannelLayout": "layout",
    "AudioFormat": "format",
    "Bitrate": "bit_rate",
    "DecoderConfig": "extradata",
}
"""Property -> attribute of a codec context."""


class StreamInfo:
    """The parameters of one stream; never changed after it is made."""

    __slots__ = ("codec", "tag", "template")

    def __init__(self, template: Any, tag: str = "") -> None:
        self.template = template
        self.tag = tag
        """The codec's four characters in the container it came from, where a few decoders look; or empty."""
        self.codec: str = _codec_name(template)

    @classmethod
    def of(cls, stream: Any) -> StreamInfo:
        """A copy of the parameters of `stream`.

        Raises UnsupportedError where this build of FFmpeg does not know the codec.
        """
        keeper = av.open("parameters", "w", format="null")
        try:
            return cls(keeper.add_stream_from_template(stream, opaque=True), _tag(stream))
        except ValueError as error:
            raise UnsupportedError(f"stream {stream.index} ({stream.type}): {error}") from None

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> StreamInfo:
        """Parameters for a stream that no container described: from its PID properties alone.

        Raises UnsupportedError where FFmpeg does not know the codec or cannot describe it without a file.
        """
        codec = str(properties.get("CodecID", "unknown"))
        keeper = av.open("parameters", "w", format="null")
        try:
            stream: Any = keeper.add_stream(codec)
        except (ValueError, av.error.FFmpegError):
            try:
                return cls(keeper.add_mux_stream(codec))
            except ValueError:
                raise UnsupportedError(f"this build of FFmpeg cannot describe a stream of {codec}") from None
        template = av.open("parameters", "w", format="null").add_stream_from_template(stream, opaque=True)
        context = template.codec_context
        for name, attribute in _CONTEXT.items():
            value = properties.get(name)
            if value is not None and hasattr(context, attribute):  # of sound made of pictures these remain
                setattr(context, attribute, value)
        template.container.start_encoding()
        return cls(template)

    def with_extradata(self, extradata: bytes | None) -> StreamInfo:
        """The same parameters with another decoder configuration."""
        keeper = av.open("parameters", "w", format="null")
        stream = keeper.add_stream_from_template(self.template, opaque=True)
        stream.codec_context.extradata = extradata
        keeper.start_encoding()  # takes the parameters over from the context
        return StreamInfo(stream, self.tag)

    def with_extradata_of(self, data: Any) -> StreamInfo:
        """The same parameters with the decoder configuration that a packet's `data` begins with, if any."""
        try:
            name = "aac_adtstoasc" if self.codec == "aac" else "extract_extradata"
            extract = av.BitStreamFilterContext(name, self.template)
            for packet in extract.filter(av.Packet(data)):
                if packet.has_sidedata("new_extradata"):
                    return self.with_extradata(bytes(packet.get_sidedata("new_extradata")))
        except (av.error.FFmpegError, ValueError):
            pass  # damaged: the muxer will say what it misses
        return self

    @property
    def extradata(self) -> bytes | None:
        context = self.template.codec_context
        return context.extradata if context is not None else None


def describe(stream: Any, info: StreamInfo) -> dict[str, Any]:
    """The PID properties of a stream of an input container."""
    timescale, factor = unify(stream.time_base or Fraction(1, 90000))
    properties: dict[str, Any] = {
        "StreamType": canonical_stream_type(stream.type),
        "CodecID": info.codec,
        "Timescale": timescale,
        "ID": stream.id or stream.index + 1,
        "StreamInfo": info,
    }
    if start := getattr(stream.container, "start_time", None):  # one that writes has none
        properties["StartTime"] = Fraction(start, 1_000_000)
    if stream.duration:
        properties["Duration"] = Fraction(stream.duration * factor, timescale)
    if stream.language:
        properties["Language"] = stream.language
    if stream.metadata:
        properties["Metadata"] = dict(stream.metadata)
    if stream.disposition:
        properties["Disposition"] = int(stream.disposition)
    if stream.frames:
        properties["NumFrames"] = stream.frames
    context = stream.codec_context
    if context is not None:
        if context.bit_rate:
            properties["Bitrate"] = context.bit_rate
        if context.extradata:
            properties["DecoderConfig"] = bytes(context.extradata)
        if mode := config_mode(info.codec, context.extradata):
            properties["DecoderConfigMode"] = mode
        if stream.type == "video":
            properties |= _picture(stream, context)
            if turns := quarter_turns(info.template):
                properties["Rotate"] = turns
        elif stream.type == "audio":
            properties |= _sound(context)
    return properties


def config_mode(codec: str, extradata: bytes | None) -> str | None:
    """Where the decoder configuration travels, `in-band` or `out-of-band`; None where codecs have one form.

    avcC and hvcC (ISO/IEC 14496-15) begin with their version, 1; Annex B with zeros. AAC without extradata
    is ADTS.
    """
    if codec in {"h264", "hevc"}:
        return "out-of-band" if extradata and extradata[0] == 1 else "in-band"
    if codec == "aac":
        return "out-of-band" if extradata else "in-band"
    return None


def _picture(stream: Any, context: Any) -> dict[str, Any]:
    properties: dict[str, Any] = {"Width": context.width, "Height": context.height}
    if context.pix_fmt:
        properties["PixelFormat"] = context.pix_fmt
    if stream.average_rate:
        properties["FPS"] = Fraction(stream.average_rate)
    aspect = stream.sample_aspect_ratio
    if aspect and aspect != 1:
        properties["SAR"] = Fraction(aspect)
    return properties


def _sound(context: Any) -> dict[str, Any]:
    properties: dict[str, Any] = {"SampleRate": context.sample_rate, "NumChannels": context.channels}
    if context.layout is not None and (name := layout_name(context.layout)):
        properties["ChannelLayout"] = name
    if context.format is not None:
        properties["AudioFormat"] = context.format.name
    if context.frame_size:
        properties["SamplesPerFrame"] = context.frame_size
    return properties


def _tag(stream: Any) -> str:
    try:
        tag: str = stream.codec_context.codec_tag
    except (AttributeError, UnicodeDecodeError):  # no codec, or a number rather than letters
        return ""
    return tag if tag.strip("\0") else ""


def _codec_name(stream: Any) -> str:
    context = stream.codec_context
    name = context.codec.canonical_name if context is not None else stream.name
    return str(name or "unknown")
