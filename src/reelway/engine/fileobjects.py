"""Python file objects as PyAV can stand them.

PyAV copies what read() gives into a buffer as large as it asked for, whatever came, takes bytes only, and
does not mind how much a write() took. These stand between: they promise what PyAV relies on.
"""

from __future__ import annotations

import io
from typing import Any

__all__ = ["Reader", "Writer", "can_seek", "reader", "writer"]


def can_seek(file: Any) -> bool:
    """It has seek() and tell(), and a seekable() that says so, if any."""
    if not hasattr(file, "seek") or not hasattr(file, "tell"):
        return False
    seekable = getattr(file, "seekable", None)
    return seekable is None or bool(seekable())


def reader(file: Any) -> Reader:
    """What av opens in place of `file` to read. Raises ValueError where it is closed, or not for that."""
    if not getattr(file, "readable", lambda: True)():
        raise ValueError("it is not open for reading")
    return _SeekableReader(file) if can_seek(file) else Reader(file)


def writer(file: Any) -> Writer:
    """What av opens in place of `file` to write. Raises ValueError where it is closed, or not for that."""
    if not getattr(file, "writable", lambda: True)():
        raise ValueError("it is not open for writing")
    return _SeekableWriter(file) if can_seek(file) else Writer(file)


class Reader:
    """Reads bytes, and never more than it was asked for; what is left over comes first the next time.

    What the file object raises comes through.
    """

    def __init__(self, file: Any) -> None:
        self.name = _name(file)
        self._file = file
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end. Raises TypeError where the file object gives no bytes."""
        data = self._rest or self._read(size)
        self._rest = data[size:]
        return data[:size]

    def _read(self, size: int) -> bytes:
        data = self._file.read(size)
        if data.__class__ is bytes:
            return data
        if data is None:
            raise OSError("read() gave None, as nothing is there yet: it has to wait")
        try:
            return bytes(memoryview(data))
        except TypeError:
            words = ": open the file in binary mode" if isinstance(data, str) else ""
            raise TypeError(f"read() gave {type(data).__name__}, not bytes{words}") from None


class _SeekableReader(Reader):
    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 1:
            offset -= len(self._rest)
        self._rest = b""
        return _sought(self._file, offset, whence)

    def tell(self) -> int:
        return int(self._file.tell()) - len(self._rest)


class Writer:
    """Writes all of what it is given, however often the file object has to be asked.

    What the file object raises comes through.
    """

    def __init__(self, file: Any) -> None:
        self.name = _name(file)
        self._file = file

    def write(self, data: bytes) -> int:
        """Raises OSError where the file object takes nothing.

        None is nothing from an io.RawIOBase only; others that do not say how much have taken all.
        """
        done = 0
        while done < len(data):
            taken = self._file.write(data[done:] if done else data)
            if taken is None and isinstance(self._file, io.RawIOBase):
                raise OSError("write() gave None, as there is no room yet: it has to wait")
            if taken.__class__ is not int:
                break
            if taken <= 0:
                raise OSError(f"write() took nothing: it gave {taken}")
            done += taken
        return len(data)


class _SeekableWriter(Writer):
    def seek(self, offset: int, whence: int = 0) -> int:
        return _sought(self._file, offset, whence)

    def tell(self) -> int:
        return int(self._file.tell())


def _sought(file: Any, offset: int, whence: int) -> int:
    """Where a seek() led, which need not say so."""
    place = file.seek(offset, whence)
    return place if place.__class__ is int else int(file.tell())


def _name(file: Any) -> str:
    """Its ending tells av the format."""
    return str(getattr(file, "name", "<none>"))
