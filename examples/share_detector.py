"""A detector in a process of its own, whose boxes come back into the session as packets.

python examples/share_detector.py [HOW MANY FRAMES]

The session shares its pictures; the detector, a few lines of numpy in the place of a network, reads them and
shares what it finds; the session reads that. The times of the boxes are those of the pictures.
"""

from __future__ import annotations

import multiprocessing
import os
import sys

import numpy

import reelway as rw

PICTURES, BOXES = f"pictures-{os.getpid()}", f"boxes-{os.getpid()}"


def detect(pictures: str, boxes: str) -> None:
    """In the other process: finds what is bright. It never loads the session's codecs."""
    with rw.share.open(pictures) as frames, rw.share.Writer(boxes) as writer:
        writer.wait_readers(1)
        for frame in frames:
            bright = frame.min(axis=2) > 128
            lines, columns = numpy.flatnonzero(bright.any(axis=1)), numpy.flatnonzero(bright.any(axis=0))
            found = []
            if lines.size:
                found.append([columns[0], lines[0], columns[-1] + 1, lines[-1] + 1])
            writer.write(
                numpy.array(found, numpy.int32).reshape(-1, 4),
                properties={"StreamType": "Metadata", "Timescale": frame.properties["Timescale"]},
                dts=frame.dts,
                cts=frame.cts,
                metadata={"frame": frame.sequence},
            )


class Boxes(rw.Filter):
    """Takes the boxes: a real one would draw them, or begin a recording."""

    inputs = [rw.Caps(StreamType="Metadata")]

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                number = (packet.properties or {})["frame"]
                for left, top, right, bottom in packet.payload.tolist():
                    time_s = (packet.cts or 0) / pid.properties["Timescale"]
                    print(f"frame {number}, {time_s:.2f} s: {left},{top} to {right},{bottom}")


def main(count: int) -> None:
    detector = multiprocessing.get_context("spawn").Process(target=detect, args=(PICTURES, BOXES))
    detector.start()
    with rw.Session() as session:
        source = session.load(f"testvideo:pattern=ball:counter=no:size=320x180:frames={count}")
        source >> session.load(f"share:name={PICTURES}:pixel_format=rgb24:wait_readers=1")
        session.load(f"shared:name={BOXES}:timeout=30") >> session.add(Boxes())
        session.run()
    detector.join()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 25)
