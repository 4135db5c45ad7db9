"""Files without an event, one behind the other: no packet is lost between two, and none is in both but the
keyframe behind which an open group's leading pictures come."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable

from reelway.errors import OptionError
from reelway.record.recording import Recording
from reelway.record.ring import SLACK_S, Kept, Stream

__all__ = ["Segments"]

log = logging.getLogger("reelway.record")

HOLD_S = 2.0
"""Sound waits so long for the pictures beside it, and a file that has been cut so long for its sound [s]."""
RETRY_S = 10.0
"""After a file that failed the next one is begun so much later [s]."""
MINUTE_SLACK_S = 1e-3
"""A keyframe that is due so little before a full minute stands at it."""


class Segments:
    """Begins a file with the first keyframe at or after each full `segment_s` of the wall clock, in UTC.

    The first picture stream says where files begin; without any, the first one. What of the others is shown
    before that keyframe goes to the file before, also when it comes later. All on the tape's thread.
    """

    def __init__(
        self,
        segment_s: float,
        make: Callable[[float], Recording],
        *,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        """`make` gives the recording that begins at this time of the session's clock [s]; `wall_s` is the
        time since 1970. Raises OptionError."""
        if not segment_s > 0:
            raise OptionError(f"segment_s is {segment_s:g}", hint="say how many seconds a file shall have")
        self.segment_s = segment_s
        self.open: Recording | None = None
        """What is being recorded."""
        self._make = make
        self._wall_s = wall_s
        self._cuts: list[_Cut] = []
        """Files that wait for the end of their sound, the oldest first."""
        self._held: dict[Stream, deque[Kept]] = {}
        """What may belong to the next file: it is shown later than the newest picture."""
        self._lead: Stream | None = None
        self._streams: list[Stream] = []
        self._seen_s = float("-inf")
        """The next keyframe is shown later than that, by the session's clock [s]."""
        self._next_s: float | None = None
        """When the next file begins, by the wall clock; None: with the next keyframe."""
        self._retry_s = float("-inf")

    @property
    def full(self) -> bool:
        """As much as may be waits for a disk; only where nothing may be lost."""
        recordings = [cut.recording for cut in self._cuts]
        if self.open is not None:
            recordings.append(self.open)
        return any(recording.manner.lossless and recording.full for recording in recordings)

    def take(
        self, kept: Kept, streams: Iterable[Stream], now_s: float, room: Callable[[], None]
    ) -> Recording | None:
        """The next packet of any stream, at `now_s` of the session's clock; the file that it begins, if any.

        `room()` is called when something was written.
        """
        if (streams := list(streams)) != self._streams:
            self._streams, self._next_s = streams, None
            self._lead = next((stream for stream in streams if stream.picture), streams[0])
        begun = None
        if kept.stream is self._lead:
            self._seen_s = max(self._seen_s, _decoded_s(kept))
            self._release()
            if kept.start and self._is_due(kept, now_s):
                begun = self._begin(kept, streams, now_s, room)
            else:
                self._lead_on(kept)
        else:
            self._held.setdefault(kept.stream, deque()).append(kept)
        self._release()
        while self._cuts and (self._cuts[0].at_s + HOLD_S < self._seen_s or self._cuts[0].over(streams)):
            self._cuts.pop(0).recording.finish()
        return begun

    def restart(self) -> None:
        """What comes now does not go on where it was: the next keyframe begins a file."""
        self._release(all=True)
        self._next_s = None
        self._seen_s = float("-inf")
        if self._lead is not None:
            for cut in self._cuts:
                cut.ended.add(self._lead)

    def finish(self) -> None:
        """Nothing comes any more."""
        self._release(all=True)
        for cut in self._cuts:
            cut.recording.finish()
        self._cuts.clear()
        if self.open is not None:
            self.open.finish()
        self.open = None

    def _is_due(self, kept: Kept, now_s: float) -> bool:
        """A file begins with this keyframe."""
        if self.open is not None and self.open.closed:  # it failed, or there was no room
            self.open, self._next_s = None, None
            self._retry_s = now_s + RETRY_S
        if now_s < self._retry_s:
            return False
        if self.open is None or self._next_s is None:
            return True
        wall_s = self._wall_s() - now_s + kept.due_s + MINUTE_SLACK_S
        if self._next_s - wall_s > self.segment_s:  # the clock was set back
            self._next_s = self._behind(wall_s)
        return wall_s >= self._next_s

    def _behind(self, wall_s: float) -> float:
        return (wall_s // self.segment_s + 1) * self.segment_s

    def _begin(
        self, kept: Kept, streams: Iterable[Stream], now_s: float, room: Callable[[], None]
    ) -> Recording | None:
        try:
            made = self._make(kept.due_s)
        except Exception:  # whoever names the files must not end the session
            log.exception("no file could be begun")
            self._retry_s = now_s + RETRY_S
            if self.open is not None:
                self.open.give(kept)
            return None
        if self.open is not None:
            for cut in self._cuts:
                cut.ended.add(kept.stream)
            self._cuts.append(_Cut(self.open, kept))
        else:
            for held in self._held.values():  # of what was there before there was a file
                while held and held[0].due_s < kept.due_s:
                    held.popleft()
        self._next_s = self._behind(self._wall_s() - now_s + kept.due_s + MINUTE_SLACK_S)
        self.open = made
        made.begin([kept], streams, now_s, room)
        return made

    def _lead_on(self, kept: Kept) -> None:
        """A picture that begins no file. Those of an open group that are shown before its keyframe need the
        pictures before that, and it: they go to the file before, and the keyframe too, to be in both."""
        cut = self._cuts[-1] if self._cuts else None
        if cut is not None and kept.stream not in cut.ended:
            if kept.due_s < cut.at_s - SLACK_S and not kept.start:
                if not cut.led:
                    cut.recording.give(cut.key)
                cut.led = True
                cut.recording.give(kept)
                return
            cut.ended.add(kept.stream)
        if self.open is not None:
            self.open.give(kept)

    def _release(self, all: bool = False) -> None:
        """Gives away what is not later than the pictures, or has waited too long for them."""
        for held in self._held.values():
            while held and (all or held[0].due_s < self._seen_s or held[-1].due_s > held[0].due_s + HOLD_S):
                self._route(held.popleft())

    def _route(self, kept: Kept) -> None:
        for cut in self._cuts:
            if kept.stream not in cut.ended:
                if not (kept.start and kept.due_s >= cut.at_s):
                    cut.recording.give(kept)
                    return
                cut.ended.add(kept.stream)
        if self.open is not None:
            self.open.give(kept)


class _Cut:
    """A file that waits for its last packets, since the next one began with `key`."""

    __slots__ = ("at_s", "ended", "key", "led", "recording")

    def __init__(self, recording: Recording, key: Kept) -> None:
        self.recording = recording
        self.key = key
        self.at_s = key.due_s
        """When that is due [s]."""
        self.led = False
        """It got the keyframe too."""
        self.ended: set[Stream] = set()
        """Streams of which it has all."""

    def over(self, streams: Iterable[Stream]) -> bool:
        return self.ended.issuperset(streams)


def _decoded_s(kept: Kept) -> float:
    """When it is decoded: no picture that comes later is shown before."""
    packet = kept.packet
    behind = (packet.cts or 0) - (packet.dts or 0) if packet.dts is not None else 0
    return kept.due_s - behind / (kept.properties.get("Timescale") or 1)
