"""Raw media for tests: frames with numbers in them, and short sessions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

import reelway as rw
from reelway.filters.sound import to_floats, to_frame
from reelway.media.frame import MemoryFrame
from reelway.media.layout import Array, picture_layout
from reelway.media.timeline import Timeline
from reelway.testing.parts import Collect, Feed, Seen

PLANAR = ["yuv420p", "yuv422p", "yuv444p", "nv12", "gray", "rgb24", "rgba", "yuv420p10le", "gbrp", "yuva420p"]


def picture_properties(format: str, width: int, height: int, fps: int = 25) -> dict[str, Any]:
    return {
        "StreamType": "Visual",
        "CodecID": "raw",
        "Timescale": fps,
        "PixelFormat": format,
        "Width": width,
        "Height": height,
        "FPS": Fraction(fps),
    }


def noise(format: str, width: int, height: int, count: int = 3, as_bytes: bool = False) -> list[rw.Packet]:
    """Pictures of seeded noise, one tick each; shared, as behind a tee."""
    random = np.random.default_rng(5)
    layout = picture_layout(format, width, height)
    made = []
    for number in range(count):
        content = random.bytes(layout.size)
        payload: Any = content if as_bytes else MemoryFrame(layout, bytearray(content))
        made.append(rw.Packet(payload, number, number, 1, 1, layout.size))
    return made


def planes(packet: rw.Packet, properties: dict[str, Any]) -> list[Array]:
    payload = packet.payload
    return (
        packet.planes() if isinstance(payload, MemoryFrame) else MemoryFrame.of(payload, properties).planes()
    )


def through(items: Any, properties: dict[str, Any], *filters: rw.Filter | str, **session: Any) -> Seen:
    """What comes out of a chain that `items` of one stream go into."""
    with rw.Session(**session) as made:
        first: rw.Filter = made.add(Feed(items, properties=properties))
        for each in filters:
            first = first >> (made.load(each) if isinstance(each, str) else made.add(each))
        sink = Collect()
        first >> made.add(sink)
        made.run()
    return sink.only


def sound_properties(rate: int = 48000, channels: int = 1, format: str = "flt") -> dict[str, Any]:
    return {
        "StreamType": "Audio",
        "CodecID": "raw",
        "Timescale": rate,
        "SampleRate": rate,
        "NumChannels": channels,
        "AudioFormat": format,
    }


def sound(samples: Array, format: str = "flt", size: int = 1000, start: int = 0) -> list[rw.Packet]:
    """(samples, channels) floats as packets of `size` samples, the first one at `start`."""
    return [
        rw.Packet(to_frame(part := samples[at : at + size], format), start + at, start + at, len(part), 1)
        for at in range(0, len(samples), size)
    ]


def heard(seen: Seen) -> Array:
    """All samples, (samples, channels), gaps closed."""
    return np.concatenate([to_floats(packet.payload) for packet in seen.packets])


class Late(Feed):
    """A source whose stream begins `offset_s` later on the session's running time."""

    def __init__(self, offset_s: float, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._offset_s = offset_s

    def open(self) -> None:
        super().open()
        for pid in self.pids.values():
            pid.timeline = Timeline(0, self._offset_s, 1.0)


def joined(sources: list[rw.Filter], *filters: rw.Filter, **session: Any) -> Collect:
    """What comes out of a chain whose first filter all `sources` feed, in this order."""
    with rw.Session(**session) as made:
        first = made.add(filters[0])
        for source in sources:
            made.add(source) >> first
        last = first
        for each in filters[1:]:
            last = last >> made.add(each)
        sink = Collect()
        last >> made.add(sink)
        made.run()
    return sink
