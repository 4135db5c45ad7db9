"""Sound in step with a clock: which sample is heard when, and what to do where that is not when it is due.

A sound device has a clock of its own, and takes samples in whole chunks. What it has taken tells, within a
chunk, when it takes the next; what it takes now is heard a chunk later, when the one before was played (SDL
says nothing of what lies behind that: a sound server, a television). Where it is too fast or too slow, short
pieces of the sound are repeated or left out.
"""

from __future__ import annotations

from collections import deque

import numpy

from reelway.media.layout import Array

__all__ = ["DeviceClock", "Steering", "longer", "shorter"]

MOST_LOOKS = 64
"""How often the device was looked at, within some seconds: as long as its drift is nothing."""
FAR_S = 0.045
"""From here on nobody waits for small steps: silence, or nothing at all until it is right."""
NEAR_S = 0.01
"""Less is let alone: the looks at the device are no better."""
STEP_S = 0.01
"""So much is repeated or left out at once."""
FADE_S = 0.005
MANY = 16
"""So many packets are late or early before anything is done about it."""


class DeviceClock:
    """When a device plays what it is given. Positions are seconds of sound since it began, gaps included."""

    def __init__(self, chunk_s: float) -> None:
        self.chunk_s = chunk_s
        self._since: deque[float] = deque(maxlen=MOST_LOOKS)
        """Times less what was taken by then: each up to a chunk before the time of position 0."""

    def look(self, now_s: float, taken_s: float) -> None:
        """It has taken so much by now, and there is more for it to take."""
        self._since.append(now_s - taken_s)

    def forget(self) -> None:
        """It has run dry: what it takes next has nothing to do with what it took when."""
        self._since.clear()

    def heard_s(self, position_s: float, now_s: float) -> float:
        """When what stands there is heard; where nothing was looked at, it is what is taken next."""
        if not self._since:
            return now_s + 1.5 * self.chunk_s
        begins_s = (min(self._since) + max(self._since) + self.chunk_s) / 2
        return begins_s + position_s + self.chunk_s


class Steering:
    """What to do about sound that would be heard at another time than it is due."""

    def __init__(self) -> None:
        self._late: list[float] = []
        self.late_s = 0.0
        """How much later than due the sound is heard, of the last packets."""

    def forget(self) -> None:
        self._late.clear()

    def turn(self, late_s: float, dry: bool) -> tuple[float, bool]:
        """How much sound to put in (or, below 0, to take out) [s], and whether at one go and without care.

        `late_s`: so much later than due the next packet would be heard. `dry`: the device has nothing now.
        """
        if dry or abs(late_s) > FAR_S:
            self._late.clear()
            self.late_s = 0.0
            return (-late_s, True) if dry or abs(late_s) > NEAR_S else (0.0, False)
        self._late.append(late_s)
        if len(self._late) < MANY:
            return 0.0, False
        self.late_s = sum(self._late) / MANY
        self._late.clear()
        if abs(self.late_s) < NEAR_S:
            return 0.0, False
        return -max(-STEP_S, min(STEP_S, self.late_s)), False


def shorter(samples: Array, count: int, rate: int) -> Array:
    """About `count` samples less: what is left out lies where the sound is most like itself, and is faded."""
    fade = _fade(samples, count, rate)
    if fade is None:
        return samples
    count = _likest(samples, count, len(fade))
    joined = _mixed(samples[: len(fade)], samples[count : count + len(fade)], fade)
    return numpy.concatenate([joined, samples[count + len(fade) :]])


def longer(samples: Array, count: int, rate: int) -> Array:
    """About `count` samples more: a piece is repeated, and faded into itself."""
    fade = _fade(samples, count, rate)
    if fade is None:
        return samples
    count = _likest(samples, count, len(fade))
    joined = _mixed(samples[count : count + len(fade)], samples[: len(fade)], fade)
    return numpy.concatenate([samples[:count], joined, samples[len(fade) :]])


def _fade(samples: Array, count: int, rate: int) -> Array | None:
    """From 0 to 1; None where the packet is too short to be joined in it."""
    length = min(round(FADE_S * rate), len(samples) - 3 * count // 2)
    return numpy.linspace(0, 1, length, dtype=numpy.float32)[:, None] if count > 0 and length > 1 else None


def _likest(samples: Array, count: int, length: int) -> int:
    """From half as much on to one and a half times, where the sound goes on most as it begins."""
    tone = samples.astype(numpy.float32).sum(axis=1)
    low, high = max(1, count // 2), 3 * count // 2
    windows = numpy.lib.stride_tricks.sliding_window_view(tone[low : high + length - 1], length)
    return low + int(numpy.abs(windows - tone[:length]).sum(axis=1).argmin())


def _mixed(first: Array, second: Array, fade: Array) -> Array:
    """From the one to the other, in their own format."""
    mixed = first * (1 - fade) + second * fade
    whole: Array = (mixed if first.dtype.kind == "f" else numpy.rint(mixed)).astype(first.dtype)
    return whole
