"""grid: each film in its place, at its time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reelway as rw
from reelway.filters.grid import Grid
from reelway.filters.places import parse_place
from reelway.filters.resize import fitted, resized
from reelway.filters.testvideo import TestVideo
from reelway.media.layout import Array
from reelway.testing.burnin import read_counter
from reelway.testing.clock import VirtualClock
from reelway.testing.parts import Collect, Feed, Seen
from tests.filters.raw import joined, noise, picture_properties
from tests.media import make


def film(offset: float = 0.0, **options: Any) -> TestVideo:
    """Numbered pictures that begin `offset` seconds later on the running time."""
    return TestVideo(**{"size": "320x240", "frames": 25, "offset": offset, **options})


def cell(packet: rw.Packet, place: str) -> Array:
    left, top, width, height = parse_place(place)
    part: Array = packet.planes()[0][top : top + height, left : left + width]
    return part


def numbers(seen: Seen, place: str) -> list[int | None]:
    found = [read_counter(cell(packet, place)) for packet in seen.packets]
    return [None if each is None else each[0] for each in found]


def test_films_that_start_apart_are_in_sync() -> None:
    """The second one starts 3.7 s later: its times are in step with the first one's."""
    seen = joined([film(frames=125), film(3.7, frames=50, fps=50)], Grid()).only
    assert (seen.properties["Width"], seen.properties["Height"]) == (640, 240)
    assert [packet.dts for packet in seen.packets] == list(range(125))
    assert numbers(seen, "320x240+0+0") == list(range(125))
    times = [read_counter(cell(packet, "320x240+320+0")) for packet in seen.packets]
    for at, found in enumerate(times):
        running_ms = at * 40
        if running_ms < 3700 or running_ms >= 4700:
            assert found is None
        else:
            assert found is not None
            assert 0 <= running_ms - 3700 - found[1] < 20  # its picture is the one of that moment


def test_both_late_begin_at_the_first() -> None:
    seen = joined([film(2.0), film(2.4)], Grid()).only
    assert [packet.dts for packet in seen.packets] == list(range(50, 85))
    assert numbers(seen, "320x240+320+0") == [None] * 10 + list(range(25))
    assert numbers(seen, "320x240+0+0") == list(range(25)) + [None] * 10


def test_an_application_says_where_its_pictures_lie() -> None:
    source = rw.AppSource(fps=25, offset=0.6, pixel_format="yuv420p", max_packets=30)
    for _ in range(10):
        source.push(np.full((360, 320), 200, np.uint8))
    source.end()
    seen = joined([film(), source], Grid()).only
    light = [bool((cell(packet, "320x240+320+0") == 200).all()) for packet in seen.packets]
    assert light == [15 <= n < 25 for n in range(25)]


def test_live_films_that_start_apart() -> None:
    """In real time too: pictures of both that are shown together were sent together."""
    clock = VirtualClock()
    seen = joined([film(live=True), film(0.5, live=True)], Grid(), clock=clock).only
    assert numbers(seen, "320x240+320+0")[12:15] == [None, 0, 1]
    assert clock.now() == pytest.approx(0.5 + 25 / 25)  # when the last picture is over


@pytest.mark.parametrize("live", [False, True])
def test_places_in_an_order_of_their_own(live: bool) -> None:
    """Whoever comes first; who is not in the order has the next place, and who never comes keeps its own."""
    films = [film(frames=10, live=live), film(frames=20, live=live), film(frames=5, live=live)]
    grid = Grid(live=live, columns=2, rows=2, size="640x480")
    grid.reserved = [films[2], film(), films[0]]
    seen = joined(films, grid, clock=VirtualClock()).only
    places = ["320x240+0+0", "320x240+320+0", "320x240+0+240", "320x240+320+240"]
    last = [
        max((number for number in numbers(seen, place) if number is not None), default=None)
        for place in places
    ]
    assert last == [4, None, 9, 19]


