"""The scheduler: one thread decides who runs, workers only run turns.

A ready queue, timers, an inbox. With nothing to do it sleeps in `Clock.wait`. Everything here
belongs to the thread in `run()`, except what stands under "From any thread" and the inbox, whose `put()`
may be called from any thread, a finalizer and a signal handler.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import Empty
from typing import TYPE_CHECKING, Any, TypeVar

from reelway.errors import FilterError, ReelwayError, StateError
from reelway.graph.filter import Filter
from reelway.graph.link import Limits, Link
from reelway.graph.pid import Pid
from reelway.runtime.asking import ask
from reelway.runtime.catchingup import CatchingUp
from reelway.runtime.clock import Clock, Note, RealClock
from reelway.runtime.closing import Closing
from reelway.runtime.deadlock import RELIEF_PASSES, relieve_and_resume, unblock
from reelway.runtime.inbox import Inbox
from reelway.runtime.linking import connect, disconnect, leaving_with, remove
from reelway.runtime.node import Node
from reelway.runtime.pause import PausableTime
from reelway.runtime.silence import Silence
from reelway.runtime.stopping import FLUSH_S, Flush, begin_stop, discard_behind, judge
from reelway.runtime.tasks import Task, only_the_asker_is_left, post
from reelway.runtime.timers import LEAST_DELAY_S, Timers
from reelway.runtime.workers import Workers

if TYPE_CHECKING:
    from reelway.runtime.statistics import Statistics

__all__ = ["FLUSH_S", "Flush", "Scheduler", "Task"]

log = logging.getLogger("reelway.runtime")


_T = TypeVar("_T")


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
        pending: Callable[[Filter], list[Filter]] = lambda _: [],
        on_close: Callable[[Filter], None] = lambda _: None,
        make_node: Callable[[Filter, Scheduler], Node] = Node,
        refit: Callable[[Pid, dict[str, Any]], None] | None = None,
    ) -> None:
        self.link = link
        self.refit = refit
        self.pending = pending
        self.clock: Clock = clock or RealClock()
        self.time = PausableTime(self.clock)
        self.max_link_bytes = max_link_bytes
        self.on_close = on_close
        self.make_node = make_node
        self.nodes: list[Node] = []
        self.failures: list[ReelwayError] = []
        self.inbox: Inbox[Note] = Inbox()
        self.timers = Timers(self.clock)
        self.workers = Workers(threads, self._completed)
        self.catching_up = CatchingUp()
        self.stopping: Flush | None = None
        self.finished = self.drained = False
        self.in_flight = 0
        """Turns that other threads have."""
        self.joining = 0
        """Links to filters that make PIDs of them, and that are in a turn just now."""
        self.in_task = self.linking = False
        """`linking`: PIDs are being linked, and who takes them is not known yet."""
        self.ready: deque[Node] = deque()
        self.tasks = self._added = self._passes = 0
        self.closing = Closing(self)
        self._started = time.perf_counter()
        self.deadline = float("inf")
        """When a stopping session gives up its flush [s of the clock]."""
        self.entry = threading.RLock()
        """Between those who want to become `thread`; held while an idle session is edited."""
        self.thread: int | None = None
        """The thread that is in run() or open_sources(), or that edits an idle session."""
        self._at_it: Node | None = None
        """The node whose turn this thread runs."""
        self._silence = Silence()
        self.on_skip: Callable[[FilterError], None] = lambda _: None  # called with what did not end it
        self.held = 0
        """Filters that wait for another one to close before they begin."""

    # Building

    def add(self, filter: Filter) -> Node:
        node = self.make_node(filter, self)
        node.elsewhere = self.workers.takes(node)
        node.number, self._added = self._added, self._added + 1
        self.nodes.append(node)
        self.wake(node)
        return node

    def remove(self, filter: Filter) -> None:
        """Takes `filter` out, and what it alone feeds: each finishes what is queued for it, then closes."""
        remove(self, leaving_with(filter))

    def ask(self, work: Callable[[], _T]) -> _T:
        """What `work()` gives, done on the session's thread; from any thread, also before it runs."""
        return ask(self, work)

    def connect(self, pid: Pid, consumer: Filter, limits: Limits) -> Link:
        """Links `pid` to `consumer`; both may be running."""
        return connect(self, pid, consumer, limits)

    def disconnect(self, link: Link) -> None:
        """Undoes `connect`; what is in the queue is dropped and counted."""
        disconnect(self, link)

    def between_turns(self, node: Node, work: Callable[[], None]) -> None:
        """Runs `work` here and now, or when the turn of `node` is over."""
        if node.running or node is self._at_it:
            node.later.append(work)
        else:
            work()

    # From any thread

    def stop(self, flush: Flush = "all") -> None:
        """Asks; returns at once. Also from a signal handler."""
        self.inbox.put(lambda: begin_stop(self, flush))

    def pause(self) -> None:
        """No filter gets a turn until `resume()`, and their time stands still; tasks and events go on."""
        self.inbox.put(self.time.pause)

    def resume(self) -> None:
        self.inbox.put(self.time.resume)

    def post(self, task: Task, delay_s: float = 0.0, *, watches: bool = False) -> Callable[[], None]:
        """Calls `task` after `delay_s`, then after each delay that it returns. The value cancels it.

        One that only watches keeps nothing running, and goes on while the session is stopping.
        """
        return post(self, task, delay_s, watches)

    def defer(self, callback: Callable[[], None]) -> None:
        """Has `callback` called on the session's thread; after the end, at once. Also from a finalizer."""

        def note() -> None:
            try:
                callback()
            except Exception as cause:  # noqa: BLE001 - a callback is a user's, as a filter is
                self.failed("callback", callback, cause)

        self.inbox.put(note)
        if self.drained:  # nobody looks into the inbox any more
            self.drain_inbox()

    def wake_from_anywhere(self, node: Node) -> None:
        if self.is_here():
            self.wake(node)
        else:
            self.inbox.put(lambda: self.wake(node))

    def is_here(self) -> bool:
        return self.thread == threading.get_ident()

    # What the session asks

    def elapsed(self) -> float:
        return time.perf_counter() - self._started

    def statistics(self) -> Statistics:
        from reelway.runtime.statistics import snapshot  # making its classes costs more than a short remux

        return snapshot(tuple(self.nodes), self.elapsed(), time.perf_counter())

    @property
    def last_task(self) -> bool:
        """True when nothing is left to do but, perhaps, the one task that asks."""
        return only_the_asker_is_left(self)

    # Running

    def run(self, until: Callable[[], bool] | None = None) -> bool:
        """Until everything is done, or `stop`; then closes, and raises the first failure.

        True where, after a pass, `until()` held before that: nothing is closed, and another call goes on.
        """
        if self.finished and until is not None:
            return False
        self._enter()
        over = True
        try:
            while True:
                self._pass()
                if not (self.ready and not self.stopping) and self._over():
                    break
                if until is not None and until():
                    over = False
                    return True
                if (not self.ready or self.time.paused) and self.inbox.empty():
                    self._sleep()
        finally:
            if over:
                self._close()
            self.thread = None
        self._raise()
        return False

    def open_sources(self, deadline_s: float) -> None:
        """Gives every filter that is new its first turn, in which sources find their PIDs, and links those.

        Sources that take longer than `deadline_s` are left opening; they are linked when they are there.
        """
        self._enter()
        until = time.monotonic() + deadline_s
        try:
            while not self.stopping and (opening := [n for n in self.nodes if n.running or not n.opened]):
                for node in opening:
                    if not node.running:
                        self.ready.remove(node)
                        node.ready = False
                        self._give_turn(node)
                if not self.inbox.empty() or self.in_flight:
                    if (note := RealClock().wait(self.inbox, until, True)) is not None:
                        note()
                    elif time.monotonic() >= until:  # else it has only looked for signals
                        break
        finally:
            self.thread = None

    def _enter(self) -> None:
        with self.entry:
            if self.finished:
                raise StateError("the session is over", hint="a session runs once; make another one")
            if self.thread is not None:
                raise StateError(
                    "the session is running already",
                    hint="a filter or a task does not run its session; another thread may stop or edit it",
                )
            self.thread = threading.get_ident()

    def _pass(self) -> None:
        notes, ready = self.inbox.items, self.ready
        for _ in range(len(notes)):  # no more than are there: notes may post notes
            notes.popleft()()
        if self.timers.heap:
            self.timers.run_due()
        self.catching_up.look()
        for _ in range(0 if self.time.paused else len(ready)):
            node = ready.popleft()
            node.ready = False
            self._give_turn(node)
            if notes:
                break
        self._passes += 1
        if not self._passes % RELIEF_PASSES:
            relieve_and_resume(self)

    def _sleep(self) -> None:
        until = self.timers.next_due
        if self.stopping:
            until = self.deadline if until is None else min(until, self.deadline)
        until = self._silence.listen(self, until)
        note = self.clock.wait(self.inbox, until, self.in_flight > 0 or self.held > 0)
        self.catching_up.slept()
        if note is not None:
            note()

    def _give_turn(self, node: Node) -> None:
        if node.done or node.held or (self.catching_up.until_s and self.catching_up.puts_off(node)):
            return
        if node.elsewhere:
            node.running = True
            self.in_flight += 1
            self.workers.start(node)
        else:
            self._at_it = node
            node.turn()
            self._at_it = None
            self.catching_up.turned(node)
            self._after(node)

    def _completed(self, node: Node) -> None:
        """On a worker's thread."""

        def note() -> None:
            node.running = False
            self.in_flight -= 1
            self._after(node)

        self.inbox.put(note)

    # After a turn

    def wake(self, node: Node) -> None:
        if node.running:
            node.again = True  # news during its turn: it runs once more
        elif not node.ready and not node.done:
            node.ready = True
            self.ready.append(node)

    def _after(self, node: Node) -> None:
        """Links its new PIDs, wakes its consumers, unblocks its producers, and perhaps itself."""
        filter = node.filter
        while node.later:
            node.later.popleft()()
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
            if link.source.blocked:
                self.let_go_on(link.source)
            if link.queue:
                waiting, link.since = True, node.ended_at
            else:
                link.waiting = False
            open_links = open_links or not link.ended
        moved, node.progress = progress != node.progress, progress
        if self.catching_up.put_off:
            self.catching_up.ask_again()
        if node.error is not None:
            judge(self, node, moved)
        if filter.blocked and self._roomy(filter):  # a consumer on another thread made room meanwhile
            filter.blocked, node.again = False, True
        if node.done:
            return
        again, node.again, node.lingers = node.again, False, False
        if self.stopping and node.is_source:
            if self.stopping == "fast":
                discard_behind(self, node)
            self.end(node)
        elif (not (open_pids or open_links or waiting) and not node.may_linger()) or (
            not open_pids and filter.opids and node.is_source
        ):
            self._retire(node)  # nothing can come of it any more
        elif again or node.work:
            self.wake(node)
        elif node.delay is not None:
            self._wake_later(node, node.delay)
        elif moved and not filter.blocked and (waiting or node.is_source):
            self.wake(node)

    def _link_new(self, filter: Filter) -> None:
        pids, filter.unlinked = filter.unlinked, []
        self.linking = True
        for pid in pids:
            filter.opids.append(pid)
            try:
                self.link(pid)
            except ReelwayError as error:
                self.fail(error)
            pid.bind()
        self.linking = False

    def _retire(self, node: Node) -> None:
        node.done = True
        self._cancel_timer(node)
        if node.leaving:
            self.nodes.remove(node)
            self.closing.begin([node])

    def end(self, node: Node) -> None:
        """Ends a filter from outside: its outputs end in order, behind what they hold. Not while it runs."""
        for pid in (*node.filter.opids, *node.filter.unlinked):
            pid.end()
            for link in pid.links:
                link.announced = link.packets_in + link.marks_in
                self.wake(link.filter.context)  # type: ignore[arg-type]
        self._retire(node)
        for link in node.filter.ipids:  # nobody reads these any more
            link.discard()
            self.let_go_on(link.source)

    def let_go_on(self, producer: Filter) -> None:
        """Wakes `producer` where it was blocked and has room now."""
        node: Node = producer.context  # type: ignore[assignment]
        if not node.running and producer.blocked and self._roomy(producer):
            producer.blocked = False
            self.wake(node)
            for link in producer.ipids:
                if link.limits.direct:
                    self.let_go_on(link.source)

    @staticmethod
    def _roomy(filter: Filter) -> bool:
        for pid in filter.opids:
            if pid.waits_full:
                return False
            for link in pid.links:
                consumer: Node = link.filter.context  # type: ignore[assignment]
                if not consumer.done and not link.roomy:
                    return False
        return True

    def _wake_later(self, node: Node, delay_s: float) -> None:
        if delay_s <= 0:
            self.wake(node)
            return

        def due() -> None:
            node.timer = None
            self.wake(node)

        self._cancel_timer(node)
        node.timer = self.timers.at(self.clock.now() + max(delay_s, LEAST_DELAY_S), due)

    def _cancel_timer(self, node: Node) -> None:
        if node.timer is not None:
            self.timers.cancel(node.timer)
            node.timer = None

    # The end

    def settled(self) -> bool:
        """True when no packet and no task will ever move again, whatever happens outside."""
        awaited = self.in_flight or self.held or self.timers.awaited
        return not (awaited or any(node.hopeful for node in self.nodes))

    def _over(self) -> bool:
        if self.stopping and (self.stopping == "none" or self.clock.now() >= self.deadline):
            return True
        if self.ready or not self.inbox.empty():
            return False
        return not unblock(self) and self.settled()

    def fail(self, error: ReelwayError) -> None:
        self.failures.append(error)
        if not self.finished:
            begin_stop(self, "all")

    def failed(self, what: str, function: Callable[..., object], cause: Exception) -> None:
        """A function of the user's raised."""
        if isinstance(cause, FilterError):  # it says itself whose it is
            self.fail(cause)
            return
        name = getattr(function, "__name__", type(function).__name__)
        what = f"{what} {name!r} failed: {type(cause).__name__}: {cause}"
        self.fail(FilterError(what, filter=name, cause=cause))

    def close(self) -> None:
        """Closes every filter, each on its own thread and guarded; abandons what hangs.

        From another thread than the one in `run()`, and from inside a filter, it is a `stop()`.
        """
        with self.entry:
            if self.thread is None:
                self._close()
                return
        self.stop("none")

    def _close(self) -> None:
        if self.finished:
            return
        self.finished = True
        self.closing.run(self.nodes)
        for self.drained in (False, True):  # the second time of what came in between
            self.drain_inbox()

    def drain_inbox(self) -> None:
        """Release callbacks of what the closing let go of."""
        while True:
            try:
                note = self.inbox.get_nowait()
            except Empty:
                return
            note()

    def _raise(self) -> None:
        if self.failures:
            raise self.failures[0]
