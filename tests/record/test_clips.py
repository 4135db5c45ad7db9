"""Clips of streams under the virtual clock: which pictures they hold, to the frame, and what with them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import pytest

import reelway as rw
from reelway.record import Recorder, RecorderState, Recording
from reelway.testing.burnin import read_counter
from reelway.testing.clock import VirtualClock
from tests.media.make import Track, film
from tests.media.make import read_counter as read_picture
from tests.media.probe import counters

ENDINGS = ("mp4", "mov", "mkv", "webm", "ts")


def recorded(
    source: str | Path, name: Path | str, at_s: Sequence[float], *, fps: int = 25, **options: object
) -> tuple[list[Recording], Recorder]:
    """Plays `source` in virtual real time, and calls `record()` at these seconds."""
    made: list[Recording] = []
    with rw.Session(clock=VirtualClock()) as session:
        text = str(source)
        loaded = session.load(text) if text.startswith("testvideo") else session.load_src(text)
        recorder = Recorder(session, loaded, str(name), **options)  # type: ignore[arg-type]

        def ask() -> None:
            made.append(recorder.record())

        for second in at_s:
            session.post(ask, second)
        session.run()
    for recording in made:
        recording.wait(20.0)
    return list(dict.fromkeys(made)), recorder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 s at 25 fps with B-frames, a keyframe each second, and sound."""
    return film(tmp_path_factory.mktemp("source") / "film.mp4", seconds=20, gop=25, bframes=2)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_clip_of_raw_pictures_begins_and_ends_exactly(ending: str, tmp_path: Path) -> None:
    recordings, _ = recorded(
        "testvideo:fps=30:frames=450:size=320x240", tmp_path / f"{{number}}.{ending}", [3, 4, 9]
    )
    first, second = (recording.wait() for recording in recordings)
    assert counters_of(first.path) == list(range(30, 180))
    assert counters_of(second.path) == list(range(210, 330))
    assert (first.duration_s, second.duration_s) == (5.0, 4.0)


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "ts"])
def test_a_compressed_clip_begins_with_the_keyframe_before(ending: str, source: Path, tmp_path: Path) -> None:
    recordings, _ = recorded(source, tmp_path / f"clip.{ending}", [5.5])
    info = recordings[0].wait()
    assert info.coded == {}
    shown = counters(info.path)
    assert shown[0] == 75  # it was asked for from 3.5 s on: 87 is the frame, 75 the keyframe before
    assert length_of_sound(info.path) == pytest.approx(4.5, abs=0.05)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_compressed_clip_has_every_picture_to_its_end(ending: str, source: Path, tmp_path: Path) -> None:
    """Wherever among the B-frames that is, and wherever a piece of the file ends."""
    for frame in range(12):
        recordings, _ = recorded(source, tmp_path / f"{frame}.{ending}", [5.5 + frame / 25])
        shown = counters(recordings[0].wait().path)
        assert shown == list(range(shown[0], shown[-1] + 1))
        assert 0 <= shown[-1] + 1 - (187.5 + frame) <= 2.5


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_exact_clip_begins_with_the_very_frame(ending: str, source: Path, tmp_path: Path) -> None:
    recordings, _ = recorded(source, tmp_path / f"clip.{ending}", [5.52], exact=True)
    info = recordings[0].wait()
    frames = list(rw.frames(info.path, pixel_format="gray"))
    shown = [read_picture(frame.array) for frame in frames]
    assert shown[0] == 88
    assert shown == list(range(88, shown[-1] + 1))
    assert frames[0].time == pytest.approx(0.0, abs=0.03)
    assert ("video" in info.coded) == (ending not in ("mp4", "mov"))


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_a_clip_goes_on_in_another_file_where_the_stream_changes(ending: str, tmp_path: Path) -> None:
    small = film(tmp_path / "small.mp4", seconds=6, size=(320, 240))
    large = film(tmp_path / "large.mp4", seconds=6, size=(480, 360), first_counter=150)
    made: list[Recording] = []
    with rw.Session(clock=VirtualClock()) as session:
        both = session.load("concat")
        for part in (small, large):
            session.load_src(str(part)) >> both
        recorder = Recorder(session, both, str(tmp_path / f"clip.{ending}"))
        session.post(lambda: made.append(recorder.record()), 6.0)
        session.run()
    first = made[0].wait(20.0)
    assert made[0].next is not None
    second = made[0].next.wait(20.0)
    assert (first.path, first.next) == (str(tmp_path / f"clip.{ending}"), second.path)
    assert second.path == str(tmp_path / f"clip-2.{ending}")
    assert counters(first.path) == list(range(100, 150))
    shown = counters(second.path)
    assert shown == list(range(150, 150 + len(shown)))
    assert 200 <= shown[-1] + 1 <= 202
    for info in (first, second):
        assert length_of_sound(info.path) == pytest.approx(info.duration_s, abs=0.06)


