"""Connections to live sources: opened, and read, within deadlines that hold whatever the other side does.

PyAV's timeouts are FFmpeg's interrupt callback. It was tried against RTSP servers that accept and say
nothing, stop in each phase, send a byte a second, lengths that are wrong, or noise: every call came back in
its time. PyAV spends the time to open twice, to connect and to look at what comes; but it asks for the
number each time, so that a `Patience` can give what is left. Interrupted while it opens, FFmpeg calls the
data invalid: only the clock tells. What it does not interrupt is the look-up of a host's name: that is done
before, by `hostnames`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

import av

from reelway.engine import livedevices as devices
from reelway.engine.errors import quotable, reading
from reelway.engine.interruption import can_end_reads, end_read
from reelway.engine.liverefusals import (
    NoMediaError,
    TransportError,
    check_place,
    find_host,
    no_answer,
    no_media,
    refused,
    silent,
)
from reelway.engine.rtspsource import RtspConnection, open_rtsp
from reelway.engine.sdpread import NotOurs
from reelway.errors import DeadlineError, FormatError, OptionError, ReelwayError, redact
from reelway.media.addresses import Device, LiveProtocol

__all__ = ["LATER", "LATER_S", "Connection", "connect", "transports"]

log = logging.getLogger("reelway.engine.live")

TRANSPORTS = {"tcp": "tcp", "udp": "udp", "multicast": "udp_multicast", "http": "http"}
"""Name -> what FFmpeg's RTSP client calls it."""
AUTO = ("tcp", "udp")
"""Over TCP nothing is lost, and nothing is in its way; UDP is for servers that refuse that."""
OWN = ("tcp", "udp")
"""Transports of RTSP that are read without FFmpeg, but for what it alone knows."""
USUAL: dict[str, dict[str, str]] = {
    "rtsp": {"fpsprobesize": "3", "analyzeduration": "1000000"},
    "rtp": {
        "fpsprobesize": "3",
        "analyzeduration": "3000000",
        "protocol_whitelist": "file,rtp,udp,srtp,crypto",
    },
    "udp": {"fpsprobesize": "3", "analyzeduration": "3000000", "overrun_nonfatal": "1", "reuse": "1"},
    "srt": {"fpsprobesize": "3", "analyzeduration": "3000000"},
    "rtmp": {"fpsprobesize": "3", "analyzeduration": "3000000", "rtmp_live": "live"},
    "hls": {},
    "device": {"fpsprobesize": "0"},
    "made": {},
    "other": {},
}
"""What FFmpeg is told unless somebody says otherwise. By itself it would look at a second of every stream
before it gives any, and count pictures to guess their rate."""
LEAST_S = 0.001
"""Less than nothing would be for ever."""
LATER: Any = object()
"""In the place of a packet: a device has nothing yet; it is to be asked again after `LATER_S`."""
LATER_S = 0.004


def transports(text: str) -> Sequence[str]:
    """The transports that a text such as `udp+tcp` allows, in this order. Raises OptionError."""
    if text == "auto":
        return AUTO
    names = text.split("+")
    for name in names:
        if name not in TRANSPORTS:
            raise OptionError(
                f"no transport is named {name!r}",
                hint=f"auto, or of {', '.join(TRANSPORTS)} one, or several in the order of trial: udp+tcp",
            )
    return names


class Patience:
    """A time limit [s] that is asked for at the beginning of each call: what is left until one moment."""

    def __init__(self, until_s: float) -> None:
        self.until_s = until_s
        self.silence_s: float | None = None
        """From now on, so long for each call."""

    def __float__(self) -> float:
        if self.silence_s is not None:
            return self.silence_s  # below 0: for ever
        return max(LEAST_S, self.until_s - time.monotonic())

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.until_s - 0.01


