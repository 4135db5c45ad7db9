"""Custom filters: what their callbacks see, what their packets carry, and how they end and fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import reelway as rw
import reelway.compat.libgpac as gpac
from reelway.media.frame import MemoryFrame
from tests.media import make


class Source(gpac.FilterCustom):
    """Sends `count` packets of 10 bytes each, 10 ticks apart; `make` makes each from its number."""

    def __init__(
        self, session: gpac.FilterSession, count: int = 5, make: Callable[..., Any] | None = None
    ) -> None:
        super().__init__(session, "source")
        self.push_cap("StreamType", "Metadata", gpac.GF_CAPS_OUTPUT)
        self.count, self.sent, self.make = count, 0, make
        self.opid: Any = None

    def properties(self, pid: Any) -> None:
        pid.set_prop("StreamType", "Metadata")
        pid.set_prop("CodecID", "mtxt")
        pid.set_prop("Timescale", 1000)

    def process(self) -> int:
        if self.opid is None:
            self.opid = self.new_pid()
            self.properties(self.opid)
        if self.sent == self.count:
            self.opid.eos = True
            return gpac.GF_EOS
        packet = self.make(self.opid, self.sent) if self.make else self.opid.new_pck(10)
        if not self.make:
            packet.data[:] = self.sent % 256
        packet.dts = packet.cts = self.sent * 10
        packet.dur = 10
        packet.send()
        self.sent += 1
        return gpac.GF_OK


class Sink(gpac.FilterCustom):
    """Keeps what `look(pid, pck)` returns of every packet."""

    def __init__(self, session: gpac.FilterSession, look: Callable[..., Any] | None = None) -> None:
        super().__init__(session, "sink")
        self.push_cap("StreamType", "Metadata", gpac.GF_CAPS_INPUT)
        self.look = look or (lambda pid, pck: pck.dts)
        self.seen: list[Any] = []
        self.configured: list[bool] = []
        self.ended = 0

    def configure_pid(self, pid: Any, is_remove: bool) -> int:
        self.configured.append(pid in self.ipids)
        return 0

    def process(self) -> int:
        for pid in self.ipids:
            pck = pid.get_packet()
            if pck is None:
                self.ended += pid.eos
                break
            self.seen.append(self.look(pid, pck))
            pid.drop_packet()
        return 0


class Unframed(Sink):
    """Takes parts of frames as they come."""

    def configure_pid(self, pid: Any, is_remove: bool) -> int:
        pid.set_framing(False)
        return super().configure_pid(pid, is_remove)


@pytest.fixture
def fs() -> Iterator[gpac.FilterSession]:
    session = gpac.FilterSession()
    yield session
    session.delete()


def seen(
    fs: gpac.FilterSession, look: Callable[..., Any], make: Callable[..., Any] | None = None, count: int = 5
) -> Any:
    """What `look` returned for each packet of a Source."""
    Source(fs, count, make)
    sink = Sink(fs, look)
    fs.run()
    return sink.seen


# Packets


def test_a_source_of_its_own_feeds_a_sink_of_its_own(fs: gpac.FilterSession) -> None:
    source, sink = (
        Source(fs, 200),
        Sink(fs, lambda pid, pck: (pck.dts, pck.cts, pck.dur, pck.size, bytes(pck.data))),
    )
    fs.run()
    assert sink.seen == [(10 * n, 10 * n, 10, 10, bytes([n] * 10)) for n in range(200)]
    assert sink.configured == [False]
    assert sink.ended
    assert source.opids[0].eos
    assert sink.ipids[0].eos


def test_all_flags_of_a_packet_travel(fs: gpac.FilterSession) -> None:
    values = {
        "sap": 1,
        "seek": True,
        "corrupted": True,
        "start": 0,
        "end": 0,
        "interlaced": 2,
        "byte_offset": 77,
        "roll": -3,
        "crypt": 5,
        "clock": 1,
        "carousel": 4,
        "seqnum": 9,
        "deps": 0x55,
    }

    def build(opid: Any, number: int) -> Any:
        packet = opid.new_pck(1)
        for name, value in values.items():
            setattr(packet, name, value)
        return packet

    source, sink = Source(fs, 1, build), Unframed(fs, lambda _, pck: {n: getattr(pck, n) for n in values})
    fs.run()
    assert source.opids[0].eos
    assert sink.seen == [values]


def test_what_a_packet_says_when_nothing_was_said(fs: gpac.FilterSession) -> None:
    def look(pid: Any, pck: Any) -> Any:
        return (
            (pck.sap, pck.seek, pck.corrupted, pck.interlaced, pck.start, pck.end, pck.roll, pck.deps),
            (pck.timescale, pck.has_properties, pck.frame_ifce, pck.frame_ifce_gl, pck.blocking_ref),
        )

    assert seen(fs, look, count=1) == [((0, False, False, 0, 1, 1, 0, 0), (1000, False, False, False, False))]


def test_unknown_times_are_libgpacs_number(fs: gpac.FilterSession) -> None:
    pid = Source(fs).new_pid()
    packet = pid.new_pck(3)
    assert (packet.dts, packet.cts, packet.dur) == (2**64 - 1, 2**64 - 1, 0)
    packet.dts = 5
    packet.dts = 2**64 - 1
    assert packet._packet.dts is None


def test_packet_properties(fs: gpac.FilterSession) -> None:
    class Listener:
        def __init__(self) -> None:
            self.heard: dict[str, Any] = {}

        def on_prop_enum(self, name: str, value: Any) -> None:
            self.heard[name] = value

    def build(opid: Any, number: int) -> Any:
        packet = opid.new_pck(1)
        packet.roll = 2
        packet.set_prop("SenderNTP", 123)
        packet.set_prop("mine", 4, gpac.GF_PROP_UINT)
        packet.set_prop("gone", "x")
        packet.set_prop("gone", None)
        return packet

    def look(pid: Any, pck: Any) -> Any:
        listener = Listener()
        pck.enum_props(listener)
        return listener.heard, pck.get_prop("mine"), pck.get_prop("gone"), pck.has_properties

    assert seen(fs, look, build, 1) == [({"SenderNTP": 123, "mine": 4}, 4, None, True)]


def test_a_packet_that_came_in_cannot_be_changed(fs: gpac.FilterSession) -> None:
    def look(pid: Any, pck: Any) -> None:
        assert not pck.data.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            pck.data[0] = 1
        for change in (
            lambda: setattr(pck, "dts", 1),
            lambda: setattr(pck, "sap", 1),
            lambda: setattr(pck, "roll", 1),
            lambda: pck.truncate(1),
            lambda: pck.set_prop("mine", 1),
            lambda: pck.copy_props(pck),
            pck.discard,
            pck.readonly,
            pck.send,
        ):
            with pytest.raises(rw.PacketError, match="on a packet that came in"):
                change()

    seen(fs, look, count=1)


def test_data_is_none_without_bytes(fs: gpac.FilterSession) -> None:
    assert seen(fs, lambda pid, pck: (pck.data, pck.size), lambda opid, n: opid.new_pck(), 1) == [(None, 0)]


def test_a_packet_is_sent_once(fs: gpac.FilterSession) -> None:
    pid = Source(fs).new_pid()
    packet = pid.new_pck(3)
    packet.send()
    with pytest.raises(rw.PacketError, match="cannot send: the packet was sent already"):
        packet.send()
    gone = pid.new_pck(3)
    gone.discard()
    with pytest.raises(rw.PacketError, match="the packet was discarded"):
        gone.send()


def test_readonly_and_truncate(fs: gpac.FilterSession) -> None:
    packet = Source(fs).new_pid().new_pck(8)
    packet.data[:] = range(8)
    packet.truncate(3)
    assert (packet.size, list(packet.data)) == (3, [0, 1, 2])
    packet.readonly()
    assert not packet.data.flags.writeable


def test_the_same_packet_until_it_is_dropped(fs: gpac.FilterSession) -> None:
    def look(pid: Any, pck: Any) -> Any:
        assert pid.get_packet() is pck
        assert not pid.first_empty
        assert pid.first_cts == pck.cts
        assert pid.nb_pck_queued >= 1
        return pck

    packets = seen(fs, look)
    assert len(set(map(id, packets))) == 5
    assert bytes(packets[0].data) == bytes(10)  # lives as long as it is held


class Middle(gpac.FilterCustom):
    """Sends on what `make(opid, pck)` makes of each packet; None: nothing, the packet was forwarded."""

    def __init__(self, session: gpac.FilterSession, make: Callable[..., Any]) -> None:
        super().__init__(session, "middle")
        self.push_cap("StreamType", "Metadata", gpac.GF_CAPS_INPUT_OUTPUT)
        self.make = make
        self.released: list[Any] = []

    def configure_pid(self, pid: Any, is_remove: bool) -> int:
        if pid not in self.ipids:
            pid.opid = self.new_pid()
        pid.opid.copy_props(pid)
        return 0

    def process(self) -> int:
        for pid in self.ipids:
            pck = pid.get_packet()
            if pck is None:
                if pid.eos:
                    pid.opid.eos = True
                break
            made = self.make(pid.opid, pck)
            if made is not None:
                made.copy_props(pck)
                made.send()
            pid.drop_packet()
        return 0

    def packet_release(self, opid: Any, pck: Any) -> None:
        self.released.append((opid, pck, threading.current_thread()))


def through(
    fs: gpac.FilterSession, make: Callable[..., Any], look: Callable[..., Any]
) -> tuple[Middle, list[Any]]:
    Source(fs)
    middle, sink = Middle(fs, make), Sink(fs, look)
    sink.set_source(middle)
    fs.run()
    return middle, sink.seen


def change(packet: Any) -> Any:
    packet.data[0] = 99
    return packet


def new_filled(opid: Any, pck: Any) -> Any:
    packet = opid.new_pck(pck.size)
    np.copyto(packet.data, pck.data)
    return packet


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda opid, pck: opid.forward(pck), lambda n: [n] * 10),
        (lambda opid, pck: opid.new_pck_ref(pck), lambda n: [n] * 10),
        (lambda opid, pck: opid.new_pck_ref(pck, 4), lambda n: [n] * 4),
        (lambda opid, pck: opid.new_pck_ref(pck, 0, 7), lambda n: [n] * 3),
        (lambda opid, pck: change(opid.new_pck_copy(pck)), lambda n: [99] + [n] * 9),
        (lambda opid, pck: change(opid.new_pck_clone(pck)), lambda n: [99] + [n] * 9),
        (new_filled, lambda n: [n] * 10),
        (lambda opid, pck: opid.new_pck_shared(pck.data), lambda n: [n] * 10),
        (lambda opid, pck: opid.new_pck_shared(bytes(pck.data)), lambda n: [n] * 10),
    ],
    ids="forward ref ref-size ref-offset copy clone new shared shared-bytes".split(),
)
def test_ways_to_make_a_packet(fs: gpac.FilterSession, make: Any, expected: Any) -> None:
    _, found = through(fs, make, lambda pid, pck: (pck.dts, pck.dur, list(pck.data)))
    assert found == [(10 * n, 10, expected(n)) for n in range(5)]


def test_changing_a_copy_leaves_the_original(fs: gpac.FilterSession) -> None:
    kept: list[Any] = []

    def make(opid: Any, pck: Any) -> Any:
        kept.append(pck.data)
        return change(opid.new_pck_clone(pck))

    through(fs, make, lambda pid, pck: None)
    assert [list(data) for data in kept] == [[n] * 10 for n in range(5)]


def test_a_reference_cannot_be_written(fs: gpac.FilterSession) -> None:
    def make(opid: Any, pck: Any) -> Any:
        packet = opid.new_pck_ref(pck)
        assert not packet.data.flags.writeable
        return packet

    through(fs, make, lambda pid, pck: None)


def test_shared_memory_is_not_copied_and_released_once_on_the_sessions_thread(fs: gpac.FilterSession) -> None:
    memory = np.arange(10, dtype=np.uint8)
    made: list[Any] = []

    def make(opid: Any, pck: Any) -> Any:
        made.append(opid.new_pck_shared(memory))
        return made[-1]

    middle, found = through(fs, make, lambda pid, pck: np.shares_memory(pck.data, memory))
    assert found == [True] * 5
    made_then_released = [packet for _, packet, _ in middle.released]
    assert sorted(map(id, made_then_released)) == sorted(map(id, made))
    assert {opid for opid, _, _ in middle.released} == {middle.opids[0]}
    assert {thread for *_, thread in middle.released} == {threading.current_thread()}
    assert middle.opids[0].pck_refs == []


def test_sharing_memory_needs_packet_release(fs: gpac.FilterSession) -> None:
    with pytest.raises(
        rw.StateError, match=r"source shares its memory and has no packet_release\(opid, pck\)"
    ):
        Source(fs).new_pid().new_pck_shared(b"abc")


def test_none_is_no_packet(fs: gpac.FilterSession) -> None:
    pid = Source(fs).new_pid()
    pid.forward(None)
    for make_from in (pid.new_pck_ref, pid.new_pck_copy, pid.new_pck_clone):
        with pytest.raises(rw.PacketError, match="needs a packet, not None"):
            make_from(None)


def test_clone_gives_a_packet_of_its_own_and_reuses_it(fs: gpac.FilterSession) -> None:
    cached: list[Any] = [None]

    def look(pid: Any, pck: Any) -> Any:
        clone = pck.clone(cached[0])
        again, cached[0] = clone is cached[0], clone
        clone.data[1] = 50
        return again, list(clone.data), list(pck.data)

    found = seen(fs, look, count=3)
    assert found == [(n > 0, [n, 50] + [n] * 8, [n] * 10) for n in range(3)]


def test_ref_keeps_a_packet(fs: gpac.FilterSession) -> None:
    def look(pid: Any, pck: Any) -> Any:
        pck.ref()
        return pck

    packets = seen(fs, look)
    assert [int(packet.data[0]) for packet in packets] == list(range(5))
    packets[0].unref()


# PIDs


def test_input_pids_cannot_be_written_and_output_pids_not_read(fs: gpac.FilterSession) -> None:
    def look(pid: Any, pck: Any) -> None:
        for wrong in (
            lambda: pid.set_prop("Width", 1),
            lambda: pid.set_info("Width", 1),
            lambda: pid.copy_props(pid),
            lambda: pid.forward(pck),
            lambda: pid.new_pck(1),
            lambda: pid.query_cap("Width"),
            lambda: setattr(pid, "eos", True),
            lambda: setattr(pid, "name", "x"),
            pid.reset_props,
            pid.remove,
        ):
            with pytest.raises(rw.StateError, match="on an input PID"):
                wrong()

    source = Source(fs, 1)
    sink = Sink(fs, look)
    fs.run()
    assert sink.seen == [None]
    with pytest.raises(rw.StateError, match="cannot get packets on an output PID"):
        source.opid.get_packet()


def test_pid_properties(fs: gpac.FilterSession) -> None:
    heard: dict[str, Any] = {}

    class Typed(Source):
        def properties(self, pid: Any) -> None:
            super().properties(pid)
            pid.set_prop("FPS", gpac.Fraction(30000, 1001))
            pid.set_prop("Width", 640)
            pid.set_prop("mine", 12)
            pid.set_prop("counted", 12, gpac.GF_PROP_UINT)
            pid.set_prop("gone", 1)
            pid.set_prop("gone", None)
            pid.set_info("Bitrate", 5000)
            pid.name = "facts"

    class Asking(Sink):
        def configure_pid(self, pid: Any, is_remove: bool) -> int:
            pid.enum_props(self)
            heard["info"] = pid.get_info("Bitrate"), pid.get_info("Width"), pid.get_info("none")
            heard["facts"] = pid.name, pid.filter_name, pid.timescale, pid.sparse, pid.playing
            return super().configure_pid(pid, is_remove)

        def on_prop_enum(self, name: str, value: Any) -> None:
            heard[name] = value

    Typed(fs)
    Asking(fs)
    fs.run()
    assert heard["FPS"] == gpac.Fraction(30000, 1001)
    assert (heard["Width"], heard["mine"], heard["counted"], heard["CodecID"]) == (640, "12", 12, "mtxt")
    assert "gone" not in heard
    assert "Bitrate" not in heard
    assert heard["info"] == (5000, 640, None)
    assert heard["facts"] == ("facts", "source", 1000, True, True)


def test_a_change_of_properties_configures_again(fs: gpac.FilterSession) -> None:
    class Changing(Source):
        def process(self) -> int:
            if self.sent == 3:
                self.opid.set_prop("Width", 99)
            return super().process()

    Changing(fs)
    sink = Sink(fs, lambda pid, pck: pid.get_prop("Width"))
    fs.run()
    assert sink.seen == [None, None, None, 99, 99]
    assert sink.configured == [False, True]


def test_reset_props(fs: gpac.FilterSession) -> None:
    pid = Source(fs).new_pid()
    pid.set_prop("Width", 3)
    pid.reset_props()
    assert pid.get_prop("Width") is None


def test_queues_as_a_pid_sees_them(fs: gpac.FilterSession) -> None:
    facts: list[Any] = []

    class Slow(Sink):
        def process(self) -> int:
            (pid,) = self.ipids
            if not facts and pid.nb_pck_queued >= 4:
                facts.append(
                    (pid.nb_pck_queued, pid.buffer, pid.max_buffer, pid.buffer_full, pid.would_block)
                )
                occupied = pid.get_buffer_occupancy()
                facts.append((occupied.nb_pck, occupied.dur, occupied.max_dur, occupied.is_final_flush))
            return super().process()

    source = Source(fs, 40)
    Slow(fs)
    fs.run()
    (queued, buffer, most, full, blocks), (again, dur, most_again, final) = facts
    assert queued == again >= 4
    assert buffer == dur == queued * 10_000  # us: each packet is 10 ticks of a millisecond
    assert most == most_again > 0
    assert (full, blocks, final) == (False, False, False)
    assert (source.opid.next_ts, source.opid.min_pck_dur) == (400, 10)


def test_the_end_is_seen_before_it_is_reached(fs: gpac.FilterSession) -> None:
    facts: list[tuple[bool, bool, bool]] = []

    def look(pid: Any, pck: Any) -> None:
        facts.append((pid.has_seen_eos, pid.eos_received, pid.eos))

    source = Source(fs, 30)
    Sink(fs, look)
    fs.run()
    assert facts[0] == (False, False, False)
    assert facts[-1] == (True, True, False)
    assert source.opid.has_seen_eos


def test_events_set_and_end_playing(fs: gpac.FilterSession) -> None:
    told: list[bool] = []

    def look(pid: Any, pck: Any) -> None:
        if pck.dts == 20:
            pid.send_event(gpac.FilterEvent(gpac.GF_FEVT_STOP))
        told.append(pid.playing)

    Source(fs, 5000)
    sink = Sink(fs, look)
    fs.run()
    assert told[:4] == [True, True, False, False]
    assert len(sink.seen) < 5000  # packets pass by who wants no more


def test_templates(fs: gpac.FilterSession) -> None:
    pid = Source(fs).new_pid()
    pid.set_prop("Width", 640)
    pid.set_prop("Language", "eng")
    assert pid.resolve_template("a$num$_$Width$x$Language$", 7) == "a7_640xeng"
    assert pid.resolve_template("seg$num%05d$$FS$.m4s", 42, "-b") == "seg00042-b.m4s"
    assert pid.resolve_template("cost$$") == "cost$"
    with pytest.raises(rw.UnknownNameError, match="'Widht'"):
        pid.resolve_template("$Widht$")


def test_capabilities_of_consumers_and_of_oneself(fs: gpac.FilterSession) -> None:
    asked: list[Any] = []

    class Asking(Source):
        def process(self) -> int:
            if self.sent == 2:
                asked.append((self.opid.query_cap("CodecID"), self.opid.query_cap("Width")))
            return super().process()

    Asking(fs)
    sink = Sink(fs, lambda pid, pck: pid.check_caps())
    sink.push_cap("CodecID", "mtxt", gpac.GF_CAPS_INPUT)
    fs.run()
    assert asked == [("mtxt", None)]
    assert sink.seen == [True] * 5


def test_parents(fs: gpac.FilterSession) -> None:
    source = Source(fs)
    middle = Middle(fs, lambda opid, pck: opid.forward(pck))
    other = Sink(fs)
    sink = Sink(fs, lambda pid, pck: [pid.is_filter_in_parents(f) for f in (source, middle, other)])
    sink.set_source(middle)
    other.set_source(source)
    fs.run()
    assert sink.seen == [[True, True, False]] * 5


def test_discard_drops_what_comes_in(fs: gpac.FilterSession) -> None:
    Source(fs, 300)
    sink = Sink(fs, lambda pid, pck: pid.set_discard(True))
    fs.run()
    assert sink.seen == [None]
    assert sink.ipids[0].eos


@pytest.mark.parametrize(
    "name", ["discard_block", "allow_direct_dispatch", "loose_connect", "require_source_id"]
)
def test_what_reelway_does_unasked(fs: gpac.FilterSession, name: str) -> None:
    assert getattr(Source(fs).new_pid(), name)() is None


def test_clocks_and_modes_of_a_pid(fs: gpac.FilterSession) -> None:
    pid = Source(fs).new_pid()
    pid.set_clock_mode(True)
    pid.recompute_dts(False)
    assert pid.get_clock_type() == 0
    assert str(pid.get_clock_timestamp()) == "0/0"
    for name, doing in [("set_framing", "set framing"), ("clear_eos", "clear the end")]:
        with pytest.raises(rw.StateError, match=f"cannot {doing} on an output PID"):
            getattr(pid, name)(True)


# Capabilities


def test_bundles_alternatives_and_exclusions(fs: gpac.FilterSession) -> None:
    filter = gpac.FilterCustom(fs, "caps")
    filter.push_cap("StreamType", "Visual", gpac.GF_CAPS_INPUT_STATIC)
    filter.push_cap("CodecID", "avc", gpac.GF_CAPS_INPUT)
    filter.push_cap("CodecID", "hevc", gpac.GF_CAPS_INPUT)
    filter.push_cap("Width", 100, gpac.GF_CAPS_INPUT_OPT)
    filter.push_cap("", None, 0)
    filter.push_cap("CodecID", "raw", gpac.GF_CAPS_INPUT_EXCLUDED)
    filter.push_cap("StreamType", "File", gpac.GF_CAPS_OUTPUT)
    assert list(filter._adapter.inputs) == [
        rw.Caps(StreamType="Visual", CodecID={"h264", "hevc"}),
        rw.Caps(StreamType="Visual", CodecID=rw.Not("raw")),
    ]
    assert list(filter._adapter.outputs) == [rw.Caps(StreamType="File")]


# Events


def test_a_source_is_told_to_play_before_it_may_send(fs: gpac.FilterSession) -> None:
    told: list[Any] = []

    class Waiting(Source):
        playing = False

        def process_event(self, evt: gpac.FilterEvent) -> bool:
            told.append((evt.base.type, evt.base.on_pid is self.opid, evt.play.speed))
            self.playing = self.playing or evt.base.type == gpac.GF_FEVT_PLAY
            return False

        def process(self) -> int:
            if self.opid is not None and not self.playing:
                return 0
            if self.opid is None:
                self.opid = self.new_pid()
                self.properties(self.opid)
                return 0
            return super().process()

    Waiting(fs)
    sink = Sink(fs)
    fs.run()
    assert told == [(gpac.GF_FEVT_PLAY, True, 1.0)]
    assert sink.seen == [0, 10, 20, 30, 40]


@pytest.mark.parametrize("stopped", [False, True])
def test_events_go_upstream_until_somebody_stops_them(fs: gpac.FilterSession, stopped: bool) -> None:
    told: list[str] = []

    class First(Source):
        def process_event(self, evt: gpac.FilterEvent) -> bool:
            if evt.base.type == gpac.GF_FEVT_QUALITY_SWITCH:
                told.append(f"source {evt.quality_switch.q_idx}")
            return False

    class Between(Middle):
        def process_event(self, evt: gpac.FilterEvent) -> bool:
            if evt.base.type == gpac.GF_FEVT_QUALITY_SWITCH:
                told.append("middle")
            return stopped

    class Last(Sink):
        def configure_pid(self, pid: Any, is_remove: bool) -> int:
            evt = gpac.FilterEvent(gpac.GF_FEVT_QUALITY_SWITCH)
            evt.quality_switch.q_idx = 7
            pid.send_event(evt)
            return 0

    First(fs, 300)
    between, last = Between(fs, lambda opid, pck: opid.forward(pck)), Last(fs)
    last.set_source(between)
    fs.run()
    assert told == (["middle"] if stopped else ["middle", "source 7"])
    assert len(last.seen) == 300


def test_buffer_requirements_set_the_queue(fs: gpac.FilterSession) -> None:
    queued: list[int] = []

    class Small(Sink):
        def configure_pid(self, pid: Any, is_remove: bool) -> int:
            evt = gpac.FilterEvent(gpac.GF_FEVT_BUFFER_REQ)
            evt.buffer_req.max_buffer_us = 50_000
            pid.send_event(evt)
            return 0

        def process(self) -> int:
            queued.append(self.ipids[0].nb_pck_queued)
            return super().process()

    Source(fs, 500)
    sink = Small(fs)
    fs.run()
    assert len(sink.seen) == 500
    assert max(queued[100:]) <= 8  # 50 ms are five packets; a turn may overrun a little


def test_fire_event_reaches_custom_filters(fs: gpac.FilterSession) -> None:
    told: list[int] = []

    class Hearing(Source):
        def process_event(self, evt: gpac.FilterEvent) -> bool:
            told.append(evt.base.type)
            return True

    source = Hearing(fs)
    sink = Sink(fs)
    assert fs.fire_event(gpac.FilterEvent(gpac.GF_FEVT_USER))
    assert fs.fire_event(gpac.FilterEvent(gpac.GF_FEVT_INFO_UPDATE), source)
    assert not fs.fire_event(gpac.FilterEvent(gpac.GF_FEVT_INFO_UPDATE), sink)
    fs.run()
    assert [each for each in told if each != gpac.GF_FEVT_PLAY] == [
        gpac.GF_FEVT_USER,
        gpac.GF_FEVT_INFO_UPDATE,
    ]


def test_an_unlinked_input_is_said_and_forgotten(fs: gpac.FilterSession) -> None:
    told: list[tuple[bool, bool]] = []

    class Telling(Sink):
        def configure_pid(self, pid: Any, is_remove: bool) -> int:
            told.append((is_remove, pid in self.ipids))
            return 0

    Source(fs)
    sink = Telling(fs)
    fs.run()
    (link,) = sink._adapter.ipids
    sink._adapter.remove(link)
    assert told == [(False, False), (True, True)]
    assert sink.ipids == []


def test_a_removed_output_ends_behind_what_was_sent(fs: gpac.FilterSession) -> None:
    class Leaving(Source):
        def process(self) -> int:
            if self.sent == 3:
                self.opid.remove()
                return gpac.GF_EOS
            return super().process()

    source, sink = Leaving(fs), Sink(fs)
    fs.run()
    assert sink.seen == [0, 10, 20]
    assert sink.ended
    assert source.opids == []


# Raw video


def test_a_decoders_frame_is_known_as_such(fs: gpac.FilterSession) -> None:
    frame = MemoryFrame.picture("gray", 4, 2)
    packet = Source(fs).new_pid()._made(rw.Packet(frame), readonly=False)
    assert packet.frame_ifce
    assert packet.data.shape == (8,)
    copy = packet.clone()
    assert copy is not None
    copy.data[3] = 7
    assert (copy.data[3], packet.data[3], frame.planes()[0][0, 3]) == (7, 0, 0)


@pytest.mark.parametrize(
    ("format", "expected"), [("yuv420p", (6, 3)), ("nv12", (6, 6)), ("rgb24", (18, None))]
)
def test_strides_of_raw_video_are_always_known(
    fs: gpac.FilterSession, format: str, expected: tuple[int, int | None]
) -> None:
    pid = Source(fs).new_pid()
    raw = {"StreamType": "Visual", "CodecID": "raw", "Width": 6, "Height": 4, "PixelFormat": format}
    pid._out("set").set(**raw)
    assert (pid.get_prop("Stride"), pid.get_prop("StrideUV")) == expected


# Failures


def failing(fs: gpac.FilterSession, **methods: Callable[..., Any]) -> pytest.ExceptionInfo[rw.FilterError]:
    type("Failing", (Sink,), methods)(fs)
    Source(fs)
    with pytest.raises(rw.FilterError) as caught:
        fs.run()
    return caught


def test_an_exception_in_a_callback_ends_the_session_and_is_the_cause(fs: gpac.FilterSession) -> None:
    def process(self: Any) -> int:
        raise KeyError("lost")

    caught = failing(fs, process=process)
    assert caught.match("filter 'sink' failed.*KeyError: 'lost'")
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("callback", ["configure_pid", "process"])
def test_a_negative_result_is_an_error_with_its_text(fs: gpac.FilterSession, callback: str) -> None:
    caught = failing(fs, **{callback: lambda self, *args: gpac.GF_NOT_SUPPORTED})
    assert caught.match(rf"{callback} returned -4 \(not supported\)")


def test_a_setup_failure_ends_the_session(fs: gpac.FilterSession) -> None:
    def process(self: Any) -> int:
        self.notify_failure(gpac.GF_URL_ERROR)
        return 0

    assert failing(fs, process=process).match(r"filter sink reports -12 \(the address cannot be opened\)")


def test_a_notified_failure_goes_on(fs: gpac.FilterSession, caplog: pytest.LogCaptureFixture) -> None:
    sink = Sink(fs, lambda pid, pck: sink.notify_failure(gpac.GF_CORRUPTED_DATA, gpac.GF_NOTIF_ERROR))
    Source(fs)
    fs.run()
    assert len(sink.seen) == 5
    assert caplog.messages == ["filter sink reports -5 (corrupted data)"] * 5


def test_a_filter_without_process_is_refused(fs: gpac.FilterSession) -> None:
    gpac.FilterCustom(fs, "empty").push_cap("StreamType", "Metadata", gpac.GF_CAPS_INPUT)
    Source(fs)
    with pytest.raises(rw.ReelwayError, match=r"custom filter empty has no process\(\) method"):
        fs.run()


def test_an_exception_in_packet_release_is_not_lost(fs: gpac.FilterSession) -> None:
    class Broken(Middle):
        def packet_release(self, opid: Any, pck: Any) -> None:
            raise RuntimeError("in release")

    Source(fs, 500)
    middle = Broken(fs, lambda opid, pck: opid.new_pck_shared(bytes(pck.data)))
    sink = Sink(fs)
    sink.set_source(middle)
    with pytest.raises(rw.FilterError, match="filter 'middle' failed.*RuntimeError: in release"):
        fs.run()


# Scheduling


def test_eos_as_a_result_ends_the_outputs(fs: gpac.FilterSession) -> None:
    class Short(Source):
        def process(self) -> int:
            return gpac.GF_EOS if self.sent == 3 else super().process()

    Short(fs)
    sink = Sink(fs)
    fs.run()
    assert sink.seen == [0, 10, 20]
    assert sink.ended


def test_reschedule(fs: gpac.FilterSession) -> None:
    times: list[int] = []

    class Timed(Source):
        def process(self) -> int:
            times.append(gpac.sys_clock_high_res())
            self.reschedule(20_000)
            if len(times) % 3:
                return 0
            return super().process()

    Timed(fs, 1)
    Sink(fs)
    fs.run()
    assert times[1] - times[0] >= 19_000
    assert times[2] - times[1] >= 19_000


def test_a_source_that_idles_is_called_again(fs: gpac.FilterSession) -> None:
    class Idle(Source):
        calls = 0

        def process(self) -> int:
            self.calls += 1
            return super().process() if self.calls % 4 == 0 else 0

    idle, sink = Idle(fs), Sink(fs)
    fs.run()
    assert sink.seen == [0, 10, 20, 30, 40]
    assert idle.calls >= 24


def test_abort_from_a_callback(fs: gpac.FilterSession) -> None:
    class Quick(Sink):
        def process(self) -> int:
            if len(self.seen) == 3:
                fs.abort()
                return 0
            return super().process()

    class Endless(Source):
        def process(self) -> int:
            self.count += 1
            return super().process()

    Endless(fs)
    sink = Quick(fs)
    fs.run()
    assert sink.seen == [0, 10, 20]


def test_what_a_filter_may_ask_about_itself(fs: gpac.FilterSession) -> None:
    source, sink = Source(fs), Sink(fs)
    source.update_status("half", 5000)
    source.hint_clock(1234, gpac.Fraction64(5, 2))
    assert source.block_enabled
    assert (sink.clock_hint_time, str(sink.clock_hint_mediatime)) == (1234, "5/2")
    assert source.nb_evts_queued == 0
    source.make_sticky()
    source.prevent_blocking(False)
    source.block_eos(False)
    source.set_max_pids(2)
    fs.run()
    assert source.sinks_done
    assert not source.connections_pending
    assert source.output_buffer == source.playout_buffer == sink.ipids[0].max_buffer
    assert source.get_statistics().status == b"half"


def test_a_film_through_a_custom_filter_keeps_its_properties(fs: gpac.FilterSession) -> None:
    fs.load_src(str(make.media("film.mp4")))

    class Looking(Sink):
        def __init__(self, session: gpac.FilterSession) -> None:
            gpac.FilterCustom.__init__(self, session, "looking")
            self.push_cap("StreamType", "Audio", gpac.GF_CAPS_INPUT)
            self.facts: dict[str, Any] = {}

        def configure_pid(self, pid: Any, is_remove: bool) -> int:
            for name in ("StreamType", "CodecID", "SampleRate", "NumChannels", "Timescale", "Width"):
                self.facts[name] = pid.get_prop(name)
            return 0

        def process(self) -> int:
            for pid in self.ipids:
                pid.get_packet()
                pid.drop_packet()
            return 0

    looking = Looking(fs)
    fs.run()
    assert looking.facts["StreamType"] == "Audio"
    assert looking.facts["CodecID"] == "aac"
    assert looking.facts["NumChannels"] >= 1
    assert looking.facts["SampleRate"] == looking.facts["Timescale"]
    assert looking.facts["Width"] is None
