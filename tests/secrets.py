"""The passwords of all tests, and a search for them in whatever a test run says.

As a pytest plugin (tests/conftest.py loads it) it fails each test in which a password is seen

- in a record of any logger, at every level, whether it was asked for or not,
- in an error of Reelway's: text, hint, notes, and those of its causes,
- in the graph, the statistics, the properties and the names that a session ends with,
- in a message of a bus, and in the name of a thread,
- in what is printed, by the test or by a Python that it runs to its end, and in logs and drawings it leaves.

A part of a password is a leak as well: every word of each of them has `MARK` in it, and so has any password
that stands in a test (tests/house/test_secrets.py looks).
"""

from __future__ import annotations

import base64
import logging
import re
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

__all__ = [
    "BEARER",
    "MARK",
    "PASSPHRASE",
    "PASSWORD",
    "PLAIN",
    "STREAM_KEY",
    "TOKEN",
    "UNICODE",
    "USER",
    "WRONG",
    "Search",
    "escaped",
    "search",
]

MARK = "q7x"
WRONG = "wr0ng"
"""Begins each password that is not the right one; it is looked for as well."""
USER = "viewer"
PASSWORD = "q7xs3cret@q7xpa:q7xss"
"""With what has to be escaped in an address."""
PLAIN = "q7xhunter2"
UNICODE = "q7xpässé/€q7x%40q7x"
TOKEN = "q7xtoken-q7x.q7x_1"
"""Of a query."""
STREAM_KEY = "q7xlive_q7xkey-q7x"
"""The name of a stream, behind an application of RTMP."""
PASSPHRASE = "q7xpassphrase q7xof q7xsrt"
BEARER = "q7xbearer.q7x.q7x"
"""Of the header `Authorization`."""

DRAWN = (".log", ".dot", ".mmd")
"""Files that tell people what was done."""
ROUND = 60
"""So much is quoted on both sides of what was found."""


def escaped(password: str) -> str:
    """As it stands in an address."""
    return quote(password, safe="")


def _basic(password: str) -> str:
    """As HTTP's and RTSP's basic authentication has it, without what depends on its end."""
    return base64.b64encode(f"{USER}:{password}".encode()).decode()[:-4]


FORMS = re.compile("|".join([MARK, WRONG, *(re.escape(_basic(each)) for each in (PASSWORD, PLAIN, UNICODE))]))


