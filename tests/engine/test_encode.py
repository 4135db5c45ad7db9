"""Encoding: times to the tick, files that play, options, missing encoders, changes in mid-stream."""

from __future__ import annotations

import io
import itertools
import logging
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from time import monotonic
from typing import Any

import av
import numpy
import pytest

import reelway as rw
from reelway.engine import codecs, encoding_pictures
from reelway.media.frame import MemoryFrame
from reelway.testing import parts
from tests.engine.parts import Feed, Keep, picture_properties, pictures, run, sine, tones
from tests.filters.raw import picture_properties as properties
from tests.media import make, probe

UNEVEN = list(make.VFR_TICKS)


def write(path: Path | io.BytesIO, *sources: tuple[rw.Filter, str], **options: Any) -> None:
    """Encodes each source as its text says, into one file."""
    with rw.Session(threads=2) as session:
        destination = session.load_dst(str(path) if isinstance(path, Path) else path, **options)
        for source, text in sources:
            (session.add(source) >> session.load(text)) >> destination
        session.run()


def shown(path: Path) -> list[tuple[Fraction, Fraction, int]]:
    """(time, duration, counter) of each picture, in the order they are shown."""
    packets = sorted(probe.packets(path)[0].packets, key=lambda packet: packet.pts or 0)
    times = [(packet.pts or Fraction(0), packet.duration) for packet in packets]
    return [(*time, number) for time, number in zip(times, probe.counters(path), strict=True)]


# --- times -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg4", "libvpx-vp9", "mjpeg", "libsvtav1"])
@pytest.mark.parametrize("timescale", [1000, 90000])
def test_trap_19_uneven_times_and_the_last_duration_survive(codec: str, timescale: int) -> None:
    keep = run(pictures(UNEVEN, timescale, last=33), f"encode:codec={codec}")
    coded = sorted(keep.packets, key=lambda packet: packet.cts or 0)
    assert keep.properties[0]["Timescale"] == timescale
    assert [packet.cts for packet in coded] == UNEVEN
    assert [packet.duration for packet in coded] == [7, 12, 1, 21, 29, 33]
    decode_times = [packet.dts for packet in keep.packets]
    assert decode_times == sorted(set(decode_times), key=lambda time: time or 0)
    assert all((packet.dts or 0) <= (packet.cts or 0) for packet in keep.packets)


@pytest.mark.parametrize("target", ["mp4", "mov", "mkv"])
def test_trap_19_in_files(target: str, tmp_path: Path) -> None:
    path = tmp_path / f"out.{target}"
    # where pictures are coded out of order, MP4 says how far apart they are decoded, not how long they last
    write(path, (pictures(UNEVEN, 1000, last=33), "encode:bf=0"))
    seen = shown(path)
    assert [number for *_, number in seen] == list(range(6))
    start = seen[0][0]
    assert [time - start for time, *_ in seen] == [Fraction(tick, 1000) for tick in UNEVEN]
    if target != "mkv":
        assert [duration for _, duration, _ in seen] == [Fraction(ms, 1000) for ms in (7, 12, 1, 21, 29, 33)]


@pytest.mark.parametrize("target", ["mp4", "mkv", "ts", "flv"])
def test_trap_18_the_muxers_ticks_move_no_picture_by_more_than_one(target: str, tmp_path: Path) -> None:
    path = tmp_path / f"out.{target}"
    times = [round(number * 90000 * 1001 / 30000) for number in range(90)]
    write(path, (pictures(times, 90000, last=3003, FPS=Fraction(30000, 1001)), "encode"))
    seen = shown(path)
    tick = probe.packets(path)[0].tick
    assert [number for *_, number in seen] == list(range(90))
    for (time, *_), expected in zip(seen, times, strict=True):
        assert abs(time - seen[0][0] - Fraction(expected, 90000)) <= tick


def test_times_that_do_not_rise_are_moved_by_a_tick() -> None:
    keep = run(pictures([0, 40, 40, 80], 1000), "encode")
    assert sorted(packet.cts or 0 for packet in keep.packets) == [0, 40, 41, 80]


