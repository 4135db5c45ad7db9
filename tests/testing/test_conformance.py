"""The conformance suite finds what it looks for, and Reelway's own filters pass it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import reelway as rw
from reelway import catalog
from reelway.filters.concat import Concat
from reelway.filters.crop import Crop, Pad
from reelway.filters.flip import Flip
from reelway.filters.grid import Grid
from reelway.filters.mix import Mix
from reelway.filters.overlay import Picture, Text
from reelway.filters.rate import Rate
from reelway.filters.reframer import Reframer
from reelway.filters.simple import Call, Forward, Null, Tee
from reelway.filters.volume import Volume
from reelway.testing.conformance import ConformanceError, check_filter
from reelway.testing.faults import Choppy, Slow
from reelway.testing.parts import numbered
from tests.filters.raw import noise, picture_properties, sound, sound_properties

PACKETS = numbered(40)


@pytest.mark.parametrize("kind", [Forward, Tee, Choppy, Slow], ids=lambda kind: kind.__name__)
def test_filters_that_pass_on(kind: type[rw.Filter]) -> None:
    seen = check_filter(kind, PACKETS, max_held=0)
    assert seen["video1"].numbers == list(range(40))


def test_sinks_and_functions() -> None:
    assert check_filter(Null, PACKETS) == {}
    check_filter(lambda: Call(function=lambda packet: packet), PACKETS, max_held=0)


@pytest.mark.parametrize("name", ["tee", "null", "reframer", "inspect"])
def test_filters_of_the_catalogue(name: str) -> None:
    if name not in catalog.FILTERS:
        pytest.skip(f"no {name} yet")
    check_filter(catalog.find(name), PACKETS)


@pytest.mark.parametrize(
    "options",
    [{"rt": "on"}, {"rt": "sync", "speed": 2}, {"frames": [-3]}, {"saps": [1]}, {"xs": [0.2]}],
    ids=str,
)
def test_the_reframer(options: dict[str, object]) -> None:
    check_filter(lambda: Reframer(**options), PACKETS)


PICTURES = picture_properties("yuv420p", 64, 48)
SOUND = sound_properties(1000)


def function(pixel_format: str) -> rw.Filter:
    made: rw.Filter = rw.video_filter(pixel_format=pixel_format)(lambda image: 255 - image)()
    return made


@pytest.mark.parametrize(
    ("make", "held"),
    [
        (lambda: Crop(width=20, height=10), 0),
        (lambda: Pad(width=80, height=60), 0),
        (lambda: Flip(mode="both", rotate=90), 0),
        (lambda: Rate(fps=25), 2),
        (lambda: Rate(fps=60), 2),
        (lambda: Rate(fps=10), None),  # what it leaves out is not held
        (lambda: Text(content="{frame} {time}"), 0),
        (lambda: Picture(image=np.full((8, 8, 4), 128, np.uint8)), 0),
        (lambda: Grid(), 1),
        (lambda: Concat(), 0),
        (lambda: function("yuv420p"), 0),
    ],
    ids=["crop", "pad", "flip", "rate", "faster", "slower", "text", "picture", "grid", "concat", "function"],
)
@pytest.mark.parametrize("as_bytes", [False, True], ids=["frames", "bytes"])
def test_filters_of_pictures(make: Callable[[], rw.Filter], held: int | None, as_bytes: bool) -> None:
    packets = noise("yuv420p", 64, 48, count=12, as_bytes=as_bytes)
    seen = check_filter(make, packets, PICTURES, max_held=held, composes=isinstance(make(), Grid))
    (only,) = seen.values()
    assert only.packets


@pytest.mark.parametrize(
    ("make", "held"),
    [
        (lambda: Volume(gain=0.5, fade_in=0.5), 0),
        (lambda: Mix(samples=100), 0),
        (lambda: Concat(), 0),
        (lambda: rw.audio_filter(lambda samples: samples / 2)(), 0),
    ],
    ids=["volume", "mix", "concat", "function"],
)
def test_filters_of_sound(make: Callable[[], rw.Filter], held: int) -> None:
    packets = sound(np.ones((1200, 1), np.float32), size=100)
    seen = check_filter(make, packets, SOUND, max_held=held, composes=isinstance(make(), Mix))
    (only,) = seen.values()
    assert only.packets


@pytest.mark.parametrize("policy", ["drop_oldest", "latest"])
def test_a_sink_of_an_application(policy: str) -> None:
    check_filter(lambda: rw.AppSink(policy=policy), PACKETS)


class KeepsLast(Forward):
    """Holds packets back without end."""

    def configure(self, pid: rw.Link) -> None:
        super().configure(pid)
        pid.data = pid.data or []

    def process(self) -> float | None:
        for pid in self.ipids:
            pid.data.extend(pid)
        return None

    def ended(self, pid: rw.Link) -> None:
        for packet in pid.data:
            pid.output.send(packet)  # type: ignore[union-attr]
        super().ended(pid)


class ChangesSent(Forward):
    def process(self) -> float | None:
        for pid in self.ipids:
            for packet in pid:
                pid.output.send(packet)  # type: ignore[union-attr]
                pid.data = packet
        return None

    def close(self) -> None:
        for pid in self.ipids:
            if pid.data is not None:
                pid.data.dts = -5


class Twice(Forward):
    def process(self) -> float | None:
        for pid in self.ipids:
            for packet in pid:
                pid.output.send(packet)  # type: ignore[union-attr]
                pid.output.send(packet)  # type: ignore[union-attr]
        return None


class Scribbles(Forward):
    """Writes into memory that others read."""

    def process(self) -> float | None:
        for pid in self.ipids:
            for packet in pid:
                packet.payload.memory[0] = 99
                pid.output.send(packet)  # type: ignore[union-attr]
        return None


class OnePerCall(Forward):
    """Sends other packets when it is called more often."""

    def process(self) -> float | None:
        for pid in self.ipids:
            first = pid.get()
            if first is not None:
                first.sap = 4
                pid.output.send(first)  # type: ignore[union-attr]
            for packet in pid:
                pid.output.send(packet)  # type: ignore[union-attr]
        return None


class ForgetsPlace(Forward):
    """Its output does not lie where its input does."""

    def configure(self, pid: rw.Link) -> None:
        if pid.output is None:
            pid.output = self.new_pid(pid.name, **pid.properties)
        else:
            pid.output.copy_properties(pid)


class KeepsOverRestart(Forward):
    """Always sends the packet before the one that came."""

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                if pid.data is not None:
                    pid.output.send(pid.data)  # type: ignore[union-attr]
                pid.data = packet

    def ended(self, pid: rw.Link) -> None:
        if pid.data is not None:
            pid.output.send(pid.data)  # type: ignore[union-attr]
        super().ended(pid)


class HidesRestart(Forward):
    def restarted(self, pid: rw.Link) -> None:
        pass


class StopsAtRestart(Forward):
    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                if not pid.data:
                    pid.output.send(packet)  # type: ignore[union-attr]

    def restarted(self, pid: rw.Link) -> None:
        super().restarted(pid)
        pid.data = True


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (KeepsLast, "it holds .* packets, 2 are allowed"),
        (ForgetsPlace, "begins 4 s later, its output video1 0 s"),
        (KeepsOverRestart, "sends packets over a restart, from before behind it"),
        (HidesRestart, "does not tell the restart"),
        (StopsAtRestart, "behind a restart of its input nothing comes"),
        (ChangesSent, "changed a packet after sending it"),
        (Twice, "sent one packet twice"),
        (Scribbles, "changed a payload that others read"),
        (OnePerCall, "it sends other packets"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_it_finds_what_is_wrong(kind: type[rw.Filter], text: str) -> None:
    packets = numbered(40)
    if kind is Scribbles:
        for packet in packets:
            packet.writable()
    with pytest.raises(ConformanceError, match=text):
        check_filter(kind, packets, max_held=2)
