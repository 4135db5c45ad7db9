"""What an element is asked that its whole answers: states, queries, seeks, events, the clock."""

from __future__ import annotations

from typing import Any

from reelway.compat.gst.constants import CONSTANTS, ENUMERATIONS
from reelway.compat.gst.events import Event, Query
from reelway.compat.gst.gstobject import GstObject
from reelway.compat.gst.messages import Message
from reelway.compat.gst.running import Runner, SystemClock
from reelway.compat.gst.values import result
from reelway.session.application.element import Element as CoreElement
from reelway.session.application.pipeline import Pipeline as CorePipeline

__all__ = ["PartOfWhole"]

State: Any = ENUMERATIONS["State"]
NONE: int = CONSTANTS["CLOCK_TIME_NONE"]


class PartOfWhole(GstObject):
    """What elements have of the outermost bin that they are in, or on their own, of themselves."""

    _runner: Runner | None = None
    _core: CoreElement

    def _root(self) -> Runner:
        """What plays it: that of the outermost bin, or one of its own."""
        top: PartOfWhole = self
        while top._parent is not None:
            top = top._parent
        return top._own_runner()

    def _own_runner(self) -> Runner:
        if self._runner is None:
            core = CorePipeline(self.get_name())
            core.add(self._core)
            self._runner = Runner(self, core)
        return self._runner

    def _leave_alone(self) -> None:
        """It gets into a bin: what played it on its own is given up."""
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.set_state(State.NULL)
            runner.core.remove(self._core)

    def set_state(self, state: Any) -> Any:
        """StateChangeReturn. Elements in a bin follow it: for them this does nothing."""
        if self._parent is not None:
            return ENUMERATIONS["StateChangeReturn"].SUCCESS
        if self._runner is None and state in (State.NULL, State.READY):
            return ENUMERATIONS["StateChangeReturn"].SUCCESS
        return self._root().set_state(state)

    def get_state(self, timeout: int = NONE) -> Any:
        """(StateChangeReturn, state, pending); waits up to `timeout` ns."""
        if self._parent is None and self._runner is None:
            done = ENUMERATIONS["StateChangeReturn"].SUCCESS
            return result(". state pending", done, State.NULL, State.VOID_PENDING)
        return self._root().get_state(timeout)

    @property
    def current_state(self) -> Any:
        """Where it is."""
        return self.get_state(0)[1]

    def sync_state_with_parent(self) -> bool:
        """True: elements follow their bin."""
        return self._parent is not None

    def set_locked_state(self, _locked_state: bool) -> bool:
        """True; elements follow their bin all the same."""
        return True

    def is_locked_state(self) -> bool:
        """False: elements follow their bin."""
        return False

    @staticmethod
    def state_get_name(state: Any) -> str:
        """PLAYING and so on."""
        return str(State(int(state)).value_name.removeprefix("GST_STATE_"))

    @staticmethod
    def state_change_return_get_name(state_ret: Any) -> str:
        """SUCCESS and so on."""
        kind = ENUMERATIONS["StateChangeReturn"]
        return str(kind(int(state_ret)).value_name.removeprefix("GST_STATE_CHANGE_"))

    def get_bus(self) -> Any:
        """The bus of the whole."""
        return self._root().bus

    def post_message(self, message: Message) -> bool:
        """Puts a message on the bus."""
        return bool(self._root().bus.post(message))

    def query_position(self, format: Any) -> Any:
        """(True, ns), or (False, -1)."""
        return self._root().query_position(format)

    def query_duration(self, format: Any) -> Any:
        """(True, ns), or (False, -1)."""
        return self._root().query_duration(format)

    def query(self, query: Query) -> bool:
        """Answers where it can; False where it cannot."""
        return self._root().query(query)

    def seek(
        self, rate: float, format: Any, flags: int, start_type: Any, start: int, stop_type: Any, stop: int
    ) -> bool:
        """Goes on from `start`, at this rate, up to `stop`; False where that cannot be."""
        return self._root().seek(rate, format, flags, start_type, start, stop_type, stop)

    def seek_simple(self, format: Any, seek_flags: int, seek_pos: int) -> bool:
        """Goes on from `seek_pos`; False where that cannot be."""
        kinds = ENUMERATIONS["SeekType"]
        return self.seek(1.0, format, seek_flags, kinds.SET, seek_pos, kinds.NONE, -1)

    def send_event(self, event: Event) -> bool:
        """The end of the stream, and seeks; False for what has no meaning here."""
        return self._root().send_event(event)

    def get_clock(self) -> Any:
        """The clock."""
        return SystemClock.obtain()

    def get_base_time(self) -> int:
        """When playing began, on that clock."""
        return self._root().base_time

    def get_current_clock_time(self) -> int:
        """Now, on that clock."""
        return SystemClock.obtain().get_time()

    def get_current_running_time(self) -> int:
        """How long it plays."""
        base = self.get_base_time()
        return NONE if not base else self.get_current_clock_time() - base

    def set_start_time(self, _time: int) -> None:
        """Nothing: the running time begins with the first packet."""

    set_base_time = set_start_time
