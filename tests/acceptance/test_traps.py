"""Traps of FFmpeg and PyAV, by their numbers: threads, edit lists, headers that lie, OpenCV beside it."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import reelway as rw
from reelway.engine import decoder, encoder
from tests.acceptance.parts import BLACK_AND_WHITE, Invert, ffmpeg, shown
from tests.engine.remuxing import in_child
from tests.media import make, probe

# --- 3: closing while another thread of the process has to read --------------------------------------

INTO_A_PIPE = """if True:
    import os, sys, threading, time
    import reelway as rw

    source, pipe, format, threads, result = sys.argv[1:]
    found = bytearray()

    def read():
        with open(pipe, "rb", buffering=0) as file:
            while piece := file.read(1000):
                found.extend(piece)

    reader = threading.Thread(target=read)
    reader.start()

    class Watch(rw.Filter):
        inputs = outputs = (rw.Caps(CodecID=rw.Not("raw")),)
        last = 0.0

        def configure(self, pid):
            self.new_pid(of=pid)

        def process(self):
            for pid in self.ipids:
                for packet in pid:
                    self.last = time.monotonic()
                    pid.output.send(packet)

    with rw.Session(threads=int(threads)) as session:
        watch = session.add(Watch())
        options = {"fragment_s": 0.5} if format == "mp4" else {}
        sink = session.load_dst(pipe, format=format, **options)
        session.load_src(source).video >> watch >> sink
        session.run()
    closing_s = time.monotonic() - watch.last
    reader.join(5)
    assert not reader.is_alive(), "the pipe was not closed"
    assert closing_s < 2, closing_s
    open(result, "wb").write(found)
"""


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("format", ["mpegts", "matroska", "mp4", "flv"])
def test_trap_03_closing_a_pipe_that_this_process_reads(format: str, threads: int, tmp_path: Path) -> None:
    """A thread of this process has to read what closing writes: it gets the GIL, and the whole film."""
    pipe, result = tmp_path / "pipe", tmp_path / "result"
    os.mkfifo(pipe)
    done = in_child(INTO_A_PIPE, make.media("plain.mp4"), pipe, format, threads, result, timeout=20)
    assert done.returncode == 0, done.stderr
    assert probe.counters(result) == list(range(100))


# --- 4: who uses a codec context ---------------------------------------------------------------------


class Owners:
    """Who is inside of each codec, and who ever was."""

    def __init__(self) -> None:
        self.inside: dict[int, int] = {}
        self.threads: dict[int, set[int]] = {}
        self.clashes: list[str] = []
        self._lock = threading.Lock()

    @contextmanager
    def using(self, codec: Any, what: str) -> Iterator[None]:
        key, thread = id(codec), threading.get_ident()
        with self._lock:
            if key in self.inside:
                self.clashes.append(f"{what} while another thread is inside")
            self.inside[key] = thread
            self.threads.setdefault(key, set()).add(thread)
        try:
            yield
        finally:
            with self._lock:
                self.inside.pop(key, None)

    def watch(self, patch: pytest.MonkeyPatch, kind: type, *names: str) -> None:
        for name in names:
            original = getattr(kind, name)

            def watched(codec: Any, *given: Any, _original: Any = original, _name: str = name) -> Any:
                with self.using(codec, _name):
                    return _original(codec, *given)

            patch.setattr(kind, name, watched)


def test_trap_04_one_thread_at_a_time_in_each_codec(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Three encoders behind a tee, two decoders, four workers: codecs move between threads, one by one."""
    owners = Owners()
    owners.watch(monkeypatch, decoder.Decoder, "_frames", "flush", "close")
    owners.watch(monkeypatch, encoder.Encoder, "encode", "drain")
    with rw.Session(threads=4) as session:
        for source in ("film.mp4", "film.ts"):
            tee = session.load("tee")
            session.load_src(make.media(source)).video >> session.load("decode:threads=2") >> tee
            for number, codec in enumerate(("libx264:preset=ultrafast", "mpeg4", "mjpeg")):
                path = tmp_path / f"{source}-{number}.mkv"
                (tee >> session.load(f"encode:codec={codec}")) >> session.load_dst(path)
        session.run()
    assert not owners.clashes
    assert not owners.inside
    assert len(owners.threads) == 8
    assert max(len(threads) for threads in owners.threads.values()) > 1, "they did move"
    for path in tmp_path.iterdir():
        assert probe.counters(path) == list(range(100))


# --- 11: edit lists ----------------------------------------------------------------------------------


def edit(path: Path, first: int, count: int | None = None) -> Path:
    """Makes the first track of an mp4 begin at picture `first` and show `count`, by its edit list."""
    data = bytearray(path.read_bytes())
    found: list[int] = []

    def look(start: int, end: int) -> None:
        for name, at, last in make.boxes(data, start, end):
            if name in (b"moov", b"trak", b"edts"):
                look(at, last)
            elif name == b"elst":
                found.append(at)

    look(0, len(data))
    at = found[0] + 8
    length, begin = struct.unpack_from(">Ii", data, at)
    length = length - first * 40 if count is None else count * 40  # [1/1000 s]
    struct.pack_into(">Ii", data, at, length, begin + first * 512)  # [1/12800 s]
    path.write_bytes(data)
    return path


EDITS = [(0, None), (10, None), (37, None), (0, 60), (10, 30), (25, 50)]


def cut_film(tmp_path: Path, first: int, count: int | None) -> tuple[Path, list[int]]:
    film = edit(make.film(tmp_path / "film.mp4", audio=0, timescale=12800), first, count)
    return film, list(range(first, 100 if count is None else first + count))


