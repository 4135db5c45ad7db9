"""What newcomers get wrong, each told in words; what plan, run and tracebacks then say."""

import logging
import traceback
from pathlib import Path

import pytest

import reelway as rw
import reelway.compat.libgpac as gpac
from reelway import catalog
from reelway.graph.resolve import Conversion
from tests.media import make, probe


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
    secret = "q7xhunter2"
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
        (dict, "the class dict is no filter"),
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


@pytest.mark.parametrize("selector", ["PID=1", "audio"])
def test_a_selector_without_its_sign_is_refused(selector: str, tmp_path: Path) -> None:
    with rw.Session() as session:
        source, sink = (
            session.load_src(str(make.media("film.mp4"))),
            session.load_dst(str(tmp_path / "o.mp4")),
        )
        with pytest.raises(rw.OptionError, match="selects nothing") as caught:
            sink.set_source(source, selector)
    assert caught.value.hint == f"a selector begins with #: '#{selector}'"


def test_words_that_a_session_does_not_know_are_refused() -> None:
    with pytest.raises(rw.OptionError, match="unlinked is 'maybe'"):
        rw.Session(unlinked="maybe")  # type: ignore[arg-type]
    with rw.Session() as session, pytest.raises(rw.OptionError, match="no flush 'bogus'"):
        session.stop("bogus")  # type: ignore[arg-type]
    with rw.Session(blacklist="mux") as session, pytest.raises(rw.UnknownNameError, match="blacklisted"):
        session.load_dst("out.mp4")


def test_what_comes_too_late_is_told_so(tmp_path: Path) -> None:
    with rw.Session() as session:
        source = session.load_src(str(make.media("film.mp4")))
        source >> session.load_dst(str(tmp_path / "out.mp4"))

        def late() -> None:
            with pytest.raises(rw.StateError, match="nobody is not in this session"):
                source >> Pass(name="nobody")

        session.post(late)
        session.run()
        with pytest.raises(rw.StateError, match="this session is over"):
            session.load_src(str(make.media("film.mp4")))


class Quicker(Pass):
    """Changes the timescale in the middle of the stream; the times stay the same."""

    def process(self) -> None:
        for pid in self.ipids:
            output, ticks = pid.output, pid.properties["Timescale"]
            assert output is not None
            for packet in pid:
                pid.data = (pid.data or 0) + 1
                if pid.data == 50:
                    output.set(Timescale=ticks * 3)
                if pid.data >= 50:
                    assert packet.dts is not None
                    assert packet.cts is not None
                    packet.dts, packet.cts = packet.dts * 3, packet.cts * 3
                    packet.duration = (packet.duration or 0) * 3
                output.send(packet)


@pytest.mark.parametrize("target", ["mp4", "mkv", "ts"])
def test_another_timescale_in_mid_stream_moves_nothing(target: str, tmp_path: Path) -> None:
    plain, changed = tmp_path / f"plain.{target}", tmp_path / f"changed.{target}"
    rw.run(str(make.media("film.mp4")), str(plain))
    rw.run(str(make.media("film.mp4")), str(changed), Quicker())
    assert probe.packets(changed) == probe.packets(plain)


def test_another_codec_in_mid_stream_is_an_error(tmp_path: Path) -> None:
    class Lies(Pass):
        def process(self) -> None:
            super().process()
            if self.opids and self.opids[0].packets_sent:
                self.opids[0].set(CodecID="hevc")

    with pytest.raises(rw.LinkError, match=r"Lies\.video1 becomes hevc, but .* was begun with h264"):
        rw.run(str(make.media("film.mp4")), str(tmp_path / "out.mp4"), Lies())


class Returns(Pass):
    """Returns something odd after a few turns."""

    what: object = None

    def process(self) -> float | None:
        super().process()
        return self.what  # type: ignore[return-value]


class Yields(Pass):
    """Is written as a generator, which process() is not."""

    def process(self) -> None:  # type: ignore[override]
        yield 1  # type: ignore[misc]


@pytest.mark.parametrize("what", ["soon", float("nan"), float("inf"), [], "generator"])
def test_what_is_no_delay_is_told_of_its_filter(what: object, tmp_path: Path) -> None:
    odd: Pass = Yields() if what == "generator" else Returns()
    if isinstance(odd, Returns):
        odd.what = what
    out = tmp_path / "out.ts"
    with pytest.raises(rw.FilterError, match=f"'{odd.name}' failed .* which is no delay") as caught:
        rw.run(str(make.media("film.mp4")), str(out), odd)
    assert "it does not yield" in str(caught.value.hint)
    if isinstance(odd, Returns):
        assert len(probe.counters(out)) > 0


@pytest.mark.parametrize("what", [b"garbage", None])
@pytest.mark.parametrize("early", [True, False])
def test_what_is_no_packet_is_told_of_its_filter(what: object, early: bool, tmp_path: Path) -> None:
    class Garbage(Pass):
        def configure(self, pid: rw.Link) -> None:
            super().configure(pid)
            if early:
                pid.output.send(what)  # type: ignore[union-attr, arg-type]

        def process(self) -> None:
            super().process()
            self.opids[0].send(what)  # type: ignore[arg-type]

    with pytest.raises(rw.FilterError, match="'Garbage' failed"):
        rw.run(str(make.media("film.mp4")), str(tmp_path / "out.ts"), Garbage())


