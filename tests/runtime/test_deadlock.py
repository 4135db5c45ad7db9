"""Joins of dense and sparse streams, limits on growth, and the other ways to come to a halt."""

from __future__ import annotations

import pytest

import reelway as rw
from reelway.filters.simple import Forward, Null
from reelway.testing.clock import VirtualClock
from reelway.testing.parts import PROPERTIES, Collect, Feed, numbered
from tests.runtime.test_threads import THREADS, Join


class Live(rw.Filter):
    """A source that only somebody outside moves on."""

    outputs = (rw.Caps(),)

    def open(self) -> None:
        self.new_pid("live", **PROPERTIES)

    def process(self) -> float | None:
        return None


def dense_and_sparse(dense: int, size: int = 8) -> Feed:
    """One sparse packet after all the dense ones, which are long before it."""
    late = rw.Packet(b"late", dense * 40, dense * 40, 40, 1)
    order = ["sparse", *["dense"] * dense]
    first = rw.Packet(b"first", 0, 0, 40, 1)
    return Feed({"dense": numbered(dense, size=size), "sparse": [first, late]}, order=order)


@pytest.mark.parametrize("thread", THREADS)
@pytest.mark.parametrize("live", [False, True])
def test_dense_and_sparse_inputs_join(thread: str, live: bool) -> None:
    session = rw.Session(threads=2, limits=rw.Limits(packets=4), clock=VirtualClock())
    source, join, sink = session.add(dense_and_sparse(300)), session.add(Join()), session.add(Collect())
    source.thread = join.thread = thread  # type: ignore[assignment]
    source >> join >> sink
    if live:
        other, its = session.add(Live()), session.add(Collect())
        other >> its
        sink_ended = sink.ended

        def ended(pid: rw.Link) -> None:
            sink_ended(pid)
            session.stop()

        sink.ended = ended  # type: ignore[method-assign]
    session.run()
    assert isinstance(sink, Collect)
    assert [packet.dts for packet in sink.only.packets] == sorted([0, *range(0, 12000, 40), 12000])
    assert sink.only.ended
    figures = session.statistics()
    assert figures.grown >= 6  # 4 doubled until 300 fit
    assert figures.grown == sum(link.grown for filter in figures.filters for link in filter.inputs)


def test_a_join_whose_streams_keep_pace_grows_nothing() -> None:
    session = rw.Session(threads=0, limits=rw.Limits(packets=4))
    source = session.add(Feed({"a": numbered(100), "b": numbered(100)}))
    source >> session.add(Join()) >> session.add(Collect())
    session.run()
    assert session.statistics().grown == 0


@pytest.mark.parametrize("thread", THREADS)
def test_growth_ends_at_the_byte_limit(thread: str) -> None:
    session = rw.Session(threads=1, limits=rw.Limits(packets=4, bytes=5000), max_link_bytes=10_000)
    source, join, sink = session.add(dense_and_sparse(300, 100)), session.add(Join()), session.add(Collect())
    source.thread = join.thread = thread  # type: ignore[assignment]
    source >> join >> sink
    with pytest.raises(
        rw.InterleaveError, match=r"Feed\.dense is 0\.0 MB ahead of Feed\.sparse.*Join"
    ) as caught:
        session.run()
    assert "max_link_bytes" in str(caught.value.hint)
    link = session.statistics().filters[1].inputs[0]
    assert 9_900 <= link.bytes_in <= 10_300  # the limit was used, and kept
    assert isinstance(sink, Collect)
    numbers = [packet.dts for packet in sink.only.packets]
    assert numbers == sorted(numbers)
    assert sink.closed == 1


class Ignores(rw.Filter):
    """Never reads."""

    inputs = (rw.Caps(),)

    def process(self) -> float | None:
        return None


@pytest.mark.parametrize("packets", [3, 1000])
def test_a_filter_that_never_reads_is_named(packets: int) -> None:
    session = rw.Session(threads=0)
    source, sink = session.add(Feed(numbered(packets))), session.add(Ignores(name="lazy"))
    source >> sink
    with pytest.raises(rw.StateError, match="filter lazy does not read its input video1") as caught:
        session.run()
    assert "waits_outside" in str(caught.value.hint)


def test_a_filter_that_waits_outside_is_no_fault() -> None:
    session = rw.Session(threads=0, blocking=False)
    source, sink = session.add(Feed(numbered(3))), Collect()
    read = type(sink).process
    sink.waits_outside = True
    sink.process = lambda: None  # type: ignore[method-assign]
    source >> session.add(sink)
    for _ in range(20):
        assert session.run()
    sink.waits_outside = False
    sink.process = lambda: read(sink)  # type: ignore[method-assign]
    sink.wake()
    while session.run():
        pass
    assert sink.numbers == [0, 1, 2]


