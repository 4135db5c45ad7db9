"""Decoding of a camera switched off and on, while its stream goes on."""

from __future__ import annotations

from itertools import pairwise

import pytest

import reelway as rw
from tests.live.conftest import MakeServer
from tests.live.watching import Watch, WatchCoded

pytestmark = pytest.mark.alone

OFF, ON, END = 20, 65, 90
"""Numbers of coded pictures; every 25th is a keyframe, so that 75 would be the next one."""


def test_the_stream_goes_on_and_the_picture_of_the_moment_comes_at_once(rtsp_server: MakeServer) -> None:
    server = rtsp_server()
    decoded_when_off: list[int] = []

    def follow(coded: Watch) -> bool:
        count = len(coded.times)
        if count == OFF:
            decoder.update("decoding", False)
        elif count in (OFF + 5, ON - 1):
            decoded_when_off.append(len(seen.counters))
        elif count == ON:
            decoder.update("decoding", True)
        return count == END

    with rw.Session() as session:
        source = session.load_src(server.url)
        decoder = session.load("decode")
        seen, coded = Watch(lambda _: False), WatchCoded(follow)
        source.video >> decoder >> session.add(seen)
        source.video >> session.add(coded)
        session.run()
        assert source.connections == 1  # type: ignore[attr-defined]
    before, after = decoded_when_off
    assert before == after  # nothing was decoded meanwhile
    (at,) = [number for number, flag in enumerate(seen.flags) if flag]
    assert at == before
    assert ON - 3 <= seen.counters[at] <= ON + 3
    for part in (seen.counters[:at], seen.counters[at:]):
        assert all(b - a == 1 for a, b in pairwise(part))
    assert len(coded.times) >= END
    assert not any(coded.flags)
