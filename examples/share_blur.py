"""OpenCV on frames of another process: GaussianBlur on the newest one, once a second.

python examples/share_blur.py [SECONDS BETWEEN TWO] [HOW MANY]

The other process is `reelway share`, here with test pictures; a camera's address in their place does as well.
Nothing is copied on the way to OpenCV, and the writer waits for nobody.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import cv2
import numpy

import reelway as rw

NAME = f"blur-{os.getpid()}"
SOURCE = "testvideo:live=on:pattern=checkers:size=480x270"


def edge(image: Any) -> int:
    """The largest step from one pixel to the next."""
    return int(numpy.abs(numpy.diff(image.astype(int), axis=1)).max())


def main(period_s: float, count: int) -> None:
    with rw.share.open(NAME, policy="latest", timeout_s=30) as frames:
        for _ in range(count):
            frame = frames.pull(timeout_s=30)
            if frame is None:
                break
            blurred = cv2.GaussianBlur(frame, (21, 21), 0)
            print(f"{frame.time:.2f} s: the sharpest edge was {edge(frame)}, and is {edge(blurred)}")
            cv2.imwrite("blurred.png", blurred[:, :, ::-1])  # OpenCV has blue first
            del frame  # its memory is the writer's again
            time.sleep(period_s)


if __name__ == "__main__":
    period_s, count = [float(word) for word in sys.argv[1:]] if len(sys.argv) > 2 else (1.0, 5)
    command = [sys.executable, "-m", "reelway", "share", SOURCE, "--name", NAME, "--quiet"]
    with subprocess.Popen(command) as camera:
        try:
            main(period_s, int(count))
        finally:
            camera.terminate()
