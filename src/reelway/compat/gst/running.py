"""What makes a bin that nothing contains play: one `Application`, and a bus in GStreamer's words."""

from __future__ import annotations

import logging
import time
from typing import Any

import reelway as rw
from reelway.compat.gst.bus import Bus
from reelway.compat.gst.caps import Caps
from reelway.compat.gst.constants import CONSTANTS, ENUMERATIONS
from reelway.compat.gst.events import Event, Query
from reelway.compat.gst.messages import Message, gerror_of, message_of
from reelway.compat.gst.values import result
from reelway.graph.states import State as CoreState
from reelway.session.application.application import Application
from reelway.session.application.element import Element as CoreElement
from reelway.session.application.pipeline import Pipeline as CorePipeline

__all__ = ["Runner", "SystemClock"]

log = logging.getLogger("reelway.gst")

NONE: int = CONSTANTS["CLOCK_TIME_NONE"]
SECOND = 1_000_000_000
State: Any = ENUMERATIONS["State"]
Return: Any = ENUMERATIONS["StateChangeReturn"]
Format: Any = ENUMERATIONS["Format"]
SeekFlags: Any = ENUMERATIONS["SeekFlags"]
SeekType: Any = ENUMERATIONS["SeekType"]
EventType: Any = ENUMERATIONS["EventType"]
QueryType: Any = ENUMERATIONS["QueryType"]
MessageType: Any = ENUMERATIONS["MessageType"]


class SystemClock:
    """The machine's monotonic clock."""

    @classmethod
    def obtain(cls) -> SystemClock:
        """The one there is."""
        return _CLOCK

    def get_time(self) -> int:
        """Now [ns]."""
        return time.monotonic_ns()

    get_internal_time = get_time

    def get_name(self) -> str:
        """Its name."""
        return "GstSystemClock"


_CLOCK = SystemClock()


