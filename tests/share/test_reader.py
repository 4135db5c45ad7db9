"""What a reader may rely on: order, policies, waiting in every manner, and arrays that keep their slot."""

from __future__ import annotations

import asyncio
import gc
import math
import os
import pickle
import select
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest

from reelway import share
from reelway.errors import DeadlineError, OpenError, OptionError, StateError
from reelway.share import place, reader
from reelway.share.line import Line
from reelway.share.memory import Memory
from tests.share.conftest import printed, script

SLOT = Memory.slot


def test_latest_gets_the_last_one_before_the_end() -> None:
    """Whether it has asked already or not."""
    for _ in range(20):
        with share.Writer("cam1") as writer:
            frames = share.open("cam1", policy="latest")
            for number in range(5):
                writer.write(bytes([number]))
        with frames:
            assert [frame.tobytes() for frame in frames][-1] == bytes([4])


@pytest.fixture
def writer() -> Iterator[share.Writer]:
    with share.Writer("cam1", slots=4) as made:
        yield made


def test_a_format_that_changes_arrives_in_order(writer: share.Writer) -> None:
    """Shape, type and properties of each frame are its own, though all were written before the first came."""
    wrote = []
    with share.open("cam1") as frames:
        for number in range(1, 5):
            array = numpy.full((number, 2), number, f"<u{2 ** (number % 3)}")
            wrote.append((array.shape, array.dtype, number, {"Width": number, "Timescale": 1000}))
            writer.write(array, properties=wrote[-1][3], dts=number)
        found = [(one.shape, one.dtype, int(one[0, 0]), dict(one.properties)) for one in pulled(frames, 4)]
        assert found == wrote
        assert frames.properties == wrote[-1][3]


def test_frames_that_grow_get_a_larger_memory_and_the_old_one_goes(writer: share.Writer) -> None:
    with share.open("cam1") as frames:
        small = None
        for size in (1000, 10_000, 100_000, 1_000_000, 10):
            writer.write(numpy.full(size, size % 251, numpy.uint8))
            frame = frames.pull(10.0)
            assert frame is not None
            small = frame if small is None else small
            assert (frame == size % 251).all()
        assert (small == 1000 % 251).all(), "it is still looked at"
        with_old = writer.info()["bytes"]
        del frame, small
        gc.collect()
        assert writer.info()["bytes"] < with_old
        assert writer.info()["bytes"] == 4 * writer.info()["slot_bytes"]


def test_every_holds_the_writer_up_and_latest_does_not(writer: share.Writer) -> None:
    with share.open("cam1") as every:
        for _ in range(4):
            writer.write(b"x", timeout_s=10.0)
        with pytest.raises(DeadlineError, match=r"cam1: readers hold all 4 slots, after 0.01 s"):
            writer.write(b"x", timeout_s=0.01)
        every.pull(1.0)
        assert writer.write(b"x", timeout_s=10.0) == 5
    with share.open("cam1", policy="latest") as latest:
        held = []
        for number in range(6, 10):
            assert writer.write(b"x", timeout_s=10.0) == number
            held.append(latest.pull(10.0))
        assert writer.write(b"x") == 0
        assert writer.dropped == 1, "it holds all there is, and the writer went on"
        held.clear()
        assert writer.write(b"y", timeout_s=1.0)


def test_latest_holds_nobody_up_also_when_it_has_left(writer: share.Writer) -> None:
    with share.open("cam1", policy="latest") as latest:
        held = []
        for _ in range(4):
            writer.write(b"x")
            held.append(latest.pull(10.0))
    assert writer.write(b"x", timeout_s=5.0) == 0, "at once, and nobody was cut off"
    assert (writer.dropped, writer.readers) == (1, ())
    assert [frame.tobytes() for frame in held if frame is not None] == [b"x"] * 4
    held.clear()
    assert writer.write(b"y", timeout_s=5.0) == 5
    with share.open("cam1") as every:
        writer.write(b"z")
        kept = [every.pull(10.0)]
        assert kept
    assert [writer.write(b"z", timeout_s=5.0) for _ in range(8)] == list(range(7, 15)), "three slots are left"


