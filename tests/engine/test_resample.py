"""Resampling: no sample lost, times exact, layouts and formats; and by the resolver."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

import reelway as rw
from reelway.engine.sound import SoundClock
from tests.engine.parts import Feed, Keep, run, sine, sound_properties, tones
from tests.media import make


def samples(keep: Keep) -> Any:
    return numpy.concatenate([packet.array() for packet in keep.packets])


def check_times(keep: Keep, start: int = 0) -> None:
    at = start
    for packet in keep.packets:
        assert packet.dts == packet.cts == at
        assert packet.duration == packet.array().shape[0]
        at += packet.duration


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000, 96000])
@pytest.mark.parametrize("chunk", [1024, 1103, 77])
def test_no_sample_is_lost(rate: int, chunk: int) -> None:
    keep = run(tones(48000 + 13, chunk), f"resample:rate={rate}:format=fltp")
    (properties,) = keep.properties
    assert (properties["SampleRate"], properties["Timescale"], properties["AudioFormat"]) == (
        rate,
        rate,
        "fltp",
    )
    check_times(keep)
    made = samples(keep)
    assert abs(made.shape[0] - (48000 + 13) * rate / 48000) <= 1
    expected = sine(made.shape[0], rate, format="flt")
    inside = slice(rate // 10, -rate // 10)
    assert numpy.abs(made[inside] - expected[inside]).max() < 0.01


def test_times_start_where_they_did() -> None:
    source = tones(9600, 480)
    packets = [each for each in source.items if isinstance(each, rw.Packet)]
    for packet in packets:
        packet.dts = packet.cts = (packet.cts or 0) + 480000
    source.items = iter(packets)
    check_times(run(source, "resample:osr=44100"), 441000)


def test_coarse_times_make_no_gaps() -> None:
    """Milliseconds, as in Matroska, are 48 samples: a piece of 1024 starts somewhere within."""
    whole = sine(1024 * 50)
    packets = [
        rw.Packet(whole[n * 1024 : (n + 1) * 1024].copy(), round(n * 1024 / 48), round(n * 1024 / 48), 21)
        for n in range(50)
    ]
    keep = run(
        Feed(packets, **{**sound_properties(48000, 2, "s16"), "Timescale": 1000}), "resample:format=flt"
    )
    check_times(keep)
    assert (numpy.abs(samples(keep) - whole / 32768) < 1e-4).all()


def test_a_gap_stays_a_gap() -> None:
    source = tones(9600, 480)
    packets = [each for each in source.items if isinstance(each, rw.Packet)]
    for packet in packets[10:]:
        packet.dts = packet.cts = (packet.cts or 0) + 48000
    source.items = iter(packets)
    keep = run(source, "resample:rate=24000")
    times = [packet.cts or 0 for packet in keep.packets]
    first, second = [t for t in times if t < 24000], [t for t in times if t >= 24000]
    assert second[0] == 2400 + 24000
    assert samples(keep).shape[0] == 4800
    assert first


@pytest.mark.parametrize(
    ("options", "channels", "layout"),
    [("channels=1", 1, "mono"), ("layout=5.1", 6, "5.1"), ("och=2:format=flt", 2, "stereo")],
)
def test_layouts(options: str, channels: int, layout: str) -> None:
    keep = run(tones(9600, 480), f"resample:{options}")
    (properties,) = keep.properties
    assert (properties["NumChannels"], properties.get("ChannelLayout", layout)) == (channels, layout)
    assert samples(keep).shape == (9600, channels)


def test_nothing_to_do_passes() -> None:
    keep = run(tones(9600, 480), "resample:format=s16:rate=48000")
    assert [packet.size for packet in keep.packets] == [480 * 4] * 20


def test_another_rate_in_mid_stream() -> None:
    first, second = tones(4800, 480), tones(4410, 441, rate=44100)
    later = [each for each in second.items if isinstance(each, rw.Packet)]
    for packet in later:
        packet.dts = packet.cts = (packet.cts or 0) + 4410
    source = Feed([*first.items, {"SampleRate": 44100, "Timescale": 44100}, *later], **first.properties)
    keep = run(source, "resample:rate=48000:format=flt")
    check_times(keep)
    assert abs(samples(keep).shape[0] - 9600) <= 1


def test_wrong_options() -> None:
    with pytest.raises(rw.UnknownNameError, match="no channel layout is named 'stero'"):
        run(tones(10, 10), "resample:layout=stero")
    with pytest.raises(rw.UnknownNameError, match="no sample format is named 's17'"):
        run(tones(10, 10), "resample:format=s17")


class Wants(Keep):
    def __init__(self, **caps: Any) -> None:
        self.inputs = (rw.Caps(StreamType="Audio", CodecID="raw", **caps),)  # type: ignore[misc]
        super().__init__(name="wants")


@pytest.mark.parametrize(
    ("caps", "chain"),
    [
        ({}, "decode"),
        (
            {"AudioFormat": "s16", "SampleRate": 16000, "NumChannels": 1},
            "decode -> resample:format=s16:rate=16000:channels=1",
        ),
        ({"SampleRate": (8000, 44100, 96000)}, "decode -> resample:rate=96000"),
    ],
)
def test_what_is_asked_becomes_a_chain(caps: dict[str, Any], chain: str) -> None:
    with rw.Session(threads=0) as session:
        wants = Wants(**caps)
        session.load_src(make.media("film.mp4")).audio >> session.add(wants)
        assert f"  -> {chain} -> wants  (declared with #audio)" in str(session.explain())
        session.run()
    rate = wants.properties[0]["SampleRate"]
    # AAC gives whole frames: 188 of 1024
    assert abs(samples(wants).shape[0] - 188 * 1024 * rate / 48000) <= 1
    check_times(wants)


@pytest.mark.parametrize("timescale", [1000, 90000, 48000])
def test_times_of_milliseconds_in_finer_ticks_are_no_gaps(timescale: int) -> None:
    clock = SoundClock(timescale)
    starts = []
    for number in range(200):
        said = number * 1024 * 1000 // 48000 * timescale // 1000  # cut to a millisecond, as Matroska has it
        starts.append(clock.start(said, 1024, 48000))
    assert starts == [number * 1024 for number in range(200)]


def test_a_little_overlap_does_not_go_back_and_a_gap_goes_on() -> None:
    clock = SoundClock(1000)
    assert [clock.start(at, 4800, 48000) for at in (0, 50, 200, 500)] == [0, 4800, 9600, 24000]
