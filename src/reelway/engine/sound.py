"""Sound into another sample format, rate or layout, with times that are counted in samples.

Times of containers are coarse (a millisecond is 48 samples, also when finer ticks carry it), so they are
believed where they are ahead of the count by more than that: then there is a gap, and what came before is
finished first.
"""

from __future__ import annotations

from typing import Any

from reelway.engine.through import Through

__all__ = ["SoundClock", "SoundConverter"]

JITTER = 500
"""Part of a second that times may be off by for their coarseness: two milliseconds."""

OVERLAP = 16
"""Part of a second that sound may come later than its times say, because pieces before it were too long."""


class SoundClock:
    """When each piece of sound starts [samples], from times in ticks of `timescale`."""

    def __init__(self, timescale: int) -> None:
        self._timescale = timescale
        self._rate = 0
        self._next: int | None = None

    def start(self, ticks: int | None, samples: int, rate: int) -> int:
        """The start of a piece of `samples` samples that its packet says starts at `ticks`."""
        if rate != self._rate:
            if self._next is not None and self._rate:
                self._next = round(self._next * rate / self._rate)
            self._rate = rate
        said = None if ticks is None else (2 * ticks * rate + self._timescale) // (2 * self._timescale)
        start = self._next
        if start is None:
            start = said or 0
        elif said is not None:
            ahead = said - start
            # a little back is overlap, which would make samples come before others; where it adds up, as in
            # joined pieces, going back keeps sound and pictures together
            if ahead > max(rate // self._timescale + 2, rate // JITTER) or ahead < -rate // OVERLAP:
                start = said
        self._next = start + samples
        return start


class SoundConverter:
    """Frames go in with `pts` in samples of their rate, and come out with `pts` in samples of the new rate.

    Nothing is lost: what the resampler holds back comes with `drain()`, or before a gap.
    """

    def __init__(self, *, format: str, rate: int, layout: str) -> None:
        self.rate = rate
        self._format = format
        self._layout = layout
        self._resampler: Through | None = None
        self._key: tuple[Any, ...] = ()
        self._next_in: int | None = None
        self._next_out = 0

    def convert(self, frame: Any) -> list[Any]:
        ready: list[Any] = []
        key = frame.format.name, frame.sample_rate, frame.layout.name, frame.layout.nb_channels
        start = frame.pts
        if start is None:
            start = self._next_in or 0
        if key != self._key or start != self._next_in:
            ready = self.drain()
            self._key = key
            self._next_out = (2 * start * self.rate + frame.sample_rate) // (2 * frame.sample_rate)
        self._next_in = start + frame.samples
        if key[:3] == (self._format, self.rate, self._layout):
            return [*ready, *self._timed([frame])]
        if self._resampler is None:
            wanted = f"sample_fmts={self._format}:sample_rates={self.rate}:channel_layouts={self._layout}"
            self._resampler = Through(frame, ("aformat", wanted))
        return [*ready, *self._timed(self._resampler.some(frame))]

    def drain(self) -> list[Any]:
        """The last frames; then it is as new."""
        resampler, self._resampler, self._next_in = self._resampler, None, None
        return self._timed(resampler.some(None)) if resampler is not None else []

    def _timed(self, frames: list[Any]) -> list[Any]:
        for frame in frames:
            frame.pts = self._next_out
            self._next_out += frame.samples
        return frames
