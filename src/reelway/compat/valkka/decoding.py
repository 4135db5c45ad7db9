"""`AVThread`: decodes what comes through a fifo."""

from __future__ import annotations

from typing import Any

import reelway as rw
from reelway.compat.valkka.fifo import (
    BlockingFifoFrameFilter,
    Chain,
    Feed,
    FifoFrameFilter,
    FrameFifo,
    FrameFifoContext,
)
from reelway.compat.valkka.frames import Frame, FrameFilter
from reelway.compat.valkka.work import Work, WorkThread

__all__ = ["AVThread"]


class AVThread(WorkThread):
    """Decodes pictures, of any number of slots, and has them run through a chain, on a thread of its own.

    `AVThread(name, fifo, filter)`, or, as in the last version, `AVThread(name, filter[, fifo context])` with
    `getFrameFilter()` for what comes in. It decodes nothing before `decodingOnCall()`, nor after
    `decodingOffCall()`; switched on, it gives the picture of that moment at once (`decode`, `decoding`).
    """

    def __init__(self, name: str, *words: Any) -> None:
        super().__init__(name)
        given = list(words)
        self.infifo = given.pop(0) if given and isinstance(given[0], FrameFifo) else None
        if not given or not isinstance(given[0], FrameFilter):
            raise rw.OptionError(
                f"{name}: no frame filter says where pictures go",
                hint="AVThread(name, fifo, filter), or AVThread(name, filter)",
            )
        self.outfilter: FrameFilter = given.pop(0)
        size = given[0] if given and isinstance(given[0], FrameFifoContext) else FrameFifoContext()
        self.infifo = self.infifo or FrameFifo(f"{name} in", size)
        self.decoding = False
        self.threads = 0
        """Of each codec; 0: as many as there are cores."""
        self._work: Work | None = None
        self._feeds: dict[tuple[int, int], Feed] = {}
        self._decoders: list[rw.Filter] = []
        """Its own thread's."""
        self.infifo.readers.append(self._take)

    # Calls

    def decodingOnCall(self) -> None:
        """From now on pictures are decoded."""
        self._switch(True)

    def decodingOffCall(self) -> None:
        """What comes is not decoded, and kept as far as the picture of the moment needs it."""
        self._switch(False)

    def setNumberOfThreads(self, number: int) -> None:
        """So many for each stream that begins from now on; 0: as many as there are cores."""
        self.threads = number

    def setTimeTolerance(self, mstol: int) -> None:
        """Does nothing: what is late is dropped where it is shown."""

    # What comes in

    def getFrameFilter(self) -> FifoFrameFilter:
        """The filter that writes into it."""
        assert self.infifo is not None
        return FifoFrameFilter(f"{self.name} in", self.infifo)

    def getBlockingFrameFilter(self) -> BlockingFifoFrameFilter:
        """The same."""
        assert self.infifo is not None
        return BlockingFifoFrameFilter(f"{self.name} in", self.infifo)

    # Inside

    def _begin(self) -> None:
        self._feeds, self._decoders = {}, []
        self._work = Work(self.name, threads=None)
        self._work.start()

    def _works(self) -> list[Work]:
        return [self._work] if self._work is not None else []

    def _forget(self) -> None:
        self._work = None

    def _switch(self, on: bool) -> None:
        self.decoding = on
        if (work := self._work) is not None:
            work.do(self._tell)

    def _tell(self) -> None:
        """On its own thread."""
        for decoder in self._decoders:
            decoder.update("decoding", self.decoding)

    def _take(self, frame: Frame) -> None:
        """On the thread that writes."""
        work = self._work
        if work is None or not work.runs or frame.kind != "Visual":
            return
        which = frame.slot, frame.subsession
        feed = self._feeds.get(which)
        if feed is None:
            assert self.infifo is not None
            feed = self._feeds[which] = Feed(self.infifo, name=f"slot{frame.slot}")
            made = feed
            work.do(lambda: self._link(work, made, which))
        feed.offer(frame)

    def _link(self, work: Work, feed: Feed, which: tuple[int, int]) -> None:
        """On its own thread."""
        session = work.session
        slot, subsession = which
        decoder = session.load("decode", threads=self.threads, decoding=self.decoding)
        self._decoders.append(decoder)
        end = session.add(Chain(self.outfilter, slot, subsession, name=f"chain of slot {slot}"))
        session.add(feed) >> decoder >> end
