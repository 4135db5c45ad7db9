"""Many live sources in one process: 50 of 640x360 at 10 frames a second by RTSP, eight of them decoded.

Reelway and `gst-launch-1.0`, each in one process, and `ffmpeg` in one for each source do the same by turns,
from one server of GStreamer's in a process of its own, which does not count and sends to each at its own
time, as cameras do. CPU is user and system time of the clients while all sources run, as the system accounts
it; memory is their share of what they hold (PSS). At the end each source has to be connected still, with
nothing waiting in its socket: who does not keep up has no figure.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from _measure import arguments, environment, heading, python, work

FPS = 10
BYTES = 6000
"""Of each coded picture at least: half a megabit a second, as such cameras send."""
STARTED_S = 60.0
SETTLED_S = 5.0
BEHIND = 200_000
"""So many bytes in its socket, and it does not keep up: three seconds of the stream."""
REELWAY = """
import sys, reelway as rw
url, sources, decoded = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with rw.Session() as session:
    for number in range(sources):
        source = session.load_src(url)
        if number < decoded:
            decode = session.load("decode")
            source >> decode
            source = decode
        source >> session.load_dst("null")
    session.run()
"""


class Found(NamedTuple):
    """What one process took for each of its sources."""

    cpu: float
    """Of one core, in percent."""
    mb: float
    threads: int


def main() -> None:
    given = arguments(__doc__, rounds=3)
    sources, decoded, seconds = (4, 2, 1.0) if given.tiny else (50, 8, 15.0)
    print(heading())
    print(f"{sources} sources of 640x360 at {FPS} frames a second over TCP, {decoded} of them decoded")
    with work() as folder, serving(folder) as url:
        if not url:
            print("  not measured: no RTSP server (gir1.2-gst-rtsp-server-1.0, python3-gi)")
            return
        commands = contestants(url, sources, decoded)
        found: dict[str, list[Found]] = {name: [] for name in commands}
        for _ in range(given.rounds):
            for name, processes in commands.items():
                found[name].append(
                    client(processes, folder, url, sources, seconds, 0.5 if given.tiny else SETTLED_S)
                )
    told(found, "gst-launch")


def contestants(url: str, sources: int, decoded: int) -> dict[str, list[list[str]]]:
    """The processes of each, by name; those that are installed."""
    commands = {"reelway": [python(REELWAY, url, str(sources), str(decoded))]}
    if ffmpeg := shutil.which("ffmpeg"):
        # one that opens fifty, one after the other, takes two minutes to begin
        source = [ffmpeg, "-v", "error", "-nostdin", "-rtsp_transport", "tcp", "-i", url, "-map", "0:v"]
        raw = [*source, "-vsync", "passthrough", "-f", "null", "-"]
        coded = [*source, "-c", "copy", "-f", "null", "-"]
        commands["ffmpeg"] = [raw] * decoded + [coded] * (sources - decoded)
    else:
        print("  ffmpeg is not installed")
    if launch := shutil.which("gst-launch-1.0"):
        source = f"rtspsrc location={url} protocols=tcp ! rtph264depay"
        line = [f"{source} ! avdec_h264 ! fakesink sync=false"] * decoded
        line += [f"{source} ! fakesink sync=false"] * (sources - decoded)
        commands["gst-launch"] = [[launch, "-q", *" ".join(line).split()]]
    else:
        print("  gst-launch-1.0 is not installed")
    return commands


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a server that sends one film to all who ask; empty where there can be none."""
    from tests.live.serving import RtspServer, coded_film

    film = coded_film(folder, size=(640, 360))
    coded = pickle.loads(film.read_bytes())
    film.write_bytes(pickle.dumps([each + filler(BYTES - len(each)) for each in coded]))
    server = RtspServer(film, fps=FPS)
    try:
        server.start()
    except (AssertionError, OSError):
        yield ""
        return
    try:
        yield server.url
    finally:
        server.kill()


def filler(size: int) -> bytes:
    """A NAL unit that says nothing (H.264, 7.3.2.7)."""
    return b"\x00\x00\x01\x0c" + b"\xff" * max(0, size - 5) + b"\x80"


def client(
    commands: list[list[str]], folder: Path, url: str, sources: int, seconds: float, settle_s: float
) -> Found:
    """Lets processes run until all their sources do, and for `seconds` more. Raises RuntimeError."""
    port = int(url.rpartition(":")[2].partition("/")[0])
    output = folder / "output.txt"
    with output.open("wb") as said:
        children = [
            subprocess.Popen(
                command,
                env=environment(folder),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
            for command in commands
        ]
    pids = [child.pid for child in children]
    try:
        until = time.monotonic() + STARTED_S
        while len(waiting(port)) < sources:
            if any(child.poll() is not None for child in children) or time.monotonic() > until:
                raise RuntimeError(f"{commands[0][0]} did not start:\n{output.read_text()[-2000:]}")
            time.sleep(0.1)
        time.sleep(settle_s)
        began, before = time.perf_counter(), sum(map(cpu_s, pids))
        time.sleep(seconds)
        used, took = sum(map(cpu_s, pids)) - before, time.perf_counter() - began
        behind = waiting(port)
        if len(behind) != sources or max(behind) > BEHIND:
            raise RuntimeError(f"{commands[0][0]} does not keep up: {len(behind)} connections, {behind}")
        mb = sum(map(pss_mb, pids))
        threads = sum(len(os.listdir(f"/proc/{pid}/task")) for pid in pids)
    finally:
        for child in children:
            child.kill()
        for child in children:
            child.wait()
    return Found(used / took * 100 / sources, mb / sources, threads)


def waiting(port: int) -> list[int]:
    """Bytes that wait in each socket that is connected to `port` of this machine."""
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, _, remote, state, queues = line.split()[:5]
        if state == "01" and int(remote.partition(":")[2], 16) == port:
            found.append(int(queues.partition(":")[2], 16))
    return found


def cpu_s(pid: int) -> float:
    """User and system time of all threads of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / 1e6


def told(found: dict[str, list[Found]], reference: str) -> None:
    """Prints medians, and ratios taken round by round."""
    for name, rounds in found.items():
        cpu = sorted(each.cpu for each in rounds)
        mb, threads = (statistics.median(each[i] for each in rounds) for i in (1, 2))
        line = (
            f"  {name:10}  {statistics.median(cpu):6.2f} % of a core a source ({cpu[0]:.2f} to {cpu[-1]:.2f})"
        )
        line += f"   {mb:5.2f} MB a source   {threads:.0f} threads"
        if name != reference and reference in found:
            ratios = [one.cpu / other.cpu for one, other in zip(rounds, found[reference], strict=True)]
            ratio = statistics.median(ratios)
            line += f"   {ratio:.2f} times {reference}"
            if name == "reelway":
                line += f"   budget 1.00: {'kept' if ratio <= 1 else 'MISSED'}"
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
