"""`live`: cameras and other live sources, supervised: they are opened by a deadline, and come back."""

from __future__ import annotations

import logging
import re
import time
from collections import deque
from fractions import Fraction
from typing import Any

from reelway.engine.backoff import Backoff
from reelway.engine.frame_numbers import FrameNumbers, HevcNumbers, frame_numbers
from reelway.engine.livedevices import Asked, frame_of, raw_of
from reelway.engine.liveopen import LATER, LATER_S, Connection, connect, transports
from reelway.engine.livetimes import LiveTimes, LiveTrack
from reelway.engine.rtspsource import RtspConnection
from reelway.engine.streaminfo import StreamInfo, describe
from reelway.engine.vp9 import is_keyframe as is_vp9_keyframe
from reelway.errors import DeadlineError, FormatError, ReelwayError, redact
from reelway.graph.caps import Caps, Not
from reelway.graph.filter import Filter
from reelway.graph.link import Limits
from reelway.graph.option import option
from reelway.graph.pid import Pid
from reelway.media.addresses import OTHER, LiveProtocol, device_of, live_protocol
from reelway.media.events import Event, Gap, Stop
from reelway.media.packet import Packet
from reelway.media.timebase import rescale, unify
from reelway.media.values import Size

__all__ = ["Live"]

log = logging.getLogger("reelway.engine.live")

NAMES = {"video": "video", "audio": "audio", "subtitle": "text", "data": "data"}
AT_ONCE_S = 0.0005
"""A packet that took longer to come was waited for: then the session gets what is there first."""
KEYFRAME_S = 10.0
"""Sound waits so long for the first keyframe of the picture."""
PICTURE_S = 30.0
"""A camera that sends sound, or pictures that nothing can be made of, for so long counts as lost."""
UNTIMED = 16
"""So many packets without a time wait for one that has one."""
REMEMBERED = 100
"""Gaps."""
PUSHED = Limits(packets=2000, bytes=64 << 20, seconds=5.0, policy="drop_to_keyframe")
"""Nobody can make a camera wait: who is later than this goes on at a newer keyframe, and it is counted."""
PASSING = {"Bitrate", "FPS", "FileMetadata", "ID", "Metadata", "StreamInfo", "Timescale"}
"""Properties that may differ from one connection to the next without the stream being another."""
OF_DEVICES = ("size", "fps", "input_format")
OF_FILES = ("Duration", "NumFrames", "StartTime")


