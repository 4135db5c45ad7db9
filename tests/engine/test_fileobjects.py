"""Python file objects with habits of their own, as sources and as sinks."""

from __future__ import annotations

import gzip
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import reelway as rw
from reelway.engine.fileobjects import reader, writer
from reelway.errors import OpenError, OptionError
from tests.engine.remuxing import in_child, remux
from tests.media import make, probe


class Spends:
    """Gives `more` bytes than it is asked for, each made to another type."""

    def __init__(self, path: Path, more: int = 0, made: Callable[[bytes], Any] = bytes) -> None:
        self.file = io.BytesIO(path.read_bytes())
        self.more = more
        self.made = made

    def read(self, size: int) -> Any:
        return self.made(self.file.read(size + self.more))


class Spool(Spends):
    def seek(self, offset: int, whence: int = 0) -> None:
        self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()


class Sips(io.RawIOBase):
    """Takes up to `most` bytes at once and says so; from `limit` bytes on it says `answer`."""

    def __init__(self, most: int, limit: int | None = None, answer: int | None = None) -> None:
        self.most, self.limit, self.answer = most, limit, answer
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int | None:
        if self.limit is not None and len(self.written) >= self.limit:
            return self.answer
        part = bytes(data[: self.most])
        self.written += part
        return len(part)


class Says:
    """Takes everything and answers what writers of small classes answer."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.written = bytearray()

    def write(self, data: bytes) -> Any:
        self.written += data
        return self.answer


def counters_of(source: Any, tmp_path: Path) -> list[int]:
    result = tmp_path / "out.mkv"
    remux(source, result)
    return probe.counters(result)


# --- sources -----------------------------------------------------------------------------------------


def test_read_that_gives_more_than_was_asked_for_ends_no_process() -> None:
    code = """if True:
        import sys
        from pathlib import Path
        import reelway as rw
        from tests.engine.test_fileobjects import Spends
        rw.run(Spends(Path(sys.argv[1]), more=300_000), "null")
    """
    done = in_child(code, make.media("film.ts"))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("more", [1, 1000, 50_000])
@pytest.mark.parametrize("name", ["film.ts", "film.mkv"])
def test_what_was_given_too_much_is_not_lost(name: str, more: int, tmp_path: Path) -> None:
    path = make.media(name)
    assert counters_of(Spends(path, more), tmp_path) == probe.counters(path)


def test_nor_where_the_object_can_seek(tmp_path: Path) -> None:
    path = make.media("film.mp4")  # its index is at the end
    assert counters_of(Spool(path, more=1000), tmp_path) == probe.counters(path)


def test_places_are_told_without_what_is_left_over() -> None:
    file: Any = reader(Spool(make.media("film.mp4"), more=100))
    whole = make.media("film.mp4").read_bytes()
    assert file.read(50) == whole[:50]
    assert file.tell() == 50
    assert file.seek(10, io.SEEK_CUR) == 60
    assert file.read(5) == whole[60:65]
    assert file.seek(-3, io.SEEK_END) == len(whole) - 3
    assert [file.read(10), file.read(10)] == [whole[-3:], b""]


@pytest.mark.parametrize("made", [bytearray, memoryview])
def test_bytes_of_other_types(made: Callable[[bytes], Any], tmp_path: Path) -> None:
    path = make.media("film.ts")
    assert counters_of(Spends(path, made=made), tmp_path) == probe.counters(path)


@pytest.mark.parametrize(
    ("made", "words"),
    [(str, "gave str, not bytes: open the file in binary mode"), (len, "gave int, not bytes")],
)
def test_what_is_no_bytes_is_said(made: Callable[[bytes], Any], words: str) -> None:
    with pytest.raises(rw.ReelwayError, match=words):
        remux(Spends(make.media("film.ts"), made=made), "null")


def test_a_source_that_does_not_wait_is_told_of() -> None:
    with pytest.raises(OpenError, match=r"read\(\) gave None, as nothing is there yet"):
        remux(Spends(make.media("film.ts"), made=lambda data: None), "null")


def test_from_compressed_and_temporary_files(tmp_path: Path) -> None:
    path, packed = make.media("film.mp4"), tmp_path / "film.mp4.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    numbers = probe.counters(path)
    with gzip.open(packed) as file:
        assert counters_of(file, tmp_path) == numbers
    with gzip.GzipFile(fileobj=io.BytesIO(packed.read_bytes())) as file:
        assert counters_of(file, tmp_path) == numbers
    for kind in (tempfile.TemporaryFile, tempfile.SpooledTemporaryFile):
        with kind() as spooled:
            spooled.write(path.read_bytes())
            spooled.seek(0)
            assert counters_of(spooled, tmp_path) == numbers


# --- sinks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["matroska", "mpegts"])
def test_short_writes_are_finished(form: str, tmp_path: Path) -> None:
    whole, sips = io.BytesIO(), Sips(1000)
    for target in (whole, sips):
        remux(make.media("film.mp4"), target, writing={"format": form, "ffmpeg": {"fflags": "+bitexact"}})
    assert len(sips.written) > 1000
    if form == "mpegts":
        assert bytes(sips.written) == whole.getvalue()
    result = tmp_path / "out"
    result.write_bytes(sips.written)
    assert probe.counters(result) == probe.counters(make.media("film.mp4"))


@pytest.mark.parametrize(("answer", "words"), [(None, "no room yet"), (0, "it gave 0"), (-1, "it gave -1")])
@pytest.mark.parametrize("limit", [0, 20_000])
def test_a_sink_that_takes_nothing_more_is_an_error(limit: int, answer: int | None, words: str) -> None:
    with pytest.raises(OpenError, match=words):
        remux(make.media("film.mp4"), Sips(5000, limit, answer), writing={"format": "mpegts"})


@pytest.mark.parametrize("answer", [None, True, "ok", 1 << 40])
def test_a_sink_that_does_not_count_has_taken_all(answer: Any) -> None:
    told, whole = Says(answer), io.BytesIO()
    for target in (told, whole):
        remux(make.media("film.mp4"), target, writing={"format": "mpegts"})
    assert bytes(told.written) == whole.getvalue()


def test_a_sink_may_seek_without_saying_where_it_is() -> None:
    file: Any = writer(Spool(make.media("film.mp4")))
    assert not hasattr(writer(Says(None)), "seek")
    with pytest.raises(AttributeError):  # it has no write(): what it lacks is not made up
        file.write(b"x")
    assert file.seek(7) == file.tell() == 7


@pytest.mark.parametrize("closed", [False, True])
def test_a_sink_that_is_not_open_for_writing(closed: bool) -> None:
    with make.media("film.mp4").open("rb") as file:
        if closed:
            file.close()
        with pytest.raises(OptionError, match="cannot be written to"):
            remux(make.media("film.mp4"), file, writing={"format": "mp4"})
