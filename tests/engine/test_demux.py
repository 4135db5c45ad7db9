"""Reading: elementary streams, damaged files, Python file objects."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import pytest

import reelway as rw
from reelway.errors import UnknownOptionError
from tests.engine.remuxing import FailsToRead, Trouble, Unseekable, causes, fed_pipe, functions, remux
from tests.media import make, probe

# --- elementary streams ------------------------------------------------------------------------------

RAW = {
    "film.h264": "film.mp4",
    "plain.h264": "plain.mp4",
    "film.h265": "hevc.mp4",
    "film.obu": "av1.mp4",
    "av1.ivf": "av1.mp4",
    "vp9.ivf": "film.webm",
    "film.avi": "film.mp4",
}


@pytest.mark.debian("ffmpeg")
@pytest.mark.parametrize("target", ["mp4", "mkv"])
@pytest.mark.parametrize("name", RAW)
def test_raw_pictures_get_the_times_they_had(name: str, target: str, tmp_path: Path) -> None:
    result = tmp_path / f"out.{target}"
    remux(make.media(name), result)
    expected = probe.packets(make.media(RAW[name]))[0].packets
    found = probe.packets(result)[0].packets
    assert [packet.digest for packet in found] == [packet.digest for packet in expected]
    assert [packet.pts for packet in found] == [packet.pts for packet in expected]
    both = [(a.dts, b.dts) for a, b in zip(found, expected, strict=True) if None not in (a.dts, b.dts)]
    assert all(a == b for a, b in both)
    assert len(both) >= len(expected) - 1
    numbers = probe.counters(result)
    assert numbers == list(range(len(expected)))
    assert probe.ffprobe(result)[1] == ""


@pytest.mark.parametrize(("name", "samples"), [("tone.aac", 1024), ("tone.mp3", 1152), ("tone.ac3", 1536)])
@pytest.mark.parametrize("target", ["mp4", "mkv", "ts"])
def test_raw_sound_is_counted_in_samples(name: str, samples: int, target: str, tmp_path: Path) -> None:
    result = tmp_path / f"out.{target}"
    remux(make.media(name), result)
    (before,), (after,) = probe.packets(make.media(name)), probe.packets(result)
    assert [packet.digest for packet in after.packets] == [packet.digest for packet in before.packets]
    for i, packet in enumerate(after.packets):
        assert packet.pts is not None
        assert abs(packet.pts - Fraction(i * samples, 48000)) <= after.tick


def test_the_frame_rate_of_a_raw_stream_can_be_said(tmp_path: Path) -> None:
    # MPEG-4 part 2 without a container states no rate of its own
    with_rate = tmp_path / "out.mp4"
    raw = make.raw(make.media("mpeg4.mp4"), tmp_path / "film.m4v", "m4v", "video", "dump_extra")
    remux(raw, with_rate, reading={"ffmpeg": {"framerate": "50"}})
    video = probe.packets(with_rate)[0].packets
    assert len(video) == 50
    times = sorted(packet.pts for packet in video if packet.pts is not None)
    assert times[-1] - times[0] in {Fraction(49, 50), Fraction(49, 25)}


# --- damage ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["middle.mp4", "middle.mkv", "middle.ts", "middle.flv"])
@pytest.mark.parametrize("target", ["mp4", "mkv", "ts"])
def test_a_cut_file_gives_what_is_there(name: str, target: str, tmp_path: Path) -> None:
    result = tmp_path / f"out.{target}"
    remux(make.media(name), result)
    whole = probe.packets(make.media(name.replace("middle", "film")))
    for before, after in zip(whole, probe.packets(result), strict=True):
        digests = [packet.digest for packet in before.packets]
        kept = len(after.packets)
        assert kept > len(digests) // 2
        # the very last one may be half a packet
        assert [packet.digest for packet in after.packets][: kept - 1] == digests[: kept - 1]
    numbers = probe.counters(result)
    assert numbers[:50] == list(range(50))


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("empty.mp4", "is empty", "nothing in it"),
        ("text.mp4", "no media", "text"),
        ("random.mp4", "no media", "damaged"),
        ("moov-lost.mp4", "no media", "cut off before it was finished"),
    ],
)
def test_what_is_no_media_is_said_so(name: str, message: str, hint: str, tmp_path: Path) -> None:
    result = tmp_path / "out.mp4"
    with pytest.raises(rw.FormatError, match=message) as caught:
        remux(make.media(name), result)
    assert name in str(caught.value)
    assert hint in str(caught.value.hint)
    assert not result.exists()


def test_a_film_that_is_opened_as_another_container_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(rw.FormatError, match="is no matroska: it begins as MP4 does") as caught:
        remux(make.media("film.mp4"), tmp_path / "out.mp4", reading={"format": "matroska"})
    assert "qtdemux" in str(caught.value.hint)
    assert "decodebin" in str(caught.value.hint)


def test_a_missing_file_is_an_open_error(tmp_path: Path) -> None:
    with pytest.raises(rw.OpenError, match="nowhere") as caught:
        remux(tmp_path / "nowhere.mp4", tmp_path / "out.mp4")
    assert caught.value.errno == 2


def test_a_folder_is_no_film(tmp_path: Path) -> None:
    with pytest.raises(rw.ReelwayError):
        remux(tmp_path, tmp_path / "out.mp4")


def test_an_unknown_format_names_those_near_it(tmp_path: Path) -> None:
    with pytest.raises(UnknownOptionError, match="mp5"):
        remux(make.media("film.mp4"), tmp_path / "out.mp4", reading={"format": "mp5"})


# --- Python file objects -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.ts", "film.flv", "film.webm", "opus.ogg"])
def test_from_a_file_object(name: str, tmp_path: Path) -> None:
    result = tmp_path / "out.mkv"
    remux(io.BytesIO(make.media(name).read_bytes()), result)
    assert_all_there(name, result)


@pytest.mark.parametrize(
    "name", ["film.mkv", "film.ts", "film.flv", "film.webm", "fragmented.mp4", "film.h264"]
)
def test_from_an_object_that_cannot_seek(name: str, tmp_path: Path) -> None:
    result = tmp_path / "out.mkv"
    remux(Unseekable(make.media(name).read_bytes(), chunk=1000), result)
    assert_all_there(name, result)


@pytest.mark.parametrize("name", ["film.mkv", "film.ts", "fragmented.mp4"])
def test_from_a_pipe(name: str, tmp_path: Path) -> None:
    result = tmp_path / "out.mkv"
    with fed_pipe(make.media(name).read_bytes()) as pipe:
        remux(pipe, result)
    assert_all_there(name, result)


def test_an_index_at_the_end_needs_seeking(tmp_path: Path) -> None:
    # moov after mdat: FFmpeg has to skip the media to find the index, and cannot go back
    with pytest.raises(rw.ReelwayError):
        remux(Unseekable(make.media("film.mp4").read_bytes()), tmp_path / "out.mkv")


@pytest.mark.parametrize("limit", [0, 20_000])
def test_an_error_of_a_read_comes_with_its_own_traceback(limit: int, tmp_path: Path) -> None:
    source = FailsToRead(make.media("film.mkv").read_bytes(), limit)
    with pytest.raises(rw.ReelwayError, match="the disk is gone") as caught:
        remux(source, tmp_path / "out.mkv")
    trouble = next(error for error in causes(caught.value) if isinstance(error, Trouble))
    assert functions(trouble)[-1] == "read"


def test_what_came_before_an_error_is_playable(tmp_path: Path) -> None:
    result = tmp_path / "out.mp4"
    with pytest.raises(rw.ReelwayError):
        remux(FailsToRead(make.media("film.ts").read_bytes(), 90_000), result)
    numbers = probe.counters(result)
    assert numbers[:50] == list(range(50))
    assert numbers == sorted(numbers)


def assert_all_there(name: str, result: Path) -> None:
    before, after = probe.packets(make.media(name)), probe.packets(result)
    assert [[p.digest for p in s.packets] for s in after] == [[p.digest for p in s.packets] for s in before]
