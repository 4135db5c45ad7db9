"""The namespace GstVideo: formats of pictures, and where their planes lie."""

from __future__ import annotations

from typing import Any

from reelway.compat.gst.caps import Caps, Structure
from reelway.compat.gst.constants import ENUMERATIONS
from reelway.compat.gst.enums import GEnum, GFlags, enumerations, of_nick
from reelway.compat.gst.events import Event
from reelway.compat.gst.layouts import gst_layout
from reelway.compat.gst.names import namespace_getattr, show_as
from reelway.compat.gst.values import Fraction
from reelway.graph.mediaformats import PIXEL_FORMATS
from reelway.media.layout import PICTURE_FORMATS, Layout

_ENUMS = """
VideoColorMatrix GST_VIDEO_COLOR_MATRIX_ UNKNOWN RGB FCC BT709 BT601 SMPTE240M BT2020
VideoColorPrimaries GST_VIDEO_COLOR_PRIMARIES_ UNKNOWN BT709 BT470M BT470BG SMPTE170M SMPTE240M FILM
    BT2020 ADOBERGB SMPTEST428 SMPTERP431 SMPTEEG432 EBU3213
VideoTransferFunction GST_VIDEO_TRANSFER_ UNKNOWN GAMMA10 GAMMA18 GAMMA20 GAMMA22 BT709 SMPTE240M SRGB
    GAMMA28 LOG100 LOG316 BT2020_12 ADOBERGB BT2020_10 SMPTE2084 ARIB_STD_B67 BT601
VideoInterlaceMode GST_VIDEO_INTERLACE_MODE_ PROGRESSIVE INTERLEAVED MIXED FIELDS ALTERNATE
VideoFormat GST_VIDEO_FORMAT_ UNKNOWN ENCODED I420 YV12 YUY2 UYVY AYUV RGBX BGRX XRGB XBGR RGBA BGRA ARGB
    ABGR RGB BGR Y41B Y42B YVYU Y444 V210 V216 NV12 NV21 GRAY8 GRAY16_BE GRAY16_LE V308 RGB16 BGR16 RGB15
    BGR15 UYVP A420 RGB8P YUV9 YVU9 IYU1 ARGB64 AYUV64 R210 I420_10BE I420_10LE I422_10BE I422_10LE
    Y444_10BE Y444_10LE GBR GBR_10BE GBR_10LE NV16 NV24 NV12_64Z32 A420_10BE A420_10LE A422_10BE A422_10LE
    A444_10BE A444_10LE NV61 P010_10BE P010_10LE IYU2 VYUY GBRA GBRA_10BE GBRA_10LE GBR_12BE GBR_12LE
    GBRA_12BE GBRA_12LE I420_12BE I420_12LE I422_12BE I422_12LE Y444_12BE Y444_12LE GRAY10_LE32
    NV12_10LE32 NV16_10LE32 NV12_10LE40 Y210 Y410 VUYA BGR10A2_LE RGB10A2_LE Y444_16BE Y444_16LE P016_BE
    P016_LE P012_BE P012_LE Y212_BE Y212_LE Y412_BE Y412_LE NV12_4L4 NV12_32L32 RGBP BGRP AV12 ARGB64_LE
    ARGB64_BE RGBA64_LE RGBA64_BE BGRA64_LE BGRA64_BE ABGR64_LE ABGR64_BE NV12_16L32S NV12_8L128
    NV12_10BE_8L128
"""
_FLAGS = """
VideoFormatFlags GST_VIDEO_FORMAT_FLAG_ YUV=1 RGB=2 GRAY=4 ALPHA=8 LE=16 PALETTE=32 COMPLEX=64 UNPACK=128
    TILED=256 SUBTILES=512
VideoFrameFlags GST_VIDEO_FRAME_FLAG_ NONE=0 INTERLACED=1 TFF=2 RFF=4 BOTTOM_FIELD=8 ONEFIELD=8
    TOP_FIELD=10 MULTIPLE_VIEW=16 FIRST_IN_BUNDLE=32
"""
_enums = {**enumerations("GstVideo", _ENUMS, GEnum), **enumerations("GstVideo", _FLAGS, GFlags)}
VideoFormat: Any = _enums["VideoFormat"]
for _format in ("RGBx", "BGRx", "xRGB", "xBGR"):
    getattr(VideoFormat, _format.upper()).value_name = f"GST_VIDEO_FORMAT_{_format}"


def _name_of(format: Any) -> str:
    """GStreamer's name in caps: the C name without its prefix."""
    return str(VideoFormat(int(format)).value_name).removeprefix("GST_VIDEO_FORMAT_")


def video_format_from_string(format: str) -> Any:
    """The VideoFormat that caps call so; UNKNOWN where there is none."""
    return of_nick(VideoFormat, f"GST_VIDEO_FORMAT_{format}") or VideoFormat.UNKNOWN


def video_format_to_string(format: Any) -> str:
    """What caps call a VideoFormat."""
    return _name_of(format)


VideoFormat.from_string = staticmethod(video_format_from_string)
VideoFormat.to_string = staticmethod(video_format_to_string)


def video_format_get_info(format: Any) -> VideoFormatInfo:
    """What is known of a VideoFormat."""
    return VideoFormatInfo(format)


