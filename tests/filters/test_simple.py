"""Forward, tee, null and call: what comes out, and that nothing is copied, lost or stolen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import reelway as rw
from reelway.filters.simple import Call, Forward, Null
from tests.filters.parts import Source, Watch, run
from tests.media import make, probe


def hundred() -> list[rw.Packet]:
    return [rw.Packet(b"%d" % n, n, n, 1, 1) for n in range(100)]


@pytest.mark.parametrize("name", ["forward", "tee"])
def test_what_passes_is_what_came(name: str, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    run(make.media("film.mp4"), target, name)
    assert [s.packets for s in probe.packets(target)] == [
        s.packets for s in probe.packets(make.media("film.mp4"))
    ]


def test_forward_passes_news_on() -> None:
    """New properties, a restart, and the end, each at its place."""

    class Telling(Source):
        def process(self) -> None:
            pid = self.opids[0]
            pid.send(rw.Packet(b"a"))
            pid.set(Width=640)
            pid.restart()
            pid.send(rw.Packet(b"b"))
            pid.end()

    watch = Watch()
    run(Telling([], Width=320), "null", "forward", watch)
    assert [p["Width"] for p in watch.properties] == [320, 640]
    assert watch.restarts == 1
    assert [bytes(packet.data) for packet in watch.of("stream")] == [b"a", b"b"]


def test_a_subclass_keeps_its_own_name() -> None:
    class Mine(Forward):
        pass

    assert Mine().name == "Mine"


def test_every_consumer_of_a_tee_sees_every_packet(tmp_path: Path) -> None:
    """Into files of three kinds and a counter, at once; each consumer gets all of it."""
    targets = [tmp_path / f"out.{suffix}" for suffix in ("mp4", "mkv", "ts")]
    with rw.Session() as session:
        tee = session.load("tee")
        session.load_src(str(make.media("film.mp4"))) >> tee
        for target in targets:
            tee >> session.load_dst(str(target))
        null = session.load("null")
        tee >> null
        session.run()
    assert isinstance(null, Null)
    assert null.packets == sum(len(stream.packets) for stream in probe.packets(make.media("film.mp4")))
    for target in targets:
        assert probe.counters(target) == list(range(100))


def test_a_tee_shares_bytes_and_writing_copies() -> None:
    seen: list[bytes] = []

    def spoil(packet: rw.Packet) -> rw.Packet:
        packet.writable()[:1] = b"!"
        return packet

    def look(packet: rw.Packet) -> None:
        seen.append(bytes(packet.data))

    with rw.Session() as session:
        tee = session.load("tee")
        session.add(Source(hundred())) >> tee
        tee >> session.add(Call(function=spoil)) >> session.load("null")
        tee >> session.add(Call(function=look))
        session.run()
    assert seen == [b"%d" % n for n in range(100)]


def test_a_slow_consumer_sets_the_pace_and_loses_nothing() -> None:
    class Slow(Null):
        def process(self) -> float | None:
            if (packet := self.ipids[0].get()) is not None:
                self.packets += 1
                assert packet.dts == self.packets - 1
                return 0.001
            return None

    with rw.Session(limits=rw.Limits(packets=4)) as session:
        tee = session.load("tee")
        slow, fast = session.add(Slow()), session.load("null")
        session.add(Source(hundred())) >> tee
        tee >> slow
        tee >> fast
        session.run()
    assert isinstance(slow, Null)
    assert isinstance(fast, Null)
    assert (slow.packets, fast.packets) == (100, 100)


def test_null_counts() -> None:
    with rw.Session() as session:
        null = session.load("null")
        session.add(Source(hundred())) >> null
        session.run()
    assert isinstance(null, Null)
    assert (null.packets, null.bytes) == (100, 190)


def test_call_changes_and_drops(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"

    def keyframes(packet: rw.Packet, pid: rw.Link) -> rw.Packet | None:
        return packet if packet.sap and pid.properties["StreamType"] == "Visual" else None

    with rw.Session() as session:
        source = session.load_src(str(make.media("film.mp4")))
        source.video >> session.add(Call(function=keyframes)) >> session.load_dst(str(target))
        session.run()
    assert probe.counters(target) == [0, 25, 50, 75]


def test_call_takes_functions_of_one_or_two() -> None:
    got: list[Any] = []

    class Counter:
        def __call__(self, packet: rw.Packet) -> None:
            got.append(packet)

    kept: list[rw.Packet] = []
    for function in (
        lambda packet: got.append(packet),
        lambda packet, pid: got.append(pid),
        Counter(),
        kept.append,
    ):
        run(Source(hundred()), "null", Call(function=function))
    assert len(got) == 300
    assert [packet.dts for packet in kept] == list(range(100))


def test_call_says_what_is_wrong() -> None:
    def fail(packet: rw.Packet) -> None:
        raise KeyError("no such thing")

    with pytest.raises(rw.FilterError, match="'call' failed.*no such thing"):
        run(Source(hundred()), "null", Call(function=fail))
    with pytest.raises(rw.OptionError, match="cannot be called"):
        Call(function=17)
    with pytest.raises(rw.OptionError, match="needs function"), rw.Session() as session:
        session.load("call")


def test_call_goes_on_where_it_may() -> None:
    def fail(packet: rw.Packet) -> rw.Packet:
        if packet.dts == 50:
            raise ValueError("one bad packet")
        return packet

    watch = Watch()
    run(Source(hundred()), "null", Call(function=fail, on_error="skip"), watch)
    assert [packet.dts for packet in watch.of("stream")] == [n for n in range(100) if n != 50]


def test_null_wants_so_many_packets_and_then_no_more() -> None:
    with rw.Session() as session:
        null = Null(most=7)
        session.load("testaudio") >> session.add(null)  # without end
        session.run()
    assert null.packets == 7