def test_the_writer_is_woken_when_a_slot_comes_free(writer: share.Writer) -> None:
    with share.open("cam1") as frames:
        for _ in range(4):
            writer.write(b"x")
        held = pulled(frames, 4)
        numbers: list[int] = []
        thread = threading.Thread(target=lambda: numbers.append(writer.write(b"new", timeout_s=30.0)))
        thread.start()
        while not writer._desk._waits:
            time.sleep(0)
        del held[0]
        thread.join(20.0)
        assert numbers == [5]


def test_a_writer_that_waits_hears_of_close(writer: share.Writer) -> None:
    with share.open("cam1") as frames:
        for _ in range(4):
            writer.write(b"x")
        held = pulled(frames, 4)
        errors: list[BaseException] = []

        def write() -> None:
            try:
                writer.write(b"x")
            except StateError as error:
                errors.append(error)

        thread = threading.Thread(target=write)
        thread.start()
        while not writer._desk._waits:
            time.sleep(0)
        writer.close()
        thread.join(20.0)
        assert [str(error) for error in errors] == ["cam1 is shared no longer"]
        assert len(held) == 4


def test_what_is_newest_gives_way_when_all_else_is_held() -> None:
    with share.Writer("cam1", slots=2) as writer, share.open("cam1") as frames:
        writer.write(b"1")
        kept = frames.pull(1.0)
        for number in range(2, 9):
            assert writer.write(b"%d" % number, timeout_s=10.0) == number
            frame = frames.pull(10.0)
            assert frame is not None
            assert frame.tobytes() == b"%d" % number
            del frame
        assert kept is not None
        assert kept.tobytes() == b"1"


def test_patience_is_for_holding_up_not_for_holding() -> None:
    """A frame that is kept for long is no reason to be cut off, while others come free."""
    with share.Writer("cam1", slots=3, patience_s=0.3) as writer, share.open("cam1") as frames:
        writer.write(b"kept")
        kept = frames.pull(1.0)
        until = time.monotonic() + 0.7
        while time.monotonic() < until:
            writer.write(b"x", timeout_s=5.0)
            assert frames.pull(5.0) is not None
        writer.write(b"a", timeout_s=5.0)
        writer.write(b"b", timeout_s=5.0)  # and now nothing is free
        with pytest.raises(DeadlineError):
            writer.write(b"c", timeout_s=0.01)
        assert frames.pull(5.0) is not None
        assert writer.write(b"c", timeout_s=5.0)
        assert kept is not None
        assert kept.tobytes() == b"kept"
        assert len(writer.readers) == 1


def test_patience_ends_also_for_who_writes_with_a_timeout_again_and_again() -> None:
    with share.Writer("cam1", slots=2, patience_s=0.2) as writer, share.open("cam1") as frames:
        for _ in range(2):
            writer.write(b"x")
        tries = 0
        while True:
            try:
                writer.write(b"x", timeout_s=0.05)
                break
            except DeadlineError:
                tries += 1
                assert tries < 50
        assert tries >= 2
        assert writer.readers == ()
        assert [frame.tobytes() for frame in pulled(frames, 2)] == [b"x", b"x"], "these had come already"
        with pytest.raises(OpenError, match=r"cut this reader off: nothing was free for 0.2 s"):
            frames.pull(10.0)
        assert frames.pull() is None
        assert "nothing was free" in frames.over


def test_wait_readers(writer: share.Writer) -> None:
    assert writer.wait_readers(1, 0.0) is False
    with share.open("cam1"):
        assert writer.wait_readers(1, 10.0) is True
        assert writer.wait_readers(2, 0.0) is False
        with share.open("cam1", policy="latest"):
            assert writer.wait_readers(2, 10.0) is True
            assert sorted(told.policy for told in writer.readers) == ["every", "latest"]
            assert {told.pid for told in writer.readers} == {os.getpid()}
    closed = threading.Thread(target=writer.close)
    waiting = threading.Thread(target=lambda: found.append(writer.wait_readers(1)))
    found: list[bool] = []
    waiting.start()
    closed.start()
    for thread in (waiting, closed):
        thread.join(20.0)
    assert found == [False]


