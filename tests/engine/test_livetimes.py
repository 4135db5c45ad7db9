"""The timeline of live sources: it rises, keeps to the clock across connections, closes jumps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelway.engine.backoff import FIRST_S, JITTER, LONGEST_S, Backoff
from reelway.engine.livetimes import LiveTimes, LiveTrack

FRAME = 3600
SCALE = 90000
FRAME_S = FRAME / SCALE


def play(track: LiveTrack, first: int, frames: int, now_s: float) -> list[int]:
    """Frames of 25 a second, the sender's times from `first` on, coming as they are due."""
    placed = []
    for i in range(frames):
        dts, cts = track.place(first + i * FRAME, first + i * FRAME, FRAME, now_s + i * FRAME_S)
        assert dts == cts
        placed.append(cts)
    return placed


def test_it_begins_at_zero_and_keeps_the_senders_times() -> None:
    track = LiveTimes().track(SCALE)
    assert play(track, 1_000_000, 5, 77.0) == [0, FRAME, 2 * FRAME, 3 * FRAME, 4 * FRAME]
    assert track.jumps == 0


def test_another_connection_goes_on_where_the_clock_is() -> None:
    times = LiveTimes()
    track = times.track(SCALE)
    play(track, 0, 25, 100.0)
    times.connected()
    placed = play(track, 5, 2, 110.0)
    assert placed == [10 * SCALE, 10 * SCALE + FRAME]


def test_another_connection_never_goes_back_though_more_came_than_the_clock_ran() -> None:
    times = LiveTimes()
    track = times.track(SCALE)
    last = 0
    for i in range(25):  # what was buffered comes at once
        _, last = track.place(i * FRAME, i * FRAME, FRAME, 100.0)
    times.connected()
    _, first = track.place(0, 0, FRAME, 100.2)
    assert first == last + FRAME


def test_streams_keep_their_distance_in_each_connection() -> None:
    times = LiveTimes()
    video, audio = times.track(SCALE), times.track(8000)
    for base_s, now_s in ((50, 10.0), (3, 20.0)):
        times.connected()
        _, picture = video.place(base_s * SCALE, base_s * SCALE, FRAME, now_s)
        _, sound = audio.place(base_s * 8000 + 800, base_s * 8000 + 800, 160, now_s)
        assert sound / 8000 - picture / SCALE == pytest.approx(0.1, abs=1e-4)


def test_sound_from_before_the_picture_is_known() -> None:
    times = LiveTimes()
    video, audio = times.track(SCALE), times.track(8000)
    assert not audio.precedes(0)
    video.place(SCALE, SCALE, FRAME, 10.0)
    assert audio.precedes(7999)
    assert not audio.precedes(8000)
    assert not audio.precedes(None)


@pytest.mark.parametrize("step", [1 << 31, -(1 << 31), -(1 << 33), 60 * SCALE, -SCALE])
def test_a_jump_of_the_sender_is_closed_for_all_streams(step: int) -> None:
    times = LiveTimes()
    video, audio = times.track(SCALE), times.track(SCALE)
    shown = play(video, 0, 10, 100.0)
    heard = play(audio, 0, 10, 100.0)
    now_s = 100.0 + 10 * FRAME_S
    shown += play(video, 10 * FRAME + step, 5, now_s)
    heard += play(audio, 10 * FRAME + step, 5, now_s)
    assert shown == [i * FRAME for i in range(15)]
    assert heard == shown
    assert video.jumps == audio.jumps == 1


def test_a_pause_that_was_waited_for_stays() -> None:
    track = LiveTimes().track(SCALE)
    play(track, 0, 2, 100.0)
    assert track.place(60 * SCALE, 60 * SCALE, FRAME, 160.0) == (60 * SCALE, 60 * SCALE)
    assert track.jumps == 0


def test_packets_without_times_follow_each_other() -> None:
    track = LiveTimes().track(SCALE)
    placed = [track.place(None, None, FRAME, 100.0 + i * FRAME_S)[1] for i in range(3)]
    placed.append(track.place(12345, 12345, FRAME, 100.0 + 3 * FRAME_S)[1])
    assert placed == [0, FRAME, 2 * FRAME, 3 * FRAME]


def test_pictures_out_of_order_keep_their_distance() -> None:
    track = LiveTimes().track(SCALE)
    assert track.place(0, 2 * FRAME, FRAME, 1.0) == (0, 2 * FRAME)
    assert track.place(FRAME, 5 * FRAME, FRAME, 1.04) == (FRAME, 5 * FRAME)
    assert track.place(None, 6 * FRAME, FRAME, 1.08)[0] is None


step = st.tuples(
    st.one_of(st.none(), st.integers(-(1 << 40), 1 << 40)),
    st.integers(0, 10_000),
    st.floats(0, 30),
    st.booleans(),
)


@given(st.lists(step, max_size=40))
def test_times_rise_whatever_is_sent(steps: list[tuple[int | None, int, float, bool]]) -> None:
    times, now_s, last = LiveTimes(), 5.0, -1
    track = times.track(SCALE)
    for said, duration, waited_s, again in steps:
        now_s += waited_s
        if again:
            times.connected()
        _, placed = track.place(said, said, duration, now_s)
        assert placed > last
        last = placed


@given(st.floats(0, 1))
def test_tries_come_ever_later_up_to_a_limit(drawn: float) -> None:
    backoff = Backoff(lambda: drawn)
    delays = [backoff.next_s() for _ in range(20)]
    assert FIRST_S * (1 - JITTER) <= delays[0] <= FIRST_S * (1 + JITTER)
    assert delays == sorted(delays)
    assert delays[-1] <= LONGEST_S * (1 + JITTER)
    backoff.reset()
    assert backoff.next_s() == delays[0]


def test_sources_lost_together_do_not_come_back_together() -> None:
    assert len({Backoff().next_s() for _ in range(50)}) > 25
