"""What plan, run and tracebacks tell: PIDs beyond a limit, progress asked for early, no password."""

import logging
import traceback
from pathlib import Path

import pytest

import reelway as rw
from tests.media import make


class Single(rw.Filter):
    """Takes one PID."""

    inputs = [rw.Caps()]
    max_inputs = 1

    def process(self) -> None:
        for pid in self.ipids:
            for _ in pid:
                pass


def test_a_pid_beyond_the_limit_goes_nowhere_in_plan_and_run(caplog: pytest.LogCaptureFixture) -> None:
    with rw.Session(unlinked="warn", threads=0) as session:
        session.load_src(str(make.media("film.mp4")))
        single = session.add(Single())
        plan = session.explain()
        assert [stream.name for stream in plan.unlinked] == ["audio1"]
        session.run()
    assert [link.name for link in single.ipids] == ["video1"]
    assert [(record.levelno, "demux.audio1" in record.message) for record in caplog.records] == [
        (logging.WARNING, True)
    ]


def test_it_is_an_error_where_asked_for() -> None:
    with rw.Session(unlinked="error", threads=0) as session:
        session.load_src(str(make.media("film.mp4")))
        session.add(Single())
        with pytest.raises(rw.LinkError, match="audio1 .* goes nowhere"):
            session.run()


def test_asking_for_progress_first_silences_nobody(tmp_path: Path) -> None:
    heard: list[rw.Progress] = []
    with rw.Session(on_progress=heard.append) as session:
        session.load_src(str(make.media("film.mp4")))
        session.load_dst(str(tmp_path / "out.ts"))
        session.progress()
        session.run()
    assert heard


def test_no_traceback_tells_a_password(tmp_path: Path) -> None:
    secret = "hunter2"
    url = "http://user:" + secret + "@127.0.0.1:1/film.ts"  # a traceback quotes lines of the program
    with pytest.raises(rw.OpenError) as caught:
        rw.run(url, str(tmp_path / "out.ts"))
    told = "".join(traceback.format_exception(caught.value))
    assert "127.0.0.1" in told
    assert secret not in told
