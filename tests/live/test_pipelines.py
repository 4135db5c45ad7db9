"""Live sources in pipeline texts: rtspsrc, uridecodebin, an address by itself."""

from __future__ import annotations

import pytest

import reelway as rw
from tests.live.conftest import MakeServer
from tests.media import make
from tests.secrets import PASSWORD, USER

SINK = "appsink name=out sync=false"
TEXTS = [
    f"rtspsrc location={{url}} protocols=udp ! rtph264depay ! h264parse ! avdec_h264 ! {SINK}",
    f"rtspsrc location={{url}} ! decodebin ! videoconvert ! video/x-raw,format=I420 ! {SINK}",
    f"uridecodebin uri={{url}} ! videoconvert ! video/x-raw,format=I420 ! {SINK}",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_camera_in_a_text(rtsp_server: MakeServer, text: str) -> None:
    server = rtsp_server(auth="digest")
    with rw.launch(text, url=server.url) as app:
        numbers = [make.read_counter(app["out"].filter.pull(10).planes()[0]) for _ in range(20)]
    assert numbers == list(range(20))


def test_name_and_password_apart_from_the_address(rtsp_server: MakeServer) -> None:
    server = rtsp_server(auth="digest")
    text = f"rtspsrc location={{url}} user-id={{who}} user-pw={{word}} ! decodebin ! {SINK}"
    url = f"rtsp://127.0.0.1:{server.port}/cam"
    with rw.launch(text, url=url, who=USER, word=PASSWORD) as app:
        assert make.read_counter(app["out"].filter.pull(10).planes()[0]) == 0


def test_a_camera_that_comes_back_in_a_text(rtsp_server: MakeServer) -> None:
    server = rtsp_server()
    with rw.launch(TEXTS[1], url=server.url) as app:
        sink = app["out"].filter
        numbers = [make.read_counter(sink.pull(10).planes()[0]) for _ in range(20)]
        server.kill()
        server.start()
        while numbers[-1] or len(numbers) < 21:
            numbers.append(make.read_counter(sink.pull(10).planes()[0]))
    assert numbers[:-1] == list(range(len(numbers) - 1))