def test_a_descriptor_to_select_on(writer: share.Writer) -> None:
    """It is readable as long as there is a frame, also where several have come at once."""
    with share.open("cam1") as frames:
        assert frames.poll() is None
        assert select.select([frames], [], [], 0) == ([], [], [])
        for _ in range(3):
            writer.write(b"x")
        for number in range(1, 4):
            assert select.select([frames], [], [], 10.0)[0] == [frames]
            frame = frames.poll()
            assert frame is not None
            assert frame.sequence == number
        assert frames.poll() is None
        assert select.select([frames], [], [], 0)[0] == []
        writer.close()
        assert select.select([frames], [], [], 10.0)[0] == [frames]
        assert frames.poll() is None
        assert frames.over == "the writer has ended"
        with pytest.raises(StateError, match="cam1 is not connected"):
            frames.fileno()


def test_select_with_latest(writer: share.Writer) -> None:
    with share.open("cam1", policy="latest") as frames:
        for number in range(1, 20):
            assert frames.poll() is None
            writer.write(b"x")
            assert select.select([frames], [], [], 10.0)[0] == [frames]
            frame = frames.poll()
            while frame is None:  # a part of it was there
                frame = frames.poll()
            assert frame.sequence == number


def test_asyncio(writer: share.Writer) -> None:
    async def read(policy: Any) -> list[int]:
        found = []
        with share.open("cam1", policy=policy) as frames:
            with pytest.raises(DeadlineError, match="no frame came, after 0.01 s"):
                await frames.pull_async(0.01)
            started.append(1)
            async for frame in frames:
                found.append(frame.sequence)
                writer_turn.set()
        return found

    async def write() -> None:
        while len(started) < 2:
            await asyncio.sleep(0)
        for _ in range(30):
            writer_turn.clear()
            await asyncio.to_thread(writer.write, b"x", timeout_s=10.0)
            await writer_turn.wait()
        await asyncio.to_thread(writer.close)

    async def both() -> Any:
        return await asyncio.gather(read("every"), read("latest"), write())

    started: list[int] = []
    writer_turn = asyncio.Event()
    every, latest, _ = asyncio.run(both())
    assert every == list(range(1, 31))
    assert latest
    assert latest == sorted(set(latest))


def test_asyncio_waits_for_a_writer_and_can_be_cancelled(writer: share.Writer) -> None:
    async def read() -> None:
        with share.open("cam1", when_gone="wait") as frames:
            writer.close()
            with pytest.raises(DeadlineError, match="nobody shares cam1"):
                await frames.pull_async(0.02)
            waiting = asyncio.create_task(frames.pull_async())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            with share.Writer("cam1") as other:
                waiting = asyncio.create_task(frames.pull_async(30.0))
                while not await asyncio.to_thread(other.wait_readers, 1, 0.01):
                    pass
                other.write(b"new")
                frame = await waiting
                assert frame is not None
                assert frame.tobytes() == b"new"

    asyncio.run(read())


def test_views_of_views_keep_the_slot(writer: share.Writer) -> None:
    with share.open("cam1", policy="latest") as frames:
        writer.write(numpy.arange(24, dtype=numpy.uint8).reshape(4, 6))
        frame = frames.pull(1.0)
        assert frame is not None
        keepers: list[Any] = [
            frame[1:][:, ::2].T[1:],
            frame.planes()[0].view(numpy.uint16),
            memoryview(frame.payload())[3:],
            numpy.from_dlpack(frame),
            numpy.asarray(frame).reshape(-1)[5:6],
            memoryview(frame[2]),
        ]
        before = [bytes(each) if isinstance(each, memoryview) else each.tolist() for each in keepers]
        del frame
        while keepers:
            gc.collect()
            for _ in range(10):
                writer.write(numpy.full((4, 6), 255, numpy.uint8), timeout_s=1.0)
            now = [bytes(each) if isinstance(each, memoryview) else each.tolist() for each in keepers]
            assert now == before
            assert writer.readers[0].held == 1
            del keepers[0], before[0], now
        gc.collect()
        assert writer.readers[0].held == 0


