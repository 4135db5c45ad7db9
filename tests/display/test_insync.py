"""Sound in step with a clock, by a device whose clock is another one: hours in moments, nothing real."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

import numpy
import pytest

from reelway.display.insync import DeviceClock, Steering, longer, shorter
from reelway.filters.tempo import Following, Tempo

RATE = 48000
PACKET_S = 1024 / RATE
BUFFER_S = 0.2
LIMIT_S = 0.04
"""Sound and picture, at most."""


@dataclass
class Device:
    """Takes a chunk whenever its own clock says so; what it took is heard a chunk later. `drift`: its rate
    over the machine's, less 1."""

    drift: float
    chunk_s: float = PACKET_S
    now_s: float = 0.0
    queued: list[tuple[float, float]] = field(default_factory=list)
    """Sound not taken yet: its media time (NaN for silence) and length [s]."""
    given_s: float = 0.0
    heard: list[tuple[float, float]] = field(default_factory=list)
    """Media time of a chunk's first sample, and when that was heard."""
    next_s: float = 0.007

    @property
    def left_s(self) -> float:
        return sum(length for _, length in self.queued)

    def give(self, media_s: float, length_s: float) -> None:
        if length_s > 1e-9:
            self.queued.append((media_s, length_s))
            self.given_s += length_s

    def go_on(self, until_s: float) -> None:
        period = self.chunk_s / (1 + self.drift)
        while self.next_s <= until_s:
            if self.queued and not math.isnan(self.queued[0][0]):
                self.heard.append((self.queued[0][0], self.next_s + period))
            room = self.chunk_s
            while self.queued and room > 1e-9:
                media_s, length_s = self.queued[0]
                taken = min(length_s, room)
                room -= taken
                if length_s - taken > 1e-9:
                    self.queued[0] = media_s + taken, length_s - taken
                else:
                    del self.queued[0]
            self.next_s += period
        self.now_s = until_s


class Player:
    """What `audiosink` does, packet by packet, with times for samples."""

    def __init__(self, device: Device) -> None:
        self.device, self.clock, self.steering = device, DeviceClock(device.chunk_s), Steering()
        self.corrected: list[tuple[float, float]] = []

    def play(self, media_s: float, due_s: float) -> None:
        device = self.device
        if device.queued:
            self.clock.look(device.now_s, device.given_s - device.left_s)
        else:
            self.clock.forget()
        late_s = self.clock.heard_s(device.given_s, device.now_s) - due_s
        more_s, at_once = self.steering.turn(late_s, not device.queued)
        if more_s:
            self.corrected.append((device.now_s, more_s))
        if at_once and more_s > 0:
            device.give(math.nan, more_s)
        cut_s = min(PACKET_S, -min(0.0, more_s))
        device.give(media_s + cut_s, PACKET_S - cut_s)
        if not at_once and more_s > 0:  # a piece again, behind the packet: as long as the real one
            device.give(media_s + PACKET_S - more_s, more_s)


def played(drift: float, seconds: float, stall_s: float = 0.0) -> tuple[Device, Player]:
    """Sound that is due at its media time plus a second, given when there is room; once nothing comes."""
    device = Device(drift)
    player = Player(device)
    noise = random.Random(1)
    for number in range(round(seconds / PACKET_S)):
        media_s = number * PACKET_S
        pass_s = max(device.now_s, media_s + 1 - BUFFER_S) + noise.uniform(0, 0.004)
        if stall_s and number == 500:
            pass_s += stall_s
        device.go_on(pass_s)
        player.play(media_s, media_s + 1)
    return device, player


def off(device: Device) -> list[float]:
    return [at_s - media_s - 1 for media_s, at_s in device.heard]


@pytest.mark.parametrize("ppm", [0, 100, -100, 1000, -1000])
def test_a_device_that_drifts_stays_in_step_for_an_hour(ppm: int) -> None:
    device, player = played(ppm * 1e-6, 3600)
    assert max(map(abs, off(device))) < LIMIT_S / 2
    steps = [step for at, step in player.corrected[1:]]
    assert all(abs(step) <= 0.0101 for step in steps), "never more than a hundredth of a second at once"
    assert abs(sum(steps) - 3600 * ppm * 1e-6) < 0.03, "as much as it drifts, and no more"
    assert len(steps) <= 3600 * abs(ppm) * 1e-6 / 0.01 * 1.5 + 2


def test_without_drift_nothing_is_touched() -> None:
    _, player = played(0, 600)
    assert len(player.corrected) == 1, "the silence before the first sample"


@pytest.mark.parametrize("stall_s", [0.15, 0.3, 2.0])
def test_after_a_stall_it_is_in_step_again_at_once(stall_s: float) -> None:
    device, _ = played(0, 30, stall_s)
    late = [(at_s, at_s - media_s - 1) for media_s, at_s in device.heard]
    again = 500 * PACKET_S + 1 + stall_s
    assert all(abs(each) < LIMIT_S / 2 for at_s, each in late if at_s < again - stall_s or at_s > again + 0.1)


