"""Raw sound into the sample format, rate and layout that are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from time import perf_counter
from typing import Any

import av

from reelway.engine.decode import TURN_S
from reelway.engine.errors import quotable
from reelway.engine.frame import AvFrames, CodecFrame, channel_layout
from reelway.engine.sound import SoundClock, SoundConverter
from reelway.errors import OptionError, UnknownNameError, UnsupportedError
from reelway.graph.caps import Caps, Not
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import option
from reelway.graph.pid import Pid
from reelway.graph.resolve import Conversion
from reelway.media.layout import SAMPLE_FORMATS
from reelway.media.names import canonical_sample_format
from reelway.media.packet import Packet

__all__ = ["Resample"]

_FORMATS = (*SAMPLE_FORMATS, *(f"{name}p" for name in SAMPLE_FORMATS))
_NEEDED = ("AudioFormat", "SampleRate", "NumChannels")


class Resample(Filter):
    """Converts raw sound: sample format, rate, number and layout of channels.

    What is not asked for stays. Where anything is converted, ticks are samples of the result, counted from
    the input's first time on, and no sample is lost: what the resampler holds back comes at the end, or
    before a gap in the input's times.
    """

    registry_name = "resample"
    kind = "resample"
    thread = "pool"
    inputs = (Caps(StreamType="Audio", CodecID="raw"),)
    outputs = (Caps(CodecID="raw"),)
    conversions = (
        Conversion(
            inputs[0],
            Caps(AudioFormat=_FORMATS, SampleRate=Not(0), NumChannels=Not(0), ChannelLayout=Not()),
            {
                "AudioFormat": "format",
                "SampleRate": "rate",
                "NumChannels": "channels",
                "ChannelLayout": "layout",
            },
        ),
    )

    format: str = option("", aliases=("osfmt",), help="sample format, such as s16 or fltp")
    rate: int = option(0, low=0, unit="Hz", aliases=("osr",), help="samples a second")
    channels: int = option(0, low=0, aliases=("och",), help="how many channels, in their usual layout")
    layout: str = option("", aliases=("olayout",), help="loudspeaker layout, such as mono, stereo or 5.1")

    def open(self) -> None:
        if self.format and canonical_sample_format(self.format) not in _FORMATS:
            raise UnknownNameError.of("sample format", self.format, _FORMATS)
        if self.layout:
            try:
                count = av.AudioLayout(self.layout).nb_channels
            except ValueError:
                raise UnknownNameError(
                    f"no channel layout is named {self.layout!r}",
                    hint="one of mono, stereo, 2.1, 5.1, 7.1 ...",
                ) from None
            if self.channels and self.channels != count:
                raise OptionError(f"{self.name}: {self.layout} has {count} channels, not {self.channels}")

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        if not all(isinstance(properties.get(name), (str, int)) for name in _NEEDED):
            return [dict(properties)]
        return [{**properties, **self._target(properties)}]

    def configure(self, pid: Link) -> None:
        if missing := [name for name in _NEEDED if not pid.properties.get(name)]:
            raise UnsupportedError(f"{pid.name} cannot be resampled without {' and '.join(missing)}")
        before: _Stream | None = pid.data
        target = self._target(pid.properties)
        if before is not None and before.target != target:
            before.finish(pid.output)
            before = None
        pid.data = _Stream(pid.properties, target, before)
        self.output_for(pid, {**pid.properties, **pid.data.made})

    def process(self) -> float | None:
        until = perf_counter() + TURN_S
        for pid in self.ipids:
            stream: _Stream = pid.data
            for packet in pid:
                stream.take(packet, pid.output)
                if perf_counter() > until:
                    break
        return None

    def restarted(self, pid: Link) -> None:
        pid.data.finish(pid.output)
        super().restarted(pid)

    def ended(self, pid: Link) -> None:
        if pid.data is not None:
            pid.data.finish(pid.output)
        super().ended(pid)

    def _target(self, properties: dict[str, Any]) -> dict[str, Any]:
        """What the result shall be."""
        layout = self.layout
        if self.channels and not layout:
            layout = channel_layout({"NumChannels": self.channels}).name
        layout = layout or channel_layout(properties).name
        return {
            "AudioFormat": canonical_sample_format(self.format) or properties["AudioFormat"],
            "SampleRate": self.rate or properties["SampleRate"],
            "NumChannels": av.AudioLayout(layout).nb_channels,
            "ChannelLayout": layout,
        }


class _Stream:
    """One input. `target` is what it becomes, `made` what that changes in its properties."""

    def __init__(self, properties: dict[str, Any], target: dict[str, Any], before: _Stream | None) -> None:
        self.target = target
        self._properties = properties
        self._frames = AvFrames(properties)
        names = ("AudioFormat", "SampleRate", "NumChannels")
        self._idle = all(properties[name] == target[name] for name in names) and before is None
        self._idle = (
            self._idle and properties.get("ChannelLayout", target["ChannelLayout"]) == target["ChannelLayout"]
        )
        self._timescale: int = properties.get("Timescale") or 90000
        self.made: dict[str, Any] = {} if self._idle else {**target, "Timescale": target["SampleRate"]}
        self._last: Packet | None = None
        same_ticks = before is not None and before._timescale == self._timescale
        self._clock: SoundClock = (
            before._clock if before is not None and same_ticks else SoundClock(self._timescale)
        )
        self._converter: SoundConverter = (
            before._converter
            if before is not None
            else SoundConverter(
                format=target["AudioFormat"], rate=target["SampleRate"], layout=target["ChannelLayout"]
            )
        )

    def take(self, packet: Packet, output: Pid | None) -> None:
        assert output is not None  # made in configure()
        if self._idle:
            output.send(packet)
            return
        try:
            frame = self._frames.of(packet)
            rate: int = self._properties["SampleRate"]
            frame.sample_rate = rate
            time = packet.cts if packet.cts is not None else packet.dts
            frame.pts = self._clock.start(time, frame.samples, rate)
            ready = self._converter.convert(frame)
        except (av.error.FFmpegError, ValueError) as error:
            raise UnsupportedError(f"FFmpeg's resampler refused: {error}") from quotable(error)
        packet.payload = None  # its times and flags are what is kept
        self._last = packet
        self._send(ready, output)

    def finish(self, output: Pid | None) -> None:
        """Sends what the resampler holds back."""
        if not self._idle and output is not None:
            self._send(self._converter.drain(), output)

    def _send(self, frames: Iterable[Any], output: Pid) -> None:
        for frame in frames:
            payload = CodecFrame(frame)
            made = Packet(payload, size=payload.size)
            if self._last is not None:
                made.copy_properties(self._last)
                self._last.discontinuity, self._last.properties = False, None  # said once
            made.dts = made.cts = frame.pts
            made.duration, made.sap = frame.samples, 1
            output.send(made)
