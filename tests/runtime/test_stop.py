"""`run()` returns within 2 s of `stop()`, whatever hangs; Ctrl-C; asyncio; sessions beside each other."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import reelway as rw
from reelway.filters.simple import Forward, Null
from reelway.testing.clock import VirtualClock
from reelway.testing.faults import HangingSink, HangingSource, Slow
from reelway.testing.parts import Collect, Feed, numbered
from tests.media import make, probe
from tests.runtime.test_deadlock import Live

LIMIT_S = 2.0


def stopped_in(session: rw.Session, when: threading.Event, flush: str = "all") -> float:
    """How long `run()` took to return after `stop()`, which comes when `when` is set [s]."""
    asked: list[float] = []

    def stop() -> None:
        when.wait(30)
        asked.append(time.perf_counter())
        session.stop(flush)  # type: ignore[arg-type]

    thread = threading.Thread(target=stop)
    thread.start()
    session.run()
    returned = time.perf_counter()
    thread.join()
    return returned - asked[0]


@pytest.mark.alone
@pytest.mark.parametrize("flush", ["all", "fast", "none"])
@pytest.mark.parametrize("where", ["open", "process", "close"])
def test_a_source_hangs_in_c(where: str, flush: str) -> None:
    session = rw.Session(threads=2)
    source, sink = HangingSource(where=where), Collect()
    session.add(source) >> session.add(sink)
    other, sink2 = session.add(Feed(numbered(10))), Collect()
    other >> session.add(sink2)
    assert stopped_in(session, source.pipe.hanging, flush) < LIMIT_S
    assert session.statistics().abandoned == ("HangingSource",)
    assert sink2.closed == 1
    assert not source.closed.is_set()
    source.pipe.release()
    assert source.closed.wait(10)  # by its own thread, when C returned


@pytest.mark.alone
@pytest.mark.parametrize("where", ["process", "ended", "close"])
def test_a_sink_hangs_in_c(where: str) -> None:
    session = rw.Session(threads=2)
    hangs, fine = HangingSink(where=where), Collect()
    fine.thread = "own"
    source = session.add(Feed(numbered(500)))
    source >> session.add(hangs)
    source >> session.add(fine)
    assert stopped_in(session, hangs.pipe.hanging) < LIMIT_S
    assert session.statistics().abandoned == ("HangingSink",)
    assert fine.closed == 1  # one that hangs costs the others nothing
    hangs.pipe.release()
    assert hangs.closed.wait(10)


@pytest.mark.alone
def test_a_pool_thread_hangs_in_c() -> None:
    session = rw.Session(threads=1)
    hangs = HangingSink()
    hangs.thread = "pool"
    session.add(Feed(numbered(5))) >> session.add(hangs)
    assert stopped_in(session, hangs.pipe.hanging) < LIMIT_S
    hangs.pipe.release()
    assert hangs.closed.wait(10)


@pytest.fixture
def silent_server() -> Iterator[str]:
    """An address that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/film.mp4"


@pytest.mark.alone
def test_a_silent_server(silent_server: str) -> None:
    session = rw.Session()
    source = session.load_src(silent_server)
    opening = threading.Event()
    first = source.open

    def opens() -> None:
        opening.set()
        first()

    source.open = opens  # type: ignore[method-assign]
    session.load_dst("null")
    assert stopped_in(session, opening) < LIMIT_S


@pytest.mark.alone
def test_a_fifo_that_nobody_reads(tmp_path: Path) -> None:
    fifo = tmp_path / "out.ts"
    os.mkfifo(fifo)

    session = rw.Session()
    session.load_src(str(make.media("film.mp4")))
    muxer = session.load_dst(str(fifo))
    opening = threading.Event()
    first = muxer.configure

    def configure(pid: rw.Link) -> None:
        opening.set()
        first(pid)  # opens the FIFO, which waits for a reader

    muxer.configure = configure  # type: ignore[method-assign]
    assert stopped_in(session, opening) < LIMIT_S
    assert session.statistics().abandoned == (muxer.name,)
    os.close(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK))  # lets the thread go


