"""`share`: what readers in another session, or in none, get of a stream."""

from __future__ import annotations

import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

import reelway as rw
from reelway import share
from reelway.share.desk import Desk
from reelway.share.sink import Share
from reelway.testing.conformance import check_filter
from tests.filters.parts import Source
from tests.media import probe
from tests.share_filters.conftest import PICTURE, Beside, pictures, source, until

Start = Callable[..., Beside]


def all_of(name: str) -> list[share.SharedArray]:
    with share.open(name) as frames:
        return list(frames)


def test_pictures_come_with_all_that_is_said_of_them(beside: Start) -> None:
    packets = pictures(3)
    packets[1].properties = {"Boxes": [[1, 2]], "Rate": Fraction(1, 3)}
    packets[1].corrupted = True
    packets[2].capture_time = 1_700_000_000_000_000_000
    running = beside(source(packets, FPS=Fraction(25)), "share:name=cam1:wait_readers=1")
    frames = all_of("cam1")
    running.join()
    assert [(f.shape, f.tolist()[0][0]) for f in frames] == [((2, 4, 3), [n] * 3) for n in range(3)]
    assert [(f.dts, f.cts, f.duration, f.sap, f.sequence) for f in frames] == [
        (n, n, 1, 1, n + 1) for n in range(3)
    ]
    assert frames[0].properties == PICTURE | {"FPS": Fraction(25), "Timescale": 25}
    assert frames[1].metadata["Boxes"] == [[1, 2]]
    assert [f.corrupted for f in frames] == [False, True, False]
    assert frames[2].capture_time == 1_700_000_000_000_000_000
    assert frames[2].time == 2 / 25


def test_a_format_has_a_film_decoded(beside: Start, film: Path) -> None:
    running = beside(f"src={film}", "share:name=cam1:wait_readers=1:pixel_format=gray")
    expected = [frame.array.copy() for frame in rw.frames(film, pixel_format="gray")]
    with share.open("cam1") as frames:
        same = [bool((frame == wanted).all()) for frame, wanted in zip(frames, expected, strict=True)]
    running.join()
    assert same == [True] * len(expected)


def test_sound_and_coded_packets(beside: Start, film: Path) -> None:
    running = beside("testaudio:duration=0.2", "share:name=mic:wait_readers=1:sample_format=s16")
    sound = all_of("mic")
    running.join()
    assert {frame.dtype.str for frame in sound} == {"<i2"}
    assert sum(frame.shape[0] for frame in sound) == sound[0].properties["SampleRate"] // 5

    running = beside(f"src={film}", "share:name=coded:wait_readers=1")
    with share.open("coded") as frames:
        first = next(iter(frames))
        assert first.properties["CodecID"] == "h264"
        assert first.properties["DecoderConfig"]
        assert bytes(first.payload()) == bytes(first)
        count = 1 + sum(1 for _ in frames)
    running.join()
    (coded,) = [stream for stream in probe.packets(film) if stream.codec == "h264"]
    assert count == len(coded.packets)


def test_coded_packets_that_are_not_to_be_shown(beside: Start) -> None:
    """They go along, as what is shown needs them; pictures that are not to be shown do not."""
    coded, raw = pictures(3), pictures(3)
    coded[0].seek = raw[0].seek = True
    properties = {"StreamType": "Visual", "CodecID": "h264", "Timescale": 25}
    for name, packets, given in (("coded", coded, properties), ("raw", raw, PICTURE)):
        running = beside(Source(packets, **given), f"share:name={name}:wait_readers=1")
        sink = rw.AppSink()
        beside(f"shared:name={name}", sink)
        found = [(packet.dts, packet.seek) for packet in sink]
        running.join()
        assert found == ([(0, True), (1, False), (2, False)] if name == "coded" else [(1, False), (2, False)])


