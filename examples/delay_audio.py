"""A filter with the full contract: it moves sound against the picture, to mend a film out of lip sync.

python examples/delay_audio.py FILM.mp4 MENDED.mp4 0.08
"""

from __future__ import annotations

import sys
from pathlib import Path

from sample import make_film

import reelway as rw


class Delay(rw.Filter):
    """Sends each packet on with its times moved by `by_s`."""

    inputs = [rw.Caps(StreamType="Audio")]  # what it accepts: sound of any codec
    outputs = [rw.Caps(StreamType="Audio")]  # what it makes; what is not named stays as it came

    by_s: float = rw.option(0.0, low=-60.0, high=60.0, unit="s", help="later by so much; negative: earlier")

    def configure(self, pid: rw.Link) -> None:
        """An input is there, or its properties have changed."""
        pid.data = round(self.by_s * pid.properties["Timescale"])  # packets count in ticks
        if pid.output is None:
            self.new_pid(of=pid)  # an output with the same properties, which ends with its input
        else:
            pid.output.copy_properties(pid)

    def process(self) -> None:
        """Called when there is news: takes what is there until the inputs are empty or an output is full."""
        for pid in self.ipids:
            assert pid.output is not None
            for packet in pid:
                if packet.dts is not None:
                    packet.dts += pid.data
                if packet.cts is not None:
                    packet.cts += pid.data
                pid.output.send(packet)  # given away: from here on it is not ours


def main(source: str | Path, target: str | Path, by_s: float) -> None:
    rw.run(source, target, Delay(by_s=by_s))  # the picture goes around it: it is no Audio
    print(f"{target}: sound moved by {by_s:+.3f} s")


if __name__ == "__main__":
    if len(sys.argv) == 4:
        main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
    else:
        main(make_film("film.mp4"), "mended.mp4", 0.5)
