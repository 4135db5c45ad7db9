"""Where media come from: files, the network, the application."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from reelway.elements.declare import (
    MAX,
    ONE_SRC,
    U32,
    U64,
    base_src,
    boolean,
    caps,
    choices,
    enum,
    flags,
    integer,
    number,
    pad,
    string,
)
from reelway.elements.kinds import Choice, ElementKind, Property

__all__ = ["KINDS"]

_FORMATS = choices("undefined", "default", "bytes", "time", "buffers", "percent")
_LEAKY = choices((0, "none", "block"), (1, "upstream", "drop_newest"), (2, "downstream", "drop_oldest"))


def _timeout(seconds: int) -> float | None:
    return float(seconds) or None


def _some(count: int) -> int | None:
    return count or None


def _file(values: Mapping[str, Any]) -> str:
    return values.get("location") or ""


def _network(scheme: str, values: Mapping[str, Any], host: str) -> str:
    name = values.get(host) or ""
    return f"{scheme}://{f'[{name}]' if ':' in name else name}:{values.get('port')}"


def _udp(values: Mapping[str, Any]) -> str:
    given = values.get("uri") or ""
    if given and given != "udp://0.0.0.0:5004":
        return str(given)
    group = values.get("multicast-group") or "0.0.0.0"
    host = "address" if group == "0.0.0.0" else "multicast-group"
    return _network("udp", values, host)


def _rtsp(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The transports that are allowed, in GStreamer's order of trial; all of them are nobody's choice."""
    allowed = str(values["protocols"]).split("+")
    ways = [own for nick, own in _TRANSPORTS.items() if nick in allowed]
    return {"transport": "+".join(ways)} if 0 < len(ways) < len(_TRANSPORTS) else {}


