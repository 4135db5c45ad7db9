"""Muxing to where one cannot seek: it blocks its own thread only, and loses nothing."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import reelway as rw
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
