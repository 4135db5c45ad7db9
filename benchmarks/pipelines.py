"""The same pipeline texts by `reelway launch` and by gst-launch-1.0, whole processes; and a probe in Python.

Test source to x264 to mp4; a file decoded and given to three branches; the start of a pipeline of one second;
microseconds that a probe in Python takes of each buffer, against GStreamer's binding where that is installed.
A text of 1000 elements is read as well.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from _measure import arguments, heading, measure, process, python, table, work

ENCODE = (
    "videotestsrc pattern=ball num-buffers={count} ! video/x-raw,width=1280,height=720,framerate=30/1 "
    "! x264enc speed-preset=ultrafast ! mp4mux ! filesink location={out}"
)
TEE = (
    "filesrc location={film} ! qtdemux ! h264parse ! avdec_h264 ! tee name=t t. ! queue ! fakesink "
    "t. ! queue ! fakesink t. ! queue ! videoconvert ! video/x-raw,format=RGB ! fakesink"
)
START = "videotestsrc num-buffers=30 ! video/x-raw,width=320,height=240,framerate=30/1 ! fakesink"
LAUNCH = "import sys; from reelway.cli import main; sys.exit(main(['launch', '-q', sys.argv[1]]))"
REELWAY_PROBE = """
import sys, time, reelway as rw
def seconds(probed):
    app = rw.launch("fakesrc num-buffers={count} sizetype=fixed sizemax=64 ! fakesink name=out", start=False)
    seen = [0]
    def look(pad, packet):
        seen[0] += 1
    if probed:
        app["out"].pad("sink").add_probe("packet", look)
    begun = time.perf_counter()
    app.play()
    app.wait()
    took = time.perf_counter() - begun
    app.stop()
    assert seen[0] == ({count} if probed else 0), seen
    return took
seconds(True)
plain, probed = min(seconds(False) for _ in range(3)), min(seconds(True) for _ in range(3))
print(max(0.0, probed - plain) / {count} * 1e6)
"""
GSTREAMER_PROBE = """
import time, gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
def seconds(probed):
    pipeline = Gst.parse_launch("fakesrc num-buffers={count} sizetype=fixed sizemax=64 ! fakesink name=out")
    def look(pad, info):
        return Gst.PadProbeReturn.OK
    if probed:
        pad = pipeline.get_by_name("out").get_static_pad("sink")
        pad.add_probe(Gst.PadProbeType.BUFFER, look)
    begun = time.perf_counter()
    pipeline.set_state(Gst.State.PLAYING)
    pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    took = time.perf_counter() - begun
    pipeline.set_state(Gst.State.NULL)
    return took
seconds(True)
plain, probed = min(seconds(False) for _ in range(3)), min(seconds(True) for _ in range(3))
print(max(0.0, probed - plain) / {count} * 1e6)
"""
PROBE_BUDGET = 0.1
PARSE_BUDGET_S = 0.5


def main() -> None:
    given = arguments(__doc__, rounds=5)
    from tests.media import make

    print(heading())
    with work() as folder:
        film = make.film(folder / "film.mp4", seconds=1 if given.tiny else 20, size=(1280, 720), audio=0)
        texts = {
            "ball to x264 to mp4, 720p": ENCODE.format(count=10 if given.tiny else 600, out=folder / "o.mp4"),
            "720p decoded, three branches": TEE.format(film=film),
            "start of 30 small pictures": START,
        }
        for title, text in texts.items():
            runs: dict[str, Callable[[], float]] = {
                "reelway launch": partial(wall_s, python(LAUNCH, text), folder)
            }
            reference = "reelway launch"
            if launch := shutil.which("gst-launch-1.0"):
                reference = "gst-launch"
                runs[reference] = partial(wall_s, [launch, "-q", *text.split()], folder)
            print(f"{title}: seconds")
            table(measure(runs, given.rounds), reference)
        probes(100 if given.tiny else 20_000, folder)
        parse_s = min(reading_s() for _ in range(given.rounds))
        kept = "kept" if parse_s <= PARSE_BUDGET_S else "MISSED"
        print(f"a text of 1000 elements is read in {parse_s:.3f} s   budget {PARSE_BUDGET_S:g}: {kept}")


def probes(count: int, folder: Path) -> None:
    """What a probe costs a buffer, here and in GStreamer's binding."""
    ours = statistics.median(printed(python(REELWAY_PROBE.format(count=count)), folder) for _ in range(3))
    print(f"a probe in Python: {ours:.2f} us a packet")
    binding = "/usr/bin/python3"  # Debian's, which has Debian's gi
    try:
        theirs = statistics.median(
            printed([binding, "-c", GSTREAMER_PROBE.format(count=count)], folder) for _ in range(3)
        )
    except (OSError, RuntimeError):
        print("  GStreamer's binding is not installed (python3-gi, gir1.2-gstreamer-1.0)")
        return
    kept = "kept" if ours <= PROBE_BUDGET * theirs else "MISSED"
    print(
        f"  GStreamer's binding: {theirs:.2f} us; {ours / theirs:.3f} of it   budget {PROBE_BUDGET:g}: {kept}"
    )


def reading_s() -> float:
    from reelway.graph.pipelinetext import parse

    text = "videotestsrc pattern=ball num-buffers=100 " + "! queue max-size-buffers=20 " * 998 + "! fakesink"
    begun = time.perf_counter()
    parsed = parse(text)
    took = time.perf_counter() - begun
    assert len(parsed.nodes) == 1000
    return took


def printed(command: list[str], folder: Path) -> float:
    """The number that a program prints. Raises RuntimeError where it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return float(done.stdout)


def wall_s(command: list[str], folder: Path) -> float:
    return process(command, folder).wall_s


if __name__ == "__main__":
    sys.exit(main())
