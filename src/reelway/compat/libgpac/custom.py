"""libgpac's FilterCustom: a script's filter, run by an adapter that is a filter of Reelway."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import reelway as rw
from reelway import events
from reelway.compat.libgpac import constants as gf
from reelway.compat.libgpac.environment import e2s
from reelway.compat.libgpac.events import FilterEvent, from_reelway_event
from reelway.compat.libgpac.filters import Filter
from reelway.compat.libgpac.packets import FilterPacket
from reelway.compat.libgpac.pids import FilterPid
from reelway.compat.libgpac.properties import to_reelway
from reelway.compat.libgpac.values import Fraction64
from reelway.graph.caps import Mismatch, match

if TYPE_CHECKING:
    from collections.abc import Callable

    from reelway.compat.libgpac.session import FilterSession

__all__ = ["FilterCustom"]

_log = logging.getLogger("reelway.compat.libgpac")
_IDLE_SOURCE_S = 0.001
"""A source that did nothing and asked for nothing is called again after so long; libgpac calls it at once."""
_MICROSECONDS = 1_000_000
NO_BLOCK = rw.Limits(packets=1 << 20, bytes=256 << 20, seconds=3600.0)
"""Nobody waits for room, until it is clear that nobody reads."""


class Adapter(rw.Filter):
    """Calls the callbacks of `face` as libgpac's session would.

    libgpac calls `process` as long as it gets anywhere, one packet at a time as a rule; so does this, until
    a call neither takes nor sends a packet.
    """

    def __init__(self, face: FilterCustom, name: str) -> None:
        super().__init__(name=name)
        self.face = face
        self.callbacks: dict[str, Callable[..., Any]] = {}
        """The methods that the script's filter has, by name; looked up once, as libgpac does."""
        self.moved = 0
        self.delay: float | None = None
        self.processing = False
        self.failure: Exception | None = None
        self.told: set[FilterPid] = set()
        """Output PIDs whose filter was told that they play."""

    def open(self) -> None:
        for name in ("configure_pid", "process", "process_event"):
            if callable(method := getattr(self.face, name, None)):
                self.callbacks[name] = method
        if "process" not in self.callbacks:
            raise rw.StateError(f"custom filter {self.name} has no process() method")

    def configure(self, pid: rw.Link) -> None:
        face = self.face
        known = pid.data if isinstance(pid.data, FilterPid) else None
        if known is None:
            pid.data = known = FilterPid(face, pid)
        if callback := self.callbacks.get("configure_pid"):
            self._check(callback(known, False), "configure_pid")
        if known not in face.ipids:
            face.ipids.append(known)

    def remove(self, pid: rw.Link) -> None:
        face, known = self.face, pid.data
        if known in face.ipids:
            if callback := self.callbacks.get("configure_pid"):
                callback(known, True)
            face.ipids.remove(known)

    def process(self) -> float | None:
        face, callback = self.face, self.callbacks["process"]
        self._tell_play()
        self.processing = True
        try:
            self._raise_failure()
            for _ in range(self.quantum):
                before = self.moved
                if face._discarding:
                    self._drop_discarded()
                result = callback()
                if (result or self.failure) and self._check(result, "process") == gf.GF_EOS:
                    for pid in face.opids:
                        pid.eos = True
                if self.moved == before or self.blocked or self.unlinked:
                    break
        finally:
            self.processing = False
        if (asked := self._take_delay()) is not None:
            return asked
        if self.unlinked:
            return 0.0  # its new PIDs are linked first
        if self.ipids or self.blocked or (face.opids and all(pid.eos for pid in face.opids)):
            return None
        if self.moved == before:
            return _IDLE_SOURCE_S
        # a source that only sent parts of a frame that is held has sent nothing that its session could see
        return 0.0 if any(pid._parts.held for pid in face.opids) else None

    def _take_delay(self) -> float | None:
        """What `reschedule` asked for in this turn."""
        delay, self.delay = self.delay, None
        return delay

    def ended(self, pid: rw.Link) -> None:
        """Nothing: the script sees `pid.eos` in `process` and says which of its outputs end."""

    def restarted(self, pid: rw.Link) -> None:
        if isinstance(pid.data, FilterPid):
            pid.data._head = None
        super().restarted(pid)

    def on_event(self, event: events.Event) -> bool:
        callback = self.callbacks.get("process_event")
        if callback is None:
            return False
        evt = from_reelway_event(event)
        evt.base.on_pid = getattr(event.pid, "data", None)
        return bool(callback(evt))

    def _tell_play(self) -> None:
        """libgpac's sinks send PLAY when they are linked; here the filter hears of it before it may send."""
        callback = self.callbacks.get("process_event")
        if callback is None:
            return
        for pid in self.face.opids:
            if pid not in self.told and pid._links():
                self.told.add(pid)
                evt = FilterEvent(gf.GF_FEVT_PLAY)
                evt.base.on_pid, evt.play.speed = pid, 1.0
                callback(evt)

    def _drop_discarded(self) -> None:
        for pid in self.face._discarding:
            while pid.get_packet() is not None:
                pid.drop_packet()

    def _raise_failure(self) -> None:
        """Raises what `notify_failure` told or `packet_release` raised."""
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure

    def _check(self, result: Any, doing: str) -> int:
        """The code that a callback returned; raises for an error."""
        self._raise_failure()
        code = gf.GF_OK if result is None else int(result)
        if code < 0:
            raise rw.FilterError(
                f"filter {self.name}: {doing} returned {code} ({e2s(code)})", filter=self.name
            )
        return code