def test_two_tasks_of_libgpac_that_return_nothing_end_with_the_filters(tmp_path: Path) -> None:
    session = gpac.FilterSession()
    session.load_src(str(make.media("film.mp4")))
    session.load_dst(str(tmp_path / "out.ts"))
    calls = [0, 0]

    class Counts(gpac.FilterTask):
        def __init__(self, number: int) -> None:
            super().__init__(f"task{number}")
            self.number = number

        def execute(self) -> None:
            calls[self.number] += 1

    for number in range(2):
        session.post(Counts(number))
    session.run()
    session.delete()
    assert min(calls) > 0
    assert probe.counters(tmp_path / "out.ts") == list(range(100))


def test_an_option_may_be_called_as_a_parameter_is(tmp_path: Path) -> None:
    with rw.Session() as session:
        assert session.load("text", text="Hi").name == "text"
        assert vars(session.load("mux", dst=tmp_path / "o.mp4", text="none"))["text"] == "none"


@pytest.mark.parametrize(
    ("inputs", "message", "hint"),
    [
        (rw.Caps(StreamType="Visual"), "Mine.inputs is one Caps, must be a list of them", "[rw.Caps(...)]"),
        (["Visual"], "Mine.inputs has 'Visual', which is no Caps", "[rw.Caps(StreamType='Visual')]"),
        ("Audio", "Mine.inputs is 'Audio', must be a list of Caps", "[rw.Caps(StreamType='Audio')]"),
        (None, "Mine.inputs is None, must be a list of Caps", "[rw.Caps(StreamType='Visual')]"),
    ],
)
def test_inputs_that_are_no_list_of_caps(inputs: object, message: str, hint: str) -> None:
    class Mine(rw.Filter):
        def process(self) -> None: ...

    Mine.inputs = inputs  # type: ignore[assignment]
    mine = Mine()
    with rw.Session() as session:
        for _ in range(2):  # it was not taken: the same is said again
            with pytest.raises(rw.OptionError) as raised:
                session.add(mine)
            assert str(raised.value) == message
            assert hint in str(raised.value.hint)


def test_sending_without_an_output_is_told() -> None:
    class Forgetful(rw.Filter):
        inputs = (rw.Caps(StreamType="Visual"),)
        outputs = (rw.Caps(StreamType="Visual"),)

        def configure(self, pid: rw.Link) -> None: ...

        def process(self) -> None:
            for pid in self.ipids:
                for packet in pid:
                    pid.output.send(packet)  # type: ignore[union-attr]

    with rw.Session() as session:
        session.load_src(make.media("film.mp4")).video >> session.add(Forgetful()) >> session.load("null")
        with pytest.raises(rw.FilterError) as raised:
            session.run()
    assert "self.new_pid(of=pid)" in str(raised.value.hint)


@pytest.mark.parametrize(
    ("selector", "wanted", "told"),
    [
        ("video", {"Width": rw.Not(320)}, "Width is 320, wanted not 320"),
        ("video", {"Height": 0}, "Height is 240, wanted 0"),
        ("video", {"FPS": 0}, "FPS is 25, wanted 0"),
        ("audio", {"SampleRate": 0}, "SampleRate is 48000, wanted 0"),
        ("audio", {"NumChannels": 0}, "NumChannels is 2, wanted 0"),
    ],
)
def test_what_no_converter_makes_is_an_error_at_once(
    selector: str, wanted: dict[str, object], told: str
) -> None:
    class Picky(Single):
        inputs = [rw.Caps(CodecID="raw", **wanted)]

    with rw.Session() as session:
        getattr(session.load_src(str(make.media("film.mp4"))), selector) >> session.add(Picky())
        with pytest.raises(rw.LinkError, match=told):
            session.run()


class Stubborn(rw.Filter):
    """Promises, and does not do it."""

    registry_name = "stubborn"
    kind = "stubborn"
    inputs = [rw.Caps(Colour="red")]
    conversions = (Conversion(inputs[0], rw.Caps(Colour="blue")),)

    def configure(self, pid: rw.Link) -> None:
        if pid.output is None:
            self.new_pid(of=pid).copy_properties(pid)

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                self.opids[0].send(packet)


def test_a_converter_that_does_not_do_it_is_put_in_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Red(rw.Filter):
        outputs = [rw.Caps(Colour="red")]

        def process(self) -> float | None:
            if not self.opids:
                self.new_pid(Colour="red")
                return 0.0
            self.opids[0].end()
            return None

    class Blue(Single):
        inputs = [rw.Caps(Colour="blue")]

    monkeypatch.setitem(catalog.CONVERTERS, "stubborn", 1)
    monkeypatch.setattr(
        catalog, "find", lambda name, find=catalog.find: Stubborn if name == "stubborn" else find(name)
    )
    with rw.Session() as session:
        session.add(Red()) >> session.add(Blue())
        with pytest.raises(rw.LinkError, match="stubborn.* does not fit Blue: Colour is red, wanted blue"):
            session.run()
    assert sum(isinstance(each, Stubborn) for each in session.filters) == 1
