"""Makes the small film that the examples work on, so that they need no file of yours."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

SAMPLE_RATE = 48000


def make_film(
    path: str | Path, *, seconds: float = 4.0, size: tuple[int, int] = (640, 360), fps: int = 25
) -> Path:
    """Writes a film with a moving picture and two tones to `path`: H.264 (else MPEG-4) and AAC.

    A keyframe a second, two B-pictures between others. Ten seconds of film take about one.
    """
    path = Path(path)
    with av.open(str(path), "w") as output:
        x264 = "libx264" in av.codecs_available  # GPL: a build of FFmpeg may lack it
        video: Any = output.add_stream("libx264" if x264 else "mpeg4", rate=fps)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        video.options = {"bf": "2", "g": str(fps)}
        if x264:
            video.options |= {"preset": "ultrafast", "sc_threshold": "0"}
        audio: Any = output.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
        pictures = coded(video, (picture(number, size, fps) for number in range(round(seconds * fps))))
        sounds = coded(audio, tones(round(seconds * SAMPLE_RATE)))
        for packet in heapq.merge(pictures, sounds, key=lambda packet: packet.dts * packet.time_base):
            output.mux(packet)
    return path


def coded(stream: Any, frames: Iterator[Any]) -> Iterator[Any]:
    """The packets of a stream."""
    for frame in frames:
        yield from stream.encode(frame)
    yield from stream.encode(None)


def picture(number: int, size: tuple[int, int], fps: int) -> av.VideoFrame:
    """Drifting stripes, and a bright disc that goes round once in four seconds."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    angle = 2 * np.pi * number / (4 * fps)
    disc = np.hypot(x - width * (0.5 + 0.3 * np.cos(angle)), y - height * (0.5 + 0.3 * np.sin(angle)))
    planes = np.empty((height * 3 // 2, width), np.uint8)
    planes[:height] = np.where(disc < height / 8, 220, 40 + (x + y + 2 * number) % 128)
    planes[height:] = 96 + number % 64
    frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    frame.pts, frame.time_base = number, Fraction(1, fps)
    return frame


def tones(samples: int) -> Iterator[av.AudioFrame]:
    """440 Hz on the left, 660 Hz on the right."""
    for start in range(0, samples, 1024):
        time = (start + np.arange(min(1024, samples - start))) / SAMPLE_RATE
        sound = np.stack([0.2 * np.sin(2 * np.pi * pitch * time) for pitch in (440, 660)])
        frame = av.AudioFrame.from_ndarray(sound.astype(np.float32), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        yield frame


if __name__ == "__main__":
    print(make_film("film.mp4"))
