"""testaudio and avgen: exact samples in every format, and clicks in step with the pictures."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from reelway.filters.testaudio import FORMATS
from reelway.testing.burnin import read_counter
from tests.filters.test_testvideo import made


@pytest.mark.parametrize("sample_format", FORMATS)
def test_a_sine_in_every_format(sample_format: str) -> None:
    seen = made(
        "testaudio", duration=0.1, sample_format=sample_format, sample_rate=44100, channels=3, volume=0.25
    ).only
    samples = np.concatenate([packet.array() for packet in seen.packets]).astype(float)
    assert samples.shape == (4410, 3)
    full = {"u8": 128, "s16": 1 << 15, "s32": 1 << 31, "s64": 1 << 63}.get(sample_format.removesuffix("p"), 1)
    if sample_format.startswith("u8"):
        samples -= 128
    wanted = 0.25 * np.sin(2 * np.pi * 440 * np.arange(4410) / 44100)
    assert np.abs(samples / full - wanted[:, None]).max() <= (0.5 if full > 1 else 1e-7) / min(full, 1 << 20)
    planes = seen.packets[0].planes()
    assert len(planes) == (3 if sample_format.endswith("p") else 1)


@pytest.mark.parametrize(
    ("duration", "rate", "total"),
    [(1, 44100, 44100), (2.5, 48000, 120000), (0.3333, 22050, 7349), (1, 8000, 8000)],
)
def test_the_number_of_samples_is_exact(duration: float, rate: int, total: int) -> None:
    seen = made("testaudio", duration=duration, sample_rate=rate).only
    assert sum(packet.duration or 0 for packet in seen.packets) == total
    assert sum(len(packet.array()) for packet in seen.packets) == total
    assert [packet.dts for packet in seen.packets] == list(range(0, total, 1024))
    assert seen.properties["Duration"] == Fraction(total, rate)
    assert seen.properties["ChannelLayout"] == "stereo"


def test_full_volume_does_not_wrap_around() -> None:
    for sample_format in ("u8", "s16", "s32", "s64"):
        seen = made("testaudio", duration=0.05, volume=1, sample_format=sample_format, frequency=12000).only
        samples = seen.packets[0].array()[:, 0]
        assert samples[1] == np.iinfo(samples.dtype).max - (1023 if sample_format == "s64" else 0)
        assert samples[1:60:4].min() == samples[1]


def test_noise_is_seeded_and_silence_is_silent() -> None:
    one, same, other = (made("testaudio", duration=0.1, wave="noise", seed=n).only.packets for n in (1, 1, 2))
    assert [bytes(p.data) for p in one] == [bytes(p.data) for p in same]
    assert bytes(one[0].data) != bytes(one[1].data) != bytes(other[1].data)
    assert 0.2 < np.abs(one[0].array() / 32768).mean() < 0.3
    for sample_format, zero in (("u8", 128), ("s16", 0), ("fltp", 0)):
        silent = made("testaudio", duration=0.1, wave="silence", sample_format=sample_format).only
        assert all((packet.array() == zero).all() for packet in silent.packets)


def test_avgen_clicks_when_the_pictures_show_full_seconds() -> None:
    sink = made("avgen", duration=3, size="64x48", fps="30", sample_rate=44100, channels=1)
    pictures, sound = sink.seen["video"], sink.seen["audio"]
    shown = [(read_counter(packet) or (0, 0))[1] for packet in pictures.packets]
    full = [packet.dts / 30 for packet, ms in zip(pictures.packets, shown, strict=True) if ms % 1000 == 0]
    samples = np.concatenate([packet.array()[:, 0] for packet in sound.packets])
    loud = np.flatnonzero(np.abs(samples) > 1000)
    starts = loud[np.insert(np.diff(loud) > 10000, 0, True)]
    assert full == [0, 1, 2]
    assert [start / 44100 for start in starts] == pytest.approx(full, abs=0.0002)
    assert len(samples) == 3 * 44100


def test_avgen_sends_in_the_order_of_time_and_ends_both() -> None:
    sink = made("avgen", frames=25, size="64x48")
    assert {name: seen.ended for name, seen in sink.seen.items()} == {"video": True, "audio": True}
    assert sum(packet.duration or 0 for packet in sink.seen["audio"].packets) == 48000
    assert list(made("avgen", frames=2, type="v", size="64x48").seen) == ["video"]
    assert list(made("avgen", duration=0.1, type="a", size="64x48").seen) == ["audio"]
