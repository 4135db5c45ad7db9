"""A node: one filter as the scheduler sees it, and one turn of it.

Flags are written by the scheduler's thread only; while `running`, the filter belongs to the thread that
took the job, which writes `delay`, `error` and the times. `work` is filled from any thread: it relies on
deque's append and popleft being atomic under the GIL.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from reelway.errors import FilterError
from reelway.graph.filter import Filter
from reelway.graph.link import Link, News
from reelway.graph.pid import Pid
from reelway.media.events import BufferRequirement, Event, Play, Stop
from reelway.media.timebase import MICROSECONDS

if TYPE_CHECKING:
    from reelway.runtime.scheduler import Scheduler
    from reelway.runtime.workers import OwnThread


class Node:
    """Also the `Context` of its filter."""

    __slots__ = ("abandoned", "again", "closed", "cpu_s", "delay", "done", "doing", "elsewhere", "ended_at", "error", "errors", "filter",
                 "own", "postponed", "progress", "ready", "running", "scheduler", "timer", "turns", "wall_s",
                 "work")  # fmt: skip

    def __init__(self, filter: Filter, scheduler: Scheduler) -> None:
        self.filter = filter
        self.scheduler = scheduler
        self.ready = self.running = self.again = self.done = self.closed = self.abandoned = self.postponed = False
        self.timer: object | None = None
        self.own: OwnThread | None = None
        self.work: deque[Callable[[], None]] = deque()
        self.progress = -1
        self.delay: float | None = None
        self.error: FilterError | None = None
        self.doing = "open"
        self.turns = self.errors = 0
        self.wall_s = self.cpu_s = self.ended_at = 0.0
        self.elsewhere = False
        """Its turns run on another thread."""
        filter.context = self

    @property
    def opened(self) -> bool:
        return self.filter.opened

    @property
    def is_source(self) -> bool:
        return not self.filter.inputs and not self.filter.ipids

    def turn(self) -> None:
        """News first, then `process()`. On the filter's thread; an exception is kept in `error`."""
        started = time.perf_counter()
        filter = self.filter
        link: Link | None = None
        self.delay = None
        try:
            if not filter.opened:  # a turn of its own: its PIDs are linked before anything else
                filter.opened = True
                self.doing = "open"
                filter.open()
                return
            while self.work:
                self.doing = "on_event"
                self.work.popleft()()
            for link in filter.ipids:
                while (mark := link.take_mark()) is not None:
                    self._tell(link, mark.news, mark.properties)
            link = None
            # configure() or ended() may have filled an output
            if not filter.blocked and not self.done and (not filter.inputs or filter.ipids):
                self.doing = "process"
                self.delay = filter.process()
        except Exception as cause:
            self.errors += 1
            self.error = self._failure(link, cause)
        finally:
            self.turns += 1
            self.ended_at = time.perf_counter()
            self.wall_s += self.ended_at - started

    def close(self) -> None:
        """Closes the filter, once, on its thread."""
        if self.closed or not self.opened:
            self.closed = True
            return
        self.closed = True
        self.doing = "close"
        try:
            self.filter.close()
        except Exception as cause:
            self.errors += 1
            self.error = self.error or self._failure(None, cause)

    def _tell(self, link: Link, news: News, properties: dict[str, object] | None) -> None:
        if news is News.CONFIGURE:
            self.doing = "configure"
            link.properties = dict(properties or {})
            self.filter.configure(link)
            link.configured = True
        elif news is News.RESTART:
            self.doing = "restarted"
            self.filter.restarted(link)
        else:
            self.doing = "ended"
            link.ended = True
            self.filter.ended(link)

    def _failure(self, link: Link | None, cause: Exception) -> FilterError:
        error = FilterError(
            filter=self.filter.name, pid=link.name if link else "", time=self.scheduler.elapsed(), cause=cause
        )
        if isinstance(cause, FilterError):  # a filter that runs filters has said it all
            return cause
        return error

    # Context of the filter; from its thread, or from any

    def send_upstream(self, link: Link, event: Event) -> None:
        producer: Node = link.source.context  # type: ignore[assignment]
        producer.call(producer.filter, lambda: producer._arrive(link, event))

    def send_downstream(self, pid: Pid, event: Event) -> None:
        for link in pid.links:
            consumer: Node = link.filter.context  # type: ignore[assignment]
            consumer.call(consumer.filter, lambda consumer=consumer, link=link: consumer._pass(link, event))  # type: ignore[misc]

    def defer(self, callback: Callable[[], None]) -> None:
        self.scheduler.inbox.put(callback)

    def wake(self, filter: Filter) -> None:
        self.scheduler.wake_from_anywhere(self)

    def call(self, filter: Filter, work: Callable[[], None]) -> None:
        self.work.append(work)
        self.scheduler.wake_from_anywhere(self)

    def now(self) -> float:
        return self.scheduler.clock.now()

    def deliver(self, filter: Filter, event: Event) -> None:
        def work() -> None:
            for pid in tuple(filter.opids):
                event.pid = pid
                filter.on_event(event)

        self.call(filter, work)

    def expects_inputs(self, filter: Filter) -> bool:
        self.postponed = bool(self.scheduler.pending(filter))
        return self.postponed

    # Events, on the filter's thread

    def _arrive(self, link: Link, event: Event) -> None:
        """An event from the consumer behind `link`: it concerns the whole PID, or not yet."""
        pid = link.pid
        if isinstance(event, Stop):
            link.stopped = True
            if not all(other.stopped or other.ended for other in pid.links):
                return
        elif isinstance(event, Play):
            link.stopped = False
        elif isinstance(event, BufferRequirement) and event.max_buffer_us:
            timescale = pid.properties.get("Timescale")
            if timescale:
                link.max_ticks = max(1, event.max_buffer_us * timescale // MICROSECONDS)
        event.pid = pid
        if self.filter.on_event(event):
            return
        for source in self.filter.ipids:
            if source.output is None or source.output is pid:
                self.send_upstream(source, event)

    def _pass(self, link: Link, event: Event) -> None:
        """An event from the producer of `link`."""
        event.pid = link
        if self.filter.on_event(event):
            return
        for pid in self.filter.opids if link.output is None else (link.output,):
            self.send_downstream(pid, event)