class Runner:
    """The application of one top: a pipeline, or an element on its own."""

    def __init__(self, owner: Any, core: CorePipeline) -> None:
        self.owner = owner
        self.core = core
        self.bus = Bus()
        self.base_time = 0
        self._application: Application | None = None

    @property
    def application(self) -> Application:
        """What runs; made when it is first asked for."""
        if self._application is None:
            self._application = Application(self.core)
            self._application.bus.connect((), self._posted)
        return self._application

    def _posted(self, message: Any) -> None:
        from reelway.compat.gst.elements import face_of

        source = face_of(message.source) if isinstance(message.source, CoreElement) else self.owner
        if message.kind == "state-changed" and source is self.owner and message["new"] == CoreState.PLAYING:
            self.base_time = time.monotonic_ns()
        made = message_of(message, source)
        if made is not None:
            made.timestamp = time.monotonic_ns()
            self.bus.post(made)

    def post_error(self, error: BaseException, source: Any) -> None:
        """An error that was met outside of the application."""
        debug = getattr(error, "hint", "") or ""
        self.bus.post(Message(MessageType.ERROR, source, error=gerror_of(error), debug=debug))

    def on_own_thread(self) -> bool:
        """It is the application's thread that asks: it must not wait for itself."""
        return self._application is not None and self._application._on_own_thread()

    # States

    def set_state(self, state: Any) -> Any:
        """StateChangeReturn; what goes wrong is on the bus."""
        wanted = CoreState(int(state))
        if self._application is None and wanted == CoreState.NULL:
            return Return.SUCCESS
        application = self.application
        try:
            application.set_state(wanted)
        except Exception as error:
            self.post_error(error, self.owner)
            if not isinstance(error, rw.ReelwayError):
                raise
            return Return.FAILURE
        if wanted == CoreState.NULL:
            self.bus.set_flushing(True)
            self.bus.set_flushing(False)
        return Return.SUCCESS if application.state == wanted else Return.ASYNC

    def get_state(self, timeout: int) -> Any:
        """(StateChangeReturn, state, pending); waits for the state that was asked for, up to `timeout` ns.

        A seek is waited for as well: until every sink has the first packet of the new place.
        """
        application = self._application
        if application is None:
            return result(". state pending", Return.SUCCESS, State.NULL, State.VOID_PENDING)
        said = Return.SUCCESS
        target = application.target
        timeout_s = None if timeout == NONE else timeout / SECOND
        began_s = time.monotonic()
        if application.state != target and not self.on_own_thread():
            try:
                application.wait_for(target, timeout_s)
            except rw.ReelwayError:
                said = Return.FAILURE
        if said == Return.SUCCESS and not self.on_own_thread():
            left_s = None if timeout_s is None else max(0.0, began_s + timeout_s - time.monotonic())
            application.wait_seek(left_s)
        now = State(int(application.state))
        if application.state == target and application.seeking and said == Return.SUCCESS:
            return result(". state pending", Return.ASYNC, now, State(int(target)))
        if application.state == target:
            return result(". state pending", said, now, State.VOID_PENDING)
        said = Return.FAILURE if application.error is not None else Return.ASYNC
        return result(". state pending", said, now, State(int(target)))

    @property
    def state(self) -> Any:
        """Where it is."""
        return State.NULL if self._application is None else State(int(self._application.state))

    # Queries

    def position_ns(self) -> int | None:
        """Where playing is."""
        found = self._application.query.position() if self._application is not None else None
        return None if found is None else round(found * SECOND)

    def duration_ns(self) -> int | None:
        """How long it is."""
        found = self._application.query.duration() if self._application is not None else None
        return None if found is None else round(found * SECOND)

    def query_position(self, format: Any) -> Any:
        """(True, ns), or (False, -1)."""
        found = self.position_ns() if format == Format.TIME else None
        return result(". cur", False, -1) if found is None else result(". cur", True, found)

    def query_duration(self, format: Any) -> Any:
        """(True, ns), or (False, -1)."""
        found = self.duration_ns() if format == Format.TIME else None
        return result(". duration", False, -1) if found is None else result(". duration", True, found)

    def query(self, query: Query) -> bool:
        """Answers where it can; False where it cannot."""
        if self._application is None:
            return False
        asked = self._application.query
        match query.type:
            case QueryType.POSITION | QueryType.DURATION:
                position = query.type == QueryType.POSITION
                found = self.position_ns() if position else self.duration_ns()
                if found is None:
                    return False
                (query.set_position if position else query.set_duration)(Format.TIME, found)
            case QueryType.SEEKING:
                seeking = asked.seeking()
                end = -1 if seeking.end_s is None else round(seeking.end_s * SECOND)
                query.set_seeking(Format.TIME, seeking.seekable, round(seeking.start_s * SECOND), end)
            case QueryType.LATENCY:
                latency = asked.latency()
                query.set_latency(latency.live, round(latency.latency_s * SECOND), NONE)
            case QueryType.BITRATE:
                rates = (asked.bitrate(pad) for element in self.core for pad in element.pads)
                query.set_bitrate(int(next((rate for rate in rates if rate), 0)))
            case QueryType.CAPS:
                query.set_caps_result(Caps.new_any())
            case QueryType.BUFFERING:
                return True
            case QueryType.URI:
                places = (element.values.get("uri") for element in self.core)
                query.set_uri(str(next((place for place in places if place), "")))
            case _:
                return False
        return True

    # Events

    def send_event(self, event: Event) -> bool:
        """The end of the stream, and seeks; False for what has no meaning here."""
        if self._application is None:
            return False
        if event.type == EventType.EOS:
            self._application.send_eos()
            return True
        if event.type == EventType.SEEK:
            return self.seek(*event.parse_seek())
        return event.type in (EventType.LATENCY, EventType.RECONFIGURE, EventType.QOS)

    def seek(
        self, rate: float, format: Any, flags: int, start_type: Any, start: int, stop_type: Any, stop: int
    ) -> bool:
        """Goes on from `start` ns; False where that cannot be, which is logged."""
        application = self._application
        if application is None or format != Format.TIME or rate <= 0:
            log.warning("no seek: it needs an open pipeline, Format.TIME, and a rate above 0")
            return False
        duration = self.duration_ns()
        from_ns = self._place(start_type, start, duration, self.position_ns() or 0)
        to_ns = self._place(stop_type, stop, duration, None)
        if int(flags) & SeekFlags.FLUSH and application.query.seeking().seekable:
            for element in self.core:
                flush = getattr(element.filter, "flush", None)
                if flush is not None:
                    flush()
        try:
            application.seek((from_ns or 0) / SECOND, None if to_ns is None else to_ns / SECOND, speed=rate)
        except rw.ReelwayError as error:
            log.warning("%s", error)
            return False
        return True

    @staticmethod
    def _place(kind: Any, value: int, duration: int | None, otherwise: int | None) -> int | None:
        if kind == SeekType.SET:
            return None if value in (-1, NONE) else value
        if kind == SeekType.END and duration is not None:
            return max(0, duration + value)
        return otherwise
