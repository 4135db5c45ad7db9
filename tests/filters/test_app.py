"""AppSource and AppSink: what threads and asyncio push and pull, bounded, and that nobody waits for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import reelway as rw
from reelway.testing.clock import VirtualClock
from reelway.testing.parts import Collect
from tests.conftest import count
from tests.filters.raw import heard


def beside(work: Callable[[], Any]) -> Callable[[], Any]:
    """Runs `work` in a thread; the value waits for it and gives what it returned, or raises."""
    got: list[Any] = []

    def run() -> None:
        try:
            got.append(work())
        except BaseException as error:  # noqa: BLE001 - handed to the test
            got.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def result() -> Any:
        thread.join(20)
        assert not thread.is_alive(), "it waits for ever"
        if isinstance(got[0], BaseException):
            raise got[0]
        return got[0]

    return result


def picture(number: int) -> np.ndarray:
    return np.full((24, 32, 3), number % 256, np.uint8)


def collected(source: rw.Filter, **session: Any) -> Collect:
    with rw.Session(**session) as made:
        sink = Collect()
        made.add(source) >> made.add(sink)
        made.run()
    return sink


# Pushing


def test_arrays_become_pictures_that_follow_each_other() -> None:
    source = rw.AppSource(fps="30000/1001")

    def feed() -> None:
        for number in range(100):
            source.push(picture(number))
        source.end()

    done = beside(feed)
    seen = collected(source).only
    done()
    assert [packet.array()[0, 0, 0] for packet in seen.packets] == list(range(100))
    timescale = seen.properties["Timescale"]
    assert [Fraction(packet.dts or 0, timescale) for packet in seen.packets] == [
        Fraction(1001 * n, 30000) for n in range(100)
    ]
    for name, value in {"PixelFormat": "rgb24", "Width": 32, "Height": 24, "CodecID": "raw"}.items():
        assert seen.properties[name] == value


def test_times_sizes_and_formats() -> None:
    source = rw.AppSource(pixel_format="yuv420p", max_packets=9)
    source.push(np.zeros((36, 32), np.uint8), 1.5, duration_s=0.25)
    source.push(np.zeros((36, 32), np.uint8))
    source.push(np.zeros((72, 64), np.uint8), 3.0)
    source.end()
    seen = collected(source).only
    assert [packet.dts / 90000 for packet in seen.packets] == [1.5, 1.75, 3.0]
    news = [entry[1] for entry in seen.log if entry[0] == "configure"]
    assert [(each["Width"], each["Height"]) for each in news] == [(32, 24), (64, 48)]
    assert [plane.shape for plane in seen.packets[2].planes()] == [(48, 64), (24, 32), (24, 32)]


def test_sound_is_counted_in_samples() -> None:
    source = rw.AppSource(sample_rate=8000)
    samples = np.linspace(-1, 1, 2000, dtype=np.float32).reshape(1000, 2)
    for part in (samples[:300], samples[300:400], samples[400:]):
        source.push(part)
    source.end()
    seen = collected(source).only
    assert [packet.dts for packet in seen.packets] == [0, 300, 400]
    assert seen.properties["AudioFormat"] == "flt"
    assert seen.properties["ChannelLayout"] == "stereo"
    np.testing.assert_array_equal(heard(seen), samples)


def test_packets_go_as_they_are() -> None:
    source = rw.AppSource(properties={"StreamType": "Metadata", "CodecID": "note", "Timescale": 1000})
    source.push(rw.Packet(b"one", 5, 5))
    source.push(b"two", 0.25)
    source.end()
    seen = collected(source).only
    assert [(packet.dts, bytes(packet.data)) for packet in seen.packets] == [(5, b"one"), (250, b"two")]


def test_an_array_is_copied_unless_it_is_given_away() -> None:
    buffer, given = picture(1), picture(5)
    source = rw.AppSource()
    source.push(buffer)
    source.push(given, copy=False)
    buffer[:] = 99
    source.end()
    first, second = collected(source).only.packets
    assert (first.array() == 1).all()
    assert np.shares_memory(second.array(), given)


def test_live_frames_are_timed_by_the_clock() -> None:
    source = rw.AppSource(live=True)
    clock = VirtualClock(100.0)
    with rw.Session(clock=clock) as session:
        sink = Collect()
        session.add(source) >> session.add(sink)
        times = iter([0.0, 0.5, 2.0])

        def tick() -> float | None:
            source.push(picture(0))
            if next(times, None) is None:
                source.end()
                return None
            return 0.5

        session.post(tick)
        session.run()
    assert [packet.dts / 90000 for packet in sink.only.packets] == [0, 0.5, 1.0, 1.5]
    assert all(packet.capture_time for packet in sink.only.packets)


def test_a_live_frame_from_before_the_session_is_at_its_beginning() -> None:
    source = rw.AppSource(live=True)
    source.push(picture(0))
    clock = VirtualClock(5000.0)
    with rw.Session(clock=clock) as session:
        sink = Collect()
        session.add(source) >> session.add(sink)
        left = iter((1, 2))

        def tick() -> float | None:
            if next(left, None) is None:
                source.end()
                return None
            source.push(picture(1))
            return 0.5

        session.post(tick, 0.75)
        session.run()
    assert [packet.dts / 90000 for packet in sink.only.packets] == [0, 0.75, 1.25]


def test_the_sessions_defaults_limit_the_source() -> None:
    source = rw.AppSource()
    with rw.Session(defaults={"max_packets": 2}) as session:
        session.add(source)
        source.push(picture(0))
        source.push(picture(1))
        with pytest.raises(rw.DeadlineError, match="2 of 2 places"):
            source.push(picture(2), timeout_s=0.0)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (np.zeros((4, 4, 3)), "float64"),
        (np.zeros((4, 4, 5), np.uint8), r"\(4, 4, 5\)"),
        ("film.mp4", "no media"),
        (None, "no media"),
    ],
)
def test_what_is_no_picture_is_refused_where_it_is_pushed(data: object, text: str) -> None:
    with pytest.raises(rw.PacketError, match=text):
        rw.AppSource().push(data)
    with pytest.raises(rw.PacketError, match="no picture of yuv420p"):
        rw.AppSource(pixel_format="yuv420p").push(np.zeros((7, 4), np.uint8))


def test_pushing_is_bounded_and_has_a_deadline() -> None:
    source = rw.AppSource(max_packets=3)
    for number in range(3):
        source.push(picture(number))
    assert source.waiting == 3
    with pytest.raises(rw.DeadlineError, match="3 of 3 places are taken, after 0.01 s"):
        source.push(picture(3), timeout_s=0.01)
    source.end()
    with pytest.raises(rw.StateError, match=r"no push\(\) after end\(\)"):
        source.push(picture(4))
    assert len(collected(source).only.packets) == 3


def test_a_source_that_gives_nothing_ends() -> None:
    source = rw.AppSource()
    source.end()
    collected(source)


def test_many_threads_push_at_once() -> None:
    source = rw.AppSource(
        properties={"StreamType": "Metadata", "CodecID": "n", "Timescale": 1}, max_packets=2
    )
    each = count(2000)

    def feed(base: int) -> None:
        for number in range(each):
            source.push((base + number).to_bytes(8, "big"), timeout_s=20)

    done = [beside(lambda base=base: feed(base)) for base in (0, 10**6, 2 * 10**6)]

    def close() -> None:
        for each in done:
            each()
        source.end()

    closing = beside(close)
    seen = collected(source).only
    closing()
    assert sorted(seen.numbers) == [base + n for base in (0, 10**6, 2 * 10**6) for n in range(each)]
    for base in (0, 10**6, 2 * 10**6):
        own = [n for n in seen.numbers if base <= n < base + each]
        assert own == sorted(own)


def test_the_session_does_not_wait_for_itself() -> None:
    source, sink = rw.AppSource(max_packets=2), rw.AppSink()
    with rw.Session(blocking=False) as session:
        session.add(source) >> session.add(sink)
        source.push(picture(0))
        while (packet := sink.poll()) is None:
            session.run()
        assert packet.dts == 0
        with pytest.raises(rw.StateError, match="wait for itself"):
            sink.pull()
        source.push(picture(1))
        source.push(picture(2))
        with pytest.raises(rw.StateError, match="wait for itself"):
            source.push(picture(3))
        source.end()
        while session.run():
            pass
    assert len(list(sink)) == 2


@pytest.mark.parametrize("how", ["stop", "fail"])
def test_who_pushes_wakes_when_the_session_stops(how: str) -> None:
    source = rw.AppSource(max_packets=1)
    full = threading.Event()

    def feed() -> None:
        for number in range(10**6):
            source.push(picture(number))
            if number == 20:
                full.set()

    class Deaf(rw.Filter):
        """Reads nothing."""

        inputs = (rw.Caps(),)
        waits_outside = True

        def process(self) -> None:
            if how == "fail" and full.is_set():
                raise ValueError("on purpose")

    done = beside(feed)
    with rw.Session(limits=rw.Limits(packets=4)) as session:
        deaf = session.add(Deaf())
        session.add(source) >> deaf

        def later() -> float | None:
            if source.waiting:
                if how == "stop":
                    session.stop("none")
                full.set()
                deaf.wake()
                return None
            return 0.01

        session.post(later, 0.05)
        if how == "fail":
            with pytest.raises(rw.FilterError, match="on purpose"):
                session.run()
        else:
            session.run()
    with pytest.raises(rw.StateError, match="the session is over"):
        done()


# Pulling


def pulling(sink: rw.AppSink, frames: int = 30, **session: Any) -> Callable[[], Any]:
    def run() -> None:
        with rw.Session(**session) as made:
            source = made.load("testvideo", frames=frames, size="64x48", pixel_format="rgb24")
            source >> made.add(sink)
            made.run()

    return beside(run)


def test_pulling_gives_every_packet_then_none() -> None:
    sink = rw.AppSink(pixel_format="rgb24", max_packets=2)
    done = pulling(sink)
    got = [packet.dts for packet in sink]
    done()
    assert got == list(range(30))
    assert sink.pull() is None
    assert sink.over
    assert sink.properties["Width"] == 64
    assert sink.dropped == 0


def test_it_holds_the_session_up_and_has_a_deadline() -> None:
    sink = rw.AppSink(max_packets=3)
    with pytest.raises(rw.DeadlineError, match="nothing came, after 0.01 s"):
        sink.pull(timeout_s=0.01)
    with rw.Session(blocking=False, limits=rw.Limits(packets=2)) as session:
        source = session.load("testvideo", frames=100, size="64x48")
        source >> session.add(sink)
        for _ in range(50):
            session.run()
        assert source.opids[0].packets_sent <= 3 + 2 + 1
        got = []
        while session.run() or not sink.over:
            if (packet := sink.poll()) is not None:
                got.append(packet.dts)
    assert got == list(range(100))


@pytest.mark.parametrize(("policy", "kept"), [("drop_oldest", 4), ("latest", 1)])
def test_dropping_is_counted(policy: str, kept: int) -> None:
    sink = rw.AppSink(policy=policy, max_packets=4)
    pulling(sink)()
    got = list(sink)
    assert [packet.dts for packet in got] == list(range(30 - kept, 30))
    assert sink.dropped == 30 - kept
    assert sink.status == f"{30 - kept} packets dropped"
    assert got[-1].discontinuity


def test_who_pulls_wakes_when_the_session_stops() -> None:
    sink = rw.AppSink()
    with rw.Session() as session:
        source = rw.AppSource()
        session.add(source) >> session.add(sink)
        done = beside(sink.pull)
        session.post(session.stop, 0.05)
        session.run()
    assert done() is None


def test_who_pulls_wakes_when_the_session_fails() -> None:
    sink = rw.AppSink()

    def fail(packet: rw.Packet) -> None:
        raise ValueError("on purpose")

    with rw.Session() as session:
        source = session.load("testvideo:frames=5:size=64x48")
        source >> session.load("call", function=fail) >> session.add(sink)
        done = beside(sink.pull)
        with pytest.raises(rw.FilterError, match="on purpose"):
            session.run()
    assert done() is None


def test_pictures_or_sound() -> None:
    with pytest.raises(rw.OptionError, match="pictures or sound"):
        rw.AppSink(pixel_format="rgb24", sample_rate=48000)


# asyncio


def test_push_and_pull_in_asyncio() -> None:
    async def main() -> list[int]:
        source, sink = rw.AppSource(max_packets=2), rw.AppSink(max_packets=2)
        with rw.Session(limits=rw.Limits(packets=2)) as session:
            session.add(source) >> session.add(sink)
            running = asyncio.ensure_future(session.run_async())

            async def feed() -> None:
                for number in range(200):
                    await source.push_async(picture(number), timeout_s=20)
                source.end()

            feeding = asyncio.ensure_future(feed())
            got = [int(packet.array()[0, 0, 0]) async for packet in sink]
            await feeding
            await running
        return got

    assert asyncio.run(main()) == list(range(200))


def test_deadlines_and_cancelling_in_asyncio() -> None:
    async def main() -> None:
        source, sink = rw.AppSource(max_packets=1), rw.AppSink()
        await source.push_async(picture(0))
        with pytest.raises(rw.DeadlineError):
            await source.push_async(picture(1), timeout_s=0.01)
        with pytest.raises(rw.DeadlineError):
            await sink.pull_async(timeout_s=0.01)
        waiting = asyncio.ensure_future(sink.pull_async())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not sink._box._waiting
        waiting = asyncio.ensure_future(sink.pull_async())
        await asyncio.sleep(0)
        sink.close()
        assert await waiting is None
        source.end()
        with pytest.raises(rw.StateError):
            await source.push_async(picture(2))

    asyncio.run(main())
