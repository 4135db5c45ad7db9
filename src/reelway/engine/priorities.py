"""What a codec's library does to the priorities of threads is undone.

SVT-AV1, where root runs it, makes the thread that opens it and all of its own real-time ones of the highest
priority (SCHED_FIFO, 99). What those start inherits that; one that computes holds up all else on its core.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["kept_priorities"]


@contextmanager
def kept_priorities() -> Iterator[None]:
    """Threads that become real-time ones in here, or begin as such, are usual ones afterwards. Linux only."""
    before = _real_time()
    yield
    for thread in _real_time() - before:
        with suppress(OSError):  # it has ended
            os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))


def _real_time() -> set[int]:
    """Threads of this process that are scheduled before all usual ones."""
    found: set[int] = set()
    if sys.platform == "linux":
        for name in os.listdir("/proc/self/task"):
            with suppress(OSError):
                if os.sched_getscheduler(int(name)) in (os.SCHED_FIFO, os.SCHED_RR):
                    found.add(int(name))
    return found
