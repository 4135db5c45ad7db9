"""A session beside other work in asyncio; a camera or a socket of yours would be the other work.

python examples/in_asyncio.py [FILM]
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from sample import make_film

import reelway as rw


class AsItPlays(rw.Filter):
    """Lets packets through at the speed of the media: it returns how long it wants to wait."""

    inputs = [rw.Caps()]
    outputs = [rw.Caps()]

    def configure(self, pid: rw.Link) -> None:
        if pid.output is None:
            self.new_pid(of=pid)

    def open(self) -> None:
        self.started = self.context.now()

    def process(self) -> float | None:
        delay: float | None = None
        for pid in self.ipids:
            assert pid.output is not None
            while packet := pid.peek():
                early = (packet.dts or 0) / pid.properties["Timescale"] - (self.context.now() - self.started)
                if early > 0:
                    delay = early if delay is None else min(delay, early)
                    break
                pid.get()
                pid.output.send(packet)
        return delay


async def main(film: str | Path) -> None:
    with rw.Session() as session:
        session.load_src(film) >> session.add(AsItPlays()) >> session.load_dst("null")
        running = asyncio.ensure_future(session.run_async())
        while not running.done():
            await asyncio.sleep(0.25)
            sent = [each.packets_out for each in session.statistics().filters if each.name == "AsItPlays"]
            print(f"{sent[0]} packets so far")
        await running


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else make_film("film.mp4", seconds=1)))
