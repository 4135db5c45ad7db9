"""Codec, format and stream type names in both spellings."""

from __future__ import annotations

import pytest

from reelway.media import names


@pytest.mark.parametrize(
    ("given", "ffmpeg", "gpac"),
    [
        ("AVC", "h264", "avc"),
        ("264", "h264", "avc"),
        ("h265", "hevc", "hevc"),
        ("hvc", "hevc", "hevc"),
        ("av1", "av1", "av1"),
        ("aac", "aac", "aac"),
        ("m1a", "mp3", "mp3"),
        ("opus", "opus", "opus"),
        ("vp9", "vp9", "vp9"),
        ("raw", "raw", "raw"),
        ("vtt", "webvtt", "vtt"),
        ("tx3g", "mov_text", "tx3g"),
        ("some_new_codec", "some_new_codec", "some_new_codec"),
    ],
)
def test_codecs(given, ffmpeg, gpac):
    assert names.canonical_codec(given) == ffmpeg
    assert names.gpac_codec(given) == gpac
    assert names.canonical_codec(gpac) == ffmpeg


@pytest.mark.parametrize(
    ("given", "ffmpeg", "gpac"),
    [
        ("yuv", "yuv420p", "yuv420"),
        ("yuv420p", "yuv420p", "yuv420"),
        ("yuv2", "yuv422p", "yuv422"),
        ("nv12", "nv12", "nv12"),
        ("rgb", "rgb24", "rgb"),
        ("rgba", "rgba", "rgba"),
        ("grey", "gray", "grey"),
        ("rgbx", "rgb0", "rgbx"),
        ("yuvl", "yuv420p10le", "yuv420_10"),
        ("yuv444p", "yuv444p", "yuv444"),
        ("gbrp12be", "gbrp12be", "gbrp12be"),
    ],
)
def test_pixel_formats(given, ffmpeg, gpac):
    assert names.canonical_pixel_format(given) == ffmpeg
    assert names.gpac_pixel_format(given) == gpac
    assert names.canonical_pixel_format(gpac) == ffmpeg


def test_full_range_formats_have_gpacs_plain_name():
    assert names.gpac_pixel_format("yuvj420p") == "yuv420"
    assert names.canonical_pixel_format("yuvj420p") == "yuvj420p"


@pytest.mark.parametrize(
    ("given", "ffmpeg"), [("pcm", "s16"), ("s16", "s16"), ("pcmp", "s16p"), ("fltp", "fltp"), ("dbl", "dbl")]
)
def test_sample_formats(given, ffmpeg):
    assert names.canonical_sample_format(given) == ffmpeg
    assert names.gpac_sample_format(given) == ffmpeg


@pytest.mark.parametrize(
    ("given", "gpac", "short", "ffmpeg"),
    [
        ("video", "Visual", "video", "video"),
        ("Visual", "Visual", "video", "video"),
        ("AUDIO", "Audio", "audio", "audio"),
        ("subtitle", "Text", "text", "subtitle"),
        ("data", "Metadata", "meta", "data"),
        ("attachment", "Metadata", "meta", "data"),
        ("scene", "SceneDescription", "scene", None),
        ("File", "File", "file", None),
        ("strange", "strange", "strange", None),
    ],
)
def test_stream_types(given, gpac, short, ffmpeg):
    assert names.canonical_stream_type(given) == gpac
    assert names.short_stream_type(given) == short
    assert names.ffmpeg_media_type(given) == ffmpeg


def test_every_stream_type_is_its_own_canonical_name():
    assert [names.canonical_stream_type(name) for name in names.STREAM_TYPES] == list(names.STREAM_TYPES)