class FilterCustom(Filter):
    """Base class of a script's own filter.

    A subclass has `process()`, and as it needs them `configure_pid(pid, is_remove)`, `process_event(evt)`,
    `packet_release(opid, pck)` and `on_prop_enum(name, value)`. All run on the session's thread. libgpac's
    `reconfigure_output(opid)` is called when a consumer of that PID negotiates; an error code says that it
    cannot, and the session looks for a converter. `probe_data` is never called: nobody probes with a script's
    filter.
    """

    def __init__(self, session: FilterSession, fname: str = "Custom", flags: int = 0) -> None:
        adapter = Adapter(self, fname)
        super().__init__(session, adapter)
        self._adapter = adapter
        self._bundles: list[list[tuple[int, str, Any]]] = [[]]
        self._discarding: list[FilterPid] = []
        self._eos_blocked = False
        self.ipids: list[FilterPid] = []
        self.opids: list[FilterPid] = []
        session._session.add(adapter)

    # Capabilities

    def push_cap(self, pcode: str, prop: Any, flag: int, priority: int = 0, custom_type: int = 0) -> None:
        """Adds one capability to the current bundle. A flag of 0 begins another bundle.

        Several values of one property in a bundle are alternatives.
        """
        if flag == 0:
            self._bundles.append([])
            return
        value = to_reelway(pcode, prop, custom_type)
        self._bundles[-1].append((flag, pcode, value))
        static = [cap for bundle in self._bundles[:-1] for cap in bundle if cap[0] & gf.GF_CAPFLAG_STATIC]
        bundles = [[*static, *bundle] if number else bundle for number, bundle in enumerate(self._bundles)]
        self._adapter.inputs = _caps(bundles, gf.GF_CAPFLAG_INPUT)  # type: ignore[misc]  # this one filter's own
        self._adapter.outputs = _caps(bundles, gf.GF_CAPFLAG_OUTPUT)  # type: ignore[misc]

    def _accepts(self, properties: dict[str, Any]) -> bool:
        return any(not isinstance(match(properties, caps), Mismatch) for caps in self._adapter.inputs)

    # Output

    def new_pid(self) -> FilterPid:
        """A new output PID; it is linked when the running callback returns."""
        made = self._adapter.new_pid()
        pid = FilterPid(self, made)
        made.data = pid
        self.opids.append(pid)
        return pid

    def _discard(self, pid: FilterPid, on: bool) -> None:
        if on and pid not in self._discarding:
            self._discarding.append(pid)
        elif not on and pid in self._discarding:
            self._discarding.remove(pid)

    # Being called

    def _release(
        self, callback: Callable[[FilterPid, FilterPacket], Any], pid: FilterPid, pck: FilterPacket
    ) -> None:
        """`packet_release`, on the session's thread; what it raises comes out of the next turn."""
        try:
            callback(pid, pck)
        except Exception as cause:  # noqa: BLE001 - raised again where it can be told whose it is
            self._adapter.failure = cause
        self._wake()

    def _negotiate(self, pid: FilterPid, pcode: str, value: Any, otherwise: Callable[[], None]) -> None:
        """Asks the script for other properties on its output; `otherwise` where it cannot."""

        def ask() -> None:
            pid._negotiated[pcode] = value
            reconfigure: Callable[[FilterPid], int | None] = getattr(self, "reconfigure_output")  # noqa: B009
            if reconfigure(pid) not in (None, gf.GF_OK):
                del pid._negotiated[pcode]
                self._session._after(0.0, otherwise)

        self._adapter.context.call(self._adapter, ask)

    def _wake(self) -> None:
        if self._adapter.opened:
            self._adapter.wake()

    def reschedule(self, when: int = 0) -> None:
        """Asks for another call of `process` after `when` [us]."""
        delay = when / _MICROSECONDS
        if self._adapter.processing:
            self._adapter.delay = delay
        elif delay:
            self._session._after(delay, self._wake)
        else:
            self._wake()

    def notify_failure(self, err: int, error_type: int = gf.GF_SETUP_ERROR) -> None:
        """Says that the filter failed. A setup error ends the session when the running callback returns;

        a notified one is logged, and with GF_NOTIF_ERROR_AND_DISCONNECT its outputs end.
        """
        text = f"filter {self.name} reports {err} ({e2s(err)})"
        if error_type == gf.GF_SETUP_ERROR:
            self._adapter.failure = rw.FilterError(text, filter=self.name)
            return
        _log.error(text)
        if error_type == gf.GF_NOTIF_ERROR_AND_DISCONNECT:
            for pid in self.opids:
                pid.eos = True

    def update_status(self, status: str, percent: int) -> None:
        """One line for people, and progress in 1/10000."""
        self._adapter.status = status
        self._percent = percent

    def _fire(self, event: events.Event, upstream: bool) -> bool:
        if upstream:
            return super()._fire(event, upstream)
        if not hasattr(self, "process_event"):
            return False

        def tell() -> None:
            self._adapter.on_event(event)

        self._adapter.context.call(self._adapter, tell)
        return True

    # Modes

    def make_sticky(self) -> None:
        """Nothing to do: a filter of Reelway's stays when its inputs go."""

    def prevent_blocking(self, enable: bool) -> None:
        """While on, a full output does not keep the filter from being called: its queues have room enough."""
        self._adapter.output_limits = NO_BLOCK if enable else None
        for pid in self.opids:
            for link in pid._links():
                link.set_limits(NO_BLOCK if enable else link.limits)

    def block_eos(self, enable: bool) -> None:
        """While on, `has_seen_eos` of PIDs behind this filter does not look past it for ends upstream."""
        self._eos_blocked = enable

    def set_max_pids(self, max_pids: int) -> None:
        """How many input PIDs it takes beyond the first; a negative number for any."""
        self._adapter.max_inputs = None if max_pids < 0 else 1 + max_pids  # type: ignore[misc]

    def hint_clock(self, clock_us: int, media_time: Fraction64) -> None:
        self._session._clock_hint = clock_us, media_time

    # What it may ask

    @property
    def block_enabled(self) -> bool:
        """True where a full queue makes a filter wait; False under `-no-block`."""
        return self._session._blocking

    @property
    def output_buffer(self) -> int:
        """[us]"""
        return max((pid.max_buffer for pid in self.opids), default=0)

    @property
    def playout_buffer(self) -> int:
        """[us]"""
        return self.output_buffer

    @property
    def sinks_done(self) -> bool:
        """Every consumer has read to the end."""
        return all(link.ended or link.removed for pid in self.opids for link in pid._links())

    @property
    def nb_evts_queued(self) -> int:
        """0: an event is delivered before the next call of `process`."""
        return 0

    @property
    def clock_hint_time(self) -> int:
        """[us]"""
        return self._session._clock_hint[0]

    @property
    def clock_hint_mediatime(self) -> Fraction64:
        return self._session._clock_hint[1]

    @property
    def connections_pending(self) -> bool:
        """Output PIDs were made that are not linked yet."""
        return bool(self._adapter.unlinked)


def _caps(bundles: list[list[tuple[int, str, Any]]], side: int) -> list[rw.Caps]:
    """Reelway's capabilities for one side of libgpac's bundles."""
    made = []
    for bundle in bundles:
        wanted: dict[str, set[Any]] = {}
        excluded: dict[str, set[Any]] = {}
        for flag, name, value in bundle:
            if flag & side and not flag & gf.GF_CAPFLAG_OPTIONAL:
                values = excluded if flag & gf.GF_CAPFLAG_EXCLUDED else wanted
                values.setdefault(name, set()).add(value)
        if wanted or excluded:
            refused = {name: rw.Not(*values) for name, values in excluded.items() if name not in wanted}
            allowed = {name: values - excluded.get(name, set()) for name, values in wanted.items()}
            made.append(rw.Caps(**refused, **allowed))
    return made
