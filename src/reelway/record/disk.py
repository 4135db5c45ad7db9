"""The file of a clip while it is written: it is not under its final name before it is complete.

Beside `NAME.EXT.part` lies `NAME.EXT.json.part`, which says what is known from the beginning; both are left
by a crash, and `reelway.record.repair` makes of them what should have been. Whose the sidecar is not, that
file is not ours.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from queue import Empty
from typing import Any

from reelway.errors import OpenError
from reelway.runtime.inbox import Inbox

__all__ = [
    "DRAFT", "DRAFTED", "PART", "SIDECAR", "Disk", "File", "free_bytes", "is_ours", "is_published",
    "is_regular", "is_taken", "lock", "publish", "read_sidecar", "release", "reserve", "sha256",
]  # fmt: skip

PART = ".part"
"""Behind the name of what is not complete."""
SIDECAR = ".json"
DRAFT = ".new"
"""Behind the name of a sidecar that is not written yet."""
LONGEST = len(SIDECAR + PART + DRAFT)
"""What may stand behind the name of a file."""
BY = "reelway"
"""What a sidecar of ours says under "by"."""
DRAFTED = json.dumps({"by": BY}, indent=2).removesuffix("\n}")
"""So each sidecar of ours begins."""
ROOM_S = 0.5
"""So often it is asked how much room is left, or each time that so many bytes were written."""
ROOM_BYTES = 4 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LOOK_S = 0.05
"""So long who asks for a name waits for the file system."""
_naming = threading.Lock()
"""For steps of two, on the two below; never held while the file system is asked. Single look-ups go without
it: the GIL makes them whole, and `reserve` looks again under it."""
_reserved: set[str] = set()
"""Of files that are not there yet."""
_silent: set[str] = set()
"""Folders about which the file system has not answered yet."""


class File:
    """A file object for a muxer: what FFmpeg forgets of an error that a write raised stays in `failure`.

    After such an error nothing is written any more: what a muxer does to complete a file would make what was
    written until then unplayable.
    """

    def __init__(self, path: str, mode: str) -> None:
        """Opens it, and locks it for as long as it is open. Raises OSError."""
        self.failure: OSError | None = None
        self.written = 0
        """Bytes so far."""
        self._path = path
        self._file = open(path, mode, buffering=0, opener=_not_through_links)  # noqa: SIM115
        try:
            lock(self._file, wait=True)
            if not _is_at(self._file, path):  # a repair took it for what a crash left, and removed it
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        except BaseException:
            self._file.close()
            raise

    def __repr__(self) -> str:
        return self._path

    def write(self, data: bytes) -> int:
        """All of it. Raises OSError."""
        if self.failure is not None:
            raise self.failure
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) or 0 :]
        except OSError as error:
            self.failure = error
            raise
        self.written += len(data)
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """For muxers that go back and change what they wrote."""
        return self._file.read(size) or b""

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def sync(self) -> None:
        """What was written is on the disk. Raises OSError."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Lets go of it."""
        self._file.close()


