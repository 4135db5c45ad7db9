"""What has a recorder record: a signal of the system, and what moves in a picture. `remote` has HTTP."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterable
from queue import SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol

from reelway import catalog
from reelway.errors import OptionError, ReelwayError, StateError
from reelway.filters.keyframes import Keyframes
from reelway.filters.motion import Found, Motion
from reelway.graph.filter import Filter, Output
from reelway.graph.link import Limits

if TYPE_CHECKING:
    from reelway.record.recorder import Recorder

__all__ = ["OnMotion", "OnSignal", "asked"]

log = logging.getLogger("reelway.record")

SIGNALS = ("USR1", "USR2")
"""Those that mean nothing else."""
LONGEST_S = 2.0
"""Motion is looked for in keyframes only, where they come at least so often."""
AGAIN_S = 1.0
"""While it moves a recorder is asked so often to go on."""
SLACK_S = 0.5
"""A picture may be so late."""
LOOK = Limits(packets=64, seconds=2.0, policy="drop_to_keyframe")
"""Who only looks never holds up what is recorded."""


def asked(recorders: Iterable[Recorder], metadata: Any, longer_s: float = 0.0) -> None:
    """`record(metadata)` of each, and so much longer than its `after_s`.

    What is wrong with one is logged, and the others go on.
    """
    for recorder in recorders:
        try:
            recorder.record(metadata, after_s=recorder.after_s + longer_s)
        except ReelwayError as error:
            log.error("%s", error)


class OnSignal:
    """Each SIGUSR1, or SIGUSR2, that comes to this process has `recorders` record.

    To be made in the main thread. Raises OptionError for any other signal, StateError in any other thread.
    """

    def __init__(self, recorders: Iterable[Recorder], name: str = "USR1") -> None:
        self.name = name.upper().removeprefix("SIG")
        number = getattr(signal, f"SIG{self.name}", None) if self.name in SIGNALS else None
        if number is None:
            raise OptionError(
                f"the signal {name!r} cannot have anything recorded", hint="USR1 and USR2 can, but on Windows"
            )
        if threading.current_thread() is not threading.main_thread():
            raise StateError("only the main thread hears signals", hint="make OnSignal there")
        self._recorders = tuple(recorders)
        self._number: signal.Signals = number
        self._came: SimpleQueue[bool] = (
            SimpleQueue()
        )  # whose put() may be called wherever a signal interrupts
        self._thread = threading.Thread(target=self._serve, name=f"reelway-{self.name}", daemon=True)
        self._before: Any = signal.signal(number, self._note)
        self._thread.start()

    def close(self) -> None:
        """From here on the signal does what it did before. In the main thread."""
        signal.signal(self._number, signal.SIG_DFL if self._before is None else self._before)
        self._came.put(False)
        self._thread.join()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._came.put(True)

    def _serve(self) -> None:
        while self._came.get():
            asked(self._recorders, {"signal": self.name})


class Chaining(Protocol):
    """A session, as far as it links filters."""

    def add(self, filter: Filter, /) -> Filter: ...
    def chain(self, *filters: Filter) -> None: ...


class OnMotion:
    """Has a recorder record while something moves in the first pictures of `source`.

    motion          the filter that looks, with its zones and thresholds; by default one as it is
    every_picture   look at all of them; else, of what is coded, at keyframes, which costs little, unless they
                    come less often than each two seconds

    It records until `after_s` after the last picture in which something moves, and for as long as it may be
    to the next one that is looked at. The pictures are decoded for this only: what is recorded stays as it
    is. A source that is not live has to be slowed down in front of this and of the recorder
    (`reframer:rt=sync`), else this is ahead.
    """

    def __init__(
        self,
        session: Chaining,
        source: Filter | Output,
        recorder: Recorder,
        motion: Filter | None = None,
        *,
        every_picture: bool = False,
    ) -> None:
        """Raises OptionError for a `motion` that is another filter."""
        self._recorder = recorder
        self._next_s = SLACK_S + (AGAIN_S if every_picture else LONGEST_S)
        """Until then it may go on unseen."""
        self._asked_s: dict[int, float] = {}
        """By zone that moves, when the recorder was asked last."""
        motion = Motion() if motion is None else motion
        if not isinstance(motion, Motion):
            raise OptionError(f"{motion.name} does not look for motion", hint="session.load('motion')")
        self.motion = motion
        self._told = motion.on_motion
        motion.set_options({**self._usual(every_picture), "on_motion": self._found})
        first = catalog.find("decode")(threads=1) if every_picture else Keyframes(longest=LONGEST_S)
        first.input_limits = LOOK
        between = [] if every_picture else [catalog.find("decode")(threads=1)]
        chain = [first, *between, motion, catalog.find("null")()]
        for each in chain:
            if each.wiring is None:
                session.add(each)
        first.set_source(source.select("#video1") if isinstance(source, Filter) else source)
        session.chain(*chain)

    def _usual(self, every_picture: bool) -> dict[str, Any]:
        """Keyframes are too far apart for two in a row."""
        return {} if every_picture or "pictures" in self.motion.given else {"pictures": 1}

    def _found(self, found: Found) -> None:
        if self._told is not None:
            self._told(found)
        if not found.moving:
            self._asked_s.pop(found.zone, None)
            return
        now_s = self.motion.context.now()
        before_s = self._asked_s.get(found.zone)
        if before_s is None or now_s - before_s >= AGAIN_S:
            self._asked_s[found.zone] = now_s
            asked((self._recorder,), {"motion": round(found.score, 4), "zone": found.zone}, self._next_s)
