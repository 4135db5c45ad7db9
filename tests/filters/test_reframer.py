"""The reframer, seen from outside: what decodes from its files, when packets come, what it costs."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

import reelway as rw
from reelway.testing.clock import VirtualClock
from tests.filters.parts import Source, Watch, run
from tests.media import make, probe

CONTAINERS = ["mp4", "mkv", "ts"]


def times(path: Path, kind: str) -> list[Fraction]:
    (stream,) = (stream for stream in probe.packets(path) if stream.kind == kind)
    return [packet.pts for packet in stream.packets if packet.pts is not None]


# Time ranges


@pytest.mark.debian("ffmpeg")
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(
    ("options", "first", "last"),
    [
        ("xs=1:xe=3", 25, 74),
        ("xs=1.5:xe=3", 25, 74),  # from the random access point before
        ("xs=1.5:xe=D1", 25, 62),
        ("xs=1.5", 25, 99),
        ("xe=T00:02", 0, 49),
        ("xs=1.5:xround=after", 50, 99),
        ("xs=1.7:xround=closest", 50, 99),
        ("xs=1.3:xround=closest", 25, 99),
        ("xs=3.97", 75, 99),
    ],
)
def test_a_range_of_a_film(options: str, first: int, last: int, container: str, tmp_path: Path) -> None:
    target = tmp_path / f"out.{container}"
    run(make.media("film.mp4"), target, f"reframer:{options}")
    numbers = probe.counters(target)
    assert numbers[0] == first
    # a picture after the end stays where the ones before it are predicted from it
    assert last <= numbers[-1] <= last + 1
    assert numbers == list(range(first, numbers[-1] + 1))
    _, warnings = probe.ffprobe(target)
    assert warnings == ""
    pictures, sound = times(target, "video"), times(target, "audio")
    assert abs(min(pictures) - (0 if container == "mp4" else min(pictures))) < Fraction(1, 100)
    assert abs(min(sound) - min(pictures)) < Fraction(3, 100)
    length = Fraction(last + 1 - first, 25)
    assert abs(max(sound) - min(pictures) - length) < Fraction(6, 100)


@pytest.mark.parametrize(
    "source", ["film.ts", "late.mp4", "late.ts", "film.mkv", "film.flv", "hevc.ts", "film.h264"]
)
def test_ranges_count_from_the_beginning_of_the_media(source: str, tmp_path: Path) -> None:
    """Also where its first time is not 0."""
    target = tmp_path / "out.mp4"
    run(make.media(source), target, "reframer:xs=1.2:xe=1.6")
    numbers = probe.counters(target)
    assert numbers[0] == 25
    assert 39 <= numbers[-1] <= 41
    assert numbers == list(range(25, numbers[-1] + 1))
    assert times(target, "video")[0] == 0


def test_seek_shows_exactly_the_range(tmp_path: Path) -> None:
    """`xround=seek`: the file holds what decoding needs, and its edit list says to show only the range."""
    target = tmp_path / "out.mp4"
    run(make.media("film.mp4"), target, "reframer:xs=1.48:xe=2.4:xround=seek")
    numbers = probe.counters(target)
    assert numbers[0] == 37
    assert 59 <= numbers[-1] <= 60
    with av.open(str(target), options={"ignore_editlist": "1"}) as container:
        assert make.read_counter(next(container.decode(video=0)).to_ndarray(format="gray")) == 25


def test_open_groups_lose_the_pictures_that_need_the_group_before(tmp_path: Path) -> None:
    """x265's groups are open: pictures that follow the access point and are shown before it are left out."""
    source, target = tmp_path / "open.mp4", tmp_path / "out.mp4"
    options = {
        "x265-params": "open-gop=1:bframes=4:keyint=25:min-keyint=25:scenecut=0:pools=none:log-level=none"
    }
    make.film(source, video="libx265", seconds=3, audio=0, video_options=options)
    watch = Watch()
    run(source, target, "reframer:xs=1", watch)
    numbers = probe.counters(target)
    assert numbers == list(range(numbers[0], 75))
    assert 20 <= numbers[0] <= 25
    assert all(packet.cts is not None and packet.cts >= 0 for packet in watch.of("video1"))


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ("xs=0,2:xe=1,3", [*range(25), *range(50, 75)]),
        ("xs=0,2.5:xe=1", [*range(25), *range(50, 100)]),
        ("xs=T00:00,T00:02:xe=D1,D1", [*range(25), *range(50, 75)]),
        ("xs=0,1,2", [*range(100)]),  # ranges that touch are one
        ("xs=1.2,1.6:xe=1.4,1.8", [*range(25, 35), *range(25, 45)]),  # two ranges of one group of pictures
    ],
)
def test_several_ranges_follow_each_other(options: str, wanted: list[int], tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    watch = Watch()
    run(make.media("plain.mp4"), target, f"reframer:{options}", watch)
    assert probe.counters(target) == wanted
    pictures = sorted(times(target, "video"))
    assert [b - a for a, b in itertools.pairwise(pictures)] == [Fraction(1, 25)] * (len(wanted) - 1)
    sound = times(target, "audio")
    assert all(0 < b - a < Fraction(5, 100) for a, b in itertools.pairwise(sound))
    for name in ("video1", "audio1"):
        order = [packet.dts for packet in watch.of(name)]
        assert order == sorted(set(order))  # type: ignore[type-var]


def test_ranges_with_reordered_pictures(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    watch = Watch()
    run(make.media("film.mp4"), target, "reframer:xs=0,2:xe=1,3", watch)
    numbers = probe.counters(target)
    assert [n for n in numbers if n not in {25, 75}] == [*range(25), *range(50, 75)]
    order = [packet.dts for packet in watch.of("video1")]
    assert order == sorted(set(order))  # type: ignore[type-var]


def test_cues_that_reach_into_the_range_are_shortened(tmp_path: Path) -> None:
    watch = Watch()
    run(make.media("subtitles-srt.mkv"), "null", "reframer:xs=1.1:xe=2.2", watch)
    (first, second) = watch.of("text1")
    assert (bytes(first.data), first.cts, first.duration) == (b"first cue", 0, 500)  # cut at 1.0 s
    assert (bytes(second.data), second.cts) == (b"second cue", 1000)


def test_the_times_of_the_source(tmp_path: Path) -> None:
    watch = Watch()
    run(make.media("film.mp4"), "null", "reframer:xs=2:xe=3:xots", watch)
    scale = watch.properties[0]["Timescale"]
    assert watch.of("video1")[0].cts == 2 * scale


def test_sound_alone_is_cut_where_it_was_asked(tmp_path: Path) -> None:
    target = tmp_path / "out.m4a"
    run(make.media("sound.m4a"), target, "reframer:xs=1:xe=2")
    sound = times(target, "audio")
    assert abs(len(sound) - 47) <= 1


def test_a_range_beyond_the_end_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(rw.ReelwayError, match=r"nothing lies in the range 60 s to the end") as caught:
        run(make.media("film.mp4"), tmp_path / "out.mp4", "reframer:xs=60")
    assert caught.value.hint == "the media end at 4 s"


def test_where_no_length_is_known_a_warning_says_so(caplog: pytest.LogCaptureFixture) -> None:
    packets = [rw.Packet(b"x", 40 * n, 40 * n, 40, sap=1) for n in range(100)]
    watch = Watch()
    run(Source(packets), "null", "reframer:xs=60", watch)
    assert watch.seen == []
    assert "no packet lies in the range 60 s to the end" in caplog.text


def test_a_session_stopped_before_the_range_is_no_failure() -> None:
    with rw.Session(clock=VirtualClock()) as session:
        first = session.load("reframer:rt=on")
        source = session.add(Source(hour()))
        source >> first >> session.load("reframer:xs=3000") >> session.load("null")
        session.post(session.stop, 100.0)
        session.run()
    assert session.finished


@pytest.mark.parametrize("container", ["mp4", "ts"])
@pytest.mark.parametrize("between", [(), ("forward",)])
def test_it_seeks_and_stops_rather_than_read_all(container: str, between: tuple[str, ...]) -> None:
    """Six seconds out of ten minutes: the demuxer sends little more than those and the margin."""
    watch = Watch()
    done = run(make.media(f"long.{container}"), "null", *between, "reframer:xs=300:xe=306", watch)
    wanted = len(watch.seen)
    assert 150 <= len(watch.of("video1")) <= 180  # MPEG-TS begins at 0.02 s, so 300 s lies before a keyframe
    (demux,) = (each for each in done.statistics().filters if each.name == "demux")
    assert demux.packets_out < 6 * wanted
    assert watch.restarts == 0  # the consumers see one stream from 0


def test_two_far_ranges_are_two_seeks() -> None:
    watch = Watch()
    done = run(make.media("long.mp4"), "null", "reframer:xs=100,500:xe=102,502", watch)
    assert len(watch.of("video1")) in range(100, 103)
    (demux,) = (each for each in done.statistics().filters if each.name == "demux")
    assert demux.packets_out < 4000


@pytest.mark.parametrize(
    ("container", "margin"),
    # without a margin a seek in MPEG-TS, which has no index, lands behind the access point
    [("mp4", 0), ("mp4", 10), ("mkv", 0), ("mkv", 10), ("flv", 0), ("flv", 10), ("ts", 10)],
)
def test_ranges_behind_seeks_decode(container: str, margin: int, tmp_path: Path) -> None:
    """Also from Matroska, which knows no decode times right behind a seek."""
    source, target = tmp_path / f"long.{container}", tmp_path / "out.mp4"
    make.long_film(source, seconds=120)
    watch = Watch()
    run(source, target, f"reframer:xs=40.5,80.5:xe=41.5,81.5:seeksafe={margin}", watch)
    numbers = probe.counters(target)
    assert len(numbers) in range(74, 79)
    assert [b - a for a, b in itertools.pairwise(numbers)].count(1) >= len(numbers) - 3
    order = [packet.dts for packet in watch.of("video1") if packet.dts is not None]
    assert order == sorted(set(order))


def test_raw_video_is_read_from_its_beginning(tmp_path: Path) -> None:
    """Its times are counted, so it cannot seek."""
    source = make.raw(make.media("long.mp4"), tmp_path / "long.h264", "h264", "video", "h264_mp4toannexb")
    target = tmp_path / "out.mp4"
    run(source, target, "reframer:xs=101:xe=101.4")
    assert probe.counters(target)[:10] == list(range(25, 35))


def test_a_source_that_others_read_is_left_alone(tmp_path: Path) -> None:
    """Somebody else wants all of it."""
    whole, part = tmp_path / "whole.mp4", tmp_path / "part.mp4"
    with rw.Session() as session:
        source = session.load_src(str(make.media("film.mp4")))
        source >> session.load_dst(str(whole))
        source >> session.load("reframer:xs=2:xe=3:seeksafe=0") >> session.load_dst(str(part))
        session.run()
    assert probe.counters(whole) == list(range(100))
    assert probe.counters(part)[0] == 50


def test_a_seek_over_what_was_read_repeats_nothing(tmp_path: Path) -> None:
    """The source has sent packets of the range when it hears of the seek; none comes twice."""
    target = tmp_path / "out.mp4"
    run(make.media("film.mp4"), target, "reframer:xs=1.2:seeksafe=0")
    assert probe.counters(target) == list(range(25, 100))


def test_a_source_that_cannot_seek_is_read_through(tmp_path: Path) -> None:
    packets = [rw.Packet(b"%d" % n, 40 * n, 40 * n, 40, sap=int(n % 25 == 0)) for n in range(1000)]
    watch = Watch()
    run(Source(packets), "null", "reframer:xs=31.5:xe=32.5", watch)
    assert [bytes(packet.data) for packet in watch.of("stream")] == [b"%d" % n for n in range(775, 813)]
    assert watch.of("stream")[0].dts == 0


@pytest.mark.parametrize("kind", ["fifo", "object"])
def test_a_pipe_is_read_through(kind: str, tmp_path: Path) -> None:
    """What cannot seek says so, and the range is found all the same."""
    path, target = make.media("long.ts"), tmp_path / "out.mp4"
    if kind == "object":

        class Reader:
            def __init__(self) -> None:
                self.read = io.BytesIO(path.read_bytes()).read

        rw.run(Reader(), str(target), "reframer:xs=30:xe=31:seeksafe=0")
    else:
        fifo = tmp_path / "pipe.ts"
        os.mkfifo(fifo)

        def feed() -> None:
            with contextlib.suppress(BrokenPipeError):  # nobody reads behind the end of the range
                fifo.write_bytes(path.read_bytes())

        writer = threading.Thread(target=feed)
        writer.start()
        rw.run(str(fifo), str(target), "reframer:xs=30:xe=31:seeksafe=0")
        writer.join()
    numbers = probe.counters(target)
    assert numbers[:25] == list(range(25 * 29 % 100, 25 * 29 % 100 + 25))
    assert 50 <= len(numbers) <= 52


def test_a_consumer_seeks_in_the_time_of_the_range() -> None:
    """Two seconds into a range that begins at 100 s is 102 s."""

    class SeekOnce(Watch):
        asked = False

        def process(self) -> None:
            super().process()
            if not self.asked and self.ipids and self.seen:
                self.asked = True
                self.ipids[0].send_event(rw.events.Seek(time_s=50.0))

    watch = SeekOnce()
    run(make.media("long.mp4"), "null", "reframer:xs=100:xe=160", watch)
    scale = {p["StreamType"]: p["Timescale"] for p in watch.properties}["Visual"]
    order = [packet.dts for packet in watch.of("video1") if packet.dts is not None]
    jumps = [(a / scale, b / scale) for a, b in itertools.pairwise(order) if b - a > 5 * scale]
    assert len(jumps) == 1
    assert 45 < jumps[0][1] <= 50
    assert max(order) / scale == pytest.approx(60, abs=0.1)
    assert watch.restarts


def test_what_is_no_range() -> None:
    for options in ("xs=5:xe=3", "xs=5,2", "xe=1,2:xs=0", "xs=1:xe=D", "xs=1:xe=later", "xs=-1"):
        with pytest.raises(rw.OptionError):
            rw.Session().load(f"reframer:{options}")
    assert rw.Session().load("reframer", xs=3.5, xe="D2") is not None


# Real time


def hour() -> list[rw.Packet]:
    return [rw.Packet(b"x", 1000 * n, 1000 * n, 1000, sap=1) for n in range(3601)]


@pytest.mark.parametrize(
    ("options", "seconds"), [("rt=on", 3600), ("rt=sync", 3600), ("rt=on:speed=4", 900), ("rt=off", 0)]
)
def test_an_hour_in_moments(options: str, seconds: float) -> None:
    watch = Watch()
    run(Source(hour()), "null", f"reframer:{options}", watch, clock=VirtualClock())
    at = [time for _, time, _ in watch.seen]
    assert len(at) == 3601
    assert at[-1] - at[0] == pytest.approx(seconds)
    if seconds:
        gaps = [b - a for a, b in itertools.pairwise(at)]
        assert max(gaps) == pytest.approx(min(gaps))


def test_real_time_of_a_film_with_b_frames(tmp_path: Path) -> None:
    """By decode times: every picture is there when it is to be decoded, and the file is whole."""
    watch, target = Watch(), tmp_path / "out.mp4"
    run(make.media("film.mp4"), target, "reframer:rt=sync", watch, clock=VirtualClock(1000.0))
    scale = {p["StreamType"]: p["Timescale"] for p in watch.properties}
    late = []
    for name, kind in (("video1", "Visual"), ("audio1", "Audio")):
        late += [at - packet.dts / scale[kind] for seen, at, packet in watch.seen if seen == name]
    assert max(late) - min(late) < 0.1  # one clock: what differs is where the streams begin
    assert probe.counters(target) == list(range(100))


def test_one_clock_a_stream_starts_each_at_once() -> None:
    """A stream that begins later in media time is not late by that with `on`, and is with `sync`."""

    def two(mode: str) -> float:
        watch = Watch()
        with rw.Session(clock=VirtualClock()) as session:
            early = session.add(Source([rw.Packet(b"a", 1000 * n, sap=1) for n in range(3)]))
            late = session.add(Source([rw.Packet(b"b", 5000 + 1000 * n, sap=1) for n in range(3)]))
            reframer = session.load(f"reframer:rt={mode}")
            early >> reframer
            late >> reframer
            reframer >> session.add(watch) >> session.load("null")
            session.run()
        return next(at for _, at, packet in watch.seen if bytes(packet.data) == b"b")

    assert (two("on"), two("sync")) == (0.0, 5.0)


def test_speed_changes_while_it_runs() -> None:
    watch = Watch()
    with rw.Session(clock=VirtualClock()) as session:
        reframer = session.load("reframer:rt=on")
        session.add(Source(hour())) >> reframer >> session.add(watch) >> session.load("null")

        def faster() -> None:
            reframer.update("speed", 10)

        session.post(faster, 600.0)
        session.run()
    assert watch.seen[-1][1] == pytest.approx(600 + 300, abs=2)


def test_speed_0_is_what_the_player_asks() -> None:
    class Fast(Watch):
        def configure(self, pid: rw.Link) -> None:
            super().configure(pid)
            pid.send_event(rw.events.Play(speed=2.0))

    watch = Fast()
    run(Source(hour()), "null", "reframer:rt=on", watch, clock=VirtualClock())
    assert watch.seen[-1][1] == pytest.approx(1800, abs=1)


def test_a_jump_back_in_time_starts_a_new_run() -> None:
    packets = [rw.Packet(b"x", 1000 * n, sap=1) for n in (*range(10), *range(10))]
    watch = Watch()
    run(Source(packets), "null", "reframer:rt=on", watch, clock=VirtualClock())
    assert [at for _, at, _ in watch.seen] == [*range(10), *range(9, 19)]


def test_a_waiting_reframer_stops_at_once() -> None:
    with rw.Session(clock=VirtualClock()) as session:
        session.add(Source(hour())) >> session.load("reframer:rt=on") >> session.load("null")
        session.post(session.stop, 100.0)
        session.run()
        assert session.finished


def test_a_live_range(tmp_path: Path) -> None:
    """A range, paced: the group of pictures before its start comes at once in media order, then in time."""
    watch, target = Watch(), tmp_path / "out.mp4"
    run(make.media("film.mp4"), target, "reframer:xs=1.2:xe=3:rt=on", watch, clock=VirtualClock())
    assert watch.seen[-1][1] == pytest.approx(2.0, abs=0.2)
    assert probe.counters(target)[0] == 25


# Which packets


@pytest.mark.debian("ffmpeg")
def test_only_keyframes(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    with rw.Session() as session:
        source = session.load_src(str(make.media("film.mp4")))
        source.video >> session.load("reframer:saps=1,2,3") >> session.load_dst(str(target))
        session.run()
    assert probe.counters(target) == [0, 25, 50, 75]
    assert times(target, "video") == [0, 1, 2, 3]
    _, warnings = probe.ffprobe(target)
    assert warnings == ""


@pytest.mark.parametrize(
    ("frames", "wanted"), [("1,26,99", [0, 25, 98]), ("-25", [0, 25, 50, 75]), ("3,-50", [0, 2, 50])]
)
def test_frames_by_number(frames: str, wanted: list[int], tmp_path: Path) -> None:
    watch = Watch()
    with rw.Session() as session:
        source = session.load_src(str(make.media("plain.mp4")))
        (
            source.video
            >> session.load(f"reframer:frames={frames}")
            >> session.add(watch)
            >> session.load("null")
        )
        session.run()
    scale = watch.properties[0]["Timescale"]
    assert [Fraction(packet.cts or 0, scale) * 25 for packet in watch.of("video1")] == wanted


@pytest.mark.parametrize("raw", ["no", "v", "a", "av"])
def test_decoded_where_that_is_asked(raw: str) -> None:
    with rw.Session() as session:
        source = session.load_src(make.media("film.mp4"))
        watch = Watch()
        source >> session.load(f"reframer:raw={raw}") >> session.add(watch)
        session.run()
    codecs = {each["StreamType"]: each["CodecID"] for each in watch.properties}
    assert codecs == {
        "Visual": "raw" if "v" in raw else "h264",
        "Audio": "raw" if "a" in raw and raw != "no" else "aac",
    }


def test_a_range_of_decoded_pictures_is_exact() -> None:
    with rw.Session() as session:
        source = session.load_src(make.media("film.mp4"))
        watch = Watch()
        source.video >> session.load("reframer:raw=v:xs=1.52:xe=2.2") >> session.add(watch)
        session.run()
    numbers = [make.read_counter(packet.planes()[0]) for packet in watch.of("video1") if not packet.seek]
    assert numbers == list(range(38, 55))


def test_what_is_refused() -> None:
    session = rw.Session()
    with pytest.raises(rw.OptionError, match="counts from 1"):
        session.load("reframer:frames=0")
    with pytest.raises(rw.OptionError):
        session.load("reframer:saps=7")
    with pytest.raises(rw.OptionError, match="rt"):
        session.load("reframer:rt=always")


def test_without_options_nothing_changes(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    run(make.media("film.mp4"), target, "reframer")
    before: Any = [stream.packets for stream in probe.packets(make.media("film.mp4"))]
    assert [stream.packets for stream in probe.packets(target)] == before
