"""`gate`: packets pass when they are due, on a virtual clock."""

from __future__ import annotations

import reelway as rw
from reelway.filters.gate import Gate, Tempo
from reelway.filters.simple import Forward, Tee
from reelway.testing.clock import VirtualClock
from reelway.testing.parts import RESTART, Collect, Feed, numbered


class Timed(Collect):
    """Also keeps when each packet came."""

    def process(self) -> float | None:
        before = sum(len(each.packets) for each in self.seen.values())
        super().process()
        after = sum(len(each.packets) for each in self.seen.values())
        self.times = [*getattr(self, "times", []), *[self.context.now()] * (after - before)]
        return None


def gated(packets: list[object], **options: object) -> tuple[rw.Session, Gate, Timed, VirtualClock]:
    clock = VirtualClock()
    session = rw.Session(clock=clock, threads=0)
    gate, sink = Gate(**options), Timed()
    session.add(Feed(packets)) >> session.add(gate) >> session.add(sink)
    return session, gate, sink, clock


def test_each_packet_passes_at_its_time_counted_from_the_first() -> None:
    session, gate, sink, _ = gated(list(numbered(5)))
    session.run()
    assert sink.numbers == list(range(5))
    assert [round(time - sink.times[0], 3) for time in sink.times] == [0, 0.04, 0.08, 0.12, 0.16]
    assert (gate.passed, gate.position_s) == (5, 0.16)


def test_without_sync_nothing_waits() -> None:
    session, _, sink, clock = gated(list(numbered(5)), sync=False)
    begun = clock.now()
    session.run()
    assert sink.numbers == list(range(5))
    assert clock.now() == begun


def test_a_restart_begins_anew_and_a_skipping_gate_throws_away_what_is_before() -> None:
    packets = numbered(6)
    session, gate, sink, _ = gated([*packets[4:], RESTART, *packets[:2]])
    session.run()
    assert sink.numbers == [4, 5, 0, 1]
    assert [round(time - sink.times[0], 3) for time in sink.times] == [0, 0.04, 0.04, 0.08]
    session, gate, sink, _ = gated([*packets[4:], RESTART, *packets[:2]])
    gate.skipping = True
    session.run()
    assert (sink.numbers, gate.skipped) == ([0, 1], 2)


def test_gates_that_share_a_tempo_keep_step() -> None:
    clock, tempo = VirtualClock(), Tempo()
    session = rw.Session(clock=clock, threads=0)
    sinks = []
    for first in (0, 2):  # the second stream begins 80 ms later
        gate, sink = Gate(tempo=tempo), Timed()
        session.add(Feed(numbered(6)[first:])) >> session.add(gate) >> session.add(sink)
        sinks.append(sink)
    session.run()
    assert round(sinks[1].times[0] - sinks[0].times[0], 3) == 0.08


def test_twice_the_speed_takes_half_the_time_and_a_free_tempo_none() -> None:
    tempo = Tempo()
    tempo.set_speed(2.0)
    session, _, sink, _ = gated(list(numbered(5)), tempo=tempo)
    session.run()
    assert round(sink.times[-1] - sink.times[0], 3) == 0.08
    tempo = Tempo()
    tempo.free = True
    session, _, sink, clock = gated(list(numbered(5)), tempo=tempo)
    begun = clock.now()
    session.run()
    assert (sink.numbers, clock.now()) == (list(range(5)), begun)


def test_in_front_of_a_gate_nothing_waits_where_links_are_direct() -> None:
    clock = VirtualClock()
    session = rw.Session(clock=clock, threads=0)
    source = Feed(numbered(30))
    ahead: list[int] = []

    class Watch(Collect):
        def process(self) -> float | None:
            super().process()
            ahead.append(source.opids[0].packets_sent - len(self.only.packets))
            return None

    sink = Watch()
    chain = [source, Forward(), Tee(), Forward(), Gate(), sink]
    for filter in chain[1:-1]:
        filter.input_limits = rw.Limits(packets=1, direct=True)
    session.chain(*map(session.add, chain))
    session.run()
    assert sink.numbers == list(range(30))
    assert max(ahead) <= 2
    assert session.statistics().grown == 0
