"""pythiags' recorder: the document's scripts in real time, and chains of one's own."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import reelway as rw
from reelway.compat.pythiags.headless import Standalone
from reelway.compat.pythiags.recorder import RecordBin, RingBuffer, States, VideoRecorder
from tests.media.make import film
from tests.media.make import read_counter as read_picture

pytestmark = pytest.mark.alone

SCRIPTS = Path(__file__).parent / "scripts"
COMMAND = [sys.executable, "-c", "import sys; from reelway.cli import main; sys.exit(main())", "script"]
FOLDER = Path("/tmp/pythiagsdemo")
"""Where the document's scripts write, after they have deleted it."""
WINDOW = timedelta(seconds=2)
TENTH = timedelta(seconds=0.1)


@pytest.fixture
def alone() -> Iterator[None]:
    """No other process of this run uses the scripts' folder meanwhile."""
    with open(Path(tempfile.gettempdir()) / "reelway-pythiagsdemo.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Clip:
    """A file that a script wrote, and what its sidecar says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        said = json.loads(Path(f"{path}.json").read_text())
        self.start, self.end = (datetime.fromisoformat(said[name]) for name in ("start", "end"))
        self.calls = [datetime.fromisoformat(trigger["time"]) for trigger in said["triggers"]]
        self.frames = list(rw.frames(str(path), pixel_format="gray"))
        self.length_s = self.frames[-1].time - self.frames[0].time + 1 / 30

    @property
    def counters(self) -> list[int]:
        return [read_picture(frame.array) for frame in self.frames]

    def check(self, calls: int) -> None:
        """It lasts from two seconds before the first call to two after the last one."""
        assert len(self.calls) == calls
        assert abs(self.start - (self.calls[0] - WINDOW)) < TENTH
        assert abs(self.end - (self.calls[-1] + WINDOW)) < TENTH
        assert abs(self.length_s - (self.end - self.start).total_seconds()) < 0.05


def clips_of(script: str, **environment: str) -> list[Clip]:
    """In the order in which they begin."""
    done = subprocess.run(
        [*COMMAND, str(SCRIPTS / script)],
        env={**os.environ, "PYTHONWARNINGS": "error", **environment},
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert not list(FOLDER.glob("**/*.part"))
    return sorted(map(Clip, FOLDER.glob("**/*.webm")), key=lambda clip: clip.start)


def test_the_documents_recorder(alone: None) -> None:
    first, second = clips_of("pythiags_03_single_recorder.py")
    first.check(calls=2)
    second.check(calls=1)
    assert second.length_s == pytest.approx(4.0, abs=0.05)


def test_the_documents_recorders_of_two_streams(alone: None) -> None:
    first, second = clips_of("pythiags_04_multi_recorder.py")
    assert first.path.name.endswith("_first.webm")
    assert second.path.name.endswith("_second.webm")
    first.check(calls=1)
    second.check(calls=2)
    assert first.length_s == pytest.approx(4.0, abs=0.05)


def test_the_documents_ring_buffer(alone: None, tmp_path: Path) -> None:
    source = film(tmp_path / "film.mp4", seconds=14, fps=30, size=(320, 240), audio=0)
    environment = {"SOURCE": str(source), "SDL_VIDEODRIVER": "dummy"}
    first, second = clips_of("pythiags_05_custom_ringbuffer.py", **environment)
    first.check(calls=2)
    second.check(calls=1)
    for clip in (first, second):
        assert clip.counters == list(range(clip.counters[0], clip.counters[0] + len(clip.counters)))
    between_s = (second.start - first.start).total_seconds()
    assert (second.counters[0] - first.counters[0]) / 30 == pytest.approx(between_s, abs=0.1)


TEXT = "videotestsrc ! video/x-raw,width=64,height=48,framerate=30/1 ! tee name=t1 t1. ! fakesink"


@pytest.fixture
def app() -> Iterator[Standalone]:
    with Standalone.build_and_run(TEXT, background=True) as made:
        yield made


def recorder_of(app: Standalone, path: Path, **options: Any) -> VideoRecorder:
    return VideoRecorder(app.pipeline, "t1", lambda: path, window_size_sec=0.3, **options)


def test_a_clip_is_asked_for_and_told_of(app: Standalone, tmp_path: Path) -> None:
    finished: list[str] = []
    told = threading.Event()

    def tell(path: str) -> None:
        finished.append(path)
        told.set()

    recorder = recorder_of(app, tmp_path / "clip.webm", on_video_finished=tell)
    assert recorder.state is States.BUFFERING
    assert not recorder.busy
    path = recorder.record()
    assert path == str(tmp_path / "clip.webm")
    assert recorder.busy
    assert told.wait(20.0)
    assert finished == [path]
    assert not recorder.busy
    assert recorder.state is States.BUFFERING
    app.stop()
    assert recorder.state is States.DETTACHED


def test_it_says_when_a_file_does_not_begin_in_time(app: Standalone, tmp_path: Path) -> None:
    with pytest.raises(TimeoutError, match="record took longer than 0.0"):
        recorder_of(app, tmp_path / "clip.webm").record(max_delay_sec=0.0)


class Small(RingBuffer):
    """Another size, and no colours."""

    RINGBUFFER_BIN_STRING = (
        "queue ! videoscale ! videoconvert ! video/x-raw,width=32,height=24,format=GRAY8 ! appsink"
    )


class Lossless(RecordBin):
    """Another encoder, and a muxer of one's own choice."""

    RECORD_BIN_STRING = (
        "appsrc caps={caps} ! x264enc tune=zerolatency ! matroskamux ! filesink location={sink_location}"
    )


def test_chains_of_ones_own(app: Standalone, tmp_path: Path) -> None:
    recorder = recorder_of(app, tmp_path / "clip.mkv", ring_buffer_cls=Small, record_bin_cls=Lossless)
    recording = recorder.recorder.record()
    info = recording.wait(20.0)
    frames = list(rw.frames(info.path, pixel_format="gray"))
    assert frames[0].array.shape == (24, 32)
    with rw.Session() as session:
        source = session.load_src(info.path)
        session.explain()
        assert source.opids[0].properties["CodecID"] == "h264"


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (RingBuffer, "queue ! fakesink", "Mine.RINGBUFFER_BIN_STRING ends with fakesink"),
        (RecordBin, "videotestsrc ! webmmux ! filesink", "Mine.RECORD_BIN_STRING begins with videotestsrc"),
    ],
)
def test_a_chain_that_has_no_place(
    kind: type, text: str, message: str, app: Standalone, tmp_path: Path
) -> None:
    name = "RINGBUFFER_BIN_STRING" if kind is RingBuffer else "RECORD_BIN_STRING"
    mine = type("Mine", (kind,), {name: text})
    option = "ring_buffer_cls" if kind is RingBuffer else "record_bin_cls"
    with pytest.raises(rw.OptionError, match=message):
        recorder_of(app, tmp_path / "clip.webm", **{option: mine})
