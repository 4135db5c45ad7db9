"""`repair()`: finishes the files that a crash left.

In which order, so that nothing is lost if this ends in the middle: what is whole is written beside the
`.part`, which it replaces in one step; then the sidecar gets its name, then the file. Each step finds what
the one before it left.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from reelway.engine.salvage import Salvaged, salvage
from reelway.errors import FormatError, OpenError, OptionError, ReelwayError
from reelway.record.disk import (
    DRAFT,
    DRAFTED,
    PART,
    SIDECAR,
    File,
    is_regular,
    lock,
    publish,
    read_sidecar,
    release,
    reserve,
    sha256,
)
from reelway.record.media import container_of

__all__ = ["Repaired", "repair"]

log = logging.getLogger("reelway.record")

NEW = ".repair"
"""Behind the name of a file that is being made whole."""
LITTLE = 64 << 10
"""A file that cannot be opened and is no longer than that was left before its first fragment was complete."""
ABANDONED_S = 60.0
"""A sidecar without a file is so old, or else somebody is just about to make the file."""

Outcome = Literal["repaired", "finished", "removed", "in use", "failed"]


class Repaired(NamedTuple):
    """What became of a file that a crash left.

    path         its name, now that it is complete; where it is not, the one with `.part`
    outcome      repaired: made whole; finished: it lacked its name only; removed: there was nothing in it;
                 in use: somebody writes it; failed: it is as it was, and `error` says why
    duration_s   of what can be played
    cut          packets at its end that could not be decoded
    """

    path: str
    outcome: Outcome
    duration_s: float = 0.0
    cut: int = 0
    error: ReelwayError | None = None


def repair(folder: str | os.PathLike[str]) -> Iterator[Repaired]:
    """Finishes what a crash left of recordings in `folder`, and in the folders in it; one result for each.

    Nothing is coded anew. What cannot be decoded at the end of a file is cut off, and its sidecar says
    `"repaired": true`. A file that is being written is left alone, and so is any `.part` without a sidecar of
    Reelway's beside it, unless `folder` is the path of that very file. It may be ended at any moment, and
    called again; what fails does not keep it from the rest. Each file needs as much room again while it is
    at it.

    Raises OpenError where there is no such folder.
    """
    folder = os.fspath(folder)
    if os.path.isfile(folder):
        if not folder.endswith(PART):
            raise OptionError(f"{folder} is complete", hint=f"what a crash leaves ends in {PART}")
        return iter((_finished(folder.removesuffix(PART)),))
    if not os.path.isdir(folder):
        raise OpenError(f"{folder}: there is no such folder", url=folder, hint="check the path")
    return _all_in(folder)


def _all_in(folder: str) -> Iterator[Repaired]:
    def unread(error: OSError) -> None:
        log.warning("%s cannot be looked into: %s", error.filename, error.strerror)

    for root, _, names in os.walk(folder, onerror=unread):
        for name in sorted(names):
            path = os.path.join(root, name.removesuffix(PART))
            if name.endswith(SIDECAR + PART + DRAFT):
                _remove_draft(os.path.join(root, name))
            elif name.endswith(SIDECAR + PART):
                _remove_abandoned(path.removesuffix(SIDECAR))
            elif name.endswith(PART) and _may_be_touched(path + PART) and _sidecar(path):
                yield _finished(path)


def _finished(path: str) -> Repaired:
    try:
        return _repair(path)
    except ReelwayError as error:
        log.error("%s%s", error, f" ({error.hint})" if error.hint else "")
        return Repaired(path + PART, "failed", error=error)
    except OSError as error:
        told = OpenError(
            f"{path}{PART} cannot be repaired: {error.strerror or error}", url=path, errno=error.errno
        )
        log.error("%s", told)
        return Repaired(path + PART, "failed", error=told)


def _repair(path: str) -> Repaired:
    """Raises ReelwayError and OSError, and has then changed nothing."""
    part = path + PART
    try:
        if not _may_be_touched(part):
            raise OpenError(f"{part} is no file", url=part, hint="name the file itself, and not a link to it")
        file = open(part, "rb+", buffering=0)  # noqa: SIM115
    except FileNotFoundError:
        return Repaired(path, "in use")  # somebody was faster
    with file:
        if not lock(file):
            return Repaired(part, "in use")
        if not os.path.exists(part) or not os.path.samestat(os.fstat(file.fileno()), os.stat(part)):
            return Repaired(part, "in use")  # somebody was faster
        left = os.fstat(file.fileno())
        if left.st_size == 0:
            return _removed(path)
        said = _sidecar(path)
        whole = "sha256" in said and not os.path.lexists(path) and said["sha256"] == sha256(part)
        if whole:  # it ended while it gave names to the sidecar and the file
            if "sha256" in read_sidecar(path + SIDECAR + PART):
                os.replace(path + SIDECAR + PART, path + SIDECAR)
            os.replace(part, path)
            return Repaired(path, "finished", _number(said.get("duration_s")))
        if not _may_be_touched(path + NEW):
            raise OpenError(f"{path}{NEW} is no file", url=path + NEW, hint="it is in the way: remove it")
        new = File(path + NEW, "wb+")
        try:
            found = _salvaged(path, new, left.st_size)
            if not found.packets:
                _unlink(path + NEW)
                return _removed(path)
            new.sync()
            os.utime(path + NEW, ns=(left.st_atime_ns, left.st_mtime_ns))
            os.replace(path + NEW, part)  # which is locked as before
            return _named(path, _whole(part, said, found), left.st_mtime, found)
        except BaseException:
            _unlink(path + NEW)
            raise
        finally:
            new.close()


def _salvaged(path: str, new: File, size: int) -> Salvaged:
    container = container_of(path)
    try:
        found = salvage(path + PART, new, container.name, {})
    except FormatError:
        if size > LITTLE:
            raise
        return Salvaged()
    except OpenError as error:
        if new.failure is None:
            raise
        raise OpenError(
            f"{path}{PART} cannot be repaired: {new.failure.strerror}",
            url=path,
            errno=new.failure.errno,
            hint="it needs as much room again as it has now, for a while",
        ) from error
    if not found.packets and size > LITTLE:
        raise FormatError(
            f"{path}{PART}: nothing in it can be decoded", hint="it is left as it is; remove it by hand"
        )
    return found


def _whole(part: str, said: dict[str, Any], found: Salvaged) -> dict[str, Any]:
    """The sidecar: what was known when the file began, and what is known of it now."""
    end = None
    with contextlib.suppress(KeyError, TypeError, ValueError):
        end = (datetime.fromisoformat(said["start"]) + timedelta(seconds=found.duration_s)).isoformat()
    return {
        "start": None,
        "triggers": [],
        "coded": {},
        "segment": False,
        **{key: value for key, value in said.items() if key not in ("by", "written")},
        "end": end,
        "duration_s": round(found.duration_s, 6),
        "packets": found.packets,
        "dropped": None,
        "cut": found.cut,
        "bytes": os.path.getsize(part),
        "sha256": sha256(part),
        "repaired": True,
    }


def _named(path: str, sidecar: dict[str, Any], written_s: float, found: Salvaged) -> Repaired:
    """Gives the file its name, or another one where it is taken by now."""
    free = path
    foreign = os.path.lexists(path + SIDECAR) and not read_sidecar(path + SIDECAR)
    if foreign or os.path.lexists(path):
        free = reserve(path, patient=True)
        release(free)
    publish(free, {**sidecar, "path": free}, written_s, path + PART)
    if free != path:
        _unlink(path + SIDECAR + PART)
    log.info("%s is repaired: %.3f s", free, found.duration_s)
    return Repaired(free, "repaired", found.duration_s, found.cut)


def _removed(path: str) -> Repaired:
    """Its sidecar first: who just began it makes that anew when it finds its file gone."""
    _unlink(path + SIDECAR + PART)
    _unlink(path + PART)
    return Repaired(path + PART, "removed")


def _remove_abandoned(path: str) -> None:
    """The sidecar of a file that was not made any more, or not removed with it."""
    sidecar = path + SIDECAR + PART
    with contextlib.suppress(OSError):
        if os.path.lexists(path + PART) or not read_sidecar(sidecar):
            return
        if time.time() - os.stat(sidecar).st_mtime > ABANDONED_S:
            os.unlink(sidecar)


def _remove_draft(path: str) -> None:
    """A sidecar that was being written when its process was killed; the one before it is whole."""
    with contextlib.suppress(OSError, ValueError):
        told = os.lstat(path)
        if not is_regular(told) or time.time() - told.st_mtime <= ABANDONED_S:
            return
        with open(path, encoding="utf-8") as file:
            ours = DRAFTED.startswith(file.read(len(DRAFTED)))
        if ours:
            os.unlink(path)


def _may_be_touched(path: str) -> bool:
    """No pipe, device or link: only files are touched. What is not there is none of these."""
    try:
        return is_regular(os.lstat(path))
    except FileNotFoundError:
        return True


def _sidecar(path: str) -> dict[str, Any]:
    """What is known of a file that is not complete."""
    return read_sidecar(path + SIDECAR + PART) or read_sidecar(path + SIDECAR)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
