"""What others may do to a writer or a reader, and the rest goes on."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import fcntl
import json
import logging
import mmap
import os
import random
import resource
import select
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest

from reelway import share
from reelway.errors import DeadlineError, FormatError, OpenError, PacketError, ReelwayError, StateError
from reelway.share import desk, memory, place
from reelway.share.guest import Guest
from reelway.share.reader import look
from reelway.share.wire import FrameNote, Kind, Parser, frame, message, ready, release
from tests.share.conftest import Peer, printed, script

HELLO = message(Kind.HELLO, {"version": 1, "policy": "every"})


@pytest.fixture
def writer() -> Iterator[share.Writer]:
    with share.Writer("cam1", slots=4) as made:
        yield made


@contextlib.contextmanager
def goes_on(writer: share.Writer) -> Iterator[share.Reader]:
    """A reader that gets every frame, before and after."""
    with share.open("cam1") as frames:
        shown(writer, frames)
        yield frames
        shown(writer, frames)
        assert frames.missed == 0


def shown(writer: share.Writer, frames: share.Reader) -> None:
    """A frame comes, behind all those that are still there."""
    while frames.poll() is not None:
        pass
    sequence = writer.write(numpy.full(100, 7, numpy.uint8), timeout_s=20.0)
    found = frames.pull(20.0)
    assert found is not None
    assert (found.sequence, found.tobytes()) == (sequence, bytes([7] * 100))


def connected() -> socket.socket:
    link = place.connect("cam1")
    assert link is not None
    link.settimeout(20.0)
    return link


def until_closed(link: socket.socket) -> list[tuple[Kind, Any]]:
    """What the writer says until it has had enough."""
    parser, found = Parser(), []
    with contextlib.suppress(ConnectionResetError):
        while data := link.recv(65536):
            found += list(parser.feed(data))
    return found


# Memory


def test_no_more_memory_than_allowed(writer: share.Writer) -> None:
    """RLIMIT_FSIZE, that is; shared memory is a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with goes_on(writer):
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
        try:
            for _ in range(3):
                with pytest.raises(
                    OpenError, match=r"4 slots of \d+ bytes cannot be shared: no memory is left"
                ):
                    writer.write(bytes(1 << 20))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert writer.write(bytes(1 << 20), timeout_s=20.0)


def test_no_more_address_space() -> None:
    """RLIMIT_AS, of the writer and of the reader."""
    code = """if True:
        import resource, numpy
        from reelway import share
        from reelway.errors import OpenError
        size = [int(line.split()[1]) << 10 for line in open("/proc/self/status") if "VmSize" in line][0]
        with share.Writer("cam2") as writer:
            writer.write(bytes(100))
            resource.setrlimit(resource.RLIMIT_AS, (size + (300 << 20), resource.RLIM_INFINITY))
            try:
                writer.write(numpy.zeros(60 << 20, numpy.uint8))
            except OpenError as error:
                print(error, error.hint)
            print(writer.write(bytes(100)))
    """
    assert printed(script(code)) == (
        "10 slots of 78643200 bytes cannot be shared: no memory is left fewer slots, or smaller frames\n2\n"
    )


def test_no_more_memory_in_the_machine(monkeypatch: pytest.MonkeyPatch, writer: share.Writer) -> None:
    """That is asked before it is taken: who takes too much is not told so, but killed."""
    monkeypatch.setattr(memory, "_available", lambda: 1 << 20)
    with goes_on(writer), pytest.raises(OpenError, match="no memory is left"):
        writer.write(bytes(1 << 20))


def test_what_the_machine_says_of_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if Path("/proc/meminfo").exists():
        assert 1 << 20 < memory._available() < 1 << 50
    (tmp_path / "most").write_text("3000\n")
    (tmp_path / "used").write_text("2500\n")
    (tmp_path / "memory.stat").write_text("anon 1000\ninactive_file 300\nactive_file 200\n")
    monkeypatch.setattr(memory, "_CONTAINERS", ((str(tmp_path), "most", "used"), ("/no/such", "a", "b")))
    assert memory._available() == 1000
    (tmp_path / "most").write_text("max\n")
    assert memory._available() > 1000, "a container without a limit"


def test_a_limit_of_its_own() -> None:
    with share.Writer("cam1", slots=4, max_bytes=1 << 20) as writer, goes_on(writer):
        with pytest.raises(OpenError, match="4 slots of 300000 bytes are over max_bytes=1048576"):
            writer.write(bytes(300_000))
        assert writer.write(bytes(260_000), timeout_s=20.0)
        assert writer.info()["bytes"] <= 1 << 20


