"""Who is linked to whom: implied, declared, restricted, chained."""

from __future__ import annotations

import pytest

import reelway as rw
from reelway.filters.simple import Forward
from reelway.testing.parts import Collect, Feed, numbered


class Audio(Forward):
    """Accepts sound only."""

    inputs = (rw.Caps(StreamType="Audio"),)


def run(session: rw.Session, *sinks: Collect) -> list[list[str]]:
    session.run()
    return [sorted(sink.seen) for sink in sinks]


def two() -> Feed:
    return Feed({"a": numbered(2), "b": numbered(2)})


def test_nothing_said_links_to_all_that_accept() -> None:
    session = rw.Session(threads=0, unlinked="ignore")
    one, other = Collect(), Collect()
    session.add(two())
    session.add(one)
    session.add(other)
    assert run(session, one, other) == [["a", "b"], ["a", "b"]]


def test_a_declared_source_is_the_only_one() -> None:
    session = rw.Session(threads=0, unlinked="ignore")
    first, second, sink = session.add(two()), session.add(Feed({"c": numbered(1)})), Collect()
    session.add(sink).set_source(second)
    assert run(session, sink) == [["c"]]
    assert not any(pid.links for pid in first.opids)


def test_arrows_restrict_the_source() -> None:
    session = rw.Session(threads=0, unlinked="ignore")
    source, chosen, implied = session.add(two()), Collect(), Collect()
    session.add(implied)
    other = session.add(Feed({"c": numbered(1)}))
    source >> session.add(chosen)
    assert run(session, chosen, implied) == [["a", "b"], ["c"]]
    assert other.destinations == [implied]
    assert chosen.sources == [source]


def test_selectors_choose_pids() -> None:
    session = rw.Session(threads=0, unlinked="ignore")
    source, sink = session.add(two()), Collect()
    source.select("#b") >> session.add(sink)
    assert run(session, sink) == [["b"]]


def test_what_a_filter_of_a_chain_does_not_accept_goes_around_it() -> None:
    session = rw.Session(threads=0)
    source, audio, sink = session.add(two()), session.add(Audio()), Collect()
    sound = session.add(Feed({"s": numbered(1)}, properties={"StreamType": "Audio", "CodecID": "x"}))
    session.chain(sound, audio, session.add(sink))
    source >> sink
    assert run(session, sink) == [["a", "b", "s"]]
    assert audio.sources == [sound]


def test_a_refused_stream_is_told_with_both_sides() -> None:
    session = rw.Session(threads=0)
    session.add(two()) >> session.add(Audio(name="ears"))
    with pytest.raises(
        rw.LinkError, match=r"Feed\.a \(test\) .*ears.*StreamType is Visual, wanted Audio"
    ) as caught:
        session.run()
    assert "ears accepts" in str(caught.value.hint)


def test_a_source_cannot_be_fed() -> None:
    session = rw.Session()
    with pytest.raises(rw.LinkError):
        session.add(two()) >> session.add(two())
    session.close()
