"""fakesource: as many packets, and as large, as it is told."""

from __future__ import annotations

import pytest

import reelway as rw
from reelway.filters.fakesource import FakeSource
from reelway.testing.parts import Collect


def made(**options: object) -> list[bytes]:
    sink = Collect()
    with rw.Session() as session:
        session.add(FakeSource(**options)) >> session.add(sink)
        session.run()
    assert sink.only.properties["StreamType"] == "File"
    assert sink.only.ended
    return [bytes(packet.data) if packet.size else b"" for packet in sink.only.packets]


def test_empty_packets() -> None:
    assert made(packets=100) == [b""] * 100
    assert made(packets=0) == []


def test_sizes() -> None:
    assert made(packets=3, sizes="fixed", size=10) == [bytes(10)] * 3
    lengths = [len(each) for each in made(packets=200, sizes="random", least=5, size=20)]
    assert (min(lengths), max(lengths)) == (5, 20)


@pytest.mark.parametrize("fill", ["random", "pattern"])
def test_contents_are_the_same_each_time(fill: str) -> None:
    first = made(packets=2, sizes="fixed", size=300, fill=fill)
    assert first == made(packets=2, sizes="fixed", size=300, fill=fill)
    assert any(first[0])
    if fill == "pattern":
        assert first[0] == (bytes(range(256)) * 2)[:300]


def test_without_an_end_it_is_stopped_by_who_reads() -> None:
    with rw.Session() as session:
        sink = session.load("null:most=1000")
        session.add(FakeSource()) >> sink
        session.run()
    assert sink.packets == 1000  # type: ignore[attr-defined]
