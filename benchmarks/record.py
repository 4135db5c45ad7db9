"""What it costs to keep the last ten seconds of 20 cameras, 1080p at 25 frames and 4 megabits a second.

Each contestant is one process that plays the same H.264 file as often as there are cameras, in real time.
Reelway's recorders keep packets, and write an event of each; ffmpeg writes segments of what comes. pythiags'
way, decoded pictures in the ring and an encoder for the file, takes so much that it has one camera, and two
seconds. CPU is user and system time, as the system accounts it, a camera; memory what the process holds more
than before it runs (PSS), a camera, beside the bytes of the stream in the ring.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from _measure import arguments, environment, heading, python, work

BUDGET_CPU = 1.0
"""Percent of one core a camera."""
BUDGET_MEMORY = 1.3
"""Times the bytes of the stream in the ring."""
PRE_ROLL_S = 10.0
RECORDER = """
import json, resource, sys, time
import reelway as rw

def used():
    found = resource.getrusage(resource.RUSAGE_SELF)
    return found.ru_utime + found.ru_stime

def held():
    lines = open("/proc/self/smaps_rollup").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))

source, folder, cameras, raw, kept_s, seconds = sys.argv[1:3] + [float(each) for each in sys.argv[3:]]
with rw.Session() as session:
    made = {}
    for number in range(int(cameras)):
        stream = session.load_src(source)
        if raw:
            decode = session.load("rawvideo")
            stream.video >> decode
            stream = decode
        made[number] = stream
    recorders = rw.record.Recorders(session, made, folder + "/{name}.mp4", before_s=kept_s, after_s=1.0)
    before = held()
    marks = []
    def look():
        marks.append((time.monotonic(), used(), held(), sum(each.kept_bytes for each in recorders.values())))
        if len(marks) == 2:
            for number in recorders:
                recorders.record(number)
        if len(marks) == 4:
            session.stop()
            return -1.0
        return seconds
    session.post(look, kept_s + 1.5)
    session.run()
calm, event, after = ((b[1] - a[1]) / (b[0] - a[0]) for a, b in zip(marks, marks[1:]))
print(json.dumps({"calm": calm, "event": event, "bytes": marks[1][2] - before, "kept": marks[1][3]}))
"""


class Found(NamedTuple):
    """For each camera: part of a core, also while its event is written, and bytes."""

    calm: float
    event: float
    bytes: float
    kept: float


def recorders(source: Path, folder: Path, cameras: int, raw: bool, kept_s: float, seconds: float) -> Found:
    """What a process with so many recorders took."""
    target = folder / "clips"
    shutil.rmtree(target, ignore_errors=True)
    command = python(RECORDER, source, target, str(cameras), str(int(raw)), str(kept_s), str(seconds))
    done = subprocess.run(command, env=environment(folder), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    said = json.loads(done.stdout.splitlines()[-1])
    clips = len(list(target.glob("*.mp4")))
    if clips != cameras:
        raise RuntimeError(f"{clips} clips of {cameras} cameras")
    return Found(*(said[name] / cameras for name in ("calm", "event", "bytes", "kept")))


def segments(source: Path, folder: Path, cameras: int, seconds: float) -> float:
    """The same of ffmpeg, which writes all of it to a disk in memory."""
    command = ["ffmpeg", "-nostdin", "-loglevel", "error"]
    for _ in range(cameras):
        command += ["-re", "-i", str(source)]
    for number in range(cameras):
        target = folder / f"segment-{number}-%d.mp4"
        command += ["-map", f"{number}:v", "-c", "copy", "-f", "segment", "-segment_time", "10", str(target)]
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        time.sleep(3.0)
        before, begun = cpu_of(child.pid), time.monotonic()
        time.sleep(seconds)
        taken = (cpu_of(child.pid) - before) / (time.monotonic() - begun)
        if child.poll() is not None:
            raise RuntimeError(f"ffmpeg ended with {child.returncode}")
    finally:
        child.kill()
        child.wait()
    return taken / cameras


def cpu_of(pid: int) -> float:
    """User and system time [s]."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def main() -> None:
    given = arguments(__doc__, rounds=3)
    if not sys.platform.startswith("linux"):
        print("the accounts of processes are Linux's")
        return
    from tests.media import make

    cameras, seconds, kept_s = (2, 1.0, 1.0) if given.tiny else (20, 10.0, PRE_ROLL_S)
    print(heading())
    with work() as folder:
        coded = make.film(folder / "coded.mp4", seconds=4, size=(1920, 1080), audio=0)
        source = make.long_film(folder / "film.mp4", 60, coded, filler=19000)
        kept = [recorders(source, folder, cameras, False, kept_s, seconds) for _ in range(given.rounds)]
        raw = [recorders(source, folder, 1, True, min(kept_s, 2.0), seconds) for _ in range(given.rounds)]
        told(f"reelway, {cameras} cameras, {kept_s:g} s", kept, budgets=True)
        told(f"decoded ring and encoder, 1 camera, {min(kept_s, 2.0):g} s", raw)
        if shutil.which("ffmpeg"):
            cpu = [segments(source, folder, cameras, seconds) for _ in range(given.rounds)]
            percent = statistics.median(cpu) * 100
            print(f"  ffmpeg's segments, {cameras} cameras: {percent:.2f} % of a core a camera")
        else:
            print("  ffmpeg is not installed")


def told(name: str, found: list[Found], budgets: bool = False) -> None:
    """Prints medians."""
    calm, event, bytes_, kept = (statistics.median(values) for values in zip(*found, strict=True))
    ratio = bytes_ / kept
    line = f"  {name}: {calm * 100:.2f} % of a core a camera, {event * 100:.2f} % while its event is written"
    line += f"; {bytes_ / 1e6:.1f} MB, {ratio:.2f} times the {kept / 1e6:.1f} MB in the ring"
    if budgets:
        line += f"; budget {BUDGET_CPU:g} %: {'kept' if calm * 100 <= BUDGET_CPU else 'MISSED'}"
        line += f", {BUDGET_MEMORY:g} times: {'kept' if ratio <= BUDGET_MEMORY else 'MISSED'}"
    print(line, flush=True)


if __name__ == "__main__":
    main()
