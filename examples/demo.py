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
from sample import make_film

import reelway as rw

BARS = " ▁▂▃▄▅▆▇█"
console = Console()


class Meter(rw.Filter):
    """Weighs what passes: bytes in each second of every stream. Packets go on as they came."""

    inputs = [rw.Caps()]
    outputs = [rw.Caps()]

    window_s: float = rw.option(0.5, low=0.01, unit="s", help="length of one measurement")

    def configure(self, pid: rw.Link) -> None:
        if pid.output is None:
            self.new_pid(of=pid)
            pid.data = []  # bytes a window
        else:
            pid.output.copy_properties(pid)

    def process(self) -> None:
        for pid in self.ipids:
            assert pid.output is not None
            ticks = round(self.window_s * pid.properties["Timescale"])
            windows: list[int] = pid.data
            for packet in pid:
                window = max(0, packet.dts or 0) // ticks
                windows.extend([0] * (window + 1 - len(windows)))
                windows[window] += packet.size
                pid.output.send(packet)

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
        console.rule("A film: H.264 or MPEG-4 and AAC, made here", align="left")
        make_film(film, seconds=12)
    console.print(table_of(film))

    transport, again = folder / "film.ts", folder / "again.mp4"

    console.rule(f"{film.name} -> Meter, a filter in Python -> {transport.name}", align="left")
    with rw.Session() as session:
        meter = Meter()
        session.load_src(film) >> session.add(meter) >> session.load_dst(transport)
        console.print(str(session.explain()), highlight=False)
        started = time.perf_counter()
        session.run()
        took = time.perf_counter() - started
        for pid in meter.ipids:
            console.print(f"{pid.name:8} {meter.bars(pid)}", highlight=False)
        passed = sum(link.packets_out for link in meter.ipids)
        console.print(f"{passed:,} packets in {took * 1000:.0f} ms, none decoded\n", highlight=False)

    console.rule(f"{transport.name} -> {again.name}, in one line of Python", align="left")
    rw.run(transport, again)
    console.print(table_of(again))
    console.print(
        f"The files are in {folder}. Next: README.md, examples/ and docs/filters.md.", highlight=False
    )


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:3]]
    here = Path(__file__).resolve().parent.parent
    try:
        main(given[0] if given else None, given[1] if len(given) > 1 else here / "build" / "demo")
    except rw.ReelwayError as error:
        sys.exit(f"{error}\n{error.hint or ''}".rstrip())
