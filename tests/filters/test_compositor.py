"""compositor: places, sizes, depth and transparency of each input, also while it runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reelway as rw
from reelway.filters.compositor import CHECKER, Compositor
from reelway.filters.simple import Call
from reelway.filters.testvideo import TestVideo
from reelway.testing.conformance import check_filter
from reelway.testing.parts import Collect, Seen
from tests.filters.raw import joined, noise, picture_properties


def solid(colour: str, frames: int = 3, size: str = "64x48", **options: Any) -> TestVideo:
    return TestVideo(
        pattern="solid", color=colour, size=size, frames=frames, counter=False, fps="25", **options
    )


def luma(seen: Seen, at: int = 0) -> np.ndarray[Any, Any]:
    plane: np.ndarray[Any, Any] = seen.packets[at].planes()[0]
    return plane


WHITE, BLACK, GREY = 235, 16, 126


def test_the_contract_is_kept() -> None:
    check_filter(
        lambda: Compositor(pads={"sink_0": {"xpos": 4}}),
        noise("yuv420p", 32, 24, 10),
        picture_properties("yuv420p", 32, 24),
        composes=True,
    )


def test_inputs_lie_where_their_pads_say() -> None:
    compositor = Compositor(pads={"sink_0": {}, "sink_1": {"xpos": 64, "ypos": 16}})
    seen = joined([solid("white"), solid("gray")], compositor).only
    assert (seen.properties["Width"], seen.properties["Height"]) == (128, 64)
    picture = luma(seen)
    assert (picture[:48, :64] == WHITE).all()
    assert (picture[16:64, 64:] == GREY).all()
    assert (picture[:16, 64:] == BLACK).all()
    assert (picture[48:, :64] == BLACK).all()
    assert len(seen.packets) == 3


def test_partly_outside_is_cut_off() -> None:
    compositor = Compositor(pads={"sink_0": {"xpos": -32, "ypos": -24}}, width=64, height=48)
    picture = luma(joined([solid("white")], compositor).only)
    assert (picture[:24, :32] == WHITE).all()
    assert (picture[24:] == BLACK).all()
    assert (picture[:, 32:] == BLACK).all()


def test_sizes_and_the_shape_that_is_kept() -> None:
    pads = {"sink_0": {"width": 96, "height": 96}, "sink_1": {"xpos": 96, "width": 96, "height": 96}}
    pads["sink_1"]["sizing-policy"] = "keep-aspect-ratio"  # type: ignore[assignment]
    picture = luma(joined([solid("white"), solid("white")], Compositor(pads=pads)).only)
    assert picture.shape == (96, 192)
    assert (picture[:, :96] == WHITE).all()
    assert (picture[12:84, 96:] == WHITE).all()
    assert (picture[:12, 96:] == BLACK).all()
    assert (picture[84:, 96:] == BLACK).all()


def test_who_lies_above() -> None:
    """As they were linked, unless they say otherwise."""
    films = [solid("white"), solid("black")]
    assert (luma(joined(list(films), Compositor(pads={})).only) == BLACK).all()
    pads = {"sink_0": {"zorder": 5}, "sink_1": {"zorder": 1}}
    films = [solid("white"), solid("black")]
    assert (luma(joined(list(films), Compositor(pads=pads)).only) == WHITE).all()


@pytest.mark.parametrize(("alpha", "expected"), [(0.0, BLACK), (0.5, 126), (1.0, WHITE)])
def test_alpha(alpha: float, expected: int) -> None:
    pads = {"sink_0": {}, "sink_1": {"alpha": alpha}}
    picture = luma(joined([solid("black"), solid("white")], Compositor(pads=pads)).only)
    assert np.abs(picture.astype(int) - expected).max() <= 1


def test_backgrounds() -> None:
    pads = {"sink_0": {"xpos": 64}}
    white = luma(joined([solid("black")], Compositor(pads=pads, background="white")).only)
    assert (white[:, :64] == WHITE).all()
    fields = luma(joined([solid("black")], Compositor(pads=pads, checker=True)).only)
    side = CHECKER[0]
    assert fields[0, 0] == fields[side, side] != fields[0, side] == fields[side, 0]


def test_an_input_moves_and_fades_while_it_runs() -> None:
    compositor = Compositor(pads={"sink_0": {}}, width=128, height=48)

    def look(packet: rw.Packet) -> rw.Packet:
        if packet.dts == 10:
            compositor.update("pads", {"sink_0": {"xpos": 64, "alpha": 0.5}})
        return packet

    sink = Collect()
    with rw.Session(limits=rw.Limits(packets=1)) as session:
        session.add(solid("white", 20)) >> session.add(Call(function=look)) >> session.add(compositor)
        compositor >> session.add(sink)
        session.run()
    places = [bool(luma(sink.only, at)[0, 0] == WHITE) for at in range(20)]
    moved = places.index(False)
    assert 9 <= moved <= 12
    assert places == [True] * moved + [False] * (20 - moved)
    assert np.abs(luma(sink.only, 19)[:, 64:].astype(int) - 126).max() <= 1


def test_pads_that_are_none_are_refused() -> None:
    with pytest.raises(rw.OptionError, match="compositor:pads is no mapping of mappings"):
        Compositor(pads={"sink_0": 5})
    with pytest.raises(rw.OptionError, match="pads, no places"):
        Compositor(places=["1x1+0+0"])
