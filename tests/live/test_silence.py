"""The hard contract: whatever a server does, an error comes by the deadline, and `run()` is back in 2 s."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import reelway as rw
from reelway.errors import DeadlineError, FormatError, OpenError, ReelwayError
from tests.live.badserver import WAYS, BadServer, address
from tests.live.serving import free_port
from tests.live.watching import WatchCoded, frames

pytestmark = pytest.mark.alone

MakeBad = Callable[[str], BadServer]
AT_ONCE = {"wrong lengths", "noise", "length of a terabyte", "rtmp noise"}
"""What is plainly no media may be refused before the deadline."""
LATE_S = 0.7
"""By how much a deadline may be missed on a machine that is busy with others."""


@pytest.fixture
def bad_server() -> Iterator[MakeBad]:
    made: list[BadServer] = []

    def make(way: str) -> BadServer:
        made.append(BadServer(way))
        return made[-1]

    yield make
    for server in made:
        server.close()


def error_of(url: str, **options: object) -> tuple[ReelwayError, float]:
    """What `run()` raises of it, and after how long [s]."""
    started = time.monotonic()
    with rw.Session() as session:
        session.load_src(url, **options) >> session.add(WatchCoded(frames(1)))
        with pytest.raises(ReelwayError) as caught:
            session.run()
    return caught.value, time.monotonic() - started


def all_at_once(check: Callable[[str], None]) -> None:
    """`check(way)` of every way, beside each other, for each of them mostly waits."""
    with ThreadPoolExecutor(len(WAYS)) as pool:
        done = {way: pool.submit(check, way) for way in WAYS}
    failed = {way: each.exception() for way, each in done.items() if each.exception() is not None}
    assert not failed


def test_an_error_by_the_deadline(bad_server: MakeBad) -> None:
    def check(way: str) -> None:
        server = bad_server(way)
        error, after_s = error_of(address(server), timeout_s=1.5, silence_s=0.5)
        assert after_s < 1.5 + LATE_S
        assert isinstance(error, DeadlineError | FormatError | OpenError)
        assert f"127.0.0.1:{server.port}" in str(error)
        assert error.hint
        if way not in AT_ONCE:
            assert isinstance(error, DeadlineError)
            assert "within 1.5 s" in str(error)
            assert after_s > 1.4

    all_at_once(check)


def test_of_udp_nothing_arrives_then_tcp_is_tried_within_the_same_deadline(bad_server: MakeBad) -> None:
    server = bad_server("silent after PLAY")
    error, after_s = error_of(address(server), transport="udp+tcp", timeout_s=2.0, silence_s=0.5)
    assert server.asked == ["udp", "tcp"]
    assert "no media within 2 s" in str(error)
    assert 1.9 < after_s < 2.0 + LATE_S


@pytest.mark.parametrize("url", ["udp://127.0.0.1:{}", "udp://239.255.41.1:{}?localaddr=127.0.0.1"])
def test_an_error_by_the_deadline_where_nobody_sends(url: str) -> None:
    error, after_s = error_of(url.format(free_port()), timeout_s=1.5, silence_s=0.5)
    assert isinstance(error, DeadlineError)
    assert after_s < 1.5 + LATE_S


def test_run_is_back_within_two_seconds_of_stop(bad_server: MakeBad) -> None:
    servers: list[BadServer] = []
    before = set(threading.enumerate())

    def check(way: str) -> None:
        server = bad_server(way)
        servers.append(server)
        asked: list[float] = []

        def stop_it() -> None:
            assert server.reached.wait(10)
            asked.append(time.monotonic())
            session.stop()

        stopper = threading.Thread(target=stop_it)
        with rw.Session() as session:
            url = address(server)
            session.load_src(url, timeout_s=3.0, silence_s=1.0) >> session.add(WatchCoded(frames(1)))
            stopper.start()
            with contextlib.suppress(*(() if way not in AT_ONCE else (FormatError, OpenError))):
                session.run()
            back = time.monotonic()
        stopper.join()
        assert back - asked[0] < 2.0

    all_at_once(check)
    _ended(before.union(*(server._threads for server in servers)))


STOPPED = """
import sys, threading
sys.path.insert(0, sys.argv[2])
import reelway as rw
from tests.live.watching import WatchCoded, frames
with rw.Session() as session:
    session.load_src(sys.argv[1]) >> session.add(WatchCoded(frames(1)))
    threading.Timer(0.3, session.stop).start()
    session.run()
assert session.statistics().abandoned == ("live",)
"""


@pytest.mark.parametrize("way", ["mute", "dribbling media", "http segment dribbles", "rtmp mute"])
def test_the_process_ends_well_though_a_thread_is_left_in_c(bad_server: MakeBad, way: str) -> None:
    server = bad_server(way)
    command = [sys.executable, "-W", "error", "-c", STOPPED, address(server), str(Path(__file__).parents[2])]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - started < 6


def _ended(before: set[threading.Thread]) -> None:
    """What was abandoned in C comes back by its deadline, and ends."""
    until = time.monotonic() + 3.0 + LATE_S
    for thread in set(threading.enumerate()) - before:
        thread.join(max(0.0, until - time.monotonic()))
        assert not thread.is_alive(), thread
