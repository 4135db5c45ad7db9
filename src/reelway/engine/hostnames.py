"""Names of hosts, looked up within a deadline.

FFmpeg and Python ask the system, which takes as long as it takes: with a name server that does not answer,
20 s and more, and nothing interrupts it. glibc can be asked without waiting (getaddrinfo_a, in threads of
its own), so a name is first asked for in this way. The answer itself is not used: FFmpeg asks again, of
whoever has just answered. Where there is no glibc, nothing is asked for here.
"""

from __future__ import annotations

import ctypes
import ipaddress
import sys
import time
from functools import cache
from typing import Any

__all__ = ["found_by"]

NO_WAIT, IN_PROGRESS, NO_NAME, NO_DATA = 1, -100, -2, -5
"""GAI_NOWAIT, EAI_INPROGRESS, EAI_NONAME, EAI_NODATA, of <netdb.h>."""
SLICE_S = 0.25
"""A signal that nobody may see in C is seen so soon."""


class _Request(ctypes.Structure):
    """struct gaicb"""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("service", ctypes.c_char_p),
        ("wish", ctypes.c_void_p),
        ("result", ctypes.c_void_p),
        ("_answer", ctypes.c_int),
        ("_unused", ctypes.c_int * 5),
    )


class _Time(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


_left: list[Any] = []
"""Requests that were given up and that glibc still works at: their memory is not ours to free yet."""


@cache
def _library() -> Any:
    """What has getaddrinfo_a; None where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    for name in (None, "libanl.so.1"):  # glibc 2.34 has taken it in
        try:
            library = ctypes.CDLL(name)
            library.getaddrinfo_a.restype = library.gai_suspend.restype = ctypes.c_int
        except (OSError, AttributeError):
            continue
        library.gai_error.argtypes = library.gai_cancel.argtypes = [ctypes.POINTER(_Request)]
        library.freeaddrinfo.argtypes = [ctypes.c_void_p]
        return library
    return None


def found_by(host: str, until_s: float) -> bool | None:
    """Whether `host` has an address; None where that is not known by `until_s` [monotonic], or cannot be."""
    if _is_number(host):
        return True
    library = _library()
    if library is None:
        return True
    _forget(library)
    try:
        request = _Request(name=host.encode("idna"))
    except UnicodeError:
        return False
    requests = (ctypes.POINTER(_Request) * 1)(ctypes.pointer(request))
    if library.getaddrinfo_a(NO_WAIT, requests, 1, None):
        return True  # glibc has no thread to spare: FFmpeg will see
    while (error := library.gai_error(requests[0])) == IN_PROGRESS:
        left_s = until_s - time.monotonic()
        if left_s <= 0:
            library.gai_cancel(requests[0])
            _left.append(requests)
            return None
        wait_s = min(SLICE_S, left_s)
        library.gai_suspend(requests, 1, ctypes.byref(_Time(0, int(wait_s * 1e9))))
    if request.result:
        library.freeaddrinfo(request.result)
    return error not in (NO_NAME, NO_DATA)


def _forget(library: Any) -> None:
    for requests in tuple(_left):
        if library.gai_error(requests[0]) != IN_PROGRESS:
            _left.remove(requests)
            if requests[0].contents.result:
                library.freeaddrinfo(requests[0].contents.result)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