class Disk(File):
    """A file that is recorded; locked while it is open, so that a repair sees that somebody writes it."""

    def __init__(self, path: str, said: Mapping[str, Any] | None = None, *, min_free: int = 0) -> None:
        """`said` is what its sidecar tells if it is never completed. Raises OpenError; its `errno` is ENOSPC
        where less than `min_free` bytes are left."""
        self.path = path
        self.part = path + PART
        """Where it is until it is complete."""
        self.min_free = min_free
        self._asked_s = time.monotonic()
        self._asked_bytes = 0
        folder = os.path.dirname(path) or os.curdir
        try:
            while True:
                os.makedirs(folder, exist_ok=True)
                if (left := free_bytes(folder)) < min_free:
                    raise too_little(path, left, min_free)
                try:
                    if is_taken(path):
                        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
                    self.say(said or {})
                    super().__init__(self.part, "xb+")
                except FileNotFoundError:  # so does retention with folders that are empty
                    continue
                self._claim(said or {})
                return
        except OpenError:
            raise
        except OSError as error:
            hint = "check the folder, its permissions, and the room on its disk"
            if error.errno == errno.ENAMETOOLONG:
                hint = f"make it shorter; while it is written there are {LONGEST} characters more behind it"
            raise OpenError(
                f"{path} cannot be written: {error.strerror}", url=path, errno=error.errno, hint=hint
            ) from error

    def _claim(self, said: Mapping[str, Any]) -> None:
        """Another process may have wanted the name at the same moment. Raises OSError: it was first."""
        if is_published(self.path):  # and is done
            _unlink(self.part)
            super().close()
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), self.path)
        with open(self.path + SIDECAR + PART, encoding="utf-8") as file:
            if file.read() != _json({"path": self.path, **said}):
                self.say(said)

    def say(self, said: Mapping[str, Any]) -> None:
        """What a repair puts into the sidecar. Raises OSError."""
        _write_json(self.path + SIDECAR + PART, {"path": self.path, **said})

    def short(self) -> OpenError | None:
        """The error, where less than `min_free` is left; it looks now and then only."""
        if not self.min_free:
            return None
        now_s = time.monotonic()
        if now_s - self._asked_s < ROOM_S and self.written - self._asked_bytes < ROOM_BYTES:
            return None
        self._asked_s, self._asked_bytes = now_s, self.written
        try:
            left = free_bytes(os.path.dirname(self.path) or os.curdir)
        except OSError:
            return None  # writing will tell
        return too_little(self.path, left, self.min_free) if left < self.min_free else None

    def trouble(self, error: OSError | None = None) -> OpenError | None:
        """What kept it from being written, and what to do; None where nothing did."""
        error = self.failure or error
        if error is None:
            return None
        text = error.strerror or str(error)
        hint = "see what is wrong with its disk"
        if error.errno in _FULL:
            hint = "make room on its disk"
        left = "what was written is gone with its folder"
        with contextlib.suppress(OSError):
            if is_regular(os.lstat(self.part)) and _is_at(self._file, self.part):
                left = f"what was written plays, and reelway.record.repair() completes it: {self.part}"
        return OpenError(
            f"{self.path} could not be written to its end: {text}",
            url=self.path,
            errno=error.errno,
            hint=f"{hint}; {left}",
        )

    def publish(self, sidecar: Mapping[str, Any], path: str = "") -> None:
        """It is complete: it gets its name, or that of `path`, and a sidecar before that. Raises OSError."""
        self.sync()
        publish(path or self.path, {**sidecar, "repaired": False}, time.time(), self.part)
        if path and path != self.path:
            _unlink(self.path + SIDECAR + PART)

    def close(self) -> None:
        """Lets go of it; where nothing was written there is no file."""
        with contextlib.suppress(OSError):
            if os.path.getsize(self.part) == 0:
                _unlink(self.path + SIDECAR + PART)
                _unlink(self.part)
        super().close()


def publish(path: str, sidecar: Mapping[str, Any], written_s: float, part: str = "") -> None:
    """Gives `part` (usually that of `path`) its name, and a sidecar before that. Raises OSError.

    A crash in between leaves the former, whose hash the sidecar has.
    """
    part = part or path + PART
    written = datetime.fromtimestamp(written_s, UTC).isoformat()
    _write_json(path + SIDECAR + PART, {**sidecar, "written": written})
    os.replace(path + SIDECAR + PART, path + SIDECAR)
    os.replace(part, path)


def is_taken(path: str) -> bool:
    """This name, or that of its part or its sidecar, is taken."""
    return is_published(path) or os.path.lexists(path + PART)


def is_published(path: str) -> bool:
    """This name, or that of its sidecar, is taken: a file that is complete has both."""
    return any(os.path.lexists(path + end) for end in ("", SIDECAR))


