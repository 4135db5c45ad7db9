"""Senders that are not RTSP servers: RTP by SDP, MPEG-TS over UDP and multicast, HLS, RTMP; all of ffmpeg."""

from __future__ import annotations

import functools
import http.server
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import reelway as rw
from reelway.errors import UnsupportedError
from tests.live.serving import FPS, free_port, wait_for_file
from tests.live.watching import Watch, WatchSound, frames, rises, watched
from tests.media import make

pytestmark = pytest.mark.debian("ffmpeg")
Send = Callable[..., "subprocess.Popen[bytes]"]
PICTURES = 1000


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make.film(
        tmp_path_factory.mktemp("film") / "film.mp4", seconds=PICTURES / FPS, fps=FPS, bframes=0, gop=12
    )


@pytest.fixture
def send(film: Path, debian_tool: Callable[[str], Path]) -> Iterator[Send]:
    """Starts ffmpeg, which sends the film at its pace, with these arguments behind it."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str | Path, streams: str = "0") -> subprocess.Popen[bytes]:
        ffmpeg = [debian_tool("ffmpeg"), "-v", "error", "-nostdin", "-re", "-i", film, "-map", streams]
        command = [*ffmpeg, "-c", "copy", *arguments]
        running.append(subprocess.Popen([str(each) for each in command], stderr=subprocess.DEVNULL))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def in_order(watch: Watch, count: int) -> bool:
    """Each picture follows on the one before; the first is what came when somebody listened."""
    first = watch.counters[0]
    return watch.counters[:count] == list(range(first, first + count)) and rises(watch.times)


def test_rtp_by_sdp(send: Send, tmp_path: Path) -> None:
    port, sdp = free_port() & ~1, tmp_path / "session.sdp"
    send("-f", "rtp", f"rtp://127.0.0.1:{port}", "-sdp_file", sdp, streams="0:v")
    wait_for_file(sdp)
    watch = watched(str(sdp), 40)
    assert in_order(watch, 40)
    assert watch.properties["Container"] == "sdp"


@pytest.mark.alone
def test_an_sdp_file_and_nobody_who_sends(tmp_path: Path) -> None:
    sdp = tmp_path / "session.sdp"
    sdp.write_text(
        f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=video {free_port() & ~1} RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    )
    started = time.monotonic()
    with pytest.raises(rw.DeadlineError, match="no media within"):
        watched(str(sdp), 1, timeout_s=2.0, silence_s=0.5)
    assert 1.9 < time.monotonic() - started < 3.0


@pytest.mark.parametrize("host", ["127.0.0.1", "239.255.41.7"])
def test_mpeg_ts_over_udp(send: Send, host: str) -> None:
    port = free_port()
    multicast = "&localaddr=127.0.0.1" if host.startswith("239") else ""
    send("-f", "mpegts", f"udp://{host}:{port}?pkt_size=1316{multicast}")
    address = f"udp://{host}:{port}" + ("?localaddr=127.0.0.1" if multicast else "")
    with rw.Session() as session:
        source = session.load_src(address)
        pictures = Watch(lambda watch: len(watch.times) >= 60 and len(sound.times) >= 60)
        sound = WatchSound(lambda _: False)
        session.add(pictures)
        session.add(sound)
        source.video >> pictures
        source.audio >> sound
        session.run()
    assert in_order(pictures, 60)
    assert rises(sound.times)


def test_a_sender_of_udp_that_stops_and_comes_back(send: Send) -> None:
    port = free_port()
    first = send("-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316")
    again: list[Any] = []

    def lose(watch: Watch) -> bool:
        if len(watch.times) == 30:
            first.kill()
            again.append(send("-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316"))
        return len(watch.times) >= 90

    with rw.Session() as session:
        watch = Watch(lose)
        session.add(watch)
        session.load_src(f"udp://127.0.0.1:{port}", silence_s=1.0) >> watch
        session.run()
    assert rises(watch.times)
    scale = watch.properties["Timescale"]
    assert watch.times[-1] / scale < 30  # the sender's times began anew, and nothing of that is seen
    assert watch.counters[-1] < watch.counters[29] + 90


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A folder and the address where it is served."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    folder = tmp_path / "web"
    folder.mkdir()
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()
        thread.join()


def test_http_live_streams(send: Send, web: tuple[str, Path]) -> None:
    address, folder = web
    playlist = folder / "live.m3u8"
    send("-f", "hls", "-hls_time", "1", "-hls_list_size", "4", "-hls_flags", "delete_segments", playlist)
    wait_for_file(playlist)
    watch = watched(f"{address}/live.m3u8", 60)
    assert in_order(watch, 60)
    assert not watch.gaps


def test_http_streams_that_are_complete_end(send: Send, web: tuple[str, Path]) -> None:
    address, folder = web
    playlist = folder / "whole.m3u8"
    sender = send("-f", "hls", "-hls_time", "1", "-hls_list_size", "0", "-t", "3", playlist)
    assert sender.wait() == 0
    watch = watched(f"{address}/whole.m3u8", PICTURES)
    assert watch.counters == list(range(len(watch.counters)))
    assert len(watch.counters) in range(75, 78)


def test_rtmp(send: Send) -> None:
    port = free_port()
    send("-f", "flv", "-listen", "1", f"rtmp://127.0.0.1:{port}/live/cam")
    watch = watched(f"rtmp://127.0.0.1:{port}/live/cam", 40, retry=20)
    assert in_order(watch, 40)
    assert watch.properties["URL"] == f"rtmp://127.0.0.1:{port}/live/***"


def test_srt_is_refused_in_words_where_the_build_has_none() -> None:
    with rw.Session() as session:
        session.load_src("srt://127.0.0.1:9000") >> session.add(Watch(frames(1)))
        with pytest.raises(UnsupportedError, match="srt"):
            session.run()
