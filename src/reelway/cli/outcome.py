"""Exit codes, and what an error looks like on a terminal: one line, and a second one for the hint."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType

from reelway.cli import signals
from reelway.errors import (
    FilterError,
    OpenError,
    OptionError,
    PipelineError,
    ReelwayError,
    UnknownNameError,
    redact,
)

__all__ = ["DONE", "FAILURE", "INTERRUPTED", "MISUSE", "Misuse", "complain", "outcome_of", "reported"]

DONE, FAILURE, MISUSE, INTERRUPTED = 0, 1, 2, 130
BUG = "this is a bug in Reelway; run it again with --debug and report what it prints"


class Misuse(ReelwayError):
    """The arguments themselves are wrong."""


def reported(work: Callable[[], int], *, debug: bool = False, last: bool = False) -> int:
    """What `work` returns, or the exit code of what it raises, which is said on stderr.

    With `debug` the traceback is printed too, passwords hidden. A reader of stdout that went away is none
    of our business: that ends the work quietly; and where there is no stdout or stderr, nothing is said.
    `last`: the process ends with it, and a signal that comes meanwhile changes nothing any more.
    """
    with _streams():
        try:
            return _reported(work, debug)
        finally:
            signals.settle(last=last)


def outcome_of(received: Sequence[int]) -> int:
    """The exit code of work that came to its end, after these signals. Ctrl-C is said on stderr."""
    if not received:
        return DONE
    if 128 + received[0] == INTERRUPTED:
        complain("interrupted")
    return 128 + received[0]


class _Nowhere(io.TextIOBase):
    """Stands for a stdout or stderr that was closed before the program began."""

    def write(self, text: str) -> int:
        return len(text)


@contextlib.contextmanager
def _streams() -> Iterator[None]:
    """Lets everything write on stdout and stderr where they are closed, and no file get their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # free: the next one that is opened gets it; what is written to it still fails
            os.open(os.devnull, os.O_WRONLY if number == 0 else os.O_RDONLY)
    out, err = sys.stdout, sys.stderr
    sys.stdout = _Nowhere() if out is None else out
    sys.stderr = _Nowhere() if err is None else err
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err


def _reported(work: Callable[[], int], debug: bool) -> int:
    try:
        code = work()
        try:
            sys.stdout.flush()
        except OSError:
            if code <= 128:
                raise
            _leave_stdout()  # a signal ended it, perhaps that of the terminal which is gone
    except KeyboardInterrupt:
        signals.hush()
        complain("interrupted")
        return INTERRUPTED
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else DONE if stop.code is None else FAILURE
    except BaseException as error:  # noqa: BLE001 - here it ends, whatever it is
        if _nobody_reads(error):
            _leave_stdout()
            return DONE
        if debug:
            sys.stderr.write(redact("".join(traceback.format_exception(error))))
        message, hint, code = _of(error)
        place = error if isinstance(error, PipelineError) else getattr(error, "place", None)
        complain(message, hint, caret=place.caret if place is not None else "")
        try:
            sys.stdout.flush()
        except OSError:
            _leave_stdout()
    return code


def _nobody_reads(error: BaseException) -> bool:
    """True where the reader of stdout went away, and not one of another pipe, or of a connection."""
    if isinstance(error, BrokenPipeError) or isinstance(getattr(error, "cause", None), BrokenPipeError):
        return not _stdout_is_read()
    return isinstance(error, OpenError) and error.errno == errno.EPIPE and error.url in ("pipe:", "pipe:1")


def _stdout_is_read() -> bool:
    import select  # only who fails for a pipe asks

    if not hasattr(select, "poll"):  # Windows
        return False
    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), 0)
    except (OSError, ValueError):  # it has none
        return False
    return not poll.poll(0)


def _leave_stdout() -> None:
    """What its buffer holds goes nowhere: Python would try again at exit, and exit with a code of its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(message: str, hint: str | None = None, *, caret: str = "") -> None:
    """`reelway: message` on stderr, the place in a pipeline text that it is about, and the hint below it."""
    lines = [f"reelway: {' '.join(message.split())}"]
    lines += [f"         {line}" for line in caret.splitlines()]
    if hint:
        lines.append(f"         {' '.join(hint.split())}")
    with contextlib.suppress(OSError):  # nobody can be told
        sys.stderr.write(redact("\n".join(lines)) + "\n")


def _of(error: BaseException) -> tuple[str, str | None, int]:
    """Message, hint and exit code."""
    match error:
        case OptionError() | UnknownNameError() | PipelineError() | Misuse():
            return str(error), error.hint, MISUSE
        case FilterError(cause=cause) if cause is not None and _is_bug(cause):
            return str(error), BUG, FAILURE
        case ReelwayError():
            return str(error), error.hint, FAILURE
        case OSError():
            where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
            return f"{where}{error.strerror or error}", None, FAILURE
        case MemoryError():
            return "out of memory", None, FAILURE
        case _:
            return f"{type(error).__name__}: {error}", BUG, FAILURE


def _is_bug(cause: BaseException) -> bool:
    """True for what a filter of Reelway's own raised without meaning to."""
    if isinstance(cause, (ReelwayError, OSError, MemoryError)):
        return False
    frame: TracebackType | None = cause.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return frame is not None and str(frame.tb_frame.f_globals.get("__name__", "")).startswith("reelway.")
