"""States and the ways between them."""

from __future__ import annotations

import itertools

from reelway.graph.states import TRANSITIONS, State, way


def test_every_state_is_reached_from_every_other_by_known_transitions_only() -> None:
    for start, end in itertools.product(State, State):
        steps = list(way(start, end))
        assert all(step in TRANSITIONS for step in steps)
        here = start
        for old, new in steps:
            assert old == here
            here = new
        assert here == end


def test_the_table_has_the_six_steps_up_and_down() -> None:
    assert len(TRANSITIONS) == 6
    assert all(abs(old - new) == 1 for old, new in TRANSITIONS)
    assert str(State.PLAYING) == "PLAYING"
