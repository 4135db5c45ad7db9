"""Addresses of live sources: which URL is one, by which protocol, and how long that may keep one waiting.

Devices of this machine are addresses too: `/dev/video0` or `v4l2:/dev/video0`, `screen:`, `alsa:default`.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl

__all__ = ["DEVICES", "OTHER", "PROTOCOLS", "Device", "LiveProtocol", "device_of", "live_protocol"]


class LiveProtocol(NamedTuple):
    """What is usual with a protocol; every wait is in seconds.

    open_s      from the first try to the first packet, all transports together
    silence_s   between two packets, before the connection counts as lost
    pushed      the sender keeps to its own pace: who is late misses something
    """

    name: str
    open_s: float
    silence_s: float
    pushed: bool = True


class Device(NamedTuple):
    """A device of this machine: FFmpeg's format for it, its name there, and what the address asks of it."""

    format: str
    name: str
    options: dict[str, str]


RTSP = LiveProtocol("rtsp", 12.0, 4.0)
RTP = LiveProtocol("rtp", 12.0, 4.0)
UDP = LiveProtocol("udp", 12.0, 4.0)
OTHER = LiveProtocol("other", 12.0, 4.0)
"""What somebody calls live that does not look like it, a picture over HTTP for one."""
RTMP = LiveProtocol("rtmp", 15.0, 5.0)
SRT = LiveProtocol("srt", 12.0, 4.0)
HLS = LiveProtocol("hls", 30.0, 20.0, pushed=False)

PROTOCOLS: dict[str, LiveProtocol] = {
    "rtsp": RTSP,
    "rtsps": RTSP,
    "rtspt": RTSP,
    "rtspu": RTSP,
    "rtp": RTP,
    "srtp": RTP,
    "udp": UDP,
    "rtmp": RTMP,
    "rtmpe": RTMP,
    "rtmps": RTMP,
    "rtmpt": RTMP,
    "srt": SRT,
}
"""Scheme -> protocol. HTTP is live where the path names a playlist of HLS; SDP files are sessions of RTP."""

DEVICE = LiveProtocol("device", 10.0, 4.0)
MADE = LiveProtocol("made", 10.0, 10.0, pushed=False)
"""What FFmpeg's filters make: it comes as fast as it is taken, and may be over some time."""

DEVICES: dict[str, str] = {
    "v4l2": "video4linux2,v4l2",
    "video4linux2": "video4linux2,v4l2",
    "screen": "x11grab",
    "x11grab": "x11grab",
    "alsa": "alsa",
    "pulse": "pulse",
    "fbdev": "fbdev",
    "lavfi": "lavfi",
    "avfoundation": "avfoundation",
    "dshow": "dshow",
    "gdigrab": "gdigrab",
}
"""Scheme -> FFmpeg's input format; whether a build has it is another question. There need be no `//`."""
_PATHS = {"/dev/video": "v4l2", "/dev/v4l/": "v4l2", "/dev/fb": "fbdev"}
"""Beginning of a path -> the scheme of what is there."""
_NAMED = {"dshow", "avfoundation", "lavfi"}
"""What has names in which anything may stand, question marks too."""


def device_of(url: object) -> Device | None:
    """The device that `url` names; None where it names none.

    v4l2:/dev/video0, v4l2:///dev/video0 or /dev/video0 by itself, screen::0.0+10,20, alsa:hw:1,0; in front of
    all may stand av://, as mpv has it. Behind a question mark stand options of FFmpeg's: ?framerate=25.
    """
    if not isinstance(url, str):
        return None
    rest = url
    scheme = next((known for start, known in _PATHS.items() if url.startswith(start)), "")
    if not scheme:
        scheme, colon, rest = url.removeprefix("av://").partition(":")
        scheme = scheme.lower()
        if not colon or scheme not in DEVICES:
            return None
        rest = rest.removeprefix("//")
    query = ""
    if scheme not in _NAMED:
        rest, _, query = rest.partition("?")
    return Device(DEVICES[scheme], rest, dict(parse_qsl(query, keep_blank_values=True)))


def live_protocol(url: object) -> LiveProtocol | None:
    """The protocol of a live source at `url`; None for what is a file, or cannot be told from one."""
    if not isinstance(url, str):
        return None
    if (device := device_of(url)) is not None:
        return MADE if device.format == "lavfi" else DEVICE
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "", url
    scheme = scheme.lower()
    if scheme in PROTOCOLS:
        return PROTOCOLS[scheme]
    ending = re.search(r"(?i)\.(sdp|m3u8)(?=$|[?#:])", rest)
    if ending is None:
        return None
    if ending[1].lower() == "sdp":
        return RTP if scheme in ("", "file") else None
    return HLS if scheme in ("http", "https") else None
