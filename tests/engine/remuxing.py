"""What the engine's tests share: one remux with options, and Python file objects of several tempers."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import reelway as rw

ROOT = Path(__file__).parents[2]


def remux(src: Any, dst: Any, *middle: rw.Filter, reading: Any = None, writing: Any = None) -> None:
    """Copies `src` into `dst`, both a path or a file object, through filters, with options of either end."""
    with rw.Session() as session:
        source = session.load_src(plain(src), **(reading or {}))
        filters = [session.add(each) for each in middle]
        session.chain(source, *filters, session.load_dst(plain(dst), **(writing or {})))
        session.run()


def plain(place: Any) -> Any:
    return str(place) if isinstance(place, Path) else place


class Unseekable(io.RawIOBase):
    """Bytes that come or go once, in order."""

    def __init__(self, data: bytes = b"", chunk: int = 4096) -> None:
        self.data = io.BytesIO(data)
        self.chunk = chunk
        self.written = bytearray()

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        return self.data.read(min(size, self.chunk) if size >= 0 else -1)

    def write(self, data: Any) -> int:
        self.written += data
        return len(data)


class Trouble(RuntimeError):
    """What the file objects below raise."""


class FailsToRead(Unseekable):
    """Raises from the `limit`th byte on."""

    def __init__(self, data: bytes, limit: int) -> None:
        super().__init__(data)
        self.limit = limit

    def read(self, size: int = -1) -> bytes:
        if self.data.tell() >= self.limit:
            raise Trouble("the disk is gone")
        return super().read(size)


class FailsToWrite(Unseekable):
    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def write(self, data: Any) -> int:
        if len(self.written) >= self.limit:
            raise Trouble("the disk is full")
        return super().write(data)


def causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that led to it."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def functions(error: BaseException) -> list[str]:
    """Names of the functions in an exception's own traceback."""
    names = []
    trace = error.__traceback__
    while trace is not None:
        names.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    return names


@contextmanager
def fed_pipe(data: bytes) -> Iterator[Any]:
    """The reading end of a real pipe, into which another thread writes `data`."""
    reading, writing = os.pipe()

    def feed() -> None:
        with open(writing, "wb") as end, suppress(BrokenPipeError):
            end.write(data)

    feeder = threading.Thread(target=feed)
    feeder.start()
    with open(reading, "rb", buffering=0) as end:
        yield end
    feeder.join(10)
    assert not feeder.is_alive()


def in_child(code: str, *arguments: Any, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Runs Python code in a process of its own, where a crash or a hang ends nothing else."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), *sys.path]))}
    command = [sys.executable, "-X", "faulthandler", "-c", code, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, cwd=ROOT, env=environment, check=False
    )
