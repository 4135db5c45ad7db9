"""What `make demo` shows: a film with sound through a filter in Python, into an mp4, and how that looks.

    python examples/demo.py [FILM] [FOLDER]

Without FILM it makes one: test pictures with their number burned in, and a click every second. What it
writes is in FOLDER, by default build/demo; contact.png there shows frames of both films side by side.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
from PIL import Image
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

import reelway as rw

console = Console()


@rw.video_filter(pixel_format="rgb24")
def neon(image, time_s, turns_s=4.0):  # type: ignore[no-untyped-def]
    """Outlines in a colour that goes round in `turns_s` seconds, on a darkened picture."""
    gray = image.mean(axis=2, dtype=numpy.float32)
    edges = numpy.zeros_like(gray)
    edges[:, 1:-1] += numpy.abs(gray[:, 2:] - gray[:, :-2])
    edges[1:-1] += numpy.abs(gray[2:] - gray[:-2])
    thirds = numpy.arange(3) / 3
    color = 0.5 + 0.5 * numpy.cos(2 * numpy.pi * (time_s / turns_s - thirds))
    glow = numpy.minimum(edges, 255)[..., None] * color
    return numpy.minimum(image * 0.35 + glow, 255).astype(numpy.uint8)


@dataclass(frozen=True)
class Found:
    """One stream of a file."""

    properties: dict[str, Any]
    packets: int
    bytes: int


def look_into(path: Path) -> list[Found]:
    """Every stream of a file, counted packet by packet; nothing is decoded."""
    with rw.Session() as session:
        session.load_src(path)
        sink = session.load_dst("null")
        session.run()
        return [Found(link.pid.properties, link.packets_in, link.bytes_in) for link in sink.ipids]


def table_of(path: Path) -> Table:
    streams = look_into(path)
    longest = max((float(stream.properties.get("Duration", 0)) for stream in streams), default=0.0)
    table = Table(box=box.SIMPLE_HEAD, title_justify="left")
    table.title = f"{path.name}  {path.stat().st_size:,} bytes, {longest:.2f} s"
    for heading in ("stream", "codec", "format"):
        table.add_column(heading)
    for heading in ("packets", "bytes", "seconds"):
        table.add_column(heading, justify="right")
    for stream in streams:
        known = stream.properties
        form = (
            f"{known['Width']}x{known['Height']}" if "Width" in known else f"{known.get('SampleRate', '')} Hz"
        )
        seconds = f"{float(known['Duration']):.2f}" if "Duration" in known else "?"
        table.add_row(
            known["StreamType"], known["CodecID"], form, f"{stream.packets:,}", f"{stream.bytes:,}", seconds
        )
    return table


def make_footage(path: Path, seconds: float) -> None:
    """Test pictures and sound, coded to H.264 and AAC."""
    with rw.Session() as session:
        source = session.load("avgen", pattern="smpte", size="640x360", duration=seconds)
        text = session.load(
            "text", content="Reelway {time}", position="bottom-center", font_size=36, box="black@0.6"
        )
        session.chain(source, text, session.load_dst(path, video="h264:preset=veryfast", audio="aac"))
        session.run(progress=True)


def contact_sheet(films: list[Path], path: Path, columns: int = 4) -> None:
    """Frames of each film at the same times, a row each."""
    rows = []
    for film in films:
        frames = rw.frames(film, pixel_format="rgb24", width=320)
        last = frames.times[-1]
        rows.append(numpy.hstack([frames.at(last * n / (columns - 1)).array for n in range(columns)]))
    Image.fromarray(numpy.vstack(rows)).save(path)


def main(film: Path | None, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if film is None:
        film = folder / "film.mp4"
        heading("A film of 8 s, made here")
        make_footage(film, 8)
    console.print(table_of(film))

    result = folder / "neon.mp4"
    heading(f"{film.name} -> neon, a function in Python -> {result.name}; the sound is copied")
    started = time.perf_counter()
    with rw.Session() as session:
        source = session.load_src(film)
        sink = session.load_dst(result, video="h264:preset=veryfast", audio="copy")
        source.video >> session.add(neon(turns_s=3.0)) >> sink
        source.audio >> sink
        say(f"{session.explain()}\n")
        session.run(progress=True)
        say(f"{session.graph()}\n")
    took_s = time.perf_counter() - started
    console.print(table_of(result))
    frames = len(rw.frames(result).times)
    say(f"{frames} pictures in {took_s:.1f} s: {frames / took_s:.0f} a second")

    heading("Look at it")
    contact = folder / "contact.png"
    contact_sheet([film, result], contact)
    say(f"{contact}: the film above, the result below.\nThe films are beside it.")
    say("Next: README.md, the other examples, docs/filters.md.")


def heading(text: str) -> None:
    console.print()
    console.rule(Text(text, style="bold"), align="left")
    console.print()


def say(text: str) -> None:
    """Prints as it is: no markup, no colours, no line breaks of rich's."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:3]]
    here = Path(__file__).resolve().parent.parent
    try:
        main(given[0] if given else None, given[1] if len(given) > 1 else here / "build" / "demo")
    except rw.ReelwayError as error:
        sys.exit(f"{error}\n{error.hint or ''}".rstrip())
