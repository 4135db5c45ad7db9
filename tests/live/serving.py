"""Peers that send: GStreamer's RTSP server as a process that can be killed and started again on its port."""

from __future__ import annotations

import json
import pickle
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av

from tests.media import make
from tests.secrets import PASSWORD, USER, escaped

FPS = 25
PICTURES = 250
"""Of the film, which is sent over and over."""
SCRIPT = Path(__file__).with_name("rtspserver.py")
CERTIFICATE = Path(__file__).with_name("selfsigned.pem")
PYTHON = "/usr/bin/python3"


def free_port() -> int:
    """A port that nobody has just now, for TCP and for UDP."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def coded_film(
    folder: Path, codec: str = "libx264", *, pictures: int = PICTURES, size: tuple[int, int] = (320, 240)
) -> Path:
    """Coded pictures with counters, in Annex B, as a pickled list of bytes."""
    film = make.film(
        folder / "film.mp4", seconds=pictures / FPS, fps=FPS, video=codec, bframes=0, audio=0, size=size
    )
    raw = "hevc_mp4toannexb" if codec == "libx265" else "h264_mp4toannexb"
    units = []
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        annexb = av.BitStreamFilterContext(raw, stream)
        for packet in container.demux(stream):
            if packet.size:
                units += [bytes(each) for each in annexb.filter(packet)]
    path = folder / "units.pickle"
    path.write_bytes(pickle.dumps(units))
    return path


@dataclass
class RtspServer:
    """rtsp://127.0.0.1:PORT/cam; `start()` returns when it listens, `kill()` when it is gone."""

    film: Path
    codec: str = "h264"
    auth: str = ""
    sound: str = ""
    transports: tuple[str, ...] = ("tcp", "udp")
    shared: bool = False
    fps: int = FPS
    log: Path | None = None
    """Gets a line for each picture: its number, and when it was sent [ns of the monotonic clock]."""
    tls: bool = False
    """With a certificate that it has signed itself; a password is wanted, too."""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """With the password where it asks for one."""
        who = f"{USER}:{escaped(PASSWORD)}@" if self.auth else ""
        return f"rtsp{'s' if self.tls else ''}://{who}127.0.0.1:{self.port}/cam"

    def start(self) -> RtspServer:
        told: dict[str, Any] = {
            "port": self.port,
            "film": str(self.film),
            "fps": self.fps,
            "log": str(self.log or ""),
            "codec": self.codec,
            "auth": self.auth,
            "user": USER,
            "password": PASSWORD,
            "sound": self.sound,
            "transports": self.transports,
            "shared": self.shared,
            "tls": str(CERTIFICATE) if self.tls else "",
        }
        self.process = subprocess.Popen(
            [PYTHON, str(SCRIPT), json.dumps(told)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n", "the RTSP server did not start"
        return self

    def kill(self) -> None:
        """Without a word to its clients, as a camera that loses power."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def wait_for_file(path: Path) -> None:
    """Until another process has begun to write it."""
    until = time.monotonic() + 20
    while not path.exists() or not path.stat().st_size:
        assert time.monotonic() < until, f"{path.name} is not there"
        threading.Event().wait(0.02)
