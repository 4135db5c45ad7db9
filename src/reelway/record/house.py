"""Which complete recordings are kept: by age, size and number. Whatever has no sidecar of ours stays."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from string import Formatter
from typing import Any, NamedTuple, Self

from reelway.errors import OptionError
from reelway.record.disk import SIDECAR, read_sidecar

__all__ = ["House"]

log = logging.getLogger("reelway.record")

DAY_S = 86400.0
AHEAD_S = 60.0
"""A file that was written so much later than now was written when the clock was wrong."""


class _File(NamedTuple):
    """A complete recording; `written_s` is when it became that [s since 1970], by this machine's clock."""

    written_s: float
    path: str
    bytes: int


class House:
    """A folder, and what is kept of the recordings in it.

    days, bytes, files   None: any number. The newest file stays, however large it is
    depth                so many levels of subfolders belong to it; those that become empty go
    segments             only what is written all the time counts, and goes; False: only events; None: both
    now                  [s since 1970]

    `tidy()` may be called from any thread.
    """

    def __init__(
        self,
        folder: str,
        *,
        days: float | None = None,
        bytes: int | None = None,
        files: int | None = None,
        depth: int = 0,
        segments: bool | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Raises OptionError."""
        for name, value, low in (("days", days, 0), ("bytes", bytes, 0), ("files", files, 1)):
            if value is not None and value < low:
                raise OptionError(f"keep_{name} is {value:g}", hint=f"it may not be below {low}")
        self.folder = folder
        self.depth = depth
        self._segments = segments
        self._days, self._bytes, self._files, self._now = days, bytes, files, now
        self._lock = threading.Lock()
        """One looks around at a time."""
        self._seen: dict[str, tuple[tuple[int, int], float | None]] = {}
        """Sidecar -> which version of it was read, and when its file was written; None: it is not ours, or
        of the other kind."""

    @classmethod
    def of(cls, filename: Any, segments: bool | None = None, **limits: Any) -> Self | None:
        """That of the files of a recorder, by its template or function; None: everything is kept."""
        if all(limit is None for limit in limits.values()):
            return None
        if callable(filename):
            return cls("", segments=segments, **limits)
        plain = ""
        for text, field, _, _ in Formatter().parse(filename):
            plain += text
            if field is not None:
                break
        root = os.path.dirname(plain) or os.curdir
        example = filename.format(time=datetime.now(UTC), number=1, name="name")
        return cls(root, depth=os.path.relpath(example, root).count(os.sep), segments=segments, **limits)

    def tidy(self, path: str = "") -> list[str]:
        """Removes what is too old or too much, the oldest first; returns the paths of that.

        `path` is the file that was written last, where only that tells the folder. What cannot be removed is
        logged, and stays.
        """
        with self._lock:
            folder = self.folder or os.path.dirname(path) or os.curdir
            seen, self._seen = self._seen, {}
            files = sorted(self._files_in(folder, self.depth, seen), key=lambda file: self._rank(file, path))
            gone = [file.path for file in self._too_much(files) if _removed(file.path)]
            for folder_of in {os.path.dirname(each) for each in gone}:
                self._remove_empty(folder_of, folder)
        return gone

    def _rank(self, file: _File, newest: str) -> tuple[bool, bool, _File]:
        """What is younger is greater. What comes from the future is from before the clock was set back."""
        return file.path == newest, file.written_s <= self._now() + AHEAD_S, file

    def _too_much(self, files: list[_File]) -> list[_File]:
        """Of `files`, the oldest first, those that have to go."""
        oldest_s = -1.0 if self._days is None else self._now() - self._days * DAY_S
        count, total = len(files), sum(file.bytes for file in files)
        found = []
        for file in files:
            many = self._files is not None and count > self._files
            large = self._bytes is not None and total > self._bytes and count > 1
            if not (many or large or file.written_s < oldest_s):
                continue
            count, total = count - 1, total - file.bytes
            found.append(file)
        return found

    def _files_in(self, folder: str, depth: int, seen: dict[str, Any]) -> Iterator[_File]:
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            log.warning("%s: it is not looked after: %s", folder, error.strerror)
            return
        for entry in entries:
            try:
                if depth and entry.is_dir(follow_symlinks=False):
                    yield from self._files_in(entry.path, depth - 1, seen)
                elif entry.name.endswith(SIDECAR) and (file := self._file_of(entry, seen)) is not None:
                    yield file
            except OSError:  # it is gone by now
                continue

    def _file_of(self, entry: os.DirEntry[str], seen: dict[str, Any]) -> _File | None:
        path = entry.path.removesuffix(SIDECAR)
        told = entry.stat(follow_symlinks=False)
        version = told.st_mtime_ns, told.st_size
        if entry.path not in seen or seen[entry.path][0] != version:
            said = read_sidecar(entry.path)
            counts = self._segments is None or self._segments is _is_segment(said)
            seen[entry.path] = version, _written_s(said, told.st_mtime) if counts else None
        self._seen[entry.path] = seen[entry.path]
        written_s = seen[entry.path][1]
        if written_s is None or os.path.islink(path) or not os.path.isfile(path):
            return None
        return _File(written_s, path, os.path.getsize(path) + told.st_size)

    def _remove_empty(self, folder: str, root: str) -> None:
        for _ in range(self.depth):
            try:
                if os.path.samefile(folder, root):
                    return
                os.rmdir(folder)
            except OSError:  # there is something in it
                return
            folder = os.path.dirname(folder)


def _written_s(sidecar: dict[str, Any], modified_s: float) -> float | None:
    """When the file of a `sidecar` became complete; None where that is not one of ours."""
    if not sidecar:
        return None
    try:
        return datetime.fromisoformat(sidecar["written"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return modified_s


def _is_segment(sidecar: dict[str, Any]) -> bool:
    """Of what was written without being asked for."""
    return bool(sidecar.get("segment", not sidecar.get("triggers", True)))


def _removed(path: str) -> bool:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning("%s is not kept, but cannot be removed: %s", path, error.strerror)
        return False
    with contextlib.suppress(OSError):
        os.unlink(path + SIDECAR)
    log.info("%s is not kept any longer", path)
    return True
