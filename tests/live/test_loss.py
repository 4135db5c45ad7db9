"""Lost datagrams: what is shown and not flagged is what was sent."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reelway as rw
from reelway.media.packet import Packet
from tests.live.badserver import BadServer, answer
from tests.live.lossy import LossyRelay
from tests.live.serving import FPS, free_port, wait_for_file
from tests.live.watching import Watch, frames
from tests.media import make

pytestmark = pytest.mark.debian("ffmpeg")
ENOUGH = 100


@pytest.fixture(scope="module")
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("loss") / "film.mp4"
    return make.film(
        path, seconds=30, fps=FPS, video=request.param, bframes=0, gop=25, audio=0, size=(640, 360)
    )


@pytest.fixture(scope="module")
def sent(film: Path) -> list[np.ndarray[Any, Any]]:
    """The pictures as they are when nothing is lost."""
    watch = Compare(FPS * 30)
    with rw.Session() as session:
        session.load_src(str(film)) >> session.add(watch)
        session.run()
    return [picture for picture, _ in watch.pictures]


Lossy = Callable[[str], str]


@pytest.fixture
def lossy(film: Path, tmp_path: Path, debian_tool: Callable[[str], Path]) -> Iterator[Lossy]:
    """Sends the film through a relay that loses one datagram in twenty; the value is where it comes out."""
    port, target = free_port() & ~1, free_port() & ~1
    relay = LossyRelay(port, target, 0.05)
    running: list[subprocess.Popen[bytes]] = []
    servers: list[BadServer] = []
    sdp = tmp_path / "session.sdp"

    def send(way: str) -> str:
        command = [debian_tool("ffmpeg"), *"-v error -nostdin -readrate 4 -i".split(), film, "-c", "copy"]
        if way != "ts":
            command += ["-f", "rtp", f"rtp://127.0.0.1:{port}", "-sdp_file", sdp]
        else:
            command += ["-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316"]
        running.append(subprocess.Popen([str(each) for each in command]))
        if way == "ts":
            return f"udp://127.0.0.1:{target}"
        wait_for_file(sdp)
        if way == "rtsp":
            servers.append(Relayed(sdp, relay))
            return f"rtsp://127.0.0.1:{servers[0].port}/cam"
        sdp.write_text(sdp.read_text().replace(f"m=video {port}", f"m=video {target}"))
        return str(sdp)

    yield send
    for process in running:
        process.kill()
        process.wait()
    for server in servers:
        server.close()
    relay.close()
    assert relay.lost


class Relayed(BadServer):
    """Describes what another process sends, as `sdp` says, and has a relay lead it to who asks."""

    def __init__(self, sdp: Path, relay: LossyRelay) -> None:
        text = re.sub(r"(?m)^m=(\w+) \d+ (.*)$", r"m=\1 0 \2", sdp.read_text().partition("v=0")[2])
        lines = [line for line in ("v=0" + text).splitlines() if line]
        self.sdp = "\r\n".join([*lines, "a=control:stream=0", ""]).encode()
        self.relay = relay
        super().__init__("relayed")

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(0.1)
        with connection, contextlib.suppress(OSError):
            for request in self.requests(connection):
                method = request.split()[0].decode()
                said = answer(request, method)
                if method == "DESCRIBE":
                    said = re.sub(rb"(?s)Content-Length.*", b"", said)
                    said += b"Content-Length: %d\r\n\r\n" % len(self.sdp) + self.sdp
                elif method == "SETUP":
                    port = re.search(rb"client_port=(\d+)", request)
                    assert port, "this server sends datagrams"
                    self.relay.lead_to(int(port[1]))
                connection.sendall(said)


class Compare(Watch):
    """Keeps every picture, and whether it was said to be damaged."""

    def __init__(self, enough: int = ENOUGH) -> None:
        super().__init__(frames(enough))
        self.pictures: list[tuple[np.ndarray[Any, Any], bool]] = []

    def see(self, packet: Packet) -> None:
        self.pictures.append((np.array(packet.planes()[0]), packet.corrupted))
        self._keep(packet)


@pytest.mark.parametrize(
    ("film", "way"),
    [  # of HEVC by RTP without RTSP FFmpeg does not tell it
        ("libx264", "rtp"),
        ("libx264", "ts"),
        ("libx265", "ts"),
        ("libx264", "rtsp"),
        ("libx265", "rtsp"),
    ],
    indirect=["film"],
)
def test_what_is_not_flagged_is_what_was_sent(
    lossy: Lossy, sent: list[np.ndarray[Any, Any]], way: str
) -> None:
    with rw.Session() as session:
        watch = Compare()
        session.add(watch)
        session.load_src(lossy(way), **({"transport": "udp"} if way == "rtsp" else {})) >> watch
        session.run()
    scale = watch.properties["Timescale"]
    good = next(i for i, (_, flagged) in enumerate(watch.pictures) if not flagged)
    first = make.read_counter(watch.pictures[good][0]) - round(watch.times[good] * FPS / scale)
    unflagged = [
        (picture, sent[first + round(time * FPS / scale)])
        for (picture, flagged), time in zip(watch.pictures, watch.times, strict=True)
        if not flagged
    ]
    wrong = sum(_psnr(picture, original) < 30 for picture, original in unflagged)
    assert len(unflagged) > ENOUGH / 3
    assert wrong <= len(unflagged) / 100
    assert any(watch.flags)


def _psnr(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    error = float(((one.astype(np.float64) - other) ** 2).mean())
    return 99.0 if error == 0 else 10 * float(np.log10(255**2 / error))
