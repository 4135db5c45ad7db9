"""Writing: times kept and repaired, decoder configurations moved, Python file objects."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import hypothesis
import pytest
from hypothesis import strategies

import reelway as rw
from reelway.engine.continuity import Continuity
from tests.engine.remuxing import FailsToWrite, Trouble, Unseekable, causes, functions, in_child, remux
from tests.media import make, probe

# --- times -------------------------------------------------------------------------------------------


def lasting(path: Path) -> list[Fraction]:
    """How long each picture is shown, in the order they are shown."""
    video = probe.packets(path)[0].packets
    return [packet.duration for packet in sorted(video, key=lambda packet: packet.pts or 0)]


@pytest.mark.parametrize("target", ["mp4", "mov", "mkv"])
def test_uneven_pictures_and_the_last_one_keep_their_length(target: str, tmp_path: Path) -> None:
    result = tmp_path / f"out.{target}"
    remux(make.media("vfr.mp4"), result)
    video = probe.packets(result)[0].packets
    times = sorted(packet.pts for packet in video if packet.pts is not None)
    assert [time - times[0] for time in times] == [Fraction(tick, 1000) for tick in make.vfr_ticks(60)]
    source = probe.packets(make.media("vfr.mp4"))[0].packets
    assert [packet.duration for packet in video] == [packet.duration for packet in source]
    assert lasting(result)[-1] > 0


@pytest.mark.parametrize("name", ["av1.mp4", "mjpeg.mov", "film.webm"])
def test_matroska_keeps_the_last_duration_of_codecs_without_a_clock(name: str, tmp_path: Path) -> None:
    remux(make.media(name), tmp_path / "out.mkv")
    assert lasting(tmp_path / "out.mkv")[-1] == Fraction(1, 25)


@pytest.mark.parametrize("name", ["film.mp4", "vfr.mp4", "vfr-fine.mp4", "cif30.mp4", "late.mp4"])
def test_around_through_four_containers(name: str, tmp_path: Path) -> None:
    """The muxer chooses other time bases each time; in the end nothing is more than a tick (1 ms) off."""
    before = make.media(name)
    place = before
    for i, target in enumerate(["mkv", "ts", "flv", "mp4"]):
        following = tmp_path / f"{i}.{target}"
        remux(place, following)
        place = following
    offsets = set()
    for a, b in zip(probe.packets(before), probe.packets(place), strict=True):
        assert [p.digest for p in b.packets] == [p.digest for p in a.packets]
        offsets |= {
            y.pts - x.pts
            for x, y in zip(a.packets, b.packets, strict=True)
            if x.pts is not None
            if y.pts is not None
        }
    assert max(offsets) - min(offsets) <= Fraction(2, 1000)  # a tick to either side


def test_sound_that_starts_between_milliseconds(tmp_path: Path) -> None:
    # MP4 says a track's start in the movie's timescale, by default a thousandth of a second
    remux(make.media("film.ts"), tmp_path / "out.mp4")
    before, after = probe.packets(make.media("film.ts"))[1], probe.packets(tmp_path / "out.mp4")[1]
    assert before.packets[0].pts == Fraction(1680, 90000)
    assert abs((after.packets[0].pts or 0) - Fraction(1680, 90000)) <= after.tick


class Shift(rw.Filter):
    """Moves times of packets: {index of the packet: ticks to add from there on}, over all streams."""

    inputs = (rw.Caps(CodecID=rw.Not("raw")),)
    outputs = (rw.Caps(CodecID=rw.Not("raw")),)

    def __init__(self, jumps: dict[int, int], alone: bool = False) -> None:
        super().__init__()
        self.jumps = jumps
        self.alone = alone
        self.counts: dict[Any, int] = {}
        self.offsets: dict[Any, int] = {}

    def configure(self, pid: rw.Link) -> None:
        if pid.output is None:
            self.new_pid(of=pid)

    def process(self) -> None:
        for pid in self.ipids:
            scale = pid.properties["Timescale"]
            for packet in pid:
                index = self.counts[pid] = self.counts.get(pid, -1) + 1
                if not (self.alone and pid is self.ipids[0]):
                    self.offsets[pid] = self.offsets.get(pid, 0) + self.jumps.get(index, 0) * scale // 90000
                offset = self.offsets.get(pid, 0)
                packet.dts = None if packet.dts is None else packet.dts + offset
                packet.cts = None if packet.cts is None else packet.cts + offset
                assert pid.output is not None
                pid.output.send(packet)


JUMPS: dict[str, dict[int, int]] = {
    "forward 2^31": {40: 1 << 31},
    "forward 2^32": {40: 1 << 32},
    "forward 2^33": {40: 1 << 33},
    "forward 2^45": {40: 1 << 45},
    "back 2^31": {40: -(1 << 31)},
    "back 2^33": {40: -(1 << 33)},
    "back a second": {40: -90000},
    "there and back": {30: 1 << 31, 31: -(1 << 31), 50: 1 << 31, 51: -(1 << 31)},
    "again and again": {20: 1 << 31, 60: 1 << 30, 80: 1 << 30},
    "far from the start": {0: 1 << 50},
}

JUMPING = """
import sys
from tests.engine.test_mux import JUMPS, Shift
from tests.engine.remuxing import remux
source, folder, target, who = sys.argv[1:]
for i, jump in enumerate(JUMPS.values()):
    remux(source, f"{folder}/{i}.{target}", Shift(jump, alone=who == "sound"))
