"""`audiosink`: sound from the loudspeakers."""

from __future__ import annotations

import time
import weakref
from collections.abc import Mapping
from typing import Any

import numpy

from reelway.display import sdl
from reelway.errors import UnsupportedError
from reelway.filters.frames import frame_of
from reelway.filters.sound import to_floats, to_frame
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.option import Seconds, option
from reelway.media.packet import Packet
from reelway.media.payload import Frame

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
    applied. The end waits until what is queued was played. After a seek what is queued is dropped. Gaps
    between packets are not filled.
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
        """How much sound was given to the device [s]."""
        self._device: _Device | None = None

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
        device = self._device
        if device is not None and (device.format, device.rate, device.channels) == (format, rate, channels):
            return
        self._finish()
        self._device = device = _Device(self.device, format, rate, channels)
        self.status = f"{rate} Hz, {channels} channels, {format}, to {device.driver}"

    def process(self) -> float | None:
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
        if self._device is not None:
            self._device.clear()

    def close(self) -> None:
        if self._device is not None and not all(link.ended for link in self.ipids):
            self._device.clear()  # the session is stopped without a flush
        self._finish()
        if "_part" in vars(self):
            self._part()

    def _play(self, device: _Device, packet: Packet, pid: Link) -> None:
        frame = self._scaled(frame_of(packet, pid.properties))
        device.queue(frame)
        self.played_s += frame.planes()[0].shape[0] / device.rate

    def _scaled(self, frame: Frame) -> Frame:
        gain = 0.0 if self.mute else self.volume
        if gain == 1.0:
            return frame
        samples = to_floats(frame)
        return to_frame(samples * samples.dtype.type(gain), frame.format)

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
        samples = 1 << max(8, round(rate * DEVICE_S) - 1).bit_length()
        wanted = library.SDL_AudioSpec(rate, _FORMATS[format], channels, samples)
        said = library.SDL_AudioSpec(0, 0, 0, 0)
        self._number = library.SDL_OpenAudioDevice(name.encode() or None, 0, wanted, said, 0)
        if not self._number:
            raise _no_device(sdl.error_text())
        self._device_s = said.samples / rate
        self._second = rate * channels * {"u8": 1, "s16": 2, "s32": 4, "flt": 4}[format]
        self._started = False
        self._close = weakref.finalize(self, library.SDL_CloseAudioDevice, self._number)
        self._close.atexit = False

    @property
    def driver(self) -> str:
        name: bytes = self._sdl.SDL_GetCurrentAudioDriver() or b""
        return name.decode()

    def queue(self, frame: Frame) -> None:
        plane = numpy.ascontiguousarray(frame.planes()[0])
        if self._sdl.SDL_QueueAudio(self._number, plane.ctypes.data, plane.nbytes):
            raise UnsupportedError(f"the sound device takes no more: {sdl.error_text()}")
        if not self._started:  # with samples in hand: it begins without a gap
            self._started = True
            self._sdl.SDL_PauseAudioDevice(self._number, 0)

    def queued_s(self) -> float:
        """What the device has not asked for yet [s]."""
        return float(self._sdl.SDL_GetQueuedAudioSize(self._number)) / self._second

    def clear(self) -> None:
        self._sdl.SDL_ClearQueuedAudio(self._number)

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


def _no_device(why: str) -> UnsupportedError:
    return UnsupportedError(
        f"no sound device: {why or 'none was found'}",
        hint="set SDL_AUDIODRIVER=dummy to play into nothing, or replace the sink: write a file, or fakesink",
    )
