"""An hour of footage: memory stays flat, and every picture comes. A tenth of it in `make test`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.remuxing import in_child
from tests.media import make, probe

HOUR_S = 3600
MOST_GROWTH = 16 << 20
"""Bytes that a process may grow by, from a tenth of the footage to its end."""

SAMPLE = 96
"""Bytes that FFmpeg's MP4 muxer keeps of each packet, as it writes its table at the end."""


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """A film of so many seconds, 64x48, 25 pictures a second, with sound."""
    folder = tmp_path_factory.mktemp("long")

    def find(seconds: int) -> Path:
        path = folder / f"{seconds}.mp4"
        if not path.exists():
            short = make.film(folder / "short.mp4", size=(64, 48), audio=[make.Track("aac", channels=1)])
            make.long_film(path, seconds, short)
        return path

    return find


MEASURED = """if True:
    import json, sys
    import reelway as rw
    from tests.media import make

    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    source, result, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    total = seconds * 25
    sizes, wrong, count = [], 0, 0

    def look(number, luma, inverted=False):
        global wrong, count
        found = make.read_counter(luma)
        wrong += (65535 - found if inverted else found) != number % 100
        count += 1
        if number % (total // 20) == 0:
            sizes.append(resident())
"""

READ = (
    MEASURED
    + """
    for number, frame in enumerate(rw.frames(source, threads=2)):
        look(number, frame.planes()[0])
    print(json.dumps([count, wrong, sizes]))
"""
)

TRANSCODE = (
    MEASURED
    + """
    import numpy

    class Invert(rw.Filter):
        inputs = (rw.Caps(StreamType="Visual", CodecID="raw", PixelFormat="yuv420p"),)
        outputs = (rw.Caps(StreamType="Visual", CodecID="raw"),)

        def configure(self, pid):
            self.new_pid(of=pid)

        def process(self):
            for pid in self.ipids:
                for packet in pid:
                    luma = packet.writable()[0]
                    numpy.subtract(255, luma, out=luma)
                    look(count, luma, inverted=True)
                    pid.output.send(packet)

    rw.run(source, result, Invert(), video="libx264:preset=ultrafast", audio="aac", threads=2)
    print(json.dumps([count, wrong, sizes]))
"""
)


def measured(code: str, source: Path, result: Path, seconds: int, more: int = 0) -> None:
    done = in_child(code, source, result, seconds, timeout=3000)
    assert done.returncode == 0, done.stderr
    count, wrong, sizes = json.loads(done.stdout.splitlines()[-1])
    assert (count, wrong) == (seconds * 25, 0)
    settled, rest = sizes[2], sizes[3:]
    assert len(rest) >= 15
    assert max(rest) - settled < MOST_GROWTH + more, [size >> 20 for size in sizes]


def test_an_hour_of_frames(footage: Callable[[int], Path], count: Any, tmp_path: Path) -> None:
    seconds = count(HOUR_S)
    measured(READ, footage(seconds), tmp_path / "none", seconds)


@pytest.mark.parametrize(("target", "table"), [("ts", 0), ("mkv", 0), ("mp4", SAMPLE)])
def test_an_hour_through_python_and_encoders(
    target: str, table: int, footage: Callable[[int], Path], count: Any, tmp_path: Path
) -> None:
    """Pictures and sound are encoded again: as many pictures, and the sound ends with them."""
    seconds, result = count(HOUR_S), tmp_path / f"out.{target}"
    samples = seconds * (25 + 47)
    measured(TRANSCODE, footage(seconds), result, seconds, table * samples)
    streams = {stream.kind: stream.packets for stream in probe.packets(result)}
    assert len(streams["video"]) == seconds * 25
    starts = {kind: min(p.pts or 0 for p in found) for kind, found in streams.items()}
    ends = {kind: max((p.pts or 0) + p.duration for p in found) for kind, found in streams.items()}
    assert float(ends["video"] - starts["video"]) == pytest.approx(seconds, abs=0.05)
    assert float(ends["audio"] - starts["video"]) == pytest.approx(seconds, abs=0.1)
