"""What kill -9 leaves of recordings plays, and `repair()` makes whole files of it."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest

import reelway as rw
from reelway.record import Repaired, repair
from reelway.record.disk import PART, SIDECAR, Disk, File, lock
from tests.media.make import film
from tests.media.probe import counters, ffprobe, packets

FPS = 25
ENDINGS = ("mp4", "mov", "mkv", "ts", "webm")
ROOT = Path(__file__).parents[2]

RECORD = """
import os, sys
import reelway as rw
from reelway.record import Recorder

folder, camera, other, exact = sys.argv[1:]

def say(packet, pid):
    os.write(1, b"%d\\n" % round(packet.cts / pid.properties["Timescale"] * 25))

with rw.Session() as session:
    names = iter(f"{folder}/{name}" for name in ("a.mp4", "a.mov", "a.mkv", "a.ts"))
    one = Recorder(session, session.load_src(camera), lambda: next(names), exact=bool(exact), trigger=say)
    two = Recorder(session, session.load_src(other), f"{folder}/a.webm")

    def begin():
        for _ in range(2 if exact else 4):
            one.record("the door", extend=False, before_s=0.4 if exact else 0, after_s=100)
        if not exact:
            two.record(before_s=0, after_s=100)

    session.post(begin, 1.5 if exact else 0.0)
    session.run()
"""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """H.264 with AAC, and VP8 with Opus: what every container takes as it is."""
    folder = tmp_path_factory.mktemp("films")
    return (
        film(folder / "film.mp4", seconds=12, gop=25, bframes=2),
        film(folder / "film.webm", seconds=12, gop=25, video="libvpx", audio=["libopus"]),
    )


def killed(folder: Path, films: tuple[Path, Path], pictures: int, exact: bool = False) -> int:
    """Records into `folder`, in real time, and kills that when it has seen so many pictures.

    Returns the newest picture that it had seen by then.
    """
    command = [sys.executable, "-c", RECORD, str(folder), *map(str, films), "1" if exact else ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(int(line))
            if len(seen) == pictures:
                process.kill()
    assert process.returncode == -9
    return max(seen)


@pytest.fixture(scope="module")
def crashed(films: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a crash after some four seconds left."""
    folder = tmp_path_factory.mktemp("crashed")
    killed(folder, films, 100)
    return folder


@pytest.fixture
def left(crashed: Path, tmp_path: Path) -> Path:
    """The same, to do with it what one likes."""
    return Path(shutil.copytree(crashed, tmp_path / "left"))


def numbers(path: Path) -> list[int]:
    """Of the pictures that play; none where it cannot be opened."""
    try:
        return counters(path)
    except av.error.FFmpegError:
        return []


def boxes(path: Path) -> list[str]:
    """The topmost ones of MP4 (ISO/IEC 14496-12, 4.2)."""
    found, at, data = [], 0, path.read_bytes()
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        found.append(data[at + 4 : at + 8].decode("latin-1"))
        at += size or len(data)
    return found


def check_regular(path: Path) -> None:
    """It is as if nobody had been killed."""
    if path.suffix in (".mp4", ".mov"):
        assert (boxes(path).count("moov"), boxes(path).count("moof")) == (1, 0)
    elif path.suffix != ".ts":
        data = path.read_bytes()
        assert b"\x1c\x53\xbb\x6b" in data  # Cues (RFC 9559, 5.1.5)
        assert b"\x44\x89\x88" in data  # Duration, 8 bytes of it


