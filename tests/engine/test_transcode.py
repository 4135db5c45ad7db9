"""Real files through decoder, a filter in Python and encoder, linked by the resolver."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

import reelway as rw
from tests.media import make, probe


class Invert(rw.Filter):
    """Inverts luma below the burned-in counter, in place."""

    inputs = (rw.Caps(StreamType="Visual", CodecID="raw", PixelFormat="yuv420p"),)
    outputs = (rw.Caps(StreamType="Visual", CodecID="raw"),)

    def configure(self, pid: rw.Link) -> None:
        if pid.output is None:
            self.new_pid(of=pid)
        else:
            pid.output.copy_properties(pid)

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                luma = packet.writable()[0]
                luma[40:] = 255 - luma[40:]
                assert pid.output is not None
                pid.output.send(packet)


@pytest.mark.parametrize("threads", [0, 2])
def test_mp4_to_mp4_through_python(threads: int, tmp_path: Path) -> None:
    result = tmp_path / "out.mp4"
    with rw.Session(threads=threads) as session:
        source = session.load_src(make.media("film.mp4"))
        session.chain(source, session.add(Invert()), session.load_dst(result))
        assert str(session.explain()) == (
            "demux.video1: h264, 320x240, 25 fps\n"
            "  -> decode -> Invert  (declared)\n"
            "Invert.video1: raw yuv420p, 320x240, 25 fps\n"
            "  -> encode:codec=h264 -> mux  (declared)\n"
            "demux.audio1: aac, 48000 Hz, stereo\n"
            "  -> mux  (declared)"
        )
        session.run()
    assert probe.counters(result) == list(range(100))
    before = {stream.kind: stream for stream in probe.packets(make.media("film.mp4"))}
    after = {stream.kind: stream for stream in probe.packets(result)}
    sound = [packet.pts for packet in before["audio"].packets]
    assert [packet.pts for packet in after["audio"].packets] == sound  # it is copied
    for kind in ("pts", "duration"):
        assert sorted(getattr(packet, kind) for packet in after["video"].packets) == sorted(
            getattr(packet, kind) for packet in before["video"].packets
        )


def test_both_streams_through_the_same_filters(tmp_path: Path) -> None:
    result = tmp_path / "out.mkv"
    with rw.Session(threads=2) as session:
        source, sink = session.load_src(make.media("film.mp4")), session.load_dst(result)
        ((source >> session.load("decode")) >> session.load("encode")) >> sink
        session.run()
    assert probe.counters(result) == list(range(100))
    assert [stream.codec for stream in probe.packets(result)] == ["h264", "aac"]


class Seeker(rw.Filter):
    """Asks a transcoder for another place, once."""

    inputs = (rw.Caps(CodecID="mpeg4"),)

    def __init__(self) -> None:
        super().__init__()
        self.times: list[int] = []
        self.restarted_at = 0

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                self.times.append(packet.cts or 0)
                if len(self.times) == 10:
                    pid.send_event(rw.events.Seek(time_s=3.0))

    def restarted(self, pid: rw.Link) -> None:
        self.restarted_at = len(self.times)


@pytest.mark.parametrize("threads", [0, 2])
def test_seeking_through_a_transcoder(threads: int) -> None:
    with rw.Session(threads=threads, limits=rw.Limits(packets=4)) as session:  # it is not read to its end yet
        seeker = Seeker()
        session.load_src(make.media("film.mp4")).video >> session.add(seeker)
        session.run()
    assert seeker.restarted_at >= 10
    assert sorted(seeker.times[seeker.restarted_at :]) == [512 * number for number in range(75, 100)]


@pytest.mark.parametrize("target", ["mp4", "mkv", "ts", "flv", "webm", "mov", "avi"])
def test_any_container_gets_what_its_players_expect(target: str, tmp_path: Path) -> None:
    """As long as ffmpeg makes it, and readable without a warning."""
    result = tmp_path / f"out.{target}"
    with rw.Session(threads=2) as session:
        source, sink = session.load_src(make.media("film.mp4")), session.load_dst(result)
        (source >> session.load("decode")) >> sink
        session.run()
    assert probe.counters(result) == list(range(100))
    expected = {"webm": {"vp9", "opus"}, "avi": {"mpeg4", "mp3"}}.get(target, {"h264", "aac"})
    streams = probe.packets(result)
    assert {stream.codec for stream in streams} == expected
    for stream in streams:
        starts = [packet.pts or packet.dts or 0 for packet in stream.packets]
        assert abs(max(starts) - min(starts) - 4) < Fraction(1, 10)


def test_sound_alone(tmp_path: Path) -> None:
    for target, codec in (
        ("wav", "pcm_s16le"),
        ("mp3", "mp3"),
        ("flac", "flac"),
        ("m4a", "aac"),
        ("ogg", "opus"),
    ):
        result = tmp_path / f"out.{target}"
        with rw.Session(threads=0) as session:
            source, sink = session.load_src(make.media("film.mp4")), session.load_dst(result)
            (source.audio >> session.load("decode")) >> sink
            session.run()
        (stream,) = probe.packets(result)
        assert stream.codec == codec
        assert abs(sum(packet.duration for packet in stream.packets) - 4) < Fraction(1, 10)
