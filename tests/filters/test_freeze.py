"""freeze: the first picture again and again, exactly in time."""

from __future__ import annotations

from fractions import Fraction

import reelway as rw
from reelway.filters.freeze import Freeze
from reelway.testing.burnin import read_counter
from reelway.testing.clock import VirtualClock
from reelway.testing.parts import Collect, Feed


def frozen(filter: Freeze, source: str = "testvideo:frames=5", **session: object) -> Collect:
    sink = Collect()
    with rw.Session(**session) as made:  # type: ignore[arg-type]
        made.load(source) >> made.add(filter) >> made.add(sink)
        made.run()
    return sink


def test_one_picture_is_shown_so_often() -> None:
    seen = frozen(Freeze(frames=30, fps=Fraction(30000, 1001))).only
    assert [packet.dts for packet in seen.packets] == [n * 1001 for n in range(30)]
    assert {packet.duration for packet in seen.packets} == {1001}
    assert seen.properties["Timescale"] == 30000
    assert seen.properties["NumFrames"] == 30
    numbers = [read_counter(packet.planes()[0]) for packet in seen.packets]
    assert {found[0] if found else None for found in numbers} == {0}
    assert seen.ended


def test_a_source_without_end_is_stopped() -> None:
    assert len(frozen(Freeze(frames=3), "testvideo").only.packets) == 3


def test_none_at_all() -> None:
    assert frozen(Freeze(frames=0)).only.packets == []
    sink = Collect()
    with rw.Session() as session:
        nothing = Feed([], properties={"StreamType": "Visual", "CodecID": "raw", "PixelFormat": "gray"})
        session.add(nothing) >> session.add(Freeze()) >> session.add(sink)
        session.run()
    assert sink.only.ended


def test_in_real_time_each_has_its_moment() -> None:
    clock = VirtualClock()
    moments: list[float] = []
    with rw.Session(clock=clock) as session:
        source, freeze = session.load("testvideo:frames=1"), session.add(Freeze(frames=4, fps=2, live=True))
        source >> freeze >> session.load("call", function=lambda packet: moments.append(clock.now()))
        session.run()
    assert [round(each - moments[0], 3) for each in moments] == [0.0, 0.5, 1.0, 1.5]


def test_without_an_end_it_is_stopped_by_who_reads() -> None:
    with rw.Session() as session:
        sink = session.load("null:most=7")
        session.load("testvideo:frames=1") >> session.add(Freeze()) >> sink
        session.run()
    assert sink.packets == 7  # type: ignore[attr-defined]
