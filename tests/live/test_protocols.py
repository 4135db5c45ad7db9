"""Protocols against real peers where there are such, and what is to be said where none is possible."""

from __future__ import annotations

import functools
import http.server
import logging
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import reelway as rw
from reelway.cli import doctor
from reelway.engine import hostnames, inventory, live
from reelway.errors import OpenError, UnsupportedError
from tests.live.badserver import BadServer, answer
from tests.live.conftest import MakeServer
from tests.live.serving import FPS, RtspServer, free_port, wait_for_file
from tests.live.test_return import Director, Signals
from tests.live.test_senders import Send, film, in_order, send  # noqa: F401 - fixtures
from tests.live.watching import Watch, WatchCoded, frames, rises, watched

# RTSP in other ways


def test_rtsp_within_http(rtsp_server: MakeServer) -> None:
    server = rtsp_server(auth="digest")
    with rw.Session() as session:
        source = session.load_src(server.url, transport="http")
        watch = Watch(frames(30))
        session.add(watch)
        source >> watch
        session.link()
        assert source.statistics().status.endswith("over http")
        session.run()
    assert watch.counters[:30] == list(range(30))


def test_rtsp_with_tls_and_a_certificate_that_it_has_signed_itself(rtsp_server: MakeServer) -> None:
    server = rtsp_server(auth="digest", tls=True)
    assert server.url.startswith("rtsps://")
    assert watched(server.url, 30).counters[:30] == list(range(30))
    with pytest.raises(OpenError, match="no TLS connection comes about") as caught:
        watched(server.url, 1, ffmpeg={"tls_verify": "1"})
    assert "certificate" in str(caught.value.hint)


def test_tls_where_the_server_has_none_and_none_where_it_has(rtsp_server: MakeServer) -> None:
    plain, encrypted = rtsp_server(), rtsp_server(auth="basic", tls=True)
    with pytest.raises(OpenError, match="no TLS connection comes about") as caught:
        watched(plain.url.replace("rtsp:", "rtsps:"), 1)
    assert "rtsp://" in str(caught.value.hint)
    with pytest.raises(rw.ReelwayError, match="sends no stream"):
        watched(encrypted.url.replace("rtsps:", "rtsp:"), 1)


class Multicaster(BadServer):
    """Tells RTSP clients to listen to a group; what is sent there, and described by `sdp`, is another's."""

    def __init__(self, sdp: Path, group: str, port: int) -> None:
        text = re.sub(r"(?m)^(c=.*|m=(\w+) \d+ (.*))$", self._plain, sdp.read_text().partition("v=0")[2])
        self.sdp = (
            ("v=0" + text + "a=control:stream=0\r\n").replace("\r\n", "\n").replace("\n", "\r\n").encode()
        )
        self.transport = f"RTP/AVP;multicast;destination={group};port={port}-{port + 1};ttl=1".encode()
        super().__init__("multicast")

    @staticmethod
    def _plain(line: re.Match[str]) -> str:
        return f"m={line[2]} 0 {line[3]}" if line[2] else "c=IN IP4 0.0.0.0"

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(0.1)
        with connection:
            for request in self.requests(connection):
                method = request.split()[0].decode()
                said = answer(request, method)
                if method == "DESCRIBE":
                    head = said.partition(b"Content-Type")[0]
                    said = head + b"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n" % len(
                        self.sdp
                    )
                    said += self.sdp
                elif method == "SETUP":
                    self.asked.append("multicast" if b"multicast" in request else "unicast")
                    said = re.sub(rb"Transport: [^\r]*", b"Transport: " + self.transport, said)
                connection.sendall(said)


