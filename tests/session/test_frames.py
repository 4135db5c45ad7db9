"""`rw.frames`: all frames of a stream, and any one by time or number."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import itertools
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

import reelway as rw
from tests.media import make


def number(frame: rw.Frame) -> int:
    return make.read_counter(frame.planes()[0])


def test_all_frames_in_order_with_their_times() -> None:
    found = [
        (number(frame), round(frame.time, 6), frame.duration) for frame in rw.frames(make.media("film.mp4"))
    ]
    assert found == [(n, round(n * 0.04, 6), 0.04) for n in range(100)]


@pytest.mark.parametrize("threads", [0, 2])
def test_a_part_is_exact_to_the_frame(threads: int) -> None:
    found = [
        number(frame) for frame in rw.frames(make.media("film.mp4"), start_s=1.02, end_s=2.0, threads=threads)
    ]
    assert found == list(range(26, 50))


@pytest.mark.parametrize(
    "name",
    ["film.mp4", "film.mkv", "film.ts", "open.mp4", "open.mkv", "open.ts", "late.ts", "vfr.mp4", "film.h264"],
)
def test_trap_14_any_time_gives_what_a_linear_decode_gives(name: str, count: int) -> None:
    """50 random times (a tenth in `make test`): equal in every byte."""
    frames = rw.frames(make.media(name))
    linear = [(frame.time, hash(bytes(frame.packet.data))) for frame in frames]
    draw = random.Random(name)
    last = linear[-1][0]
    for _ in range(count(50)):
        at = draw.uniform(0, last)
        expected = [each for each in linear if each[0] <= at + 1e-6] or linear[:1]
        frame = frames.at(at)
        assert (frame.time, hash(bytes(frame.packet.data))) == expected[-1], at


def test_by_number() -> None:
    frames = rw.frames(make.media("vfr.mp4"))
    times = [frame.time for frame in frames]
    assert len(frames.times) == len(times)
    assert frames.times == pytest.approx(times)
    for at in (0, 1, 17, 41, -1, -60):
        assert number(frames[at]) == range(60)[at]
    with pytest.raises(IndexError):
        frames[60]
    with pytest.raises(rw.OptionError, match="nothing is shown at 99.000 s"):
        frames.at(99)


def test_arrays_of_rgb_in_another_size() -> None:
    frame = next(iter(rw.frames(make.media("film.mp4"), pixel_format="rgb24", width=160, height=120)))
    assert frame.array.shape == (120, 160, 3)
    assert frame.array.dtype == np.uint8
    writable = frame.writable()
    writable[0, 0] = 1, 2, 3
    assert frame.array[0, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize("asked", [{"width": 0}, {"height": -2}, {"stream": "audio", "channels": 0}])
def test_no_size_is_an_error_at_once(asked: dict[str, Any]) -> None:
    with pytest.raises(rw.OptionError, match="is (0|-2)"):
        rw.frames(make.media("film.mp4"), **asked)


def test_one_side_keeps_the_shape() -> None:
    frame = next(iter(rw.frames(make.media("film.mp4"), pixel_format="rgb24", width=160)))
    assert frame.array.shape == (120, 160, 3)


def test_frames_that_are_kept_stay_as_they_are() -> None:
    """Trap 8: hold 64 arrays, decode on, hash again."""
    held: list[tuple[rw.Frame, int]] = []
    for frame in rw.frames(make.media("film.mp4")):
        if len(held) < 64:
            held.append((frame, hash(bytes(frame.packet.data))))
    assert [hash(bytes(frame.packet.data)) for frame, _ in held] == [known for _, known in held]
    assert [number(frame) for frame, _ in held] == list(range(64))


def test_sound() -> None:
    blocks = [frame.array for frame in rw.frames(make.media("tone.wav"), stream="audio")]
    whole = np.concatenate(blocks)
    assert whole.shape == (4 * 48000, 2)


def test_a_loop_that_is_left_leaves_nothing_behind() -> None:
    before = threading.active_count()
    for _ in range(20):
        for frame in rw.frames(make.media("film.mp4")):
            assert frame.time == 0
            break
    assert threading.active_count() <= before + 1


def test_what_cannot_be_opened_is_told_when_it_is_read() -> None:
    frames = rw.frames("/nothing/here.mp4")
    with pytest.raises(rw.OpenError, match="here.mp4"):
        next(iter(frames))
    with pytest.raises(rw.LinkError):
        next(iter(rw.frames(make.media("tone.wav"))))
    with pytest.raises(rw.OptionError, match="asked for what only sound has"):
        rw.frames(make.media("tone.wav"), sample_rate=8000)


def test_in_asyncio() -> None:
    async def read() -> list[int]:
        return [number(frame) async for frame in rw.frames_async(make.media("film.mp4"))]

    async def leave() -> int:
        async for frame in rw.frames_async(make.media("film.mp4")):
            return number(frame)
        return -1

    assert asyncio.run(read()) == list(range(100))
    assert asyncio.run(leave()) == 0


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Path]:
    """A named pipe whose writer says nothing, until the test is over; no thread is left behind then."""
    path = tmp_path / "silent.ts"
    os.mkfifo(path)
    before = set(threading.enumerate())
    keep_open = os.open(path, os.O_RDWR)
    yield path
    os.close(keep_open)
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive(), thread


@pytest.mark.alone
@pytest.mark.parametrize("says", [False, True])
def test_cancelling_does_not_wait_for_a_silent_source(silent: Path, says: bool) -> None:
    """Neither where it has not begun, nor where frames have come and another one is waited for."""
    seen: set[int] = set()
    beats: list[float] = []

    async def read() -> None:
        async for frame in rw.frames_async(silent):
            seen.add(number(frame))

    async def beat() -> None:
        while True:
            beats.append(time.monotonic())
            await asyncio.sleep(0.02)

    async def cancelled() -> float:
        beating, reading = asyncio.create_task(beat()), asyncio.create_task(read())
        while says and not seen:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)  # now it waits inside of FFmpeg, which tells nobody
        assert not reading.done()
        began = time.monotonic()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        beating.cancel()
        return time.monotonic() - began

    writer = threading.Thread(target=feed, args=(silent,))
    if says:
        writer.start()
    took_s = asyncio.run(cancelled())
    assert took_s < 2
    assert max(b - a for a, b in itertools.pairwise(beats)) < 0.5
    assert bool(seen) is says
    threads = [each for each in threading.enumerate() if each.name.startswith("reelway-frames")]
    for thread in threads:
        thread.join(2)
        assert not thread.is_alive()
    if says:
        writer.join(10)


def feed(path: Path) -> None:
    """Half of a film; what does not fit in any more, because the reader has gone, is left out."""
    data = make.media("film.ts").read_bytes()
    end = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    left, until = data[: len(data) // 2], time.monotonic() + 2
    while left and time.monotonic() < until:
        with contextlib.suppress(BlockingIOError):
            left = left[os.write(end, left) :]
        time.sleep(0.001)
    os.close(end)


def test_leaving_early_in_asyncio_tells_nothing_of_what_was_under_way(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def leave() -> None:
        for _ in range(5):
            reading = rw.frames_async(make.media("film.mp4"))
            async for _frame in reading:
                break
            await reading.aclose()  # type: ignore[attr-defined]

    asyncio.run(leave())
    gc.collect()
    assert not [record for record in caplog.records if record.name == "asyncio"]


def test_a_file_object_is_read_from_its_start_each_time() -> None:
    frames = rw.frames(io.BytesIO(make.media("film.mp4").read_bytes()))
    assert [number(frame) for frame in list(frames)] == list(range(100))
    assert len(frames.times) == 100
    assert number(frames[42]) == 42
    assert [number(frame) for frame in frames] == list(range(100))


def test_frames_are_no_container_with_a_length() -> None:
    """`list()` and `if` would ask for it, and read all of a source that can be read once or never ends."""
    frames = rw.frames(make.media("film.mp4"))
    assert not hasattr(frames, "__len__")
    assert not hasattr(frames, "__length_hint__")


def piped(data: bytes) -> tuple[IO[bytes], threading.Thread]:
    end, into = os.pipe()

    def write() -> None:
        with contextlib.suppress(BrokenPipeError), os.fdopen(into, "wb") as file:
            file.write(data)

    thread = threading.Thread(target=write)
    thread.start()
    return os.fdopen(end, "rb"), thread


def test_a_file_object_that_cannot_seek_is_read_once() -> None:
    file, writer = piped(make.media("film.ts").read_bytes())
    with file:
        frames = rw.frames(file)
        assert [number(frame) for frame in list(frames)] == list(range(100))
        for again in (lambda: list(frames), lambda: frames.at(1.0), lambda: frames[3]):
            with pytest.raises(rw.StateError, match="has been read, and cannot be sought in\nhint: one loop"):
                again()
    writer.join(10)


def test_a_file_object_is_not_read_in_two_places_at_once() -> None:
    frames = rw.frames(io.BytesIO(make.media("film.mp4").read_bytes()))
    going = iter(frames)
    assert number(next(going)) == 0
    with pytest.raises(rw.StateError, match="is being read, and has one place to read at"):
        frames.at(1.0)
    assert number(next(going)) == 1
    del going
    assert number(frames.at(1.0)) == 25


@pytest.mark.parametrize("name", ["film.mp4", "open.mkv", "late.ts", "film.h264"])
@pytest.mark.parametrize("part", [(1.02, 2.0), (0.0, 0.5), (1.5, None)])
def test_times_and_numbers_are_of_the_part_that_was_asked_for(
    name: str, part: tuple[float, float | None]
) -> None:
    frames = rw.frames(make.media(name), start_s=part[0], end_s=part[1])
    every = list(frames)
    assert 5 < len(every) < len(rw.frames(make.media(name)).times)
    assert frames.times == pytest.approx([frame.time for frame in every])
    for at in (0, 3, -1):
        assert number(frames[at]) == number(every[at])
    with pytest.raises(IndexError):
        frames[len(every)]


def test_upright_by_default_and_as_coded_when_asked() -> None:
    upright = next(iter(rw.frames(make.media("upright.mp4"))))
    coded = next(iter(rw.frames(make.media("upright.mp4"), upright=False)))
    assert upright.planes()[0].shape == (320, 240)
    assert coded.planes()[0].shape == (240, 320)
    turned = [np.rot90(coded.planes()[0], quarter) for quarter in (1, 3)]
    assert any((upright.planes()[0] == each).all() for each in turned)


def test_any_time_in_another_format() -> None:
    frames = rw.frames(make.media("film.mp4"), pixel_format="rgb24", width=320, height=240)
    every = list(frames)
    for at in (0.0, 0.37, 1.0, 2.999, 3.9):
        frame = frames.at(at)
        expected = max(int(at / 0.04 + 1e-6), 0)
        assert frame.time == pytest.approx(expected * 0.04)
        assert (frame.array == every[expected].array).all()


def test_arrays_go_on_without_a_copy() -> None:
    frame = next(iter(rw.frames(make.media("film.mp4"), pixel_format="rgb24")))
    mine = frame.writable()
    theirs = np.from_dlpack(mine)
    theirs[0, 0] = 7
    assert (frame.array[0, 0] == 7).all()


def test_mistakes_are_told_at_once() -> None:
    film = make.media("film.mp4")
    with pytest.raises(rw.OptionError, match="from 3 s to 1 s: the end comes before the start"):
        rw.frames(film, start_s=3, end_s=1)
    with pytest.raises(rw.UnknownNameError, match="no pixel format is named 'rgb42'") as caught:
        rw.frames(film, pixel_format="rgb42")
    assert "rgb24" in caught.value.near
    with pytest.raises(TypeError, match="pixfmt"):
        rw.frames(film, pixfmt="rgb24")
    with pytest.raises(rw.OptionError, match="stream is 5"):
        rw.frames(film, stream=5)  # type: ignore[arg-type]


@pytest.mark.parametrize("end_s", [3.0, 99.0])
def test_a_range_without_a_frame_is_empty(end_s: float) -> None:
    assert [frame.time for frame in rw.frames(make.media("film.mp4"), start_s=end_s, end_s=end_s)] == []


def test_what_is_no_place_of_a_frame_is_told(film: Path) -> None:
    frames = rw.frames(film)
    with pytest.raises(rw.OptionError, match="not by a slice") as raised:
        frames[1:3]  # type: ignore[index]
    assert "islice" in str(raised.value.hint)
    with pytest.raises(rw.OptionError, match="nan"):
        frames.at(float("nan"))