class KeepsOpen(Forward):
    """Does not say that its outputs have ended."""

    def ended(self, pid: rw.Link) -> None:
        pass


@pytest.mark.parametrize("thread", THREADS)
def test_outputs_kept_open_end_with_the_inputs(thread: str) -> None:
    session = rw.Session(threads=1)
    source, keeper, sink = session.add(Feed(numbered(5))), session.add(KeepsOpen()), session.add(Collect())
    keeper.thread = thread  # type: ignore[assignment]
    source >> keeper >> sink
    session.run()
    assert isinstance(sink, Collect)
    assert sink.numbers == [0, 1, 2, 3, 4]
    assert sink.only.ended


def test_a_waiting_join_uses_no_turns() -> None:
    """Waking on "has input" would spin here."""
    session = rw.Session(threads=0, blocking=False)
    a, b, join, sink = (session.add(each) for each in (Feed(numbered(9)), Live(), Join(), Collect()))
    a >> join
    b >> join
    join >> sink
    for _ in range(50):
        session.run()
    turns = {each.name: each.turns for each in session.statistics().filters}
    assert turns["Join"] < 8
    session.close()


class Endless(rw.Filter):
    """A source that is always busy."""

    outputs = (rw.Caps(),)

    def open(self) -> None:
        self.out = self.new_pid("endless", **PROPERTIES)

    def process(self) -> None:
        for n in range(self.quantum):
            self.out.send(rw.Packet(b"x", n))
            if self.blocked:
                break


class EndsSession(Collect):
    """Stops the session when its input has ended."""

    session: rw.Session

    def ended(self, pid: rw.Link) -> None:
        super().ended(pid)
        self.session.stop()


def stop_after_passes(session: rw.Session, passes: int = 100_000) -> list[int]:
    """Ends a session that would go on for ever; the value has one entry where it had to."""
    left, had_to = [passes], []

    def look() -> float | None:
        left[0] -= 1
        if left[0] > 0:
            return 0.0
        had_to.append(passes)
        session.stop()
        return None

    session.watch(look)
    return had_to


@pytest.mark.parametrize("thread", THREADS)
def test_a_busy_branch_hides_no_deadlock(thread: str) -> None:
    session = rw.Session(threads=2, limits=rw.Limits(packets=4))
    sink = EndsSession()
    sink.session = session
    source, join = session.add(dense_and_sparse(300)), session.add(Join())
    source.thread = join.thread = thread  # type: ignore[assignment]
    source >> join >> session.add(sink)
    session.add(Endless()) >> session.add(Null())
    had_to = stop_after_passes(session)
    session.run()
    assert not had_to
    assert [packet.dts for packet in sink.only.packets] == sorted([0, *range(0, 12000, 40), 12000])
    assert session.statistics().grown >= 6


class Silent(rw.Filter):
    """A source that has no stream yet."""

    outputs = (rw.Caps(),)

    def process(self) -> float | None:
        return None


class Header(Collect):
    """Reads nothing before all its inputs are known, as a muxer does."""

    header: tuple[str, ...] = ()
    late: tuple[str, ...] = ()

    def configure(self, pid: rw.Link) -> None:
        super().configure(pid)
        if self.header:
            self.late += (pid.name,)

    def process(self) -> None:
        if not self.header:
            if not all(pid.configured for pid in self.ipids) or self.context.expects_inputs(self):
                return
            self.header = tuple(pid.name for pid in self.ipids)
        super().process()


def test_a_busy_branch_lets_no_muxer_wait_for_a_source_that_is_gone() -> None:
    session = rw.Session(threads=0)
    source, silent, muxer = session.add(Feed(numbered(5))), session.add(Silent()), Header()
    source >> session.add(muxer)
    silent >> muxer
    busy, its = session.add(Endless()), session.add(Null())
    busy >> its
    had_to = stop_after_passes(session)

    def take_out() -> None:
        assert not muxer.header
        session._scheduler.remove(silent)

    session.watch(take_out, 0.01)
    session.watch(lambda: session.stop() if muxer.seen and muxer.only.ended else 0.0)
    session.run()
    assert not had_to
    assert muxer.header == ("video1",)
    assert muxer.numbers == [0, 1, 2, 3, 4]
