"""Servers that do not do what they should: they accept and say nothing, stop half way, dribble, lie."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=cam\r\nt=0 0\r\n"
    b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:stream=0\r\n"
)
PLAYLIST = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\nsegment.ts\n"


class BadServer:
    """Listens on a port of its own; `reached` is set when it does what it was made for."""

    def __init__(self, way: str) -> None:
        self.way = way
        self.reached = threading.Event()
        self.over = threading.Event()
        self.asked: list[str] = []
        """The transports that clients asked for."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(0.1)
        with connection, contextlib.suppress(OSError):
            WAYS[self.way](self, connection)

    # What the ways are made of

    def hold(self) -> None:
        """Says nothing more."""
        self.reached.set()
        self.over.wait()

    def dribble(self, connection: socket.socket, data: bytes) -> None:
        """A byte a second."""
        self.reached.set()
        for i in range(len(data)):
            connection.sendall(data[i : i + 1])
            if self.over.wait(1.0):
                return

    def flood(self, connection: socket.socket, data: bytes) -> None:
        self.reached.set()
        while not self.over.wait(0.05):
            connection.sendall(data)

    def requests(self, connection: socket.socket) -> Iterator[bytes]:
        """The requests as they come, until it is over."""
        data = b""
        while not self.over.is_set():
            while b"\r\n\r\n" in data:
                request, _, data = data.partition(b"\r\n\r\n")
                yield request + b"\r\n"
            with contextlib.suppress(TimeoutError):
                more = connection.recv(4096)
                if not more:
                    return
                data += more

    def rtsp(self, connection: socket.socket, stop_at: str, then: Callable[[bytes], None]) -> None:
        """A good server up to the request `stop_at`, which is given to `then`."""
        for request in self.requests(connection):
            method = request.split()[0].decode()
            if method == stop_at:
                then(request)
                return
            if method == "SETUP":
                self.asked.append("tcp" if b"RTP/AVP/TCP" in request else "udp")
            connection.sendall(answer(request, method))


def answer(request: bytes, method: str = "DESCRIBE", *, length: int | None = None) -> bytes:
    number = re.search(rb"(?i)cseq: *(\d+)", request)
    head = [b"RTSP/1.0 200 OK", b"CSeq: " + (number[1] if number else b"1"), b"Session: 7"]
    body = b""
    if method == "DESCRIBE":
        body = SDP
        size = len(body) if length is None else length
        head += [b"Content-Type: application/sdp", b"Content-Length: %d" % size]
    elif method == "SETUP":
        ports = re.search(rb"client_port=\d+-\d+", request)
        udp = b"RTP/AVP;unicast;" + ports[0] + b";server_port=9-9" if ports else b""
        head += [b"Transport: " + (udp or b"RTP/AVP/TCP;unicast;interleaved=0-1")]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def _after_play(
    make: Callable[[BadServer, socket.socket], None],
) -> Callable[[BadServer, socket.socket], None]:
    def way(server: BadServer, connection: socket.socket) -> None:
        def then(request: bytes) -> None:
            connection.sendall(answer(request, "PLAY"))
            make(server, connection)

        server.rtsp(connection, "PLAY", then)

    return way


def _silent_at(method: str) -> Callable[[BadServer, socket.socket], None]:
    return lambda server, connection: server.rtsp(connection, method, lambda _: server.hold())


def _lies(length: int) -> Callable[[BadServer, socket.socket], None]:
    def way(server: BadServer, connection: socket.socket) -> None:
        def then(request: bytes) -> None:
            connection.sendall(answer(request, length=length))
            server.hold()

        server.rtsp(connection, "DESCRIBE", then)

    return way


def _http(make: Callable[[BadServer, socket.socket], None]) -> Callable[[BadServer, socket.socket], None]:
    """A playlist as it should be; what it names is the bad part."""

    def way(server: BadServer, connection: socket.socket) -> None:
        for request in server.requests(connection):
            if b".m3u8" in request.split()[1]:
                head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PLAYLIST)
                connection.sendall(head + PLAYLIST)
            else:
                make(server, connection)
                return

    return way


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


def _segment_dribbles(server: BadServer, connection: socket.socket) -> None:
    connection.sendall(HEAD)
    server.dribble(connection, b"\x47" * 1000)


WAYS: dict[str, Callable[[BadServer, socket.socket], None]] = {
    "mute": lambda server, _: server.hold(),
    "dribbling head": lambda server, connection: server.dribble(
        connection, b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n" + b"X-A: b\r\n" * 100
    ),
    "silent at OPTIONS": _silent_at("OPTIONS"),
    "silent at DESCRIBE": _silent_at("DESCRIBE"),
    "silent at SETUP": _silent_at("SETUP"),
    "silent at PLAY": _silent_at("PLAY"),
    "silent after PLAY": _after_play(lambda server, _: server.hold()),
    "length too long": _lies(100_000),
    "length of a terabyte": _lies(1 << 40),
    "dribbling media": _after_play(
        lambda server, connection: server.dribble(connection, b"$\x00\x04\x00" + bytes(1024))
    ),
    "wrong lengths": _after_play(
        lambda server, connection: server.flood(connection, b"$\x00\xff\xff" + b"\x01" * 100)
    ),
    "noise": _after_play(lambda server, connection: server.flood(connection, b"\x80" * 1000)),
    "http mute": lambda server, _: server.hold(),
    "http segment mute": _http(lambda server, _: server.hold()),
    "http segment dribbles": _http(_segment_dribbles),
    "rtmp mute": lambda server, _: server.hold(),
    "rtmp noise": lambda server, connection: server.flood(connection, b"\x03" * 1000),
}
ENDINGS = {"http": "/live.m3u8", "rtmp": "/app/stream"}


def address(server: BadServer) -> str:
    """Where a client goes to meet it."""
    scheme = next((each for each in ENDINGS if server.way.startswith(each)), "rtsp")
    return f"{scheme}://127.0.0.1:{server.port}{ENDINGS.get(scheme, '/cam')}"
