"""The made files are what their names say: other tests rest on that."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.media import make, probe

WHOLE = [
    name
    for name in make.FILES
    if name.partition(".")[0] not in {"middle", "empty", "text", "random", "moov-lost"}
]
PICTURES = [
    name
    for name in WHOLE
    if name.partition(".")[0] not in {"sound", "tone", "cues", "opus", "long", "flac", "vorbis"}
]


@pytest.mark.parametrize("name", PICTURES)
def test_every_frame_carries_its_number(name: str) -> None:
    found = probe.counters(make.media(name))
    assert found == list(range(len(found)))
    assert len(found) >= 25


@pytest.mark.debian("ffmpeg")
@pytest.mark.parametrize("name", WHOLE)
def test_ffprobe_reads_it_without_a_warning(name: str) -> None:
    report, warnings = probe.ffprobe(make.media(name))
    assert warnings == ""
    assert report["streams"]


def test_a_grey_picture_has_no_number() -> None:
    with pytest.raises(ValueError, match="grey"):
        make.read_counter(np.full((240, 320), 128, np.uint8))


@pytest.mark.parametrize("size", [(320, 240), (1920, 1080), (64, 48)])
@pytest.mark.parametrize("number", [0, 1, 4660, 65535])
def test_the_number_survives_drawing(number: int, size: tuple[int, int]) -> None:
    assert make.read_counter(make.counter_picture(number, size)[: size[1]]) == number


def test_the_same_call_makes_the_same_bytes(tmp_path: Path) -> None:
    digests = [
        hashlib.sha1(make.film(tmp_path / f"{i}.mkv", seconds=1).read_bytes()).digest() for i in range(2)
    ]
    assert digests[0] == digests[1]


def test_uneven_times_lie_in_the_file_as_asked() -> None:
    for name, scale, factor in (
        ("vfr.mp4", 1000, 1),
        ("vfr-fine.mp4", 90000, 301),
        ("vfr-tiny.mp4", 90000, 1),
    ):
        video = probe.packets(make.media(name))[0].packets
        times = sorted(packet.pts for packet in video if packet.pts is not None)
        assert times == [Fraction(t * factor, scale) for t in make.vfr_ticks(len(times))]


def test_matroska_with_b_frames_lacks_its_first_decode_time() -> None:
    video = probe.packets(make.media("film.mkv"))[0].packets
    assert video[0].dts is None
    assert video[0].keyframe


@pytest.mark.parametrize(
    ("names", "index"),
    [
        (("film.mp4", "film.mov", "film.mkv", "film.ts", "film.flv", "film.h264"), 0),
        (("film.mp4", "film.mov", "film.mkv", "film.ts", "film.flv"), 1),
        (("hevc.mp4", "hevc.mkv", "hevc.ts", "film.h265"), 0),
        (("av1.mp4", "av1.mkv", "film.obu", "av1.ivf"), 0),
    ],
)
def test_bare_payloads_agree_between_containers(names: tuple[str, ...], index: int) -> None:
    digests = [[packet.digest for packet in probe.packets(make.media(name))[index].packets] for name in names]
    assert all(found == digests[0] for found in digests)


def test_a_long_film_is_long_and_its_times_rise() -> None:
    video, sound = probe.packets(make.media("long.mp4"), normal=False)
    assert len(video.packets) == 600 * 25
    for stream in (video, sound):
        times = [packet.dts for packet in stream.packets if packet.dts is not None]
        assert all(a < b for a, b in pairwise(times))
        assert abs(times[-1] - 600) < 1


@pytest.mark.debian("ffmpeg")
@pytest.mark.parametrize(("name", "rotation"), [("upright.mp4", -90), ("upside.mp4", 180)])
def test_phones_write_rotation(name: str, rotation: int) -> None:
    report, _ = probe.ffprobe(make.media(name))
    found = report["streams"][0]["side_data_list"][0]["rotation"]
    assert found % 360 == rotation % 360
