"""Coming and going: readers before and behind a writer, forks, forgotten ones, and the end of a process."""

from __future__ import annotations

import gc
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

from reelway import share
from reelway.errors import DeadlineError, OpenError, StateError
from tests.share.conftest import Peer, printed, script

Start = Callable[..., Peer]


def test_readers_may_come_first(peer: Start) -> None:
    readers = [peer("hash", name="cam1", policy=policy, begun=False) for policy in ("every", "latest")]
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(share.open("cam1", timeout_s=None)))
    thread.start()
    with share.Writer("cam1") as writer:
        assert writer.wait_readers(3, 30.0)
        writer.write(b"first")
    for reader in readers:
        assert [number for number, _ in reader.until("hashes")["hashes"]] == [1]
    thread.join(30.0)
    with found[0] as frames:
        assert [frame.tobytes() for frame in frames] == [b"first"]


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("when_gone", ["end", "error"])
def test_readers_may_outlive_it(peer: Start, when_gone: Any, killed: bool) -> None:
    """What came stays as it is; an orderly end is no error."""
    writer = peer("write", name="cam1", frames=3, leave=killed)
    with share.open("cam1", when_gone=when_gone) as frames:
        held = [frames.pull(20.0) for _ in range(3)]
        if killed and when_gone == "error":
            with pytest.raises(OpenError, match="cam1: the writer is gone without a word") as info:
                frames.pull(20.0)
            assert info.value.hint == "it was killed, or has crashed"
        assert frames.pull(20.0) is None
        assert frames.over == ("the writer is gone" if killed else "the writer has ended")
        assert [int(frame[5, 5]) for frame in held if frame is not None] == [1, 2, 3]
    assert writer.process.wait(20) == (-9 if killed else 0)


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("policy", ["every", "latest"])
def test_readers_attach_again_when_it_returns(peer: Start, policy: Any, killed: bool) -> None:
    """With another size; and what came of the former ones stays as it was."""
    first: list[Any] = []
    writer = peer("write", name="cam1", shape=(10, 1000))
    with share.open("cam1", policy=policy, when_gone="wait") as frames:
        for turn in range(1, 4):
            while (frame := frames.pull(30.0)) is None or frame.shape != (turn * 10, 1000):
                assert frame is not None  # what was left of the one before
            first.append(frame)
            if killed:
                writer.kill()
            writer_ends(writer, frames)
            if turn < 3:
                writer = peer("write", name="cam1", shape=((turn + 1) * 10, 1000))
        while frames.poll() is not None:
            pass
        with pytest.raises(DeadlineError, match="nobody shares cam1, after 0.02 s"):
            frames.pull(0.02)
        assert frames.over == ""
        assert [frame.shape[0] for frame in first] == [10, 20, 30]
        assert all((frame == frame.sequence % 251).all() for frame in first)


def writer_ends(writer: Peer, frames: share.Reader) -> None:
    """Who reads goes on until it has."""
    if writer.process.poll() is None:
        writer.tell("stop")
    while writer.process.poll() is None:
        frames.poll()
        time.sleep(0.001)  # two that spin would take both cores of a small machine


def test_a_reader_that_polls_attaches_again() -> None:
    """Also where each look is over at once."""
    with share.Writer("cam1") as writer:
        frames = share.open("cam1", when_gone="wait")
        writer.write(b"one")
        assert frames.pull(10.0) is not None
    with frames:
        assert frames.poll() is None
        with share.Writer("cam1") as writer:
            while not writer.wait_readers(1, 0.001):
                assert frames.poll() is None
            writer.write(b"two")
            frame = frames.poll()
            while frame is None:
                frame = frames.poll()
            assert frame.tobytes() == b"two"


# Forks