def test_what_is_not_to_be_shown_is_not_encoded() -> None:
    source = pictures(range(0, 400, 40), 1000)
    packets = list(source.items)
    for packet in packets[:4]:
        packet.seek = True  # type: ignore[union-attr]
    source.items = iter(packets)
    assert sorted(packet.cts or 0 for packet in run(source, "encode").packets) == list(range(160, 400, 40))


# --- files that play ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codec", "target"),
    [*itertools.product(("h264", "hevc", "mpeg4"), ("mp4", "mkv", "ts")), ("h264", "flv")],
)
def test_trap_20_a_muxer_can_write_it(
    codec: str, target: str, tmp_path: Path, debian_tool: Callable[[str], Path]
) -> None:
    """Tag, extradata, and the first frame decodes; in a transport stream the headers are in the stream."""
    debian_tool("ffprobe")
    path = tmp_path / f"out.{target}"
    write(path, (pictures(range(0, 2000, 40), 1000, last=40), f"encode:codec={codec}:gop=10"))
    found, warnings = probe.ffprobe(path)
    assert not warnings
    (stream,) = found["streams"]
    assert (stream["codec_name"], stream["nb_read_frames"]) == (codec, "50")
    tags = {("h264", "mp4"): "avc1", ("hevc", "mp4"): "hvc1", ("mpeg4", "mp4"): "mp4v"}
    if (codec, target) in tags:
        assert stream["codec_tag_string"] in {tags[codec, target], "hev1"}
    assert probe.counters(path) == list(range(50))
    keyframes = [packet.keyframe for packet in probe.packets(path)[0].packets]
    assert keyframes[0]
    assert sum(keyframes) == 5


def test_in_band_and_out_of_band_by_the_resolver() -> None:
    class Lengths(Keep):
        inputs = (rw.Caps(CodecID="h264", DecoderConfigMode="out-of-band"),)

    with rw.Session(threads=0) as session:
        keep = Lengths()
        source = session.add(pictures(range(0, 400, 40), 1000))
        source >> session.load("encode") >> session.add(keep)
        session.run()
    assert keep.properties[0]["DecoderConfig"][0] == 1  # avcC
    assert len(keep.packets) == 10


# --- sound -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["aac", "libopus", "libmp3lame", "flac", "pcm_s16le", "ac3", "alac"])
@pytest.mark.parametrize("chunk", [1103, 480, 5000])
def test_trap_21_odd_pieces_of_sound(codec: str, chunk: int, tmp_path: Path) -> None:
    """What is decoded again has the same length, where codec and container can say so, and the same tone."""
    samples = 1103 * 40 + 17
    path = tmp_path / "out.mp4"
    if codec == "pcm_s16le":
        path = tmp_path / "out.mov"
    write(path, (tones(samples, chunk), f"encode:codec={codec}"))
    with av.open(str(path)) as container:
        decoded = [
            (frame.pts, frame.time_base, frame.to_ndarray(), frame) for frame in container.decode(audio=0)
        ]
        rate = container.streams.audio[0].rate
    whole = numpy.concatenate([_as_float(array, frame) for *_, array, frame in decoded], axis=1)
    assert rate == 48000
    assert abs(decoded[0][0] * decoded[0][1]) < Fraction(1, 48000)  # type: ignore[operator]
    assert whole.shape[1] >= samples
    if codec in ("flac", "pcm_s16le", "alac"):  # in MP4, FFmpeg's decoders show the others' padding
        assert whole.shape[1] == samples
    if codec not in ("libmp3lame", "ac3"):
        ends = [(packet.pts or 0) + packet.duration for packet in probe.packets(path)[0].packets]
        assert max(ends) == Fraction(samples, 48000)
    expected = sine(samples)[:, 0] / 32768
    middle = slice(4000, samples - 4000)
    assert numpy.corrcoef(whole[0][middle], expected[middle])[0, 1] > 0.999


