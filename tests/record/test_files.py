"""Disks that are full, slow, or nearly full; which files are kept."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

import reelway as rw
from reelway.record import Recorder, Recording, RecordingInfo, disk, repair
from reelway.record.disk import PART, SIDECAR, Disk
from reelway.record.house import House
from reelway.testing.clock import VirtualClock
from tests.media.make import film, read_counter
from tests.media.probe import counters

FPS = 25
ENDINGS = ("mp4", "mov", "mkv", "ts")
DAY_S = 86400.0
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 s at 25 fps, a keyframe each second, and sound."""
    return film(tmp_path_factory.mktemp("source") / "film.mp4", seconds=12, gop=25, bframes=2)


class Told:
    """What a recorder says when its files end."""

    def __init__(self) -> None:
        self.finished: list[tuple[str, RecordingInfo]] = []
        self.failed: list[tuple[str, Exception]] = []
        self._news = threading.Condition()

    def options(self) -> dict[str, Any]:
        return {"on_finished": self._add_to(self.finished), "on_failed": self._add_to(self.failed)}

    def _add_to(self, told: list[Any]) -> Callable[[str, Any], None]:
        def add(path: str, what: Any) -> None:
            with self._news:
                told.append((path, what))
                self._news.notify_all()

        return add

    def wait(self, files: int, failed: int = 0) -> None:
        """Until it is said of so many, and of so many that they failed."""

        def said() -> bool:
            paths = {path for path, _ in [*self.finished, *self.failed]}
            return len(paths) >= files and len(self.failed) >= failed

        with self._news:
            assert self._news.wait_for(said, 20.0)


def played(
    source: Path, names: list[Path], at_s: dict[float, Callable[[Recorder], Any]], told: Told, **options: Any
) -> list[Any]:
    """Plays `source` in virtual real time and calls these functions at these seconds; what they returned."""
    made: list[Any] = []
    files = iter(names)
    with rw.Session(clock=VirtualClock()) as session:
        loaded = session.load_src(str(source))
        if options.get("live"):
            pace = session.load("reframer:rt=on")
            session.chain(loaded, pace)
            loaded = pace
        recorder = Recorder(session, loaded, lambda: next(files), **told.options(), **options)
        for second, function in at_s.items():
            session.post(lambda function=function: made.append(function(recorder)), second)
        session.run()
    told.wait(len({each for each in made if isinstance(each, Recording)}))
    return made


class Behind:
    """An open file on a disk with a fault; `fault` is called with the data before each write."""

    def __init__(self, file: Any, fault: Callable[[Any], Any]) -> None:
        self._file, self._fault = file, fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: Any) -> Any:
        return self._file.write(self._fault(data))


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[Any], Any]], None]:
    """Makes the disk of all files with a name that begins so a faulty one."""

    def make(name: str, fault: Callable[[Any], Any]) -> None:
        def opened(path: str, mode: str = "r", **options: Any) -> Any:
            file = open(path, mode, **options)  # noqa: SIM115
            ours = os.path.basename(path).startswith(name) and "x" in mode
            return Behind(file, fault) if ours else file

        monkeypatch.setattr(disk, "open", opened, raising=False)

    return make


def no_room(size: int) -> Callable[[Any], Any]:
    """A disk that is full after so many bytes; what is already there can be written over."""
    left = [size]

    def fault(data: Any) -> Any:
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = data[: left[0]]
        left[0] -= len(taken)
        return taken

    return fault


def playing(path: Path) -> list[int]:
    """The numbers of the pictures up to one that was cut."""
    found = []
    with contextlib.suppress(av.error.FFmpegError, ValueError), av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        for frame in container.decode(stream):
            found.append(read_counter(frame.to_ndarray(format="gray")))  # noqa: PERF401
    return found