class Live(Filter):
    """Reads network streams, cameras, screens and microphones, and does not lose them.

    RTSP, RTP (by SDP), MPEG-TS over UDP, RTMP, HTTP live streams, SRT; V4L2 (/dev/video0), the screen of an
    X server (screen:), ALSA (alsa:default) and other devices of FFmpeg.

    Each stream begins with a keyframe, at time 0, and its times rise from there, across all connections.
    After the first packet, a source that ends, fails or falls silent is connected again, as often as it
    takes; what it missed is a `Gap`, and the next packet of each stream is a `discontinuity`. Every packet
    has a `capture_time`: the sender's clock where it tells it (RTCP), else that of its arrival.
    """

    registry_name = "live"
    thread = "own"
    outputs = (Caps(CodecID=Not("raw")),)
    quantum = 16

    src: str = option(help="address; a user name and a password may stand in it: rtsp://user:password@host")
    format: str = option("", help="container format, where it cannot be told from the data")
    transport: str = option(
        "auto", help="of RTSP: tcp, udp, multicast, http, several in the order of trial (udp+tcp), or auto"
    )
    timeout_s: float | None = option(
        None,
        low=0.5,
        unit="s",
        help="until the first packet; by default what the protocol needs",
    )
    silence_s: float | None = option(
        None, low=0.1, unit="s", help="without a packet before it counts as lost; by default the protocol's"
    )
    retry: int = option(0, low=-1, help="how often to try again before the first packet; -1: for ever")
    reconnect: int = option(-1, low=-1, help="how often to try again after that, each time; -1: for ever")
    size: Size | None = option(None, kind=Size | None, help="of a device's pictures, such as 1280x720")
    fps: Fraction | None = option(
        None, kind=Fraction | None, low=Fraction(1, 3600), help="pictures a second that a device shall give"
    )
    input_format: str = option(
        "", help="what a camera shall give: mjpeg, h264, or a pixel format such as yuyv422"
    )
    ffmpeg: dict[str, str] = option(
        {}, kind=dict, help="options of FFmpeg's demuxer and protocol, by its names"
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.ways = transports(self.transport)
        self.protocol: LiveProtocol = live_protocol(self.src) or OTHER
        self.where = redact(re.sub(r"\s", "%20", self.src) if "://" in self.src else self.src)
        device = device_of(self.src)
        self.asked = device and Asked(device, self.size, self.fps, self.input_format)
        if device is None and (said := [each for each in OF_DEVICES if getattr(self, each)]):
            log.warning("%s: %s is for devices, and changes nothing here", self.name, ", ".join(said))
        self.connections = 0
        """How often it was connected."""
        self.gaps: deque[Gap] = deque(maxlen=REMEMBERED)
        """The last of them; each has ended."""
        self._connection: Connection | RtspConnection | None = None
        self._backoff = Backoff()
        self._failures: set[str] = set()
        """Why it could not be connected since it last was: each is told once."""
        self._due_s = 0.0
        """When the next try is due [s, monotonic]."""
        self._times = LiveTimes()
        self._pids: dict[tuple[str, int], tuple[Pid, LiveTrack]] = {}
        """By kind, and number within that."""
        self._ways: list[_Way | None] = []
        """By number of the stream in this connection."""
        self._begun_s = self._pictured_s = 0.0
        """When it was connected, and when its last picture came [s, monotonic]."""
        self._silence_s = 0.0
        self._has_picture = False
        self._opening = False
        """Sound waits for the picture."""
        self._leaves = False
        """Reads end because it is over, which is no loss."""
        self._gap: Gap | None = None
        """The one that is not over."""

    @property
    def ends(self) -> bool:
        """What it reads is a recording, which has an end; known when its first stream is there."""
        return self._connection is not None and self._connection.ends

    # The filter

    def open(self) -> None:
        self._try()

    def process(self) -> float | None:
        if self._connection is None:
            left_s = self._due_s - time.monotonic()
            if left_s > 0:
                return left_s
            self._try()
            return 0.0  # the session links what is new before there is more
        for _ in range(self.quantum):
            started = time.monotonic()
            try:
                payload = self._connection.read()
                if payload is LATER:
                    return LATER_S
                if payload is None and not self._connection.ends:
                    if self._is_complete():
                        return 0.0
                    what = f"{self.where}: the other side has ended the stream"
                    raise FormatError(what, hint="reconnect= says how often it is asked again")
            except ReelwayError as error:
                if self._leaves:
                    return None
                self._lose(error)
                return 0.0
            if payload is None:
                for pid, _ in self._pids.values():
                    pid.end()
                return None
            now_s = time.monotonic()
            self._take(payload, now_s)
            if self._has_picture and now_s - self._pictured_s > max(PICTURE_S, self._silence_s):
                for_s = now_s - self._pictured_s
                self._lose(DeadlineError(f"{self.where}: no picture that decodes for {for_s:.0f} s"))
                return 0.0
            if self.blocked:
                return None
            if now_s - started > AT_ONCE_S:
                break
        return 0.0

    def on_event(self, event: Event) -> bool:
        """Stop ends a stream; to a live source nothing else can be said."""
        if isinstance(event, Stop):
            event.pid.end()
        return True

    def interrupt(self) -> None:
        connection, self._leaves = self._connection, True
        if connection is not None and connection.interruptible:
            connection.end_read()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        self._ways = []
        if connection is not None:
            connection.close()

    # Connecting

    def _try(self) -> None:
        """Connects, or says when to try again. Raises where that was tried often enough."""
        first = not self.connections
        self.status = f"connects to {self.where}"
        try:
            connection = self._connected()
        except ReelwayError as error:
            self._again(error, self.retry if first else self.reconnect)
            return
        self._connection = connection
        self.connections += 1
        self._times.connected()
        try:
            self._adopt(connection)
        except ReelwayError as error:
            self.close()
            self._again(error, self.retry if first else self.reconnect)
            return
        self._begun_s = self._pictured_s = time.monotonic()
        self._opening = any(way and way.picture for way in self._ways)
        known = any(kind == "video" and not pid.ended for (kind, _), (pid, _) in self._pids.items())
        self._has_picture = self._opening or known  # it may send none now, and has before
        over = f" over {connection.transport}" if connection.transport else ""
        self.status = f"connected to {self.where}{over}"
        log.info("%s: %s", self.name, self.status)

    def _look(self, connection: Connection | RtspConnection) -> float | None:
        """On the session's thread: a read of `connection` that lasts too long is ended."""
        if connection is not self._connection:
            return None
        left_s = connection.left_s()
        if left_s > 0:
            return left_s
        connection.end_read()
        return None

    def _connected(self) -> Connection | RtspConnection:
        open_s = self.protocol.open_s if self.timeout_s is None else self.timeout_s
        self._silence_s = min(self.protocol.silence_s, open_s) if self.silence_s is None else self.silence_s
        return connect(
            self.src,
            self.protocol,
            ways=self.ways,
            open_s=open_s,
            silence_s=self._silence_s,
            format=self.format,
            options=self.ffmpeg,
            asked=self.asked,
        )

    def _is_complete(self) -> bool:
        """What came to its end is an HTTP live stream whose playlist says so, and not one that broke off.

        FFmpeg tells the two apart only where it opens one. What of it was not read yet is read then.
        """
        if self.protocol.name != "hls" or self._leaves:
            return False
        try:
            whole = self._connected()
        except ReelwayError:
            return False
        if not whole.ends:
            whole.close()
            return False
        self.close()
        self._connection = whole
        self._adopt(whole)
        for way in self._ways:
            if way is not None:
                way.waits = way.fresh = False
                way.repeats = True
        return True

    def _again(self, error: ReelwayError, tries: int) -> None:
        """Sets the time of the next try. Raises `error` after so many, none of which went well."""
        if 0 <= tries <= self._backoff.tries:
            raise error
        delay_s = self._backoff.next_s()
        self._due_s = time.monotonic() + delay_s
        self.status = f"{error}; tries again"
        known, self._failures = str(error) in self._failures, {*self._failures, str(error)}
        log.log(
            logging.INFO if known else logging.WARNING, "%s: %s, in %.1f s", self.name, self.status, delay_s
        )

    def _lose(self, error: ReelwayError) -> None:
        self.close()
        if self._gap is None:
            self._gap = Gap(start_s=self._times.end_s, reason=str(error))
            log.warning("%s is lost: %s", self.name, error)
            self._failures.add(str(error))
            self._tell(self._gap)
        self._again(error, self.reconnect)

    def _adopt(self, connection: Connection | RtspConnection) -> None:
        """Finds the PID of each stream, by its kind and number, or makes one."""
        if connection.watched:
            self.context.watch(lambda: self._look(connection))
        counts: dict[str, int] = {}
        self._ways = []
        for index, stream in enumerate(connection.container.streams):
            self._ways.append(None)
            try:
                info = StreamInfo.of(stream)
            except ReelwayError as error:
                log.info("%s: %s is left out", self.name, error)
                continue
            kind = NAMES.get(stream.type, stream.type)
            number = counts[kind] = counts.get(kind, 0) + 1
            if stream.type == "video" and not stream.codec_context.width:
                log.info("%s: %s%d is left out: nothing came of it", self.name, kind, number)
                continue
            properties = {**describe(stream, info), **connection.said(index), "URL": self.where}
            properties["Container"] = connection.container.format.name
            for name in OF_FILES:
                properties.pop(name, None)
            if self.protocol.pushed and not connection.ends:
                properties["Live"] = True
            raw = raw_of(stream, properties)
            if raw is not None:
                properties = raw
            pid, track = self._pid(kind, number, properties)
            way = self._ways[-1] = _Way(stream, pid, track)
            way.raw, way.exact = raw is not None, connection.exact
            if connection.lossy:
                way.numbers = frame_numbers(info.codec, info.extradata)
                way.unmarked = info.codec == "vp9"
        if not any(self._ways):
            raise FormatError(
                f"{self.where} has no stream that can be read", hint="`reelway doctor` says what can be"
            )

    def _pid(self, kind: str, number: int, properties: dict[str, Any]) -> tuple[Pid, LiveTrack]:
        if (found := self._pids.get((kind, number))) is not None:
            pid, track = found
            if not pid.ended and not _alike(pid.properties, {**properties, **pid.said}):
                properties["Timescale"] = track.timescale
                pid.replace_properties(properties)
            return found
        pid = self.new_pid(f"{kind}{number}", **properties)
        if not self._connection or not self._connection.ends:
            self.output_limits = PUSHED if self.protocol.pushed else None
        made = self._pids[kind, number] = pid, self._times.track(properties["Timescale"])
        return made

    # Packets

    def _take(self, payload: Any, now_s: float) -> None:
        """Sends a packet, unless a keyframe must come first."""
        index = payload.stream_index
        way = self._ways[index] if index < len(self._ways) else None
        if way is None or way.pid.ended:
            return
        if way.picture:
            if way.unmarked:
                payload.is_keyframe = is_vp9_keyframe(memoryview(payload))
            if payload.is_corrupt or (way.numbers is not None and way.numbers.lost(memoryview(payload))):
                way.waits = way.broken = True
            if (payload.is_keyframe or way.raw) and not (payload.is_corrupt or way.doubtful):
                way.waits = False
            way.doubtful = payload.is_corrupt and not way.exact
            if way.waits:
                return
        elif self._opening and now_s - self._begun_s < KEYFRAME_S:
            return
        if payload.dts is None and payload.pts is None and way.fresh and len(way.untimed) < UNTIMED:
            way.untimed.append(payload)
            return
        if way.untimed:
            for each, said in way.timed(payload):
                self._send(way, each, said, now_s)
        self._send(way, payload, None, now_s)

    def _send(self, way: _Way, payload: Any, said: int | None, now_s: float) -> None:
        """`said`: the time of a packet that has none."""
        track, jumps = way.track, way.track.jumps
        dts, cts, duration = way.ticks(payload.dts), way.ticks(payload.pts), way.ticks(payload.duration)
        if way.repeats and track.had(dts if dts is not None else cts):
            return
        if said is not None:
            dts = cts = said
        if way.fresh and not way.picture and track.precedes(dts if dts is not None else cts):
            return  # the picture begins later
        dts, cts = track.place(dts, cts, duration, now_s)
        key = way.raw or bool(payload.is_keyframe)
        sent = frame_of(payload) if way.raw else payload
        packet = Packet(sent, dts, cts, duration or None, 1 if key else 0, sent.size)
        packet.discontinuity = way.broken or track.jumps != jumps or (way.fresh and self.connections > 1)
        way.broken = way.fresh = False
        wall_ns = self._connection.wall_ns(payload.pts, way.ns_a_tick) if self._connection else None
        packet.capture_time = time.time_ns() if wall_ns is None else wall_ns
        if way.picture:
            self._opening, self._pictured_s = False, now_s
        if self._backoff.tries:
            self._backoff.reset()
            self._failures.clear()
        if self._gap is not None:
            self._return(cts / track.timescale)
        way.pid.send(packet)

    def _return(self, here_s: float) -> None:
        """It is there again."""
        assert self._gap is not None
        gap, self._gap = self._gap, None
        ended = Gap(start_s=gap.start_s, end_s=max(here_s, gap.start_s), reason=gap.reason)
        self.gaps.append(ended)
        log.warning("%s is back, after %.1f s", self.name, ended.end_s - ended.start_s)  # type: ignore[operator]
        self._tell(ended)

    def _tell(self, gap: Gap) -> None:
        for pid in self.opids:
            if not pid.ended:
                pid.send_event(gap)
        self.post_message("gap", start_s=gap.start_s, end_s=gap.end_s, reason=gap.reason)


class _Way:
    """From one stream of a connection to its PID."""

    def __init__(self, stream: Any, pid: Pid, track: LiveTrack) -> None:
        self.pid = pid
        self.track = track
        self.picture = stream.type == "video"
        self.waits = self.picture
        """For a keyframe."""
        self.broken = False
        """Packets of it were left out."""
        self.doubtful = False
        """The packet before was said to be damaged, and it may be the next one that is."""
        self.exact = False
        """It is known which packet is damaged: that one, and no other (`Connection.exact`)."""
        self.fresh = True
        """Nothing of it came yet in this connection."""
        self.raw = False
        """Its packets hold frames, which are sent without them."""
        self.repeats = False
        """What it begins with came already, in the connection before."""
        self.unmarked = False
        """FFmpeg does not say which of its pictures are keyframes."""
        self.numbers: FrameNumbers | HevcNumbers | None = None
        """Tells what was lost, where anything may be."""
        base = stream.time_base or Fraction(1, 90000)
        self.untimed: list[Any] = []
        """Its first packets, until one says a time: FFmpeg gives the first of RTSP without one."""
        self._timescale, self._factor = unify(base)
        self.ns_a_tick = float(base * 1_000_000_000)

    def ticks(self, time: int | None) -> int | None:
        """Of the stream to those of the PID."""
        if time is None:
            return None
        time *= self._factor
        scale = self.track.timescale
        return time if scale == self._timescale else rescale(time, self._timescale, scale)

    def timed(self, following: Any) -> list[tuple[Any, int | None]]:
        """The packets that had no times, each with one [ticks of the PID] that leads up to `following`."""
        time = self.ticks(following.dts if following.dts is not None else following.pts)
        usual = self.ticks(following.duration) or 0
        found: list[tuple[Any, int | None]] = []
        while self.untimed:
            payload = self.untimed.pop()
            if time is not None:
                time -= self.ticks(payload.duration) or usual
            found.append((payload, time))
        return found[::-1]


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    names = (one.keys() | other.keys()) - PASSING
    return all(one.get(name) == other.get(name) for name in names)
