"""Slots: the number or name of a source goes with each of its packets, wherever these go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import reelway as rw
from reelway.media.origin import slot_of
from tests.live.conftest import MakeServer
from tests.live.watching import Watch, frames

SLOTS = (3, "front", 12)


class Sink(rw.Filter):
    """Notes the slot of each packet."""

    inputs = (rw.Caps(),)

    def __init__(self) -> None:
        super().__init__()
        self.slots: list[Any] = []
        self.configured = 0

    def configure(self, pid: rw.Link) -> None:
        self.configured += 1

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                self.slots.append(slot_of(packet, pid.properties))


def test_three_cameras_in_one_function(rtsp_server: MakeServer) -> None:
    server = rtsp_server(shared=True)
    seen: dict[Any, int] = {}
    with rw.Session() as session:

        @rw.video_filter(pixel_format="gray")
        def look(image: Any, slot: int | str, pid: rw.Link) -> None:
            assert pid.properties["Slot"] == slot
            seen[slot] = seen.get(slot, 0) + 1
            if len(seen) == len(SLOTS) and min(seen.values()) >= 5:
                session.stop("none")

        looking = session.add(look())
        for slot in SLOTS:
            session.load_src(server.url, slot=slot).video >> looking
        session.run()
    assert set(seen) == set(SLOTS)


def test_a_slot_behind_an_address(rtsp_server: MakeServer) -> None:
    server = rtsp_server()
    for text, slot in (("3", 3), ("front", "front")):
        frame = next(iter(rw.frames(f"{server.url}:slot={text}")))
        assert frame.slot == slot


def test_a_camera_that_comes_back_has_its_slot_and_is_no_other_stream(rtsp_server: MakeServer) -> None:
    server = rtsp_server()

    def enough(watch: Watch) -> bool:
        if len(watch.times) == 10:
            server.kill()
            server.start()
        return len(watch.times) >= 20 and source.connections > 1  # type: ignore[attr-defined]

    with rw.Session() as session:
        source = session.load_src(server.url, slot="door")
        watch = Watch(enough)
        source >> session.add(watch)
        session.run()
    assert watch.properties["Slot"] == "door"
    assert watch.configured == 1


def merged(merge: str) -> Sink:
    sink = Sink()
    with rw.Session(limits=rw.Limits(packets=2)) as session:
        funnel = session.load(merge)
        for slot in SLOTS:
            session.load("testvideo:frames=4:size=32x32", slot=slot) >> funnel
        funnel >> session.add(sink)
        session.run()
    return sink


def test_a_funnel_puts_it_on_each_packet_and_tells_no_news() -> None:
    sink = merged("funnel")
    assert sorted(map(str, sink.slots)) == sorted(str(slot) for slot in SLOTS for _ in range(4))
    assert sink.configured == 1


def test_a_selector_says_whose_packets_it_lets_through() -> None:
    assert set(merged("selector:active=1:sync=false").slots) == {SLOTS[1]}


def test_a_grid_of_several_is_of_none() -> None:
    assert set(merged("grid").slots) == {None}


FILTERS: tuple[Callable[[rw.Session], rw.Filter], ...] = (
    lambda session: session.load("convert:width=16"),
    lambda session: session.load("crop:width=16"),
    lambda session: session.load("interval:interval=0.01"),
    lambda session: session.load("rate:fps=50"),
    lambda session: session.load("gate:sync=false"),
    lambda session: session.load("flip"),
    lambda session: session.load("balance:brightness=0.1"),
    lambda session: session.load("tee"),
    lambda session: session.load("valve"),
    lambda session: session.load("identity"),
    lambda session: session.load("queue"),
)


@pytest.mark.parametrize("make", FILTERS)
@pytest.mark.parametrize("merge", [False, True])
def test_filters_pass_it_on(make: Callable[[rw.Session], rw.Filter], merge: bool) -> None:
    sink = Sink()
    with rw.Session() as session:
        last: rw.Filter = session.load("testvideo:frames=4:size=32x32:slot=7")
        if merge:
            last = last >> session.load("funnel")
        last >> make(session) >> session.add(sink)
        session.run()
    assert set(sink.slots) == {7}


def test_it_goes_through_an_encoder_and_a_decoder(rtsp_server: MakeServer) -> None:
    server = rtsp_server()
    with rw.Session() as session:
        watch = Watch(frames(3))
        source = session.load_src(server.url, slot=2)
        coded = session.load("encode:codec=mpeg2video")
        source.video >> session.load("rawvideo") >> coded >> session.load("decode") >> session.add(watch)
        session.run()
    assert watch.properties["Slot"] == 2


def test_any_property_that_a_user_says_holds() -> None:
    sink = Sink()
    with rw.Session() as session:
        source = session.load("testvideo:frames=2:size=32x32:#Place=garden:slot=1")
        source >> session.add(sink)
        session.run()
        (pid,) = source.opids
        pid.replace_properties({"StreamType": "Visual"})
        assert pid.properties == {"StreamType": "Visual", "Place": "garden", "Slot": 1}
