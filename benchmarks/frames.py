"""`rw.frames`: 1080p and 224x224 RGB arrays against a bare PyAV loop, and single frames at random times.

The loop's colours are FFmpeg's quickest, off by up to 3 of 255: `fast`. Without it they are within 1.

Time within the process, without imports. Beside it OpenCV, decord and torchcodec, where they are installed.
"""

from __future__ import annotations

import importlib.util
import random
import time
from collections.abc import Callable
from pathlib import Path

import av
from _measure import arguments, heading, measure, table, work

import reelway as rw

BUDGET = 1.05


def reelway(source: Path, width: int, height: int, fast: bool) -> float:
    total = 0
    started = time.perf_counter()
    for frame in rw.frames(source, pixel_format="rgb24", width=width, height=height, fast=fast):
        total += int(frame.array[0, 0, 0])
    return time.perf_counter() - started


def loop(source: Path, width: int, height: int) -> float:
    total = 0
    started = time.perf_counter()
    with av.open(source) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            total += int(frame.reformat(width, height, "rgb24").to_ndarray()[0, 0, 0])
    return time.perf_counter() - started


def opencv(source: Path, width: int, height: int) -> float:
    import cv2

    started = time.perf_counter()
    capture = cv2.VideoCapture(str(source))
    while True:
        there, picture = capture.read()
        if not there:
            break
        cv2.cvtColor(cv2.resize(picture, (width, height)), cv2.COLOR_BGR2RGB)
    return time.perf_counter() - started


def decord(source: Path, width: int, height: int) -> float:
    import decord as library

    started = time.perf_counter()
    for picture in library.VideoReader(str(source), width=width, height=height):
        assert picture.asnumpy().size
    return time.perf_counter() - started


def torchcodec(source: Path, _width: int, _height: int) -> float:
    """It does not scale: what it takes for frames as they are."""
    from torchcodec.decoders import VideoDecoder

    started = time.perf_counter()
    for picture in VideoDecoder(str(source)):
        assert picture.numel()
    return time.perf_counter() - started


def at_reelway(source: Path, times: list[float]) -> float:
    frames = rw.frames(source, pixel_format="rgb24")
    started = time.perf_counter()
    for at in times:
        assert frames.at(at).array.size
    return time.perf_counter() - started


def at_pyav(source: Path, times: list[float]) -> float:
    """One container, kept open; it assumes that FFmpeg's seek lands well."""
    started = time.perf_counter()
    with av.open(source) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for at in times:
            container.seek(round(at / stream.time_base), stream=stream)
            for frame in container.decode(stream):
                if frame.time + float(frame.duration * stream.time_base) > at:
                    frame.to_ndarray(format="rgb24")
                    break
    return time.perf_counter() - started


def at_opencv(source: Path, times: list[float]) -> float:
    import cv2

    started = time.perf_counter()
    capture = cv2.VideoCapture(str(source))
    for at in times:
        capture.set(cv2.CAP_PROP_POS_MSEC, at * 1000)
        assert capture.read()[0]
    return time.perf_counter() - started


def main() -> None:
    given = arguments(__doc__, rounds=7)
    from tests.media import make

    print(heading())
    known = {"cv2": opencv, "decord": decord, "torchcodec": torchcodec}
    others = {name: run for name, run in known.items() if importlib.util.find_spec(name)}
    with work() as folder:
        seconds = 1 if given.tiny else 8
        large = make.film(folder / "large.mp4", seconds=seconds, size=(1920, 1080), audio=0)
        small = make.film(folder / "small.mp4", seconds=seconds * 4, size=(320, 240), audio=0)
        for source, size in ((large, (1920, 1080)), (small, (224, 224))):
            runs: dict[str, Callable[[], float]] = {
                "PyAV loop": lambda source=source, size=size: loop(source, *size),
                "rw.frames, fast": lambda source=source, size=size: reelway(source, *size, True),
                "rw.frames, exact": lambda source=source, size=size: reelway(source, *size, False),
            }
            for name, other in others.items():
                runs[name] = lambda source=source, size=size, other=other: other(source, *size)
            print(f"all frames of {source.stem}.mp4 as {size[0]}x{size[1]} RGB: seconds")
            table(measure(runs, given.rounds), "PyAV loop", limit={"rw.frames, fast": BUDGET})
        draw = random.Random(1)
        times = [draw.uniform(0, seconds - 0.1) for _ in range(4 if given.tiny else 20)]
        singles: dict[str, Callable[[], float]] = {
            "PyAV, kept open": lambda: at_pyav(large, times),
            "rw.frames.at": lambda: at_reelway(large, times),
        }
        if "cv2" in others:
            singles["OpenCV"] = lambda: at_opencv(large, times)
        print(f"{len(times)} single frames of 1080p at random times: seconds")
        table(measure(singles, given.rounds), "PyAV, kept open")


if __name__ == "__main__":
    main()
