"""`audiosink`: sound from the loudspeakers."""

from __future__ import annotations

import time
import weakref
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy

from reelway.display import sdl
from reelway.display.insync import DeviceClock, Steering, longer, shorter
from reelway.errors import UnsupportedError
from reelway.filters.frames import frame_of
from reelway.filters.gate import Gate
from reelway.filters.sound import to_floats, to_frame
from reelway.filters.tempo import SOUND_LEAD_S, Tempo
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import Seconds, option
from reelway.media.layout import Array
from reelway.media.packet import Packet

__all__ = ["AudioSink"]

_FORMATS = {"u8": 0x0008, "s16": 0x8010, "s32": 0x8020, "flt": 0x8120}
"""FFmpeg's name -> SDL's number, little-endian; in the order of FFmpeg's channels, which is SDL's too."""
_CHANNELS = (1, 2, 4, 6, 8)
DEVICE_S = 0.02
"""The device asks for so much at once."""
PATIENCE_S = 0.8
"""So long the end of a stream waits for a device that takes nothing: one that is late is none that hangs."""


class AudioSink(Filter):
    """Plays sound: the device takes it at its own pace, and holds the session up meanwhile.

    About `buffer` seconds are queued for the device, so long before it is heard is a new `volume` or `mute`
    applied. The end waits until what is queued was played. After a seek what is queued is dropped.

    Behind a `gate` it keeps to the gate's clock, with what the device holds counted: what comes before its
    time waits behind silence, what is late is left out, and a device whose clock is another one gets a few
    milliseconds more or less now and then. Without a gate the device sets the pace, and gaps are not filled.
    """

    registry_name = "audiosink"
    thread = "own"
    inputs = (Caps(StreamType="Audio", CodecID="raw", AudioFormat=tuple(_FORMATS), NumChannels=_CHANNELS),)
    max_inputs = 1

    volume: float = option(1.0, low=0.0, high=10.0, live=True, help="factor; what gets too loud is clipped")
    mute: bool = option(False, live=True, help="silence, in the same time")
    buffer: Seconds = option(0.2, low=0.02, high=5.0, unit="s", kind=Seconds, help="so much is queued")
    device: str = option("", help="its name, as SDL knows it; empty: the system's choice")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.played_s = 0.0
        """How much sound was given to the device [s], without silence."""
        self.corrections = 0
        """How often sound was repeated or left out for the sake of the clock."""
        self._device: _Device | None = None
        self._gate: Gate | None = None
        self._steering = Steering()
        self._waits_for_gate = False
        self._end: tuple[float, float] | None = None
        """Media time at which what was queued last ends, and when that is heard [s, monotonic]. Replaced as a
        whole: `heard_s` relies on the GIL."""

    @property
    def heard_s(self) -> float | None:
        """The media time of what is heard now [s]; None where nothing is. From any thread."""
        end = self._end
        left_s = end[1] - time.monotonic() if end is not None else 0.0
        return end[0] - left_s if end is not None and left_s > 0 else None

    @property
    def late_s(self) -> float:
        """How much later than its gate's clock says the last sound was heard [s]; below 0: earlier."""
        return self._steering.late_s

    def preferred(self, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        packed = str(properties.get("AudioFormat")).removesuffix("p")
        channels = properties.get("NumChannels")
        return {
            "AudioFormat": packed if packed in _FORMATS else "flt",
            "NumChannels": channels if channels in _CHANNELS else 2,
        }

    def open(self) -> None:
        library = sdl.sdl()
        if said := sdl.begin(library.SDL_INIT_AUDIO):
            raise _no_device(said)
        self._part = weakref.finalize(self, sdl.end, library.SDL_INIT_AUDIO)
        self._part.atexit = False

    def configure(self, pid: Link) -> None:
        format, rate, channels = (
            pid.properties[name] for name in ("AudioFormat", "SampleRate", "NumChannels")
        )
        self._gate = _gate_before(pid)
        if self._gate is not None:
            self._waits_for_gate = True
            self.context.defer(partial(self._lead, self._gate))
        device = self._device
        if device is not None and (device.format, device.rate, device.channels) == (format, rate, channels):
            return
        self._finish()
        self._device = device = _Device(self.device, format, rate, channels)
        self.status = f"{rate} Hz, {channels} channels, {format}, to {device.driver}"

    def _lead(self, gate: Gate) -> None:
        """On the session's thread, to which the gate belongs."""
        gate.feed_sound(SOUND_LEAD_S, max(SOUND_LEAD_S, self.buffer))
        self._waits_for_gate = False
        self.wake()

    def process(self) -> float | None:
        if self._waits_for_gate:
            return None
        device = self._device
        for pid in self.ipids:
            while device is not None:
                ahead_s = device.queued_s()
                if ahead_s >= self.buffer:
                    if pid.peek() is None:
                        break
                    # woken early rather than late: the queue must not run dry
                    return max(DEVICE_S / 2, (ahead_s - self.buffer / 2) / 2)
                packet = pid.get()
                if packet is None:
                    break
                self._play(device, packet, pid)
        return None

    def restarted(self, pid: Link) -> None:
        self._steering.forget()
        self._end = None
        if self._device is not None:
            self._device.clear()

    def close(self) -> None:
        if self._device is not None and not all(link.ended for link in self.ipids):
            self._device.clear()  # the session is stopped without a flush
        self._finish()
        if "_part" in vars(self):
            self._part()

    def _play(self, device: _Device, packet: Packet, pid: Link) -> None:
        frame = frame_of(packet, pid.properties)
        gain = 0.0 if self.mute else self.volume
        if gain != 1.0:
            floats = to_floats(frame)
            frame = to_frame(floats * floats.dtype.type(gain), frame.format)
        samples = frame.planes()[0]
        ticks = packet.cts if packet.cts is not None else packet.dts
        if ticks is not None:
            timescale = pid.properties.get("Timescale") or 1
            end_s = ticks / timescale + len(samples) / device.rate
            due_s = self._clock.when_s(pid.pid.timeline.running_s(ticks, timescale)) if self._clock else None
            if due_s is not None:
                samples = self._at_its_time(device, samples, due_s - self.context.now())
        device.queue(samples)
        self.played_s += len(samples) / device.rate
        if ticks is not None:
            self._end = end_s, time.monotonic() + device.heard_in_s()

    @property
    def _clock(self) -> Tempo | None:
        return self._gate.clock if self._gate is not None and self._gate.sync else None

    def _at_its_time(self, device: _Device, samples: Array, due_in_s: float) -> Array:
        """What is to be queued of `samples`, so that they are heard in `due_in_s`."""
        more_s, at_once = self._steering.turn(device.heard_in_s() - due_in_s, device.dry)
        count = round(abs(more_s) * device.rate)
        if not count:
            return samples
        self.corrections += not (at_once and device.dry)
        if at_once and more_s > 0:
            device.queue(device.silence(count))
        elif at_once:
            return samples[count:]
        else:
            return (longer if more_s > 0 else shorter)(samples, count, device.rate)
        return samples

    def _finish(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            device.drain()
            device.close()


class _Device:
    """An open sound device, playing; on one thread, but for SDL's own that takes the samples."""

    def __init__(self, name: str, format: str, rate: int, channels: int) -> None:
        self.format, self.rate, self.channels = format, rate, channels
        self._sdl = library = sdl.sdl()
        self._queued_s = 0.0
        """All that was ever queued."""
        samples = 1 << max(8, round(rate * DEVICE_S) - 1).bit_length()
        wanted = library.SDL_AudioSpec(rate, _FORMATS[format], channels, samples)
        said = library.SDL_AudioSpec(0, 0, 0, 0)
        self._number = library.SDL_OpenAudioDevice(name.encode() or None, 0, wanted, said, 0)
        if not self._number:
            raise _no_device(sdl.error_text())
        self._device_s = said.samples / rate
        self._clock = DeviceClock(self._device_s)
        self._second = rate * channels * {"u8": 1, "s16": 2, "s32": 4, "flt": 4}[format]
        self._started = False
        self._close = weakref.finalize(self, library.SDL_CloseAudioDevice, self._number)
        self._close.atexit = False

    @property
    def driver(self) -> str:
        name: bytes = self._sdl.SDL_GetCurrentAudioDriver() or b""
        return name.decode()

    def queue(self, samples: Array) -> None:
        plane = numpy.ascontiguousarray(samples)
        self._queued_s += len(plane) / self.rate
        if self._sdl.SDL_QueueAudio(self._number, plane.ctypes.data, plane.nbytes):
            raise UnsupportedError(f"the sound device takes no more: {sdl.error_text()}")
        if not self._started:  # with samples in hand: it begins without a gap
            self._started = True
            self._sdl.SDL_PauseAudioDevice(self._number, 0)

    def queued_s(self) -> float:
        """What the device has not asked for yet [s]."""
        return float(self._sdl.SDL_GetQueuedAudioSize(self._number)) / self._second

    @property
    def dry(self) -> bool:
        """It has nothing to take: what is queued next is heard as soon as can be."""
        return not self._sdl.SDL_GetQueuedAudioSize(self._number)

    def heard_in_s(self) -> float:
        """How long it takes until what is queued next is heard [s]."""
        now_s, left_s = time.monotonic(), self.queued_s()
        if left_s and self._started:
            self._clock.look(now_s, self._queued_s - left_s)
        else:
            self._clock.forget()
        return self._clock.heard_s(self._queued_s, now_s) - now_s

    def silence(self, count: int) -> Array:
        """So many samples of it."""
        dtype = {"u8": numpy.uint8, "s16": numpy.int16, "s32": numpy.int32, "flt": numpy.float32}[self.format]
        made: Array = numpy.full((count, self.channels), 128 if self.format == "u8" else 0, dtype)
        return made

    def clear(self) -> None:
        self._sdl.SDL_ClearQueuedAudio(self._number)
        self._clock.forget()

    def drain(self) -> None:
        """Waits until what is queued was played, or nothing of it is taken any more."""
        if not self._started:
            return
        before_s, until = self.queued_s(), time.monotonic() + PATIENCE_S
        while (left_s := self.queued_s()) and time.monotonic() < until:
            if left_s < before_s:
                before_s, until = left_s, time.monotonic() + PATIENCE_S
            time.sleep(min(left_s, DEVICE_S) / 2)
        time.sleep(2 * self._device_s)  # what the device has asked for is still to be heard

    def close(self) -> None:
        self._close()


def _gate_before(pid: Link) -> Gate | None:
    """The gate through which this sound comes; there may be a converter between."""
    source = pid.source
    while not isinstance(source, Gate):
        if len(source.ipids) != 1:
            return None
        source = source.ipids[0].source
    return source


def _no_device(why: str) -> UnsupportedError:
    return UnsupportedError(
        f"no sound device: {why or 'none was found'}",
        hint="set SDL_AUDIODRIVER=dummy to play into nothing, or replace the sink: write a file, or fakesink",
    )