def test_frames_that_grow_wait_for_old_memory_rather_than_fail() -> None:
    with share.Writer("cam1", slots=2, max_bytes=1 << 20) as writer, share.open("cam1") as frames:
        writer.write(bytes(300_000))
        held = frames.pull(10.0)
        with pytest.raises(DeadlineError):
            writer.write(bytes(400_000), timeout_s=0.01)
        del held
        assert writer.write(bytes(400_000), timeout_s=10.0) == 2
        assert writer.info()["bytes"] <= 1 << 20


def test_a_slot_too_small() -> None:
    with share.Writer("cam1", slots=4, slot_bytes=100) as writer, goes_on(writer):
        writer.write(bytes(4096))
        with pytest.raises(
            PacketError, match=r"cam1: a frame of 4097 bytes is too large for slots of 100"
        ) as info:
            writer.write(bytes(4097))
        assert info.value.hint == "larger slot_bytes; 0 lets them grow"


def test_a_reader_cannot_write(writer: share.Writer) -> None:
    """Not by numpy, not by mprotect, not with the descriptor that it was passed."""
    with goes_on(writer), share.open("cam1") as frames:
        writer.write(bytes(5000))
        found = frames.pull(10.0)
        assert found is not None
        with pytest.raises(ValueError, match="read-only"):
            found[0] = 1
        with pytest.raises(ValueError, match="WRITEABLE"):
            found.flags.writeable = True
        with pytest.raises(TypeError, match="read-only"):
            found.payload()[0] = 1
        start = found.ctypes.data // mmap.PAGESIZE * mmap.PAGESIZE
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.mprotect(ctypes.c_void_p(start), mmap.PAGESIZE, 3) == -1
        assert ctypes.get_errno() == 13
    with goes_on(writer), connected() as link:
        link.sendall(HELLO)
        assert writer.wait_readers(1, 10.0)
        descriptor = passed(link, writer)
        again = os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR)
        try:
            for each in (descriptor, again):
                size = os.fstat(each).st_size
                for forbidden in (
                    lambda each=each: os.pwrite(each, b"x", 0),
                    lambda each=each: os.ftruncate(each, 0),
                    lambda each=each, size=size: os.ftruncate(each, 2 * size),
                    lambda each=each: mmap.mmap(each, 4096, mmap.MAP_SHARED, mmap.PROT_WRITE),
                    lambda each=each: fcntl.fcntl(each, 1033, 0x8),
                    lambda each=each: punched(each),
                ):
                    with pytest.raises(PermissionError):
                        forbidden()
        finally:
            os.close(descriptor)
            os.close(again)


def passed(link: socket.socket, writer: share.Writer) -> int:
    """The descriptor of the memory, as a reader gets it."""
    link.settimeout(0.2)
    for _ in range(100):  # what is written before it is heard goes to others
        writer.write(bytes(5000), timeout_s=10.0)
        with contextlib.suppress(TimeoutError):
            data, descriptors, _, _ = socket.recv_fds(link, 65536, 4)
            assert data
            if descriptors:
                return descriptors[0]
    raise AssertionError("no memory was passed")


