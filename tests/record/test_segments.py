"""Files without an event, one behind the other: each picture and each sound is in one of them."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reelway as rw
from reelway.media.packet import Packet
from reelway.record import Recorder, segments
from reelway.record.disk import SIDECAR
from reelway.record.ring import Kept, Stream
from reelway.record.segments import Segments
from reelway.testing.clock import VirtualClock
from tests.media.make import film
from tests.media.probe import counters, packets

FPS = 25
EPOCH_S = 1_800_000_000.0
"""A full minute."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 s at 25 fps with B-frames, a keyframe each second, and sound."""
    return film(tmp_path_factory.mktemp("source") / "film.mp4", seconds=20, gop=25, bframes=2)


def played(
    source: Path | str,
    folder: Path,
    ending: str,
    *,
    at_s: float,
    every_s: float,
    events: tuple[float, ...] = (),
) -> list[Path]:
    """Records all of `source` in virtual real time, which begins `at_s` behind a full minute."""
    clock = VirtualClock()
    with rw.Session(clock=clock) as session:
        text = str(source)
        loaded = session.load(text) if text.startswith("testvideo") else session.load_src(text)
        recorder = Recorder(
            session,
            loaded,
            str(folder / f"event-{{number}}.{ending}"),
            before_s=0.5,
            after_s=1.0,
            segments=str(folder / f"all-{{number:02}}.{ending}"),
            segment_s=every_s,
        )
        tape = recorder._tape
        assert tape.segments is not None
        tape.segments._wall_s = lambda: EPOCH_S + at_s + clock.now()
        for second in events:
            session.post(lambda: recorder.record("event") and None, second)
        session.run()
    recorder.close()
    return sorted(folder.glob(f"all-*.{ending}"))


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_each_picture_and_each_sound_is_in_one_file(ending: str, source: Path, tmp_path: Path) -> None:
    files = played(source, tmp_path, ending, at_s=0.5, every_s=5.0, events=(3.0, 9.7))
    shown = [counters(path) for path in files]
    # full five seconds are at second 4.5, 9.5 ... of the film, the next keyframes at 5, 10 ...
    assert [numbers[0] for numbers in shown] == [0, 125, 250, 375]
    assert [number for numbers in shown for number in numbers] == list(range(500))
    whole = digests(source)
    parts = [digests(path) for path in files]
    for kind in ("video", "audio"):
        joined = [digest for part in parts for digest in part[kind]]
        assert joined == whole[kind]
    for path, part, numbers in zip(files, parts, shown, strict=True):
        length_s = len(part["audio"]) * 1024 / 48000
        assert length_s == pytest.approx(len(numbers) / FPS, abs=0.05), path
        said = json.loads(Path(f"{path}{SIDECAR}").read_text())
        assert said["triggers"] == []
        assert said["dropped"] == 0
    assert [len(counters(tmp_path / f"event-{number}.{ending}")) > 25 for number in (1, 2)] == [True, True]


def test_raw_pictures_are_cut_at_the_minute(tmp_path: Path) -> None:
    files = played("testvideo:fps=25:frames=300:size=320x240", tmp_path, "mp4", at_s=57.0, every_s=5.0)
    lengths = [len(list(rw.frames(path))) for path in files]
    assert lengths == [75, 125, 100]


class File:
    """Stands in for a recording."""

    def __init__(self, start_s: float) -> None:
        self.start_s = start_s
        self.kept: list[Kept] = []
        self.closed = self.over = self.full = False
        self.manner = self

    lossless = True

    def begin(self, first: list[Kept], *_others: Any) -> None:
        self.kept += first

    def give(self, kept: Kept) -> None:
        assert not self.over
        self.kept.append(kept)

    def finish(self) -> None:
        assert not self.over
        self.over = True


class Feed:
    """Gives packets to Segments of 3 s each, 10 pictures a second; the session's clock is at their time."""

    def __init__(self) -> None:
        self.files: list[File] = []
        self.now_s = 0.0
        self.clock_s = EPOCH_S
        self.video = Stream("video", {"StreamType": "Visual", "CodecID": "h264", "Timescale": 10})
        self.audio = Stream("audio", {"StreamType": "Audio", "CodecID": "aac", "Timescale": 10})
        self.streams = [self.video]
        self.segments = Segments(3.0, self._made, wall_s=lambda: self.clock_s + self.now_s)

    def _made(self, start_s: float) -> Any:
        self.files.append(File(start_s))
        return self.files[-1]

    def take(self, stream: Stream, ticks: int, key: bool = True, dts: int | None = None) -> Kept:
        packet = Packet(bytes(1), dts=ticks if dts is None else dts, cts=ticks, duration=1, sap=int(key))
        kept = Kept(stream, stream.properties, packet, ticks / 10, ticks / 10)
        self.now_s = max(self.now_s, packet.dts / 10)
        self.segments.take(kept, self.streams, self.now_s, lambda: None)
        return kept

    def begins(self) -> list[float]:
        return [file.start_s for file in self.files]