def _as_float(array: Any, frame: Any) -> Any:
    """(channels, samples)"""
    channels = frame.layout.nb_channels
    plain = array if frame.format.is_planar else array.reshape(-1, channels).T
    return plain / {"i": 2.0 ** (8 * plain.itemsize - 1), "f": 1.0}[plain.dtype.kind]


def test_priming_is_said() -> None:
    keep = run(tones(48000, 1103), "encode:codec=aac")
    (properties,) = keep.properties
    assert (properties["InitialPadding"], properties["SamplesPerFrame"]) == (1024, 1024)
    assert (properties["Timescale"], properties["DecoderConfigMode"]) == (48000, "out-of-band")
    assert keep.packets[0].cts == -1024
    assert sum(packet.duration or 0 for packet in keep.packets) >= 48000


def test_what_the_encoder_lacks_is_resampled() -> None:
    keep = run(tones(44100, 1000, rate=44100), "encode:codec=libopus")
    assert keep.properties[0]["SampleRate"] == 48000
    assert sum(packet.duration or 0 for packet in keep.packets) >= 48000
    wide = Feed([rw.Packet(bytes(320 * 240 * 4), n * 40, n * 40, 40) for n in range(5)],
                **{**picture_properties((320, 240), 1000), "PixelFormat": "bgra"})  # fmt: skip
    made = run(wide, "encode:codec=h264")
    assert made.properties[0]["PixelFormat"] == "yuv420p"
    assert len(made.packets) == 5


def test_channels_that_a_codec_lacks_are_mixed_down(caplog: pytest.LogCaptureFixture) -> None:
    keep = run(tones(9600, 480, channels=6), "encode:codec=mp3")
    assert (keep.properties[0]["NumChannels"], keep.properties[0]["ChannelLayout"]) == (2, "stereo")
    assert "mp3 takes no 5.1: it becomes stereo" in caplog.text
    assert run(tones(9600, 480, channels=6), "encode:codec=opus").properties[0]["ChannelLayout"] == "5.1"


# --- changes in mid-stream ---------------------------------------------------------------------------


def test_another_size_is_scaled_to_the_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, second = (
        pictures(range(0, 400, 40), 1000),
        pictures(range(400, 800, 40), 1000, first=10, size=(640, 480)),
    )
    source = Feed([*first.items, {"Width": 640, "Height": 480}, *second.items], **first.properties)
    with caplog.at_level(logging.WARNING):
        write(tmp_path / "out.mp4", (source, "encode"))
    assert probe.counters(tmp_path / "out.mp4") == list(range(20))
    assert "pictures become 640x480 and are scaled to 320x240" in caplog.text


def test_another_format_and_other_ticks_go_on(tmp_path: Path) -> None:
    first = pictures(range(0, 400, 40), 1000)
    grey = [
        rw.Packet(make.counter_picture(10 + n)[:240].tobytes(), 36000 + n * 3600, 36000 + n * 3600, 3600)
        for n in range(10)
    ]
    source = Feed(
        [*first.items, {"PixelFormat": "gray", "Timescale": 90000, "FullRange": False}, *grey],
        **first.properties,
    )
    path = tmp_path / "out.mkv"
    write(path, (source, "encode"))
    assert [number for *_, number in shown(path)] == list(range(20))
    assert [time for time, *_ in shown(path)][-1] - shown(path)[0][0] == Fraction(19, 25)


# --- options -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["ffenc:c=avc", "enc:c=264", "encode:codec=libx264", "encode"])
def test_gpacs_names(text: str) -> None:
    assert run(pictures(range(0, 400, 40), 1000), text).properties[0]["CodecID"] == "h264"


