"""Folders that hang, vanish, are shared or foreign, and names in them."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import reelway as rw
from reelway.record import Recorder, Recorders, Recording, disk, repair
from reelway.record.disk import DRAFT, PART, SIDECAR, Disk, File, read_sidecar, release, reserve
from reelway.record.house import House
from reelway.testing.clock import VirtualClock
from tests.record.test_clips import counters_of

SOURCE = "testvideo:fps=25:frames=75:size=320x240"


@pytest.fixture
def hang(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], threading.Event]]:
    """A folder whose disk answers nobody until the event is set."""
    gates: dict[str, threading.Event] = {}
    real = {name: getattr(os, name) for name in ("open", "lstat", "stat", "statvfs", "makedirs", "replace")}
    looked = os.path.lexists

    def wait(path: object) -> None:
        for folder, gate in gates.items():
            if str(path).startswith(folder):
                assert gate.wait(60.0)

    def waiting(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *rest: Any, **options: Any) -> Any:
            wait(path)
            return function(path, *rest, **options)

        return call

    for name, function in real.items():
        monkeypatch.setattr(os, name, waiting(function))
    monkeypatch.setattr(os.path, "lexists", waiting(looked))

    def of(folder: Path) -> threading.Event:
        return gates.setdefault(str(folder), threading.Event())

    yield of
    for gate in gates.values():
        gate.set()


@pytest.mark.parametrize("segments", [False, True])
def test_a_disk_that_hangs_stalls_neither_who_records_nor_the_stream(
    segments: bool, hang: Callable[[Path], threading.Event], tmp_path: Path
) -> None:
    bad, good = tmp_path / "bad", tmp_path / "good"
    for folder in (bad, good):
        folder.mkdir()
    (bad / "clip.mp4").write_text("was there before")
    gate = hang(bad)
    made: list[Recording] = []
    done: list[bool] = []
    with rw.Session(clock=VirtualClock()) as session:
        source = session.load(SOURCE)
        paths: dict[str, Any] = {"filename": bad / "clip.mp4"}
        if segments:
            paths = {"filename": good / "event.mp4", "segments": bad / "clip.mp4"}
        one = Recorder(session, source, **paths, before_s=0.4, after_s=0.4)
        two = Recorder(session, source, good / "clip.mp4", before_s=0.4, after_s=0.4)
        for _ in range(20):
            session.post(lambda: made.append(one.record(extend=False)), 1.0)
        session.post(lambda: made.append(two.record()), 1.0)
        session.post(lambda: done.append(made[-1].finished(20.0)), 2.0)
        session.post(gate.set, 2.5)
        session.run()
    assert done == [True]
    assert counters_of(made[-1].path) == list(range(15, 35))
    assert all(recording.finished(20.0) for recording in made)
    assert (bad / "clip.mp4").read_text() == "was there before"
    if segments:
        one.close()
        assert counters_of(str(bad / "clip-2.mp4")) == list(range(75))
        return
    assert {recording.path for recording in made[:-1]} == {str(bad / f"clip-{n}.mp4") for n in range(2, 22)}
    for recording in made[:3]:
        assert counters_of(recording.path) == list(range(15, 35))


def test_who_asks_for_names_at_once_gets_free_ones(tmp_path: Path) -> None:
    """None of them takes the others' looking around for a disk that hangs."""
    for name in ("clip.mp4", "clip-2.mp4.part", "clip-3.mp4.json"):
        (tmp_path / name).write_text("")
    found: list[str] = []
    start = threading.Barrier(30)

    def ask() -> None:
        start.wait()
        found.append(reserve(str(tmp_path / "clip.mp4")))

    threads = [threading.Thread(target=ask) for _ in range(30)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    for path in found:
        release(path)
    assert sorted(found) == sorted(str(tmp_path / f"clip-{n}.mp4") for n in range(4, 34))
    assert not disk._silent


def test_a_folder_that_vanished_has_nothing_that_plays(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    error = OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    with contextlib.closing(Disk(str(folder / "a.mp4"))) as made:
        made.write(b"begun")
        told = made.trouble(error)
        assert "what was written plays" in str(told and told.hint)
        folder.rename(tmp_path / "elsewhere")
        folder.mkdir()
        (folder / "a.mp4.part").write_bytes(b"another one")
        told = made.trouble(error)
    assert "what was written is gone with its folder" in str(told and told.hint)
    assert "plays" not in str(told and told.hint)


def test_a_name_that_somebody_else_takes_in_mid_recording_is_left_to_them(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    made: list[Recording] = []
    with rw.Session(clock=VirtualClock()) as session:
        recorder = Recorder(session, session.load(SOURCE), path, before_s=0.4, after_s=0.4)
        session.post(lambda: made.append(recorder.record()), 1.0)

        def take() -> None:
            made[0].wait_begun(20.0)
            path.write_text("theirs")

        session.post(take, 1.2)
        session.run()
    info = made[0].wait(20.0)
    assert path.read_text() == "theirs"
    assert info.path == made[0].path == str(tmp_path / "clip-2.mp4")
    assert counters_of(info.path) == list(range(15, 35))
    assert json.loads(Path(f"{info.path}{SIDECAR}").read_text())["path"] == info.path
    assert sorted(each.name for each in tmp_path.iterdir()) == ["clip-2.mp4", "clip-2.mp4.json", "clip.mp4"]


def test_two_processes_that_want_a_name_at_the_same_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one is done between the look at the name and the making of the file, or says its own."""
    path = str(tmp_path / "a.mp4")
    say = Disk.say

    def late(made: Disk, said: Any) -> None:
        monkeypatch.setattr(Disk, "say", say)
        other = Disk(path, {"triggers": ["theirs"]})
        other.write(b"theirs")
        other.publish({})
        other.close()
        say(made, said)

    monkeypatch.setattr(Disk, "say", late)
    with pytest.raises(rw.errors.OpenError) as caught:
        Disk(path, {"triggers": ["ours"]})
    assert isinstance(caught.value.__cause__, FileExistsError)
    assert Path(path).read_bytes() == b"theirs"

    def over(made: Disk, said: Any) -> None:
        say(made, said)
        monkeypatch.setattr(Disk, "say", say)
        made.say({"triggers": ["theirs"]})

    monkeypatch.setattr(Disk, "say", over)
    made = Disk(str(tmp_path / "b.mp4"), {"triggers": ["ours"]})
    assert read_sidecar(f"{made.path}{SIDECAR}{PART}")["triggers"] == ["ours"]
    made.close()


# What is no file


def test_repair_touches_files_only(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    folder = tmp_path / "clips"
    for each in (outside, folder):
        each.mkdir()
    target = outside / "film.mp4"
    target.write_bytes(b"film")
    said = '{"by": "reelway"}'
    for name in ("pipe", "link", "away", "told"):
        (folder / f"{name}.mp4{SIDECAR}{PART}").write_text(said)
    os.mkfifo(folder / f"pipe.mp4{PART}")
    (folder / f"link.mp4{PART}").symlink_to(target)
    (folder / f"away.mp4{PART}").symlink_to(outside)
    (folder / f"told.mp4{SIDECAR}{PART}").unlink()
    os.mkfifo(folder / f"told.mp4{SIDECAR}{PART}")
    (folder / f"told.mp4{PART}").write_bytes(b"")
    before = sorted(each.name for each in folder.iterdir())
    assert list(repair(folder)) == []
    assert sorted(each.name for each in folder.iterdir()) == before
    (result,) = repair(folder / f"link.mp4{PART}")
    assert result.outcome == "failed"
    assert "is no file" in str(result.error)
    assert target.read_bytes() == b"film"


def test_repair_writes_through_no_link(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("theirs")
    clips = tmp_path / "clips"
    made = Disk(str(clips / "a.ts"), {})
    made.write(os.urandom(1000))
    File.close(made)
    (clips / "a.ts.repair").symlink_to(target)
    (result,) = repair(clips)
    assert result.outcome == "failed"
    assert target.read_text() == "theirs"
    (clips / f"a.ts{SIDECAR}{PART}{DRAFT}").symlink_to(target)
    with pytest.raises(OSError, match="symbolic links"):
        made.say({})
    assert target.read_text() == "theirs"


def test_a_pipe_that_is_called_as_a_sidecar_is_waited_for_by_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"pipe.mp4{SIDECAR}")
    (tmp_path / "pipe.mp4").write_text("")
    assert House(str(tmp_path), files=1).tidy() == []
    assert read_sidecar(str(tmp_path / f"pipe.mp4{SIDECAR}")) == {}


def test_what_a_crash_left_of_a_sidecar_goes(tmp_path: Path) -> None:
    names = {"cut": '{\n  "by": "ree', "empty": "", "foreign": "{}", "young": ""}
    for name, text in names.items():
        path = tmp_path / f"{name}.mp4{SIDECAR}{PART}{DRAFT}"
        path.write_text(text)
        if name != "young":
            os.utime(path, (0, 0))
    assert list(repair(tmp_path)) == []
    assert sorted(each.name.partition(".")[0] for each in tmp_path.iterdir()) == ["foreign", "young"]


# Names


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("..", "__.mkv"),
        ("../../etc/cron", ".._.._etc_cron.mkv"),
        ("rtsp://cam/1", "rtsp:__cam_1.mkv"),
        ("a\\b\0c", "a_b_c.mkv"),
        ("日本 ü\n😀{}", "日本 ü\n😀{}.mkv"),
    ],
)
def test_the_name_of_a_source_leads_to_no_other_folder(name: str, file: str, tmp_path: Path) -> None:
    made: list[Recording] = []
    with rw.Session(clock=VirtualClock()) as session:
        recorders = Recorders(
            session, {name: session.load(SOURCE)}, f"{tmp_path}/clips/{{name}}.mkv", before_s=0.4, after_s=0.4
        )
        session.post(lambda: made.append(recorders.record(name)), 1.0)
        session.run()
    path = made[0].wait(20.0).path
    assert path == str(tmp_path / "clips" / file)
    assert counters_of(path) == list(range(15, 35))
    assert json.loads(Path(f"{path}{SIDECAR}").read_text())["path"] == path


def test_a_name_that_is_too_long_says_how_long_it_may_be(tmp_path: Path) -> None:
    with contextlib.closing(Disk(str(tmp_path / f"{'x' * 237}.mp4"))):
        pass
    with pytest.raises(rw.errors.OpenError, match="File name too long") as caught:
        Disk(str(tmp_path / f"{'x' * 238}.mp4"))
    assert "make it shorter" in str(caught.value.hint)
