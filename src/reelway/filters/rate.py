"""`rate`: another frame rate, by showing frames again and leaving frames out."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from reelway.graph.caps import Caps, Not
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.graph.resolve import Conversion
from reelway.media.packet import Packet
from reelway.media.timebase import rescale
from reelway.media.timeline import Timeline

__all__ = ["Rate"]

BEFORE_ALL = -(1 << 62)


class _Stream:
    """One input: the frame that is shown, and up to which place of the output."""

    __slots__ = (
        "began",
        "ended",
        "following",
        "fps",
        "pid",
        "repeats",
        "shown",
        "slot",
        "timescale",
        "until",
    )

    def __init__(self, pid: Link, fps: Fraction) -> None:
        self.pid = pid
        self.fps = fps
        self.shown: Packet | None = None
        self.repeats = False
        """`shown` was sent at least once."""
        self.following: Packet | None = None
        self.timescale: int = pid.properties.get("Timescale") or 1
        self.slot = BEFORE_ALL
        """The next place of the output."""
        self.until = BEFORE_ALL
        """`shown` is shown up to here."""
        self.ended = False
        self.began = False
        """Something was sent."""


class Rate(Filter):
    """A constant frame rate: frame n of the output is at n / fps exactly.

    Each frame moves to the nearest place and is shown until the next one: places that nobody moved to show
    the frame before them again, of several that moved to one place the last is kept. `repeated` and
    `dropped` count both, and `status` tells them. A last frame that would begin where all is over, to the
    nearest place, is left out. It holds one frame.
    """

    registry_name = "rate"
    inputs = (Caps(StreamType="Visual", CodecID="raw"),)
    outputs = (Caps(StreamType="Visual", CodecID="raw"),)
    kind = "rate"
    conversions = (Conversion(inputs[0], Caps(FPS=Not(0)), {"FPS": "fps"}),)

    fps: Fraction = option(
        "25", low=0, kind=Fraction, help="frames a second, such as 30000/1001; 0: as the input says, else 25"
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.repeated = self.dropped = 0

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        return [self._made(properties)]

    def configure(self, pid: Link) -> None:
        made = self._made(pid.properties)
        if pid.output is None:
            fps = made["FPS"]
            pid.data = _Stream(pid, fps)
            pid.output = self.new_pid(pid.name, **made)
            start, offset_s, rate = pid.pid.timeline
            start = rescale(start, pid.properties.get("Timescale") or 1, fps.numerator)
            pid.output.timeline = Timeline(start, offset_s, rate)
            return
        self._finish(pid.data)
        made |= {"FPS": pid.data.fps, "Timescale": pid.data.fps.numerator}  # whatever the input says now
        pid.data.timescale = pid.properties.get("Timescale") or 1
        gone = {name: None for name in pid.output.properties if name not in made}
        pid.output.set(**gone, **made)

    def process(self) -> float | None:
        for pid in self.ipids:
            stream: _Stream = pid.data
            if stream is not None:
                self._serve(stream)
        return None

    def ended(self, pid: Link) -> None:
        if pid.data is None:
            return
        stream: _Stream = pid.data
        stream.ended = True  # the output ends in process(), behind what is still to be shown
        if stream.shown is not None and stream.following is None:
            self._end(stream)

    def restarted(self, pid: Link) -> None:
        self._finish(pid.data)
        pid.data.slot = pid.data.until = BEFORE_ALL
        super().restarted(pid)

    def _made(self, properties: dict[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in properties.items() if name != "NumFrames"}
        said = properties.get("FPS")
        fps = self.fps or (Fraction(said) if isinstance(said, (int, Fraction)) and said else Fraction(25))
        return {**kept, "FPS": fps, "Timescale": fps.numerator}

    def _serve(self, stream: _Stream) -> None:
        output = stream.pid.output
        assert output is not None
        while self._show(stream):
            if stream.following is not None:
                stream.shown, stream.following, stream.repeats = stream.following, None, False
                if stream.ended:
                    self._end(stream)
                continue
            packet = stream.pid.get()
            if packet is None:
                break
            self._take(stream, packet)
        if stream.ended and not output.ended and stream.following is None and stream.slot >= stream.until:
            output.end()

    def _take(self, stream: _Stream, packet: Packet) -> None:
        slot = self._place(stream, packet.cts if packet.cts is not None else packet.dts)
        if stream.shown is None:
            stream.shown = packet
            stream.slot = stream.until = max(slot, stream.slot)
        elif slot > stream.slot:
            stream.following, stream.until = packet, slot
        else:
            self.dropped += 1
            if slot == stream.slot:
                stream.shown, stream.repeats = packet, False  # the one before it was not sent yet
            self._tell()

    def _show(self, stream: _Stream, even_if_full: bool = False) -> bool:
        """Sends what is shown up to `until`; False where an output is full before."""
        ticks = stream.fps.denominator
        while stream.slot < stream.until:
            if self.blocked and not even_if_full:
                return False
            assert stream.shown is not None
            assert stream.pid.output is not None
            packet = stream.shown.clone()
            packet.dts = packet.cts = stream.slot * ticks
            packet.duration = ticks
            stream.pid.output.send(packet)
            stream.slot += 1
            stream.began = True
            if stream.repeats:
                self.repeated += 1
                self._tell()
            stream.repeats = True
        return True

    def _finish(self, stream: _Stream) -> None:
        """Sends what is held, also into a full output."""
        while stream.shown is not None:
            if stream.following is None:
                self._end(stream)
            self._show(stream, even_if_full=True)
            stream.shown, stream.following, stream.repeats = stream.following, None, False

    def _end(self, stream: _Stream) -> None:
        """Sets the place at which `shown` is over; one that is over at its own place is left out.

        So the whole is as long as what came, to the nearest place. The first frame is always shown.
        """
        packet = stream.shown
        assert packet is not None
        time = packet.cts if packet.cts is not None else packet.dts
        end = self._place(stream, (time or 0) + (packet.duration or 0))
        if end <= stream.slot and packet.duration and stream.began and not stream.repeats:
            self.dropped += 1
            self._tell()
        else:
            end = max(stream.slot + 1, end)
        stream.until = end

    def _place(self, stream: _Stream, ticks: int | None) -> int:
        """The nearest place of the output; a frame without a time comes next."""
        if ticks is None:
            return stream.slot + 1
        return _nearest(ticks * stream.fps.numerator, stream.timescale * stream.fps.denominator)

    def _tell(self) -> None:
        self.status = f"{self.repeated} frames repeated, {self.dropped} left out"


def _nearest(numerator: int, denominator: int) -> int:
    """Rounded, halves down: half the frames of a film are as long as it is."""
    return -((denominator - 2 * numerator) // (2 * denominator))
