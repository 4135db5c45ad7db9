"""The scheduler: one thread decides who runs, workers only run turns.

A ready queue, a heap of timers, an inbox. Nothing polls: with nothing to do it sleeps in `Clock.wait`.
Everything here belongs to the thread in `run()`, except `stop`, `post`, `wake_from_anywhere` and the inbox
(SimpleQueue.put may be called from any thread, a finalizer and a signal handler).
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Literal

from reelway.errors import FilterError, ReelwayError, StateError
from reelway.graph.filter import Filter
from reelway.graph.link import Limits, Link
from reelway.graph.pid import Pid
from reelway.graph.policy import make_link
from reelway.runtime.clock import Clock, Note, RealClock
from reelway.runtime.deadlock import relieve
from reelway.runtime.node import Node
from reelway.runtime.workers import Workers

if TYPE_CHECKING:
    from reelway.runtime.statistics import Statistics

Flush = Literal["all", "fast", "none"]
Task = Callable[[], "float | None"]
FLUSH_S = 1.0
"""What is queued has so long to reach the sinks after `stop()`."""
CLOSE_S = 0.7
"""Threads have so long after that; then they are abandoned. Together below the 2 s that run() promises."""
END_CLOSE_S = 10.0
"""Threads have so long to close when a session ends by itself."""


class Scheduler:
    """Runs the filters that `add` gives it.

    It is given what it does not know itself: `link(pid)` is called for every new PID, and calls `connect`;
    `pending(filter)` names the filters upstream that may still make a PID for it.
    """

    def __init__(
        self,
        link: Callable[[Pid], None],
        *,
        threads: int = 0,
        clock: Clock | None = None,
        max_link_bytes: int = 256 << 20,
        pending: Callable[[Filter], list[Filter]] = lambda filter: [],
        on_close: Callable[[Filter], None] = lambda filter: None,
        make_node: Callable[[Filter, Scheduler], Node] = Node,
    ) -> None:
        self.link = link
        self.pending = pending
        self.clock: Clock = clock or RealClock()
        self.max_link_bytes = max_link_bytes
        self.on_close = on_close
        self.make_node = make_node
        self.nodes: list[Node] = []
        self.failures: list[ReelwayError] = []
        self.inbox: SimpleQueue[Note] = SimpleQueue()
        self.stopping: Flush | None = None
        self.finished = False
        self._ready: deque[Node] = deque()
        self._timers: list[tuple[float, int, object, Callable[[], None]]] = []
        self._tasks: set[object] = set()
        self._watchers: set[object] = set()
        self._count = itertools.count()
        self._in_flight = 0
        self._workers = Workers(threads, self._completed)
        self._started = time.perf_counter()
        self._deadline = float("inf")
        self._thread: int | None = None

    # Building

    def add(self, filter: Filter) -> Node:
        node = self.make_node(filter, self)
        node.elsewhere = self._workers.takes(node)
        self.nodes.append(node)
        self.wake(node)
        return node

    def connect(self, pid: Pid, consumer: Filter, limits: Limits) -> Link:
        """Links `pid` to `consumer`; both may be running."""
        node: Node = consumer.context  # type: ignore[assignment]
        producer: Node = pid.filter.context  # type: ignore[assignment]
        threaded = node.elsewhere or producer.elsewhere
        guard: AbstractContextManager[Any] = threading.Lock() if threaded else nullcontext()
        link = make_link(pid, consumer, limits, guard)
        self._on_thread_of(node, lambda: consumer.ipids.append(link))
        self._on_thread_of(producer, lambda: pid.attach(link))
        self.wake(node)
        return link

    def disconnect(self, link: Link) -> None:
        """Undoes `connect`; what is in the queue is dropped and counted."""
        node: Node = link.filter.context  # type: ignore[assignment]

        def leave() -> None:
            link.filter.ipids.remove(link)
            link.removed = True
            link.discard()
            link.filter.remove(link)

        self._on_thread_of(link.source.context, lambda: link.pid.detach(link))  # type: ignore[arg-type]
        self._on_thread_of(node, leave)
        self.wake(node)

    def _on_thread_of(self, node: Node, work: Callable[[], None]) -> None:
        if node.running:
            node.work.append(work)
            node.again = True
        else:
            work()

    # From any thread

    def stop(self, flush: Flush = "all") -> None:
        """Asks; returns at once. Also from a signal handler."""
        self.inbox.put(lambda: self._begin_stop(flush))

    def post(self, task: Task, delay_s: float = 0.0, *, watches: bool = False) -> None:
        """Calls `task` after `delay_s`, and again after each delay that it returns, until that is None.

        One that only watches keeps nothing running, and goes on while the session is stopping.
        """
        key = object()
        keys = self._watchers if watches else self._tasks
        keys.add(key)

        def run() -> None:
            try:
                delay = task()
            except Exception as cause:
                keys.discard(key)
                self._fail(FilterError(filter=getattr(task, "__name__", "task"), time=self.elapsed(), cause=cause))
                return
            if delay is None or delay < 0:
                keys.discard(key)
            else:
                self._at(delay, key, run)

        if self._here():
            self._at(delay_s, key, run)
        else:
            self.inbox.put(lambda: self._at(delay_s, key, run))

    def wake_from_anywhere(self, node: Node) -> None:
        if self._here():
            self.wake(node)
        else:
            self.inbox.put(lambda: self.wake(node))

    def _here(self) -> bool:
        return self._thread is None or self._thread == threading.get_ident()

    # What the session asks

    def elapsed(self) -> float:
        return time.perf_counter() - self._started

    def statistics(self) -> Statistics:
        from reelway.runtime.statistics import snapshot  # its classes take longer to make than a short file to remux

        return snapshot(tuple(self.nodes), self.elapsed(), time.perf_counter())

    @property
    def last_task(self) -> bool:
        """True when nothing is left to do but, perhaps, the one task that asks."""
        return (
            not self._ready
            and not self._in_flight
            and self.inbox.empty()
            and len(self._tasks) <= 1
            and not any(node.timer for node in self.nodes)
            and not any(self._alive(node) for node in self.nodes)
        )

    # Running

    def run(self) -> None:
        """Until everything is done, or `stop`. Then closes; raises the first failure."""
        self._thread = threading.get_ident()
        try:
            while self._ready and not self.stopping or not self._over():
                self._pass(wait=True)
        finally:
            self.close()
        self._raise()

    def open_sources(self, deadline_s: float) -> None:
        """Gives every filter that is new its first turn, in which sources find their PIDs, and links those.

        Sources that take longer than `deadline_s` are left opening; they are linked when they are there.
        """
        self._thread = threading.get_ident()
        until = time.monotonic() + deadline_s
        while not self.stopping and (opening := [n for n in self.nodes if n.running or not n.opened]):
            for node in opening:
                if not node.running:
                    self._ready.remove(node)
                    node.ready = False
                    self._dispatch(node)
            if self._in_flight:
                left = until - time.monotonic()
                if left <= 0:
                    break
                note = RealClock().wait(self.inbox, time.monotonic() + left, True)
                if note is not None:
                    note()
        self._thread = None

    def step(self) -> bool:
        """One pass: what has arrived, what is due, and one turn for each filter that is ready.

        False when everything is done; then it has closed and raises the first failure.
        """
        self._thread = threading.get_ident()
        if self.finished:
            return False
        try:
            if not self._over():
                self._pass(wait=False)
                if not self._over():
                    return True
        except BaseException:
            self.close()
            raise
        self.close()
        self._raise()
        return False

    def _pass(self, wait: bool) -> None:
        inbox, ready = self.inbox, self._ready
        while not inbox.empty():
            try:
                note = inbox.get_nowait()
            except Empty:
                break
            note()
        self._run_timers()
        for _ in range(len(ready)):
            node = ready.popleft()
            node.ready = False
            if node.elsewhere:
                self._dispatch(node)
            elif not node.done:
                node.turn()
                self._after(node)
            if not inbox.empty():
                break
        if wait and not ready and inbox.empty() and not self._over() and not ready:  # _over() may wake some
            until = self._timers[0][0] if self._timers else None
            if self.stopping and (until is None or self._deadline < until):
                until = self._deadline
            note_or_none = self.clock.wait(inbox, until, self._in_flight > 0)
            if note_or_none is not None:
                note_or_none()

    def _dispatch(self, node: Node) -> None:
        if node.done or node.abandoned:
            return
        if node.elsewhere:
            node.running = True
            self._in_flight += 1
            self._workers.start(node)
        else:
            node.turn()
            self._after(node)

    def _completed(self, node: Node) -> None:
        """On a worker's thread."""

        def note() -> None:
            node.running = False
            self._in_flight -= 1
            self._after(node)

        self.inbox.put(note)

    # After a turn

    def wake(self, node: Node) -> None:
        if node.running:
            node.again = True  # news during its turn: it runs once more
        elif not node.ready and not node.done and not node.abandoned:
            node.ready = True
            self._ready.append(node)

    def _after(self, node: Node) -> None:
        """Links its new PIDs, wakes its consumers, unblocks its producers, and perhaps itself."""
        filter = node.filter
        error, node.error = node.error, None
        if error is not None and (filter.on_error == "stop" or node.doing in ("open", "close")):
            self._fail(error)
            self._end(node)
        if filter.unlinked:
            self._link_new(filter)
        progress, open_pids, open_links, waiting = 0, False, not filter.ipids, False
        for pid in filter.opids:
            open_pids = open_pids or not pid.ended
            progress += pid.packets_unlinked
            for link in pid.links:
                news = link.packets_in + link.marks_in
                progress += news
                if news != link.announced:
                    if not link.waiting:
                        link.waiting, link.since = True, node.ended_at
                    link.announced = news
                    consumer: Node = link.filter.context  # type: ignore[assignment]
                    if consumer.running or not consumer.ready:
                        self.wake(consumer)
        for link in filter.ipids:
            progress += link.packets_out + link.marks_out
            if link.source.blocked and link.roomy:
                self._let_go_on(link.source)
            if link.queue:
                waiting, link.since = True, node.ended_at
            else:
                link.waiting = False
            open_links = open_links or not link.ended
        moved, node.progress = progress != node.progress, progress
        if filter.blocked and self._roomy(filter):  # a consumer on another thread made room meanwhile
            filter.blocked, moved = False, True
        if node.done:
            return
        again, node.again = node.again, False
        if self.stopping and node.is_source:
            self._end(node)
        elif not (open_pids or open_links or waiting) or (node.is_source and filter.opids and not open_pids):
            self._retire(node)  # nothing can come of it any more
        elif again or node.work:
            self.wake(node)
        elif node.delay is not None:
            self._wake_later(node, node.delay)
        elif moved and not filter.blocked and (waiting or node.is_source):
            self.wake(node)

    def _link_new(self, filter: Filter) -> None:
        pids, filter.unlinked = filter.unlinked, []
        for pid in pids:
            filter.opids.append(pid)
            try:
                self.link(pid)
            except ReelwayError as error:
                self._fail(error)
            pid.bind()

    def _retire(self, node: Node) -> None:
        node.done = True
        self._cancel_timer(node)

    def _end(self, node: Node) -> None:
        """Ends a filter from outside: its outputs end in order, behind what they hold."""
        self._retire(node)
        for pid in (*node.filter.opids, *node.filter.unlinked):
            pid.end()
            for link in pid.links:
                link.announced = link.packets_in + link.marks_in
                self.wake(link.filter.context)  # type: ignore[arg-type]
        for link in node.filter.ipids:  # nobody reads these any more
            link.discard()
            self._let_go_on(link.source)

    def _let_go_on(self, producer: Filter) -> None:
        node: Node = producer.context  # type: ignore[assignment]
        if not node.running and producer.blocked and self._roomy(producer):
            producer.blocked = False
            self.wake(node)

    @staticmethod
    def _roomy(filter: Filter) -> bool:
        for pid in filter.opids:
            for link in pid.links:
                consumer: Node = link.filter.context  # type: ignore[assignment]
                if not consumer.done and not link.roomy:
                    return False
        return True

    # Timers

    def _at(self, delay_s: float, key: object, call: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (self.clock.now() + delay_s, next(self._count), key, call))

    def _wake_later(self, node: Node, delay_s: float) -> None:
        if delay_s <= 0:
            self.wake(node)
            return
        key = node.timer = object()

        def due() -> None:
            if node.timer is key:
                node.timer = None
                self.wake(node)

        self._at(delay_s, key, due)

    def _cancel_timer(self, node: Node) -> None:
        node.timer = None

    def _run_timers(self) -> None:
        timers = self._timers
        if not timers:
            return
        now = self.clock.now()
        while timers and (timers[0][0] <= now or not self._wanted(timers[0][2])):
            key, call = heapq.heappop(timers)[2:]
            if self._wanted(key):
                call()

    def _wanted(self, key: object) -> bool:
        return key in self._tasks or key in self._watchers or any(node.timer is key for node in self.nodes)

    # The end

    def _alive(self, node: Node) -> bool:
        """A source that may still send, once something outside wakes it."""
        return node.is_source and not node.done and not node.abandoned

    def _settled(self) -> bool:
        """True when no packet and no task will ever move again without somebody outside."""
        waiting = any(timer[2] not in self._watchers for timer in self._timers)
        return not (self._in_flight or waiting or any(self._alive(node) for node in self.nodes))

    def _over(self) -> bool:
        if self.stopping == "none":
            return True
        if self._ready or not self.inbox.empty():
            return self.stopping is not None and self.clock.now() >= self._deadline
        if self.stopping and self.clock.now() >= self._deadline:
            return True
        return not self._unblock() and self._settled()

    def _unblock(self) -> bool:
        """Before a sleep: lets a full link grow, or ends what will never end by itself. True: go on."""
        try:
            link = relieve(self.nodes, self.max_link_bytes)
        except ReelwayError as error:
            self._fail(error)
            return True
        if link is not None:
            self._let_go_on(link.source)
            return True
        for node in self.nodes:
            if node.postponed and not node.done and not self.pending(node.filter):
                node.postponed = False
                self.wake(node)
                return True
        if not self._settled():
            return False
        for node in self.nodes:
            filter = node.filter
            if node.done or node.abandoned or node.is_source:
                continue
            if filter.ipids and all(link.ended and not link.queue for link in filter.ipids):
                self._end(node)  # it kept its outputs open although nothing can come
                return True
        if self.stopping is None:
            for node in self.nodes:
                held = [link for link in node.filter.ipids if len(link) and not node.done]
                if held and not node.filter.blocked:
                    self._fail(StateError(
                        f"filter {node.filter.name} does not read its input {held[0].name}, "
                        f"where {len(held[0])} packets wait",
                        hint="process() must read with get(), return a delay, or be woken with wake()",
                    ))  # fmt: skip
                    return True
        return False

    def _fail(self, error: ReelwayError) -> None:
        self.failures.append(error)
        self._begin_stop("all")

    def _begin_stop(self, flush: Flush) -> None:
        strength = {None: 0, "all": 1, "fast": 2, "none": 3}
        if strength[flush] <= strength[self.stopping]:
            return
        if self.stopping is None:
            self._deadline = self.clock.now() + FLUSH_S
        self.stopping = flush
        self._tasks.clear()
        for node in self.nodes:
            self._cancel_timer(node)
            if flush == "fast" and not node.running:
                for link in node.filter.ipids:
                    link.discard()
        for node in self.nodes:
            if node.is_source and not node.running and not node.done:
                self._end(node)
            elif not node.running:
                self._let_go_on(node.filter)
                self.wake(node)

    def close(self) -> None:
        """Closes every filter, sinks first, each on its own thread and guarded; abandons what hangs."""
        if self.finished:
            return
        self.finished = True
        until = time.monotonic() + (CLOSE_S if self.stopping else END_CLOSE_S)
        for node in self._sinks_first():
            if node.running and node.own is None:
                self._wait_for(node, until)
            thread = self._workers.start_close(node)
            if thread is not None:
                if not thread.join(until - time.monotonic()):
                    node.abandoned = True
            elif node.running:
                node.abandoned = True  # its worker closes it when C returns
            else:
                node.close()
            if node.error is not None:
                self.failures.append(node.error)
                node.error = None
            self.on_close(node.filter)
        self._workers.finish(until - time.monotonic())
        self._drain_inbox()
        self._thread = None

    def _wait_for(self, node: Node, until: float) -> None:
        while node.running:
            note = RealClock().wait(self.inbox, until, True)
            if note is None:
                return
            note()

    def _drain_inbox(self) -> None:
        """Release callbacks of what the closing let go of."""
        while True:
            try:
                note = self.inbox.get_nowait()
            except Empty:
                return
            note()

    def _sinks_first(self) -> list[Node]:
        """Consumers before their producers; else in the order in which they were added."""
        order: list[Node] = []
        seen: set[Node] = set()

        def visit(node: Node) -> None:
            if node in seen:
                return
            seen.add(node)
            for pid in node.filter.opids:
                for link in pid.links:
                    visit(link.filter.context)  # type: ignore[arg-type]
            order.append(node)

        for node in self.nodes:
            visit(node)
        return order

    def _raise(self) -> None:
        if self.failures:
            raise self.failures[0]
