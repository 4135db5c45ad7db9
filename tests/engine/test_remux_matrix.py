"""Every container into every other, wherever its codecs allow; elsewhere an error that says so.

What has to survive: the number of packets, their times to within one tick of the coarser of the two
timescales, which are keyframes, and the payload. What came out has to please the real ffprobe, which
reads and decodes it to the end, without one warning.

Some containers cannot say a negative time: MPEG-TS and FLV for decode times, Matroska for shown ones.
There all streams move together by what is missing; `offset_of` checks that it is no more than that.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

import reelway as rw
from tests.media import make, probe

H264 = {"h264", "aac", "mp3", "ac3", "mp2"}
CARRIES: dict[str, set[str]] = {
    "mp4": H264
    | {
        "hevc",
        "av1",
        "vp9",
        "mpeg4",
        "mpeg2video",
        "mjpeg",
        "opus",
        "flac",
        "vorbis",
        "pcm_s16le",
        "mov_text",
    },
    "mov": H264 | {"hevc", "mpeg4", "mpeg2video", "mjpeg", "pcm_s16le", "pcm_mulaw", "mov_text"},
    "mkv": H264
    | {"hevc", "av1", "vp9", "vp8", "mpeg4", "mpeg2video", "mjpeg", "flv1", "opus", "flac", "vorbis"}
    | {"pcm_s16le", "pcm_mulaw", "subrip", "ass", "webvtt"},
    "ts": H264 | {"hevc", "mpeg4", "mpeg2video", "opus"},
    "webm": {"vp8", "vp9", "av1", "opus", "vorbis", "webvtt"},
    "flv": {"h264", "flv1", "aac", "mp3", "pcm_mulaw"},
    "ogg": {"vp8", "opus", "vorbis", "flac"},
}
SPOKEN = {"mkv": ("mkv", "matroska"), "ts": ("ts", "mpegts")}
"""Names of a container that its error may use, where there are several."""

STATES_DURATIONS = {"mp4", "mov", "mkv", "webm", "m4a"}
"""Containers that store a duration of each picture."""
MATROSKA, MP4 = {"mkv", "webm"}, {"mp4", "mov", "m4a"}

SOURCES = [
    name
    for name in make.FILES
    if name.rpartition(".")[2]
    in {"mp4", "mov", "mkv", "ts", "flv", "webm", "ogg", "ogv", "m4a", "aac", "mp3", "flac"}
    and name.partition(".")[0] not in {"middle", "moov-lost", "empty", "text", "random", "long"}
]
PAIRS = [(source, target) for source in SOURCES for target in CARRIES]


def codecs(name: str) -> list[str]:
    return [stream.codec for stream in probe.packets(make.media(name))]


def allowed(name: str, target: str) -> bool:
    kinds = [stream.kind for stream in probe.packets(make.media(name))]
    if target == "flv" and any(kinds.count(kind) > 1 for kind in kinds):
        return False  # more tracks are an extension of 2024 that few readers know
    return set(codecs(name)) <= CARRIES[target]


def paired(before: list[probe.Stream], after: list[probe.Stream]) -> list[tuple[probe.Stream, probe.Stream]]:
    """Streams that belong together: the first picture with the first picture, and so on."""
    pairs = []
    for kind in ("video", "audio", "subtitle"):
        left = [stream for stream in before if stream.kind == kind]
        right = [stream for stream in after if stream.kind == kind]
        assert [reader_name(stream.codec) for stream in left] == [
            reader_name(stream.codec) for stream in right
        ]
        pairs += zip(left, right, strict=True)
    return pairs


def reader_name(codec: str) -> str:
    """MP4 has one code for MPEG audio layer 2 and 3, and readers say mp3."""
    return "mp3" if codec == "mp2" else codec


def offset_of(pairs: list[tuple[probe.Stream, probe.Stream]], target: str) -> Fraction:
    """By how much all streams moved, in seconds; none where nothing was below zero."""
    first = [(a.packets[0], b.packets[0], max(a.tick, b.tick)) for a, b in pairs if a.packets]
    moved = [b.pts - a.pts for a, b, _ in first if a.pts is not None and b.pts is not None]
    slack = max(tick for _, _, tick in first)
    if target in {"mp4", "mov"}:
        return Fraction(0)
    times = [a.pts for a, _, _ in first]
    if target not in {"mkv", "webm"}:
        times += [a.dts for a, _, _ in first]
        if any(a.dts is None for a, _, _ in first):  # Matroska's: a picture that waits for two others
            times.append(min(time for time in times if time is not None) - Fraction(2, 25))
    missing = max(Fraction(0), -min(time for time in times if time is not None))
    offset = moved[0]
    assert -slack <= offset <= missing + slack
    assert missing or abs(offset) <= slack
    return offset if missing else Fraction(0)


def assert_same(source: Path, result: Path, target: str) -> None:
    pairs = paired(probe.packets(source), probe.packets(result))
    offset = offset_of(pairs, target)
    for before, after in pairs:
        tick = max(before.tick, after.tick)
        assert len(after.packets) == len(before.packets)
        assert [p.digest for p in after.packets] == [p.digest for p in before.packets]
        assert [p.keyframe for p in after.packets] == [p.keyframe for p in before.packets]
        for a, b in zip(before.packets, after.packets, strict=True):
            assert a.pts is not None
            assert b.pts is not None
            assert abs(b.pts - a.pts - offset) <= (tick if not offset else 2 * tick), (a, b)
            if a.dts is not None and b.dts is not None:
                assert abs(b.dts - a.dts - offset) <= (tick if not offset else 2 * tick), (a, b)
        # Matroska says how long a picture is shown, MP4 how long until the next is decoded (ISO/IEC 14496-12,
        # 8.6.1.2): with B-frames and uneven times these are two different figures.
        two_figures = source.stem.startswith("vfr") and source.suffix[1:] in MATROSKA and target in MP4
        if before.kind != "audio" and {source.suffix[1:], target} <= STATES_DURATIONS and not two_figures:
            shown = zip(before.packets, after.packets, strict=True)
            assert [(a, b) for a, b in shown if abs(b.duration - a.duration) > tick] == []
        if before.language not in {"", "und"} and target not in {"flv", "ogg"}:
            assert after.language == before.language


@pytest.mark.debian("ffmpeg")
@pytest.mark.parametrize(("source", "target"), PAIRS, ids=[f"{source}->{target}" for source, target in PAIRS])
def test_remux(source: str, target: str, tmp_path: Path) -> None:
    path, result = make.media(source), tmp_path / f"out.{target}"
    if not allowed(source, target):
        result.write_bytes(b"precious")
        with pytest.raises(rw.ReelwayError) as caught:
            rw.run(str(path), str(result))
        text = f"{caught.value} {caught.value.hint}".lower()
        assert any(name in text for name in SPOKEN.get(target, (target,)))
        refused = set(codecs(source)) - CARRIES[target] or set(codecs(source))
        assert any(codec in text for codec in refused)
        assert result.read_bytes() == b"precious"  # refused before anything was touched
        return
    rw.run(str(path), str(result))
    assert_same(path, result, target)
    report, warnings = probe.ffprobe(result)
    assert warnings == ""
    expected, _ = probe.ffprobe(path)
    assert frames(report) == frames(expected)


def frames(report: dict[str, list[dict[str, str]]]) -> list[str]:
    """How many pictures the real ffprobe could decode, per video stream."""
    return [stream["nb_read_frames"] for stream in report["streams"] if stream["codec_type"] == "video"]
