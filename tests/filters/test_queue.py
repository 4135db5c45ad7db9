"""queue: its own limits, what is dropped where it leaks, and how full it says that it is."""

from __future__ import annotations

import pytest

import reelway as rw
from reelway.filters.queue import Queue
from reelway.testing.conformance import check_filter
from reelway.testing.parts import Collect, Feed, numbered


class Blocked(Queue):
    """A queue that nobody empties until `loose` is set: it holds what it is able to hold."""

    loose = False

    def process(self) -> float | None:
        return super().process() if self.loose else 0.0


def test_the_contract_is_kept() -> None:
    check_filter(Queue, numbered(20), max_held=0)


class OneByOne(Feed):
    """Sends a packet a turn, so that its consumer is configured before the second."""

    quantum = 1


@pytest.mark.parametrize(
    ("options", "held"),
    [
        ({"max_packets": 3}, 3),
        ({"max_packets": 0, "max_bytes": 25, "max_s": 0}, 4),
        ({"max_packets": 0, "max_s": 0.2}, 6),
        ({"max_packets": 0, "max_bytes": 0, "max_s": 0}, 50),
    ],
)
def test_it_holds_as_much_as_it_is_told_whatever_the_session_says(
    options: dict[str, float], held: int
) -> None:
    queue, sink = Blocked(**options), Collect()
    levels = []
    with rw.Session(blocking=False, limits=rw.Limits(packets=7)) as session:
        session.add(OneByOne(numbered(50))) >> session.add(queue) >> session.add(sink)
        for _ in range(120):
            session.run()
            levels.append(queue.level_packets)
        assert (queue.level_bytes, queue.level_ns) == (held * 8, held * 40_000_000)
        queue.loose = True
        while session.run():
            pass
    assert max(levels) == held
    assert sink.numbers == list(range(50))
    assert queue.level_packets == 0


@pytest.mark.parametrize(
    ("leaky", "kept"), [("upstream", [0, 1, 2]), ("downstream", [47, 48, 49]), ("no", list(range(50)))]
)
def test_what_leaks(leaky: str, kept: list[int]) -> None:
    queue, sink = Blocked(max_packets=3, leaky=leaky), Collect()
    with rw.Session(blocking=False) as session:
        session.add(Feed(numbered(50))) >> session.add(queue) >> session.add(sink)
        for _ in range(20):
            session.run()
        queue.loose = True
        while session.run():
            pass
        link = session.statistics().filters[1].inputs[0]
    assert sink.numbers == kept
    assert link.packets_dropped == 50 - len(kept)


def test_its_limits_change_while_it_runs() -> None:
    queue, sink = Blocked(max_packets=2), Collect()
    with rw.Session(blocking=False) as session:
        session.add(Feed(numbered(50))) >> session.add(queue) >> session.add(sink)
        for _ in range(10):
            session.run()
        before = queue.level_packets
        queue.update("max_packets", 10)
        queue.loose = True
        session.run()
        queue.loose = False
        for _ in range(10):
            session.run()
        behind = queue.level_packets
        queue.loose = True
        while session.run():
            pass
    assert (before, behind) == (2, 10)
    assert sink.numbers == list(range(50))