def test_arrays_go_in_any_thread(writer: share.Writer) -> None:
    """Many threads let go of frames, in cycles that only the collector finds, while others come."""
    with share.open("cam1") as frames:
        stop = threading.Event()

        def drop() -> None:
            while not stop.is_set() or bag:
                if bag:
                    cycle = [bag.pop()]
                    cycle.append(cycle)
                    del cycle
                gc.collect(0)

        bag: list[Any] = []
        threads = [threading.Thread(target=drop) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(1, 101):
            assert writer.write(numpy.full(64, number % 251, numpy.uint8), timeout_s=30.0) == number
            frame = frames.pull(30.0)
            assert frame is not None
            assert (frame == number % 251).all()
            bag.append(frame)
            del frame
        stop.set()
        for thread in threads:
            thread.join(20.0)
        gc.collect()
        assert writer.readers[0].held == 0


def test_arrays_outlive_their_reader(writer: share.Writer) -> None:
    """They stay as they are, the writer goes on without them, and with the last one the connection ends."""
    frames = share.open("cam1")
    writer.write(b"first")
    writer.write(b"unread")
    first = frames.pull(1.0)
    frames.close()
    assert writer.readers == ()
    for _ in range(20):
        writer.write(b"other", timeout_s=1.0)
    assert first is not None
    assert first.tobytes() == b"first"
    assert len(writer._desk.guests.all) == 1
    del first
    gc.collect()
    writer.write(b"other")
    assert writer._desk.guests.all == []


def test_what_a_reader_said_last_hides_not_that_it_has_gone(writer: share.Writer) -> None:
    """It lets go of a frame and closes, and both are there when the writer hears it next."""
    frames = share.open("cam1")
    writer.write(b"first")
    first = frames.pull(1.0)
    assert first is not None
    with writer._desk.changed:  # its thread hears nothing meanwhile
        del first
        gc.collect()
        frames.close()
        assert writer.readers == ()


def test_a_reader_that_is_forgotten_is_closed(writer: share.Writer) -> None:
    frames = share.open("cam1")
    assert writer.wait_readers(1, 10.0)
    del frames
    gc.collect()
    assert writer.readers == ()


def test_what_is_made_of_a_frame_is_plain(writer: share.Writer) -> None:
    with share.open("cam1") as frames:
        writer.write(numpy.arange(6, dtype=numpy.uint8), metadata={"a": 1}, dts=5)
        frame = frames.pull(1.0)
        assert frame is not None
        for made in (frame.copy(), frame[1:], frame.astype(float)):
            assert made.dts is None
            assert dict(made.metadata) == {}
            with pytest.raises(StateError, match="only a frame as it came has a payload"):
                made.payload()
        for computed in (frame + 1, 255 - frame, numpy.sqrt(frame), frame > 2):
            assert type(computed) is numpy.ndarray
        for number in (frame.sum(), frame.mean(), frame.max(), numpy.add.reduce(frame), frame[2] + 1):
            assert isinstance(number, numpy.generic), "as of any array"
        assert frame.copy().flags.writeable
        frame.payload().release()
        assert bytes(frame.payload()) == bytes(range(6))
        plain = pickle.loads(pickle.dumps(frame))
        assert type(plain) is numpy.ndarray
        assert plain.tolist() == frame.tolist()
        assert numpy.shares_memory(numpy.from_dlpack(frame), frame)
        with pytest.raises(BufferError, match="readonly"):
            frame.__dlpack__()  # as consumers ask that want to write


def test_a_hundred_readers_and_writers_leak_nothing() -> None:
    def once() -> None:
        with share.Writer("cam2") as writer, share.open("cam2") as frames:
            writer.write(b"x")
            assert frames.pull(10.0) is not None

    once()
    before = len(os.listdir("/proc/self/fd")), threading.active_count(), maps()
    for _ in range(100):
        once()
    gc.collect()
    assert (len(os.listdir("/proc/self/fd")), threading.active_count(), maps()) == before


@pytest.mark.parametrize("held", [False, True])
def test_who_waits_hears_that_its_reader_is_closed(held: bool, writer: share.Writer) -> None:
    frames = share.open("cam1")
    kept = None
    if held:
        writer.write(b"x")
        kept = frames.pull(10.0)
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(frames.pull()))
    thread.start()
    while "poll" not in Path(f"/proc/self/task/{thread.native_id}/wchan").read_text():
        time.sleep(0)
    frames.close()
    thread.join(20.0)
    assert found == [None]
    assert frames.over == "closed"
    assert kept is None or kept.tobytes() == b"x"


@pytest.mark.parametrize("held", [False, True])
def test_a_task_that_waits_hears_that_its_reader_is_closed(held: bool, writer: share.Writer) -> None:
    async def read() -> None:
        frames = share.open("cam1")
        kept = None
        if held:
            writer.write(b"x")
            kept = await frames.pull_async(10.0)
        waiting = asyncio.create_task(frames.pull_async())
        for _ in range(3):
            await asyncio.sleep(0)
        frames.close()
        assert await asyncio.wait_for(waiting, 20.0) is None
        assert kept is None or kept.tobytes() == b"x"

    asyncio.run(read())


