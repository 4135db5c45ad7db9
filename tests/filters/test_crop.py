"""crop, pad and flip: every sample lands where it belongs, in every kind of layout."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import reelway as rw
from reelway import catalog
from reelway.filters.crop import Crop, Pad
from reelway.filters.flip import Flip
from reelway.testing.burnin import read_counter
from reelway.testing.parts import fingerprint
from tests.filters.raw import PLANAR, noise, picture_properties, planes, through

SHIFTS = {"yuv420p": (2, 2), "yuv422p": (1, 2), "nv12": (2, 2), "yuv420p10le": (2, 2), "yuva420p": (2, 2)}


@pytest.mark.parametrize("as_bytes", [False, True], ids=["frames", "bytes"])
@pytest.mark.parametrize("format", PLANAR)
def test_crop_takes_the_samples_of_its_place(format: str, as_bytes: bool) -> None:
    properties, packets = picture_properties(format, 30, 22), noise(format, 30, 22, as_bytes=as_bytes)
    before = [fingerprint(packet) for packet in packets]
    seen = through(packets, properties, Crop(x=4, y=6, width=13, height=9))
    assert (seen.properties["Width"], seen.properties["Height"]) == (13, 9)
    assert [(packet.dts, packet.duration) for packet in seen.packets] == [(0, 1), (1, 1), (2, 1)]
    for packet, original in zip(seen.packets, packets, strict=True):
        for index, (got, source) in enumerate(
            zip(packet.planes(), planes(original, properties), strict=True)
        ):
            down, across = SHIFTS.get(format, (1, 1)) if index in (1, 2) else (1, 1)
            lines, columns = -(-9 // down), -(-13 // across)
            wanted = source[6 // down :][:lines, 4 // across :][:, :columns]
            np.testing.assert_array_equal(got, wanted)
    assert [fingerprint(packet) for packet in packets] == before


def test_odd_corners_are_rounded_and_said() -> None:
    packets, properties = noise("yuv420p", 32, 32), picture_properties("yuv420p", 32, 32)
    crop = Crop(x=5, y=7, width=8, height=8)
    seen = through(packets, properties, crop)
    assert crop.status == "x=5 became 4"
    np.testing.assert_array_equal(seen.packets[0].planes()[0], packets[0].planes()[0][6:14, 4:12])
    exact = Crop(x=5, y=7, width=8, height=8)
    through(noise("rgb24", 32, 32), picture_properties("rgb24", 32, 32), exact)
    assert exact.status == ""


def test_crop_in_the_middle_moves_while_it_runs() -> None:
    crop = Crop(width=8, height=8)
    count = 0

    def move(packet: rw.Packet) -> rw.Packet:
        nonlocal count
        count += 1
        if count == 2:
            crop.update("x", 0)
        return packet

    packets, properties = noise("gray", 32, 16, count=4), picture_properties("gray", 32, 16)
    seen = through(packets, properties, rw_call(move), crop, limits=rw.Limits(packets=1))
    corners = []
    for got, source in zip(seen.packets, packets, strict=True):
        whole = source.planes()[0]
        corners.append(next(x for x in range(25) if (whole[4:12, x : x + 8] == got.planes()[0]).all()))
    assert corners[0] == 12
    assert corners[-1] == 0


def rw_call(function: object) -> rw.Filter:
    from reelway.filters.simple import Call

    return Call(function=function)


def test_a_crop_that_does_not_fit_is_refused() -> None:
    packets, properties = noise("gray", 32, 16), picture_properties("gray", 32, 16)
    for filter in (Crop(width=33), Crop(x=32), Pad(width=31)):
        with pytest.raises(rw.OptionError) as caught:
            through(packets, properties, filter)
        assert "32" in str(caught.value)
        assert caught.value.hint


@pytest.mark.parametrize("format", PLANAR)
def test_pad_and_crop_undo_each_other(format: str) -> None:
    packets, properties = noise(format, 30, 22), picture_properties(format, 30, 22)
    seen = through(
        packets, properties, Pad(width=64, height=50, x=8, y=10), Crop(x=8, y=10, width=30, height=22)
    )
    assert [bytes(packet.data) for packet in seen.packets] == [bytes(packet.data) for packet in packets]


def test_pad_has_its_colour_around() -> None:
    properties = picture_properties("yuv420p", 16, 16) | {"ColorMatrix": "bt709"}
    seen = through(noise("yuv420p", 16, 16), properties, Pad(width=32, height=16, color="red"))
    luma, u, v = seen.packets[0].planes()
    assert {int(value) for value in luma[:, :8].ravel()} == {63}
    assert {int(value) for value in u[:, :4].ravel()} == {102}
    assert {int(value) for value in v[:, :4].ravel()} == {240}
    with pytest.raises(rw.OptionError, match="no colour"):
        Pad(color="reddish")


@pytest.mark.parametrize("format", PLANAR)
@pytest.mark.parametrize(
    ("options", "turn"),
    [
        ({}, lambda plane: plane[:, ::-1]),
        ({"mode": "vertical"}, lambda plane: plane[::-1]),
        ({"mode": "both"}, lambda plane: plane[::-1, ::-1]),
        ({"rotate": 90}, lambda plane: np.rot90(plane, -1)),
        ({"rotate": 180}, lambda plane: plane[::-1, ::-1]),
        ({"rotate": "270"}, np.rot90),
        ({"mode": "horizontal", "rotate": 90}, lambda plane: np.rot90(plane[:, ::-1], -1)),
    ],
    ids=["left-right", "vertical", "both", "90", "180", "270", "both ways"],
)
def test_flip(format: str, options: dict[str, object], turn: object) -> None:
    properties = picture_properties(format, 31, 21) | {"SAR": Fraction(4, 3)}
    packets = noise(format, 31, 21)
    if format == "yuv422p" and options.get("rotate") in (90, "270"):
        with pytest.raises(rw.UnsupportedError, match="quarter turn of yuv422p"):
            through(packets, properties, Flip(**options))
        return
    seen = through(packets, properties, Flip(**options))
    quarter = options.get("rotate") in (90, "270")
    assert (seen.properties["Width"], seen.properties["Height"]) == ((21, 31) if quarter else (31, 21))
    assert seen.properties["SAR"] == (Fraction(3, 4) if quarter else Fraction(4, 3))
    for packet, original in zip(seen.packets, packets, strict=True):
        for got, source in zip(packet.planes(), original.planes(), strict=True):
            np.testing.assert_array_equal(got, turn(source))  # type: ignore[operator]


def test_flipped_twice_tells_its_number_again() -> None:
    with rw.Session() as session:
        seen: list[object] = []
        first = session.load("testvideo:frames=3:size=320x240")
        (
            first
            >> session.load("flip:rotate=90")
            >> session.load("flip:rotate=270")
            >> session.load("call", function=lambda packet: seen.append(read_counter(packet)))
        )
        session.run()
    assert seen == [(0, 0), (1, 40), (2, 80)]


def test_flip_and_convert_turn_the_same_way() -> None:
    packets, properties = noise("gray", 32, 16, count=1), picture_properties("gray", 32, 16)
    for degrees in (90, 180, 270):
        wanted = np.rot90(packets[0].planes()[0], -degrees // 90)  # clockwise
        for name in ("flip", "convert"):
            (turned,) = through(packets, properties, f"{name}:rotate={degrees}").packets
            np.testing.assert_array_equal(turned.planes()[0], wanted)
    for name in ("flip", "convert"):
        assert "clockwise" in catalog.find(name).options()["rotate"].help


def test_a_flip_turns_while_it_runs() -> None:
    """Other sizes come as news, before the first picture that has them."""
    flip = Flip(mode="none")
    sent = 0

    def turn(packet: rw.Packet) -> rw.Packet:
        nonlocal sent
        sent += 1
        if sent == 3:
            flip.update("rotate", 90)
        return packet

    seen = through(
        noise("gray", 32, 16, count=6),
        picture_properties("gray", 32, 16),
        rw_call(turn),
        flip,
        limits=rw.Limits(packets=1),
    )
    shapes = [packet.planes()[0].shape for packet in seen.packets]
    assert shapes[0] == (16, 32)
    assert shapes[-1] == (32, 16)
    news = [(p["Height"], p["Width"]) for kind, p in (e for e in seen.log if e[0] == "configure")]
    assert news == [(16, 32), (32, 16)]


def test_a_guess_about_colours_is_said_before_it_would_change() -> None:
    """Without a matrix, 1280x720 is taken for BT.709, a smaller picture for BT.601."""
    large = picture_properties("yuv420p", 1280, 720)
    seen = through(noise("yuv420p", 1280, 720, count=1), large, Crop(width=320, height=240))
    assert seen.properties["ColorMatrix"] == "bt709"
    small = picture_properties("yuv420p", 64, 48)
    seen = through(noise("yuv420p", 64, 48, count=1), small, Pad(width=1280, height=720))
    assert seen.properties["ColorMatrix"] == "smpte170m"
    assert "ColorMatrix" not in through(noise("yuv420p", 64, 48), small, Crop(width=32)).properties
