"""Sound into the encoder, counted in samples."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from reelway.engine.codecs import candidates
from reelway.engine.encoder import Asked, choose_rate, choose_sound_format, open_encoder
from reelway.engine.encoding import EncodedStream
from reelway.engine.frame import channel_layout
from reelway.engine.sound import SoundClock, SoundConverter
from reelway.errors import UnsupportedError
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.media.packet import Packet

__all__ = ["SoundStream"]

log = logging.getLogger("reelway.engine")


class SoundStream(EncodedStream):
    """Sound. Ticks are samples, so that no time is rounded; FFmpeg cuts it into what the encoder takes."""

    def __init__(self, filter: Filter, pid: Link, asked: Asked, upright: bool) -> None:
        super().__init__(filter, pid, asked)
        self._clock = SoundClock(1)
        self._first: int | None = None
        self._announced = False
        self._open(pid.properties)

    def reconfigure(self, properties: Mapping[str, Any]) -> None:
        if properties.get("Timescale") != self.properties.get("Timescale"):
            self._clock = SoundClock(properties.get("Timescale") or 90000)
        self.take(properties)

    def encode(self, packet: Packet) -> None:
        if packet.seek:
            return
        if self.encoder is None:
            self._open(self.properties)
        frame = self.frames.of(packet)
        rate: int = self.properties["SampleRate"]
        frame.sample_rate = rate
        frame.pts = self._clock.start(
            packet.cts if packet.cts is not None else packet.dts, frame.samples, rate
        )
        for ready in self._converter.convert(frame):
            self._give(ready)

    def restart(self) -> None:
        self.finish()

    def finish(self) -> None:
        if self.encoder is None:
            return
        for ready in self._converter.drain():
            self._give(ready)
        self._send(self.encoder.drain())
        if not self._announced:
            self._tell(0)
        self.encoder = None

    def _open(self, properties: Mapping[str, Any]) -> None:
        self.take(properties)
        codec = next(candidates(self.asked.codec, self.asked.avoid), None)
        target = dict(self.properties)
        target["ChannelLayout"] = channel_layout(properties).name
        if codec is not None:
            target["AudioFormat"] = choose_sound_format(codec, target["AudioFormat"])
            target["SampleRate"] = choose_rate(codec, target["SampleRate"])
        rate: int = target["SampleRate"]
        try:
            self.encoder = open_encoder(self.asked, target, rate)
        except UnsupportedError:
            if channel_layout(target).nb_channels == 2:
                raise
            told = self.asked.codec, target["ChannelLayout"]
            target |= {"ChannelLayout": "stereo", "NumChannels": 2}
            self.encoder = open_encoder(self.asked, target, rate)
            log.warning("%s: %s takes no %s: it becomes stereo", self.filter.name, *told)
        self._target: dict[str, Any] = target
        self._converter = SoundConverter(
            format=target["AudioFormat"], rate=rate, layout=target["ChannelLayout"]
        )
        self._clock = SoundClock(properties.get("Timescale") or 90000)
        self._first, self._announced = None, False

    def _give(self, frame: Any) -> None:
        if self._first is None:
            self._first = frame.pts
        frame.time_base = self.encoder.time_base  # type: ignore[union-attr]
        self._send(self.guarded(frame))

    def _tell(self, padding: int) -> None:
        assert self.encoder is not None
        target = self._target
        self.announce(
            self.encoder,
            target["SampleRate"],
            SampleRate=target["SampleRate"],
            ChannelLayout=target["ChannelLayout"],
            NumChannels=channel_layout(target).nb_channels,
            SamplesPerFrame=self.encoder.context.frame_size or None,
            InitialPadding=padding or None,
        )
        self._announced = True

    def _send(self, payloads: Iterable[Any]) -> None:
        for payload in payloads:
            if not self._announced:
                self._tell(max(0, (self._first or 0) - payload.pts))
            output = self.pid.output
            assert output is not None
            duration = payload.duration or None
            output.send(Packet(payload, payload.dts, payload.pts, duration, 1, payload.size))
