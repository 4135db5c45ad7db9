"""Another container for the same streams: nothing is decoded, no picture changes.

python examples/remux.py FILM.mp4 FILM.mkv
"""

from __future__ import annotations

import sys
from pathlib import Path

from sample import make_film

import reelway as rw


def main(source: str | Path, target: str | Path) -> None:
    done = rw.run(source, target, progress=True)
    for link in (link for filter in done.filters for link in filter.inputs):
        print(f"{link.pid}: {link.packets_out} packets, {link.bytes_out} bytes")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        main(sys.argv[1], sys.argv[2])
    else:
        main(make_film("film.mp4"), "film.mkv")
