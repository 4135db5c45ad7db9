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


def init(mem_track: int = 0, profile: str | None = None) -> None:
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
            settings.threads = rw.parse_value(int, value)
        case "p":
            settings.profile = value
        case "logs":
            set_logs(value)
        case _:
            _log.warning("libgpac's argument -%s has no counterpart in Reelway and is ignored", name)


def e2s(err: int) -> str:
    """What the code means, in a few words."""
    return ERROR_TEXTS.get(err, f"unknown error {err}")


# Logs

LEVELS = {
    "quiet": logging.CRITICAL + 1,
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}

_TOOLS = {
    "all": "reelway",
    "app": "reelway.cli",
    "audio": "reelway.display",
    "author": "reelway.engine.mux",
    "cache": "reelway.adaptive",
    "codec": "reelway.engine",
    "coding": "reelway.engine",
    "compose": "reelway.display",
    "console": "reelway.cli",
    "container": "reelway.engine",
    "core": "reelway",
    "ctime": "reelway.display",
    "dash": "reelway.adaptive",
    "filter": "reelway.run",
    "http": "reelway.serve",
    "interact": "reelway.display",
    "media": "reelway.engine",
    "mem": "reelway.run",
    "mmio": "reelway.display",
    "module": "reelway.catalog",
    "mutex": "reelway.run",
    "network": "reelway.engine",
    "parser": "reelway.engine",
    "route": "reelway.engine",
    "rti": "reelway.run",
    "rtp": "reelway.engine",
    "scene": "reelway.display",
    "sched": "reelway.run",
    "script": "reelway.compat",
    "smil": "reelway.display",
    "sync": "reelway.run",
}
"""libgpac's log tool -> Reelway's logger. Several tools share one where Reelway does not tell them apart."""

_handler = logging.StreamHandler()
_handler.setFormatter(logging.Formatter("[%(name)s] %(levelname)s: %(message)s"))


def set_logs(logs: str, reset: bool = False) -> None:
    """Sets levels: `tool@level`, several with ":"; `tool:tool@level` sets both. They go to stderr.

    With `reset` all tools are first at `warning`, as at the start.
    """
    root = logging.getLogger("reelway")
    if reset:
        for name in set(_TOOLS.values()):
            logging.getLogger(name).setLevel(logging.NOTSET)
        root.setLevel(logging.WARNING)
    if not root.handlers:
        root.addHandler(_handler)
    tools: list[str] = []
    for part in logs.split(":"):
        tool, at, level = part.partition("@")
        tools.append(tool)
        if not at:
            continue
        if level not in LEVELS:
            _log.warning("%s", rw.UnknownNameError.of("log level", level, LEVELS))
        for name in tools:
            if name in _TOOLS:
                logging.getLogger(_TOOLS[name]).setLevel(LEVELS.get(level, logging.WARNING))
            elif name not in ("ncl", "cl"):  # how to print, not what
                _log.warning("%s", rw.UnknownNameError.of("log tool", name, _TOOLS))
        tools = []


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