def test_what_it_says_of_itself_asks_no_reader(beside: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for each frame."""
    monkeypatch.delattr(Desk, "readers")
    running = beside("testvideo:size=320x180", "share:name=cam1:wait_readers=1")
    with share.open("cam1", policy="latest") as frames:
        assert frames.pull(5) is not None
        until(lambda: running.filters[1].status == "1 readers")
    until(lambda: running.filters[1].status == "0 readers")
    running.stop()
    assert running.error is None


class Changing(Source):
    """Its pictures are larger from the third one on, and it jumps."""

    def process(self) -> None:
        pid = self.opids[0]
        for number in range(4):
            if number == 2:
                pid.restart()
                pid.set(Width=8)
            pid.send(rw.Packet(bytes([number]) * (24 if number < 2 else 48), number, number, 1, 1))
        pid.end()


def test_new_properties_and_jumps_in_mid_stream(beside: Start) -> None:
    running = beside(Changing([], **PICTURE), "share:name=cam1:wait_readers=1")
    frames = all_of("cam1")
    running.join()
    assert [frame.shape for frame in frames] == [(2, 4, 3)] * 2 + [(2, 8, 3)] * 2
    assert [frame.properties["Width"] for frame in frames] == [4, 4, 8, 8]
    assert [frame.discontinuity for frame in frames] == [False, False, True, False]


def test_it_stops_while_it_waits_for_readers(beside: Start) -> None:
    running = beside("testvideo", "share:name=cam1:wait_readers=1")
    until(lambda: running.filters[1].status == "0 readers")
    assert [writing.name for writing in share.names()] == ["cam1"]
    running.stop()
    assert running.error is None


def test_it_stops_while_a_reader_holds_every_slot(beside: Start) -> None:
    running = beside("testvideo:size=320x180", "share:name=cam1:slots=2:patience=60")
    with share.open("cam1") as frames:
        held = [frames.pull(5), frames.pull(5)]
        sink = running.filters[1]
        until(lambda: "waits for readers" in sink.status)
        assert isinstance(sink, Share)
        assert sink.status == "1 readers, waits for readers"
        assert [told.held for told in sink.readers] == [2]
        before = [bytes(frame.payload()) for frame in held if frame is not None]
        running.stop()
        assert [bytes(frame.payload()) for frame in held if frame is not None] == before


def test_a_reader_that_holds_all_up_is_cut_off(beside: Start) -> None:
    running = beside("testvideo:size=320x180:frames=9", "share:name=cam1:wait_readers=1:slots=2:patience=0.3")
    with share.open("cam1") as frames:
        held = [frames.pull(5), frames.pull(5)]
        running.join()
        with pytest.raises(rw.OpenError, match="cut this reader off"):
            frames.pull(5)
        assert len(held) == 2
    sink = running.filters[1]
    assert isinstance(sink, Share)
    assert sink.frames == 9


def test_readers_end_with_the_stream_also_where_the_session_goes_on() -> None:
    session = rw.Session()
    short, endless = session.load("testvideo:size=320x180:frames=2"), session.load("testvideo:live=yes")
    short >> session.load("share:name=cam1:wait_readers=1")
    endless >> session.load("null")
    thread = threading.Thread(target=session.run)
    thread.start()
    try:
        assert len(all_of("cam1")) == 2
        assert thread.is_alive()
    finally:
        session.stop()
        thread.join(2)
    assert not thread.is_alive()
    session.close()


def test_what_readers_did_not_take_is_counted(beside: Start) -> None:
    running = beside("testvideo:size=320x180", "share:name=cam1:slots=2")
    sink = running.filters[1]
    assert isinstance(sink, Share)
    with share.open("cam1", policy="latest") as frames:
        held = frames.pull(5)
        second = frames.pull(5)
        until(lambda: sink.dropped)
        assert held is not None
        assert second is not None
        assert sink.frames >= second.sequence
        del held, second
    running.stop()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("share", "share without a name"),
        ("shared", "shared without a name"),
        ("share:name=a/b", "'a/b' is no name to share by"),
        ("share:name=x:pixel_format=gray:sample_format=flt", "a share takes pictures or sound"),
    ],
)
def test_mistakes(text: str, said: str) -> None:
    with rw.Session() as session, pytest.raises(rw.OptionError) as caught:
        session.load(text)
    assert str(caught.value) == said
    assert caught.value.hint


def test_a_name_is_shared_once() -> None:
    with share.Writer("cam1"), rw.Session() as session:
        session.chain(session.add(source(pictures(1))), session.load("share:name=cam1"))
        with pytest.raises(rw.FilterError, match="somebody shares cam1 already") as caught:
            session.run()
    assert caught.value.hint


def test_conformance() -> None:
    check_filter(lambda: Share(name="cam1"), pictures(20), {**PICTURE, "Timescale": 25})
