"""Packets: every way to make one, and what they share."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest

import reelway as rw
from reelway.filters.simple import Forward, Null
from reelway.media.payload import Buffer, Frame, Part, SharedBuffer
from reelway.testing.faults import Choppy
from reelway.testing.parts import Collect, Feed, numbered


class Reference(Frame):
    """A raw frame of two planes that somebody else may see, as a codec's reference frames are."""

    format = "two planes"
    size = 30

    def __init__(self, planes: list[np.ndarray], seen_elsewhere: bool = False) -> None:
        self._planes = planes
        self.seen_elsewhere = seen_elsewhere

    def planes(self, writable: bool = False) -> list[np.ndarray]:
        return self._planes

    def view(self) -> memoryview:
        return memoryview(b"".join(plane.tobytes() for plane in self._planes))

    def make_writable(self) -> None:
        if self.seen_elsewhere:
            self._planes = [plane.copy() for plane in self._planes]
            self.seen_elsewhere = False

    def copy(self) -> Reference:
        return Reference([plane.copy() for plane in self._planes])


def full() -> rw.Packet:
    packet = rw.Packet(b"0123456789", 7, 9, 3, 2)
    packet.seek = packet.discontinuity = packet.corrupted = True
    packet.capture_time = 123
    packet.properties = {"Alpha": 1}
    return packet


def test_a_new_packet_knows_nothing() -> None:
    packet = rw.Packet(b"abc")
    assert (packet.dts, packet.cts, packet.duration, packet.capture_time, packet.properties) == (None,) * 5
    assert (packet.sap, packet.size, bytes(packet.data)) == (0, 3, b"abc")
    assert not any((packet.seek, packet.discontinuity, packet.corrupted, packet.shared))


def test_allocate_is_writable_and_zero() -> None:
    packet = rw.Packet.allocate(5)
    assert bytes(packet.data) == bytes(5)
    assert not packet.readonly
    memory = packet.writable()
    memory[1:3] = b"ab"
    assert bytes(packet.data) == b"\0ab\0\0"
    with pytest.raises(rw.PacketError, match="cannot hold -1"):
        rw.Packet.allocate(-1)


def test_data_is_a_view_and_read_only() -> None:
    memory = bytearray(b"abc")
    packet = rw.Packet(memory)
    memory[0] = ord("x")
    assert bytes(packet.data) == b"xbc"
    with pytest.raises(TypeError):
        packet.data[0] = 1
    assert packet.array().tolist() == list(b"xbc")
    assert not packet.array().flags.writeable
    with pytest.raises(rw.PacketError, match="object, which has no bytes") as caught:
        _ = rw.Packet(object()).data
    assert caught.value.hint == "read packet.payload"


def test_a_clone_shares_the_payload_and_nothing_else() -> None:
    packet = full()
    clone = packet.clone()
    assert clone.payload is packet.payload
    for name in rw.Packet.__slots__:
        if name not in ("__weakref__", "payload"):
            assert getattr(clone, name) == getattr(packet, name), name
    assert clone.properties is not packet.properties
    clone.dts, clone.seek = 1, False
    assert (packet.dts, packet.seek) == (7, True)


@pytest.mark.parametrize("which", ["original", "clone"])
def test_a_clone_changed_in_place_leaves_the_other(which: str) -> None:
    packet = rw.Packet.allocate(4)
    clone = packet.clone()
    assert packet.readonly
    assert clone.readonly
    changed, kept = (packet, clone) if which == "original" else (clone, packet)
    changed.writable()[0] = 255
    assert not changed.readonly
    assert bytes(changed.data) == b"\xff\0\0\0"
    assert bytes(kept.data) == bytes(4)


def test_who_holds_it_alone_writes_without_a_copy() -> None:
    packet = rw.Packet.allocate(4)
    before = packet.payload
    packet.writable()[0] = 1
    assert packet.payload is before


