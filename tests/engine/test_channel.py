"""Muxing to where one cannot seek: it blocks its own thread only, and loses nothing."""

import contextlib
import http.client
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

import reelway as rw
from reelway.engine.channel import Channel, open_channel
from tests.media import make, probe


def read_all(end: socket.socket, into: Path) -> None:
    connection, _ = end.accept()
    with connection, into.open("wb") as file:
        while data := connection.recv(4096):
            file.write(data)


def test_over_tcp_every_packet_arrives(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        got = tmp_path / "got.ts"
        reader = threading.Thread(target=read_all, args=(server, got))
        reader.start()
        with rw.Session() as session:
            session.load_src(str(make.media("film.mp4")))
            session.load_dst(f"tcp://127.0.0.1:{server.getsockname()[1]}", format="mpegts")
            session.run()
        reader.join(20)
    assert probe.counters(got) == list(range(100))


def test_a_refused_connection_is_one_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with rw.Session() as session:
        session.load_src(str(make.media("film.mp4")))
        session.load_dst(f"tcp://127.0.0.1:{port}", format="mpegts")
        with pytest.raises(rw.OpenError, match=rf"tcp://127\.0\.0\.1:{port}: Connection refused"):
            session.run()


@pytest.mark.parametrize("form", ["matroska", "mpegts", "mp4", "flv"])
def test_a_transport_stream_through_standard_output(form: str, tmp_path: Path) -> None:
    program = (
        "import sys, reelway as rw\n"
        f"with rw.Session() as session:\n"
        f"    session.load_src({str(make.media('film.ts'))!r})\n"
        f"    session.load_dst('pipe:1', format={form!r})\n"
        "    session.run()\n"
    )
    got = tmp_path / "got"
    with got.open("wb") as file:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, check=False, timeout=60
        )
        file.write(done.stdout)
    assert done.returncode == 0
    assert probe.counters(got) == list(range(100))
    assert [stream.codec for stream in probe.packets(got)] == ["h264", "aac"]


def test_the_other_threads_run_while_a_pipe_has_no_reader(tmp_path: Path) -> None:
    fifo = tmp_path / "out.ts"
    os.mkfifo(fifo)
    with rw.Session() as session:
        source = session.load_src(str(make.media("film.mp4")))
        source >> session.load_dst(str(tmp_path / "beside.ts"))
        source.audio >> session.load_dst(str(fifo))
        beats: list[int] = []

        def beat() -> float:
            beats.append(1)
            if len(beats) == 20:
                session.stop("fast")
            return 0.01

        session.post(beat)
        session.run()
        assert len(beats) == 20
        assert session.statistics().abandoned == ("mux2",)
    os.close(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK))  # lets the thread go


class Uploads(http.server.BaseHTTPRequestHandler):
    """Takes chunked uploads; `/refused` and `/moved` not, `/silent` without ever answering."""

    protocol_version = "HTTP/1.1"
    got: dict[str, bytes]
    users: list[str]
    let_go: threading.Event

    def do_POST(self) -> None:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        self.got[self.path] = body
        self.users.append(self.headers.get("Authorization", ""))
        if self.path == "/silent":
            self.let_go.wait(30)
        self.send_response({"/refused": 403, "/moved": 302}.get(self.path, 201))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def uploads() -> Iterator[tuple[int, type[Uploads]]]:
    handler = type("Handler", (Uploads,), {"got": {}, "users": [], "let_go": threading.Event()})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port, handler
        handler.let_go.set()
        server.shutdown()
        thread.join(10)


def upload(url: str) -> None:
    with rw.Session() as session:
        session.load_src(str(make.media("film.mp4")))
        session.load_dst(url, format="mpegts")
        session.run()


def test_an_upload_arrives_whole(uploads: tuple[int, type[Uploads]], tmp_path: Path) -> None:
    port, handler = uploads
    upload(f"http://me:q7xp%40q7xss@127.0.0.1:{port}/film.ts?x=1")
    (tmp_path / "got.ts").write_bytes(handler.got["/film.ts?x=1"])
    assert probe.counters(tmp_path / "got.ts") == list(range(100))
    assert handler.users == ["Basic bWU6cTd4cEBxN3hzcw=="]


def test_a_server_that_refuses_an_upload_is_an_error(uploads: tuple[int, type[Uploads]]) -> None:
    port, _ = uploads
    with pytest.raises(rw.OpenError, match=r":\*\*\*@.*/refused: the server answered 403 Forbidden"):
        upload(f"http://me:q7xsecret@127.0.0.1:{port}/refused")


def test_a_server_that_sends_an_upload_elsewhere_has_not_taken_it(uploads: tuple[int, type[Uploads]]) -> None:
    port, _ = uploads
    with pytest.raises(rw.OpenError, match="/moved: the server answered 302 Found"):
        upload(f"http://127.0.0.1:{port}/moved")


