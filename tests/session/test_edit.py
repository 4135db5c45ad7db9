"""A session that changes while it runs: nobody else loses a packet, and every file is whole."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from itertools import count, pairwise, takewhile
from pathlib import Path
from typing import Any

import pytest

import reelway as rw
from reelway.filters.simple import Forward
from reelway.testing.parts import Collect, Feed, numbered
from tests.media import probe
from tests.runtime.test_threads import THREADS


def run(session: rw.Session, edit: Callable[[], float | None]) -> None:
    """Runs `session`; `edit` is a task that is called until it returns None."""
    session.post(edit)
    session.run()
    assert session.completed


def when(ready: Callable[[], bool], edit: Callable[[], Any]) -> Callable[[], float | None]:
    """A task that edits once, as soon as `ready()`."""

    def task() -> float | None:
        if not ready():
            return 0.0
        edit()
        return None

    return task


def contiguous(numbers: list[int]) -> bool:
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def two(
    thread: str = "session", packets: int = 3000, more: Callable[[], bool] = lambda: False
) -> tuple[rw.Session, Feed, Collect]:
    """A source that feeds a sink, with threads where these are asked for; and goes on while `more()`."""

    def items() -> Iterator[rw.Packet]:
        yield from numbered(packets)
        for number in takewhile(lambda _: more(), count(packets)):
            yield rw.Packet(number.to_bytes(8, "big"), number * 40, number * 40, 40, 1)

    session = rw.Session(threads=2, limits=rw.Limits(packets=8))
    source, sink = Feed(items()), Collect(name="main")
    source.thread = sink.thread = thread  # type: ignore[assignment]
    session.add(source) >> session.add(sink)
    return session, source, sink


def seen(sink: Collect, packets: int) -> Callable[[], bool]:
    return lambda: bool(sink.seen) and len(sink.only.packets) >= packets


class Marked(Forward):
    """Writes its letter behind each packet's number, and keeps `delay` packets back."""

    def __init__(self, letter: bytes, delay: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self.letter, self.delay = letter, delay
        self.kept: list[rw.Packet] = []

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                made = rw.Packet(bytes(packet.data[:8]) + self.letter, packet.dts, packet.cts, 40, 1)
                self.kept.append(made)
                if len(self.kept) > self.delay:
                    assert pid.output is not None
                    pid.output.send(self.kept.pop(0))

    def ended(self, pid: rw.Link) -> None:
        assert pid.output is not None
        for packet in self.kept:
            pid.output.send(packet)
        super().ended(pid)


def letters(sink: Collect) -> str:
    """Who sent each packet: a letter, or `.` for the source itself; runs of one are one."""
    sent = "".join(chr(packet.data[8]) if packet.size > 8 else "." for packet in sink.only.packets)
    return "".join(each for at, each in enumerate(sent) if at == 0 or sent[at - 1] != each)


# Late links


@pytest.mark.parametrize("thread", THREADS)
@pytest.mark.parametrize("how", [">>", "set_source", "chain"])
def test_a_late_link_links_at_once(thread: str, how: str) -> None:
    session, source, sink = two(thread)
    late, middle = Collect(name="late"), Forward()
    late.thread = middle.thread = thread  # type: ignore[assignment]

    def edit() -> None:
        session.add(late)
        match how:
            case ">>":
                source >> late
            case "set_source":
                late.set_source(source, "#video")
            case _:
                session.chain(source, session.add(middle), late)

    run(session, when(seen(sink, 100), edit))
    assert sink.numbers == list(range(3000))
    assert contiguous(late.numbers)
    assert late.numbers[-1] == 2999
    assert late.numbers[0] > 0
    assert late.only.log[0][0] == "configure"


def test_a_late_link_that_cannot_be_changes_nothing() -> None:
    class Picky(Collect):
        inputs = (rw.Caps(CodecID="h264"),)

    session, source, sink = two()
    picky, again = Picky(), Collect()

    def edit() -> None:
        session.add(picky)
        session.add(again)
        with pytest.raises(rw.LinkError, match="CodecID is test, wanted h264"):
            source >> picky
        with pytest.raises(rw.LinkError, match="no stream that Collect takes with #audio"):
            again.set_source(source, "#audio")
        with pytest.raises(rw.LinkError, match="would make a loop"):
            again >> again
        assert session._wiring.sources_of(picky) == session._wiring.sources_of(again) == []
        assert picky.ipids == again.ipids == []

    run(session, when(seen(sink, 100), edit))
    assert sink.numbers == list(range(3000))
    assert picky.seen == again.seen == {}


def test_a_late_link_to_a_film_goes_through_a_converter(film: str) -> None:
    class Units(Collect):
        inputs = (rw.Caps(CodecID="h264", DecoderConfigMode="in-band"),)

    units = Units()
    with rw.Session(limits=rw.Limits(packets=4)) as session:
        source = session.load_src(film)
        sink = session.load_dst("null")
        source >> sink

        def edit() -> None:
            source.video >> session.add(units)
            assert "bitstream" in [each.name for each in session.filters]

        run(session, when(lambda: sink.packets > 5, edit))  # type: ignore[attr-defined]
    packets = units.only.packets
    assert len(packets) > 20
    assert all(bytes(packet.data[:3]) in (b"\0\0\0", b"\0\0\1") for packet in packets)


def test_an_idle_session_that_is_linked_can_be_edited() -> None:
    session, source, sink = two()
    late, between = Collect(name="late"), Marked(b"m")
    session.link()
    source >> session.add(late)
    session.insert(between, before=sink)
    session.run()
    assert late.numbers == sink.numbers == list(range(3000))
    assert letters(sink) == "m"


# Out


@pytest.mark.parametrize("thread", THREADS)
def test_what_is_removed_finishes_what_it_has(thread: str) -> None:
    gone: list[str] = []
    session, source, sink = two(thread)
    session.on_filter_del = lambda each: gone.append(each.name)
    middle, branch = Marked(b"m", delay=3, name="middle"), Collect(name="branch")
    middle.thread = branch.thread = thread  # type: ignore[assignment]
    source >> session.add(middle) >> session.add(branch)

    def edit() -> None:
        sent = middle.ipids[0].packets_in
        session.remove(middle)
        assert [each.name for each in session.filters] == ["Feed", "main"]
        with pytest.raises(rw.UnknownNameError):
            session["branch"]
        with pytest.raises(rw.StateError, match="not in this session"):
            session.remove(middle)
        if thread == "session":
            expected.append(sent)

    expected: list[int] = []
    run(session, when(seen(branch, 100), edit))
    assert sink.numbers == list(range(3000))
    assert contiguous(branch.numbers)
    assert branch.only.ended
    assert (branch.closed, gone[:2]) in ((1, ["branch", "middle"]), (1, ["middle", "branch"]))
    assert len(branch.numbers) == expected[0] if expected else 100 <= len(branch.numbers) < 3000


def test_a_file_is_whole_when_its_muxer_is_removed_while_the_session_goes_on(film: str) -> None:
    counts: list[int] = []
    with rw.Session(limits=rw.Limits(packets=4)) as session:
        source = session.load_src(film)
        source >> (sink := session.load_dst("whole.mp4"))
        source.video >> (part := session.load_dst("part.mp4"))

        def edit() -> None:
            session.remove(part)

        def look() -> float | None:
            if part in session.filters or not part.context.closed:  # type: ignore[attr-defined]
                return 0.0
            counts.append(len(probe.packets("part.mp4")[0].packets))  # it goes on, and the file is whole
            assert sink in session.filters
            return None

        session.post(when(lambda: bool(part.ipids) and part.ipids[0].packets_out > 10, edit))
        run(session, look)
    assert probe.packets("whole.mp4")[0].packets[-1] is not None
    assert len(probe.counters("whole.mp4")) == 50
    assert 10 < counts[0] == len(probe.counters("part.mp4")) < 50
    numbers = probe.counters("part.mp4")  # cut between pictures that were to be shown in between
    assert numbers == sorted(set(numbers))
    assert numbers[-1] < counts[0] + 3


def test_a_converter_leaves_with_the_filter_that_it_was_made_for(film: str) -> None:
    class Units(Collect):
        inputs = (rw.Caps(CodecID="h264", DecoderConfigMode="in-band"),)

    units = Units()
    with rw.Session(limits=rw.Limits(packets=4)) as session:
        source = session.load_src(film)
        source >> session.load_dst("null")
        source.video >> session.add(units)

        def edit() -> None:
            assert "bitstream" in [each.name for each in session.filters]
            session.remove(units)
            assert [each.name for each in session.filters] == ["demux", "null"]

        run(session, when(seen(units, 5), edit))
        assert session._linker.made_for == {}
    assert units.only.ended
    assert units.closed == 1


def test_a_removed_filter_that_is_still_closing_is_waited_for() -> None:
    class Slow(Collect):
        thread = "own"
        closed_late = False

        def close(self) -> None:
            go_on.wait(5)
            super().close()
            self.closed_late = True

    go_on = threading.Event()
    session, source, sink = two(packets=400)
    slow = Slow(name="slow")
    gone: list[str] = []
    session.on_filter_del = lambda each: gone.append(each.name)
    source >> session.add(slow)
    run_out = sink.close
    sink.close = lambda: (run_out(), go_on.set())[0]  # type: ignore[method-assign]  # the session is closing
    run(session, when(seen(slow, 10), lambda: session.remove(slow)))
    assert slow.closed_late
    assert "slow" in gone


# In between


@pytest.mark.parametrize("thread", THREADS)
@pytest.mark.parametrize("where", ["before", "after", "both"])
def test_an_inserted_filter_gets_what_comes_behind_the_queue(thread: str, where: str) -> None:
    session, source, sink = two(thread)
    other = Collect(name="other")
    other.thread = thread  # type: ignore[assignment]
    source >> session.add(other)
    between = Marked(b"m", delay=5)
    between.thread = thread  # type: ignore[assignment]

    def edit() -> None:
        inputs = list(sink.ipids)
        session.insert(
            between, before=None if where == "after" else sink, after=None if where == "before" else source
        )
        assert sink.ipids == inputs

    run(session, when(seen(sink, 100), edit))
    assert sink.numbers == other.numbers == list(range(3000))
    assert letters(sink) == ".m"
    assert letters(other) == (".m" if where == "after" else ".")
    assert [entry for entry in sink.only.log if entry in ("end", "restart")] == ["end"]


def test_what_the_inserted_filter_does_not_accept_goes_past_it(film: str) -> None:
    class Pictures(Forward):
        inputs = (rw.Caps(StreamType="Visual"),)

    with rw.Session(limits=rw.Limits(packets=4)) as session:
        source, sink = session.load_src(film), session.load_dst("out.mp4")
        source >> sink

        def edit() -> None:
            session.insert(Pictures(), before=sink)
            assert [link.source.name for link in sink.ipids] == ["demux", "demux"]

        run(session, when(lambda: bool(sink.ipids) and sink.ipids[0].packets_out > 5, edit))
    was, became = probe.packets(film), probe.packets("out.mp4")
    assert [[each[-1] for each in stream.packets] for stream in became] == [
        [each[-1] for each in stream.packets] for stream in was
    ]
    assert probe.counters("out.mp4") == list(range(50))


def test_an_insertion_that_cannot_be_changes_nothing() -> None:
    class Picky(Forward):
        inputs = (rw.Caps(CodecID="h264"),)

    session, source, sink = two()

    def edit() -> None:
        with pytest.raises(rw.LinkError, match="wanted h264"):
            session.insert(Picky(), before=sink)
        with pytest.raises(rw.LinkError, match="puts nothing out"):
            session.insert(Collect(), after=source)
        with pytest.raises(rw.StateError, match="not in this session"):
            session.insert(Forward(), before=Collect())
        with pytest.raises(rw.StateError, match="linked already"):
            session.insert(sink, before=sink)
        with pytest.raises(rw.OptionError, match="needs a place"):
            session.insert(Forward())
        assert session.filters == [source, sink]

    run(session, when(seen(sink, 100), edit))
    assert letters(sink) == "."
    assert sink.numbers == list(range(3000))


# From elsewhere, and instead


@pytest.mark.parametrize("thread", THREADS)
def test_a_consumer_is_fed_by_another_source_from_now_on(thread: str) -> None:
    session, source, sink = two(thread)
    other = Collect(name="other")
    source >> session.add(other)
    properties = {"StreamType": "Visual", "CodecID": "b", "Timescale": 500}
    second = Feed(numbered(500), properties=properties, name="second")
    second.thread = thread  # type: ignore[assignment]

    def edit() -> None:
        inputs = list(sink.ipids)
        session.add(second)
        session.relink(sink, second)
        assert sink.ipids == inputs

    run(session, when(seen(sink, 100), edit))
    assert other.numbers == list(range(3000))
    log = sink.only.log
    change = log.index("restart")
    assert log[change - 1] == ("configure", properties)
    before = sum(isinstance(entry[0], int) for entry in log[:change])
    assert sink.numbers[:before] == list(range(before))
    assert sink.numbers[before:] == list(range(500))
    assert log[-1] == "end"


@pytest.mark.parametrize("thread", THREADS)
def test_a_replaced_filter_flushes_before_its_successor_begins(thread: str) -> None:
    session, _, sink = two(thread)
    old, new = Marked(b"a", delay=7, name="old"), Marked(b"b", delay=2, name="new")
    old.thread = new.thread = thread  # type: ignore[assignment]
    session.insert(old, before=sink)
    run(session, when(seen(sink, 100), lambda: session.replace(old, new)))
    assert sink.numbers == list(range(3000))
    assert letters(sink) == "ab"
    assert old.ipids == [] or old.context.closed  # type: ignore[attr-defined]
    assert old not in session.filters


def test_a_recording_goes_on_in_another_file_without_losing_a_packet(film: str) -> None:
    with rw.Session(limits=rw.Limits(packets=4)) as session:
        source = session.load_src(film)
        source >> (first := session.load_dst("first.ts"))

        def edit() -> None:
            session.replace(first, session.load_dst("second.ts"))

        run(session, when(lambda: bool(first.ipids) and first.ipids[0].packets_out > 20, edit))
    whole, first_part, second_part = (probe.packets(each) for each in (film, "first.ts", "second.ts"))
    for stream in range(2):
        parts = [len(part[stream].packets) for part in (first_part, second_part)]
        assert sum(parts) == len(whole[stream].packets)
        assert all(parts)


def test_a_source_is_replaced_by_another() -> None:
    session, source, sink = two(packets=300)
    second = Feed(numbered(50), name="second")
    run(session, when(seen(sink, 100), lambda: session.replace(source, second)))
    cut = len(sink.numbers) - 50
    assert sink.numbers == [*range(cut), *range(50)]
    assert cut >= 100
    assert source not in session.filters


def test_a_muxer_behind_its_header_goes_on_with_another_film_and_refuses_a_stream(film: str) -> None:
    with rw.Session(limits=rw.Limits(packets=4)) as session:
        source, sink = session.load_src(film), session.load_dst("out.mp4")
        source >> sink
        more = session.add(Feed(numbered(100_000)))
        again = None

        def edit() -> None:
            nonlocal again
            before = [link.source for link in sink.ipids]
            with pytest.raises(rw.LinkError, match="the header of out.mp4 is written"):
                more >> sink
            with pytest.raises(rw.LinkError, match="cannot go on with"):
                session.relink(sink, more)
            assert [link.source for link in sink.ipids] == before
            again = session.load_src(film)
            session.relink(sink, again)
            session.remove(source)

        run(session, when(lambda: sink.ipids[0].packets_out > 20, edit))
    counters = probe.counters("out.mp4")
    assert counters[-50:] == list(range(50))
    assert len(counters) == len(probe.packets("out.mp4")[0].packets) > 70


# Through converters, and from inside


class Units(Collect):
    """H.264 with start codes."""

    inputs = (rw.Caps(CodecID="h264", DecoderConfigMode="in-band"),)


def started(sink: Collect) -> bool:
    return all(bytes(packet.data[:3]) in (b"\0\0\0", b"\0\0\1") for packet in sink.only.packets)


def test_insertion_behind_a_converter_and_another_source_through_one(film: str) -> None:
    units, between = Units(), Forward(name="between")
    with rw.Session(limits=rw.Limits(packets=4)) as session:
        source = session.load_src(film)
        source.video >> session.add(units)
        source >> session.load_dst("null")

        def insert() -> None:
            session.insert(between, before=units)
            assert [link.source.name for link in between.ipids] in ([], ["bitstream"])

        def relink() -> float | None:
            if not units.ipids or units.ipids[0].source is not between:
                return 0.0
            second = session.load_src(film)
            session.relink(units, second, "#video")
            session.remove(between)
            return None

        session.post(when(seen(units, 10), insert))
        run(session, relink)
        assert between not in session.filters
        makers = [each.name for each in session.filters if each.name.startswith("bitstream")]
        assert len(makers) == 1  # the first converter left with what it was made for
    log = units.only.log
    again = log.index("restart")
    before = sum(isinstance(entry[0], int) for entry in log[:again])
    assert 10 <= before < 50
    assert len(units.only.packets) - before == 50  # all of the second film
    assert started(units)


def test_filters_edit_their_session_in_their_own_turns() -> None:
    class Leaves(Collect):
        def process(self) -> None:
            super().process()
            if self in session.filters and self.seen and len(self.only.packets) > 50:
                session.remove(self)

    class Inserts(Forward):
        added: Marked | None = None

        def process(self) -> None:
            if self.opids and self.opids[0].packets_sent > 50 and self.added is None:
                self.added = Marked(b"i")
                session.insert(self.added, after=self)
            super().process()

    session, source, sink = two()
    leaves, inserts, behind = Leaves(name="leaves"), Inserts(), Collect(name="behind")
    source >> session.add(leaves)
    source >> session.add(inserts) >> session.add(behind)
    session.run()
    assert sink.numbers == behind.numbers == list(range(3000))
    assert letters(behind) == ".i"
    assert 50 < len(leaves.numbers) < 3000
    assert contiguous(leaves.numbers)
    assert leaves.closed == 1
    assert session.completed


def test_a_replacement_that_is_taken_out_before_it_begins_ends_what_it_was_to_feed() -> None:
    session, _, sink = two("own")
    old, new, main = Marked(b"a", name="old"), Marked(b"b", name="new"), Collect(name="branch")
    old.thread = "own"
    source = session["Feed"]
    source >> session.add(old) >> session.add(main)

    def edit() -> None:
        session.replace(old, new)
        session.remove(new)
        assert [each.name for each in session.filters] == ["Feed", "main"]

    run(session, when(seen(main, 20), edit))
    assert sink.numbers == list(range(3000))
    assert contiguous(main.numbers)
    assert main.only.ended
    assert main.closed == 1


# From other threads, and many


@pytest.mark.parametrize("when_", ["running", "idle", "over"])
def test_edits_from_another_thread(when_: str) -> None:
    session, source, sink = two(packets=20_000, more=lambda: worker.is_alive())
    late, between = Collect(name="late"), Marked(b"m")
    wrong: list[BaseException] = []
    threads: set[int] = set()
    session.on_filter_new = lambda _: threads.add(threading.get_ident())

    def edit() -> None:
        try:
            source >> session.add(late)
            session.insert(between, before=sink)
        except BaseException as error:  # noqa: BLE001 - looked at below
            wrong.append(error)

    worker = threading.Thread(target=edit)
    if when_ == "idle":
        session.link()
        worker.start()
        worker.join(10)
        session.run()
        assert late.numbers == list(range(20_000))
    elif when_ == "running":
        run(session, when(seen(sink, 100), worker.start))
        worker.join(10)
        assert threads == {threading.get_ident()}
    else:
        session.run()
        worker.start()
        worker.join(10)
        assert isinstance(wrong.pop(), rw.StateError)
        assert late not in session.filters
    assert wrong == []
    assert len(sink.numbers) >= 20_000
    assert sink.numbers == list(range(len(sink.numbers)))


def test_an_edit_that_nobody_comes_to_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from reelway.runtime import asking

    monkeypatch.setattr(asking, "ASK_S", 0.05)
    raised, late = threading.Event(), Collect(name="late")
    session, _, sink = two(packets=300)

    def edit() -> None:
        with pytest.raises(rw.DeadlineError, match="did not come to it"):
            session.add(late)
        raised.set()

    def busy() -> None:
        threading.Thread(target=edit).start()
        assert raised.wait(10)

    run(session, when(seen(sink, 10), busy))
    assert late not in session.filters


class Editor:
    """Edits a session at random; every sink ends up in `sinks`, with what must hold for it."""

    def __init__(self, session: rw.Session, source: Feed, seed: int, edits: int) -> None:
        self.session, self.source, self.left = session, source, edits
        self.random = random.Random(seed)
        self.sinks: list[Collect] = []
        self.middles: list[rw.Filter] = []
        self.branches: list[tuple[rw.Filter, Collect]] = []
        self.done: dict[str, int] = {}
        self.most_threads = self.most_nodes = 0

    def task(self) -> float | None:
        self.most_threads = max(self.most_threads, threading.active_count())
        self.most_nodes = max(self.most_nodes, len(self.session._scheduler.nodes))
        if not self.source.opids:
            return 0.0
        if not self.left or self.source.opids[0].ended:
            return None
        kind = self.random.choice(["branch", "branch", "remove", "insert", "replace", "relink"])
        if self.edit(kind):
            self.left -= 1
            self.done[kind] = self.done.get(kind, 0) + 1
        return 0.0

    def thread(self) -> Any:
        return self.random.choice(THREADS)

    def edit(self, kind: str) -> bool:
        session, branches = self.session, self.branches
        if kind == "branch":
            if len(branches) > 4:
                return False
            head, sink = Forward(), Collect()
            head.thread, sink.thread = self.thread(), self.thread()
            session.add(sink)
            self.source >> session.add(head) >> sink
            self.sinks.append(sink)
            branches.append((head, sink))
            return True
        if not branches:
            return False
        at = self.random.randrange(len(branches))
        head, sink = branches[at]
        match kind:
            case "remove":
                session.remove(branches.pop(at)[0])
            case "insert":
                if not sink.ipids or not sink.ipids[0].configured or len(session.filters) > 30:
                    return False
                new = Marked(b"m", delay=self.random.randrange(4))
                new.thread = self.thread()
                try:
                    session.insert(new, before=sink)
                except rw.StateError:  # the one before it is not ready yet
                    return False
                if head is sink:
                    branches[at] = new, sink
            case "replace":
                if not head.opids or not head.ipids or not head.opids[0].links:
                    return False
                after = Forward()
                after.thread = self.thread()
                try:
                    session.replace(head, after)
                except rw.StateError:
                    return False
                branches[at] = after, sink
            case "relink":
                if not sink.ipids or sink.ipids[0].source is self.source:
                    return False
                try:
                    session.relink(sink, self.source)
                except rw.StateError:  # an edit before this one is under way
                    return False
                session.remove(head)
                branches[at] = sink, sink
        return True


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("seed", range(3))
def test_random_edits_leave_the_others_alone(threads: int, seed: int, count: Callable[[int], int]) -> None:
    edits = count(1000)
    before = threading.active_count()
    session = rw.Session(threads=threads, limits=rw.Limits(packets=8))
    packets = edits * 150
    source, main, piped = session.add(Feed(numbered(packets))), Collect(name="main"), Collect(name="piped")
    piped.thread = "own"
    source >> session.add(main)
    source >> session.add(Forward(name="pipe")) >> session.add(piped)
    editor = Editor(session, source, seed, edits)
    run(session, editor.task)
    assert main.numbers == piped.numbers == list(range(packets))  # untouched
    assert sum(editor.done.values()) >= edits * 0.9, editor.done
    assert len(editor.done) == 5, editor.done
    for sink in editor.sinks:
        assert sink.closed == sink.opened  # what was taken out before its first turn was not opened
        for each in sink.seen.values():
            runs = 1 + each.log.count("restart")
            numbers = each.numbers
            breaks = sum(b != a + 1 for a, b in pairwise(numbers))
            assert breaks < runs, (numbers, each.log.count("restart"))
    assert editor.most_nodes < 60
    assert editor.most_threads < before + 60
    assert len(session.filters) < 40


@pytest.mark.parametrize("threads", [0, 2])
def test_random_recordings_of_a_film_are_all_whole(
    threads: int, film: str, count: Callable[[int], int]
) -> None:
    draw = random.Random(threads)
    written: list[tuple[str, list[Any]]] = []
    with rw.Session(threads=threads, limits=rw.Limits(packets=2)) as session:
        source = session.load_src(film)
        source >> (whole := session.load_dst("whole.mp4"))
        current: list[rw.Filter] = []

        def edit() -> float | None:
            if not source.opids:
                return 0.0
            if any(pid.ended for pid in source.opids):
                return None
            for each in current:
                if draw.random() < 0.2 and each.ipids and each.ipids[0].packets_out > 3:
                    session.remove(each)
                    current.remove(each)
                    return 0.0
            if len(current) < 3:
                name = f"part{len(written)}.{draw.choice(['mp4', 'ts', 'mkv'])}"
                made = session.load_dst(name)
                source.video >> made
                current.append(made)
                written.append((name, made.ipids))
            return 0.0

        run(session, edit)
    assert probe.counters("whole.mp4") == list(range(50))
    assert len(whole.ipids) == 2
    files = 0
    for name, _ in written:
        if not Path(name).exists():  # removed before it had a packet
            continue
        (stream,) = probe.packets(name)
        assert stream.packets
        times = [each.dts for each in stream.packets if each.dts is not None]
        assert times == sorted(times)
        files += 1
    assert files >= 3
