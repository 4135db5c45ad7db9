"""What becomes of one raw stream in the encoder: the part that pictures and sound share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import av

from reelway.engine.encoder import Asked, Encoder
from reelway.engine.errors import quotable
from reelway.engine.frame import AvFrames
from reelway.engine.streaminfo import config_mode
from reelway.errors import FormatError, UnsupportedError
from reelway.graph.filter import Filter
from reelway.graph.link import Link

__all__ = ["EncodedStream"]

_NEEDED = {
    "Visual": ("PixelFormat", "Width", "Height"),
    "Audio": ("AudioFormat", "SampleRate", "NumChannels"),
}
_GONE = ("Stride", "StrideUV", "AudioFormat", "NumFrames", "BitDepthLuma", "BitDepthChroma")


class EncodedStream:
    """The common part. `video` says of which kind it is."""

    video = False

    def __init__(self, filter: Filter, pid: Link, asked: Asked) -> None:
        self.filter = filter
        self.pid = pid
        self.asked = asked
        self.properties: dict[str, Any] = {}
        self.encoder: Encoder | None = None
        self.frames = AvFrames({})

    def take(self, properties: Mapping[str, Any]) -> None:
        missing = [name for name in _NEEDED[properties["StreamType"]] if not properties.get(name)]
        if missing:
            raise UnsupportedError(f"{self.pid.name} cannot be encoded without {' and '.join(missing)}")
        self.properties = dict(properties)
        self.frames = AvFrames(self.properties)

    def announce(self, encoder: Encoder, timescale: int, **more: Any) -> None:
        info = encoder.info
        said: dict[str, Any] = {
            name: value for name, value in self.properties.items() if name not in _GONE
        } | {"CodecID": info.codec, "StreamInfo": info, "Timescale": timescale, **more}
        if info.extradata:
            said["DecoderConfig"] = bytes(info.extradata)
        if mode := config_mode(info.codec, info.extradata):
            said["DecoderConfigMode"] = mode
        if bitrate := encoder.context.bit_rate:
            said["Bitrate"] = bitrate
        self.filter.output_for(self.pid, said)
        self.filter.status = f"{encoder.name}"

    def guarded(self, frame: Any) -> list[Any]:
        assert self.encoder is not None
        try:
            return self.encoder.encode(frame)
        except (av.error.FFmpegError, ValueError) as error:
            raise FormatError(f"{self.encoder.name} refused a frame: {error}") from quotable(error)

    def close(self) -> None:
        """Lets go of the encoder as it is: what it still holds would take as long to code as it takes."""
        self.encoder = None
