"""What tests of raw media share: a source of anything, a sink that keeps, pictures and tones."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy

import reelway as rw
from tests.media import make


class Feed(rw.Filter):
    """Sends packets, and sets properties in between."""

    outputs = (rw.Caps(),)

    def __init__(self, items: Iterable[rw.Packet | dict[str, Any]], **properties: Any) -> None:
        super().__init__()
        self.items = iter(items)
        self.properties = properties

    def open(self) -> None:
        self.new_pid("fed", **self.properties)

    def process(self) -> None:
        for item in self.items:
            if isinstance(item, dict):
                self.opids[0].set(**item)
            else:
                self.opids[0].send(item)
            if self.blocked:
                return
        self.opids[0].end()


class Keep(rw.Filter):
    """Keeps what comes, and after how many packets which properties came."""

    inputs = (rw.Caps(),)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.packets: list[rw.Packet] = []
        self.properties: list[dict[str, Any]] = []
        self.at: list[int] = []
        self.ends = 0

    def configure(self, pid: rw.Link) -> None:
        self.properties.append(dict(pid.properties))
        self.at.append(len(self.packets))

    def process(self) -> None:
        for pid in self.ipids:
            self.packets.extend(pid)

    def ended(self, pid: rw.Link) -> None:
        self.ends += 1


def run(source: rw.Filter, *middle: rw.Filter | str, threads: int = 0) -> Keep:
    """Runs `source` through filters, or what their texts load, and keeps what comes out."""
    with rw.Session(threads=threads) as session:
        here = session.add(source)
        for each in middle:
            here = here >> (session.load(each) if isinstance(each, str) else session.add(each))
        keep = Keep()
        here >> session.add(keep)
        session.run()
    assert keep.ends == 1
    return keep


def pictures(
    ticks: Iterable[int],
    timescale: int,
    *,
    last: int = 1,
    size: tuple[int, int] = (320, 240),
    first: int = 0,
    **properties: Any,
) -> Feed:
    """Counted pictures at these times; the last one lasts `last` ticks."""
    times = list(ticks)
    ends = [*times[1:], times[-1] + last]
    packets = [
        rw.Packet(make.counter_picture(first + number, size), at, at, end - at, 1)
        for number, (at, end) in enumerate(zip(times, ends, strict=True))
    ]
    return Feed(packets, **{**picture_properties(size, timescale), **properties})


def picture_properties(size: tuple[int, int], timescale: int) -> dict[str, Any]:
    return {
        "StreamType": "Visual", "CodecID": "raw", "PixelFormat": "yuv420p", "Width": size[0],
        "Height": size[1], "Timescale": timescale, "FPS": Fraction(25),
    }  # fmt: skip


def tones(samples: int, chunk: int, *, rate: int = 48000, channels: int = 2, format: str = "s16") -> Feed:
    """A sine in pieces of `chunk` samples; the last piece is what is left."""
    whole = sine(samples, rate, channels, format)
    packets = []
    for at in range(0, samples, chunk):
        piece = whole[at : at + chunk]
        data = numpy.ascontiguousarray(piece.T if format.endswith("p") else piece).tobytes()
        packets.append(rw.Packet(data, at, at, len(piece), 1))
    return Feed(packets, **sound_properties(rate, channels, format))


def sine(samples: int, rate: int = 48000, channels: int = 2, format: str = "s16") -> Any:
    """(samples, channels), each channel an octave above the one before."""
    time = numpy.arange(samples)[:, None] / rate
    wave = 0.5 * numpy.sin(2 * numpy.pi * 440 * time * 2.0 ** numpy.arange(channels))
    plain = format.removesuffix("p")
    if plain == "flt":
        return wave.astype(numpy.float32)
    return numpy.round(wave * 32767).astype(numpy.int16)


def sound_properties(rate: int, channels: int, format: str) -> dict[str, Any]:
    return {
        "StreamType": "Audio", "CodecID": "raw", "AudioFormat": format, "SampleRate": rate,
        "NumChannels": channels, "Timescale": rate,
    }  # fmt: skip
