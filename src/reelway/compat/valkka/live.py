"""`LiveThread`: cameras, each on a session of its own, supervised; and streams that go out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reelway as rw
from reelway.compat.valkka.fifo import Chain, FifoFrameFilter, FrameFifo
from reelway.compat.valkka.frames import Frame, FrameFilter
from reelway.compat.valkka.later import ComesLaterError
from reelway.compat.valkka.outbound import (
    LiveConnectionType_none,
    LiveConnectionType_rtsp,
    LiveConnectionType_sdp,
    LiveOutboundContext,
    Outbound,
)
from reelway.compat.valkka.work import Work, WorkThread, log

__all__ = [
    "LiveConnectionContext",
    "LiveConnectionType_none",
    "LiveConnectionType_rtsp",
    "LiveConnectionType_sdp",
    "LiveOutboundContext",
    "LiveThread",
    "setLiveOutPacketBuffermaxSize",
]

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


class LiveThread(WorkThread):
    """Plays any number of contexts. Each has a thread of its own, so that none waits for another.

    What is written into `getFifo()`, or `getFrameFilter()`, goes out as an outbound context of its slot says.
    """

    def __init__(self, name: str, *_reserved: object) -> None:
        super().__init__(name)
        self._contexts: list[LiveConnectionContext] = []
        self._playing: dict[LiveConnectionContext, Work] = {}
        self._fifo = FrameFifo(f"{name} in")
        self._fifo.readers.append(self._send)
        self._outbounds: dict[int, Outbound] = {}
        """By slot; replaced as a whole: frames are on their way."""

    def registerStreamCall(self, context: LiveConnectionContext) -> None:
        """Takes a context. Raises OptionError where it is none, StateError before `startCall()`."""
        self._must_run()
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

    # What goes out

    def getFifo(self) -> FrameFifo:
        """Coded frames that are written into it are sent, where an outbound context has their slot."""
        return self._fifo

    def getFrameFilter(self) -> FifoFrameFilter:
        """The filter that writes into it."""
        return FifoFrameFilter(f"{self.name} in", self._fifo)

    def registerOutboundCall(self, context: LiveOutboundContext) -> None:
        """From now on frames of its slot go out. Raises OptionError where it cannot be sent to.

        Raises StateError before `startCall()`, and where that slot goes out already.
        """
        self._must_run()
        context.check()
        outbound = self._outbounds.get(context.slot)
        if outbound is not None and outbound.context is not context:
            raise rw.StateError(
                f"slot {context.slot} goes out to {outbound.context.address} already",
                hint="a fork, and SetSlotFrameFilter, give it another slot",
            )
        if outbound is None:
            made = Outbound(f"{self.name} out, slot {context.slot}", context, self._fifo)
            self._outbounds = {**self._outbounds, context.slot: made}

    def deregisterOutboundCall(self, context: LiveOutboundContext) -> None:
        """Nothing of it goes out any more; raises what failed in it."""
        outbound = self._outbounds.get(context.slot)
        if outbound is None or outbound.context is not context:
            return
        self._outbounds = {slot: each for slot, each in self._outbounds.items() if each is not outbound}
        for work in outbound.works:
            work.stop()

    def setRTSPServer(self, portnum: int = 8554) -> None:
        """Raises ComesLaterError."""
        raise ComesLaterError(
            f"the RTSP server of {self.name} comes later",
            hint="LiveConnectionType_sdp sends to a host or a multicast group",
        )

    # Inside

    def _works(self) -> list[Work]:
        sending = (work for each in self._outbounds.values() for work in each.works)
        return [*self._playing.values(), *sending]

    def _forget(self) -> None:
        self._contexts.clear()
        self._playing, self._outbounds = {}, {}

    def _send(self, frame: Frame) -> None:
        """On the thread that writes."""
        outbound = self._outbounds.get(frame.slot)
        if outbound is not None and self._runs:
            outbound.take(frame)


def setLiveOutPacketBuffermaxSize(size: int) -> None:
    """Does nothing: a frame of any size is sent in as many packets as it takes."""


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
