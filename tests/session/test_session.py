"""What a user holds: defaults, profiles, blacklist, callbacks, early exits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import reelway as rw
from reelway.filters.simple import Forward, Null
from reelway.testing.parts import Collect, Feed, numbered
from tests.media import make, probe


class Dial(Forward):
    strength: int = rw.option(1, help="of the dial")


def test_defaults_set_what_was_not_said() -> None:
    session = rw.Session(defaults={"strength": 5, "elsewhere": 1})
    assert session.add(Dial()).strength == 5  # type: ignore[attr-defined]
    assert session.add(Dial(strength=2)).strength == 2  # type: ignore[attr-defined]
    session.close()


def test_a_profile_is_a_file_and_defaults_come_on_top(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = tmp_path / "reelway" / "mine.toml"
    profile.parent.mkdir()
    profile.write_text("strength = 7\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for named in (profile, "mine"):
        with rw.Session(profile=named) as session:
            assert session.add(Dial()).strength == 7  # type: ignore[attr-defined]
    with rw.Session(profile=profile, defaults={"strength": 8}) as session:
        assert session.add(Dial()).strength == 8  # type: ignore[attr-defined]
    with pytest.raises(rw.OpenError, match="no profile"):
        rw.Session(profile="nobody")
    profile.write_text("[strength]\nx = 1\n")
    with pytest.raises(rw.FormatError, match="strength is a table"):
        rw.Session(profile=profile)


def test_the_blacklist() -> None:
    session = rw.Session(blacklist=["tee"])
    with pytest.raises(rw.UnknownNameError, match="tee is blacklisted"):
        session.load("tee")
    session.load("null")
    session.close()


def test_unlinked_is_an_error_where_it_is_asked_for() -> None:
    session = rw.Session(unlinked="error", threads=0)
    source, sink = session.add(Feed({"a": numbered(1), "b": numbered(1)})), session.add(Collect())
    sink.set_source(source, "#a")
    with pytest.raises(rw.LinkError, match=r"Feed\.b .*goes nowhere"):
        session.run()
    session = rw.Session(unlinked="ignore", threads=0)
    source, sink = session.add(Feed({"a": numbered(1), "b": numbered(1)})), Collect()
    session.add(sink).set_source(source, "#a")
    session.run()
    assert list(sink.seen) == ["a"]
    assert session.statistics().filters[0].packets_unlinked == 1


def test_filters_are_announced_when_they_come_and_when_they_go() -> None:
    log: list[str] = []
    session = rw.Session(
        on_filter_new=lambda each: log.append(f"+{each.name}"),
        on_filter_del=lambda each: log.append(f"-{each.name}"),
    )
    session.add(Feed(numbered(1), name="in")) >> session.add(Null(name="out"))
    assert log == ["+in", "+out"]
    session.run()
    assert log == ["+in", "+out", "-out", "-in"]  # sinks close first


def session_that_is_left() -> rw.Session:
    session = rw.Session()
    session.add(Feed(numbered(3)))
    return session


def test_with_leaves_early_and_closes() -> None:
    class Opens(Collect):
        opened_here = 0

        def open(self) -> None:
            self.opened_here += 1

    sink, unopened = Opens(), Opens()
    with rw.Session() as session:
        session.add(Feed(numbered(3))) >> session.add(sink)
        session.link()
    assert session.finished
    assert (sink.opened_here, sink.closed) == (1, 1)
    with rw.Session() as session:
        session.add(Feed(numbered(3))) >> session.add(unopened)
    assert (unopened.opened_here, unopened.closed) == (0, 0)  # what was not opened is not closed
    with pytest.raises(ZeroDivisionError), session_that_is_left() as session:
        _ = 1 / 0
    assert session.finished


def test_a_session_runs_once() -> None:
    session = rw.Session()
    session.add(Feed(numbered(1))) >> session.add(Null())
    session.run()
    with pytest.raises(rw.StateError, match="the session is over") as caught:
        session.run()
    assert "make another one" in str(caught.value.hint)
    with pytest.raises(rw.StateError, match="in a session already"):
        rw.Session().add(session.filters[0])


def test_threads_are_not_negative() -> None:
    with pytest.raises(rw.OptionError, match="threads is -1"):
        rw.Session(threads=-1)


def test_names_find_filters() -> None:
    with rw.Session() as session:
        first, second = session.add(Null(name="one")), session.load("null:FID=two")
        assert session["one"] is first
        assert session["two"] is second
        with pytest.raises(rw.UnknownNameError, match="three"):
            session["three"]


def test_a_filter_tells_its_own_figures() -> None:
    session = rw.Session(threads=0)
    source, sink = session.add(Feed(numbered(7))), session.add(Collect())
    source >> sink
    session.run()
    assert (source.statistics().packets_out, sink.statistics().packets_in) == (7, 7)
    assert sink.statistics() == next(each for each in session.statistics().filters if each.name == sink.name)
    with pytest.raises(rw.StateError):
        Collect().statistics()


def test_each_filter_of_a_chain_takes_what_is_its_own(tmp_path: Path) -> None:
    """A filter of pictures and one of sound: what one makes goes around the other."""
    seen: list[str] = []

    @rw.video_filter(pixel_format="gray")
    def pictures(image: Any) -> Any:
        seen.append("picture")
        return image

    @rw.audio_filter
    def sound(samples: Any) -> Any:
        seen.append("sound")
        return samples

    for order in ((pictures, sound), (sound, pictures)):
        seen.clear()
        target = tmp_path / "out.mp4"
        rw.run(make.media("film.mp4"), target, *order)
        assert seen.count("picture") == 100
        assert seen.count("sound") > 180
        assert [stream.codec for stream in probe.packets(target)] == ["h264", "aac"]