@pytest.mark.alone
@pytest.mark.parametrize("how", ["thread", "filter", "signal", "task"])
def test_stop_from_anywhere(how: str) -> None:
    session = rw.Session(threads=0)
    sink = Collect()
    asked = threading.Event()

    class Asks(Forward):
        def process(self) -> float | None:
            if how == "filter":
                session.stop()
            asked.set()
            return super().process()

    session.add(Live()) >> session.add(Null())
    session.add(Feed(numbered(5))) >> session.add(Asks()) >> session.add(sink)
    if how == "task":
        session.post(session.stop)
    before = signal.signal(signal.SIGUSR1, lambda number, frame: session.stop())
    try:
        if how == "thread":
            assert stopped_in(session, asked) < LIMIT_S
        else:
            if how == "signal":
                threading.Thread(target=lambda: (asked.wait(), os.kill(os.getpid(), signal.SIGUSR1))).start()
            session.run()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert session.finished
    assert sink.closed == 1
    assert sink.only.ended


class Endless(rw.Filter):
    """A source without end."""

    outputs = (rw.Caps(),)

    def open(self) -> None:
        self.out = self.new_pid("endless", StreamType="Visual", CodecID="test", Timescale=1000)

    def process(self) -> float | None:
        for n in range(self.quantum):
            self.out.send(rw.Packet(n.to_bytes(8, "big"), n))
            if self.blocked:
                break
        return None


@pytest.mark.parametrize("flush", ["all", "fast", "none"])
def test_what_flush_means(flush: str) -> None:
    session = rw.Session(threads=0, clock=VirtualClock())
    sink = Collect()
    slow = Slow(delay_s=0.01)
    source = session.add(Endless())
    source >> session.add(slow) >> session.add(sink)
    session.post(lambda: session.stop(flush), 0.2)  # type: ignore[arg-type]
    session.run()
    link = session.statistics().filters[1].inputs[0]
    assert link.packets_in == link.packets_out + link.packets_dropped + link.packets_queued
    left = link.packets_dropped, link.packets_queued
    assert sink.closed == 1
    if flush == "all":
        assert left == (0, 0)
        assert sink.only.ended
    elif flush == "fast":
        assert left[0] > 10
        assert left[1] == 0
        assert sink.only.ended
    else:
        assert left[1] > 10
        assert not sink.only.ended


def test_ctrl_c_stops_with_a_flush() -> None:
    session = rw.Session(threads=0)
    sink = Collect()

    class Presses(Forward):
        pressed = False

        def process(self) -> float | None:
            if not self.pressed:
                self.pressed = True
                signal.raise_signal(signal.SIGINT)
            return super().process()

    session.add(Endless()) >> session.add(Presses()) >> session.add(sink)
    with pytest.raises(KeyboardInterrupt):
        session.run()
    assert sink.closed == 1
    assert sink.only.ended
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_stop_before_run_and_twice() -> None:
    session = rw.Session(threads=0)
    sink = Collect()
    session.add(Endless()) >> session.add(sink)
    session.stop()
    session.stop("fast")
    session.run()
    assert session.finished
    session.stop()
    session.close()


def test_run_inside_asyncio_and_cancel() -> None:
    sink = Collect()

    async def main() -> None:
        session = rw.Session()
        session.add(Live()) >> session.add(sink)
        started = asyncio.Event()
        loop = asyncio.get_running_loop()
        session.post(lambda: loop.call_soon_threadsafe(started.set) and None)
        task = asyncio.ensure_future(session.run_async())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert session.finished
        again = rw.Session()
        other = Collect()
        again.add(Feed(numbered(5))) >> again.add(other)
        await again.run_async()
        assert other.numbers == [0, 1, 2, 3, 4]

    asyncio.run(main())
    assert sink.closed == 1