@contextlib.contextmanager
def answering(answer: bytes, *, reads_all: bool) -> Iterator[tuple[int, threading.Thread]]:
    """A server that says `answer` to one upload: behind its end, or to its header, and closes."""

    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, connection.makefile("rb") as file:
            while file.readline().strip():
                pass
            while reads_all and (size := int(file.readline(), 16)):
                file.read(size + 2)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        yield server.getsockname()[1], thread
        thread.join(10)


def write_on(channel: Channel) -> None:
    """More than the system keeps for a server that does not read."""
    for _ in range(1000):
        channel.write(bytes(1 << 16))


def test_a_server_that_refuses_early_is_heard() -> None:
    refusal = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"
    with answering(refusal, reads_all=False) as (port, thread):
        channel = open_channel(f"http://127.0.0.1:{port}/film.ts")
        assert channel is not None
        thread.join(10)
        for _ in range(2):  # the second time no new connection is made, to send the rest to
            with pytest.raises(OSError, match="^the server answered 413 Content Too Large$"):
                write_on(channel)
        with pytest.raises(OSError, match="^the server answered 413 Content Too Large$"):
            channel.close()
    with answering(refusal, reads_all=False) as (port, _), pytest.raises(rw.OpenError, match="answered 413"):
        upload(f"http://127.0.0.1:{port}/film.ts")


def test_a_server_that_closes_early_without_a_word_is_a_broken_connection() -> None:
    with answering(b"", reads_all=False) as (port, thread):
        channel = open_channel(f"http://127.0.0.1:{port}/film.ts")
        assert channel is not None
        thread.join(10)
        with pytest.raises(ConnectionError):
            write_on(channel)
        with pytest.raises(ConnectionError):
            channel.close()


@pytest.mark.parametrize("answer", [b"secret\r\n\r\n", b"HTTP/1.1 201 " + bytes(70_000) + b"\r\n\r\n"])
def test_an_answer_that_is_not_http_is_an_error_of_the_world(answer: bytes) -> None:
    with (
        answering(answer, reads_all=True) as (port, _),
        pytest.raises(rw.OpenError, match="film.ts: what the server answered is not HTTP") as told,
    ):
        upload(f"http://127.0.0.1:{port}/film.ts")
    assert "secret" not in "".join(traceback.format_exception(told.value))


@pytest.mark.parametrize("path", ["a b", "\u00e9"])
def test_an_address_that_http_cannot_ask_for_is_an_error_without_its_secrets(
    uploads: tuple[int, type[Uploads]], path: str
) -> None:
    port, handler = uploads
    secrets = "q7xhunter2", "q7xyzzy"
    url = "http://me:{1}@127.0.0.1:{0}/{3}?token={2}".format(port, *secrets, path)
    with pytest.raises(rw.OpenError, match="cannot be asked for: spaces, and letters beyond ASCII") as told:
        upload(url)
    shown = "".join(traceback.format_exception(told.value))
    assert not any(secret in shown for secret in secrets)
    assert not handler.got


@pytest.mark.parametrize("scheme", ["http", "tcp"])
def test_a_port_that_is_no_number(scheme: str) -> None:
    with pytest.raises(rw.OpenError, match="the port in this address is no number"):
        upload(f"{scheme}://127.0.0.1:eighty/film.ts")


def test_a_connection_that_fails_at_the_header_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[http.client.HTTPConnection] = []

    def fail(self: http.client.HTTPConnection, *_: object, **__: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(http.client.HTTPConnection, "endheaders", fail)
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect = http.client.HTTPConnection.connect

        def note(self: http.client.HTTPConnection) -> None:
            connect(self)
            closed.append(self)

        monkeypatch.setattr(http.client.HTTPConnection, "connect", note)
        with pytest.raises(BrokenPipeError):
            open_channel(f"http://127.0.0.1:{server.getsockname()[1]}/film.ts")
        assert [each.sock for each in closed] == [None]


def test_a_server_that_does_not_answer_an_upload(
    uploads: tuple[int, type[Uploads]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, _ = uploads
    monkeypatch.setattr("reelway.engine.channel.ANSWER_S", 0.2)
    with pytest.raises(rw.ReelwayError, match="/silent: .*timed out"):
        upload(f"http://127.0.0.1:{port}/silent")


@pytest.mark.alone
def test_others_go_on_and_stop_is_quick_while_a_server_does_not_answer(
    uploads: tuple[int, type[Uploads]], tmp_path: Path
) -> None:
    port, handler = uploads
    with rw.Session() as session:
        source = session.load_src(str(make.media("film.mp4")))
        source >> session.load_dst(str(tmp_path / "beside.ts"))
        source >> session.load_dst(f"http://127.0.0.1:{port}/silent", format="mpegts")
        started = time.monotonic()
        session.run()
        assert time.monotonic() - started < 3
        assert session.statistics().abandoned == ("mux2",)
    assert probe.counters(tmp_path / "beside.ts") == list(range(100))
    assert "/silent" in handler.got