def check_sidecar(path: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(Path(f"{path}{SIDECAR}").read_text())
    assert said["repaired"] is True
    assert said["path"] == str(path)
    assert said["bytes"] == path.stat().st_size
    assert said["start"] < said["end"]
    assert said["start"] < said["written"]
    return said


def in_folder(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.debian("ffmpeg")
def test_what_is_killed_at_any_moment_plays_up_to_a_second_before(
    films: tuple[Path, Path], tmp_path: Path, count: Callable[[int], int]
) -> None:
    draw = random.Random(7)
    for round_ in range(count(100)):
        folder = tmp_path / str(round_)
        folder.mkdir()
        seen = killed(folder, films, draw.randint(1, 90))
        parts = {path.name.removesuffix(PART): numbers(path) for path in folder.glob("a.*") if is_part(path)}
        assert seen <= FPS or sorted(parts) == sorted(f"a.{ending}" for ending in ENDINGS)
        for name, shown in parts.items():
            # the other film's recorder is not asked what it has seen: it may be a picture behind
            assert len(shown) >= seen + 1 - FPS - (name == "a.webm"), (name, seen)
        results = list(repair(folder))
        assert [result.error for result in results] == [None] * len(parts)
        assert list(repair(folder)) == []
        for result in results:
            path = Path(result.path)
            shown = parts[path.name.removesuffix(PART)]
            if result.outcome == "removed":
                assert len(shown) <= 1
                continue
            assert counters(path) == shown
            check_regular(path)
            assert check_sidecar(path)["triggers"][0]["metadata"] == (
                None if path.suffix == ".webm" else "the door"
            )
            told, warnings = ffprobe(path)
            assert warnings == ""
            assert float(told["format"]["duration"]) == pytest.approx(len(shown) / FPS, abs=0.25)
        made = [Path(result.path).name for result in results if result.outcome == "repaired"]
        assert in_folder(folder) == sorted([*made, *(name + SIDECAR for name in made)])


def is_part(path: Path) -> bool:
    return path.name.endswith(PART) and not path.name.endswith(SIDECAR + PART)


@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_is_coded_anew(ending: str, left: Path) -> None:
    path = left / f"a.{ending}"
    before = [[coded.digest for coded in stream.packets] for stream in packets(f"{path}{PART}")]
    assert all(len(digests) > 50 for digests in before)
    list(repair(left))
    after = [[coded.digest for coded in stream.packets] for stream in packets(path)]
    assert [a[: len(b)] for a, b in zip(before, after, strict=True)] == after
    assert all(len(a) - len(b) <= 1 for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_that_ends_anywhere_is_cut_where_decoding_ends(
    ending: str, left: Path, tmp_path: Path, count: Callable[[int], int]
) -> None:
    part = left / f"a.{ending}{PART}"
    data = part.read_bytes()
    whole = counters(part)
    draw = random.Random(ending)
    for at in [len(data) - 1, *(draw.randrange(len(data) // 8, len(data)) for _ in range(count(80)))]:
        folder = tmp_path / "now"
        folder.mkdir()
        zeros = draw.choice((0, 0, 1000, 50_000))  # a loss of power leaves such holes
        (folder / part.name).write_bytes(data[:at] + bytes(zeros))
        shutil.copy(left / f"a.{ending}{SIDECAR}{PART}", folder)
        (result,) = repair(folder)
        assert result.error is None
        if result.outcome == "repaired":
            shown = counters(result.path)  # which raises at a picture that is smeared
            assert shown == sorted(set(shown))
            assert shown[:-2] == whole[: len(shown) - 2]  # what comes next but one is decoded first
            assert len(shown) >= at / len(data) * len(whole) - 0.8 * FPS
            check_regular(Path(result.path))
        else:
            assert result.outcome == "removed"
            assert at < 64 << 10
        shutil.rmtree(folder)


@pytest.mark.parametrize("ending", ["mp4", "mov"])
def test_an_edit_list_stays(ending: str, films: tuple[Path, Path], tmp_path: Path) -> None:
    killed(tmp_path, films, 90, exact=True)
    part = tmp_path / f"a.{ending}{PART}"
    left = counters(part)
    list(repair(tmp_path))
    shown = counters(tmp_path / f"a.{ending}")
    # from 27 on, where the machine is not too busy to record at second 1.5; what comes before is not shown
    assert left[0] % FPS == 0
    assert 0 <= shown[0] - left[0] < FPS
    assert shown == left[left.index(shown[0]) :]


def test_what_is_written_and_what_is_foreign_is_left_alone(left: Path) -> None:
    for name in in_folder(left):
        if not name.startswith("a.mp4"):
            (left / name).unlink()
    foreign = {"b.mp4.part": b"", "c.mkv.part": b"somebody else's", "d.mp4.json.part": b'{"by": "others"}'}
    foreign |= {
        "e.ts.part": b"x",
        "e.ts.json.part": b"[1",
        "f.ts.part": b"",
        "f.ts.json.part": b'["reelway"]',
    }
    for name, data in foreign.items():
        (left / name).write_bytes(data)
    disk = Disk(str(left / "new.mkv"), {})
    with open(left / f"a.mp4{PART}", "rb") as held:
        assert lock(held)
        before = {name: (left / name).read_bytes() for name in in_folder(left)}
        assert {(Path(each.path).name, each.outcome) for each in repair(left)} == {
            (f"a.mp4{PART}", "in use"),
            (f"new.mkv{PART}", "in use"),
        }
        assert {name: (left / name).read_bytes() for name in in_folder(left)} == before
    File.close(disk)
    assert [each.outcome for each in repair(left)] == ["repaired", "removed"]
    assert in_folder(left) == sorted([*foreign, "a.mp4", "a.mp4.json"])


def test_a_sidecar_without_a_file_goes_when_nobody_can_want_it(tmp_path: Path) -> None:
    young, old = (tmp_path / f"{name}.mp4{SIDECAR}{PART}" for name in ("young", "old"))
    for path in (young, old):
        path.write_text('{"by": "reelway"}')
    os.utime(old, (0, 0))
    assert list(repair(tmp_path)) == []
    assert (young.exists(), old.exists()) == (True, False)


def test_what_fails_is_named_and_the_others_go_on(left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(left / f"a.mkv{SIDECAR}{PART}", left / f"bad.mkv{SIDECAR}{PART}")
    bad = left / f"bad.mkv{PART}"
    bad.write_bytes(os.urandom(200_000))
    full = left / f"a.ts{PART}"
    data = full.read_bytes()
    write = File.write

    def no_room(file: File, data: bytes) -> int:
        if "a.ts" in repr(file) and file.written > 20_000:
            file.failure = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise file.failure
        return write(file, data)

    monkeypatch.setattr(File, "write", no_room)
    results = {Path(result.path).name: result for result in repair(left)}
    failed = {name: result.error for name, result in results.items() if result.outcome == "failed"}
    assert set(failed) == {bad.name, full.name}
    assert "bad.mkv.part" in str(failed[bad.name])
    no_room_error = failed[full.name]
    assert isinstance(no_room_error, rw.errors.OpenError)
    assert no_room_error.errno == errno.ENOSPC
    assert "a.ts.part cannot be repaired: No space left" in str(no_room_error)
    assert "room" in str(no_room_error.hint)
    assert full.read_bytes() == data
    assert not list(left.glob("*.repair"))
    assert sum(result.outcome == "repaired" for result in results.values()) == 4
    monkeypatch.undo()
    bad.unlink()
    assert [result.outcome for result in repair(left)] == ["repaired"]


class Crash(BaseException):
    """The end of the process."""


@pytest.fixture
def crash_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """From the n-th change of the folder on nothing is changed any more."""
    left = [1 << 30]
    real = {name: getattr(os, name) for name in ("replace", "unlink", "fsync", "utime")}

    def or_crash(name: str) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Crash
            return real[name](*args, **options)

        return call

    def at(number: int) -> None:
        left[0] = number

    for name in real:
        monkeypatch.setattr(os, name, or_crash(name))
    yield at
    left[0] = 1 << 30


def test_a_crash_of_the_repair_loses_nothing(
    crashed: Path, tmp_path: Path, crash_at: Callable[[int], None]
) -> None:
    shown = counters(crashed / f"a.mp4{PART}")
    number, outcomes = 0, []
    while True:
        folder = tmp_path / str(number)
        folder.mkdir()
        for name in (f"a.mp4{PART}", f"a.mp4{SIDECAR}{PART}"):
            shutil.copy(crashed / name, folder)
        crash_at(number)
        try:
            list(repair(folder))
        except Crash:
            assert max(len(numbers(path)) for path in folder.glob("a.mp4*")) == len(shown)
            crash_at(1 << 30)
            outcomes += [result.outcome for result in repair(folder)]
        else:
            crash_at(1 << 30)
            break
        finally:
            assert in_folder(folder) == ["a.mp4", "a.mp4.json"]
            assert counters(folder / "a.mp4") == shown
            assert check_sidecar(folder / "a.mp4")["triggers"]
            check_regular(folder / "a.mp4")
        number += 1
    assert number >= 5
    assert set(outcomes) == {"repaired", "finished"}


def test_a_crash_between_the_names_of_sidecar_and_file(tmp_path: Path, crashed: Path) -> None:
    data = (crashed / f"a.mkv{PART}").read_bytes()
    disk = Disk(str(tmp_path / "a.mkv"), {"triggers": []})
    disk.write(data)
    import hashlib

    disk.publish({"path": "a.mkv", "sha256": hashlib.sha256(data).hexdigest(), "duration_s": 1.5})
    disk.close()
    (tmp_path / "a.mkv").rename(tmp_path / f"a.mkv{PART}")
    assert list(repair(tmp_path)) == [Repaired(str(tmp_path / "a.mkv"), "finished", 1.5)]
    assert (tmp_path / "a.mkv").read_bytes() == data
    assert in_folder(tmp_path) == ["a.mkv", "a.mkv.json"]


@pytest.mark.parametrize("taken", ["a.mp4", "a.mp4.json"])
def test_a_name_that_is_taken_by_now(taken: str, left: Path) -> None:
    (left / taken).write_text("not ours")
    results = {Path(each.path).name: each for each in repair(left)}
    assert results["a-2.mp4"].outcome == "repaired"
    assert (left / taken).read_text() == "not ours"
    assert check_sidecar(left / "a-2.mp4")
    assert list(repair(left)) == []


def test_one_file_may_be_named_without_a_sidecar(left: Path) -> None:
    (left / f"a.mp4{SIDECAR}{PART}").unlink()
    assert all("a.mp4" not in result.path for result in repair(left))
    (result,) = repair(left / f"a.mp4{PART}")
    assert (Path(result.path), result.outcome) == (left / "a.mp4", "repaired")
    with pytest.raises(rw.errors.OptionError, match="is complete"):
        repair(left / "a.mp4")
    with pytest.raises(rw.errors.OpenError, match="no such folder"):
        repair(left / "nothing")


def test_folders_in_the_folder_belong_to_it(crashed: Path, tmp_path: Path) -> None:
    inner = tmp_path / "2026" / "11"
    inner.mkdir(parents=True)
    for name in (f"a.ts{PART}", f"a.ts{SIDECAR}{PART}"):
        shutil.copy(crashed / name, inner)
    assert [result.path for result in repair(tmp_path)] == [str(inner / "a.ts")]
