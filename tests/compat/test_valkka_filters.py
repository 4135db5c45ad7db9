"""Valkka's frame filters, without media: which frames they let by, and what they print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest

import reelway as rw
from reelway.compat.valkka import core
from tests.compat.valkka_peers import Seen

CODED = {"StreamType": "Visual", "CodecID": "h264", "Width": 320, "Height": 240, "Timescale": 25}
RGB = {**CODED, "CodecID": "raw", "PixelFormat": "rgb24", "Width": 2, "Height": 2}


def coded(dts: int, sap: int = 0, slot: int = 1, **properties: Any) -> core.Frame:
    packet = rw.Packet(bytes([0, 0, 0, 1, dts]), dts, dts, 1, sap)
    return core.Frame(packet, slot, None, {**CODED, **properties})


def slots(seen: Seen) -> list[int]:
    return [frame.slot for frame in seen.frames]


def test_forks_give_each_branch_each_frame() -> None:
    ends = [Seen() for _ in range(5)]
    first = core.ForkFrameFilter("two", core.ForkFrameFilter3("three", *ends[:3]), ends[3])
    for n in range(3):
        first.run(core.Frame(b"x", slot=n))
    assert [slots(end) for end in ends] == [[0, 1, 2]] * 4 + [[]]
    core.ForkFrameFilter("none").run(core.Frame(b"x"))  # branches may be left out


def test_a_fork_of_n_is_connected_while_frames_come() -> None:
    one, other = Seen(), Seen()
    fork = core.ForkFrameFilterN("n")
    assert fork.connect("one", one)
    assert not fork.connect("one", other)
    fork.run(core.Frame(b"x", slot=1))
    assert fork.connect("other", other)
    fork.run(core.Frame(b"x", slot=2))
    assert fork.disconnect("one")
    assert not fork.disconnect("one")
    fork.run(core.Frame(b"x", slot=3))
    assert (slots(one), slots(other)) == ([1, 2], [2, 3])


def test_an_interval_keeps_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("reelway.compat.valkka.branches.time.monotonic", lambda: now[0])
    seen = Seen()
    interval = core.TimeIntervalFrameFilter("interval", 1000, seen)
    for n in range(26 * 5):
        now[0] = 100 + n * 0.041  # a second is no whole number of frames
        interval.run(core.Frame(b"x", slot=n))
    assert slots(seen) == [0, 25, 49, 74, 98, 122]
    with pytest.raises(rw.OptionError, match="an interval of -1 ms"):
        core.TimeIntervalFrameFilter("interval", -1)


def test_gate_switch_and_slot() -> None:
    one, two = Seen(), Seen()
    switch = core.SwitchFrameFilter("switch", one, two)
    renamed = core.SetSlotFrameFilter("slot", switch)
    gate = core.GateFrameFilter("gate", renamed)
    gate.run(core.Frame(b"x", slot=9))
    gate.unSet()
    gate.run(core.Frame(b"x"))
    gate.set()
    switch.set2()
    renamed.setSlot(7)
    gate.run(core.Frame(b"x"))
    switch.set1()
    gate.run(core.Frame(b"x"))
    assert (slots(one), slots(two)) == ([0, 7], [7])


@pytest.mark.parametrize(("kind", "count"), [("Visual", 2), ("Audio", 1), ("coded", 2), ("raw", 1), ("x", 0)])
def test_frames_of_one_kind(kind: str, count: int) -> None:
    seen = Seen()
    chosen = core.TypeFrameFilter(
        "type", kind, core.InitStreamFrameFilter("init", core.ThreadSafeFrameFilter("s", seen))
    )
    chosen.run(coded(1))
    chosen.run(coded(2, StreamType="Audio", CodecID="aac"))
    chosen.run(core.Frame(rw.Packet(bytes(12)), properties=RGB))
    assert len(seen.frames) == count


def test_what_is_told_of_a_frame(capsys: pytest.CaptureFixture[str]) -> None:
    core.InfoFrameFilter("info", core.BriefInfoFrameFilter("brief")).run(
        core.Frame(rw.Packet(bytes([0, 0, 0, 1, 9]), sap=1), 3, 1234, CODED)
    )
    told = capsys.readouterr().out.splitlines()
    frame = "<Frame: size=5 timestamp=1234 subsession_index=0 slot=3 / Visual h264 320x240 key>"
    assert told[:3] == [
        "InfoFrameFilter: info start dump>>",
        f"InfoFrameFilter: info FRAME   : {frame}",
        "InfoFrameFilter: info PAYLOAD : [0 0 0 1 9]",
    ]
    assert told[4] == "InfoFrameFilter: info <<end dump"
    assert told[5].startswith(f"BriefInfoFrameFilter: brief : {frame} timediff: ")


def test_what_frames_hold_is_dumped(tmp_path: Path) -> None:
    dump = core.DumpFrameFilter("dump", tmp_path / "all.h264")
    dump.run(coded(1))
    dump.run(core.Frame(b"abc"))
    dump.run(core.Frame(numpy.frombuffer(b"def", numpy.uint8)))
    assert (tmp_path / "all.h264").read_bytes() == bytes([0, 0, 0, 1, 1]) + b"abcdef"


def test_a_fifo_hands_on_to_each_reader_and_holds_nothing() -> None:
    fifo = core.FrameFifo("fifo", 10)
    assert not fifo.writeCopy(core.Frame(b"x"))
    one, two = Seen(), Seen()
    fifo.readers += [one.run, two.run]
    core.FifoFrameFilter("in", fifo).run(core.Frame(b"x", slot=5))
    assert (slots(one), slots(two), fifo.written) == ([5], [5], 2)
    assert core.FrameFifo("sized", core.FrameFifoContext(n_basic=5, n_avpkt=300)).most == 300


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: core.FrameFifo("f", 0), "f: a fifo of 0 frames"),
        (lambda: core.FifoFrameFilter("f", None), "f: None is no fifo"),  # type: ignore[arg-type]
        (lambda: core.SwScaleFrameFilter("s", 0, 5), "s: 0x5 pixels"),
        (lambda: core.AVThread("av", core.FrameFifo("f", 10)), "av: no frame filter says where pictures go"),
    ],
)
def test_wrong_parameters(make: Any, said: str) -> None:
    with pytest.raises(rw.OptionError) as caught:
        make()
    assert str(caught.value) == said
    assert caught.value.hint


def test_scaling_to_rgb() -> None:
    seen = Seen()
    scale = core.SwScaleFrameFilter("scale", 6, 4, seen)
    red = numpy.zeros((8, 16, 3), numpy.uint8)
    red[..., 0] = 200
    properties = {**RGB, "Width": 16, "Height": 8}
    scale.run(core.Frame(rw.Packet(red.tobytes(), 5, 5), 2, 99, properties))
    scale.run(coded(1))  # not for it
    (frame,) = seen.frames
    assert frame.array().shape == (4, 6, 3)
    assert (frame.array() == [200, 0, 0]).all()
    assert (frame.slot, frame.mstimestamp, frame.payload.dts) == (2, 99, 5)
    assert (frame.properties["Width"], frame.properties["PixelFormat"]) == (6, "rgb24")
