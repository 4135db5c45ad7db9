"""How the packets of an RTSP session come: between its messages, over TCP, or as datagrams of their own.

Both carriers block until a stream has something, the given moment is there, or another thread ends it.
"""

from __future__ import annotations

import contextlib
import secrets
import select
import socket
import struct
import sys
import time
from typing import Any

from reelway.engine.rtspclient import SEND_S, Dialogue
from reelway.engine.rtspstreams import Lane
from reelway.engine.rtspwire import MESSAGE, MORE
from reelway.engine.sdpread import NotOurs

__all__ = ["Carrier", "Datagrams", "Interleaved"]

TIMED = sys.platform in ("linux", "darwin")
"""A socket that blocks can be told how long; elsewhere Python asks twice."""
RECEIVE_BUFFER = 1 << 20
DATAGRAM = 65536
MOST_CHANNEL = 255
AT_ONCE = 64
"""Datagrams of one socket, before the others are looked at."""
PORTS = range(20000, 60000, 2)
TRIES = 64


class Carrier:
    """What both share. A `Lane` that has units is given, until it has none."""

    def __init__(self, dialogue: Dialogue, lanes: list[Lane], own: int) -> None:
        self.lanes = lanes
        self.over = False
        """The sender has said that nothing more will come."""
        self.ended = False
        """Another thread wants no more."""
        self._dialogue = dialogue
        self._socket = dialogue.socket
        self._wire = dialogue.wire
        self._own = own
        """Who we are, in reports."""

    def ask(self, number: int, lane: Lane) -> str:
        """What is asked for in a SETUP, for the stream of this number."""
        raise NotImplementedError

    def agreed(self, lane: Lane, said: dict[str, str]) -> bool:
        """Takes what the server says of the transport; False where that is another one."""
        raise NotImplementedError

    def left_out(self, lane: Lane) -> None:
        """The server does not send this one."""

    def plays(self, now_s: float) -> None:
        """The packets come from now on."""

    def next(self, now_s: float, until_s: float) -> Lane | None:
        """A stream that has something; None where nothing more will come. Raises TimeoutError, OSError,
        FormatError."""
        raise NotImplementedError

    def report(self, now_s: float) -> None:
        """Tells the server how much comes. Raises OSError."""

    def end(self) -> None:
        """From another thread: `next` comes back at once, with TimeoutError."""
        self.ended = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        """Of sockets those that are its own."""

    def _reported(self, lane: Lane, data: bytes, now_s: float) -> None:
        lane.receiver.control(data, now_s)
        if lane.receiver.over and all(each.receiver.over for each in self.lanes):
            self.over = True