def test_recordings_overlap_follow_each_other_and_end_with_the_stream(tmp_path: Path) -> None:
    made: dict[str, Recording] = {}
    with rw.Session(clock=VirtualClock()) as session:
        source = session.load("testvideo:fps=30:frames=90:size=320x240")
        recorder = Recorder(session, source, str(tmp_path / "{number}.mp4"))
        assert recorder.state is RecorderState.BUFFERING
        wanted: list[tuple[str, float, dict[str, Any]]] = [
            ("early", 0.0, {}),
            ("the same", 0.5, {}),
            ("beside it", 1.0, {"extend": False}),
            ("short", 1.5, {"extend": False, "before_s": 0.1, "after_s": 0.1}),
            ("cut", 2.9, {}),
        ]

        def ask(name: str, options: dict[str, Any]) -> None:
            made[name] = recorder.record(name, **options)

        for name, second, options in wanted:
            session.post(partial(ask, name, options), second)
        session.run()
    assert recorder.state is RecorderState.DETACHED
    assert made["early"] is made["the same"]
    held = {name: counters_of(recording.wait(20.0).path) for name, recording in made.items()}
    assert held["early"] == list(range(75))
    assert held["beside it"] == list(range(90))
    assert held["short"] == list(range(42, 48))
    assert held["cut"] == list(range(27, 90))
    info = made["early"].wait()
    assert [trigger.metadata for trigger in info.triggers] == ["early", "the same"]
    said = json.loads(Path(f"{info.path}.json").read_text())
    assert said["duration_s"] == 2.5
    assert said["sha256"] == hashlib.sha256(Path(info.path).read_bytes()).hexdigest()
    assert datetime.fromisoformat(said["end"]) - datetime.fromisoformat(said["start"]) == timedelta(
        seconds=2.5
    )
    with pytest.raises(rw.StateError, match="recorder is attached to nothing"):
        recorder.record()


def counters_of(path: str | Path) -> list[int]:
    """As `testvideo` burns them in."""
    numbers = []
    with rw.Session() as session:
        look = session.load("call", function=lambda packet: numbers.append(read_counter(packet)))
        session.chain(session.load_src(str(path)), session.load("rawvideo"), look)
        session.run()
    return [found[0] for found in numbers if found is not None]


def length_of_sound(path: str | Path) -> float:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        frames = list(container.decode(stream))
    return float(sum(frame.samples for frame in frames) / Fraction(frames[0].sample_rate))