def test_copy_may_be_changed() -> None:
    packet = full()
    copy = packet.copy()
    assert not copy.readonly
    copy.writable()[:] = b"##########"
    assert bytes(packet.data) == b"0123456789"
    assert (copy.dts, copy.properties) == (7, {"Alpha": 1})


def test_a_part_is_a_view() -> None:
    memory = bytearray(b"0123456789")
    packet = rw.Packet(memory, 5)
    part = packet.part(2, 5).part(1, 3)
    assert isinstance(part.payload, Part)
    assert (bytes(part.data), part.size, part.dts) == (b"345", 3, 5)
    memory[3] = ord("x")
    assert bytes(part.data) == b"x45"
    part.writable()[0] = ord("y")
    assert memory[3] == ord("x")
    assert bytes(packet.part(0, 0).data) == b""
    assert packet.part(0, 10).payload is memory
    for offset, size in ((-1, 2), (0, 11), (9, 2), (0, -1)):
        with pytest.raises(rw.PacketError, match="not within a packet of 10"):
            packet.part(offset, size)


@pytest.mark.parametrize("payload", [b"0123456789", Buffer(b"0123456789")])
def test_truncate(payload: object) -> None:
    packet = rw.Packet(payload)
    clone = packet.clone() if isinstance(payload, bytes) else None
    packet.truncate(4)
    assert (packet.size, bytes(packet.data), bytes(packet.writable())) == (4, b"0123", b"0123")
    if clone is not None:
        assert bytes(clone.data) == b"0123456789"
    for size in (5, -1):
        with pytest.raises(rw.PacketError, match="cannot truncate"):
            packet.truncate(size)


def test_a_shared_buffer_is_truncated_for_one_only() -> None:
    packet = rw.Packet.allocate(4)
    clone = packet.clone()
    packet.truncate(2)
    assert (packet.size, clone.size, len(clone.data)) == (2, 4, 4)


def test_copy_properties() -> None:
    packet = rw.Packet(b"x")
    packet.copy_properties(full())
    other = full()
    assert bytes(packet.data) == b"x"
    for name in ("dts", "cts", "duration", "sap", "seek", "discontinuity", "corrupted", "capture_time"):
        assert getattr(packet, name) == getattr(other, name)
    assert packet.properties == {"Alpha": 1}


@pytest.mark.parametrize("seen", [False, True])
def test_planes_of_a_frame(seen: bool) -> None:
    planes = [np.zeros((4, 6), np.uint8), np.zeros((2, 3), np.uint8)]
    packet = rw.Packet(Reference(planes, seen))
    assert (packet.size, packet.array().shape) == (30, (5, 6))
    assert packet.readonly
    assert [plane.shape for plane in packet.planes()] == [(4, 6), (2, 3)]
    packet.writable()[0][0, 0] = 9
    assert packet.planes()[0][0, 0] == 9
    assert planes[0][0, 0] == (0 if seen else 9)  # the payload was asked
    clone = packet.clone()
    clone.writable()[0][0, 0] = 5
    assert packet.planes()[0][0, 0] == 9
    with pytest.raises(rw.PacketError, match="holds no raw frame"):
        rw.Packet(b"").planes()


class Shares(rw.Filter):
    """A source whose packets lie in memory of its own, with a release callback."""

    outputs = (rw.Caps(),)

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count
        self.released: list[tuple[int, int]] = []

    def open(self) -> None:
        self.out = self.new_pid("shared", StreamType="Visual", CodecID="test", Timescale=1000)

    def process(self) -> float | None:
        for n in range(self.count):
            memory = bytearray(n.to_bytes(8, "big"))
            packet = self.out.new_shared(
                memory,
                lambda n=n: self.released.append((n, threading.get_ident())),  # type: ignore[misc]
            )
            assert packet.readonly
            packet.dts = n
            self.out.send(packet)
        self.out.end()
        return None


