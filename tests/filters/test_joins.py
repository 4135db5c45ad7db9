"""mix, grid and concat: the same for every thread and limit; the mix is what numpy adds up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reelway as rw
from reelway.filters.concat import Concat
from reelway.filters.grid import Grid
from reelway.filters.mix import Mix
from reelway.filters.testaudio import TestAudio
from reelway.filters.testvideo import TestVideo
from tests.filters.raw import Late, heard, joined, sound, sound_properties

RATE = 1000


def logs(make: Callable[[], rw.Filter], thread: str, **session: Any) -> dict[str, Any]:
    if isinstance(make(), Mix):
        sources: list[rw.Filter] = [
            TestAudio(wave="noise", seed=n, duration=0.7 - 0.2 * n, samples=100 + n, sample_rate=8000)
            for n in range(3)
        ]
    else:
        sources = [TestVideo(size="64x48", fps=25 + 5 * n, duration=0.7 - 0.2 * n) for n in range(3)]
    for source in sources[1:]:
        source.thread = thread  # type: ignore[assignment]
    filter = make()
    filter.thread = thread  # type: ignore[assignment]
    return {name: seen.log for name, seen in joined(sources, filter, **session).seen.items()}


@pytest.mark.parametrize(
    "make", [Mix, Grid, Concat, lambda: Grid(end="shortest"), lambda: Mix(end="shortest")]
)
def test_threads_and_limits_change_nothing(make: Callable[[], rw.Filter]) -> None:
    plain = logs(make, "session", threads=0)
    for thread in ("session", "pool", "own"):
        for packets in (1, 2, 64):
            assert logs(make, thread, threads=2, limits=rw.Limits(packets=packets)) == plain


@given(
    voices=st.lists(
        st.tuples(st.integers(0, 3000), st.integers(0, 2500), st.integers(1, 700)), min_size=1, max_size=4
    ),
    samples=st.integers(1, 1500),
)
def test_a_mix_is_the_sum(voices: list[tuple[int, int, int]], samples: int) -> None:
    """Sources (start, length, packet size) anywhere on the timeline."""
    parts = [
        np.random.default_rng(n).uniform(-0.2, 0.2, (count, 1)) for n, (_, count, _) in enumerate(voices)
    ]
    sources: list[rw.Filter] = [
        Late(start / RATE, sound(part, "dbl", size), properties=sound_properties(RATE, format="dbl"))
        for part, (start, _, size) in zip(parts, voices, strict=True)
    ]
    heard_at = [(start, count) for start, count, _ in voices if count]
    if not heard_at:
        return
    first, last = min(start for start, _ in heard_at), max(start + count for start, count in heard_at)
    wanted = np.zeros((last - first, 1))
    for part, (start, count, _) in zip(parts, voices, strict=True):
        if count:
            wanted[start - first : start - first + count] += part
    seen = joined(sources, Mix(samples=samples)).only
    np.testing.assert_allclose(heard(seen), wanted, atol=1e-12)
    assert seen.packets[0].dts == first
    assert {packet.duration for packet in seen.packets[:-1]} <= {samples}