def test_a_fast_device_is_known_within_a_chunk() -> None:
    """What is taken tells when what is queued is heard, though looks and chunks fall together."""
    for phase in (0.001, 0.01, 0.02):
        clock, device = DeviceClock(PACKET_S), Device(0.0)
        device.give(0.0, 10.0)
        for number in range(60):
            device.go_on(phase + number * PACKET_S)
            clock.look(device.now_s, device.given_s - device.left_s)
        found_s = clock.heard_s(10.0, device.now_s)
        device.give(10.0, 1.0)
        device.go_on(20.0)
        heard_s = next(at_s - (media_s - 10.0) for media_s, at_s in device.heard if media_s >= 10.0)
        assert abs(found_s - heard_s) <= PACKET_S / 2 + 1e-6


@pytest.mark.parametrize("change", [longer, shorter])
@pytest.mark.parametrize("dtype", [numpy.int16, numpy.float32, numpy.uint8])
def test_a_tone_goes_on_without_a_click(change: object, dtype: type) -> None:
    """The piece lies where the tone is like itself: no step in it is larger than the tone's own."""
    times = numpy.arange(1024) / RATE
    tone = numpy.stack([numpy.sin(2 * numpy.pi * f * times) for f in (441, 882)], axis=1)
    scale, middle = {numpy.int16: (20000, 0), numpy.float32: (0.6, 0), numpy.uint8: (100, 128)}[dtype]
    samples = (tone * scale + middle).astype(dtype)
    made = change(samples, 480, RATE)  # type: ignore[operator]
    assert made.dtype == samples.dtype
    assert 240 <= abs(len(made) - len(samples)) <= 720
    assert (len(made) > len(samples)) == (change is longer)
    steps = [numpy.abs(numpy.diff(each.astype(float), axis=0)).max() for each in (made, samples)]
    assert steps[0] <= 1.1 * steps[1] + 1
    assert numpy.array_equal(made[-100:], samples[-100:]), "the next packet goes on from there"


def test_what_is_too_short_to_be_joined_stays() -> None:
    samples = numpy.zeros((40, 1), numpy.int16)
    assert len(shorter(samples, 30, 8000)) == 40
    assert len(longer(samples, 30, 8000)) == 40


# When things are due


def test_sound_may_begin_first() -> None:
    """All is due later by its lead, also when that is told late."""
    tempo = Tempo()
    assert tempo.due_s(0, 5.0, 100.0) == 100.0
    tempo.set_lead(0.1)
    assert tempo.due_s(0, 6.0, 100.5) == tempo.when_s(6.0) == pytest.approx(101.1)
    tempo.set_lead(0.05)
    assert tempo.when_s(6.0) == pytest.approx(101.1)
    assert tempo.due_s(1, 0.0, 200.0) == pytest.approx(200.1), "after a seek, too"


def test_sound_keeps_to_nothing_at_another_speed_and_at_the_end() -> None:
    tempo = Tempo()
    tempo.due_s(0, 0.0, 1.0)
    tempo.free = True
    assert tempo.when_s(0.0) is None
    tempo.free = False
    tempo.set_speed(2.0)
    tempo.due_s(0, 0.0, 1.0)
    assert tempo.when_s(1.0) is None


@pytest.mark.parametrize("ppm", [0, 100, -100, 1000, -1000])
def test_what_is_live_follows_a_sender_whose_clock_drifts(ppm: int) -> None:
    """Pictures come 60 ms behind the sound and up to 20 ms late: an hour later both are still due in time."""
    tempo, noise = Following(), random.Random(2)
    tempo.set_lead(0.1)
    worst = 0.0
    for number in range(25 * 3600):
        sent_s = number / 25
        running_s = sent_s * (1 + ppm * 1e-6)
        for stream, delay_s in (("sound", 0.0), ("pictures", 0.06)):
            now_s = sent_s + delay_s + noise.uniform(0, 0.02)
            tempo.came(stream, 0, running_s, now_s)
            due_in_s = tempo.due_s(0, running_s, sent_s) - sent_s
        if number > 250:
            worst = max(worst, abs(due_in_s - 0.178))
    assert worst < 0.02


def test_what_is_live_is_due_later_when_the_network_is_slower_and_sooner_when_it_is_back() -> None:
    tempo = Following()
    for number in range(3000):
        slow_s = 0.5 if 1000 <= number < 2000 else 0.0
        tempo.came("sound", 0, number / 25, number / 25 + slow_s)
        if number in (999, 1999, 2999):
            assert tempo.due_s(0, 0.0, 0.0) == pytest.approx(slow_s, abs=0.02)


def test_a_stream_that_ends_has_no_say() -> None:
    tempo = Following()
    for number in range(1000):
        tempo.came("sound", 0, number / 25, number / 25)
        if number < 300:
            tempo.came("pictures", 0, number / 25, number / 25 + 0.4)
    assert tempo.due_s(0, 0.0, 0.0) == pytest.approx(0.0)