def is_regular(found: os.stat_result) -> bool:
    """It is a file, and no pipe, device, folder or link."""
    return stat.S_ISREG(found.st_mode)


def is_ours(sidecar: Mapping[str, Any]) -> bool:
    """A recorder of Reelway wrote it."""
    return sidecar.get("by") == BY


def read_sidecar(path: str) -> dict[str, Any]:
    """What a sidecar says; nothing where it is not there, cannot be read, or is not ours."""
    try:
        if not is_regular(os.lstat(path)):  # a pipe of that name would be waited for
            return {}
        with open(path, encoding="utf-8", opener=_not_through_links) as file:
            said = json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) and is_ours(said) else {}


def free_bytes(folder: str) -> int:
    """The room that this process may use on the disk of `folder`. Raises OSError."""
    if not hasattr(os, "statvfs"):
        import shutil

        return shutil.disk_usage(folder).free
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def too_little(path: str, left: int, min_free: int) -> OpenError:
    """The error of the guard."""
    return OpenError(
        f"{path}: {left:,} bytes are left on its disk, less than min_free={min_free:,}",
        url=path,
        errno=errno.ENOSPC,
        hint="make room there, or have old recordings removed: keep_bytes=, keep_files= or keep_days=",
    )


def sha256(path: str) -> str:
    """Of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def reserve(path: str, *, patient: bool = False) -> str:
    """`path`, or where that is taken, with a number before its ending: nothing recorded is written over.

    Nobody else in this process gets it, until `release()`. Who is not `patient` gets a name within
    `LOOK_S`, also where the disk hangs: then only this process's own names are known, and whoever opens it
    sees the rest.
    """
    stem, ending = os.path.splitext(path)
    number = 1
    while True:
        number = (_free if patient else _soon_free)(stem, ending, number)
        with _naming:
            if (name := _numbered(stem, ending, number)) not in _reserved:
                _reserved.add(name)
                return name


def _numbered(stem: str, ending: str, number: int) -> str:
    return f"{stem}{ending}" if number == 1 else f"{stem}-{number}{ending}"


def _free(stem: str, ending: str, number: int) -> int:
    """The first number, from this one on, whose name is neither reserved nor taken."""
    while (name := _numbered(stem, ending, number)) in _reserved or is_taken(name):
        number += 1
    return number


def _soon_free(stem: str, ending: str, number: int) -> int:
    """The same, in `LOOK_S`; while the disk is silent what is not reserved is taken for free."""
    folder = os.path.dirname(stem)
    answer: Inbox[int] = Inbox()

    def look() -> None:
        found = _free(stem, ending, number)
        with _naming:
            answer.put(found)
            _silent.discard(folder)

    if folder not in _silent:
        threading.Thread(target=look, name="reelway-name", daemon=True).start()
        with contextlib.suppress(Empty):
            return answer.get(timeout=LOOK_S)
        with _naming:
            if not answer.empty():
                return answer.get()
            _silent.add(folder)
    while _numbered(stem, ending, number) in _reserved:
        number += 1
    return number


def release(path: str) -> None:
    """Its file is there, or never will be."""
    _reserved.discard(path)


def lock(file: Any, wait: bool = False) -> bool:
    """Says that somebody is at it, for as long as it is open; False: somebody else is. Raises OSError."""
    try:
        import fcntl
    except ImportError:  # elsewhere an open file cannot be renamed anyhow
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP):  # file systems that know no locks
            raise
    return True


def _is_at(file: Any, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _json(said: Mapping[str, Any]) -> str:
    return json.dumps({"by": BY, **said}, indent=2, default=str) + "\n"


def _not_through_links(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _write_json(path: str, said: Mapping[str, Any]) -> None:
    """At once or not at all, whenever this ends."""
    new = path + DRAFT
    with open(new, "w", encoding="utf-8", opener=_not_through_links) as file:
        file.write(_json(said))
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
