"""A session: filters, what links them, and the scheduler that runs them."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from reelway import catalog
from reelway.errors import FilterError, OptionError, ReelwayError, StateError, UnknownNameError
from reelway.graph.filter import Filter, Output
from reelway.graph.link import Limits, Policy
from reelway.graph.option import BUILTIN_OPTIONS, declared, require
from reelway.graph.pid import Pid
from reelway.graph.wiring import Declared, Wiring, nothing
from reelway.runtime.clock import Clock
from reelway.runtime.node import Node
from reelway.runtime.scheduler import Flush, Scheduler
from reelway.runtime.tasks import Task, only_tasks_are_left
from reelway.session.check import check_fed, check_together, check_unlinked, refuse_same_file, tell_empty
from reelway.session.interrupt import interruptible
from reelway.session.linker import Linker
from reelway.session.loading import from_text, load_url
from reelway.session.pending import pending
from reelway.session.plan import Plan, make_plan
from reelway.session.words import as_told

if TYPE_CHECKING:
    from reelway.runtime.statistics import Statistics
    from reelway.session.edit import Edits
    from reelway.session.graph import Graph
    from reelway.session.progress import Meter, Progress

AT_FIRST_S = 0.5  # so long `run()` waits for sources that open slowly: the others are not held up


class Session:
    """One running set of filters.

    threads         workers for heavy filters; None: as many as there are cores; 0: all on the caller
    blocking        False: `run()` does one pass and returns, and is called again and again
    blacklist       names of filters that may not be loaded, neither by name nor by the resolver
    unlinked        what becomes of a PID that nothing takes: `ignore` (the log has it), `warn`, or `error`
    defaults        option -> value, for every filter that has it and was not told otherwise
    profile         a file of such options (TOML), or the name of one in the user's configuration folder
    policy, limits  what links do when full, and when they are full; by default they block, and who is slow
                    behind a live source gets its newest picture
    max_link_bytes  how far a link may grow to dissolve a deadlock
    open_timeout_s  how long `link()` waits for sources to open
    on_progress     called with a `Progress` four times a second, on the session's thread, and at the end
    trace           a file for a trace of every turn, for https://ui.perfetto.dev
    """

    def __init__(
        self,
        *,
        threads: int | None = None,
        blocking: bool = True,
        blacklist: Sequence[str] = (),
        unlinked: Literal["ignore", "warn", "error"] = "ignore",
        defaults: Mapping[str, Any] | None = None,
        profile: str | os.PathLike[str] | None = None,
        policy: Policy | None = None,
        limits: Limits | None = None,
        max_link_bytes: int = 256 << 20,
        open_timeout_s: float = 15.0,
        clock: Clock | None = None,
        on_filter_new: Callable[[Filter], None] | None = None,
        on_filter_del: Callable[[Filter], None] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        trace: str | os.PathLike[str] | None = None,
    ) -> None:
        if threads is not None and threads < 0:
            raise OptionError(f"threads is {threads}, must be 0 or more")
        if unlinked not in ("ignore", "warn", "error"):
            raise OptionError(f"unlinked is {unlinked!r}", hint="one of ignore, warn, error")
        self.blocking = blocking
        self.blacklist = frozenset((blacklist,) if isinstance(blacklist, str) else blacklist)
        self.unlinked = unlinked
        self.defaults: dict[str, Any] = dict(defaults or {})
        if profile:
            from reelway.session.profile import read_profile

            self.defaults = {**read_profile(profile), **self.defaults}
        self.limits = limits or Limits(policy=policy or "block")
        self.fresh = limits is None and policy is None  # what is live then keeps to `freshness.FRESH`
        self.open_timeout_s = open_timeout_s
        self.on_filter_new = on_filter_new
        self.on_filter_del = on_filter_del
        self.on_pid_new: Callable[[Pid], None] | None = None
        self.on_progress = on_progress
        self.filters: list[Filter] = []
        self._ids: dict[str, Filter] = {}
        self._sids: list[tuple[Filter, str]] = []
        self._linked = False
        self._at_end: list[Callable[[], None]] = [lambda: tell_empty(self)]
        self._meter: Meter | None = None
        self._started = False
        make_node: Callable[[Filter, Scheduler], Node] = Node
        if trace is not None:
            from reelway.runtime.trace import Trace

            writer = Trace(trace)
            make_node = writer.node
            self._at_end.append(writer.close)
        self._linker = Linker(self)
        self._edits_made: Edits | None = None
        self._wiring = Wiring(self._linker.converters, at_once=self._at_once, ask=self._ask)
        self._scheduler = Scheduler(
            self._linker.link,
            threads=os.cpu_count() or 1 if threads is None else threads,
            clock=clock,
            max_link_bytes=max_link_bytes,
            pending=self._pending,
            on_close=self._closed,
            make_node=make_node,
            refit=self._linker.refit,
        )

    # Loading

    def load_src(self, url: Any, **options: Any) -> Filter:
        """The filter that reads `url`: a URL, a path, or a Python object with `read()`."""
        return load_url(self, "src", url, options)

    def load_dst(self, url: Any, **options: Any) -> Filter:
        """The filter that writes `url`: a URL, a path, or a Python object with `write()`."""
        return load_url(self, "dst", url, options)

    def load(self, text: str, /, **options: Any) -> Filter:
        """The filter that `text` names, in GPAC's syntax: "reframer:rt=on:saps=1". `options` come on top.

        Raises UnknownNameError, OptionError; both name what is near.
        """
        from reelway.graph.optiontext import parse_filter_text

        parts = parse_filter_text(text, option_names=None, exists=os.path.exists)
        if not parts.name:
            for way in ("src", "dst"):
                if (url := parts.option(way)) is not None:
                    rest = [(name, value) for name, value in parts.options if name != way]
                    return load_url(self, way, url, {**from_text(rest), **options}, dict(parts.properties))
            raise OptionError(f"{text!r} names no filter")
        return self._make(parts.name, {**from_text(parts.options), **options}, dict(parts.properties))

    def add(self, filter: Filter | type[Filter]) -> Filter:
        """Takes `filter` into the session, also while that runs; of a class it makes one.

        Raises OptionError, StateError; DeadlineError as in `remove()`.
        """
        made = filter() if isinstance(filter, type) and issubclass(filter, Filter) else filter
        self._ask(lambda: self._add(made))
        return made

    def _add(self, filter: Filter) -> None:
        if not isinstance(filter, Filter):
            what = f"the class {filter.__name__}" if isinstance(filter, type) else repr(filter)  # type: ignore[unreachable]
            raise OptionError(f"{what} is no filter", hint="a filter is an object of a rw.Filter class")
        if "wiring" not in vars(filter):
            raise StateError(
                f"{type(filter).__name__}.__init__() did not call Filter's",
                hint="begin it with super().__init__(**options)",
            )
        if filter.wiring is not None:
            raise StateError(
                f"{filter.name} is in a session already", hint="make another one for this session"
            )
        if self.finished:
            raise StateError("this session is over", hint="make another one")
        require(filter)
        filter.set_defaults(self.defaults)
        filter.name = self._unused_name(filter.name)
        self._wiring.add(filter)
        filter.wiring = self._wiring
        self._adopt(filter)

    def chain(self, *filters: Filter) -> None:
        """Links one after the other; a stream that a filter does not accept goes around it."""
        self._wiring.chain(filters)

    def __getitem__(self, name: str) -> Filter:
        """The filter called `name`, or with that FID."""
        found = self._ids.get(name) or next((each for each in self.filters if each.name == name), None)
        if found is None:
            raise UnknownNameError.of("filter of this session", name, [each.name for each in self.filters])
        return found

    # Changing what runs

    def remove(self, filter: Filter) -> None:
        """Takes `filter` out, with what it alone feeds. Each finishes what is queued for it, then closes.

        `on_filter_del` is told when it is closed; the name is free at once. As all changes to a session: from
        any thread, done on the session's thread between two turns; from another thread it waits until then.
        Raises StateError where the filter is not in the session or that is over; DeadlineError after 10 s in
        which the session's thread did not come to it. Then nothing has changed.
        """
        self._ask(lambda: self._edits.remove(filter))

    def insert(
        self, new: Filter, *, after: Filter | None = None, before: Filter | None = None, selector: str = ""
    ) -> Filter:
        """Puts `new` behind `after`, in front of `before`, or between the two; adds it where it is not there.

        Streams that `selector` does not match, or that `new` does not accept, go past it. What is queued is
        delivered first, and the consumers keep their inputs: no packet is lost or overtaken. Raises LinkError
        where no stream fits, StateError; then nothing has changed.
        """
        self._ask(lambda: self._edits.insert(new, after, before, selector))
        return new

    def relink(self, consumer: Filter, source: Filter | Output, selector: str = "") -> None:
        """From now on `consumer` takes its input from `source`: what is queued, new properties, a restart.

        Its inputs go on with the first streams of their kind, end where there is none, and more are added for
        more. A source that is not open yet takes over when it is. The old source goes on; `remove()` it where
        nobody needs it. Raises LinkError, as for a muxer that cannot add a stream, StateError; then nothing
        has changed.
        """
        self._ask(lambda: self._edits.relink(consumer, source, selector))

    def replace(self, old: Filter, new: Filter) -> Filter:
        """`new` takes the inputs and outputs of `old`, which finishes what is queued for it, and is removed.

        `new` begins when `old` is closed, and their packets follow each other on the same inputs of the
        consumers. Raises LinkError, StateError; then nothing has changed.
        """
        self._ask(lambda: self._edits.replace(old, new))
        return new

    # Linking

    def link(self, wait_s: float | None = None) -> Plan:
        """Opens sources for `wait_s` (`open_timeout_s`) at most, links what is there. Raises LinkError ..."""
        self._declare_sids()
        if not self._linked:
            self._linked = True
            self._scheduler.open_sources(self.open_timeout_s if wait_s is None else wait_s)
            if self._scheduler.failures:
                self._scheduler.close()
                raise as_told(self._scheduler.failures[0])
        plan = make_plan(self._wiring, self.filters)
        try:
            refuse_same_file(self.filters)
            check_fed(plan, self.filters, self._wiring, self._linker.made_for)
            check_together(plan, self.filters)
            if self.unlinked == "error":
                check_unlinked(plan)
        except ReelwayError:
            self._scheduler.close()
            raise
        return plan

    def explain(self) -> Plan:
        """Which stream goes where, through what, and why. Opens sources, runs nothing; print it."""
        return self.link()

    # Running

    def run(self, *, progress: bool = False) -> bool:
        """Runs until everything is done or `stop()`; a non-blocking session does one pass.

        True while there is more to do (non-blocking), else False. Raises the first failure, after every
        file is closed; KeyboardInterrupt after Ctrl-C, likewise.
        """
        if self.blocking:
            with interruptible(self):
                return self._run(progress, None)
        return self._run(progress, lambda: True)

    def run_until(self, until: Callable[[], bool]) -> bool:
        """Runs until `until()` holds, which is asked now and after each pass: then True, and it can go on.

        False where everything was done before that. Raises as `run()` does. For who takes results as they
        come, in the thread that also runs the session.
        """
        if until():
            return True
        with interruptible(self):
            return self._run(False, until)

    def run_async(self) -> Awaitable[bool]:
        """`run()` for asyncio: in a thread of its own, which also runs the filters. Cancelling stops it."""
        from reelway.session.asynchronous import run_in_thread

        return run_in_thread(self)

    def pause(self) -> None:
        """Stands still: no filter gets a turn, and real time stops for those that keep to it. Any thread."""
        self._scheduler.pause()

    def resume(self) -> None:
        """Goes on after `pause()`, in step with the clock as if nothing had been."""
        self._scheduler.resume()

    def play(self, start_s: float = 0.0, end_s: float | None = None, *, speed: float = 1.0) -> None:
        """Every source plays from `start_s` to `end_s` [s from the start of its media], exact to the frame.

        `speed` is for filters that keep to real time. From any thread, before and while it runs; what is
        queued of the place before still comes first. A source that has ended does not begin again.
        """
        from reelway.media.events import Play

        for filter in tuple(self.filters):
            if not filter.inputs:
                filter.send_event(Play(start_s=start_s, end_s=end_s, speed=speed))

    def stop(self, flush: Flush = "all") -> None:
        """Asks the session to end; returns at once. From any thread, filter or signal handler.

        `all`: what is queued still reaches the sinks. `fast`: what waits behind sources is dropped; filters
        still process what they have made, and write what they hold, so that no file has a hole before its
        end. Both end after a second. `none`: nothing more is processed. Files are closed properly each time.
        """
        if flush not in ("all", "fast", "none"):
            raise OptionError(f"no flush {flush!r}", hint="one of all, fast, none")
        self._scheduler.stop(flush)

    def abort(self, flush: Flush = "none") -> None:
        """`stop()` in a hurry."""
        self.stop(flush)

    def post(self, task: Task, delay_s: float = 0.0) -> Callable[[], None]:
        """Calls `task()` on the session's thread after `delay_s`, then after each delay [s] it returns.

        None or a negative number ends it; a task that goes on keeps a blocking session running. The value
        is a function that cancels it, from any thread. Raises StateError where the session is over.
        """
        if self.finished:
            raise StateError("this session is over", hint="make another one")
        return self._scheduler.post(task, delay_s)

    def watch(self, task: Task, delay_s: float = 0.0, at_end: Callable[[], None] | None = None) -> None:
        """`post()` for a task that only looks on: it keeps nothing running, and also sees the stopping.

        `at_end()` is called once, after every file is closed.
        """
        self._scheduler.post(task, delay_s, watches=True)
        if at_end is not None:
            self._at_end.append(at_end)

    @property
    def last_task(self) -> bool:
        """True when nothing is left to do but, perhaps, the one task that asks."""
        return self._scheduler.finished or self._scheduler.last_task

    @property
    def filters_done(self) -> bool:
        """True when no filter has anything left to do; tasks may be waiting."""
        return self._scheduler.finished or only_tasks_are_left(self._scheduler)

    @property
    def finished(self) -> bool:
        """True after everything is closed."""
        return self._scheduler.finished

    @property
    def completed(self) -> bool:
        """True after an end of its own: nobody stopped it and nothing failed."""
        return self._scheduler.finished and self._scheduler.stopping is None and not self._scheduler.failures

    def close(self) -> None:
        """Closes whatever is open. `with` does it."""
        self._scheduler.close()
        self._tell_end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Seeing

    def statistics(self) -> Statistics:
        """What has happened so far; immutable."""
        return self._scheduler.statistics()

    def graph(self) -> Graph:
        """What is linked to what, with figures; immutable. It draws itself: print it, or `write()` it."""
        from reelway.session.graph import make_graph

        return make_graph(self.filters)

    def progress(self) -> Progress:
        """How far it is, in media time of its sources."""
        from reelway.session.progress import Meter

        self._meter = self._meter or Meter(self)
        return self._meter.read()

    # Inside

    @property
    def _edits(self) -> Edits:
        from reelway.session.edit import Edits  # most sessions stay as they are

        self._edits_made = self._edits_made or Edits(self)
        return self._edits_made

    def _at_once(self, consumer: Filter, declared: Declared) -> Callable[[], None]:
        return self._edits.at_once(consumer, declared) if self._linked or self.finished else nothing

    def _ask(self, work: Callable[[], None]) -> None:
        self._scheduler.ask(work)

    def _run(self, progress: bool, until: Callable[[], bool] | None) -> bool:
        try:
            self._start(progress)
            return self._scheduler.run(until)
        except ReelwayError as error:
            told = as_told(error)
            raise told from told.__cause__
        finally:
            self._tell_end()

    def _start(self, progress: bool) -> None:
        if not self._linked:
            self.link(min(AT_FIRST_S, self.open_timeout_s))
        if self._started:
            return
        self._started = True
        if progress or self.on_progress:
            from reelway.session.progress import follow, show_progress

            if self.on_progress:
                follow(self, self.on_progress)
            if progress:
                show_progress(self)

    def _tell_end(self) -> None:
        if self._scheduler.finished:
            while self._at_end:
                try:
                    self._at_end.pop(0)()
                except ReelwayError:  # the others are told all the same
                    self._tell_end()
                    raise

    def _make(
        self, name: str, options: dict[str, Any], properties: Mapping[str, str | None] | None = None
    ) -> Filter:
        if name in self.blacklist:
            raise UnknownNameError(
                f"the filter {name} is blacklisted", name=name, hint="see blacklist= of the session"
            )
        kind = catalog.find(name)
        own = declared(kind)
        builtin = {key: options.pop(key) for key in BUILTIN_OPTIONS if key in options and key not in own}
        filter = kind(**options)
        if identity := builtin.get("FID"):
            self._ids[str(identity)] = filter
        filter.name = str(builtin.get("N") or builtin.get("FID") or filter.name)
        if properties or "slot" in builtin:
            self._linker.say(filter, properties or {}, builtin.get("slot"))
        self.add(filter)
        if sids := builtin.get("SID"):
            self._sids.append((filter, str(sids)))
        return filter

    def _unused_name(self, name: str) -> str:
        taken = {filter.name for filter in self.filters}
        if name not in taken:
            return name
        return next(each for n in range(2, len(taken) + 3) if (each := f"{name}{n}") not in taken)

    def _adopt(self, filter: Filter) -> None:
        self.filters.append(filter)
        self._scheduler.add(filter)
        if self.on_filter_new:
            self.on_filter_new(filter)

    def _closed(self, filter: Filter) -> None:
        if self._edits_made is not None:
            self._edits_made.closed(filter)
        if self.on_filter_del:
            try:
                self.on_filter_del(filter)
            except Exception as cause:
                raise FilterError(
                    f"on_filter_del() failed: {type(cause).__name__}: {cause}",
                    filter=filter.name,
                    cause=cause,
                ) from cause

    def _declare_sids(self) -> None:
        sids, self._sids = self._sids, []
        if not sids:
            return
        from reelway.graph.select import parse_sources

        for filter, text in sids:
            for selector in parse_sources(text):
                self._wiring.declare(self[selector.source], filter, selector if selector.tests else None)

    def _pending(self, consumer: Filter) -> list[Filter]:
        return pending(consumer, self._wiring, self._linker.made_for)
