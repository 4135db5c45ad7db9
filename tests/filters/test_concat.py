"""concat: one source after the other, streams in step, times that go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import reelway as rw
from reelway.filters.concat import Concat
from reelway.filters.testaudio import AvGen
from reelway.filters.testvideo import TestVideo
from reelway.testing.burnin import read_counter
from reelway.testing.parts import Collect, Feed, numbered
from tests.filters.raw import joined
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