def test_a_task_that_begins_to_wait_while_another_thread_closes_its_reader(
    monkeypatch: pytest.MonkeyPatch, writer: share.Writer
) -> None:
    frames = share.open("cam1")
    loops = [asyncio.get_running_loop]

    def closing() -> Any:
        frames.close()
        return loops[0]()

    async def read() -> None:
        monkeypatch.setattr(asyncio, "get_running_loop", closing)
        assert await asyncio.wait_for(frames.pull_async(), 20.0) is None
        assert frames.over == "closed"

    asyncio.run(read())


def test_a_reader_that_is_opened_while_a_task_still_waits_for_a_closed_one(writer: share.Writer) -> None:
    """Descriptors have the number of those that are gone: the first task must not take the second one's."""

    async def read() -> None:
        frames = share.open("cam1")
        waiting = asyncio.create_task(frames.pull_async())
        for _ in range(3):
            await asyncio.sleep(0)
        frames.close()
        with share.open("cam1") as other:
            too = asyncio.create_task(other.pull_async())
            for _ in range(3):
                await asyncio.sleep(0)
            assert await asyncio.wait_for(waiting, 20.0) is None
            await asyncio.to_thread(writer.write, b"x")
            frame = await asyncio.wait_for(too, 20.0)
            assert frame is not None
            assert frame.tobytes() == b"x"

    asyncio.run(read())


@pytest.mark.parametrize("moment", ["a frame is taken", "a slot is looked at", "a memory is mapped", "asked"])
@pytest.mark.parametrize("ask", ["pull", "poll", "pull_async"])
def test_another_thread_closes_a_reader_at_the_worst_moment(
    moment: str, ask: str, monkeypatch: pytest.MonkeyPatch, writer: share.Writer
) -> None:
    """There are no more frames, and that is all; the writer is rid of it."""
    frames = share.open("cam1", policy="latest")

    def closing(does: Callable[..., Any]) -> Callable[..., Any]:
        def first(*given: Any) -> Any:
            frames.close()
            return does(*given)

        return first

    class Ready(deque[Any]):
        popleft = closing(deque.popleft)

    match moment:
        case "a frame is taken":
            monkeypatch.setattr(frames, "_ready", Ready())
        case "a slot is looked at":
            monkeypatch.setattr(Memory, "slot", closing(Memory.slot))
        case "a memory is mapped":
            monkeypatch.setattr(reader, "attach", closing(reader.attach))
        case "asked":
            monkeypatch.setattr(reader, "ready", closing(reader.ready))
    with monkeypatch.context() as still:
        still.setattr(Memory, "slot", SLOT)
        writer.write(b"x")
    try:
        if ask == "pull_async":
            assert asyncio.run(frames.pull_async(20.0)) is None
        elif ask == "pull":
            assert frames.pull(20.0) is None
        else:
            while not frames.over:
                assert frames.poll() is None
    finally:
        monkeypatch.undo()
    assert frames.over == "closed"
    assert writer.readers == ()
    assert maps() <= 1, "the writer's"


def test_a_reader_that_is_closed_while_it_finds_its_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is none of the new writer's, which would wait for it."""
    with share.Writer("cam1"):
        frames = share.open("cam1", when_gone="wait")
    assert frames.poll() is None
    connect = place.connect

    def closing(*given: Any) -> Any:
        link = connect(*given)
        frames.close()
        return link

    with share.Writer("cam1", slots=2) as writer:
        monkeypatch.setattr(place, "connect", closing)
        assert frames.poll() is None
        assert writer.wait_readers(1, 0.2) is False
        assert [writer.write(b"x", timeout_s=1.0) for _ in range(3)] == [1, 2, 3]


def test_who_closes_a_reader_is_not_told_that_the_writer_is_gone(
    monkeypatch: pytest.MonkeyPatch, writer: share.Writer
) -> None:
    frames = share.open("cam1", when_gone="error")
    receive = Line.receive

    def closing(*given: Any) -> Any:
        frames.close()
        return receive(*given)

    monkeypatch.setattr(Line, "receive", closing)
    assert frames.poll() is None
    assert frames.over == "closed"


