"""Ctrl-C and SIGTERM in the middle of long work: soon over, the right exit code, and a file that plays."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import reelway as rw
from tests.cli.conftest import command, run_apart, surroundings
from tests.media import make, probe

ENOUGH = 100_000  # bytes in the output, after which it is in the middle of its work


@contextmanager
def recording(source: Path, target: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that reads what a source has sent so far, and waits for the rest, which never comes.

    `words` are its command, by default one that writes `target`.
    """
    process = subprocess.Popen(
        command(*(words or ("run", "-", target))),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=surroundings(),
    )
    assert process.stdin is not None
    assert process.stderr is not None
    try:
        data = source.read_bytes()
        process.stdin.write(data[: len(data) * 3 // 4])
        process.stdin.flush()
        until = time.monotonic() + 30
        while not (Path(target).exists() and Path(target).stat().st_size > ENOUGH):
            assert time.monotonic() < until, "it writes nothing"
            assert process.poll() is None, process.stderr.read().decode()
            time.sleep(0.01)
        yield process
    finally:
        process.kill()
        process.stdin.close()
        process.stderr.close()
        process.wait()


@pytest.fixture
def broadcast(film: Path) -> Path:
    make.long_film("long.mp4", 60, source=film)
    rw.run("long.mp4", "long.ts")
    return Path("long.ts")


ENDS = pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, b"reelway: interrupted\n"), (signal.SIGTERM, 143, b""), (signal.SIGHUP, 129, b"")],
    ids=["Ctrl-C", "SIGTERM", "SIGHUP"],
)


@pytest.mark.parametrize("target", ["out.mp4", "out.mkv", "out.ts"])
@ENDS
def test_what_was_recorded_plays(
    target: str, number: signal.Signals, code: int, said: bytes, broadcast: Path
) -> None:
    with recording(broadcast, target) as process:
        asked = time.monotonic()
        process.send_signal(number)
        assert process.wait(20) == code
        assert time.monotonic() - asked < 5, "2 s are promised; the machine may be busy"
        assert process.stderr is not None
        assert process.stderr.read() == said
    counters = probe.counters(target)
    assert len(counters) > 500
    assert counters == probe.counters(broadcast)[: len(counters)]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_pressed_again_and_again(number: int, code: int, broadcast: Path) -> None:
    with recording(broadcast, "out.mp4") as process:
        until = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < until:
            process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.01)
        assert process.returncode == code
    assert len(probe.counters("out.mp4")) > 100


def test_a_server_that_says_nothing(film: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        process = subprocess.Popen(
            command("run", f"tcp://127.0.0.1:{server.getsockname()[1]}", "out.ts"),
            stderr=subprocess.PIPE,
            env=surroundings(),
        )
        server.settimeout(30)
        connection, _ = server.accept()
        with connection:
            asked = time.monotonic()
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (130, b"reelway: interrupted\n")
    assert time.monotonic() - asked < 5
    assert not Path("out.ts").exists()


WHOLE = """
import libgpac
session = libgpac.FilterSession()
session.load_src("pipe:0")
session.load_dst("out.mp4")
session.run()
print("goes on")
"""
PASSES = """
import reelway, sys, time
session = reelway.Session(blocking=False)
session.load_src("long.ts") >> session.load_dst("out.mp4")
while (session.progress().position_s or 0) < 30:
    session.run()
print("ready", flush=True)
while True:
    time.sleep(1)
"""


@pytest.mark.parametrize("presses", [1, 100])
@ENDS
def test_a_script_is_ended_likewise(
    number: signal.Signals, code: int, said: bytes, presses: int, broadcast: Path
) -> None:
    Path("mine.py").write_text(WHOLE)
    with recording(broadcast, "out.mp4", "script", "mine.py") as process:
        until = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < until:
            if presses:
                process.send_signal(number)
                presses -= 1
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.01)
        assert process.stderr is not None
        assert (process.returncode, process.stderr.read()) == (code, said)
    counters = probe.counters("out.mp4")
    assert len(counters) > 100
    assert counters == probe.counters(broadcast)[: len(counters)]


@ENDS
def test_a_script_between_two_passes(number: signal.Signals, code: int, said: bytes, broadcast: Path) -> None:
    Path("mine.py").write_text(PASSES)
    process = subprocess.Popen(
        command("script", "mine.py"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=surroundings()
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.communicate(timeout=20) == (b"", said)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == code
    counters = probe.counters("out.mp4")
    assert len(counters) > 100
    whole = len(counters) - 8  # the last group of pictures ends in the middle, in the order of decoding
    assert counters[:whole] == probe.counters(broadcast)[:whole]


OWN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: print("heeds it itself", flush=True))
os.kill(os.getpid(), signal.SIGTERM)
ready, tell = os.pipe()
child = os.fork()
if not child:
    os.write(tell, b"x")
    while True:
        time.sleep(0.01)
os.read(ready, 1)
os.kill(child, signal.SIGHUP)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
sys.exit(3)
"""


def test_a_scripts_own_handlers_and_children(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    done = run_apart("script", tmp_path / "mine.py")
    assert (done.code, done.out, done.err) == (3, f"heeds it itself\n{-signal.SIGHUP}\n", "")


EARLY = """
import sys
class Interrupts:
    def find_spec(self, name, *_):
        if name == "reelway.cli.outcome":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupts())
from reelway.cli import main
sys.exit(main())
"""


def test_while_it_is_still_being_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", EARLY, "doctor"], env=surroundings(), capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"reelway: interrupted\n")