def test_a_writer_forks(peer: Start) -> None:
    """The child has no part in it: neither its writes nor its end do anything."""
    code = """if True:
        import os, sys, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from reelway import share
        from reelway.errors import StateError
        writer = share.Writer("cam1")
        writer.wait_readers(1, 30)
        for number in range(1, 41):
            writer.write(bytes([number]) * 1000)
            if number % 10 == 0:
                child = os.fork()
                if not child:
                    try:
                        writer.write(b"from the child")
                    except StateError as error:
                        print(error, flush=True)
                    with share.Writer("cam2") as own, share.open("cam2") as frames:
                        own.write(b"of its own")
                        print(frames.pull(10).tobytes(), flush=True)
                    writer.close()
                    sys.exit(0)
                assert os.waitpid(child, 0)[1] == 0
        print(len(writer.readers))
        writer.close()
    """
    process = script(code)
    with share.open("cam1", timeout_s=30.0) as frames:
        for number, frame in enumerate(frames, 1):
            assert frame.tobytes() == bytes([number]) * 1000
        assert frames.frames == 40
        assert frames.over == "the writer has ended"
    assert printed(process) == "cam1 is shared no longer\nb'of its own'\n" * 4 + "1\n"


def test_a_reader_forks() -> None:
    """The child gets a clear error, and what it does with its copies of arrays lets go of nothing."""
    code = """if True:
        import gc, os, sys, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from reelway import share
        from reelway.errors import StateError
        with share.open("cam1", timeout_s=30) as frames:
            held = frames.pull(30)
            child = os.fork()
            if not child:
                for ask in (frames.pull, frames.poll, frames.fileno):
                    try:
                        ask()
                    except StateError as error:
                        print(error, flush=True)
                del held
                gc.collect()
                frames.close()
                with share.open("cam1", policy="latest") as other:
                    print(other.pull(10).sequence, flush=True)
                sys.exit(0)
            assert os.waitpid(child, 0)[1] == 0
            print("waits", flush=True)
            for frame in frames:
                assert held.tobytes() == b"first" and frame.tobytes() == b"more"
            print(frames.frames)
    """
    with share.Writer("cam1", slots=3) as writer:
        process = script(code)
        assert writer.wait_readers(1, 30.0)
        writer.write(b"first")
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(5)]
        assert said[0] == "cam1 is read by another process: this is a fork of it\n"
        assert said[1:] == [said[0], "cam1 is not connected\n", "1\n", "waits\n"]
        for _ in range(10):
            writer.write(b"more", timeout_s=20.0)
    assert printed(process) == "11\n"


# Who forgets to close


def test_a_writer_that_is_forgotten_is_closed(folder: Path) -> None:
    writer: Any = share.Writer("cam1")
    with share.open("cam1") as frames:
        writer.write(b"x")
        thread = writer._desk._thread
        del writer
        gc.collect()
        assert [frame.tobytes() for frame in frames] == [b"x"]
        assert frames.over == "the writer has ended"
    thread.join(20.0)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("how", ["pass", "sys.exit(0)", "raise KeyboardInterrupt", "1 / 0"])
def test_the_interpreter_ends_with_a_writer_and_a_reader(how: str, folder: Path) -> None:
    """Readers elsewhere are told, and nothing is left."""
    code = f"""if True:
        import sys
        from reelway import share
        writer = share.Writer("cam1")
        reader = share.open("cam1", policy="latest")
        writer.wait_readers(2, 30)
        writer.write(b"x")
        held = reader.pull(10)
        {how}
    """
    process = script(code)
    with share.open("cam1", timeout_s=30.0) as frames:
        assert [frame.tobytes() for frame in frames] == [b"x"]
        assert frames.over == "the writer has ended"
    _, wrong = process.communicate(timeout=30)
    assert ("Error" in wrong or "Interrupt" in wrong) == (how[:3] in ("rai", "1 /"))
    assert list(folder.iterdir()) == []


