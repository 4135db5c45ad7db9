"""Threads that run turns: a pool for heavy filters, and one thread each for filters that may block.

A worker runs a turn and posts its completion to the scheduler's inbox; it decides nothing, but that a source
which asks for its next turn at once has it: a camera is read while the session is busy. Daemon threads:
one that hangs in C does not keep the process from ending. Locks, in their order: `Workers._lock`, and
`_switch_lock`; neither is held while a user's code runs.
"""

from __future__ import annotations

import sys
import threading
import time
import weakref
from collections.abc import Callable
from queue import SimpleQueue

from reelway.runtime.catchingup import heard
from reelway.runtime.clock import Note
from reelway.runtime.node import Node

SWITCH_INTERVAL_S = 0.0005
"""While workers exist: a thread that returns from C waits at most so long for the GIL."""

Jobs = SimpleQueue[Note | None]


class WorkerThread:
    """Runs jobs one after the other; None ends it."""

    def __init__(self, name: str, jobs: Jobs) -> None:
        self.jobs = jobs
        self._thread = threading.Thread(target=_work, args=(jobs,), name=name, daemon=True)
        self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """True where the thread is over."""
        self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()


def _work(jobs: Jobs) -> None:
    while (job := jobs.get()) is not None:
        job()
        del job  # holds a filter


class Workers:
    """`count` pool threads, started with the first heavy turns, and an own thread where a filter asks."""

    def __init__(self, count: int, done: Callable[[Node], None]) -> None:
        self.count = count
        self.done = done
        self.jobs: Jobs = SimpleQueue()
        self.pool: list[WorkerThread] = []
        self._lock = threading.Lock()
        """Between a thread that comes back and a session that gives it up."""
        self._queues: list[Jobs] = []
        self._end: Callable[[], object] | None = None

    def takes(self, node: Node) -> bool:
        """True where the turns of `node` do not belong to the scheduler's thread."""
        thread = node.filter.thread
        return thread == "own" or (thread == "pool" and self.count > 0)

    def start(self, node: Node) -> None:
        """Has one turn of `node` run elsewhere; `done(node)` is called there afterwards."""
        self._jobs_of(node).put(lambda: self._turn(node))

    def close_there(self, node: Node, report: Callable[[], None]) -> None:
        """Has the own thread of `node` close it, report, and end."""
        assert node.own is not None

        def close() -> None:
            node.close()
            report()

        node.own.jobs.put(close)
        node.own.jobs.put(None)
        self._queues.remove(node.own.jobs)

    def abandon(self, node: Node) -> None:
        """Its thread did not come back from C; when it does, it closes the filter."""
        with self._lock:
            node.abandoned = True

    def finish(self, until: float) -> None:
        """Ends the pool; threads that do not come back until then [s, monotonic] are left alone."""
        for _ in self.pool:
            self.jobs.put(None)
        for thread in self.pool:
            thread.join(until - time.monotonic())
        self.pool.clear()
        if self._end is not None:
            self._end()

    def _turn(self, node: Node) -> None:
        while True:
            started = time.thread_time()
            try:
                node.turn()
            except BaseException as cause:  # noqa: BLE001 - SystemExit too: the session would wait for ever
                node.fail(cause)
            node.cpu_s += time.thread_time() - started
            if not node.goes_on:
                break
            heard(node)
            if node.delay:
                time.sleep(node.delay)
        with self._lock:
            abandoned = node.abandoned
            if not abandoned:
                self.done(node)
        if abandoned:
            node.close()

    def _jobs_of(self, node: Node) -> Jobs:
        if self._end is None:
            # a session that nobody closes leaves no threads behind
            self._end = weakref.finalize(self, _end_threads, self._queues)
            _quicken()
        if node.filter.thread == "own":
            if node.own is None:
                node.own = WorkerThread(f"reelway-{node.filter.name}", SimpleQueue())
                self._queues.append(node.own.jobs)
            return node.own.jobs
        if len(self.pool) < self.count:
            self.pool.append(WorkerThread(f"reelway-worker-{len(self.pool)}", self.jobs))
            self._queues.append(self.jobs)
        return self.jobs


def _end_threads(queues: list[Jobs]) -> None:
    for queue in queues:
        queue.put(None)
    _slow_down()


_switch_lock = threading.RLock()  # a finalizer may come while its own thread holds it
_quick = 0
_switch_interval_s = 0.0


def _quicken() -> None:
    global _quick, _switch_interval_s
    with _switch_lock:
        _quick += 1
        if _quick == 1:
            _switch_interval_s = sys.getswitchinterval()
            sys.setswitchinterval(min(_switch_interval_s, SWITCH_INTERVAL_S))


def _slow_down() -> None:
    global _quick
    with _switch_lock:
        _quick -= 1
        if not _quick:
            sys.setswitchinterval(_switch_interval_s)
