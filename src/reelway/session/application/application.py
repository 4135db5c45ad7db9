"""A running application: a pipeline with states, a bus, queries and events. `rw.launch` makes one."""

from __future__ import annotations

import atexit
import logging
import math
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from reelway.errors import DeadlineError, FilterError, LinkError, OptionError, ReelwayError, StateError
from reelway.graph.states import TRANSITIONS, State, checked_state, way
from reelway.runtime.clock import wait_for
from reelway.session.application.bus import Bus
from reelway.session.application.controls import Controls
from reelway.session.application.element import Element
from reelway.session.application.pipeline import Pipeline
from reelway.session.application.player import KINDS as PLAYERS
from reelway.session.application.player import Player
from reelway.session.application.queries import Queries
from reelway.session.application.realise import Realiser
from reelway.session.application.watch import Watch
from reelway.session.session import Session

if TYPE_CHECKING:
    from reelway.graph.filter import Filter
    from reelway.session.graph import Graph
    from reelway.session.plan import Plan

__all__ = ["Application"]

log = logging.getLogger("reelway.application")

_T = TypeVar("_T")
DEFAULTS = {"fast": True}
"""Of the filters of a pipeline: converters are quick, and off by up to 3 of 255 where YUV becomes RGB."""
SOON_S = 0.001
STOP_S = 5.0
"""`stop()` waits so long for the application's thread, which itself gives up what hangs within 2 s."""


