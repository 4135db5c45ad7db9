"""Decoding: times, flags, formats that change, damage, and packets that no demuxer made."""

from __future__ import annotations

import hashlib
import logging
import subprocess
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy
import pytest

import reelway as rw
from reelway.engine.streaminfo import StreamInfo
from tests.engine.remuxing import in_child
from tests.media import make


class Keep(rw.Filter):
    """Keeps what comes, and when which properties did."""

    inputs = (rw.Caps(CodecID="raw"),)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.packets: list[rw.Packet] = []
        self.properties: list[dict[str, Any]] = []
        self.at: list[int] = []
        self.ends = 0

    def configure(self, pid: rw.Link) -> None:
        self.properties.append(dict(pid.properties))
        self.at.append(len(self.packets))

    def process(self) -> None:
        for pid in self.ipids:
            self.packets.extend(pid)

    def ended(self, pid: rw.Link) -> None:
        self.ends += 1


class Change(rw.Filter):
    """Does something to each coded packet."""

    inputs = (rw.Caps(CodecID=rw.Not("raw")),)
    outputs = (rw.Caps(),)

    def __init__(self, change: Callable[[int, rw.Packet], rw.Packet | None]) -> None:
        super().__init__()
        self.change = change
        self.count = 0

    def configure(self, pid: rw.Link) -> None:
        self.new_pid(of=pid)

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                made = self.change(self.count, packet)
                self.count += 1
                if made is not None:
                    assert pid.output is not None
                    pid.output.send(made)


class Feed(rw.Filter):
    """Sends packets, and properties in between."""

    outputs = (rw.Caps(),)

    def __init__(self, items: Iterable[rw.Packet | dict[str, Any]], **properties: Any) -> None:
        super().__init__()
        self.items = iter(items)
        self.properties = properties

    def open(self) -> None:
        self.new_pid("fed", **self.properties)

    def process(self) -> None:
        for item in self.items:
            if isinstance(item, dict):
                self.opids[0].set(**item)
            else:
                self.opids[0].send(item)
            if self.blocked:
                return
        self.opids[0].end()


def decode(
    source: Any, kind: str = "video", *between: rw.Filter, threads: int = 0, **options: Any
) -> tuple[Keep, rw.Filter]:
    """All frames of the first stream of a kind, and the decoder."""
    with rw.Session(threads=threads) as session:
        first = session.add(source) if isinstance(source, rw.Filter) else session.load_src(source)
        decoder, keep = session.load("decode", **options), Keep()
        here = first
        for each in between:
            here = (here if here is not first or isinstance(source, rw.Filter) else getattr(first, kind)) >> (
                session.add(each)
            )
        start = getattr(first, kind) if here is first and not isinstance(source, rw.Filter) else here
        (start >> decoder) >> session.add(keep)
        session.run()
    assert keep.ends <= 1
    return keep, decoder


def counters(keep: Keep) -> list[int]:
    return [make.read_counter(packet.planes()[0]) for packet in keep.packets]


