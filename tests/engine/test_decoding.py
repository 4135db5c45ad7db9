"""Decoding switched off and on while the stream goes on."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

import reelway as rw
from reelway.engine import group
from reelway.engine.decoder import Decoder
from reelway.engine.group import Group
from tests.media import make

GOP = 25


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds with counters and B-frames, a keyframe a second."""
    return make.film(tmp_path_factory.mktemp("film") / "film.mp4", seconds=6, fps=25, audio=0)


class Switched:
    """What came out of a decoder that was switched at some packets of its input: number -> on."""

    def __init__(self, film: Path, at: dict[int, bool], *, decoding: bool = True) -> None:
        self.counters: list[int] = []
        self.flags: list[bool] = []
        self.times: list[int] = []
        packets = 0
        with rw.Session(threads=0, limits=rw.Limits(packets=1)) as session:
            decoder = session.load("decode", decoding=decoding, threads=1)

            def switch(packet: rw.Packet) -> rw.Packet:
                nonlocal packets
                if packets in at:
                    decoder.update("decoding", at[packets])
                packets += 1
                return packet

            def look(packet: rw.Packet) -> None:
                self.counters.append(make.read_counter(packet.planes()[0]))
                self.flags.append(packet.discontinuity)
                assert packet.cts is not None
                self.times.append(packet.cts)

            source = session.load_src(str(film))
            source.video >> session.load("call", function=switch) >> decoder
            decoder >> session.load("call", function=look) >> session.load("null")
            session.run()


def test_on_again_the_picture_of_that_moment_comes_at_once(film: Path) -> None:
    seen = Switched(film, {30: False, 90: True})
    (at,) = [number for number, flag in enumerate(seen.flags) if flag]
    assert 25 <= seen.counters[at - 1] <= 31
    assert 85 <= seen.counters[at] <= 92  # the keyframe before it was 75, the next one is 100
    for part in (seen.counters[:at], seen.counters[at:]):
        assert all(b - a == 1 for a, b in pairwise(part))
    assert seen.counters[0] == 0
    assert seen.counters[-1] == 149
    assert all(a < b for a, b in pairwise(seen.times))


def test_where_no_keyframe_came_meanwhile_the_next_one_is_waited_for(film: Path) -> None:
    seen = Switched(film, {30: False, 40: True})
    (at,) = [number for number, flag in enumerate(seen.flags) if flag]
    assert seen.counters[at] == 50
    assert seen.counters[at:] == list(range(50, 150))


def test_off_it_decodes_nothing(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[rw.Packet] = []
    monkeypatch.setattr(Decoder, "decode", lambda _, packet: decoded.append(packet))
    seen = Switched(film, {}, decoding=False)
    assert not seen.counters
    assert not decoded


def test_off_from_the_beginning_and_on_later(film: Path) -> None:
    seen = Switched(film, {60: True}, decoding=False)
    assert 55 <= seen.counters[0] <= 62
    assert seen.flags[0]
    assert seen.counters[-1] == 149


def test_over_and_over(film: Path) -> None:
    at = {number: bool(number // 10 % 2) for number in range(10, 150, 10)}
    seen = Switched(film, at)
    assert all(a < b for a, b in pairwise(seen.counters))
    jumps = [b for (a, b) in pairwise(seen.counters) if b - a > 1]
    assert [counter for counter, flag in zip(seen.counters, seen.flags, strict=True) if flag] == jumps


def packet(size: int, sap: int = 0) -> rw.Packet:
    return rw.Packet(bytes(size), 0, 0, 1, sap)


def test_of_a_group_that_is_too_long_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "MOST_BYTES", 100)
    kept = Group()
    kept.keep(packet(10))
    assert not kept.packets  # nothing to begin with
    kept.keep(packet(60, 1))
    kept.keep(packet(30))
    assert len(kept.packets) == 2
    kept.keep(packet(30))
    kept.keep(packet(1))
    assert not kept.packets
    kept.keep(packet(10, 1))
    assert len(kept.take()) == 1
    assert not kept.packets


def test_what_is_behind_a_loss_is_not_kept() -> None:
    kept = Group()
    kept.keep(packet(10, 1))
    lost = packet(10)
    lost.discontinuity = True
    kept.keep(lost)
    assert not kept.packets