class Search:
    """Looks through texts, and keeps where passwords were."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def look(self, where: str, text: str | bytes | None) -> None:
        if not text:
            return
        if isinstance(text, bytes):
            text = text.decode(errors="replace")
        if match := FORMS.search(text):
            near = text[max(0, match.start() - ROUND) : match.end() + ROUND]
            self.found.append(f"{where}: ...{near}...")

    def look_at_error(self, where: str, error: BaseException) -> None:
        """All that a traceback prints of it, but for the lines of the program."""
        for each in _chain(error):
            told = [*traceback.format_exception_only(each), repr(each), str(getattr(each, "hint", None))]
            told += [str(getattr(each, name, "")) for name in ("url", "caret", "message")]
            self.look(f"{where} {type(each).__name__}", "\n".join(told))

    def look_at_filters(self, nodes: list[Any], statistics: Callable[[], Any]) -> None:
        """What a session can tell of itself."""
        from reelway.media.properties import format
        from reelway.session.graph import make_graph

        filters = [node.filter for node in nodes]
        told = [str(statistics()), repr(filters), *(thread.name for thread in threading.enumerate())]
        told += [str(make_graph(filters))]
        pids = [pid for filter in filters for pid in filter.opids]
        told += [format(name, value) for pid in pids for name, value in pid.properties.items()]
        self.look("a session's graph, statistics, properties or threads", "\n".join(told))

    def look_at_files(self, folder: Path) -> None:
        for path in folder.rglob("*"):
            if path.suffix in DRAWN and path.is_file():
                self.look(f"the file {path.name}", path.read_bytes())

    def taken(self) -> list[str]:
        """What was found since the last time."""
        found, self.found = self.found, []
        return list(dict.fromkeys(found))


search = Search()


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those that a traceback shows before it."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        each = todo.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        todo.append(each.__cause__)
        if not each.__suppress_context__:
            todo.append(each.__context__)


# What is watched


def watch(into: Search) -> Callable[[], None]:
    """Has `into` see all that this process says from here on; returns what undoes that."""
    from reelway.errors import ReelwayError
    from reelway.runtime.scheduler import Scheduler
    from reelway.session.application.bus import Bus

    undo: list[Callable[[], None]] = []

    def around(owner: Any, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        before = getattr(owner, name)
        setattr(owner, name, wraps(before)(wrap(before)))
        undo.append(lambda: setattr(owner, name, before))

    enabled = logging.Logger.isEnabledFor

    def handle(before: Callable[..., Any]) -> Callable[..., Any]:
        def handle(self: logging.Logger, record: logging.LogRecord) -> None:
            asked_for = enabled(self, record.levelno)
            if asked_for:
                before(self, record)
            if asked_for or not record.name.startswith("libav"):  # FFmpeg's are cleaned on their way
                into.look(f"the log {record.name}", record.getMessage())
                if record.exc_info and record.exc_info[1] is not None:
                    into.look_at_error(f"the log {record.name}", record.exc_info[1])

        return handle

    def init(before: Callable[..., Any]) -> Callable[..., Any]:
        def __init__(self: Any, *given: Any, **more: Any) -> None:
            before(self, *given, **more)
            into.look(type(self).__name__, f"{self.message}\n{self.hint}")

        return __init__

    def leave(before: Callable[..., Any]) -> Callable[..., Any]:
        def __exit__(self: Any, kind: Any, error: BaseException | None, trace: Any) -> bool:
            if isinstance(error, ReelwayError):
                into.look_at_error("raised:", error)
            return bool(before(self, kind, error, trace))

        return __exit__

    def close(before: Callable[..., Any]) -> Callable[..., Any]:
        def _close(self: Scheduler) -> None:
            if not self.finished:
                into.look_at_filters(self.nodes, self.statistics)
            before(self)

        return _close

    def put(before: Callable[..., Any]) -> Callable[..., Any]:
        def put(self: Any, message: Any) -> Any:
            into.look("a message of a bus", f"{message}\n{message!r}")
            return before(self, message)

        return put

    def read(before: Callable[..., Any]) -> Callable[..., Any]:
        def readouterr(self: Any) -> Any:
            said = before(self)
            into.look("stdout", said.out)
            into.look("stderr", said.err)
            return said

        return readouterr

    def communicate(before: Callable[..., Any]) -> Callable[..., Any]:
        def communicate(self: subprocess.Popen[Any], *given: Any, **more: Any) -> Any:
            said = before(self, *given, **more)
            words = self.args if isinstance(self.args, (list, tuple)) else [self.args]
            if words and str(words[0]) == sys.executable:
                for name, text in zip(("stdout", "stderr"), said, strict=True):
                    into.look(f"{name} of another process", text)
            return said

        return communicate

    around(logging.Logger, "isEnabledFor", lambda _: lambda _logger, _level: True)
    around(logging.Logger, "handle", handle)
    around(ReelwayError, "__init__", init)
    around(pytest.RaisesExc, "__exit__", leave)
    around(Scheduler, "_close", close)
    around(Bus, "put", put)
    around(pytest.CaptureFixture, "readouterr", read)
    around(subprocess.Popen, "communicate", communicate)

    def stop() -> None:
        while undo:
            undo.pop()()

    return stop


# The plugin


_stop: list[Callable[[], None]] = []


def pytest_configure() -> None:
    if not _stop:
        _stop.append(watch(search))


def pytest_unconfigure() -> None:
    while _stop:
        _stop.pop()()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    report = yield
    if report.when != "teardown":
        return report
    for name, text in report.sections:
        search.look(name, text)
    if folder := getattr(item, "funcargs", {}).get("tmp_path"):
        search.look_at_files(folder)
    found = search.taken()
    if found and report.outcome == "passed":
        report.outcome = "failed"
        report.longrepr = "\n".join(["a password was seen:", *found])
    return report
