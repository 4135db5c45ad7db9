"""What `reelway run` writes, by the name of the file and by --video, --audio and --text."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.cli.conftest import run_apart as run
from tests.media import make, probe


def streams(path: Path) -> list[str]:
    with av.open(path) as container:
        return [stream.codec_context.name for stream in container.streams]


@pytest.mark.parametrize(
    ("name", "options", "codecs"),
    [
        ("o.mp3", ["--video=none", "--audio=libmp3lame"], ["mp3float"]),
        ("o.wav", ["--video=none", "--audio=pcm_s16le"], ["pcm_s16le"]),
        ("o.gif", ["--audio=none", "--video=gif"], ["gif"]),
        ("o.y4m", ["--audio=none", "flip:mode=none"], ["rawvideo"]),
        ("o.mp4", ["--audio=none"], ["h264"]),
        ("o.mp4", ["--video=mpeg4", "--audio=copy"], ["mpeg4", "aac"]),
        ("o.mkv", ["avfilter:graph=hflip"], ["h264", "aac"]),
    ],
)
def test_streams_are_coded_copied_or_left_out(
    name: str, options: list[str], codecs: list[str], tmp_path: Path
) -> None:
    done = run("run", make.media("film.mp4"), tmp_path / name, *options)
    assert (done.code, done.err) == (0, "")
    assert streams(tmp_path / name) == codecs


def test_subtitles_are_left_out(tmp_path: Path) -> None:
    done = run("run", make.media("subtitles-srt.mkv"), tmp_path / "o.mp4", "--text=none")
    assert (done.code, done.err) == (0, "")
    assert streams(tmp_path / "o.mp4") == ["h264", "aac"]


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("jpg", b"\xff\xd8"), ("bmp", b"BM")])
def test_pictures_are_what_their_name_says(ending: str, start: bytes, tmp_path: Path) -> None:
    done = run("run", make.media("silent.mp4"), tmp_path / f"p%03d.{ending}", "flip")
    assert done.code == 0, done.err
    pictures = sorted(tmp_path.glob("p*"))
    assert len(pictures) == 100
    assert all(path.read_bytes().startswith(start) for path in pictures)
    with av.open(pictures[7]) as container:
        (frame,) = container.decode(video=0)
    assert frame.format.name not in ("gray", "pal8")


def test_raw_pictures_in_a_file(tmp_path: Path) -> None:
    assert run("run", make.media("silent.mp4"), tmp_path / "o.yuv", "flip:mode=none").code == 0
    data = (tmp_path / "o.yuv").read_bytes()
    assert len(data) == 100 * 320 * 240 * 3 // 2
    refused = run("run", make.media("silent.mp4"), tmp_path / "p.yuv")
    assert refused.code == 1
    assert "rawvideo cannot hold h264" in refused.err
    assert "video=rawvideo" in refused.err


def test_fragments_by_an_option_for_all_filters(tmp_path: Path) -> None:
    assert run("run", make.media("film.mp4"), tmp_path / "o.mp4", "--fragment_s=0.5").code == 0
    assert (tmp_path / "o.mp4").read_bytes().count(b"moof") == 4
    assert probe.counters(tmp_path / "o.mp4") == list(range(100))


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--video=libx264:preset=fats", "libx264 does not take preset=fats"),
        ("--video=libx264:crff=20", "has an option 'crff'"),
        ("--video=crf=12", "names no encoder"),
        ("--video=libx246", "no encoder or codec is named 'libx246'"),
        ("--audio=libx264", "libx264 encodes video"),
    ],
)
def test_a_slip_leaves_the_old_file_alone(option: str, words: str, tmp_path: Path) -> None:
    target = tmp_path / "old.mp4"
    target.write_bytes(b"precious")
    done = run("run", make.media("film.mp4"), target, option)
    assert done.code in (1, 2)
    assert words in done.err
    assert target.read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("name", "said"),
    [("old.mp4", "; the file of this name is an older one"), ("new.mp4", ""), ("file:old.ts", "; the file")],
)
def test_a_file_that_got_no_packet_is_told(name: str, said: str, tmp_path: Path) -> None:
    for old in ("old.mp4", "old.ts"):
        (tmp_path / old).write_bytes(b"old")
    done = run("run", make.media("film.mp4"), name, "valve:drop=1", cwd=tmp_path)
    assert done.code == 0
    assert f"{name}: nothing was written: no packet reached it{said}" in done.err
    assert done.err.count("\n") == 1
    assert (tmp_path / "old.mp4").read_bytes() == b"old"


def test_nothing_is_told_of_a_file_that_got_some(tmp_path: Path) -> None:
    done = run("run", make.media("film.mp4"), tmp_path / "o.mp4", "--audio=none")
    assert (done.code, done.err) == (0, "")
    assert (run("explain", make.media("film.mp4"), tmp_path / "n.mp4", "valve:drop=1").err) == ""
