"""Valkka's clients and ring buffers against writers of Reelway, and its documents' scripts, run unchanged."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest

import reelway as rw
from reelway import share
from reelway.compat.valkka import core
from reelway.compat.valkka.api2 import ShmemRGBClient
from reelway.compat.valkka.api2.threads import ShmemClient

SCRIPTS = Path(__file__).parent / "scripts"
WIDTH, HEIGHT = 1920 // 4, 1080 // 4
SIZE = WIDTH * HEIGHT * 3
RGB = {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": "rgb24", "Timescale": 25}
FRAMES = 3


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="rw-"))
    monkeypatch.setenv("REELWAY_SHARE_DIR", str(path))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def client(name: str = "lesson_4", buffers: int = 10, size: int = SIZE, mstimeout: int = 10_000) -> Any:
    return ShmemClient(name=name, n_ringbuffer=buffers, n_bytes=size, mstimeout=mstimeout, verbose=False)


def rgb_client(width: int = WIDTH, height: int = HEIGHT, buffers: int = 10, mstimeout: int = 10_000) -> Any:
    return ShmemRGBClient(
        name="lesson_4", n_ringbuffer=buffers, width=width, height=height, mstimeout=mstimeout
    )


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> Any:
    return numpy.full((height, width, 3), number, numpy.uint8)


# The documents' scripts

PRELUDE = "import sys; from reelway.cli import main; "
STUBBED = (  # the wheel's windows want a screen: what would be shown is printed
    "import cv2; cv2.imshow = lambda name, image: print(name, image.shape, *image[0, 0], flush=True); "
    "cv2.waitKey = lambda ms: -1; "
)


def printed(script: str, enough: Callable[[str], bool], prelude: str = PRELUDE) -> list[str]:
    """What an endless script prints of frames that are filled with their numbers, until `enough`."""
    process = subprocess.Popen(
        [sys.executable, "-uc", f"{prelude}sys.exit(main())", "script", str(SCRIPTS / script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines: list[str] = []
    over = threading.Event()
    assert process.stdout is not None
    with share.Writer("lesson_4", slots=10) as writer:

        def write() -> None:
            while not writer.wait_readers(1, 0.05) and not over.is_set():
                pass
            number = 0
            while not over.wait(0.02):
                number = number % 200 + 1
                writer.write(
                    picture(number).tobytes(), properties=RGB | {"Width": WIDTH, "Height": HEIGHT}, dts=number
                )

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for line in process.stdout:
                lines.append(line.rstrip("\n"))
                if enough(line):
                    break
        finally:
            over.set()
            thread.join()
            process.kill()
            _, errors = process.communicate()
    assert errors == "", errors
    return lines


def counted(pattern: str) -> Callable[[str], bool]:
    seen: list[str] = []

    def enough(line: str) -> bool:
        seen.extend(re.findall(pattern, line))
        return len(seen) >= FRAMES

    return enough


def test_client_at_level_2() -> None:
    lines = printed("valkka_02_client_api2.py", counted("got data"))
    got = [line for line in lines if line != "timeout"]
    assert len(got) == FRAMES
    numbers = [numpy.array(re.findall(r"\d+", line), int) for line in got]
    assert all(len(set(each)) == 1 and len(each) == 10 for each in numbers)
    assert len({int(each[0]) for each in numbers}) == FRAMES


def test_client_with_opencv() -> None:
    pytest.importorskip("cv2")
    lines = printed("valkka_03_client_opencv.py", counted("valkka_opencv_demo"), PRELUDE + STUBBED)
    shown = [line for line in lines if line != "timeout"]
    assert len(shown) == FRAMES
    for line in shown:
        found = re.fullmatch(r"valkka_opencv_demo \(270, 480, 3\) (\d+) (\d+) (\d+)", line)
        assert found
        assert len(set(found.groups())) == 1


def test_client_at_level_1() -> None:
    lines = printed("valkka_04_client_api1.py", counted("payload"))
    assert lines[:10] == [f"got element i= {n}" for n in range(10)]
    got = [line for line in lines[10:] if line != "timeout"]
    assert got[0::2] == [f"got index, size = {n} {SIZE}" for n in range(FRAMES)]
    for line in got[1::2]:
        assert re.fullmatch(r"payload         = \[ *(\d+)( +\1){9}\]", line)


# Rings


def test_a_frame_stays_until_the_next_pull_and_what_was_taken_of_it_longer() -> None:
    server = core.SharedMemRingBuffer("lesson_4", 2, 100, 0, True)
    reading = client(buffers=2, size=100)
    server.serverPush(bytes([1]) * 100)
    index, size = reading.pull()
    assert (index, size) == (0, 100)
    taken = reading.shmem_list[index][0:size]
    for number in range(2, 12):
        server.serverPush(bytes([number]) * 100)
    assert set(reading.shmem_list[index][0:size].tolist()) == {1}
    assert reading.pull() == (1, 100)
    assert set(reading.shmem_list[1].tolist()) <= set(range(2, 12))
    assert len(set(reading.shmem_list[1].tolist())) == 1
    assert set(taken.tolist()) == {1}
    with pytest.raises(rw.StateError, match="let go of with the next pull"):
        reading.shmem_list[0][0:size]
    server.close()


def test_elements_stand_for_arrays() -> None:
    server = core.SharedMemRingBuffer("lesson_4", 2, 12, 0, True)
    reading = client(buffers=2, size=12)
    element = reading.shmem_list[0]
    assert (len(element), element.shape, element[0:3].tolist()) == (12, (12,), [0, 0, 0])
    server.serverPush(bytes(range(12)))
    assert reading.pull() == (0, 12)
    assert numpy.asarray(element).tolist() == list(range(12))
    assert element.reshape(3, 4)[1].tolist() == [4, 5, 6, 7]
    assert list(element) == list(range(12))
    assert element[0:12].base is not None
    with pytest.raises(ValueError, match="read-only"):
        element[0:12][0] = 1
    server.close()


def test_level_1_with_pointers_and_with_tuples() -> None:
    server = core.SharedMemRingBufferRGB("lesson_4", 3, 8, 4, 0, True)
    ring: Any = core.SharedMemRingBuffer  # in the last version's form
    reading = ring("lesson_4", 3, 8, 4, 10_000, False)
    assert isinstance(reading, core.SharedMemRingBufferRGB)
    elements = [core.getNumpyShmem(reading, n) for n in range(3)]
    assert elements == reading.getBufferListPy()
    server.serverPushPyRGB(picture(7, 8, 4), 5, 1234)
    assert reading.clientPullPy() == (0, 96, 8, 4, 5, 1234)
    assert elements[0][0:96].tolist() == [7] * 96
    server.serverPushPyRGB(picture(8, 8, 4), 5, 1235)
    index, size = core.new_intp(), core.new_intp()
    assert reading.clientPull(index, size)
    assert (core.intp_value(index), core.intp_value(size)) == (1, 96)
    server.serverPushPyRGB(picture(9, 4, 2), 6, 1236)  # smaller ones fit, too
    meta = core.RGB24Meta()
    assert reading.clientPullFrame(index, meta)
    assert (core.intp_value(index), meta) == (2, core.RGB24Meta(24, 4, 2, 6, 1236))
    server.close()


def test_a_frame_and_what_is_said_of_it() -> None:
    sharing = core.RGBShmemFrameFilter("lesson_4", 10, WIDTH, HEIGHT)
    reading = rgb_client()
    sharing.run(core.Frame(picture(3), slot=2, mstimestamp=99))
    index, meta = reading.pullFrame()
    assert (meta.width, meta.height, meta.size, meta.slot, meta.mstimestamp) == (WIDTH, HEIGHT, SIZE, 2, 99)
    image = reading.shmem_list[index][0 : meta.size].reshape((meta.height, meta.width, 3))
    assert (image == 3).all()
    sharing.shmembuf.close()


def test_a_session_s_ring_tells_when_a_frame_was_captured() -> None:
    with share.Writer("lesson_4") as writer:
        reading = rgb_client(8, 4)
        writer.write(
            bytes(96), properties=RGB | {"Width": 8, "Height": 4}, capture_time=1_700_000_000_123_000_000
        )
        _, meta = reading.pullFrame()
    assert (meta.slot, meta.mstimestamp) == (1, 1_700_000_000_123)


def test_nothing_comes_in_time() -> None:
    reading = client(mstimeout=10)
    assert reading.pull() == (None, None)
    with share.Writer("lesson_4"):
        assert reading.pull() == (None, None)
        one = core.SharedMemRingBufferRGB("lesson_4", 10, 8, 4, 10, False)
        assert one.clientPullPy() == (-1, 0, 0, 0, 0, 0)
        assert not one.clientPullFrame(core.new_intp(), core.RGB24Meta())
        assert rgb_client(8, 4, mstimeout=10).pullFrame() == (None, None)


def test_a_client_comes_before_its_server_and_stays_when_that_goes() -> None:
    reading = client(mstimeout=100, buffers=2, size=10)
    for number in (1, 2):
        server = core.SharedMemRingBuffer("lesson_4", 2, 10, 0, True)
        server.serverPush(bytes([number]) * 10)
        while (pulled := reading.pull()) == (None, None):
            pass
        assert reading.shmem_list[pulled[0]].tolist() == [number] * 10
        server.close()
        assert reading.pull() == (None, None)


# Filters


def test_frame_filters_share_and_hand_on() -> None:
    seen: list[Any] = []

    class Last(core.FrameFilter):
        def go(self, frame: core.Frame) -> None:
            seen.append(frame.payload)

    first = core.FrameFilter("first", Last("last"))
    first.run(core.Frame(b"abc"))
    assert seen == [b"abc"]

    sharing = core.SharedMemFrameFilter("lesson_4", 10, SIZE)
    reading = client()
    sharing.run(core.Frame(picture(4).tobytes()))
    assert reading.pull() == (0, SIZE)
    sharing.shmembuf.close()


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ((100,), core.SharedMemFrameFilter),
        ((100, 1000), core.SharedMemFrameFilter),
        ((8, 4, 1000), core.RGBShmemFrameFilter),
    ],
)
def test_forms_of_the_filter_are_told_apart(words: tuple[int, ...], kind: type) -> None:
    make: Any = core.SharedMemFrameFilter
    made: Any = make("lesson_4", 3, *words)
    assert made.__class__.__name__ == kind.__name__
    assert core.ShmemFrameFilter is core.SharedMemFrameFilter
    made.shmembuf.close()


# Mistakes


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: client(buffers=5), "lesson_4: n_ringbuffer is 5 here and 10 in the server"),
        (lambda: client(size=100), f"lesson_4: n_bytes is 100 here and {SIZE} in the server"),
        (
            lambda: client(size=SIZE + 9000),
            f"lesson_4: n_bytes is {SIZE + 9000} here and {SIZE} in the server",
        ),
        (
            lambda: rgb_client(HEIGHT, WIDTH),
            "lesson_4: width x height is 270x480 here and 480x270 in the server",
        ),
        (lambda: rgb_client(64, 64), "lesson_4: width x height is 64x64 here and 480x270 in the server"),
    ],
)
def test_other_parameters_than_the_server_s(make: Callable[[], Any], said: str) -> None:
    server = core.RGBShmemFrameFilter("lesson_4", 10, WIDTH, HEIGHT)
    server.run(core.Frame(picture(1)))
    with pytest.raises(rw.OptionError) as caught:
        make().pull()
    assert str(caught.value) == said
    assert caught.value.hint
    server.shmembuf.close()


def test_they_are_told_before_a_frame_comes_where_that_can_be() -> None:
    server = core.SharedMemFrameFilter("lesson_4", 10, SIZE)
    with pytest.raises(rw.OptionError, match="n_bytes is 100 here"):
        client(size=100)
    server.shmembuf.close()


def test_a_server_waits_for_nobody() -> None:
    server = core.SharedMemRingBuffer("lesson_4", 2, 10, 0, True)
    with share.open("lesson_4") as frames:
        for number in range(20):
            server.serverPush(bytes([number]) * 10)
        assert [frames.pull(10).tolist()[0], frames.pull(10).tolist()[0]] == [0, 1]  # type: ignore[union-attr]
    server.close()


def test_other_colours_than_the_client_s() -> None:
    with share.Writer("lesson_4") as writer:
        reading = rgb_client(8, 4)
        writer.write(bytes(96), properties=RGB | {"PixelFormat": "bgr24", "Width": 8, "Height": 4})
        with pytest.raises(rw.OptionError, match="the format is rgb24 here and bgr24 in the server"):
            reading.pullFrame()


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: ShmemClient(name="x"), rw.OptionError, "ShmemClient without n_bytes"),
        (lambda: ShmemClient(name="x", n_bytes="1"), rw.OptionError, "ShmemClient: n_bytes is '1'"),
        (lambda: ShmemClient(nam="x"), rw.UnknownNameError, "no parameter of ShmemClient is named 'nam'"),
        (lambda: core.SharedMemRingBuffer("x", 1, 10), rw.OptionError, "x: 1 buffers of 10 bytes"),
    ],
)
def test_wrong_parameters(call: Callable[[], Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=re.escape(said)):
        call()


def test_both_ends_know_which_one_they_are() -> None:
    server = core.SharedMemRingBuffer("lesson_4", 2, 10, 0, True)
    with pytest.raises(rw.StateError, match="a server's end"):
        server.clientPull(core.new_intp(), core.new_intp())
    reading = core.SharedMemRingBuffer("lesson_4", 2, 10, 0, False)
    with pytest.raises(rw.StateError, match="a client's end"):
        reading.serverPush(b"x")
    with pytest.raises(rw.OptionError, match="has no element 2"):
        core.getNumpyShmem(reading, 2)
    with pytest.raises(rw.PacketError, match="too large"):
        server.serverPush(bytes(11))
    server.close()
