"""Names of Valkka that exist here and whose work comes later: using one says so."""

from __future__ import annotations

from typing import Any, NoReturn

import reelway as rw

__all__ = ["LATER", "LATER_AT_LEVEL_2", "ComesLaterError", "comes_later", "later_class"]

_THREADS = "it comes with Valkka's own recorder and its other threads"
_FILTERS = "of frame filters only those for cameras, decoding and files are there"
_LEVEL_2 = "threads and chains of level 2 stand on those of valkka.core, which are there"
LATER = {
    **dict.fromkeys(
        """
        FileStreamContext USBDeviceThread ValkkaFSWriterThread ValkkaFSReaderThread
        MuxerThread FileCacherThread NVThread
        """.split(),
        _THREADS,
    ),
    **dict.fromkeys(
        """
        InterlaceFrameFilter MovementFrameFilter RepeatH264ParsFrameFilter SlotFrameFilter
        SubstractFrameFilter TimestampFrameFilter
        """.split(),
        _FILTERS,
    ),
    **dict.fromkeys(("EventFd", "EventGroup"), "descriptors to select on come with Valkka's processes"),
    **dict.fromkeys(
        ("FragMP4ShmemFrameFilter", "FragMP4SharedMemRingBuffer", "FragMP4ShmemClient"),
        "fragments of MP4 between processes come with Valkka's muxers",
    ),
}
"""Name of `valkka.core` -> what it waits for."""

LATER_AT_LEVEL_2 = {
    **dict.fromkeys(
        """
        LiveThread FileThread OpenGLThread USBDeviceThread BasicFilterchain ShmemFilterchain
        ManagedFilterchain ValkkaProcess ValkkaFSWriterThread
        """.split(),
        _LEVEL_2,
    ),
    **{name: LATER[name] for name in ("EventFd", "EventGroup", "FragMP4ShmemClient")},
}
"""The same of `valkka.api2`."""


class ComesLaterError(rw.UnsupportedError):
    """A name of Valkka that Reelway knows, and whose work is not built yet."""


def comes_later(name: str) -> ComesLaterError:
    """The error for `name`, a key of `LATER`, or of `LATER_AT_LEVEL_2`."""
    return _error(name, LATER.get(name) or LATER_AT_LEVEL_2[name])


def _error(name: str, why: str) -> ComesLaterError:
    return ComesLaterError(
        f"Valkka's {name} comes later: {why}",
        hint="docs/valkka.md says what is there; a rw.Session does what Valkka has no name here for",
    )


class _Later(type):
    """A class that can be named, and neither made nor inherited from."""

    why: str

    def __call__(cls, *_args: object, **_named: object) -> NoReturn:
        raise _error(cls.__name__, cls.why)


def later_class(name: str, why: str) -> Any:
    """A class that raises when it is made or inherited from, because of `why`."""

    def refuse(_heir: type, **_named: object) -> NoReturn:
        raise _error(name, why)

    return _Later(name, (), {"__doc__": f"Raises: {why}.", "__init_subclass__": refuse, "why": why})
