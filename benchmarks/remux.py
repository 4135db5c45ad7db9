"""Remux of a 10-minute film, H.264 and AAC, as a whole process, against a bare PyAV loop.

Imports count. At 3 Mbit/s, as films have, and at 0.14 Mbit/s: the same 43,000 packets with hardly a byte in
them, which is all overhead. ffmpeg, gst-launch-1.0 and gpac run beside it where they are installed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from _measure import arguments, heading, measure, process, python, table, work

BUDGET = 1.15
REELWAY = "import sys, reelway; reelway.run(sys.argv[1], sys.argv[2])"
LOOP = """
import sys, av
with av.open(sys.argv[1]) as source, av.open(sys.argv[2], "w") as target:
    streams = {each.index: target.add_stream_from_template(each) for each in source.streams}
    for packet in source.demux():
        if packet.dts is not None:
            packet.stream = streams[packet.stream_index]
            target.mux_one(packet)
"""
GSTREAMER = """qtdemux name=d {mux} name=m ! filesink location={target}
 filesrc location={source} ! d. d.video_0 ! queue ! h264parse ! m. d.audio_0 ! queue ! aacparse ! m."""


def commands(source: Path, target: Path) -> dict[str, list[str]]:
    """Who takes part; the reference is first."""
    found = {"PyAV loop": python(LOOP, source, target), "reelway": python(REELWAY, source, target)}
    if ffmpeg := shutil.which("ffmpeg"):
        found["ffmpeg -c copy"] = [ffmpeg, "-v", "error", "-y", "-i", str(source), "-c", "copy", str(target)]
    if launch := shutil.which("gst-launch-1.0"):
        mux = "mpegtsmux" if target.suffix == ".ts" else "mp4mux"
        found["gst-launch"] = [launch, "-q", *GSTREAMER.format(source=source, target=target, mux=mux).split()]
    if gpac := shutil.which("gpac"):
        found["gpac"] = [gpac, "-i", str(source), "-o", str(target)]
    return found


def main() -> None:
    given = arguments(__doc__, rounds=9)
    from tests.media import make

    print(heading())
    with work() as folder:
        for filler, rate in ((14_000, "3 Mbit/s"), (0, "0.14 Mbit/s")):
            source = make.long_film(folder / "film.mp4", seconds=4 if given.tiny else 600, filler=filler)
            for ending in ("mp4", "ts"):
                target = folder / f"copy.{ending}"
                runs: dict[str, Callable[[], float]] = {}
                for name, command in commands(source, target).items():
                    runs[name] = partial(wall_s, command, folder)
                print(f"mp4 to {ending}, {rate}, {source.stat().st_size / 1e6:.0f} MB: seconds")
                table(measure(runs, given.rounds), "PyAV loop", limit={"reelway": BUDGET})


def wall_s(command: list[str], folder: Path) -> float:
    return process(command, folder).wall_s


if __name__ == "__main__":
    main()
