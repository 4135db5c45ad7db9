"""`LiveOutboundContext`: where a slot goes out to by RTP, and what sends it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import reelway as rw
from reelway.compat.valkka.fifo import Feed, FrameFifo
from reelway.compat.valkka.frames import Frame
from reelway.compat.valkka.later import ComesLaterError
from reelway.compat.valkka.work import Work, log

__all__ = ["LiveOutboundContext", "Outbound"]

LiveConnectionType_none = 0
LiveConnectionType_rtsp = 1
LiveConnectionType_sdp = 2
GATHER_S = 0.5
"""From the first frame of a slot on: streams that begin by then go out together."""


@dataclass(eq=False)
class LiveOutboundContext:
    """(type, address, slot, port): a slot's frames go to a host or a multicast group, by RTP.

    The pictures have the port `portnum`, sound the next but one; each has RTCP behind it.

    ttl        routers that packets of a group may pass
    sdp        a file for the SDP that receivers read; Valkka has none, there it is written by hand
    localaddr  the address of the interface to send from, where the system shall not choose; Valkka has none
    sdp_text   the SDP, once it goes out
    """

    connection_type: int = LiveConnectionType_none
    address: str = ""
    slot: int = 0
    portnum: int = 0
    ttl: int = 255
    sdp: str = ""
    localaddr: str = ""
    sdp_text: str = ""

    @property
    def url(self) -> str:
        """Of RTP."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"rtp://{host}:{self.portnum}"

    def check(self) -> None:
        """Raises OptionError for what cannot be sent to, ComesLaterError for an RTSP server."""
        if self.connection_type == LiveConnectionType_rtsp:
            raise ComesLaterError(
                f"slot {self.slot}: an RTSP server comes later",
                hint="LiveConnectionType_sdp sends to a host or a multicast group",
            )
        if self.connection_type != LiveConnectionType_sdp:
            raise rw.OptionError(
                f"slot {self.slot}: no connection type {self.connection_type!r}",
                hint="LiveConnectionType_sdp",
            )
        if not self.address or not 0 < self.portnum < 1 << 16:
            raise rw.OptionError(
                f"slot {self.slot}: {self.address!r}, port {self.portnum} is no place to send to",
                hint='LiveOutboundContext(LiveConnectionType_sdp, "239.1.2.3", slot, 50000)',
            )


class Outbound:
    """Sends the coded frames of one slot, on a thread of its own, since shortly after its first one."""

    def __init__(self, name: str, context: LiveOutboundContext, fifo: FrameFifo) -> None:
        self.context = context
        self.works: list[Work] = []
        """What sends; none before there is something to be sent."""
        self._name = name
        self._fifo = fifo
        self._lock = threading.Lock()
        """Held for moments: who is the first."""
        self._feeds: dict[tuple[str, int], Feed] = {}
        self._begins_s = 0.0

    def take(self, frame: Frame) -> None:
        """On the thread that writes."""
        with self._lock:
            which = frame.kind, frame.subsession
            feed = self._feeds.get(which)
            if feed is None:
                feed = self._feeds[which] = self._feed(frame)
            feed.offer(frame)
            if not self.works and time.monotonic() >= self._begins_s:
                self._begin()

    def _feed(self, frame: Frame) -> Feed:
        if self.works:
            log.warning("%s: %s begins too late, and stays here", self._name, frame.kind)
        elif not frame.coded:
            log.warning("%s: %s is decoded, and stays here: what is coded is sent", self._name, frame.kind)
        feed = Feed(self._fifo, properties=frame.properties, name=f"{frame.kind} of slot {frame.slot}")
        if self.works or not frame.coded:
            feed.end()  # it takes nothing
        elif not self._begins_s:
            self._begins_s = time.monotonic() + GATHER_S
        return feed

    def _begin(self) -> None:
        context = self.context
        work = Work(self._name)
        session = work.session
        sink = session.load_dst(
            context.url, ttl=context.ttl, localaddr=context.localaddr, sdp=context.sdp, rt="off"
        )
        for feed in self._feeds.values():
            if feed.closing:
                continue
            try:
                sink.check_inputs({feed.name: feed.said})
            except rw.LinkError as error:
                log.warning("%s: %s; it stays here", self._name, error)
                feed.end()
                continue
            session.add(feed) >> sink
        self.works.append(work)
        session.watch(lambda: self._look(sink))
        work.start()

    def _look(self, sink: rw.Filter) -> float | None:
        """A task of the session: the SDP, once it is there."""
        self.context.sdp_text = text = sink.sdp_text  # type: ignore[attr-defined]
        if not text:
            return GATHER_S
        log.info("%s goes to %s:\n%s", self._name, self.context.url, text)
        return None
