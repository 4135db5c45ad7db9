"""The namespace GLib: main loop, sources, clocks, errors, and the numbers that programs ask for."""

from __future__ import annotations

import os
import pathlib
import sys
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

import reelway as rw
from reelway.compat.gst.enums import GEnum, enumerations
from reelway.compat.gst.mainloop import MainContext, MainLoop  # noqa: F401 - a name of GLib's
from reelway.compat.gst.names import namespace_getattr, show_as
from reelway.compat.gst.sources import Idle, IOCondition, IOWatch, Priority, Source, Timeout, UnixSignal

PRIORITY_HIGH = Priority.HIGH
PRIORITY_DEFAULT = Priority.DEFAULT
PRIORITY_HIGH_IDLE = Priority.HIGH_IDLE
PRIORITY_DEFAULT_IDLE = Priority.DEFAULT_IDLE
PRIORITY_LOW = Priority.LOW
SOURCE_CONTINUE = True
SOURCE_REMOVE = False
IO_IN, IO_PRI, IO_OUT = IOCondition.IN, IOCondition.PRI, IOCondition.OUT
IO_ERR, IO_HUP, IO_NVAL = IOCondition.ERR, IOCondition.HUP, IOCondition.NVAL

MAXINT8, MAXINT16, MAXINT32, MAXINT64 = (2**bits - 1 for bits in (7, 15, 31, 63))
MAXUINT8, MAXUINT16, MAXUINT32, MAXUINT64 = (2**bits - 1 for bits in (8, 16, 32, 64))
MININT8, MININT16, MININT32, MININT64 = (-(2**bits) for bits in (7, 15, 31, 63))
MAXINT, MININT, MAXUINT = MAXINT32, MININT32, MAXUINT32
MAXLONG, MINLONG, MAXULONG = MAXINT64, MININT64, MAXUINT64
MAXSIZE, MAXSSIZE, MAXOFFSET = MAXUINT64, MAXINT64, MAXINT64
MAXDOUBLE, MINDOUBLE = sys.float_info.max, sys.float_info.min
MAXFLOAT, MINFLOAT = 3.4028234663852886e38, 1.1754943508222875e-38
USEC_PER_SEC = 1_000_000
MAJOR_VERSION, MINOR_VERSION, MICRO_VERSION = 2, 74, 6

FileError: Any = enumerations(
    "GLib",
    "FileError G_FILE_ERROR_ EXIST ISDIR ACCES NAMETOOLONG NOENT NOTDIR NXIO NODEV ROFS TXTBSY FAULT LOOP"
    " NOSPC NOMEM MFILE NFILE BADF INVAL PIPE AGAIN INTR IO PERM NOSYS FAILED",
    GEnum,
)["FileError"]


class Error(rw.ReelwayError, RuntimeError):
    """GLib's error: `message`, `domain` (gst_parse_error) and `code`. It is a ReelwayError too."""

    def __init__(
        self, message: str = "unknown error", domain: str = "pygi-error", code: int = 0, *, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint or None)
        self.domain = domain
        self.code = code

    @classmethod
    def new_literal(cls, domain: str | int, message: str, code: int) -> Error:
        """An error with these."""
        return cls(message, str(domain), code)

    def copy(self) -> Error:
        """Another like it."""
        return Error(self.message, self.domain, self.code, hint=self.hint or "")

    def matches(self, domain: str | int, code: int) -> bool:
        """True where it is that error of that domain."""
        return _plain(self.domain) == _plain(str(domain)) and self.code == int(code)

    def __str__(self) -> str:
        return f"{self.domain}: {self.message} ({self.code})"

    def __repr__(self) -> str:
        return f"GLib.Error({self.message!r}, {self.domain!r}, {self.code})"


def _plain(domain: str) -> str:
    return domain.removesuffix("-quark").replace("_", "-")


GError = Error


class Bytes:
    """Bytes that never change."""

    def __init__(self, data: Any = b"") -> None:
        self._data = bytes(data)

    @classmethod
    def new(cls, data: Any = b"") -> Bytes:
        """A copy of `data`."""
        return cls(data)

    new_take = new

    def get_data(self) -> bytes:
        """The bytes."""
        return self._data

    def get_size(self) -> int:
        """How many."""
        return len(self._data)

    unref_to_data = get_data

    def __bytes__(self) -> bytes:
        return self._data

    def __len__(self) -> int:
        return len(self._data)


class IOChannel:
    """A descriptor to be watched and read line by line."""

    def __init__(self, filedes: int) -> None:
        self._fd = filedes

    @classmethod
    def unix_new(cls, fd: int) -> IOChannel:
        """A channel on descriptor `fd`, which stays its owner's."""
        return cls(fd)

    def unix_get_fd(self) -> int:
        """The descriptor."""
        return self._fd

    fileno = unix_get_fd

    def read_line(self) -> tuple[int, str, int, int]:
        """(status, line, its length, where it ends); status 1 is normal, 2 the end."""
        line = bytearray()
        while not line.endswith(b"\n") and (byte := os.read(self._fd, 1)):
            line += byte
        return (1 if line else 2), line.decode(errors="replace"), len(line), len(line.rstrip(b"\n"))


# Sources


def _added(source: Source, function: Callable[..., Any], user_data: tuple[Any, ...]) -> int:
    if not callable(function):
        raise TypeError("first argument not callable")
    source.set_callback(function, *user_data)
    return MainContext.ref_thread_default().add(source)


def timeout_add(
    interval: int, function: Callable[..., Any], *user_data: Any, priority: int = Priority.DEFAULT
) -> int:
    """Calls `function(*user_data)` every `interval` ms while it returns something true; returns an id."""
    return _added(Timeout(interval, priority), function, user_data)


