"""Times that jump in mid-recording: a clip lasts as long as the clock said, with all its pictures in step."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import reelway as rw
from reelway.record import Recorder, Recording
from reelway.record.disk import SIDECAR
from reelway.record.steady import Steady
from reelway.testing.clock import VirtualClock
from tests.media.make import film
from tests.media.probe import counters, packets


class Jump(rw.Filter):
    """From second 4 on all times are later by so much."""

    inputs = (rw.Caps(),)
    outputs = (rw.Caps(),)
    by_s = 0

    def configure(self, pid: Any) -> None:
        pid.output = pid.output or self.new_pid(pid.name, **pid.properties)

    def process(self) -> float | None:
        for pid in self.ipids:
            timescale = pid.properties["Timescale"]
            for packet in pid:
                if packet.cts >= 4 * timescale:
                    packet.cts += self.by_s * timescale
                    packet.dts += self.by_s * timescale
                pid.output.send(packet)
        return None


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("by_s", [3600, -600, -2])
def test_a_clip_is_as_long_as_the_clock_said(by_s: int, live: bool, tmp_path: Path) -> None:
    source = film(tmp_path / "film.mp4", seconds=8, gop=25)
    clock = VirtualClock()
    made: list[Recording] = []
    with rw.Session(clock=clock) as session:
        jump = Jump()
        jump.by_s = by_s
        loaded = session.load_src(str(source))
        if live:
            session.chain(loaded, paced := session.load("reframer:rt=sync"))
            loaded = paced
        loaded >> session.add(jump)
        recorder = Recorder(
            *(session, jump, tmp_path / "clip.mkv"),
            before_s=1.0,
            after_s=2.0,
            live=live,
            segments=str(tmp_path / "all-{number}.mkv"),
            segment_s=2.0,
        )
        assert recorder._tape.segments is not None
        recorder._tape.segments._wall_s = lambda: 1e9 + clock.now()
        session.post(lambda: made.append(recorder.record()), 3.3)
        session.run()
    recorder.close()
    assert clock.now() < 9.0
    info = made[0].wait(20.0)
    shown = counters(info.path)
    assert shown == list(range(50, 50 + len(shown)))
    assert 132 <= shown[-1] <= 136
    assert info.duration_s == pytest.approx(len(shown) / 25, abs=0.05)
    video, audio = (sorted(float(each.pts or 0) for each in stream.packets) for stream in packets(info.path))
    for times in (video, audio):
        assert all(0 < after - before < 0.1 for before, after in pairwise(times))
    assert video[-1] == pytest.approx(audio[-1], abs=0.1)
    parts = sorted(tmp_path.glob("all-*.mkv"))
    assert [number for path in parts for number in counters(path)] == list(range(200))
    lengths = [json.loads(Path(f"{path}{SIDECAR}").read_text())["duration_s"] for path in parts]
    assert sum(lengths) == pytest.approx(8.0, abs=0.2)


def test_gaps_that_a_clock_explains_stay() -> None:
    """A camera that was away for an hour; a slide each two minutes; a gap in a film; a stall."""
    camera = Steady([])
    assert [camera.shift_s(at, 0.04, at, True) for at in (0.0, 0.04, 3600.0, 3600.04)] == [0.0] * 4
    slides = Steady([])
    assert [slides.shift_s(120.0 * n, 120.0, 120.0 * n, False) for n in range(4)] == [0.0] * 4
    gap = Steady([])
    assert [gap.shift_s(at, 0.04, 0.0, False) for at in (0.0, 50.0, 50.04)] == [0.0] * 3
    stall = Steady([])
    came = (0.0, 0.04, 5.0, 5.0, 5.0)
    assert [stall.shift_s(n * 0.04, 0.04, at, True) for n, at in enumerate(came)] == [0.0] * 5


def test_streams_that_jump_together_stay_in_step() -> None:
    shifts: list[float] = []
    video, audio = Steady(shifts), Steady(shifts)
    assert [video.shift_s(at, 0.04, 0.0, False) for at in (10.0, 2.0)] == pytest.approx([0.0, 8.04])
    assert [audio.shift_s(at, 0.02, 0.0, False) for at in (9.8, 2.1)] == pytest.approx([0.0, 8.04])
