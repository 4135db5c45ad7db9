"""`grid`: several films in one picture, on one timeline."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor, sqrt
from typing import Any

from reelway.errors import OptionError
from reelway.filters.colour import matrix_of, parse_colour, samples_of
from reelway.filters.frames import drain, frame_of, shown
from reelway.filters.places import Place, cells, extent, parse_place
from reelway.filters.resize import fitted, scaled
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Limits, Link
from reelway.graph.option import Size, option
from reelway.graph.pid import Pid
from reelway.media.frame import MemoryFrame
from reelway.media.layout import Array
from reelway.media.packet import Packet

__all__ = ["Grid"]

log = logging.getLogger("reelway.filters")

_YUV = ("yu", "nv", "p0", "p2", "p4")
SOON_S = 1e-6
"""Running times are floats: what is earlier than this is now."""


class _Film:
    """One input: what it shows now."""

    def __init__(self) -> None:
        self.packet: Packet | None = None
        self.planes: list[Array] | None = None
        """Scaled to its place; None: nothing is to be seen."""
        self.until_s = 0.0
        """Where the last picture ends on the running time."""
        self.place: Place | None = None
        self.properties: dict[str, Any] = {}
        """Of the picture."""


class Grid(Filter):
    """Shows each input in its place, as it is at that moment of the running time.

    Picture n of the output is at n / fps of the running time, from the first input's start on. An input
    that has not begun, or is over, leaves its place to the background. Later inputs lie over earlier ones.

    With `live`, picture n is made when n / fps of the session's time are over: it shows the newest picture
    of each input, and none is waited for. Inputs may then come and go.
    """

    registry_name = "grid"
    inputs = (Caps(StreamType="Visual", CodecID="raw", PixelFormat="yuv420p"),)
    outputs = (Caps(StreamType="Visual", CodecID="raw"),)

    columns: int = option(0, low=0, help="0: as many as make the grid square")
    rows: int = option(0, low=0, help="0: as many as the inputs need")
    places: list[str] = option(
        [], kind=list[str], help="instead of a grid: width x height + left + top of each input, 320x180+640+0"
    )
    size: Size = option("0x0", kind=Size, help="of the whole picture; 0x0: cells as large as the first input")
    fit: str = option("contain", choices=("contain", "stretch"), help="keep the shape of the inputs, or not")
    fps: Fraction = option("0", low=0, kind=Fraction, help="frames a second; 0: as the first input")
    live: bool = option(False, help="by the clock, the newest picture of each input")
    end: str = option("longest", choices=("longest", "shortest"), help="with which input it ends")
    pixel_format: str = option("yuv420p", help="of the output and, converted where need be, of the inputs")
    background: str = option("black", help="a colour: black, #ff8800")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._out: Pid | None = None
        self._next: int | None = None
        """Number of the next picture, from running time 0, or of `live` from its first; None before that."""
        self._rate = Fraction(25)
        self._began_s = 0.0
        """When the first picture was due, of `live` [s of the session]."""
        self._laid_out: tuple[Link, ...] = ()
        """The inputs that are shown, later ones over earlier ones."""
        self.reserved: Sequence[Filter] = ()
        """Who has the first places, in this order, and keeps them free until it is there."""

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        parse_colour(self.background)
        for text in self.places:
            parse_place(text)
        self.inputs = (Caps(StreamType="Visual", CodecID="raw", PixelFormat=self.pixel_format),)  # type: ignore[misc]
        if self.live:
            self.input_limits = Limits(packets=2, policy="latest")

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"StreamType": "Visual", "CodecID": "raw", "PixelFormat": self.pixel_format}]

    def configure(self, pid: Link) -> None:
        if pid.data is None:
            pid.data = _Film()

    def process(self) -> float | None:
        if self._out is not None and self._out.ended:
            drain(self)
            return None
        if self.live:
            return self._keep_time()
        if self._next is None and not self._begin():
            return None
        assert self._out is not None
        assert self._next is not None
        if any(not pid.configured for pid in self.ipids):
            return None
        if self._laid_out != tuple(self.ipids):
            self._laid_out = tuple(self.ipids)
            self._lay_out()
        while not self.blocked:
            now_s = float(self._next / self._rate)
            if not self._advance(now_s):
                return None
            if self._is_over(now_s):
                self._out.end()
                drain(self)
                return None
            self._out.send(self._composed())
            self._next += 1
        return None

    def ended(self, pid: Link) -> None:
        """The output ends in process()."""

    def restarted(self, pid: Link) -> None:
        """It goes on from where its times say; the composition does not."""

    # Inside

    def _begin(self) -> bool:
        """Once every input has shown its first picture: how large, how fast, from when on."""
        if not self.ipids or any(not pid.configured for pid in self.ipids):
            return False
        if self.context.expects_inputs(self):
            return False
        heads = {pid: shown(pid) for pid in self.ipids}
        if any(head is None and not pid.ended for pid, head in heads.items()):
            return False
        self._rate = Fraction(self.fps or self.ipids[0].properties.get("FPS") or 25)
        starts = [self._span(pid, head)[0] for pid, head in heads.items() if head is not None]
        self._next = ceil(min(starts, default=0.0) * float(self._rate) - SOON_S)
        self._make_output(self.ipids[0].properties)
        return True

    def _make_output(self, first: dict[str, Any]) -> None:
        self._size = Size(*self.size)
        if not self._size.width or not self._size.height:
            self._size = self._natural_size(first["Width"], first["Height"])
        self._warn()
        made = {name: first[name] for name in ("ColorMatrix", "FullRange", "SAR") if name in first}
        if self.pixel_format[:2] in _YUV:
            made.setdefault("ColorMatrix", matrix_of(first))
        self._out = self.new_pid(
            "grid",
            **made,
            StreamType="Visual",
            CodecID="raw",
            Timescale=self._rate.numerator,
            PixelFormat=self.pixel_format,
            Width=self._size.width,
            Height=self._size.height,
            FPS=self._rate,
        )

    def _keep_time(self) -> float | None:
        """Of `live`: makes the picture that is due, if one is; until the next one [s]."""
        begun = [pid for pid in self._laid_out if pid in self.ipids]
        begun += [pid for pid in self.ipids if pid.configured and pid not in begun]  # the others keep theirs
        if self._out is not None and self._all_gone():
            self._out.end()
            return None
        if not begun:
            return None
        now_s = self.context.now()
        if self._out is None:
            self._rate = Fraction(self.fps or begun[0].properties.get("FPS") or 25)
            self._next, self._began_s = 0, now_s
            self._make_output(begun[0].properties)
        assert self._out is not None
        assert self._next is not None
        left_s = self._began_s + float(self._next / self._rate) - now_s
        if left_s > 0:
            return left_s
        if self._laid_out != tuple(begun):
            self._laid_out = tuple(begun)
            self._lay_out()
        for pid in begun:
            film: _Film = pid.data
            latest: Packet | None = None
            while (packet := shown(pid)) is not None:
                pid.take(packet)
                latest = packet
            if latest is not None:
                self._show(pid, latest)
            elif pid.ended:
                film.packet = film.planes = None
        self._out.send(self._composed())
        passed = floor((now_s - self._began_s) * self._rate)
        self._next = max(self._next, passed) + 1
        return max(0.0, self._began_s + float(self._next / self._rate) - now_s)

    def _all_gone(self) -> bool:
        """Every input has ended and been seen, or was taken out, and none is to come."""
        left = [pid for pid in self.ipids if not pid.ended or shown(pid) is not None]
        return not left and not self.context.expects_inputs(self)

    def _warn(self) -> None:
        """Says where the colours of an input are not those of the first one, which it keeps."""
        said = {(matrix_of(pid.properties), pid.properties.get("FullRange")) for pid in self.ipids}
        if len(said) > 1 and self.pixel_format[:2] in _YUV:
            self.status = (
                "the inputs differ in colour matrix or range: convert:matrix=bt709 before makes them one"
            )
            log.warning("%s: %s", self.name, self.status)

    def _natural_size(self, width: int, height: int) -> Size:
        if self.places:
            return Size(*extent([parse_place(text) for text in self.places]))
        columns = self._columns()
        return Size(columns * width, max(self.rows, -(-len(self.ipids) // columns)) * height)

    def _columns(self) -> int:
        return self.columns or ceil(sqrt(len(self.ipids)))

    def _lay_out(self) -> None:
        """Gives every input its place."""
        assert self._out is not None
        self._samples = samples_of(self._out.properties)
        self._back = MemoryFrame.picture(self.pixel_format, *self._size)
        colour = self._samples.colour(parse_colour(self.background))
        for plane, value in zip(self._back.planes(writable=True), colour, strict=True):
            plane[:] = value
        for pid, place in zip(self._laid_out, self._places(), strict=True):
            film: _Film = pid.data
            film.place = place
            if film.planes is not None and film.packet is not None:
                film.planes = self._scaled(pid)

    def _places(self) -> Sequence[Place]:
        """The places of the inputs, as these are laid out."""
        numbers = self._numbers()
        count = max(numbers) + 1
        if self.places:
            if len(self.places) < count:
                raise OptionError(
                    f"grid has {len(self.places)} places, and an input is to have number {count}"
                )
            there: Sequence[Place] = [parse_place(text) for text in self.places]
        else:
            columns = self._columns()
            there = cells(max(count, self.rows * columns), columns, *self._size)
        return [there[number] for number in numbers]

    def _numbers(self) -> list[int]:
        """The number of the place that each input has, from 0."""
        kept = {filter: number for number, filter in enumerate(self.reserved)}
        free = itertools.count(len(kept))
        return [kept[f] if (f := pid.pid.filter) in kept else next(free) for pid in self._laid_out]

    def _span(self, pid: Link, packet: Packet) -> tuple[float, float]:
        """When a picture is shown [s of the running time], and how long it says that it is."""
        timescale = pid.properties.get("Timescale") or 1
        time = packet.cts if packet.cts is not None else packet.dts
        if time is None:
            return pid.data.until_s, pid.data.until_s + float(1 / self._rate)
        run = pid.pid.timeline.running_s
        return run(time, timescale), run(time + (packet.duration or 0), timescale)

    def _advance(self, now_s: float) -> bool:
        """Brings each input to the picture that is shown at `now_s`; False: one is not there yet."""
        for pid in self.ipids:
            film: _Film = pid.data
            latest: Packet | None = None
            while (packet := shown(pid)) is not None:
                start_s, end_s = self._span(pid, packet)
                if start_s > now_s + SOON_S:
                    break
                pid.take(packet)
                latest, film.until_s = packet, max(end_s, start_s)
            if latest is not None:
                self._show(pid, latest)
            if packet is None:
                if not pid.ended:
                    return False
                if film.until_s <= now_s + SOON_S:
                    film.packet = film.planes = None
        return True

    def _is_over(self, now_s: float) -> bool:
        over = [pid.ended and shown(pid) is None and pid.data.until_s <= now_s + SOON_S for pid in self.ipids]
        return any(over) if self.end == "shortest" else all(over)

    def _show(self, pid: Link, packet: Packet) -> None:
        """It shows another picture from now on."""
        film: _Film = pid.data
        film.packet, film.properties = packet, pid.properties
        film.planes = self._scaled(pid)

    def _scaled(self, pid: Link) -> list[Array]:
        """The planes of a picture in the size that it has in its place, with what it leaves free of that."""
        film: _Film = pid.data
        assert film.place is not None
        assert film.packet is not None
        width, height = film.place.width, film.place.height
        if self._keeps_shape(pid):
            width, height = fitted(film.properties["Width"], film.properties["Height"], width, height)
        return scaled(frame_of(film.packet, film.properties), self._samples.subsampling, width, height)

    def _keeps_shape(self, pid: Link) -> bool:
        return self.fit == "contain"

    def _composed(self) -> Packet:
        assert self._next is not None
        frame = self._back.copy()
        targets = frame.planes(writable=True)
        tall, wide = self._samples.grid
        for pid in self._laid_out:
            if pid.data.planes is None:
                continue
            place: Place = pid.data.place
            drawn = pid.data.planes
            top = (place.top + (place.height - drawn[0].shape[0]) // 2) // tall * tall
            left = (place.left + (place.width - drawn[0].shape[1]) // 2) // wide * wide
            for plane, target, (down, across) in zip(drawn, targets, self._samples.subsampling, strict=True):
                into = target[top // down :, left // across :][: plane.shape[0], : plane.shape[1]]
                into[:] = plane[: into.shape[0], : into.shape[1]]
        ticks = self._rate.denominator
        number = self._next
        return Packet(frame, number * ticks, number * ticks, ticks, 1, frame.size)
