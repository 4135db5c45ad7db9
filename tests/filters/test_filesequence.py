"""multifile and filesequence: numbered files, written and read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import reelway as rw
from reelway.filters.filesequence import FileSequence, MultiFile
from reelway.testing.conformance import check_filter
from reelway.testing.parts import Collect, Feed, numbered


def files(tmp_path: Path, packets: list[rw.Packet], **options: Any) -> tuple[MultiFile, dict[str, bytes]]:
    sink = MultiFile(dst=str(tmp_path / "%03d.bin"), **options)
    with rw.Session() as session:
        session.add(Feed(packets)) >> session.add(sink)
        session.run()
    return sink, {path.name: path.read_bytes() for path in sorted(tmp_path.glob("*.bin"))}


def test_the_contract_is_kept(tmp_path: Path) -> None:
    check_filter(lambda: MultiFile(dst=str(tmp_path / "%d.bin")), numbered(5))


def test_a_file_for_each_packet(tmp_path: Path) -> None:
    sink, found = files(tmp_path, numbered(5), index=7)
    assert list(found) == [f"{n:03}.bin" for n in range(7, 12)]
    assert list(found.values()) == [bytes(packet.data) for packet in numbered(5)]
    assert (sink.files, sink.number) == (5, 12)


def test_older_ones_go(tmp_path: Path) -> None:
    _, found = files(tmp_path, numbered(5), max_files=2)
    assert list(found) == ["003.bin", "004.bin"]


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        ({"next": "keyframe"}, [4, 4, 2]),
        ({"next": "size", "max_bytes": 24}, [3, 3, 3, 1]),
        ({"next": "duration", "max_s": 0.2}, [5, 5]),
        ({"next": "discontinuity"}, [6, 4]),
    ],
)
def test_where_files_begin(tmp_path: Path, options: dict[str, Any], counts: list[int]) -> None:
    packets = numbered(10)
    for number, packet in enumerate(packets):
        packet.sap = 1 if number % 4 == 0 else 0
        packet.discontinuity = number == 6
    _, found = files(tmp_path, packets, **options)
    assert [len(content) // 8 for content in found.values()] == counts
    assert b"".join(found.values()) == b"".join(bytes(packet.data) for packet in packets)


def test_each_file_is_told(tmp_path: Path) -> None:
    sink = MultiFile(dst=str(tmp_path / "%d.bin"), post=True)
    told: list[dict[str, Any]] = []
    sink.on_message = lambda name, fields: told.append({"name": name, **fields})
    with rw.Session() as session:
        session.add(Feed(numbered(2))) >> session.add(sink)
        session.run()
    assert told == [
        {"name": "multifile", "filename": str(tmp_path / "0.bin"), "index": 0, "timestamp": 0},
        {"name": "multifile", "filename": str(tmp_path / "1.bin"), "index": 1, "timestamp": 40_000_000},
    ]


def test_a_name_without_a_number_is_refused() -> None:
    with pytest.raises(rw.OptionError, match=r"'out.jpg' has no place for a number"):
        MultiFile(dst="out.jpg")


def test_pictures_are_written_and_read_again(tmp_path: Path) -> None:
    names = str(tmp_path / "%02d.png")
    with rw.Session() as session:
        source = session.load("testvideo:frames=4:size=64x48:counter=no:pattern=ball:pixel_format=rgb24")
        source >> session.load("encode:codec=png") >> session.add(MultiFile(dst=names))
        session.run()
    pictures = [np.asarray(Image.open(names % n)) for n in range(4)]
    sink = Collect()
    with rw.Session() as session:
        source = session.add(FileSequence(src=names, fps=10))
        source >> session.load("convert:format=rgb24") >> session.add(sink)
        session.run()
    assert [packet.dts for packet in sink.only.packets] == [0, 1, 2, 3]
    assert sink.only.properties["Timescale"] == 10
    for packet, picture in zip(sink.only.packets, pictures, strict=True):
        assert (packet.array() == picture).all()


def sequence(tmp_path: Path, **options: Any) -> list[bytes]:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(b"%d" % number)
    sink = Collect()
    with rw.Session() as session:
        session.add(FileSequence(src=str(tmp_path / "%d.png"), **options)) >> session.add(sink)
        session.run()
    return [bytes(packet.data) for packet in sink.only.packets]


def test_which_files_are_read(tmp_path: Path) -> None:
    assert sequence(tmp_path) == [b"0", b"1", b"2"]
    assert sequence(tmp_path, first=1) == [b"1", b"2"]
    assert sequence(tmp_path, last=1) == [b"0", b"1"]
    assert sequence(tmp_path, loop=True, frames=7) == [b"0", b"1", b"2", b"0", b"1", b"2", b"0"]


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(rw.OpenError, match=r"5.png cannot be read: there is no such file"):
        sequence(tmp_path, first=5)
    with pytest.raises(rw.OptionError, match="does not say what it holds"):
        FileSequence(src=str(tmp_path / "%d.xyz")).open()
