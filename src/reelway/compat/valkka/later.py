"""Names of Valkka that exist here and whose work comes later: using one says so."""

from __future__ import annotations

from typing import Any, NoReturn

import reelway as rw

__all__ = ["LATER", "ComesLaterError", "comes_later", "later_class"]

_THREADS = "cameras, decoding threads and windows come with Valkka's threads"
_FILTERS = "chains of frame filters come with Valkka's threads"
LATER = {
    **dict.fromkeys(
        """
        AVThread FileContext FileThread FileStreamContext FrameFifo FrameFifoContext LiveConnectionContext
        LiveConnectionType_rtsp LiveConnectionType_sdp LiveConnectionType_none LiveOutboundContext LiveThread
        OpenGLFrameFifoContext OpenGLThread USBDeviceThread ValkkaFSWriterThread ValkkaFSReaderThread
        MuxerThread FileCacherThread NVThread
        """.split(),
        _THREADS,
    ),
    **dict.fromkeys(
        """
        BriefInfoFrameFilter CachingGateFrameFilter DumpFrameFilter FifoFrameFilter BlockingFifoFrameFilter
        ForkFrameFilter ForkFrameFilter3 ForkFrameFilterN GateFrameFilter InfoFrameFilter
        InitStreamFrameFilter
        InterlaceFrameFilter IntervalFrameFilter MovementFrameFilter RepeatH264ParsFrameFilter
        SetSlotFrameFilter SlotFrameFilter SubstractFrameFilter SwScaleFrameFilter SwitchFrameFilter
        ThreadSafeFrameFilter TimeIntervalFrameFilter TimestampFrameFilter TypeFrameFilter
        """.split(),
        _FILTERS,
    ),
    **dict.fromkeys(("EventFd", "EventGroup"), "descriptors to select on come with Valkka's processes"),
    **dict.fromkeys(
        ("FragMP4ShmemFrameFilter", "FragMP4SharedMemRingBuffer", "FragMP4ShmemClient"),
        "fragments of MP4 between processes come with Valkka's muxers",
    ),
}
"""Name -> what it waits for."""


class ComesLaterError(rw.UnsupportedError):
    """A name of Valkka that Reelway knows, and whose work is not built yet."""


def comes_later(name: str) -> ComesLaterError:
    """The error for `name`, a key of LATER."""
    return ComesLaterError(
        f"Valkka's {name} comes later: {LATER[name]}",
        hint="until then a rw.Session with the filter share:name=... writes what Valkka's clients read",
    )


class _Later(type):
    """A class that can be named, and neither made nor inherited from."""

    def __call__(cls, *_args: object, **_named: object) -> NoReturn:
        raise comes_later(cls.__name__)


def later_class(name: str) -> Any:
    """A class that raises when it is made or inherited from."""

    def refuse(_heir: type, **_named: object) -> NoReturn:
        raise comes_later(name)

    return _Later(name, (), {"__doc__": f"Raises: {LATER[name]}.", "__init_subclass__": refuse})