MULTICAST = """
import subprocess, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.live.serving import free_port, wait_for_file
from tests.live.test_protocols import Multicaster
from tests.live.watching import watched
group, port, sdp = "239.255.41.9", free_port() & ~1, Path(sys.argv[3])
ffmpeg = ["ffmpeg", "-v", "error", "-nostdin", "-re", "-i", sys.argv[2], "-map", "0:v", "-c", "copy"]
to = ["-f", "rtp", f"rtp://{group}:{port}?ttl=1", "-sdp_file", str(sdp)]
sender = subprocess.Popen(ffmpeg + to, stderr=subprocess.DEVNULL)
wait_for_file(sdp)
server = Multicaster(sdp, group, port)
try:
    watch = watched(f"rtsp://127.0.0.1:{server.port}/cam", 40, transport="multicast")
    print(server.asked, *watch.counters[:40])
finally:
    server.close()
    sender.kill()
    sender.wait()
"""


@pytest.mark.debian("ffmpeg")
def test_rtsp_by_multicast(film: Path, tmp_path: Path) -> None:  # noqa: F811
    """In a network of its own, where multicast goes to loopback: the client joins where the route leads."""
    done = alone("ip route add 239.0.0.0/8 dev lo", MULTICAST, str(film), str(tmp_path / "group.sdp"))
    asked, *counters = done.stdout.split()
    assert asked == "['multicast']", done.stderr
    first = int(counters[0])
    assert [int(each) for each in counters] == list(range(first, first + 40))


