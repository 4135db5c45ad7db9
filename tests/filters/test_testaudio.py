"""testaudio and avgen: exact samples in every format, and clicks in step with the pictures."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import reelway as rw
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


def samples_of(text: str, change: dict[int, tuple[str, Any]] | None = None) -> np.ndarray[Any, Any]:
    """What is heard; `change`: an option and its new value, when the packet at a time passes."""
    parts: list[np.ndarray[Any, Any]] = []
    with rw.Session(limits=rw.Limits(packets=1)) as session:
        source = session.load(text)

        def look(packet: rw.Packet) -> None:
            parts.append(packet.array()[:, 0].copy())
            if change and packet.dts in change:
                source.update(*change[packet.dts])

        source >> session.load("call", function=look)
        session.run()
    return np.concatenate(parts)


@pytest.mark.parametrize(
    ("wave", "start"),
    [
        ("square", [1, 1, 1, 1, -1, -1, -1, -1]),
        ("saw", [0, 0.25, 0.5, 0.75, -1, -0.75, -0.5, -0.25]),
        ("triangle", [0, 0.5, 1, 0.5, 0, -0.5, -1, -0.5]),
        ("sine", [0, 0.7071, 1, 0.7071, 0, -0.7071, -1, -0.7071]),
    ],
)
def test_a_turn_of_each_wave(wave: str, start: list[float]) -> None:
    text = f"testaudio:wave={wave}:frequency=1000:sample_rate=8000:duration=1:volume=1:sample_format=dbl"
    heard = samples_of(text)
    assert heard[:8] == pytest.approx(start, abs=1e-4)
    assert heard.reshape(-1, 8) == pytest.approx(np.tile(start, (1000, 1)), abs=1e-4)


def test_so_many_packets() -> None:
    assert len(samples_of("testaudio:packets=10:samples=441:sample_rate=44100")) == 4410
    assert len(samples_of("testaudio:packets=10:samples=441:sample_rate=44100:duration=0.05")) == 2205


def test_a_frequency_changes_while_it_runs_without_a_click() -> None:
    text = "testaudio:frequency=100:volume=1:packets=40:samples=480:sample_format=dbl"
    heard = samples_of(text, {4800: ("frequency", 250.0)})
    assert np.abs(np.diff(heard)).max() <= 2 * np.pi * 250 / 48000 + 1e-9
    turns = np.flatnonzero((heard[:-1] < 0) & (heard[1:] >= 0))
    assert set(np.diff(turns)[:8]) <= {479, 480, 481}
    assert set(np.diff(turns)[-8:]) <= {191, 192, 193}


def test_a_wave_changes_while_it_runs() -> None:
    heard = samples_of("testaudio:packets=10:samples=480:volume=1", {480 * 4: ("wave", "silence")})
    assert heard[:1900].any()
    assert not heard[480 * 7 :].any()
