"""`testaudio`: sound that is computed, and `avgen`: test pictures and sound together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, ClassVar

import numpy

from reelway.filters.generate import Generator, Signal
from reelway.filters.sound import to_frame
from reelway.filters.testvideo import TestVideo, picture_signal
from reelway.graph.caps import Caps
from reelway.graph.option import option
from reelway.media.layout import SAMPLE_FORMATS, Array
from reelway.media.packet import Packet

__all__ = ["LAYOUTS", "AvGen", "SoundSignal", "TestAudio"]

LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""FFmpeg's default layout of so many channels."""
TICKS_SHARE, TICK_HZ = 100, 1000  # a click is 1/100 of a second of 1000 Hz
WAVES = ("sine", "square", "saw", "triangle", "silence", "noise", "ticks")
FORMATS = tuple(f"{name}{planar}" for name in SAMPLE_FORMATS for planar in ("", "p"))


class SoundSignal(Signal):
    """Samples of one wave, the same on each channel; `count` of them (None: without end)."""

    def __init__(
        self,
        *,
        wave: str = "sine",
        frequency: float = 440.0,
        sample_rate: int = 48000,
        channels: int = 2,
        sample_format: str = "s16",
        samples: int = 1024,
        volume: Callable[[], float] = lambda: 0.5,
        seed: int = 0,
        count: int | None = None,
    ) -> None:
        self.name = "audio"
        self.count = count
        self._wave, self._frequency, self._rate = wave, frequency, sample_rate
        self._channels, self._format, self._step = channels, sample_format, samples
        self._volume, self._seed = volume, seed
        self._at = 0
        self._since, self._phase = 0, 0.0
        """Sample at which the frequency changed last, and how much of a turn was done there."""
        self.properties = {
            "StreamType": "Audio",
            "CodecID": "raw",
            "Timescale": sample_rate,
            "AudioFormat": sample_format,
            "SampleRate": sample_rate,
            "NumChannels": channels,
        }
        if channels in LAYOUTS:
            self.properties["ChannelLayout"] = LAYOUTS[channels]
        if count is not None:
            self.properties["Duration"] = Fraction(count, sample_rate)

    @property
    def next_s(self) -> Fraction:
        return Fraction(self._at, self._rate)

    def seek(self, time_s: Fraction) -> None:
        self._at = max(0, round(time_s * self._rate))

    def packet(self) -> Packet | None:
        at = self._at
        ends = [self.count] if self.count is not None else []
        if self.until_s is not None:
            ends.append(round(self.until_s * self._rate))
        step = min([self._step, *(end - at for end in ends)])
        if step <= 0:
            return None
        self._at += step
        one = self.samples(at, step) * self._volume()
        frame = to_frame(numpy.repeat(one[:, None], self._channels, axis=1), self._format)
        return Packet(frame, at, at, step, 1, frame.size)

    def samples(self, at: int, count: int) -> Array:
        """`count` samples from number `at` on, of -1 to 1; noise is the same where the packets are."""
        number = numpy.arange(at, at + count)
        if self._wave == "silence":
            return numpy.zeros(count)
        if self._wave == "noise":
            return numpy.random.default_rng((self._seed, at)).uniform(-1, 1, count)
        if self._wave == "ticks":
            inside = number % self._rate < self._rate // TICKS_SHARE
            return numpy.where(
                inside, numpy.sin(2 * numpy.pi * (number * TICK_HZ % self._rate) / self._rate), 0
            )
        # the phase is taken first, so that it is exact after hours as well
        turn = ((number - self._since) * self._frequency % self._rate / self._rate + self._phase) % 1.0
        match self._wave:
            case "square":
                wave: Array = numpy.where(turn < 0.5, 1.0, -1.0)
            case "saw":
                wave = 2 * ((turn + 0.5) % 1.0) - 1
            case "triangle":
                wave = 1 - 4 * numpy.abs((turn + 0.25) % 1.0 - 0.5)
            case _:
                wave = numpy.sin(2 * numpy.pi * turn)
        return wave

    def sound(self, wave: str, frequency: float) -> None:
        """Sounds so from the next packet on; the wave goes on where it was, so that nothing clicks."""
        if frequency != self._frequency:
            self._phase += (self._at - self._since) * self._frequency % self._rate / self._rate
            self._since = self._at
        self._wave, self._frequency = wave, frequency


class TestAudio(Generator):
    """Test sound: a tone, silence, noise, or a click at every full second.

    Sample n is at n / sample_rate exactly; there are round(duration * sample_rate) of them.
    """

    __test__ = False
    registry_name = "testaudio"
    outputs: ClassVar[Sequence[Caps]] = (Caps(StreamType="Audio", CodecID="raw"),)

    wave: str = option("sine", choices=WAVES, live=True, help="what is heard")
    frequency: float = option(440.0, low=0.0, unit="Hz", aliases=("freq",), live=True, help="of the wave")
    volume: float = option(0.5, low=0.0, high=1.0, live=True, help="greatest sample, 1 is full")
    sample_rate: int = option(48000, low=1, unit="Hz", aliases=("sr",), help="samples a second")
    channels: int = option(2, low=1, high=64, aliases=("ch",), help="how many, all with the same samples")
    sample_format: str = option("s16", choices=FORMATS, help="FFmpeg's name; with p a plane for each channel")
    samples: int = option(1024, low=1, aliases=("frame",), help="in each packet")
    seed: int = option(0, low=0, help="of the noise, which is the same for the same seed")
    packets: int | None = option(None, low=0, help="how many packets; by default as many as duration says")

    def signals(self) -> list[Signal]:
        return [sound_signal(self, self.wave, self.length_s)]

    def updated(self, name: str) -> None:
        super().updated(name)
        for signal in self._signals:
            if name in ("wave", "frequency") and isinstance(signal, SoundSignal):
                signal.sound(self.wave, self.frequency)


def sound_signal(filter: Any, wave: str, length_s: Fraction | None) -> SoundSignal:
    """As the options of `filter` say, which are those of TestAudio."""
    count = None if length_s is None else round(length_s * filter.sample_rate)
    if filter.packets is not None:
        whole = filter.packets * filter.samples
        count = whole if count is None else min(count, whole)
    return SoundSignal(
        wave=wave,
        frequency=filter.frequency,
        sample_rate=filter.sample_rate,
        channels=filter.channels,
        sample_format=filter.sample_format,
        samples=filter.samples,
        volume=lambda: filter.volume,
        seed=filter.seed,
        count=count,
    )


class AvGen(TestVideo, TestAudio):
    """Test pictures and test sound, in sync: GPAC's avgen.

    The default sound clicks at every full second, when the burned-in time is one.
    """

    registry_name = "avgen"
    outputs = (*TestVideo.outputs, *TestAudio.outputs)

    type: str = option("av", choices=("av", "a", "v"), help="sound, pictures, or both")
    wave: str = option("ticks", choices=WAVES, live=True, help="what is heard")

    def signals(self) -> list[Signal]:
        made: list[Signal] = []
        if "v" in self.type:
            made.append(picture_signal(self, self.pattern))
        if "a" in self.type:
            length_s = self.length_s
            if length_s is None and self.frames is not None:
                length_s = Fraction(self.frames) / self.fps
            made.append(sound_signal(self, self.wave, length_s))
        return made
