"""Pictures that were lost are told from those that came."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from reelway.engine.frame_numbers import FrameNumbers
from tests.media import make


@pytest.fixture(scope="module", params=[0, 2])
def coded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[bytes, bool]]:
    """Coded pictures, with and without such that nothing refers to, and whether something does."""
    path: Path = make.film(
        tmp_path_factory.mktemp("numbers") / "film.h264", seconds=4, bframes=request.param, gop=12, audio=0
    )
    with av.open(str(path)) as container:
        found = [bytes(packet) for packet in container.demux() if packet.size]
    return [(data, _is_referred_to(data)) for data in found]


def _is_referred_to(data: bytes) -> bool:
    units = [unit for unit in data.split(b"\x00\x00\x01") if unit and unit[0] & 31 in (1, 5)]
    return bool(units[0][0] >> 5 & 3)


def test_nothing_is_missed_where_all_comes(coded: list[tuple[bytes, bool]]) -> None:
    numbers = FrameNumbers()
    assert not any(numbers.lost(data) for data, _ in coded)


def test_each_lost_picture_that_others_refer_to_is_missed(coded: list[tuple[bytes, bool]]) -> None:
    for gone in range(13, 23):
        numbers = FrameNumbers()
        lost = [numbers.lost(data) for at, (data, _) in enumerate(coded) if at != gone]
        assert any(lost) == coded[gone][1]
        assert sum(lost) <= 3  # up to the next one that others refer to


def test_a_picture_without_its_first_slice_is_damaged(coded: list[tuple[bytes, bool]]) -> None:
    numbers = FrameNumbers()
    assert not numbers.lost(coded[0][0])
    assert numbers.lost(b"\x00\x00\x01\x41\x4a\x00\x00\x00")  # first_mb_in_slice is 1, not 0


def test_what_is_no_picture_is_nothing() -> None:
    numbers = FrameNumbers(b"\x01no byte stream")
    assert not any(numbers.lost(data) for data in (b"", b"\x00\x00\x01", b"\x00\x00\x01\x41", b"noise" * 100))
