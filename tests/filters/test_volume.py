"""volume: gains and fades at the exact sample, in every format, and no click when a gain changes."""

from __future__ import annotations

import numpy as np
import pytest

import reelway as rw
from reelway.filters.simple import Call
from reelway.filters.testaudio import FORMATS
from reelway.filters.volume import Volume
from reelway.testing.parts import fingerprint
from tests.filters.raw import heard, sound, sound_properties, through

ONES = np.ones((6000, 1))


@pytest.mark.parametrize("format", FORMATS)
def test_a_gain_in_every_format(format: str) -> None:
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (3000, 2))
    packets = sound(samples, format)
    before = [fingerprint(packet) for packet in packets]
    seen = through(packets, sound_properties(channels=2, format=format), Volume(gain=0.5))
    assert seen.packets[0].payload.format == format
    worst = 0.006 if format.startswith("u8") else 1e-4 if format.startswith("s16") else 1e-6
    assert np.abs(heard(seen) - samples / 2).max() < worst
    assert [fingerprint(packet) for packet in packets] == before


@pytest.mark.parametrize(("format", "worst"), [("s32", 0.5), ("s32p", 0.5), ("dbl", 0), ("dblp", 0)])
def test_a_gain_is_as_fine_as_the_samples(format: str, worst: float) -> None:
    """0.1 as float32 is off by 1.6 steps of s32 at half of full scale."""
    packets = sound(np.full((10, 1), 0.5), format)
    seen = through(packets, sound_properties(format=format), Volume(gain=0.1))
    steps = 1 if format.startswith("dbl") else 1 << 31
    value = seen.packets[0].payload.planes()[0].ravel()[0]
    assert abs(float(value) - 0.5 * 0.1 * steps) <= worst


def test_nothing_to_do_copies_nothing() -> None:
    packets = sound(ONES)
    seen = through(packets, sound_properties(), Volume())
    assert [packet.payload for packet in seen.packets] == [packet.payload for packet in packets]


def test_decibels_and_mute() -> None:
    assert heard(through(sound(ONES / 4), sound_properties(), Volume(gain_db=6.0206)))[0, 0] == pytest.approx(
        0.5
    )
    assert not heard(through(sound(ONES), sound_properties(), Volume(mute=True))).any()


def test_what_is_too_loud_is_clipped_and_counted() -> None:
    volume = Volume(gain=2)
    samples = np.array([[0.4], [0.6], [-0.7], [-0.5]])
    seen = through(sound(samples, "s16"), sound_properties(format="s16"), volume)
    assert seen.packets[0].array()[:, 0].tolist() == [26214, 32767, -32768, -32768]
    assert volume.clipped == 2
    assert volume.status == "2 samples clipped"


@pytest.mark.parametrize("size", [1000, 1, 777])
def test_fades_are_exact_whatever_the_packets_are(size: int) -> None:
    ones = ONES if size > 1 else ONES[:50]
    rate = 1000 if size > 1 else 10
    volume = Volume(fade_in=1, fade_out_at=4, fade_out=0.5)
    got = heard(through(sound(ones, size=size), sound_properties(rate), volume))[:, 0]
    number = np.arange(len(ones))
    wanted = np.clip(number / rate, 0, 1) * np.clip(1 - (number - 4 * rate) / (0.5 * rate), 0, 1)
    np.testing.assert_allclose(got, wanted, atol=1e-6)


def test_fades_lie_on_the_time_of_the_stream() -> None:
    got = heard(through(sound(ONES, start=500), sound_properties(1000), Volume(fade_in=1)))[:, 0]
    assert got[0] == pytest.approx(0.5)
    assert got[499] == pytest.approx(0.999)
    assert (got[500:] == 1).all()


def test_a_live_gain_moves_without_a_step() -> None:
    volume = Volume(ramp=0.5)
    count = 0

    def change(packet: rw.Packet) -> rw.Packet:
        nonlocal count
        count += 1
        if count == 2:
            volume.update("gain", 0.25)
        return packet

    seen = through(
        sound(ONES), sound_properties(1000), Call(function=change), volume, limits=rw.Limits(packets=1)
    )
    got = heard(seen)[:, 0]
    assert got[0] == 1
    assert got[-1] == 0.25
    steps = np.abs(np.diff(got))
    assert steps.max() == pytest.approx(0.75 / 500, rel=1e-3)
    assert np.count_nonzero(steps) == 500
