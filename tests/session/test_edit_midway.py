"""Edits while an earlier one, or a change of the stream itself, is still on its way through the session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest

import reelway as rw
from reelway.filters.simple import Forward
from reelway.graph.link import Mark, News
from reelway.testing.parts import Collect, Feed, numbered
from tests.media import probe
from tests.session.test_edit import run, seen, when
from tests.session.test_edit_coded import check_times, film_counters, taken


@rw.video_filter
def brighter(image: Any) -> Any:
    return numpy.maximum(image, 8)


@rw.video_filter(pixel_format="rgb24")
def darker(image: Any) -> Any:
    return numpy.minimum(image, 250)


class Sip(Collect):
    """Reads one packet at a time, so that queues in front of it stay full."""

    def process(self) -> float | None:
        for pid in self.ipids:
            if (packet := pid.get()) is not None:
                pid.data.packets.append(packet)
        return 0.0


class Late(Forward):
    """Has no output before its fourth packet, as a decoder that must see more."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.kept: list[rw.Packet] = []

    def configure(self, pid: rw.Link) -> None:
        if pid.output is not None:
            super().configure(pid)

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                self.kept.append(packet)
                if len(self.kept) == 4 and pid.output is None:
                    self.new_pid(of=pid)
                if pid.output is not None:
                    for each in self.kept[:-1] if len(self.kept) == 4 else ():
                        pid.output.send(each)
                    pid.output.send(packet)


class Shutter(Forward):
    """Reads nothing while it is shut."""

    shut = False

    def process(self) -> float | None:
        return 0.0 if self.shut else super().process()

    def holds_news(self) -> bool:
        """A change of its stream waits in its queue."""
        waiting = [item for link in self.ipids for item in tuple(link.queue)]
        return self.shut and any(isinstance(item, Mark) and item.news is News.CONFIGURE for item in waiting)


class Slow(Feed):
    """Sends one packet a turn."""

    quantum = 1


