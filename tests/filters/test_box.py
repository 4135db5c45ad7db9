"""box: edges cut off and added, sample by sample, in every format."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reelway as rw
from reelway.filters.box import Box
from reelway.filters.colour import parse_colour, samples_of
from reelway.filters.simple import Call
from reelway.testing.conformance import check_filter
from tests.filters.raw import PLANAR, noise, picture_properties, planes, through


def boxed(format: str, **options: Any) -> tuple[list[Any], list[Any], dict[str, Any]]:
    """The planes of a picture of 32x24 before and behind a box, and the properties behind it."""
    packets, properties = noise(format, 32, 24, 1), picture_properties(format, 32, 24)
    seen = through(packets, properties, Box(**options))
    return planes(packets[0], properties), planes(seen.packets[0], seen.properties), seen.properties


@pytest.mark.parametrize("options", [{}, {"left": 4, "top": 2}, {"right": -8, "bottom": -6}])
def test_the_contract_is_kept(options: dict[str, int]) -> None:
    check_filter(
        lambda: Box(**options), noise("yuv420p", 32, 24, 5), picture_properties("yuv420p", 32, 24), max_held=0
    )


@pytest.mark.parametrize("format", PLANAR)
def test_edges_are_cut_off(format: str) -> None:
    before, behind, properties = boxed(format, left=4, right=6, top=2, bottom=8)
    assert (properties["Width"], properties["Height"]) == (22, 14)
    subsampling = samples_of(properties).subsampling
    for source, target, (down, across) in zip(before, behind, subsampling, strict=True):
        lines, columns = target.shape[:2]
        assert (target == source[2 // down :, 4 // across :][:lines, :columns]).all()


@pytest.mark.parametrize("format", PLANAR)
def test_borders_are_added(format: str) -> None:
    before, behind, properties = boxed(format, left=-4, right=-6, top=-2, bottom=-8, color="#ff8800")
    assert (properties["Width"], properties["Height"]) == (42, 34)
    samples = samples_of(properties)
    around = samples.colour(parse_colour("#ff8800"))
    for source, target, (down, across), value in zip(
        before, behind, samples.subsampling, around, strict=True
    ):
        top, left, (lines, columns) = 2 // down, 4 // across, source.shape[:2]
        assert (target[top:, left:][:lines, :columns] == source).all()
        rest = np.ones(target.shape[:2], bool)
        rest[top : top + lines, left : left + columns] = False
        assert (target[rest] == value).all()


def test_one_edge_is_cut_while_another_is_added() -> None:
    before, behind, properties = boxed("rgb24", left=10, right=-10, color="white")
    assert properties["Width"] == 32
    assert (behind[0][:, :22] == before[0][:, 10:]).all()
    assert (behind[0][:, 22:] == 255).all()


def test_nothing_to_do_copies_nothing() -> None:
    packets = noise("yuv420p", 32, 24, 2)
    seen = through(packets, picture_properties("yuv420p", 32, 24), Box())
    assert [each.payload for each in seen.packets] == [each.payload for each in packets]


def test_too_much_is_refused() -> None:
    with pytest.raises(rw.OptionError, match="nothing is left of a picture of 32x24"):
        boxed("rgb24", left=20, right=12)


def test_edges_change_while_it_runs() -> None:
    box = Box()

    def look(packet: rw.Packet) -> rw.Packet:
        if packet.dts == 2:
            box.update("left", 8)
        return packet

    packets, properties = noise("rgb24", 32, 24, 5), picture_properties("rgb24", 32, 24)
    seen = through(packets, properties, Call(function=look), box, limits=rw.Limits(packets=1))
    widths = [entry[1]["Width"] for entry in seen.log if entry[0] == "configure"]
    assert widths == [32, 24]
