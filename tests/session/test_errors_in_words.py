"""What a session refuses, word for word: the line, and the hint that mends it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import reelway as rw


class French(rw.Filter):
    inputs = (rw.Caps(StreamType="Visual", CodecID="h264", Language=("fr", "fr-CA")),)


class Two(rw.Filter):
    inputs = (
        rw.Caps(StreamType="Visual", CodecID="vvc"),
        rw.Caps(StreamType="Audio", CodecID=("amr_wb", "qcelp")),
    )


class Idle(rw.Filter):
    inputs = (rw.Caps(),)

    def process(self) -> None:
        pass


class Unlucky(rw.Filter):
    inputs = (rw.Caps(),)

    def configure(self, pid: rw.Link) -> None:
        raise ValueError("no luck with http://user:q7xsecret@host/")


Case = Callable[[rw.Session], object]


def wrong_property(session: rw.Session) -> None:
    session.load_src("film.mp4") >> session.add(French())
    session.link()


def wrong_codec(session: rw.Session) -> None:
    session.load_src("film.mp4") >> session.add(Two())
    session.link()


def container_cannot_hold(session: rw.Session) -> None:
    session.load_src("film.mp4")
    session.load_dst("out.webm")
    session.run()


def loop(session: rw.Session) -> None:
    first, second = session.load("tee"), session.load("tee")
    first >> second
    second >> first


def self_loop(session: rw.Session) -> None:
    tee = session.load("tee")
    tee >> tee


def into_a_source(session: rw.Session) -> None:
    session.load("tee") >> session.load_src("film.mp4")


def nothing_feeds(session: rw.Session) -> None:
    session.load_dst("out.ts")
    session.link()


def fed_by_what_gets_nothing(session: rw.Session) -> None:
    session.load_src("film.mp4")
    tee = session.load("tee")
    tee.set_source(session.load_dst("null"))
    tee >> session.load_dst("null")
    session.link()


def selector_matches_nothing(session: rw.Session) -> None:
    session.load_dst("null").set_source(session.load_src("film.mp4"), "#audio3")
    session.link()


def selector_with_a_wrong_value(session: rw.Session) -> None:
    session.load_dst("null").set_source(session.load_src("film.mp4"), "#Width=wide")


def unlinked(session: rw.Session) -> None:
    session.unlinked = "error"
    session.load_src("film.mp4").video >> session.load_dst("null")
    session.link()


def blacklisted(session: rw.Session) -> None:
    session.blacklist = frozenset(["tee"])
    session.load("tee")


def missing_option(session: rw.Session) -> None:
    session.load("demux")


def sid_of_nobody(session: rw.Session) -> None:
    session.load("tee:SID=reader")
    session.link()


def twice(session: rw.Session) -> None:
    session.add(session.load("tee"))


def a_filter_that_raises(session: rw.Session) -> None:
    session.load_src("film.mp4").video >> session.add(Unlucky(name="mine"))
    session.run()


def a_filter_that_does_not_read(session: rw.Session) -> None:
    session.load_src("film.mp4").video >> session.add(Idle())
    session.run()


CASES: dict[Case, tuple[type[Exception], str, str | None]] = {
    wrong_property: (
        rw.LinkError,
        "demux.video1 (h264) does not fit French: Language is und, wanted fr or fr-CA",
        (
            "French accepts (StreamType=Visual, CodecID=h264, Language=fr or fr-CA); "
            "the stream is StreamType=Visual, CodecID=h264, Language=und"
        ),
    ),
    wrong_codec: (
        rw.LinkError,
        "demux.video1 (h264) does not fit Two: CodecID is h264, wanted vvc",
        (
            "Two accepts (StreamType=Visual, CodecID=vvc), or (StreamType=Audio, CodecID=amr_wb or qcelp); "
            "the stream is StreamType=Visual, CodecID=h264"
        ),
    ),
    container_cannot_hold: (
        rw.LinkError,
        "webm cannot hold h264 (demux.video1), aac (demux.audio1)",
        (
            "choose another container: mp4 or mkv or ts or mov or flv would do; "
            "or encode, with audio=opus and video=vp9"
        ),
    ),
    loop: (
        rw.LinkError,
        "linking tee2 to tee would make a loop",
        "what a filter puts out must not come back to it",
    ),
    self_loop: (
        rw.LinkError,
        "linking tee to itself would make a loop",
        "what a filter puts out must not come back to it",
    ),
    into_a_source: (rw.LinkError, "demux is a source and takes no input", "did you mean demux >> tee?"),
    nothing_feeds: (
        rw.LinkError,
        "nothing feeds mux",
        "load a source before it is run, or link one: source >> mux",
    ),
    fed_by_what_gets_nothing: (
        rw.LinkError,
        "nothing feeds tee: null puts out no stream",
        "link a source to null",
    ),
    selector_matches_nothing: (
        rw.LinkError,
        "demux has no stream that null takes with #audio3",
        "demux has video1 (h264, 320x240, 25 fps); audio1 (aac, 48000 Hz, stereo)",
    ),
    selector_with_a_wrong_value: (
        rw.OptionError,
        "selector '#Width=wide': property Width: 'wide' is not a whole number",
        None,
    ),
    unlinked: (
        rw.LinkError,
        "demux.audio1 (aac, 48000 Hz, stereo) goes nowhere",
        "link it, or choose what the source delivers",
    ),
    blacklisted: (rw.UnknownNameError, "the filter tee is blacklisted", "see blacklist= of the session"),
    lambda session: session.load("teee"): (
        rw.UnknownNameError,
        "no filter is named 'teee'",
        "did you mean 'tee' or 'freeze'? `reelway filters` lists them all",
    ),
    lambda session: session.load_src("film.mp4", timeot_s=3): (
        rw.UnknownNameError,
        "Demux has no option 'timeot_s'",
        "did you mean 'timeout_s'?",
    ),
    lambda session: session.load_src("film.mp4", timeout_s="soon"): (
        rw.OptionError,
        "Demux.timeout_s: 'soon' is not a number",
        "timeout_s (float, at least 0.1 s, default 10.0): longest wait for the source to open or to answer",
    ),
    lambda session: session.load_src("film.mp4", timeout_s=0): (
        rw.OptionError,
        "Demux.timeout_s: 0.0 is out of range, at least 0.1 s is allowed",
        None,
    ),
    lambda session: session.load("tee:on_error=stp"): (
        rw.OptionError,
        "Tee.on_error: 'stp' is not one of stop, skip",
        "did you mean 'stop'?",
    ),
    lambda session: session.load_dst("out", format="hlss"): (
        rw.OptionError,
        "no container format is named 'hlss'",
        "did you mean 'hls'?",
    ),
    missing_option: (
        rw.OptionError,
        "Demux.src must be given",
        "src (object, required): URL, path, or a Python object with read() and perhaps seek()",
    ),
    sid_of_nobody: (rw.UnknownNameError, "no filter of this session is named 'reader'", "known: tee."),
    twice: (rw.StateError, "tee is in a session already", "make another one for this session"),
    a_filter_that_raises: (
        rw.FilterError,
        "filter 'mine' failed on pid 'video1' at TIME s: ValueError: no luck with http://user:***@host/",
        None,
    ),
}


def name_of(case: Case) -> str:
    return case.__name__ if case.__name__ != "<lambda>" else CASES[case][1]


@pytest.mark.parametrize("case", CASES, ids=name_of)
@pytest.mark.usefixtures("film")
def test_refusal(case: Case) -> None:
    kind, message, hint = CASES[case]
    with rw.Session() as session, pytest.raises(kind) as caught:
        case(session)
    error = caught.value
    assert isinstance(error, rw.ReelwayError)
    said = str(error)
    if isinstance(error, rw.FilterError):
        assert error.time is not None
        said = said.replace(f"{error.time:.3f}", "TIME")
    assert (said, error.hint) == (message, hint)
    assert "\n" not in said
    assert "secret" not in said


@pytest.mark.usefixtures("film")
def test_a_filter_that_does_not_read_is_named() -> None:
    with rw.Session() as session, pytest.raises(rw.StateError) as caught:
        a_filter_that_does_not_read(session)
    assert str(caught.value).startswith("filter Idle does not read its input video1, where ")
    assert str(caught.value.hint).startswith("process() must read with get() or return a delay")


@pytest.mark.usefixtures("film")
def test_an_error_of_the_world_is_not_its_own_cause() -> None:
    with pytest.raises(rw.OpenError) as caught:
        rw.run("missing.mp4", "null")
    assert caught.value.__cause__ is not caught.value


def test_writing_over_the_source_is_refused_by_every_name(film: str) -> None:
    with rw.Session() as session:
        session.load_src(film)
        session.load_dst("./film.mp4")
        with pytest.raises(rw.OptionError, match="read and written at once"):
            session.run()
