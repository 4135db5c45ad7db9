"""A slow consumer of a live source gets the newest picture, nothing piles up, and recordings miss nothing."""

from __future__ import annotations

import asyncio
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

import reelway as rw
from tests.live.conftest import MakeServer
from tests.live.serving import FPS
from tests.live.watching import WatchCoded
from tests.media import make

pytestmark = pytest.mark.alone

PERIOD_S = 1 / FPS
OLD_S = PERIOD_S + 0.1
"""No picture that anybody gets may be older."""
PICTURES = 5


class Pulse:
    """Counts the pictures of a server, in a session of its own: the clock by which a consumer is slow."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._changed = threading.Condition()
        self._count = 0
        self._session = rw.Session()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Pulse:
        self._thread.start()
        self.wait(2)
        return self

    def __exit__(self, *_: object) -> None:
        self._session.stop("none")
        self._thread.join()

    def wait(self, pictures: int = FPS) -> None:
        """Until so many more have come, that is for as long as these take."""
        with self._changed:
            until = self._count + pictures
            assert self._changed.wait_for(lambda: self._count >= until, 30), "the server sends nothing"

    def _run(self) -> None:
        with self._session as session:
            watch = WatchCoded(self._beat)
            session.add(watch)
            session.load_src(self._url) >> watch
            session.run()

    def _beat(self, _: object) -> bool:
        with self._changed:
            self._count += 1
            self._changed.notify_all()
        return False


@pytest.fixture
def camera(rtsp_server: MakeServer) -> Iterator[tuple[str, Pulse]]:
    """Its address, and what waits for a second of it."""
    server = rtsp_server(shared=True)
    with Pulse(server.url) as pulse:
        yield server.url, pulse


class Seen:
    """What a slow consumer got: how old it was, and its counter."""

    def __init__(self) -> None:
        self.ages_s: list[float] = []
        self.counters: list[int] = []
        self.flags: list[bool] = []
        self.memory: list[int] = []
        """What the process held then [bytes]."""

    def look(self, packet: rw.Packet, luma: Any) -> None:
        assert packet.capture_time is not None
        self.ages_s.append((time.time_ns() - packet.capture_time) / 1e9)
        self.counters.append(make.read_counter(luma))
        self.flags.append(packet.discontinuity)
        self.memory.append(resident())

    def check(self) -> None:
        """Not before the second picture: with the first the session begins."""
        assert len(self.ages_s) >= PICTURES
        assert max(self.ages_s[1:]) <= OLD_S, self.ages_s
        steps = [(b - a) % 250 for a, b in pairwise(self.counters)]
        assert all(FPS - 3 <= step <= FPS + 8 for step in steps[1:]), self.counters
        assert all(self.flags[1:])  # pictures between them are missing, and they say so
        # in each second 3 MB of pictures come, and 0.1 MB coded
        assert self.memory[-1] - self.memory[1] < 6_000_000, self.memory


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def dropped(statistics: Any) -> int:
    """Pictures that were left out for newer ones."""
    return sum(
        link.packets_dropped for each in statistics.filters for link in each.inputs if link.policy == "fresh"
    )


def test_frames_are_fresh(camera: tuple[str, Pulse]) -> None:
    url, pulse = camera
    seen = Seen()
    for frame in rw.frames(url, pixel_format="gray"):
        assert frame.age_s is not None
        seen.look(frame.packet, frame.array)
        if len(seen.ages_s) > PICTURES:
            break
        pulse.wait()
    seen.check()


def slow_function(seen: Seen, pulse: Pulse, session: rw.Session) -> rw.Filter:
    @rw.video_filter(pixel_format="gray")
    def look(image: Any, packet: rw.Packet) -> Any:
        seen.look(packet, image)
        if len(seen.ages_s) > PICTURES:
            session.stop("none")
        else:
            pulse.wait()
        return image

    return session.add(look())


class SlowSink(rw.Filter):
    """Takes all it can get in one turn, each picture in its time; it does not convert."""

    inputs = (rw.Caps(StreamType="Visual", CodecID="raw"),)

    def __init__(self, act: Callable[[rw.Packet], None]) -> None:
        super().__init__()
        self._act = act

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                self._act(packet)


def slow_sink(seen: Seen, pulse: Pulse, session: rw.Session, flush: Any = "none") -> rw.Filter:
    def act(packet: rw.Packet) -> None:
        seen.look(packet, packet.planes()[0])
        if len(seen.ages_s) > PICTURES:
            session.stop(flush)
        else:
            pulse.wait()

    return session.add(SlowSink(act))


@pytest.mark.parametrize("consumer", [slow_function, slow_sink])
def test_a_filter_that_holds_the_session_up_gets_fresh_pictures(
    camera: tuple[str, Pulse], consumer: Callable[..., rw.Filter]
) -> None:
    url, pulse = camera
    seen = Seen()
    with rw.Session() as session:
        source = session.load_src(url)
        source.video >> (slow := consumer(seen, pulse, session))
        session.run()
        statistics = session.statistics()
    seen.check()
    assert dropped(statistics) >= (PICTURES - 1) * (FPS - 5)
    (latency,) = [each.latency for each in statistics.filters if each.name == slow.name]
    assert latency is not None
    assert latency.packets == len(seen.ages_s)
    assert latency.p50_s <= OLD_S
    assert latency.max_s >= latency.p99_s >= latency.p50_s


def test_pull_from_an_appsink_is_fresh(camera: tuple[str, Pulse]) -> None:
    url, pulse = camera
    seen = Seen()
    sink = rw.AppSink(pixel_format="gray")
    with rw.Session() as session:
        session.load_src(url).video >> session.add(sink)
        running = threading.Thread(target=session.run)
        running.start()
        while len(seen.ages_s) <= PICTURES:
            packet = sink.pull(timeout_s=20)
            assert packet is not None
            seen.look(packet, packet.array())
            pulse.wait()
        session.stop("none")
        running.join()
    seen.check()
    assert sink.dropped >= (PICTURES - 1) * (FPS - 5)


def test_what_another_process_would_share_is_fresh(camera: tuple[str, Pulse]) -> None:
    url, pulse = camera
    seen = Seen()
    with rw.Session() as sharing:
        sharing.load_src(url).video >> sharing.load("share:name=test_latency:pixel_format=gray")
        running = threading.Thread(target=sharing.run)
        running.start()
        for frame in rw.frames("shared:test_latency"):
            seen.look(frame.packet, frame.array)
            if len(seen.ages_s) > PICTURES:
                break
            pulse.wait()
        sharing.stop("none")
        running.join()
    seen.check()


def test_several_cameras_share_a_slow_consumer_and_none_is_forgotten(rtsp_server: MakeServer) -> None:
    server = rtsp_server(shared=True)
    ages: dict[int, list[float]] = {1: [], 2: [], 3: []}
    with Pulse(server.url) as pulse, rw.Session() as session:

        @rw.video_filter(pixel_format="gray")
        def look(image: Any, packet: rw.Packet, slot: int) -> Any:
            assert packet.capture_time is not None
            ages[slot].append((time.time_ns() - packet.capture_time) / 1e9)
            if min(map(len, ages.values())) >= 4:
                session.stop("none")
            else:
                pulse.wait(8)
            return image

        consumer = session.add(look())
        for slot in ages:
            session.load_src(server.url, slot=slot).video >> consumer
        session.run()
    counts = [len(each) for each in ages.values()]
    assert max(counts) - min(counts) <= 2  # they take turns
    assert max(max(each[1:]) for each in ages.values()) <= OLD_S, ages


def test_a_recording_is_complete_whoever_is_slow_beside_it(camera: tuple[str, Pulse], tmp_path: Path) -> None:
    url, pulse = camera
    coded, again = tmp_path / "coded.mp4", tmp_path / "again.mp4"
    with rw.Session() as session:
        source = session.load_src(url)
        source.video >> session.load_dst(str(coded))
        source.video >> slow_sink(Seen(), pulse, session, "all")
        smaller = session.load("convert:width=160")
        source.video >> smaller >> session.load_dst(str(again), video="libx264:preset=ultrafast")
        session.run()
    with av.open(str(coded)) as container:
        numbers = [make.read_counter(each.to_ndarray(format="gray")) for each in container.decode(video=0)]
    with av.open(str(again)) as container:
        times = [round(float(each.time or 0) * FPS) for each in container.decode(video=0)]
    assert len(numbers) > FPS * (PICTURES - 1)
    assert all((b - a) % 250 == 1 for a, b in pairwise(numbers))
    assert len(times) > FPS * (PICTURES - 1)
    assert times == list(range(len(times)))


def test_policy_block_gives_every_picture(camera: tuple[str, Pulse]) -> None:
    url, pulse = camera
    counters = []
    for frame in rw.frames(url, pixel_format="gray", policy="block"):
        counters.append(make.read_counter(frame.array))
        if len(counters) == 1:
            pulse.wait(2 * FPS)
        if len(counters) > 3 * FPS:
            break
    assert all((b - a) % 250 == 1 for a, b in pairwise(counters))


def test_a_source_that_is_lost_for_good_is_an_error_in_the_loop(rtsp_server: MakeServer) -> None:
    server = rtsp_server()
    count = 0

    def look() -> None:
        nonlocal count
        for _ in rw.frames(f"{server.url}:reconnect=0"):
            count += 1
            if count == 5:
                server.kill()

    with pytest.raises(rw.ReelwayError, match=r"rtsp://127\.0\.0\.1"):
        look()
    assert count >= 5
    assert "reelway-frames" not in {thread.name for thread in threading.enumerate()}


def test_leaving_an_asynchronous_loop_leaves_nothing_behind(rtsp_server: MakeServer) -> None:
    server = rtsp_server()
    before = set(threading.enumerate())

    async def look() -> list[int]:
        counters = []
        async with aclosing(rw.frames_async(server.url, pixel_format="gray")) as frames:
            async for frame in frames:
                counters.append(make.read_counter(frame.array))
                if len(counters) == 10:
                    break
        return counters

    counters = asyncio.run(look())
    assert all(0 < b - a < 10 for a, b in pairwise(counters))
    for thread in set(threading.enumerate()) - before:  # its loop does not wait until it is over
        thread.join(5)
    assert set(threading.enumerate()) == before
