"""A folder of its own for each test of sharing, which is empty afterwards, and other processes."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
"""No answer takes so long, on the slowest machine."""


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the sockets are: nothing is left of them, nor of threads, descriptors and shared memory."""
    home = Path(tempfile.mkdtemp(prefix="rw-share-"))
    home.chmod(0o700)
    monkeypatch.setenv("REELWAY_SHARE_DIR", str(home))
    shared = set(os.listdir("/dev/shm")) if Path("/dev/shm").is_dir() else set()
    yield home
    left = sorted(path.name for path in home.glob("*")) if home.exists() else []
    shutil.rmtree(home, ignore_errors=True)
    assert left == [], "sockets are left behind"
    threads = [each.name for each in threading.enumerate() if each.name.startswith("reelway-share")]
    assert threads == []
    if shared:
        new = set(os.listdir("/dev/shm")) - shared
        assert not [name for name in new if "reelway" in name and "bench" not in name]


class Peer:
    """A process of tests/share/peer.py."""

    def __init__(self, kind: str, **given: Any) -> None:
        paths = [str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.share.peer", kind, json.dumps(given)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self._rest = b""

    def hear(self, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """What it says next."""
        out = self.process.stdout
        assert out is not None
        until = time.monotonic() + patience_s
        while b"\n" not in self._rest:
            assert select.select([out], [], [], max(0.0, until - time.monotonic()))[0], "it says nothing"
            data = os.read(out.fileno(), 1 << 16)
            assert data, f"it has ended with {self.process.wait(5)} in the middle of a word"
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        said: dict[str, Any] = json.loads(line)
        return said

    def until(self, word: str, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """What it says with this word; answers to earlier questions are passed over, errors are not."""
        while word not in (said := self.hear(patience_s)):
            assert not said.keys() & {"error", "torn", "end"}, said
        return said

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def ask(self, what: str = "frames") -> dict[str, Any]:
        """How many frames it has seen so far; `all`: its descriptors and memories, too."""
        self.tell(what)
        return self.until("asked")

    def goes_on(self, frames: int = 3) -> dict[str, Any]:
        """Returns when it has so many frames more."""
        wanted = self.ask()["frames"] + frames
        until = time.monotonic() + PATIENCE_S
        while (told := self.ask())["frames"] < wanted:
            assert time.monotonic() < until, f"it does not go on: {told}"
        return self.ask("all")

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.kill()
        for end in (self.process.stdin, self.process.stdout):
            assert end is not None
            end.close()


@pytest.fixture
def peer() -> Iterator[Callable[..., Peer]]:
    """`peer("check", name="cam1")` starts such a process, which has begun when this returns."""
    peers: list[Peer] = []

    def start(kind: str, *, begun: bool = True, **given: Any) -> Peer:
        made = Peer(kind, **given)
        peers.append(made)
        if begun:
            made.until("begun")
        return made

    yield start
    for each in peers:
        each.close()


def script(code: str, *given: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """A process of its own that runs `code`."""
    paths = [str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, "-c", code, *given],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def printed(process: subprocess.Popen[str]) -> str:
    """What it has printed when it is over; and it said nothing else."""
    try:
        out, wrong = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert (process.returncode, wrong) == (0, ""), out + wrong
    return out
