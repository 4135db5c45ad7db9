"""Which stream goes where: `>>`, selectors, and what `explain()` says before anything runs.

python examples/linking.py [FILM]
"""

from __future__ import annotations

import sys
from pathlib import Path

from sample import make_film

import reelway as rw


def split(film: str | Path) -> None:
    """Picture and sound into a file each, and both into a third."""
    with rw.Session(unlinked="error") as session:  # a stream that goes nowhere is an error here
        source = session.load_src(film)
        source.video >> session.load_dst("picture.mp4")
        source.audio >> session.load_dst("sound.m4a")
        source >> session.load_dst("both.mkv")
        print(session.explain())
        session.run()


def select(film: str | Path) -> None:
    """The same in GPAC's words: a filter names its source, and what it takes from it."""
    with rw.Session() as session:
        source = session.load_src(film)
        sink = session.load_dst("tall.mp4")
        sink.set_source(source, "#video#Height+200")  # a stream without a Height would pass #Height+200
        session.run()
        print([pid.name for pid in sink.ipids])


def refuse(film: str | Path) -> None:
    """What does not fit is known before the sink is opened."""

    class Deaf(rw.Filter):
        inputs = [rw.Caps(StreamType="Visual", CodecID="raw")]

    with rw.Session() as session:
        session.load_src(film).audio >> session.add(Deaf())
        try:
            session.explain()
        except rw.LinkError as error:
            print(f"{error}\n{error.hint}")


if __name__ == "__main__":
    film = sys.argv[1] if len(sys.argv) > 1 else make_film("film.mp4")
    split(film)
    select(film)
    refuse(film)
