"""A folder of its own for each test's writers, and sessions that run beside the test."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import reelway as rw
from tests.filters.parts import Source
from tests.media import make

JOIN_S = 20


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Empty again at the end: nobody leaves a socket behind."""
    path = Path(tempfile.mkdtemp(prefix="rw-"))  # pytest's own are too long for sockets
    monkeypatch.setenv("REELWAY_SHARE_DIR", str(path))
    yield path
    left = list(path.glob("*")) if path.exists() else []
    shutil.rmtree(path, ignore_errors=True)
    assert left == []


class Beside:
    """A chain of filters, run in a thread."""

    def __init__(self, *filters: Any) -> None:
        self.session = rw.Session()
        self.filters = [self.session.load(f) if isinstance(f, str) else self.session.add(f) for f in filters]
        self.session.chain(*self.filters)
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.session.run()
        except Exception as error:  # noqa: BLE001 - join() raises it
            self.error = error

    def join(self, timeout_s: float = JOIN_S) -> None:
        """Waits for the end; raises what ended it."""
        self._thread.join(timeout_s)
        assert not self._thread.is_alive(), "the session goes on"
        if self.error is not None:
            raise self.error

    def stop(self) -> None:
        self.session.stop()
        self._thread.join(2.0)
        assert not self._thread.is_alive(), "it did not stop within 2 s"


@pytest.fixture
def beside() -> Iterator[Callable[..., Beside]]:
    """`beside("testvideo:frames=3", "share:name=x")`: a session that runs in a thread."""
    made: list[Beside] = []

    def start(*filters: Any) -> Beside:
        made.append(Beside(*filters))
        return made[-1]

    yield start
    for each in made:
        each.stop()


def until(condition: Callable[[], Any]) -> None:
    """Other threads are at it."""
    deadline = time.monotonic() + JOIN_S
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.001)


PICTURE = {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": "rgb24", "Width": 4, "Height": 2}


def pictures(count: int, first: int = 0) -> list[rw.Packet]:
    """Each filled with its number."""
    return [rw.Packet(bytes([n]) * 24, n, n, 1, 1) for n in range(first, first + count)]


def source(packets: list[rw.Packet], **properties: Any) -> rw.Filter:
    return Source(packets, **(PICTURE | {"FPS": 25, "Timescale": 25} | properties))


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """50 pictures of 320x240, and sound."""
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    make.film(path, seconds=2)
    return path
