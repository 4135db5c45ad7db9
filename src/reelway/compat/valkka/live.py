"""`LiveThread`: cameras, each on a session of its own, supervised."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import reelway as rw
from reelway.compat.valkka.fifo import Chain
from reelway.compat.valkka.frames import FrameFilter
from reelway.compat.valkka.work import Work, log

__all__ = [
    "LiveConnectionContext",
    "LiveConnectionType_none",
    "LiveConnectionType_rtsp",
    "LiveConnectionType_sdp",
    "LiveThread",
]

LiveConnectionType_none = 0
LiveConnectionType_rtsp = 1
LiveConnectionType_sdp = 2
LOOK_S = 0.5
"""How often it is asked whether a camera can be reached."""
TYPES = (LiveConnectionType_rtsp, LiveConnectionType_sdp)


@dataclass(eq=False)
class LiveConnectionContext:
    """(type, address, slot, filter): from where, under which number, into which chain.

    msreconnect       without a frame for so long it is connected anew [ms]; 0: as the protocol needs
    request_tcp       RTSP through its own connection, instead of what the camera and the net allow
    request_multicast RTSP by multicast
    The others are known, and change nothing: Reelway keeps times in order, and sizes its buffers itself.
    """

    connection_type: int = LiveConnectionType_none
    address: str = ""
    slot: int = 0
    framefilter: FrameFilter | None = None
    msreconnect: int = 0
    request_multicast: bool = False
    request_tcp: bool = False
    recv_buffer_size: int = 0
    reordering_time: int = 0
    time_correction: Any = None

    def __repr__(self) -> str:
        return f"<LiveConnectionContext of slot {self.slot}>"  # the address may hold a password

    def checked(self) -> FrameFilter:
        """Its chain. Raises OptionError for what cannot be played."""
        if self.connection_type not in TYPES:
            raise rw.OptionError(
                f"slot {self.slot}: no connection type {self.connection_type!r}",
                hint="LiveConnectionType_rtsp or LiveConnectionType_sdp",
            )
        if not isinstance(self.framefilter, FrameFilter):
            raise rw.OptionError(f"slot {self.slot}: no frame filter says where frames go")
        return self.framefilter

    def source(self, session: rw.Session) -> rw.Filter:
        """What reads it. It tries for as long as it takes, as Valkka does."""
        told: dict[str, Any] = {"retry": -1, "reconnect": -1}
        if self.connection_type == LiveConnectionType_rtsp and (self.request_tcp or self.request_multicast):
            told["transport"] = "tcp" if self.request_tcp else "multicast"
        if self.msreconnect:
            told["silence_s"] = max(0.1, self.msreconnect / 1000)
        return session.load_src(self.address, **told)


class LiveThread:
    """Plays any number of contexts. Each has a thread of its own, so that none waits for another."""

    def __init__(self, name: str, *_reserved: object) -> None:
        self.name = name
        self._runs = False
        self._contexts: list[LiveConnectionContext] = []
        self._playing: dict[LiveConnectionContext, Work] = {}

    def startCall(self) -> None:
        """From now on contexts may be registered and played."""
        if self._runs:
            raise rw.StateError(f"{self.name} runs already", hint="stopCall() first")
        self._runs = True

    def stopCall(self) -> None:
        """Ends all of its streams, within 2 s; raises what failed in one of them."""
        self.requestStopCall()
        playing, self._playing = self._playing, {}
        self._contexts.clear()
        join_all(playing.values())

    def requestStopCall(self) -> None:
        """Asks its streams to end, and returns; `waitStopCall()` waits."""
        self._runs = False
        for work in self._playing.values():
            work.ask_to_stop()

    waitStopCall = stopCall

    def registerStreamCall(self, context: LiveConnectionContext) -> None:
        """Takes a context. Raises OptionError where it is none, StateError before `startCall()`."""
        if not self._runs:
            raise rw.StateError(f"{self.name} does not run", hint="startCall() first")
        context.checked()
        if context not in self._contexts:
            self._contexts.append(context)

    def deregisterStreamCall(self, context: LiveConnectionContext) -> None:
        """Stops it, where it plays, and forgets it."""
        self.stopStreamCall(context)
        if context in self._contexts:
            self._contexts.remove(context)

    def playStreamCall(self, context: LiveConnectionContext) -> None:
        """Connects, and sends what comes through its chain. Raises StateError where it is not registered."""
        if context not in self._contexts:
            raise rw.StateError(f"{context!r} is not registered", hint="registerStreamCall(ctx) first")
        if context in self._playing:
            return
        work = Work(f"{self.name} slot {context.slot}")
        chain = work.session.add(Chain(context.checked(), context.slot, name=f"chain of slot {context.slot}"))
        source = context.source(work.session)
        source >> chain
        work.session.watch(_Doubts(work.name, source))
        self._playing[context] = work
        work.start()

    def stopStreamCall(self, context: LiveConnectionContext) -> None:
        """Ends the connection, within 2 s; raises what failed in it. It may be played again."""
        work = self._playing.pop(context, None)
        if work is not None:
            work.stop()


class _Doubts:
    """Logs why a camera cannot be reached, each reason once, until it is."""

    def __init__(self, name: str, source: rw.Filter) -> None:
        self._name, self._source = name, source
        self._told = ""

    def __call__(self) -> float | None:
        """A task of the session; the next call in so many seconds."""
        status = self._source.status
        if status.endswith("tries again") and status != self._told:
            log.warning("%s: %s", self._name, status)
            self._told = status
        return None if status.startswith("connected") else LOOK_S


def join_all(works: Iterable[Work]) -> None:
    """Waits for all; then raises the first failure."""
    failures: list[Exception] = []
    for work in works:
        try:
            work.join()
        except Exception as error:  # noqa: BLE001 - raised below
            failures.append(error)
    if failures:
        raise failures[0]
