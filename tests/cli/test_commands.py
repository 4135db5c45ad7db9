"""What each command does when all is well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import reelway as rw
from reelway import catalog
from reelway.cli.app import COMMANDS
from tests.cli.conftest import Done, command, run_apart, surroundings
from tests.media import make, probe

Run = Callable[..., Done]


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        env=surroundings(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def test_version(reelway: Run) -> None:
    assert reelway("--version") == Done(0, f"reelway {rw.__version__}\n", "")


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"]])
def test_help_names_every_command(words: list[str], reelway: Run) -> None:
    done = reelway(*words)
    assert done.code == 0
    for name, each in COMMANDS.items():
        assert f"  {name:9} {each.summary}\n" in done.out


def test_nothing_said_is_misuse(reelway: Run) -> None:
    done = reelway()
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("usage: reelway COMMAND")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, reelway: Run) -> None:
    done = reelway(name, "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"usage: reelway {name} {COMMANDS[name].usage}\n")


def test_a_remux_loads_only_what_it_needs(film: Path) -> None:
    loaded = modules_after(
        f"from reelway.cli import main; assert main(['run', {str(film)!r}, 'out.ts']) == 0"
    )
    assert not loaded & {"numpy", "rich", "typer", "lark", "asyncio", "json"}


def test_run_remuxes(film: Path, reelway: Run) -> None:
    assert reelway("run", film, "out.ts") == Done(0, "", "")
    assert probe.counters("out.ts") == probe.counters(film)


def test_run_puts_filters_between_and_options_on_all_of_them(film: Path, reelway: Run) -> None:
    done = reelway("run", film, "--on_error=skip", "null", "tee", "--graph", "-", "--timeout_s=3")
    assert done == Done(
        0,
        "demux, closed\n"
        "├─ video1: h264, 320x240, 25 fps; 50 packets\n"
        "│  └─ tee, closed\n"
        "│     ├─ video1: h264, 320x240, 25 fps; 50 packets\n"
        "│     │  └─ null, closed\n"
        "│     └─ audio1: aac, 48000 Hz, stereo; 95 packets\n"
        "│        └─ null (above)\n"
        "└─ audio1: aac, 48000 Hz, stereo; 95 packets\n"
        "   └─ tee (above)\n",
        "",
    )


def test_run_and_inspect_take_a_filter_for_a_source(film: Path, reelway: Run) -> None:
    source = "testvideo:frames=12:size=320x240"
    assert reelway("run", source, "made.mp4", "--quiet") == Done(0, "", "")
    assert len(list(rw.frames("made.mp4"))) == 12
    assert "raw yuv420p, 320x240, 25 fps" in reelway("inspect", source).out
    Path("testvideo").write_bytes(film.read_bytes())  # a file of that name goes first
    assert "h264" in reelway("inspect", "testvideo").out


def test_session_options_reach_filters_that_have_them(film: Path) -> None:
    from reelway.cli.job import Job

    session = Job.of([str(film), "null", "--timeout_s=3", "--on_error=skip"]).session()
    assert session["demux"].timeout_s == 3.0  # type: ignore[attr-defined]
    assert session["null"].on_error == "skip"
    session.close()


def test_run_prints_figures(film: Path, reelway: Run) -> None:
    done = reelway("run", film, "null", "--stats")
    assert (done.code, done.out) == (0, "")
    lines = done.err.splitlines()
    assert lines[0].split() == "filter packets in out bytes out turns wall s cpu s errors state".split()
    assert lines[1].split()[:3] == ["demux", "0", "145"]
    assert "demux.video1 -> null       50        0        0" in done.err


@pytest.mark.parametrize("form", ["dot", "gv", "mmd", "json", "txt"])
def test_run_draws_the_graph(form: str, film: Path, reelway: Run) -> None:
    assert reelway("run", film, "null", f"--graph=graph.{form}").code == 0
    text = Path(f"graph.{form}").read_text()
    assert "h264, 320x240, 25 fps" in text


def test_figures_and_graph_are_there_after_a_failure_too(film: Path, reelway: Run) -> None:
    done = reelway("run", film, "/dev/full:format=mpegts", "--stats", "--graph=graph.txt")
    assert done.code == 1
    assert "demux.video1 -> mux" in done.err
    assert done.err.splitlines()[-1] == "reelway: /dev/full: No space left on device"
    assert "mux, closed, 2 errors" in Path("graph.txt").read_text()


def test_trace_opens_in_perfetto(film: Path, reelway: Run) -> None:
    assert reelway("run", film, "out.ts", "--trace=trace.json").code == 0
    events = [event for event in json.loads(Path("trace.json").read_text()) if event]
    turns = [event for event in events if event["ph"] == "X"]
    assert {event["name"] for event in turns} == {"demux", "mux"}
    assert sum(event["args"].get("packets_in", 0) for event in turns if event["name"] == "mux") == 145
    assert all(event["dur"] >= 0 and event["ts"] > 0 for event in turns)
    assert [event["args"]["name"] for event in events if event["ph"] == "M"] == ["MainThread"]


@pytest.mark.parametrize("form", ["mpegts", "mp4", "matroska"])
def test_run_reads_and_writes_pipes(form: str, film: Path) -> None:
    rw.run(film, "film.mkv")
    done = subprocess.run(
        command("run", "-", f"-:format={form}", "-q"),
        input=Path("film.mkv").read_bytes(),
        env=surroundings(),
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    Path("out").write_bytes(done.stdout)
    assert probe.counters("out") == probe.counters(film)


def test_run_overwrites_unless_told_otherwise(film: Path, reelway: Run) -> None:
    Path("out.ts").write_text("old")
    assert reelway("run", film, "out.ts", "-n").code == 2
    assert Path("out.ts").read_text() == "old"
    assert reelway("run", film, "out.ts").code == 0
    assert probe.counters("out.ts") == probe.counters(film)


def test_names_with_odd_characters(film: Path, reelway: Run) -> None:
    os.rename(film, "--a film: 1=2 #3.mp4")
    assert reelway("run", "-q", "--", "--a film: 1=2 #3.mp4", "out.ts") == Done(0, "", "")
    assert Path("out.ts").stat().st_size > 10_000


def test_explain_writes_nothing(film: Path, reelway: Run) -> None:
    done = reelway("explain", film, "out.ts")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("demux.video1: h264, 320x240, 25 fps\n")
    assert not Path("out.ts").exists()


def test_profile_and_quiet_and_logs(film: Path, reelway: Run) -> None:
    Path("fast.toml").write_text("timeout_s = 2.5\n")
    assert reelway("run", film, "null", "--profile=fast.toml", "--quiet", "--log=core@error") == Done(
        0, "", ""
    )


def test_inspect_says_what_is_there(film: Path, reelway: Run) -> None:
    done = reelway("inspect", film)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "film.mp4: mov,mp4,m4a,3gp,3g2,mj2, 0:02"
    assert lines[1] == "  video1: h264, 320x240, 25 fps"
    assert "    Width = 320" in lines
    assert "  audio1: aac, 48000 Hz, stereo" in lines


def test_inspect_as_json(film: Path, reelway: Run) -> None:
    found = json.loads(reelway("inspect", film, "--json").out)
    video, audio = found["pids"]
    assert found["url"] == "film.mp4"
    assert video["name"] == "video1"
    expected = {"StreamType": "Visual", "CodecID": "h264", "Width": 320, "FPS": 25, "Duration": 2}
    assert {key: video["properties"][key] for key in expected} == expected
    assert audio["properties"]["SampleRate"] == 48000


def test_inspect_lists_packets(film: Path, reelway: Run) -> None:
    done = reelway("inspect", film, "--packets", "--json")
    packets = [json.loads(line) for line in done.out.splitlines()]
    expected = [len(stream.packets) for stream in probe.packets(film)]
    assert [sum(p["pid"] == pid for p in packets) for pid in ("video1", "audio1")] == expected
    assert packets[0]["sap"] == 1
    listed = reelway("inspect", film, "--packets").out.splitlines()
    assert sum(line.startswith("video1  ") for line in listed) == 50


def test_a_reader_that_goes_away_ends_it_quietly(film: Path) -> None:
    make.long_film("long.mp4", 60, source=film)
    process = subprocess.Popen(
        command("inspect", "long.mp4", "--packets"),
        env=surroundings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(30) == 0
    with process.stderr as errors:
        assert errors.read() == b""


def test_filters_lists_all(reelway: Run) -> None:
    done = reelway("filters")
    assert (done.code, done.err) == (0, "")
    listed = {line.split()[0].rstrip(",") for line in done.out.splitlines()[1:]}
    assert set(catalog.FILTERS) <= listed


@pytest.mark.parametrize("name", catalog.FILTERS)
def test_every_filter_tells_about_itself(name: str, reelway: Run) -> None:
    done = reelway("filters", name)
    assert (done.code, done.err) == (0, "")
    assert "\n  accepts   " in done.out
    for option in catalog.find(name).options():
        assert f"\n  {option} (" in done.out


def test_filters_tells_types_defaults_and_units(reelway: Run) -> None:
    out = reelway("filters", "demux").out
    assert "  produces  CodecID not raw\n" in out
    assert (
        "  timeout_s (float, at least 0.1 s, default 10.0)\n"
        "      longest wait for the source to open or to answer\n"
    ) in out


def test_doctor_says_what_is_here_and_what_is_not(reelway: Run) -> None:
    done = reelway("doctor")
    assert (done.code, done.err) == (0, "")
    for part in ("versions", "packages", "what this FFmpeg lacks", "libavcodec"):
        assert part in done.out
    found = json.loads(reelway("doctor", "--json").out)
    assert found["versions"]["Reelway"] == rw.__version__
    assert "mp4" not in found["missing"]["demuxer"]
    assert "h264" not in found["missing"]["decoder"]
    if found["gpl"]:
        assert "under the GPL" in done.out


def test_doctor_without_pyav(reelway: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from reelway import engine

    monkeypatch.setitem(sys.modules, "reelway.engine.inventory", None)
    monkeypatch.delattr(engine, "inventory", raising=False)
    done = reelway("doctor")
    assert done.code == 1
    assert done.err.startswith("reelway: PyAV cannot be loaded: ")


def test_script_gets_its_arguments_and_gives_its_exit_code(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import sys\nprint(sys.argv[1:])\nsys.exit(7)\n")
    done = run_apart("script", script, "--help", "-x", "a b", "--debug")
    assert (done.code, done.out, done.err) == (7, "['--help', '-x', 'a b', '--debug']\n", "")
