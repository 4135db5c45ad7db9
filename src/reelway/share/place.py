"""Where writers are found: a private folder with a socket for each, and who may connect to it.

The folder is `reelway-UID` among the temporary files, or what REELWAY_SHARE_DIR names. It belongs to the user
and nobody else may write into it. A socket that nobody listens at is removed by whoever comes next: writers,
readers that lose their writer, and who asks for the names. They take turns by a lock on the folder itself,
which stays when it is empty.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import select
import socket
import stat
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

try:
    import fcntl
except ImportError:  # Windows: see _uid()
    fcntl = None  # type: ignore[assignment]

from reelway.errors import DeadlineError, OpenError, OptionError, StateError, UnsupportedError

__all__ = [
    "NO_SIGNAL",
    "Peer",
    "Writing",
    "check_name",
    "connect",
    "folder",
    "free",
    "leave",
    "listen",
    "names",
    "path_of",
    "peer",
    "tidy",
]

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}"
_ENDING = ".sock"
_LONGEST = 100  # bytes of a socket's path
_LOCK_S, _LOCK_PAUSE_S = 5.0, 0.002
"""Who has the lock has it for a moment, unless it is stopped in the middle."""
_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1  # of macOS: unpcred.h, and struct xucred
NO_SIGNAL: int = getattr(socket, "MSG_NOSIGNAL", 0)
"""For sending: who has put SIGPIPE back to its default is not killed by a peer that is gone."""


class Writing(NamedTuple):
    """A writer that is there."""

    name: str
    path: Path


class Peer(NamedTuple):
    """Who is at the other end of a socket."""

    pid: int
    uid: int


def check_name(name: str) -> str:
    """`name`, where it is one. Raises OptionError."""
    if str(name) != name or not re.fullmatch(_NAME, name):
        raise OptionError(
            f"{name!r} is no name to share by", hint="letters, digits, and _ . - between them, 64 at most"
        )
    return name


def folder(user: int | None = None, *, make: bool = False, open_to_others: bool = False) -> Path:
    """The folder of a user (None: one's own), checked. Raises OpenError where it is not to be trusted."""
    uid = _uid() if user is None else user
    own = os.environ.get("REELWAY_SHARE_DIR") if user is None else None
    path = Path(own).absolute() if own else Path(tempfile.gettempdir()) / f"reelway-{uid}"
    mode = 0o711 if open_to_others else 0o700
    try:
        if make:
            with contextlib.suppress(FileExistsError):
                path.mkdir(mode=mode)
        found = path.lstat()
    except OSError as error:
        if error.errno == errno.ENOENT and not make:
            return path
        raise OpenError(f"{path}: {error.strerror}", url=str(path), errno=error.errno) from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (uid, 0) or found.st_mode & 0o022:
        raise OpenError(
            f"{path} is not a folder of user {uid} alone",
            url=str(path),
            hint=f"remove it, or `chmod 700 {path}`: others could listen in",
        )
    if make and open_to_others and not found.st_mode & 0o001:
        path.chmod(0o711)
    return path


def listen(name: str, *, open_to_others: bool = False) -> socket.socket:
    """A socket at which readers of `name` connect. Raises StateError where another writer has that name.

    OpenError: it cannot be made; DeadlineError: another process is stuck with the lock.
    """
    check_name(name)
    home = folder(make=True, open_to_others=open_to_others)
    path = _path(home, name)
    with _locked(home):
        if _answers(path):
            raise StateError(
                f"somebody shares {name} already",
                hint="choose another name, or end that one: `reelway shared`",
            )
        _remove(path)
        server = _socket(path)
        try:
            server.bind(str(path))
            path.chmod(0o666 if open_to_others else 0o600)
            server.listen(64)
            server.setblocking(False)
        except OSError as error:
            server.close()
            raise OpenError(f"{path}: {error.strerror}", url=str(path), errno=error.errno) from None
    return server


def leave(server: socket.socket) -> None:
    """Ends `listen`."""
    path = path_of(server)
    server.close()  # first: what follows takes descriptors
    free(path)


def path_of(server: socket.socket) -> Path:
    """Where it listens."""
    return Path(server.getsockname())


def free(path: Path, timeout_s: float | None = None) -> bool:
    """The socket of a writer that is gone goes, unless another one has put its own there since.

    False: somebody has the folder's lock for longer than this (None: as long as for anything else), or
    answers there; who comes next removes it then.
    """
    with contextlib.suppress(OSError), _locked(path.parent, timeout_s):
        if not _answers(path):
            _remove(path)
            return True
    return False


def connect(name: str, user: int | None = None) -> socket.socket | None:
    """A connection to the writer of `name`; None: there is none. Raises OpenError."""
    home = folder(user)
    path = _path(home, check_name(name))
    link = _socket(path)
    link.setblocking(False)  # a writer that is stopped lets the next one wait for ever
    try:
        link.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError):
        link.close()
        return None
    except OSError as error:
        link.close()
        if error.errno == errno.EAGAIN:  # its queue is full: it is busy
            return None
        raise OpenError(
            f"{name} cannot be read: {error.strerror}", url=str(path), errno=error.errno
        ) from None
    found = peer(link)
    wanted = _uid() if user is None else user
    if found is not None and found.uid not in (wanted, 0):
        link.close()
        raise OpenError(f"{name} is shared by user {found.uid}, not {wanted}", url=str(path))
    return link