def test_two_sessions_in_two_threads_and_the_switch_interval() -> None:
    before = sys.getswitchinterval()
    both = threading.Barrier(2, timeout=20)
    seen: list[list[int]] = []

    def meet() -> None:
        both.wait()

    def work(order: int) -> None:
        session = rw.Session(threads=2)
        sink = Collect()
        sink.thread = "pool"
        session.add(Feed(numbered(2000))) >> session.add(sink)
        session.post(meet)
        session.run()
        seen.append(sink.numbers)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert seen == [list(range(2000))] * 2
    assert sys.getswitchinterval() == before


def test_the_switch_interval_while_workers_exist() -> None:
    before = sys.getswitchinterval()
    seen = []
    session = rw.Session(threads=1)
    sink = Collect()
    sink.thread = "pool"
    sink.ended = lambda pid: seen.append(sys.getswitchinterval())  # type: ignore[method-assign]
    session.add(Feed(numbered(5))) >> session.add(sink)
    session.run()
    assert seen == [pytest.approx(0.0005)]
    assert sys.getswitchinterval() == before


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts in /proc")
def test_many_sessions_half_of_them_abandoned(count: Callable[[int], int]) -> None:
    def one(abandon: bool) -> None:
        session = rw.Session(threads=2, blocking=False, limits=rw.Limits(packets=4))
        middle, sink = Forward(), Collect()
        middle.thread, sink.thread = "pool", "own"
        session.add(Feed(numbered(200, size=1000))) >> session.add(middle) >> session.add(sink)
        passes = 0
        while session.run():
            passes += 1
            if abandon and passes > 20:
                return
        assert sink.numbers == list(range(200))

    for n in range(4):
        one(n % 2 == 0)
    gc.collect()
    before = resident_mb(), descriptors()
    interval = sys.getswitchinterval()
    for n in range(count(200)):
        one(n % 2 == 0)
    gc.collect()
    deadline = time.monotonic() + 10
    while (left := [t for t in threading.enumerate() if t.name.startswith("reelway-")]) and (
        time.monotonic() < deadline
    ):
        left[0].join(0.1)
        gc.collect()  # what a thread still held when it was done before is free now
    assert not [t for t in threading.enumerate() if t.name.startswith("reelway-")]
    assert descriptors() <= before[1]
    gc.collect()
    assert resident_mb() < before[0] + 15
    assert sys.getswitchinterval() == interval


FORKS = """
import gc, os, sys
import reelway as rw
source, target = sys.argv[1:]
session = rw.Session(blocking=False)
session.load_src(source) >> session.load_dst(target)
while not os.path.exists(target):
    session.run()
if not os.fork():
    del session
    gc.collect()
    os._exit(0)
os.wait()
while not session.last_task:
    session.run()
session.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_that_drops_a_session_leaves_its_parents_file_alone(tmp_path: Path) -> None:
    source, target, alone = (tmp_path / name for name in ("film.mp4", "out.mp4", "alone.mp4"))
    make.film(source, seconds=2)
    done = subprocess.run([sys.executable, "-c", FORKS, source, target], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    rw.run(source, alone)
    assert target.read_bytes() == alone.read_bytes()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts in /proc")
@pytest.mark.parametrize("abort", [False, True])
def test_files_of_abandoned_sessions_are_closed(
    abort: bool, count: Callable[[int], int], tmp_path: Path
) -> None:
    source, target = tmp_path / "film.mp4", tmp_path / "out.mp4"
    make.film(source, seconds=2)

    def one() -> None:
        session = rw.Session(blocking=False)
        session.load_src(source) >> session.load_dst(target)
        while not target.exists():
            session.run()
        assert not session.finished
        if abort:
            session.abort()
        del session
        gc.collect()
        assert probe.packets(target)[0].packets, "what was written plays"
        target.unlink()

    for _ in range(20):
        one()
    before = resident_mb(), descriptors()
    for _ in range(count(200)):
        one()
    assert descriptors() <= before[1]
    assert resident_mb() < before[0] + 10