@pytest.mark.parametrize(("first", "count"), EDITS)
def test_trap_11_edit_lists_say_what_is_shown_and_when(
    first: int, count: int | None, tmp_path: Path, debian_tool: Callable[[str], Path]
) -> None:
    film, expected = cut_film(tmp_path, first, count)
    frames = rw.frames(film)
    seen = [(make.read_counter(frame.planes()[0]), frame.time) for frame in frames]
    assert [number for number, _ in seen] == expected
    assert [time for _, time in seen] == pytest.approx([n / 25 for n in range(len(expected))])
    raw = ffmpeg(debian_tool("ffmpeg"), "-i", film, "-fps_mode", "passthrough", "-f", "rawvideo", "-")
    assert len(raw) // (320 * 360) == len(expected)
    for at in (0, len(expected) // 2, -1):
        assert make.read_counter(frames.at(seen[at][1]).planes()[0]) == expected[at]


@pytest.mark.parametrize("target", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize(("first", "count"), EDITS)
def test_trap_11_edit_lists_through_python(
    first: int, count: int | None, target: str, tmp_path: Path
) -> None:
    film, expected = cut_film(tmp_path, first, count)
    rw.run(film, tmp_path / f"out.{target}", Invert())
    found = shown(tmp_path / f"out.{target}")
    assert [BLACK_AND_WHITE - make.read_counter(each.luma) for each in found] == expected
    assert [each.time - found[0].time for each in found] == [Fraction(n, 25) for n in range(len(expected))]


# --- 13: headers that lie ----------------------------------------------------------------------------


def longer(path: Path) -> Path:
    """Makes an mp4 or AVI say that it is three times as long as it is."""
    data = bytearray(path.read_bytes())

    def look(start: int, end: int) -> None:
        for name, at, last in make.boxes(data, start, end):
            if name in (b"moov", b"trak", b"mdia"):
                look(at, last)
            place = {b"mvhd": at + 16, b"mdhd": at + 16, b"tkhd": at + 20}.get(name)
            if place:
                (told,) = struct.unpack_from(">I", data, place)
                struct.pack_into(">I", data, place, told * 3)

    if path.suffix == ".mp4":
        look(0, len(data))
    else:
        for name, offset in ((b"avih", 24), (b"strh", 40)):  # dwTotalFrames, dwLength
            at = data.index(name) + offset
            (told,) = struct.unpack_from("<I", data, at)
            struct.pack_into("<I", data, at, told * 3)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("suffix", ["mp4", "avi"])
def test_trap_13_headers_that_promise_more_than_there_is(suffix: str, threads: int, tmp_path: Path) -> None:
    video = {"mp4": "libx264", "avi": "mpeg4"}[suffix]
    film = longer(make.film(tmp_path / f"film.{suffix}", audio=0, video=video, bframes=0))
    frames = rw.frames(film, threads=threads)
    assert [make.read_counter(frame.planes()[0]) for frame in frames] == list(range(100))
    assert len(frames.times) == 100
    assert make.read_counter(frames[-1].planes()[0]) == 99
    with pytest.raises(rw.OptionError, match="nothing is shown at 8"):
        frames.at(8)
    result = tmp_path / "out.mp4"
    statistics = rw.run(film, result, Invert(), threads=threads)
    assert statistics is not None
    assert [BLACK_AND_WHITE - number for number in probe.counters(result)] == list(range(100))
    found, warnings = probe.ffprobe(result)
    assert not warnings
    assert float(found["format"]["duration"]) == pytest.approx(4.0, abs=0.05)


@pytest.mark.parametrize("name", ["middle.mp4", "middle.mkv", "middle.ts", "middle.flv"])
def test_trap_13_files_that_were_cut_are_transcoded_as_far_as_they_go(name: str, tmp_path: Path) -> None:
    result = tmp_path / "out.mp4"
    rw.run(make.media(name), result, Invert())
    numbers = [BLACK_AND_WHITE - number for number in probe.counters(result)]
    # the last picture that is there may be one that others, shown before it and cut off, are coded behind
    assert numbers[:-1] == list(range(len(numbers) - 1))
    assert numbers[-1] - len(numbers) in (-1, 0, 1)
    assert 40 < len(numbers) < 100
    assert len(rw.frames(make.media(name)).times) >= len(numbers)


# --- 24: OpenCV in the same process ------------------------------------------------------------------

WITH_OPENCV = """if True:
    import os, sys

    order, source = sys.argv[1:]
    for name in order.split(","):
        try:
            __import__(name)
        except ImportError as error:
            print("no", error)
            sys.exit(0)
    import cv2
    import reelway as rw

    sizes = []
    for frame in rw.frames(source, pixel_format="bgr24", threads=2):
        small = cv2.resize(cv2.cvtColor(frame.array, cv2.COLOR_BGR2GRAY), (160, 120))
        sizes.append(small.shape)
        if os.environ.get("DISPLAY"):
            cv2.imshow("reelway", small)
            cv2.waitKey(1)
    assert sizes == [(120, 160)] * 100, sizes
    capture = cv2.VideoCapture(source)
    count = 0
    while capture.read()[0]:
        count += 1
    capture.release()
    print("frames", len(sizes), count)
"""


@pytest.mark.parametrize("order", ["av,cv2", "cv2,av", "cv2,reelway", "reelway,cv2"])
def test_trap_24_opencv_beside_it_in_both_orders(order: str) -> None:
    """OpenCV is no dependency but of the tests. `imshow` runs where there is a display."""
    done = in_child(WITH_OPENCV, order, make.media("film.mp4"), timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["frames", "100", "100"]