"""


@pytest.mark.parametrize("who", ["both", "sound"])
@pytest.mark.parametrize("target", ["mp4", "mkv", "ts", "flv"])
def test_jumping_times_become_files_that_play(target: str, who: str, tmp_path: Path) -> None:
    """In a process of its own: FFmpeg's MP4 muxer was seen to abort the process."""
    child = in_child(JUMPING, make.media("film.ts"), tmp_path, target, who)
    assert child.returncode == 0, child.stderr[-2000:]
    before = probe.packets(make.media("film.ts"))
    for i, jump in enumerate(JUMPS):
        after = probe.packets(tmp_path / f"{i}.{target}")
        for a, b in zip(before, after, strict=True):
            assert [p.digest for p in b.packets] == [p.digest for p in a.packets], jump
            times = [packet.dts for packet in b.packets if packet.dts is not None]
            assert target in {"mkv", "flv"} or all(x < y for x, y in pairwise(times)), jump
            span = (b.packets[-1].pts or 0) - (b.packets[0].pts or 0)
            # what MP4 cannot say is closed: the film is as long as it was, or nearly
            closed = target == "mp4" and jump not in {"forward 2^31", "again and again", "there and back"}
            assert not closed or span < 30, jump
        assert probe.counters(tmp_path / f"{i}.{target}") == list(range(100)), jump


def test_the_33_bit_wrap_of_a_transport_stream(tmp_path: Path) -> None:
    near_the_end = Fraction((1 << 33) - 2 * 90000, 90000)
    source = make.film(tmp_path / "wraps.ts", start=near_the_end)
    for target in ("mp4", "mkv", "ts"):
        result = tmp_path / f"out.{target}"
        remux(source, result)
        for stream in probe.packets(result):
            times = sorted(packet.pts for packet in stream.packets if packet.pts is not None)
            assert times[-1] - times[0] < 5
        assert probe.counters(result) == list(range(100))


def test_two_recordings_joined_as_bytes(tmp_path: Path) -> None:
    source = tmp_path / "joined.ts"
    source.write_bytes(make.media("late.ts").read_bytes() + make.media("film.ts").read_bytes())
    result = tmp_path / "out.mp4"
    remux(source, result)
    video, sound = probe.packets(result)
    assert len(video.packets) == 200
    assert probe.counters(result) == [*range(100), *range(100)]
    ends = [stream.packets[-1].pts or Fraction(0) for stream in (video, sound)]
    assert abs(ends[0] - ends[1]) < Fraction(1, 10)  # still in step
    assert 7.8 < ends[0] - (video.packets[0].pts or 0) < 8.2


@hypothesis.given(
    strategies.lists(strategies.integers(-(1 << 62), 1 << 62), min_size=1, max_size=50),
    strategies.sampled_from([1000, 25, 90000, 48000]),
)
def test_whatever_comes_times_rise_by_no_more_than_the_gap(times: list[int], timescale: int) -> None:
    continuity = Continuity()
    track = continuity.track(Fraction(1, timescale), max_gap_s=3600)
    written: list[int] = []
    for dts in times:
        time = dts + track.offset
        if track.last is None or not track.last < time <= track.last + track.max_gap:
            time = track.repair(dts, 1)
        track.last = time
        written.append(time)
    assert all(0 < b - a <= track.max_gap for a, b in pairwise(written))
    assert abs(written[0]) < 1 << 54


