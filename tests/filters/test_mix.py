"""mix: sums at the exact sample of the timeline, limited, ending with whom it shall."""

from __future__ import annotations

import numpy as np
import pytest

import reelway as rw
from reelway.filters.mix import Mix
from reelway.filters.testaudio import TestAudio
from reelway.testing.parts import RESTART, Collect, Feed
from tests.filters.raw import Late, heard, joined, sound, sound_properties

RATE = 1000


def feed(samples: np.ndarray, offset_s: float = 0.0, size: int = 300, **more: object) -> Late:
    properties = sound_properties(RATE) | more
    return Late(offset_s, sound(samples, str(properties["AudioFormat"]), size), properties=properties)


def tone(count: int, level: float) -> np.ndarray:
    return np.full((count, 1), level)


def test_sources_that_start_apart_are_added_where_they_lie() -> None:
    seen = joined([feed(tone(5000, 0.25)), feed(tone(2000, 0.5), 3.7, 128)], Mix()).only
    got = heard(seen)[:, 0]
    wanted = np.zeros(5700)
    wanted[:5000] += 0.25
    wanted[3700:5700] += 0.5
    np.testing.assert_allclose(got, wanted, atol=1e-6)
    assert seen.packets[0].dts == 0
    assert [packet.dts for packet in seen.packets][1] == 1024
    assert sum(packet.duration or 0 for packet in seen.packets) == 5700


def test_it_begins_with_the_first_and_keeps_running_time() -> None:
    seen = joined([feed(tone(100, 0.5), 2.0), feed(tone(100, 0.5), 2.05)], Mix(samples=64)).only
    assert seen.packets[0].dts == 2000
    got = heard(seen)[:, 0]
    assert len(got) == 150
    np.testing.assert_allclose(got[[0, 49, 50, 99, 100, 149]], [0.5, 0.5, 1, 1, 0.5, 0.5])


def test_it_ends_with_the_shortest() -> None:
    seen = joined([feed(tone(5000, 0.25)), feed(tone(1234, 0.5))], Mix(end="shortest")).only
    got = heard(seen)[:, 0]
    assert len(got) == 1234
    np.testing.assert_allclose(got, 0.75)


def test_an_endless_source_stops_when_the_mix_is_over() -> None:
    endless = TestAudio(sample_rate=RATE, channels=1, sample_format="flt", wave="silence")
    got = heard(joined([endless, feed(tone(1234, 0.5))], Mix(end="shortest")).only)
    assert len(got) == 1234


def test_gains_belong_to_inputs() -> None:
    seen = joined(
        [feed(tone(100, 0.5)), feed(tone(100, 0.5)), feed(tone(100, 0.125))], Mix(gains=[0.5, 0.25])
    ).only
    np.testing.assert_allclose(heard(seen), 0.25 + 0.125 + 0.125)


@pytest.mark.parametrize(("limit", "loudest"), [("hard", 1.0), ("soft", 0.9928), ("none", 1.4)])
def test_sums_above_full_scale(limit: str, loudest: float) -> None:
    mix = Mix(limit=limit)
    got = heard(joined([feed(tone(50, 0.7)), feed(tone(50, 0.7))], mix).only)
    if limit == "soft":
        assert 0.95 < got.max() < 1
    else:
        np.testing.assert_allclose(got, loudest, atol=1e-6)
    assert mix.clipped == 50
    whole = joined(
        [feed(tone(50, 0.7), AudioFormat="s16"), feed(tone(50, 0.7), AudioFormat="s16")], Mix()
    ).only
    assert set(whole.packets[0].array().ravel()) == {32767}


def test_soft_leaves_quiet_sound_alone() -> None:
    got = heard(joined([feed(tone(50, 0.3)), feed(tone(50, -0.4))], Mix(limit="soft")).only)
    np.testing.assert_allclose(got, -0.1, atol=1e-6)


def test_a_gap_is_silent() -> None:
    packets = [*sound(tone(100, 0.5), size=100), *sound(tone(100, 0.5), size=100, start=300)]
    got = heard(joined([Feed(packets, properties=sound_properties(RATE))], Mix()).only)[:, 0]
    assert got.tolist() == [0.5] * 100 + [0.0] * 200 + [0.5] * 100


def test_times_rounded_to_milliseconds_leave_no_gaps() -> None:
    """As Matroska has them: 1024 samples of 48 kHz are 21.333 ms."""
    properties = sound_properties(48000) | {"Timescale": 1000}
    packets = sound(tone(48000, 0.5), size=1024)
    for packet in packets:
        packet.dts = packet.cts = round((packet.dts or 0) / 48)
    got = heard(joined([Feed(packets, properties=properties)], Mix()).only)[:, 0]
    assert len(got) == 48000
    np.testing.assert_allclose(got, 0.5)


