"""The ring, beside a list that forgets nothing; and packets that lie on disk."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reelway as rw
from reelway.media.packet import Packet
from reelway.record.ring import Kept, Ring, Stream
from reelway.record.spill import SEGMENT, Spill, Spilled

VIDEO = {"StreamType": "Visual", "CodecID": "h264", "Timescale": 10}
AUDIO = {"StreamType": "Audio", "CodecID": "aac", "Timescale": 10}


def kept(stream: Stream, number: int, sap: int = 1, size: int = 1) -> Kept:
    return Kept(
        stream, stream.properties, Packet(b"x" * size, number, number, 1, sap), number / 10, number / 10
    )


@given(
    keys=st.lists(st.booleans(), min_size=1, max_size=60),
    sound=st.booleans(),
    seconds=st.integers(0, 30),
    before=st.integers(0, 40),
)
def test_a_clip_has_all_from_the_keyframe_before(
    keys: list[bool], sound: bool, seconds: int, before: int
) -> None:
    video, audio = Stream("v", VIDEO), Stream("a", AUDIO)
    ring = Ring(seconds / 10, 1 << 30)
    everything: list[Kept] = []
    for number, key in enumerate(keys):
        for each in [kept(video, number, int(key))] + ([kept(audio, number)] if sound else []):
            ring.add(each)
            everything.append(each)
    start_s = (len(keys) - 1) / 10 - min(before, seconds) / 10
    found = ring.since(start_s)
    pictures = [each.packet.cts for each in found if each.stream is video]
    starts = [number for number, key in enumerate(keys) if key]
    if not starts:
        assert pictures == []
        return
    early = [number for number in starts if number / 10 <= start_s + 1e-9]
    first = early[-1] if early else starts[0]
    assert pictures == list(range(first, len(keys)))
    sounds = [each.packet.cts for each in found if each.stream is audio]
    assert sounds == (list(range(first, len(keys))) if sound else [])
    assert ring.bytes == len(ring)


def test_a_ring_without_room_forgets_the_oldest() -> None:
    video = Stream("v", VIDEO)
    ring = Ring(100.0, 10)
    for number in range(20):
        ring.add(kept(video, number, int(number % 4 == 0)))
    assert ring.short
    assert ring.bytes == 10
    assert [each.packet.cts for each in ring.since(0.0)] == list(range(12, 20))


def test_what_is_old_lies_on_disk_and_can_be_read(tmp_path: Path) -> None:
    spill = Spill(str(tmp_path))
    ring = Ring(1000.0, 1 << 30, spill)
    video = Stream("v", VIDEO)
    for number in range(100):
        ring.add(kept(video, number, size=1000))
    assert ring.bytes <= 22_000
    first = ring.since(0.0)[0].packet
    until(lambda: isinstance(first.payload, Spilled))
    assert bytes(first.data) == b"x" * 1000
    assert first.clone().size == 1000
    assert os.listdir(tmp_path) == []
    spill.close()
    assert bytes(first.data) == b"x" * 1000


def test_a_file_of_packets_is_as_long_as_it_is_needed(tmp_path: Path) -> None:
    spill = Spill(str(tmp_path))
    packets = [Packet(os.urandom(SEGMENT // 2 - 5)) for _ in range(6)]
    contents = [bytes(packet.data) for packet in packets]
    before = len(os.listdir("/proc/self/fd"))
    assert all(map(spill.move, packets))
    until(lambda: all(isinstance(packet.payload, Spilled) for packet in packets))
    assert [bytes(packet.data) for packet in packets] == contents
    assert len(os.listdir("/proc/self/fd")) == before + 2
    del packets[:5]
    assert len(os.listdir("/proc/self/fd")) == before
    spill.close()


def test_a_disk_that_is_full_or_slow_leaves_packets_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    spill = Spill(str(tmp_path))
    asked, goes = threading.Event(), threading.Event()

    def full(*_given: Any) -> int:
        asked.set()
        assert goes.wait(20.0)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    packets = [Packet(b"x") for _ in range(3000)]
    moved = [spill.move(packet) for packet in packets]
    assert asked.wait(20.0)
    assert moved[0]
    assert not moved[-1]
    goes.set()
    until(lambda: spill.failure is not None)
    assert not spill.move(Packet(b"x"))
    assert all(bytes(packet.data) == b"x" for packet in packets)
    until(lambda: "No space left on device: what comes before an event stays in memory" in caplog.text)


def test_a_folder_that_cannot_be_written_to() -> None:
    with pytest.raises(rw.OpenError, match="cannot hold what comes before an event"):
        Spill("/nowhere/at/all")


def until(happens: Callable[[], bool]) -> None:
    """Looks again and again, up to a deadline."""
    event = threading.Event()
    for _ in range(4000):
        if happens():
            return
        event.wait(0.005)
    raise AssertionError("it never happened")
