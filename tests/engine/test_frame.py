"""Frames of av as payloads: views that hold, writing that nobody else sees, and the way back to av."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy
import pytest

import reelway as rw
from reelway.engine.frame import AvFrames, CodecFrame
from reelway.media.frame import MemoryFrame
from reelway.media.layout import PICTURE_FORMATS
from tests.media import make

PICTURE = {"StreamType": "Visual", "CodecID": "raw", "PixelFormat": "yuv420p", "Width": 32, "Height": 16}
SOUND = {
    "StreamType": "Audio", "CodecID": "raw", "AudioFormat": "s16", "NumChannels": 2, "SampleRate": 48000
}  # fmt: skip


def frames(name: str = "film.mp4", threads: int = 1) -> Iterator[Any]:
    with av.open(str(make.media(name))) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = threads
        stream.codec_context.thread_type = "AUTO"
        yield from container.decode(stream)


def digest(planes: list[Any]) -> str:
    whole = hashlib.sha1()
    for plane in planes:
        whole.update(numpy.ascontiguousarray(plane))
    return whole.hexdigest()


def test_trap_08_views_hold_while_decoding_goes_on() -> None:
    kept: list[tuple[list[Any], str]] = []
    for number, frame in enumerate(frames(threads=2)):
        if number < 64:
            planes = CodecFrame(frame).planes()
            kept.append((planes, digest(planes)))
        del frame
    for _ in range(5):
        for _ in frames(threads=2):
            pass
    assert len(kept) == 64
    assert [digest(planes) for planes, _ in kept] == [before for _, before in kept]


@pytest.mark.parametrize("threads", [1, 2])
def test_writing_leaves_the_decoders_references_alone(threads: int) -> None:
    untouched = [digest(CodecFrame(frame).planes()) for frame in frames(threads=threads)]
    seen = []
    for frame in frames(threads=threads):
        payload = CodecFrame(frame)
        seen.append(digest(payload.planes()))
        payload.make_writable()
        for plane in payload.planes(writable=True):
            plane[...] = 7
    assert seen == untouched


def test_old_views_stay_and_new_ones_are_written() -> None:
    payload = CodecFrame(next(frames()))
    before = payload.planes()
    was = digest(before)
    with pytest.raises(ValueError, match="read-only"):
        before[0][0, 0] = 1
    payload.make_writable()
    first, second = payload.planes(writable=True), payload.planes(writable=True)
    first[0][...] = 9
    second[1][...] = 8
    payload.make_writable()  # still its own: nothing is copied
    assert (payload.planes()[0] == 9).all()
    assert (payload.planes()[1] == 8).all()
    assert digest(before) == was


def test_what_an_encoder_took_is_not_written() -> None:
    payload = CodecFrame(next(frames()))
    payload.make_writable()
    payload.planes(writable=True)[0][...] = 1
    taken = payload.take()
    payload.make_writable()
    payload.planes(writable=True)[0][...] = 2
    assert numpy.frombuffer(taken.planes[0], numpy.uint8)[0] == 1


def test_sound() -> None:
    with av.open(str(make.media("film.mp4"))) as container:
        frame = next(container.decode(audio=0))
    payload = CodecFrame(frame)
    before = payload.planes()
    assert [(plane.shape, plane.dtype) for plane in before] == [((1024,), "float32")] * 2
    assert payload.size == len(payload.view()) == 1024 * 8
    was = digest(before)
    payload.make_writable()
    payload.planes(writable=True)[0][...] = 0.5
    assert digest(before) == was
    assert (payload.planes()[0] == 0.5).all()
    assert payload.array().shape == (1024, 2)
    assert (payload.copy().planes()[0] == 0.5).all()


FORMATS = (
    "yuv420p nv12 rgb24 gray yuv422p10le p010le rgba gbrp yuva444p yuyv422 rgb48be gbrpf32le gray16le".split()
)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("size", [(32, 16), (38, 18), (640, 4)])
def test_memory_to_av_and_back(format: str, size: tuple[int, int]) -> None:
    memory = MemoryFrame.picture(format, *size)
    for number, plane in enumerate(memory.planes(writable=True)):
        plane[...] = (numpy.arange(plane.size).reshape(plane.shape) + number) % 251
    properties = {**PICTURE, "PixelFormat": format, "Width": size[0], "Height": size[1]}
    whole = bytes(memory.view())
    for payload in (memory, whole):
        frame = AvFrames(properties).of(rw.Packet(payload))
        assert (frame.format.name, frame.width, frame.height) == (format, *size)
        back = CodecFrame(frame)
        assert [plane.shape for plane in back.planes()] == [plane.shape for plane in memory.planes()]
        assert bytes(back.view()) == whole
        assert back.size == len(whole)
        assert bytes(back.copy().view()) == whole


def test_every_format_with_a_layout_that_av_knows() -> None:
    for format in PICTURE_FORMATS:
        try:
            av.VideoFormat(format)
        except ValueError:
            continue
        frame = CodecFrame(av.VideoFrame(32, 16, format))
        frame.make_writable()
        for number, plane in enumerate(frame.planes(writable=True)):
            plane[...] = number + 1
        assert all((plane == number + 1).all() for number, plane in enumerate(frame.copy().planes()))


def test_lines_with_gaps() -> None:
    properties = {**PICTURE, "PixelFormat": "rgb24", "Stride": 128}
    data = numpy.arange(128 * 16, dtype=numpy.uint8)
    frame = AvFrames(properties).of(rw.Packet(data))
    expected = data.reshape(16, 128)[:, :96].reshape(16, 32, 3)
    assert (CodecFrame(frame).planes()[0] == expected).all()


def test_bytes_are_not_copied_where_av_can_read_them() -> None:
    data = numpy.zeros(32 * 16 * 3 // 2, numpy.uint8)
    frame = AvFrames(PICTURE).of(rw.Packet(data))
    assert frame.planes[0].buffer_ptr == data.ctypes.data
    del data
    assert bytes(frame.planes[2]) == bytes(128)  # it holds them


def test_memory_sound_to_av() -> None:
    data = numpy.arange(2000, dtype=numpy.int16)
    frame = AvFrames(SOUND).of(rw.Packet(data))
    assert (frame.samples, frame.sample_rate, frame.layout.name) == (1000, 48000, "stereo")
    assert (CodecFrame(frame).array() == data.reshape(1000, 2)).all()


def test_too_few_bytes() -> None:
    with pytest.raises(rw.PacketError, match="too small"):
        AvFrames(PICTURE).of(rw.Packet(bytes(100)))


def test_shared_payloads_get_frames_of_their_own() -> None:
    packet = rw.Packet(CodecFrame(next(frames())))
    other = packet.clone()
    mine, theirs = AvFrames(PICTURE).of(packet), AvFrames(PICTURE).of(other)
    mine.pts, mine.time_base, mine.pict_type = 5, Fraction(1, 5), 2
    theirs.pts, theirs.time_base, theirs.pict_type = 7, Fraction(1, 7), 3
    assert (mine.pts, mine.time_base, mine.pict_type) == (5, Fraction(1, 5), 2)
    assert mine.planes[0].buffer_ptr == theirs.planes[0].buffer_ptr


# --- in a session ------------------------------------------------------------------------------------


class Spoil(rw.Filter):
    """Writes all over each frame, and looks first."""

    inputs = (rw.Caps(StreamType="Visual", CodecID="raw"),)
    outputs = (rw.Caps(StreamType="Visual", CodecID="raw"),)

    def __init__(self, value: int | None, **options: Any) -> None:
        super().__init__(**options)
        self.value = value
        self.seen: list[str] = []

    def configure(self, pid: rw.Link) -> None:
        self.new_pid(of=pid)

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                self.seen.append(digest(packet.planes()))
                if self.value is not None:
                    for plane in packet.writable():
                        plane[...] = self.value
                    assert all((plane == self.value).all() for plane in packet.planes())
                assert pid.output is not None
                pid.output.send(packet)


@pytest.mark.parametrize("threads", [0, 2])
def test_writing_in_place_changes_nothing_for_anybody_else(threads: int, tmp_path: Path) -> None:
    film = make.film(tmp_path / "film.mp4", seconds=4.8, audio=0)
    expected = []
    with av.open(str(film)) as container:
        expected = [digest(CodecFrame(frame).planes()) for frame in container.decode(video=0)]
    assert len(expected) == 120
    with rw.Session(threads=threads) as session:
        source, tee = session.load_src(film), session.load("tee")
        branches = [session.add(Spoil(value)) for value in (1, None, 2)]
        source >> session.load("decode") >> tee
        for branch in branches:
            (tee >> branch) >> session.load_dst("null")
        session.run()
    for branch in branches:
        assert branch.seen == expected


def test_two_encoders_share_frames(tmp_path: Path) -> None:
    """Each sets times, ticks and picture types on the av frames: they are not the same ones."""
    with rw.Session(threads=2) as session:
        tee = session.load("tee")
        session.load_src(make.media("film.mp4")).video >> session.load("decode") >> tee
        for name, codec in (("a.mp4", "libx264"), ("b.mkv", "mpeg4")):
            tee >> session.load(f"encode:codec={codec}") >> session.load_dst(tmp_path / name)
        session.run()
    for name in ("a.mp4", "b.mkv"):
        with av.open(str(tmp_path / name)) as container:
            times = [frame.time for frame in container.decode(video=0)]
        assert times == pytest.approx([number / 25 for number in range(100)])
