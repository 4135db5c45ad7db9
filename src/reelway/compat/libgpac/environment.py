"""libgpac's module functions: version, arguments, logs, clocks, error texts."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

import reelway as rw
from reelway.compat.libgpac.constants import ERROR_TEXTS
from reelway.media.kinds import parse_value

__all__ = [
    "close",
    "copyright",
    "copyright_cite",
    "e2s",
    "init",
    "set_args",
    "set_logs",
    "sleep",
    "sys_clock",
    "sys_clock_high_res",
    "version",
]

try:
    _reelway = version_of("reelway")
except PackageNotFoundError:  # run from a source tree that was not installed
    _reelway = "0+source"

version = f"2.4-reelway-{_reelway}"
"""The GPAC whose Python these names are, and the Reelway that does the work."""
copyright = "Reelway, under the Apache License 2.0; the names in this module follow GPAC's Python binding"
copyright_cite = copyright

_log = logging.getLogger("reelway.compat.libgpac")
_started = time.monotonic()


@dataclass(slots=True)
class Settings:
    """What `init` and `set_args` said; a FilterSession reads it when it is made."""

    options: dict[str, str] = field(default_factory=dict)
    """`--name=value`: for every filter that has such an option."""
    blacklist: list[str] = field(default_factory=list)
    blocking: bool = True
    threads: int = 0
    profile: str | None = None


settings = Settings()


def init(mem_track: int = 0, profile: str | None = None) -> None:  # noqa: ARG001 - libgpac tracks memory
    """Forgets what `set_args` said. `profile` names a file of options for the sessions to come."""
    global settings
    settings = Settings(profile=profile)


def close() -> int:
    """0: nothing was left open. Python frees what a session held when it is deleted."""
    return 0


def set_args(args: Sequence[str]) -> None:
    """Takes libgpac's arguments for the sessions to come; the first is the program's name and is ignored.

    Calls add up. What is neither `--option=value` nor a session argument of Reelway's is logged and ignored.
    """
    for arg in args[1:]:
        name, _, value = arg.lstrip("-").partition("=")
        if arg.startswith("--") and name:
            settings.options[name] = value
        elif arg.startswith("-") and name:
            _session_argument(name, value)


def _session_argument(name: str, value: str) -> None:
    match name:
        case "no-block":
            settings.blocking = False
        case "blacklist":
            settings.blacklist += [each for each in value.split(",") if each]
        case "threads":
            settings.threads = parse_value(int, value)
        case "p":
            settings.profile = value
        case "logs":
            set_logs(value)
        case _:
            _log.warning("libgpac's argument -%s has no counterpart in Reelway and is ignored", name)


def e2s(err: int) -> str:
    """What the code means, in a few words."""
    return ERROR_TEXTS.get(err, f"unknown error {err}")


def set_logs(logs: str, reset: bool = False) -> None:
    """Sets how much each tool logs on stderr: `tool@level`, several with ":"; `reset` forgets all levels.

    libgpac's Python hears of no mistake in `logs`, and so no script expects one: a warning says what it is.
    """
    try:
        rw.set_logs(logs, reset=reset)
    except (rw.UnknownNameError, rw.OptionError) as mistake:
        _log.warning("set_logs: %s", mistake)


# Clocks


def sys_clock() -> int:
    """Milliseconds since the start."""
    return int((time.monotonic() - _started) * 1_000)


def sys_clock_high_res() -> int:
    """Microseconds since the start."""
    return int((time.monotonic() - _started) * 1_000_000)


def sleep(value: int) -> None:
    """Waits `value` milliseconds."""
    time.sleep(value / 1_000)
