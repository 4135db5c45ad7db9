"""libgpac's built-in properties with their types, and values on their way to and from Reelway's."""

from __future__ import annotations

import fractions
from collections.abc import Callable, Iterable, Mapping
from operator import index
from typing import Any

import reelway as rw
from reelway.compat.libgpac import constants as gf
from reelway.compat.libgpac.values import (
    TYPE_NAMES,
    Fraction,
    Fraction64,
    PropData,
    PropVec2,
    PropVec2i,
    PropVec3i,
    PropVec4i,
)
from reelway.media import names

__all__ = ["PROPERTY_TYPES", "custom_type_of", "from_reelway", "to_reelway"]

_BY_TYPE: dict[int, str] = {
    gf.GF_PROP_UINT: """
        ID ESID ItemID ItemNumber TrackNumber ServiceID ClockID DependencyID PlaybackMode StreamType
        OrigStreamType CodecID NumFrames ConstantFrameSize TimeshiftState Timescale ProfileLevel
        DecoderConfigIndex SampleRate SamplesPerFrame NumChannels BPS CTSShift Width Height Stride StrideUV
        BitDepthLuma BitDepthChroma MaxWidth MaxHeight ZOrder Bitrate Maxrate TargetRate DBSize DownloadRate
        DisableProgressive ServiceWidth ServiceHeight CarouselRate AudioVolume AudioPan AudioPriority
        SchemeVersion IVLength KILength CryptType IVSize CENCstsdMode AMRModeSet NALUMaxSize FileNumber
        MaxFrameSize AvgFrameSize MaxTSDelta MaxCTSOffset ConstantDuration TrackFlags ASID DashMode
        StartNumber DSegs ChromaLoc FragStart BufferLength MaxBuffer ReBuffer ViewIdx ROUTEPort
    """,
    gf.GF_PROP_4CC: "StreamSubtype ISOMSubtype IsoBrand ProtectionScheme CENCStore",
    gf.GF_PROP_4CC_LIST: "IsoAltBrands",
    gf.GF_PROP_SINT: "TransX TransY",
    gf.GF_PROP_LSINT: "Delay",
    gf.GF_PROP_LUINT: """
        ChannelLayout MediaDataSize DownloadSize DownBytes UTC UTCTimestamp PlaintextLen SenderNTP
        ReceiverNTP OMAPreview SrcMagic MuxIndex
    """,
    gf.GF_PROP_BOOL: """
        SubLayer Scalable TileBase InitialObjectDescriptor Unframed UnframedAU LATM Interlaced Hidden Alpha
        DataRef Cached HasSync SelectiveEncryption Encrypted EODS CueStart SingleScale RequireReorder Primary
        FullRange NoTSLoop InitSeg RawGrab KeepAfterEOS
    """,
    gf.GF_PROP_FRACTION: "TimeshiftDepth FPS SAR PAR CENCPattern ROUTECarousel ROUTEUpload",
    gf.GF_PROP_FRACTION64: "Duration ByteRange MovieTime FragRange SIDXRange",
    gf.GF_PROP_DOUBLE: "TimeshiftTime AudioPlaybackSpeed PStart PDur DashDur ClampDur",
    gf.GF_PROP_NAME: "Language",
    gf.GF_PROP_STRING: """
        ServiceName ServiceProvider URL RemoteURL RedirectURL SourcePath MIMEType Extension SchemeURI KMS_URI
        ContentID TextualHeaders CryptInfo DecryptInfo FileName IDXName FileSuffix TrackHandler Period
        Representation MuxSrc Template xlink HLSPL HLSGroup DCue Codec FragURL ROUTEIP ROUTEName
    """,
    gf.GF_PROP_DATA: """
        DecoderConfig DecoderConfigEnhancement CENC_PSSH CENC_SAI KID ConstantIV SubSampleInfo TrackTemplate
        TrexTemplate STSDTemplate MovieUserData MoofTemplate CoverArt
    """,
    gf.GF_PROP_STRING_LIST: "Role PDesc ASDesc ASCDesc RDesc BUrl",
    gf.GF_PROP_UINT_LIST: "SRDMap TrackMatrix MHAProfiles",
    gf.GF_PROP_VEC2I: "CropOrigin OriginalSize SRDRef",
    gf.GF_PROP_VEC4I: "SRD",
    gf.GF_PROP_PIXFMT: "PixelFormat PixelFormatWrapped",
    gf.GF_PROP_PCMFMT: "AudioFormat",
    gf.GF_PROP_CICP_COL_PRIM: "ColorPrimaries",
    gf.GF_PROP_CICP_COL_TFC: "ColorTransfer",
    gf.GF_PROP_CICP_COL_MX: "ColorMatrix",
}

PROPERTY_TYPES: Mapping[str, int] = {name: kind for kind, names in _BY_TYPE.items() for name in names.split()}
"""The built-in properties. Any other name is a user's own, text unless a type is said."""


def custom_type_of(name: str, custom_type: int = 0) -> int:
    """The type of property `name`: libgpac's for a built-in one, else `custom_type`, else text."""
    return PROPERTY_TYPES.get(name) or custom_type or gf.GF_PROP_STRING


