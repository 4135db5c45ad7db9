"""RTP on its way out: packets made by FFmpeg's muxer, reports made here, datagrams sent by a socket.

FFmpeg's own protocol would do the last, too, but PyAV sets no interrupt for what is written, and of an
address that cannot be reached it tells an error number. Reports of FFmpeg's muxer would all say when the
muxer was made: here they say when a picture was taken (RFC 3550, 6.4.1), as far as that is known.
"""

from __future__ import annotations

import errno
import os
import secrets
import socket
import struct
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import av

from reelway.engine import nal
from reelway.engine.rtpreceive import NTP_S
from reelway.engine.sdp import Media
from reelway.engine.streaminfo import StreamInfo
from reelway.errors import OpenError, OptionError

__all__ = ["Address", "Packetizer", "Reports", "Sender"]

HEADER = 12
"""Bytes of an RTP header without sources and extension, as FFmpeg writes it (RFC 3550, 5.1)."""
BURST = 64 << 10
"""After so many bytes at once it takes a breath: receivers' buffers are seldom larger than twice this."""
BREATH_S = 0.001
SEND_BUFFER = 1 << 20
SENDER_REPORT, SOURCE, GOODBYE = 200, 202, 203
"""Types of RTCP packets."""
CANONICAL_NAME = 1
_QUERY = {"ttl": "ttl", "localaddr": "localaddr", "pkt_size": "packet_bytes"}
"""What FFmpeg's addresses say behind a question mark -> option."""
_RANGES = {"ttl": (0, 255), "packet_bytes": (256, 65000)}
"""Those of the options of `rtpsink`."""


class Address:
    """`rtp://host:port`; behind a question mark it may say ttl, localaddr and pkt_size, as FFmpeg's do.

    Raises OptionError for what is no such address.
    """

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or not port:
            raise OptionError(f"{url} is no address for RTP", hint="rtp://239.1.2.3:5004: a host, and a port")
        self.url = url
        self.host: str = host
        self.port: int = port
        self.said: dict[str, Any] = {}
        """Options that it says."""
        for key, text in parse_qsl(parts.query, keep_blank_values=True):
            name = _QUERY.get(key)
            if name is None or (name != "localaddr" and not (text.isascii() and text.isdigit())):
                raise OptionError(f"{url}: ?{key}={text} is not known", hint=f"there are {', '.join(_QUERY)}")
            low, high = _RANGES.get(name, (0, 0))
            if high and not low <= int(text) <= high:
                raise OptionError(f"{url}: {key} is from {low} to {high}")
            self.said[name] = text if name == "localaddr" else int(text)


class Sender:
    """A socket that sends to one host, or to a group; opened and used by one thread.

    Raises OpenError where there is no such host, or no way to it. What fails later counts as lost.
    """

    def __init__(self, address: Address, ttl: int | None, localaddr: str) -> None:
        self._where = address.url
        family, to = self._found(address.host, address.port)
        self.host: str = to[0].partition("%")[0]
        """The address that the name stands for."""
        self.group = ip_address(self.host).is_multicast
        self.ttl = (1 if ttl is None else ttl) if self.group else None
        """Of a group: routers that it passes; 1 stays in the own network."""
        self.sent = self.lost = 0
        """Datagrams."""
        self.failure: OSError | None = None
        """Why the last one did not go."""
        self._to = to
        self._burst = 0
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._prepare(family, ttl, localaddr)
            self.origin = self._own_address(family, localaddr)
        except OSError as error:
            self._socket.close()
            raise self._unreachable(error, localaddr) from None

    def send(self, data: bytes | memoryview, port: int) -> None:
        """Sends a datagram to `port` of the host; a network that is away for a while ends nothing."""
        try:
            self._socket.sendto(data, (self._to[0], port, *self._to[2:]))
        except OSError as error:
            self.lost += 1
            self.failure = error
            return
        self.failure = None
        self.sent += 1
        self._burst += len(data)
        if self._burst > BURST:
            self._burst = 0
            time.sleep(BREATH_S)

    def rest(self) -> None:
        """What is sent next is no part of the same burst."""
        self._burst = 0

    def close(self) -> None:
        self._socket.close()

    def _found(self, host: str, port: int) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
        try:
            family, _, _, _, to = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        except (OSError, UnicodeError):
            raise OpenError(
                f"{self._where}: no host has this name",
                url=self._where,
                errno=errno.ENOENT,
                hint="check the name",
            ) from None
        return family, to

    def _prepare(self, family: int, ttl: int | None, localaddr: str) -> None:
        made, six = self._socket, family == socket.AF_INET6
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if localaddr:
            made.bind((localaddr, 0))
        level = socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP
        if self.group:
            made.setsockopt(level, socket.IPV6_MULTICAST_HOPS if six else socket.IP_MULTICAST_TTL, self.ttl)  # type: ignore[arg-type]
            if localaddr and not six:
                made.setsockopt(level, socket.IP_MULTICAST_IF, socket.inet_aton(localaddr))
            if six and self._to[3]:
                made.setsockopt(level, socket.IPV6_MULTICAST_IF, self._to[3])
        elif ttl is not None:
            made.setsockopt(level, socket.IPV6_UNICAST_HOPS if six else socket.IP_TTL, ttl)

    def _own_address(self, family: socket.AddressFamily, localaddr: str) -> str:
        """From where it sends. Raises OSError where there is no way: connecting asks the system for one."""
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            if localaddr:
                asking.bind((localaddr, 0))
            asking.connect(self._to)
            return str(asking.getsockname()[0]).partition("%")[0]

    def _unreachable(self, error: OSError, localaddr: str) -> OpenError:
        number = error.errno or errno.EIO
        if isinstance(error, socket.gaierror) or number == errno.EADDRNOTAVAIL:
            what = f"no interface of this machine has the address {localaddr}"
            hint = "localaddr= is the address of one of its own interfaces; `ip address` lists them"
        elif number in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EINVAL):
            what = f"no route leads to {self.host}" + (f" from {localaddr}" if localaddr else "")
            hint = "localaddr= names the interface to send from, by its address; `ip route` lists the ways"
        else:
            what, hint = os.strerror(number), "check the address"
        return OpenError(f"{self._where}: {what}", url=self._where, errno=number, hint=hint)


