"""Which addresses are live."""

from __future__ import annotations

import pytest

from reelway.media.addresses import live_protocol


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("rtsp://camera/stream", "rtsp"),
        ("RTSP://user:pa:ss@camera:554/a?b=c", "rtsp"),
        ("rtsps://camera/", "rtsp"),
        ("udp://239.1.2.3:5000", "udp"),
        ("rtp://@:5004", "rtp"),
        ("rtmp://server/live/key", "rtmp"),
        ("srt://host:9000", "srt"),
        ("session.sdp", "rtp"),
        ("/somewhere/session.SDP", "rtp"),
        ("session.sdp:timeout_s=3", "rtp"),
        ("https://host/live/index.m3u8?token=1", "hls"),
        ("http://host/index.m3u8", "hls"),
    ],
)
def test_live_addresses(url: str, name: str) -> None:
    protocol = live_protocol(url)
    assert protocol is not None
    assert protocol.name == name
    assert 0 < protocol.silence_s <= protocol.open_s


@pytest.mark.parametrize(
    "url",
    [
        "film.mp4",
        "folder/rtsp.mp4",
        "http://host/film.mp4",
        "index.m3u8",
        "file:///folder/index.m3u8",
        "tcp://host:5000",
        "pipe:0",
        "gpac://",
        "sdp",
        "",
        None,
        7,
    ],
)
def test_files_are_not(url: object) -> None:
    assert live_protocol(url) is None
