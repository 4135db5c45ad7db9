"""Another size, pixel format or codec in mid-stream: told before the first new frame, and no crash."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy
import pytest

import reelway as rw
from tests.acceptance.parts import BLACK_AND_WHITE, Invert, ffmpeg, invert_rgb, shown
from tests.media import make, probe

BIG, SMALL = (320, 240), (176, 144)


def joined(path: Path, *films: dict[str, Any]) -> Path:
    """Transport streams behind each other as bytes, as a broadcaster's splice: times go on."""
    data, at, first = b"", Fraction(0), 0
    for number, given in enumerate(films):
        part = make.film(
            path.with_suffix(f".{number}.ts"),
            seconds=1,
            start=at,
            first_counter=first,
            **{"audio": 0, **given},
        )
        data += part.read_bytes()
        at, first = at + 1, first + 25
    path.write_bytes(data)
    return path


class Look(rw.Filter):
    """Notes for each frame what its properties said when it came, and what it is."""

    inputs = (rw.Caps(StreamType="Visual", CodecID="raw"),)

    def __init__(self) -> None:
        super().__init__()
        self.now: dict[str, Any] = {}
        self.seen: list[tuple[int, tuple[int, ...], tuple[Any, ...]]] = []
        self.configured = 0

    def configure(self, pid: rw.Link) -> None:
        self.now = dict(pid.properties)
        self.configured += 1

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                luma = packet.planes()[0]
                picture = (luma >> 2).astype(numpy.uint8) if luma.dtype == numpy.uint16 else luma
                said = self.now["Width"], self.now["Height"], self.now["PixelFormat"]
                self.seen.append((make.read_counter(picture), luma.shape, said))
                assert packet.payload.format == self.now["PixelFormat"]


def look(source: Path, threads: int, *between: str) -> Look:
    with rw.Session(threads=threads) as session:
        sees = Look()
        here: Any = session.load_src(source).video
        for text in between:
            here = here >> session.load(text)
        here >> session.add(sees)
        session.run()
    return sees


@pytest.mark.parametrize("threads", [0, 2])
def test_trap_22_a_new_size_in_a_transport_stream(threads: int, tmp_path: Path) -> None:
    source = joined(tmp_path / "joined.ts", {"size": BIG}, {"size": SMALL}, {"size": BIG})
    sees = look(source, threads)
    sizes = [BIG] * 25 + [SMALL] * 25 + [BIG] * 25
    assert sees.seen == [(n, size[::-1], (*size, "yuv420p")) for n, size in enumerate(sizes)]
    assert sees.configured == 3


@pytest.mark.parametrize("threads", [0, 2])
def test_trap_22_a_new_pixel_format_in_a_transport_stream(threads: int, tmp_path: Path) -> None:
    formats = "yuv420p", "yuv444p", "yuv420p10le"
    source = joined(tmp_path / "joined.ts", *({"pixel_format": each} for each in formats))
    sees = look(source, threads)
    expected = [each for each in formats for _ in range(25)]
    assert sees.seen == [(n, BIG[::-1], (*BIG, each)) for n, each in enumerate(expected)]
    assert sees.configured == 3


@pytest.mark.parametrize("threads", [0, 2])
def test_frames_of_a_new_size_each_say_theirs(threads: int, tmp_path: Path) -> None:
    source = joined(tmp_path / "joined.ts", {"size": BIG}, {"size": SMALL})
    found = list(rw.frames(source, threads=threads))
    assert [make.read_counter(frame.planes()[0]) for frame in found] == list(range(50))
    assert [frame.planes()[0].shape for frame in found] == [BIG[::-1]] * 25 + [SMALL[::-1]] * 25
    assert [(frame.properties["Width"], frame.properties["Height"]) for frame in found] == [BIG] * 25 + [
        SMALL
    ] * 25


