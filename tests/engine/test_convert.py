"""Converting pictures: colours against computed ones, tags, sizes, turns, and what the resolver makes."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy
import pytest

import reelway as rw
from tests.engine.parts import Feed, Keep, picture_properties, pictures, run
from tests.media import make

WEIGHTS = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}
"""Kr and Kb (ITU-R BT.709, BT.601, BT.2020)."""
STEP = 16
"""Pixels of one bar; edges, where chroma is interpolated, are not looked at."""
INSIDE = slice(4, 12)


def bars() -> Any:
    """(32, 64 bars * 16, 3) RGB from 0 to 1: all corners of the cube, greys, and what lies between."""
    levels = list(itertools.product((0, 0.25, 0.6, 1), repeat=3))
    return numpy.repeat(numpy.repeat(numpy.array(levels)[None], 32, 0), STEP, 1)


def to_yuv(rgb: Any, matrix: str, full: bool, bits: int) -> Any:
    kr, kb = WEIGHTS[matrix]
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = (blue - luma) / (2 * (1 - kb)), (red - luma) / (2 * (1 - kr))
    top, half, unit = (1 << bits) - 1, 1 << (bits - 1), 1 << (bits - 8)
    if full:
        return numpy.stack([luma * top, *(each * top + half for each in chroma)], -1).clip(0, top)
    return numpy.stack([(16 + 219 * luma) * unit, *((128 + 224 * each) * unit for each in chroma)], -1)


def to_rgb(yuv: Any, matrix: str, full: bool, bits: int) -> Any:
    kr, kb = WEIGHTS[matrix]
    top, half, unit = (1 << bits) - 1, 1 << (bits - 1), 1 << (bits - 8)
    if full:
        luma, chroma = yuv[..., 0] / top, (yuv[..., 1:] - half) / top
    else:
        luma, chroma = (yuv[..., 0] / unit - 16) / 219, (yuv[..., 1:] / unit - 128) / 224
    blue = luma + 2 * (1 - kb) * chroma[..., 0]
    red = luma + 2 * (1 - kr) * chroma[..., 1]
    green = (luma - kr * red - kb * blue) / (1 - kr - kb)
    return numpy.stack([red, green, blue], -1).clip(0, 1)


def bits_of(format: str) -> int:
    return 10 if "10" in format else 8


def picture(format: str, matrix: str, full: bool) -> tuple[bytes, Any]:
    """Bars in a YUV format, and the rounded samples at every pixel."""
    yuv = numpy.round(to_yuv(bars(), matrix, full, bits_of(format)))
    down, across = {"420": (2, 2), "422": (1, 2), "444": (1, 1)}[format[3:6]]
    kind = "<u2" if bits_of(format) > 8 else "u1"
    planes = [yuv[..., 0], yuv[::down, ::across, 1], yuv[::down, ::across, 2]]
    return b"".join(plane.astype(kind).tobytes() for plane in planes), yuv


def convert(data: bytes, given: dict[str, Any], options: str) -> tuple[list[Any], dict[str, Any]]:
    height, width = bars().shape[:2]
    properties = {**picture_properties((width, height), 25), **given}
    keep = run(Feed([rw.Packet(data, 0, 0, 1)], **properties), f"convert:{options}")
    return keep.packets[0].planes(), keep.properties[0]


def worst(plane: Any, expected: Any) -> float:
    """The greatest difference inside the bars; a plane of chroma may have fewer samples."""
    down, across = expected.shape[0] // plane.shape[0], expected.shape[1] // plane.shape[1]
    where = (numpy.arange(expected.shape[1]) % STEP)[::across]
    inside = (where >= INSIDE.start) & (where < INSIDE.stop)
    difference = numpy.abs(plane.astype(float) - expected[::down, ::across])
    return float(difference[:, inside].max())


@pytest.mark.parametrize("format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv444p10le"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", WEIGHTS)
def test_trap_09_yuv_to_rgb_by_its_own_matrix_and_range(matrix: str, full: bool, format: str) -> None:
    data, yuv = picture(format, matrix, full)
    given = {"PixelFormat": format, "ColorMatrix": matrix, "FullRange": full}
    planes, properties = convert(data, given, "format=rgb24")
    expected = 255 * to_rgb(yuv, matrix, full, bits_of(format))
    assert max(worst(planes[0][..., each], expected[..., each]) for each in range(3)) <= 1
    assert (properties["PixelFormat"], properties["ColorMatrix"], properties["FullRange"]) == (
        "rgb24",
        "gbr",
        True,
    )


@pytest.mark.parametrize("format", ["yuv420p", "yuv444p", "yuv420p10le"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", WEIGHTS)
def test_rgb_to_yuv(matrix: str, full: bool, format: str) -> None:
    rgb = numpy.round(bars() * 255)
    planes, properties = convert(
        rgb.astype("u1").tobytes(),
        {"PixelFormat": "rgb24"},
        f"format={format}:matrix={matrix}:full_range={full}",
    )
    expected = to_yuv(rgb / 255, matrix, full, bits_of(format))
    assert max(worst(plane, expected[..., each]) for each, plane in enumerate(planes)) <= 2
    assert (properties["ColorMatrix"], properties["FullRange"]) == (matrix, full)


@pytest.mark.parametrize("to", list(itertools.product(WEIGHTS, [False, True])))
@pytest.mark.parametrize("came", list(itertools.product(WEIGHTS, [False, True])))
@pytest.mark.parametrize("format", ["yuv420p", "yuv420p10le"])
def test_trap_09_from_one_matrix_and_range_to_another(
    format: str, came: tuple[str, bool], to: tuple[str, bool]
) -> None:
    data, yuv = picture(format, *came)
    given = {"PixelFormat": format, "ColorMatrix": came[0], "FullRange": came[1]}
    planes, properties = convert(data, given, f"format=yuv444p:matrix={to[0]}:full_range={to[1]}")
    expected = to_yuv(to_rgb(yuv, *came, bits_of(format)), *to, 8)
    assert max(worst(plane, expected[..., each]) for each, plane in enumerate(planes)) <= 2
    assert properties["ColorMatrix"] == to[0]
    assert bool(properties["FullRange"]) == to[1]


def test_fast_is_off_by_three_at_most() -> None:
    data, yuv = picture("yuv420p", "bt709", False)
    planes, _ = convert(data, {"ColorMatrix": "bt709"}, "format=rgb24:fast")
    expected = 255 * to_rgb(yuv, "bt709", False, 8)
    assert max(worst(planes[0][..., each], expected[..., each]) for each in range(3)) <= 3


@pytest.mark.parametrize(("size", "matrix"), [((640, 480), "smpte170m"), ((1280, 720), "bt709")])
def test_colours_that_nothing_is_said_of_are_taken_by_convention(size: tuple[int, int], matrix: str) -> None:
    yuv = numpy.round(to_yuv(numpy.array([[[1.0, 0.2, 0.1]]]), matrix, False, 8))[0, 0]
    width, height = size
    data = b"".join(
        bytes([int(value)]) * count
        for value, count in zip(yuv, (width * height, width * height // 4, width * height // 4), strict=True)
    )
    keep = run(Feed([rw.Packet(data, 0, 0, 1)], **picture_properties(size, 25)), "convert:format=rgb24")
    expected = 255 * to_rgb(yuv[None, None], matrix, False, 8)[0, 0]
    assert numpy.abs(keep.packets[0].array()[5, 5] - expected).max() <= 1


def test_grey_is_luma_in_full_range() -> None:
    data, yuv = picture("yuv420p", "bt709", False)
    planes, properties = convert(data, {"ColorMatrix": "bt709"}, "format=gray")
    assert worst(planes[0], ((yuv[..., 0] - 16) / 219 * 255).clip(0, 255)) <= 1
    assert properties["FullRange"] is True


def test_what_is_not_asked_for_stays() -> None:
    data, _ = picture("yuv420p", "bt709", True)
    given = {"ColorMatrix": "bt709", "FullRange": True, "ColorPrimaries": "bt709", "ColorTransfer": "bt709"}
    _, properties = convert(data, given, "format=yuv444p")
    assert {name: properties[name] for name in given} == given
    keep = run(pictures(range(3), 25), "convert")
    assert [packet.payload.__class__.__name__ for packet in keep.packets] == ["ndarray"] * 3  # not touched
    assert "ColorMatrix" not in keep.properties[0]


# --- sizes and turns ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "size", "aspect"),
    [
        ("width=160", (160, 120), None),
        ("height=480", (640, 480), None),
        ("size=640x360", (640, 360), Fraction(3, 4)),
        ("osize=100x100:ofmt=rgb24", (100, 100), Fraction(4, 3)),
    ],
)
def test_sizes(options: str, size: tuple[int, int], aspect: Fraction | None) -> None:
    keep = run(pictures(range(5), 25), f"ffsws:{options}")
    properties = keep.properties[0]
    assert (properties["Width"], properties["Height"], properties.get("SAR")) == (*size, aspect)
    assert {packet.planes()[0].shape[1::-1] for packet in keep.packets} == {size}
    if size[0] >= 160:
        assert [make.read_counter(packet.planes()[0]) for packet in keep.packets] == list(range(5))


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("format", ["yuv420p", "rgb24", "gray"])
def test_trap_10_turned_upright(format: str, turns: int) -> None:
    luma = numpy.arange(240 * 320).reshape(240, 320) % 251
    data = luma.astype("u1").tobytes() + bytes([128]) * (320 * 120)
    properties = {
        **picture_properties((320, 240), 25),
        "Rotate": turns,
        "SAR": Fraction(4, 3),
        "FullRange": True,
    }
    keep = run(Feed([rw.Packet(data, 0, 0, 1)], **properties), f"convert:format={format}")
    shown = numpy.rot90(luma, turns)
    seen = keep.packets[0].array()
    seen = seen[: shown.shape[0]] if format == "yuv420p" else seen if format == "gray" else seen[..., 0]
    assert (numpy.abs(seen.astype(int) - shown) <= 1).all()
    made = keep.properties[0]
    assert not made.get("Rotate")
    assert (made["Width"], made["Height"]) == shown.shape[::-1]
    assert made["SAR"] == (Fraction(3, 4) if turns % 2 else Fraction(4, 3))
    raw = run(Feed([rw.Packet(data, 0, 0, 1)], **properties), f"convert:format={format}:upright=false")
    assert raw.properties[0]["Rotate"] == turns
    assert (raw.properties[0]["Width"], raw.properties[0]["Height"]) == (320, 240)


def test_trap_10_a_phones_film_is_upright_after_coding(tmp_path: Path) -> None:
    with rw.Session(threads=0) as session:
        source, sink = session.load_src(make.media("upright.mp4")), session.load_dst(tmp_path / "out.mp4")
        source.video >> session.load("decode") >> sink
        session.run()
    with av.open(str(make.media("upright.mp4"))) as film, av.open(str(tmp_path / "out.mp4")) as result:
        before, after = next(film.decode(video=0)), next(result.decode(video=0))
    turned = numpy.rot90(before.to_ndarray(format="gray"), before.rotation // 90)
    assert after.rotation == 0
    assert numpy.abs(after.to_ndarray(format="gray").astype(int) - turned).mean() < 8


def test_trap_10_who_wants_it_upright_gets_it_so() -> None:
    with rw.Session(threads=0) as session:
        wants = Wants(Rotate=rw.Not(1, 2, 3))
        session.load_src(make.media("upright.mp4")).video >> session.add(wants)
        assert "-> decode -> convert -> wants" in str(session.explain())
        session.run()
    assert {packet.planes()[0].shape for packet in wants.packets} == {(320, 240)}


# --- by the resolver ---------------------------------------------------------------------------------


class Wants(Keep):
    def __init__(self, **caps: Any) -> None:
        self.inputs = (rw.Caps(StreamType="Visual", CodecID="raw", **caps),)  # type: ignore[misc]
        super().__init__(name="wants")


@pytest.mark.parametrize(
    ("caps", "chain"),
    [
        ({}, "decode"),
        ({"PixelFormat": "yuv420p"}, "decode"),
        ({"PixelFormat": ("rgb24", "yuv420p")}, "decode"),
        ({"PixelFormat": "rgb24"}, "decode -> convert:format=rgb24"),
        ({"Width": 640, "Height": 360}, "decode -> convert:width=640:height=360"),
        ({"Width": (100, 400)}, "decode -> convert:width=400"),
        ({"PixelFormat": rw.Not("yuv420p", "yuv422p")}, None),
        ({"Rotate": rw.Not(1, 2, 3)}, "decode"),
        ({"ColorMatrix": "bt709", "FullRange": False}, "decode -> convert:matrix=bt709:full_range=False"),
    ],
)
def test_what_is_asked_becomes_a_chain(caps: dict[str, Any], chain: str | None) -> None:
    with rw.Session(threads=0) as session:
        wants = Wants(**caps)
        session.load_src(make.media("film.mp4")).video >> session.add(wants)
        plan = str(session.explain()).splitlines()[1]
        if chain is not None:
            assert plan == f"  -> {chain} -> wants  (declared with #video)"
        session.run()
    assert len(wants.packets) == 100
    properties = wants.properties[0]
    for name, wanted in caps.items():
        if isinstance(wanted, rw.Not):
            assert properties.get(name) not in wanted.values
        else:
            assert properties[name] in (wanted if isinstance(wanted, tuple) else (wanted,))


def test_coded_video_of_another_size_and_codec() -> None:
    class Small(Keep):
        inputs = (rw.Caps(StreamType="Visual", CodecID="hevc", Width=160, Height=120),)

    with rw.Session(threads=0) as session:
        small = Small()
        session.load_src(make.media("film.mp4")).video >> session.add(small)
        assert "-> decode -> convert:width=160:height=120 -> encode:codec=hevc -> Small" in str(
            session.explain()
        )
        session.run()
    assert len(small.packets) == 100


def test_a_format_that_does_not_exist() -> None:
    with pytest.raises(rw.UnknownNameError) as caught:
        run(pictures([0], 25), "convert:format=rgb42")
    assert str(caught.value) == "no pixel format is named 'rgb42'"
    assert "rgb24" in str(caught.value.hint)
