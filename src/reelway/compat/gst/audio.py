"""The namespace GstAudio: formats of sound."""

from __future__ import annotations

from typing import Any

from reelway.compat.gst.caps import Caps, Structure
from reelway.compat.gst.enums import GEnum, enumerations, of_nick
from reelway.compat.gst.names import namespace_getattr, show_as

_ENUMS = """
AudioFormat GST_AUDIO_FORMAT_ UNKNOWN ENCODED S8 U8 S16 S16LE=4 S16BE U16 U16LE=6 U16BE S24_32 S24_32LE=8
    S24_32BE U24_32 U24_32LE=10 U24_32BE S32 S32LE=12 S32BE U32 U32LE=14 U32BE S24 S24LE=16 S24BE U24
    U24LE=18 U24BE S20 S20LE=20 S20BE U20 U20LE=22 U20BE S18 S18LE=24 S18BE U18 U18LE=26 U18BE F32
    F32LE=28 F32BE F64 F64LE=30 F64BE
AudioChannelPosition GST_AUDIO_CHANNEL_POSITION_ NONE=-3 MONO INVALID FRONT_LEFT FRONT_RIGHT FRONT_CENTER
    LFE1 REAR_LEFT REAR_RIGHT FRONT_LEFT_OF_CENTER FRONT_RIGHT_OF_CENTER REAR_CENTER LFE2 SIDE_LEFT
    SIDE_RIGHT TOP_FRONT_LEFT TOP_FRONT_RIGHT TOP_FRONT_CENTER TOP_CENTER TOP_REAR_LEFT TOP_REAR_RIGHT
    TOP_SIDE_LEFT TOP_SIDE_RIGHT TOP_REAR_CENTER BOTTOM_FRONT_CENTER BOTTOM_FRONT_LEFT BOTTOM_FRONT_RIGHT
    WIDE_LEFT WIDE_RIGHT SURROUND_LEFT SURROUND_RIGHT
AudioLayout GST_AUDIO_LAYOUT_ INTERLEAVED NON_INTERLEAVED
"""
_enums = enumerations("GstAudio", _ENUMS, GEnum)
AudioFormat: Any = _enums["AudioFormat"]
for _format in [name for name in vars(AudioFormat) if name.endswith("LE")]:  # S16 is S16LE on this machine
    getattr(AudioFormat, _format).value_name = f"GST_AUDIO_FORMAT_{_format}"
_BYTES = {"8": 1, "16": 2, "18": 3, "20": 3, "24": 3, "32": 4, "64": 8}


def _name_of(format: Any) -> str:
    return str(AudioFormat(int(format)).value_name).removeprefix("GST_AUDIO_FORMAT_")


def audio_format_from_string(format: str) -> Any:
    """The AudioFormat that caps call so; UNKNOWN where there is none."""
    return of_nick(AudioFormat, f"GST_AUDIO_FORMAT_{format}") or AudioFormat.UNKNOWN


AudioFormat.from_string = staticmethod(audio_format_from_string)
AudioFormat.to_string = staticmethod(_name_of)


class AudioFormatInfo:
    """What is known of a format: name, width and depth [bit]."""

    def __init__(self, format: Any) -> None:
        self.format = AudioFormat(int(format))
        self.name = _name_of(format)
        digits = self.name.lstrip("SUF").removesuffix("LE").removesuffix("BE")
        depth, _, width = digits.partition("_")
        self.depth = int(depth) if depth.isdigit() else 0
        self.width = int(width) if width else 8 * _BYTES.get(depth, 0)


class AudioInfo:
    """Rate, channels and format of sound."""

    def __init__(self) -> None:
        self.finfo = AudioFormatInfo(AudioFormat.UNKNOWN)
        self.rate = self.channels = self.bpf = 0

    @classmethod
    def new(cls) -> AudioInfo:
        """An empty one."""
        return cls()

    @classmethod
    def new_from_caps(cls, caps: Caps) -> AudioInfo | None:
        """Of fixed raw sound caps; None for others."""
        made = cls()
        return made if made.from_caps(caps) else None

    def from_caps(self, caps: Caps) -> bool:
        """Takes over what fixed raw sound caps say; False for others."""
        if not caps.get_size() or caps[0].get_name() != "audio/x-raw":
            return False
        said = caps[0]
        rate, channels = said.get_int("rate"), said.get_int("channels")
        if not (rate[0] and channels[0]):
            return False
        self.set_format(audio_format_from_string(said.get_string("format") or ""), rate[1], channels[1])
        return True

    def set_format(self, format: Any, rate: int, channels: int, _position: Any = None) -> None:
        """Another format."""
        self.finfo = AudioFormatInfo(format)
        self.rate, self.channels = rate, channels
        self.bpf = channels * self.finfo.width // 8

    def to_caps(self) -> Caps:
        """As caps."""
        made = Structure.new_empty("audio/x-raw")
        for name, value in (
            ("format", self.finfo.name),
            ("layout", "interleaved"),
            ("rate", self.rate),
            ("channels", self.channels),
        ):
            made.set_value(name, value)
        return Caps(made)


globals().update(_enums)

__all__ = ["AudioFormatInfo", "AudioInfo", "audio_format_from_string"]
__all__ += list(_enums)

_LATER = {
    "AudioFilter": "GstBase.BaseTransform",
    "AudioDecoder": "decoders are FFmpeg's; in Python, a rw.Filter",
    "AudioEncoder": "encoders are FFmpeg's; in Python, a rw.Filter",
    "AudioSink": "GstBase.BaseSink",
    "AudioBuffer": "Gst.Buffer.map and numpy.frombuffer",
}

show_as("GstAudio", {name: globals()[name] for name in __all__})
__getattr__ = namespace_getattr("GstAudio", lambda: __all__, _LATER)
