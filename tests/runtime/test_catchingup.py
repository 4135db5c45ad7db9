"""A session's thread that is held up: sources on threads of their own go on; what they sent comes first."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import reelway as rw
from reelway.filters.simple import Forward
from reelway.graph import policy
from reelway.runtime import catchingup
from reelway.testing.clock import VirtualClock

STEP = 10
ROUNDS = 6
RAW = {"StreamType": "Visual", "CodecID": "raw", "Timescale": 1000, "Live": True}


class Camera(rw.Filter):
    """Sends as many packets as it is allowed to, and nobody can make it wait."""

    thread = "own"
    outputs = (rw.Caps(StreamType="Visual", CodecID="raw"),)

    def __init__(self, delay_s: float = 0.0) -> None:
        super().__init__()
        self._delay_s = delay_s
        self._changed = threading.Condition()
        self._allowed = 1
        self.sent = 0
        self.over = False

    def open(self) -> None:
        self.out = self.new_pid("video1", **RAW)

    def process(self) -> float | None:
        with self._changed:
            self._changed.wait_for(lambda: self.sent < self._allowed or self.over, 0.02)
            if self.over:
                self.out.end()
                return None
            if self.sent < self._allowed:
                self.out.send(rw.Packet(b"", 40 * self.sent, 40 * self.sent, 40, 1))
                self.sent += 1
                self._changed.notify_all()
        return self._delay_s

    def go_on(self) -> None:
        """Until it has sent so many more: a consumer that takes as long as that."""
        with self._changed:
            self._allowed += STEP
            assert self._changed.wait_for(lambda: self.sent == self._allowed, 20), "the source stands still"

    def allow(self) -> None:
        with self._changed:
            self._allowed += 1
            self._changed.notify_all()

    def end(self) -> None:
        with self._changed:
            self.over = True


class Middle(Forward):
    """What a decoder is to a session."""

    thread = "pool"
    input_limits = rw.Limits()

    def process(self) -> float | None:
        for pid in self.ipids:
            packet = pid.get()
            if packet is not None and pid.output is not None:
                pid.output.send(packet)
        return None


class Slow(rw.Filter):
    """Holds the session's thread, as long as it takes the source to send some more."""

    inputs = (rw.Caps(),)

    def __init__(self, camera: Camera) -> None:
        super().__init__()
        self._camera = camera
        self.numbers: list[int] = []

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                assert packet.dts is not None
                self.numbers.append(packet.dts // 40)
                if len(self.numbers) < ROUNDS:
                    self._camera.go_on()
                else:
                    self._camera.end()


class Late(Slow):
    """Lets a packet come when it is there."""

    def configure(self, pid: rw.Link) -> None:
        self._camera.allow()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However short a turn was, it counts as a long one, and is caught up with completely."""
    away = catchingup.CatchingUp.away
    monkeypatch.setattr(catchingup, "AWAY_S", 0.0)
    monkeypatch.setattr(policy, "LONG_S", 0.0)
    monkeypatch.setattr(catchingup.CatchingUp, "away", lambda self, _: away(self, 5.0))


def run(delay_s: float = 0.0, **options: Any) -> tuple[list[int], Any]:
    camera = Camera(delay_s)
    slow = Slow(camera)
    with rw.Session(threads=2, **options) as session:
        middle = Middle()
        for each in (camera, middle, slow):
            session.add(each)
        camera >> middle >> slow
        session.run()
        return slow.numbers, session.statistics()


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("delay_s", [0.0, 0.001])
def test_each_turn_has_the_newest(delay_s: float) -> None:
    numbers, statistics = run(delay_s)
    assert numbers == [STEP * n for n in range(ROUNDS)]
    (link,) = [link for each in statistics.filters for link in each.inputs if link.policy == "fresh"]
    assert link.packets_dropped == (STEP - 1) * (ROUNDS - 1)


def test_with_a_policy_of_its_own_a_session_leaves_nothing_out() -> None:
    numbers, _ = run(policy="block")
    assert numbers[:STEP] == list(range(len(numbers)))[:STEP]


def test_a_session_that_stops_ends_a_source_that_goes_on_by_itself() -> None:
    camera = Camera()
    with rw.Session() as session:
        session.add(camera) >> session.load("null")
        session.post(session.stop, 0.05)
        session.run()
    assert camera.out.ended


def test_a_source_that_goes_on_by_itself_is_linked_to_who_comes_late() -> None:
    camera = Camera()
    with rw.Session() as session:
        session.add(camera) >> session.load("null")
        late = Late(camera)

        def link() -> None:
            session.add(late)
            camera >> late

        session.post(link, 0.05)
        session.run()
    assert len(late.numbers) >= ROUNDS


class Ahead(Camera):
    """Sends all it has at once, a second of it."""

    def process(self) -> float | None:
        for number in range(25):
            self.out.send(rw.Packet(b"", 40 * number, 40 * number, 40, 1))
        self.out.end()
        return None


def test_what_lets_packets_through_at_their_times_has_all_of_them() -> None:
    seen: list[int | None] = []
    with rw.Session(clock=VirtualClock()) as session:
        gate = session.load("gate")
        camera = session.add(Ahead())
        camera >> gate >> session.load("call", function=lambda packet: seen.append(packet.dts))
        session.run()
    assert seen == list(range(0, 1000, 40))