class Interleaved(Carrier):
    """Packets between messages (RFC 2326, 10.12)."""

    def __init__(self, dialogue: Dialogue, lanes: list[Lane], own: int) -> None:
        super().__init__(dialogue, lanes, own)
        self._channels: dict[int, tuple[Lane, bool]] = {}
        """Whose packets they carry, and whether those are reports."""
        self._timeout_s = 0.0
        self._asked = 0
        """The channel that was asked for last."""

    def ask(self, number: int, lane: Lane) -> str:
        self._asked = 2 * number
        return f"RTP/AVP/TCP;unicast;interleaved={2 * number}-{2 * number + 1}"

    def agreed(self, lane: Lane, said: dict[str, str]) -> bool:
        if "interleaved" not in said:
            return False
        numbers = _numbers(said["interleaved"], MOST_CHANNEL) or [self._asked]
        self._channels.setdefault(numbers[0], (lane, False))
        second = numbers[1] if len(numbers) > 1 else numbers[0] + 1
        if second <= MOST_CHANNEL:
            self._channels.setdefault(second, (lane, True))
        return True

    def plays(self, now_s: float) -> None:
        if TIMED:
            self._socket.settimeout(None)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _time(SEND_S))
        for channel, packet in self._dialogue.early:
            self._take(channel, packet, 0, len(packet), now_s)
        self._dialogue.early.clear()

    def next(self, now_s: float, until_s: float) -> Lane | None:
        wire, channels = self._wire, self._channels
        while True:
            channel = wire.next()
            if channel >= 0:
                found = channels.get(channel)
                if found is None:
                    continue
                lane, reports = found
                if reports:
                    self._take(channel, wire.buffer, wire.start, wire.stop, now_s)
                    continue
                lane.receiver.take(wire.buffer, wire.start, wire.stop, now_s)
                if lane.units:
                    wire.heard()
                    return lane
            elif channel == MORE:
                if self.over:
                    return None
                left_s = until_s - now_s
                if left_s <= 0:
                    raise TimeoutError
                # a limit that is nearly right stays: each change is a call of the system
                if not 0.75 * self._timeout_s <= left_s <= self._timeout_s:
                    self._wait_at_most(left_s)
                count = self._socket.recv_into(wire.space())
                now_s = time.monotonic()
                if not count:
                    if self.ended:
                        raise TimeoutError
                    return None
                wire.received(count)
            elif channel == MESSAGE:
                self.over = self._dialogue.take(wire.message) or self.over

    def report(self, now_s: float) -> None:
        for channel, (lane, reports) in self._channels.items():
            if reports:
                told = lane.receiver.report(self._own, now_s)
                self._socket.sendall(b"$" + struct.pack(">BH", channel, len(told)) + told)

    def _take(self, channel: int, data: Any, start: int, stop: int, now_s: float) -> None:
        found = self._channels.get(channel)
        if found is not None and found[1]:
            self._reported(found[0], bytes(data[start:stop]), now_s)
        elif found is not None:
            found[0].receiver.take(data, start, stop, now_s)

    def _wait_at_most(self, wait_s: float) -> None:
        self._timeout_s = wait_s
        if TIMED:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _time(wait_s))
        else:
            self._socket.settimeout(wait_s)