def peer(link: socket.socket) -> Peer | None:
    """Who is at the other end; None where the system does not say."""
    if sys.platform == "darwin":  # pragma: no cover
        _, other = struct.unpack_from("2I", link.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 76))
        return Peer(0, other)
    if sys.platform != "linux":  # pragma: no cover
        return None
    pid, uid, _ = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return Peer(pid, uid)


def tidy(name: str, user: int | None = None, dying_ms: int = 0) -> bool:
    """Removes the socket of a writer that is gone, as `free` does, but waits for no lock.

    A process that ends closes one descriptor after the other: so long it may take until nobody answers.
    """
    with contextlib.suppress(OSError):
        path = _path(folder(user), name)
        if dying_ms:
            with contextlib.suppress(OSError):  # nobody listens there
                _dies(path, dying_ms)
        return free(path, 0.0)
    return False


def names() -> list[Writing]:
    """Who shares something in this user's folder; sockets of those that are gone are removed.

    Raises OpenError where the folder is not to be trusted, DeadlineError where another process is stuck with
    its lock.
    """
    home = folder()
    found: list[Writing] = []
    if not home.is_dir():
        return found
    with _locked(home):
        for path in sorted(home.glob(f"*{_ENDING}")):
            name = path.name.removesuffix(_ENDING)
            if not re.fullmatch(_NAME, name) or not path.is_socket():
                continue
            if _answers(path):
                found.append(Writing(name, path))
            else:
                _remove(path)
    return found


def _path(home: Path, name: str) -> Path:
    path = home / f"{name}{_ENDING}"
    if len(os.fsencode(path)) > _LONGEST:
        raise OptionError(f"{path} is too long for a socket", hint="a shorter name, or REELWAY_SHARE_DIR")
    return path


def _socket(path: Path) -> socket.socket:
    try:
        return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    except OSError as error:  # no descriptors are left
        raise OpenError(f"{path}: {error.strerror}", url=str(path), errno=error.errno) from None


def _remove(path: Path) -> None:
    """Nobody listens at that socket any more. What is no socket is not ours, and stays."""
    if path.is_socket():
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def _answers(path: Path) -> bool:
    """Somebody listens there."""
    with _socket(path) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:
            return True  # busy, or not ours to ask
    return True


def _dies(path: Path, timeout_ms: int) -> None:
    """Returns when nobody listens there any more, or after this time. Raises OSError where nobody did."""
    with _socket(path) as probe:
        probe.setblocking(False)
        probe.connect(str(path))
        gone = select.poll()
        gone.register(probe, 0)
        gone.poll(timeout_ms)


@contextlib.contextmanager
def _locked(home: Path, timeout_s: float | None = None) -> Iterator[None]:
    """Nobody else makes or removes sockets in it. Raises DeadlineError, OpenError."""
    try:
        descriptor = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise OpenError(f"{home}: {error.strerror}", url=str(home), errno=error.errno) from None
    try:
        _lock(descriptor, home, _LOCK_S if timeout_s is None else timeout_s)
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # a fork of this process has the lock, too, by its descriptor
        os.close(descriptor)


def _lock(descriptor: int, home: Path, timeout_s: float) -> None:
    until_s = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until_s:
                raise DeadlineError(
                    f"{home} is locked by another process, after {timeout_s:g} s",
                    hint=f"`fuser {home}` says which: it is stopped, perhaps",
                ) from None
        time.sleep(_LOCK_PAUSE_S)  # flock(2) has no deadline of its own


def _uid() -> int:
    if not hasattr(os, "getuid"):
        raise UnsupportedError(
            "frames are shared on Linux and macOS", hint="on Windows, multiprocessing.shared_memory may do"
        )
    return os.getuid()
