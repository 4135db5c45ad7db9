"""`tape`: keeps what came last, and gives it, with what follows, to the recordings that want it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reelway.filters.gate import Tempo
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.graph.pace import keeps_pace, sources_of
from reelway.media.packet import Packet
from reelway.record.recording import Recording
from reelway.record.ring import SLACK_S, Kept, Ring, Stream
from reelway.record.spill import Spill
from reelway.record.steady import Steady

if TYPE_CHECKING:
    from reelway.record.segments import Segments

__all__ = ["Tape"]

LIVE_GRACE_S = 0.5
"""A recording whose time is over waits so long for packets that are late; then its source is lost."""
GRACE_S = 5.0
"""The same for a source that is slower than it should be, and does not lose anything."""
LEAK = 0.001
"""So fast does the clock of a live source seem to go slower, where all that comes is late [s/s]."""
AHEAD = 16
"""So many packets of what is slowed down wait to be due: no more than may lie between its streams."""
SOON_S = 0.01
"""It is looked no sooner than that, whatever is to end."""
JUMP_S = 1.0
"""Who is later than that has not kept to the clock: from here on it is counted anew."""


class Tape(Filter):
    """A sink with a ring. What is not `live` goes through it in real time, whatever the source could do.

    Packets come on the session's thread, recordings from any.
    """

    registry_name = "tape"
    inputs = (Caps(),)
    records = True

    seconds: float = option(2.0, low=0.0, unit="s", help="so much of what came last is kept")
    most_bytes: int = option(256 << 20, low=1, unit="byte", help="and no more than that")
    spill: str = option("", help="a folder for what is coded and older than two seconds; empty: in memory")
    live: bool | None = option(
        None,
        help="packets are due when they come, not by their times; by default where the source is live",
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._spill = Spill(self.spill) if self.spill else None
        self.ring = Ring(self.seconds, self.most_bytes, self._spill)
        self.over = False
        """Nothing comes any more."""
        self.first_s: float | None = None
        """When the first packet came [s of the session's clock]."""
        self.trigger: Callable[[Packet, Link], None] | None = None
        """Called with each packet of a picture stream, behind what it is about."""
        self.on_over: Callable[[], None] | None = None
        """Called when nothing comes any more."""
        self.segments: Segments | None = None
        """Files that are written all the time; set before the session runs, or while it does."""
        self._complete = False
        """Every stream that it begins with is there."""
        self._lock = threading.Lock()
        """Guards the recordings and their ends; held for moments."""
        self._takes: dict[Recording, _Take] = {}
        self._tempo = Tempo()
        self._steady: dict[Stream, Steady] = {}
        self._shifts: list[float] = []
        self._offset_s: float | None = None
        """Of a live source: from its times to the clock."""
        self._seen_s = 0.0
        self._thread: int | None = None
        self._restarts = 0
        """How often its streams went on from elsewhere; those that have not yet are behind."""

    # From any thread

    def record(self, recording: Recording) -> None:
        """From now on `recording` gets what it wants; where nothing comes any more, what is there."""
        with self._lock:
            over = self.over
            if not over:
                self._takes[recording] = _Take()
        if over:
            self._begin(recording)
            recording.finish()
        elif self.opened:
            self.wake()

    def extend(self, recording: Recording, until_s: float) -> bool:
        """It ends at `until_s`, where that is later; False: it has ended already."""
        with self._lock:
            take = self._takes.get(recording)
            if take is None or take.ended or recording.closed:
                return False
            recording.until_s = max(recording.until_s, until_s)
        return True

    def cut(self) -> None:
        """All recordings end at this moment."""
        now_s = self.context.now()
        with self._lock:
            for recording, take in self._takes.items():
                recording.until_s = min(recording.until_s, now_s)
                take.hurried = True
        if self.opened and not self.over:
            self.wake()

    def expire(self) -> float:
        """Ends what should have ended, for a source of which nothing has come; when to look again, for the
        session's thread."""
        left_s = self._close_late()
        return -1.0 if left_s is None or self.ipids else max(left_s, SOON_S)

    @property
    def is_here(self) -> bool:
        """This is the session's thread, on which packets come."""
        return self._thread == threading.get_ident()

    def finish_all(self) -> None:
        """Nothing comes any more; on the session's thread, or where this is in no session."""
        with self._lock:
            was_over, self.over = self.over, True
        for recording in tuple(self._takes):
            if not recording.fed:
                self._begin(recording)
            self._finish(recording)
        if self.segments is not None:
            self.segments.finish()
        if not was_over and self.on_over is not None:
            self.on_over()

    # The filter

    def configure(self, pid: Link) -> None:
        if self.live is None:
            self.live = bool(pid.properties.get("Live")) or any(map(keeps_pace, sources_of(pid.source)))
        if not self.live:
            pid.max_packets = min(pid.max_packets, AHEAD)
        if pid.data is None:
            pid.data = Stream(pid.name, dict(pid.properties))
            self._steady[pid.data] = Steady(self._shifts)
            pid.data.restarts = self._restarts
        else:
            pid.data.properties = dict(pid.properties)

    def process(self) -> float | None:
        self._thread = threading.get_ident()
        self.waits_outside = False
        self._begin_all()
        if self.segments is not None and not self._is_complete():
            return None
        wait_s: float | None = None
        for pid in self.ipids:
            while (packet := pid.peek()) is not None:
                if self._is_full():
                    self.waits_outside = True  # for a disk, whose thread wakes this when there is room
                    return None
                now_s = self.context.now()
                due_s, media_s = self._times(pid, packet, now_s)
                if not self.live and due_s > now_s:
                    wait_s = due_s - now_s if wait_s is None else min(wait_s, due_s - now_s)
                    break
                if pid.take(packet):
                    self.first_s = now_s if self.first_s is None else self.first_s
                    self._take(pid, Kept(pid.data, pid.data.properties, packet, due_s, media_s))
        left_s = self._close_late()
        return left_s if wait_s is None else wait_s if left_s is None else min(wait_s, left_s)

    def ended(self, pid: Link) -> None:
        if all(link.ended for link in self.ipids):
            self.finish_all()

    def restarted(self, pid: Link) -> None:
        stream: Stream = pid.data
        stream.restarts += 1
        self._steady[stream] = Steady(self._shifts)
        if stream.restarts > self._restarts:  # the first one of its streams
            self._restarts = stream.restarts
            self._tempo = Tempo()
            self._shifts.clear()
            self.ring.clear()
        for recording, take in self._takes.items():
            if recording.fed:
                recording.jump(stream)
            take.held.pop(stream, None)
        if self.segments is not None:
            self.segments.restart()

    def remove(self, pid: Link) -> None:
        if not self.ipids:
            self.finish_all()

    def close(self) -> None:
        self.finish_all()
        if self._spill is not None:
            self._spill.close()

    # Inside

    def _times(self, pid: Link, packet: Packet, now_s: float) -> tuple[float, float]:
        """When it is due by the clock, and where it lies on its source's timeline [s]."""
        ticks = packet.cts if packet.cts is not None else packet.dts
        if ticks is None:
            return now_s, now_s
        timescale = pid.properties.get("Timescale") or 1
        media_s = pid.pid.timeline.running_s(ticks, timescale)
        behind_s = 0.0 if packet.dts is None else (ticks - packet.dts) / timescale
        lasts_s = (packet.duration or 0) / timescale
        media_s += self._steady[pid.data].shift_s(media_s - behind_s, lasts_s, now_s, bool(self.live))
        if not self.live and pid.data.restarts < self._restarts:  # others have jumped: no clock counts it
            return now_s, media_s
        if not self.live:
            return self._tempo.due_s(0, media_s, now_s), media_s
        late_s = 0.0 if self._offset_s is None else now_s - media_s - self._offset_s
        if self._offset_s is None or late_s > JUMP_S:
            self._offset_s = now_s - media_s
        else:
            self._offset_s += min(late_s, max(0.0, now_s - self._seen_s) * LEAK)
        self._seen_s = now_s
        return media_s + self._offset_s, media_s

    def _is_complete(self) -> bool:
        if not self._complete:
            configured = all(pid.configured for pid in self.ipids)
            self._complete = configured and not self.context.expects_inputs(self)
        return self._complete

    def _take(self, pid: Link, kept: Kept) -> None:
        self._begin_all()  # before anything that they want makes room
        begun = [recording for recording in tuple(self._takes) if recording.fed]
        self.ring.add(kept)
        for recording in begun:
            self._give(recording, kept)
        self._begin_all()
        if self.segments is not None:
            streams = [pid.data for pid in self.ipids if pid.data is not None]
            self.segments.take(kept, streams, self.context.now(), self.wake)
        if self.trigger is not None and kept.stream.picture:
            self.trigger(kept.packet, pid)

    def _begin_all(self) -> None:
        for recording in tuple(self._takes):
            if not recording.fed:
                self._begin(recording)

    def _begin(self, recording: Recording) -> None:
        """With what the ring has, once there is a picture to begin with."""
        streams = [pid.data for pid in self.ipids if pid.data is not None]
        first = [
            kept
            for kept in self.ring.since(recording.start_s, recording.manner.exact)
            if kept.due_s < recording.until_s - SLACK_S
        ]
        wanted = any(stream.picture for stream in streams)
        if any(kept.stream.picture or not wanted for kept in first):
            recording.begin(first, streams, self.context.now(), self.wake)

    def _give(self, recording: Recording, kept: Kept) -> None:
        """Unless the recording has ended for its stream, in the order of decoding."""
        packet, take = kept.packet, self._takes[recording]
        if kept.stream in take.ended:
            return
        behind = (packet.cts or 0) - (packet.dts or 0) if packet.dts is not None else 0
        decoded_s = kept.due_s - behind / (kept.properties.get("Timescale") or 1)
        with self._lock:
            end_s = max(recording.until_s - SLACK_S, take.shown_s.get(kept.stream, 0.0))
            if decoded_s >= end_s:
                take.ended.add(kept.stream)
        if kept.stream in take.ended:
            if all(pid.data in take.ended for pid in self.ipids if not pid.ended):
                self._finish(recording)
            return
        held = take.held.setdefault(kept.stream, [])
        held.append(kept)
        if kept.due_s < end_s:
            for each in held:  # what it may need, and so all that is shown before that
                recording.give(each)
                take.shown_s[kept.stream] = max(take.shown_s.get(kept.stream, 0.0), each.due_s)
            held.clear()

    def _close_late(self) -> float | None:
        """Ends what should have ended; when to look again [s]."""
        grace_s = LIVE_GRACE_S if self.live else GRACE_S
        now_s = self.context.now()
        left_s = None
        for recording in tuple(self._takes):
            over_s = recording.until_s - now_s + (0.0 if self._takes[recording].hurried else grace_s)
            if over_s <= 0:
                self._finish(recording)
            else:
                left_s = over_s if left_s is None else min(left_s, over_s)
        return None if left_s == math.inf else left_s

    def _is_full(self) -> bool:
        """Nothing may be lost, and a disk has as much to write as may be."""
        if self.segments is not None and self.segments.full:
            return True
        return any(recording.manner.lossless and recording.full for recording in tuple(self._takes))

    def _finish(self, recording: Recording) -> None:
        with self._lock:
            take = self._takes.pop(recording, None)
        if take is not None:
            recording.finish()


class _Take:
    """What the tape knows of a recording."""

    __slots__ = ("ended", "held", "hurried", "shown_s")

    def __init__(self) -> None:
        self.ended: set[Stream] = set()
        """Of these it has all."""
        self.shown_s: dict[Stream, float] = {}
        """When the last picture is shown that it has [s]."""
        self.hurried = False
        """Nobody waits for what is late."""
        self.held: dict[Stream, list[Kept]] = {}
        """Pictures that are shown after the end, as long as others that need them may come."""