@pytest.mark.parametrize(("ending", "coded"), [("mp4", {"audio": "aac"}), ("mkv", {})])
def test_sound_that_a_container_cannot_hold_is_coded(
    ending: str, coded: dict[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """G.711, as cameras send it."""
    law = Track("pcm_mulaw", rate=8000, channels=1)
    source = film(tmp_path / "camera.mov", seconds=8, audio=[law])
    caplog.set_level("INFO", "reelway.record")
    recordings, _ = recorded(source, tmp_path / f"clip.{ending}", [4.0])
    info = recordings[0].wait()
    assert info.coded == coded
    assert [record.message for record in caplog.records if "is coded with" in record.message] == [
        f"{info.path}: audio is coded with aac" for _ in coded
    ]
    assert counters(info.path)[:50] == list(range(50, 100))
    assert length_of_sound(info.path) == pytest.approx(4.0, abs=0.2)


def test_sound_alone(tmp_path: Path) -> None:
    source = film(tmp_path / "sound.mp4", seconds=8, video=None)
    recordings, _ = recorded(source, tmp_path / "clip.mp4", [4.0])
    assert length_of_sound(recordings[0].wait().path) == pytest.approx(4.0, abs=0.05)


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    taken = tmp_path / "clip.mp4"
    taken.write_text("somebody's")
    recordings, _ = recorded(
        "testvideo:fps=10:frames=30:size=320x240", taken, [1.0, 2.9], before_s=0.2, after_s=0.2
    )
    assert [recording.path for recording in recordings] == [str(tmp_path / f"clip-{n}.mp4") for n in (2, 3)]
    assert taken.read_text() == "somebody's"


@pytest.mark.parametrize("name", ["clip", "clip.avi"])
def test_a_name_that_says_no_container(name: str, tmp_path: Path) -> None:
    with rw.Session(clock=VirtualClock()) as session:
        recorder = Recorder(session, session.load("testvideo:frames=3"), str(tmp_path / name))
        with pytest.raises(rw.OptionError, match=r"clips are not written as") as caught:
            recorder.record()
        assert ".mkv" in (caught.value.hint or "")


def test_what_cannot_be_recorded_is_named(tmp_path: Path) -> None:
    with rw.Session() as session:
        with pytest.raises(rw.OptionError, match="42 cannot be recorded"):
            Recorder(session, 42, "clip.mp4")  # type: ignore[arg-type]
        with pytest.raises(rw.UnknownNameError, match="nobody"):
            Recorder(session, "nobody", "clip.mp4")
        with pytest.raises(rw.OptionError, match="chains of elements are for applications"):
            Recorder(session, session.load("testvideo"), "clip.mp4", record_chain="x264enc ! mp4mux")


def test_a_function_chooses_the_moment(tmp_path: Path) -> None:
    def look(packet: Any, pid: Any) -> Any:
        found = read_counter(packet)
        assert pid.properties["Width"] == 320
        return {"number": found[0]} if found is not None and found[0] in (40, 42) else None

    recordings: list[Recording] = []
    with rw.Session(clock=VirtualClock()) as session:
        source = session.load("testvideo:fps=30:frames=120:size=320x240")
        recorder = Recorder(
            session, source, str(tmp_path / "clip.mp4"), before_s=0.5, after_s=0.5, trigger=look
        )
        session.post(lambda: recordings.extend(recorder.recordings), 1.5)
        session.run()
    (recording,) = recordings
    info = recording.wait(20.0)
    assert [trigger.metadata["number"] for trigger in info.triggers] == [40, 42]
    assert counters_of(info.path) == list(range(25, 57))


def test_a_moment_that_cannot_be_recorded_does_not_end_the_stream(tmp_path: Path) -> None:
    failed: list[tuple[str, str]] = []
    with rw.Session(clock=VirtualClock()) as session:
        source = session.load("testvideo:fps=30:frames=30:size=320x240")
        Recorder(
            session,
            source,
            str(tmp_path / "clip.unknown"),
            trigger=lambda packet, pid: packet.cts == 0,
            on_failed=lambda path, error: failed.append((path, type(error).__name__)),
        )
        session.run()
        assert session.completed
    assert failed == [("", "OptionError")]


def test_a_long_pre_roll_lies_on_disk(source: Path, tmp_path: Path) -> None:
    kept: list[int] = []
    made: list[Recording] = []
    with rw.Session(clock=VirtualClock()) as session:
        loaded = session.load_src(str(source))
        folder = tmp_path / "spilled"
        folder.mkdir()
        recorder = Recorder(session, loaded, str(tmp_path / "clip.mp4"), before_s=15.0, spill=folder)

        def ask() -> None:
            kept.append(recorder.kept_bytes)
            made.append(recorder.record())

        session.post(ask, 17.0)
        session.run()
    info = made[0].wait(20.0)
    assert counters(info.path)[:425] == list(range(50, 475))
    assert length_of_sound(info.path) == pytest.approx(info.duration_s, abs=0.1)
    assert kept[0] < info.bytes / 4
    with rw.Session() as session, pytest.raises(rw.OpenError, match="cannot hold what comes before an event"):
        Recorder(session, session.load("testvideo"), "clip.mp4", spill="/nowhere")


def test_a_recording_is_stopped_and_the_recorder_taken_out(tmp_path: Path) -> None:
    made: list[Recording] = []
    with rw.Session(clock=VirtualClock()) as session:
        source = session.load("testvideo:fps=30:frames=300:size=320x240")
        source >> (paced := session.load("reframer:rt=on"))
        paced >> session.load("null")
        recorder = Recorder(session, paced, str(tmp_path / "clip.mp4"), after_s=60.0)
        session.post(lambda: made.append(recorder.record()), 3.0)
        session.post(recorder.stop, 4.0)
        session.post(lambda: recorder.close(timeout_s=0), 5.0)
        session.run()
        assert recorder.state is RecorderState.DETACHED
        assert "tape" not in [filter.name for filter in session.filters if not filter.opened]
    assert counters_of(made[0].wait(20.0).path) == list(range(30, 120))