def _sequence(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first file, and the rate that the caps say."""
    rate = re.search(r"framerate=(?:\(fraction\))?(\d+/\d+)", (values["caps"] or "").replace(" ", ""))
    return {"first": values["index"] or values["start-index"], "fps": rate[1] if rate else None}


def _camera(values: Mapping[str, Any]) -> str:
    """The address, with the name and the password where they are said apart from it."""
    url, user, password = _file(values), values.get("user-id"), values.get("user-pw")
    scheme, separator, rest = url.partition("://")
    if not user or not separator or "@" in rest.partition("/")[0]:
        return url
    secret = ":".join(quote(each, safe="") for each in (user, password) if each)
    return f"{scheme}://{secret}@{rest}"


_TRANSPORTS = {"udp": "udp", "udp-mcast": "multicast", "tcp": "tcp"}
_URI_BUFFERS = (
    integer(
        "buffer-duration", -1, "to hold; -1: as is usual", unit="ns", low=-1, high=2**63 - 1, ignored=True
    ),
    integer("buffer-size", -1, "to hold; -1: as is usual", unit="bytes", low=-1, high=MAX, ignored=True),
    boolean("download", False, "keep what was fetched in a file", ignored=True),
    integer("connection-speed", 0, "of the network", unit="kbit/s", low=0, ignored=True),
)
_PLAY_BUFFERS = tuple(each for each in _URI_BUFFERS if each.name != "download")
_PLAY_FLAGS = choices(
    *((1, "video"), (2, "audio"), (4, "text"), (8, "vis"), (16, "soft-volume"), (32, "native-audio")),
    *((64, "native-video"), (128, "download"), (256, "buffering"), (512, "deinterlace")),
    *((1024, "soft-colorbalance"), (2048, "force-filters"), (4096, "force-sw-decoders")),
)


def _uri(values: Mapping[str, Any]) -> str:
    return values.get("uri") or ""


def _sinks(*names: str) -> tuple[Property, ...]:
    return tuple(Property(name, object, None, "the element to use in its place") for name in names)


KINDS = (
    ElementKind(
        "filesrc",
        "Reads a file",
        "Source/File",
        "bytesource",
        "source",
        (string("location", None, "the file", "src"), *base_src(count="blocks", size="block_size")),
        ONE_SRC,
        url=_file,
    ),
    ElementKind(
        "multifilesrc",
        "Reads numbered files, a packet each",
        "Source/File",
        "filesequence",
        properties=(
            string("location", "%05d", "with a place for the number", "src"),
            integer("index", 0, "of the next file", low=0, high=MAX, read=lambda filter: filter.number),
            integer("start-index", 0, "of the first file", low=0, high=MAX),
            integer("stop-index", -1, "of the last file; -1: while there are more", "last", low=-1, high=MAX),
            boolean("loop", False, "begin again behind the last", "loop"),
            caps(help="what the files hold: image/jpeg,framerate=25/1"),
            *base_src(count="frames"),
        ),
        pads=ONE_SRC,
        derive=_sequence,
        caps_options={"framerate": "fps"},
    ),
    ElementKind(
        "fdsrc",
        "Reads a descriptor",
        "Source/File",
        "bytesource",
        "source",
        (
            integer("fd", -1, "0 is the standard input", "src", low=-1, high=MAX, make=lambda n: max(0, n)),
            integer("timeout", 0, "longest wait", unit="us", low=0, high=U64, ignored=True),
            *base_src(count="blocks", size="block_size"),
        ),
        ONE_SRC,
        url=lambda values: f"pipe:{max(0, int(values.get('fd') or 0))}",
    ),
    ElementKind(
        "urisourcebin",
        "Reads an address",
        "Generic/Bin/Source",
        "bytesource",
        "source",
        (
            string("uri", None, "what to read", "src"),
            boolean("use-buffering", True, "tell how full buffers are", ignored=True),
            *_URI_BUFFERS,
        ),
        (pad("src_%u", "src", "sometimes"),),
        url=_uri,
    ),
    ElementKind(
        "uridecodebin",
        "Opens an address and decodes what is in it",
        "Generic/Bin/Decoder",
        "demux",
        "opener",
        (
            string("uri", None, "what to play", "src"),
            caps("caps", None, "what counts as decoded", ignored=True),
            boolean("use-buffering", False, "tell how full buffers are", ignored=True),
            boolean("expose-all-streams", True, "also those that cannot be decoded", ignored=True),
            boolean("force-sw-decoders", False, "decode in software", ignored=True),
            *_URI_BUFFERS,
        ),
        (pad("src_%u", "src", "sometimes"),),
        url=_uri,
        decodes=True,
    ),
    ElementKind(
        "uridecodebin3",
        "Opens an address and decodes what is in it",
        "Generic/Bin/Decoder",
        "demux",
        "opener",
        (string("uri", None, "what to play", "src"), boolean("use-buffering", False, ignored=True)),
        (
            pad("video_%u", "src", "sometimes"),
            pad("audio_%u", "src", "sometimes"),
            pad("text_%u", "src", "sometimes"),
            pad("src_%u", "src", "sometimes"),
        ),
        url=_uri,
        decodes=True,
    ),
    ElementKind(
        "playbin",
        "Plays an address: pictures in a window, sound aloud",
        "Generic/Bin/Player",
        "demux",
        "opener",
        (
            string("uri", None, "what to play", "src"),
            string("suburi", None, "subtitles from elsewhere", ignored=True),
            *_sinks("video-sink", "audio-sink", "text-sink", "video-filter", "audio-filter", "vis-plugin"),
            number("volume", 1.0, "of the sound", low=0.0, high=10.0),
            boolean("mute", False, "silence"),
            flags(
                "flags",
                "video+audio+text+soft-volume+deinterlace+soft-colorbalance",
                _PLAY_FLAGS,
                "what is played",
            ),
            integer("current-video", -1, "which stream of pictures", low=-1, high=MAX, ignored=True),
            integer("current-audio", -1, "which stream of sound", low=-1, high=MAX, ignored=True),
            integer("current-text", -1, "which subtitles", low=-1, high=MAX, ignored=True),
            integer("av-offset", 0, "sound later by so much", unit="ns", ignored=True),
            *_PLAY_BUFFERS,
        ),
        url=_uri,
        decodes=True,
    ),
    ElementKind(
        "playbin3",
        "Plays an address: pictures in a window, sound aloud",
        "Generic/Bin/Player",
        "demux",
        "opener",
        (
            string("uri", None, "what to play", "src"),
            *_sinks("video-sink", "audio-sink", "text-sink", "video-filter", "audio-filter"),
            number("volume", 1.0, "of the sound", low=0.0, high=10.0),
            boolean("mute", False, "silence"),
            *_PLAY_BUFFERS,
        ),
        url=_uri,
        decodes=True,
    ),
    ElementKind(
        "souphttpsrc",
        "Reads from an HTTP server",
        "Source/Network",
        "demux",
        "source",
        (
            string("location", None, "address"),
            string(
                "user-agent",
                None,
                "how it calls itself",
                "ffmpeg",
                make=lambda text: {"user_agent": text} if text else None,
            ),
            integer("timeout", 15, "longest wait", "timeout_s", unit="s", low=0, high=3600, make=_timeout),
            boolean("is-live", False, "a live stream", ignored=True),
            boolean("ssl-strict", True, "refuse certificates that are not valid", ignored=True),
            boolean("automatic-redirect", True, "go where it is sent", ignored=True),
            boolean("keep-alive", True, "use a connection again", ignored=True),
            boolean("iradio-mode", True, "ask for titles", ignored=True),
            boolean("compress", False, "ask for compressed content", ignored=True),
            integer("retries", 3, "before it gives up", low=-1, high=MAX, ignored=True),
            *base_src(),
        ),
        ONE_SRC,
        url=_file,
    ),
    ElementKind(
        "rtspsrc",
        "Reads from an RTSP server or camera",
        "Source/Network",
        "live",
        "opener",
        (
            string("location", None, "rtsp://user:password@host/path"),
            flags(
                "protocols",
                "udp+udp-mcast+tcp",
                choices((1, "udp"), (2, "udp-mcast"), (4, "tcp"), (16, "http"), (32, "tls")),
                "transports that are allowed",
            ),
            integer("latency", 2000, "how much to hold against jitter", unit="ms", low=0, ignored=True),
            string("user-id", None, "who asks"),
            string("user-pw", None, "with which password"),
            integer("timeout", 5_000_000, "of UDP before TCP is tried", unit="us", low=0, ignored=True),
            integer(
                "tcp-timeout",
                20_000_000,
                "longest wait",
                "timeout_s",
                unit="us",
                low=0,
                make=lambda us: us / 1e6 if us >= 100_000 else None,
            ),
            integer("retry", 20, "ports to try", low=0, high=65535, ignored=True),
            integer("udp-buffer-size", 524288, "of the kernel", unit="bytes", low=0, ignored=True),
            boolean("do-retransmission", True, "ask again for what was lost", ignored=True),
            boolean("drop-on-latency", False, "never hold more than latency says", ignored=True),
            boolean("do-rtcp", True, "tell the server what arrives", ignored=True),
            boolean("do-rtsp-keep-alive", True, "tell the server that somebody listens", ignored=True),
            enum(
                "buffer-mode",
                "auto",
                choices("none", "slave", "buffer", "auto", "synced"),
                "how jitter is met",
                ignored=True,
            ),
            boolean("ntp-sync", False, "use the sender's clock", ignored=True),
            boolean("is-live", True, "a live stream", ignored=True),
        ),
        (pad("stream_%u", "src", "sometimes", "application/x-rtp"),),
        derive=_rtsp,
        url=_camera,
        format="rtsp",
        live=True,
        note="its pads give the streams as they are coded; depayloaders behind it pass them on",
    ),
    ElementKind(
        "udpsrc",
        "Receives datagrams",
        "Source/Network",
        "demux",
        "source",
        (
            string("address", "0.0.0.0", "of this machine to listen at"),
            integer("port", 5004, "to listen at", low=0, high=65535),
            string("uri", "udp://0.0.0.0:5004", "both"),
            string("multicast-group", "0.0.0.0", "to join"),
            caps(help="what the datagrams hold: video/mpegts"),
            integer("buffer-size", 0, "of the kernel", unit="bytes", low=0, high=MAX, ignored=True),
            boolean("auto-multicast", True, "join the group", ignored=True),
            integer("timeout", 0, "tell when nothing came for so long", unit="ns", low=0, ignored=True),
            boolean("reuse", True, "share the port", ignored=True),
        ),
        ONE_SRC,
        url=_udp,
        live=True,
    ),
    ElementKind(
        "tcpclientsrc",
        "Reads from a TCP server",
        "Source/Network",
        "bytesource",
        "source",
        (
            string("host", "localhost", "server"),
            integer("port", 4953, "its port", low=0, high=65535),
            integer("timeout", 0, "longest wait; 0: none", unit="s", low=0, high=U32, ignored=True),
            *base_src(count="blocks", size="block_size"),
        ),
        ONE_SRC,
        derive=lambda values: {"src": _network("tcp", values, "host")},
        url=lambda values: _network("tcp", values, "host"),
    ),
    ElementKind(
        "appsrc",
        "What the application pushes",
        "Generic/Source",
        "appsource",
        properties=(
            caps(help="what is pushed"),
            boolean("is-live", False, "a live stream"),
            boolean("do-timestamp", False, "time packets when they are pushed", "live"),
            enum("format", "bytes", _FORMATS, "of its times and seeks"),
            boolean("block", False, "push() waits while it is full"),
            integer("max-bytes", 200_000, "so many wait; 0: any number", unit="bytes", low=0, high=U64),
            integer("max-buffers", 0, "so many wait; 0: any number", "max_packets", low=0, make=_some),
            integer("max-time", 0, "so much waits; 0: any", unit="ns", low=0, high=U64, ignored=True),
            enum("leaky-type", "none", _LEAKY, "what goes when it is full", ignored=True),
            enum(
                "stream-type",
                "stream",
                choices("stream", "seekable", "random-access"),
                "whether it can seek",
                ignored=True,
            ),
            integer("size", -1, "of all; -1: unknown", unit="bytes", low=-1, ignored=True),
            integer("min-latency", -1, unit="ns", low=-1, ignored=True),
            integer("max-latency", -1, unit="ns", low=-1, ignored=True),
            integer("min-percent", 0, "ask for more below it", low=0, high=100, ignored=True),
            boolean("emit-signals", True, "need-data and enough-data"),
            integer("num-buffers", -1, "packets before it ends; -1: without end", low=-1, high=MAX),
            integer("blocksize", 4096, "to ask for", unit="bytes", low=0, high=U32, ignored=True),
            integer("current-level-bytes", 0, "waiting", unit="bytes", low=0, high=U64, writable=False),
        ),
        pads=ONE_SRC,
    ),
    ElementKind(
        "fakesrc",
        "Empty packets",
        "Source",
        "fakesource",
        properties=(
            enum(
                "sizetype",
                "empty",
                choices((1, "empty"), (2, "fixed"), (3, "random")),
                "how large packets are",
                "sizes",
            ),
            integer("sizemax", 4096, "of the largest packet", "size", unit="bytes", low=0, high=MAX),
            integer("sizemin", 0, "of the smallest packet", "least", unit="bytes", low=0, high=MAX),
            enum(
                "filltype",
                "nothing",
                (
                    Choice(1, "nothing", "zero"),
                    Choice(2, "zero", "zero"),
                    Choice(3, "random", "random"),
                    Choice(4, "pattern", "pattern"),
                    Choice(5, "pattern-span", "pattern"),
                ),
                "what is in them",
                "fill",
            ),
            boolean("is-live", False, "a live stream", ignored=True),
            boolean("sync", False, "send each packet when its time has come", ignored=True),
            boolean("silent", True, "tell nothing about each packet", ignored=True),
            boolean("signal-handoffs", False, "emit handoff for each packet"),
            integer("datarate", 0, "times packets", unit="bytes/s", low=0, high=MAX, ignored=True),
            *base_src(count="packets"),
        ),
        pads=ONE_SRC,
    ),
)