# --- the contract ------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [0, 2])
def test_what_a_raw_stream_says_of_itself(threads: int) -> None:
    keep, _ = decode(make.media("film.mp4"), threads=threads)
    (properties,) = keep.properties
    expected = {
        "StreamType": "Visual", "CodecID": "raw", "PixelFormat": "yuv420p", "Width": 320, "Height": 240,
        "FPS": Fraction(25), "Timescale": 12800,
    }  # fmt: skip
    assert {name: properties[name] for name in expected} == expected
    assert not {"StreamInfo", "DecoderConfig", "DecoderConfigMode", "Bitrate", "Stride"} & set(properties)
    assert [(p.dts, p.cts, p.duration, p.sap) for p in keep.packets] == [
        (512 * n, 512 * n, 512, 1) for n in range(100)
    ]
    assert counters(keep) == list(range(100))
    assert {p.size for p in keep.packets} == {320 * 240 * 3 // 2}


def test_sound() -> None:
    keep, _ = decode(make.media("film.mp4"), "audio")
    (properties,) = keep.properties
    expected = {
        "StreamType": "Audio", "CodecID": "raw", "AudioFormat": "fltp", "SampleRate": 48000,
        "NumChannels": 2, "ChannelLayout": "stereo", "Timescale": 48000,
    }  # fmt: skip
    assert {name: properties[name] for name in expected} == expected
    assert [(p.cts, p.duration) for p in keep.packets] == [(1024 * n, 1024) for n in range(188)]


NAMES = (
    "film.mp4 film.mkv film.ts film.flv late.mp4 late.ts cif30.mp4 vfr.mp4 vfr.mkv opus.mp4 opus.mkv mp3.mp4 "
    "vorbis.mkv tone.mp3 flac.mkv opus.ogg pcm.mov ac3.ts hevc.mp4 av1.mp4 film.webm mpeg2.ts mjpeg.mov"
).split()


@pytest.mark.parametrize("name", NAMES)
def test_frames_are_those_of_ffmpegs_own(name: str, debian_tool: Callable[[str], Path]) -> None:
    """The same number, times and samples as `ffmpeg -f framemd5` gives: also edit lists and priming."""
    path = make.media(name)
    with av.open(str(path)) as container:
        kinds = list(dict.fromkeys(stream.type for stream in container.streams))
    for kind in kinds:
        if kind not in ("video", "audio"):
            continue
        with av.open(str(path)) as container:
            theirs = [
                (frame.pts, frame.samples if kind == "audio" else (frame.width, frame.height))
                for frame in container.decode(container.streams.best(kind))  # type: ignore[arg-type]
            ]
        keep, _ = decode(path, kind)
        base = 1 if kind == "video" else 0
        mine = [
            (p.cts, p.planes()[0].shape[0] if not base else p.planes()[0].shape[1::-1]) for p in keep.packets
        ]
        assert mine == theirs
        ffmpeg = debian_tool("ffmpeg")
        if kind == "video":
            assert [hashlib.md5(packet.data).hexdigest() for packet in keep.packets] == framemd5(ffmpeg, path)
        else:
            samples = numpy.concatenate([packet.array() for packet in keep.packets])
            expected = pcm(ffmpeg, path, samples.dtype).reshape(-1, samples.shape[1])
            if path.suffix == ".mkv" and len(expected) > len(samples):
                expected = expected[1024:]  # FFmpeg before 7 did not skip AAC's priming in Matroska
            assert len(samples) == len(expected)
            assert numpy.abs(samples - expected).max() <= (1e-4 if samples.dtype.kind == "f" else 0)


def framemd5(ffmpeg: Path, path: Path) -> list[str]:
    """What `ffmpeg -f framemd5` says of the video: each picture's digest."""
    command = [str(ffmpeg), "-v", "error", "-autorotate", "0", "-i", str(path), "-map", "0:v:0"]
    command += ["-fps_mode", "passthrough", "-f", "framemd5", "-"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.split(",")[-1].strip() for line in out.splitlines() if not line.startswith("#")]


def pcm(ffmpeg: Path, path: Path, dtype: Any) -> Any:
    """All samples of the sound, as ffmpeg decodes them."""
    form = {"f4": "f32le", "i2": "s16le", "i4": "s32le"}[dtype.str[1:]]
    command = [str(ffmpeg), "-v", "error", "-i", str(path), "-map", "0:a:0", "-f", form, "-"]
    return numpy.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, dtype)


ODD = {
    "rawvideo": "raw.avi -pix_fmt yuv420p",
    "utvideo": "ut.avi",  # its decoder reads the container's four characters
    "ffv1": "ffv1.mkv",
    "prores": "prores.mov -pix_fmt yuv422p10le",
    "gif": "a.gif",
    "qtrle": "q.mov",
    "dvvideo": "dv.avi -s 720x576 -r 25 -pix_fmt yuv420p",
    "msmpeg4": "div3.avi",
    "adpcm_ms": "ms.wav",
    "adpcm_ima_qt": "ima.mov",
    "wmav2": "a.wma",
    "pcm_s24be": "pcm.mov",
    "alac": "a.m4a",
}


