"""Logs: which tool says how much, in GPAC's words.

Reelway logs with Python's `logging`, each tool by a logger `reelway.<tool>`, so a program can also do
without this module. FFmpeg's own log is a tool too, `ffmpeg`; it is off until it is asked for.
"""

from __future__ import annotations

import logging
import re
import sys

from reelway.errors import OptionError, UnknownNameError, redact

__all__ = ["LEVELS", "TOOLS", "loggers_of", "set_logs", "tool_of"]

LEVELS = {
    "quiet": logging.CRITICAL + 1,
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}

TOOLS: dict[str, str] = {
    "all": "every tool",
    "app": "the command line",
    "audio": "sound devices",
    "author": "what is written into containers",
    "cache": "caches of downloaded data",
    "codec": "decoders and encoders",
    "coding": "the syntax of coded streams",
    "compose": "drawing and mixing",
    "console": "the terminal",
    "container": "reading and writing containers",
    "core": "sessions: loading, linking, stopping",
    "ctime": "the clock of what is shown",
    "dash": "DASH and HLS",
    "ffmpeg": "FFmpeg's own log",
    "filter": "filters of every kind",
    "http": "HTTP, both sides",
    "interact": "keys and pointers",
    "media": "packets and their timing",
    "mem": "memory",
    "mmio": "windows, cameras, microphones",
    "module": "the catalogue and other packages' filters",
    "mutex": "locks",
    "network": "sockets and addresses",
    "parser": "texts: pipelines, manifests, subtitles",
    "record": "recording of events",
    "route": "broadcast over IP",
    "rti": "run-time figures",
    "rtp": "RTP and RTSP",
    "sched": "the scheduler: turns, threads, links that grow",
    "scene": "scene descriptions",
    "script": "scripts of other systems",
    "share": "frames shared between processes",
    "smil": "timing of animations",
    "sync": "synchronisation",
}
"""Tool -> what it is. GPAC's names are all here, so that its `-logs` can be said; some say nothing."""

_ROOMS = {
    "app": "cli",
    "cache": "adaptive",
    "codec": "engine.decode engine.encode engine.convert",
    "container": "engine",
    "core": "session application",
    "dash": "adaptive",
    "filter": "filters graph",
    "http": "serve",
    "mmio": "display",
    "module": "catalog",
    "sched": "runtime",
    "script": "compat gst",
}
"""Tool -> rooms whose loggers are called after the room."""

_handler: logging.Handler | None = None


def loggers_of(tool: str) -> list[str]:
    """The names of the loggers behind a tool. Raises UnknownNameError that names the near ones."""
    if tool not in TOOLS:
        error = UnknownNameError.of("log tool", tool, TOOLS)
        raise (
            error
            if error.near
            else UnknownNameError(str(error), name=tool, hint=f"tools: {', '.join(TOOLS)}")
        )
    if tool == "all":
        return ["reelway"]
    return [f"reelway.{name}" for name in (tool, *_ROOMS.get(tool, "").split())]


def tool_of(logger: str) -> str:
    """The tool to whose log a logger belongs; its own second part where none claims it."""
    name = logger.removeprefix("reelway.")
    rooms = {room: tool for tool, names in _ROOMS.items() for room in names.split()}
    while True:
        if name in TOOLS:
            return name
        if name in rooms:
            return rooms[name]
        name, dot, _ = name.rpartition(".")
        if not dot:
            return (
                "ffmpeg"
                if logger.partition(".")[0] == "libav"
                else logger.removeprefix("reelway.").split(".")[0]
            )


def set_logs(text: str, *, reset: bool = False) -> None:
    """Sets what is logged on stderr: "dash@info", "core:sched@debug,all@error", "ffmpeg@warning".

    Tools that one level follows share it; items are parted by ":" or ",". Levels are quiet, error, warning,
    info, debug. `all` is for the tools that are not named, wherever it stands, FFmpeg excepted. A tool keeps
    its level until it is named again; `reset` forgets all of them first; an empty text names none. Where a
    program has handlers of its own on Python's root logger, they get the messages instead. Passwords in URLs
    are written `***`.

    Raises UnknownNameError for a tool or level that does not exist, OptionError for a tool without a level;
    then nothing is changed.
    """
    if not text.strip() and not reset:
        return
    wanted: dict[str, int] = {}
    waiting: list[str] = []
    for item in re.split("[:,]", text):
        tool, at, level = item.strip().partition("@")
        if tool in ("ncl", "cl", ""):  # GPAC's words for colour; stderr gets none here
            continue
        loggers_of(tool)  # raises
        waiting.append(tool)
        if at:
            if level not in LEVELS:
                raise UnknownNameError.of("log level", level, LEVELS)
            wanted |= dict.fromkeys(waiting, LEVELS[level])
            waiting = []
    if waiting:
        raise OptionError(f"{text!r} says no level for {waiting[0]}", hint=f"write {waiting[0]}@info")
    if reset:
        _forget()
    for tool, level_number in wanted.items():
        if tool == "ffmpeg":
            from reelway.engine import ffmpeglog

            ffmpeglog.set_level(level_number)
            _install(ffmpeglog.LOGGER)
            continue
        for name in loggers_of(tool):
            logging.getLogger(name).setLevel(level_number)
    _install("reelway")


def _forget() -> None:
    for tool in TOOLS:
        for name in loggers_of(tool):
            logging.getLogger(name).setLevel(logging.WARNING if tool == "all" else logging.NOTSET)
    if "reelway.engine.ffmpeglog" in sys.modules:
        sys.modules["reelway.engine.ffmpeglog"].set_level(LEVELS["quiet"])


def _install(logger: str) -> None:
    global _handler
    if _handler is None:
        _handler = _ToStderr()
        _handler.setFormatter(_OneLine())
    logging.getLogger(logger).addHandler(_handler)  # twice is once


class _OneLine(logging.Formatter):
    """`[dash] warning: what`, without passwords."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(
            f"[{tool_of(record.name)}] {record.levelname.lower()}: {super().format(record).rstrip()}"
        )


class _ToStderr(logging.Handler):
    """Writes to what is stderr at that moment, unless the program has handlers of its own."""

    def emit(self, record: logging.LogRecord) -> None:
        if logging.getLogger().handlers:
            return
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001 - what handlers do: a log never ends a program
            self.handleError(record)
