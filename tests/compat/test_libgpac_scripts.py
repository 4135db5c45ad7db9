"""Scripts of GPAC's document, run unchanged by `reelway script`: what they print and what they write."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
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


def pictures(path: Path) -> list[np.ndarray]:
    """Every picture of a file, yuv420p as FFmpeg's rawvideo has it."""
    with av.open(path) as container:
        return [frame.to_ndarray(format="yuv420p").astype(int) for frame in container.decode(video=0)]


@pytest.mark.parametrize("inplace", ["1", "0"])
def test_raw_video_draws_exactly_the_line(
    inplace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is, and with a codec that loses nothing in place of x264, to see every sample."""
    monkeypatch.setenv("INPLACE", inplace)
    lossy, exact = tmp_path / "out.mp4", tmp_path / "out.mkv"
    assert run("gpac_10_raw_video.py", dest=lossy) == ["New PID !"]
    text = (SCRIPTS / "gpac_10_raw_video.py").read_text()
    assert "ffenc:c=libx264" in text
    (tmp_path / "exact.py").write_text(text.replace("ffenc:c=libx264", "ffenc:c=ffv1"))
    assert run(tmp_path / "exact.py", dest=exact) == ["New PID !"]
    source = pictures(make.media("film.mp4"))
    assert len(source) == 100
    for before, after in zip(source, pictures(exact), strict=True):
        before[120, :319] = 125
        assert (before == after).all()
    for before, after in zip(source, pictures(lossy), strict=True):
        assert abs(after[120, :319] - 125).max() < 20
        assert abs(before - after).mean() < 1


def test_own_transcode(tmp_path: Path) -> None:
    dest = tmp_path / "out.mp4"
    lines = run("own_1_transcode.py", dest=dest)
    assert len(lines) >= 6
    with av.open(dest) as container:
        video, audio = container.streams
        assert (video.codec.name, video.width, video.height, video.frames) == ("h264", 160, 120, 100)
        assert (audio.codec.name, audio.rate, audio.channels) == ("aac", 24000, 1)
    assert probe.counters(dest) == list(range(100))
    keys = [n for n, packet in enumerate(probe.packets(dest)[0].packets) if packet.keyframe]
    assert max(b - a for a, b in itertools.pairwise(keys)) <= 12


def test_own_meters() -> None:
    assert run("own_2_meters.py") == [
        "pictures 320 240 yuv",
        "sound 48000 2 s16",
        "50 pictures, luma 126 to 126",
        "96000 samples, peak 16384",
    ]


def test_own_half_size(tmp_path: Path) -> None:
    dest = tmp_path / "out.mp4"
    assert run("own_3_half_size.py", dest=dest) == []
    made = pictures(dest)
    assert len(made) == 100
    for before, after in zip(pictures(make.media("film.mp4")), made, strict=True):
        assert after.shape == (180, 160)
        assert abs(before[:240:2, ::2] - after[:120]).mean() < 3


def test_own_painter(tmp_path: Path) -> None:
    dest = tmp_path / "out.mp4"
    assert run("own_4_painter.py", dest=dest) == ["50 painted", "50 released"]
    with av.open(dest) as container:
        found = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(found) == 50
    for number, picture in enumerate(found):
        edge = 160 * number // 50
        assert picture[:, : max(0, edge - 4), 0].min(initial=255) > 200
        assert picture[:, edge + 4 :, 0].max(initial=0) < 60