_FRACTIONS: Mapping[int, type[Fraction]] = {gf.GF_PROP_FRACTION: Fraction, gf.GF_PROP_FRACTION64: Fraction64}
_VECTORS: Mapping[int, type[Any]] = {
    gf.GF_PROP_VEC2I: PropVec2i,
    gf.GF_PROP_VEC2: PropVec2,
    gf.GF_PROP_VEC3I: PropVec3i,
    gf.GF_PROP_VEC4I: PropVec4i,
}

_SHORT_PIXEL_FORMATS = {
    "yuv420": "yuv",
    "yvu420": "yvu",
    "yuv420_10": "yuvl",
    "yuv422": "yuv2",
    "yuv422_10": "yp2l",
    "yuv444": "yuv4",
    "yuv444_10": "yp4l",
    "yuv444a": "yp4a",
}
"""libgpac's long names of pixel formats, and the short ones that scripts compare with."""


def from_reelway(name: str, value: Any) -> Any:
    """A property's value as libgpac's Python gives it; None stays None."""
    if value is None:
        return None
    if isinstance(value, str):
        match name:
            case "CodecID":
                return names.gpac_codec(value)
            case "PixelFormat" | "PixelFormatWrapped":
                long = names.gpac_pixel_format(value)
                return _SHORT_PIXEL_FORMATS.get(long, long)
            case "AudioFormat":
                return names.gpac_sample_format(value)
        return value
    kind = custom_type_of(name)
    if kind in _FRACTIONS:
        exact = fractions.Fraction(value)
        return _FRACTIONS[kind](exact.numerator, exact.denominator)
    if isinstance(value, fractions.Fraction):
        return Fraction(value.numerator, value.denominator)
    if isinstance(value, bytes | bytearray | memoryview):
        return PropData(bytes(value))
    if kind in _VECTORS and isinstance(value, Iterable):
        return _VECTORS[kind](*value)
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    return value


def to_reelway(name: str, value: Any, custom_type: int = 0) -> Any:
    """What a script sets as a property, as Reelway holds it. Raises OptionError where it does not fit."""
    kind = custom_type_of(name, custom_type)
    try:
        match name:
            case "StreamType" | "OrigStreamType":
                return names.canonical_stream_type(value)
            case "CodecID":
                return names.canonical_codec(value.lower())
            case "PixelFormat" | "PixelFormatWrapped":
                return names.canonical_pixel_format(value)
            case "AudioFormat":
                return names.canonical_sample_format(value)
        return _CONVERSIONS.get(kind, _as_it_is)(value)
    except (TypeError, ValueError, AttributeError, ZeroDivisionError) as cause:
        wanted = TYPE_NAMES.get(kind, "enum")
        raise rw.OptionError(f"property {name} cannot be {value!r}: libgpac's type is {wanted}") from cause


def _as_it_is(value: Any) -> Any:
    return value


def _fraction(value: Any) -> fractions.Fraction:
    if hasattr(value, "num") and hasattr(value, "den"):
        return fractions.Fraction(value.num, value.den)
    return fractions.Fraction(str(value)) if isinstance(value, float) else fractions.Fraction(value)


def _numbers(*fields: str) -> Callable[[Any], tuple[Any, ...]]:
    def read(value: Any) -> tuple[Any, ...]:
        return tuple(getattr(value, field) for field in fields)

    return read


def _list_of(item: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise TypeError(f"{value!r} is not a list")
        return [item(each) for each in value]

    return read


def _number(value: Any) -> int:
    return int(value) if isinstance(value, bool) else index(value)


_CONVERSIONS: Mapping[int, Callable[[Any], Any]] = {
    gf.GF_PROP_SINT: _number,
    gf.GF_PROP_UINT: _number,
    gf.GF_PROP_LSINT: _number,
    gf.GF_PROP_LUINT: _number,
    gf.GF_PROP_BOOL: bool,
    gf.GF_PROP_FRACTION: _fraction,
    gf.GF_PROP_FRACTION64: _fraction,
    gf.GF_PROP_FLOAT: float,
    gf.GF_PROP_DOUBLE: float,
    gf.GF_PROP_VEC2I: _numbers("x", "y"),
    gf.GF_PROP_VEC2: _numbers("x", "y"),
    gf.GF_PROP_VEC3I: _numbers("x", "y", "z"),
    gf.GF_PROP_VEC4I: _numbers("x", "y", "z", "w"),
    gf.GF_PROP_STRING: str,
    gf.GF_PROP_STRING_NO_COPY: str,
    gf.GF_PROP_NAME: str,
    gf.GF_PROP_DATA: bytes,
    gf.GF_PROP_DATA_NO_COPY: bytes,
    gf.GF_PROP_CONST_DATA: bytes,
    gf.GF_PROP_STRING_LIST: _list_of(str),
    gf.GF_PROP_UINT_LIST: _list_of(_number),
    gf.GF_PROP_SINT_LIST: _list_of(_number),
    gf.GF_PROP_VEC2I_LIST: _list_of(_numbers("x", "y")),
    gf.GF_PROP_4CC: str,
    gf.GF_PROP_4CC_LIST: _list_of(str),
}
"""libgpac's type -> how a Python value becomes one; what is missing stays as it is."""
