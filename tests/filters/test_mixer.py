"""mixer: each input as loud as its pad says."""

from __future__ import annotations

import numpy as np
import pytest

import reelway as rw
from reelway.filters.mixer import Mixer
from reelway.filters.simple import Call
from reelway.testing.conformance import check_filter
from reelway.testing.parts import Collect, Feed
from tests.filters.raw import heard, joined, sound, sound_properties

ONES = np.ones((6000, 1))


def feed(level: float) -> Feed:
    return Feed(sound(ONES * level), properties=sound_properties())


def test_the_contract_is_kept() -> None:
    check_filter(
        lambda: Mixer(pads={"sink_0": {"volume": 0.5}}), sound(ONES / 4), sound_properties(), composes=True
    )


@pytest.mark.parametrize(
    ("pads", "expected"),
    [
        ({}, 0.3),
        ({"sink_0": {"volume": 2.0}}, 0.4),
        ({"sink_0": {}, "sink_1": {"volume": 0.5}}, 0.2),
        ({"sink_0": {"mute": True}, "sink_1": {}}, 0.2),
    ],
)
def test_each_input_has_a_volume(pads: dict[str, dict[str, float]], expected: float) -> None:
    mixed = heard(joined([feed(0.1), feed(0.2)], Mixer(pads=pads)).only)
    assert len(mixed) == 6000
    assert mixed == pytest.approx(expected, abs=1e-6)


def test_a_volume_changes_while_it_runs() -> None:
    mixer, sink = Mixer(samples=1000), Collect()

    def look(packet: rw.Packet) -> rw.Packet:
        if packet.dts == 3000:
            mixer.update("pads", {"sink_0": {"mute": True}})
        return packet

    with rw.Session(limits=rw.Limits(packets=1)) as session:
        session.add(feed(0.5)) >> session.add(Call(function=look)) >> session.add(mixer) >> session.add(sink)
        session.run()
    loud = heard(sink.only)[:, 0] > 0.1
    assert loud[0]
    assert not loud[-1]
    assert len(loud) == 6000


def test_pads_that_are_none_are_refused() -> None:
    with pytest.raises(rw.OptionError, match="mixer:pads is no mapping of mappings"):
        Mixer(pads=[1, 2])
