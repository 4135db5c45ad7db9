"""panorama: what is heard on either side."""

from __future__ import annotations

import numpy as np
import pytest

from reelway.filters.panorama import Panorama
from reelway.testing.conformance import check_filter
from tests.filters.raw import heard, sound, sound_properties, through


def placed(samples: np.ndarray, **options: object) -> list[float]:
    """Left and right of a constant sound."""
    properties = sound_properties(channels=samples.shape[1])
    seen = through(sound(samples), properties, Panorama(**options))
    assert seen.properties["NumChannels"] == 2
    assert seen.properties["ChannelLayout"] == "stereo"
    result = heard(seen)
    assert len(result) == len(samples)
    assert (result == result[0]).all()
    return [round(float(each), 5) for each in result[0]]


MONO = np.full((1500, 1), 0.5)
STEREO = np.tile([0.25, 0.5], (1500, 1))


@pytest.mark.parametrize("channels", [1, 2])
def test_the_contract_is_kept(channels: int) -> None:
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (3000, channels))
    check_filter(
        lambda: Panorama(position=0.3), sound(samples), sound_properties(channels=channels), max_held=0
    )


@pytest.mark.parametrize(
    ("position", "expected"), [(0.0, [0.25, 0.25]), (-1.0, [0.5, 0.0]), (1.0, [0.0, 0.5])]
)
def test_mono_becomes_stereo(position: float, expected: list[float]) -> None:
    assert placed(MONO, position=position) == expected


@pytest.mark.parametrize(
    ("position", "method", "expected"),
    [
        (0.0, "move", [0.25, 0.5]),
        (1.0, "move", [0.0, 0.75]),
        (-1.0, "move", [0.75, 0.0]),
        (1.0, "fade", [0.0, 0.5]),
        (-0.5, "fade", [0.25, 0.25]),
    ],
)
def test_stereo_moves_or_fades(position: float, method: str, expected: list[float]) -> None:
    assert placed(STEREO, position=position, method=method) == expected


def test_whole_numbers_too() -> None:
    seen = through(
        sound(STEREO, "s16"),
        sound_properties(channels=2, format="s16"),
        Panorama(position=1.0, method="fade"),
    )
    assert heard(seen)[0] == pytest.approx([0.0, 0.5], abs=1e-4)
