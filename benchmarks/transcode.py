"""1080p H.264, luma inverted in Python, x264 ultrafast: against FFmpeg's own negate filter, through PyAV.

Whole processes. Beside them: the same in a PyAV loop with numpy, OpenCV, two ffmpegs with raw pipes and
Python between them, ffmpeg and gst-launch without any Python; those that are installed.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from _measure import arguments, heading, measure, process, python, table, work

BUDGET = 1.0
REELWAY = """
import sys, reelway as rw, numpy
class Invert(rw.Filter):
    inputs = (rw.Caps(StreamType="Visual", CodecID="raw", PixelFormat="yuv420p"),)
    outputs = (rw.Caps(),)
    def configure(self, pid):
        if pid.output is None:
            self.new_pid(of=pid)
    def process(self):
        for pid in self.ipids:
            for packet in pid:
                luma = packet.writable()[0]
                numpy.subtract(255, luma, out=luma)
                pid.output.send(packet)
with rw.Session() as session:
    source = session.load_src(sys.argv[1])
    sink = session.load_dst(sys.argv[2], video="libx264:preset=ultrafast")
    source.video >> session.add(Invert()) >> sink
    session.run()
"""
NEGATE = """
import sys, av
from fractions import Fraction
with av.open(sys.argv[1]) as source, av.open(sys.argv[2], "w") as target:
    film = source.streams.video[0]
    film.thread_type = "AUTO"
    stream = target.add_stream("libx264", rate=film.average_rate, options={"preset": "ultrafast"})
    stream.width, stream.height, stream.pix_fmt = film.width, film.height, "yuv420p"
    stream.codec_context.time_base = film.time_base
    graph = av.filter.Graph()
    head = graph.add_buffer(template=film)
    tail = graph.add("negate", "components=y")
    end = graph.add("buffersink")
    head.link_to(tail)
    tail.link_to(end)
    graph.configure()
    for frame in source.decode(film):
        graph.push(frame)
        target.mux(stream.encode(graph.pull()))
    target.mux(stream.encode(None))
"""
LOOP = """
import sys, av, numpy
with av.open(sys.argv[1]) as source, av.open(sys.argv[2], "w") as target:
    film = source.streams.video[0]
    film.thread_type = "AUTO"
    stream = target.add_stream("libx264", rate=film.average_rate, options={"preset": "ultrafast"})
    stream.width, stream.height, stream.pix_fmt = film.width, film.height, "yuv420p"
    stream.codec_context.time_base = film.time_base
    for frame in source.decode(film):
        frame.make_writable()
        plane = frame.planes[0]
        luma = numpy.frombuffer(plane, numpy.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        numpy.subtract(255, luma, out=luma)
        frame.pict_type = 0
        target.mux(stream.encode(frame))
    target.mux(stream.encode(None))
"""
OPENCV = """
import sys, cv2
source = cv2.VideoCapture(sys.argv[1])
size = int(source.get(cv2.CAP_PROP_FRAME_WIDTH)), int(source.get(cv2.CAP_PROP_FRAME_HEIGHT))
target = cv2.VideoWriter(sys.argv[2], cv2.VideoWriter_fourcc(*"mp4v"), 25, size)
while True:
    there, picture = source.read()
    if not there:
        break
    target.write(255 - picture)
target.release()
"""
PIPES = """
import subprocess, sys, numpy
width, height = 1920, 1080
size = width * height * 3 // 2
read = subprocess.Popen(["ffmpeg", "-v", "error", "-i", sys.argv[1], "-f", "rawvideo", "-"], stdout=-1)
made = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{height}", "-r", "25", "-i", "-"]
coded = ["-c:v", "libx264", "-preset", "ultrafast"]
write = subprocess.Popen(["ffmpeg", "-v", "error", "-y", *made, *coded, sys.argv[2]], stdin=-1)
while len(data := read.stdout.read(size)) == size:
    picture = numpy.frombuffer(bytearray(data), numpy.uint8)
    numpy.subtract(255, picture[: width * height], out=picture[: width * height])
    write.stdin.write(picture)
write.stdin.close()
sys.exit(read.wait() or write.wait())
"""
GSTREAMER = """filesrc location={source} ! qtdemux ! h264parse ! avdec_h264 ! videobalance ! videoconvert
 ! x264enc speed-preset=ultrafast ! h264parse ! mp4mux ! filesink location={target}"""


def commands(source: Path, target: Path) -> dict[str, list[str]]:
    """Who takes part; the reference is first."""
    found = {
        "PyAV, FFmpeg's negate": python(NEGATE, source, target),
        "reelway, numpy": python(REELWAY, source, target),
        "PyAV loop, numpy": python(LOOP, source, target),
    }
    if importlib.util.find_spec("cv2"):
        found["OpenCV (mpeg4, all channels)"] = python(OPENCV, source, target)
    if ffmpeg := shutil.which("ffmpeg"):
        found["raw pipes, numpy"] = python(PIPES, source, target)
        coded = ["-vf", "negate=components=y", "-c:v", "libx264", "-preset", "ultrafast"]
        found["ffmpeg, no Python"] = [ffmpeg, "-v", "error", "-y", "-i", str(source), *coded, str(target)]
    if launch := shutil.which("gst-launch-1.0"):
        found["gst-launch, no Python"] = [
            launch,
            "-q",
            *GSTREAMER.format(source=source, target=target).split(),
        ]
    return found


def main() -> None:
    given = arguments(__doc__, rounds=5)
    from tests.media import make

    print(heading())
    with work() as folder:
        seconds = 1 if given.tiny else 24
        source = make.film(folder / "film.mp4", seconds=seconds, size=(1920, 1080), audio=0)
        runs: dict[str, Callable[[], float]] = {}
        for name, command in commands(source, folder / "out.mp4").items():
            runs[name] = partial(wall_s, command, folder)
        print(f"{seconds * 25} frames of 1080p: seconds")
        table(measure(runs, given.rounds), next(iter(runs)), limit={"reelway, numpy": BUDGET})


def wall_s(command: list[str], folder: Path) -> float:
    return process(command, folder).wall_s


if __name__ == "__main__":
    main()
