"""Whatever goes wrong: one clear line, perhaps a hint below it, the right exit code, and nothing else."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from reelway.cli import main
from tests.cli.conftest import Done, command, run_apart, surroundings
from tests.media import make

Run = Callable[..., Done]

CALLS = {
    "missing file": (
        "run missing.mp4 out.ts", 1,
        "missing.mp4: No such file or directory", "check the path",
    ),
    "a directory": ("run folder out.ts", 1, "folder: Is a directory", None),
    "an empty file": ("run empty.mp4 out.ts", 1, "empty.mp4 is empty", "there is nothing in it to read"),
    "text": (
        "run text.mp4 out.ts", 1,
        "text.mp4 holds no media that FFmpeg can read", "it looks like text",
    ),
    "cut in the middle": (
        "run cut.mp4 out.ts", 1,
        "cut.mp4 holds no media that FFmpeg can read",
        "its index (moov) is missing: the recording was cut off before it was finished",
    ),
    "nobody listens": (
        "run http://127.0.0.1:{port}/x out.ts", 1,
        "http://127.0.0.1:{port}/x: Connection refused", "check the address, and whether the server runs",
    ),
    "a password": (
        "run rtsp://user:q7xsecret@127.0.0.1:{port}/x out.ts", 1,
        "rtsp://user:***@127.0.0.1:{port}/x: Connection refused",
        "check the address, and whether the server runs",
    ),
    "a password, writing": (
        "run film.mp4 rtmp://user:q7xsecret@127.0.0.1:{port}/x:format=flv", 1,
        "rtmp://user:***@127.0.0.1:{port}/x: Connection refused",
        "check the address, and whether the server runs",
    ),
    "a protocol that is not there": (
        "run nonsense://x out.ts", 1,
        "this build of FFmpeg cannot open nonsense: addresses (nonsense://x)", "see `reelway doctor`",
    ),
    "unknown filter": (
        "run film.mp4 out.ts tea", 2,
        "no filter is named 'tea'", "did you mean 'tee'? `reelway filters` lists them all",
    ),
    "unknown option of a filter": (
        "run film.mp4 out.ts tee:on_eror=skip", 2,
        "Tee has no option 'on_eror'", "did you mean 'on_error'?",
    ),
    "bad value": (
        "run film.mp4 out.ts tee:on_error=stp", 2,
        "Tee.on_error: 'stp' is not one of stop, skip", "did you mean 'stop'?",
    ),
    "unknown ending": (
        "run film.mp4 out.xyz", 2,
        "the name out.xyz says no container format",
        "give it an ending such as .mp4, .mkv or .ts, or the option format=",
    ),
    "destination folder missing": (
        "run film.mp4 none/out.ts", 1, "none/out.ts: No such file or directory", "check the path",
    ),
    "disk full": ("run film.mp4 /dev/full:format=mpegts", 1, "/dev/full: No space left on device", None),
    "source and destination the same": (
        "run film.mp4 other-name.mp4", 2,
        "other-name.mp4 is read and written at once", "write to another name, and rename it when it is done",
    ),
    "container that cannot hold the codec": (
        "run film.mp4 out.webm", 1,
        "webm cannot hold h264 (demux.video1), aac (demux.audio1)",
        ("choose another container: mp4 or mkv or ts or mov or flv would do; "
        "or encode, with audio=opus and video=vp9"),
    ),
    "container of sound": (
        "run film.mp4 out.mp3", 1,
        "mp3 cannot hold h264 (demux.video1), aac (demux.audio1)",
        ("choose another container: mp4 or mkv or ts or mov or flv would do; "
        "or encode, with audio=mp3, and leave video out, with the option video=none"),
    ),
    "container of pictures": (
        "run film.mp4 out.gif decode", 1,
        "gif cannot hold aac (decode.audio1)",
        "choose another container: mkv or mov would do; or leave audio out, with the option audio=none",
    ),
    "pictures that are not encoded": (
        "run film.mp4 out%03d.png --audio=none", 1,
        "image2 cannot hold h264 (demux.video1)",
        "choose another container: mp4 or mkv or ts or mov or flv would do; or encode, with video=png",
    ),
    "sending without a container": (
        "run film.mp4 udp://127.0.0.1:9", 2,
        "the name udp://127.0.0.1:9 says no container format",
        "name one behind it, as in :format=mpegts, or with the option format=",
    ),
    "publishing without a container": (
        "run film.mp4 rtmp://127.0.0.1/live/q7xsecret", 2,
        "the name rtmp://127.0.0.1/live/*** says no container format",
        "name one behind it, as in :format=flv, or with the option format=",
    ),
    "existing file": (
        "run film.mp4 text.mp4 --no-overwrite", 2,
        "text.mp4 exists", "leave --no-overwrite out to write over it",
    ),
    "session option": (
        "run film.mp4 out.ts --timeot_s=3", 2,
        "no option --timeot_s of `reelway run` or of any filter",
        "did you mean '--timeout_s' or '--timeout'?",
    ),
    "session option without value": (
        "run film.mp4 out.ts --timeout_s", 2,
        "--timeout_s: 'true' is not a number", "write --timeout_s=VALUE",
    ),
    "threads": ("run film.mp4 out.ts --threads=-1", 2, "threads is -1, must be 0 or more", None),
    "policy": (
        "run film.mp4 out.ts --policy=drop", 2,
        "no link policy 'drop'", "one of block, drop_oldest, drop_newest, latest, fresh, drop_to_keyframe",
    ),
    "tool": ("run film.mp4 null --log=dahs@info", 2, "no log tool is named 'dahs'", "did you mean 'dash'?"),
    "level": ("run film.mp4 null --log=dash@inf", 2, "no log level is named 'inf'", "did you mean 'info'?"),
    "form of the graph": (
        "run film.mp4 out.ts --graph=out.xyz", 2,
        "the name 'out.xyz' does not say how to draw the graph",
        "give it one of the endings .dot, .gv, .mmd, .json, .txt, .svg, .png",
    ),
    "no destination": ("run film.mp4", 2, "DST must be given", "reelway run SRC DST [FILTER]..."),
    "short option": ("run film.mp4 out.ts -x", 2, "no option -x", "`reelway run --help` lists what there is"),
    "command": ("rnu film.mp4 out.ts", 2, "no command 'rnu'", "did you mean run?"),
    "option of inspect": ("inspect film.mp4 --jsn", 2, "no option --jsn", "did you mean --json?"),
    "too much to inspect": ("inspect a b", 2, "'b' is one too many", "reelway inspect URL [options]"),
    "missing script": ("script nope.py", 1, "no script at 'nope.py'", None),
}  # fmt: skip


@pytest.fixture
def folder(film: Path) -> Path:
    Path("folder").mkdir()
    Path("empty.mp4").touch()
    Path("text.mp4").write_text("This is a letter, not a film.\n")
    make.cut(film, "cut.mp4", 0.5)
    Path("other-name.mp4").hardlink_to(film)
    return film.parent


@pytest.fixture(scope="module")
def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize("call", CALLS, ids=str)
@pytest.mark.usefixtures("folder")
def test_failure_is_said_in_one_line_and_a_hint(call: str, reelway: Run, closed_port: int) -> None:
    words, code, message, hint = CALLS[call]
    lines = [f"reelway: {message}", *([f"         {hint}"] if hint else [])]
    done = reelway(*words.format(port=closed_port).split())
    assert done.err == "\n".join(lines).format(port=closed_port) + "\n"
    assert done.code == code
    assert done.out == ""
    assert "secret" not in done.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux's device that is always full")
@pytest.mark.parametrize("form", ["mpegts", "mp4", "matroska"])
def test_full_disk_is_never_taken_for_success(form: str, film: Path, reelway: Run) -> None:
    done = reelway("run", film, f"/dev/full:format={form}")
    assert (done.code, done.err) == (1, "reelway: /dev/full: No space left on device\n")


def test_read_only_destination(film: Path, reelway: Run) -> None:
    target = "/proc/out.ts"  # where not even root makes files
    done = reelway("run", film, target)
    assert done.code == 1
    assert done.err.startswith(f"reelway: {target}: ")


def test_source_survives_being_its_own_destination(film: Path, reelway: Run) -> None:
    before = film.read_bytes()
    Path("link.mp4").symlink_to(film)
    assert reelway("run", film, "link.mp4").code == 2
    assert film.read_bytes() == before


def test_a_missing_source_leaves_the_destination_alone(film: Path, reelway: Run) -> None:
    before = film.read_bytes()
    assert reelway("run", "missing.ts", film).code == 1
    assert film.read_bytes() == before


def test_our_own_mistake_is_called_one(film: Path, reelway: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by rtsp://user:q7xsecret@host/x")

    monkeypatch.setattr("reelway.session.session.Session.load_src", fail)
    done = reelway("run", film, "out.ts")
    assert done == Done(
        1,
        "",
        "reelway: ZeroDivisionError: division by rtsp://user:***@host/x\n"
        "         this is a bug in Reelway; run it again with --debug and report what it prints\n",
    )


def test_a_filter_of_ours_that_fails_is_our_mistake_too(
    film: Path, reelway: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reelway.filters.simple import Forward

    monkeypatch.setattr(Forward, "new_pid", lambda *_, **__: None.nothing)  # type: ignore[attr-defined]
    done = reelway("run", film, "null", "tee")
    assert done.code == 1
    assert "filter 'tee' failed on pid 'video1' at " in done.err
    assert "Traceback" not in done.err


def test_debug_shows_the_traceback_without_secrets(closed_port: int, reelway: Run) -> None:
    done = reelway("inspect", f"rtsp://user:q7xsecret@127.0.0.1:{closed_port}/x", "--debug")
    assert done.code == 1
    assert "Traceback (most recent call last):" in done.err
    assert "secret" not in done.err


def test_a_process_of_its_own_says_the_same(film: Path) -> None:
    assert run_apart("run", "missing.mp4", "out.ts") == Done(
        1, "", "reelway: missing.mp4: No such file or directory\n         check the path\n"
    )


def test_a_trace_is_closed_after_a_refusal(film: Path) -> None:
    done = run_apart("run", film, "out.ts", "tea", "--trace=trace.json")
    assert (done.code, done.err.splitlines()[0]) == (2, "reelway: no filter is named 'tea'")
    assert Path("trace.json").read_text().endswith("]\n")


def test_stdout_that_is_full(film: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command("inspect", film),
            env=surroundings(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("form", ["matroska", "mpegts"])
@pytest.mark.parametrize("stdout", [True, False])
def test_a_reader_that_went_away(stdout: bool, form: str, film: Path) -> None:
    """Of stdout it is none of our business; of another pipe it is a failure."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        done = subprocess.run(
            command("run", film, f"{'-' if stdout else f'pipe:{write}'}:format={form}"),
            stdout=pipe if stdout else None,
            stderr=subprocess.PIPE,
            pass_fds=[write],
            env=surroundings(),
            text=True,
        )
    said = "" if stdout else f"reelway: pipe:{write}: Broken pipe\n"
    assert (done.returncode, done.stderr) == (int(not stdout), said)


def test_main_never_raises_for_a_wrong_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--nonsense"]) == 2
    assert (
        capsys.readouterr().err
        == "reelway: no option '--nonsense'\n         `reelway --help` lists the commands\n"
    )