def test_files_begin_at_full_times_of_the_wall_clock() -> None:
    feed = Feed()
    for ticks in range(100):
        feed.take(feed.video, ticks, key=ticks % 5 == 0)
    assert feed.begins() == [0.0, 3.0, 6.0, 9.0]
    assert [file.over for file in feed.files] == [True, True, True, False]
    feed.segments.finish()
    assert feed.files[-1].over


def test_a_clock_that_is_set_back_does_not_make_a_file_longer() -> None:
    feed = Feed()
    for ticks in range(100):
        if ticks == 40:
            feed.clock_s -= 86_400.0
        feed.take(feed.video, ticks, key=ticks % 5 == 0)
    assert feed.begins() == [0.0, 3.0, 6.0, 9.0]


def test_what_does_not_go_on_begins_a_file() -> None:
    feed = Feed()
    for ticks in range(100):
        if ticks == 42:
            feed.segments.restart()
        if ticks == 71:
            feed.streams = [feed.video, feed.audio]  # sound begins
        feed.take(feed.video, ticks, key=ticks % 5 == 0)
    assert feed.begins() == [0.0, 3.0, 4.5, 6.0, 7.5, 9.0]


def test_a_file_that_failed_is_followed_by_another_one_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "RETRY_S", 1.2)
    feed = Feed()
    for ticks in range(100):
        if ticks == 41:
            feed.files[-1].closed = True
        feed.take(feed.video, ticks, key=ticks % 5 == 0)
    assert feed.begins() == [0.0, 3.0, 6.0, 9.0]
    feed.files[-1].full = True
    assert feed.segments.full


def test_a_name_that_cannot_be_made_is_logged_and_the_file_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(segments, "RETRY_S", 1.2)
    feed = Feed()
    for ticks in range(100):
        if ticks == 30:
            feed.segments._make = lambda start_s: 1 / 0  # type: ignore[assignment,return-value]
        if ticks == 40:
            feed.segments._make = feed._made
        feed.take(feed.video, ticks, key=ticks % 5 == 0)
    assert feed.begins() == [0.0, 4.5, 6.0, 9.0]
    assert "no file could be begun" in caplog.text
    assert [len(file.kept) for file in feed.files] == [45, 15, 30, 10]


@given(
    gaps=st.lists(st.integers(1, 25), min_size=3, max_size=12),
    skews=st.lists(st.integers(-8, 8), min_size=1, max_size=5),
    reorder=st.booleans(),
)
def test_nothing_is_lost_between_files_or_in_both(gaps: list[int], skews: list[int], reorder: bool) -> None:
    feed = Feed()
    feed.streams = [feed.video, feed.audio]
    keys = {sum(gaps[:number]) for number in range(len(gaps))}
    count = sum(gaps)
    coming, heard = [], float("-inf")
    for ticks in range(count):
        # decoded two before they are shown, or as they are shown
        coming.append((float(ticks - 2 * reorder), feed.video, ticks, ticks in keys, ticks - 2 * reorder))
        heard = max(heard, ticks + skews[ticks * len(skews) // count] + 0.5)
        coming.append((heard, feed.audio, ticks, True, ticks))
    given_away = [feed.take(stream, *rest) for _, stream, *rest in sorted(coming, key=lambda each: each[0])]
    feed.segments.finish()
    assert all(file.over for file in feed.files)
    for stream in feed.streams:
        expected = [kept for kept in given_away if kept.stream is stream]
        found = [kept for file in feed.files for kept in file.kept if kept.stream is stream]
        if stream is feed.audio:  # what came long before the first keyframe belongs to no file
            expected = expected[len(expected) - len(found) :]
        assert found == expected
    for before, after in pairwise(feed.files):
        cut_s = after.start_s
        assert cut_s in {key / 10 for key in keys}
        assert all(kept.due_s >= cut_s for kept in after.kept)
        assert all(kept.due_s < cut_s for kept in before.kept)


def test_a_length_that_makes_no_sense(source: Path, tmp_path: Path) -> None:
    with rw.Session() as session, pytest.raises(rw.errors.OptionError, match=r"not written as \.txt"):
        Recorder(session, session.load_src(str(source)), "a.mp4", segments="{number}.txt")
    with rw.Session() as session, pytest.raises(rw.errors.OptionError, match="segment_s is 0"):
        Recorder(
            session, session.load_src(str(source)), "a.mp4", segments=str(tmp_path / "a.mp4"), segment_s=0
        )


def digests(path: Path) -> dict[str, list[str]]:
    return {stream.kind: [coded.digest for coded in stream.packets] for stream in packets(path)}
