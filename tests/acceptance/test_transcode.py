"""Films through decoder, Python and encoder: every picture, every sample, every time where it was."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy
import pytest

import reelway as rw
from reelway.testing.burnin import read_counter
from tests.acceptance.parts import (
    BLACK_AND_WHITE,
    Invert,
    clicks,
    heard,
    invert_in_place,
    invert_planes,
    invert_rgb,
    shown,
)
from tests.engine.parts import Feed, sine, sound_properties, tones
from tests.engine.test_convert import bars, bits_of, picture, to_rgb, worst
from tests.media import make, probe

FILMS = ("film.mp4", "film.mkv", "film.ts", "open.mp4", "open.ts", "late.ts")
"""All with B-frames; some with open groups of pictures, or with times that start late."""


# --- a filter in Python in the middle ----------------------------------------------------------------


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("name", FILMS)
def test_in_place_between_decoder_and_encoder(name: str, threads: int, tmp_path: Path) -> None:
    """Each picture is its original, inverted, at its time; the sound beside it is the same in each bit."""
    result = tmp_path / f"out{Path(name).suffix}"
    with rw.Session(threads=threads) as session:
        session.chain(
            session.load_src(make.media(name)),
            session.add(Invert()),
            session.load_dst(result, video="libx264:crf=12"),
        )
        session.run()
    compare_inverted(make.media(name), result, mean=3.0)
    compare_sound(make.media(name), result)


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("function", [invert_planes, invert_rgb, invert_in_place])
@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.ts"])
def test_a_function_between_decoder_and_encoder(
    name: str, function: Any, threads: int, tmp_path: Path
) -> None:
    result = tmp_path / f"out{Path(name).suffix}"
    rw.run(make.media(name), result, function, video="libx264:crf=12", threads=threads)
    white = 255 if function is invert_planes else 235 + 16  # RGB is inverted from black to white
    assert len(compare_inverted(make.media(name), result, mean=3.0, white=white)) == 100
    compare_sound(make.media(name), result)


def compare_inverted(source: Path, result: Path, mean: float, white: int = 255) -> list[int]:
    """The numbers in the pictures of `result`, each of which is that of `source` inverted."""
    before, after = shown(source), shown(result)
    tick = max(probe.packets(path)[0].tick for path in (source, result))
    numbers = [make.read_counter(each.luma) for each in before]
    assert [BLACK_AND_WHITE - make.read_counter(each.luma) for each in after] == numbers
    for was, now in zip(before, after, strict=True):
        assert abs(now.time - after[0].time - (was.time - before[0].time)) <= tick
        difference = numpy.abs(now.luma.astype(int) - (white - was.luma.astype(int)))
        assert difference.mean() < mean
    return numbers


def compare_sound(source: Path, result: Path) -> None:
    before, after = (
        next(stream for stream in probe.packets(path) if stream.kind == "audio") for path in (source, result)
    )
    assert after.codec == before.codec
    assert [packet.digest for packet in after.packets] == [packet.digest for packet in before.packets]
    starts = before.packets[0].pts or 0, after.packets[0].pts or 0
    for was, now in zip(before.packets, after.packets, strict=True):
        assert abs((now.pts or 0) - starts[1] - ((was.pts or 0) - starts[0])) <= max(before.tick, after.tick)


# --- in sync -----------------------------------------------------------------------------------------


def footage(path: Path, seconds: int = 5) -> Path:
    """Numbers and times in the pictures, and a click when they show a full second."""
    with rw.Session(threads=2) as session:
        source = session.load(f"avgen:size=320x240:fps=25:duration={seconds}")
        session.chain(source, session.load_dst(path, video="libx264:bf=2:crf=16"))
        session.run()
    return path


@pytest.mark.parametrize("audio", ["copy", "aac", "libopus", "libmp3lame"])
@pytest.mark.parametrize(("came", "target"), [("mp4", "mp4"), ("mkv", "mkv"), ("ts", "ts"), ("mp4", "mkv"),
                                              ("ts", "mp4"), ("mkv", "mp4"), ("mp4", "ts")])  # fmt: skip
def test_sound_stays_with_the_pictures(came: str, target: str, audio: str, tmp_path: Path) -> None:
    """Pictures that show a full second and clicks: in the result they are within one audio frame."""
    source, result = footage(tmp_path / f"in.{came}"), tmp_path / f"out.{target}"
    rw.run(source, result, Invert(), audio=audio)
    assert_in_sync(result, 5)


def assert_in_sync(path: Path, seconds: int, off: float = 1024 / 48000) -> None:
    pictures: dict[int, float] = {}
    numbers = []
    for each in shown(path):
        code = read_counter(255 - each.luma)
        assert code is not None
        numbers.append(code[0])
        if code[1] % 1000 == 0:
            pictures[code[1] // 1000] = float(each.time)
    assert numbers == list(range(25 * seconds))
    heard_at = clicks(*heard(path))
    assert len(heard_at) == len(pictures) == seconds
    for second, click in enumerate(heard_at):
        assert abs(click - pictures[second]) <= off, (second, click, pictures[second])


# --- uneven times ------------------------------------------------------------------------------------


UNEVEN = [
    [0, 7, 19, 20, 41, 70],
    [0, 1, 2, 3, 1000, 1001, 1003, 5000],
    [0, 33, 66, 100, 133, 166, 200, 233, 266, 300],
    [0, 500, 540, 1040, 1041, 3000],
    make.vfr_ticks(60),
]


@pytest.mark.parametrize("bframes", [0, 2])
@pytest.mark.parametrize("ticks", UNEVEN, ids=lambda ticks: f"{len(ticks)}-{ticks[-1]}")
@pytest.mark.parametrize(("came", "target"), [("mp4", "mp4"), ("mkv", "mkv"), ("mp4", "mkv"), ("mkv", "mp4"),
                                              ("mov", "mov")])  # fmt: skip
def test_uneven_times_survive_to_the_tick(
    came: str, target: str, ticks: list[int], bframes: int, tmp_path: Path
) -> None:
    """Presentation times in milliseconds, read back from the file with the counter of each picture."""
    source, result = tmp_path / f"in.{came}", tmp_path / f"out.{target}"
    make.film(source, ticks=ticks, timescale=1000, fps=50, audio=0, bframes=bframes)
    rw.run(source, result, Invert(), video=f"libx264:bf={bframes}:preset=ultrafast")
    found = shown(result)
    assert [BLACK_AND_WHITE - make.read_counter(each.luma) for each in found] == list(range(len(ticks)))
    assert [(each.time - found[0].time) * 1000 for each in found] == ticks
    if came in ("mp4", "mov") and target in ("mp4", "mov"):
        # of pictures that are coded out of order MP4 says how far apart they are decoded: FFmpeg's demuxer
        # takes that of the last one for its duration
        last = max(probe.packets(source)[0].packets, key=lambda each: each.pts or 0)
        assert last.duration == Fraction(20, 1000) or bframes
        assert length_of(result) == Fraction(ticks[-1], 1000) + last.duration, "it lasts as long as it did"


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("name", ["vfr.mp4", "vfr.mkv", "vfr-fine.mp4", "vfr-fine.mov", "vfr-tiny.mp4"])
def test_each_picture_is_shown_up_to_the_next(name: str, threads: int) -> None:
    """Of pictures that are coded out of order MP4 says how far apart they are decoded, no more."""
    frames = list(rw.frames(make.media(name), threads=threads))
    times = [frame.packet.cts or 0 for frame in frames]
    assert len(times) == 60
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert [frame.packet.duration for frame in frames[:-1]] == gaps


def length_of(path: Path) -> Fraction:
    """How long an mp4 plays, by its edit list (ISO/IEC 14496-12, 8.6.6): to the end of the last picture."""
    data = path.read_bytes()
    found: dict[bytes, Fraction] = {}

    def look(start: int, end: int) -> None:
        for name, first, last in make.boxes(data, start, end):
            if name in (b"moov", b"trak", b"edts"):
                look(first, last)
            elif name == b"mvhd":
                found[name] = Fraction(struct.unpack_from(">I", data, first + 12)[0])
            elif name == b"elst":
                found[name] = Fraction(struct.unpack_from(">I", data, first + 8)[0])

    look(0, len(data))
    return found[b"elst"] / found[b"mvhd"]


# --- pieces of sound that fit no frame ---------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 40, 97])
@pytest.mark.parametrize("target", ["mp4", "mkv", "ts", "m4a"])
def test_trap_21_pieces_of_1103_samples_to_aac_in_a_file(
    target: str, count: int, tmp_path: Path, debian_tool: Callable[[str], Path]
) -> None:
    """The file says as many samples as came (up to what a container can say), and ffprobe decodes them."""
    if (target, count) == ("ts", 1):
        count = 5  # three coded frames are too little for FFmpeg to know a transport stream
    samples, path = 1103 * count, tmp_path / f"out.{target}"
    with rw.Session() as session:
        (session.add(tones(samples, 1103)) >> session.load("encode:codec=aac")) >> session.load_dst(path)
        session.run()
    debian_tool("ffprobe")
    found, warnings = probe.ffprobe(path, *(["-f", "mpegts"] if target == "ts" else []))
    assert not warnings
    stream = found["streams"][0]
    frames = -(-(samples + 1024) // 1024)  # one more: priming
    coded = next(each for each in probe.packets(path) if each.kind == "audio")
    assert len(coded.packets) in (frames, frames + 1)
    start, rate, decoded = heard(path)
    assert rate == 48000
    if target in ("mp4", "m4a"):
        assert start == 0
        assert Fraction(int(stream["duration_ts"]), 48000) == Fraction(samples, 48000)
        ends = max((packet.pts or 0) + packet.duration for packet in coded.packets)
        assert ends == Fraction(samples, 48000)
    assert samples <= len(decoded) <= samples + 3 * 1024  # what fills the last frame, and priming in ts
    expected = numpy.sin(2 * numpy.pi * 440 * numpy.arange(samples) / 48000) * 0.5
    skipped = 1024 if target == "ts" else 0
    middle = slice(300, samples - 200)
    likeness = numpy.corrcoef(decoded[skipped:][middle], expected[middle])[0, 1]
    assert likeness > (0.99 if count > 1 else 0.9)  # of so short a tone AAC keeps less


@pytest.mark.parametrize("codec", ["aac", "flac", "pcm_s16le"])
def test_sound_whose_pieces_overlap_a_little_does_not_drift(codec: str, tmp_path: Path) -> None:
    """Joined pieces, as of HLS, each end some samples behind the next one's start: 40 times 10 ms here."""
    rate, seconds = 48000, 40
    wave = sine(rate + rate // 100)
    packets = []
    for second in range(seconds):
        for at in range(0, len(wave), 1010):
            piece, start = wave[at : at + 1010], second * rate + at
            packets.append(rw.Packet(piece.tobytes(), start, start, len(piece), 1))
    path = tmp_path / "out.mkv"
    with rw.Session() as session:
        source = session.add(Feed(packets, **sound_properties(rate, 2, "s16")))
        (source >> session.load(f"encode:codec={codec}")) >> session.load_dst(path)
        session.run()
    last = max((packet.pts or 0) + packet.duration for packet in probe.packets(path)[0].packets)
    assert abs(last - seconds) < Fraction(1, 10)


# --- upright -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_trap_10_phone_films_are_upright_after_python(degrees: int, threads: int, tmp_path: Path) -> None:
    """The counter stands where somebody holding the phone upright sees it; the file carries no turn."""
    source, result = tmp_path / "in.mp4", tmp_path / "out.mp4"
    make.rotate(make.film(source, seconds=1, audio=0), degrees)
    rw.run(source, result, Invert(), threads=threads)
    after = shown(result)
    with av.open(str(result)) as container:
        assert next(container.decode(video=0)).rotation == 0
    quarter = {0: 0, 90: 3, 180: 2, 270: 1}[degrees]  # clockwise, in turns of numpy, which are not
    assert after[0].luma.shape == ((240, 320) if degrees % 180 == 0 else (320, 240))
    coded = [numpy.rot90(each.luma, -quarter) for each in after]
    assert [BLACK_AND_WHITE - make.read_counter(luma) for luma in coded] == list(range(25))


# --- colours -----------------------------------------------------------------------------------------

FORMATS = ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le")


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", ["bt709", "smpte170m"])
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("codec", ["libx264", "ffv1"])
def test_trap_09_colours_of_a_lossless_film(
    codec: str, format: str, matrix: str, full: bool, tmp_path: Path
) -> None:
    """A file with tagged colour bars: what `rw.frames` gives as RGB is what the standards compute."""
    path = coded_bars(tmp_path / "bars.mkv", codec, format, matrix, full)
    _, yuv = picture(format, matrix, full)
    (frame,) = rw.frames(path, pixel_format="rgb24")
    expected = 255 * to_rgb(yuv, matrix, full, bits_of(format))
    assert max(worst(frame.array[..., each], expected[..., each]) for each in range(3)) <= 2


@pytest.mark.parametrize("target", ["yuv444p", "yuv420p10le"])
@pytest.mark.parametrize("came", list(itertools.product(("bt709", "smpte170m"), (False, True))))
def test_trap_09_colours_stay_through_rgb_and_an_encoder(
    came: tuple[str, bool], target: str, tmp_path: Path
) -> None:
    """Decoded, given to Python as RGB, encoded without loss, decoded by PyAV, and computed by its tags."""
    source, result = coded_bars(tmp_path / "in.mkv", "ffv1", "yuv444p", *came), tmp_path / "out.mkv"

    @rw.video_filter(pixel_format="rgb24")
    def same(image: Any) -> Any:
        return image.copy()

    with rw.Session() as session:
        session.chain(
            session.load_src(source),
            session.add(same()),
            session.load(f"convert:format={target}"),
            session.load("encode:codec=ffv1"),
            session.load_dst(result),
        )
        session.run()
    with av.open(str(result)) as container:
        frame = next(container.decode(video=0))
    assert frame.format.name == target
    matrix = {1: "bt709", 5: "smpte170m", 6: "smpte170m"}[frame.colorspace]
    full = frame.color_range == 2
    seen = frame.to_ndarray()
    height, width = bars().shape[:2]
    if target == "yuv444p":
        yuv = numpy.moveaxis(seen, 0, -1)
    else:
        flat = seen.reshape(-1)
        area = width * height
        chroma = [flat[area + n * area // 4 : area + (n + 1) * area // 4] for n in range(2)]
        full_size = [
            numpy.repeat(numpy.repeat(each.reshape(height // 2, width // 2), 2, 0), 2, 1) for each in chroma
        ]
        yuv = numpy.stack([flat[:area].reshape(height, width), *full_size], -1)
    rgb = 255 * to_rgb(yuv, matrix, full, bits_of(target))
    _, given = picture("yuv444p", *came)
    expected = 255 * to_rgb(given, *came, 8)
    assert max(worst(rgb[..., each], expected[..., each]) for each in range(3)) <= 4  # rounded twice


def coded_bars(path: Path, codec: str, format: str, matrix: str, full: bool) -> Path:
    data, _ = picture(format, matrix, full)
    height, width = bars().shape[:2]
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream(codec, rate=25)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = width, height, format
        context.colorspace = {"bt709": 1, "smpte170m": 6, "bt2020nc": 9}[matrix]
        context.color_range = 2 if full else 1
        context.options = {"qp": "0"} if codec == "libx264" else {}
        frame = av.VideoFrame(width, height, format)
        at = 0
        for plane in frame.planes:
            kind = 2 if "10" in format else 1
            size = plane.width * kind * plane.height
            lines = numpy.frombuffer(data[at : at + size], numpy.uint8).reshape(plane.height, -1)
            whole = numpy.zeros((plane.height, plane.line_size), numpy.uint8)
            whole[:, : lines.shape[1]] = lines
            plane.update(whole.tobytes())
            at += size
        frame.pts = 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return path
