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
from tests.cli.conftest import command, surroundings
from tests.media import make, probe

ENOUGH = 100_000  # bytes in the output, after which it is in the middle of its work


@contextmanager
def recording(source: Path, target: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that reads what a source has sent so far, and waits for the rest, which never comes."""
    process = subprocess.Popen(
        command("run", "-", target),
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


@pytest.mark.parametrize("target", ["out.mp4", "out.mkv", "out.ts"])
@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, b"reelway: interrupted\n"), (signal.SIGTERM, 143, b""), (signal.SIGHUP, 129, b"")],
    ids=["Ctrl-C", "SIGTERM", "SIGHUP"],
)
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