class Packetizer:
    """Makes RTP packets of one stream: `add(data, dts, pts)`, in ticks of the media's clock.

    `send` gets each packet, at once; the last frame of AAC waits for the next.
    """

    def __init__(
        self, info: StreamInfo, media: Media, packet_bytes: int, send: Callable[[bytes], None]
    ) -> None:
        self.ssrc = secrets.randbelow(0x7FFFFFFF) + 1
        self.packets = self.octets = 0
        """Sent so far; of the payload."""
        self._send = send
        self._zero: int | None = None
        self._pts = 0
        """Of the packet that is being made."""
        options = {
            "packetsize": str(packet_bytes),
            "payload_type": str(media.payload_type),
            "ssrc": str(self.ssrc),
            "rtpflags": "skip_rtcp",
            "strict": "experimental",  # so FFmpeg calls what it makes of VP9 and AV1
        }
        self._container: Any = av.open(self, "w", format="rtp", container_options=options)
        self._stream = self._container.add_stream_from_template(info.template, opaque=True)
        self._container.start_encoding()
        assert self._stream.time_base.denominator == media.clock
        self.goes_on_as(info)

    def goes_on_as(self, info: StreamInfo) -> None:
        """The stream has these parameter sets from now on; its codec is the same."""
        self._sets = _in_front(info)

    def add(self, data: Any, dts: int, pts: int, key: bool) -> int:
        """How many packets were made. Raises what FFmpeg does."""
        if key and self._sets is not None:
            data = self._sets(data)
        made = av.Packet(data)
        made.dts, made.pts, made.time_base = dts, pts, self._stream.time_base
        made.is_keyframe = key
        made.stream = self._stream
        before, self._pts = self.packets, pts
        self._container.mux_one(made)
        return self.packets - before

    def time(self, pts: int) -> int | None:
        """What RTP packets say for `pts`; None before the first packet."""
        return None if self._zero is None else (self._zero + pts) & 0xFFFFFFFF

    def close(self) -> None:
        self._container.close()

    def write(self, packet: bytes) -> int:
        """For the muxer."""
        if len(packet) >= HEADER:
            if self._zero is None:
                self._zero = int.from_bytes(packet[4:8], "big") - self._pts
            self.packets += 1
            self.octets += len(packet) - HEADER
            self._send(packet)
        return len(packet)


class Reports:
    """RTCP of one stream: what its times are on the wall clock, who sends it, and that it is over."""

    def __init__(self, packetizer: Packetizer, name: str) -> None:
        self._packetizer = packetizer
        ssrc = struct.pack(">I", packetizer.ssrc)
        item = struct.pack(">BB", CANONICAL_NAME, len(name)) + name.encode()
        item += bytes(4 - len(item) % 4)  # a zero ends it, up to 32 bits
        self._who = _rtcp(SOURCE, 1, ssrc + item)
        self._bye = _rtcp(GOODBYE, 1, ssrc)

    def report(self, time: int, wall_ns: int) -> bytes:
        """A sender report: `time`, as RTP packets say it, was `wall_ns` [since 1970]."""
        seconds, rest = divmod(wall_ns, 1_000_000_000)
        body = struct.pack(
            ">IIIIII",
            self._packetizer.ssrc,
            seconds + NTP_S & 0xFFFFFFFF,
            (rest << 32) // 1_000_000_000,
            time,
            self._packetizer.packets & 0xFFFFFFFF,
            self._packetizer.octets & 0xFFFFFFFF,
        )
        return _rtcp(SENDER_REPORT, 0, body) + self._who

    def goodbye(self, time: int, wall_ns: int) -> bytes:
        """The same, and that nothing more will come."""
        return self.report(time, wall_ns) + self._bye


def _rtcp(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0x80 | count, kind, len(body) // 4) + body


def _in_front(info: StreamInfo) -> Callable[[Any], Any] | None:
    """What puts the parameter sets before a keyframe that lacks them; None where a codec has none in-band.

    A receiver that comes later, or with an SDP of another hand, finds them there.
    """
    codec = info.codec
    if codec not in ("h264", "hevc") or not info.extradata:
        return None
    sets = [unit for unit in nal.split(bytes(info.extradata)) if nal.is_parameter_set(codec, unit)]
    front = b"".join(b"\0\0\0\1" + unit for unit in sets)

    def put(data: Any) -> Any:
        start = bytes(memoryview(data)[: len(front) + 512])  # they stand before the picture
        if any(nal.is_parameter_set(codec, unit) for unit in nal.split(start)):
            return data
        return front + bytes(data)

    return put if front else None