@pytest.mark.parametrize("codec", ODD)
def test_codecs_that_need_more_than_their_name(
    codec: str, tmp_path: Path, debian_tool: Callable[[str], Path]
) -> None:
    """Block sizes, bits a sample, four characters: what a stream's description keeps for the decoder."""
    name, *options = ODD[codec].split()
    path = tmp_path / name
    sound = av.Codec(codec, "w").type == "audio"
    made = "sine=duration=1:sample_rate=44100" if sound else "testsrc=size=160x120:rate=10:duration=1"
    command = [debian_tool("ffmpeg"), "-v", "error", "-f", "lavfi", "-i", made, "-c", codec, *options, path]
    subprocess.run([str(each) for each in command], check=True)
    with av.open(str(path)) as container:
        theirs = [b"".join(map(bytes, frame.planes)) for frame in container.decode(container.streams[0])]
    keep, _ = decode(path, "audio" if sound else "video")
    mine = [b"".join(map(bytes, packet.payload.take().planes)) for packet in keep.packets]
    assert [hashlib.md5(each).digest() for each in mine] == [hashlib.md5(each).digest() for each in theirs]
    times = [packet.cts or 0 for packet in keep.packets]
    assert times == sorted(set(times))


def test_rotation_is_a_property() -> None:
    for name, turns in (("upright.mp4", 3), ("upside.mp4", 2)):
        keep, _ = decode(make.media(name))
        assert keep.properties[0]["Rotate"] == turns
        assert keep.packets[0].planes()[0].shape == (240, 320)


def test_colours_are_properties(tmp_path: Path) -> None:
    tags = {"x264-params": "colorprim=bt709:transfer=bt709:colormatrix=bt709:fullrange=on"}
    film = make.film(tmp_path / "film.mp4", seconds=1, audio=0, video_options=tags)
    keep, _ = decode(film)
    said = {name: keep.properties[0].get(name) for name in ("ColorMatrix", "ColorPrimaries", "ColorTransfer")}
    assert said == dict.fromkeys(said, "bt709")
    assert keep.properties[0]["FullRange"] is True


# --- packets that were changed or made in Python -----------------------------------------------------


def test_a_packets_own_times_count() -> None:
    def later(_: int, packet: rw.Packet) -> rw.Packet:
        assert packet.dts is not None
        assert packet.cts is not None
        packet.dts, packet.cts = packet.dts + 12800, packet.cts + 12800
        return packet

    keep, _ = decode(make.media("film.mp4"), "video", Change(later))
    assert [p.cts for p in keep.packets] == [12800 + 512 * n for n in range(100)]


@pytest.mark.parametrize("shared", [False, True])
def test_plain_bytes_with_flags(shared: bool) -> None:
    def plain(number: int, packet: rw.Packet) -> rw.Packet:
        made = rw.Packet(bytes(packet.data))
        made.copy_properties(packet)
        made.capture_time = 1000 + number
        made.seek = number == 0
        return made.clone() if shared else made

    keep, _ = decode(make.media("plain.mp4"), "video", Change(plain))
    assert counters(keep) == list(range(100))
    assert [p.capture_time for p in keep.packets] == list(range(1000, 1100))
    assert [p.seek for p in keep.packets] == [True] + [False] * 99


def test_a_stream_that_only_properties_describe() -> None:
    with av.open(str(make.media("film.mp4"))) as container:
        stream = container.streams.video[0]
        config = bytes(stream.codec_context.extradata or b"")
        packets = [rw.Packet(bytes(p), p.dts, p.pts, p.duration) for p in container.demux(stream) if p.size]
    feed = Feed(
        packets,
        StreamType="Visual",
        CodecID="h264",
        DecoderConfig=config,
        Timescale=12800,
        Width=320,
        Height=240,
    )
    keep, _ = decode(feed)
    assert counters(keep) == list(range(100))


def test_trap_12_times_that_are_missing_are_derived() -> None:
    """With B-frames a decode time says nothing of when a picture is shown."""

    def without(number: int, packet: rw.Packet) -> rw.Packet:
        if number:
            packet.cts = None
        return packet

    keep, _ = decode(make.media("film.mp4"), "video", Change(without))
    assert counters(keep) == list(range(100))
    assert [p.cts for p in keep.packets] == [512 * n for n in range(100)]