def test_it_ends_with_the_shortest() -> None:
    seen = joined([film(frames=None), film(frames=30), film(frames=40)], Grid(end="shortest")).only
    assert len(seen.packets) == 30
    assert (seen.properties["Width"], seen.properties["Height"]) == (640, 480)
    assert numbers(seen, "320x240+0+240") == list(range(30))
    assert (cell(seen.packets[0], "320x240+320+240") == 16).all()


def test_given_places_and_another_size() -> None:
    grid = Grid(places=["640x480+0+0", "320x240+320+0"], background="white", size="640x512", fps=50)
    seen = joined([film(pattern="black"), film(pattern="black")], grid).only
    assert numbers(seen, "320x240+320+0") == [n for n in range(25) for _ in range(2)]
    assert (cell(seen.packets[0], "640x32+0+480") == 235).all()


@pytest.mark.parametrize("format", ["yuv420p", "nv12", "rgb24", "yuv444p", "gray", "yuv420p10le"])
def test_formats_and_shapes(format: str) -> None:
    """Films of other shapes keep theirs, in the middle of their cells."""
    films = [film(pixel_format=format, size="640x480"), film(pixel_format=format, size="640x240", frames=3)]
    seen = joined(films, Grid(pixel_format=format, size="640x240", background="#808080")).only
    assert seen.packets[0].payload.format == format
    assert numbers(seen, "320x240+0+0") == list(range(25))
    assert numbers(seen, "320x120+320+60")[:4] == [0, 1, 2, None]
    border = cell(seen.packets[0], "300x50+330+0")
    assert border.std() < 1


def test_stretched_films_fill_their_cells() -> None:
    seen = joined([film(), film()], Grid(size="640x480", fit="stretch", columns=1)).only
    assert numbers(seen, "640x240+0+240") == list(range(25))


def test_full_outputs_change_nothing() -> None:
    def run(**session: Any) -> list[Any]:
        films = [film(size="64x48"), film(0.3, size="64x48", fps=30)]
        return joined(films, Grid(), **session).only.log  # type: ignore[arg-type]

    assert run() == run(limits=rw.Limits(packets=1))


def test_colours_that_differ_are_said() -> None:
    grid = Grid()
    joined([film(matrix="bt709"), film(matrix="smpte170m")], grid)
    assert "differ in colour matrix" in grid.status
    same = Grid()
    assert joined([film(), film()], same).only.properties["ColorMatrix"] == "smpte170m"
    assert same.status == ""


def test_nonsense_is_refused() -> None:
    with pytest.raises(rw.OptionError, match="'12x' is no place"):
        Grid(places=["12x"])
    with pytest.raises(rw.OptionError, match="1 places, and an input is to have number 2"):
        joined([film(), film()], Grid(places=["320x240+0+0"]))


def test_pictures_that_only_lead_to_a_place_are_not_shown() -> None:
    """Those before the place that was asked for are decoded, and marked."""
    sink = Collect()
    with rw.Session() as session:
        grid = session.add(Grid())
        for _ in range(2):
            session.load_src(str(make.media("film.mp4"))) >> grid
        grid >> session.add(sink)
        session.play(0.2)
        session.run()
    first = sink.only.packets[0]
    assert first.cts == 5
    wide = sink.only.properties["Width"] // 2
    halves = [first.planes()[0][:, :wide], first.planes()[0][:, wide:]]
    assert [make.read_counter(half) for half in halves] == [5, 5]


def test_an_input_that_is_all_marked_holds_nobody_up() -> None:
    packets = noise("yuv420p", 320, 240, count=25)
    for packet in packets:
        packet.seek = True
    marked = Feed(packets, properties=picture_properties("yuv420p", 320, 240))
    seen = joined([film(), marked], Grid(), limits=rw.Limits(packets=2)).only
    assert numbers(seen, "320x240+0+0") == list(range(25))
    assert all((cell(packet, "320x240+320+0") == 16).all() for packet in seen.packets)


