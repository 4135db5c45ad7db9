"""A node: one filter as the scheduler sees it, and one turn of it.

Flags are written by the scheduler's thread only; while `running`, the filter belongs to the thread that
took the job, which writes `delay`, `error` and the times. `work` is filled from any thread: it relies on
deque's append and popleft being atomic under the GIL.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any

from reelway.errors import FilterError, ReelwayError, StateError
from reelway.graph.filter import Filter
from reelway.graph.link import Link, News
from reelway.graph.pid import Pid
from reelway.graph.wiring import refuse_change
from reelway.media.timebase import MICROSECONDS
from reelway.runtime.clock import RealClock

if TYPE_CHECKING:
    from reelway.media.events import Event
    from reelway.runtime.scheduler import Scheduler
    from reelway.runtime.statistics import FilterStatistics
    from reelway.runtime.workers import WorkerThread


log = logging.getLogger("reelway.runtime")

SOON_S = 0.01
"""A source that asks for its next turn so soon looks again whether there is something."""


class Node:
    """Also the `Context` of its filter."""

    __slots__ = (
        "abandoned", "again", "closed", "cpu_s", "delay", "doing", "done", "elsewhere", "ended_at", "error",
        "errors", "filter", "held", "held_until", "joining", "later", "leaving", "lingers", "number", "own",
        "postponed", "progress", "ready", "running", "scheduler", "telling", "timer", "took_s", "turns",
        "wall_s", "work",
    )  # fmt: skip

    def __init__(self, filter: Filter, scheduler: Scheduler) -> None:
        self.filter = filter
        self.scheduler = scheduler
        self.ready = self.running = self.again = self.done = self.closed = self.abandoned = False
        self.postponed = False
        """It was told that PIDs may still come. Its thread sets it; the session clears it between turns."""
        self.lingers = False
        """All that it had is over, and a PID may still come. The session's thread only."""
        self.joining: list[Pid] = []
        """What feeds the links that it gets when its turn is over."""
        self.leaving = False
        """It is taken out of the session when it is done."""
        self.held = False
        """It gets no turn."""
        self.held_until: list[Node] = []
        """Whose place it takes as soon as all of these are closed."""
        self.number = 0
        """How many were added before it."""
        self.timer: int | None = None
        self.own: WorkerThread | None = None
        self.work: deque[Callable[[], None]] = deque()
        """To be done on the filter's thread, before anything else."""
        self.later: deque[Callable[[], None]] = deque()
        """To be done on the session's thread, after the turn that runs elsewhere."""
        self.progress = -1
        self.delay: float | None = None
        self.error: FilterError | None = None
        self.doing = "open"
        self.turns = self.errors = 0
        self.wall_s = self.cpu_s = self.ended_at = self.took_s = 0.0
        self.telling = False
        """The scheduler is about to hear of what it sent in turns that follow each other."""
        self.elsewhere = False
        """Its turns run on another thread."""
        filter.context = self

    @property
    def opened(self) -> bool:
        return self.filter.opened

    @property
    def is_source(self) -> bool:
        return not self.filter.inputs and not self.filter.ipids

    @property
    def hopeful(self) -> bool:
        """Something outside may still give it a turn that moves packets."""
        filter = self.filter
        if self.done or self.abandoned:
            return False
        return filter.waits_outside or (self.is_source and not filter.blocked)

    @property
    def goes_on(self) -> bool:
        """Its own thread may give it the next turn: it is a source that wants it at once, or nearly so.

        On that thread; whoever sets what is asked here finds it heard after one more turn.
        """
        filter, scheduler, delay = self.filter, self.scheduler, self.delay
        if delay is None or filter.thread != "own" or not self.is_source or filter.blocked:
            return False
        if delay and not (delay <= SOON_S and isinstance(scheduler.clock, RealClock)):
            return False
        if self.error is not None or filter.unlinked or self.later or self.held or self.abandoned:
            return False
        if scheduler.stopping or scheduler.finished or scheduler.time.paused:
            return False
        return not filter.opids or not all(pid.ended for pid in filter.opids)

    @property
    def skips(self) -> bool:
        """An exception just now does not end the session."""
        return self.filter.on_error == "skip" and self.doing not in ("open", "configure", "close")

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
                self._begin_new()
            for link in filter.ipids:
                while (mark := link.take_mark()) is not None:
                    self._tell(link, mark.news, mark.properties)
            link = None
            # configure() or ended() may have filled an output
            if not filter.blocked and not self.done and (not filter.inputs or filter.ipids):
                self.doing = "process"
                delay = filter.process()
                if delay is not None:
                    self.delay = _as_delay(delay)
        except Exception as cause:  # noqa: BLE001 - `on_error` decides
            self.fail(cause, link)
            if link is not None and self.doing == "ended" and self.skips:
                Filter.ended(filter, link)  # what it could not finish ends all the same
        finally:
            self.turns += 1
            self.ended_at = time.perf_counter()
            self.took_s = self.ended_at - started
            self.wall_s += self.took_s

    def close(self) -> None:
        """Closes the filter, once, on its thread."""
        if self.closed or not self.opened:
            self.closed = True
            return
        self.closed = True
        self.doing = "close"
        try:
            self.filter.close()
        except Exception as cause:  # noqa: BLE001 - the others are closed all the same
            self.fail(cause)

    def fail(self, cause: BaseException, link: Link | None = None) -> None:
        """Keeps an exception of the filter for the session; the first one counts."""
        self.errors += 1
        error = self.error
        if error is None and isinstance(cause, FilterError):  # a filter that runs filters has said it all
            error = cause
            error.filter = error.filter or self.filter.name
        self.error = error or FilterError(
            filter=self.filter.name, pid=link.name if link else "", time=self.scheduler.elapsed(), cause=cause
        )

    def _tell(self, link: Link, news: News, properties: dict[str, object] | None) -> None:
        if news is News.CONFIGURE:
            self.doing = "configure"
            if link.configured:
                refuse_change(link, properties or {})
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
            if link.source.context.leaving and not self.leaving:  # type: ignore[attr-defined]
                self.defer(partial(self.scheduler.disconnect, link))
        self._begin_new()

    def _begin_new(self) -> None:
        """Whether two calls are in one turn is chance; what a PID begins with shall not be."""
        for pid in self.filter.unlinked:
            pid.begin()

    # Context of the filter; from its thread, or from any. Each receiver gets a copy of the event.

    def send_upstream(self, link: Link, event: Event) -> None:
        producer: Node = link.source.context  # type: ignore[assignment]
        producer._receive(event, partial(producer._arrive, link, copy(event)))

    def send_downstream(self, pid: Pid, event: Event) -> None:
        for link in tuple(pid.links):
            consumer: Node = link.filter.context  # type: ignore[assignment]
            consumer._receive(event, partial(consumer._pass, link, copy(event)))

    def defer(self, callback: Callable[[], None]) -> None:
        self.scheduler.defer(callback)

    def refit(self, pid: Pid, properties: dict[str, Any]) -> None:
        scheduler = self.scheduler

        def work() -> None:
            try:
                if scheduler.refit is not None and not scheduler.finished:
                    scheduler.refit(pid, properties)
            except ReelwayError as error:
                scheduler.fail(error)
            finally:
                pid.release()
            for link in pid.links:
                scheduler.wake(link.filter.context)  # type: ignore[arg-type]
            scheduler.let_go_on(self.filter)

        self.defer(lambda: scheduler.between_turns(self, work))

    def wake(self, filter: Filter) -> None:
        self.scheduler.wake_from_anywhere(self)

    def call(self, filter: Filter, work: Callable[[], None]) -> None:
        self.work.append(work)
        self.scheduler.wake_from_anywhere(self)

    def watch(self, look: Callable[[], float | None]) -> None:
        self.scheduler.post(look, watches=True)

    def now(self) -> float:
        return self.scheduler.time.now()

    def deliver(self, filter: Filter, event: Event) -> None:
        def work() -> None:
            for pid in tuple(filter.opids):
                own = copy(event)
                own.pid = pid
                filter.on_event(own)

        self._receive(event, work)

    def statistics(self, filter: Filter) -> FilterStatistics:
        from reelway.runtime.statistics import of_filter

        return of_filter(self, time.perf_counter())

    @property
    def stopping(self) -> bool:
        return self.scheduler.stopping is not None

    def end_session(self) -> None:
        self.scheduler.stop()

    def expects_inputs(self, filter: Filter) -> bool:
        self.postponed = self.inputs_may_come()
        return self.postponed

    def inputs_may_come(self) -> bool:
        """`expects_inputs`. In this order: a PID on its way is pending, then `linking`, then `joining`."""
        scheduler = self.scheduler
        return bool(scheduler.pending(self.filter) or scheduler.linking or scheduler.joining or self.joining)

    def may_linger(self) -> bool:
        """All that it had is over; True where it is not done with that."""
        self.lingers = self.may_get_inputs()
        return self.lingers

    def may_get_inputs(self) -> bool:
        """All its inputs have ended, and there may be more: somebody before it is not open yet."""
        filter = self.filter
        full = filter.max_inputs is not None and len(filter.ipids) >= filter.max_inputs
        return bool(filter.ipids) and not (full or self.leaving) and self.inputs_may_come()

    def _receive(self, event: Event, work: Callable[[], None]) -> None:
        if self.done:
            log.info("%s has ended: a %s event for it is lost", self.filter.name, type(event).__name__)
        else:
            self.call(self.filter, work)

    # Events, on the filter's thread

    def _arrive(self, link: Link, event: Event) -> None:
        """An event from the consumer behind `link`: it concerns the whole PID, or not yet."""
        from reelway.media.events import BufferRequirement, Play, Stop  # most sessions send none

        pid = link.pid
        if isinstance(event, Stop):
            link.stopped = True
            pid.bind()
            if not all(other.stopped or other.ended for other in pid.links):
                return
        elif isinstance(event, Play):
            link.stopped = False
            pid.bind()
        elif isinstance(event, BufferRequirement) and event.max_buffer_us:
            link.require(event.max_buffer_us / MICROSECONDS)
        event.pid = pid
        if self.filter.on_event(event):
            return
        for source in self.filter.ipids:
            if source.output is None or source.output is pid:
                self.send_upstream(source, event)

    def _pass(self, link: Link, event: Event) -> None:
        """An event from the producer of `link`."""
        if not link.configured or self.filter.unlinked:  # too early: nobody is there to pass it on to
            self.defer(partial(self.call, self.filter, partial(self._pass, link, event)))
            return
        event.pid = link
        if self.filter.on_event(event):
            return
        for pid in self.filter.opids if link.output is None else (link.output,):
            self.send_downstream(pid, event)


def _as_delay(value: object) -> float:
    """A delay that process() returned. Raises StateError for what is none, such as a generator."""
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise StateError(
            f"process() returned {value!r}, which is no delay",
            hint="it returns None, or after how many seconds it is to be called again; it does not yield",
        )
    return float(value)