@pytest.mark.parametrize("threads", [0, 2])
def test_frames_of_one_size_whatever_comes(threads: int, tmp_path: Path) -> None:
    """Who asks for a size and a format gets them to the end."""
    source = joined(tmp_path / "joined.ts", {"size": BIG}, {"size": (640, 480), "pixel_format": "yuv444p"})
    found = list(rw.frames(source, width=320, height=240, pixel_format="rgb24", threads=threads))
    assert {frame.array.shape for frame in found} == {(240, 320, 3)}
    assert [make.read_counter(frame.array) for frame in found] == list(range(50))


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("function", [Invert, invert_rgb])
@pytest.mark.parametrize("target", ["mp4", "mkv", "ts"])
def test_a_new_size_through_python_and_an_encoder(
    target: str, function: Any, threads: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file has one size: later pictures are scaled to the first, which is said."""
    source = joined(tmp_path / "joined.ts", {"size": BIG}, {"size": (640, 480)}, {"size": BIG})
    result = tmp_path / f"out.{target}"
    rw.run(source, result, function, threads=threads)
    found = shown(result)
    assert [BLACK_AND_WHITE - make.read_counter(each.luma) for each in found] == list(range(75))
    assert {each.luma.shape for each in found} == {(240, 320)}
    before = shown(source)
    times = [each.time - found[0].time for each in found]
    tick = probe.packets(result)[0].tick
    expected = [each.time - before[0].time for each in before]
    assert all(abs(here - there) <= tick for here, there in zip(times, expected, strict=True))
    assert "pictures become 640x480 and are scaled to 320x240" in caplog.text


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("function", [invert_rgb, "convert:format=yuv420p"])
def test_a_new_pixel_format_through_python_and_an_encoder(
    function: Any, threads: int, tmp_path: Path
) -> None:
    """A converter in front of the filter in Python, asked for or not, keeps the format."""
    formats = {}, {"pixel_format": "yuv444p"}, {"pixel_format": "yuv420p10le"}
    source, result = joined(tmp_path / "joined.ts", *formats), tmp_path / "out.mp4"
    filters = (function,) if function is invert_rgb else (function, Invert)
    rw.run(source, result, *filters, threads=threads)
    assert [BLACK_AND_WHITE - number for number in probe.counters(result)] == list(range(75))


@pytest.mark.parametrize("threads", [0, 2])
def test_a_new_pixel_format_that_a_filter_does_not_take_is_converted(threads: int, tmp_path: Path) -> None:
    """It never sees a frame that it does not accept, and loses none."""
    source = joined(tmp_path / "joined.ts", {}, {"pixel_format": "yuv444p"}, {})
    rw.run(source, tmp_path / "out.mp4", Invert, threads=threads)
    assert [BLACK_AND_WHITE - number for number in probe.counters(tmp_path / "out.mp4")] == list(range(75))


@pytest.mark.parametrize("threads", [0, 2])
def test_a_new_pixel_format_that_nothing_may_convert_is_refused_in_words(
    threads: int, tmp_path: Path
) -> None:
    """What was written so far plays."""
    source = joined(tmp_path / "joined.ts", {}, {"pixel_format": "yuv444p"})
    with rw.Session(threads=threads, blacklist=["convert"]) as session:
        session.load_src(source).video >> session.add(Invert()) >> session.load_dst(tmp_path / "out.mp4")
        with pytest.raises(rw.LinkError) as caught:
            session.run()
    assert str(caught.value) == (
        "decode.video1 changes in mid-stream, and Invert does not take that: "
        "PixelFormat is yuv444p, wanted yuv420p"
    )
    assert caught.value.hint == "`convert:format=yuv420p` in front of Invert keeps the stream as it is"
    numbers = [BLACK_AND_WHITE - number for number in probe.counters(tmp_path / "out.mp4")]
    assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize(("first", "second"), [("libx264", "libx265"), ("mpeg2video", "libx264")])
def test_another_codec_by_concat(first: str, second: str, threads: int, tmp_path: Path) -> None:
    """Two films of different codec and size: decoded by one decoder each, one after the other."""
    films = [
        make.film(tmp_path / f"{n}.mkv", seconds=1, audio=0, video=codec, size=size, first_counter=25 * n)
        for n, (codec, size) in enumerate(((first, BIG), (second, (640, 480))))
    ]
    result = tmp_path / "out.mp4"
    with rw.Session(threads=threads) as session:
        concat = session.load("concat")
        for film in films:
            session.load_src(film) >> concat
        concat >> session.add(Invert()) >> session.load_dst(result)
        session.run()
    assert [BLACK_AND_WHITE - number for number in probe.counters(result)] == list(range(50))


@pytest.mark.parametrize("threads", [0, 2])
def test_another_codec_in_the_same_transport_stream_is_told(
    threads: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """FFmpeg's demuxer keeps to the codec it found first: what that cannot decode is said to be damaged.

    Of the last pictures of the first codec, those that follow B-frames are lost with it.
    """
    source = joined(tmp_path / "joined.ts", {"video": "libx264"}, {"video": "libx265"})
    numbers = [make.read_counter(frame.planes()[0]) for frame in rw.frames(source, threads=threads)]
    assert numbers[:22] == list(range(22))
    assert numbers[-1] < 25
    assert "packets of video1 are damaged and left out" in caplog.text


def test_another_codec_in_a_copy_is_refused_in_words(tmp_path: Path) -> None:
    films = [
        make.film(tmp_path / f"{n}.mkv", seconds=1, audio=0, video=codec)
        for n, codec in enumerate(("libx264", "libx265"))
    ]
    with rw.Session() as session:
        concat = session.load("concat")
        for film in films:
            session.load_src(film) >> concat
        concat >> session.load_dst(tmp_path / "out.mp4", video="copy")
        with pytest.raises(rw.ReelwayError, match="h264|hevc") as caught:
            session.run()
    assert "hevc" in str(caught.value)
    with av.open(str(tmp_path / "out.mp4")) as container:  # what was written so far plays
        assert len(list(container.decode(video=0))) == 25


@pytest.mark.parametrize("threads", [0, 2])
def test_sound_that_changes_its_rate_and_channels(threads: int, tmp_path: Path) -> None:
    """AAC at 44100 Hz in mono behind 48000 Hz in stereo, as bytes: encoded at the first rate, none lost."""
    parts = []
    for number, track in enumerate(
        (make.Track("aac"), make.Track("aac", rate=44100, channels=1), make.Track("aac"))
    ):
        path = make.film(
            tmp_path / f"{number}.ts", video=None, seconds=2, audio=[track], start=Fraction(2 * number)
        )
        parts.append(path.read_bytes())
    source = tmp_path / "joined.ts"
    source.write_bytes(b"".join(parts))
    rw.run(source, tmp_path / "out.wav", audio="pcm_s16le", threads=threads)
    with av.open(str(tmp_path / "out.wav")) as container:
        stream = container.streams.audio[0]
        assert (stream.rate, stream.layout.nb_channels) == (48000, 2)
        samples = numpy.concatenate([frame.to_ndarray().reshape(-1, 2) for frame in container.decode(stream)])
    assert abs(len(samples) / 48000 - 6) < 0.2
    for second in (1, 3, 5):  # the tone is 440 Hz all the time
        piece = samples[second * 48000 : second * 48000 + 24000, 0].astype(float)
        assert abs(int(numpy.abs(numpy.fft.rfft(piece)).argmax()) * 2 - 440) <= 2


def test_ffmpeg_agrees_on_a_new_size(tmp_path: Path, debian_tool: Any) -> None:
    """Debian's ffmpeg scales to the first size as well: the same numbers, as like as two scalers are."""
    source = joined(tmp_path / "joined.ts", {"size": BIG}, {"size": (640, 480)})
    raw = ffmpeg(
        debian_tool("ffmpeg"),
        "-i",
        source,
        "-fps_mode",
        "passthrough",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
        "-",
    )
    theirs = numpy.frombuffer(raw, numpy.uint8).reshape(-1, 240, 320)
    mine = list(rw.frames(source, width=320, height=240))
    assert [make.read_counter(picture) for picture in theirs] == list(range(50))
    assert [make.read_counter(frame.planes()[0]) for frame in mine] == list(range(50))