class Midway:
    """A session whose stream becomes YUV, in front of a shutter that still passes RGB on."""

    def __init__(self, threads: int, instead: rw.Filter | None = None) -> None:
        self.instead = instead
        self.session = session = rw.Session(threads=threads, limits=rw.Limits(packets=32))
        picture = {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": "yuv420p"}
        packets = [rw.Packet(bytes([128]) * 384, number, number, 1, 1) for number in range(80)]
        source = session.add(
            Slow(packets, properties={**picture, "Width": 16, "Height": 16, "Timescale": 25})
        )
        self.first, self.shutter, self.sink = session.add(brighter()), Shutter(), Collect(name="sink")
        source >> self.first >> session.add(self.shutter)

    def edit(self, edit: Callable[[], object]) -> None:
        """Runs, and calls `edit` while the change waits in front of the shutter."""

        def change() -> None:
            self.shutter.shut = True
            self.session.replace(self.first, self.instead or self.session.load("flip:mode=vertical"))

        def go_on() -> None:
            edit()
            self.shutter.shut = False

        self.session.post(when(taken(self.shutter, 10), change))
        run(self.session, when(self.shutter.holds_news, go_on))


@pytest.mark.parametrize("threads", [0, 2])
def test_a_successor_that_waits_behind_full_queues_begins(threads: int, film: str) -> None:
    """The muxer waits for the successor's stream, the successor for the filter before it to be drained."""
    with rw.Session(threads=threads, limits=rw.Limits(packets=4)) as session:
        flip, bright, sink = session.load("flip"), session.add(brighter()), session.load_dst("out.mp4")
        session.load_src(film).video >> flip >> bright >> sink
        run(
            session,
            when(
                taken(flip, 0),
                lambda: session.replace(flip, session.load("text:content=hi:position=middle-left")),
            ),
        )
    assert film_counters("out.mp4") == list(range(50))
    check_times("out.mp4")


@pytest.mark.parametrize("threads", [0, 2])
def test_what_is_put_behind_a_filter_that_is_about_to_change_takes_the_change(threads: int) -> None:
    midway = Midway(threads)
    session, shutter, sink = midway.session, midway.shutter, midway.sink
    with session:
        shutter >> session.add(sink)
        midway.edit(lambda: session.insert(darker(), after=shutter))
    assert [each.dts for each in sink.only.packets] == list(range(80))
    assert sink.only.properties["PixelFormat"] == "rgb24"


@pytest.mark.parametrize("threads", [0, 2])
def test_what_a_replaced_filter_still_holds_comes_first_also_in_another_format(threads: int) -> None:
    midway = Midway(threads)
    session, shutter, sink = midway.session, midway.shutter, midway.sink
    with session:
        shutter >> session.add(darker()) >> session.add(sink)
        midway.edit(lambda: session.replace(shutter, Forward(name="successor")))
        names = [each.name for each in session.filters]
    assert [each.dts for each in sink.only.packets] == list(range(80))
    assert "Shutter" not in names
    assert [each for each in names if "convert" in each] == ["convert"]


@rw.video_filter(pixel_format="gray")
def greyer(image: Any) -> Any:
    return image // 2


class Hesitant(Shutter):
    """Has its output at once, and sends nothing on it at first."""

    shut = True


@pytest.mark.parametrize("threads", [0, 2])
def test_a_change_with_the_end_right_behind_it_comes_before_the_successor(threads: int) -> None:
    """Both marks are read in one turn, and the filter is done before the session has put converters there.

    Its two consumers need different ones, and the successor waits for both.
    """
    midway = Midway(threads, hesitant := Hesitant())
    session, shutter = midway.session, midway.shutter
    sinks = [session.add(Collect(name=name)) for name in ("rgb", "gray")]
    with session:
        shutter >> session.add(darker()) >> sinks[0]
        shutter >> session.add(greyer()) >> sinks[1]

        def edit() -> None:
            assert isinstance(shutter.ipids[0].queue[-1], Mark)  # nothing behind it but the end
            session.replace(shutter, Forward(name="successor"))
            hesitant.shut = False

        midway.edit(edit)
    for sink in sinks:
        assert [each.dts for each in sink.only.packets] == list(range(80))


@pytest.mark.parametrize("threads", [0, 2])
def test_a_branch_that_is_taken_out_finishes_what_it_holds_also_in_another_format(threads: int) -> None:
    midway = Midway(threads)
    session, shutter, sink = midway.session, midway.shutter, midway.sink
    with session:
        shutter >> session.add(darker()) >> session.add(sink)
        midway.edit(lambda: session.remove(shutter))
        names = [each.name for each in session.filters]
    numbers = [each.dts for each in sink.only.packets]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 11
    assert sink.only.ended
    assert names == ["Slow", "flip"]


def test_a_stream_that_changes_is_converted_for_who_does_not_take_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing is edited: the source itself goes from one format to another, and back."""
    sizes = {"yuv420p": 384, "rgb24": 768, "gray": 256}
    items: list[Any] = []
    for number in range(24):
        format = tuple(sizes)[number // 4 % 3]
        items += [{"PixelFormat": format}] if number % 4 == 0 and number else []
        items.append(rw.Packet(bytes([128]) * sizes[format], number, number, 1, 1))
    picture = {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": "yuv420p"}
    source = Feed(items, properties={**picture, "Width": 16, "Height": 16, "Timescale": 25})

    class Luma(Collect):
        inputs = (rw.Caps(StreamType="Visual", CodecID="raw", PixelFormat="yuv420p"),)

    with rw.Session(threads=0) as session:
        other = session.add(Collect(name="other"))
        session.add(source) >> session.add(sink := Luma())
        source >> other
        session.run()
    assert [each.dts for each in sink.only.packets] == list(range(24))
    assert all(each.size == 384 for each in sink.only.packets)
    assert [each.size for each in other.only.packets] == ([384] * 4 + [768] * 4 + [256] * 4) * 2


def test_a_filter_whose_successor_has_not_begun_is_not_edited_around() -> None:
    with rw.Session(threads=0, limits=rw.Limits(packets=4)) as session:
        source = session.add(Feed(numbered(200)))
        first, last, sink = session.add(Forward(name="first")), session.add(Forward(name="last")), Collect()
        source >> first >> last >> session.add(sink)
        refused: list[str] = []

        def again() -> None:
            for edit in (
                lambda: session.replace(last, Forward(name="other")),
                lambda: session.insert(Forward(name="other"), before=last),
            ):
                with pytest.raises(rw.StateError) as caught:
                    edit()
                refused.append(str(caught.value))

        session.post(when(seen(sink, 20), lambda: session.replace(first, Late(name="late"))))
        run(
            session,
            when(lambda: "first" not in [each.name for each in session.filters] and done(first), again),
        )
    assert refused == ["last is about to be fed by late, which has not begun yet"] * 2
    assert sink.numbers == list(range(200))


@pytest.mark.parametrize("threads", [0, 2])
def test_a_filter_whose_source_has_ended_is_not_replaced(threads: int) -> None:
    with rw.Session(threads=threads, limits=rw.Limits(packets=4)) as session:
        source, middle, sink = session.add(Feed(numbered(40))), session.add(Forward()), session.add(Sip())
        source >> middle >> sink
        refused: list[str] = []

        def edit() -> None:
            with pytest.raises(rw.StateError) as caught:
                session.replace(middle, Forward(name="other"))
            refused.append(str(caught.value))

        run(session, when(lambda: done(source) and bool(middle.opids), edit))
    assert refused == ["what feeds Forward has ended: nothing would come to other"]
    assert sink.numbers == list(range(40))


def done(filter: rw.Filter) -> bool:
    return all(pid.ended for pid in filter.opids)


def test_a_filter_that_has_begun_and_feeds_nobody_yet_is_not_replaced(film: str) -> None:
    """Its stream is linked when its turn is over; until then what it takes over waits for it."""
    refused: list[str] = []

    class Hasty(Forward):
        def process(self) -> None:
            if not refused:
                assert self.unlinked
                with pytest.raises(rw.StateError) as caught:
                    session.replace(self, Forward(name="other"))
                refused.append(str(caught.value))
            super().process()

    with rw.Session(threads=0, limits=rw.Limits(packets=4)) as session:
        first, sink = session.add(Forward(name="first")), session.load_dst("out.mp4")
        session.load_src(film).video >> first >> sink
        run(session, when(taken(first, 10), lambda: session.replace(first, Hasty())))
    assert refused == ["mux is about to be fed by Hasty, which has not begun yet"]
    assert probe.counters("out.mp4") == list(range(50))
