"""What `make demo` shows: a film through a Python filter into MPEG-TS, and from there back into MP4.

    python examples/demo.py [FILM] [FOLDER]

Without FILM it makes a small one. What it writes is in FOLDER, by default build/demo.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sample import make_film

import reelway as rw

BARS = " ▁▂▃▄▅▆▇█"
console = Console()


class Meter(rw.Filter):
    """Weighs what passes: bytes in each half second of every stream. Packets go on as they came."""

    inputs = [rw.Caps()]
    outputs = [rw.Caps()]

    window_s: float = rw.option(0.5, low=0.01, unit="s", help="length of one measurement")
    speed: float = rw.option(0.0, low=0.0, help="so many times as fast as it plays; 0: as fast as it goes")

    def open(self) -> None:
        self.started = self.context.now()

    def configure(self, pid: rw.Link) -> None:
        if pid.output is None:
            self.new_pid(of=pid)
            pid.data = []  # bytes a window
        else:
            pid.output.copy_properties(pid)

    def process(self) -> float | None:
        waits = [self.pass_on(pid) for pid in self.ipids]
        return min((wait for wait in waits if wait is not None), default=None)

    def pass_on(self, pid: rw.Link) -> float | None:
        """Sends on what is due; seconds until the next packet is, or None where there is none."""
        assert pid.output is not None
        windows: list[int] = pid.data
        while packet := pid.peek():
            time_s: float = max(0.0, (packet.dts or 0) / pid.properties["Timescale"])
            if self.speed and (wait := time_s / self.speed + self.started - self.context.now()) > 0:
                return wait
            pid.get()
            window = int(time_s / self.window_s)
            windows.extend([0] * (window + 1 - len(windows)))
            windows[window] += packet.size
            pid.output.send(packet)
        return None

    def bars(self, pid: rw.Link) -> str:
        """The measurements of one input as a row of bars."""
        top = max(pid.data, default=0) or 1
        return "".join(BARS[-(-size * (len(BARS) - 1) // top)] for size in pid.data)


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


def main(film: Path | None, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if film is None:
        film = folder / "film.mp4"
        heading("A film of 12 s, made here")
        make_film(film, seconds=12)
    console.print(table_of(film))

    transport, again = folder / "film.ts", folder / "again.mp4"

    heading(f"{film.name} -> Meter, a filter in Python -> {transport.name}")
    with rw.Session() as session:
        meter = Meter(speed=6.0)  # so slowly, to be watched
        session.load_src(film) >> session.add(meter) >> session.load_dst(transport)
        say(f"{session.explain()}\n")
        session.run(progress=True)
        say(f"{session.graph()}\n\nbytes in each {meter.window_s} s:")
        for pid in meter.ipids:
            say(f"{pid.name:8} {meter.bars(pid)}")

    heading(f"{transport.name} -> {again.name}, in one line of Python")
    started = time.perf_counter()
    done = rw.run(transport, again)
    took_ms = (time.perf_counter() - started) * 1000
    packets = sum(link.packets_out for filter in done.filters for link in filter.inputs)
    say(f"{packets:,} packets in {took_ms:.0f} ms, none decoded\n")
    console.print(table_of(again))
    say(f"The files are in {folder}.\nNext: README.md, the other examples, docs/filters.md.")


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
