"""`volume`: louder, softer, fading in and out."""

from __future__ import annotations

from typing import Any

import numpy

from reelway.filters.frames import carry, frame_of
from reelway.filters.sound import RAW_SOUND, to_floats, to_frame
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import Seconds, option
from reelway.media.layout import Array
from reelway.media.packet import Packet

__all__ = ["Volume"]


class _Ramp:
    """The gain of one stream on its way from one value to another."""

    __slots__ = ("done", "origin", "steps", "target")

    def __init__(self, gain: float) -> None:
        self.origin = self.target = gain
        self.done = self.steps = 0

    def take(self, gain: float, steps: int, count: int) -> float | Array:
        """The gain of the next `count` samples: one number, or, while it moves, one for each."""
        if gain != self.target:
            passed = self.done / self.steps if self.done < self.steps else 1.0
            self.origin += (self.target - self.origin) * passed
            self.target, self.done, self.steps = gain, 0, steps
        if self.done >= self.steps:
            return self.target
        way = numpy.minimum(numpy.arange(self.done + 1, self.done + count + 1) / self.steps, 1.0)
        self.done += count
        moving: Array = self.origin + (self.target - self.origin) * way
        return moving


class Volume(Filter):
    """Multiplies sound, exact to the sample; what passes full scale is clipped, and counted in `clipped`.

    Fades are straight lines over the stream's own time (that of its ticks): at `fade_in` seconds the sound
    is whole again, from `fade_out_at` on it goes down, and `fade_out` seconds later it is silent. A gain
    that changes while it runs is reached over `ramp` seconds, so that nothing clicks.
    """

    registry_name = "volume"
    inputs = (RAW_SOUND,)
    outputs = (RAW_SOUND,)

    gain: float = option(1.0, low=0.0, high=1000.0, live=True, help="factor; 1 changes nothing, 0 is silent")
    gain_db: float = option(0.0, low=-200.0, high=60.0, unit="dB", live=True, help="on top of gain")
    mute: bool = option(False, live=True, help="silence, whatever the gain is")
    ramp: Seconds = option(0.01, low=0.0, unit="s", kind=Seconds, help="how fast a new gain is reached")
    fade_in: Seconds = option(0.0, low=0.0, unit="s", kind=Seconds, help="length, from time 0 on")
    fade_out: Seconds = option(0.0, low=0.0, unit="s", kind=Seconds, help="length")
    fade_out_at: Seconds | None = option(
        None, low=0.0, unit="s", kind=Seconds | None, help="where the fade out begins"
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.clipped = 0

    @property
    def factor(self) -> float:
        """What it multiplies with, fades left out."""
        return 0.0 if self.mute else float(self.gain * 10 ** (self.gain_db / 20))

    def configure(self, pid: Link) -> None:
        if pid.output is None:
            self.new_pid(of=pid)
            pid.data = _Ramp(self.factor)
        else:
            pid.output.copy_properties(pid)

    def process(self) -> float | None:
        for pid in self.ipids:
            if pid.output is None:
                continue
            for packet in pid:
                pid.output.send(self._scaled(packet, pid))
        return None

    def _scaled(self, packet: Packet, pid: Link) -> Packet:
        frame = frame_of(packet, pid.properties)
        count = frame.planes()[0].shape[0]
        curve = self._curve(pid, packet, count)
        if curve is None:
            return packet
        samples = to_floats(frame) * curve
        if frame.format.removesuffix("p") not in ("flt", "dbl"):
            over = int(numpy.count_nonzero(numpy.abs(samples) > 1))
            if over:
                self.clipped += over
                self.status = f"{self.clipped} samples clipped"
        return carry(packet, to_frame(samples, frame.format))

    def _curve(self, pid: Link, packet: Packet, count: int) -> Any:
        """What the samples (lines) are multiplied with: a number, a column, or None for nothing."""
        rate = pid.properties["SampleRate"]
        time = packet.cts if packet.cts is not None else packet.dts
        first = round((time or 0) * rate / (pid.properties.get("Timescale") or rate))
        level = pid.data.take(self.factor, round(self.ramp * rate), count)
        fade = self._fade(first, count, rate)
        if fade is not None:
            level = level * fade
        kind = numpy.float64 if pid.properties["AudioFormat"].startswith(_WIDE) else numpy.float32
        if isinstance(level, float):
            return None if level == 1.0 else kind(level)
        return level.astype(kind)[:, None]

    def _fade(self, first: int, count: int, rate: int) -> Array | None:
        """A factor for each sample; None where all are 1."""
        number = numpy.arange(first, first + count)
        factor: Array | None = None
        length = round(self.fade_in * rate)
        if length and first < length:
            factor = numpy.clip(number / length, 0, 1)
        if self.fade_out_at is not None:
            start, length = round(self.fade_out_at * rate), round(self.fade_out * rate)
            if first + count > start:
                down = 1 - (number - start) / length if length else (number < start).astype(float)
                factor = numpy.clip(down, 0, 1) * (1 if factor is None else factor)
        return factor


_WIDE = ("s32", "s64", "dbl")
"""Formats that need more than float32."""
