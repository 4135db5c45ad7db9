"""The encoder: raw frames into coded streams."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from time import perf_counter
from typing import Any

from reelway.engine.codecs import candidates, codec_and_type, codec_options, encodable, picture_formats
from reelway.engine.decode import TURN_FRAMES, TURN_S
from reelway.engine.encoder import (
    Asked,
    choose_picture_format,
    choose_rate,
    choose_sound_format,
    open_encoder,
)
from reelway.engine.encoding_pictures import PictureStream
from reelway.engine.encoding_sound import SoundStream
from reelway.errors import UnknownOptionError, UnsupportedError, nearest
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.graph.resolve import Conversion
from reelway.media.names import canonical_codec

__all__ = ["Encode"]

_IN_BAND = {"h264", "hevc"}
DEFAULTS = {"Visual": "h264", "Audio": "aac"}
_INPUTS = {
    "video": Caps(StreamType="Visual", CodecID="raw"),
    "audio": Caps(StreamType="Audio", CodecID="raw"),
}


def _conversions() -> tuple[Conversion, ...]:
    """What each codec's encoder takes; codecs that take the same are one conversion."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    for kind in _INPUTS:
        for codec, encoder in encodable(kind).items():
            formats = (
                picture_formats(encoder)
                if kind == "video"
                else [str(each.name) for each in encoder.audio_formats or ()]
            )
            rates = frozenset(encoder.audio_rates or ()) if kind == "audio" else frozenset()
            mode = "in-band" if codec in _IN_BAND else "out-of-band" if codec == "aac" else ""
            key = kind, frozenset(formats), rates, mode
            groups.setdefault(key, []).append(codec)
    found = []
    for (kind, formats, rates, mode), names in groups.items():
        takes: dict[str, Any] = {"StreamType": "Visual" if kind == "video" else "Audio", "CodecID": "raw"}
        if formats:
            takes["PixelFormat" if kind == "video" else "AudioFormat"] = formats
        if rates:
            takes["SampleRate"] = rates
        makes: dict[str, Any] = {"CodecID": names}
        if mode:
            makes["DecoderConfigMode"] = mode
        found.append(Conversion(Caps(**takes), Caps(**makes), {"CodecID": "codec"}, removes=_RAW_ONLY))
    return tuple(found)


_RAW_ONLY = frozenset(("Stride", "StrideUV"))
_SAMPLES: dict[str, dict[str, Any]] = {
    "video": {"Width": 320, "Height": 240, "FPS": 25},
    "audio": {"NumChannels": 2, "ChannelLayout": "stereo"},
}
"""What encoders are tried with."""


