"""Real files through decoder, a filter in Python and encoder, linked by the resolver."""

from __future__ import annotations

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
