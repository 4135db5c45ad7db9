"""Writing into a frame changes it for nobody else: not for the decoder, not for another branch."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

import av
import numpy
import pytest

import reelway as rw
from tests.media import make, probe

SECONDS = 4.8
COUNT = 120

Where = Literal["session", "own"]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 pictures that refer to each other both ways, with sound."""
    return make.film(tmp_path_factory.mktemp("film") / "film.mp4", seconds=SECONDS, bframes=2, gop=60)


def digest(planes: list[Any]) -> str:
    whole = hashlib.sha1()
    for plane in planes:
        whole.update(numpy.ascontiguousarray(plane))
    return whole.hexdigest()


@pytest.fixture(scope="module")
def untouched(film: Path) -> list[str]:
    """What PyAV decodes, with nobody writing."""
    with av.open(str(film)) as container:
        container.streams.video[0].thread_type = "NONE"
        found = []
        for frame in container.decode(video=0):
            luma = frame.to_ndarray()
            found.append(digest([luma[:240], luma[240:300].reshape(120, 160), luma[300:].reshape(120, 160)]))
    assert len(found) == COUNT
    return found


class Branch(rw.Filter):
    """Looks at each frame; then writes all over it with `value`, or keeps it and looks again at the end."""

    inputs = (rw.Caps(StreamType="Visual", CodecID="raw", PixelFormat="yuv420p"),)
    outputs = (rw.Caps(StreamType="Visual", CodecID="raw"),)

    def __init__(self, value: int | None = None, keep: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.value = value
        self.keep = keep
        self.seen: list[str] = []
        self.kept: list[list[Any]] = []

    def configure(self, pid: rw.Link) -> None:
        self.new_pid(of=pid)

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                planes = packet.planes()
                self.seen.append(digest(planes))
                if self.keep:
                    self.kept.append(planes)
                del planes
                if self.value is not None:
                    for plane in packet.writable():
                        plane[...] = self.value
                assert pid.output is not None
                pid.output.send(packet)


class Own(Branch):
    thread = "own"


def branch(where: Where, *given: Any, **options: Any) -> Branch:
    return (Own if where == "own" else Branch)(*given, **options)


class Values(rw.Filter):
    """Notes what each frame that arrives looks like: a digest, and its least and greatest samples."""

    inputs = (rw.Caps(StreamType="Visual", CodecID="raw"),)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.same: list[set[int]] = []

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                self.found.append(digest(packet.planes()))
                self.same.append({int(v) for plane in packet.planes() for v in (plane.min(), plane.max())})


@pytest.mark.parametrize("where", ["session", "own"])
@pytest.mark.parametrize("threads", [0, 2])
def test_a_writing_filter_alone(film: Path, untouched: list[str], threads: int, where: Where) -> None:
    """The decoder's references stay: every later picture is what it is without anybody writing."""
    with rw.Session(threads=threads) as session:
        writes, sink = branch(where, 7), Values()
        session.load_src(film).video >> session.add(writes) >> session.add(sink)
        session.run()
    assert writes.seen == untouched
    assert sink.same == [{7}] * COUNT


@pytest.mark.parametrize("second", ["session", "own"])
@pytest.mark.parametrize("first", ["session", "own"])
@pytest.mark.parametrize("threads", [0, 2])
def test_one_branch_writes_and_one_reads(
    film: Path, untouched: list[str], threads: int, first: Where, second: Where
) -> None:
    """Also behind them: the reader's frames are untouched when they leave it, and those that it holds."""
    with rw.Session(threads=threads) as session:
        tee = session.load("tee")
        session.load_src(film).video >> session.load("decode") >> tee
        writes, reads = branch(first, 7), branch(second, keep=True)
        sinks = Values(), Values()
        for each, sink in zip((writes, reads), sinks, strict=True):
            tee >> session.add(each) >> session.add(sink)
        session.run()
    assert writes.seen == reads.seen == sinks[1].found == untouched
    assert sinks[0].same == [{7}] * COUNT
    assert [digest(planes) for planes in reads.kept] == untouched, "what is held stays as it is"


@pytest.mark.parametrize("threads", [0, 2])
def test_branches_that_all_write(film: Path, untouched: list[str], threads: int) -> None:
    with rw.Session(threads=threads) as session:
        tee = session.load("tee")
        session.load_src(film).video >> session.load("decode") >> tee
        branches = [branch(where, value) for where, value in (("session", 1), ("own", 2), ("own", 3))]  # type: ignore[arg-type]
        sinks = [Values() for _ in branches]
        for each, sink in zip(branches, sinks, strict=True):
            tee >> session.add(each) >> session.add(sink)
        session.run()
    for number, (each, sink) in enumerate(zip(branches, sinks, strict=True), 1):
        assert each.seen == untouched
        assert sink.same == [{number}] * COUNT


@pytest.mark.parametrize("threads", [0, 2])
def test_writing_behind_an_encoder_that_still_codes_them(film: Path, threads: int, tmp_path: Path) -> None:
    """x264 looks ahead for dozens of pictures: it holds them while the other branch writes."""
    with rw.Session(threads=threads) as session:
        tee = session.load("tee")
        session.load_src(film).video >> session.load("decode") >> tee
        encoder = session.load("encode:codec=libx264:preset=veryfast:crf=10")
        (tee >> encoder) >> session.load_dst(tmp_path / "out.mkv")
        sink = Values()
        tee >> session.add(branch("own", 200)) >> session.add(sink)
        session.run()
    assert sink.same == [{200}] * COUNT
    assert probe.counters(tmp_path / "out.mkv") == list(range(COUNT))


@rw.video_filter(pixel_format="yuv420p", writable=True)
def spoil(image: Any) -> Any:
    image[...] = 9
    return image


@pytest.mark.parametrize("threads", [0, 2])
def test_a_function_that_writes_beside_one_that_reads(film: Path, untouched: list[str], threads: int) -> None:
    with rw.Session(threads=threads) as session:
        tee = session.load("tee")
        session.load_src(film).video >> session.load("decode") >> tee
        reads, sink = branch("session", keep=True), Values()
        tee >> session.add(spoil()) >> session.add(sink)
        tee >> session.add(reads) >> session.load_dst("null")
        session.run()
    assert reads.seen == untouched
    assert [digest(planes) for planes in reads.kept] == untouched
    assert sink.same == [{9}] * COUNT


@pytest.mark.parametrize("threads", [0, 2])
def test_frames_that_their_reader_writes_into(film: Path, untouched: list[str], threads: int) -> None:
    """`Frame.writable()` in a loop: the next frames, and a view of before, are as they were."""
    before = []
    for frame, expected in zip(rw.frames(film, threads=threads), untouched, strict=True):
        views = frame.planes()
        assert digest(views) == expected
        for plane in frame.writable():
            plane[...] = 5
        before.append(views)
    assert [digest(views) for views in before] == untouched


class Quiet(rw.Filter):
    """Silences sound in place."""

    inputs = (rw.Caps(StreamType="Audio", CodecID="raw"),)
    outputs = (rw.Caps(StreamType="Audio", CodecID="raw"),)

    def configure(self, pid: rw.Link) -> None:
        self.new_pid(of=pid)

    def process(self) -> None:
        for pid in self.ipids:
            for packet in pid:
                for plane in packet.writable():
                    plane[...] = 0
                assert pid.output is not None
                pid.output.send(packet)


class Heard(rw.Filter):
    inputs = (rw.Caps(StreamType="Audio", CodecID="raw"),)

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[Any] = []

    def process(self) -> None:
        for pid in self.ipids:
            self.pieces += [packet.array().copy() for packet in pid]


@pytest.mark.parametrize("threads", [0, 2])
def test_sound_that_one_branch_silences(film: Path, threads: int) -> None:
    expected = numpy.concatenate([frame.array for frame in rw.frames(film, stream="audio")])
    with rw.Session(threads=threads) as session:
        tee = session.load("tee")
        session.load_src(film).audio >> session.load("decode") >> tee
        silent, loud = Heard(), Heard()
        tee >> session.add(Quiet()) >> session.add(silent)
        tee >> session.add(loud)
        session.run()
    assert (numpy.concatenate(loud.pieces) == expected).all()
    assert not numpy.concatenate(silent.pieces).any()
    assert len(numpy.concatenate(silent.pieces)) == len(expected)
