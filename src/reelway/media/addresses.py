"""Addresses of live sources: which URL is one, by which protocol, and how long that may keep one waiting."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["OTHER", "PROTOCOLS", "LiveProtocol", "live_protocol"]


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


def live_protocol(url: object) -> LiveProtocol | None:
    """The protocol of a live source at `url`; None for what is a file, or cannot be told from one."""
    if not isinstance(url, str):
        return None
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