def test_streams_that_break_together_stay_in_step() -> None:
    continuity = Continuity()
    video, sound = (continuity.track(Fraction(1, 1000), 3600) for _ in range(2))
    video.last, sound.last = 1000, 980
    assert video.repair(-500_000, 40) == 1040  # from 1000 back to -500 s
    assert sound.repair(-499_990, 20) == 1050  # 10 ms after the picture, as it was said
    assert continuity.repaired == 2


# --- decoder configurations --------------------------------------------------------------------------


def description(path: Path, index: int = 0) -> tuple[str, bytes]:
    """Tag and extradata of a stream."""
    with av.open(str(path)) as container:
        context = container.streams[index].codec_context
        return context.codec_tag, bytes(context.extradata or b"")


@pytest.mark.parametrize(
    ("name", "target", "tag", "start"),
    [
        ("film.ts", "mp4", "avc1", b"\x01"),
        ("film.ts", "mkv", "", b"\x01"),
        ("film.ts", "mov", "avc1", b"\x01"),
        ("film.ts", "flv", "", b"\x01"),
        ("film.h264", "mp4", "avc1", b"\x01"),
        ("film.mp4", "ts", "", b"\x00\x00"),
        ("film.mp4", "h264", "", b"\x00\x00"),
        ("hevc.ts", "mp4", "", b"\x01"),
        ("hevc.mp4", "mp4", "hvc1", b"\x01"),
        ("hevc.mkv", "mov", "hvc1", b"\x01"),
        ("hevc.mp4", "ts", "", b"\x00\x00"),
        ("film.obu", "mp4", "av01", b"\x81"),
    ],
)
def test_the_configuration_moves_where_the_container_wants_it(
    name: str, target: str, tag: str, start: bytes, tmp_path: Path
) -> None:
    result = tmp_path / f"out.{target}"
    copy_pictures(make.media(name), result)
    found, extradata = description(result)
    assert tag in found
    assert extradata.startswith(start)
    with av.open(str(result)) as container:
        first = next(container.decode(video=0))
        assert make.read_counter(first.to_ndarray(format="gray")) == 0
    assert probe.counters(result)[:25] == list(range(25))


def copy_pictures(source: Path, result: Path) -> None:
    """The first stream only: elementary streams hold no more."""
    with rw.Session() as session:
        reader, writer = session.load_src(str(source)), session.load_dst(str(result))
        reader.video >> writer
        session.run()


class Forgets(rw.Filter):
    """Passes raw H.264 on as a camera would: Annex B, with nothing said beforehand."""

    inputs = (rw.Caps(CodecID="h264"),)
    outputs = (rw.Caps(CodecID="h264"),)

    def configure(self, pid: rw.Link) -> None:
        properties = {
            key: pid.properties[key] for key in ("StreamType", "CodecID", "Timescale", "Width", "Height")
        }
        self.made = self.new_pid("camera", **properties)

    def process(self) -> None:
        for packet in self.ipids[0]:
            made = rw.Packet(bytes(packet.data), packet.dts, packet.cts, packet.duration, packet.sap)
            self.made.send(made)


@pytest.mark.debian("ffmpeg")
@pytest.mark.parametrize("target", ["mp4", "mkv", "flv", "ts"])
def test_a_configuration_that_only_the_stream_has(target: str, tmp_path: Path) -> None:
    result = tmp_path / f"out.{target}"
    remux(make.media("film.h264"), result, Forgets())
    assert probe.counters(result) == list(range(100))
    assert probe.ffprobe(result)[1] == ""


# --- what else describes a stream --------------------------------------------------------------------


