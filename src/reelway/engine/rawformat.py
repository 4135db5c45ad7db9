"""Raw streams in properties: what a frame of av says of itself, and names for colours.

ISO/IEC 23091-2 numbers colours as FFmpeg does; the properties hold FFmpeg's names of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

__all__ = [
    "CODED_ONLY",
    "MATRICES",
    "PRIMARIES",
    "TRANSFERS",
    "code_of",
    "layout_name",
    "picture_properties",
    "sound_properties",
]

MATRICES = {
    0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco", 9: "bt2020nc",
    10: "bt2020c", 11: "smpte2085", 12: "chroma-derived-nc", 13: "chroma-derived-c", 14: "ictcp",
}  # fmt: skip
PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020",
    10: "smpte428", 11: "smpte431", 12: "smpte432", 22: "ebu3213",
}  # fmt: skip
TRANSFERS = {
    1: "bt709", 4: "gamma22", 5: "gamma28", 6: "smpte170m", 7: "smpte240m", 8: "linear", 9: "log100",
    10: "log316", 11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12",
    16: "smpte2084", 17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip
_OTHER_NAMES = {
    "bt601": "smpte170m", "601": "smpte170m", "709": "bt709", "bt2020": "bt2020nc", "2020": "bt2020nc",
    "bt2020_ncl": "bt2020nc", "bt2020_cl": "bt2020c", "rgb": "gbr", "srgb": "iec61966-2-1",
    "pq": "smpte2084", "hlg": "arib-std-b67", "log": "log100", "log_sqrt": "log316", "bt470m": "gamma22",
    "bt470bg": "gamma28",
}  # fmt: skip

CODED_ONLY = frozenset(
    (
        "StreamInfo", "DecoderConfig", "DecoderConfigMode", "DecoderConfigEnhancement", "DecoderConfigIndex",
        "Bitrate", "Maxrate", "TargetRate", "DBSize", "ProfileLevel", "Codec", "Unframed", "UnframedAU",
        "MaxFrameSize", "MediaDataSize", "ConstantFrameSize", "SamplesPerFrame", "BPS", "InitialPadding",
        "TrailingPadding", "SkipPriming", "CTSShift", "Delay", "ISOMSubtype", "StreamSubtype",
        "Stride", "StrideUV", "HasSync",
    )
)  # fmt: skip
"""What is said of coded streams, or of memory, and is not so of decoded frames."""


def code_of(name: Any, names: Mapping[int, str], unspecified: int = 2) -> int:
    """The number of a colour's name, of one of `names` or known otherwise; `unspecified` where it is none."""
    if isinstance(name, int):
        return name
    text = str(name or "").lower()
    for candidate in (text, _OTHER_NAMES.get(text)):
        for code, known in names.items():
            if known == candidate:
                return code
    return unspecified


def picture_properties(frame: Any, sample_aspect: Fraction | None) -> dict[str, Any]:
    """What a picture says of its format; None for what it leaves open."""
    full: bool | None = {1: False, 2: True}.get(int(frame.color_range))
    name: str = frame.format.name
    return {
        "PixelFormat": name,
        "Width": frame.width,
        "Height": frame.height,
        "SAR": sample_aspect if sample_aspect and sample_aspect != 1 else None,
        "ColorMatrix": MATRICES.get(int(frame.colorspace)),
        "ColorPrimaries": PRIMARIES.get(int(frame.color_primaries)),
        "ColorTransfer": TRANSFERS.get(int(frame.color_trc)),
        "FullRange": True if name.startswith("yuvj") else full,
        "Rotate": round(frame.rotation / 90) % 4 or None,
        "Interlaced": True if frame.interlaced_frame else None,
    }


def layout_name(layout: Any) -> str | None:
    """FFmpeg's name of an av layout; None where it only says how many channels there are, as most WAV do."""
    name = str(layout.name or "")
    return None if not name or name == f"{layout.nb_channels} channels" else name


def sound_properties(frame: Any) -> dict[str, Any]:
    return {
        "AudioFormat": frame.format.name,
        "SampleRate": frame.sample_rate,
        "NumChannels": frame.layout.nb_channels,
        "ChannelLayout": layout_name(frame.layout),
    }
