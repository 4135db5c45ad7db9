"""RTSP servers as cameras are: each test scripts one with a habit of its own."""

from __future__ import annotations

import contextlib
import logging
import pickle
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import reelway as rw
from tests.live.badserver import BadServer
from tests.live.serving import FPS
from tests.live.watching import Watch, frames, watched
from tests.secrets import PASSWORD, USER, escaped

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=cam\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=1\r\n"
)
PART = 1000
TICKS = 90000 // FPS


class Camera(BadServer):
    """Sends a film by RTP in its TCP connection, or as datagrams; `habits` change what it says.

    The parameter sets come with the pictures, and the description has none.
    """

    def __init__(self, film: Path, **habits: object) -> None:
        self.pictures: list[bytes] = pickle.loads(film.read_bytes())
        self.habits = habits
        self.requests_seen: list[str] = []
        self.answers_seen: list[str] = []
        self.channel = 0
        """Of the media, in its connection."""
        super().__init__("camera")

    @property
    def url(self) -> str:
        who = f"{USER}:{escaped(PASSWORD)}@" if "nonces" in self.habits else ""
        return f"rtsp://{who}127.0.0.1:{self.port}/cam"

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(0.02)
        data, sender, number, sent = b"", None, 0, 0
        with connection, contextlib.suppress(OSError):
            while not self.over.is_set():
                with contextlib.suppress(TimeoutError):
                    more = connection.recv(4096)
                    if not more:
                        return
                    data += more
                while data[:1] == b"$" and len(data) > 4:
                    data = data[4 + int.from_bytes(data[2:4], "big") :]
                while data[:1] != b"$" and b"\r\n\r\n" in data:
                    text, _, data = data.partition(b"\r\n\r\n")
                    request = text.decode()
                    if request.startswith("RTSP/1.0"):
                        self.answers_seen.append(request)
                        continue
                    self.requests_seen.append(request)
                    said, sender = self._answer(request, connection, sender)
                    connection.sendall(said)
                if sender is None:
                    continue
                if sent < int(str(self.habits.get("pictures", 1 << 30))):
                    packets = self._packets(self.pictures[sent % len(self.pictures)], number, sent * TICKS)
                    number += len(packets)
                    sent += 1
                    for each in packets:
                        sender(self.channel, each)
                    if sent == 5 and "question" in self.habits:
                        connection.sendall(b"OPTIONS rtsp://client/ RTSP/1.0\r\nCSeq: 77\r\n\r\n")
                else:
                    sender(1, struct.pack(">BBHI", 0x81, 203, 1, 7))

    def _packets(self, picture: bytes, number: int, time: int) -> list[bytes]:
        units = [unit.rstrip(b"\0") for unit in picture.split(b"\0\0\1") if unit.rstrip(b"\0")]
        payloads = []
        for unit in units:
            if len(unit) <= PART:
                payloads.append(unit)
                continue
            parts = [unit[at : at + PART] for at in range(1, len(unit), PART)]
            for i, part in enumerate(parts):
                said = (i == 0) << 7 | (i == len(parts) - 1) << 6 | unit[0] & 31
                payloads.append(bytes((unit[0] & 0xE0 | 28, said)) + part)
        marks = self.habits.get("marks", True)
        return [
            struct.pack(
                ">BBHII",
                0x80,
                96 | (bool(marks) and i == len(payloads) - 1) << 7,
                number + i & 0xFFFF,
                time & 0xFFFFFFFF,
                7,
            )
            + each
            for i, each in enumerate(payloads)
        ]

    def _answer(
        self, request: str, connection: socket.socket, sender: Callable[[int, bytes], None] | None
    ) -> tuple[bytes, Callable[[int, bytes], None] | None]:
        method, habits = request.split(maxsplit=1)[0], self.habits
        found = re.search(r"(?i)cseq: *(\d+)", request)
        head = [f"CSeq: {habits.get('cseq', found[1] if found else 0)}"]
        status, body = "200 OK", ""
        nonces = habits.get("nonces")
        if isinstance(nonces, list) and f'nonce="{nonces[0]}"' not in request:
            stale = ", stale=true" if "Authorization" in request else ""
            head.append(f'WWW-Authenticate: Digest realm="r", nonce="{nonces[0]}", qop="auth"{stale}')
            return self._said("401 Unauthorized", head, ""), sender
        if isinstance(nonces, list) and len(nonces) > 1 and method == "SETUP":
            nonces.pop(0)
        if method == "OPTIONS":
            head.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN")
        elif method == "DESCRIBE" and "leads_to" in habits:
            return self._said("302 Moved", [*head, f"Location: {habits['leads_to']}"], ""), sender
        elif method == "DESCRIBE":
            head.append("Content-Type: application/sdp")
            body = str(habits.get("sdp", SDP))
        elif method == "SETUP":
            head.append(f"Session: 7{habits.get('session', '')}")
            transport = re.search(r"Transport: (.*?)\r?$", request, re.MULTILINE)
            assert transport
            head.append(f"Transport: {habits.get('transport', transport[1])}")
            ports = re.search(r"client_port=(\d+)-(\d+)", transport[1])
            if ports:
                self.places = [("127.0.0.1", int(ports[i])) for i in (1, 2)]
        elif method == "PLAY":
            sender = self._by_datagrams if hasattr(self, "places") else self._by(connection)
        return self._said(status, head, body), sender

    @staticmethod
    def _said(status: str, head: list[str], body: str) -> bytes:
        lines = [f"RTSP/1.0 {status}", *head, f"Content-Length: {len(body)}", "", body]
        return "\r\n".join(lines).encode()

    @staticmethod
    def _by(connection: socket.socket) -> Callable[[int, bytes], None]:
        return lambda channel, packet: connection.sendall(
            struct.pack(">BBH", 36, channel, len(packet)) + packet
        )

    def _by_datagrams(self, channel: int, packet: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(packet, self.places[channel])


@pytest.fixture
def camera(coded: Path) -> Iterator[Callable[..., Camera]]:
    made: list[Camera] = []

    def make(**habits: object) -> Camera:
        made.append(Camera(coded, **habits))
        return made[-1]

    yield make
    for each in made:
        each.close()


MakeCamera = Callable[..., Camera]


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("marks", [True, False])
def test_parameter_sets_come_with_the_pictures_only(camera: MakeCamera, transport: str, marks: bool) -> None:
    watch = watched(camera(marks=marks).url, 40, transport=transport)
    assert watch.counters[:40] == list(range(40))
    assert (watch.properties["Width"], watch.properties["Height"]) == (320, 240)
    assert not any(watch.flags)


def test_a_server_that_leads_on_to_another(camera: MakeCamera) -> None:
    other = camera()
    assert watched(camera(leads_to=other.url).url, 10).counters[:10] == list(range(10))
    assert [each.split()[0] for each in other.requests_seen[:2]] == ["OPTIONS", "DESCRIBE"]


def test_a_server_that_leads_in_circles(camera: MakeCamera) -> None:
    one, other = camera(), camera()
    one.habits["leads_to"], other.habits["leads_to"] = other.url, one.url
    with pytest.raises(rw.FormatError, match="in circles"):
        watched(one.url, 1, timeout_s=5)


@pytest.mark.parametrize("place", ["rtsp://[bad/x", "rtsp://[zz]/cam", "rtsp://ex\u2100mple/"])
def test_a_server_that_leads_to_no_address(camera: MakeCamera, place: str) -> None:
    with pytest.raises(rw.ReelwayError) as caught:
        watched(camera(leads_to=place).url, 1, timeout_s=5)
    assert caught.value.hint


@pytest.mark.parametrize("word", ["[q7x]", "q7x[x", "q7x\u2100", "q7x x", "q7x\tx", "q7x\udc80"])
def test_a_password_that_is_not_written_as_it_should_be_is_told_to_nobody(
    camera: MakeCamera, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = camera()
    with rw.Session() as session:
        source = session.load_src(server.url.replace("://", f"://{USER}:{word}@"))
        source >> session.load_dst("null")
        session.post(lambda: session.stop() if source.connections else 0.02)
        with contextlib.suppress(rw.ReelwayError):
            session.run()
        told = f"{source.status} {session.graph()} {caplog.text}"
    assert "q7x" not in told


@pytest.mark.parametrize("transport", ["RTP/AVP/TCP;interleaved=255", "RTP/AVP/TCP;interleaved=0-255"])
def test_channels_at_the_end_of_what_there_is(camera: MakeCamera, transport: str) -> None:
    """Reports, which are due after a second, have no channel there, or the last one."""
    server = camera(transport=transport)
    server.channel = 255 if transport.endswith("=255") else 0
    assert len(watched(server.url, 80).counters) >= 80  # of which each takes 20 ms


def test_a_server_that_counts_its_answers_in_its_own_way(camera: MakeCamera) -> None:
    assert watched(camera(cseq=1).url, 10).counters[:10] == list(range(10))


def test_a_nonce_that_is_worn_out_is_replaced(camera: MakeCamera) -> None:
    server = camera(nonces=["first", "second"])
    assert watched(server.url, 10).counters[:10] == list(range(10))
    assert any('nonce="second"' in each for each in server.requests_seen)


def test_somebody_is_there_is_said_before_the_session_ends(camera: MakeCamera) -> None:
    server = camera(session=";timeout=5")
    with rw.Session() as session:
        watch = Watch(lambda _: any(each.startswith("GET_PARAMETER") for each in server.requests_seen))
        session.add(watch)
        session.load_src(server.url) >> watch
        session.run()
    told = next(each for each in server.requests_seen if each.startswith("GET_PARAMETER"))
    assert "Session: 7" in told
    assert len(watch.times) < 5 * 50  # within the five seconds, of which each picture takes 20 ms


def test_a_server_that_asks_is_answered(camera: MakeCamera) -> None:
    server = camera(question=True)
    watch = watched(server.url, 40)
    assert watch.counters[:40] == list(range(40))
    assert any("CSeq: 77" in each for each in server.answers_seen)


@pytest.mark.parametrize(("transport", "marks"), [("tcp", True), ("tcp", False), ("udp", True)])
def test_a_recording_ends(camera: MakeCamera, transport: str, marks: bool) -> None:
    server = camera(marks=marks, sdp=SDP.replace("t=0 0\r\n", "t=0 0\r\na=range:npt=0-1.2\r\n"), pictures=30)
    with rw.Session() as session:
        source = session.load_src(server.url, transport=transport)
        watch = Watch(frames(1000))
        session.add(watch)
        source >> watch
        session.run()
        assert not source.gaps
    assert watch.counters == list(range(30))


def test_what_is_not_read_here_is_left_to_ffmpeg(
    camera: MakeCamera, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "reelway.engine.live")
    server = camera(sdp=SDP.replace("H264", "H263-1998"))
    threading.Timer(1.5, server.over.set).start()
    with contextlib.suppress(rw.ReelwayError):
        watched(server.url, 1, timeout_s=2.0)
    assert "is read by FFmpeg: video is H263-1998" in caplog.text
    asked = [(each.split()[0], "Lavf" in each) for each in server.requests_seen]
    assert ("PLAY", False) not in asked
    assert ("PLAY", True) in asked