def test_trap_15_packets_without_decode_times() -> None:
    def without(_: int, packet: rw.Packet) -> rw.Packet:
        packet.dts = None
        return packet

    keep, _ = decode(make.media("film.mp4"), "video", Change(without))
    assert counters(keep) == list(range(100))
    assert [p.cts for p in keep.packets] == [512 * n for n in range(100)]


# --- formats that change, seeks, damage --------------------------------------------------------------


def coded(path: Path) -> tuple[StreamInfo, list[rw.Packet], int]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        info = StreamInfo.of(stream)
        packets = [rw.Packet(p, p.dts, p.pts, p.duration) for p in container.demux(stream) if p.size]
        return info, packets, stream.time_base.denominator  # type: ignore[union-attr]


@pytest.mark.parametrize("in_band", [False, True])
def test_trap_22_a_new_size_is_told_before_the_first_new_frame(in_band: bool, tmp_path: Path) -> None:
    parts: list[Any] = []
    suffix = "ts" if in_band else "mp4"
    for number, size in enumerate([(320, 240), (176, 144)]):
        path = make.film(
            tmp_path / f"{number}.{suffix}", seconds=1, size=size, audio=0, first_counter=25 * number
        )
        info, packets, timescale = coded(path)
        for packet in packets:
            assert packet.dts is not None
            assert packet.cts is not None
            packet.dts, packet.cts = packet.dts + number * timescale, packet.cts + number * timescale
        if not number:
            first = info
        elif not in_band:
            parts.append({"StreamInfo": info, "Width": size[0], "Height": size[1]})
        parts += packets
    feed = Feed(
        parts, StreamType="Visual", CodecID="h264", StreamInfo=first, Timescale=timescale, FPS=Fraction(25)
    )
    keep, _ = decode(feed)
    sizes = [(p["Width"], p["Height"]) for p in keep.properties]
    assert sizes == [(320, 240), (176, 144)]
    assert keep.at == [0, 25]
    assert counters(keep) == list(range(50))
    shapes = [packet.planes()[0].shape for packet in keep.packets]
    assert shapes == [(240, 320)] * 25 + [(144, 176)] * 25


class Seeker(Keep):
    """Asks for another place after ten frames."""

    def __init__(self, time_s: float) -> None:
        super().__init__()
        self.time_s = time_s
        self.restarts: list[int] = []

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                self.packets.append(packet)
                if len(self.packets) == 10:
                    pid.send_event(rw.events.Seek(time_s=self.time_s))

    def restarted(self, pid: rw.Link) -> None:
        self.restarts.append(len(self.packets))


@pytest.mark.parametrize("time_s", [0.0, 0.5, 2.2, 3.96])
@pytest.mark.parametrize("name", ["film.mp4", "late.ts"])
def test_frames_before_the_target_of_a_seek_are_marked(name: str, time_s: float) -> None:
    keep = Seeker(time_s)
    with rw.Session(threads=0) as session:
        (session.load_src(make.media(name)).video >> session.load("decode")) >> session.add(keep)
        session.run()
    (at,) = keep.restarts
    after = keep.packets[at:]
    shown = [make.read_counter(packet.planes()[0]) for packet in after if not packet.seek]
    timescale, begin = keep.properties[0]["Timescale"], keep.properties[0].get("StartTime", 0)
    first_s = (keep.packets[0].cts or 0) / timescale - float(begin)
    start = next(number for number in range(101) if first_s + number / 25 >= time_s - 1e-6)
    assert shown == list(range(start, 100))


