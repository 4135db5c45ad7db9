"""A read that waits is ended by another thread."""

from __future__ import annotations

import io
import socket
import threading
import time

import av
import pytest

from reelway.engine import interruption
from reelway.engine.interruption import can_end_reads, end_read
from tests.media import make


@pytest.fixture
def waiting() -> av.container.InputContainer:
    """Has got a film, and waits for more of it that never comes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 0))
        port = sender.getsockname()[1]
    data = make.media("film.ts").read_bytes()
    over = threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            while not over.wait(0.02):
                for at in range(0, min(len(data), 131600), 1316):
                    out.sendto(data[at : at + 1316], ("127.0.0.1", port))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        return av.open(f"udp://127.0.0.1:{port}", timeout=(10.0, -1.0), options={"analyzeduration": "100000"})
    finally:
        over.set()
        thread.join()


def test_this_pyav_is_one_whose_reads_can_be_ended() -> None:
    with av.open(str(make.media("film.mp4"))) as container:
        assert can_end_reads(container)


@pytest.mark.alone
def test_a_read_that_waits_for_ever_comes_back(waiting: av.container.InputContainer) -> None:
    asked_s: list[float] = []

    def ask() -> None:
        asked_s.append(time.monotonic())
        end_read(waiting)

    timer = threading.Timer(1.0, ask)
    with waiting:
        timer.start()
        with pytest.raises(av.error.ExitError):
            for _ in waiting.demux():
                pass
        assert time.monotonic() - asked_s[0] < 1.0
    timer.join()


def test_what_is_no_container_of_pyav_is_left_alone() -> None:
    end_read(io.BytesIO())
    assert not can_end_reads(io.BytesIO())


def test_where_the_place_is_not_found_nothing_is_touched(
    monkeypatch: pytest.MonkeyPatch, waiting: av.container.InputContainer
) -> None:
    monkeypatch.setattr(interruption, "_place", lambda: None)
    with waiting:
        assert not can_end_reads(waiting)
        end_read(waiting)
        before = interruption._bytes_of(waiting)
        end_read(waiting)
        assert interruption._bytes_of(waiting) == before
