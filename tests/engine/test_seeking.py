"""Playing from any time: where the demuxer begins, what it flags, that nothing is missing from then on."""

from __future__ import annotations

import io
import random
from typing import Any

import pytest

import reelway as rw
from reelway.testing.parts import Collect
from tests.media import make

NAMES = [
    *("film.mp4", "film.mkv", "film.ts", "film.mov", "film.flv", "film.webm", "film.avi", "film.h264"),
    *(
        "open.mp4",
        "open.mkv",
        "open.ts",
        "late.mp4",
        "late.ts",
        "vfr.mp4",
        "cif30.mp4",
        "hevc.ts",
        "tone.flac",
    ),
]


def played(name: str, *events: rw.events.Event) -> dict[str, list[Any]]:
    """The packets of each PID, when these events reach the source before the first packet."""
    with rw.Session(threads=0) as session:
        source = session.load_src(make.media(name))
        sink = Collect()
        session.add(sink)
        session.link()
        for event in events:
            source.send_event(event)
        session.run()
        return {pid: seen.packets for pid, seen in sink.seen.items()}


def shown(packets: list[Any], start: float = 0.0) -> list[tuple[int, int]]:
    """(time, size) of what is to be shown, in the order of time."""
    return sorted((p.cts, p.size) for p in packets if not p.seek and p.cts is not None and p.cts >= start)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_missing_from_any_time_on(name: str) -> None:
    whole = played(name)
    draw = random.Random(name)
    with rw.Session() as session:
        source = session.load_src(make.media(name))
        session.link()
        timescales = {pid.name: pid.properties["Timescale"] for pid in source.opids}
        start_s = float(source.opids[0].properties.get("StartTime", 0))
    last = max(p.cts / timescales[pid] - start_s for pid, packets in whole.items() for p in packets)
    for time_s in [0.0, 0.04, last, *(draw.uniform(0, last) for _ in range(9))]:
        found = played(name, rw.events.Play(start_s=time_s))
        for pid, packets in found.items():
            ticks = (time_s + start_s) * timescales[pid]
            assert shown(packets, ticks) == shown(whole[pid], ticks), (time_s, pid)
            if pid == "video1" and packets:
                assert packets[0].sap, time_s
                first = min(packet.cts for packet in whole[pid])
                assert packets[0].cts <= max(ticks, first), f"{time_s}: what comes first is shown after it"
                assert all(p.seek == (p.cts < int(ticks)) for p in packets), time_s
            elif packets:
                assert all(p.cts + (p.duration or 0) <= ticks for p in packets if p.seek)


def test_a_range_ends_where_it_says() -> None:
    found = played("film.mp4", rw.events.Play(start_s=1.5, end_s=2.5))["video1"]
    assert [p.cts for p in sorted(found, key=lambda p: p.cts) if not p.seek] == [
        n * 512 for n in range(38, 63)
    ]


def test_the_same_wish_from_two_consumers_is_one() -> None:
    class Asks(Collect):
        def configure(self, pid: rw.Link) -> None:
            super().configure(pid)
            pid.send_event(rw.events.Play(start_s=2.0))

    with rw.Session(threads=0) as session:
        session.load_src(make.media("film.mp4"))
        sink = session.add(Asks())
        session.run()
    assert isinstance(sink, Asks)
    for seen in sink.seen.values():
        assert seen.log.count("restart") == 1


def test_playing_again_from_the_beginning() -> None:
    """A player that goes back to the start while it plays."""

    class GoesBack(Collect):
        again = False

        def process(self) -> float | None:
            super().process()
            if not self.again and len(self.seen["video1"].packets) > 30:
                self.again = True
                for pid in self.ipids:
                    pid.send_event(rw.events.Play(start_s=0))
            return None

    with rw.Session(threads=0) as session:
        session.load_src(make.media("film.mp4"))
        sink = session.add(GoesBack())
        session.run()
    assert isinstance(sink, GoesBack)
    video = sink.seen["video1"]
    at = video.log.index("restart")
    assert len(video.packets) - (at - 1) == 100
    assert not any(p.seek for p in video.packets)


def test_what_cannot_seek_is_read_on() -> None:
    class Pipe:
        def __init__(self) -> None:
            self.file = io.BytesIO(make.media("film.ts").read_bytes())

        def read(self, size: int) -> bytes:
            return self.file.read(size)

    with rw.Session(threads=0) as session:
        source = session.load_src(Pipe())
        sink = session.add(Collect())
        session.link()
        source.send_event(rw.events.Play(start_s=2.0))
        session.run()
    assert isinstance(sink, Collect)
    assert len(sink.seen["video1"].packets) == 100
    assert source.status == "cannot seek"