def test_ctrl_c_in_write(count: Callable[[int], int]) -> None:
    """At any moment, also while it waits for readers: no slot is lost, and no lock stays."""
    code = """if True:
        import os, signal, sys, threading, time
        import numpy
        from reelway import share
        frame = numpy.zeros(300_000, numpy.uint8)
        with share.Writer("cam1", slots=3) as writer, share.open("cam1", policy="latest") as frames:
            stop = False
            def interrupt():
                while not stop:
                    hit.wait(10)
                    hit.clear()
                    os.kill(os.getpid(), signal.SIGINT)
            hit = threading.Event()
            thread = threading.Thread(target=interrupt, daemon=True)
            thread.start()
            interrupted = 0
            for _ in range(int(sys.argv[1])):
                try:
                    hit.set()
                    for _ in range(100):
                        writer.write(frame)
                except KeyboardInterrupt:
                    interrupted += 1
            stop = True
            hit.set()
            try:
                while thread.is_alive():
                    thread.join(0.1)
            except KeyboardInterrupt:
                pass
            for number in range(20):
                assert writer.write(frame, timeout_s=10)
            other = []
            thread = threading.Thread(target=lambda: other.append(writer.write(frame, timeout_s=10)))
            thread.start()
            thread.join()
            assert other == [writer.frames], other
            assert writer.info()["bytes"] <= 3 * 303104
        print("done")
    """
    assert printed(script(code, str(count(2000)))) == "done\n"


def test_ctrl_c_while_it_waits() -> None:
    """Where signals go to a program that waits for a reader."""
    code = """if True:
        import signal
        from reelway import share
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with share.Writer("cam1", slots=2) as writer, share.open("cam1") as frames:
            writer.write(b"x")
            writer.write(b"x")
            print("full", flush=True)
            try:
                writer.write(b"x")
            except KeyboardInterrupt:
                print("interrupted")
            frames.pull(10)
            print(writer.write(b"x", timeout_s=10))
    """
    process = script(code)
    assert process.stdout is not None
    assert process.stdout.readline() == "full\n"
    while share.names() == [] or not waits(process.pid):
        pass
    process.send_signal(signal.SIGINT)
    assert printed(process) == "interrupted\n3\n"


def waits(pid: int) -> bool:
    """Its first thread sleeps in poll(2)."""
    return "poll" in Path(f"/proc/{pid}/wchan").read_text()


def test_a_broken_pipe_kills_nobody(peer: Start) -> None:
    """Also where a program has put SIGPIPE back, as many on the command line do."""
    code = """if True:
        import signal
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        from reelway import share
        with share.Writer("cam1") as writer:
            writer.wait_readers(1, 30)
            print("there", flush=True)
            while writer.readers:
                writer.write(b"x")
            for _ in range(5):
                writer.write(b"x")
        print("done")
    """
    process = script(code)
    reader = peer("hash", name="cam1", timeout_s=30.0)
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    reader.kill()
    assert printed(process) == "done\n"


def test_several_writers_in_one_process() -> None:
    with share.Writer("cam1") as one, share.Writer("cam2") as two:
        with share.open("cam1") as first, share.open("cam2") as second:
            for number in range(10):
                one.write(numpy.full(3, number))
                two.write(numpy.full(4, number))
                frames = first.pull(10.0), second.pull(10.0)
                assert [frame.tolist() for frame in frames if frame is not None] == [
                    [number] * 3,
                    [number] * 4,
                ]
        assert [each.name for each in share.names()] == ["cam1", "cam2"]
    with pytest.raises(StateError, match="cam1 is shared no longer"):
        one.write(b"x")
    one.close()
    assert share.names() == []


def test_several_threads_write(count: Callable[[int], int]) -> None:
    """Each frame is whole, numbers follow each other."""
    with share.Writer("cam1", slots=4) as writer, share.open("cam1") as frames:
        turns = count(500)

        def write(value: int) -> None:
            for _ in range(turns):
                writer.write(numpy.full(10_000, value, numpy.uint8), metadata={"value": value})

        threads = [threading.Thread(target=write, args=(value,)) for value in range(4)]
        for thread in threads:
            thread.start()
        for number in range(1, 4 * turns + 1):
            frame = frames.pull(30.0)
            assert frame is not None
            assert frame.sequence == number
            assert (frame == frame.metadata["value"]).all()
            del frame
        for thread in threads:
            thread.join(20.0)


