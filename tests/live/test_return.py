"""Sources that are lost and come back: the server is killed, stands still, is not there yet."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import reelway as rw
from reelway.errors import DeadlineError, FormatError
from tests.conftest import count
from tests.live.conftest import MakeServer
from tests.live.serving import PICTURES, RtspServer, coded_film
from tests.live.watching import Watch, WatchCoded, frames, rises

pytestmark = pytest.mark.alone

AGAIN_S = 5.0
TIMES = max(3, count(10))


class Director:
    """A thread that does things to a server while the session runs, and stops that in the end."""

    def __init__(self, session: rw.Session, work: Callable[[], None]) -> None:
        self.session, self.work = session, work
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the test is
            self.error = error
        finally:
            self.session.stop()

    def run(self) -> None:
        self.thread.start()
        self.session.run()
        self.thread.join()
        if self.error is not None:
            raise self.error


class Signals(Watch):
    """Says when so many pictures were seen."""

    def __init__(self) -> None:
        super().__init__(lambda _: False)
        self.news = threading.Condition()
        self.seen_s: list[float] = []

    def process(self) -> None:
        before = len(self.times)
        super().process()
        with self.news:
            self.seen_s += [time.monotonic()] * (len(self.times) - before)
            self.news.notify_all()

    def wait_for(self, number: int, timeout_s: float = 20.0) -> None:
        with self.news:
            assert self.news.wait_for(lambda: len(self.seen_s) >= number, timeout_s), "no more frames came"

    def on_event(self, event: rw.Event) -> bool:
        with self.news:
            super().on_event(event)
            self.news.notify_all()
        return False

    def wait_for_loss(self, number: int, timeout_s: float = 20.0) -> None:
        """Until it was told of so many losses."""
        with self.news:
            told = self.news.wait_for(
                lambda: sum(gap.end_s is None for gap in self.gaps) >= number, timeout_s
            )
            assert told, "nobody said that it was lost"


def test_a_camera_that_comes_back_is_seen_again_and_disturbs_no_other(rtsp_server: MakeServer) -> None:
    server, steady = rtsp_server(sound="aac"), rtsp_server()
    threads, descriptors = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    returned_s: list[float] = []
    firsts: list[int] = []

    def work() -> None:
        for number in range(TIMES):
            watch.wait_for(len(watch.seen_s) + 20)
            server.kill()
            watch.wait_for_loss(number + 1)
            seen = len(watch.seen_s)
            server.start()
            returned_s.append(time.monotonic())
            watch.wait_for(seen + 3)  # those that were on their way when it was killed are no return
            firsts.append(next(i for i, at in enumerate(watch.seen_s) if at >= returned_s[-1]))
        watch.wait_for(len(watch.seen_s) + 20)

    with rw.Session() as session:
        watch = Signals()
        source = session.load_src(server.url)
        session.add(watch)
        source.video >> watch
        others = [Watch(lambda _: False) for _ in range(3)]
        for other in others:
            session.add(other)
            session.load_src(steady.url) >> other
        Director(session, work).run()
    assert rises(watch.times)
    gaps = [gap for gap in watch.gaps if gap.end_s is not None]
    assert len(gaps) == len(source.gaps) == TIMES
    assert source.connections == TIMES + 1
    for back_s, at in zip(returned_s, firsts, strict=True):
        assert watch.seen_s[at] - back_s < AGAIN_S
    begins = [
        i for i, counter in enumerate(watch.counters) if not counter and watch.counters[i - 1] != PICTURES - 1
    ]
    assert (
        len(begins) == TIMES + 1
    )  # the first of each connection is the first that the server sent: a keyframe
    for begin, end in zip(begins, [*begins[1:], len(watch.counters)], strict=True):
        assert watch.counters[begin:end] == [i % PICTURES for i in range(end - begin)]
    for other in others:
        assert other.counters == [i % PICTURES for i in range(len(other.counters))]
        assert len(other.counters) > 20 * TIMES
        assert not other.gaps
    assert set(threading.enumerate()) == threads
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_the_timeline_is_as_long_as_it_took(rtsp_server: MakeServer) -> None:
    server = rtsp_server()

    def work() -> None:
        watch.wait_for(20)
        server.kill()
        watch.wait_for_loss(1)
        server.start()
        watch.wait_for(60)

    with rw.Session() as session:
        watch = Signals()
        session.add(watch)
        session.load_src(server.url) >> watch
        Director(session, work).run()
    begin = watch.counters.index(0, 1)
    scale = watch.properties["Timescale"]
    (gap,) = [gap for gap in watch.gaps if gap.end_s is not None]
    hole_s = (watch.times[begin] - watch.times[begin - 1]) / scale
    assert gap.end_s == pytest.approx(watch.times[begin] / scale)
    assert gap.end_s - gap.start_s == pytest.approx(hole_s, abs=0.001)
    shown_s = (watch.times[-1] - watch.times[10]) / scale
    took_s = watch.seen_s[-1] - watch.seen_s[10]
    assert shown_s == pytest.approx(took_s, abs=0.6)  # a connection brings what it probed all at once
    assert watch.configured == 1
    assert [i for i, flag in enumerate(watch.flags) if flag] == [begin]


def test_the_first_packet_of_each_connection_is_a_keyframe_and_a_discontinuity(
    rtsp_server: MakeServer, coded: Path
) -> None:
    server = rtsp_server(shared=True)
    restarted = threading.Event()

    def again(watch: Watch) -> bool:
        if len(watch.times) == 30 and not restarted.is_set():
            restarted.set()
            server.kill()
            server.start()
        return len(watch.times) >= 60 and any(watch.flags)

    with rw.Session() as session:
        watch = WatchCoded(again)
        session.add(watch)
        session.load_src(server.url) >> watch
        session.run()
    assert watch.counters[0] == 1
    assert not watch.flags[0]
    (at,) = [i for i, flag in enumerate(watch.flags) if flag]
    assert watch.counters[at] == 1


def test_a_server_that_stands_still_is_lost_and_comes_back(rtsp_server: MakeServer) -> None:
    server = rtsp_server()

    def work() -> None:
        watch.wait_for(20)
        assert server.process is not None
        server.process.send_signal(signal.SIGSTOP)
        watch.wait_for_loss(1)
        seen = len(watch.seen_s)
        server.process.send_signal(signal.SIGCONT)
        watch.wait_for(seen + 20)

    with rw.Session() as session:
        watch = Signals()
        session.add(watch)
        source = session.load_src(server.url, silence_s=1.0, timeout_s=3.0)
        source >> watch
        Director(session, work).run()
    assert rises(watch.times)
    assert [gap.end_s is None for gap in watch.gaps] == [True, False]
    assert "has sent nothing" in watch.gaps[0].reason


def test_run_is_back_within_two_seconds_while_nothing_comes(rtsp_server: MakeServer) -> None:
    server = rtsp_server()
    stopped_s: list[float] = []

    def work() -> None:
        watch.wait_for(10)
        assert server.process is not None
        server.process.send_signal(signal.SIGSTOP)
        watch.wait_for(len(watch.seen_s))
        stopped_s.append(time.monotonic())

    with rw.Session() as session:
        watch = Signals()
        session.add(watch)
        session.load_src(server.url, silence_s=5.0) >> watch
        Director(session, work).run()
        assert time.monotonic() - stopped_s[0] < 2.0
        assert not session.statistics().abandoned  # its thread was called back from C
    assert not watch.gaps


def test_stop_while_it_waits_for_the_next_try(rtsp_server: MakeServer) -> None:
    server = rtsp_server()
    stopped_s: list[float] = []

    def work() -> None:
        watch.wait_for(10)
        server.kill()
        watch.wait_for_loss(1)
        stopped_s.append(time.monotonic())

    with rw.Session() as session:
        watch = Signals()
        session.add(watch)
        session.load_src(server.url) >> watch
        Director(session, work).run()
        assert time.monotonic() - stopped_s[0] < 1.0


def test_one_that_is_not_there_yet_is_waited_for_where_that_is_wanted(
    rtsp_server: MakeServer, coded: Path
) -> None:
    late = RtspServer(coded)

    def work() -> None:
        watch.wait_for(10)

    with rw.Session() as session:
        watch = Signals()
        session.add(watch)
        source = session.load_src(late.url, retry=-1)
        source >> watch
        session.link()
        assert source.statistics().status.endswith("tries again")
        late.start()
        try:
            Director(session, work).run()
        finally:
            late.kill()
    assert watch.counters[:10] == list(range(10))
    assert watch.times[0] == 0
    assert not watch.gaps


def test_so_many_tries_and_no_more(rtsp_server: MakeServer) -> None:
    server = rtsp_server()
    server.kill()
    with rw.Session() as session:
        session.load_src(server.url, retry=2) >> session.add(WatchCoded(frames(1)))
        with pytest.raises(rw.OpenError, match="refused"):
            session.run()


@pytest.mark.parametrize("tries", [0, 1])
def test_a_source_that_is_not_to_come_back_ends_with_an_error(rtsp_server: MakeServer, tries: int) -> None:
    server = rtsp_server()

    def lose(watch: Watch) -> bool:
        if len(watch.times) == 20:
            server.kill()
        return False

    with rw.Session() as session:
        watch = WatchCoded(lose)
        session.add(watch)
        session.load_src(server.url, reconnect=tries) >> watch
        with pytest.raises((FormatError, DeadlineError, rw.OpenError)):
            session.run()
    assert len(watch.times) >= 20


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_camera_that_comes_back_as_another_one(rtsp_server: MakeServer, tmp_path: Path, codec: str) -> None:
    """With another size, or another codec: what is decoded goes on."""
    server = rtsp_server()
    film = coded_film(tmp_path, codec, pictures=100, size=(640, 360))
    sizes: list[int] = []

    def work() -> None:
        watch.wait_for(20)
        sizes.append(watch.properties["Width"])
        server.kill()
        watch.wait_for_loss(1)
        server.film, server.codec = film, "hevc" if codec == "libx265" else "h264"
        seen = len(watch.seen_s)
        server.start()
        watch.wait_for(seen + 40)
        sizes.append(watch.properties["Width"])

    with rw.Session() as session:
        watch = Signals()
        session.add(watch)
        session.load_src(server.url) >> watch
        Director(session, work).run()
    assert sizes == [320, 640]
    assert rises(watch.times)
    begin = watch.counters.index(0, 1)
    assert watch.counters[begin : begin + 30] == list(range(30))
