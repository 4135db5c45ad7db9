"""concat: one source after the other, streams in step, times that go on."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import reelway as rw
from reelway.filters import concat
from reelway.filters.concat import Concat
from reelway.filters.testaudio import AvGen
from reelway.filters.testvideo import TestVideo
from reelway.testing.burnin import read_counter
from reelway.testing.parts import PROPERTIES, RESTART, Collect, Feed, numbered
from tests.filters.raw import Late, joined
from tests.media import make, probe


def feed(count: int, step: int = 40, start: int = 0, **more: Any) -> Feed:
    packets = numbered(count, step)
    for packet in packets:
        packet.dts, packet.cts = (packet.dts or 0) + start, (packet.cts or 0) + start
    properties = {"StreamType": "Visual", "CodecID": "test", "Timescale": 1000, **more}
    return Feed(packets, properties=properties)


def test_times_go_on_in_the_order_of_linking() -> None:
    seen = joined([feed(3), feed(2, 100, start=5000), feed(2)], Concat()).only
    assert [packet.dts for packet in seen.packets] == [0, 40, 80, 120, 220, 320, 360]
    assert seen.numbers == [0, 1, 2, 0, 1, 0, 1]
    assert seen.ended


def test_timescales_and_properties_that_differ() -> None:
    seen = joined([feed(2, Width=320), feed(2, 3600, Timescale=90000, Width=640)], Concat()).only
    assert [packet.dts for packet in seen.packets] == [0, 40, 80, 120]
    assert [packet.duration for packet in seen.packets] == [40] * 4
    news = [entry[1] for entry in seen.log if entry[0] == "configure"]
    assert [(each["Width"], each["Timescale"]) for each in news] == [(320, 1000), (640, 1000)]


def test_a_timescale_that_changes_in_mid_stream() -> None:
    """The next source begins where the last packet ends, in whatever ticks it was said."""
    items = [*numbered(2), {"Timescale": 90000}]
    items += [rw.Packet(b"..", at * 90, at * 90, 3600) for at in (80, 120)]
    source = Feed(items, properties={"StreamType": "Visual", "CodecID": "test", "Timescale": 1000})
    assert [p.dts for p in joined([source, feed(2)], Concat()).only.packets] == [0, 40, 80, 120, 160, 200]
    shrinks = [rw.Packet(b"..", 0, 0, 90000), {"Timescale": 1000}, rw.Packet(b"..", 10, 10, 1)]
    source = Feed(shrinks, properties={"StreamType": "Visual", "CodecID": "test", "Timescale": 90000})
    assert [p.dts for p in joined([source, feed(1)], Concat()).only.packets] == [0, 900, 90000]


def test_packets_pass_without_fractions(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many are made for a long film as for a short one."""
    made = 0

    class Counted(Fraction):
        def __new__(cls, *args: Any) -> Any:
            nonlocal made
            made += 1
            return Fraction(*args)

    monkeypatch.setattr(concat, "Fraction", Counted)
    joined([feed(10), feed(10)], Concat())
    few, made = made, 0
    joined([feed(500), feed(500)], Concat())
    assert made == few


def test_outputs_lie_where_the_first_source_does() -> None:
    """Also those of streams that only a later one has."""

    class Keep(Collect):
        def configure(self, pid: rw.Link) -> None:
            super().configure(pid)
            places[pid.name] = pid.pid.timeline.running_s(0, pid.properties["Timescale"])

    places: dict[str, float] = {}
    sounds = Feed({"audio1": numbered(3)}, properties={**PROPERTIES, "StreamType": "Audio"})
    with rw.Session() as session:
        joint = session.add(Concat())
        for source in (Late(2.0, numbered(3)), sounds):
            session.add(source) >> joint
        joint >> session.add(Keep())
        session.run()
    assert places == {"video1": 2.0, "audio1": 2.0}


def test_what_was_read_ahead_of_a_restart_is_left_out() -> None:
    """A source that has not begun goes on from elsewhere: it begins there."""
    items = [rw.Packet(b"\0" * 8, None, 0, 40), RESTART, *numbered(3)[1:]]
    seen = joined([Feed(items)], Concat()).only
    assert seen.numbers == [1, 2]


def test_streams_of_a_source_stay_in_step() -> None:
    """The sound is longer than the pictures: the next source begins when both are over."""

    class Two(Feed):
        def __init__(self, pictures: int, sounds: int) -> None:
            super().__init__({"video1": numbered(pictures, 40), "audio1": numbered(sounds, 100)})

        def open(self) -> None:
            super().open()
            self.pids["audio1"].set(StreamType="Audio")

    sink = joined([Two(5, 3), Two(2, 2)], Concat())
    assert [packet.dts for packet in sink.seen["video1"].packets] == [0, 40, 80, 120, 160, 300, 340]
    assert [packet.dts for packet in sink.seen["audio1"].packets] == [0, 100, 200, 300, 400]
    assert all(seen.ended for seen in sink.seen.values())


def test_a_source_without_sound_leaves_a_gap() -> None:
    size = {"size": "64x48"}
    sink = joined(
        [
            AvGen(duration=1, channels=1, **size),
            TestVideo(frames=25, **size),
            AvGen(duration=1, channels=1, **size),
        ],
        Concat(),
    )
    pictures, sound = sink.seen["video"], sink.seen["audio"]
    assert [packet.dts for packet in pictures.packets] == list(range(75))
    assert [(read_counter(packet) or (-1, -1))[0] for packet in pictures.packets] == [*range(25)] * 3
    starts = [packet.dts or 0 for packet in sound.packets]
    assert starts[0] == 0
    assert 96000 in starts
    assert not [start for start in starts if 48000 <= start < 96000]


def test_an_empty_source_is_nothing() -> None:
    seen = joined([feed(2), feed(0), feed(2)], Concat()).only
    assert [packet.dts for packet in seen.packets] == [0, 40, 80, 120]


def test_full_outputs_change_nothing() -> None:
    one = joined([feed(20), feed(30)], Concat()).only
    other = joined([feed(20), feed(30)], Concat(), limits=rw.Limits(packets=1)).only
    assert one.log == other.log


def test_order_is_that_of_linking_not_of_opening() -> None:
    with rw.Session() as session:
        second, first = session.add(feed(1, Width=2)), session.add(feed(1, Width=1))
        concat, sink = session.add(Concat()), Collect()
        first >> concat
        second >> concat
        concat >> session.add(sink)
        session.run()
    widths = [entry[1]["Width"] for entry in sink.only.log if entry[0] == "configure"]
    assert widths == [1, 2]


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.ts"])
@pytest.mark.parametrize("kind", ["mp4", "mkv", "ts"])
def test_coded_films_are_joined_without_decoding(name: str, kind: str, tmp_path: Path) -> None:
    """Also of Matroska, which leaves out the decoding time of the first picture."""
    target = tmp_path / f"out.{kind}"
    with rw.Session() as session:
        concat = session.load("concat")
        for _ in range(2):
            session.load_src(str(make.media(name))) >> concat
        concat >> session.load_dst(str(target))
        session.run()
    assert probe.counters(target) == [*range(100)] * 2
    assert [len(s.packets) for s in probe.packets(target)] == [
        2 * len(s.packets) for s in probe.packets(make.media(name))
    ]