def test_one_film_out_and_another_in_at_once() -> None:
    """As many as before, and yet others: the new one gets the place that is free."""
    clock = VirtualClock()
    grid, sink = Grid(size="640x240"), Collect()
    with rw.Session(clock=clock) as session:
        session.add(grid)
        films = [session.add(film(live=True)) for _ in range(2)]
        for each in films:
            each >> grid
        grid >> session.add(sink)

        def swap() -> None:
            session.remove(films[0])
            session.add(film(0.52, live=True)) >> grid

        session.post(swap, 0.5)
        session.run()
    assert numbers(sink.only, "320x240+0+0")[:25] == list(range(25))  # it moved up
    assert numbers(sink.only, "320x240+320+0")[20] is not None


def test_resized() -> None:
    plane = np.arange(64, dtype=np.uint8).reshape(8, 8)
    assert resized(plane, 8, 8) is plane
    assert resized(plane, 4, 4)[0, 0] == 5  # of 0, 1, 8 and 9
    assert resized(plane, 16, 16)[:2, :2].tolist() == [[0, 0], [0, 0]]
    assert resized(np.ones((7, 9, 3), np.float32), 3, 4).shape == (3, 4, 3)
    assert fitted(16, 9, 320, 320) == (320, 180)
    assert fitted(9, 16, 320, 320) == (180, 320)
    assert fitted(1000, 1, 10, 10) == (10, 1)


def live(inputs: list[rw.Filter], **options: Any) -> Seen:
    """What a live grid makes of them by the virtual clock, each as one input of its own, in this order."""
    sink = Collect()
    with rw.Session(threads=0, clock=VirtualClock()) as session:
        grid = session.add(Grid(live=True, fps=25, **options))
        for each in inputs:
            session.add(each) >> grid
        grid >> session.add(sink)
        session.run()
    return sink.only


def test_a_live_grid_shows_what_is_newest_and_waits_for_nobody() -> None:
    """At 25, at 10, and at 50 frames a second; and one that says what it has, and sends nothing for long."""
    silent = Feed([], properties=picture_properties("yuv420p", 320, 240))
    silent.process = lambda: 0.9 if silent.context.now() < 0.8 else Feed.process(silent)  # type: ignore[method-assign]
    seen = live(
        [film(live=True), film(live=True, fps=10, frames=10), film(live=True, fps=50, frames=50), silent],
        size="640x480",
    )
    assert [packet.dts for packet in seen.packets] == list(range(len(seen.packets)))
    assert 24 <= len(seen.packets) <= 27
    for at, packet in enumerate(seen.packets[1:24], 1):
        for place, fps in (("320x240+0+0", 25), ("320x240+320+0", 10), ("320x240+0+240", 50)):
            found = read_counter(cell(packet, place))
            assert found is not None
            assert abs(found[0] - at * fps / 25) <= 2, (at, place)
        assert (cell(packet, "320x240+320+240") == 16).all()


def test_a_live_grid_keeps_a_place_for_who_is_to_come_and_clears_that_of_who_has_gone() -> None:
    seen = live([film(live=True, frames=50), film(live=True, frames=10)], size="640x480", columns=2, rows=2)
    first, second, below = "320x240+0+0", "320x240+320+0", "640x240+0+240"
    assert None not in numbers(seen, first)[1:49]
    assert None not in numbers(seen, second)[1:9]
    assert set(numbers(seen, second)[14:]) == {None}
    assert all((cell(packet, below) == 16).all() for packet in seen.packets)


def test_a_live_grid_ends_when_its_last_input_is_taken_out() -> None:
    sink = Collect()
    with rw.Session(threads=0, clock=VirtualClock()) as session:
        source = session.add(film(live=True, frames=1000))
        source >> session.add(Grid(live=True)) >> session.add(sink)
        session.post(lambda: session.remove(source), 1.0)
        session.run()
    assert 20 <= len(sink.only.packets) <= 30
    assert sink.only.ended
