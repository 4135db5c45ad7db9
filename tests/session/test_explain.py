"""`explain()` as it reads, word for word, and that it is what then happens."""

from __future__ import annotations

from pathlib import Path

import reelway as rw
from reelway.session.words import stream_in_words


class H264Only(rw.Filter):
    """Passes H.264 on."""

    inputs = (rw.Caps(StreamType="Visual", CodecID="h264"),)
    outputs = (rw.Caps(StreamType="Visual", CodecID="h264"),)

    def configure(self, pid: rw.Link) -> None:
        self.new_pid(of=pid)

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                assert pid.output is not None
                pid.output.send(packet)


class Pictures(rw.Filter):
    """Says that it makes raw pictures of H.264."""

    inputs = (rw.Caps(StreamType="Visual", CodecID="h264"),)
    outputs = (rw.Caps(CodecID="raw", PixelFormat=("gray", "rgb24")),)


def explained(session: rw.Session) -> str:
    with session:
        return str(session.explain())


def test_remux(film: str) -> None:
    session = rw.Session()
    session.load_src(film)
    session.load_dst("out.ts")
    assert explained(session) == (
        "demux.video1: h264, 320x240, 25 fps\n"
        "  -> mux  (implied: it takes what it accepts)\n"
        "demux.audio1: aac, 48000 Hz, stereo\n"
        "  -> mux  (implied: it takes what it accepts)"
    )
    assert not Path("out.ts").exists()


def test_two_sinks_each_take_everything(film: str) -> None:
    session = rw.Session()
    session.load_src(film)
    session.load_dst("null")
    session.load_dst("null")
    assert explained(session) == (
        "demux.video1: h264, 320x240, 25 fps\n"
        "  -> null  (implied: it takes what it accepts)\n"
        "  -> null2  (implied: it takes what it accepts)\n"
        "demux.audio1: aac, 48000 Hz, stereo\n"
        "  -> null  (implied: it takes what it accepts)\n"
        "  -> null2  (implied: it takes what it accepts)"
    )


def test_what_a_filter_does_not_accept_goes_around_it(film: str) -> None:
    session = rw.Session()
    session.chain(session.load_src(film), session.add(H264Only()), session.load_dst("null"))
    expected = (
        "demux.video1: h264, 320x240, 25 fps\n"
        "  -> H264Only  (declared)\n"
        "H264Only.video1: h264, 320x240, 25 fps\n"
        "  -> null  (declared)\n"
        "demux.audio1: aac, 48000 Hz, stereo\n"
        "  -> null  (declared)"
    )
    with session:
        assert str(session.explain()) == expected
        session.run()
        links = {
            (link.source, link.consumer) for each in session.statistics().filters for link in each.inputs
        }
    assert links == {("demux", "H264Only"), ("H264Only", "null"), ("demux", "null")}


def test_selectors_and_streams_that_go_nowhere(film: str) -> None:
    session = rw.Session()
    source, sink = session.load_src(film), session.load_dst("null")
    source.video >> sink
    assert explained(session) == (
        "demux.video1: h264, 320x240, 25 fps\n"
        "  -> null  (declared with #video)\n"
        "demux.audio1: aac, 48000 Hz, stereo\n"
        "  goes nowhere"
    )


def test_why_a_stream_goes_nowhere(film: str) -> None:
    session = rw.Session()
    session.load_src(film)
    session.add(H264Only())
    assert explained(session) == (
        "demux.video1: h264, 320x240, 25 fps\n"
        "  -> H264Only  (implied: it takes what it accepts)\n"
        "H264Only.video1: h264, 320x240, 25 fps\n"
        "  goes nowhere\n"
        "demux.audio1: aac, 48000 Hz, stereo\n"
        "  goes nowhere; H264Only: StreamType is Audio, wanted Visual"
    )


def test_choices_that_are_still_open_are_shown(film: str) -> None:
    session = rw.Session()
    source = session.load_src(film)
    source.video >> session.add(Pictures()) >> session.load_dst("null")
    assert "Pictures.video1: raw gray|rgb24, 320x240, 25 fps\n  -> null  (declared)" in explained(session)


def test_streams_in_words() -> None:
    assert stream_in_words({}) == "?"
    assert stream_in_words(
        {"CodecID": "raw", "AudioFormat": "s16", "SampleRate": 8000, "NumChannels": 1}
    ) == ("raw s16, 8000 Hz, mono")
    assert stream_in_words({"CodecID": "mov_text", "Language": "fr"}) == "mov_text, fr"
