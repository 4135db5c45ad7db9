"""A live source started and stopped over and over in one process; many at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

import reelway as rw
from tests.conftest import count
from tests.live.conftest import MakeServer
from tests.live.watching import Watch, WatchCoded, rises

CYCLES = count(200)
HUNDREDS = count(200)
SCRIPT = """
import os, sys, threading
sys.path.insert(0, sys.argv[3])
from tests.live.watching import watched
before = None
for number in range(int(sys.argv[2])):
    assert watched(sys.argv[1], 2).counters[0] in range(250)
    now = len(os.listdir("/proc/self/fd")), threading.active_count()
    before = before or now
    assert now == before, (number, now, before)
"""


def test_a_process_that_starts_and_stops_it_many_times_ends_well(rtsp_server: MakeServer) -> None:
    server = rtsp_server(sound="aac")
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-W", "error", "-c", SCRIPT, server.url, str(CYCLES), root]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20 + 2 * CYCLES)
    assert done.returncode == 0, done.stderr


def test_many_sources_in_one_session_none_of_which_loses_a_packet(rtsp_server: MakeServer) -> None:
    server = rtsp_server(shared=True)
    before = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))

    def enough(_: Watch) -> bool:
        return all(len(each.times) >= 60 for each in watches)

    watches: list[WatchCoded] = []
    with rw.Session() as session:
        for _ in range(20):
            watches.append(WatchCoded(enough))
            session.add(watches[-1])
            session.load_src(server.url) >> watches[-1]
        session.run()
    for watch in watches:
        assert rises(watch.times)
        steps = {b - a for a, b in pairwise(watch.times)}
        assert all(abs(step - 3600) < 90 for step in steps)  # none is missing
        assert not any(watch.flags)
    threads, descriptors = before
    assert set(threading.enumerate()) == threads
    assert len(os.listdir("/proc/self/fd")) <= descriptors  # what tests before left behind may go


@pytest.mark.alone
def test_hundreds_begin_together_and_stop_in_time(rtsp_server: MakeServer) -> None:
    server = rtsp_server(shared=True)
    before = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    there: set[Watch] = set()
    stopped_s: list[float] = []

    def enough(watch: Watch) -> bool:
        if len(watch.times) == 5:
            there.add(watch)
        if len(there) < HUNDREDS or stopped_s:
            return False
        stopped_s.append(time.monotonic())
        return True

    watches = [WatchCoded(enough) for _ in range(HUNDREDS)]
    with rw.Session() as session:
        for watch in watches:
            session.add(watch)
            session.load_src(server.url) >> watch
        session.run()
        assert time.monotonic() - stopped_s[0] < 2.0
        assert not session.statistics().abandoned
    for watch in watches:
        assert watch.counters[0] == 1
        assert rises(watch.times)
        assert not watch.gaps
    assert (set(threading.enumerate()), len(os.listdir("/proc/self/fd"))) == before


def test_sources_come_and_go_while_the_session_runs(rtsp_server: MakeServer) -> None:
    server = rtsp_server(shared=True)
    added: list[tuple[rw.Filter, WatchCoded]] = []
    threads = len(threading.enumerate())

    def enough(_: Watch) -> bool:
        if len(added) < 4 and (not added or len(added[-1][1].times) > 3):
            new = WatchCoded(lambda _: False)
            source = session.load_src(server.url)
            session.add(new)
            source >> new
            added.append((source, new))
            if len(added) > 1:
                session.remove(added[-2][0])
        return len(added) == 4 and len(added[-1][1].times) > 10

    with rw.Session() as session:
        steady = WatchCoded(enough)
        session.add(steady)
        session.load_src(server.url) >> steady
        session.run()
    assert all(new.times for _, new in added)
    assert all(new.counters[0] == 1 and new.times[0] == 0 for _, new in added)
    assert all(abs(b - a - 3600) < 90 for a, b in pairwise(steady.times))
    assert len(threading.enumerate()) == threads