def test_it_holds_little_however_long_it_runs() -> None:
    mix = Mix()
    most = 0

    class Look(rw.Filter):
        inputs = (rw.Caps(),)

        def process(self) -> None:
            nonlocal most
            most = max(most, len(mix._sum))
            for pid in self.ipids:
                for _ in pid:
                    pass

    with rw.Session() as session:
        session.add(mix)
        for start in (0.0, 20.0):
            session.add(feed(tone(40000, 0.1), start)) >> mix
        mix >> session.add(Look())
        session.run()
    assert most <= 1024 + 300


def test_a_jump_is_not_kept_as_silence() -> None:
    """One input jumps by 600 s: what the mix holds does not grow, and the sound is where it belongs."""
    mix, sink = Mix(), Collect()
    most = 0

    def look(packet: rw.Packet) -> rw.Packet:
        nonlocal most
        most = max(most, len(mix._sum))
        return packet

    packets = [*sound(tone(300, 0.5), size=300), *sound(tone(300, 0.5), size=300, start=600_000)]
    with rw.Session() as session:
        session.add(mix)
        session.add(Feed(packets, properties=sound_properties(RATE))) >> mix
        session.add(feed(tone(5000, 0.25))) >> mix
        mix >> session.load("call", function=look) >> session.add(sink)
        session.run()
    assert most <= 1024 + 300
    got = heard(sink.only)[:, 0]
    wanted = np.zeros(600_300)
    wanted[:300] += 0.5
    wanted[600_000:] += 0.5
    wanted[:5000] += 0.25
    np.testing.assert_allclose(got, wanted)


def test_what_waits_behind_a_gap_still_belongs_to_its_input() -> None:
    """With the shortest, the mix ends behind it; left by a restart, it is not heard."""
    gap = [*sound(tone(100, 0.5), size=100), *sound(tone(100, 0.5), size=100, start=400)]
    sources = [Feed(gap, properties=sound_properties(RATE)), feed(tone(5000, 0.25))]
    got = heard(joined(sources, Mix(end="shortest")).only)[:, 0]
    assert got.tolist() == [0.75] * 100 + [0.25] * 300 + [0.75] * 100
    far = sound(tone(100, 0.5), size=100, start=600_000)
    items = [*gap[:1], *far, RESTART, *sound(tone(100, 0.5), size=100, start=200)]
    sources = [Feed(items, properties=sound_properties(RATE)), feed(tone(1000, 0.25))]
    got = heard(joined(sources, Mix()).only)[:, 0]
    assert got.tolist() == [0.75] * 100 + [0.25] * 100 + [0.75] * 100 + [0.25] * 700


def test_what_waits_behind_a_gap_keeps_its_format() -> None:
    """Its input says another one before the mix gets there."""
    late = sound(tone(100, 0.5), "s16", size=100, start=400)
    late[0].payload = bytes(late[0].data)  # flat bytes, which only the properties explain
    items = [*sound(tone(100, 0.5), "s16", size=100), *late, {"AudioFormat": "flt"}]
    items += sound(tone(100, 0.25), size=100, start=500)
    source = Feed(items, properties=sound_properties(RATE, format="s16"))
    got = heard(joined([source, feed(tone(1000, 0.125))], Mix(sample_format="flt")).only)[:, 0]
    wanted = np.full(1000, 0.125)
    wanted[:100] += 0.5
    wanted[400:500] += 0.5
    wanted[500:600] += 0.25
    np.testing.assert_allclose(got, wanted, atol=1e-4)


def test_sound_that_only_leads_to_a_place_is_not_heard() -> None:
    packets = sound(tone(500, 0.5), size=100)
    for packet in packets[:3]:
        packet.seek = True
    seen = joined([Feed(packets, properties=sound_properties(RATE)), feed(tone(100, 0.25), 0.3)], Mix()).only
    assert seen.packets[0].dts == 300
    assert heard(seen)[:, 0].tolist() == [0.75] * 100 + [0.5] * 100
    for packet in packets:
        packet.seek = True
    sources = [Feed(packets, properties=sound_properties(RATE)), feed(tone(1000, 0.25))]
    got = heard(joined(sources, Mix(), limits=rw.Limits(packets=1)).only)  # nobody waits for it
    assert got[:, 0].tolist() == [0.25] * 1000


def test_rates_that_differ_are_refused() -> None:
    with pytest.raises(rw.ReelwayError, match="SampleRate") as caught:
        joined([feed(tone(100, 0.5)), feed(tone(100, 0.5), SampleRate=2000)], Mix())
    assert "sample_rate=48000" in (caught.value.hint or "")


def test_full_outputs_change_nothing() -> None:
    sources = lambda: [feed(tone(5000, 0.25)), feed(tone(2000, 0.5), 3.7, 128)]  # noqa: E731
    one = joined(sources(), Mix()).only
    other = joined(sources(), Mix(), limits=rw.Limits(packets=1)).only
    assert one.log == other.log


def test_test_sources_mix() -> None:
    options = {"duration": 0.5, "sample_format": "fltp", "volume": 0.25}
    got = heard(joined([TestAudio(**options), TestAudio(**options)], Mix()).only)
    alone = heard(joined([TestAudio(**options)], Mix()).only)
    np.testing.assert_allclose(got, 2 * alone, atol=1e-6)
