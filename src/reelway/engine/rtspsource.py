"""Cameras by RTSP, read without FFmpeg: H.264 and HEVC, AAC, Opus and samples, over TCP or UDP.

FFmpeg gives a picture when the next one begins, asks the socket several times a packet, and does not say where
packets of HEVC were lost. Here a picture is given with its last packet, and one that lacks something is said to.
What else a server may offer is FFmpeg's to read: `NotOurs` says so before anything is played.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import select
import socket
import struct
import sys
import time
from collections import deque
from types import SimpleNamespace
from typing import Any

import av

from reelway.engine.errors import quotable, reading
from reelway.engine.liverefusals import no_media, refused_by
from reelway.engine.rtspclient import SEND_S, Dialogue
from reelway.engine.rtspstreams import Lane, lanes_of
from reelway.engine.rtpvideo import Unit
from reelway.engine.rtspwire import MESSAGE, MORE
from reelway.errors import DeadlineError, FormatError

__all__ = ["RtspConnection", "open_rtsp"]

log = logging.getLogger("reelway.engine.live")

TIMED = sys.platform in ("linux", "darwin")
"""A socket that blocks can be told how long; elsewhere Python asks twice."""
REPORTS_S = 5.0
FIRST_REPORT_S = 1.0
PARAMETERS_S = 5.0
"""A picture that lacks its parameter sets for so long, while others come, is left out."""
MOST_EARLY = 2000
"""Packets that wait until it is known what all streams are."""
RECEIVE_BUFFER = 1 << 20
DATAGRAM = 65536
AT_ONCE = 64
"""Datagrams of one socket, before the others are looked at."""
PORTS = range(20000, 60000, 2)
TRIES = 64
SKEW_S = (0.005, 10.0)
"""Streams whose clocks differ by more than the first are set to each other; by more than the second, no clock
is believed."""


def open_rtsp(url: str, transport: str, until_s: float, open_s: float, silence_s: float) -> RtspConnection:
    """Connects, and waits for the first packet. `until_s`: when `open_s` are over [monotonic].

    Raises DeadlineError, OpenError, FormatError; NotOurs for what FFmpeg is to read.
    """
    dialogue = Dialogue(url, until_s, open_s)
    try:
        connection = RtspConnection(dialogue, transport, silence_s)
        try:
            connection.begin()
        except BaseException:
            connection.close()
            raise
    except BaseException:
        dialogue.close()
        raise
    return connection


class RtspConnection:
    """One session of RTSP that plays; with the face of `liveopen.Connection`."""

    watched = False
    interruptible = True
    is_device = False
    exact = True

    def __init__(self, dialogue: Dialogue, transport: str, silence_s: float) -> None:
        self.transport = transport
        self.lossy = transport == "udp"
        self._where = dialogue.where
        self._dialogue = dialogue
        self._socket = dialogue.socket
        self._wire = dialogue.wire
        self._silence_s = self._timeout_s = silence_s
        description, self._base = dialogue.describe()
        self.ends = description.ends
        self._lanes = lanes_of(description, reorders=self.lossy)
        self._last: Lane | None = None
        """What gave a packet last, and may have more."""
        self._early: deque[tuple[Lane, Unit]] = deque()
        self._channels: dict[int, tuple[Lane, bool]] = {}
        """Of the connection: whose packets they carry, and whether those are reports."""
        self._sockets: dict[int, tuple[socket.socket, Lane, bool]] = {}
        """The same of datagrams, by descriptor."""
        self._poll: Any = None
        self._buffer = bytearray(DATAGRAM if self.lossy else 0)
        self._servers: dict[int, tuple[Any, ...]] = {}
        """Where reports go, by descriptor."""
        self._peer: str = self._socket.getpeername()[0]
        self._own = secrets.randbelow(0x7FFFFFFF) + 1
        self._called_back = self._over = self._playing = False
        self._began_s: float | None = None
        """When the first packet came."""
        self._report_s = self._alive_s = 0.0
        """When the next report is due, and the next word that somebody is there."""
        self._wall_ns: float | None = None
        """The sender's clock at time 0."""
        self._told = 0
        self.container = SimpleNamespace(streams=[], format=SimpleNamespace(name="rtsp"), duration=None)
        """What of FFmpeg's containers others look at."""

    def begin(self) -> None:
        """Sets up all streams, has them sent, and waits until it is known what they are."""
        dialogue = self._dialogue
        for number, lane in enumerate(tuple(self._lanes)):
            self._set_up(number, lane)
        if not self._lanes:
            raise FormatError(f"{self._where} sends none of its streams", hint="ask for another path")
        self._report_s = time.monotonic() + FIRST_REPORT_S
        self._alive_s = time.monotonic() + dialogue.timeout_s / 2
        begins = dialogue.play(self._base)
        self._playing = True
        for lane in self._lanes:
            lane.begin = _begin_of(lane, begins, len(self._lanes))
        if TIMED:
            self._socket.settimeout(None)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _time(SEND_S))
        self._timeout_s = 0.0
        now_s = time.monotonic()
        for channel, packet in dialogue.early:
            self._take(channel, packet, 0, len(packet), now_s)
        self._identify()
        keeper: Any = av.open("parameters", "w", format="null")
        for lane in self._lanes:
            lane.open(keeper)
            self.container.streams.append(lane.stream)

    def _set_up(self, number: int, lane: Lane) -> None:
        dialogue = self._dialogue
        if self.lossy:
            pair = _pair(self._socket)
            ports = [each.getsockname()[1] for each in pair]
            for i, each in enumerate(pair):
                self._sockets[each.fileno()] = each, lane, bool(i)
            asked = f"RTP/AVP;unicast;client_port={ports[0]}-{ports[1]}"
        else:
            asked = f"RTP/AVP/TCP;unicast;interleaved={2 * number}-{2 * number + 1}"
        answer, said = dialogue.set_up(self._base, lane.offer, asked)
        if answer.status != 200 and number and answer.status != 461:
            log.debug("%s: %s is left out: %s", self._where, lane.offer.kind, answer.status)
            self._lanes.remove(lane)
            if self.lossy:
                for each in pair:
                    del self._sockets[each.fileno()]
                    each.close()
            return
        dialogue.check(answer)
        if self.lossy == ("interleaved" in said) or "multicast" in said:
            raise refused_by(461, "", dialogue.given)
        if self.lossy:
            self._reach(pair, said)
        else:
            ends = [int(each) for each in said["interleaved"].split("-") if each.isdigit() and len(each) < 4]
            data = ends[0] if ends else 2 * number
            self._channels[data] = lane, False
            self._channels[ends[1] if len(ends) > 1 else data + 1] = lane, True

    def _reach(self, pair: tuple[socket.socket, socket.socket], said: dict[str, str]) -> None:
        """Opens the way for datagrams through what lies between, and learns where reports go."""
        ports = [
            int(each) for each in said.get("server_port", "").split("-") if each.isdigit() and len(each) < 6
        ]
        if not ports or not all(0 < each < 65536 for each in ports):
            return
        peer = self._socket.getpeername()
        first = struct.pack(">BBHII", 0x80, 0, 0, 0, 0), struct.pack(">BBHI", 0x80, 201, 1, self._own)
        for each, port, hello in zip(
            pair, (ports[0], ports[-1] if len(ports) > 1 else ports[0] + 1), first, strict=True
        ):
            place = (peer[0], port, *peer[2:])
            self._servers[each.fileno()] = place
            with contextlib.suppress(OSError):
                each.sendto(hello, place)

    def _identify(self) -> None:
        """Waits for a packet, and for the parameter sets of each picture."""
        until_s = self._dialogue.until_s
        open_s = self._dialogue.open_s
        try:
            while True:
                lane = self._next(until_s)
                if lane is None:
                    raise FormatError(
                        f"{self._where} ended before it began",
                        hint="the other side has nothing to send, or does not allow this transport",
                    )
                now_s = time.monotonic()
                self._started(lane, now_s)
                while lane.units:
                    unit = lane.units.popleft()
                    if lane.ready:
                        self._early.append((lane, unit))
                while len(self._early) > MOST_EARLY:
                    self._early.popleft()
                if self._early and all(lane.ready for lane in self._lanes):
                    return
                assert self._began_s is not None
                if self._early and now_s - self._began_s > PARAMETERS_S:
                    self._lanes = [lane for lane in self._lanes if lane.ready]
                    return
        except DeadlineError:
            if self._early:
                self._lanes = [lane for lane in self._lanes if lane.ready]
                return
        raise no_media(self._where, open_s)

    # Reading

    def read(self) -> Any:
        """The next av packet; None at the end. Raises DeadlineError, OpenError, FormatError."""
        if self._early:
            lane, unit = self._early.popleft()
            return lane.packet(unit)
        lane_ = self._last
        if lane_ is None or not lane_.units:
            lane_ = self._next(time.monotonic() + self._silence_s)
            if lane_ is None:
                return None
            self._last = lane_
        unit = lane_.units.popleft()
        if lane_.stream is None:
            return self.read()  # of one that was left out
        if lane_.zero is None:
            self._started(lane_, time.monotonic(), unit)
        return lane_.packet(unit)

    def _next(self, until_s: float) -> Lane | None:
        """A stream that has something; None where nothing will come. Raises DeadlineError at `until_s`."""
        failure: BaseException | None = None
        try:
            return self._from_datagrams(until_s) if self.lossy else self._from_stream(until_s)
        except (TimeoutError, BlockingIOError):
            pass
        except OSError as error:
            failure = error  # raised below: in here its text would be the context
        except FormatError as error:
            raise FormatError(
                f"{self._where}: {error}", hint="the sender is no RTSP server, or fails"
            ) from None
        if failure is None or self._called_back:
            raise self._silent()
        raise reading(failure, self._dialogue.given) from quotable(failure)

    def _from_stream(self, until_s: float) -> Lane | None:
        wire, connection = self._wire, self._socket
        now_s = time.monotonic()
        if now_s >= self._report_s:
            self._duties(now_s)
        while True:
            channel = wire.next()
            if channel >= 0:
                found = self._channels.get(channel)
                if found is not None:
                    lane, reports = found
                    if reports:
                        self._reported(lane, bytes(memoryview(wire.buffer)[wire.start : wire.stop]), now_s)
                    else:
                        lane.receiver.take(wire.buffer, wire.start, wire.stop, now_s)
                        if lane.units:
                            wire.heard()
                            return lane
            elif channel == MORE:
                if self._over:
                    return None
                left_s = until_s - now_s
                if left_s <= 0:
                    raise TimeoutError
                if not 0.75 * self._timeout_s <= left_s <= self._timeout_s:
                    self._wait_at_most(left_s)
                count = connection.recv_into(wire.space())
                now_s = time.monotonic()
                if not count:
                    if self._called_back:
                        raise TimeoutError
                    return None
                wire.received(count)
            elif channel == MESSAGE:
                self._over = self._dialogue.take(wire.message) or self._over

    def _wait_at_most(self, wait_s: float) -> None:
        self._timeout_s = wait_s
        if TIMED:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _time(wait_s))
        else:
            self._socket.settimeout(wait_s)

    def _from_datagrams(self, until_s: float) -> Lane | None:
        now_s = time.monotonic()
        if now_s >= self._report_s:
            self._duties(now_s)
        if self._poll is None:
            self._poll = select.poll()
            for number in (self._socket.fileno(), *self._sockets):
                self._poll.register(number, select.POLLIN)
        while True:
            for lane in self._lanes:
                if lane.units:
                    return lane
            if self._over:
                return None
            if self._called_back or now_s >= until_s:
                raise TimeoutError
            due_s = min(
                [until_s, *(due for lane in self._lanes if (due := lane.receiver.due_s()) is not None)]
            )
            ready = self._poll.poll(max(0.0, due_s - now_s) * 1000 + 0.5)
            now_s = time.monotonic()
            for number, _ in ready:
                if number in self._sockets:
                    self._receive(*self._sockets[number], now_s)
                else:
                    self._listen()
            for lane in self._lanes:
                if lane.receiver.held:
                    lane.receiver.look(now_s)

    def _receive(self, from_: socket.socket, lane: Lane, reports: bool, now_s: float) -> None:
        buffer, peer = self._buffer, self._peer
        for _ in range(AT_ONCE):
            try:
                count, sender = from_.recvfrom_into(buffer)
            except BlockingIOError:
                return
            except ConnectionError:  # of something that was sent: nobody is there yet
                continue
            if sender[0] != peer:
                continue
            if reports:
                self._reported(lane, bytes(memoryview(buffer)[:count]), now_s)
            else:
                lane.receiver.take(buffer, 0, count, now_s)

    def _listen(self) -> None:
        """What is said beside the datagrams."""
        connection, wire = self._socket, self._wire
        connection.settimeout(0)
        try:
            count = connection.recv_into(wire.space())
        except BlockingIOError:
            return
        finally:
            connection.settimeout(SEND_S)
        if not count:  # some servers hang up, and send on
            self._poll.unregister(connection.fileno())
            return
        wire.received(count)
        while (found := wire.next()) != MORE:
            if found == MESSAGE:
                self._over = self._dialogue.take(wire.message) or self._over

    # What is said now and then

    def _duties(self, now_s: float) -> None:
        """Reports how much comes, and says that somebody is there."""
        self._report_s = now_s + REPORTS_S
        for number, (each, lane, reports) in self._sockets.items():
            if reports and number in self._servers:
                with contextlib.suppress(OSError):
                    each.sendto(lane.receiver.report(self._own, now_s), self._servers[number])
        for channel, (lane, reports) in self._channels.items():
            if reports:
                told = lane.receiver.report(self._own, now_s)
                self._socket.sendall(b"$" + struct.pack(">BH", channel, len(told)) + told)
        if now_s >= self._alive_s:
            self._alive_s = now_s + self._dialogue.timeout_s / 2
            with contextlib.suppress(OSError) if self.lossy else contextlib.nullcontext():
                self._dialogue.keep_alive(self._base)

    def _reported(self, lane: Lane, data: bytes, now_s: float) -> None:
        lane.receiver.control(data, now_s)
        if lane.receiver.over and all(each.receiver.over for each in self._lanes):
            self._over = True

    # Times

    def _started(self, lane: Lane, now_s: float, unit: Unit | None = None) -> None:
        if self._began_s is None:
            self._began_s = now_s
        if lane.zero is None:
            first = unit or lane.units[0]
            lane.starts(first.time, now_s - self._began_s)

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
            if first is None:
                first = zero_ns
            elif SKEW_S[0] < abs(zero_ns - first) / 1e9 < SKEW_S[1]:
                lane.zero -= round((zero_ns - first) / 1e9 * lane.offer.clock)
        if first is not None:
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
        self._called_back = True
        for each in (self._socket, *(each for each, _, _ in tuple(self._sockets.values()))):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RD)

    def _silent(self) -> DeadlineError:
        return DeadlineError(
            f"{self._where} has sent nothing that is whole for {self._silence_s:g} s",
            hint="check the sender; silence_s says how long is too long",
        )

    def close(self) -> None:
        if self._playing:
            self._playing = False
            with contextlib.suppress(Exception):
                self._socket.settimeout(0)
                self._dialogue.tear_down(self._base)
        for each, _, _ in self._sockets.values():
            each.close()
        self._sockets.clear()
        self._dialogue.close()


def _begin_of(lane: Lane, begins: dict[str, int], lanes: int) -> int | None:
    """The time that the server says the stream begins at; addresses there are written in many ways."""
    if lanes == 1 and len(begins) == 1:
        return next(iter(begins.values()))
    control = lane.offer.control
    for place, time in begins.items():
        if control and (place == control or place.rstrip("/").endswith("/" + control.strip("/"))):
            return time
    return None


def _pair(control: socket.socket) -> tuple[socket.socket, socket.socket]:
    """Two sockets for datagrams at an even port and the next (RFC 3550, 11). Raises OSError."""
    family, here = control.family, control.getsockname()
    for i in range(TRIES):
        port = secrets.choice(PORTS)
        made = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM)
        try:
            for each, number in zip(made, (port, port + 1), strict=True):
                each.setblocking(False)
                each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
                each.bind((here[0], number, *here[2:]))
            return made
        except OSError:
            for each in made:
                each.close()
            if i == TRIES - 1:
                raise
    raise AssertionError("there are tries")


def _time(seconds: float) -> bytes:
    """A struct timeval, never that of 0: it would be for ever."""
    return struct.pack("ll", int(seconds), max(1, int(seconds % 1 * 1_000_000)))
