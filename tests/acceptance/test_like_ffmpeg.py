"""The same task given to Debian's ffmpeg and to Reelway gives the same frames, samples, packets.

Debian's ffmpeg is 5.1, the wheel's FFmpeg is newer: what they do differently is said at the task, beside the
tolerance that it needs. Without a word of that kind all bytes are equal.
"""

from __future__ import annotations

import functools
import hashlib
import tempfile
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy
import pytest

import reelway as rw
from tests.acceptance.parts import ffmpeg
from tests.engine.parts import Keep
from tests.media import make, probe

OWN: dict[str, Callable[[Path], object]] = {
    "ten.mp4": lambda path: make.film(path, seconds=2, pixel_format="yuv420p10le"),
    "mono.wav": lambda path: make.film(
        path, video=None, audio=[make.Track("pcm_s16le", channels=1, rate=44100)]
    ),
}


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="reelway-acceptance-")


def media(name: str) -> Path:
    if name not in OWN:
        return make.media(name)
    path = Path(_folder().name) / name
    if not path.exists():
        OWN[name](path)
    return path


# --- frames ------------------------------------------------------------------------------------------


class One(NamedTuple):
    """A decoded picture or piece of sound: seconds, and what `Packet.array()` gives."""

    time: float
    array: Any


class Task(NamedTuple):
    """What ffmpeg is told behind its name, with the films by name; the same with Reelway; how equal it is."""

    name: str
    arguments: str
    mine: Callable[[], list[One]]
    off: float = 0
    """How much a sample may differ, in units of the format; of float samples: of 1."""
    first: float = 0
    """When the first frame is shown [s]."""
    cut: int = 0
    """Samples that Reelway may give behind the end: pieces of sound come whole, as they are coded."""


def taken(frames: rw.Frames) -> list[One]:
    return [One(frame.time, frame.array.copy()) for frame in frames]


def filtered(text: str, *names: str, stream: str = "video", graph: str = "", more: Any = None) -> list[One]:
    """What comes out of the filters that `text` names, `a -> b`, behind the films' decoders."""
    with rw.Session(threads=2) as session:
        chain: list[rw.Filter] = [session.load("avfilter", graph=graph)] if graph else []
        chain += [session.load(each.strip()) for each in text.split("->") if each.strip()]
        chain += [session.add(more)] if more else []
        for name in names:
            session.load_src(media(name)).select(f"#{stream}") >> chain[0]
        for here, there in pairwise(chain):
            here >> there
        keep = session.add(Raw())
        chain[-1] >> keep
        session.run()
    assert isinstance(keep, Raw)
    timescale = keep.properties[0]["Timescale"]
    return [One((packet.cts or 0) / timescale, packet.array()) for packet in keep.packets]


class Raw(Keep):
    inputs = (rw.Caps(CodecID="raw"),)


