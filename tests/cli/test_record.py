"""`reelway record`."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import reelway as rw
from reelway.cli.record import _names, _paced
from reelway.session.loading import load_word
from reelway.testing.clock import VirtualClock
from tests.cli.conftest import Done, command, run_apart, surroundings
from tests.media import probe

Run = Callable[..., Done]
LIVE = "testvideo:live=on:size=320x240"
TOKEN = "q7xsecret-token"


class Recording:
    """`reelway record ... --on http:0` in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        assert process.stderr is not None
        while not self.said or "record records" not in self.said[-1]:
            line = process.stderr.readline()
            assert line, self.said
            self.said.append(line)
        found = re.search(r"http://127.0.0.1:(\d+)/record", self.said[-1])
        assert found is not None
        self.port = int(found[1])

    def ask(self, method: str, path: str, token: str = TOKEN) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def ended(self, number: signal.Signals) -> Done:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        return Done(self.process.returncode, out, err)


@contextlib.contextmanager
def recording(*words: object, environment: dict[str, str] | None = None) -> Iterator[Recording]:
    process = subprocess.Popen(
        command("record", *words, "--on", "http:0"),
        env=surroundings() | (environment or {"REELWAY_TOKEN": TOKEN}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Recording(process)
    finally:
        process.kill()
        process.communicate()


def told(out: str) -> list[tuple[str, float]]:
    """(path, seconds) of each line."""
    lines = [re.fullmatch(r"(.+): (\d+\.\d) s", line) for line in out.splitlines()]
    return [(line[1], float(line[2])) for line in lines if line is not None]


def triggers(path: str) -> list[Any]:
    found: list[Any] = json.loads(Path(f"{path}.json").read_text())["triggers"]
    return [each["metadata"] for each in found]


@pytest.mark.alone
def test_an_event_every_so_often(reelway: Run, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "clips"
    source = "testvideo:frames=50:size=320x240"
    done = reelway("record", source, folder, "--before", 0.4, "--after", 0.4, "--every", 0.8)
    assert (done.code, done.err) == (0, "")
    files = told(done.out)
    assert len(files) == 2
    assert [seconds for _, seconds in files] == pytest.approx([0.8, 0.8], abs=0.1)
    assert [triggers(path) for path, _ in files] == [[{"every": 0.8}]] * 2
    assert all(re.fullmatch(r"testvideo-\d{8}-\d{6}(-2)?\.mp4", Path(path).name) for path, _ in files)
    assert all(Path(path).parent == folder for path, _ in files)


@pytest.mark.alone
def test_what_is_coded_is_copied_and_a_name_may_be_chosen(reelway: Run, film: Path) -> None:
    done = reelway(
        *("record", film, "clips", "--before", 1, "--after", 0.6, "--every", 60),
        *("--format", "mkv", "--name", "{name}/{number}"),
    )
    assert [path for path, _ in told(done.out)] == ["clips/film/1.mkv"]
    whole = [packet.digest for packet in probe.packets(film)[0].packets]
    clip = [packet.digest for packet in probe.packets("clips/film/1.mkv")[0].packets]
    assert clip == whole[: len(clip)]
    assert 38 <= len(clip) <= 43


def test_several_sources_at_once(reelway: Run, film: Path) -> None:
    options = ("--before", 0.2, "--after", 0.2, "--every", 60, "--format", "ts", "--quiet")
    done = reelway("record", film, film, LIVE + ":frames=25", "clips", *options)
    assert (done.code, done.err) == (0, "")
    names = sorted(Path(path).name.partition("-20")[0] for path, _ in told(done.out))
    assert names == ["film", "film-2", "testvideo"]


def test_motion(reelway: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = ("--before", 0.2, "--after", 0.2, "--on", "motion", "--every-picture")
    ball = "testvideo:frames=30:size=320x240:counter=no:pattern=ball"
    (moving,) = told(reelway("record", ball, "clips", *options).out)
    assert triggers(moving[0])[0]["zone"] == 1
    assert told(reelway("record", ball.replace("ball", "smpte"), "clips", *options).out) == []
    assert told(reelway("record", ball, "clips", *options[:-2], "motion:zones=0.1x0.1+0+0.9").out) == []


def test_all_of_it(reelway: Run, tmp_path: Path) -> None:
    options = ("--every", 60, "--before", 0.2, "--after", 0.2, "--segments", 1, "--name", "{number}")
    done = reelway("record", "testvideo:frames=50:size=320x240", tmp_path, *options)
    assert (done.code, done.err) == (0, "")
    made = [path for path, _ in told(done.out)]
    assert str(tmp_path / "1.mp4") in made
    segments = sorted(map(str, (tmp_path / "all").glob("*.mp4")))
    assert sorted(made) == sorted([str(tmp_path / "1.mp4"), *segments])
    assert sum(len(list(rw.frames(each))) for each in segments) == 50


def test_signals_and_requests(tmp_path: Path) -> None:
    with recording(LIVE, tmp_path, "--before", 0.2, "--after", 0.2, "--on", "signal:USR1") as made:
        assert len(made.said) == 1  # the token is ours, and nobody is told
        made.process.send_signal(signal.SIGUSR1)
        ((first, _),) = told(made.line())
        code, said = made.ask("POST", "/record")
        assert code == 202
        ((second, _),) = told(made.line())
        assert [each["path"] for each in said["recordings"]] == [second]
        assert made.ask("POST", "/record", token="another-token")[0] == 403
        assert made.ask("GET", "/status")[1]["sources"][0]["name"] == "testvideo"
        done = made.ended(signal.SIGTERM)
    assert (done.code, done.out, done.err) == (143, "", "")
    assert [triggers(path) for path in (first, second)] == [[{"signal": "USR1"}], [{"http": None}]]
    assert len(list(tmp_path.glob("*.mp4"))) == 2


def test_a_token_is_made_where_none_is_given(tmp_path: Path) -> None:
    with recording(LIVE, tmp_path, "--quiet", environment={"REELWAY_TOKEN": ""}) as made:
        found = re.fullmatch(r"the token is (\S{32,})\n", made.said[0])
        assert found is not None
        assert made.ask("GET", "/status", token=found[1])[0] == 200
        assert made.ended(signal.SIGINT) == Done(130, "", "reelway: interrupted\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_what_is_being_recorded_at_the_end_is_complete(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    with recording(LIVE, tmp_path, "--after", 600) as made:
        path = made.ask("POST", "/record")[1]["recordings"][0]["path"]
        while made.ask("GET", "/status")[1]["sources"][0]["state"] != "recording":
            pass  # each request takes its time
        done = made.ended(number)
    assert done.code == code
    assert [each for each, _ in told(done.out)] == [path]
    assert list(rw.frames(path))
    assert sorted(os.listdir(tmp_path)) == sorted([Path(path).name, f"{Path(path).name}.json"])


def test_who_reads_the_lines_may_go_away(tmp_path: Path) -> None:
    with recording(LIVE, tmp_path, "--before", 0, "--after", 0.1) as made:
        assert made.process.stdout is not None
        made.process.stdout.close()
        made.ask("POST", "/record")
        assert made.process.wait(30) == 0
        assert made.process.stderr is not None
        assert "Traceback" not in made.process.stderr.read()
        made.process.stdout = None


def test_a_disk_that_cannot_be_written(reelway: Run, film: Path) -> None:
    Path("clips").write_text("a file")
    done = reelway("record", film, "clips", "--every", 1)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("reelway: clips cannot be made")
    options = ("--before", 0.1, "--after", 0.1, "--every", 60, "--name", "clips/{name}")
    for quiet in ((), ("--quiet",)):
        done = run_apart("record", film, ".", *options, *quiet)
        assert (done.code, done.out) == (1, "")
        assert "clips/film.mp4 cannot be written" in done.err
        assert "Traceback" not in done.err


def test_a_source_that_is_not_there(reelway: Run, tmp_path: Path) -> None:
    done = reelway("record", tmp_path / "nothing.mp4", tmp_path / "clips", "--every", 1)
    assert done.code == 1
    assert "nothing.mp4" in done.err


def test_a_source_that_is_lost_ends_no_other(reelway: Run, tmp_path: Path, film: Path) -> None:
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(b"no film")
    sources = (tmp_path / "nothing.mp4", LIVE + ":frames=50", "udp://127.0.0.1:9:timeout_s=0.5", broken, film)
    options = ("--before", 0.2, "--after", 0.2, "--every", 60, "--name", "{name}")
    done = reelway("record", *sources, "clips", *options)
    assert done.code == 1
    assert sorted(path for path, _ in told(done.out)) == ["clips/film.mp4", "clips/testvideo.mp4"]
    said = [line for line in done.err.splitlines() if line.startswith("reelway: ")]
    assert len(said) == 3, done.err
    assert all(any(name in line for line in said) for name in ("nothing.mp4", "127.0.0.1:9", "broken.mkv"))


def test_one_way_to_know_what_is_live(film: Path) -> None:
    """In front of motion, only what has no pace of its own is slowed down."""
    for url, rt in ((LIVE + ":frames=5", "off"), (str(film), "sync")):
        with rw.Session(clock=VirtualClock()) as session:
            paced = _paced(session, load_word(session, url))
            session.chain(paced, session.load("null"))
            session.run()
        assert paced.rt == rt  # type: ignore[attr-defined]


def test_files_are_called_after_their_source() -> None:
    urls = ("shared:door", "shared:door:wait=5", "rtsp://u:q7x@cam1:554/x", "a/film.mp4?x=1", LIVE, "-", "..")
    assert list(_names(urls)) == ["door", "door-2", "cam1", "film", "testvideo", "-", "stream"]


def test_the_folder_may_have_any_name(reelway: Run, film: Path) -> None:
    options = ("--before", 0, "--after", 0.2, "--every", 0.5, "--keep-files", 1, "--segments", 1)
    done = reelway("record", film, "{a}/{{b}\nc", *options, "--name", "{name}")
    assert (done.code, done.err) == (0, "")
    folder = Path("{a}/{{b}\nc")
    assert len(list(folder.glob("*.mp4"))) == len(list((folder / "all").glob("*.mp4"))) == 1


@pytest.mark.alone
def test_what_is_kept(reelway: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = ("--before", 0, "--after", 0.1, "--every", 0.3, "--keep-files", 2, "--keep-bytes", "1.5G")
    done = reelway("record", "testvideo:frames=40:size=320x240", "clips", *options, "--name", "{number}")
    made = [path for path, _ in told(done.out)]
    assert len(made) >= 4
    assert sorted(map(str, Path("clips").glob("*.mp4"))) == sorted(made[-2:])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "URL and DIR must be given"),
        (["a"], "DIR must be given"),
        (["a", "b"], "nothing says when to record"),
        (["a", "rtsp://u:q7xsecret@camera/", "--every", "1"], "'rtsp://u:***@camera/' cannot be the folder"),
        (["a", "b", "--every", "0"], "--every is 0"),
        (["a", "b", "--segments", "0"], "--segments is 0"),
        (["a", "b", "--every", "1", "--before", "-1"], "--before is -1"),
        (["a", "b", "--every", "1", "--after", "nan"], "--after is nan"),
        (["a", "b", "--on", "rain"], "no event 'rain'"),
        (["a", "b", "--every", "1", "--name", "{what}"], "--name '{what}' cannot be filled"),
        (["a", "b", "--every", "1", "--name", "{"], "--name '{' cannot be filled"),
        (["a", "b", "--every", "1", "--name", "x/"], "--name 'x/' names no file"),
        (["a", "b", "--every", "1", "--format", "avi"], "--format: invalid choice: 'avi'"),
        (["a", "b", "--every", "1", "--keep-bytes", "much"], "--keep-bytes: 'much' is no number of bytes"),
        (["a", "b", "--every", "1", "--kep-days", "1"], "no option --kep-days"),
        ([LIVE, "b", "--on", "signal:KILL"], "the signal 'KILL' cannot have anything recorded"),
        ([LIVE, "b", "--on", "http:door"], "'http:door' says no port"),
        ([LIVE, "b", "--on", "http:70000"], "there is no port 70000"),
        ([LIVE, "b", "--on", "http:0", "--token", "q7x"], "this token will not do"),
        ([LIVE, "b", "--on", "motion:zones=2x1+0+0"], "'2x1+0+0' reaches out of the picture"),
        ([LIVE, "b", "--on", "motion:what=1"], "no option 'what'"),
        (["--repair", "a", "b"], "'b' is one too many"),
    ],
)
def test_misuse(
    words: Sequence[str], said: str, reelway: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = reelway("record", *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "q7x" not in done.err
    assert not list(tmp_path.rglob("*.mp4*"))


def test_repair(reelway: Run, tmp_path: Path) -> None:
    assert reelway("record", "--repair", tmp_path) == Done(0, "", "")
    done = reelway("record", "--repair", tmp_path / "nowhere")
    assert done.code == 1
    assert "there is no such folder" in done.err
    with recording(LIVE, tmp_path, "--after", 600) as made:
        path = made.ask("POST", "/record")[1]["recordings"][0]["path"]
        while not Path(f"{path}.part").exists() or Path(f"{path}.part").stat().st_size < 20_000:
            assert made.process.poll() is None
            made.ask("GET", "/status")
        assert reelway("record", "--repair", tmp_path).out == f"{path}.part: in use\n"
        made.process.kill()
        made.process.wait()
    done = reelway("record", "--repair", tmp_path)
    assert done.code == 0
    assert re.fullmatch(rf"{re.escape(path)}: repaired, \d+\.\d s\n", done.out)
    assert list(rw.frames(path))