def punched(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.fallocate(descriptor, 3, ctypes.c_long(0), ctypes.c_long(4096)):
        raise OSError(ctypes.get_errno(), "fallocate")


# Names


def test_a_second_writer_of_one_name(writer: share.Writer, peer: Callable[..., Peer]) -> None:
    with goes_on(writer):
        with pytest.raises(StateError, match="somebody shares cam1 already") as info:
            share.Writer("cam1")
        assert info.value.hint == "choose another name, or end that one: `reelway shared`"
        other = peer("write", name="cam1", begun=False)
        assert other.hear()["error"] == "StateError"


def test_many_writers_of_one_name_at_once(folder: Path) -> None:
    """One gets it, also while the folder comes and goes."""
    for _ in range(20):
        made: list[share.Writer] = []
        refused: list[str] = []

        def make(made: list[share.Writer] = made, refused: list[str] = refused) -> None:
            try:
                made.append(share.Writer("cam1"))
            except StateError as error:
                refused.append(str(error))

        threads = [threading.Thread(target=make) for _ in range(6)]
        threads += [threading.Thread(target=share.names) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30.0)
        assert (len(made), len(refused)) == (1, 5)
        assert [each.name for each in share.names()] == ["cam1"]
        made[0].close()
        assert share.names() == []
        assert list(folder.iterdir()) == []


@pytest.mark.alone
def test_names_are_listed_while_writers_come_and_go(count: Callable[[int], int]) -> None:
    """Who lists removes nothing that a writer is about to use."""
    over = threading.Event()
    errors: list[Exception] = []

    def lists() -> None:
        while not over.is_set():
            try:
                share.names()
            except Exception as error:  # noqa: BLE001 - none is expected
                errors.append(error)

    threads = [threading.Thread(target=lists) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(count(2000) // 10):
            share.Writer(f"cam{number % 3}").close()
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert errors == []


def test_a_process_that_is_stuck_with_the_lock(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it for ever, and readers do not need it."""
    monkeypatch.setattr(place, "_LOCK_S", 0.05)
    with share.Writer("cam1") as writer, share.open("cam1") as frames:
        with place._locked(folder):
            for ask in (share.names, lambda: share.Writer("cam2")):
                with pytest.raises(
                    DeadlineError, match=r"is locked by another process, after 0.05 s"
                ) as info:
                    ask()
                assert "fuser" in str(info.value.hint)
            shown(writer, frames)
        shown(writer, frames)
    share.Writer("cam2").close()


def test_a_fork_does_not_keep_the_lock(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "_LOCK_S", 0.05)
    ours, theirs = os.pipe()
    with place._locked(folder):
        child = os.fork()
        if not child:  # as multiprocessing has it, in the middle of what another thread does
            os.close(theirs)
            os.read(ours, 1)
            os._exit(0)
    try:
        assert share.names() == []
    finally:
        os.close(theirs)
        os.close(ours)
        os.waitpid(child, 0)


def test_the_end_is_said_though_the_folder_is_locked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the socket stays; it goes with whoever looks next."""
    monkeypatch.setattr(desk, "CLOSE_S", 0.2)
    writer = share.Writer("cam1")
    with share.open("cam1", when_gone="error") as frames:
        writer.write(b"x")
        with place._locked(folder):
            closing = threading.Thread(target=writer.close)
            closing.start()
            assert frames.pull(20.0) is not None
            assert frames.pull(2.0) is None
            assert frames.over == "the writer has ended"
            closing.join(2.0)
            assert not closing.is_alive()
            writer._desk._thread.join(20.0)
            assert look("cam1") is None, "nobody comes in any more"
            assert len(list(folder.iterdir())) == 1
    assert share.names() == []
    assert list(folder.iterdir()) == []


def welcomed() -> tuple[socket.socket, socket.socket, share.Reader]:
    """A writer of sockets alone, which listens as cam1, and the connection to a reader that it let in."""
    server = place.listen("cam1")
    found: list[share.Reader] = []
    thread = threading.Thread(target=lambda: found.append(share.open("cam1")))
    thread.start()
    select.select([server], [], [], 20.0)
    link, _ = server.accept()
    link.sendall(message(Kind.WELCOME, {}))
    thread.join(20.0)
    return server, link, found[0]


@pytest.mark.alone
def test_a_reader_whose_writer_is_gone_waits_for_no_lock(folder: Path) -> None:
    """What is left of that one goes when the reader is closed, if not at once."""
    server, link, reader = welcomed()
    with reader as frames:
        server.close()
        link.close()
        with place._locked(folder):
            began_s = time.monotonic()
            assert frames.pull(5.0) is None
            assert time.monotonic() - began_s < 2.0
        assert frames.over == "the writer is gone"
    assert list(folder.iterdir()) == []


def test_a_reader_whose_writer_dies_slowly_does_not_wait_for_that(folder: Path) -> None:
    """A process that ends closes one descriptor after the other: the connection may go before the socket."""
    server, link, reader = welcomed()
    with reader as frames:
        link.close()
        assert frames.pull(5.0) is None
        assert frames.over == "the writer is gone"
        server.close()
    assert list(folder.iterdir()) == []


def test_a_folder_may_be_said_from_where_one_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("REELWAY_SHARE_DIR", ".")
    with share.Writer("cam1") as writer, goes_on(writer):
        monkeypatch.chdir("/")
        monkeypatch.setenv("REELWAY_SHARE_DIR", str(folder))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("way", ["open", "pull", "asyncio"])
def test_a_writer_that_hangs_up_at_once(way: str, folder: Path) -> None:
    """Again and again: that is no reason to look on for ever."""
    with share.Writer("cam1"):
        frames = share.open("cam1", when_gone="wait")
    ways: dict[str, Callable[[], Any]] = {
        "open": lambda: share.open("cam1", timeout_s=0.2),
        "pull": lambda: frames.pull(0.2),
        "asyncio": lambda: asyncio.run(frames.pull_async(0.2)),
    }
    hung_up: list[int] = []
    with frames, socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "cam1.sock"))
        server.listen()

        def hang_up() -> None:
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].close()
                    hung_up.append(1)

        thread = threading.Thread(target=hang_up)
        thread.start()
        try:
            with pytest.raises(DeadlineError, match=r"shares cam1.*, after 0.2 s"):
                ways[way]()
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
    assert 1 < len(hung_up) < 100, "it looks again, and not without a pause"
    share.names()


def test_a_folder_of_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.chmod(0o777)
    for ask in (lambda: share.Writer("cam1"), lambda: share.open("cam1", timeout_s=0), share.names):
        with pytest.raises(OpenError, match="is not a folder of user") as info:
            ask()
        assert "others could listen in" in str(info.value.hint)
    folder.chmod(0o700)
    (folder / "link").symlink_to("/tmp")
    for wrong in (folder / "link", folder / "no" / "such"):
        monkeypatch.setenv("REELWAY_SHARE_DIR", str(wrong))
        with pytest.raises(OpenError):
            share.Writer("cam1")
    (folder / "link").unlink()


# Users


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize("allowed", [(), (65533,), (65534,)], ids=str)
def test_another_user(allowed: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Only who is on the list may read."""
    code = """if True:
        import os, sys, encodings.idna
        from reelway import share
        import reelway.share.reader, reelway.share.array
        os.setgroups([]); os.setgid(65534); os.setuid(65534)
        try:
            with share.open("cam1", user=0, timeout_s=10) as frames:
                print(frames.pull(10).tobytes())
                frames.pull()
        except Exception as error:
            print(type(error).__name__, error)
    """
    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        Path(home).chmod(0o1777)
        monkeypatch.delenv("REELWAY_SHARE_DIR")
        monkeypatch.setenv("TMPDIR", home)
        monkeypatch.setattr(tempfile, "tempdir", home)
        with share.Writer("cam1", allow_users=allowed) as writer:
            process = script(code, environment={"TMPDIR": home})
            if 65534 in allowed:
                assert writer.wait_readers(1, 30.0)
                assert writer.readers[0].uid == 65534
                writer.write(b"for you")
            else:
                assert "OpenError" in printed(process)
            writer.write(b"x")
            with share.open("cam1") as frames:
                writer.write(b"mine")
                assert next(iter(frames)).tobytes() == b"mine"
        if 65534 in allowed:
            assert printed(process).startswith("b'for you'\n")


# Messages


def mutated(draw: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.randrange(1, 6)):
        at = draw.randrange(len(changed)) if changed else 0
        match draw.randrange(6):
            case 0 if changed:
                changed[at] ^= 1 << draw.randrange(8)
            case 1 if changed:
                changed[at] = draw.choice((0, 1, 255, draw.randrange(256)))
            case 2:
                del changed[at : at + draw.randrange(1, 9)]
            case 3:
                changed[at:at] = draw.randbytes(draw.randrange(1, 9))
            case 4:
                changed[at:at] = changed[at : at + draw.randrange(1, 80)]
            case 5:
                digits = [where for where, byte in enumerate(changed) if 48 <= byte <= 57]
                if digits:
                    changed[draw.choice(digits)] = 48 + draw.randrange(10)
    return bytes(changed)


def twisted(draw: random.Random, data: bytes) -> bytes:
    """One message, whose head is still right: a digit, or a value of its JSON, is another."""
    head, body = data[:8], data[8:]
    said: Any = None
    with contextlib.suppress(ValueError):
        said = json.loads(body)
    if isinstance(said, dict) and draw.random() < 0.5:
        inner = said
        while isinstance(inner, dict) and inner:
            name = draw.choice(list(inner))
            if not isinstance(inner[name], dict) or draw.random() < 0.2:
                inner[name] = draw.choice(
                    (None, -1, 0, 2**40, 2**70, 0.5, "", "O", [], [[]], {}, {"/": [1, 0]}, True)
                )
                break
            inner = inner[name]
        body = json.dumps(said).encode()
    else:
        digits = [where for where, byte in enumerate(body) if 48 <= byte <= 57 or byte < 8]
        if digits:
            where = draw.choice(digits)
            body = (
                body[:where]
                + bytes([draw.randrange(10) + (48 if body[where] > 8 else 0)])
                + body[where + 1 :]
            )
    return head[:4] + struct.pack("<I", len(body)) + body


@pytest.mark.timeout(600)
def test_mutated_messages_to_a_writer(writer: share.Writer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    draw = random.Random(3)
    good = HELLO + release(1) + release(2) + release(77) + message(Kind.LEAVE)
    newest = (
        message(Kind.HELLO, {"version": 1, "policy": "latest"}) + ready(0) + release(1) + ready(2**64 - 1)
    )
    before = len(os.listdir("/proc/self/fd"))
    with goes_on(writer) as frames:
        for turn in range(2000):
            with connected() as link, contextlib.suppress(BrokenPipeError, ConnectionResetError):
                link.sendall(mutated(draw, draw.choice((good, newest))))
                if not turn % 7:
                    shown(writer, frames)
                if not turn % 3:
                    link.shutdown(socket.SHUT_WR)
                    until_closed(link)
    while len(writer._desk.guests.all) > 0:
        writer.wait_readers(1, 0.01)
    assert writer.info()["bytes"] == 4 * 4096
    assert len(os.listdir("/proc/self/fd")) <= before + 2


@pytest.mark.timeout(600)
def test_mutated_messages_to_a_reader(monkeypatch: pytest.MonkeyPatch, count: Callable[[int], int]) -> None:
    """Frames, an error of our own, or the end: nothing else."""
    draw = random.Random(4)
    ours = memory.create(1, 2, 4096)
    properties = {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": "gray", "Width": 64, "Height": 32}
    formats = [
        {"kind": "picture", "properties": properties},
        {"kind": "array", "dtype": [["a", "<f4"], ["b", "u1", [2]]], "shape": [3, 4], "properties": {}},
        {"kind": "sound", "properties": {"StreamType": "Audio", "AudioFormat": "s16p", "NumChannels": 2}},
        {"kind": "packet", "properties": {"FPS": {"/": [30, 1]}}},
    ]
    server = place.listen("cam1")
    server.settimeout(30.0)
    before = len(os.listdir("/proc/self/fd"))
    seen = {"frames": 0, "errors": 0, "ends": 0}

    def serve(stream: bytes, memory_at: int) -> None:
        link, _ = server.accept()
        with link, contextlib.suppress(OSError):
            link.sendall(stream[:memory_at])
            socket.send_fds(link, [stream[memory_at:]], [ours.descriptor])
            link.shutdown(socket.SHUT_WR)

    for _ in range(count(2000)):
        note = FrameNote(
            1, draw.randrange(2), 1, draw.choice((0, 72, 2048)), 1, metadata={"a": {"x": "AA=="}}
        )
        first = message(Kind.WELCOME, {"name": "cam1", "slots": 2})
        second = message(Kind.MEMORY, {"memory": 1, "slots": 2, "slot_bytes": 4096})
        third = message(Kind.FORMAT, {"format": 1, "description": draw.choice(formats)})
        parts = [first, second, third, frame(note)]
        for _ in range(draw.randrange(1, 3)):
            at = draw.randrange(4)
            parts[at] = draw.choice((mutated, twisted, twisted))(draw, parts[at])
        stream = b"".join(parts) + message(Kind.END)
        thread = threading.Thread(target=serve, args=(stream, len(parts[0])))
        thread.start()
        try:
            with share.open("cam1", timeout_s=0.2) as frames:
                for found in frames:
                    seen["frames"] += 1
                    assert len(found.tobytes()) <= 4096
                    found.planes()
            seen["ends"] += 1
        except ReelwayError:
            seen["errors"] += 1
        thread.join(30.0)
        while select_ready(server):  # it looked whether somebody is there
            server.accept()[0].close()
    place.leave(server)
    ours.close()
    assert min(seen.values()) > count(2000) // 40, seen
    assert len(os.listdir("/proc/self/fd")) <= before


def select_ready(server: socket.socket) -> bool:
    import select

    return bool(select.select([server], [], [], 0)[0])


@pytest.mark.parametrize(
    ("first", "text"),
    [
        (release(1), "RELEASE before HELLO"),
        (message(Kind.HELLO, {"version": 99, "policy": "every"}), "it speaks version 99, this is 1"),
        (message(Kind.HELLO, {"version": 1, "policy": ["every"]}), "no policy"),
        (HELLO + HELLO, "HELLO from a reader"),
        (HELLO + ready(0), "READY from a reader"),
        (HELLO + message(Kind.END), "END from a reader"),
        (b"GET / HTTP/1.1\r\n\r\n", "no head of a message"),
    ],
)
def test_who_speaks_otherwise_is_told_so(writer: share.Writer, first: bytes, text: str) -> None:
    with goes_on(writer), connected() as link:
        link.sendall(first)
        writer.readers  # noqa: B018 - hears them
        *_, (kind, body) = until_closed(link)
        assert kind is Kind.CUT
        assert text in body["reason"]


def test_who_says_nothing_is_sent_home(writer: share.Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reelway.share.desk.HELLO_S", 0.05)
    with goes_on(writer), connected() as link:
        assert until_closed(link) == []


def test_no_more_readers_than_there_may_be(writer: share.Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reelway.share.door.MAX_GUESTS", 2)
    with goes_on(writer), share.open("cam1"), pytest.raises(OpenError, match="2 readers are there already"):
        share.open("cam1")


def test_a_reader_that_wants_one_frame_again_and_again(writer: share.Writer) -> None:
    with connected() as link:
        writer.write(b"x")
        link.sendall(message(Kind.HELLO, {"version": 1, "policy": "latest"}) + ready(0) + ready(0))
        writer.readers  # noqa: B018 - hears them
        *_, (kind, body) = until_closed(link)
        assert kind is Kind.CUT
        assert "READY for what it has" in body["reason"]
    for _ in range(10):
        assert writer.write(b"x", timeout_s=10.0)


@pytest.mark.parametrize("kind", ["file", "pipe", "unsealed", "short", "many", "none"])
def test_a_writer_whose_memory_is_none(kind: str, tmp_path: Path) -> None:
    """It could be cut off under the reader's eyes, or is no memory: an error, and no descriptor stays."""

    def descriptors() -> list[int]:
        match kind:
            case "file":
                (tmp_path / "file").write_bytes(bytes(8192))
                return [os.open(tmp_path / "file", os.O_RDWR)]
            case "pipe":
                return list(os.pipe())[:1]
            case "unsealed":
                made = os.memfd_create("x", os.MFD_ALLOW_SEALING)
                os.ftruncate(made, 8192)
                return [made]
            case "short":
                return [os.dup(short.descriptor)]
            case "many":
                return [os.dup(short.descriptor) for _ in range(10)]
            case _:
                return []

    def serve() -> None:
        link, _ = server.accept()
        with link:
            link.sendall(message(Kind.WELCOME, {}))
            rights = struct.pack(f"{len(given)}i", *given)
            body = message(Kind.MEMORY, {"memory": 1, "slots": 2, "slot_bytes": 4096})
            link.sendmsg([body], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)] if given else [])
            with contextlib.suppress(OSError):
                link.recv(100)
                link.recv(100)

    short = memory.create(1, 1, 4096)
    given = descriptors()
    server = place.listen("cam1")
    server.settimeout(30.0)
    before = len(os.listdir("/proc/self/fd"))
    thread = threading.Thread(target=serve)
    thread.start()
    with pytest.raises((OpenError, FormatError)) as info, share.open("cam1") as frames:
        frames.pull(10.0)
    assert {
        "file": "cannot be mapped", "pipe": "are no 2 slots", "unsealed": "not sealed", "short": "are no 2",
        "many": "are no 2 slots", "none": "MEMORY without a memory",
    }[kind] in str(info.value)  # fmt: skip
    thread.join(30.0)
    assert len(os.listdir("/proc/self/fd")) == before
    place.leave(server)
    short.close()
    for each in given:
        os.close(each)


