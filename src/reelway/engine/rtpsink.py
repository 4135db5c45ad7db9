"""`rtpsink`: streams sent by RTP, to a host or a multicast group, with an SDP file for those who listen.

What RTCP says of a stream's times on the wall clock is the packets' `capture_time` where every packet has
one, else when they were due.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import time
from collections.abc import Mapping
from typing import Any

import av

from reelway.engine import coding
from reelway.engine.errors import quotable, writing
from reelway.engine.rtp import Address, Packetizer, Reports, Sender
from reelway.engine.rtptimes import Lane, Timeline
from reelway.engine.sdp import Media, media_of, session_text, write_whole
from reelway.engine.streaminfo import StreamInfo
from reelway.errors import FormatError, LinkError, OptionError, redact
from reelway.graph.caps import Caps, Not
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.graph.pace import keeps_pace, sources_of
from reelway.graph.resolve import Demand
from reelway.media.packet import Packet

__all__ = ["RtpSink"]

log = logging.getLogger("reelway.engine.rtp")

_KINDS = {"Visual": "video", "Audio": "audio"}
"""Kind of stream -> the option that says what becomes of it."""
_USUAL = {"video": "h264", "audio": "opus"}
"""What raw media becomes where nobody says which."""
REPORT_S = 1.0
"""Between two reports of a stream (RFC 3550, 6.2, with the reduced minimum)."""
LAST_S = 0.05
"""From the last packet to the goodbye, which receivers look at first."""
_COVER = 1 << 10
"""The bit of Disposition that marks a cover."""


class _Stream:
    """One input on its way out."""

    def __init__(self, media: Media, info: StreamInfo, packetizer: Packetizer, lane: Lane, name: str) -> None:
        self.media = media
        self.info = info
        self.packetizer = packetizer
        self.reports = Reports(packetizer, name)
        self.lane = lane
        self.captured_ns = 0
        """When what was sent last was captured."""
        self.report_due_s = 0.0
        self.begun = self.over = False


class RtpSink(Filter):
    """Sends H.264, H.265, VP8, VP9, MPEG-4, AAC, Opus, G.711 and more by RTP: `rtp://239.1.2.3:5004`.

    Each stream has a pair of ports, RTP and RTCP, the first at the address, the next two further on. The SDP
    that receivers need is in `sdp_text`, and in the file `sdp=`, which is there, whole, before the first
    packet goes. What comes faster than it is to be shown is sent at its pace.
    """

    registry_name = "rtpsink"
    thread = "own"
    inputs = (
        Caps(StreamType="Audio", CodecID="aac", DecoderConfigMode=Not("in-band")),
        Caps(StreamType="Visual", CodecID=("h264", "hevc"), DecoderConfigMode=Not("out-of-band")),
        Caps(StreamType=("Visual", "Audio"), CodecID=Not("raw", "aac", "h264", "hevc")),
    )

    dst: str = option(help="where to, rtp://host:port; the host may be a multicast group")
    sdp: str = option("", kind=str | os.PathLike, help="file for the SDP, which receivers read")
    # a sink has no PIDs that `Filter.video` and `Filter.audio` could select
    video: str = option(  # type: ignore[assignment]
        "",
        help="what video is coded to: an encoder and its options, as in libx264:preset=fast; copy; or none",
    )
    audio: str = option(  # type: ignore[assignment]
        "", help="what audio is coded to: an encoder and its options, copy or none"
    )
    ttl: int | None = option(
        None, low=0, high=255, help="routers that packets may pass; of a group 1, if nothing is said"
    )
    localaddr: str = option("", help="address of the interface to send from; by default the system's choice")
    packet_bytes: int = option(1400, low=256, high=65000, unit="bytes", help="of a datagram, at most")
    rt: str = option(
        "auto",
        choices=("auto", "on", "off"),
        help="at the pace of the media; auto: where not all sources keep to it by themselves",
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.sdp_text = ""
        """The SDP, once it began."""
        self._address = Address(self.dst)
        self._sender: Sender | None = None
        self._paced = False
        self._numbers = 0, 0
        """Of the session, and of the text of its SDP."""
        self._wall_ns = 0
        """When it began [since 1970]."""
        self._captured = True
        """Every packet had a capture time so far."""
        self._streams: list[_Stream] = []

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        left_out = [kind for kind, name in _KINDS.items() if getattr(self, name) == "none"]
        if left_out:
            self.inputs = tuple(  # type: ignore[misc, assignment]
                Caps(**{**each, "StreamType": kept})
                for each in type(self).inputs
                if (kept := [kind for kind in each["StreamType"] if kind not in left_out])  # type: ignore[union-attr]
            )

    # For the application

    @property
    def sent(self) -> int:
        """Datagrams that went out."""
        return self._sender.sent if self._sender is not None else 0

    @property
    def lost(self) -> int:
        """Datagrams that did not, because the network was away."""
        return self._sender.lost if self._sender is not None else 0

    # Planning

    def demand(self, properties: Mapping[str, Any]) -> Demand | None:
        """The encoder that `video` or `audio` names; a stream that is to be copied must be coded already."""
        kind = _KINDS.get(properties.get("StreamType", ""))
        text = getattr(self, kind) if kind else ""
        if kind is None or _is_cover(properties):
            return None
        return coding.demanded(self.name, kind, text, properties.get("CodecID") == "raw")

    def preferred(self, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        """The codec that raw media becomes where nobody says which."""
        if properties.get("CodecID") != "raw":
            return {}
        return {"CodecID": _USUAL[_KINDS.get(properties.get("StreamType", ""), "video")]}

    def check_inputs(self, streams: Mapping[str, Mapping[str, Any]]) -> None:
        """Asks for the form of each, so that nothing is sent where one has none."""
        for name, properties in streams.items():
            if not _is_cover(properties):
                media_of(name, _info(properties), 0)

    def check_input(self, name: str, properties: Mapping[str, Any], link: Link | None = None) -> None:
        """Once it sends, nothing is added, and an input goes on with its codec."""
        if not self._streams:
            return
        stream: _Stream | None = link.data if link is not None else None
        if stream is None:
            raise LinkError(
                f"{self.name} cannot add {name}: its SDP is out",
                hint="send it to another address, with an SDP of its own",
            )
        codec = properties.get("CodecID")
        if codec != stream.info.codec:
            raise LinkError(
                f"{self.name} cannot go on with {name} ({codec}), but was begun with {stream.info.codec}",
                hint="encode it: load_dst(..., video='h264', audio='opus')",
            )

    # The filter

    def configure(self, pid: Link) -> None:
        stream: _Stream | None = pid.data
        name = f"{pid.source.name}.{pid.name}"
        if stream is None:
            if self._streams and not _is_cover(pid.properties):
                self.check_input(name, pid.properties)
            return
        self.check_input(name, pid.properties, pid)
        info = _info(pid.properties)
        media = media_of(name, info, self._streams.index(stream)).at(stream.media.port)
        if info.extradata and media != stream.media:  # other parameter sets; what has none said keeps its own
            stream.media = media
            stream.packetizer.goes_on_as(info)
            self._publish()

    def process(self) -> float | None:
        if self._sender is None:
            inputs = sorted((pid for pid in self.ipids if not _is_cover(pid.properties)), key=_rank)
            if not all(pid.configured for pid in self.ipids) or self.context.expects_inputs(self):
                return None
            infos = self._complete(inputs)
            if infos is None:
                return None
            self._begin(infos)
        waits = [left for pid in self.ipids if (left := self._serve(pid)) is not None]
        self._look_after()
        return min(waits, default=None)

    def restarted(self, pid: Link) -> None:
        if pid.data is not None:
            pid.data.lane.jumped = True

    def ended(self, pid: Link) -> None:
        if (stream := pid.data) is not None:
            self._say_goodbye([stream])

    remove = ended

    def close(self) -> None:
        try:
            self._say_goodbye(self._streams)
        finally:
            for stream in self._streams:
                with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
                    stream.packetizer.close()
            if self._sender is not None:
                self._sender.close()

    # Beginning

    def _complete(self, inputs: list[Link]) -> dict[Link, StreamInfo] | None:
        """What each stream is, with a configuration that only its first packet has; None: not there yet.

        It does not wait for a stream that has not begun when another one's queue is full.
        """
        infos: dict[Link, StreamInfo] = {}
        for pid in inputs:
            infos[pid] = info = _info(pid.properties)
            if info.extradata or info.codec not in ("h264", "hevc", "mpeg4") or pid.ended:
                continue
            packet = pid.peek()
            if packet is not None:
                infos[pid] = info.with_extradata_of(packet.data)
            elif not any(other.full for other in inputs):
                return None
        return infos

    def _begin(self, infos: Mapping[Link, StreamInfo]) -> None:
        said = self._address.said
        ttl = said.get("ttl") if self.ttl is None else self.ttl
        self._sender = sender = Sender(self._address, ttl, self.localaddr or said.get("localaddr", ""))
        packet_bytes = said.get("packet_bytes", self.packet_bytes)
        if self._address.port + 2 * len(infos) > 1 << 16:  # with the port of the last one's RTCP
            raise OptionError(
                f"{redact(self._address.url)}: the ports behind {self._address.port} are too few",
                hint="each stream takes two: choose a lower one, such as 5004",
            )
        timeline = Timeline(self.context.now())
        cname = secrets.token_urlsafe(12)
        for number, (pid, info) in enumerate(infos.items()):
            name, port = f"{pid.source.name}.{pid.name}", self._address.port + 2 * number
            media = media_of(name, info, number).at(port)
            try:
                packetizer = Packetizer(info, media, packet_bytes, _To(sender, port))
            except (av.error.FFmpegError, ValueError) as error:
                raise FormatError(
                    f"FFmpeg makes no RTP of {info.codec} ({name}): {redact(str(error))}"
                ) from quotable(error)
            pid.data = _Stream(media, info, packetizer, Lane(timeline, media.clock), cname)
            self._streams.append(pid.data)
        self._wall_ns = time.time_ns()
        self._paced = self.rt == "on" or (self.rt == "auto" and not all(map(_keeps_time, infos)))
        self._numbers = (int(self._wall_ns // 1_000_000_000), 0)
        self._publish()
        self.status = f"sends to {redact(self._address.url)}"

    def _publish(self) -> None:
        """The SDP, in a file that is there as a whole, or not at all. Raises OpenError."""
        assert self._sender is not None
        number, version = self._numbers
        self._numbers = number, version + 1
        self.sdp_text = session_text(
            [stream.media for stream in self._streams],
            address=self._sender.host,
            ttl=self._sender.ttl,
            origin=self._sender.origin,
            number=number,
            version=number + version,
        )
        if self.sdp:
            write_whole(os.fspath(self.sdp), self.sdp_text)

    # Sending

    def _serve(self, pid: Link) -> float | None:
        """Sends of one stream what is due. A number: so many seconds until the next is."""
        stream: _Stream | None = pid.data
        if stream is None:
            for _ in pid:
                pass
            return None
        timescale, lane = pid.properties.get("Timescale") or 90000, stream.lane
        while (packet := pid.peek()) is not None:
            now_s = self.context.now()
            dts, pts = lane.place(packet, timescale, now_s)
            if self._paced and (left_s := lane.due_s(dts) - now_s) > 0:
                return left_s
            if pid.take(packet):
                self._send(stream, packet, dts, pts)
                lane.sent(packet, timescale, dts, pts)
                self._report_on(stream, now_s)
        return None

    def _send(self, stream: _Stream, packet: Packet, dts: int, pts: int) -> None:
        assert self._sender is not None
        self._sender.rest()
        try:
            made = stream.packetizer.add(packet.data, dts, pts, bool(packet.sap))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise writing(error, self._address.url) from quotable(error)
        if not made and not stream.begun and stream.media.kind == "video" and packet.size:
            raise FormatError(f"RTP cannot carry this {stream.info.codec}", hint="encode it: video='h264'")
        stream.begun = True
        self._captured = self._captured and packet.capture_time is not None
        stream.captured_ns = packet.capture_time or 0

    def _report_on(self, stream: _Stream, now_s: float) -> None:
        if now_s >= stream.report_due_s and (report := self._report(stream)) is not None:
            assert self._sender is not None
            self._sender.send(stream.reports.report(*report), stream.media.port + 1)
            stream.report_due_s = now_s + REPORT_S

    def _report(self, stream: _Stream) -> tuple[int, int] | None:
        """What RTP packets said last, and when that was [ns since 1970]; None: nothing was sent."""
        pts = stream.lane.pts
        time = stream.packetizer.time(pts)
        if time is None:
            return None
        due_ns = self._wall_ns + round(pts / stream.media.clock * 1_000_000_000)
        return time, stream.captured_ns if self._captured else due_ns

    def _say_goodbye(self, streams: list[_Stream]) -> None:
        leaving = [stream for stream in streams if not stream.over]
        if self._sender is None or not leaving:
            return
        if any(stream.begun for stream in leaving):
            time.sleep(LAST_S)
        for stream in leaving:
            stream.over = True
            if (report := self._report(stream)) is not None:
                self._sender.send(stream.reports.goodbye(*report), stream.media.port + 1)

    def _look_after(self) -> None:
        """Says when the network is away, and when it is back."""
        assert self._sender is not None
        failure = self._sender.failure
        where = redact(self._address.url)
        said = f"{where}: {os.strerror(failure.errno or 0)}" if failure is not None else f"sends to {where}"
        if said != self.status:
            self.status = said
            (log.warning if failure is not None else log.info)("%s: %s", self.name, said)


class _To:
    """Sends to one port."""

    def __init__(self, sender: Sender, port: int) -> None:
        self._sender, self._port = sender, port

    def __call__(self, data: bytes) -> None:
        self._sender.send(data, self._port)


def _info(properties: Mapping[str, Any]) -> StreamInfo:
    info = properties.get("StreamInfo")
    if not isinstance(info, StreamInfo):
        info = StreamInfo.from_properties(properties)
    config = properties.get("DecoderConfig")
    return info.with_extradata(bytes(config)) if config and config != info.extradata else info


def _rank(pid: Link) -> tuple[bool, int]:
    """Pictures first, whichever stream gets ready first; receivers by an SDP of their own count on it."""
    return pid.properties.get("StreamType") != "Visual", int(pid.properties.get("ID") or 0)


def _is_cover(properties: Mapping[str, Any]) -> bool:
    return bool(int(properties.get("Disposition") or 0) & _COVER)


def _keeps_time(pid: Link) -> bool:
    """What it brings comes at its pace by itself."""
    return all(map(keeps_pace, sources_of(pid.source)))