def test_options_reach_the_encoder() -> None:
    small = run(pictures(range(0, 4000, 40), 1000), "encode:crf=45:preset=ultrafast:gop=50")
    big = run(pictures(range(0, 4000, 40), 1000), "encode:crf=5:preset=ultrafast:gop=5")
    assert sum(p.size for p in big.packets) > 3 * sum(p.size for p in small.packets)
    assert [sum(p.sap == 1 for p in keep.packets) for keep in (small, big)] == [2, 20]
    timed = run(pictures(range(0, 4000, 40), 1000), "ffenc:c=avc:fintra=1/2")
    assert sum(p.sap == 1 for p in timed.packets) == 9  # a frame rate of 25: every 12
    assert run(pictures([0], 25), "encode:b=500k:tune=zerolatency").properties[0]["Bitrate"] == 500_000


def test_options_that_are_wrong_name_near_ones() -> None:
    session = rw.Session()
    with pytest.raises(rw.UnknownNameError) as unknown:
        session.load("encode:codec=libx264:tun=film")
    assert unknown.value.hint == "did you mean 'tune'?"
    with pytest.raises(rw.UnknownNameError) as codec:
        session.load("encode:codec=libx246")
    assert "libx264" in str(codec.value.hint)
    with pytest.raises(rw.UnsupportedError, match="cannot encode vvc"):
        session.load("encode:codec=vvc")
    with pytest.raises(rw.OptionError, match="libx264 does not take preset=ultrfast|libx264.*ultrfast"):
        run(pictures([0], 25), "encode:codec=libx264:preset=ultrfast")
    session.close()


