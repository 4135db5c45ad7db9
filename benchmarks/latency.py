"""From the camera's coded picture to an array of RGB in Python's hands, over RTSP and loopback.

A server of GStreamer's notes when it sends each picture of 640x360, 25 a second; Reelway, PyAV, OpenCV and
GStreamer's appsink, each in a process of its own, note when they have the array. Coding the picture, which is
the camera's own matter, does not count; all that it takes to receive and decode it does. GStreamer's jitter
buffer is switched off (`latency=0`), which by default is two seconds; the others are as they come.
"""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

from _measure import arguments, environment, heading, python, work

SIZE = (640, 360)
SETTLED_S = 2.0
"""What came while it connected comes all at once."""
SEEN = """
import sys, time
def tell(pixels, width):  # of 3 bytes, line by line
    now, number = time.monotonic_ns(), 0
    for block in range(16):
        at = (10 * width + (2 * block + 1) * width // 32) * 3
        number = number << 1 | (pixels[at] >= 128)
    print(number, now, flush=True)
"""
REELWAY = """
import reelway as rw
for frame in rw.frames(sys.argv[1], pixel_format="rgb24"):
    array = frame.array
    tell(memoryview(array).cast("B"), array.shape[1])
"""
PYAV = """
import av
with av.open(sys.argv[1], options={"rtsp_transport": "tcp"}) as container:
    for frame in container.decode(video=0):
        array = frame.to_ndarray(format="rgb24")
        tell(memoryview(array).cast("B"), array.shape[1])
"""
OPENCV = """
import cv2
capture = cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG)
while True:
    there, array = capture.read()
    if there:
        tell(memoryview(array).cast("B"), array.shape[1])
"""
APPSINK = """
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
pipeline = Gst.parse_launch(
    f"rtspsrc location={sys.argv[1]} protocols=tcp latency=0 ! rtph264depay ! h264parse ! avdec_h264 "
    "! videoconvert ! video/x-raw,format=RGB ! appsink name=out sync=false max-buffers=1 drop=true"
)
pipeline.set_state(Gst.State.PLAYING)
out = pipeline.get_by_name("out")
while True:
    sample = out.emit("pull-sample")
    there, mapped = sample.get_buffer().map(Gst.MapFlags.READ)
    tell(mapped.data, sample.get_caps().get_structure(0).get_value("width"))
    sample.get_buffer().unmap(mapped)
"""
DEBIAN = "/usr/bin/python3"


def main() -> None:
    given = arguments(__doc__, rounds=3)
    print(heading())
    print("milliseconds from the server's coded picture to the array, of 25 a second of 640x360")
    commands = {
        "reelway": python(SEEN + REELWAY),
        "PyAV": python(SEEN + PYAV),
        "OpenCV": python(SEEN + OPENCV),
        "appsink": [DEBIAN, "-c", SEEN + APPSINK],
    }
    if importlib.util.find_spec("cv2") is None:
        print("  OpenCV is not installed (pip install opencv-python-headless)")
        del commands["OpenCV"]
    found: dict[str, list[list[float]]] = {name: [] for name in commands}
    with work() as folder:
        for _ in range(given.rounds):
            for name, command in commands.items():
                try:
                    found[name].append(delays_ms(command, folder, 0.5 if given.tiny else 8.0))
                except Missing as missing:
                    print(f"  {name} is not measured: {missing}")
    for name, rounds in found.items():
        if rounds:
            told(name, rounds)


class Missing(Exception):
    """What a contestant needs is not here."""


def delays_ms(command: list[str], folder: Path, seconds: float) -> list[float]:
    """How late each picture of `seconds` was. Raises Missing."""
    from tests.live.serving import PICTURES, RtspServer, coded_film

    film = folder / "units.pickle"
    if not film.exists():
        coded_film(folder, size=SIZE)
    server = RtspServer(film, log=folder / "sent.txt")
    try:
        server.start()
    except (AssertionError, OSError):
        raise Missing("no RTSP server (gir1.2-gst-rtsp-server-1.0, python3-gi)") from None
    try:
        seen = list(watched([*command, server.url], folder, seconds))
        sent = [tuple(map(int, line.split())) for line in (folder / "sent.txt").read_text().splitlines()]
    finally:
        server.kill()
    late = []
    for number, at in seen:
        begun = max((then for which, then in sent if which % PICTURES == number and then <= at), default=None)
        if begun is not None:
            late.append((at - begun) / 1e6)
    return late


def watched(command: list[str], folder: Path, seconds: float) -> Iterator[tuple[int, int]]:
    """What a process says of each picture, once it has settled. Raises Missing where it says nothing."""
    said = folder / "said.txt"
    with said.open("wb") as errors:
        child = subprocess.Popen(
            command,
            env=environment(folder),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert child.stdout is not None
    begun: float | None = None
    try:
        for line in child.stdout:
            now = time.monotonic()
            begun = begun or now
            if now - begun > SETTLED_S:
                number, at = line.split()
                yield int(number), int(at)
            if now - begun > SETTLED_S + seconds:
                return
        raise Missing(said.read_text()[-300:].strip().rpartition("\n")[2] or "it ended")
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()


def told(name: str, rounds: list[list[float]]) -> None:
    p50 = [median(each) for each in rounds]
    p99 = [quantiles(each, n=100, method="inclusive")[98] for each in rounds]
    print(
        f"  {name:8}  p50 {median(p50):6.1f} ({min(p50):.1f} to {max(p50):.1f})"
        f"   p99 {median(p99):6.1f} ({min(p99):.1f} to {max(p99):.1f})   of {sum(map(len, rounds))}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