@rw.video_filter(pixel_format="yuv420p")
def negative(image: Any) -> Any:
    made = image.copy()
    made[: image.shape[0] * 2 // 3] = 255 - image[: image.shape[0] * 2 // 3]
    return made


@rw.video_filter(pixel_format="yuv420p")
def tenth(image: Any, packet: Any = None, pid: Any = None) -> Any:
    return image if make.read_counter(image[: image.shape[0] * 2 // 3]) % 10 == 0 else None


def frames(name: str, **options: Any) -> Callable[[], list[One]]:
    return lambda: taken(rw.frames(media(name), **options))


def through(text: str, *names: str, **options: Any) -> Callable[[], list[One]]:
    return lambda: filtered(text, *names, **options)


SCALED = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
OLD_SCALER = 2
"""swscale of 5.1 rounds a little otherwise than that of 8."""

PICTURES = [
    Task("decode-h264-with-b-frames", "-i film.mp4", frames("film.mp4")),
    Task("decode-a-transport-stream", "-i film.ts", frames("film.ts")),
    Task("decode-open-groups", "-i open.mkv", frames("open.mkv")),
    Task("decode-raw-h264", "-i film.h264", frames("film.h264")),
    Task("decode-raw-h265", "-i film.h265", frames("film.h265")),
    Task("decode-hevc", "-i hevc.mkv", frames("hevc.mkv")),
    Task("decode-vp9", "-i film.webm", frames("film.webm")),
    Task("decode-av1", "-i av1.mp4", frames("av1.mp4")),
    Task("decode-mpeg2", "-i mpeg2.ts", frames("mpeg2.ts")),
    Task("decode-mjpeg", "-i mjpeg.mov", frames("mjpeg.mov")),
    Task("uneven-times", "-i vfr.mp4", frames("vfr.mp4")),
    Task("uneven-times-of-a-transport-stream", "-i vfr.ts", frames("vfr.ts")),
    Task("ten-bits", "-i ten.mp4", frames("ten.mp4")),
    Task("upright", "-i upright.mp4", frames("upright.mp4")),
    Task("upside", "-i upside.mp4", frames("upside.mp4")),
    Task("as-coded", "-noautorotate -i upright.mp4", frames("upright.mp4", upright=False)),
    Task("seek", "-ss 1.5 -i film.mp4", frames("film.mp4", start_s=1.5), first=1.52),
    Task("seek-in-matroska", "-ss 2.24 -i film.mkv", frames("film.mkv", start_s=2.24), first=2.24),
    # ffmpeg -ss finds the access point by decode times, and begins two pictures late
    Task(
        "seek-in-open-groups", "-i open.mp4 -vf trim=start=1.84", frames("open.mp4", start_s=1.84), first=1.84
    ),
    Task("as-long-as", "-i film.mp4 -t 1.2", frames("film.mp4", end_s=1.2)),
    Task("seek-and-as-long-as", "-ss 1 -t 1 -i film.mp4", frames("film.mp4", start_s=1, end_s=2), first=1.0),
    Task(
        "trim",
        "-i film.mp4 -vf trim=start=0.52:end=3.04",
        frames("film.mp4", start_s=0.52, end_s=3.04),
        first=0.52,
    ),
    Task(
        "crop",
        "-i film.mp4 -vf crop=200:100:40:20",
        through("crop:width=200:height=100:x=40:y=20", "film.mp4"),
    ),
    Task("hflip", "-i film.mp4 -vf hflip", through("flip", "film.mp4")),
    Task("vflip", "-i film.mp4 -vf vflip", through("flip:mode=vertical", "film.mp4")),
    Task("turn", "-i film.mp4 -vf transpose=clock", through("convert:rotate=90", "film.mp4")),
    Task(
        "pad",
        "-i film.mp4 -vf pad=400:300:40:30:black",
        through("pad:width=400:height=300:x=40:y=30", "film.mp4"),
    ),
    Task(
        "scale-down",
        f"-i film.mp4 -vf scale=160:120:{SCALED}",
        through("convert:size=160x120", "film.mp4"),
        off=OLD_SCALER,
    ),
    Task(
        "scale-up",
        f"-i film.mp4 -vf scale=640:480:{SCALED}",
        through("convert:size=640x480", "film.mp4"),
        off=OLD_SCALER,
    ),
    Task(
        "bilinear",
        "-i film.mp4 -vf scale=200:150:flags=bilinear+accurate_rnd",
        through("convert:size=200x150:interpolation=bilinear", "film.mp4"),
        off=OLD_SCALER,
    ),
    Task(
        "to-rgb",
        f"-i film.mp4 -vf scale=in_color_matrix=bt601:{SCALED},format=rgb24",
        frames("film.mp4", pixel_format="rgb24"),
        off=OLD_SCALER,
    ),
    Task(
        "to-4:4:4",
        f"-i film.mp4 -vf scale={SCALED},format=yuv444p",
        frames("film.mp4", pixel_format="yuv444p"),
        off=OLD_SCALER,
    ),
    Task("to-nv12", f"-i film.mp4 -vf scale={SCALED},format=nv12", frames("film.mp4", pixel_format="nv12")),
    Task("fewer-a-second", "-i film.mp4 -vf fps=10", through("rate:fps=10", "film.mp4")),
    Task("more-a-second", "-i film.mp4 -vf fps=50", through("rate:fps=50", "film.mp4")),
    Task("even-times", "-i vfr.mp4 -vf fps=30", through("rate:fps=30", "vfr.mp4")),
    Task("negative", "-i film.mp4 -vf lutyuv=y=255-val", through("", "film.mp4", more=negative)),
    Task("one-of-ten", "-i film.mp4 -vf select='not(mod(n\\,10))'", through("", "film.mp4", more=tenth)),
    Task(
        "side-by-side",
        "-i film.mp4 -i plain.mp4 -filter_complex hstack",
        through("", "film.mp4", "plain.mp4", graph="hstack"),
    ),
    Task(
        "overlay",
        "-i film.mp4 -i plain.mp4 -filter_complex "
        "[1:v]scale=160:120:flags=neighbor[s];[0:v][s]overlay=20:100:format=yuv420",
        through(
            "",
            "film.mp4",
            "plain.mp4",
            graph="[s][o]overlay=20:100:format=yuv420;[i]scale=160:120:flags=neighbor[o]",
        ),
    ),
    Task(
        "one-after-the-other",
        "-i film.mp4 -i plain.mp4 -filter_complex concat",
        through("concat", "film.mp4", "plain.mp4"),
    ),
    Task("deinterlaced", "-i film.mp4 -vf yadif", through("", "film.mp4", graph="yadif")),
]


@pytest.mark.parametrize("task", PICTURES, ids=lambda task: task.name)
def test_the_same_pictures(task: Task, tmp_path: Path, debian_tool: Callable[[str], Path]) -> None:
    mine, theirs = task.mine(), asked(debian_tool("ffmpeg"), task.arguments, tmp_path / "theirs.nut", "video")
    assert len(theirs) > 3
    assert mine[0].time == pytest.approx(task.first, abs=1e-6) or ".ts" in task.arguments
    assert since_first(mine) == pytest.approx(since_first(theirs), abs=1.1e-3)
    for number, (here, there) in enumerate(zip(mine, theirs, strict=True)):
        assert here.array.shape == there.array.shape
        assert here.array.dtype == there.array.dtype
        worst = numpy.abs(here.array.astype(int) - there.array).max()
        assert worst <= task.off, number


def since_first(found: list[One]) -> list[float]:
    return [each.time - found[0].time for each in found]


def asked(tool: Path, arguments: str, path: Path, kind: str) -> list[One]:
    """What ffmpeg makes of it, uncompressed in a file, as PyAV reads that."""
    words = [str(media(word)) if word in make.FILES or word in OWN else word for word in arguments.split()]
    raw = ["-c:v", "rawvideo", "-fps_mode", "passthrough", "-an"] if kind == "video" else ["-vn"]
    ffmpeg(tool, *words, *raw, "-sn", "-f", "nut", path)
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(**{kind: 0}):
            array: Any = frame.to_ndarray()
            if isinstance(frame, av.AudioFrame):
                array = array.T if frame.format.is_planar else array.reshape(-1, frame.layout.nb_channels)
            found.append(One(frame.time or 0.0, array))
    return found


# --- sound -------------------------------------------------------------------------------------------

FLOAT = 1e-4
"""The AAC decoder of 5.1 rounds otherwise."""
STEP = 4
"""The resampler too, by up to 4 of 32768; the wheel's own (`av.AudioResampler`) gives what Reelway gives."""


def sound(name: str, **options: Any) -> Callable[[], list[One]]:
    return lambda: taken(rw.frames(media(name), stream="audio", **options))


SOUNDS = [
    Task("decode-pcm", "-i pcm.mov", sound("pcm.mov")),
    Task("decode-flac", "-i tone.flac", sound("tone.flac")),
    Task("decode-aac", "-i film.mp4", sound("film.mp4"), off=FLOAT),
    Task("decode-opus", "-i opus.mp4", sound("opus.mp4"), off=FLOAT),
    Task("decode-mp3", "-i tone.mp3", sound("tone.mp3"), off=FLOAT),
    Task("decode-ac3", "-i tone.ac3", sound("tone.ac3"), off=FLOAT),
    Task("decode-vorbis", "-i vorbis.ogg", sound("vorbis.ogg"), off=FLOAT),
    Task("to-44100", "-i tone.wav -ar 44100", sound("tone.wav", sample_rate=44100), off=STEP),
    Task("to-8000", "-i tone.wav -ar 8000", sound("tone.wav", sample_rate=8000), off=STEP),
    Task("to-96000", "-i tone.wav -ar 96000", sound("tone.wav", sample_rate=96000), off=STEP),
    Task("to-mono", "-i tone.wav -ac 1", sound("tone.wav", channels=1), off=STEP),
    Task("to-stereo", "-i mono.wav -ac 2", sound("mono.wav", channels=2), off=STEP),
    Task("to-float", "-i tone.wav -c:a pcm_f32le", sound("tone.wav", sample_format="flt")),
    Task(
        "half-as-loud",
        "-i tone.wav -af volume=0.5",
        through("volume:gain=0.5", "tone.wav", stream="audio"),
        off=1,
    ),
    Task(
        "sound-trim",
        "-i tone.wav -af atrim=start=0.5:end=1.25,asetpts=PTS-STARTPTS",
        sound("tone.wav", start_s=0.5, end_s=1.25),
        cut=1024,
    ),
    Task(
        "sound-one-after-the-other",
        "-i tone.wav -i pcm.mov -filter_complex [0:a][1:a]concat=v=0:a=1",
        through("concat", "tone.wav", "pcm.mov", stream="audio"),
    ),
    Task(
        "sum",
        "-i tone.wav -i pcm.mov -filter_complex [0:a][1:a]amix=normalize=0",
        through("mix", "tone.wav", "pcm.mov", stream="audio"),
        off=1,
    ),
    Task(
        "tempo",
        "-i tone.wav -af atempo=2",
        through("", "tone.wav", stream="audio", graph="atempo=2"),
        off=STEP,
    ),
]


@pytest.mark.parametrize("task", SOUNDS, ids=lambda task: task.name)
def test_the_same_samples(task: Task, tmp_path: Path, debian_tool: Callable[[str], Path]) -> None:
    arguments = task.arguments
    mine = numpy.concatenate([each.array for each in task.mine()])
    if "-c:a" not in arguments:
        arguments += " -c:a pcm_f32le" if mine.dtype.kind == "f" else " -c:a pcm_s16le"
    found = asked(debian_tool("ffmpeg"), arguments, tmp_path / "theirs.nut", "audio")
    theirs = numpy.concatenate([each.array for each in found])
    assert (mine.dtype, mine.shape[1]) == (theirs.dtype, theirs.shape[1])
    assert len(mine) - task.cut <= len(theirs) <= len(mine)
    assert len(theirs) > 8000
    mine = mine[: len(theirs)]
    assert numpy.abs(mine).max() > 0.01 * (1 if mine.dtype.kind == "f" else 32768)
    assert numpy.abs(mine.astype(float) - theirs).max() <= task.off


# --- files -------------------------------------------------------------------------------------------


class FileTask(NamedTuple):
    """Both write a file: how it ends, what ffmpeg is told, what Reelway is, and how the two are compared."""

    name: str
    suffix: str
    arguments: str
    mine: Callable[[Path], object]
    same: Callable[[Path, Path, Path], None]
    """Is given my file, theirs, and Debian's ffmpeg."""


def run(source: str, *filters: Any, **options: Any) -> Callable[[Path], object]:
    return lambda path: rw.run(media(source), path, *filters, **options)


def only(source: str, *selectors: str) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with rw.Session() as session:
            film, result = session.load_src(media(source)), session.load_dst(path)
            for selector in selectors:
                film.select(selector) >> result
            session.run()

    return write


def same_packets(mine: Path, theirs: Path, _: Path) -> None:
    """The same streams, the same coded bytes, the same times to the tick, the same random access points."""
    here, there = probe.packets(mine), probe.packets(theirs)
    assert [(each.codec, each.kind) for each in here] == [(each.codec, each.kind) for each in there]
    for one, other in zip(here, there, strict=True):
        assert [each.digest for each in one.packets] == [each.digest for each in other.packets]
        assert [each.keyframe for each in one.packets] == [each.keyframe for each in other.packets]
        start, first = one.packets[0].pts or 0, other.packets[0].pts or 0
        # ffmpeg counts the samples of sound where Matroska and FLV say milliseconds
        tick = max(one.tick, other.tick, Fraction(one.kind == "audio", 1000))
        for each, like in zip(one.packets, other.packets, strict=True):
            assert abs((each.pts or 0) - start - ((like.pts or 0) - first)) <= tick


def same_bytes(mine: Path, theirs: Path, _: Path) -> None:
    assert mine.read_bytes() == theirs.read_bytes()


def same_decoded(mine: Path, theirs: Path, tool: Path) -> None:
    """Debian's ffmpeg decodes both to the same frames and samples."""
    assert digests(tool, mine) == digests(tool, theirs)


def digests(tool: Path, path: Path) -> list[str]:
    """All that is decoded: each picture's digest, and that of the whole sound."""
    found = []
    with av.open(str(path)) as container:
        kinds = [stream.type for stream in container.streams]
    if "video" in kinds:
        lines = ffmpeg(tool, "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5", "-")
        rows = [line.split(",") for line in lines.decode().splitlines() if not line.startswith("#")]
        found = [row[-1].strip() for row in rows]
        assert len(found) > 20
    if "audio" in kinds:
        samples = ffmpeg(tool, "-i", path, "-map", "0:a:0", "-f", "s16le", "-")
        assert len(samples) > 8000
        found.append(hashlib.md5(samples).hexdigest())
    return found


def as_good(least: float, off: float = 1.0) -> Callable[[Path, Path, Path], None]:
    """Both are as like the original as each other, within `off` dB of PSNR, and `least` dB at least."""

    def compare(mine: Path, theirs: Path, tool: Path) -> None:
        original = luma(tool, media("film.mp4"))
        here, there = luma(tool, mine), luma(tool, theirs)
        assert here.shape == there.shape == original.shape
        levels = [psnr(original, each) for each in (here, there)]
        assert levels[0] >= least
        assert abs(levels[0] - levels[1]) <= off, levels
        assert [make.read_counter(each) for each in here] == list(range(100))

    return compare


def luma(tool: Path, path: Path) -> Any:
    raw = ffmpeg(tool, "-i", path, "-map", "0:v", "-fps_mode", "passthrough", "-pix_fmt", "yuv420p", "-f",
                 "rawvideo", "-")  # fmt: skip
    return numpy.frombuffer(raw, numpy.uint8).reshape(-1, 360, 320)[:, :240]


def psnr(one: Any, other: Any) -> float:
    return float(10 * numpy.log10(255**2 / ((one.astype(float) - other) ** 2).mean()))


def same_text(mine: Path, theirs: Path, tool: Path) -> None:
    """As Debian's ffmpeg reads the cues: times and text; and the rest of the file is the same too."""
    cues = [ffmpeg(tool, "-i", each, "-map", "0:s", "-f", "srt", "-").decode() for each in (mine, theirs)]
    assert cues[0] == cues[1]
    assert cues[0].count("-->") == 3
    same_packets(mine, theirs, tool)


X264 = "libx264:preset=veryfast:crf=23:threads=1"
FILES = [
    *(
        FileTask(f"{source}-to-{suffix}", suffix, f"-i {source} -c copy -map 0", run(source), same_packets)
        for source, suffix in [
            ("film.mp4", "mkv"),
            ("film.mp4", "ts"),
            ("film.mp4", "mov"),
            ("film.mkv", "mp4"),
            ("film.ts", "mp4"),
            ("film.flv", "mp4"),
            ("open.mp4", "mkv"),
            ("vfr.mp4", "mkv"),
            ("vfr.mkv", "mp4"),
            ("two.mp4", "mkv"),
            ("hevc.mp4", "ts"),
            ("hevc.mkv", "mp4"),
            ("film.webm", "mkv"),
            ("av1.mp4", "mkv"),
            ("opus.mkv", "mp4"),
            ("mpeg2.ts", "mkv"),
            ("tone.mp3", "mkv"),
            ("tone.aac", "m4a"),
            ("tone.flac", "mka"),
            ("tone.wav", "mov"),
        ]
    ),
    FileTask("only-the-sound", "m4a", "-i film.mp4 -c copy -vn", only("film.mp4", "#audio"), same_packets),
    FileTask(
        "only-the-second", "mka", "-i two.mp4 -c copy -map 0:a:1", only("two.mp4", "#audio2"), same_packets
    ),
    FileTask("only-the-pictures", "mp4", "-i film.ts -c copy -an", only("film.ts", "#video"), same_packets),
    FileTask("raw-h264", "h264", "-i film.mp4 -c copy -an", only("film.mp4", "#video"), same_bytes),
    FileTask("raw-h265", "hevc", "-i hevc.mp4 -c copy -an", only("hevc.mp4", "#video"), same_bytes),
    FileTask("adts", "aac", "-i film.mp4 -c copy -vn", only("film.mp4", "#audio"), same_bytes),
    FileTask(
        "cut-at-access-points",
        "mkv",
        "-ss 1 -t 2 -i plain.mp4 -c copy -an",
        lambda path: reframed(path, "plain.mp4", "reframer:xs=1:xe=3"),
        same_packets,
    ),
    FileTask("subtitles", "mkv", "-i subtitles-srt.mkv -c copy -map 0", run("subtitles-srt.mkv"), same_text),
    FileTask(
        "subtitles-ass", "mkv", "-i subtitles-ass.mkv -c copy -map 0", run("subtitles-ass.mkv"), same_text
    ),
    FileTask(
        "lossless-ffv1-flac",
        "mkv",
        "-i film.mp4 -c:v ffv1 -c:a flac -sample_fmt s16",
        run("film.mp4", video="ffv1", audio="flac"),
        lambda a, b, c: same_pictures(a, b, c),
    ),
    FileTask(
        "lossless-x264",
        "mp4",
        "-i film.mp4 -c:v libx264 -qp 0 -an",
        lambda path: coded(path, "encode:codec=libx264:qp=0"),
        same_decoded,
    ),
    FileTask(
        "huffyuv",
        "avi",
        "-i film.mp4 -c:v ffvhuff -an",
        lambda path: coded(path, "encode:codec=ffvhuff"),
        same_decoded,
    ),
    FileTask(
        "flac",
        "flac",
        "-i pcm.mov -vn -c:a flac",
        lambda p: coded(p, "encode:codec=flac", "pcm.mov", "audio"),
        same_decoded,
    ),
    FileTask("pcm", "wav", "-i tone.flac -c:a pcm_s16le", run("tone.flac", audio="pcm_s16le"), same_decoded),
    FileTask("alac", "m4a", "-i tone.wav -c:a alac", run("tone.wav", audio="alac"), same_decoded),
    FileTask(
        "x264",
        "mp4",
        "-i film.mp4 -c:v libx264 -preset veryfast -crf 23 -threads 1 -an",
        lambda path: coded(path, f"encode:codec={X264}"),
        as_good(35),
    ),
    FileTask(
        "x265",
        "mkv",
        "-i film.mp4 -c:v libx265 -preset ultrafast -crf 23 -x265-params log-level=none -an",
        lambda path: coded(path, "encode:codec=libx265:preset=ultrafast:crf=23:x265-params=log-level=none"),
        as_good(33),
    ),
    FileTask(
        "mpeg2",
        "ts",
        "-i film.mp4 -c:v mpeg2video -b:v 3M -g 12 -an",
        lambda path: coded(path, "encode:codec=mpeg2video:b=3M:g=12"),
        as_good(28),
    ),
    FileTask(
        "mjpeg",
        "avi",
        "-i film.mp4 -c:v mjpeg -q:v 3 -pix_fmt yuvj420p -an",
        lambda path: coded(path, "encode:codec=mjpeg:b=3M"),
        as_good(25, off=20),
    ),
    FileTask(
        "mpeg4",
        "mp4",
        "-i film.mp4 -c:v mpeg4 -b:v 2M -an",
        lambda path: coded(path, "encode:codec=mpeg4:b=2M"),
        as_good(28),
    ),
]


def coded(path: Path, text: str, source: str = "film.mp4", kind: str = "video") -> None:
    with rw.Session() as session:
        stream = session.load_src(media(source)).select(f"#{kind}")
        (stream >> session.load(text)) >> session.load_dst(path)
        session.run()


def reframed(path: Path, source: str, text: str) -> None:
    with rw.Session() as session:
        (session.load_src(media(source)).video >> session.load(text)) >> session.load_dst(path)
        session.run()


def same_pictures(mine: Path, theirs: Path, tool: Path) -> None:
    """FFV1 byte for byte; AAC is decoded to float, and dithered or rounded on its way into FLAC."""
    here, there = (digests(tool, each)[:-1] for each in (mine, theirs))
    assert here == there
    samples = [
        numpy.frombuffer(ffmpeg(tool, "-i", each, "-map", "0:a", "-f", "s16le", "-"), numpy.int16).astype(int)
        for each in (mine, theirs)
    ]
    assert len(samples[0]) == len(samples[1])
    assert numpy.abs(samples[0] - samples[1]).max() <= 1


@pytest.mark.parametrize("task", FILES, ids=lambda task: task.name)
def test_the_same_file(task: FileTask, tmp_path: Path, debian_tool: Callable[[str], Path]) -> None:
    tool = debian_tool("ffmpeg")
    mine, theirs = tmp_path / f"mine.{task.suffix}", tmp_path / f"theirs.{task.suffix}"
    task.mine(mine)
    words = [
        str(media(word)) if word in make.FILES or word in OWN else word for word in task.arguments.split()
    ]
    ffmpeg(tool, *words, theirs)
    task.same(mine, theirs, tool)
    _, warnings = probe.ffprobe(mine)
    assert not warnings
