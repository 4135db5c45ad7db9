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


class Pass(rw.Filter):
    """Passes packets on."""

    inputs = [rw.Caps()]
    outputs = [rw.Caps()]

    def configure(self, pid: rw.Link) -> None:
        if pid.output is None:
            self.new_pid(of=pid)

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                pid.output.send(packet)  # type: ignore[union-attr]


class Forgetful(Pass):
    """Does not call Filter's own __init__()."""

    def __init__(self) -> None:
        pass


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Pass, "the class Pass is no filter"),
        (None, "None is no filter"),
        (Forgetful(), r"Forgetful\.__init__\(\) did not call Filter's"),
    ],
)
def test_what_is_no_filter_is_told_so(wrong: rw.Filter, message: str) -> None:
    with rw.Session() as session, pytest.raises(rw.ReelwayError, match=message) as caught:
        session.add(wrong)
    assert caught.value.hint


def test_filters_of_two_sessions_are_not_linked(tmp_path: Path) -> None:
    with rw.Session() as one, rw.Session() as other:
        source, sink = one.load_src(str(make.media("film.mp4"))), other.load_dst(str(tmp_path / "out.mp4"))
        for consumer in (sink, Pass(), "out.mp4"):
            with pytest.raises(rw.StateError, match="is not in this session"):
                source >> consumer  # type: ignore[operator]


def test_one_file_is_not_written_twice_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with rw.Session() as session:
        source = session.load_src(str(make.media("film.mp4")))
        source.video >> session.load_dst("out.mp4")
        source.audio >> session.load_dst("./out.mp4")
        with pytest.raises(rw.OptionError, match="is written by mux and by mux2"):
            session.run()
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize("option", ["xs=inf", "xs=nan", "xe=inf", "xs=1e400", "speed=1e400", "speed=inf"])
def test_a_time_without_end_is_no_time(option: str) -> None:
    with rw.Session() as session, pytest.raises(rw.OptionError):
        session.load(f"reframer:{option}")
