"""Makes small real media files for tests, with PyAV alone.

Every file is made on the spot: nothing is downloaded, no external tool runs, and the same call makes
the same bytes on every machine with the same PyAV wheel. A frame counter is burned into each picture
as 16 black or white blocks along the top (the leftmost is the highest bit), so that a test can look
at a decoded frame and say which one it is: `read_counter`.

`media(name)` returns the path of one of the files named in `FILES`; it is made once and kept in the
temporary folder under a name that changes with this module and with PyAV. Kept files are read-only.
"""

from __future__ import annotations

import hashlib
import heapq
import os
import struct
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np

from reelway.engine.priorities import kept_priorities

__all__ = [
    "CUES", "FILES", "VFR_TICKS", "Cue", "big_film", "counter_picture", "cut", "film", "long_film", "media",
    "rate_of", "read_counter", "rotate", "vfr_ticks",
]  # fmt: skip

BLOCKS = 16
"""Blocks in the burned-in counter; counters run from 0 to 65535."""

SAMPLE_RATE = 48000

VFR_TICKS = (0, 7, 19, 20, 41, 70)
"""The first presentation times of the variable-frame-rate files, in their timescale's ticks."""

Cue = tuple[Fraction, Fraction, str]
"""A subtitle: start and duration in seconds, text."""

CUES: tuple[Cue, ...] = (
    (Fraction(1, 2), Fraction(1), "first cue"),
    (Fraction(2), Fraction(3, 4), "second cue"),
    (Fraction(3), Fraction(1, 2), "third cue"),
)

ASS_HEADER = b"""[Script Info]
ScriptType: v4.00+
PlayResX: 384
PlayResY: 288

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, \
Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, \
MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


# --- the picture -------------------------------------------------------------------------------------


def counter_picture(number: int, size: tuple[int, int] = (320, 240)) -> np.ndarray:
    """A yuv420p picture, (height * 3 / 2, width) uint8, that shows `number` in its blocks."""
    width, height = size
    picture = np.empty((height * 3 // 2, width), np.uint8)
    luma = (np.arange(width)[None, :] // 2 + np.arange(height)[:, None] // 2 + 3 * number) % 160 + 48
    picture[:height] = luma
    picture[height:] = 128
    tall = block_height(height)
    for i in range(BLOCKS):
        left, right = i * width // BLOCKS, (i + 1) * width // BLOCKS
        picture[:tall, left:right] = 235 if number >> (BLOCKS - 1 - i) & 1 else 16
    return picture


def block_height(height: int) -> int:
    return max(2, height // 10)


def read_counter(picture: np.ndarray) -> int:
    """The number burned into a decoded picture.

    `picture` is (height, width) luma, or (height, width, channels) RGB, uint8, of any size that the
    blocks survived. Raises ValueError where a block is neither black nor white, as in a smeared or
    foreign picture.
    """
    luma = picture if picture.ndim == 2 else picture[..., :3].mean(axis=2)
    height, width = luma.shape
    tall = block_height(height)
    number = 0
    for i in range(BLOCKS):
        left, right = i * width // BLOCKS, (i + 1) * width // BLOCKS
        margin = max(1, (right - left) // 4)
        level = float(
            luma[tall // 4 : max(tall // 4 + 1, tall * 3 // 4), left + margin : right - margin].mean()
        )
        if 88 < level < 168:
            raise ValueError(f"block {i} of the counter is grey ({level:.0f}): this is no whole picture")
        number = number << 1 | (level >= 128)
    return number


def vfr_ticks(count: int) -> list[int]:
    """`count` presentation times with uneven gaps: VFR_TICKS, then the same gaps over and over."""
    gaps = [b - a for a, b in pairwise(VFR_TICKS)] + [13]
    ticks = [0]
    while len(ticks) < count:
        ticks.append(ticks[-1] + gaps[(len(ticks) - 1) % len(gaps)])
    return ticks


# --- coding one stream -------------------------------------------------------------------------------

VIDEO_OPTIONS: dict[str, dict[str, str]] = {
    "libx264": {
        "preset": "ultrafast",
        "x264-params": "bframes={bframes}:b-adapt=0:b-pyramid=none:scenecut=0:keyint={gop}:min-keyint={gop}:"
        "rc-lookahead=0:threads=1:lookahead-threads=1",
    },
    "libx265": {
        "preset": "ultrafast",
        "x265-params": "bframes={bframes}:b-adapt=0:b-pyramid=0:scenecut=0:keyint={gop}:min-keyint={gop}:"
        "pools=none:frame-threads=1:log-level=none:info=0",
    },
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "g": "{gop}", "auto-alt-ref": "0"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8", "g": "{gop}", "auto-alt-ref": "0"},
    "libsvtav1": {"preset": "13", "g": "{gop}", "svtav1-params": "lp=1:pred-struct=1"},
    "mpeg4": {"bf": "{bframes}", "g": "{gop}"},
    "mpeg2video": {"bf": "{bframes}", "g": "{gop}"},
    "mjpeg": {},
    "flv": {"g": "{gop}"},
}

OPEN_GOP = (
    "bframes=3:b-adapt=0:b-pyramid=normal:open-gop=1:scenecut=0:keyint=12:min-keyint=12:ref=3:"
    "rc-lookahead=12:threads=1:lookahead-threads=1"
)
"""B-frames before a random access point in display order refer to the group of pictures before it."""

SAMPLE_FORMATS = {
    "aac": "fltp", "ac3": "fltp", "vorbis": "fltp", "libmp3lame": "fltp", "mp2": "s16", "flac": "s16",
    "libopus": "s16", "pcm_s16le": "s16", "pcm_s16be": "s16", "pcm_mulaw": "s16", "pcm_s24le": "s32",
    "pcm_f32le": "flt", "alac": "s16p", "eac3": "fltp",
}  # fmt: skip


@dataclass
class Track:
    """One stream to make: a codec name as FFmpeg's encoders call it, and what it holds."""

    codec: str
    language: str = ""
    frequency: int = 440
    channels: int = 2
    rate: int = SAMPLE_RATE
    cues: Sequence[Cue] = CUES
    options: dict[str, str] = field(default_factory=dict)


