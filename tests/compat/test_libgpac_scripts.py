"""Scripts of GPAC's document, run unchanged by `reelway script`: what they print and what they write."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import av
import pytest

from tests.media import make, probe

SCRIPTS = Path(__file__).parent / "scripts"
COMMAND = [sys.executable, "-c", "import sys; from reelway.cli import main; sys.exit(main())", "script"]


def run(script: Path | str, source: str = "film.mp4", dest: Path | None = None, code: int = 0) -> list[str]:
    """The lines that a script prints under `reelway script`; what it says on stderr comes after them."""
    environment = {**os.environ, "SOURCE": str(make.media(source)), "PYTHONWARNINGS": "error"}
    if dest is not None:
        environment["DEST"] = str(dest)
    command = [*COMMAND, str(SCRIPTS / script)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert code or not done.stderr
    return (done.stdout + done.stderr).splitlines()


def same(source: str, dest: Path) -> None:
    """Every packet came through: payload, keyframes, and times but for one offset."""
    before, after = probe.packets(make.media(source)), probe.packets(dest)
    assert [s.codec for s in after] == [s.codec for s in before]
    for was, now in zip(before, after, strict=True):
        assert [p.digest for p in now.packets] == [p.digest for p in was.packets]
        assert [p.keyframe for p in now.packets] == [p.keyframe for p in was.packets]
        tick = max(was.tick, now.tick)
        first, again = was.packets[0].pts, now.packets[0].pts
        assert first is not None
        assert again is not None
        for a, b in zip(was.packets, now.packets, strict=True):
            assert a.pts is not None
            assert b.pts is not None
            assert abs((a.pts - first) - (b.pts - again)) <= tick


def test_version() -> None:
    first, second = run("gpac_01_version.py")
    assert first == "Welcome to GPAC Python !"
    assert re.fullmatch(r"Version: 2\.\d+-reelway-\S+", second)


def test_tuning() -> None:
    assert run("gpac_02_tuning.py") == []


def test_playback_says_that_windows_come_later() -> None:
    (line, *rest) = run("gpac_03_playback.py", code=1)
    assert re.fullmatch(r"gpac_03_playback\.py:11: ComesLaterError: .*vout.* comes later: .*", line), line
    assert not any("Traceback" in each for each in rest)


@pytest.mark.parametrize("script", ["gpac_04_remux.py", "gpac_05_nonblocking.py"])
@pytest.mark.parametrize("extension", ["ts", "mp4", "mkv"])
def test_remux(script: str, extension: str, tmp_path: Path) -> None:
    dest = tmp_path / f"test.{extension}"
    assert run(script, dest=dest) == []
    same("film.mp4", dest)


def test_task(tmp_path: Path) -> None:
    dest = tmp_path / "test.ts"
    *calls, last = run("gpac_06_task.py", dest=dest)
    assert calls
    assert all(re.fullmatch(r"In callback, nb filters: \d+", line) for line in calls)
    assert last == "No more tasks, we are done"
    same("film.mp4", dest)


def test_linking_all_streams_through_the_reframer(tmp_path: Path) -> None:
    dest = tmp_path / "remux.mp4"
    assert run("gpac_07a_linking.py", source="two.mp4", dest=dest) == []
    same("two.mp4", dest)


def test_linking_one_stream(tmp_path: Path) -> None:
    dest = tmp_path / "remux.mp4"
    assert run("gpac_07b_linking.py", source="film.mp4", dest=dest) == []
    (only,) = probe.packets(dest)
    with av.open(str(make.media("film.mp4"))) as original:
        wanted = next(stream.index for stream in original.streams if stream.id == 1)
    assert [p.digest for p in only.packets] == [
        p.digest for p in probe.packets(make.media("film.mp4"))[wanted].packets
    ]


def video_packets(source: str) -> list[tuple[int, int, int, int, int]]:
    """(dts, cts, sap or not, duration, size) of the video, in ticks, as the container has them."""
    with av.open(str(make.media(source))) as container:
        return [
            (p.dts or 0, p.pts or 0, int(p.is_keyframe), p.duration or 0, p.size)
            for p in container.demux(container.streams.video[0])
            if p.size
        ]


GOT = re.compile(r"Got Packet DTS (-?\d+) CTS (-?\d+) SAP (\d+) dur (\d+) size (\d+)")


def printed_packets(lines: list[str]) -> list[tuple[int, int, int, int, int]]:
    found = [match.groups() for line in lines if (match := GOT.fullmatch(line))]
    return [(int(d), int(c), min(1, int(s)), int(u), int(z)) for d, c, s, u, z in found]


def test_custom_sink() -> None:
    lines = run("gpac_08_custom_sink.py")
    assert lines[0] == "PID configured - props:"
    properties = dict(
        match.groups() for line in lines if (match := re.fullmatch(r"Property (\w+) value: (.*)", line))
    )
    assert properties["StreamType"] == "Visual"
    assert properties["CodecID"] == "avc"
    assert properties["Width"].isdigit()
    assert re.fullmatch(r"\d+/\d+", properties["FPS"])
    assert properties["DecoderConfig"].startswith("data,size:")
    assert "StreamInfo" not in properties
    assert printed_packets(lines) == video_packets("film.mp4")
    assert len(lines) == 1 + len(properties) + len(video_packets("film.mp4"))


def test_custom_forward(tmp_path: Path) -> None:
    dest = tmp_path / "out.mp4"
    lines = run("gpac_09_custom_forward.py", dest=dest)
    assert lines[0] == "New PID !"
    expected = video_packets("film.mp4")
    assert printed_packets(lines) == expected
    assert [line for line in lines if line.startswith("packet buffer")] == [
        f"packet buffer class ndarray size {size}" for *_, size in expected
    ]
    before, (after,) = probe.packets(make.media("film.mp4")), probe.packets(dest)
    (video,) = [stream for stream in before if stream.kind == "video"]
    assert [p.digest for p in after.packets] == [p.digest for p in video.packets]
    assert [p.keyframe for p in after.packets] == [p.keyframe for p in video.packets]
    assert [(p.pts, p.dts, p.duration) for p in after.packets] == [
        (p.pts, p.dts, p.duration) for p in video.packets
    ]
