"""How far a session is, and that looking changes nothing."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import reelway as rw
from reelway.session.progress import Progress, clock, pace
from tests.cli.conftest import surroundings
from tests.media import make


class Slow(rw.Filter):
    """Passes a few packets at a time, so that there is something to watch."""

    inputs = (rw.Caps(),)
    pause: float = rw.option(0.01, help="seconds after each packet")

    def process(self) -> float | None:
        for pid in self.ipids:
            if pid.get() is not None:
                return self.pause
        return None


def test_it_rises_to_the_end(film: str) -> None:
    make.long_film("long.mp4", 600, source=film)
    seen: list[Progress] = []
    with rw.Session() as session:
        session.load_src("long.mp4")
        session.load_dst("null")
        session.watch(
            lambda: seen.append(session.progress()) or 0.002, at_end=lambda: seen.append(session.progress())
        )
        session.run()
        assert session.completed
    positions = [each.position_s for each in seen if each.position_s is not None]
    assert positions == sorted(positions)
    assert seen[-1].position_s == seen[-1].duration_s == 600
    assert seen[-1].fraction == 1.0
    assert len({round(position) for position in positions}) > 5, "it was seen on its way"


@pytest.mark.parametrize("name", ["film.ts", "film.mkv"])
def test_containers_that_do_not_count_their_frames(name: str, film: str) -> None:
    rw.run(film, name)
    seen: list[float] = []
    with rw.Session() as session:
        source = session.load_src(name)
        source.video >> session.add(Slow(pause=0.0))
        session.link()

        def look() -> float:
            position = session.progress().position_s
            if position is not None:
                seen.append(position)
            return 0.0

        session.watch(look)
        session.run()
    assert seen == sorted(seen)
    assert seen[0] >= 0
    assert seen[-1] == pytest.approx(2.0, abs=0.1)


def test_a_callback_hears_of_the_end_once(film: str) -> None:
    heard: list[Progress] = []
    with rw.Session(on_progress=heard.append) as session:
        session.load_src(film)
        session.load_dst("null")
        session.run()
    assert [each.fraction for each in heard][-1] == 1.0
    assert sum(each.fraction == 1.0 for each in heard) == 1


def test_a_stopped_session_is_not_at_its_end(film: str) -> None:
    heard: list[Progress] = []
    with rw.Session(on_progress=heard.append) as session:
        source = session.load_src(film)
        source.video >> session.add(Slow(pause=0.5))
        session.post(session.stop, 0.05)
        session.run()
        assert not session.completed
    assert heard[-1].fraction is None or heard[-1].fraction < 1.0


def test_two_who_watch_and_a_task_that_waits_for_the_last_do_not_keep_it_alive(film: str) -> None:
    calls = 0

    def last() -> float:
        nonlocal calls
        calls += 1
        return -1.0 if session.last_task else 0.001

    with rw.Session() as session:
        session.load_src(film)
        session.load_dst("null")
        session.watch(lambda: 0.001)
        session.watch(lambda: 0.001)
        session.post(last)
        stuck = threading.Timer(30, session.stop)
        stuck.start()
        session.run()
        stuck.cancel()
        assert session.completed
    assert calls


def test_values() -> None:
    assert str(Progress(30.0, 120.0, 2.0)) == "0:30 of 2:00, 25%, 15x"
    assert str(Progress(None, None, 2.0)) == "-"
    assert Progress(10.0, None, 0.0).speed is None
    assert Progress(130.0, 120.0, 1.0).fraction == 1.0
    assert clock(3723.9) == "1:02:03"
    assert (pace(0.5), pace(12.345), pace(1234.5)) == ("0.5x", "12.3x", "1234x")


PROGRAM = """
import reelway as rw
class Slow(rw.Filter):
    inputs = (rw.Caps(),)
    def process(self):
        for pid in self.ipids:
            if pid.get() is not None:
                return 0.03
with rw.Session() as session:
    source = session.load_src("film.mp4")
    source.video >> session.add(Slow())
    session.run(progress=True)
print("done")
"""


@pytest.mark.usefixtures("film")
def test_a_bar_is_drawn_on_a_terminal() -> None:
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=surroundings() | {"TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    )
    os.close(terminal)
    shown = b""
    with open(main, "rb", buffering=0) as screen:
        try:
            while part := screen.read(4096):
                shown += part
        except OSError:  # Linux's word for the end of a terminal
            pass
    assert process.wait(60) == 0
    text = shown.decode()
    assert "100%" in text
    assert "0:02 / 0:02" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l"), "the cursor came back"


@pytest.mark.usefixtures("film")
def test_elsewhere_nothing_is_drawn() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=surroundings(), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    assert Path("film.mp4").exists()


@pytest.mark.usefixtures("film")
def test_a_terminal_that_is_closed_stops_the_bar_and_not_the_work() -> None:
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=surroundings() | {"TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    )
    os.close(terminal)
    assert os.read(main, 1)  # it draws
    os.close(main)
    assert process.wait(60) == 0
