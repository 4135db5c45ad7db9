"""Tests that share two cores: those that measure time run while no other does, and a hang ends.

As a pytest plugin (tests/conftest.py loads it) it

- lets each test marked `alone` wait until the other workers are between two tests, and them until it is done,
- ends a worker that says nothing for longer than any test may take. The timeouts of pyproject.toml act from
  within a worker and during a test; this one acts from outside. The worker's stacks are printed, its test
  has failed, and another worker goes on with the rest. Where that does not help either, the run is ended.
"""

from __future__ import annotations

import contextlib
import faulthandler
import fcntl
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_DYING_S = 2.0
"""After this a worker that was told to print its stacks and go is killed."""


# Who runs


class Turns:
    """A lock of many or one, as files of a folder that all workers know.

    Whoever wants it stands in a queue at the door, so that one which is alone is not passed by for ever.
    The locks are those of a process: a child of a test, which may live on, has no part in them.
    """

    def __init__(self, folder: Path) -> None:
        self._door = (folder / "door").open("w+")
        self._room = (folder / "room").open("w+")

    @contextlib.contextmanager
    def turn(self, alone: bool) -> Iterator[None]:
        fcntl.lockf(self._door, fcntl.LOCK_EX)
        fcntl.lockf(self._room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.lockf(self._door, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.lockf(self._room, fcntl.LOCK_UN)


class _Worker:
    """In a process that runs tests beside others."""

    def __init__(self, folder: Path) -> None:
        self._turns = Turns(folder)

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # around the timeouts: waiting for a turn is not the test's
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        with self._turns.turn(alone=item.get_closest_marker("alone") is not None):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Iterator[Any]:
        report = yield
        report.pid = os.getpid()
        return report


# Who hangs


class _Controller:
    """Where the reports of all workers come together."""

    def __init__(self, folder: Path, longest_s: float) -> None:
        self._folder = folder
        self._longest_s = longest_s
        self._heard: dict[int, float] = {}
        """Worker, by its process -> when it last reported a part of a test."""
        self._told: set[int] = set()
        """Workers that were to print their stacks and go."""
        self._last = time.monotonic()
        """When anybody was heard."""
        self._over = threading.Event()
        threading.Thread(target=self._watch, name="hangs", daemon=True).start()

    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["turns"] = str(self._folder)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if pid := getattr(report, "pid", None):  # what a dead worker left is reported without it
            self._heard[pid] = self._last = time.monotonic()

    def pytest_unconfigure(self) -> None:
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(1.0):
            for pid, heard in list(self._heard.items()):
                silent_s = time.monotonic() - heard - (_DYING_S if pid in self._told else 0.0)
                if silent_s > self._longest_s and not self._end(pid):
                    self._heard.pop(pid, None)
            if time.monotonic() - self._last > 2 * self._longest_s:  # ended workers are waited for
                print("\nnobody says anything, and the run does not end:", file=sys.stderr)
                faulthandler.dump_traceback(sys.__stderr__)
                os._exit(pytest.ExitCode.INTERNAL_ERROR)

    def _end(self, pid: int) -> bool:
        """False where nothing is left to end; faulthandler prints the stacks of who is aborted."""
        end = signal.SIGKILL if pid in self._told else signal.SIGABRT
        try:
            os.kill(pid, end)
        except ProcessLookupError:
            return False
        self._told.add(pid)
        said = f"worker {pid} has said nothing for {self._longest_s:g} s: {end.name}"
        print(f"\n{said}", file=sys.stderr, flush=True)
        return end is signal.SIGABRT


# The plugin


def pytest_configure(config: pytest.Config) -> None:
    if given := getattr(config, "workerinput", None):
        config.pluginmanager.register(_Worker(Path(given["turns"])))
    elif config.getoption("numprocesses", None):
        folder = tempfile.TemporaryDirectory(prefix="turns-")
        config.add_cleanup(folder.cleanup)
        # Another test, which runs alone, may be waited for first.
        longest_s = 2 * float(config.getini("faulthandler_timeout")) + 2.0
        config.pluginmanager.register(_Controller(Path(folder.name), longest_s))
