"""Pause and resume, play ranges and seeks of a whole session, and results taken as they come."""

from __future__ import annotations

import threading
from typing import Any

import reelway as rw
from reelway.testing.clock import VirtualClock
from reelway.testing.parts import Collect, Feed, numbered
from tests.media import make


class Times(Collect):
    """Notes when each packet came."""

    def process(self) -> float | None:
        before = len(self.seen["video1"].packets)
        super().process()
        self.came = getattr(self, "came", [])
        self.came += [session_time(self)] * (len(self.seen["video1"].packets) - before)
        return None


def session_time(filter: rw.Filter) -> float:
    return filter.context.scheduler.clock.now()  # type: ignore[attr-defined]


def test_a_pause_moves_what_comes_later_by_its_length() -> None:
    clock = VirtualClock()
    with rw.Session(clock=clock) as session:
        source = session.add(Feed(numbered(100)))
        pacing = session.load("reframer:rt=on")
        sink = Times()
        session.add(sink)
        session.chain(source, pacing, sink)
        session.post(session.pause, 1.0)
        session.post(session.resume, 61.0)
        session.run()
    assert sink.numbers == list(range(100))
    steps = [b - a for a, b in zip(sink.came, sink.came[1:], strict=False)]
    assert sum(step > 0.05 for step in steps) == 1
    assert 60.0 <= max(steps) <= 60.05
    assert abs(sink.came[-1] - sink.came[0] - (99 * 0.04 + 60)) < 0.05


def test_a_paused_session_can_be_stopped_and_uses_no_turn() -> None:
    with rw.Session(threads=0) as session:
        source = session.add(Feed(numbered(100_000)))
        sink = Collect()
        session.chain(source, session.add(sink))
        counts: list[int] = []

        def look() -> float:
            counts.append(len(sink.seen["video1"].packets) if sink.seen else 0)
            if len(counts) == 3:
                session.stop()
            return 0.02

        session.pause()
        session.post(look, 0.01)
        session.run()
    assert counts[0] == counts[1] == counts[2] < 100_000


def test_a_session_plays_a_part_of_all_its_sources() -> None:
    with rw.Session() as session:
        for name in ("film.mp4", "film.mkv"):
            session.load_src(make.media(name))
        sink = Collect()
        session.add(sink)
        session.link()
        session.play(1.0, 2.0)
        session.run()
    for name in ("video1", "video1'"):
        shown = [p for p in sink.seen[name].packets if not p.seek]
        assert len(shown) == 25


def test_results_are_taken_as_they_come() -> None:
    with rw.Session(threads=0) as session:
        source = session.add(Feed(numbered(500)))
        sink = Collect()
        session.chain(source, session.add(sink))
        taken: list[int] = []

        def some() -> bool:
            return bool(sink.seen) and len(sink.only.packets) > len(taken)

        while session.run_until(some):
            taken.append(sink.numbers[len(taken)])
        assert taken == list(range(500))
        assert session.finished
        assert not session.run_until(some)


def test_what_runs_until_is_raised_from() -> None:
    class Fails(Collect):
        def process(self) -> float | None:
            raise ValueError("no more")

    with rw.Session() as session:
        session.chain(session.add(Feed(numbered(5))), session.add(Fails()))
        try:
            session.run_until(lambda: False)
        except rw.FilterError as error:
            found: Any = error
    assert "no more" in str(found)
    assert threading.active_count() < 20