def test_who_says_hello_once_is_there_once(writer: share.Writer) -> None:
    """Also where more comes with it than is heard at once."""
    with goes_on(writer), connected() as link:
        said = {"version": 1, "policy": "latest", "x": ""}
        said["x"] = "x" * (16384 - len(message(Kind.HELLO, said)))
        link.sendall(message(Kind.HELLO, said) + release(7))
        assert writer.wait_readers(2, 20.0)
        shown_to = [told.policy for told in writer.readers]
        assert sorted(shown_to) == ["every", "latest"]


def test_a_reader_that_lets_go_and_does_not_read(
    writer: share.Writer, caplog: pytest.LogCaptureFixture
) -> None:
    """What it is told would pile up in the writer."""
    with goes_on(writer) as frames, connected() as link:
        link.sendall(HELLO)
        assert writer.wait_readers(2, 20.0)
        for _ in range(10_000):
            sequence = writer.write(b"x", metadata={"long": "x" * 4096}, timeout_s=20.0)
            assert frames.pull(20.0) is not None
            with contextlib.suppress(OSError):
                link.sendall(release(sequence))
            if writer.reading < 2:
                break
        assert {kind for kind, _ in until_closed(link)} == {
            Kind.WELCOME,
            Kind.MEMORY,
            Kind.FORMAT,
            Kind.FRAME,
        }
        assert "is cut off: it lets go of frames before it reads that they came" in caplog.text