class Application:
    """A pipeline that runs on a thread of its own, in one of four states.

    pipeline   its elements and links; `app["name"]` is the element of that name
    bus        what its elements have to say
    options    every live option, to be read and set by any part of the program
    query      position, duration, caps, latency, seeking, bitrate

    All methods may be called from any thread; those that wait say so, and do not on the application's own.
    """

    def __init__(
        self, pipeline: Pipeline | None = None, *, threads: int | None = None, **session: Any
    ) -> None:
        """`threads` and further keywords are those of `rw.Session`."""
        self.pipeline = pipeline if pipeline is not None else Pipeline()
        self.bus = Bus()
        self.options = Controls(self.pipeline)
        self.query = Queries(self)
        self.state = State.NULL
        self.target = State.NULL
        """The state that it is on its way to."""
        self.session: Session | None = None
        """What runs, from PAUSED on."""
        self.error: ReelwayError | None = None
        """Why it ended, where it failed."""
        self.over = threading.Event()
        """What was played is over: the end of the stream, an error, or a stop."""
        self.on_open: Callable[[Session], None] | None = None
        """Called with each session that it makes, before that runs."""
        self.on_state: Callable[[State, State], None] | None = None
        """Called with the old and the new state, after each change."""
        # texts say themselves where something may be left out: `queue leaky=`, `appsink drop=`
        self._options: dict[str, Any] = {
            "threads": threads,
            "defaults": DEFAULTS,
            "policy": "block",
            **session,
        }
        self._lock = threading.RLock()
        """Between those who change the state. Who closes holds it while it waits for the application's
        thread, and that thread never waits for it."""
        self._moving = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._watch: Watch | None = None
        self._players: list[Player] = []
        self._start: tuple[float, float | None, float] | None = None
        """Where a seek goes that opens the pipeline again."""
        self.bus.connect("error", self._note_error)

    # States

    def set_state(self, state: State) -> None:
        """Goes there, step by step. Opening goes on in the background, see `wait_for`; closing is waited for.

        Raises LinkError, OptionError and what else makes a pipeline impossible; then it stays where it got.
        DeadlineError where it does not close in time.
        """
        self.target = asked = checked_state(state)
        gone_to: State | None = None
        # the application's own thread does not wait for who holds the lock, for he may wait for its end; so
        # who held it looks whether that thread asked for something else meanwhile
        while self.target != gone_to and self._lock.acquire(blocking=not self._on_own_thread()):
            try:
                if gone_to is None:
                    self.target = asked
                gone_to = self.target
                self._go()
            finally:
                self._lock.release()

    def _go(self) -> None:
        """Moves, unless that is what a callback is called for: who called it goes on to the target."""
        if self._moving:
            return
        self._moving = True
        try:
            self._move()
        finally:
            self._moving = False

    def _move(self) -> None:
        """Steps towards the target, which may change on the way."""
        while True:
            opening = self.session is not None and self.state == State.READY
            if opening and self.target <= State.READY and not self._close():
                return  # it goes on when the session is over
            old, new = next(way(self.state, self.target), (self.state, self.state))
            if old == new or not getattr(self, f"_{TRANSITIONS[old, new]}")():
                return  # it is there, or it goes on when it can
            self._arrive(new)

    def wait_for(self, state: State, timeout_s: float | None = None) -> bool:
        """Waits until the state is reached. False: it was not in time. Raises what made it impossible."""
        state = checked_state(state)
        self._refuse_own_thread()
        until = None if timeout_s is None else time.monotonic() + timeout_s
        with self._changed:
            while self.state != state:
                if self.error is not None:
                    raise self.error
                left = None if until is None else until - time.monotonic()
                if (left is not None and left <= 0) or self.over.is_set():
                    return False
                self._changed.wait(left)
        return True

    def wait_seek(self, timeout_s: float | None = None) -> bool:
        """Waits until every sink has the first packet of the last seek. False: not in time.

        True as well where nothing comes any more.
        """
        self._refuse_own_thread()
        with self._changed:
            return self._changed.wait_for(lambda: not self.seeking, timeout_s)

    @property
    def seeking(self) -> bool:
        """Something that a seek asked for is still on its way to the sinks."""
        watch = self._watch
        return self.session is not None and not self.over.is_set() and watch is not None and watch.seeking

    def play(self) -> None:
        """PLAYING, from wherever it is."""
        self.set_state(State.PLAYING)

    def pause(self) -> None:
        """PAUSED: everything stands still, time too."""
        self.set_state(State.PAUSED)

    def stop(self) -> None:
        """NULL: everything is closed, files are whole. Waits for that, up to a deadline."""
        self.set_state(State.NULL)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits until what it plays is over. False: it is not, after `timeout_s`. Raises what it ended with.

        Ctrl-C in the main thread stops the application, and raises KeyboardInterrupt.
        """
        self._refuse_own_thread()
        try:
            over = wait_for(self.over, timeout_s)
        except KeyboardInterrupt:
            self.stop()
            raise
        if over and self.error is not None:
            raise self.error
        return over

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def halt(self) -> None:
        """Asks for the end of what plays, and returns at once; also from a signal handler."""
        watch = self._watch
        if watch is not None:
            watch.end()

    # Events

    def send_eos(self) -> None:
        """Every source ends now; what is under way still reaches the sinks, at once and whole."""
        session = self.session
        if session is None or session.finished:
            return
        scheduler = session._scheduler

        def end() -> None:
            watch = self._watch
            if watch is not None:
                watch.hurry()
            session.resume()
            for node in tuple(scheduler.nodes):
                if node.is_source and not node.done:
                    scheduler.between_turns(node, partial(self._end_source, node))

        scheduler.inbox.put(end)

    def seek(self, start_s: float, end_s: float | None = None, *, speed: float = 1.0) -> None:
        """Every source goes on from `start_s`, exact to the frame; what is still on its way is thrown away.

        Where a source has been read to its end, the pipeline is opened again, and plays from there.
        """
        session = self.session
        check_seek(start_s, end_s, speed)
        if session is None:
            raise StateError("the pipeline is not open", hint="a seek needs PAUSED or PLAYING")
        assert self._watch is not None
        if not session.finished and not self._watch.has_read_all():
            self._watch.seek(start_s, end_s, speed)
            return
        if self._on_own_thread():
            raise StateError(
                "the end of a file was read", hint="seek from another thread than the application's"
            )
        target = self.target
        self.set_state(State.READY)
        self._start = start_s, end_s, speed
        self.set_state(target)

    def send_event(self, name: str, value: Any = None) -> None:
        """Sends a `rw.events.User` event of this name upstream, from every sink to its sources."""
        from reelway.media.events import User

        for element in self.pipeline.sinks:
            if element.entry is not None:
                element.entry.send_event(User(name=name, value=value))

    def post(self, name: str, **fields: Any) -> None:
        """Posts an `application` message."""
        self.bus.post("application", self.pipeline, **{"name": name, **fields})

    # Seeing

    @staticmethod
    def chain_behind(session: Session, source: Filter, text: str) -> None:
        """Puts the elements that `text` says behind a filter of any session: an encoder, a filesink."""
        from reelway.session.application.branch import chain_behind

        chain_behind(session, source, text)

    def __getitem__(self, name: str) -> Element:
        return self.pipeline[name]

    def graph(self) -> Graph:
        """What is linked to what, with figures; see `Session.graph`. Before it is open, what would be."""
        if self.session is not None:
            return self.session.graph()
        from reelway.session.graph import graph_of_plan

        return self._looked_at(lambda session: graph_of_plan(session.explain(), session.filters))

    def explain(self) -> Plan:
        """Which stream would go where, through what, and why, before it is open. Opens sources."""
        if self.session is not None:
            raise StateError("the pipeline is open already", hint="look at graph()")
        return self._looked_at(lambda session: session.explain())

    def _looked_at(self, look: Callable[[Session], _T]) -> _T:
        session = Session(**self._options)
        realiser = Realiser(self.pipeline, session)
        try:
            realiser.realise()
            return look(session)
        finally:
            session.close()
            realiser.forget()

    # Transitions; each is True where the next state is reached at once

    def _check(self) -> bool:
        self.bus.reopen()
        return True

    def _open(self) -> bool:
        if self.session is not None:
            if not self.over.is_set():
                return False  # it is under way
            self._close()
        self.error = None
        self.over.clear()
        session = Session(**self._options)
        realiser = Realiser(self.pipeline, session)
        realiser.on_message = self._message
        self._watch = Watch(self, session, realiser)
        try:
            realiser.realise()
        except Exception:
            realiser.forget()
            session.close()
            raise
        self.pipeline.realiser, self.session = realiser, session
        self._players = [Player(self.pipeline, each) for each in self.pipeline if each.kind.name in PLAYERS]
        if self._start is not None:
            start_s, end_s, speed = self._start
            self._start = None
            realiser.tempo.set_speed(speed)
            session.play(start_s, end_s, speed=speed)
        self._thread = threading.Thread(
            target=self._run, args=(session,), name="reelway-application", daemon=True
        )
        _running.add(self)
        self._thread.start()
        return False

    def _play(self) -> bool:
        if self._watch is not None and self.session is not None:
            self._watch.play()
        return True

    def _pause(self) -> bool:
        if self.session is not None:
            self.session.pause()
        return True

    def _close(self) -> bool:
        session, thread = self.session, self._thread
        if session is not None and self._watch is not None:
            self._watch.end()
        if self._on_own_thread() and not self.over.is_set():
            return False  # it goes on at the thread's end
        if thread is not None and not self._on_own_thread():
            thread.join(STOP_S)
            if thread.is_alive():
                raise DeadlineError(
                    f"the application did not stop in {STOP_S:g} s", hint="a callback keeps it busy"
                )
        if self.pipeline.realiser is not None:
            self.pipeline.realiser.forget()
        self.pipeline.realiser = self.session = self._watch = self._thread = None
        for player in self._players:
            player.forget()
        self._players = []
        return True

    def _forget(self) -> bool:
        return True

    def _arrive(self, state: State) -> None:
        old, self.state = self.state, state
        with self._changed:
            self._changed.notify_all()
        for element in (*self.pipeline.elements, self.pipeline):
            self.bus.post("state-changed", element, old=old, new=state, pending=self.target)
        if self.on_state is not None:
            try:
                self.on_state(old, state)
            except Exception:
                log.exception("a callback for %s failed", state)
        if state == State.NULL:
            self.bus.close()

    def prerolled(self) -> bool:
        """Every sink has its first packet. On the application's thread.

        False: somebody else changes the state, and may wait for this thread's end; it does not wait for him.
        """
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if self.target < State.PAUSED or self._moving:
                return self.target < State.PAUSED  # it is about to be closed
            self._moving = True
            try:
                if self.target < State.PLAYING and self.session is not None:
                    self.session.pause()  # of a seek: its picture is there
                if self.state == State.READY and self.session is not None:
                    self._arrive(State.PAUSED)
                assert self._watch is not None
                self._watch.arrived()
                with self._changed:
                    self._changed.notify_all()
                self.bus.post("async-done", self.pipeline)
            finally:
                self._moving = False
            self._go()
        finally:
            self._lock.release()
        return True

    # The application's thread

    def _run(self, session: Session) -> None:
        error: ReelwayError | None = None
        try:
            session.run()
        except ReelwayError as cause:
            error = cause
        except BaseException as cause:  # noqa: BLE001 - SystemExit too; it is told on the bus, and by wait()
            error = FilterError(filter=self.pipeline.name, cause=cause)
        finally:
            _running.discard(self)
        while error is None and session.completed and self.state < self.target and not self.prerolled():
            time.sleep(SOON_S)  # it was over before anybody looked, and who started it is still at it
        if error is not None:
            failed = {getattr(each, "filter", "") for each in session._scheduler.failures[:1]}
            if isinstance(error, LinkError) and error.consumer:
                failed = {error.consumer.removesuffix(".gate")}
            source = next((each for each in self.pipeline if each.name in failed), None)
            if source is not None and isinstance(error, LinkError):
                source.locate(error)
            self.error = error
            debug = "".join((f"{type(error).__name__}", f"; hint: {error.hint}" if error.hint else ""))
            self.bus.post("error", source or self.pipeline, error=error, debug=debug)
        elif session.completed or self.target > State.READY:  # or a window was closed, which ends it too
            self.bus.post("eos", self.pipeline)
        self.over.set()
        with self._changed:
            self._changed.notify_all()
        if self.target < State.PAUSED and self.session is session and self._lock.acquire(blocking=False):
            try:  # a callback asked for it on this thread; another thread that did is at it
                self._go()
            finally:
                self._lock.release()

    def _end_source(self, node: Any) -> None:
        if not node.done and self.session is not None:
            self.session._scheduler.end(node)

    def _message(self, element: Element, name: str, fields: dict[str, Any]) -> None:
        self.bus.post("element", element, **{"name": name, **fields})

    def _note_error(self, message: Any) -> None:
        self.error = self.error or message["error"]

    def _refuse_own_thread(self) -> None:
        if self._on_own_thread():
            raise StateError(
                "the application's own thread would wait for itself", hint="wait in another thread"
            )

    def _on_own_thread(self) -> bool:
        return threading.current_thread() is self._thread


def check_seek(start_s: object, end_s: object, speed: object) -> None:
    """Raises OptionError for what is no place, or no speed forward."""
    for name, value in (("start_s", start_s), ("end_s", 0.0 if end_s is None else end_s), ("speed", speed)):
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if not number or value < 0 or (name == "speed" and not value):  # type: ignore[operator]
            raise OptionError(
                f"seek: {name} is {value!r}",
                hint="a speed above 0" if name == "speed" else "seconds from the start, 0 or more",
            )


_running: weakref.WeakSet[Application] = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    """A program that ends while applications run closes their files."""
    for application in tuple(_running):
        try:
            application.stop()
        except ReelwayError as error:
            log.warning("%s", error)
