"""Several processes: every frame byte for byte, never a torn one, whoever is killed."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

from reelway import share
from tests.conftest import SOAK
from tests.share.conftest import Peer

Start = Callable[..., Peer]


def test_four_readers_get_every_frame_byte_for_byte(peer: Start, count: Callable[[int], int]) -> None:
    draw = numpy.random.default_rng(5)
    noise = draw.integers(0, 256, (1080 + 64, 1920, 3), numpy.uint8)
    wrote = []
    with share.Writer("cam1") as writer:
        readers = [peer("hash", name="cam1") for _ in range(4)]
        assert writer.wait_readers(4, 30.0)
        for number in range(count(300)):
            picture = noise[number % 64 :][:1080]
            picture[0, 0] = draw.integers(0, 256, 3)
            wrote.append(
                [writer.write(picture), hashlib.blake2b(numpy.ascontiguousarray(picture)).hexdigest()]
            )
        assert [told.frames for told in writer.readers] == [count(300)] * 4
        assert writer.dropped == 0
    for reader in readers:
        said = reader.until("hashes")
        assert said == {"hashes": wrote, "missed": 0, "writable": False}


def test_latest_gets_the_newest(peer: Start) -> None:
    """However many were written while it looked elsewhere; and the writer did not wait for it."""
    with share.Writer("cam1", slots=3) as writer, share.open("cam1", policy="latest") as frames:
        for turn in range(5):
            for number in range(20):
                writer.write(numpy.full((4, 4), turn * 20 + number, numpy.uint8))
            frame = frames.pull(10.0)
            assert frame is not None
            assert frame.sequence == writer.frames == (turn + 1) * 20
            assert frame[0, 0] == turn * 20 + 19
        assert writer.dropped == 0
        assert frames.missed == 4 * 19


@pytest.mark.timeout(300)
def test_no_frame_is_ever_torn(peer: Start) -> None:
    """A writer at full speed, whose frames also change their size, and eight readers that dawdle."""
    seconds = 120 if SOAK else 3
    writer = peer(
        "write",
        name="cam1",
        slots=12,
        patience_s=100.0,
        readers=8,
        seconds=seconds,
        sizes=True,
        shape=(100, 1024),
    )
    readers = [
        peer("check", name="cam1", policy=policy, seed=seed, delay_s=0.004, keep=True, begun=False)
        for seed, policy in enumerate(["every", "latest"] * 4)
    ]
    for reader in readers:
        reader.until("begun")
    wrote = writer.until("written", seconds + 60.0)
    counted = [reader.until("checked", 100.0)["checked"] for reader in readers]
    assert wrote["written"] > 100
    assert counted[::2] == [wrote["written"]] * 4, "with `every`"
    assert all(0 < frames <= wrote["written"] for frames in counted[1::2]), "with `latest`"


@pytest.mark.timeout(1200)
def test_kill_9_at_any_moment(peer: Start, folder: Path, count: Callable[[int], int]) -> None:
    """Readers and writers in turn: the others go on, and all that the dead had comes back."""
    draw = random.Random(9)
    given: dict[str, Any] = {"name": "cam1", "when_gone": "wait", "timeout_s": None}
    policies = ("every", "latest", "every")
    writer = peer("write", name="cam1", slots=8, patience_s=100.0, shape=(256, 1024))
    readers = [
        peer("check", **given, policy=policy, seed=seed, delay_s=0.001, keep=True)
        for seed, policy in enumerate(policies)
    ]
    before = [each.goes_on() for each in (writer, *readers)]
    for turn in range(count(200)):
        for _ in range(draw.randrange(12)):  # some moment
            writer.ask()
        at = draw.randrange(4)
        if at == 3:
            writer.close()
            writer = peer("write", name="cam1", slots=8, patience_s=100.0, shape=(256, 1024))
        else:
            readers[at].close()
            readers[at] = peer("check", **given, policy=policies[at], seed=turn, delay_s=0.001, keep=True)
        for each in (writer, *readers):
            each.goes_on()
    writer.tell("stop")
    for each, told in zip((writer, *readers), before, strict=True):
        now = each.ask("all") if each is not writer else writer.until("written")
        if each is not writer:
            assert now["descriptors"] <= told["descriptors"], "all descriptors came back"
            assert now["maps"] <= 4, "and all memories but those of arrays that are kept"
        else:
            assert now["info"]["bytes"] <= 2 * 8 * 256 * 1024
    for reader in readers:
        reader.kill()
    assert share.names() == []
    assert not folder.exists() or list(folder.iterdir()) == []


def test_slots_of_a_killed_reader_are_free_at_once(peer: Start) -> None:
    """Long before the patience is over."""
    with share.Writer("cam1", slots=3, patience_s=1000.0) as writer:
        reader = peer("hold", name="cam1", frames=2, begun=False)
        assert writer.wait_readers(1, 30.0)
        writer.write(bytes(10))
        writer.write(bytes(10))
        reader.until("begun")
        writer.write(bytes(10))
        assert writer.readers[0].held == 3
        with pytest.raises(TimeoutError, match=r"readers hold all 3 slots"):
            writer.write(bytes(10), timeout_s=0.01)
        reader.kill()
        assert writer.write(bytes(10), timeout_s=50.0) == 4
        assert writer.readers == ()


def test_a_killed_writer_leaves_nothing_behind(peer: Start, folder: Path) -> None:
    writer = peer("write", name="cam1", frames=5, leave=True)
    with share.open("cam1") as frames:
        pictures = list(frames)
        assert [picture.sequence for picture in pictures] == [1, 2, 3, 4, 5]
        assert [int(picture[0, 0]) for picture in pictures] == [1, 2, 3, 4, 5], "still there"
        assert frames.over == "the writer is gone"
    assert writer.process.wait(10) == -9
    assert list(folder.iterdir()) == []


def test_a_frame_that_is_held_does_not_change(peer: Start) -> None:
    """While the writer goes round and round in the slots that are left."""
    with share.Writer("cam1", slots=4) as writer:
        reader = peer("hold", name="cam1", policy="latest", begun=False)
        assert writer.wait_readers(1, 30.0)
        writer.write(numpy.full((64, 1024), 255, numpy.uint8))
        reader.until("begun")
        for number in range(1000):
            assert writer.write(numpy.full((64, 1024), number % 255, numpy.uint8), timeout_s=10.0)
        assert writer.dropped == 0
        reader.tell("stop")
        assert reader.until("same")["same"] is True


def test_a_reader_that_is_stuck_is_cut_off_and_told_so(peer: Start) -> None:
    """What it still looks at is not written to."""
    with share.Writer("cam1", slots=3, patience_s=0.2) as writer:
        stuck = peer("hold", name="cam1", frames=2, pull=True, begun=False)
        assert writer.wait_readers(1, 30.0)
        other = peer("check", name="cam1")
        for number in range(1, 101):
            writer.write(numpy.full((64, 64), number % 251, numpy.uint8))
            if number == 2:
                stuck.until("begun")
        assert len(writer.readers) == 1
        assert writer.info()["bytes"] == 3 * 4096, "what it looked at is no longer this writer's"
    assert other.until("checked")["checked"] == 100
    stuck.tell("stop")
    assert stuck.until("same")["same"] is True
    said = stuck.hear()
    assert said["error"] == "OpenError"
    assert "cut this reader off: nothing was free for 0.2 s, and it held most" in said["text"]