def film(
    path: str | Path,
    *,
    container: str | None = None,
    seconds: float = 4,
    fps: int | Fraction = 25,
    size: tuple[int, int] = (320, 240),
    video: str | None = "libx264",
    bframes: int = 2,
    gop: int = 25,
    audio: int | Sequence[Track | str] = 1,
    subtitles: Sequence[Track | str] = (),
    ticks: Sequence[int] | None = None,
    timescale: int | None = None,
    first_counter: int = 0,
    start: Fraction = Fraction(0),
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    video_options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Writes a film: counted pictures, sine tones, cues. Returns `path`.

    `container` is FFmpeg's name of the muxer, else the suffix decides. `audio` is a number of AAC
    tracks or what each shall be. `ticks` gives every picture's presentation time in ticks of
    `timescale`; otherwise pictures come at `fps`. `start` moves all streams, in seconds.
    """
    path = Path(path)
    muxer_options = {"fflags": "+bitexact", **(options or {})}
    tracks = (
        [Track("aac", frequency=440 * (i + 1)) for i in range(audio)] if isinstance(audio, int) else audio
    )
    with kept_priorities(), av.open(str(path), "w", format=container, options=muxer_options) as output:
        output.metadata.update(metadata or {})
        jobs: list[Iterator[tuple[Fraction, Any]]] = []
        if video is not None:
            base = Fraction(1, timescale) if timescale else 1 / Fraction(fps)
            count = len(ticks) if ticks is not None else round(seconds * Fraction(fps))
            step = round(1 / (base * Fraction(fps)))
            times = list(ticks) if ticks is not None else [i * step for i in range(count)]
            stream = output.add_stream(video, rate=Fraction(fps), options={})
            context: Any = stream.codec_context
            context.width, context.height, context.pix_fmt = *size, pixel_format
            context.time_base = base
            stream.time_base = base
            context.framerate = Fraction(fps)
            context.thread_count = 1
            given = {key: text.format(bframes=bframes, gop=gop) for key, text in VIDEO_OPTIONS[video].items()}
            context.options = given | (video_options or {})
            context.flags |= 1 << 23  # bitexact
            jobs.append(coded_pictures(stream, times, step, first_counter, size, round(start / base)))
        for track in tracks:
            track = Track(track) if isinstance(track, str) else track
            stream = output.add_stream(track.codec, rate=track.rate)
            context = stream.codec_context
            context.layout = {1: "mono", 2: "stereo", 6: "5.1"}[track.channels]
            context.format = SAMPLE_FORMATS[track.codec]
            context.time_base = Fraction(1, track.rate)
            stream.time_base = Fraction(1, track.rate)
            context.flags |= 1 << 23
            context.options = {"strict": "-2", **track.options}
            if track.codec == "aac":
                context.options = {"aac_coder": "fast", **context.options}
            if track.language:
                stream.metadata["language"] = track.language
            length = (
                seconds if ticks is None or not timescale else float(Fraction(ticks[-1], timescale)) + 0.1
            )
            jobs.append(coded_tones(stream, track, length, round(start * track.rate)))
        for track in subtitles:
            track = Track(track) if isinstance(track, str) else track
            stream = output.add_stream(track.codec)
            stream.codec_context.subtitle_header = ASS_HEADER
            stream.codec_context.time_base = Fraction(1, 1000)
            stream.time_base = Fraction(1, 1000)
            if track.language:
                stream.metadata["language"] = track.language
            jobs.append(coded_cues(stream, track.cues, start))
        os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 prints a banner otherwise
        output.start_encoding()
        for _, packet in heapq.merge(*jobs, key=lambda item: item[0]):
            output.mux_one(packet)
    return path


def coded_pictures(
    stream: Any, times: list[int], step: int, first: int, size: tuple[int, int], offset: int
) -> Iterator[tuple[Fraction, Any]]:
    base = Fraction(stream.codec_context.time_base)
    ends = [*times[1:], times[-1] + step]
    lengths = {at + offset: end - at for at, end in zip(times, ends, strict=True)}
    target = stream.codec_context.pix_fmt
    for i, at in enumerate([*times, None]):
        frame = None
        if at is not None:
            frame = av.VideoFrame.from_ndarray(counter_picture(first + i, size), format="yuv420p")
            if target != "yuv420p":
                frame = frame.reformat(format=target)
            frame.pts, frame.time_base = at + offset, base
        for packet in stream.encode(frame):
            packet.duration = lengths[packet.pts]
            packet.time_base = base
            yield (packet.dts if packet.dts is not None else packet.pts) * base, packet


def coded_tones(stream: Any, track: Track, seconds: float, offset: int) -> Iterator[tuple[Fraction, Any]]:
    context = stream.codec_context
    total = round(seconds * track.rate)
    chunk = context.frame_size or 1024
    base = Fraction(1, track.rate)
    for at in [*range(0, total, chunk), None]:
        frame = None
        if at is not None:
            frame = tone(track, at, min(chunk, total - at))
            frame.pts, frame.time_base = at + offset, base
        for packet in stream.encode(frame):
            yield packet.dts * Fraction(packet.time_base), packet


def tone(track: Track, at: int, count: int) -> av.AudioFrame:
    form = SAMPLE_FORMATS[track.codec]
    wave = 0.4 * np.sin(2 * np.pi * track.frequency * (at + np.arange(count)) / track.rate)
    if form.startswith("s16"):
        wave = (wave * 32767).astype(np.int16)
    elif form.startswith("s32"):
        wave = (wave * (2**31 - 1)).astype(np.int32)
    else:
        wave = wave.astype(np.float32)
    if form.endswith("p"):
        samples = np.repeat(wave[None, :], track.channels, axis=0)
    else:
        samples = np.repeat(wave, track.channels)[None, :]
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[track.channels]
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format=form, layout=layout)
    frame.sample_rate = track.rate
    return frame


def coded_cues(stream: Any, cues: Sequence[Cue], start: Fraction) -> Iterator[tuple[Fraction, Any]]:
    from av.subtitles.subtitle import SubtitleSet

    for i, (at, length, text) in enumerate(cues):
        line = f"{i},0,Default,,0,0,0,,{text}".encode()
        cue = SubtitleSet.create(text=line, start=0, end=round(length * 1000), pts=0)
        packet = stream.codec_context.encode_subtitle(cue)
        packet.stream = stream
        packet.time_base = Fraction(1, 1000)
        packet.pts = packet.dts = round((at + start) * 1000)
        packet.duration = round(length * 1000)
        yield at + start, packet


# --- long and big files ------------------------------------------------------------------------------


def long_film(
    path: str | Path, seconds: int = 600, source: str | Path | None = None, filler: int = 0
) -> Path:
    """H.264 and AAC of any length, by writing a four-second film's packets over and over.

    Counters start again with each round. `filler` appends that many bytes of H.264 filler data
    (NAL unit type 12) to every picture, which decoders skip: a quick way to a big file.
    """
    path = Path(path)
    if source is None:
        source = media("film.mp4")
    with av.open(str(source)) as original:
        streams = list(original.streams)
        with av.open(str(path), "w", options={"fflags": "+bitexact"}) as output:
            copies = [output.add_stream_from_template(stream) for stream in streams]
            output.start_encoding()
            loops = []
            for stream, copy in zip(streams, copies, strict=True):
                original.seek(0)
                found = [p for p in original.demux(stream) if p.size]
                coded = [(bytes(p), p.pts, p.dts, p.duration, p.is_keyframe) for p in found]
                loops.append(repeated(copy, coded, Fraction(stream.time_base), seconds, filler))
            for _, packet in heapq.merge(*loops, key=lambda item: item[0]):
                output.mux_one(packet)
    return path


def repeated(
    stream: Any, coded: list[tuple[bytes, int, int, int, bool]], base: Fraction, seconds: int, filler: int
) -> Iterator[tuple[float, Any]]:
    period = sum(entry[3] for entry in coded)
    extra = b""
    if filler and stream.type == "video":
        body = b"\x0c" + b"\xff" * filler + b"\x80"
        extra = struct.pack(">I", len(body)) + body
    scale = float(base)
    offset, end = 0, seconds / base
    while offset < end:
        for payload, pts, dts, duration, key in coded:
            if pts + offset >= end:
                continue
            packet = av.Packet(payload + extra)
            packet.pts, packet.dts, packet.duration = pts + offset, dts + offset, duration
            packet.time_base, packet.is_keyframe, packet.stream = base, key, stream
            yield (dts + offset) * scale, packet
        offset += period


def big_film(path: str | Path, size: int = 2 << 30) -> Path:
    """A film of about `size` bytes in 60 s, for measuring memory while it is remuxed."""
    seconds = 60
    return long_film(path, seconds, filler=size // (seconds * 25))


# --- damage and metadata -----------------------------------------------------------------------------


def cut(source: str | Path, path: str | Path, part: float) -> Path:
    """The first `part` (0 to 1) of a file's bytes."""
    data = Path(source).read_bytes()
    Path(path).write_bytes(data[: int(len(data) * part)])
    return Path(path)


def boxes(data: bytes | bytearray, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes (ISO/IEC 14496-12, 4.2) between two offsets: type, first and last offset of the content."""
    while start + 8 <= end:
        length, name = struct.unpack_from(">I4s", data, start)
        head = 8
        if length == 1:
            length, head = struct.unpack_from(">Q", data, start + 8)[0], 16
        if length == 0:
            length = end - start
        yield name, start + head, start + length
        start += length


def rotate(path: str | Path, degrees: int) -> Path:
    """Writes a rotation into an mp4's first track (tkhd matrix, ISO/IEC 14496-12, 8.3.2), as phones do.

    `degrees` clockwise, a multiple of 90: what a player has to turn the picture by.
    """
    data = bytearray(Path(path).read_bytes())
    cosine, sine = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees % 360]
    one = 1 << 16
    for name, start, end in boxes(data, 0, len(data)):
        if name == b"moov":
            for inner, first, last in boxes(data, start, end):
                if inner == b"trak":
                    for leaf, at, _ in boxes(data, first, last):
                        if leaf == b"tkhd":
                            wide = data[at] == 1
                            place = at + (52 if wide else 40)
                            matrix = (
                                cosine * one,
                                sine * one,
                                0,
                                -sine * one,
                                cosine * one,
                                0,
                                0,
                                0,
                                1 << 30,
                            )
                            struct.pack_into(">9i", data, place, *matrix)
                            Path(path).write_bytes(data)
                            return Path(path)
    raise ValueError(f"{path} has no track header")


def raw(source: Path, path: Path, container: str, kind: str, filters: str = "") -> Path:
    """One stream of a file as an elementary stream, through bitstream filters where they are needed."""
    with av.open(str(source)) as original:
        stream = next(s for s in original.streams if s.type == kind)
        with av.open(str(path), "w", format=container, options={"fflags": "+bitexact"}) as output:
            copy = output.add_stream_from_template(stream, opaque=True)
            chain = av.BitStreamFilterContext(filters, stream, copy) if filters else None
            for packet in original.demux(stream):
                if packet.size:
                    for ready in chain.filter(packet) if chain else [packet]:
                        ready.stream = copy
                        output.mux_one(ready)
            if chain:
                for ready in chain.filter(None):
                    ready.stream = copy
                    output.mux_one(ready)
    return path


def without_first_dts(path: Path, source: Path) -> Path:
    """A Matroska film whose demuxer cannot say the first decode times: B-frames, and only pts are stored."""
    with av.open(str(source)) as original, av.open(str(path), "w", options={"fflags": "+bitexact"}) as output:
        copies = [output.add_stream_from_template(stream) for stream in original.streams]
        for packet in original.demux():
            if packet.size:
                packet.stream = copies[packet.stream.index]
                output.mux_one(packet)
    return path


# --- the named files ---------------------------------------------------------------------------------

TWO = (Track("aac", "eng", 440), Track("aac", "ger", 880))
LAST_CUE: tuple[Cue, ...] = ((Fraction(7, 2), Fraction(1, 4), "only at the end"),)

FILES: dict[str, Callable[[Path], object]] = {
    # H.264 and AAC in every container that takes them
    "film.mp4": lambda p: film(p),
    "film.mov": lambda p: film(p),
    "film.mkv": lambda p: film(p),
    "film.ts": lambda p: film(p),
    "film.flv": lambda p: film(p),
    "plain.mp4": lambda p: film(p, bframes=0),
    "plain.ts": lambda p: film(p, bframes=0),
    "plain.mkv": lambda p: film(p, bframes=0),
    "plain.flv": lambda p: film(p, bframes=0),
    "silent.mp4": lambda p: film(p, audio=0),
    "sound.m4a": lambda p: film(p, container="ipod", video=None),
    "fragmented.mp4": lambda p: film(p, options={"movflags": "frag_keyframe+empty_moov"}),
    "late.mp4": lambda p: film(p, start=Fraction(5)),
    "late.ts": lambda p: film(p, start=Fraction(5)),
    **{
        f"open.{ending}": lambda p: film(
            p, video_options={**VIDEO_OPTIONS["libx264"], "x264-params": OPEN_GOP}, gop=12
        )
        for ending in ("mp4", "mkv", "ts")
    },
    "cif30.mp4": lambda p: film(p, fps=Fraction(30000, 1001), timescale=30000, bframes=2),
    # several audio tracks
    "two.mp4": lambda p: film(p, audio=TWO),
    "two.mkv": lambda p: film(p, audio=TWO),
    "two.ts": lambda p: film(p, audio=TWO),
    "two.mov": lambda p: film(p, audio=TWO),
    # variable frame rate: exact in milliseconds, and finer than Matroska and FLV can say
    "vfr.mp4": lambda p: film(p, ticks=vfr_ticks(60), timescale=1000, fps=50),
    "vfr.mkv": lambda p: film(p, ticks=vfr_ticks(60), timescale=1000, fps=50),
    "vfr.ts": lambda p: film(p, ticks=vfr_ticks(60), timescale=1000, fps=50),
    "vfr.flv": lambda p: film(p, ticks=vfr_ticks(60), timescale=1000, fps=50),
    "vfr-fine.mp4": lambda p: film(p, ticks=[t * 301 for t in vfr_ticks(60)], timescale=90000, fps=20),
    "vfr-fine.mov": lambda p: film(p, ticks=[t * 301 for t in vfr_ticks(60)], timescale=90000, fps=20),
    "vfr-tiny.mp4": lambda p: film(p, ticks=vfr_ticks(60), timescale=90000, fps=5000, audio=0),
    # subtitles
    "subtitles.mp4": lambda p: film(p, subtitles=[Track("mov_text", "eng")]),
    "subtitles-srt.mkv": lambda p: film(p, subtitles=[Track("srt", "eng")]),
    "subtitles-ass.mkv": lambda p: film(p, subtitles=[Track("ass", "eng")]),
    "subtitles-webvtt.mkv": lambda p: film(p, subtitles=[Track("webvtt", "eng")]),
    "subtitles.webm": lambda p: film(
        p, video="libvpx-vp9", bframes=0, seconds=4, audio=["libopus"], subtitles=[Track("webvtt", "eng")]
    ),
    "sparse.mkv": lambda p: film(p, subtitles=[Track("srt", cues=LAST_CUE)]),
    "cues.srt": lambda p: film(p, video=None, audio=0, subtitles=["srt"]),
    # other codecs
    "film.webm": lambda p: film(p, video="libvpx-vp9", seconds=2, bframes=0, audio=["libopus"]),
    "vp8.webm": lambda p: film(p, video="libvpx", seconds=2, bframes=0, audio=["vorbis"]),
    "av1.mp4": lambda p: film(p, video="libsvtav1", seconds=1, bframes=0, audio=["libopus"]),
    "av1.mkv": lambda p: film(p, video="libsvtav1", seconds=1, bframes=0, audio=["libopus"]),
    "hevc.mp4": lambda p: film(p, video="libx265", seconds=2),
    "hevc.mkv": lambda p: film(p, video="libx265", seconds=2),
    "hevc.ts": lambda p: film(p, video="libx265", seconds=2),
    "mpeg4.mp4": lambda p: film(p, video="mpeg4", seconds=2),
    "mpeg4.mkv": lambda p: film(p, video="mpeg4", seconds=2),
    "mpeg2.ts": lambda p: film(p, video="mpeg2video", seconds=2, audio=["mp2"]),
    "mjpeg.mov": lambda p: film(
        p, video="mjpeg", seconds=1, bframes=0, pixel_format="yuvj420p", audio=["pcm_s16le"]
    ),
    "pcm.mov": lambda p: film(p, audio=["pcm_s16le"]),
    "ac3.ts": lambda p: film(p, audio=["ac3"]),
    "mp2.ts": lambda p: film(p, audio=["mp2"]),
    "mp3.mp4": lambda p: film(p, audio=["libmp3lame"]),
    "mp3.flv": lambda p: film(p, audio=["libmp3lame"]),
    "opus.mkv": lambda p: film(p, audio=["libopus"]),
    "opus.mp4": lambda p: film(p, audio=["libopus"]),
    "flac.mkv": lambda p: film(p, audio=["flac"]),
    "vorbis.mkv": lambda p: film(p, audio=["vorbis"]),
    "mulaw.mov": lambda p: film(p, audio=[Track("pcm_mulaw", channels=1, rate=8000)]),
    "sorenson.flv": lambda p: film(p, video="flv", seconds=2, bframes=0, audio=["libmp3lame"]),
    "opus.ogg": lambda p: film(p, video=None, audio=["libopus"]),
    "vorbis.ogg": lambda p: film(p, video=None, audio=["vorbis"]),
    "flac.ogg": lambda p: film(p, container="ogg", video=None, audio=["flac"]),
    "vp8.ogv": lambda p: film(p, container="ogg", video="libvpx", seconds=2, bframes=0, audio=["vorbis"]),
    "tone.wav": lambda p: film(p, video=None, audio=["pcm_s16le"]),
    "tone.flac": lambda p: film(p, video=None, audio=["flac"]),
    "film.avi": lambda p: film(p, audio=["libmp3lame"]),
    # rotation, as phones write it
    "upright.mp4": lambda p: rotate(film(p, seconds=2), 90),
    "upside.mp4": lambda p: rotate(film(p, seconds=2), 180),
    # elementary streams
    "film.h264": lambda p: raw(media("film.mp4"), p, "h264", "video", "h264_mp4toannexb"),
    "plain.h264": lambda p: raw(media("plain.mp4"), p, "h264", "video", "h264_mp4toannexb"),
    "film.h265": lambda p: raw(media("hevc.mp4"), p, "hevc", "video", "hevc_mp4toannexb"),
    "film.obu": lambda p: raw(media("av1.mp4"), p, "obu", "video"),
    "av1.ivf": lambda p: raw(media("av1.mp4"), p, "ivf", "video"),
    "vp9.ivf": lambda p: raw(media("film.webm"), p, "ivf", "video"),
    "tone.aac": lambda p: raw(media("film.mp4"), p, "adts", "audio"),
    "tone.mp3": lambda p: film(p, video=None, audio=["libmp3lame"]),
    "tone.ac3": lambda p: film(p, video=None, audio=["ac3"]),
    # damage
    "missing-dts.mkv": lambda p: without_first_dts(p, media("film.mp4")),
    "middle.mp4": lambda p: film(p, options={"movflags": "faststart"}) and cut(p, p, 0.6),
    "moov-lost.mp4": lambda p: cut(media("film.mp4"), p, 0.6),
    "middle.mkv": lambda p: cut(media("film.mkv"), p, 0.6),
    "middle.ts": lambda p: cut(media("film.ts"), p, 0.6),
    "middle.flv": lambda p: cut(media("film.flv"), p, 0.6),
    "empty.mp4": lambda p: p.write_bytes(b""),
    "text.mp4": lambda p: p.write_text("This is no film.\n" * 40),
    "random.mp4": lambda p: p.write_bytes(np.random.default_rng(1).bytes(40000)),
    # length
    "long.mp4": lambda p: long_film(p),
    "long.ts": lambda p: long_film(p),
}


def rate_of(name: str) -> int:
    """Frames a second of a named file with a constant rate (all but the NTSC one)."""
    return 30 if name.startswith("cif30") else 25


def keep() -> Path:
    """The folder of kept files: its name holds a digest of this module and of PyAV's version."""
    digest = hashlib.sha256(Path(__file__).read_bytes() + av.__version__.encode()).hexdigest()[:12]
    user = os.getuid() if hasattr(os, "getuid") else 0
    return Path(tempfile.gettempdir()) / f"reelway-media-{user}-{digest}"


def media(name: str) -> Path:
    """The path of a file named in FILES, made on first use. Read-only; copy it to change it.

    Several processes may ask at once: each makes its own and the last rename wins, with equal bytes.
    """
    folder = keep()
    path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            made = Path(work) / name
            FILES[name](made)
            made.chmod(0o444)
            made.replace(path)
    return path