VideoFormat.get_info = staticmethod(video_format_get_info)


class VideoFormatInfo:
    """What is known of a format: name, n_planes, n_components, bits, depth."""

    def __init__(self, format: Any) -> None:
        self.format = VideoFormat(int(format))
        self.name = _name_of(format)
        layout = _layout(self.name, 64, 64)
        self.n_planes = len(layout.planes) if layout is not None else 0
        plain = PIXEL_FORMATS.get(self.name, "")
        counts = [int(each.split("/")[0]) for each in PICTURE_FORMATS.get(plain, "u1").split()[1:]]
        self.n_components = sum(counts)
        self.bits = 8 * int(layout.dtype[-1]) if layout is not None else 0


def _layout(name: str, width: int, height: int) -> Layout | None:
    plain = PIXEL_FORMATS.get(name)
    return gst_layout(plain, width, height) if plain in PICTURE_FORMATS else None


class VideoInfo:
    """Size, format, rate and layout of pictures."""

    def __init__(self) -> None:
        self.finfo = VideoFormatInfo(VideoFormat.UNKNOWN)
        self.width = self.height = self.size = 0
        self.fps_n, self.fps_d, self.par_n, self.par_d = 0, 1, 1, 1
        self.stride = [0, 0, 0, 0]
        self.offset = [0, 0, 0, 0]
        self.interlace_mode = _enums["VideoInterlaceMode"].PROGRESSIVE

    @classmethod
    def new(cls) -> VideoInfo:
        """An empty one."""
        return cls()

    @classmethod
    def new_from_caps(cls, caps: Caps) -> VideoInfo | None:
        """Of fixed raw video caps; None for others."""
        made = cls()
        return made if made.from_caps(caps) else None

    def from_caps(self, caps: Caps) -> bool:
        """Takes over what fixed raw video caps say; False for others."""
        if not caps.get_size() or caps[0].get_name() != "video/x-raw":
            return False
        said = caps[0]
        format = video_format_from_string(said.get_string("format") or "")
        width, height = said.get_int("width"), said.get_int("height")
        if not (width[0] and height[0]) or format == VideoFormat.UNKNOWN:
            return False
        rate, shape = said.get_value("framerate"), said.get_value("pixel-aspect-ratio")
        if isinstance(rate, Fraction):
            self.fps_n, self.fps_d = rate.num, rate.denom
        if isinstance(shape, Fraction):
            self.par_n, self.par_d = shape.num, shape.denom
        return self.set_format(format, width[1], height[1])

    def set_format(self, format: Any, width: int, height: int) -> bool:
        """Another format and size; False for a format that has no layout here."""
        self.finfo = VideoFormatInfo(format)
        self.width, self.height = width, height
        layout = _layout(self.finfo.name, width, height)
        if layout is None:
            return False
        missing = [0] * (4 - len(layout.planes))
        self.stride = [plane.stride for plane in layout.planes] + missing
        self.offset = [plane.offset for plane in layout.planes] + missing
        self.size = layout.size
        return True

    def to_caps(self) -> Caps:
        """As caps."""
        made = Structure.new_empty("video/x-raw")
        made.set_value("format", self.finfo.name)
        made.set_value("width", self.width)
        made.set_value("height", self.height)
        made.set_value("pixel-aspect-ratio", Fraction(self.par_n, self.par_d))
        made.set_value("framerate", Fraction(self.fps_n, self.fps_d))
        return Caps(made)

    def is_equal(self, other: VideoInfo) -> bool:
        """Both say the same."""
        return self.to_caps().is_equal(other.to_caps())


def video_event_new_upstream_force_key_unit(running_time: int, all_headers: bool, count: int) -> Event:
    """Asks an encoder for a keyframe."""
    fields = {"running-time": running_time, "all-headers": all_headers, "count": count}
    made = Structure("GstForceKeyUnit", **fields)
    return Event.new_custom(ENUMERATIONS["EventType"].CUSTOM_UPSTREAM, made)


def buffer_get_video_meta(_buffer: Any) -> None:
    """None: the layout of a buffer is that of its caps."""


globals().update(_enums)

__all__ = [
    "VideoFormatInfo", "VideoInfo", "buffer_get_video_meta", "video_event_new_upstream_force_key_unit",
    "video_format_from_string", "video_format_get_info", "video_format_to_string",
]  # fmt: skip
__all__ += list(_enums)

_LATER = {
    "VideoFrame": "Gst.Buffer.map and VideoInfo's offset and stride, or rw.Packet.planes()",
    "VideoFilter": "GstBase.BaseTransform",
    "VideoDecoder": "decoders are FFmpeg's; in Python, a rw.Filter",
    "VideoEncoder": "encoders are FFmpeg's; in Python, a rw.Filter",
    "VideoSink": "GstBase.BaseSink",
    "VideoOverlay": "the window is autovideosink's own",
    "VideoConverter": "videoconvert",
    "Navigation": "the window's keys come as element messages",
}

show_as("GstVideo", {name: globals()[name] for name in __all__})
__getattr__ = namespace_getattr("GstVideo", lambda: __all__, _LATER)
