"""`AppSource`: frames and packets of an application's own, from any thread or from asyncio."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import numpy

from reelway.errors import OptionError, PacketError
from reelway.filters.arrays import format_of_picture, format_of_sound, picture_of, sound_of
from reelway.filters.mailbox import Mailbox
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.option import Seconds, option
from reelway.graph.pid import Pid
from reelway.media.packet import Packet
from reelway.media.timeline import Timeline

__all__ = ["AppSource"]

TIMESCALE = 90000
LAYOUTS = {1: "mono", 2: "stereo"}


class _Given(NamedTuple):
    """What was pushed, and what it says about the stream."""

    packet: Packet
    properties: dict[str, Any]
    time_s: float | None
    duration_s: float | None


class AppSource(Filter):
    """A source that an application feeds: `push()` from any thread, `await push_async()`, then `end()`.

    Arrays become raw pictures, or, with `sample_rate`, raw sound; packets and bytes go as they are, with
    `properties` that say what they are. Without a time, each follows the one before; `live` stamps each
    with the moment at which it was pushed. At most `max_packets` wait.
    """

    registry_name = "appsource"
    outputs = (Caps(),)

    pixel_format: str = option("", help="of arrays; empty: gray, rgb24 or rgba by their shape")
    fps: Fraction = option("25", low=Fraction(1, 3600), kind=Fraction, help="frames a second")
    sample_rate: int = option(0, low=0, unit="Hz", help="arrays are sound with so many samples a second")
    sample_format: str = option("", help="of sound; empty: by the type of the numbers")
    live: bool = option(False, help="time each packet by the clock, when it is pushed")
    offset: Seconds = option(
        0.0,
        unit="s",
        kind=Seconds,
        help="where time 0 of the stream lies on the session's running time",
    )
    max_packets: int = option(8, low=1, help="so many wait; then push() does")
    properties: Mapping[str, Any] = option(
        {}, kind=object, help="of the stream: StreamType, CodecID, Timescale ..."
    )

    def __init__(self, **options: Any) -> None:
        self._box: Mailbox[_Given] = Mailbox(1)  # set_options() says how many
        super().__init__(**options)
        self._out: Pid | None = None
        self._next = Fraction(0)
        """Where the last packet ended [s]."""
        self._start_s: float | None = None
        """The session's clock at time 0 of a live stream; None until something was pushed and it runs."""
        self._early = False
        """Something live was pushed before the session ran, and is at 0."""

    def set_options(self, options: dict[str, Any]) -> None:
        super().set_options(options)
        if not isinstance(self.properties, Mapping):
            raise OptionError("appsource:properties is no mapping", hint="{'StreamType': 'Visual', ...}")
        self._box.resize(self.max_packets)  # also where the session's defaults say it

    # For the application, from any thread

    def push(
        self,
        data: Any,
        time_s: float | None = None,
        *,
        duration_s: float | None = None,
        timeout_s: float | None = None,
        copy: bool = True,
    ) -> None:
        """Gives an array, a Packet or bytes; waits while `max_packets` do.

        An array is copied; with `copy=False` it is given away. Raises PacketError where it is none that
        fits, DeadlineError after `timeout_s`, and StateError after `end()`, when the session is over, or
        where the session's own thread would wait for itself.
        """
        self._box.put(self._given(data, time_s, duration_s, copy), timeout_s)
        self._wake()

    async def push_async(
        self,
        data: Any,
        time_s: float | None = None,
        *,
        duration_s: float | None = None,
        timeout_s: float | None = None,
        copy: bool = True,
    ) -> None:
        """`push()` for asyncio."""
        await self._box.put_async(self._given(data, time_s, duration_s, copy), timeout_s)
        self._wake()

    def end(self) -> None:
        """No more comes; what was pushed is still sent."""
        self._box.close("no push() after end()")
        self._wake()

    @property
    def waiting(self) -> int:
        """How many packets were pushed that the session has not taken."""
        return len(self._box)

    # The filter

    def open(self) -> None:
        if self._early and self._start_s is None:
            self._start_s = self.context.now()
        if "StreamType" in self.properties and "CodecID" in self.properties:
            self._out = self._made(self.properties)

    def process(self) -> float | None:
        self._box.owner = threading.get_ident()
        while not self.blocked:
            given = self._box.poll()
            if given is None:
                break
            self._send(given)
        if self._box.closed and not len(self._box):
            if self._out is None:
                self._out = self._made(self.properties)  # so that the end has a way
            self._out.end()
        return None

    def close(self) -> None:
        self._box.close("the session is over")

    # Inside

    def _given(self, data: Any, time_s: float | None, duration_s: float | None, copy: bool) -> _Given:
        if self.live and time_s is None:
            time_s = self._moment_s()
        if isinstance(data, Packet):
            return _Given(data, {}, time_s, duration_s)
        if isinstance(data, numpy.ndarray) and self.properties.get("CodecID", "raw") == "raw":
            packet, made = self._sound(data, copy) if self.sample_rate else self._picture(data, copy)
        else:
            packet, made = Packet(data), {}
            if not packet.size and "CodecID" not in self.properties:
                raise PacketError(f"a {type(data).__name__} is no media", hint="push an array or a Packet")
        if self.live:
            packet.capture_time = time.time_ns()
        return _Given(packet, made, time_s, duration_s)

    def _picture(self, array: Any, copy: bool) -> tuple[Packet, dict[str, Any]]:
        format = self.pixel_format or format_of_picture(array)
        frame, width, height = picture_of(array, format, copy)
        properties = {
            "StreamType": "Visual",
            "CodecID": "raw",
            "Timescale": self.fps.numerator * -(-TIMESCALE // self.fps.numerator),
            "PixelFormat": format,
            "Width": width,
            "Height": height,
            "FPS": self.fps,
        }
        return Packet(frame, sap=1, size=frame.size), properties

    def _sound(self, array: Any, copy: bool) -> tuple[Packet, dict[str, Any]]:
        format = self.sample_format or format_of_sound(array)
        frame = sound_of(array, format, copy)
        channels = array.shape[1] if array.ndim == 2 else 1
        properties = {
            "StreamType": "Audio",
            "CodecID": "raw",
            "Timescale": self.sample_rate,
            "AudioFormat": format,
            "SampleRate": self.sample_rate,
            "NumChannels": channels,
        }
        if channels in LAYOUTS:
            properties["ChannelLayout"] = LAYOUTS[channels]
        return Packet(frame, duration=array.shape[0], sap=1, size=frame.size), properties

    def _send(self, given: _Given) -> None:
        packet = given.packet
        properties = {**given.properties, **self.properties}
        if self._out is None:
            self._out = self._made(properties)
        elif any(self._out.properties.get(name) != value for name, value in properties.items()):
            self._out.set(**properties)
        timescale: int = self._out.properties.get("Timescale") or 1
        if given.duration_s is not None:
            packet.duration = round(given.duration_s * timescale)
        elif packet.duration is None and self._out.properties.get("StreamType") == "Visual":
            packet.duration = round(timescale / self.fps)
        if given.time_s is not None:
            packet.dts = packet.cts = round(given.time_s * timescale)
        elif packet.dts is None:
            packet.dts = packet.cts = round(self._next * timescale)
        assert packet.dts is not None
        self._next = Fraction(packet.dts + (packet.duration or 0), timescale)
        self._out.send(packet)

    def _made(self, properties: Mapping[str, Any]) -> Pid:
        pid = self.new_pid("out", **properties)
        pid.timeline = Timeline(0, float(self.offset), 1.0)
        return pid

    def _moment_s(self) -> float:
        """Seconds since the first push, by the session's clock; what is pushed before it runs is at 0."""
        if not self.opened:
            self._early = True
            return 0.0
        now = self.context.now()
        if self._start_s is None:
            self._start_s = now
        return max(0.0, now - self._start_s)  # two threads may push the first one at once

    def _wake(self) -> None:
        if self.opened:  # what is pushed before is seen in the first turn
            self.wake()
