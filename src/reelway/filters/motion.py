"""`motion`: tells where something moves, on a small copy of the luma."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import exp
from typing import Any, NamedTuple

import numpy

from reelway.errors import OptionError
from reelway.filters.colour import samples_of
from reelway.filters.frames import frame_of
from reelway.filters.pictures import RAW_PICTURES
from reelway.filters.simple import Forward
from reelway.filters.zones import WHOLE, Zone, parse_zone
from reelway.graph.link import Link
from reelway.graph.option import Seconds, option
from reelway.media.layout import Array
from reelway.media.packet import Packet

__all__ = ["Found", "Motion"]

WIDE = 160
"""So many samples across a picture is looked at, at most twice as many."""
GAP_S = 30.0
"""What comes after a longer gap has nothing to do with what was before."""
USUAL_S = 0.04
"""From a picture to the next one, where nothing says so."""
FASTEST = 2.0
"""So many thresholds a `memory` the background moves at most towards what differs."""
NOISE = 4.5
"""So many times the median of all differences is still noise: three standard deviations of a normal one."""
NS = 1_000_000_000


class Found(NamedTuple):
    """What is told of one picture.

    zone     its number, from 1
    score    which part of the zone moves, 0 to 1
    moving   False: it is over
    time_s   of the picture, on its stream's timeline [s]
    """

    zone: int
    score: float
    moving: bool
    time_s: float


class Motion(Forward):
    """Passes pictures on as they are, and tells what moves in them, by zones.

    A picture is compared with a background, the mean of the last `memory` seconds, but that large differences
    change it slowly, so that what passes leaves no trace. A zone moves where `part` of it has differed by
    `threshold` in `pictures` in a row, and until nothing has for `hold` seconds. What differs in single
    samples, or no more than most samples do, is noise; a brightness that changes everywhere, or `most` of the
    picture at once, is the light. Pictures that are smeared are not looked at.

    Each picture says `Motion`, the largest part of a zone that differs, and where a zone moves, `MotionZone`,
    its number from 1. The message `motion` tells when it begins and when it is over: `zone`, `moving`,
    `score`, and `timestamp` and `running-time` in nanoseconds. `on_motion` is called with a `Found` for each
    zone of each picture in which it moves, and when that is over.
    """

    registry_name = "motion"
    inputs = (RAW_PICTURES,)
    outputs = (RAW_PICTURES,)

    zones: list[str] = option(
        [],
        kind=list[str],
        help="in parts of the picture: width x height + left + top, 0.5x1+0.5+0; or the corners of a "
        "polygon, 0/0-1/0-0.5/1; by default all of it",
    )
    masks: list[str] = option(
        [], kind=list[str], help="what is not looked at, such as a clock, written as zones are"
    )
    threshold: float = option(
        20.0, low=1.0, high=255.0, live=True, help="brightness differs by so much, of 255"
    )
    part: float = option(0.002, low=0.0, high=1.0, live=True, help="of a zone, that must differ")
    pictures: int = option(2, low=1, live=True, help="so many in a row")
    hold: Seconds = option(
        1.0, low=0.0, kind=Seconds, unit="s", live=True, help="nothing moves for so long: it is over"
    )
    memory: Seconds = option(
        5.0, low=0.01, kind=Seconds, unit="s", live=True, help="how fast what stands still becomes background"
    )
    most: float = option(
        0.7, low=0.0, high=1.0, live=True, help="where more of the picture differs, it is the light"
    )
    post: bool = option(True, live=True, help="post messages")
    on_motion: Callable[[Found], None] | None = option(
        None, kind=object, help="called with what was found, on the session's thread"
    )

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        self._zones = [parse_zone(text) for text in self.zones] or [WHOLE]
        self._masks = [parse_zone(text) for text in self.masks]

    def configure(self, pid: Link) -> None:
        super().configure(pid)
        luma = _Luma.of(pid.properties)
        if pid.data is None or pid.data.luma != luma:
            self._end(pid)
            pid.data = _Watch(luma, self._zones, self._masks)

    def process(self) -> float | None:
        for pid in self.ipids:
            assert pid.output is not None  # made in configure()
            for packet in pid:
                if not packet.seek and not packet.corrupted:
                    self._look(packet, pid)
                pid.output.send(packet)
        return None

    def ended(self, pid: Link) -> None:
        self._end(pid)
        super().ended(pid)

    def _look(self, packet: Packet, pid: Link) -> None:
        watch: _Watch = pid.data
        ticks = packet.cts if packet.cts is not None else packet.dts
        timescale = pid.properties.get("Timescale") or 1
        step_s = (packet.duration or 0) / timescale
        watch.go_to(watch.time_s + step_s if ticks is None else ticks / timescale)
        differs = watch.differing(watch.luma.cells(frame_of(packet, pid.properties)), self)
        best, moving = 0.0, None
        for area in watch.areas:
            score = 0.0 if differs is None else area.score(differs)
            news = area.note(score, watch.time_s, self)
            if area.moving and (moving is None or score > best):
                moving = area.number
            best = max(best, score)
            if area.moving or news:
                self._tell(pid, area, score, news)
        packet.properties = {**(packet.properties or {}), "Motion": round(best, 6)}
        if moving is not None:
            packet.properties["MotionZone"] = moving

    def _tell(self, pid: Link, area: _Area, score: float, news: bool) -> None:
        time_s = pid.data.time_s
        if news and self.post:
            self.post_message(
                "motion",
                zone=area.number,
                moving=area.moving,
                score=score,
                timestamp=round(time_s * NS),
                **{"running-time": round(pid.pid.timeline.running_s(round(time_s * NS), NS) * NS)},
            )
        if self.on_motion is not None:
            self.on_motion(Found(area.number, score, area.moving, time_s))

    def _end(self, pid: Link) -> None:
        """Nothing more comes that could move."""
        for area in pid.data.areas if pid.data is not None else ():
            if area.moving:
                area.moving = False
                self._tell(pid, area, 0.0, True)


class _Luma(NamedTuple):
    """Where brightness lies in pictures of one format and size, and how it becomes `lines` x `columns` cells.

    Of RGB it is green. A cell is the mean of nine samples: more of them cost time, and tell no more.
    """

    plane: int
    component: int | None
    dtype: str
    scale: float
    step: int
    lines: int
    columns: int

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> _Luma:
        samples = samples_of(properties)
        letters = [(each.find("Y" if "Y" in samples.components[0] else "G")) for each in samples.components]
        plane = next(number for number, at in enumerate(letters) if at >= 0)
        packed = len(samples.components[plane]) > 1
        step = max(1, properties["Width"] // WIDE)
        largest = float((1 << samples.depth) - 1) * (1 << samples.shift) if samples.depth else 1.0
        return cls(
            plane,
            letters[plane] if packed else None,
            {0: "f4", 8: "u2"}.get(samples.depth, "u4"),  # nine of them fit in
            255.0 / largest,
            step,
            max(1, properties["Height"] // step),
            max(1, properties["Width"] // step),
        )

    def cells(self, frame: Any) -> Array:
        """(lines, columns) float32 of 0 to 255."""
        plane = frame.planes()[self.plane]
        if self.component is not None:
            plane = plane[..., self.component]
        places = sorted({self.step // 6, self.step // 2, self.step * 5 // 6})
        total = numpy.zeros((self.lines, self.columns), self.dtype)
        for line in places:
            for column in places:
                part = plane[line :: self.step, column :: self.step]
                total += part[: self.lines, : self.columns]
        return total * numpy.float32(self.scale / len(places) ** 2)


class _Area:
    """A zone, and whether it moves."""

    def __init__(self, number: int, mask: Array) -> None:
        self.number = number
        self.moving = False
        self._mask = mask
        self.cells = int(numpy.count_nonzero(mask))
        self._in_a_row = 0
        self._seen_s = 0.0

    def score(self, differs: Array) -> float:
        """Which part of it differs."""
        return int(numpy.count_nonzero(differs & self._mask)) / self.cells

    def note(self, score: float, time_s: float, asked: Motion) -> bool:
        """Whether it has begun to move, or stopped. While it moves, half of what begins it is enough."""
        self._in_a_row = self._in_a_row + 1 if score and score >= asked.part else 0
        if not self.moving:
            self.moving = self._in_a_row >= asked.pictures
            self._seen_s = time_s
            return self.moving
        if score and score >= asked.part / 2:
            self._seen_s = time_s
        elif not 0 <= time_s - self._seen_s < asked.hold:
            self.moving = False
        return not self.moving


class _Watch:
    """What is known of one input."""

    def __init__(self, luma: _Luma, zones: list[Zone], masks: list[Zone]) -> None:
        self.luma = luma
        self.time_s = 0.0
        """Of the picture that is looked at [s]."""
        size = luma.lines, luma.columns
        seen = numpy.ones(size, bool)
        for each in masks:
            seen &= ~each.mask(*size)
        self.areas = [_Area(number, zone.mask(*size) & seen) for number, zone in enumerate(zones, 1)]
        for area in self.areas:
            if not area.cells:
                raise OptionError(f"motion: masks cover all of zone {area.number}", hint="mask less of it")
        self._seen = seen
        self._all = int(numpy.count_nonzero(seen))
        self._background: Array | None = None
        self._pictures = 0
        """That the background was made of."""
        self._passed_s = 0.0

    def go_to(self, time_s: float) -> None:
        """The next picture is at `time_s`."""
        self._passed_s = time_s - self.time_s
        self.time_s = time_s
        if not 0 <= self._passed_s <= GAP_S:
            self._background = None

    def differing(self, cells: Array, asked: Motion) -> Array | None:
        """(lines, columns) bool: what differs from the background, without noise; None: nobody knows."""
        if self._background is None:
            self._background, self._pictures = cells, 1
            return None
        passed_s = self._passed_s or USUAL_S
        apart = cells - self._background
        light = numpy.median(apart[::3, ::3])
        apart -= light  # which changes everywhere
        learnt = numpy.float32(max(1 / (self._pictures + 1), 1 - exp(-passed_s / asked.memory)))
        step = FASTEST * asked.threshold * passed_s / asked.memory  # what passes leaves no trace
        self._pictures += 1
        self._background += light + numpy.clip(apart * learnt, -step, step)
        numpy.abs(apart, out=apart)
        differs: Array = (apart > asked.threshold) & self._seen
        if numpy.count_nonzero(differs) > asked.most * self._all:
            self._background, self._pictures = cells, 1
            return None
        if (noise := NOISE * float(numpy.median(apart[::3, ::3]))) > asked.threshold:
            differs &= apart > noise
        return _without_specks(differs)


def _without_specks(differs: Array) -> Array:
    """Only what is at least two samples wide and high (a morphological opening)."""
    if min(differs.shape) < 2:
        return differs
    squares = differs[:-1, :-1] & differs[1:, :-1] & differs[:-1, 1:] & differs[1:, 1:]
    kept = numpy.zeros_like(differs)
    for lines in (slice(None, -1), slice(1, None)):
        for columns in (slice(None, -1), slice(1, None)):
            kept[lines, columns] |= squares
    return kept
