"""level: figures against computed ones, when they are told, and that the sound is not touched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reelway as rw
from reelway.filters.level import SILENCE_DB, Level
from reelway.testing.conformance import check_filter
from tests.filters.raw import heard, sound, sound_properties, through

RATE = 48000


def told(samples: np.ndarray[Any, Any], packet: int = 1000, **options: Any) -> list[dict[str, Any]]:
    """What is posted for (samples, channels) floats."""
    level = Level(**options)
    messages: list[dict[str, Any]] = []
    level.on_message = lambda name, fields: messages.append({"name": name, **fields})
    packets = sound(samples, size=packet)
    seen = through(packets, sound_properties(RATE, samples.shape[1]), level)
    assert [each.payload for each in seen.packets] == [each.payload for each in packets]
    assert heard(seen) == pytest.approx(samples)
    return messages


def sine(seconds: float, amplitude: float) -> np.ndarray[Any, Any]:
    return amplitude * np.sin(2 * np.pi * 480 * np.arange(round(seconds * RATE)) / RATE)[:, None]


def test_the_contract_is_kept() -> None:
    check_filter(Level, sound(sine(0.5, 0.5)), sound_properties(RATE), max_held=0)


def test_a_sine_is_as_loud_as_it_is() -> None:
    both = np.hstack((sine(1.0, 0.5), sine(1.0, 1.0)))
    messages = told(both)
    assert len(messages) == 10
    for message in messages:
        assert message["name"] == "level"
        assert message["rms"] == pytest.approx([-9.03, -3.01], abs=0.01)
        assert message["peak"] == pytest.approx([-6.02, 0.0], abs=0.01)
    assert [message["timestamp"] for message in messages] == [n * 100_000_000 for n in range(10)]
    assert {message["duration"] for message in messages} == {100_000_000}
    assert messages[-1]["endtime"] == 1_000_000_000


@pytest.mark.parametrize("packet", [1, 777, 4800, 48000])
def test_intervals_are_those_of_the_sound_not_of_the_packets(packet: int) -> None:
    messages = told(sine(0.25, 0.5)[: 12000 if packet > 1 else 4900], packet)
    durations = [message["duration"] for message in messages]
    assert durations[:-1] == [100_000_000] * (len(durations) - 1)
    assert sum(durations) == (250_000_000 if packet > 1 else 4900 * 10**9 // RATE)


def test_silence_has_a_number() -> None:
    (message,) = told(np.zeros((4800, 1)))
    assert message["rms"] == message["peak"] == [pytest.approx(SILENCE_DB)]


def test_a_peak_stands_and_sinks() -> None:
    samples = np.zeros((RATE, 1))
    samples[10] = 1.0
    decay = [message["decay"][0] for message in told(samples, peak_ttl=0.3, peak_falloff=10.0)]
    assert decay[:3] == pytest.approx([0.0, 0.0, 0.0], abs=0.05)
    assert decay[-1] == pytest.approx(-10 * (1.0 - 0.1 - 0.3), abs=0.2)
    assert decay == sorted(decay, reverse=True)


def test_nothing_is_posted_where_nobody_wants_it_and_the_last_is_kept() -> None:
    assert told(sine(1.0, 0.5), post=False) == []
    level = Level(post=False)
    through(sound(sine(0.2, 1.0)), sound_properties(RATE), level)
    assert level.last["peak"] == pytest.approx([0.0], abs=0.01)


def test_whole_numbers_are_as_loud() -> None:
    level = Level()
    through(sound(sine(0.1, 0.5), "s16"), sound_properties(RATE, format="s16"), level)
    assert level.last["peak"] == pytest.approx([-6.02], abs=0.01)


def test_a_level_in_a_chain_of_filters() -> None:
    level = Level()
    with rw.Session() as session:
        source = session.load("testaudio:duration=1:volume=0.8:channels=1")
        source >> session.add(level) >> session.load("null")
        session.run()
    assert level.last["peak"] == pytest.approx([-1.94], abs=0.02)
    assert level.last["running-time"] == 900_000_000
