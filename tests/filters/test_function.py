"""@video_filter and @audio_filter: one rule, real arrays, options of their own, nobody's memory spoiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reelway as rw
from reelway.filters.simple import Call
from reelway.media.frame import MemoryFrame
from reelway.testing.parts import fingerprint
from tests.filters.raw import heard, noise, picture_properties, sound, sound_properties, through


@rw.video_filter(pixel_format="rgb24")
def invert(image: np.ndarray) -> np.ndarray:
    """Turns colours into their opposites."""
    return 255 - image


@rw.video_filter
def dim(image: np.ndarray, by: float = 0.5, *, floor: int = 0) -> np.ndarray:
    return np.maximum(image * by, floor).astype(np.uint8)


@rw.video_filter(writable=True)
def corner(image: np.ndarray) -> np.ndarray:
    image[:4, :4] = 255
    return image


RGB = picture_properties("rgb24", 32, 16)


def test_what_is_returned_is_sent() -> None:
    packets = noise("rgb24", 32, 16)
    before = [fingerprint(packet) for packet in packets]
    seen = through(packets, RGB, invert())
    for got, source in zip(seen.packets, packets, strict=True):
        np.testing.assert_array_equal(got.array(), 255 - source.array())
        assert (got.dts, got.duration, got.sap) == (source.dts, source.duration, source.sap)
    assert [fingerprint(packet) for packet in packets] == before
    assert seen.properties["Width"] == 32


def test_it_is_a_filter_class_with_a_name_and_help() -> None:
    filter = invert()
    assert isinstance(filter, rw.Filter)
    assert filter.name == "invert"
    assert invert.__doc__ == "Turns colours into their opposites."
    assert invert.function(np.uint8(5)) == 250
    with rw.Session() as session:
        one, other = session.add(invert()), session.add(invert())
        assert (one.name, other.name) == ("invert", "invert2")
        assert isinstance(session.add(invert), invert)


def test_parameters_are_live_options() -> None:
    packets = noise("rgb24", 32, 16, count=6)
    filter = dim(by=0.25)
    sent = 0

    def change(packet: rw.Packet) -> rw.Packet:
        nonlocal sent
        sent += 1
        if sent == 3:
            filter.update("floor", 200)
        return packet

    seen = through(packets, RGB, Call(function=change), filter, limits=rw.Limits(packets=1))
    np.testing.assert_array_equal(seen.packets[0].array(), (packets[0].array() * 0.25).astype(np.uint8))
    assert (seen.packets[-1].array() == 200).all()
    with pytest.raises(rw.OptionError, match="'a' is not a number"):
        dim(by="a")
    with pytest.raises(rw.OptionError, match="no option 'bye'"):
        dim(bye=1)


def test_none_is_dropped_and_counted() -> None:
    @rw.video_filter
    def second(image: np.ndarray, packet: rw.Packet, time_s: float, pid: rw.Link) -> np.ndarray | None:
        assert time_s == packet.dts / pid.properties["Timescale"]  # type: ignore[operator]
        return image if packet.dts % 2 else None  # type: ignore[operator]

    packets, filter = noise("rgb24", 32, 16, count=7), second()
    seen = through(packets, RGB, filter)
    assert [packet.dts for packet in seen.packets] == [1, 3, 5]
    assert filter.dropped == 4
    assert filter.status == "4 dropped"
    assert [p.payload for p in seen.packets] == [packets[n].payload for n in (1, 3, 5)]  # nothing copied


def test_another_size_is_news() -> None:
    @rw.video_filter
    def smaller(image: np.ndarray, packet: rw.Packet) -> np.ndarray:
        return image[::2, ::2] if packet.dts > 1 else image  # type: ignore[operator]

    packets = noise("rgb24", 32, 16, count=4)
    seen = through(packets, RGB, smaller())
    np.testing.assert_array_equal(seen.packets[2].array(), packets[2].array()[::2, ::2])
    sizes = [(e[1]["Width"], e[1]["Height"]) for e in seen.log if e[0] == "configure"]
    assert sizes == [(32, 16), (16, 8)]
    assert [type(entry) is tuple and entry[0] for entry in seen.log][:4] == ["configure", 0, 1, "configure"]


def test_another_format_is_announced() -> None:
    @rw.video_filter(makes="gray")
    def luma(image: np.ndarray) -> np.ndarray:
        return image[..., 1].copy()

    seen = through(noise("rgb24", 32, 16), RGB, luma())
    assert seen.properties["PixelFormat"] == "gray"
    assert seen.packets[0].planes()[0].shape == (16, 32)


@pytest.mark.parametrize("as_bytes", [False, True])
def test_writing_spoils_nobody(as_bytes: bool) -> None:
    packets = noise("rgb24", 32, 16, as_bytes=as_bytes)
    before = [fingerprint(packet) for packet in packets]
    seen = through(packets, RGB, corner())
    assert [fingerprint(packet) for packet in packets] == before
    assert all((packet.array()[:4, :4] == 255).all() for packet in seen.packets)
    np.testing.assert_array_equal(
        seen.packets[0].array()[4:], MemoryFrame.of(packets[0].payload, RGB).array()[4:]
    )


def test_writing_into_what_is_only_lent_is_refused() -> None:
    @rw.video_filter
    def scribble(image: np.ndarray) -> np.ndarray:
        image[0] = 0
        return image

    with pytest.raises(rw.FilterError, match="read-only"):
        through(noise("rgb24", 32, 16), RGB, scribble())


def test_memory_of_our_own_is_written_in_place() -> None:
    """A packet that nobody else holds is not copied."""
    seen_by_function: list[np.ndarray] = []

    @rw.video_filter(writable=True)
    def keep(image: np.ndarray) -> np.ndarray:
        seen_by_function.append(image)
        return image

    class Own(rw.Filter):
        outputs = (rw.Caps(),)

        def open(self) -> None:
            self.new_pid("v", **RGB)

        def process(self) -> None:
            self.opids[0].send(noise("rgb24", 32, 16, count=1)[0])
            self.opids[0].end()

    from reelway.testing.parts import Collect

    with rw.Session() as session:
        sink = Collect()
        session.add(Own()) >> session.add(keep()) >> session.add(sink)
        session.run()
    assert np.shares_memory(seen_by_function[0], sink.only.packets[0].planes()[0])


@pytest.mark.parametrize("writable", [False, True])
@pytest.mark.parametrize("format", ["yuv420p", "yuv444p", "nv12", "gray", "yuv420p10le", "gbrp"])
def test_planar_formats(format: str, writable: bool) -> None:
    shapes: list[tuple[int, ...]] = []

    @rw.video_filter(pixel_format=format, writable=writable)
    def halve(image: np.ndarray) -> np.ndarray:
        shapes.append(image.shape)
        return image // 2

    packets = noise(format, 32, 16)
    seen = through(packets, picture_properties(format, 32, 16), halve())
    for got, source in zip(seen.packets, packets, strict=True):
        for plane, before in zip(got.planes(), source.planes(), strict=True):
            np.testing.assert_array_equal(plane, before // 2)
    assert shapes[0] in {(24, 32), (3, 16, 32), (16, 32)}


@pytest.mark.parametrize(
    ("returned", "text"),
    [
        (np.zeros((4, 4, 3)), "holds float64"),
        (np.zeros((4, 4), np.uint8), "no picture of rgb24"),
        (17, "returned int"),
        (np.zeros((0, 4, 3), np.uint8), "no picture"),
    ],
)
def test_what_is_no_picture_is_refused(returned: object, text: str) -> None:
    @rw.video_filter
    def wrong(image: np.ndarray) -> Any:
        return returned

    with pytest.raises(rw.FilterError, match=text) as caught:
        through(noise("rgb24", 32, 16), RGB, wrong())
    assert "'wrong' failed" in str(caught.value)


def test_parameters_that_cannot_be() -> None:
    with pytest.raises(rw.OptionError, match="parameter strength without a default"):

        @rw.video_filter
        def one(image: np.ndarray, strength: float) -> None: ...

    with pytest.raises(rw.OptionError, match="parameter status, which every filter has"):

        @rw.video_filter
        def two(image: np.ndarray, status: int = 2) -> None: ...

    with pytest.raises(rw.OptionError, match=r"nothing\(\) takes no array") as caught:

        @rw.audio_filter
        def nothing() -> None: ...

    assert "its first parameter is the array" in (caught.value.hint or "")
    with pytest.raises(rw.OptionError, match=r"named\(\) takes no array"):

        @rw.video_filter(pixel_format="gray")
        def named(*, image: np.ndarray) -> None: ...

    with pytest.raises(rw.OptionError, match=r"nothing says what min\(\) takes"):
        rw.video_filter(min)


# Sound


@rw.audio_filter
def swap(samples: np.ndarray) -> np.ndarray:
    return samples[:, ::-1]


@pytest.mark.parametrize("format", ["flt", "fltp", "s16", "s16p"])
def test_sound(format: str) -> None:
    filter = rw.audio_filter(sample_format=format)(swap.function)
    samples = np.random.default_rng(1).uniform(-0.9, 0.9, (3000, 2)).astype(np.float32)
    packets = sound(samples, format)
    before = [fingerprint(packet) for packet in packets]
    seen = through(packets, sound_properties(channels=2, format=format), filter())
    assert np.abs(heard(seen) - samples[:, ::-1]).max() < 1e-4
    assert [fingerprint(packet) for packet in packets] == before
    assert seen.packets[0].payload.format == format


def test_sound_of_another_length_and_with_other_channels() -> None:
    @rw.audio_filter
    def mono_half(samples: np.ndarray, time_s: float) -> np.ndarray | None:
        return samples[::2].mean(axis=1) if time_s > 0 else None

    filter = mono_half()
    packets = sound(np.ones((3000, 2), np.float32))
    seen = through(packets, sound_properties(channels=2) | {"ChannelLayout": "stereo"}, filter)
    assert [(packet.dts, packet.duration) for packet in seen.packets] == [(1000, 500), (2000, 500)]
    assert seen.properties["NumChannels"] == 1
    assert "ChannelLayout" not in seen.properties
    assert filter.dropped == 1


def test_sound_in_place() -> None:
    @rw.audio_filter(writable=True)
    def quiet(samples: np.ndarray) -> np.ndarray:
        samples *= 0.5
        return samples

    packets = sound(np.ones((100, 2), np.float32))
    seen = through(packets, sound_properties(channels=2), quiet())
    assert (heard(seen) == 0.5).all()
    assert (packets[0].array() == 1).all()
