"""`reelway launch` and `reelway graph` as processes: exit codes, what is printed, signals, drawings."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cli.conftest import Done, command, run_apart, surroundings
from tests.media import probe

SMALL = "video/x-raw,width=160,height=120,framerate=30/1"
LIVE = f"videotestsrc is-live=true pattern=snow ! {SMALL}"  # snow makes long packets, which get into the file


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to work in, no display, and no folder for graphs."""
    monkeypatch.chdir(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER", "GST_DEBUG_DUMP_DOT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("REELWAY_DUMP_DOT_DIR", raising=False)


def launch(*words: object) -> Done:
    done = run_apart("launch", *words)
    assert "Traceback" not in done.err
    return done


@contextmanager
def playing(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A process with the option -m, which has said that its pipeline plays."""
    process = subprocess.Popen(
        command("launch", "-m", *words),
        env=surroundings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        for line in process.stdout:
            if "from pipeline0" in line and "new=PLAYING" in line:
                break
        else:
            pytest.fail(process.stderr.read())
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for_bytes(path: str, enough: int) -> None:
    until = time.monotonic() + 30
    while not (Path(path).exists() and Path(path).stat().st_size > enough):
        assert time.monotonic() < until, "it writes nothing"
        time.sleep(0.01)  # between two looks at the file, which has no other way to say that it grew


# To the end


def test_words_as_a_shell_splits_them_are_one_pipeline() -> None:
    words = f"videotestsrc num-buffers=20 ! {SMALL} ! x264enc ! mp4mux ! filesink".split()
    assert launch(*words, "location=my film.mp4") == Done(0, "", "")
    assert len(probe.packets("my film.mp4")[0].packets) == 20


def test_a_file_with_a_value_for_its_placeholder() -> None:
    Path("pipeline.gstp").write_text(
        "# snow or not\nvideotestsrc num-buffers=1 pattern={pattern:black}\n"
        "! video/x-raw,format=GRAY8,width=160,height=120\n! filesink location={out}\n"
    )
    seen = {}
    for pattern in ("black", "white", "snow"):
        assert launch("--file", "pipeline.gstp", f"--pattern={pattern}", "--out=out.gray").code == 0
        seen[pattern] = set(Path("out.gray").read_bytes())
    assert [max(seen["black"]), min(seen["white"])] in ([0, 255], [16, 235])
    assert len(seen["snow"]) > 50


def test_messages_are_printed_and_numbered() -> None:
    done = launch("-m", "videotestsrc num-buffers=3 ! fakesink")
    lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert [line.split(":")[0] for line in lines] == [f"message {n + 1}" for n in range(len(lines))]
    assert "eos from pipeline0" in done.out
    assert lines[0].endswith("state-changed from videotestsrc0: old=NULL, new=READY, pending=PLAYING")


def test_caps_are_printed_of_every_pad_once() -> None:
    done = launch("-v", f"videotestsrc num-buffers=3 ! {SMALL} ! x264enc ! fakesink")
    said = dict(line.split(": caps = ") for line in done.out.splitlines())
    assert list(said) == [
        *("videotestsrc0.src", "capsfilter0.sink", "capsfilter0.src"),
        *("x264enc0.sink", "x264enc0.src", "fakesink0.sink"),
    ]
    assert said["x264enc0.sink"] == "video/x-raw,format=I420,width=160,height=120,framerate=30/1"
    assert said["fakesink0.sink"].startswith("video/x-h264,")


def test_tags_are_printed() -> None:
    launch(f"videotestsrc num-buffers=3 ! {SMALL} ! x264enc ! matroskamux ! filesink location=a.mkv")
    done = launch("-t", "filesrc location=a.mkv ! decodebin name=d ! fakesink")
    assert "tags found by d:\n" in done.out
    assert "  video-codec: h264\n" in done.out


def test_quiet_says_no_warnings() -> None:
    text = "videotestsrc num-buffers=1 ! nvvideoconvert ! fakesink"
    assert "nvvideoconvert" in launch(text).err
    assert launch("-q", text) == Done(0, "", "")


def test_figures_at_the_end() -> None:
    done = launch("--stats", "videotestsrc num-buffers=7 ! fakesink")
    assert done.out == ""
    assert "videotestsrc0.video -> fakesink0.gate        7        0" in done.err


def test_pygst_launch_is_the_same_command() -> None:
    installed = Path(sys.executable).with_name("pygst-launch")
    done = subprocess.run(
        [installed, "videotestsrc", "num-buffers=2", "!", "fakesnk"],
        env=surroundings(), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "did you mean 'fakesink'" in done.stderr


def test_metadata_by_the_command_line() -> None:
    Path("extras.py").write_text(
        "class Producer:\n    def extract_metadata(self, pad, packet):\n        return pad.element.name\n"
        "class Consumer:\n    def incoming(self, value):\n        print('got', value, flush=True)\n"
    )
    text = "videotestsrc num-buffers=5 name=src ! fakesink"
    done = launch(text, "--obs=src", "--ext=extras:Producer", "--proc=extras.py:Consumer")
    assert done == Done(0, "got src\n" * 5, "")
    refused = launch(text, "--obs=scr", "--ext=extras:Producer")
    assert (refused.code, "did you mean 'src'?" in refused.err) == (2, True)
    refused = launch(text, "--obs=src", "--ext=extras:Prod")
    assert (refused.code, "did you mean 'Producer'?" in refused.err) == (2, True)
    assert launch(text, "--obs=src", "--ext=nowhere:X").code == 1
    assert launch(text, "--obs=src").code == 2


# What goes wrong

WRONG = {
    "unknown element": (["videotestsrc ! fakesnk"], 2, "line 1, column 16: no element is named 'fakesnk'"),
    "no pipeline": ([], 2, "a pipeline must be given"),
    "no file": (["--file", "none.gstp"], 1, "none.gstp: No such file or directory"),
    "a folder": (["--file", "."], 1, ".: Is a directory"),
    "no text": (["--file", "latin.gstp"], 1, "latin.gstp is no text"),
    "both": (["videotestsrc", "--file", "latin.gstp"], 2, "'videotestsrc' is one too many"),
    "unknown value": (["videotestsrc ! fakesink", "--pattern=x"], 2, "no placeholder is named 'pattern'"),
    "missing value": (["videotestsrc ! {sink}"], 2, "line 1, column 16: the placeholder {sink} has no value"),
    "unknown option": (["videotestsrc ! fakesink", "-x"], 2, "no option -x"),
    "missing source": (
        ["filesrc location=none.mp4 ! decodebin ! fakesink"], 1, "none.mp4: No such file or directory",
    ),
    "full disk": (
        [f"videotestsrc num-buffers=30 ! {SMALL} ! x264enc ! mp4mux ! filesink location=/dev/full"],
        1, "/dev/full: No space left on device",
    ),
    "does not fit": (
        ["videotestsrc num-buffers=1 ! audio/x-raw ! fakesink"], 1,
        "videotestsrc0.video (raw) does not fit capsfilter0: StreamType is Visual, wanted Audio",
    ),
    "no display": (
        ["videotestsrc num-buffers=3 ! autovideosink"], 1,
        "no display to show video on: neither DISPLAY nor WAYLAND_DISPLAY is set",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_once_with_its_exit_code(name: str) -> None:
    Path("latin.gstp").write_bytes(b"videotestsrc ! fakesink # \xff")
    words, code, message = WRONG[name]
    done = launch(*words)
    assert (done.code, done.out, done.err.splitlines()[0]) == (code, "", f"reelway: {message}")
    assert done.err.count("reelway: ") == 1


def test_the_place_is_shown_also_of_what_comes_up_on_opening() -> None:
    err = launch("videotestsrc num-buffers=1 ! audio/x-raw ! fakesink").err.splitlines()
    assert err[1] == "         videotestsrc num-buffers=1 ! audio/x-raw ! fakesink"
    assert err[2] == "         " + " " * 29 + "^" * len("audio/x-raw")


def test_without_a_display_the_way_out_is_named() -> None:
    hint = launch("videotestsrc num-buffers=3 ! autovideosink").err.splitlines()[-1]
    assert "xvfb-run" in hint
    assert "SDL_VIDEODRIVER=dummy" in hint


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux's device that is always full")
def test_stdout_that_is_full_ends_it_with_an_error() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command("launch", "-m", "videotestsrc ! fakesink"),
            env=surroundings(), stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "reelway: No space left on device\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("call", ["launch -m -v --stats", "run"])
def test_without_stdout_and_stderr_the_work_is_done_all_the_same(call: str, closed: str) -> None:
    assert (
        launch(f"videotestsrc num-buffers=3 ! {SMALL} ! x264enc ! matroskamux ! filesink location=a.mkv").code
        == 0
    )
    text = "filesrc location=a.mkv ! matroskademux ! mp4mux ! filesink location=b.mp4"
    words = command(*call.split(), *([text] if call != "run" else ["a.mkv", "b.mp4"]))
    done = subprocess.run(
        f"{shlex.join(words)} {closed}", shell=True, env=surroundings(),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    assert "Traceback" not in done.stdout + done.stderr
    assert len(probe.packets("b.mp4")[0].packets) == 3


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    with playing(f"{LIVE} ! fakesink") as it:
        assert it.stdout is not None
        it.stdout.close()
        it.send_signal(signal.SIGINT)  # what it says of that, nobody hears
        assert it.wait(30) in (0, 130)
        assert it.stderr is not None
        assert "Traceback" not in it.stderr.read()
        it.stdout = None


# Signals

TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.alone
@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, "reelway: interrupted\n"),
        (signal.SIGTERM, 143, ""),
        (signal.SIGHUP, 129, ""),  # the terminal was closed
    ],
)
@pytest.mark.parametrize("file", ["out.mp4", "out.mkv"])
def test_a_file_plays_after_a_signal(file: str, number: int, code: int, said: str) -> None:
    muxer = {"out.mp4": "mp4mux", "out.mkv": "matroskamux"}[file]
    text = f"{LIVE} ! x264enc tune=zerolatency ! {muxer} ! filesink location={file}"
    with playing(text) as process:
        wait_for_bytes(file, 4000)
        asked = time.monotonic()
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (code, said)
        assert time.monotonic() - asked < 5, "2 s are promised; the machine may be busy"
    assert len(probe.packets(file)[0].packets) > 5


def test_eos_on_shutdown_keeps_all_that_was_under_way() -> None:
    text = f"{LIVE} ! x264enc ! mp4mux ! filesink location=out.mp4"  # 40 pictures wait in the encoder
    with playing("-e", text) as process:
        wait_for_bytes("out.mp4", 4000)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, "reelway: interrupted\n")
    assert "eos from pipeline0" in out
    times = sorted(packet.pts for packet in probe.packets("out.mp4")[0].packets)
    steps = {later - earlier for earlier, later in pairwise(times)}
    assert len(times) > 40, "those that waited in the encoder are missing"
    assert len(steps) == 1


@pytest.mark.alone
def test_a_second_signal_stops_at_once() -> None:
    with playing("-e", f"{LIVE} ! identity sleep-time=300000 ! queue ! fakesink sync=true") as process:
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert process.returncode in (130, 143)
        assert "Traceback" not in errors
        assert time.monotonic() - asked < 5


def test_a_terminal_that_is_closed_leaves_a_file_that_plays() -> None:
    text = f"{LIVE} ! x264enc tune=zerolatency ! mp4mux ! filesink location=out.mp4"
    terminal, end = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, *command("launch", "-m", "-v", text)],
        env=surroundings(), stdin=end, stdout=end, stderr=end, start_new_session=True,
    )  # fmt: skip
    os.close(end)
    wait_for_bytes("out.mp4", 4000)
    os.close(terminal)
    assert process.wait(20) == 129
    assert len(probe.packets("out.mp4")[0].packets) > 5


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_without_end_change_nothing_any_more(number: int, code: int) -> None:
    with playing(f"{LIVE} ! x264enc tune=zerolatency ! mp4mux ! filesink location=out.mp4") as process:
        wait_for_bytes("out.mp4", 4000)
        until = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < until:
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.01)
        assert process.returncode == code
    assert len(probe.packets("out.mp4")[0].packets) > 5


@pytest.mark.alone
def test_a_source_that_waits_for_ever_is_not_waited_for() -> None:
    os.mkfifo("pipe")
    process = subprocess.Popen(
        command("launch", "-e", "filesrc location=pipe ! tsdemux name=d ! fakesink"),
        env=surroundings(), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with open("pipe", "wb"):  # as soon as it reads
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "[app] warning: d still waits, 3 s after the end was asked for\n" in errors
    assert errors.endswith("reelway: interrupted\n")
    assert time.monotonic() - asked < 10, "3 s and 2 s are promised; the machine may be busy"


@pytest.mark.alone
def test_an_endless_pipeline_stops_within_two_seconds() -> None:
    with playing("videotestsrc ! fakesink") as process:
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert process.returncode == 130
        assert time.monotonic() - asked < 4, "2 s are promised; the machine may be busy"


# Drawing

TREE = (
    f"videotestsrc num-buffers=9 ! {SMALL} ! tee name=t t. ! queue ! x264enc ! mp4mux ! "
    "filesink location=out.mp4 t. ! video/x-raw,format=RGB ! fakesink"
)


def graph(*words: object) -> Done:
    done = run_apart("graph", *words)
    assert "Traceback" not in done.err
    return done


@pytest.mark.debian("graphviz")
@pytest.mark.parametrize(
    ("file", "start"),
    [
        ("g.dot", b"digraph"), ("g.gv", b"digraph"), ("g.svg", b"<?xml"), ("g.png", b"\x89PNG"),
        ("g.mmd", b"flowchart"), ("g.json", b"{"), ("g.txt", b"videotestsrc0"),
    ],
)  # fmt: skip
def test_a_graph_in_every_form_and_nothing_else_is_written(file: str, start: bytes) -> None:
    assert graph(TREE, "-o", file) == Done(0, "", "")
    assert Path(file).read_bytes().startswith(start)
    assert [path.name for path in Path().iterdir()] == [file]
    if file.endswith((".dot", ".gv")):
        subprocess.run(["dot", "-Tsvg", "-o", "drawn.svg", file], check=True, timeout=60)
        assert "x264enc0" in Path("drawn.svg").read_text()
    if file.endswith(".json"):
        assert "mp4mux0" in json.dumps(json.loads(Path(file).read_text()))


def test_a_graph_on_stdout_shows_converters_and_what_will_flow() -> None:
    done = graph(TREE)
    assert (done.code, done.err) == (0, "")
    assert "convert" in done.out
    assert "h264, 160x120, 30 fps; 0 packets" in done.out
    assert not list(Path().iterdir())


def test_a_graph_after_playing_has_figures() -> None:
    done = graph(TREE, "--after=0.2")
    assert done.code == 0
    assert "; 9 packets" in done.out


def test_without_graphviz_a_clear_word(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("empty").mkdir()
    monkeypatch.setenv("PATH", str(Path("empty").resolve()))
    done = graph(TREE, "-o", "g.svg")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "reelway: g.svg is drawn by Graphviz, and its program `dot` is not installed\n"
        "         install it (apt-get install graphviz), or write .dot, .mmd or .json\n"
    )
    assert graph(TREE, "-o", "g.dot").code == 0


def test_an_ending_that_says_no_form() -> None:
    done = graph(TREE, "-o", "g.xyz")
    assert (done.code, "'g.xyz'" in done.err) == (2, True)


@pytest.mark.debian("graphviz")
@pytest.mark.parametrize("name", ["GST_DEBUG_DUMP_DOT_DIR", "REELWAY_DUMP_DOT_DIR"])
def test_each_change_of_state_is_drawn(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("dots").mkdir()
    monkeypatch.setenv(name, "dots")
    assert launch("videotestsrc num-buffers=9 ! x264enc ! fakesink") == Done(0, "", "")
    files = sorted(Path("dots").iterdir())
    assert [path.name.split("-launch.")[1] for path in files] == [
        "READY_PAUSED.dot", "PAUSED_PLAYING.dot", "PLAYING_PAUSED.dot",
    ]  # fmt: skip
    for path in files:
        drawn = subprocess.run(["dot", "-Tsvg", path], capture_output=True, check=True, timeout=60)
        assert b"x264enc0" in drawn.stdout


def test_a_folder_for_graphs_that_is_missing_is_said_once_and_it_plays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GST_DEBUG_DUMP_DOT_DIR", "/nowhere")
    done = launch("videotestsrc num-buffers=9 ! fakesink")
    assert done.code == 0
    assert done.err.count("no graphs are drawn: ") == 1


def test_a_text_that_links_nothing_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reelway", "launch", "videotestsrc num-buffers=3 fakesink"],
        cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "nothing is linked to videotestsrc0" in done.stderr
    assert "put `!` between videotestsrc and what it feeds" in done.stderr
