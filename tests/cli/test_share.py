"""`reelway share` and `reelway shared`."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy
import pytest
from PIL import Image

import reelway as rw
from reelway import share
from tests.cli.conftest import Done, command, surroundings

Run = Callable[..., Done]


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="rw-"))
    monkeypatch.setenv("REELWAY_SHARE_DIR", str(path))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def sharing(*words: object) -> Iterator[subprocess.Popen[str]]:
    """`reelway share ...` in a process of its own."""
    process = subprocess.Popen(
        command("share", *words),
        env=surroundings() | {"REELWAY_SHARE_DIR": os.environ["REELWAY_SHARE_DIR"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> Done:
    out, err = process.communicate(timeout=30)
    return Done(process.returncode, out, err)


def test_a_film_waits_for_its_reader_who_gets_all_of_it(film: Path) -> None:
    with sharing(film, "--name", "cam1") as process:
        expected = [frame.array.copy() for frame in rw.frames(film, pixel_format="rgb24")]
        with share.open("cam1", timeout_s=30) as frames:
            same = [bool((frame == wanted).all()) for frame, wanted in zip(frames, expected, strict=True)]
        assert ended(process) == Done(0, "", "")
    assert same == [True] * len(expected)


def test_packets_and_sound(film: Path) -> None:
    with sharing(film, "--name", "cam1", "--packets") as process:
        with share.open("cam1", timeout_s=30) as frames:
            assert {frame.properties["CodecID"] for frame in frames} == {"h264"}
        assert ended(process).code == 0
    with sharing(film, "--name", "mic", "--audio") as process:
        with share.open("mic", timeout_s=30) as frames:
            assert {frame.dtype.str for frame in frames} == {"<f4"}
        assert ended(process).code == 0


@pytest.mark.parametrize(("signal", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_ends_when_it_is_told(signal: signal.Signals, code: int, folder: Path) -> None:
    with sharing("testvideo:live=on:size=320x180", "--name", "cam1") as process:
        with share.open("cam1", timeout_s=30) as frames:
            frames.pull(30)
            process.send_signal(signal)
            done = ended(process)
        assert done.code == code
        assert "Traceback" not in done.err
        assert list(folder.glob("*")) == []


def test_a_list_of_what_is_shared(reelway: Run) -> None:
    assert reelway("shared") == Done(0, "nothing is shared\n", "")
    with share.Writer("cam1", slots=4) as first, share.Writer("boxes") as second, share.Writer("new"):
        picture = {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": "rgb24", "Width": 8, "Height": 4}
        first.write(bytes(96), properties=picture)
        second.write(numpy.zeros((3, 4), numpy.float32))
        with share.open("boxes"):
            assert second.wait_readers(1, 10)
            done = reelway("shared")
    assert (done.code, done.err) == (0, "")
    lines = [line.split("  ") for line in done.out.splitlines()]
    cells = [[cell.strip() for cell in line if cell] for line in lines]
    assert cells == [
        ["name", "format", "frames/s", "frames", "readers", "dropped", "memory"],
        ["boxes", "array 3x4 of <f4", "0", "1", "1", "0", "41 kB"],
        ["cam1", "raw rgb24, 8x4", "0", "1", "0", "0", "16.4 kB"],
        ["new", "nothing yet", "0", "0", "0", "0", "0"],
    ]


def test_all_of_one(reelway: Run) -> None:
    with share.Writer("cam1", slots=4) as writer:
        picture = {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": "rgb24", "Width": 8, "Height": 4}
        with share.open("cam1") as frames:
            assert writer.wait_readers(1, 10)
            writer.write(bytes(96), properties=picture | {"URL": "rtsp://u:q7xsecret@camera/"})
            held = frames.pull(10)
            done = reelway("shared", "cam1")
            del held
    assert done == Done(
        0,
        "cam1: raw rgb24, 8x4\n"
        "  1 frames, 0 a second; 0 went to nobody\n"
        "  4 slots of 4.1 kB; 16.4 kB of memory\n"
        f"  process {os.getpid()} of user {os.getuid()} reads every: 1 frames, 1 of them held\n"
        "    CodecID = raw\n"
        "    Height = 4\n"
        "    PixelFormat = rgb24\n"
        "    StreamType = Visual\n"
        "    Width = 8\n",
        "",
    )


@pytest.mark.parametrize(("format", "size"), [("yuv420p", 24), ("rgb24", 48), ("nv12", 24)])
def test_a_picture_of_any_format_is_saved(format: str, size: int, reelway: Run, tmp_path: Path) -> None:
    with share.Writer("cam1") as writer:
        properties = {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": format, "Timescale": 25}
        writer.write(bytes(size), properties=properties | {"Width": 4, "Height": 4}, dts=0)
        path = tmp_path / "frame.png"
        assert reelway("shared", "cam1", "--save", path) == Done(0, f"{path}: 4x4\n", "")
    with Image.open(path) as image:
        assert (image.size, image.mode) == ((4, 4), "RGB")


def test_an_array_is_saved_as_it_is(reelway: Run, tmp_path: Path) -> None:
    with share.Writer("cv") as writer:
        writer.write(numpy.full((4, 6, 3), (10, 20, 30), numpy.uint8))
        assert reelway("shared", "cv", "--save", tmp_path / "frame.png").code == 0
    with Image.open(tmp_path / "frame.png") as image:
        assert image.size == (6, 4)
        assert image.getpixel((0, 0)) == (10, 20, 30)


def test_what_cannot_be_saved(reelway: Run, tmp_path: Path) -> None:
    with share.Writer("boxes") as boxes, share.Writer("empty"):
        boxes.write(numpy.zeros((3, 4), numpy.float32))
        done = reelway("shared", "boxes", "--save", tmp_path / "f.png")
        assert done == Done(1, "", "reelway: boxes shares arrays (3, 4) of float32, which are no pictures\n")
        done = reelway("shared", "empty", "--save", tmp_path / "f.png", "--timeout", "0.1")
        assert done == Done(1, "", "reelway: empty: no picture came, after 0.1 s\n")
        done = reelway("shared", "boxes", "--save", tmp_path / "f.what")
        assert done.code == 2
        assert done.err.endswith("f.what: no picture format ends so\n         end it with .png or .jpg\n")
    assert list(tmp_path.iterdir()) == []


def test_mistakes(reelway: Run, film: Path) -> None:
    done = reelway("shared", "cam1")
    assert done == Done(1, "", "reelway: nobody shares cam1\n         nothing is shared\n")
    with share.Writer("cam2"):
        assert reelway("shared", "cam1").err == "reelway: nobody shares cam1\n         there is cam2\n"
        done = reelway("share", film, "--name", "cam2")
        assert done.code == 1
        assert "somebody shares cam2 already" in done.err
    assert reelway("share", film).code == 2
    assert reelway("share", "--name", "cam1").code == 2
    assert reelway("share", film, "--name", "a/b").code == 2
    done = reelway("share", "testaudio:duration=0.1", "--name", "cam1")
    assert done.code == 1
    assert done.err.startswith("reelway: testaudio has no stream that cam1 takes with #video\n")
    assert reelway("share", "nothing.mp4", "--name", "cam1").code == 1
