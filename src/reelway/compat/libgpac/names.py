"""libgpac's names of filters, and what Reelway has for each."""

from __future__ import annotations

from reelway import catalog
from reelway.compat.libgpac.later import comes_later

__all__ = ["FILTERS", "LATER_FILTERS", "MIME_TYPES", "SCHEMES", "SHOWING", "filter_text", "find_filter_name"]

_DEMUX = """
    fin httpin rtpin sockin pin mp4dmx m2tsdmx m2psdmx avidmx oggdmx ffdmx ffavin ufadts
    rfadts rfnalu rfav1 rfmp3 rfac3 rfflac rfh263 rfmpgvid rfpcm rfrawvid rfimg
"""
_MUX = "fout sockout pout mp4mx m2tsmx oggmx avimx ffmx"

FILTERS: dict[str, str] = {
    **dict.fromkeys(_DEMUX.split(), "demux"),
    **dict.fromkeys(_MUX.split(), "mux"),
    "ffdec": "decode",
    "ffenc": "encode",
    "ffsws": "convert",
    "enc": "encode",
    "resample": "resample",
    "ffbsf": "bsf",
    "reframer": "reframer",
    "rtpout": "rtpsink",
    "inspect": "inspect",
}
"""libgpac's filter -> Reelway's, where the names differ or might."""

SHOWING: dict[str, str] = {"vout": "videosink", "aout": "audiosink"}
"""libgpac's filter -> Reelway's that shows or plays, which a gate in front of it makes keep time."""

_DISPLAY = "composing scenes comes with the player; Reelway's own mixer, grid and crop are there"
_ADAPTIVE = "DASH and HLS come with reelway.adaptive"
_SERVE = "serving HTTP comes with reelway.serve"

LATER_FILTERS: dict[str, str] = {
    "compositor": _DISPLAY,
    "vcrop": _DISPLAY,
    "dasher": _ADAPTIVE,
    "dashin": _ADAPTIVE,
    "tileagg": _ADAPTIVE,
    "httpout": _SERVE,
    "routein": _ADAPTIVE,
    "routeout": _ADAPTIVE,
}
"""Filters whose work comes later: what each waits for."""


def find_filter_name(name: str) -> str:
    """Reelway's name of the filter that libgpac calls `name`."""
    if name in catalog.names():
        return name
    return FILTERS.get(name, name)


def filter_text(text: str) -> str:
    """A filter's text with Reelway's name in it. Raises ComesLaterError for a filter of LATER_FILTERS."""
    name, separator, options = text.partition(":")
    found = find_filter_name(name)
    if found in LATER_FILTERS:  # Reelway's own of that name are other filters
        raise comes_later(f"filter {name}", LATER_FILTERS[found])
    return found + separator + options


SCHEMES = frozenset("file http https ftp rtp rtsp rtsps rtmp rtmps tcp udp udplite tls pipe data".split())
"""Kinds of addresses that can be read."""

MIME_TYPES = frozenset(
    """
    video/mp4 audio/mp4 application/mp4 video/quicktime video/webm audio/webm
    video/x-matroska audio/x-matroska video/mp2t video/mpeg video/ogg audio/ogg application/ogg
    video/x-flv video/x-msvideo video/avi video/h264 video/avc video/hevc video/av1
    audio/mpeg audio/mp3 audio/aac audio/x-aac audio/flac audio/x-flac audio/wav audio/x-wav
    audio/ac3 audio/eac3 audio/opus image/jpeg image/png text/vtt text/x-ssa application/x-subrip
    """.split()
)
"""What a source may call itself and be read."""