def timeout_add_seconds(
    interval: int, function: Callable[..., Any], *user_data: Any, priority: int = Priority.DEFAULT
) -> int:
    """`timeout_add()` in seconds."""
    return _added(Timeout(interval * 1000, priority), function, user_data)


def idle_add(function: Callable[..., Any], *user_data: Any, priority: int = Priority.DEFAULT_IDLE) -> int:
    """Calls `function(*user_data)` when nothing else is to be done, while it returns something true."""
    return _added(Idle(priority), function, user_data)


def io_add_watch(channel: Any, *arguments: Any, priority: int | None = None) -> int:
    """Calls `function(channel, condition, *data)`; given [priority,] condition, function, *data."""
    rest = list(arguments)
    if len(rest) > 2 and not callable(rest[1]):
        priority = int(rest.pop(0))
    condition, function, *user_data = rest
    watch = IOWatch(channel, int(condition), Priority.DEFAULT if priority is None else priority)
    return _added(watch, function, tuple(user_data))


def unix_fd_add_full(priority: int, fd: int, condition: int, function: Callable[..., Any], *data: Any) -> int:
    """`io_add_watch()` of a descriptor."""
    return io_add_watch(fd, priority, condition, function, *data)


def unix_signal_add(priority: int, signum: int, handler: Callable[..., Any], *user_data: Any) -> int:
    """Calls `handler(*user_data)` in the loop after the signal `signum`; only from the main thread."""
    return _added(UnixSignal(signum, priority), handler, user_data)


def child_watch_add(*_arguments: Any) -> int:
    """Raises: start processes with subprocess, and wait for them in a thread."""
    raise rw.UnsupportedError("GLib.child_watch_add is not there", hint="use subprocess and a thread")


def source_remove(tag: int) -> bool:
    """Takes the source with this id away; False where there is none."""
    for context in {MainContext.ref_thread_default(), MainContext.default()}:
        source = context.find_source_by_id(tag)
        if source is not None:
            return context.remove(source)
    return False


def main_context_default() -> MainContext:
    """The context that everybody means who says none."""
    return MainContext.default()


def timeout_source_new(interval: int) -> Timeout:
    """A timeout that is still to be attached."""
    return Timeout(interval)


def idle_source_new() -> Idle:
    """An idle source that is still to be attached."""
    return Idle()


# Clocks, places, text


def get_monotonic_time() -> int:
    """The monotonic clock [us]."""
    return time.monotonic_ns() // 1000


def get_real_time() -> int:
    """The wall clock [us since 1970]."""
    return time.time_ns() // 1000


def get_current_time() -> float:
    """The wall clock [s since 1970]."""
    return time.time()


def usleep(microseconds: int) -> None:
    """Waits."""
    time.sleep(microseconds / 1e6)


def filename_to_uri(filename: str, _hostname: str | None = None) -> str:
    """file:///... of an absolute path."""
    if not os.path.isabs(filename):
        raise Error(f"The pathname “{filename}” is not an absolute path", "g_convert_error", 5)
    return pathlib.Path(filename).as_uri()


def filename_from_uri(uri: str) -> tuple[str, str | None]:
    """(path, host or None) of file:///..."""
    parts = urllib.parse.urlsplit(uri)
    if parts.scheme != "file":
        raise Error(f"The URI “{uri}” is not an absolute URI using the “file” scheme", "g_convert_error", 4)
    return urllib.parse.unquote(parts.path), parts.netloc or None


_prgname = ""


def get_prgname() -> str:
    """The program's name."""
    return _prgname or os.path.basename(sys.argv[0])


def set_prgname(prgname: str) -> None:
    """Says the program's name."""
    global _prgname
    _prgname = prgname


set_application_name, get_application_name = set_prgname, get_prgname


def get_home_dir() -> str:
    """The user's folder."""
    return os.path.expanduser("~")


def get_tmp_dir() -> str:
    """The folder for temporary files."""
    import tempfile

    return tempfile.gettempdir()


def get_current_dir() -> str:
    """The working folder."""
    return os.getcwd()


def get_user_name() -> str:
    """The user's name."""
    import getpass

    return getpass.getuser()


def getenv(variable: str) -> str | None:
    """A variable of the environment."""
    return os.environ.get(variable)


def setenv(variable: str, value: str, overwrite: bool) -> bool:
    """Sets a variable of the environment, where there is none or `overwrite`."""
    if overwrite or variable not in os.environ:
        os.environ[variable] = value
    return True


def unsetenv(variable: str) -> None:
    """Removes a variable of the environment."""
    os.environ.pop(variable, None)


def markup_escape_text(text: str, length: int = -1) -> str:
    """`text` for Pango's and XML's markup."""
    given = text if length < 0 else text[:length]
    for plain, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("'", "&#39;"), ('"', "&quot;")):
        given = given.replace(plain, escaped)
    return given


def path_get_basename(file_name: str) -> str:
    """The last part of a path."""
    return os.path.basename(file_name.rstrip("/")) or "/"


def threads_init() -> None:
    """Nothing: there is nothing to set up."""


_LATER = {
    "Variant": "pass Python values",
    "VariantType": "pass Python values",
    "Thread": "use threading.Thread",
    "KeyFile": "use configparser",
    "DateTime": "use datetime",
    "OptionContext": "use argparse",
    "spawn_async": "use subprocess",
}

__all__ = [name for name in list(globals()) if not name.startswith("_") and name not in {
    "annotations", "os", "pathlib", "sys", "time", "urllib", "Callable", "Any", "rw", "GEnum",
    "enumerations", "namespace_getattr", "show_as", "Priority", "IOWatch", "UnixSignal",
}]  # fmt: skip

show_as("GLib", {name: globals()[name] for name in __all__})
__getattr__ = namespace_getattr("GLib", lambda: __all__, _LATER)
