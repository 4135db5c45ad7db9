"""Cameras by RTSP, read without FFmpeg: H.264 and HEVC, AAC, Opus and samples, over TCP or UDP.

FFmpeg gives a picture when the next one begins, asks the socket several times a packet, and does not say
where packets of HEVC were lost. Here a picture is given with its last packet, and one that lacks something is
said to. What else a server may offer is FFmpeg's to read: `NotOurs` says so before anything is played.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections import deque
from types import SimpleNamespace
from typing import Any

import av

from reelway.engine.errors import quotable, reading
from reelway.engine.liverefusals import no_media, refused_by, silent
from reelway.engine.rtpreceive import Unit
from reelway.engine.rtpvideo import Video
from reelway.engine.rtspcarriers import Carrier, Datagrams, Interleaved
from reelway.engine.rtspclient import Dialogue
from reelway.engine.rtspstreams import Lane, lanes_of
from reelway.errors import DeadlineError, FormatError

__all__ = ["RtspConnection", "open_rtsp"]

log = logging.getLogger("reelway.engine.live")

AHEAD_NS = 365 * 86400 * 10**9
"""What tells a time that is so far ahead has no clock, and counts from when it was switched on."""
REPORTS_S = 5.0
FIRST_REPORT_S = 1.0
PARAMETERS_S = 5.0
"""A picture that lacks its parameter sets for so long, while others come, is left out."""
MOST_EARLY_UNITS = 2000
"""Packets that wait until it is known what all streams are."""
IN_STEP_S = 0.005
"""Streams whose clocks differ by more are set to each other."""
BELIEVED_S = 10.0
"""Clocks that differ by more say nothing."""


def open_rtsp(url: str, transport: str, until_s: float, open_s: float, silence_s: float) -> RtspConnection:
    """Connects, and waits for the first packet. `until_s`: when `open_s` are over [monotonic].

    Raises DeadlineError, OpenError, FormatError; NotOurs for what FFmpeg is to read.
    """
    dialogue = Dialogue(url, until_s, open_s)
    connection: RtspConnection | None = None
    try:
        connection = RtspConnection(dialogue, transport, silence_s)
        connection.begin()
    except BaseException:
        if connection is not None:
            connection.close()
        dialogue.close()
        raise
    return connection


class RtspConnection:
    """One session of RTSP, with the face of `liveopen.Connection`. Used by one thread, and closed by that."""

    watched = False
    interruptible = True
    is_device = False
    exact = True

    def __init__(self, dialogue: Dialogue, transport: str, silence_s: float) -> None:
        self.transport = transport
        self.lossy = transport == "udp"
        self._where = dialogue.where
        self._dialogue = dialogue
        self._silence_s = silence_s
        description, self._base = dialogue.describe()
        self.ends = description.ends
        self._lanes = lanes_of(description, reorders=self.lossy)
        made = Datagrams if self.lossy else Interleaved
        self._carrier: Carrier = made(dialogue, self._lanes, secrets.randbelow(0x7FFFFFFF) + 1)
        self._last: Lane | None = None
        """What gave a packet last, and may have more."""
        self._early: deque[tuple[Lane, Unit]] = deque(maxlen=MOST_EARLY_UNITS)
        """The oldest go, uncounted: nobody knows the streams yet."""
        self._playing = False
        self._began_s: float | None = None
        """When the first packet came."""
        self._due_s = self._report_s = self._alive_s = 0.0
        """When the next thing is to be said: a report, or that somebody is there."""
        self._wall_ns: float | None = None
        """The sender's clock at time 0."""
        self._told = 0
        self.container = SimpleNamespace(streams=[], format=SimpleNamespace(name="rtsp"))
        """What of FFmpeg's containers others look at."""

    def begin(self) -> None:
        """Sets up all streams, has them sent, and waits until it is known what they are."""
        dialogue, carrier = self._dialogue, self._carrier
        for number, lane in enumerate(tuple(self._lanes)):
            answer, said = dialogue.set_up(self._base, lane.offer, carrier.ask(number, lane))
            if answer.status != 200 and number and answer.status != 461:
                log.debug("%s: %s is left out: %d", self._where, lane.offer.kind, answer.status)
                self._lanes.remove(lane)
                carrier.left_out(lane)
                continue
            dialogue.check(answer)
            if not carrier.agreed(lane, said):
                raise refused_by(461, "", dialogue.given)
        begins = dialogue.play(self._base)
        now_s = time.monotonic()
        self._report_s, self._alive_s = now_s + FIRST_REPORT_S, now_s + dialogue.timeout_s / 2
        self._due_s = min(self._report_s, self._alive_s)
        self._playing = True
        for lane in self._lanes:
            lane.begin = _begin_of(lane, begins, len(self._lanes))
        carrier.plays(now_s)
        self._identify()
        keeper: Any = av.open("parameters", "w", format="null")
        for lane in self._lanes:
            lane.open(keeper)
            self.container.streams.append(lane.stream)

    def _identify(self) -> None:
        """Waits for a packet, and for the parameter sets of each picture."""
        until_s = self._dialogue.until_s
        with contextlib.suppress(DeadlineError):
            while not (self._early and all(lane.ready for lane in self._lanes)):
                now_s = time.monotonic()
                if self._early and self._began_s is not None and now_s - self._began_s > PARAMETERS_S:
                    break
                lane = self._next(now_s, until_s)
                if lane is None:
                    raise FormatError(
                        f"{self._where} ended before it began",
                        hint="the other side has nothing to send, or does not allow this transport",
                    )
                while lane.units:
                    unit = lane.units.popleft()
                    self._starts(lane, unit.time)
                    if lane.ready:
                        self._early.append((lane, unit))
        if not self._early:
            raise no_media(self._where, self._dialogue.open_s)
        for lane in [lane for lane in self._lanes if not lane.ready]:
            self._lanes.remove(lane)
            self._carrier.left_out(lane)

    # Reading

    def read(self) -> Any:
        """The next av packet; None at the end. Raises DeadlineError, OpenError, FormatError."""
        if self._early:
            lane, unit = self._early.popleft()
            return lane.packet(unit)
        last = self._last
        if last is None or not last.units:
            now_s = time.monotonic()
            if now_s >= self._due_s:
                self._duties(now_s)
            while (last := self._next(now_s, now_s + self._silence_s)) is not None and last.stream is None:
                last.units.clear()  # it was left out
            self._last = last = last or self._rest()
            if last is None:
                return None
        unit = last.units.popleft()
        if last.zero is None:
            self._starts(last, unit.time)
        return last.packet(unit)

    def _next(self, now_s: float, until_s: float) -> Lane | None:
        """A stream that has something; None where nothing will come. Raises as `read()` does."""
        failure: BaseException
        try:
            return self._carrier.next(now_s, until_s)
        except (TimeoutError, BlockingIOError):
            raise silent(self._where, self._silence_s) from None
        except FormatError as error:
            what, hint = f"{self._where}: {error}", "the sender does not keep to RTSP"
            raise FormatError(what, hint=hint) from None
        except OSError as error:
            failure = error  # raised below: in here its text would be the context
        if self._carrier.ended:
            raise silent(self._where, self._silence_s)
        raise reading(failure, self._dialogue.given) from quotable(failure)

    def _rest(self) -> Lane | None:
        """At the end: a stream of which something is left."""
        for lane in self._lanes:
            lane.receiver.release()
            if isinstance(lane.format, Video):
                lane.format.flush()
        return next((lane for lane in self._lanes if lane.units), None)

    def _duties(self, now_s: float) -> None:
        """Reports how much comes, and says that somebody is there. What cannot be said shows when reading."""
        with contextlib.suppress(OSError):
            if now_s >= self._report_s:
                self._report_s = now_s + REPORTS_S
                self._carrier.report(now_s)
            if now_s >= self._alive_s:
                self._alive_s = now_s + self._dialogue.timeout_s / 2
                self._dialogue.keep_alive(self._base)
        self._due_s = min(self._report_s, self._alive_s)

    # Times

    def _starts(self, lane: Lane, time_: int) -> None:
        now_s = time.monotonic()
        if self._began_s is None:
            self._began_s = now_s
        if lane.zero is None:
            lane.starts(time_, now_s - self._began_s)

    def wall_ns(self, pts: int | None, ns_a_tick: float) -> int | None:
        """The sender's clock [ns since 1970] at `pts`, from its reports."""
        told = 0
        for lane in self._lanes:
            told += lane.receiver.told
        if told != self._told:
            self._told = told
            self._compare()
        if self._wall_ns is None or pts is None:
            return None
        return round(self._wall_ns + pts * ns_a_tick)

    def _compare(self) -> None:
        """Takes what the sender said of its clock, and sets the streams to each other by that."""
        first: float | None = None
        for lane in self._lanes:
            wall = lane.receiver.clock_told()
            if wall is None or lane.zero is None:
                continue
            zero_ns = wall[0] - (wall[1] - lane.zero) * 1e9 / lane.offer.clock
            if zero_ns > time.time_ns() + AHEAD_NS:
                continue
            if first is None:
                first = zero_ns
            elif IN_STEP_S < abs(zero_ns - first) / 1e9 < BELIEVED_S:
                lane.zero -= round((zero_ns - first) / 1e9 * lane.offer.clock)
        self._wall_ns = first

    def said(self, index: int) -> dict[str, Any]:
        """Properties of a stream that FFmpeg's does not tell."""
        return self._lanes[index].said

    # The end

    def left_s(self) -> float:
        """Its reads have their own time limits."""
        return self._silence_s

    def end_read(self) -> None:
        """From another thread: the read that is under way comes back, as if nothing had come in its time."""
        self._carrier.end()

    def close(self) -> None:
        if self._playing:
            self._playing = False
            with contextlib.suppress(Exception):
                self._dialogue.socket.settimeout(0)
                self._dialogue.tear_down(self._base)
        self._carrier.close()
        self._dialogue.close()


def _begin_of(lane: Lane, begins: dict[str, int], lanes: int) -> int | None:
    """The time that the server says the stream begins at; addresses there are written in many ways."""
    if lanes == 1 and len(begins) == 1:
        return next(iter(begins.values()))
    control = lane.offer.control
    for place, begin in begins.items():
        if control and (place == control or place.rstrip("/").endswith("/" + control.strip("/"))):
            return begin
    return None
