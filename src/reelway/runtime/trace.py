"""A trace of every turn, in the format of Chrome's tracing, which https://ui.perfetto.dev opens.

A session that is traced has nodes of another class, so that one that is not pays nothing. Events are
written in the array form of the format, which may lack its end: a killed process leaves a usable file.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
from typing import IO, Any

from reelway.errors import OpenError
from reelway.graph.filter import Filter
from reelway.runtime.node import Node
from reelway.runtime.scheduler import Scheduler

__all__ = ["Trace"]

log = logging.getLogger("reelway.runtime")

BUFFERED_EVENTS = 2048


class Trace:
    """Events of all threads into one file; `_lock` guards the buffer and the file.

    Raises OpenError where the file cannot be written; a disk that is full later ends it, and the log says so.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            self._file: IO[str] | None = open(path, "w", encoding="utf-8")  # noqa: SIM115 - open until close()
        except OSError as error:
            raise OpenError(
                f"{os.fspath(path)}: {error.strerror}", url=os.fspath(path), errno=error.errno
            ) from None
        self._path = os.fspath(path)
        self._lock = threading.Lock()
        self._events: list[dict[str, Any]] = []
        self._threads: set[int] = set()
        self._file.write("[\n")

    def node(self, filter: Filter, scheduler: Scheduler) -> Node:
        """A node that writes its turns here."""
        return _TracedNode(filter, scheduler, self)

    def add(self, name: str, kind: str, started: float, ended: float, **figures: Any) -> None:
        """One span, on the calling thread. Times are those of `time.perf_counter()` [s]."""
        thread = threading.get_ident()
        event = {
            "name": name,
            "cat": kind,
            "ph": "X",
            "pid": 1,
            "tid": thread,
            "ts": round(started * 1e6, 1),
            "dur": round((ended - started) * 1e6, 1),
            "args": figures,
        }
        with self._lock:
            if thread not in self._threads:
                self._threads.add(thread)
                called = {"name": threading.current_thread().name}
                self._events.append(
                    {"name": "thread_name", "ph": "M", "pid": 1, "tid": thread, "args": called}
                )
            self._events.append(event)
            if len(self._events) >= BUFFERED_EVENTS:
                self._flush()

    def close(self) -> None:
        """Writes what is left. A thread that comes back later is not recorded any more."""
        with self._lock:
            self._flush()
            if self._file is not None:
                try:
                    self._file.write("{}]\n")
                    self._file.close()
                except OSError as error:
                    self._ends_early(error)
                self._file = None

    def _flush(self) -> None:
        events, self._events = self._events, []
        if self._file is not None:
            try:
                self._file.writelines(json.dumps(event) + ",\n" for event in events)
                self._file.flush()
            except OSError as error:
                self._ends_early(error)

    def _ends_early(self, error: OSError) -> None:
        log.warning("the trace %s ends early: %s", self._path, error.strerror)
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # it tries to write once more, and closes all the same
                file.close()


class _TracedNode(Node):
    """A node whose turns are written down, with the packets that each moved."""

    __slots__ = ("_trace",)

    def __init__(self, filter: Filter, scheduler: Scheduler, trace: Trace) -> None:
        self._trace = trace
        super().__init__(filter, scheduler)

    def turn(self) -> None:
        taken, sent = self._figures()
        started = time.perf_counter()
        super().turn()
        now_taken, now_sent = self._figures()
        self._trace.add(
            self.filter.name,
            self.doing,
            started,
            self.ended_at,
            packets_in=now_taken - taken,
            packets_out=now_sent - sent,
            waiting=sum(len(link) for link in tuple(self.filter.ipids)),
            blocked=self.filter.blocked,
        )

    def close(self) -> None:
        started = time.perf_counter()
        super().close()
        self._trace.add(self.filter.name, "close", started, time.perf_counter())

    def _figures(self) -> tuple[int, int]:
        taken = sum(link.packets_out for link in self.filter.ipids)
        return taken, sum(link.packets_in for pid in self.filter.opids for link in pid.links[:1])