def test_a_writer_that_is_stopped_does_not_stop_others(peer: Start) -> None:
    """SIGSTOP: readers hear nothing, time is up, and it goes on afterwards."""
    writer = peer("write", name="cam1")
    with share.open("cam1") as frames:
        assert frames.pull(20.0) is not None
        writer.process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(DeadlineError):
                drained(frames)
            with pytest.raises(DeadlineError, match="who shares cam1 does not answer"):
                share.open("cam1", timeout_s=0.05)
            assert [each.name for each in share.names()] == ["cam1"]
        finally:
            writer.process.send_signal(signal.SIGCONT)
        for _ in range(20):
            assert frames.pull(20.0) is not None
    writer.tell("stop")
    writer.until("written")


def drained(frames: share.Reader) -> None:
    while frames.pull(0.1) is not None:
        pass


def test_what_is_said_of_a_writer() -> None:
    from reelway.share.reader import look

    assert look("cam1") is None
    with share.Writer("cam1", slots=3) as writer, share.open("cam1", policy="latest"):
        writer.write(numpy.zeros((4, 5), "u2"), properties={"FPS": 25})
        told = look("cam1")
        assert told is not None
        assert told["name"] == "cam1"
        assert told["format"] == {"kind": "array", "dtype": "<u2", "shape": [4, 5], "properties": {"FPS": 25}}
        assert (told["frames"], told["dropped"], told["slots"], told["slot_bytes"]) == (1, 0, 3, 4096)
        assert [reader["policy"] for reader in told["readers"]] == ["latest"]


def test_an_idle_writer_uses_no_time() -> None:
    with share.Writer("cam1") as writer, share.open("cam1") as frames:
        writer.write(b"x")
        assert frames.pull(10.0) is not None
        before = time.process_time()
        with pytest.raises(DeadlineError):
            frames.pull(0.3)
        assert time.process_time() - before < 0.1


def test_a_system_without_all_that() -> None:
    """Windows: everything is there, and says that it is not for this system."""
    code = """if True:
        import asyncio, logging, mmap, numpy, os, select, socket, sys, tempfile, threading
        from reelway import errors
        sys.modules["fcntl"] = None
        for module, names in {
            os: ("getuid", "memfd_create", "posix_fallocate", "register_at_fork"),
            socket: ("AF_UNIX", "SCM_RIGHTS", "CMSG_SPACE", "MSG_NOSIGNAL", "MSG_CMSG_CLOEXEC"),
            select: ("poll", "epoll", "POLLIN", "POLLOUT", "EPOLLRDHUP"),
            mmap: ("MAP_SHARED", "MAP_POPULATE"),
        }.items():
            for name in names:
                delattr(module, name)
        import reelway as rw
        from reelway import catalog
        from reelway.cli import share as commands
        for name in ("share", "shared"):
            catalog.find(name)(name="cam1")
        for ask in (
            lambda: rw.share.Writer("cam1"),
            lambda: rw.share.open("cam1"),
            lambda: rw.share.names(),
            lambda: commands.list_all(),
            lambda: commands.describe("cam1"),
        ):
            try:
                ask()
            except errors.UnsupportedError as error:
                print(error, error.hint)
    """
    said = printed(script(code))
    assert said.count("frames are shared on Linux and macOS") == 5
    assert said.count("multiprocessing.shared_memory may do") == 5


def test_start_of_a_process_that_shares_nothing() -> None:
    """`reelway.share` alone does not load numpy."""
    code = "import sys, reelway.share\nprint([each for each in ('numpy', 'av') if each in sys.modules])"
    assert printed(script(code)) == "[]\n"