def test_a_reader_that_cannot_be_told_keeps_what_it_has(
    writer: share.Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may have no room for a message; the reader is there all the same."""
    with share.open("cam1") as frames:
        writer.write(bytes([1]) * 100)
        kept = frames.pull(20.0)
        with monkeypatch.context() as patch:
            patch.setattr(Guest, "say", raising(OSError(errno.ENOBUFS, "No buffer space available")))
            writer.write(bytes([2]) * 100)
        assert writer.readers == ()
        for number in range(3, 13):
            writer.write(bytes([number]) * 100, timeout_s=20.0)
        assert kept is not None
        assert kept.tobytes() == bytes([1]) * 100


def raising(error: Exception) -> Callable[..., Any]:
    def call(*_: Any) -> Any:
        raise error

    return call


def test_a_start_with_few_descriptors() -> None:
    """Wherever they run out, that is an error of ours, and nothing is left of what had begun."""
    code = """if True:
        import logging, os, resource
        from reelway import share
        from reelway.errors import ReelwayError
        logging.disable()
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]

        def tried(make, free):
            filled = [os.dup(0)]
            while filled[-1] + 1 > len(os.listdir("/proc/self/fd")) - 1:  # no hole is left
                filled.append(os.dup(0))
            resource.setrlimit(resource.RLIMIT_NOFILE, (filled[-1] + 1 + free, most))
            try:
                with make():
                    return "made"
            except ReelwayError as error:
                return str(error)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
                for each in filled:
                    os.close(each)

        with share.Writer("cam1") as writer:
            writer.write(b"x")
            share.open("cam1").close()
            before = len(os.listdir("/proc/self/fd"))
            for free in range(12):
                print(tried(lambda: share.Writer("cam2"), free).splitlines()[0])
                print(tried(lambda: share.open("cam1", timeout_s=0.3), free).splitlines()[0])
            while len(os.listdir("/proc/self/fd")) > before:  # the writer has not heard yet that they went
                writer.readers
            print(*[each.name for each in share.names()])
    """
    *said, names = printed(script(code)).splitlines()
    assert names == "cam1"
    writers, readers = said[::2], said[1::2]
    for kind in (writers, readers):
        assert "Too many open files" in kind[0]
        assert kind[-1] == "made"
    assert all("Too many open files" in each for each in writers if each != "made")


def test_no_descriptors_left(writer: share.Writer) -> None:
    """Who comes then waits until there are some; who is there goes on."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(map(int, os.listdir("/proc/self/fd"))) + 1
    waiting: list[Any] = []

    def come() -> None:
        link.connect(str(place.folder() / "cam1.sock"))
        link.sendall(HELLO)
        waiting.append(link.recv(8))

    with goes_on(writer) as frames, socket.socket(socket.AF_UNIX) as link:
        link.settimeout(30.0)
        thread = threading.Thread(target=come)
        used = max(map(int, os.listdir("/proc/self/fd"))) + 1
        resource.setrlimit(resource.RLIMIT_NOFILE, (used, before[1]))
        fill = []
        try:
            with contextlib.suppress(OSError):
                while True:
                    fill.append(os.dup(0))
            thread.start()
            while not writer._desk._door.deaf_until_s:
                shown(writer, frames)
            assert waiting == []
        finally:
            for each in fill:
                os.close(each)
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        thread.join(30.0)
        assert len(waiting) == 1