def test_an_encoder_that_is_avoided(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        keep = run(tones(4800, 480), "encode:codec=ac3:avoid=ac3")
    assert keep.properties[0]["CodecID"] == "ac3"
    assert caplog.text.count("ac3 is not there or does not open: ac3 is encoded by ac3_fixed") == 1
    with pytest.raises(rw.UnsupportedError, match="aac cannot be encoded: there is no encoder for it here"):
        run(tones(4800, 480), "encode:codec=aac:avoid=aac")


def test_without_libx264_another_encoder_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here none opens, for they want hardware: the error says what each one said."""
    with pytest.raises(rw.UnsupportedError) as caught:
        run(pictures([0], 25), "encode:avoid=libx264,libx264rgb")
    assert "h264 cannot be encoded: h264_" in str(caught.value)


def test_codecs_that_can_be_encoded() -> None:
    assert {"h264", "hevc", "vp9", "av1", "mpeg4"} <= set(codecs.encodable("video"))
    assert {"aac", "opus", "mp3", "flac", "pcm_s16le"} <= set(codecs.encodable("audio"))
    assert codecs.encodable("video")["h264"].name == "libx264"
    assert codecs.encodable("audio")["opus"].name == "libopus"
    assert codecs.codec_and_type("avc") == ("h264", "video")


def test_an_odd_size_is_told_how_to_become_even() -> None:
    with pytest.raises(rw.UnsupportedError) as caught:
        run(pictures([0], 25, size=(322, 242)), "convert:size=321x241", "encode")
    assert str(caught.value.hint).endswith("this is 321x241: put convert:size=322x242 before it")


def test_raw_without_a_format_is_refused() -> None:
    source = Feed([rw.Packet(bytes(10))], StreamType="Visual", CodecID="raw", Width=2)
    with pytest.raises(rw.UnsupportedError, match="fed cannot be encoded without PixelFormat and Height"):
        run(source, "encode")


@pytest.mark.parametrize("encoder", ["libx264", "libx265", "libsvtav1", "libvpx-vp9", "aac", "libopus"])
def test_encoders_write_nothing_on_stderr(encoder: str, tmp_path: Path) -> None:
    """x265 and SVT-AV1 would tell of themselves, past FFmpeg's log."""
    kind = "audio" if encoder in ("aac", "libopus") else "video"
    code = (
        "import sys, reelway as rw\n"
        f"rw.run({str(make.media('film.mp4'))!r}, {str(tmp_path / 'out.mkv')!r}, {kind}={encoder!r})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.alone
@pytest.mark.parametrize("threads", [0, 2])
def test_stopping_does_not_wait_for_what_an_encoder_holds(threads: int, tmp_path: Path) -> None:
    """x264 at its slowest holds a minute of work back."""
    with rw.Session(threads=threads) as session:
        source = session.load("testvideo:pattern=snow:size=1280x720:duration=20")
        encoder = session.load("encode:codec=libx264:preset=veryslow")
        source >> encoder >> session.load_dst(tmp_path / "out.mp4")

        def stop() -> float | None:
            if sum(link.packets_out for link in encoder.ipids) < 30:
                return 0.01
            stopped.append(monotonic())
            session.stop("none")
            return None

        stopped: list[float] = []
        session.post(stop)
        session.run()
        took_s = monotonic() - stopped[0]
    assert took_s < 2.5  # a turn that is under way is waited for or left behind


def test_behind_a_restart_the_encoder_is_what_it_was() -> None:
    """Another camera, of another size, comes in by the same encoder."""
    small, large = (64, 64), (128, 96)
    items = [
        *pictures(range(5), 25, size=small).items,
        parts.RESTART,
        picture_properties(large, 25),
        *pictures(range(5, 10), 25, size=large).items,
    ]
    feed = parts.Feed(items, properties=picture_properties(small, 25))
    keep = run(feed, "encode:codec=mpeg4", "decode")
    assert {(each["Width"], each["Height"]) for each in keep.properties} == {small}
    assert [packet.cts for packet in keep.packets] == list(range(10))
    assert {packet.planes()[0].shape for packet in keep.packets} == {(64, 64)}


def test_what_an_encoder_counts_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """MPEG-4 takes no ticks of a 90000th, so pictures are counted."""
    sizes: list[int] = []
    real = encoding_pictures.PictureStream._send

    def watched(stream: Any, payloads: Any) -> None:
        real(stream, payloads)
        sizes.append(len(stream._times) + len(stream._said))

    monkeypatch.setattr(encoding_pictures.PictureStream, "_send", watched)
    times = [number * 3600 + number % 7 for number in range(400)]
    keep = run(pictures(times, 90000, size=(64, 48)), "encode:codec=mpeg4:bf=2")
    assert sorted(packet.cts for packet in keep.packets) == times
    assert max(sizes) < 20


@pytest.mark.parametrize("format", ["yuv420p10le", "yuv422p10le", "yuv444p10le"])
def test_samples_that_the_format_has_no_bits_for_are_refused(format: str) -> None:
    """x264 ends the process at some of them."""
    random = numpy.random.default_rng(1)

    def coded(highest: int) -> None:
        source = rw.AppSource(properties=properties(format, 320, 240))
        for _ in range(5):
            frame = MemoryFrame.picture(format, 320, 240)
            for plane in frame.planes(writable=True):
                plane[...] = random.integers(0, highest + 1, plane.shape)
            source.push(rw.Packet(frame, sap=1))
        source.end()
        with rw.Session() as session:
            session.add(source) >> session.load("encode:codec=libx264") >> session.load("null")
            session.run()

    coded(1023)
    with pytest.raises(rw.FormatError, match="1023 is the highest") as caught:
        coded(65535)
    assert "shifted right by 6" in str(caught.value.hint)


PRIORITIES = """
import os, threading
import reelway as rw
def kinds():
    return {os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task")}
seen = [kinds()]
with rw.Session() as session:
    session.load("testvideo:frames=5:size=320x240") >> (coder := session.load("encode:codec=libsvtav1"))
    look = session.load("call", function=lambda packet: seen.append(kinds()))
    coder >> look
    look >> session.load("null")
    session.run()
seen.append(kinds())
print(len(seen) > 2, {kind for each in seen for kind in each} == {os.SCHED_OTHER})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have other priorities")
def test_an_encoder_makes_no_thread_a_real_time_one() -> None:
    """SVT-AV1 does, where root runs it: where others of them compute as well, the machine stands still."""
    done = subprocess.run([sys.executable, "-c", PRIORITIES], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("True True\n", "")