class Datagrams(Carrier):
    """Packets by UDP: a pair of ports for each stream, the second one for reports."""

    def __init__(self, dialogue: Dialogue, lanes: list[Lane], own: int) -> None:
        super().__init__(dialogue, lanes, own)
        self._pairs: dict[Lane, tuple[socket.socket, socket.socket]] = {}
        self._sockets: dict[int, tuple[socket.socket, Lane, bool]] = {}
        """By descriptor: whose packets come there, and whether those are reports."""
        self._servers: dict[int, Any] = {}
        """Where reports go, by descriptor."""
        if not hasattr(select, "poll"):
            raise NotOurs("this system cannot wait for several sockets at once")
        self._poll = select.poll()
        self._buffer = bytearray(DATAGRAM)
        self._peer = dialogue.socket.getpeername()
        self._hosts = {self._peer[0]}
        """Who may send."""

    def ask(self, number: int, lane: Lane) -> str:
        pair = self._pairs[lane] = _pair(self._socket)
        for i, each in enumerate(pair):
            self._sockets[each.fileno()] = each, lane, bool(i)
        first, second = (each.getsockname()[1] for each in pair)
        return f"RTP/AVP;unicast;client_port={first}-{second}"

    def agreed(self, lane: Lane, said: dict[str, str]) -> bool:
        if "interleaved" in said or "multicast" in said:
            return False
        if source := said.get("source"):
            self._hosts.add(source)
        ports = _numbers(said.get("server_port", ""), 65535)
        if ports:
            self._reach(lane, ports[0], ports[1] if len(ports) > 1 else ports[0] + 1)
        return True

    def _reach(self, lane: Lane, *ports: int) -> None:
        """Opens the way for datagrams through what lies between."""
        hellos = struct.pack(">BBHII", 0x80, 0, 0, 0, 0), struct.pack(">BBHI", 0x80, 201, 1, self._own)
        for each, port, hello in zip(self._pairs[lane], ports, hellos, strict=True):
            place = self._servers[each.fileno()] = (self._peer[0], port, *self._peer[2:])
            with contextlib.suppress(OSError, OverflowError):
                each.sendto(hello, place)

    def left_out(self, lane: Lane) -> None:
        for each in self._pairs.pop(lane, ()):
            with contextlib.suppress(KeyError):  # where it plays already
                self._poll.unregister(each)
            del self._sockets[each.fileno()]
            self._servers.pop(each.fileno(), None)
            each.close()

    def plays(self, now_s: float) -> None:
        self._socket.settimeout(SEND_S)
        for number in (self._socket.fileno(), *self._sockets):
            self._poll.register(number, select.POLLIN)

    def next(self, now_s: float, until_s: float) -> Lane | None:
        while True:
            due_s = until_s
            for lane in self.lanes:
                if lane.units:
                    return lane
                if lane.receiver.held:
                    due_s = min(due_s, lane.receiver.due_s() or due_s)
            if self.over:
                return None
            if self.ended or now_s >= until_s:
                raise TimeoutError
            ready = self._poll.poll(max(0.0, due_s - now_s) * 1000 + 0.5)  # [ms]; then it is due
            now_s = time.monotonic()
            for number, _ in ready:
                if number in self._sockets:
                    self._receive(*self._sockets[number], now_s)
                else:
                    self._listen(number)
            for lane in self.lanes:
                if lane.receiver.held:
                    lane.receiver.look(now_s)

    def report(self, now_s: float) -> None:
        for number, (each, lane, reports) in self._sockets.items():
            if reports and number in self._servers:
                with contextlib.suppress(OSError, OverflowError):
                    each.sendto(lane.receiver.report(self._own, now_s), self._servers[number])

    def end(self) -> None:
        super().end()
        # a copy, made at once under the GIL: the reader may close them meanwhile; a server may have hung up,
        # and sent on
        for each in tuple(self._sockets.values()):
            with contextlib.suppress(OSError):
                each[0].shutdown(socket.SHUT_RD)

    def close(self) -> None:
        for each, _, _ in self._sockets.values():
            each.close()
        self._sockets.clear()

    def _receive(self, from_: socket.socket, lane: Lane, reports: bool, now_s: float) -> None:
        buffer, hosts = self._buffer, self._hosts
        for _ in range(AT_ONCE):
            try:
                count, sender = from_.recvfrom_into(buffer)
            except BlockingIOError:
                return
            except ConnectionError:  # of something that was sent: nobody is there yet
                continue
            if not sender or sender[0] not in hosts:
                if self.ended:
                    return
                continue
            if reports:
                self._reported(lane, bytes(memoryview(buffer)[:count]), now_s)
            else:
                lane.receiver.take(buffer, 0, count, now_s)

    def _listen(self, number: int) -> None:
        """What is said beside the datagrams."""
        wire = self._wire
        self._socket.settimeout(0)
        try:
            count = self._socket.recv_into(wire.space())
        except BlockingIOError:
            return
        except ConnectionError:
            count = 0
        finally:
            self._socket.settimeout(SEND_S)
        if not count:  # some servers hang up, and send on
            self._poll.unregister(number)
            return
        wire.received(count)
        while (found := wire.next()) != MORE:
            if found == MESSAGE:
                self.over = self._dialogue.take(wire.message) or self.over


def _numbers(text: str, most: int) -> list[int]:
    """Those of a range such as `4-5`."""
    found = [int(each) for each in text.split("-") if each.isascii() and each.isdigit() and len(each) < 6]
    return found if all(each <= most for each in found) else []


def _pair(control: socket.socket) -> tuple[socket.socket, socket.socket]:
    """Two sockets for datagrams at an even port and the next (RFC 3550, 11). Raises OSError."""
    here = control.getsockname()
    for i in range(TRIES):
        port = secrets.choice(PORTS)
        made = (
            socket.socket(control.family, socket.SOCK_DGRAM),
            socket.socket(control.family, socket.SOCK_DGRAM),
        )
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
