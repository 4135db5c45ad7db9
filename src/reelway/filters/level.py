"""`level`: how loud sound is, told as messages."""

from __future__ import annotations

from typing import Any

import numpy

from reelway.filters.frames import frame_of
from reelway.filters.simple import Forward
from reelway.filters.sound import RAW_SOUND, to_floats
from reelway.graph.link import Link
from reelway.graph.option import Seconds, option
from reelway.media.layout import Array
from reelway.media.packet import Packet

__all__ = ["SILENCE_DB", "Level"]

SILENCE_DB = -700.0
"""What is told of silence, which has no decibels."""
NS = 1_000_000_000


class _Meter:
    """What was heard of one stream since the last message."""

    def __init__(self, rate: int, channels: int) -> None:
        self.rate, self.channels = rate, channels
        self.decay = numpy.zeros(channels)
        """Peaks that sink."""
        self.age = numpy.zeros(channels)
        """How long each stands [s]."""
        self.begin(0)

    def begin(self, at: int) -> None:
        self.at, self.count = at, 0
        self.squares = numpy.zeros(self.channels)
        self.peak = numpy.zeros(self.channels)

    def hear(self, samples: Array) -> None:
        self.count += len(samples)
        self.squares += numpy.square(samples, dtype=numpy.float64).sum(axis=0)
        numpy.maximum(self.peak, numpy.abs(samples).max(axis=0), out=self.peak)

    def sink(self, ttl_s: float, falloff_db: float) -> None:
        """Lets old peaks sink over what was heard, and takes newer ones that are higher."""
        length_s = self.count / self.rate
        self.age += length_s
        sinking = numpy.clip(self.age - ttl_s, 0, length_s)
        self.decay *= 10 ** (-falloff_db * sinking / 20)
        higher = self.peak >= self.decay
        self.decay = numpy.where(higher, self.peak, self.decay)
        self.age = numpy.where(higher, 0.0, self.age)


class Level(Forward):
    """Passes sound on as it is, and tells every `interval` seconds how loud each channel was.

    The message is called `level`; `rms`, `peak` and `decay` (a peak that stands for `peak_ttl` and then sinks
    by `peak_falloff`) are lists of decibels, 0 is full scale; `timestamp`, `duration`, `stream-time`,
    `running-time` and `endtime` are nanoseconds. `last` holds its fields too.
    """

    registry_name = "level"
    inputs = (RAW_SOUND,)
    outputs = (RAW_SOUND,)

    interval: Seconds = option(
        0.1, low=1e-9, kind=Seconds, unit="s", live=True, help="from a message to the next"
    )
    post: bool = option(True, live=True, help="post messages")
    peak_ttl: Seconds = option(0.3, low=0.0, kind=Seconds, unit="s", live=True, help="how long a peak stands")
    peak_falloff: float = option(10.0, low=0.0, unit="dB/s", live=True, help="how fast it sinks then")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.last: dict[str, Any] = {}

    def configure(self, pid: Link) -> None:
        super().configure(pid)
        rate, channels = pid.properties["SampleRate"], pid.properties["NumChannels"]
        if pid.data is None or (pid.data.rate, pid.data.channels) != (rate, channels):
            self._tell(pid)
            pid.data = _Meter(rate, channels)

    def process(self) -> float | None:
        for pid in self.ipids:
            if pid.output is None:
                continue
            for packet in pid:
                self._hear(packet, pid)
                pid.output.send(packet)
        return None

    def ended(self, pid: Link) -> None:
        self._tell(pid)
        super().ended(pid)

    def restarted(self, pid: Link) -> None:
        self._tell(pid)
        super().restarted(pid)

    def _hear(self, packet: Packet, pid: Link) -> None:
        meter: _Meter = pid.data
        samples = to_floats(frame_of(packet, pid.properties))
        ticks = packet.cts if packet.cts is not None else packet.dts
        at = meter.at + meter.count
        if ticks is not None:
            at = round(ticks * meter.rate / (pid.properties.get("Timescale") or meter.rate))
        if not meter.count:
            meter.at = at
        while len(samples):
            left = max(1, round(float(self.interval) * meter.rate)) - meter.count
            if left <= 0:
                self._tell(pid)
                continue
            part, samples = samples[:left], samples[left:]
            meter.hear(part)
            if len(part) == left:
                self._tell(pid)

    def _tell(self, pid: Link) -> None:
        meter: _Meter | None = pid.data
        if meter is None or not meter.count:
            return
        meter.sink(float(self.peak_ttl), self.peak_falloff)
        start, length = meter.at * NS // meter.rate, meter.count * NS // meter.rate
        self.last = {
            "endtime": start + length,
            "timestamp": start,
            "stream-time": start,
            "running-time": round(pid.pid.timeline.running_s(meter.at, meter.rate) * NS),
            "duration": length,
            "rms": _decibels(numpy.sqrt(meter.squares / meter.count)),
            "peak": _decibels(meter.peak),
            "decay": _decibels(meter.decay),
        }
        meter.begin(meter.at + meter.count)
        if self.post:
            self.post_message("level", **self.last)


def _decibels(levels: Array) -> list[float]:
    quietest = 10 ** (SILENCE_DB / 20)
    return [float(each) for each in 20 * numpy.log10(numpy.maximum(levels, quietest))]
