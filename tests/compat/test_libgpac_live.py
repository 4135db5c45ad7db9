"""Sessions that a script changes while they run; ends, framing, times and negotiation of its filters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import reelway as rw
import reelway.compat.libgpac as gpac
from reelway.compat.libgpac import flow
from tests.compat.test_libgpac_custom import Sink, Source, Unframed
from tests.media import make, probe


@pytest.fixture
def fs() -> Iterator[gpac.FilterSession]:
    session = gpac.FilterSession()
    yield session
    session.delete()


class Pass(gpac.FilterCustom):
    """Forwards what comes in, and sets `mark` on it."""

    def __init__(self, session: gpac.FilterSession, kind: str = "Metadata", mark: int = 7) -> None:
        super().__init__(session, "pass")
        self.push_cap("StreamType", kind, gpac.GF_CAPS_INPUT_OUTPUT)
        self.mark = mark
        self.removed = 0

    def configure_pid(self, pid: Any, is_remove: bool) -> int:
        if is_remove:
            self.removed += 1
            return 0
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
                continue
            out = pid.opid.new_pck_clone(pck)
            out.seqnum = self.mark
            out.send()
            pid.drop_packet()
        return 0


def later(fs: gpac.FilterSession, ready: Callable[[], bool], do: Callable[[], Any]) -> None:
    """A task that does it once, as soon as `ready()`."""
    task = gpac.FilterTask("later")

    def execute() -> int:
        if not ready():
            return 0
        do()
        return -1

    task.execute = execute  # type: ignore[method-assign]
    fs.post(task)


@pytest.mark.parametrize("opid", [-1, 0])
def test_a_filter_is_inserted_while_the_session_runs(fs: gpac.FilterSession, opid: int) -> None:
    source, sink = Source(fs, 500), Sink(fs, lambda _, pck: (pck.dts, pck.seqnum))
    sink.set_source(source)
    later(fs, lambda: len(sink.seen) > 50, lambda: source.insert(Pass(fs), opid))
    fs.run()
    assert [dts for dts, _ in sink.seen] == [10 * n for n in range(500)]
    marks = [mark for _, mark in sink.seen]
    assert marks == sorted(marks)
    assert set(marks) == {0, 7}


def test_a_filter_is_inserted_before_the_session_runs(fs: gpac.FilterSession) -> None:
    source, sink = Source(fs, 20), Sink(fs, lambda _, pck: pck.seqnum)
    sink.set_source(source)
    source.insert(Pass(fs))
    fs.run()
    assert sink.seen == [7] * 20


def test_a_filter_is_removed_with_what_it_feeds(fs: gpac.FilterSession) -> None:
    source, sink, passes, branch = Source(fs, 500), Sink(fs), Pass(fs), Sink(fs)
    sink.set_source(source)
    passes.set_source(source)
    branch.set_source(passes)
    gone: list[str] = []
    fs.on_filter_del = lambda filter: gone.append(filter.name)  # type: ignore[method-assign]

    def remove() -> None:
        passes.remove()
        assert fs.nb_filters == 2
        with pytest.raises(rw.StateError, match="not in this session"):
            passes.remove()

    later(fs, lambda: len(branch.seen) > 50, remove)
    fs.run()
    assert sink.seen == [10 * n for n in range(500)]
    assert 50 < len(branch.seen) < 500
    assert branch.seen == [10 * n for n in range(len(branch.seen))]
    assert branch.ended
    assert sorted(gone[:2]) == ["pass", "sink2"]


def test_a_recording_ends_and_is_whole_while_the_film_goes_on(fs: gpac.FilterSession, tmp_path: Path) -> None:
    f_src = fs.load_src(str(make.media("film.mp4")))
    whole, part = fs.load_dst(str(tmp_path / "whole.mp4")), fs.load_dst(str(tmp_path / "part.mp4"))
    whole.set_source(f_src)
    part.set_source(f_src, "#video")
    later(fs, lambda: part.nb_ipid > 0 and part.ipid_stats(0).nb_processed > 20, part.remove)
    fs.run()
    assert probe.counters(tmp_path / "whole.mp4") == list(range(100))
    (stream,) = probe.packets(tmp_path / "part.mp4")
    assert 20 < len(stream.packets) <= 100
    assert len(probe.counters(tmp_path / "part.mp4")) == len(stream.packets)


@pytest.mark.parametrize("blocked", [False, True])
def test_ends_upstream_are_seen_unless_a_filter_blocks_them(fs: gpac.FilterSession, blocked: bool) -> None:
    seen: list[tuple[bool, bool]] = []

    class Late(Pass):
        """Holds its last packet back, so that its own end comes after that of its source."""

        def process(self) -> int:
            pid = self.ipids[0] if self.ipids else None
            if pid is not None and pid.nb_pck_queued == 1 and not pid.eos_received:
                return 0
            return super().process()

    source, middle = Source(fs, 5), Late(fs)
    middle.set_source(source)
    middle.block_eos(blocked)
    sink = Sink(fs, lambda pid, pck: seen.append((pid.has_seen_eos, pid.eos_received)))
    sink.set_source(middle)
    fs.run()
    assert len(seen) == 5
    assert seen[-1] == (not blocked, False)  # the source has ended, the filter between has not


def test_an_end_that_is_cleared_is_none(fs: gpac.FilterSession) -> None:
    ends: list[tuple[bool, bool]] = []

    class Clears(Sink):
        def process(self) -> int:
            super().process()
            for pid in self.ipids:
                if pid.eos:
                    pid.clear_eos(True)
                    ends.append((pid.eos, pid.has_seen_eos))
                    assert not any(each.eos for each in self.ipids)
            return 0

    Source(fs, 3)
    sink = Clears(fs)
    fs.run()
    assert len(sink.seen) == 3
    assert ends == [(False, False)]


@pytest.mark.parametrize("prevented", [False, True])
def test_a_filter_that_is_not_to_block_runs_ahead(fs: gpac.FilterSession, prevented: bool) -> None:
    source, sink = Source(fs, 400), Sink(fs)
    source.prevent_blocking(prevented)
    most = 0
    process = sink.process

    def slow() -> int:
        nonlocal most
        if source.opid is not None:
            most = max(most, source.opid.nb_pck_queued)
        if source.sent < source.count and prevented:
            sink.reschedule(1000)
            return 0
        return process()

    sink.process = slow  # type: ignore[method-assign]
    fs.run()
    assert sink.seen == [10 * n for n in range(400)]
    assert (most >= 399) is prevented
    assert prevented or most <= 65


def parts(opid: Any, number: int) -> Any:
    """Frames of three parts each."""
    packet = opid.new_pck(2)
    packet.data[:] = number % 256
    packet.start, packet.end = int(number % 3 == 0), int(number % 3 == 2)
    return packet


def test_parts_of_frames_are_joined_unless_a_filter_takes_them(fs: gpac.FilterSession) -> None:
    def look(pid: Any, pck: Any) -> Any:
        return bytes(pck.data), pck.start, pck.end, pck.corrupted

    Source(fs, 30, parts)
    framed, unframed = Sink(fs, look), Unframed(fs, look)
    fs.run()
    assert framed.seen == [(bytes([n, n, n + 1, n + 1, n + 2, n + 2]), 1, 1, False) for n in range(0, 30, 3)]
    assert unframed.seen == [(bytes([n, n]), int(n % 3 == 0), int(n % 3 == 2), False) for n in range(30)]
    assert framed.ended


def test_a_frame_without_its_end_is_corrupted(fs: gpac.FilterSession) -> None:
    Source(fs, 5, parts)
    sink = Sink(fs, lambda _, pck: (bytes(pck.data), pck.corrupted))
    fs.run()
    assert sink.seen == [(bytes([0, 0, 1, 1, 2, 2]), False), (bytes([3, 3, 4, 4]), True)]


@pytest.mark.parametrize("reader", ["a script that joins them", "a filter of Reelway's"])
@pytest.mark.parametrize("size", [2, 0])
def test_parts_of_a_frame_that_never_ends_are_refused(
    fs: gpac.FilterSession, monkeypatch: pytest.MonkeyPatch, reader: str, size: int
) -> None:
    monkeypatch.setattr(flow, "MAX_BYTES", 1 << 20)
    monkeypatch.setattr(flow, "OVERHEAD", (1 << 20) // 1000)

    def part(opid: Any, number: int) -> Any:
        packet = opid.new_pck(size)
        packet.start, packet.end = int(number == 0), 0
        return packet

    source = Source(fs, 5000, part)
    if reader.startswith("a script"):
        Sink(fs)
    else:
        fs.load_dst("null")
    with pytest.raises(rw.FilterError, match=r"\d+ parts of frames \(1 MiB\) wait for the last one") as told:
        fs.run()
    assert isinstance(told.value.__cause__, rw.PacketError)
    assert "with `end` set to True" in str(told.value.hint)
    assert source.sent < 1100 or reader.startswith("a script")


def test_parts_that_are_sent_before_anybody_is_linked_are_refused(
    fs: gpac.FilterSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "MAX_BYTES", 1 << 20)

    class Hasty(Source):
        """Sends all in its first call, when its PID is not linked yet."""

        def process(self) -> int:
            while super().process() == gpac.GF_OK:
                pass
            return gpac.GF_EOS

    source = Hasty(fs, 50_000, parts)
    Sink(fs)
    with pytest.raises(rw.FilterError, match="parts of frames .* wait for their PID to be linked") as told:
        fs.run()
    assert isinstance(told.value.__cause__, rw.PacketError)
    assert "send the rest in the next one" in str(told.value.hint)
    assert 1000 < source.sent < (1 << 20) / 256


def test_a_frame_of_more_parts_than_a_turn_sends_arrives(fs: gpac.FilterSession) -> None:
    count = 1000

    def part(opid: Any, number: int) -> Any:
        packet = opid.new_pck(1)
        packet.start, packet.end = int(number == 0), int(number == count - 1)
        return packet

    class Sizes(rw.Filter):
        inputs = (rw.Caps(),)

        def process(self) -> None:
            for pid in self.ipids:
                sizes.extend(packet.size for packet in pid)

    sizes: list[int] = []
    fs._session.add(Sizes())
    source = Source(fs, count, part)
    assert source._adapter.quantum < count
    fs.run()
    assert sizes == [count]


def test_many_frames_in_parts_stay_below_the_limit(
    fs: gpac.FilterSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has gone on does not count."""
    monkeypatch.setattr(flow, "MAX_BYTES", 100 * flow.OVERHEAD)
    Source(fs, 600, parts)
    framed, unframed = Sink(fs), Unframed(fs)
    fs.run()
    assert (len(framed.seen), len(unframed.seen)) == (200, 600)