def test_damaged_packets_are_counted_and_decoding_goes_on() -> None:
    def damage(number: int, packet: rw.Packet) -> rw.Packet:
        if number % 25 != 10:
            return packet
        made = rw.Packet(bytes(range(40)))
        made.copy_properties(packet)
        return made

    keep, decoder = decode(make.media("plain.mp4"), "video", Change(damage), threads=1)
    assert decoder.status == "4 damaged packets"
    assert len(keep.packets) == 96
    # what refers to them looks right and is not: it is marked, up to the next random access point
    expected = [number for number in range(100) if number % 25 > 10]
    assert [(p.cts or 0) // 512 for p in keep.packets if p.corrupted] == expected
    whole = [p for p in keep.packets if not p.corrupted]
    assert [make.read_counter(p.planes()[0]) for p in whole] == [(p.cts or 0) // 512 for p in whole]


def test_frames_behind_a_loss_are_marked() -> None:
    def lose(number: int, packet: rw.Packet) -> rw.Packet | None:
        packet.discontinuity = number == 31
        return packet if number != 30 else None

    keep, _ = decode(make.media("plain.mp4"), "video", Change(lose), threads=1)
    assert [(p.cts or 0) // 512 for p in keep.packets if p.corrupted] == list(range(31, 50))


def test_a_muxer_beside_changes_nothing(tmp_path: Path) -> None:
    """Packets are shared: what they say of priming and edit lists reaches the decoder all the same."""
    alone, _ = decode(make.media("opus.mp4"), "audio")
    with rw.Session(threads=2) as session:
        source, keep = session.load_src(make.media("opus.mp4")), Keep()
        source.audio >> session.load_dst(tmp_path / "copy.mp4")
        (source.audio >> session.load("decode")) >> session.add(keep)
        session.run()
    assert [(p.cts, bytes(p.data)) for p in keep.packets] == [(p.cts, bytes(p.data)) for p in alone.packets]


@pytest.mark.parametrize("name", ["middle.mp4", "middle.mkv", "middle.ts", "middle.flv"])
def test_trap_13_files_that_were_cut_end_cleanly(name: str) -> None:
    with av.open(str(make.media(name))) as container:
        theirs = 0
        try:
            for _ in container.decode(video=0):
                theirs += 1
        except av.error.FFmpegError:
            pass
    keep, _ = decode(make.media(name))
    assert len(keep.packets) >= theirs > 20
    assert keep.ends == 1


def test_nothing_to_decode_is_an_error() -> None:
    feed = Feed(
        [rw.Packet(bytes(100), n, n, 1) for n in range(5)], StreamType="Visual", CodecID="h264", Timescale=25
    )
    with pytest.raises(rw.FormatError, match="nothing of fed could be decoded"):
        decode(feed)


# --- hardware and threads ----------------------------------------------------------------------------


def test_trap_23_hardware_that_is_not_there_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        keep, decoder = decode(make.media("film.mp4"), hwaccel="qsv")
    assert counters(keep) == list(range(100))
    assert "qsv cannot decode h264 here: software does" in caplog.text
    assert decoder.status == "decodes in software: qsv cannot"
    with pytest.raises(rw.UnsupportedError, match="qsv"):
        decode(make.media("film.mp4"), hwaccel="qsv", hwaccel_required=True)
    with pytest.raises(
        rw.UnknownNameError, match="no hardware for decoding in this build of FFmpeg is named 'cudo'"
    ):
        decode(make.media("film.mp4"), hwaccel="cudo")


@pytest.mark.parametrize("thread_type", ["auto", "frame", "slice", "none"])
def test_threads_change_nothing(thread_type: str) -> None:
    keep, _ = decode(make.media("film.mp4"), threads=2, thread_type=thread_type)
    assert counters(keep) == list(range(100))


def test_trap_05_many_decoders_at_once() -> None:
    with rw.Session(threads=2) as session:
        kept = []
        for _ in range(32):
            source, keep = session.load_src(make.media("plain.mp4")), Keep()
            (source.video >> session.load("decode:threads=2")) >> session.add(keep)
            kept.append(keep)
        session.run()
    assert all(counters(keep) == list(range(100)) for keep in kept)


def test_trap_05_codec_threads_do_not_keep_a_process_from_ending() -> None:
    code = """if True:
        import sys, reelway as rw
        class Stop(rw.Filter):
            inputs = (rw.Caps(CodecID="raw"),)
            def process(self):
                for pid in self.ipids:
                    for packet in pid:
                        raise ValueError("enough")
        try:
            with rw.Session() as session:
                decoder = session.load("decode:threads=4")
                (session.load_src(sys.argv[1]).video >> decoder) >> session.add(Stop())
                session.run()
        except rw.FilterError as error:
            print(error)
    """
    done = in_child(code, make.media("film.mp4"), timeout=20)
    assert done.returncode == 0, done.stderr
    assert "enough" in done.stdout
