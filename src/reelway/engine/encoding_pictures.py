"""Pictures into the encoder, with their times and durations to the tick."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from reelway.engine.codecs import candidates
from reelway.engine.encoder import Asked, choose_picture_format, open_encoder
from reelway.engine.encoding import EncodedStream
from reelway.engine.picture import PictureConverter, check_samples, spare_bits
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.media.packet import Packet
from reelway.media.timebase import rescale

__all__ = ["PictureStream"]

log = logging.getLogger("reelway.engine")


class _Said(NamedTuple):
    """What a raw packet said that the coded one shall say too; the packet would hold its picture."""

    duration: int | None
    corrupted: bool
    discontinuity: bool
    capture_time: int | None
    properties: dict[str, Any] | None


class PictureStream(EncodedStream):
    """Pictures. The encoder is given the ticks of the PID, or counts where it cannot take them.

    A file has one description of a stream, so the encoder stays what it was opened as: other sizes, formats
    and ticks that come later are converted.
    """

    video = True

    def __init__(self, filter: Filter, pid: Link, asked: Asked, upright: bool) -> None:
        super().__init__(filter, pid, asked)
        self._upright = upright
        self._target: dict[str, Any] = {}
        """The properties with which the encoder was opened."""
        self._converter: PictureConverter | None = None
        self._said: dict[int, _Said] = {}
        self._times: deque[int] = deque()
        """Of the pictures from number `_base` on, where the encoder counts."""
        self._base = self._count = 0
        self._last: int | None = None
        self._open(pid.properties)

    def reconfigure(self, properties: Mapping[str, Any]) -> None:
        before = self._target
        self._follow(properties)
        size = properties.get("Width"), properties.get("Height")
        if self._converter is not None and size != (before["Width"], before["Height"]):
            log.warning(
                "%s: pictures become %sx%s and are scaled to %sx%s, with which %s was opened",
                self.filter.name, *size, before["Width"], before["Height"],
                self.encoder.name if self.encoder else "the encoder",
            )  # fmt: skip

    def encode(self, packet: Packet) -> None:
        if packet.seek:
            return
        if self.encoder is None:
            self._open(self.properties)
        frame = self.frames.of(packet)
        if self._converter is not None:
            frame = self._converter.convert(frame)
        elif self._spare:
            check_samples(frame, self._spare)
        time = packet.cts if packet.cts is not None else packet.dts
        duration = packet.duration
        if self._ticks != self._timescale:
            time = None if time is None else rescale(time, self._ticks, self._timescale)
            duration = None if duration is None else rescale(duration, self._ticks, self._timescale)
        if time is None:
            time = 0 if self._last is None else self._last + (duration or 1)
        if self._last is not None and time <= self._last:
            time = self._last + 1  # encoders take rising times only
        self._last = time
        if self._counts:
            frame.pts = self._count
            self._times.append(time)
        else:
            frame.pts = time
        self._said[frame.pts] = _Said(
            duration, packet.corrupted, packet.discontinuity, packet.capture_time, packet.properties
        )
        self._count += 1
        frame.time_base = self._time_base
        frame.duration = 0 if self._counts else duration or 0
        frame.pict_type = 0  # what the decoder read is no order to the encoder
        self._send(self.guarded(frame))

    def restart(self) -> None:
        self.finish()
        self._last = None

    def finish(self) -> None:
        if self.encoder is not None:
            self._send(self.encoder.drain())
            self.encoder = None

    def _follow(self, properties: Mapping[str, Any]) -> None:
        """From here on pictures come like this, and become what the encoder was opened with."""
        self.take(properties)
        self._ticks = properties.get("Timescale") or 90000
        self._converter = self._converter_to(self._target, fixed=True)

    def _open(self, properties: Mapping[str, Any]) -> None:
        if self._target:  # again, behind a restart
            self._follow(properties)
        else:
            self._choose(properties)
        target, timescale = self._target, self._timescale
        self._spare = spare_bits(str(target["PixelFormat"]))
        self.encoder = open_encoder(self.asked, target, timescale)
        self._time_base = self.encoder.time_base
        self._counts = self._time_base != Fraction(1, timescale)
        self._said.clear()
        self._times.clear()
        self._base = self._count = 0
        changed = {name: target.get(name) for name in (self._converter.made if self._converter else ())}
        self.announce(self.encoder, timescale, **changed)

    def _choose(self, properties: Mapping[str, Any]) -> None:
        """What the encoder shall be opened with."""
        self.take(properties)
        timescale: int = properties.get("Timescale") or 90000
        self._timescale = self._ticks = timescale
        target = dict(self.properties)
        codec = next(candidates(self.asked.codec, self.asked.avoid), None)
        if codec is not None:
            target["PixelFormat"] = choose_picture_format(codec, target["PixelFormat"])
        self._converter = self._converter_to(target, fixed=False)
        if self._converter is not None:
            target |= self._converter.made
        if not target.get("FPS"):
            first = self.pid.peek()
            if first is not None and first.duration:
                target["FPS"] = Fraction(timescale, first.duration)
        self._target = target

    def _converter_to(self, target: Mapping[str, Any], *, fixed: bool) -> PictureConverter | None:
        """Into the format of `target`; `fixed`: in its size and colours, too."""
        turns = (self.properties.get("Rotate") or 0) if self._upright else 0
        converter = PictureConverter(
            self.properties,
            format=target["PixelFormat"],
            width=target["Width"] if fixed else 0,
            height=target["Height"] if fixed else 0,
            matrix=target.get("ColorMatrix") or "" if fixed else "",
            full_range=target.get("FullRange") if fixed else None,
            turns=turns,
        )
        return None if converter.idle else converter

    def _send(self, payloads: Iterable[Any]) -> None:
        output = self.pid.output
        assert output is not None
        for payload in payloads:
            said = self._said.pop(payload.pts, None)
            dts, cts = payload.dts, payload.pts
            self._forget_before(dts)
            if self._counts:
                dts, cts = self._time_of(dts), self._time_of(cts)
            packet = Packet(payload, dts, cts, None, 1 if payload.is_keyframe else 0, payload.size)
            if said is None:
                packet.duration = payload.duration or None
            else:
                packet.duration = said.duration
                packet.corrupted, packet.discontinuity = said.corrupted, said.discontinuity
                packet.capture_time, packet.properties = said.capture_time, said.properties
            output.send(packet)

    def _forget_before(self, dts: int) -> None:
        """No picture is shown before it is decoded: those that the encoder has dropped never come."""
        while self._said and (first := next(iter(self._said))) < dts:
            del self._said[first]
        while len(self._times) > 2 and self._base < dts - 1:
            self._times.popleft()
            self._base += 1

    def _time_of(self, count: int) -> int:
        """The time of a picture by its number; before the first and behind the last, at an even distance."""
        times, at = self._times, count - self._base
        if 0 <= at < len(times):
            return times[at]
        step = times[1] - times[0] if len(times) > 1 else 1
        return times[0] + at * step if at < 0 else times[-1] + (at - len(times) + 1) * step
