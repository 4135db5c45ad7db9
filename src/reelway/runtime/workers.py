"""Threads that run turns: a pool for heavy filters, and one thread each for filters that may block.

A worker runs a turn and posts its completion to the scheduler's inbox; it decides nothing. Daemon threads:
one that hangs in C does not keep the process from ending.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

from reelway.runtime.clock import Note
from reelway.runtime.node import Node

SWITCH_INTERVAL_S = 0.0005
"""While workers exist: a thread that returns from C waits at most so long for the GIL."""

Post = Callable[[Node], None]


class _Thread:
    """Runs jobs one after the other; None ends it."""

    def __init__(self, name: str, jobs: SimpleQueue[Note | None]) -> None:
        self.jobs = jobs
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (job := self.jobs.get()) is not None:
            job()
            del job  # holds a filter

    def join(self, timeout_s: float) -> bool:
        """True where the thread is over."""
        self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()


class OwnThread(_Thread):
    """The thread of one filter."""

    def __init__(self, node: Node) -> None:
        super().__init__(f"reelway-{node.filter.name}", SimpleQueue())


class Workers:
    """`count` pool threads, started with the first heavy turn, and an own thread where a filter asks."""

    def __init__(self, count: int, done: Post) -> None:
        self.count = count
        self.done = done
        self.jobs: SimpleQueue[Note | None] = SimpleQueue()
        self.pool: list[_Thread] = []
        self._switch_interval: float | None = None

    def takes(self, node: Node) -> bool:
        """True where the turns of `node` do not belong to the scheduler's thread."""
        thread = node.filter.thread
        return thread == "own" or (thread == "pool" and self.count > 0)

    def start(self, node: Node) -> None:
        """Has one turn of `node` run elsewhere; `done(node)` is called there afterwards."""
        self._quicken()
        self._jobs_of(node).put(lambda: self._turn(node))

    def start_close(self, node: Node) -> OwnThread | None:
        """Has the thread of `node` close it and end. None: it has no thread of its own."""
        if node.own is not None:
            node.own.jobs.put(node.close)
            node.own.jobs.put(None)
        return node.own

    def finish(self, deadline_in_s: float) -> None:
        """Ends the pool; threads that do not come back in time are left alone."""
        for _ in self.pool:
            self.jobs.put(None)
        for thread in self.pool:
            thread.join(deadline_in_s)
        self.pool.clear()
        if self._switch_interval is not None:
            sys.setswitchinterval(self._switch_interval)
            self._switch_interval = None

    def _turn(self, node: Node) -> None:
        started = time.thread_time()
        node.turn()
        node.cpu_s += time.thread_time() - started
        if node.abandoned:
            node.close()
        else:
            self.done(node)

    def _jobs_of(self, node: Node) -> SimpleQueue[Note | None]:
        if node.filter.thread == "own":
            if node.own is None:
                node.own = OwnThread(node)
            return node.own.jobs
        if len(self.pool) < self.count:
            self.pool.append(_Thread(f"reelway-worker-{len(self.pool)}", self.jobs))
        return self.jobs

    def _quicken(self) -> None:
        if self._switch_interval is None:
            self._switch_interval = sys.getswitchinterval()
            sys.setswitchinterval(min(self._switch_interval, SWITCH_INTERVAL_S))
