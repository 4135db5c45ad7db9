"""What links hold behind a live source, and behind one that is not."""

from __future__ import annotations

from typing import Any

import pytest

import reelway as rw
from reelway.graph.pace import keeps_pace, sources_of
from reelway.session.freshness import FRESH

FEW = rw.Limits(packets=3)
ALL = rw.Limits(packets=7)


class Sink(rw.Filter):
    inputs = (rw.Caps(StreamType="Visual", CodecID="raw"),)

    def process(self) -> None:
        for link in self.ipids:
            for _ in link:
                pass


class Window(Sink):
    usual_limits = FEW


class File(Sink):
    records = True


def limits(sink: rw.Filter, said: str, **options: Any) -> rw.Limits:
    """Of the link to `sink`, from a source of which that is said."""
    with rw.Session(**options) as session:
        session.load(f"testvideo:frames=1{said}") >> session.add(sink)
        session.run()
        (link,) = sink.ipids
        return link.limits


LIVE = ":#Live=true"


def test_of_what_is_live_a_sink_gets_the_newest_whatever_is_usual_for_it() -> None:
    assert limits(Sink(), LIVE) == FRESH
    assert limits(Window(), LIVE) == FRESH
    assert limits(File(), LIVE).policy == "block"


def test_what_is_usual_holds_for_the_rest() -> None:
    assert limits(Window(), "") == FEW
    assert limits(Window(), LIVE, policy="block") == FEW
    assert limits(Sink(), "") == rw.Limits()


def test_what_somebody_says_of_a_filter_holds_always() -> None:
    for sink in (Sink(), Window()):
        sink.input_limits = ALL
        assert limits(sink, LIVE) == ALL


@pytest.mark.parametrize(("said", "keeps"), [("", False), (":live=on", True), (LIVE, True)])
def test_sources_say_whether_they_keep_to_a_pace(said: str, keeps: bool) -> None:
    with rw.Session() as session:
        source = session.load(f"testvideo:frames=1{said}")
        behind = session.load("identity")
        source >> behind >> session.add(Sink())
        session.run()
        assert list(sources_of(behind)) == [source]
        assert keeps_pace(source) is keeps