# What is full, and what is slow


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_full_disk_keeps_what_was_written_and_others_miss_nothing(
    ending: str,
    source: Path,
    tmp_path: Path,
    faulty: Callable[[str, Callable[[Any], Any]], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    full, good, later = (tmp_path / f"{name}.{ending}" for name in ("full", "good", "later"))
    room = 60_000 if ending == "ts" else 40_000
    faulty("full", no_room(room))
    told = Told()
    one, two, _, three = played(
        source,
        [full, good, later],
        {
            1.02: lambda recorder: recorder.record("the door", extend=True),
            1.1: lambda recorder: recorder.record(extend=False),
            1.5: lambda recorder: recorder.record("the window"),
            9.0: lambda recorder: recorder.record(),
        },
        told,
        before_s=0.0,
        after_s=6.0,
    )
    assert (one.info, two.error, three.error) == (None, None, None)
    assert counters(good)[-1] >= 7 * FPS
    assert counters(later)[-1] == 12 * FPS - 1
    assert told.failed == [(str(full), one.error)]
    assert sorted(path for path, _ in told.finished) == sorted([str(good), str(later)])
    error = one.error
    assert isinstance(error, rw.errors.OpenError)
    assert error.errno == errno.ENOSPC
    assert str(full) in str(error)
    assert "No space left" in str(error)
    assert "make room" in str(error.hint)
    assert "repair" in str(error.hint)
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        f"{error} ({error.hint})"
    ]
    part = Path(f"{full}{PART}")
    assert part.stat().st_size == room
    known = json.loads(Path(f"{full}{SIDECAR}{PART}").read_text())
    assert [trigger["metadata"] for trigger in known["triggers"]] == ["the door", "the window"]
    shown = playing(part)
    assert len(shown) > FPS
    assert shown[0] == FPS
    assert [result.outcome for result in repair(tmp_path)] == ["repaired"]
    kept = counters(full)
    assert kept[:-2] == shown[: len(kept) - 2]
    assert len(kept) >= len(shown) - 2


FULL = """
import json, sys
import reelway as rw
from pathlib import Path
from reelway.record import Recorder, repair
from reelway.testing.clock import VirtualClock
from tests.media.probe import counters
from tests.record.test_files import playing

small, large, source = map(Path, sys.argv[1:])
with rw.Session(clock=VirtualClock()) as session:
    loaded = session.load_src(str(source))
    names = iter([small / "a.mp4", large / "b.mp4"])
    recorder = Recorder(session, loaded, lambda: next(names), before_s=0, after_s=20)
    made = []
    for _ in range(2):
        session.post(lambda: made.append(recorder.record(extend=False)), 0.0)
    session.run()
for each in made:
    each.finished(20)
shown = playing(small / "a.mp4.part")
no_room = [(each.outcome, each.error and each.error.errno) for each in repair(small)]
(small / "filler").unlink()
done = [each.outcome for each in repair(small)]
print(json.dumps({
    "error": made[0].error.errno, "hint": made[0].error.hint,
    "shown": shown, "no_room": no_room, "done": done,
    "kept": counters(small / "a.mp4"), "other": counters(large / "b.mp4"), "first": made[0].info is None,
}))
"""


def test_a_file_system_without_room(source: Path, tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    for folder in (small, large):
        folder.mkdir()
    unshare = shutil.which("unshare")
    mount = f"mount -t tmpfs -o size=2m none {small} && head -c 2000000 /dev/zero > {small}/filler"
    alone = [unshare or "", "--map-root-user", "--mount", "sh", "-c"]
    if unshare is None or subprocess.run([*alone, mount], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here: unshare and user namespaces are wanted")
    run = f'{mount} && exec "$0" "$@"'
    command = [*alone, run, sys.executable, "-c", FULL, str(small), str(large), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=100)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["error"] == errno.ENOSPC
    assert "make room" in said["hint"]
    assert said["first"] is True
    assert said["other"] == list(range(12 * FPS))
    assert len(said["shown"]) > FPS
    assert said["no_room"] == [["failed", errno.ENOSPC]]
    assert said["done"] == ["repaired"]
    assert said["kept"][:-2] == said["other"][: len(said["kept"]) - 2]
    assert len(said["kept"]) >= len(said["shown"]) - 2


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_a_file_that_is_left_while_it_is_completed_plays_to_its_end(
    ending: str, source: Path, tmp_path: Path, faulty: Callable[[str, Callable[[Any], Any]], None]
) -> None:
    """An index is written, and what stands at the beginning is changed: at no step the rest may be lost."""

    def recorded(path: Path, most: int) -> int:
        done = [0]

        def fault(data: Any) -> Any:
            done[0] += 1
            if done[0] > most:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return data

        faulty(path.stem, fault)
        asked: dict[float, Callable[[Recorder], Any]] = {1.02: lambda recorder: recorder.record()}
        played(source, [path], asked, Told(), before_s=0.0, after_s=4.0)
        return done[0]

    whole = tmp_path / f"whole.{ending}"
    writes = recorded(whole, 1 << 30)
    shown = counters(whole)
    lengths = []
    for most in range(writes - 8, writes):
        path = tmp_path / f"cut{most}.{ending}"
        recorded(path, most)
        if path.exists():  # as many writes were enough
            continue
        found = playing(Path(f"{path}{PART}"))
        assert found[:-2] == shown[: len(found) - 2]
        lengths.append(len(found))
    results = list(repair(tmp_path))
    assert len(lengths) > 3
    assert lengths == sorted(lengths)  # no write takes away what played before it
    assert lengths[-1] == len(shown)
    assert [result.outcome for result in results] == ["repaired"] * len(lengths)
    assert sorted(len(counters(result.path)) for result in results) == lengths


class Stall:
    """A disk that takes nothing from the first write on until it is let go."""

    def __init__(self) -> None:
        self.reached, self.over = threading.Event(), threading.Event()

    def __call__(self, data: Any) -> Any:
        self.reached.set()
        assert self.over.wait(60.0)
        return data


@pytest.mark.parametrize("live", [False, True])
def test_a_disk_that_stalls_holds_up_nobody(
    live: bool, source: Path, tmp_path: Path, faulty: Callable[[str, Callable[[Any], Any]], None]
) -> None:
    stall = Stall()
    faulty("slow", stall)
    slow, good = tmp_path / "slow.mkv", tmp_path / "good.mkv"
    told = Told()

    def let_go(recorder: Recorder) -> bool:
        assert stall.reached.wait(20.0)
        assert not stall.over.is_set()
        stall.over.set()
        return next(each for each in made if each.path == str(good)).finished(20.0)

    made: list[Recording] = []

    def begin(recorder: Recorder) -> Recording:
        made.append(recorder.record(extend=False))
        return made[-1]

    one, two, others_done = played(
        source,
        [slow, good],
        {1.02: begin, 1.03: begin, 6.0: let_go},
        told,
        before_s=0.0,
        after_s=4.0,
        live=live,
    )
    assert others_done
    assert (one.error, two.error) == (None, None)
    assert two.info.dropped == 0
    shown = counters(good)
    assert shown == list(range(FPS, shown[-1] + 1))
    assert 5 * FPS <= shown[-1] <= 5 * FPS + 4
    assert one.info.dropped == 0
    assert counters(slow) == shown
    assert told.failed == []


def test_what_a_slow_disk_has_no_room_for_is_left_out_up_to_a_keyframe(
    source: Path, tmp_path: Path, faulty: Callable[[str, Callable[[Any], Any]], None]
) -> None:
    stall = Stall()
    faulty("slow", stall)
    slow = tmp_path / "slow.mkv"

    def let_go(recorder: Recorder) -> None:
        (recording,) = recorder.recordings
        assert recording.full
        stall.over.set()
        deadline_s = time.monotonic() + 20.0
        while recording.full and time.monotonic() < deadline_s:
            recording.finished(0.01)  # the clock stands still until the disk has caught up

    (one, _) = played(
        source,
        [slow],
        {1.02: lambda recorder: recorder.record(), 6.0: let_go},
        Told(),
        before_s=0.0,
        after_s=9.0,
        live=True,
        queue_bytes=20_000,
    )
    assert one.info.dropped > 50
    shown = counters(slow)
    assert shown[0] == FPS
    assert shown == sorted(set(shown))
    holes = [(a, b) for a, b in pairwise(shown) if b > a + 3]
    assert holes
    assert all(b % FPS == 0 for _, b in holes)
    assert json.loads(Path(f"{slow}{SIDECAR}").read_text())["dropped"] == one.info.dropped


def test_after_an_error_nothing_is_written(tmp_path: Path) -> None:
    made = Disk(str(tmp_path / "a.mp4"))
    made.write(b"begun")
    made.failure = OSError(errno.EIO, os.strerror(errno.EIO))
    made.seek(0)
    with pytest.raises(OSError, match="Input/output"):
        made.write(b"ended")
    assert Path(made.part).read_bytes() == b"begun"
    error = made.trouble()
    assert error is not None
    assert error.errno == errno.EIO
    assert "see what is wrong with its disk" in str(error.hint)
    made.close()


def test_what_was_never_begun_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    Disk(str(folder / "a.mp4"), {"start": None}).close()
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(rw.errors.OpenError, match="cannot be written") as caught:
        Disk(str(tmp_path / "file" / "a.mp4"))
    assert caught.value.errno in (errno.ENOTDIR, errno.EEXIST)
    assert "check the folder" in str(caught.value.hint)


# Some room stays free


def test_a_recording_is_refused_where_too_little_is_free(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "free_bytes", lambda folder: 999)
    told = Told()
    (one,) = played(
        source, [tmp_path / "a.mp4"], {1.0: lambda recorder: recorder.record()}, told, min_free=1000
    )
    assert one.info is None
    assert told.failed == [(str(tmp_path / "a.mp4"), one.error)]
    assert one.error.errno == errno.ENOSPC
    assert "999 bytes are left" in str(one.error)
    assert "min_free=1,000" in str(one.error)
    assert "keep_bytes" in str(one.error.hint)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="are left"):
        one.wait()


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_recording_ends_whole_where_too_little_is_left(
    ending: str, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def free(folder: str) -> int:
        asked.append(folder)
        return 2000 if len(asked) < 60 else 10

    monkeypatch.setattr(disk, "free_bytes", free)
    monkeypatch.setattr(disk, "ROOM_BYTES", 0)
    told = Told()
    path, again = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"

    def record_again(recorder: Recorder) -> Recording:
        told.wait(1, failed=1)
        return recorder.record()

    one, two = played(
        source,
        [path, again],
        {0.5: lambda recorder: recorder.record(), 9.0: record_again},
        told,
        min_free=1000,
        before_s=0.0,
        after_s=9.5,
    )
    assert one is not two  # what has ended is not made longer
    assert one.wait() is one.info
    assert told.finished == [(str(path), one.info)]
    assert [failed for failed, _ in told.failed] == [str(path), str(again)]
    assert one.error.errno == errno.ENOSPC
    assert one.info.error == str(one.error)
    said = json.loads(Path(f"{path}{SIDECAR}").read_text())
    assert "10 bytes are left" in said["error"]
    assert sorted(file.name for file in tmp_path.iterdir()) == [path.name, path.name + SIDECAR]
    shown = counters(path)
    assert 10 < len(shown) < 60
    assert shown[:-2] == list(range(shown[0], shown[0] + len(shown) - 2))
    assert list(repair(tmp_path)) == []


# What is kept


def made(path: Path, days: float, size: int = 100) -> Path:
    """A complete recording of that day."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    written = datetime.fromtimestamp(days * DAY_S, UTC).isoformat()
    Path(f"{path}{SIDECAR}").write_text(json.dumps({"by": "reelway", "written": written}))
    return path


def left_in(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and SIDECAR not in path.name
    )


@pytest.mark.parametrize(
    ("limits", "gone"),
    [
        ({"files": 4}, ""),
        ({"files": 2}, "ab"),
        ({"days": 3.5}, "a"),
        ({"days": 0.5}, "abcd"),
        ({"bytes": 900}, "a"),
        ({"bytes": 0}, "abc"),
        ({"days": 3.5, "files": 1, "bytes": 10_000}, "abc"),
    ],
)
def test_the_oldest_go_first(limits: dict[str, Any], gone: str, tmp_path: Path) -> None:
    for day, name in enumerate("abcd"):
        made(tmp_path / f"{name}.mp4", 10 + day, 200)
    house = House(str(tmp_path), now=lambda: 14 * DAY_S, **limits)
    assert house.tidy() == [str(tmp_path / f"{name}.mp4") for name in gone]
    stay = [name for name in "abcd" if name not in gone]
    assert left_in(tmp_path) == [f"{name}.mp4" for name in stay]
    assert len(list(tmp_path.iterdir())) == 2 * len(stay)
    assert house.tidy() == []


def test_days_pass(tmp_path: Path) -> None:
    now = [10.0]
    house = House(str(tmp_path), days=2, now=lambda: now[0] * DAY_S)
    for day in range(10, 15):
        now[0] = day
        made(tmp_path / f"{day}.mp4", day)
        house.tidy()
    assert left_in(tmp_path) == ["12.mp4", "13.mp4", "14.mp4"]


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    foreign = ["holiday.mp4", "notes.json", "film.mp4", "film.mp4.json", "deep/er.mp4", "deep/er.mp4.json"]
    (tmp_path / "deep").mkdir()
    for name in foreign:
        (tmp_path / name).write_text('{"by": "somebody"}')
    made(tmp_path / "deep" / "ours.mp4", 1)
    (tmp_path / "link.mp4").symlink_to(tmp_path / "holiday.mp4")
    shutil.copy(tmp_path / "deep" / "ours.mp4.json", tmp_path / "link.mp4.json")
    writing = Disk(str(tmp_path / "now.mp4"))
    writing.write(b"media")
    crashed = made(tmp_path / "crashed.mp4.part", 1)
    crashed.with_name("crashed.mp4.part.json").rename(tmp_path / "crashed.mp4.json.part")
    made(tmp_path / "old.mp4", 1)
    before = set(tmp_path.rglob("*"))
    assert House(str(tmp_path), days=0, files=1, bytes=0).tidy() == [str(tmp_path / "old.mp4")]
    assert before - set(tmp_path.rglob("*")) == {
        tmp_path / "old.mp4",
        tmp_path / "old.mp4.json",
    }
    writing.close()


def test_folders_of_a_template_belong_to_it_and_go_when_they_are_empty(tmp_path: Path) -> None:
    house = House.of(f"{tmp_path}/{{time:%Y/%m}}/{{number}}.mp4", files=2)
    assert house is not None
    assert (house.folder, house.depth) == (str(tmp_path), 2)
    for number in range(4):
        made(tmp_path / "2026" / f"{number:02}" / "a.mp4", number)
    too_deep = made(tmp_path / "2026" / "00" / "other" / "a.mp4", 0)
    assert len(house.tidy()) == 2
    assert left_in(tmp_path) == ["2026/00/other/a.mp4", "2026/02/a.mp4", "2026/03/a.mp4"]
    assert too_deep.exists()
    assert not (tmp_path / "2026" / "01").exists()


def test_what_cannot_be_removed_is_said_and_the_rest_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for day, name in enumerate("abc"):
        made(tmp_path / f"{name}.mp4", day)
    unlink = os.unlink

    def refuse(path: Any) -> None:
        if str(path).endswith("a.mp4"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        unlink(path)

    monkeypatch.setattr(os, "unlink", refuse)
    assert House(str(tmp_path), files=1).tidy() == [str(tmp_path / "b.mp4")]
    assert "a.mp4 is not kept, but cannot be removed: Permission denied" in caplog.text


@pytest.mark.parametrize("name", ["{number}.mkv", None])
def test_a_recorder_keeps_so_many_files(name: str | None, source: Path, tmp_path: Path) -> None:
    (tmp_path / "foreign.mkv").write_text("stays")
    numbers = iter(range(1, 9))
    told = Told()
    with rw.Session(clock=VirtualClock()) as session:
        filename: Any = str(tmp_path / name) if name else (lambda: str(tmp_path / f"{next(numbers)}.mkv"))
        recorder = Recorder(
            session,
            session.load_src(str(source)),
            filename,
            before_s=0,
            after_s=0.5,
            keep_files=2,
            **told.options(),
        )

        def record() -> None:
            recordings = recorder.recordings
            for each in recordings:
                assert each.finished(20.0)
            recorder.record()

        for second in range(1, 7):
            session.post(record, second * 1.5)
        session.run()
    recorder.close()
    told.wait(6)
    assert left_in(tmp_path) == ["5.mkv", "6.mkv", "foreign.mkv"]
    assert (tmp_path / "6.mkv.json").exists()


@pytest.mark.parametrize(
    ("limits", "says"), [({"keep_files": 0}, "keep_files is 0"), ({"keep_days": -1}, "-1")]
)
def test_limits_that_make_no_sense(limits: dict[str, Any], says: str, source: Path, tmp_path: Path) -> None:
    with rw.Session() as session, pytest.raises(rw.errors.OptionError, match=says):
        Recorder(session, session.load_src(str(source)), str(tmp_path / "a.mp4"), **limits)


def test_no_segment_has_an_event_removed(tmp_path: Path) -> None:
    """In one folder, with one limit: as many of the ones stay as of the others."""
    clock = VirtualClock()
    told = Told()
    with rw.Session(clock=clock) as session:
        recorder = Recorder(
            session,
            session.load("testvideo:fps=25:frames=250:size=320x240"),
            str(tmp_path / "{name}" / "event-{number}.mkv"),
            before_s=0.2,
            after_s=0.2,
            segments=str(tmp_path / "{name}" / "all-{number}.mkv"),
            segment_s=1.0,
            keep_files=2,
            name="cam",
            **told.options(),
        )
        assert recorder._tape.segments is not None
        recorder._tape.segments._wall_s = clock.now

        def record() -> None:
            for each in recorder.recordings:
                assert not each.triggers or each.finished(20.0)  # the order in which they end is theirs
            recorder.record()

        for second in (0.5, 2.0, 3.5):
            session.post(record, second)
        session.run()
    recorder.close()
    assert recorder.settled(20.0)
    assert len(told.finished) >= 12
    names = sorted(path.name for path in (tmp_path / "cam").glob("*.mkv"))
    assert [name.partition("-")[0] for name in names] == ["all", "all", "event", "event"]
    assert names[2:] == ["event-2.mkv", "event-3.mkv"]
    kinds = {
        name: json.loads((tmp_path / "cam" / f"{name}{SIDECAR}").read_text())["segment"] for name in names
    }
    assert kinds == {name: name.startswith("all") for name in names}


def test_a_sidecar_that_does_not_say_what_it_is_of(tmp_path: Path) -> None:
    for number, more in enumerate(
        ({"triggers": []}, {"triggers": [1]}, {}, {"segment": True}, {"segment": False})
    ):
        path = made(tmp_path / f"{number}.mp4", number)
        said = json.loads(Path(f"{path}{SIDECAR}").read_text())
        Path(f"{path}{SIDECAR}").write_text(json.dumps({**said, **more}))
    assert House(str(tmp_path), files=1, segments=True).tidy() == [str(tmp_path / "0.mp4")]
    assert House(str(tmp_path), files=1, segments=False).tidy() == [
        str(tmp_path / f"{number}.mp4") for number in (1, 2)
    ]
    assert House(str(tmp_path), files=1).tidy() == [str(tmp_path / "3.mp4")]


def test_a_clock_that_is_set_back_has_no_new_file_removed(tmp_path: Path) -> None:
    for day in (1, 10, 11, 12):
        made(tmp_path / f"{day}.mp4", day)
    new = made(tmp_path / "new.mp4", 9)
    house = House(str(tmp_path), files=3, days=7, now=lambda: 9 * DAY_S)
    assert house.tidy(str(new)) == [str(tmp_path / f"{day}.mp4") for day in (10, 11, 1)]
    for name, day in (("newer", 9.0004), ("newest", 9.0002)):  # and again, by some seconds
        made(tmp_path / f"{name}.mp4", day)
    assert house.tidy(str(tmp_path / "newest.mp4")) == [str(tmp_path / "12.mp4")]
    assert House(str(tmp_path), files=1, now=lambda: 9 * DAY_S).tidy(str(tmp_path / "newest.mp4")) == [
        str(tmp_path / f"{name}.mp4") for name in ("new", "newer")
    ]
