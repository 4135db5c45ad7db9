"""Lost datagrams: what is shown and not flagged is what was sent."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reelway as rw
from reelway.media.packet import Packet
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
    sdp = tmp_path / "session.sdp"

    def send(way: str) -> str:
        command = [debian_tool("ffmpeg"), *"-v error -nostdin -readrate 4 -i".split(), film, "-c", "copy"]
        if way == "rtp":
            command += ["-f", "rtp", f"rtp://127.0.0.1:{port}", "-sdp_file", sdp]
        else:
            command += ["-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316"]
        running.append(subprocess.Popen([str(each) for each in command]))
        if way != "rtp":
            return f"udp://127.0.0.1:{target}"
        wait_for_file(sdp)
        sdp.write_text(sdp.read_text().replace(f"m=video {port}", f"m=video {target}"))
        return str(sdp)

    yield send
    for process in running:
        process.kill()
        process.wait()
    relay.close()
    assert relay.lost


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
    [("libx264", "rtp"), ("libx264", "ts"), ("libx265", "ts")],  # of HEVC by RTP FFmpeg does not tell it
    indirect=["film"],
)
def test_what_is_not_flagged_is_what_was_sent(
    lossy: Lossy, sent: list[np.ndarray[Any, Any]], way: str
) -> None:
    with rw.Session() as session:
        watch = Compare()
        session.add(watch)
        session.load_src(lossy(way)) >> watch
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