@pytest.mark.debian("ffmpeg")
@pytest.mark.parametrize("target", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize(("name", "rotation"), [("upright.mp4", -90), ("upside.mp4", 180)])
def test_rotation_is_kept(name: str, rotation: int, target: str, tmp_path: Path) -> None:
    result = tmp_path / f"out.{target}"
    remux(make.media(name), result)
    report, _ = probe.ffprobe(result)
    found = [
        data["rotation"] for data in report["streams"][0].get("side_data_list", []) if "rotation" in data
    ]
    assert [angle % 360 for angle in found] == [rotation % 360]


@pytest.mark.parametrize("target", ["mp4", "mkv", "mov"])
def test_title_and_languages_are_kept(target: str, tmp_path: Path) -> None:
    source = make.film(tmp_path / "source.mp4", seconds=1, audio=make.TWO, metadata={"title": "A film"})
    result = tmp_path / f"out.{target}"
    remux(source, result)
    with av.open(str(result)) as container:
        assert container.metadata.get("title") == "A film"
        assert [stream.language for stream in container.streams.audio] == ["eng", "ger"]


# --- Python file objects -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["mp4", "matroska", "mpegts", "flv"])
def test_into_a_file_object(form: str) -> None:
    result = io.BytesIO()
    remux(make.media("film.mp4"), result, writing={"format": form})
    assert_whole(result.getvalue())
    assert not result.closed


@pytest.mark.parametrize(
    ("form", "ffmpeg"),
    [("matroska", {}), ("mpegts", {}), ("flv", {}), ("mp4", {"movflags": "frag_keyframe+empty_moov"})],
)
def test_into_an_object_that_cannot_seek(form: str, ffmpeg: dict[str, str]) -> None:
    result = Unseekable()
    remux(make.media("film.mp4"), result, writing={"format": form, "ffmpeg": ffmpeg})
    assert_whole(bytes(result.written))


def test_an_mp4_that_cannot_seek_is_written_in_fragments() -> None:
    result = Unseekable()
    remux(make.media("film.mp4"), result, writing={"format": "mp4"})
    assert b"moof" in result.written
    assert_whole(bytes(result.written))


@pytest.mark.parametrize("limit", [0, 40_000])
def test_an_error_of_a_write_comes_with_its_own_traceback(limit: int) -> None:
    with pytest.raises(rw.ReelwayError, match="the disk is full") as caught:
        remux(make.media("long.mp4"), FailsToWrite(limit), writing={"format": "mpegts"})
    trouble = next(error for error in causes(caught.value) if isinstance(error, Trouble))
    assert functions(trouble)[-1] == "write"


def assert_whole(data: bytes) -> None:
    with av.open(io.BytesIO(data)) as container:
        count = {stream.index: 0 for stream in container.streams}
        for packet in container.demux():
            count[packet.stream.index] += bool(packet.size)
    assert list(count.values()) == [100, 189]


# --- errors ------------------------------------------------------------------------------------------


def test_what_a_container_cannot_hold_names_one_that_can(tmp_path: Path) -> None:
    with pytest.raises(rw.LinkError) as caught:
        remux(make.media("film.mp4"), tmp_path / "out.webm")
    assert str(caught.value) == "webm cannot hold h264 (demux.video1), aac (demux.audio1)"
    assert "mp4 or mkv or ts or mov or flv would do" in str(caught.value.hint)
    assert list(tmp_path.iterdir()) == []


def test_a_name_without_an_ending_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(rw.OptionError, match="no container format") as caught:
        remux(make.media("film.mp4"), tmp_path / "out")
    assert "format=" in str(caught.value.hint)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(rw.OpenError, match="No such file or directory"):
        remux(make.media("film.mp4"), tmp_path / "nowhere" / "out.mp4")


# --- covers, pipes, size ------------------------------------------------------------------------------


@pytest.fixture
def with_cover(tmp_path: Path) -> Path:
    """A film with a picture of its cover, as music shops write it."""
    path = tmp_path / "cover.mp4"
    picture = av.VideoFrame.from_ndarray(make.counter_picture(0, (64, 64)), format="yuv420p")
    encoder: Any = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 64, 64, "yuvj420p", Fraction(1, 25)
    (cover,) = encoder.encode(picture.reformat(format="yuvj420p"))
    with av.open(str(make.media("film.mp4"))) as source, av.open(str(path), "w") as output:
        copies = [output.add_stream_from_template(stream) for stream in source.streams]
        attached: Any = output.add_mux_stream("mjpeg", width=64, height=64)
        attached.disposition = av.stream.Disposition.attached_pic
        attached.time_base = Fraction(1, 90000)
        output.start_encoding()
        cover.stream, cover.pts, cover.dts = attached, 0, 0
        output.mux_one(cover)
        for packet in source.demux():
            if packet.size:
                packet.stream = copies[packet.stream.index]
                output.mux_one(packet)
    return path


def test_a_cover_goes_along_or_stays_behind_and_is_said(
    with_cover: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    remux(with_cover, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio", "video"]
        assert container.streams[2].disposition & av.stream.Disposition.attached_pic
    assert not caplog.records
    remux(with_cover, tmp_path / "out.ts")
    assert [stream.codec for stream in probe.packets(tmp_path / "out.ts")] == ["h264", "aac"]
    assert "ts cannot hold mjpeg (demux.video2): left out" in caplog.text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("form", ["mpegts", "matroska", "mp4"])
def test_into_a_named_pipe_that_another_thread_reads(form: str, tmp_path: Path) -> None:
    """Closing must not hold the interpreter while the pipe is full, or the reader could never empty it."""
    fifo, read = tmp_path / "fifo", bytearray()
    os.mkfifo(fifo)

    def drain() -> None:
        with open(fifo, "rb", buffering=0) as end:
            while chunk := end.read(1000):
                read.extend(chunk)

    reader = threading.Thread(target=drain)
    reader.start()
    remux(make.media("film.mp4"), fifo, writing={"format": form})
    reader.join(2)
    assert not reader.is_alive()
    assert_whole(bytes(read))


MEASURED = """
import re, sys
import reelway as rw
rw.run(sys.argv[1], sys.argv[2])
# not ru_maxrss: that begins with what the process was before it became this program
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts memory in kibibytes, as Linux does")
def test_memory_does_not_grow_with_the_file(tmp_path: Path, count: Callable[[int], int]) -> None:
    big = make.big_film(tmp_path / "big.mp4", count(2 << 30))
    assert big.stat().st_size > count(1 << 30)
    child = in_child(MEASURED, big, tmp_path / "out.mkv", timeout=100)
    assert child.returncode == 0, child.stderr
    assert int(child.stdout) < 160 << 10
    result = tmp_path / "out.mkv"
    assert result.stat().st_size > count(1 << 30)


@pytest.mark.parametrize(("fragment_s", "expected"), [(0, 4), (1.5, 2)])
def test_fragments_play_as_far_as_they_are_written(fragment_s: float, expected: int, tmp_path: Path) -> None:
    """Trap 29: what a killed writer leaves."""
    whole = tmp_path / "whole.mp4"
    with rw.Session() as session:
        source = session.load_src(make.media("film.mp4"))
        source >> session.load_dst(whole, fragment_s=fragment_s)
        session.run()
    data = whole.read_bytes()
    assert data.count(b"moof") == expected
    assert probe.ffprobe(whole)[1] == ""
    assert_whole(data)
    part = tmp_path / "part.mp4"
    part.write_bytes(data[: data.rindex(b"moof") + 20])
    assert probe.counters(part) == list(range(100 * (expected - 1) // expected))
    with pytest.raises(rw.OptionError, match="matroska has no fragments"), rw.Session() as session:
        session.load_dst(tmp_path / "out.mkv", fragment_s=1)


@pytest.mark.parametrize("target", ["mp4", "mkv", "flv", "ts"])
def test_a_track_cannot_become_another_size(target: str, tmp_path: Path) -> None:
    """It has one decoder configuration: the second half would not decode."""
    small = make.film(tmp_path / "small.mp4", seconds=1, size=(160, 120), audio=0)
    with rw.Session() as session:
        both = session.load("concat")
        for name in (make.media("silent.mp4"), small):
            session.load_src(name) >> both
        both >> session.load_dst(tmp_path / f"out.{target}")
        with pytest.raises(rw.ReelwayError, match="160x120, but .* was begun with 320x240") as caught:
            session.run()
    assert "video='libx264'" in str(caught.value.hint)


def test_nor_another_configuration_of_the_same_size(tmp_path: Path) -> None:
    other = make.film(tmp_path / "other.mp4", seconds=1, audio=0, bframes=0, gop=10)
    with rw.Session() as session:
        both = session.load("concat")
        for name in (make.media("silent.mp4"), other):
            session.load_src(name) >> both
        both >> session.load_dst(tmp_path / "out.mp4")
        with pytest.raises(rw.ReelwayError, match="begun with another decoder configuration"):
            session.run()


def test_a_transport_stream_takes_another_size_in_band(tmp_path: Path) -> None:
    small = make.film(tmp_path / "small.mp4", seconds=1, size=(160, 120), audio=0, first_counter=100)
    with rw.Session() as session:
        both = session.load("concat")
        for name in (make.media("silent.mp4"), small):
            session.load_src(name) >> session.load("bitstream:mode=in-band") >> both
        both >> session.load_dst(tmp_path / "out.ts")
        session.run()
    assert probe.counters(tmp_path / "out.ts") == list(range(125))
