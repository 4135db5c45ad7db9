"""`FileThread`: files, played at their speed."""

from __future__ import annotations

from dataclasses import dataclass

import reelway as rw
from reelway.compat.valkka.fifo import Chain
from reelway.compat.valkka.frames import FrameFilter
from reelway.compat.valkka.work import Work, WorkThread, log

__all__ = [
    "FileContext",
    "FileState_error",
    "FileState_none",
    "FileState_ok",
    "FileThread",
]

FileState_none = 0
FileState_error = 1
FileState_ok = 2


@dataclass(eq=False)
class FileContext:
    """(filename, slot, filter): which file, under which number, into which chain.

    seektime_  where `seekFileStreamCall()` goes [ms]
    status     FileState_ok after `openFileStreamCall()`, or FileState_error
    duration   of the file [ms], once it is open; 0 where its streams do not say, as in Matroska
    """

    filename: str = ""
    slot: int = 0
    framefilter: FrameFilter | None = None
    seektime_: int = 0
    duration: int = 0
    mstimestamp: int = 0
    status: int = FileState_none


class FileThread(WorkThread):
    """Plays any number of files, each on a thread of its own. What it sends is coded."""

    def __init__(self, name: str, *_reserved: object) -> None:
        super().__init__(name)
        self._open: dict[FileContext, Work] = {}

    def openFileStreamCall(self, context: FileContext) -> None:
        """Opens a file; `context.status` says whether that went well, the log why not.

        Raises StateError before `startCall()`, OptionError where no chain is given.
        """
        self._must_run()
        if not isinstance(context.framefilter, FrameFilter):
            raise rw.OptionError(f"slot {context.slot}: no frame filter says where frames go")
        if context in self._open:
            return
        work = Work(f"{self.name}, {context.filename}")
        session = work.session
        try:
            source = session.load_src(context.filename)
            pace = session.load("reframer:rt=sync")
            source >> pace >> session.add(Chain(context.framefilter, context.slot, name="chain"))
            session.link()
        except rw.ReelwayError as error:
            context.status = FileState_error
            log.error("%s: %s", self.name, error)
            session.close()
            return
        lengths = [float(pid.properties.get("Duration") or 0) for pid in source.opids]
        context.duration = round(max(lengths, default=0) * 1000)
        context.status = FileState_ok
        self._open[context] = work

    def closeFileStreamCall(self, context: FileContext) -> None:
        """Closes a file, within 2 s; raises what failed in it."""
        work = self._open.pop(context, None)
        context.status = FileState_none
        if work is not None:
            work.stop()

    def playFileStreamCall(self, context: FileContext) -> None:
        """Plays, or goes on. Raises StateError where it is not open."""
        work = self._work(context)
        if work.started:
            work.session.resume()
        else:
            work.start()

    def stopFileStreamCall(self, context: FileContext) -> None:
        """Stands still. Raises StateError where it is not open."""
        self._work(context).session.pause()

    def seekFileStreamCall(self, context: FileContext) -> None:
        """Goes on from `context.seektime_`, or the keyframe before it."""
        self._work(context).session.play(context.seektime_ / 1000)

    def _work(self, context: FileContext) -> Work:
        if (work := self._open.get(context)) is None:
            raise rw.StateError(
                f"{context.filename} is not open", hint="openFileStreamCall(ctx), and look at ctx.status"
            )
        return work

    def _works(self) -> list[Work]:
        return list(self._open.values())

    def _forget(self) -> None:
        self._open = {}
