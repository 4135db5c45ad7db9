"""The file of a clip while it is written: it is not under its final name before it is complete."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
from collections.abc import Mapping
from typing import Any

from reelway.errors import OpenError

__all__ = ["PART", "Disk", "release", "reserve"]

PART = ".part"
"""Behind the name of what is not complete."""
SIDECAR = ".json"
_naming = threading.Lock()
_reserved: set[str] = set()
"""Of files that are not there yet."""


class Disk:
    """A file object for a muxer; locked while it is open, so that a repair sees that somebody writes it.

    What FFmpeg forgets of an error that a write raised stays in `failure`.
    """

    def __init__(self, path: str) -> None:
        """Raises OpenError."""
        self.path = path
        self.part = path + PART
        """Where it is until it is complete."""
        self.failure: OSError | None = None
        try:
            os.makedirs(os.path.dirname(path) or os.curdir, exist_ok=True)
            self._file = open(self.part, "xb+", buffering=0)  # noqa: SIM115
            _lock(self._file)
        except OSError as error:
            raise OpenError(
                f"{path} cannot be written: {error.strerror}",
                url=path,
                errno=error.errno,
                hint="check the folder, its permissions, and the room on its disk",
            ) from error

    def write(self, data: bytes) -> int:
        """All of it. Raises OSError."""
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) or 0 :]
        except OSError as error:
            self.failure = self.failure or error
            raise
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """For muxers that go back and change what they wrote."""
        return self._file.read(size) or b""

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def publish(self, sidecar: Mapping[str, Any]) -> None:
        """It is complete: it gets its name, and a sidecar before that. Raises OSError."""
        os.fsync(self._file.fileno())
        with open(self.path + SIDECAR + PART, "w", encoding="utf-8") as file:
            json.dump(sidecar, file, indent=2, default=str)
            file.write("\n")
        os.replace(self.path + SIDECAR + PART, self.path + SIDECAR)
        os.replace(self.part, self.path)

    def close(self) -> None:
        """Lets go of it."""
        self._file.close()

    def discard(self) -> None:
        """Nothing was written: there is no file."""
        self.close()
        os.unlink(self.part)


def sha256(path: str) -> str:
    """Of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def reserve(path: str) -> str:
    """`path`, or where that is taken, with a number before its ending: nothing recorded is written over.

    Nobody else in this process gets it, until `release()`.
    """
    stem, ending = os.path.splitext(path)
    number = 1
    with _naming:
        while path in _reserved or os.path.lexists(path) or os.path.lexists(path + PART):
            number += 1
            path = f"{stem}-{number}{ending}"
        _reserved.add(path)
    return path


def release(path: str) -> None:
    """Its file is there, or never will be."""
    _reserved.discard(path)


def _lock(file: Any) -> None:
    """Says that somebody is at it, for as long as it is open."""
    try:
        import fcntl
    except ImportError:  # elsewhere an open file cannot be renamed anyhow
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP):  # file systems that know no locks
            raise
