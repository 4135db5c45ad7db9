"""The reframer: real time, time ranges, and a choice of packets."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from typing import Any

from reelway.errors import OptionError
from reelway.filters.extraction import Extraction, StreamCutter, ranges
from reelway.filters.pacing import Pacer
from reelway.graph.caps import Caps, Not
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import Seconds, option
from reelway.media.events import Event, Play, Seek, Stop
from reelway.media.packet import Packet

__all__ = ["Reframer"]

log = logging.getLogger("reelway.filters")
PLAYS_ONLY = 0  # PlaybackMode of a source that cannot seek
WORTH_A_SEEK_S = 1.0


class Stream:
    """What the reframer keeps for one input."""

    __slots__ = ("cutter", "ended", "ready", "seen", "sought", "stopped")

    def __init__(self, cutter: StreamCutter | None) -> None:
        self.cutter = cutter
        self.ready: deque[Packet] = deque()
        """Chosen, and waiting for its time: at most a group of pictures and a packet."""
        self.seen = 0
        self.sought = False
        """The source was asked to go to another place for this filter, and has not said that it did."""
        self.ended = False
        self.stopped = False
        """The source was told that no more is wanted."""


class Reframer(Filter):
    """Paces, cuts and thins streams that stay as they are coded: GPAC's reframer.

    Real time: with `rt`, packets are sent when their time has come by the session's clock.

    Ranges: `xs` and `xe` say which parts of the media to keep, counted from its beginning. Pictures begin
    at a random access point (`xround`); sound and text follow them; pictures at the end of a range stay
    where one that is shown before the end needs them. In the output the ranges follow each other from 0,
    unless `xots`. A source that feeds nobody else is asked to seek, and to stop behind the last range.

    Choice: `saps` and `frames` keep some of the packets, at their times.
    """

    registry_name = "reframer"
    holds = True
    inputs = (Caps(),)
    outputs = (Caps(),)

    rt: str = option(
        "off",
        choices=("off", "on", "sync"),
        live=True,
        help="real time: one clock for each stream, or one for all",
    )
    speed: float = option(
        0.0,
        low=0.0,
        high=1000.0,
        live=True,
        help="how fast real time passes; 0: as fast as the consumers ask to play",
    )
    saps: list[int] = option(
        [],
        low=0,
        high=4,
        live=True,
        kind=list[int] | int,
        help="types of access points to keep; 0: all other packets",
    )
    frames: list[int] = option(
        [],
        live=True,
        kind=list[int] | int,
        help="numbers of the packets to keep, from 1; -V: the first of every V",
    )
    xs: list[Seconds] = option(
        [],
        kind=list[Seconds] | Seconds,
        unit="s",
        help="where ranges start: 90, T00:01:30, several with commas",
    )
    xe: list[Seconds | str] = option(
        [],
        kind=list[Seconds | str] | Seconds,
        unit="s",
        help="where ranges end; D5: five seconds after the start",
    )
    xround: str = option(
        "before",
        choices=("before", "seek", "after", "closest"),
        help="begin at the access point before the start, after it, or at the nearest; "
        "seek: before it, and what comes before the start is decoded but not shown",
    )
    xots: bool = option(False, help="keep the times of the source")
    seeksafe: float = option(
        10.0,
        low=0.0,
        unit="s",
        help="seek so much before the start: at least a group of pictures where a source has no index",
    )
    raw: str = option("no", choices=("no", "av", "a", "v"), help="take sound, pictures or both decoded")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._pacer = Pacer()
        self._play_speed = 1.0
        self._extraction: Extraction | None = None
        self._looking_since: object = None

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        if self.raw != "no":
            kinds = [kind for letter, kind in (("v", "Visual"), ("a", "Audio")) if letter in self.raw]
            decoded = [Caps(StreamType=kind, CodecID="raw") for kind in kinds]
            self.inputs = (*decoded, Caps(StreamType=Not(*kinds)))  # type: ignore[misc, assignment]  # of this one
        if any(number == 0 for number in _listed(self.frames)):
            raise OptionError(
                "reframer:frames counts from 1", hint="-10 keeps the first of every ten packets"
            )
        ranges(_listed(self.xs), _listed(self.xe))

    def open(self) -> None:
        starts, ends = _listed(self.xs), _listed(self.xe)
        if starts or ends:
            self._extraction = Extraction(ranges(starts, ends), self.xround, self.xots)  # type: ignore[arg-type]

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        return [self._made(properties)]

    def configure(self, pid: Link) -> None:
        made = self._made(pid.properties)
        if pid.data is None:
            pid.data = Stream(self._extraction.add(pid) if self._extraction else None)
        self.output_for(pid, made)

    def process(self) -> float | None:
        extraction = self._extraction
        if extraction is not None:
            if any(not pid.configured for pid in self.ipids) or self.context.expects_inputs(self):
                return None  # another stream may decide where the range begins
            self._check(extraction)
            self._seek()
        wait: float | None = None
        moved = True
        while moved and not self.blocked:
            moved, wait = False, None
            for pid in self.ipids:
                left = self._serve(pid)
                if left is not None:
                    wait = left if wait is None else min(wait, left)
            if extraction is not None and not self.blocked:
                moved = self._step(extraction)
        return wait

    def ended(self, pid: Link) -> None:
        stream: Stream | None = pid.data
        if stream is not None:
            stream.ended = True
            if stream.cutter is not None:
                stream.cutter.finish()
        # the output ends in process(), behind what waits for its time

    def restarted(self, pid: Link) -> None:
        stream: Stream = pid.data
        cutter = stream.cutter
        if cutter is not None and stream.sought:
            stream.sought = False
            cutter.skip_to = cutter.last_dts
            return
        while stream.ready and pid.output is not None:
            pid.output.send(stream.ready.popleft())
        self._pacer.restart(pid)
        super().restarted(pid)

    def remove(self, pid: Link) -> None:
        if self._extraction is not None and pid.data is not None:
            self._extraction.cutters.remove(pid.data.cutter)
        self._pacer.restart(pid)
        super().remove(pid)

    def on_event(self, event: Event) -> bool:
        if isinstance(event, Play) and 0 < event.speed != self._play_speed:
            self._play_speed = event.speed
            self._pacer.restart()
        extraction = self._extraction
        if extraction is None or self.xots or not isinstance(event, (Play, Seek)):
            return False
        if not extraction.last or extraction.range.offset_s:
            return True  # places of several ranges: there is no one answer
        start_s = float(
            extraction.range.start_s if extraction.range.cut_s is None else extraction.range.cut_s
        )
        if isinstance(event, Seek):
            event.time_s += start_s
        elif event.start_s or event.end_s is not None:
            event.start_s += start_s
            event.end_s = None if event.end_s is None else event.end_s + start_s
        return False

    def updated(self, name: str) -> None:
        if name in ("rt", "speed"):
            self._pacer.restart()

    # Inside

    def _made(self, properties: dict[str, Any]) -> dict[str, Any]:
        """Properties of an output: those of the input that are still true."""
        false: set[str] = set()
        if self.xs or self.xe:
            false = {"Duration", "NumFrames"} if self.xots else {"Duration", "NumFrames", "StartTime"}
        if self.saps or self.frames:
            false |= {"NumFrames", "FPS", "Bitrate"}
        return {name: value for name, value in properties.items() if name not in false}

    def _serve(self, pid: Link) -> float | None:
        """Sends of one stream what can be sent. A number: so many seconds until the next is due."""
        stream: Stream = pid.data
        output = pid.output
        if output is None:
            return None
        ready = stream.ready
        plain = stream.cutter is None and self.rt == "off" and not self.saps and not self.frames
        while True:
            while ready:
                left = self._left_s(pid, ready[0])
                if left > 0:
                    return left
                output.send(ready.popleft())
                if self.blocked:
                    return None
            if plain:
                for packet in pid:
                    output.send(packet)
                break
            following = self._next(pid, stream.cutter)
            if following is None:
                break
            self._choose(stream, stream.cutter.feed(following) if stream.cutter else [following])
        if stream.cutter is not None and stream.cutter.over and not (stream.stopped or stream.ended):
            stream.stopped = True
            pid.send_event(Stop())
        if not output.ended and (stream.cutter.over if stream.cutter else stream.ended):
            output.end()
        return None

    def _next(self, pid: Link, cutter: StreamCutter | None) -> Packet | None:
        if cutter is None or cutter.reads:
            return pid.get()
        while (packet := pid.peek()) is not None and cutter.needless(packet):
            pid.get()
        return None

    def _choose(self, stream: Stream, packets: Sequence[Packet]) -> None:
        saps, frames = _listed(self.saps), _listed(self.frames)
        for packet in packets:
            stream.seen += 1
            if saps and packet.sap not in saps:
                continue
            if frames and not any(
                number == stream.seen or (number < 0 and (stream.seen - 1) % -number == 0)
                for number in frames
            ):
                continue
            stream.ready.append(packet)

    def _left_s(self, pid: Link, packet: Packet) -> float:
        """Seconds until `packet` is due; not above 0: now."""
        time = packet.dts if packet.dts is not None else packet.cts
        if self.rt == "off" or time is None:
            return 0.0
        now = self.context.now()
        media_s = time / (pid.properties.get("Timescale") or 1)
        return self._pacer.due_s(pid, media_s, now, self.speed or self._play_speed, self.rt == "sync") - now

    # Ranges

    def _check(self, extraction: Extraction) -> None:
        """Raises OptionError where the media are known to end before the first range begins."""
        lengths = [pid.properties.get("Duration") for pid in self.ipids]
        if self._looking_since is None and lengths and all(lengths):
            length = max(length for length in lengths if length is not None)
            if extraction.range.start_s >= length:
                raise OptionError(
                    f"nothing lies in the range {extraction.range.text}",
                    hint=f"the media end at {float(length):g} s",
                )

    def _step(self, extraction: Extraction) -> bool:
        """Lets a range begin, or the next one come, where the streams are ready for it."""
        freed = extraction.step()
        if freed is None:
            if not extraction.sent and all(cutter.over for cutter in extraction.cutters):
                # no error: a session that is stopped early ends like this too
                self.status = f"no packet lies in the range {extraction.range.text}"
                log.warning("%s: %s", self.name, self.status)
            return False
        for cutter, packets in freed:
            self._choose(cutter.pid.data, packets)
        self._seek()
        return True

    def _seek(self) -> None:
        """Asks the sources to go near the start of the present range, once."""
        extraction = self._extraction
        if extraction is None or self._looking_since is extraction.range:
            return
        self._looking_since = extraction.range
        target_s = float(extraction.range.start_s) - self.seeksafe
        for source, links in self._by_source().items():
            reached_s = max(float(link.data.cutter.position_s) for link in links)
            if target_s < reached_s + WORTH_A_SEEK_S or self._feeds_others(source):
                continue
            if any(link.properties.get("PlaybackMode") == PLAYS_ONLY for link in links):
                continue
            for link in links:
                link.data.sought = True
            links[0].send_event(Seek(time_s=target_s))

    def _by_source(self) -> dict[Filter, list[Link]]:
        """The inputs, by the filter at the beginning of each."""
        found: dict[Filter, list[Link]] = {}
        for link in self.ipids:
            source = link.source
            while source.ipids:
                source = source.ipids[0].source
            found.setdefault(source, []).append(link)
        return found

    def _feeds_others(self, source: Filter) -> bool:
        """True where somebody reads from `source` past this filter, and a seek would move them too."""
        todo: list[Filter] = list(source.destinations)
        seen: set[Filter] = {self}
        while todo:
            filter = todo.pop()
            if filter in seen:
                continue
            seen.add(filter)
            if not filter.destinations:
                return True
            todo += filter.destinations
        return False


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
