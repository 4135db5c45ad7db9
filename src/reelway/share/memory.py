"""Memory that a writer fills and readers look at: anonymous, of a fixed size, sealed against writing readers.

Linux: memfd_create(2), fcntl(2) F_ADD_SEALS; F_SEAL_FUTURE_WRITE is of Linux 5.1. macOS has no seals: there
the memory is made by shm_open(2), has no name any more, and readers are passed a descriptor that only reads.
Windows has neither.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import sys
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

from reelway.errors import OpenError, UnsupportedError

__all__ = ["Memory", "attach", "create"]

_F_ADD_SEALS, _F_GET_SEALS = 1033, 1034
_SEAL, _SHRINK, _GROW, _FUTURE_WRITE = 0x1, 0x2, 0x4, 0x10
SEALS = _SHRINK | _GROW | _FUTURE_WRITE | _SEAL
_POPULATE = getattr(mmap, "MAP_POPULATE", 0)
"""The writer pays for its pages at once, not frame by frame."""
_SHORT = (errno.ENOMEM, errno.ENOSPC, errno.EFBIG)
"""None left: of the machine, of its shared memory, or of what this process may have (ulimit -v, -f)."""


class Memory:
    """`slots` places of `slot_bytes` each, one after the other."""

    def __init__(
        self, number: int, slots: int, slot_bytes: int, mapped: mmap.mmap, descriptor: int = -1
    ) -> None:
        self.number = number
        self.slots = slots
        self.slot_bytes = slot_bytes
        self.mapped = mapped
        self.descriptor = descriptor
        """To be passed to readers; -1: it is a reader's."""

    def slot(self, number: int, size: int) -> memoryview:
        """The first `size` bytes of a slot."""
        start = number * self.slot_bytes
        return memoryview(self.mapped)[start : start + size]

    def close(self) -> None:
        """Lets go of it; what is still looked at stays until it is not."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
        with contextlib.suppress(BufferError):  # views of it are alive: they free it
            self.mapped.close()


def create(number: int, slots: int, slot_bytes: int) -> Memory:
    """New memory, all of it there. Raises OpenError where the machine has no more, UnsupportedError."""
    size = slots * slot_bytes
    descriptor, passed = _anonymous()
    try:
        try:
            _reserve(descriptor, size)
            mapped = mmap.mmap(descriptor, size, flags=mmap.MAP_SHARED | _POPULATE)
        except OSError as error:
            why = "no memory is left" if error.errno in _SHORT else os.strerror(error.errno or 0)
            raise OpenError(
                f"{slots} slots of {slot_bytes} bytes cannot be shared: {why}",
                errno=error.errno,
                hint="fewer slots, or smaller frames",
            ) from None
        _seal(descriptor)
    except BaseException:
        os.close(passed)
        raise
    finally:
        if passed != descriptor:  # pragma: no cover
            os.close(descriptor)
    return Memory(number, slots, slot_bytes, mapped, passed)


def attach(descriptor: int, number: int, slots: int, slot_bytes: int) -> Memory:
    """A reader's look at memory that it was passed; the descriptor is closed. Raises OpenError."""
    try:
        size = os.fstat(descriptor).st_size
        wanted = slots * slot_bytes
        exact = size == wanted or (sys.platform == "darwin" and size > wanted)  # whole pages, there
        if slots < 1 or slot_bytes < 1 or not exact:
            raise OpenError(f"{size} bytes are no {slots} slots of {slot_bytes}")
        if sys.platform == "linux":
            seals = fcntl.fcntl(descriptor, _F_GET_SEALS)
            if not seals & _SHRINK:  # it could be cut off under our eyes, which is a signal
                raise OpenError("the memory that was passed is not sealed")
        mapped = mmap.mmap(descriptor, wanted, access=mmap.ACCESS_READ)
    except OSError as error:
        if isinstance(error, OpenError):
            raise
        raise OpenError(f"the shared memory cannot be mapped: {error.strerror}", errno=error.errno) from None
    finally:
        os.close(descriptor)
    return Memory(number, slots, slot_bytes, mapped)


def _anonymous() -> tuple[int, int]:
    """A descriptor to write with, and one to pass to readers; on Linux they are the same."""
    platform: str = sys.platform
    if platform == "linux":
        try:
            made = os.memfd_create("reelway", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        except OSError as error:
            raise OpenError(f"no memory can be shared: {error.strerror}", errno=error.errno) from None
        return made, made
    if platform == "darwin":  # pragma: no cover
        return _unlinked()
    raise UnsupportedError("frames are shared on Linux and macOS")  # pragma: no cover


def _unlinked() -> tuple[int, int]:  # pragma: no cover
    """macOS. Not tried there: written by the manual, as multiprocessing.shared_memory does it."""
    import secrets
    from importlib import import_module

    posix: Any = import_module("_posixshmem")  # Python's own, without a public name
    name = f"/reelway-{secrets.token_hex(6)}"
    made: int = posix.shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode=0o600)
    try:
        return made, posix.shm_open(name, os.O_RDONLY, mode=0o600)
    finally:
        posix.shm_unlink(name)


def _reserve(descriptor: int, size: int) -> None:
    """All of it is there from now on; one that comes to be when it is written to ends in a signal."""
    if size > _available():  # Linux would give all there is, and then kill somebody
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:  # pragma: no cover
        os.ftruncate(descriptor, size)


def _available() -> int:
    """Bytes that the machine has left, and the container that this may be; many where that is not said."""
    left = sys.maxsize
    with contextlib.suppress(OSError, LookupError, ValueError):
        known = _numbers("/proc/meminfo")
        left = known["MemAvailable:"] + known["SwapFree:"] << 10
    for root, most, used in _CONTAINERS:
        with contextlib.suppress(OSError, LookupError, ValueError):  # ValueError: the limit is "max"
            known = _numbers(f"{root}/memory.stat")
            cached = known["inactive_file"] + known["active_file"]  # which goes when it has to
            limit, taken = (int(Path(root, name).read_text()) for name in (most, used))
            left = min(left, limit - taken + cached)
    return left


_CONTAINERS = (
    ("/sys/fs/cgroup", "memory.max", "memory.current"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
)


def _numbers(path: str) -> dict[str, int]:
    """A file with a name and a number in each line."""
    words = (line.split() for line in Path(path).read_text().splitlines())
    return {name: int(number) for name, number, *_ in words}


def _seal(descriptor: int) -> None:
    if sys.platform != "linux":  # pragma: no cover
        return
    try:
        fcntl.fcntl(descriptor, _F_ADD_SEALS, SEALS)
    except OSError as error:  # before Linux 5.1 readers could write
        raise UnsupportedError(
            "this kernel cannot seal shared memory against its readers", hint="Linux 5.1 can"
        ) from error