def test_a_memory_that_comes_while_another_thread_closes_its_reader(
    monkeypatch: pytest.MonkeyPatch, writer: share.Writer
) -> None:
    """It stays with nobody."""
    frames = share.open("cam1")
    writer.write(b"x")
    unpack = struct.unpack

    def closing(form: str, data: bytes) -> Any:
        frames.close()
        return unpack(form, data)

    before = descriptors()
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("reelway.share.line.struct.unpack", closing)
        assert frames.pull(20.0) is None
    assert descriptors() == before
    assert frames.over == "closed"


def test_times_without_end(writer: share.Writer) -> None:
    """However that is said."""
    assert writer.wait_readers(0, math.inf)
    for endless in (None, math.inf, 1e300):
        with share.open("cam1", timeout_s=endless) as frames:
            for number in range(4):
                writer.write(b"%d" % number, timeout_s=endless)
            thread = threading.Thread(target=writer.write, args=(b"new",), kwargs={"timeout_s": endless})
            thread.start()
            found = [frames.pull(endless) for _ in range(4)]
            assert [frame.tobytes() for frame in found if frame is not None] == [b"0", b"1", b"2", b"3"]
            found.clear()
            thread.join(20.0)
            assert frames.pull(endless) is not None
    with share.Writer("cam2", slots=2, patience_s=math.inf) as other, share.open("cam2"):
        assert [other.write(b"x") for _ in range(2)] == [1, 2]
        with pytest.raises(DeadlineError):
            other.write(b"x", timeout_s=0.01)
    for wrong in (math.nan, "1"):
        with pytest.raises(OptionError, match="timeout_s is"):
            writer.write(b"x", timeout_s=wrong)  # type: ignore[arg-type]


def test_what_is_asked_wrongly() -> None:
    for options in ({"policy": "some"}, {"when_gone": "never"}, {"user": "root"}, {"user": -1}):
        with pytest.raises(OptionError):
            share.open("cam1", **options)  # type: ignore[arg-type]
    for name in ("", "a/b", "../x", "-x", "x" * 65, "a b", "a\n", None, 5, b"a"):
        with pytest.raises(OptionError, match="is no name to share by"):
            share.open(name)  # type: ignore[arg-type]
        with pytest.raises(OptionError, match="is no name to share by"):
            share.Writer(name)  # type: ignore[arg-type]
    for wrong in (
        {"slots": 1}, {"slots": 2.5}, {"slots": "3"}, {"slot_bytes": -1}, {"max_bytes": 0},
        {"patience_s": 0}, {"patience_s": math.nan}, {"allow_users": "root"}, {"allow_users": ["root"]},
    ):  # fmt: skip
        with pytest.raises(OptionError):
            share.Writer("cam1", **wrong)  # type: ignore[arg-type]
    with pytest.raises(DeadlineError, match="nobody shares cam1, after 0 s"):
        share.open("cam1", timeout_s=0)


def test_a_reader_starts_fast_and_without_av(writer: share.Writer) -> None:
    code = """if True:
        import time
        start = time.perf_counter()
        import sys, numpy
        given = time.perf_counter()
        import reelway
        with reelway.share.open("cam1") as frames:
            print(frames.pull().tobytes().decode())
            print(time.perf_counter() - given)
            print("av" in sys.modules, time.perf_counter() - start)
    """
    found = []
    for _ in range(5):  # the best counts: the machine is not ours alone
        process = script(code)
        assert writer.wait_readers(1, 30.0)
        writer.write(b"hello")
        text, alone, whole = printed(process).splitlines()
        assert text == "hello"
        assert whole.startswith("False ")
        found.append((float(whole.split()[1]), float(alone)))
        if found[-1][0] < 0.2:
            return
    assert min(found)[1] < 0.2, f"whole, and without numpy: {found}"


def pulled(frames: share.Reader, count: int) -> list[share.SharedArray]:
    found = [frames.pull(10.0) for _ in range(count)]
    return [frame for frame in found if frame is not None]


def descriptors() -> int:
    """Those of shared memories: the writer's, and what a reader was passed."""
    gc.collect()
    found = [each for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    return sum("memfd:reelway" in os.readlink(each) for each in found if each.is_symlink())


def maps() -> int:
    with open("/proc/self/maps") as file:
        return file.read().count("memfd:reelway")