@pytest.mark.parametrize("thread", ["session", "pool", "own"])
def test_release_runs_on_the_sessions_thread(thread: str) -> None:
    session = rw.Session(threads=2)
    source, middle, sink = Shares(20), Choppy(), Null()
    middle.thread = sink.thread = thread  # type: ignore[assignment]
    session.add(source) >> session.add(middle)
    middle >> session.add(sink)
    middle >> session.add(Collect())
    session.run()
    assert source.released == []  # they are still collected
    del session, middle, sink
    source2, session2 = Shares(20), rw.Session(threads=2)
    sink2 = Null()
    sink2.thread = thread  # type: ignore[assignment]
    session2.add(source2) >> session2.add(sink2)
    session2.run()
    assert sorted(n for n, _ in source2.released) == list(range(20))
    assert {where for _, where in source2.released} == {threading.get_ident()}


def reader_of(packet: rw.Packet, how: str) -> object:
    """One way to read `packet`, and all that is left of it."""
    return {
        "packet": lambda: packet,
        "clone": packet.clone,
        "part": lambda: packet.part(1, 2),
        "data": lambda: packet.data,
        "slice": lambda: packet.data[1:3],
        "array": packet.array,
        "numpy": lambda: np.asarray(packet.data)[2:],
    }[how]()


@pytest.mark.parametrize("how", ["packet", "clone", "part", "data", "slice", "array", "numpy"])
def test_release_waits_for_the_last_reader(how: str) -> None:
    released: list[int] = []
    reader = reader_of(
        rw.Packet(SharedBuffer(b"abcdef", lambda: released.append(1), lambda call: call())), how
    )
    gc.collect()
    assert released == []
    del reader
    gc.collect()
    assert released == [1]


def test_a_writable_copy_lets_go_of_shared_memory() -> None:
    released: list[int] = []
    packet = rw.Packet(SharedBuffer(b"abc", lambda: released.append(1), lambda call: call()))
    packet.writable()[0] = 0
    assert released == [1]


def test_a_packet_that_is_not_sent_is_released() -> None:
    released: list[int] = []
    rw.Packet(SharedBuffer(b"abc", lambda: released.append(1), lambda call: call()))
    assert released == [1]


def test_release_after_the_end_and_a_release_that_fails() -> None:
    session, source, sink = rw.Session(), Shares(2), Collect()
    session.add(source) >> session.add(sink)
    session.run()
    assert source.released == []
    sink.seen.clear()
    for link in sink.ipids:
        link.data = None
    assert sorted(n for n, _ in source.released) == [0, 1]

    class Fails(Shares):
        def process(self) -> float | None:
            self.out.send(self.out.new_shared(b"abc", lambda: 1 / 0))  # type: ignore[arg-type]
            self.out.end()
            return None

    session = rw.Session(threads=0)
    session.add(Fails(1)) >> session.add(Null())
    with pytest.raises(rw.FilterError, match="callback '<lambda>' failed: ZeroDivisionError"):
        session.run()


def test_each_consumer_has_a_packet_of_its_own() -> None:
    session = rw.Session(threads=0)
    seen: list[bytes] = []

    class Writes(Forward):
        def process(self) -> float | None:
            for pid in self.ipids:
                for packet in pid:
                    packet.writable()[:] = b"\xff" * packet.size
                    packet.properties = {"Width": 1}
                    packet.dts = -1
                    seen.append(bytes(packet.data))
                    assert pid.output is not None
                    pid.output.send(packet)
            return None

    source, plain, after = session.add(Feed(numbered(5))), Collect(), Collect()
    source >> session.add(Writes()) >> session.add(after)
    source >> session.add(plain)
    session.run()
    assert plain.numbers == [0, 1, 2, 3, 4]
    assert [packet.dts for packet in plain.only.packets] == [0, 40, 80, 120, 160]
    assert all(packet.properties is None for packet in plain.only.packets)
    assert seen == [b"\xff" * 8] * 5
    assert [packet.properties for packet in after.only.packets] == [{"Width": 1}] * 5
