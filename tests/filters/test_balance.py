"""balance: against the formula, in both ranges, and untouched where nothing is asked for."""

from __future__ import annotations

from math import cos, pi, sin
from typing import Any

import numpy as np
import pytest

import reelway as rw
from reelway.filters.balance import Balance
from reelway.filters.simple import Call
from reelway.testing.conformance import check_filter
from tests.filters.raw import noise, picture_properties, planes, through

FORMATS = ["yuv420p", "yuv422p", "yuv444p", "gray", "yuva420p"]


def balanced(format: str = "yuv420p", full: bool = False, **options: float) -> tuple[list[Any], list[Any]]:
    packets = noise(format, 32, 24, 1)
    properties = {**picture_properties(format, 32, 24), "FullRange": full}
    seen = through(packets, properties, Balance(**options))
    return planes(packets[0], properties), planes(seen.packets[0], seen.properties)


def test_the_contract_is_kept() -> None:
    check_filter(
        lambda: Balance(brightness=0.2, saturation=0.5),
        noise("yuv420p", 32, 24, 5),
        picture_properties("yuv420p", 32, 24),
        max_held=0,
    )


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("full", "low", "high"), [(False, 16, 235), (True, 0, 255)])
@pytest.mark.parametrize(
    ("brightness", "contrast", "gamma"), [(0.25, 1.0, 1.0), (0.0, 1.5, 1.0), (-0.1, 0.5, 2.2)]
)
def test_luma(
    format: str, full: bool, low: int, high: int, brightness: float, contrast: float, gamma: float
) -> None:
    before, behind = balanced(format, full, brightness=brightness, contrast=contrast, gamma=gamma)
    level = np.clip((before[0].astype(float) - low) / (high - low), 0 if gamma != 1 else None, None)
    level = level ** (1 / gamma) if gamma != 1 else level
    level = (level - 0.5) * contrast + 0.5 + brightness
    expected = np.clip(np.rint(level * (high - low) + low), 0, 255)
    assert np.abs(behind[0] - expected).max() <= 1
    for source, target in zip(before[1:], behind[1:], strict=True):
        assert (source == target).all()


@pytest.mark.parametrize(("saturation", "hue"), [(0.0, 0.0), (2.0, 0.0), (1.0, 0.5), (0.5, -0.25)])
def test_chroma(saturation: float, hue: float) -> None:
    before, behind = balanced(saturation=saturation, hue=hue)
    blue, red = before[1].astype(float) - 128, before[2].astype(float) - 128
    turn_cos, turn_sin = saturation * cos(pi * hue), saturation * sin(pi * hue)
    for target, value in (
        (behind[1], blue * turn_cos + red * turn_sin),
        (behind[2], red * turn_cos - blue * turn_sin),
    ):
        assert np.abs(target - np.clip(np.rint(value + 128), 0, 255)).max() <= 1
    assert (before[0] == behind[0]).all()


def test_nothing_to_do_copies_nothing() -> None:
    packets = noise("yuv420p", 32, 24, 2)
    seen = through(packets, picture_properties("yuv420p", 32, 24), Balance())
    assert [each.payload for each in seen.packets] == [each.payload for each in packets]


def test_other_formats_are_converted_for_it() -> None:
    with rw.Session() as session:
        source = session.load("testvideo:frames=3:pixel_format=rgb24:pattern=red")
        balance = session.load("balance:saturation=0")
        seen: list[rw.Packet] = []
        source >> balance >> session.load("call", function=seen.append)
        session.run()
    chroma = [np.asarray(plane) for plane in seen[0].planes()[1:]]
    assert all((plane == 128).all() for plane in chroma)


def test_it_changes_while_it_runs() -> None:
    balance = Balance()

    def look(packet: rw.Packet) -> rw.Packet:
        if packet.dts == 2:
            balance.update("brightness", 1.0)
        return packet

    packets, properties = noise("gray", 32, 24, 5), picture_properties("gray", 32, 24)
    seen = through(packets, properties, Call(function=look), balance, limits=rw.Limits(packets=1))
    bright = [bool(planes(packet, seen.properties)[0].min() > 200) for packet in seen.packets]
    assert bright in ([False, False, True, True, True], [False, False, False, True, True])