class Encode(Filter):
    """Encodes video and audio.

    Times go through it to the tick, with the duration of each picture; sound is counted in samples. A picture
    whose size or pixel format changes in mid-stream is scaled to what the encoder was opened with, for a file
    has one size; sound likewise. A picture that carries a turn (`Rotate`) is turned upright. What is marked
    `seek` is not encoded: it is not to be shown. Other options of the encoder are taken by FFmpeg's names.
    """

    registry_name = "encode"
    kind = "encode"
    thread = "pool"
    inputs = tuple(_INPUTS.values())
    outputs = (Caps(),)
    conversions = _conversions()

    codec: str = option(
        "", aliases=("c",), help="codec or encoder, such as h264, avc, libx264, aac; by default h264 and aac"
    )
    bitrate: int | None = option(None, low=1, unit="bit/s", aliases=("b",), help="bits a second, on average")
    gop: int | None = option(
        None,
        low=0,
        aliases=("g",),
        help="pictures from one random access point to the next, at most",
    )
    gop_s: Fraction | None = option(
        None, kind=Fraction | None, low=0, unit="s", aliases=("fintra",), help="the same in time"
    )
    preset: str = option("", help="the encoder's choice between speed and size: ultrafast, medium, 8 ...")
    crf: float | None = option(None, help="constant quality, where the encoder has it: lower is better")
    threads: int = option(0, low=0, help="threads of each codec; 0: as many as there are cores, 8 at most")
    avoid: list[str] = option(
        [], kind=list[str], help="encoders not to be used, such as libx264 for what must not be GPL"
    )
    upright: bool = option(True, help="turn pictures that say so (Rotate); encoders cannot say it")
    ffmpeg: dict[str, str] = option({}, kind=dict, help="options of FFmpeg's encoder, by its names")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if self.codec:
            _, kind = codec_and_type(self.codec)
            self.inputs = (_INPUTS[kind],)  # type: ignore[misc]  # it takes what its codec is for

    def accepts_option(self, name: str) -> bool:
        return name not in self._own_options() and name in self._known_options()

    def set_options(self, options: dict[str, Any]) -> None:
        own = self._own_options()
        super().set_options({name: value for name, value in options.items() if name in own})
        further = {name: value for name, value in options.items() if name not in own}
        if not further:
            return
        known = self._known_options()
        for name in (*further, *self.ffmpeg):
            if name not in known:
                near = nearest(name, [*own, *known])
                message = f"neither Encode nor {self.codec or 'an encoder'} has an option {name!r}"
                raise UnknownOptionError(message, name=name, near=near)
        self.ffmpeg = {**self.ffmpeg, **{name: _text(value) for name, value in further.items()}}
        self.given.update(further)

    def check(self, kind: str) -> None:
        """Raises OptionError for an option whose value the encoder does not take: it is opened on trial."""
        sample: dict[str, Any] = dict(_SAMPLES[kind])
        codec = next(candidates(self.codec, frozenset(self.avoid)), None)
        if codec is None:
            return
        if kind == "video":
            sample["PixelFormat"] = choose_picture_format(codec, "yuv420p")
        else:
            sample["AudioFormat"] = choose_sound_format(codec, "fltp")
            sample["SampleRate"] = choose_rate(codec, 48000)
        with contextlib.suppress(UnsupportedError):  # of another size or rate it may open
            open_encoder(self._asked(self.codec), sample, 25 if kind == "video" else sample["SampleRate"])

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        codec = self._codec_for(properties.get("StreamType"))
        made = {name: value for name, value in properties.items() if name not in _RAW_ONLY}
        return [{**made, "CodecID": codec}]

    def configure(self, pid: Link) -> None:
        if pid.data is not None:
            pid.data.reconfigure(pid.properties)
            return
        video = pid.properties.get("StreamType") == "Visual"
        make = PictureStream if video else SoundStream
        codec = self.codec or DEFAULTS["Visual" if video else "Audio"]
        pid.data = make(self, pid, self._asked(codec), self.upright)

    def process(self) -> float | None:
        until = perf_counter() + TURN_S
        for pid in self.ipids:
            encode, left = pid.data.encode, TURN_FRAMES if pid.data.video else 64
            for packet in pid:
                encode(packet)
                left -= 1
                if not left or perf_counter() > until:
                    break
        return None

    def restarted(self, pid: Link) -> None:
        pid.data.restart()
        super().restarted(pid)

    def ended(self, pid: Link) -> None:
        if pid.data is not None:
            pid.data.finish()
        super().ended(pid)

    def close(self) -> None:
        for pid in self.ipids:
            if pid.data is not None:
                pid.data.close()

    def _codec_for(self, stream_type: Any) -> str:
        if self.codec:
            return codec_and_type(self.codec)[0]
        return DEFAULTS.get(stream_type, "unknown")

    def _asked(self, codec: str) -> Asked:
        options = {str(name): _text(value) for name, value in self.ffmpeg.items()}
        if self.preset:
            options["preset"] = self.preset
        if self.crf is not None:
            options["crf"] = f"{self.crf:g}"
        return Asked(codec, self.bitrate, self.gop, self.gop_s, self.threads, options, frozenset(self.avoid))

    @classmethod
    def _own_options(cls) -> set[str]:
        declared = cls.options()
        return {*declared, *(alias for each in declared.values() for alias in each.aliases)}

    def _known_options(self) -> set[str]:
        """Of the codec that was said, else of those it would choose."""
        codecs = (self.codec,) if self.codec else tuple(DEFAULTS.values())
        known: set[str] = set()
        for codec in codecs:
            name, kind = codec_and_type(codec)
            own = canonical_codec(codec) != codec or codec == name
            encoder = encodable(kind)[name].name if own and name in encodable(kind) else codec
            known.update(codec_options(encoder))
        return known


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