class Connection:
    """One connection that has brought at least one packet. Used by one thread, and closed by that."""

    exact = False
    """It is known which packet is damaged. FFmpeg's parser gives a picture when it sees the one that follows,
    with what is known of that."""

    def __init__(self, container: Any, where: str, transport: str, device: Device | None = None) -> None:
        self.container = container
        self.transport = transport
        self._where = where
        self._device = device.format if device is not None else ""
        self._silence_s = 0.0
        self._heard_s = time.monotonic()
        """When it gave a packet, of what gives them without waiting."""
        self._packets: Iterator[Any] = container.demux()
        self._first: Any = None
        self.watched = False
        """Somebody has to look at `left_s`, and `end_read()`: reads have no time limit of their own."""
        self._since_s: float | None = None
        """When the read that is under way began; others look at it."""

    def read_first(self, patience: Patience, silence_s: float) -> None:
        """Waits for the first packet; `read()` gives it. Raises as that does, and FormatError for none."""
        self._silence_s = max(LEAST_S, patience.until_s - time.monotonic())
        while (first := self.read()) is LATER:
            time.sleep(LATER_S)
        self._first = first
        self._silence_s = patience.silence_s = silence_s
        if not self._device and can_end_reads(self.container):
            self.watched, patience.silence_s = True, -1.0
        self._packets = self.container.demux()
        if self._first is None:
            raise FormatError(
                f"{self._where} ended before it began",
                hint="the other side has nothing to send, or does not allow this transport",
            )

    def read(self) -> Any:
        """The next av packet; None at the end, or LATER. Raises DeadlineError, OpenError, FormatError."""
        packet, self._first = self._first, None
        if packet is not None:
            return packet
        started = self._since_s = time.monotonic()
        try:
            for packet in self._packets:
                if packet.size or packet.dts is not None:  # else it would flush decoders
                    self._heard_s = started
                    return devices.owned(packet) if self._device == devices.V4L2 else packet
            return None
        except av.error.BlockingIOError:
            self._packets = self.container.demux()
            if started - self._heard_s < self._silence_s:
                return LATER
            raise silent(self._where, self._silence_s) from None
        except IndexError:  # PyAV 18: a stream appeared while it read; the next connection knows it
            raise FormatError(f"{self._where} has another stream now") from None
        except (av.error.FFmpegError, OSError, ValueError) as error:
            failure = error  # raised below: in here its text, with the password, would be the context
        finally:
            self._since_s = None
        # interrupted, FFmpeg may first give the rest of a packet, and says so the next time, at once
        if isinstance(failure, av.error.ExitError) or time.monotonic() - started >= self._silence_s * 0.95:
            raise silent(self._where, self._silence_s)
        known = devices.broken(failure, self._device, self._where)
        raise known or reading(failure, self._where) from quotable(failure)

    def left_s(self) -> float:
        """How long the read that is under way may still last. From any thread."""
        since_s = self._since_s
        return self._silence_s - (0.0 if since_s is None else time.monotonic() - since_s)

    def end_read(self) -> None:
        """From another thread: the read that is under way comes back, as if nothing had come in its time."""
        end_read(self.container)

    @property
    def interruptible(self) -> bool:
        """`end_read()` has an effect."""
        return self.watched

    def said(self, index: int) -> dict[str, Any]:
        """Properties of a stream that its container does not tell."""
        return {}

    @property
    def is_device(self) -> bool:
        return bool(self._device)

    @property
    def lossy(self) -> bool:
        """Packets may be lost on the way, and nobody says so; MPEG-TS says it of most losses only."""
        return self.transport in ("udp", "multicast") or self.container.format.name in (
            "sdp",
            "rtp",
            "mpegts",
        )

    @property
    def ends(self) -> bool:
        """It says how long it is, so it is no live stream but a recording, and its end is the end."""
        if self._device == "lavfi":
            return True
        return self.container.duration is not None and self.container.duration > 0

    def wall_ns(self, pts: int | None, ns_a_tick: float) -> int | None:
        """The sender's clock [ns since 1970] at `pts`: a device's, or from RTCP sender reports."""
        if self._device in devices.CLOCKED:
            return None if pts is None else devices.wall_of(round(pts * ns_a_tick))
        start_us = getattr(self.container, "start_time_realtime", None)  # PyAV 18.1
        if start_us is None or pts is None:
            return None
        return int(start_us) * 1000 + round(pts * ns_a_tick)

    def close(self) -> None:
        self._packets = iter(())
        self.container.close()


