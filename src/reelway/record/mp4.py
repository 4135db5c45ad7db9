"""What a finished MP4 says of its length (ISO/IEC 14496-12), put right.

FFmpeg takes the end of a track of its hybrid files from the pictures of the last fragment only. Where
B-frames are alone in that, the one that is shown behind them lies before it, and players leave it out.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["lengthen"]

MOST = 1 << 28
"""No index is longer than that."""


def lengthen(file: Any, ends_s: Sequence[float]) -> None:
    """Has the picture tracks of `file`, which can be read and written, end at `ends_s` at the earliest.

    `ends_s` [s] in the order of the tracks, on the file's timeline, as its edit lists make it.
    """
    found = _index(file)
    if found is None:
        return
    at, index = found
    before = bytes(index)
    tracks = [span for kind, span in _boxes(index, 0, len(index)) if kind == b"trak"]
    pictures = [span for span in tracks if _handler(index, span) == b"vide"]
    movie = next(_Header(index, span, 12) for kind, span in _boxes(index, 0, len(index)) if kind == b"mvhd")
    for span, end_s in zip(pictures, ends_s, strict=False):
        _lengthen(index, span, movie, end_s)
    if index != before:
        file.seek(at)
        file.write(bytes(index))


def _lengthen(index: bytearray, track: tuple[int, int], movie: _Header, end_s: float) -> None:
    edits = _inside(index, track, b"edts", b"elst")
    media = _inside(index, track, b"mdia", b"mdhd")
    header = _inside(index, track, b"tkhd")
    if edits is None or media is None or header is None:
        return
    wide = index[edits[0]] == 1
    kind, size = (">Qq", 20) if wide else (">Ii", 12)
    (count,) = struct.unpack_from(">I", index, edits[0] + 4)
    entries = [edits[0] + 8 + size * number for number in range(count)]
    if not entries or entries[-1] + size > edits[1]:
        return
    *others, (length, media_time) = (struct.unpack_from(kind, index, each) for each in entries)
    wanted = round(end_s * movie.timescale) - sum(each[0] for each in others)
    if length >= wanted:
        return
    struct.pack_into(kind, index, entries[-1], wanted, media_time)
    whole = sum(each[0] for each in others) + wanted
    _Header(index, header, 20, timed=False).lengthen(whole)
    movie.lengthen(whole)
    of_media = _Header(index, media, 12)
    of_media.lengthen(media_time + -(-wanted * of_media.timescale // movie.timescale))


class _Header:
    """mvhd, mdhd or tkhd: versions 0 and 1 differ in how wide times are."""

    def __init__(self, index: bytearray, span: tuple[int, int], at: int, *, timed: bool = True) -> None:
        """`at`: where in version 0 the timescale is, or without one (`timed`), the duration."""
        self._index = index
        self._wide = index[span[0]] == 1
        place = span[0] + at + (8 if self._wide else 0)
        self.timescale = 1
        if timed:
            (self.timescale,) = struct.unpack_from(">I", index, place)
            place += 4
        self._place = place

    def lengthen(self, ticks: int) -> None:
        """It lasts so long, if not longer."""
        kind = ">Q" if self._wide else ">I"
        (now,) = struct.unpack_from(kind, self._index, self._place)
        struct.pack_into(kind, self._index, self._place, max(now, ticks))


def _index(file: Any) -> tuple[int, bytearray] | None:
    """Where the contents of the last moov begin, and these; None: there is none."""
    at, found = 0, None
    while True:
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return found
        size, kind = struct.unpack_from(">I4s", head)
        skip = 8
        if size == 1 and len(head) == 16:
            (size,) = struct.unpack_from(">Q", head, 8)
            skip = 16
        if size < skip:  # it goes on to the end of the file
            return found
        if kind == b"moov" and size <= MOST:
            file.seek(at + skip)
            found = at + skip, bytearray(file.read(size - skip))
        at += size


def _boxes(data: bytearray, start: int, end: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Kind, and first and last place of the contents, of each box; what is broken ends them."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        if size < 8 or start + size > end:
            return
        yield kind, (start + 8, start + size)
        start += size


def _inside(data: bytearray, span: tuple[int, int], *kinds: bytes) -> tuple[int, int] | None:
    """The contents of the first box on this way; None: there is none."""
    for kind in kinds:
        found = next((inner for each, inner in _boxes(data, *span) if each == kind), None)
        if found is None:
            return None
        span = found
    return span


def _handler(data: bytearray, track: tuple[int, int]) -> bytes:
    """What kind of media a track has."""
    found = _inside(data, track, b"mdia", b"hdlr")
    return bytes(data[found[0] + 8 : found[0] + 12]) if found else b""