def test_a_filter_that_is_no_scripts_gets_frames(fs: gpac.FilterSession) -> None:
    class Keep(rw.Filter):
        inputs = (rw.Caps(),)

        def __init__(self) -> None:
            super().__init__()
            self.seen: list[bytes] = []

        def process(self) -> None:
            for pid in self.ipids:
                self.seen += [bytes(packet.data) for packet in pid]

    keep = Keep()
    Source(fs, 9, parts)
    fs._session.add(keep)
    fs.run()
    assert keep.seen == [bytes([n, n, n + 1, n + 1, n + 2, n + 2]) for n in (0, 3, 6)]


def test_decode_times_are_found_out(fs: gpac.FilterSession) -> None:
    shown = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8] + [10 + n for n in range(30)]

    class Undated(Source):
        def process(self) -> int:
            if self.opid is None:
                self.opid = self.new_pid()
                self.properties(self.opid)
                self.opid.recompute_dts(True)
            if self.sent == len(shown):
                self.opid.eos = True
                return gpac.GF_EOS
            packet = self.opid.new_pck(1)
            packet.cts = shown[self.sent] * 40
            packet.send()
            self.sent += 1
            return gpac.GF_OK

    Undated(fs)
    sink = Sink(fs, lambda _, pck: (pck.dts, pck.cts))
    fs.run()
    assert [cts // 40 for _, cts in sink.seen] == shown
    decode = [dts for dts, _ in sink.seen]
    assert decode == [40 * n - 40 for n in range(40)]  # steady, and late enough for the B-pictures
    assert all(dts <= cts for dts, cts in sink.seen)


class Asks(Sink):
    """Wants H.264 with start codes, and says so when it sees what it got."""

    def __init__(self, session: gpac.FilterSession) -> None:
        gpac.FilterCustom.__init__(self, session, "asks")
        self.push_cap("StreamType", "Visual", gpac.GF_CAPS_INPUT)
        self.modes: list[Any] = []
        self.seen: list[Any] = []
        self.ended = 0
        self.look = lambda _, pck: (pck.dts, bytes(pck.data[:4]))

    def configure_pid(self, pid: Any, is_remove: bool) -> int:
        self.modes.append(pid.get_prop("DecoderConfigMode"))
        if self.modes[-1] != "in-band":
            pid.negotiate_cap("DecoderConfigMode", "in-band")
        return 0


def test_another_property_is_negotiated_and_a_converter_comes_between(fs: gpac.FilterSession) -> None:
    fs.load_src(str(make.media("film.mp4")))
    asks = Asks(fs)
    fs.run()
    assert asks.modes == ["out-of-band", "in-band"]
    assert len(asks.seen) == 100
    with_codes = [data[:3] in (b"\0\0\0", b"\0\0\1") and data[:4] != b"\0\0\0\2" for _, data in asks.seen]
    assert with_codes[-1]
    assert with_codes == sorted(with_codes)  # what was queued came first


class AsksForOne(Asks):
    """Takes video and sound, in a bundle each or in one, and says so of the first video only."""

    def __init__(self, session: gpac.FilterSession, *, bundles: int, codes: str = "in-band") -> None:
        gpac.FilterCustom.__init__(self, session, "asks")
        self.push_cap("StreamType", "Visual", gpac.GF_CAPS_INPUT)
        if bundles == 2:
            self.push_cap("", 0, 0)
        self.push_cap("StreamType", "Audio", gpac.GF_CAPS_INPUT)
        self.set_max_pids(-1)
        self.codes = codes
        self.modes: list[Any] = []
        self.counts: dict[tuple[str, str], int] = {}
        self.first: Any = None
        self.removed = self.ended = 0

    def configure_pid(self, pid: Any, is_remove: bool) -> int:
        self.removed += is_remove
        mode = pid.get_prop("DecoderConfigMode")
        self.modes.append((pid.get_prop("StreamType"), mode))
        if self.first is None and pid.get_prop("StreamType") == "Visual":
            self.first = pid
            pid.negotiate_cap("DecoderConfigMode", self.codes)
        return 0

    def process(self) -> int:
        for pid in self.ipids:
            if pid.get_packet() is None:
                continue
            of = pid.get_prop("StreamType"), pid.get_prop("URL")[-4:]
            self.counts[of] = self.counts.get(of, 0) + 1
            pid.drop_packet()
        return 0


@pytest.mark.parametrize("bundles", [1, 2])
def test_a_negotiation_leaves_the_other_inputs_alone(fs: gpac.FilterSession, bundles: int) -> None:
    fs.load_src(str(make.media("film.mp4")))
    fs.load_src(str(make.media("film.mkv")))
    asks = AsksForOne(fs, bundles=bundles)
    fs.run()
    sound = len(probe.packets(make.media("film.mp4"))[1].packets)
    assert asks.counts == {
        ("Visual", ".mp4"): 100,
        ("Visual", ".mkv"): 100,
        ("Audio", ".mp4"): sound,
        ("Audio", ".mkv"): len(probe.packets(make.media("film.mkv"))[1].packets),
    }
    assert asks.removed == 0
    assert asks.modes.count(("Visual", "in-band")) == 1
    assert ("Audio", "in-band") not in asks.modes
    bundle = {str(*caps["StreamType"]): caps for caps in asks._adapter.inputs}  # type: ignore[misc]
    assert "DecoderConfigMode" in bundle["Visual"]
    assert "DecoderConfigMode" not in bundle["Audio"]


def test_a_negotiation_that_nobody_can_meet_changes_nothing(fs: gpac.FilterSession) -> None:
    fs.load_src(str(make.media("film.mp4")))
    asks = AsksForOne(fs, bundles=2, codes="by pigeon")
    before = asks._adapter.inputs
    with pytest.raises(rw.LinkError, match="DecoderConfigMode is .*, wanted by pigeon"):
        fs.run()
    assert asks._adapter.inputs is before


@pytest.mark.parametrize("can", [True, False])
def test_a_script_that_can_reconfigure_is_asked(fs: gpac.FilterSession, can: bool) -> None:
    asked: list[Any] = []

    class Changes(Source):
        def reconfigure_output(self, opid: Any) -> int:
            asked.append(opid.query_cap("Language"))
            if not can:
                return gpac.GF_NOT_SUPPORTED
            opid.set_prop("Language", asked[-1])
            return gpac.GF_OK

    class Wants(Sink):
        languages: tuple[Any, ...] = ()

        def configure_pid(self, pid: Any, is_remove: bool) -> int:
            self.languages = (*self.languages, pid.get_prop("Language"))
            if self.languages == (None,):
                pid.negotiate_cap("Language", "fra")
            return 0

    Changes(fs, 300)
    sink = Wants(fs)
    if can:
        fs.run()
        assert sink.languages == (None, "fra")
        assert len(sink.seen) == 300
    else:
        with pytest.raises(rw.LinkError, match="Language is not set, wanted fra"):
            fs.run()
    assert asked == ["fra"]
