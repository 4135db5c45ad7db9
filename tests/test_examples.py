"""Every script in examples/ runs as its docstring says, and writes what it promises."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import av
import pytest
from PIL import Image

import reelway as rw
from tests.media import make, probe

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name: str, folder: Path, *arguments: str) -> list[str]:
    """The lines that an example prints; warnings are errors."""
    script = EXAMPLES / f"{name}.py"
    command = [sys.executable, "-W", "error", str(script), *arguments]
    plain = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=folder, env=plain, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(make.media("film.mp4"), tmp_path / "film.mp4")
    return tmp_path


def codecs(path: Path) -> list[str]:
    return [stream.codec for stream in probe.packets(path)]


def digests(path: Path, codec: str) -> list[str]:
    (stream,) = [stream for stream in probe.packets(path) if stream.codec == codec]
    return [packet.digest for packet in stream.packets]


def starts_s(path: Path) -> dict[str, float]:
    """When each stream begins [s]."""
    with av.open(str(path)) as container:
        first: dict[str, float] = {}
        for packet in container.demux():
            if packet.pts is not None and packet.stream.type not in first:
                first[packet.stream.type] = float(packet.pts * packet.time_base)
    return first


def test_every_example_is_tested() -> None:
    tested = Path(__file__).read_text()
    scripts = [path.stem for path in EXAMPLES.glob("*.py") if path.stem != "sample"]
    assert [name for name in scripts if f'run("{name}"' not in tested] == []


def test_demo_puts_a_function_between_a_film_and_an_mp4(folder: Path) -> None:
    lines = run("demo", folder, "film.mp4", "out")
    assert any("decode -> convert:format=rgb24 -> neon" in line for line in lines)
    result = folder / "out" / "neon.mp4"
    assert codecs(result) == ["h264", "aac"]
    assert digests(result, "aac") == digests(folder / "film.mp4", "aac")
    films = [list(rw.frames(path, pixel_format="rgb24")) for path in (folder / "film.mp4", result)]
    assert [frame.time for frame in films[0]] == [frame.time for frame in films[1]]
    assert all(dark.array.mean() < light.array.mean() for light, dark in zip(*films, strict=True))
    with Image.open(folder / "out" / "contact.png") as contact:
        assert contact.size == (4 * 320, 2 * 240)


def test_demo_makes_its_own_film(folder: Path) -> None:
    sys.path.insert(0, str(EXAMPLES))
    try:
        import sample  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(EXAMPLES))
    made = sample.make_film(folder / "made.mp4", seconds=2)
    video, audio = probe.packets(made)
    assert video.codec in {"h264", "mpeg4"}
    assert len(video.packets) == 50
    assert [at for at, packet in enumerate(video.packets) if packet.keyframe] == [0, 25]
    assert audio.codec == "aac"


def test_remux(folder: Path) -> None:
    lines = run("remux", folder, "film.mp4", "film.mkv")
    assert [line.partition(",")[0] for line in lines[-2:]] == ["video1: 100 packets", "audio1: 189 packets"]
    assert digests(folder / "film.mkv", "aac") == digests(folder / "film.mp4", "aac")


def test_delay_audio(folder: Path) -> None:
    run("delay_audio", folder, "film.mp4", "mended.mp4", "0.5")
    before, after = starts_s(folder / "film.mp4"), starts_s(folder / "mended.mp4")
    assert after["audio"] - before["audio"] == pytest.approx(0.5, abs=1e-3)
    assert after["video"] == before["video"]
    assert digests(folder / "mended.mp4", "aac") == digests(folder / "film.mp4", "aac")


def test_linking(folder: Path) -> None:
    lines = run("linking", folder, "film.mp4")
    assert codecs(folder / "picture.mp4") == ["h264"]
    assert codecs(folder / "sound.m4a") == ["aac"]
    assert sorted(codecs(folder / "both.mkv")) == ["aac", "h264"]
    assert codecs(folder / "tall.mp4") == ["h264"]
    assert "demux.audio1 (aac) does not fit Deaf: StreamType is Audio, wanted Visual" in lines


def test_own_source(folder: Path) -> None:
    lines = run("own_source", folder)
    times = [int(line.split()[0]) for line in lines[2:]]
    assert times == sorted([0, 1000, 2000, 0, 400, 800, 1200, 1600, 2000])


def test_in_asyncio(folder: Path) -> None:
    counts = [int(line.split()[0]) for line in run("in_asyncio", folder)]
    assert counts == sorted(counts)
    assert len(counts) >= 3, "asyncio went on while the session ran"


def test_gpac_script(folder: Path) -> None:
    assert run("gpac_script", folder, "film.mp4", "out.mp4") == ["4 random access points"]
    assert digests(folder / "out.mp4", "h264") == digests(folder / "film.mp4", "h264")


def test_share_blur(folder: Path) -> None:
    lines = run("share_blur", folder, "0.1", "3")
    found = [re.fullmatch(r"(.+) s: the sharpest edge was (\d+), and is (\d+)", line) for line in lines]
    numbers = [tuple(map(float, each.groups())) for each in found if each is not None]
    assert len(numbers) == 3
    assert all(later[0] > earlier[0] for earlier, later in itertools.pairwise(numbers)), "each is a newer one"
    assert all(after < before / 4 for _, before, after in numbers)
    with Image.open(folder / "blurred.png") as image:
        assert image.size == (480, 270)


def test_share_detector(folder: Path) -> None:
    lines = run("share_detector", folder, "20")
    found = [re.fullmatch(r"frame (\d+), (.+) s: (\d+),(\d+) to (\d+),(\d+)", line) for line in lines]
    boxes = [each.groups() for each in found if each is not None]
    assert [(int(number), float(time)) for number, time, *_ in boxes] == [(n + 1, n / 25) for n in range(20)]
    assert len({tuple(box) for _, _, *box in boxes}) == 20, "the ball moves"
    sizes = {(int(right) - int(left), int(low) - int(high)) for _, _, left, high, right, low in boxes}
    assert all(abs(width - height) <= 2 for width, height in sizes), "and is round"
