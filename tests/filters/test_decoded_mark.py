"""`decoded`: whoever comes behind it gets raw media."""

from __future__ import annotations

import reelway as rw
from reelway.filters.decoded import Decoded
from reelway.testing.parts import Collect
from tests.media import make, probe


def test_a_film_is_decoded_in_front_of_a_sink_that_takes_anything() -> None:
    film = make.media("film.mp4")
    with rw.Session() as session:
        sink = Collect()
        session.load_src(film).video >> session.add(Decoded()) >> session.add(sink)
        session.run()
    assert sink.only.properties["CodecID"] == "raw"
    assert len(sink.only.packets) == len(probe.packets(film)[0].packets)


def test_raw_media_passes_as_it_is() -> None:
    with rw.Session() as session:
        sink = Collect()
        session.load("testaudio:duration=1") >> session.add(Decoded()) >> session.add(sink)
        plan = str(session.explain())
        session.run()
    assert "decode" not in plan.replace("decoded", "")
    assert sum(packet.duration or 0 for packet in sink.only.packets) == 48000
