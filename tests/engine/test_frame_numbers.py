"""Pictures that were lost are told from those that came."""

from __future__ import annotations

import zlib
from pathlib import Path

import av
import pytest

from reelway.engine.frame_numbers import FrameNumbers, frame_numbers
from tests.media import make

X265 = "log-level=none:pools=none:frame-threads=1:info=0"
"""The same film on every machine."""


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


@pytest.fixture(
    scope="module", params=["bframes=0", "bframes=4:b-pyramid=1", "bframes=4:open-gop=1", "bframes=2:ref=5"]
)
def hevc(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Coded pictures of HEVC, the first of three groups of 20."""
    parameters = f"{request.param}:keyint=20:min-keyint=20:scenecut=0:b-adapt=0:{X265}"
    path = make.film(
        tmp_path_factory.mktemp("hevc") / "film.hevc",
        video="libx265",
        seconds=2.4,
        audio=0,
        video_options={"preset": "medium", "x265-params": parameters},
    )
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux() if packet.size]


def test_nothing_of_hevc_is_missed_where_all_comes(hevc: list[bytes]) -> None:
    numbers = frame_numbers("hevc")
    assert numbers is not None
    assert not any(numbers.lost(data) for data in hevc)


def test_each_picture_of_hevc_that_others_need_is_missed(hevc: list[bytes]) -> None:
    """Told before the first picture that decodes into something else."""
    whole = decoded(hevc)
    missed = 0
    for gone in range(1, 19):
        numbers = frame_numbers("hevc")
        assert numbers is not None
        came = hevc[:gone] + hevc[gone + 1 :]
        lost = [numbers.lost(data) for data in came]
        missed += any(lost)
        until = next((at for at, is_lost in enumerate(lost) if is_lost), len(came))
        good = decoded(came[:until])
        assert all(whole[time] == pixels for time, pixels in good.items())
    assert missed > 5


def decoded(coded: list[bytes]) -> dict[int, bytes]:
    """The pictures, each by what it was coded as."""
    context = av.CodecContext.create("hevc", "r")
    context.thread_count = 1
    found = {}
    for data in [*coded, None]:
        packet = av.Packet(data) if data is not None else None
        if packet is not None:
            packet.pts = zlib.crc32(data)
        for frame in context.decode(packet):
            found[frame.pts] = frame.to_ndarray().tobytes()
    return found


def test_what_begins_in_the_middle_misses_nothing_before_it(hevc: list[bytes]) -> None:
    numbers = frame_numbers("hevc")
    assert numbers is not None
    assert not any(numbers.lost(data) for data in hevc[5:])


def test_of_other_codecs_nothing_is_told() -> None:
    assert frame_numbers("vp9") is None
