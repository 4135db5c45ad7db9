"""`rw.frames`: all frames of a stream, and any one by time or number."""

from __future__ import annotations

import asyncio
import random
import threading

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
    assert len(frames) == len(times)
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