def connect(
    url: str,
    protocol: LiveProtocol,
    *,
    ways: Sequence[str] = AUTO,
    open_s: float,
    silence_s: float,
    format: str = "",
    options: dict[str, str] | None = None,
    asked: devices.Asked | None = None,
) -> Connection | RtspConnection:
    """Opens `url` and waits for its first packet, `open_s` at most; other transports where one is refused.

    `asked` is what a device is asked for, where it is one. Raises DeadlineError, OpenError, FormatError,
    UnsupportedError, OptionError.
    """
    until = time.monotonic() + open_s
    if asked is not None:
        return _connect_device(asked, redact(url), Patience(until), open_s, silence_s, options or {})
    check_place(url)
    find_host(url, until, open_s)
    url, ways = _plain(url, protocol, ways)
    for number, way in enumerate(ways):
        fallback = ways[number + 1 :]
        # of UDP nothing may arrive, and nobody says so: then the other transport needs its time too
        left_s = until - time.monotonic()
        patience = Patience(until - left_s / 2 if fallback and way != "tcp" else until)
        try:
            if way in OWN and not format and not options and url[:7].lower() == "rtsp://":
                try:
                    return open_rtsp(url, way, patience.until_s, open_s, silence_s)
                except NotOurs as why:
                    log.debug("%s is read by FFmpeg: %s", redact(url), why)
            return _connect(url, protocol, way, patience, open_s, silence_s, format, options or {})
        except ReelwayError as error:
            if not fallback or not _otherwise(error, way):
                raise
    raise AssertionError("transports() gives at least one")


def _connect(
    url: str,
    protocol: LiveProtocol,
    way: str,
    patience: Patience,
    open_s: float,
    silence_s: float,
    format: str,
    options: dict[str, str],
) -> Connection:
    told = dict(USUAL[protocol.name])
    if way:
        told["rtsp_transport"] = TRANSPORTS[way]
    told |= options
    where = redact(url)
    failure: BaseException | None = None
    timeout: Any = patience, patience
    try:
        container = av.open(
            url, format=format or None, options=told, timeout=timeout, metadata_errors="replace"
        )
    except (av.error.FFmpegError, OSError, ValueError, UnicodeError) as error:
        failure = error  # raised below: in here its text, with the password, would be the context
    if failure is not None:
        if patience.over:
            raise no_answer(where, open_s)
        raise refused(failure, url) or reading(failure, url, format) from quotable(failure)
    return _begun(Connection(container, where, way), where, patience, open_s, silence_s)


def _begun(
    connection: Connection, where: str, patience: Patience, open_s: float, silence_s: float
) -> Connection:
    """`connection`, which has brought a packet; else it is closed, and the error raised."""
    try:
        connection.read_first(patience, silence_s)
    except DeadlineError:
        connection.close()
        raise no_media(where, open_s, connection.is_device) from None
    except BaseException:
        connection.close()
        raise
    return connection


def _connect_device(
    asked: devices.Asked,
    where: str,
    patience: Patience,
    open_s: float,
    silence_s: float,
    options: dict[str, str],
) -> Connection:
    told = USUAL["device"] | devices.make_ready(asked, where, patience.until_s) | options
    failure: BaseException | None = None
    timeout: Any = patience, patience
    try:
        container = av.open(
            asked.name,
            format=asked.device.format,
            options=told,
            timeout=timeout,
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        failure = error
    if failure is not None:
        if patience.over:
            raise no_media(where, open_s, True) from quotable(failure)
        raise devices.refused(failure, asked, where) or reading(failure, where) from quotable(failure)
    connection = Connection(container, where, "", asked.device)
    try:
        devices.check(container, asked, where)
    except BaseException:
        connection.close()
        raise
    return _begun(connection, where, patience, open_s, silence_s)


def _plain(url: str, protocol: LiveProtocol, ways: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The address as FFmpeg knows it: rtspt and rtspu are other systems' words for a transport."""
    if protocol.name != "rtsp":
        return url, ("",)
    scheme, _, rest = url.partition("://")
    if scheme.lower() in ("rtspt", "rtspu"):
        return f"rtsp://{rest}", ("tcp",) if scheme.lower() == "rtspt" else ("udp",)
    return url, ways


def _otherwise(error: ReelwayError, way: str) -> bool:
    """Another transport may do what this one did not."""
    if isinstance(error, TransportError):
        return True
    return way != "tcp" and isinstance(error, NoMediaError | FormatError)