def alone(setting: str, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What `script` says in namespaces of its own, with no network but loopback; the folder comes first."""
    if not all(map(shutil.which, ("unshare", "ip", "mount"))):
        pytest.skip("there are no namespaces here: unshare, ip and mount are wanted")
    prefix = ["unshare", "--map-root-user", "--mount", "--net", "sh", "-c"]
    setting = f"ip link set lo up && {setting}"
    if subprocess.run([*prefix, setting], capture_output=True).returncode:
        pytest.skip("this machine does not let us make namespaces")
    command = [*prefix, f'{setting} && exec "$0" -c "$@"', sys.executable, script]
    folder = str(Path(__file__).parents[2])
    return subprocess.run([*command, folder, *arguments], capture_output=True, text=True, timeout=60)


# RTMP


@pytest.mark.debian("ffmpeg")
def test_a_sender_of_rtmp_that_comes_back(send: Send) -> None:  # noqa: F811
    url = f"rtmp://127.0.0.1:{free_port()}/live/cam"
    senders = [send("-f", "flv", "-listen", "1", url)]

    def work() -> None:
        watch.wait_for(20)
        senders[0].kill()
        senders[0].wait()
        watch.wait_for_loss(1)
        seen = len(watch.seen_s)
        senders.append(send("-f", "flv", "-listen", "1", url))
        watch.wait_for(seen + 20)

    with rw.Session() as session:
        watch = Signals()
        session.add(watch)
        source = session.load_src(url, retry=20)
        source >> watch
        Director(session, work).run()
    assert rises(watch.times)
    assert [gap.end_s is None for gap in watch.gaps] == [True, False]
    again = watch.counters.index(0, 1)
    assert watch.counters[again : again + 15] == list(range(15))
    assert watch.flags[again]


# HTTP live streams


class Web:
    """Serves a folder; can be away for a while, and comes back at its address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.port = free_port()
        self.asked: list[str] = []
        self.server: http.server.ThreadingHTTPServer | None = None
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/live.m3u8"

    def start(self) -> None:
        asked = self.asked

        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                asked.append(self.path)

        handler = functools.partial(Quiet, directory=str(self.folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()
            self.server = None


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    made = Web(tmp_path / "web")
    yield made
    made.stop()


SLIDING = ("-f", "hls", "-hls_time", "1", "-hls_list_size", "3", "-hls_flags", "delete_segments")


@pytest.mark.debian("ffmpeg")
def test_a_sliding_playlist_that_ends_is_over_when_all_of_it_was_read(
    send: Send,  # noqa: F811
    web: Web,
) -> None:
    send(*SLIDING, "-t", "8", web.folder / "live.m3u8")
    wait_for_file(web.folder / "live.m3u8")
    watch = Watch(lambda _: False)
    with rw.Session() as session:
        session.add(watch)
        source = session.load_src(web.address)
        source.video >> watch
        session.run()
    assert "#EXT-X-ENDLIST" in (web.folder / "live.m3u8").read_text()
    first, last = watch.counters[0], watch.counters[-1]
    assert watch.counters == list(range(first, last + 1))
    assert last in range(8 * FPS - 1, 8 * FPS + 2)
    assert rises(watch.times)
    assert not watch.gaps
    assert not any(watch.flags)


@pytest.mark.debian("ffmpeg")
def test_a_web_server_that_is_away_for_a_while(send: Send, web: Web) -> None:  # noqa: F811
    send(*SLIDING, web.folder / "live.m3u8")
    wait_for_file(web.folder / "live.m3u8")

    def work() -> None:
        watch.wait_for(20)
        web.stop()
        watch.wait_for_loss(1)
        seen = len(watch.seen_s)
        web.start()
        watch.wait_for(seen + 20)

    with rw.Session() as session:
        watch = Signals()
        session.add(watch)
        source = session.load_src(web.address, silence_s=4.0)
        source.video >> watch
        Director(session, work).run()
    assert rises(watch.times)
    assert [gap.end_s is None for gap in watch.gaps] == [True, False]


# SRT


@pytest.mark.skipif(inventory.has_protocol("srt"), reason="this build of FFmpeg has SRT")
def test_srt_that_the_build_has_not_is_said_by_who_is_asked() -> None:
    with pytest.raises(UnsupportedError, match="srt") as caught:
        watched("srt://127.0.0.1:9000", 1)
    assert "reelway doctor" in str(caught.value.hint)
    assert "srt" in doctor.examine().missing["protocol"]


# Pictures that are none


class Deaf(BadServer):
    """An RTSP camera that sends sound, and pictures of which none is a keyframe."""

    SDP = (
        b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=cam\r\nt=0 0\r\n"
        b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:stream=0\r\n"
        b"a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0LADNoFB+hAAAADAEAAAAyDxQqS,aM48gA==\r\n"
        b"m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=control:stream=1\r\n"
    )

    def __init__(self) -> None:
        super().__init__("no keyframe")

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(0.1)
        channels = 0
        with connection:
            for request in self.requests(connection):
                method = request.split()[0].decode()
                said = answer(request, method)
                if method == "DESCRIBE":
                    head = said.partition(b"Content-Type")[0]
                    said = head + b"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n" % len(
                        self.SDP
                    )
                    said += self.SDP
                elif method == "SETUP":
                    said = said.replace(b"interleaved=0-1", b"interleaved=%d-%d" % (channels, channels + 1))
                    channels += 2
                connection.sendall(said)
                if method == "PLAY":
                    break
            self._send(connection)

    def _send(self, connection: socket.socket) -> None:
        number = 0
        while not self.over.wait(0.02):
            parts = [(2, 8, number * 160, b"\xd5" * 160)]
            if number % 2 == 0:  # a slice of a picture that refers to others
                parts.append((0, 0x80 | 96, number * 1800, b"\x41\x9a\x00" + bytes(50)))
            for channel, kind, time_, data in parts:
                head = b"\x80" + bytes([kind]) + number.to_bytes(2, "big")
                packet = head + (time_ & 0xFFFFFFFF).to_bytes(4, "big") + b"\0\0\0\7" + data
                try:
                    connection.sendall(b"$" + bytes([channel]) + len(packet).to_bytes(2, "big") + packet)
                except OSError:
                    return
            number += 1


def reason_of_loss(url: str, **options: Any) -> str:
    """Why it counted as lost the first time."""
    told: list[str] = []

    def stop_when_lost(name: str, fields: dict[str, Any]) -> None:
        if name == "gap":
            told.append(fields["reason"])
            session.stop()

    with rw.Session() as session:
        source = session.load_src(url, **options)
        source.on_message = stop_when_lost
        source.audio >> session.load_dst("null")
        session.run()
    return told[0]


@pytest.mark.alone
def test_a_camera_that_sends_no_keyframe_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PICTURE_S", 1.5)
    server = Deaf()
    started = time.monotonic()
    try:
        reason = reason_of_loss(f"rtsp://127.0.0.1:{server.port}/cam", silence_s=1.0)
    finally:
        server.close()
    assert "no picture that decodes for" in reason
    assert 1.4 < time.monotonic() - started < 8.0


@pytest.mark.debian("ffmpeg")
def test_a_camera_that_goes_on_with_sound_alone_is_lost(
    film: Path,  # noqa: F811
    debian_tool: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "PICTURE_S", 1.5)
    url = f"udp://127.0.0.1:{free_port()}"
    inputs = "-re -t 3 -i {film} -re -i {film} -map 0:v -map 1:a"  # the picture is over after 3 s
    coded = "-c:v copy -c:a mp2 -b:a 192k -max_interleave_delta 100000 -f mpegts"
    words = f"-v error -nostdin {inputs} {coded} {url}?pkt_size=1316".split()
    command = [debian_tool("ffmpeg"), *(each.format(film=film) for each in words)]
    sender = subprocess.Popen([str(each) for each in command], stderr=subprocess.DEVNULL)
    try:
        assert "no picture that decodes for" in reason_of_loss(url, silence_s=1.0)
    finally:
        sender.kill()
        sender.wait()


# Names

MUTE = """
import os, socket, sys, time
sys.path.insert(0, sys.argv[1])
import reelway as rw
from tests.live.watching import WatchCoded, frames
mute = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
mute.bind(("127.0.0.9", 53))
started = time.monotonic()
try:
    with rw.Session() as session:
        session.load_src("rtsp://camera.example/cam", timeout_s=2.0) >> session.add(WatchCoded(frames(1)))
        session.run()
except rw.DeadlineError as error:
    print(f"{time.monotonic() - started:.1f} {error}", flush=True)
os._exit(0)
"""


def test_a_name_server_that_says_nothing(tmp_path: Path) -> None:
    """In namespaces of its own: this machine's name server is another one there."""
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.9\n")
    done = alone(f"mount --bind {tmp_path}/resolv.conf /etc/resolv.conf", MUTE)
    after_s, _, message = done.stdout.partition(" ")
    assert "no name server said within 2 s where camera.example is" in message, done.stderr
    assert 1.9 < float(after_s) < 3.0


def test_names_that_there_are_not_and_numbers() -> None:
    until = time.monotonic() + 10
    assert hostnames.found_by("127.0.0.1", until)
    assert hostnames.found_by("::1", until)
    assert hostnames.found_by("localhost", until)
    assert not hostnames.found_by("a..b", until)
    with pytest.raises(OpenError, match="no host has this name"):
        watched("rtmp://no-such-host.invalid/live/cam", 1)


# What is told


def test_why_it_cannot_be_connected_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "reelway.engine.live")
    address = f"rtsp://viewer:wr0ngWord@127.0.0.1:{free_port()}/cam"
    with rw.Session() as session:
        session.load_src(address, retry=2) >> session.add(WatchCoded(frames(1)))
        with pytest.raises(OpenError, match="refused"):
            session.run()
    tries = [each for each in caplog.records if "tries again" in each.message]
    assert [each.levelname for each in tries] == ["WARNING", "INFO"]
    assert "wr0ngWord" not in caplog.text


def test_a_wrong_password_that_is_tried_again_is_told(
    rtsp_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    server: RtspServer = rtsp_server(auth="digest")
    address = server.url.replace("@127", "x@127")
    with rw.Session() as session:
        session.load_src(address, retry=1) >> session.add(WatchCoded(frames(1)))
        with pytest.raises(OpenError, match="refuses the user name or the password"):
            session.run()
    warned = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert ["refuses the user name or the password" in each.message for each in warned] == [True]


def test_options_of_devices_that_a_stream_of_the_network_cannot_have(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with rw.Session() as session:
        session.load_src("udp://127.0.0.1:5000", size="640x480")
    assert "size" in caplog.text
