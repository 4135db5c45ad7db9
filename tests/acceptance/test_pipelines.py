"""Pipeline texts run to their end, and what they wrote is looked at; gst-launch-1.0 runs the same texts."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import needs
from tests.media import make, probe
from tests.pipelines import TEXTS, Text

RUN = [each for each in TEXTS if each.runs]
PEERS = [each for each in RUN if each.gstreamer]
PLUGINS = ("tools", "plugins-base", "plugins-good", "plugins-bad", "plugins-ugly", "libav")
LIMIT_S = 60
DURATION_S = 0.06
"""Priming and the end of the last sound packet are told differently."""


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of 320x180 at 25 fps, with sound of 48 kHz."""
    return make.film(tmp_path_factory.mktemp("film") / "film.mp4", seconds=2, size=(320, 180), audio=1)


def filled(text: Text, film: Path, out: Path) -> str:
    return text.text.replace("{film}", str(film)).replace("{out}", str(out))


def described(path: Path) -> list[str]:
    """What is in a file: a line for each stream."""
    told, _ = probe.ffprobe(path)
    lines = []
    for stream in told["streams"]:
        if stream["codec_type"] == "video":
            frames = stream.get("nb_read_frames", "0")
            lines.append(f"{stream['codec_name']} {stream['width']}x{stream['height']} {frames} frames")
        else:
            seconds = float(stream.get("duration") or told["format"].get("duration") or 0)
            kind = f"{stream['codec_name']} {stream['sample_rate']} Hz {stream['channels']} ch"
            lines.append(f"{kind} {seconds:.2f} s")
    return sorted(lines)


def same(mine: list[str], theirs: list[str]) -> bool:
    """The same streams, the durations of sound within DURATION_S."""
    seconds = re.compile(r" ([\d.]+) s$")
    if [seconds.sub("", each) for each in mine] != [seconds.sub("", each) for each in theirs]:
        return False
    pairs = zip(mine, theirs, strict=True)
    durations = [(seconds.search(one), seconds.search(other)) for one, other in pairs]
    return all(one is None or other is None or abs(float(one[1]) - float(other[1])) <= DURATION_S
               for one, other in durations)  # fmt: skip


def launch(text: str, folder: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "reelway", "launch", "-q", text]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


@pytest.mark.parametrize("text", RUN, ids=lambda text: text.name)
def test_what_a_text_writes(text: Text, film: Path, tmp_path: Path) -> None:
    needs("ffmpeg")
    out = tmp_path / f"out.{text.out or 'none'}"
    launch(filled(text, film, out), tmp_path)
    if text.made:
        assert same(described(out), sorted(text.made.split("; "))), described(out)


@pytest.mark.parametrize("text", PEERS, ids=lambda text: text.name)
def test_gst_launch_writes_the_same(text: Text, film: Path, tmp_path: Path) -> None:
    needs("ffmpeg")
    for plugins in PLUGINS:
        needs(f"gstreamer1.0-{plugins}")
    mine, theirs = tmp_path / f"mine.{text.out or 'none'}", tmp_path / f"theirs.{text.out or 'none'}"
    launch(filled(text, film, mine), tmp_path)
    done = subprocess.run(
        ["gst-launch-1.0", "-q", *shlex.split(filled(text, film, theirs))],
        cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    if text.out:
        assert same(described(mine), described(theirs)), (described(mine), described(theirs))


def test_there_are_enough_texts() -> None:
    assert len(TEXTS) >= 60
    assert len(RUN) >= 40
    assert len(PEERS) >= 25
