"""Many streams, many recordings: one object, flat memory, nothing missed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from queue import Queue

import pytest

import reelway as rw
from reelway.record import Recorders, Recording
from reelway.testing.clock import VirtualClock
from tests.media.make import film, long_film
from tests.media.probe import counters


def test_streams_are_recorded_by_name_and_come_and_go(tmp_path: Path) -> None:
    finished: Queue[tuple[object, str]] = Queue()
    made: dict[object, Recording] = {}
    source = film(tmp_path / "film.mp4", seconds=8, gop=25, bframes=0, audio=0)
    with rw.Session(clock=VirtualClock()) as session:
        cameras = {number: session.load_src(str(source)) for number in range(5)}
        recorders = Recorders(
            session,
            {number: camera for number, camera in cameras.items() if number < 4},
            str(tmp_path / "cam{name}.mp4"),
            on_finished=lambda source_id, path, info: finished.put((source_id, path)),
            before_s=1.0,
            after_s=1.0,
        )
        cameras[4] >> (paced := session.load("reframer:rt=on"))
        paced >> session.load("null")

        def change() -> None:
            recorders.remove(0, timeout_s=0)
            recorders.add("late", paced)

        def ask() -> None:
            for name in (1, 2, "late"):
                made[name] = recorders.record(name, f"of {name}")

        session.post(change, 2.0)
        session.post(ask, 4.0)
        session.run()
    assert list(recorders) == [1, 2, 3, "late"]
    for recording in made.values():
        assert counters(recording.wait(20.0).path) == list(range(75, 125))
    assert not recorders.busy
    told = {finished.get(timeout=20.0) for _ in made}
    assert told == {(name, str(tmp_path / f"cam{name}.mp4")) for name in (1, 2, "late")}
    with pytest.raises(rw.UnknownNameError, match="source with a recorder"):
        recorders.record(0)


def test_hours_of_events_miss_none_and_keep_no_memory(tmp_path: Path, count: Callable[[int], int]) -> None:
    """Two hours and 500 events in a soak, of which a fifth is kept."""
    events = count(500)
    files = events // 5
    every_s = 14.4
    source = long_film(tmp_path / "film.mkv", seconds=round(events * every_s) + 5)
    lengths: Queue[float] = Queue()
    kept: list[int] = []
    resident_mb: list[float] = []
    with rw.Session(clock=VirtualClock(patience_s=120.0)) as session:
        loaded = session.load_src(str(source))
        recorder = rw.record.Recorder(
            session,
            loaded,
            str(tmp_path / "{number}.mp4"),
            before_s=2.0,
            after_s=2.0,
            keep_files=files,
            on_finished=lambda path, info: lengths.put(info.duration_s),
        )

        def event() -> float | None:
            recorder.record()
            kept.append(recorder.kept_bytes)
            resident_mb.append(int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6)
            return every_s if len(kept) < events else None

        session.post(event, every_s)
        session.run()
    assert all(4.0 <= lengths.get(timeout=60.0) <= 5.1 for _ in range(events))
    assert lengths.empty()
    left = sorted(int(path.stem) for path in tmp_path.glob("*.mp4"))
    assert len(left) == files
    assert left[0] > events - files - 5, "the oldest went; files next to each other may be done in any order"
    assert len(list(tmp_path.glob("*.json"))) == files
    assert max(kept) < 2 * min(kept)
    assert resident_mb[-1] - resident_mb[events // 5] < 20
