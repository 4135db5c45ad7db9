"""`script`: a script written for another system, which ends as a command of Reelway's own does."""

from __future__ import annotations

import gc
from collections.abc import Sequence

from reelway.cli.signals import hush
from reelway.compat.script import run_to_its_end
from reelway.session.interrupt import interrupting

__all__ = ["script"]


def script(words: Sequence[str], *, shadow: bool) -> int:
    """Runs the file `words[0]` with the other words; returns its exit code. Raises KeyboardInterrupt.

    SIGTERM and SIGHUP interrupt it as Ctrl-C does, unless it sees to them itself: a session that runs is
    stopped, and what is left over is closed.
    """
    code = None
    with interrupting() as received:
        try:
            code = run_to_its_end(words[0], words[1:], shadow=shadow)
        except KeyboardInterrupt:
            hush()
        gc.collect()  # sessions that the script has left open, and its traceback no longer holds, close files
    if code is not None:
        return code
    if not received:
        raise KeyboardInterrupt
    return 128 + received[0]
