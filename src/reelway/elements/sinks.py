"""Where media go: files, the network, windows, loudspeakers, the application, nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reelway.elements.declare import (
    MAX,
    ONE_SINK,
    U32,
    U64,
    base_sink,
    boolean,
    caps,
    choices,
    enum,
    integer,
    number,
    pad,
    string,
)
from reelway.elements.kinds import ElementKind, Property

__all__ = ["KINDS", "window"]


def _some(count: int) -> int | None:
    return count or None


def _location(values: Mapping[str, Any]) -> str:
    return values.get("location") or ""


def _address(scheme: str, values: Mapping[str, Any]) -> str:
    host = values.get("host") or "localhost"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{values.get('port')}"


def _datagrams(values: Mapping[str, Any]) -> str:
    """For a muxer: seven packets of a transport stream in a datagram, none of them cut in two."""
    return f"{_address('udp', values)}?pkt_size=1316"


def window(name: str, help: str, *own: Property, klass: str = "Sink/Video", note: str = "") -> ElementKind:
    """A window on the screen, by whatever name people know it."""
    return ElementKind(
        name,
        help,
        klass,
        "videosink",
        properties=(*own, *base_sink(qos=True, max_lateness=5_000_000)),
        pads=(pad("sink", "sink", caps="video/x-raw"),),
        note=note,
    )


def _aspect(default: bool) -> Property:
    return boolean("force-aspect-ratio", default, "keep the shape of the picture", "force_aspect")


_ORIENTATIONS = choices(
    *("identity", "90r", "180", "90l", "horiz", "vert", "ul-lr", "ur-ll", "auto", "custom")
)
_X = (
    _aspect(True),
    string("display", None, "the display to use; here the one of the environment", ignored=True),
    boolean("handle-events", True, "tell keys and the mouse", ignored=True),
)
_SDL = "shown in an SDL window"


def _heard(name: str, help: str, *own: Property, klass: str = "Sink/Audio", note: str = "") -> ElementKind:
    return ElementKind(
        name,
        help,
        klass,
        "audiosink",
        properties=(*own, *base_sink(last_sample=False)),
        pads=(pad("sink", "sink", caps="audio/x-raw"),),
        note=note,
    )


_AUDIO_TIMES = (
    integer("buffer-time", 200_000, "held by the device", unit="us", low=1, ignored=True),
    integer("latency-time", 10_000, "written at once", unit="us", low=1, ignored=True),
    boolean("provide-clock", True, "its clock is the pipeline's", ignored=True),
)
_AUTO = (
    caps("filter-caps", None, "what the sink shall take", ignored=True),
    boolean("sync", True, "show or play each packet when its time has come"),
    integer("ts-offset", 0, "later by so much", unit="ns", low=-(2**63), high=2**63 - 1, ignored=True),
)

KINDS = (
    ElementKind(
        "filesink",
        "Writes a file",
        "Sink/File",
        "bytesink",
        "destination",
        (
            string("location", None, "the file", "dst"),
            boolean("append", False, "behind what is there", "append"),
            enum(
                "buffer-mode",
                "default",
                choices((-1, "default"), (0, "full"), (1, "line"), (2, "unbuffered")),
                "when it is written",
                ignored=True,
            ),
            integer("buffer-size", 65536, "written at once", unit="bytes", low=0, high=U32, ignored=True),
            *base_sink(sync=False),
        ),
        ONE_SINK,
        url=_location,
    ),
    ElementKind(
        "multifilesink",
        "Writes numbered files, one for each packet",
        "Sink/File",
        "multifile",
        properties=(
            string("location", "%05d", "with a place for the number", "dst"),
            integer("index", 0, "of the next file", "index", low=0, high=MAX),
            integer("max-files", 0, "keeps the last so many; 0: all", "max_files", low=0, high=U32),
            enum(
                "next-file",
                "buffer",
                choices(
                    (0, "buffer", "packet"),
                    (1, "discont", "discontinuity"),
                    (2, "key-frame", "keyframe"),
                    (3, "key-unit-event", "keyframe"),
                    (4, "max-size", "size"),
                    (5, "max-duration", "duration"),
                ),
                "when a file begins",
                "next",
            ),
            integer(
                "max-file-size",
                2 << 30,
                "of next-file=max-size",
                "max_bytes",
                unit="bytes",
                low=0,
                make=_some,
            ),
            integer(
                "max-file-duration",
                U64,
                "of next-file=max-duration",
                "max_s",
                unit="ns",
                low=0,
                make=lambda ns: None if ns == U64 else ns / 1e9,
            ),
            boolean("post-messages", False, "tell of each file", "post"),
            *base_sink(sync=False),
        ),
        pads=ONE_SINK,
    ),
    ElementKind(
        "fdsink",
        "Writes to a descriptor",
        "Sink/File",
        "bytesink",
        "destination",
        (
            integer("fd", 1, "1 is the standard output", "dst", low=0, high=MAX),
            *base_sink(sync=False),
        ),
        ONE_SINK,
        url=lambda values: f"pipe:{values.get('fd', 1)}",
    ),
    ElementKind(
        "udpsink",
        "Sends each packet as a datagram",
        "Sink/Network",
        "bytesink",
        "destination",
        (
            string("host", "localhost", "who gets it"),
            integer("port", 5004, "at which port", low=0, high=65535),
            integer("buffer-size", 0, "of the kernel", unit="bytes", low=0, high=MAX, ignored=True),
            boolean("auto-multicast", True, "join the group", ignored=True),
            integer("ttl-mc", 1, "routers that multicasts pass", low=0, high=255, ignored=True),
            *base_sink(),
        ),
        ONE_SINK,
        derive=lambda values: {"dst": _address("udp", values)},
        url=_datagrams,
    ),
    ElementKind(
        "tcpclientsink",
        "Writes to a TCP server",
        "Sink/Network",
        "bytesink",
        "destination",
        (
            string("host", "localhost", "server"),
            integer("port", 4953, "its port", low=0, high=65535),
            *base_sink(),
        ),
        ONE_SINK,
        derive=lambda values: {"dst": _address("tcp", values)},
        url=lambda values: _address("tcp", values),
    ),
    ElementKind(
        "rtmpsink",
        "Publishes FLV at an RTMP server",
        "Sink/Network",
        "mux",
        "destination",
        (string("location", None, "rtmp://host/application/name", "dst"), *base_sink()),
        (pad("sink", "sink", caps="video/x-flv"),),
        options={"format": "flv"},
        url=_location,
        format="flv",
    ),
    ElementKind(
        "rtpsink",
        "Sends coded streams by RTP; here it makes the packets, too, so no payloader stands before it",
        "Generic/Bin/Sink",
        "rtpsink",
        properties=(
            string("uri", "rtp://0.0.0.0:5004", "rtp://host:port, of a host or a multicast group", "dst"),
            string("sdp", "", "file for the SDP, which receivers read", "sdp"),
        ),
        pads=(pad("sink_%u", "sink", "request"),),
    ),
    ElementKind(
        "fakesink",
        "Takes everything and keeps nothing",
        "Sink",
        "null",
        properties=(
            boolean("silent", True, "tell nothing about each packet", ignored=True),
            boolean("signal-handoffs", False, "emit handoff for each packet"),
            boolean("dump", False, "print the packets", ignored=True),
            integer(
                "num-buffers",
                -1,
                "packets before it ends; -1: all",
                "most",
                low=-1,
                high=MAX,
                make=lambda count: count if count >= 0 else None,
            ),
            *base_sink(sync=False),
        ),
        pads=ONE_SINK,
    ),
    ElementKind(
        "fakevideosink",
        "Takes pictures as a window would, and shows none",
        "Video/Sink",
        "null",
        properties=(
            boolean("silent", True, "tell nothing about each packet", ignored=True),
            boolean("signal-handoffs", False, "emit handoff for each packet"),
            *base_sink(qos=True, max_lateness=5_000_000),
        ),
        pads=(pad("sink", "sink", caps="video/x-raw"),),
    ),
    ElementKind(
        "fakeaudiosink",
        "Takes sound as a loudspeaker would, and plays none",
        "Audio/Sink",
        "null",
        properties=(
            boolean("silent", True, "tell nothing about each packet", ignored=True),
            boolean("signal-handoffs", False, "emit handoff for each packet"),
            *base_sink(qos=True),
        ),
        pads=(pad("sink", "sink", caps="audio/x-raw"),),
    ),
    ElementKind(
        "appsink",
        "For the application, which pulls",
        "Generic/Sink",
        "appsink",
        properties=(
            caps(help="what it takes"),
            integer(
                "max-buffers",
                0,
                "so many wait; 0: any number",
                "max_packets",
                low=0,
                high=U32,
                make=lambda count: count or 1 << 30,
            ),
            boolean(
                "drop",
                False,
                "drop the oldest when it is full",
                "policy",
                make=lambda drop: "drop_oldest" if drop else "block",
            ),
            boolean("emit-signals", False, "emit new-sample"),
            boolean("wait-on-eos", True, "the end waits for the last packet to be pulled", ignored=True),
            boolean("eos", True, "nothing more will come", writable=False, read=lambda filter: filter.over),
            boolean("buffer-list", False, "take several at once", ignored=True),
            *base_sink(),
        ),
        pads=ONE_SINK,
    ),
    ElementKind(
        "recordersink",
        "Keeps what came last, for a recorder",
        "Generic/Sink",
        "tape",
        properties=(
            number("seconds", 2.0, "so much is kept", "seconds", unit="s", low=0.0),
            integer(
                "most-bytes", 256 << 20, "and no more than that", "most_bytes", unit="bytes", low=1, high=MAX
            ),
            boolean("live", False, "packets are due when they come; unsaid: as the source says", "live"),
            string("spill", None, "a folder for the older part of it", "spill"),
        ),
        pads=ONE_SINK,
    ),
    ElementKind(
        "autovideosink",
        "Shows pictures in a window",
        "Sink/Video",
        "videosink",
        properties=_AUTO,
        pads=(pad("sink", "sink", caps="video/x-raw"),),
    ),
    window("xvimagesink", "Shows pictures in a window of X11", *_X, note=_SDL),
    window(
        "ximagesink",
        "Shows pictures in a window of X11",
        _aspect(True),
        string("display", None, "the display to use; here the one of the environment", ignored=True),
        note=_SDL,
    ),
    window("glimagesink", "Shows pictures in a window, with OpenGL", _aspect(True), note=_SDL),
    ElementKind(
        "waylandsink",
        "Shows pictures in a window of Wayland",
        "Sink/Video",
        "videosink",
        properties=(
            boolean("fullscreen", False, "over the whole screen", "full_screen"),
            string("display", None, "the display to use; here the one of the environment", ignored=True),
            enum("rotate-method", "identity", _ORIENTATIONS, "turned", ignored=True),
            *base_sink(qos=True, max_lateness=5_000_000),
        ),
        pads=(pad("sink", "sink", caps="video/x-raw"),),
        note=_SDL,
    ),
    ElementKind(
        "autoaudiosink",
        "Plays sound",
        "Sink/Audio",
        "audiosink",
        properties=_AUTO,
        pads=(pad("sink", "sink", caps="audio/x-raw"),),
    ),
    _heard(
        "alsasink",
        "Plays sound through ALSA",
        string("device", "default", "where; here the usual one", ignored=True),
        *_AUDIO_TIMES,
        note="played through SDL",
    ),
    _heard(
        "pulsesink",
        "Plays sound through PulseAudio",
        string("device", None, "where; here the usual one", ignored=True),
        string("server", None, "which server; here the usual one", ignored=True),
        number("volume", 1.0, "of the sound", "volume", low=0.0, high=10.0),
        boolean("mute", False, "silence", "mute"),
        *_AUDIO_TIMES,
        note="played through SDL",
    ),
)
