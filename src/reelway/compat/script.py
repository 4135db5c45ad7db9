"""Runs scripts written for another system, with Reelway's face of it in the place of its module."""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import os
import runpy
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TextIO

import reelway as rw
from reelway.errors import near_attribute

__all__ = ["FACES", "faces", "run_script", "run_to_its_end"]

FACES = {
    "libgpac": "reelway.compat.libgpac",
    "gi": "reelway.compat.gi",
    "gi.repository": "reelway.compat.gi.repository",
    "gi.repository.GLib": "reelway.compat.gst.glib",
    "gi.repository.GObject": "reelway.compat.gst.gobject",
    "gi.repository.Gst": "reelway.compat.gst.gstreamer",
    "gi.repository.GstApp": "reelway.compat.gst.app",
    "gi.repository.GstAudio": "reelway.compat.gst.audio",
    "gi.repository.GstBase": "reelway.compat.gst.base",
    "gi.repository.GstVideo": "reelway.compat.gst.video",
    "pythiags": "reelway.compat.pythiags",
    "pythiags.headless": "reelway.compat.pythiags.headless",
    "pythiags.consumer": "reelway.compat.pythiags.consumer",
    "pythiags.producer": "reelway.compat.pythiags.producer",
    "pythiags.recorder": "reelway.compat.pythiags.recorder",
    "pythiags.recorder.ring_buffer": "reelway.compat.pythiags.recorder.ring_buffer",
    "valkka": "reelway.compat.valkka",
    "valkka.api2": "reelway.compat.valkka.api2",
    "valkka.api2.shmem": "reelway.compat.valkka.api2.shmem",
    "valkka.api2.threads": "reelway.compat.valkka.api2.threads",
    "valkka.core": "reelway.compat.valkka.core",
    "valkka.valkka_core": "reelway.compat.valkka.core",
}
"""The module that a script imports -> the face that it gets."""

_PACKAGE = str(Path(rw.__file__).parent) + os.sep
_PARENTS = {name.rpartition(".")[0] for name in FACES}


class _Faces(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Serves the modules of FACES: those at the top, or those within.

    Behind all other finders the first yield to a real installation. What is within a face comes before other
    finders, which would load it a second time from the face's folder; within a real one it is not served.
    """

    def __init__(self, within: bool) -> None:
        self._within = within

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        root, _, rest = fullname.partition(".")
        if fullname not in FACES or bool(rest) is not self._within:
            return None
        if rest and sys.modules.get(root) is not sys.modules.get(FACES[root]):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=fullname in _PARENTS)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """None: Python makes an empty module, which `exec_module` replaces by the face itself."""

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = importlib.import_module(FACES[module.__name__])


@contextlib.contextmanager
def faces(shadow: bool = False) -> Iterator[None]:
    """Within it, `import gi` and its like give Reelway's faces, unless the real modules can be imported.

    With `shadow` the faces come first. Afterwards imports are as they were; what was imported stays usable.
    """
    top, within = _Faces(within=False), _Faces(within=True)
    hidden = {name: sys.modules.pop(name) for name in FACES if shadow and name in sys.modules}
    sys.meta_path.insert(0 if shadow else len(sys.meta_path), top)
    sys.meta_path.insert(0, within)
    try:
        yield
    finally:
        sys.meta_path.remove(top)
        sys.meta_path.remove(within)
        for name, face in FACES.items():
            if name in sys.modules and sys.modules[name] is sys.modules.get(face):
                del sys.modules[name]
        sys.modules.update(hidden)


@contextlib.contextmanager
def _as_main(path: Path, argv: Sequence[str], shadow: bool) -> Iterator[None]:
    """Python's surroundings as the script expects them; as they were afterwards."""
    saved_argv, saved_path = sys.argv[:], sys.path[:]
    sys.argv[:] = [str(path), *argv]
    sys.path.insert(0, str(path.resolve().parent))
    try:
        with faces(shadow):
            yield
    finally:
        sys.argv[:], sys.path[:] = saved_argv, saved_path


def run_script(
    path: str | os.PathLike[str],
    argv: Sequence[str] = (),
    *,
    shadow: bool = False,
    errors: TextIO | None = None,
) -> int:
    """Runs the Python file at `path` as `__main__` with `sys.argv` = [path, *argv]; returns its exit code.

    `import libgpac`, `gi`, `pythiags` and `valkka` in it give Reelway's faces, unless the real module can
    be imported; with `shadow` the face comes first. What the script raises is printed on `errors` (stderr) as
    its own traceback, without frames of Reelway; a ReelwayError is one line that says where in the script it
    came from. Under `python -X dev` every frame is shown. 130 where it was interrupted.
    """
    try:
        return run_to_its_end(path, argv, shadow=shadow, errors=errors)
    except KeyboardInterrupt:
        return 130  # as a shell reports SIGINT


def run_to_its_end(
    path: str | os.PathLike[str],
    argv: Sequence[str] = (),
    *,
    shadow: bool = False,
    errors: TextIO | None = None,
) -> int:
    """`run_script()` that lets KeyboardInterrupt through."""
    errors = sys.stderr if errors is None else errors
    script = Path(path)
    if not script.is_file():
        raise rw.OpenError(f"no script at {str(script)!r}", url=str(script))
    try:
        with _as_main(script, argv, shadow):
            runpy.run_path(str(script), run_name="__main__")
    except SyntaxError as error:
        if error.filename is None:  # not even text
            raise rw.FormatError(f"{script} is no Python program: {error.msg}") from None
        errors.write(report(error, script))
        return 1
    except SystemExit as stop:
        return _exit_code(stop, errors)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a script raises is shown here and nowhere else
        errors.write(report(error, script))
        return 1
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
    return 0


def _exit_code(stop: SystemExit, errors: TextIO) -> int:
    """What Python's own `sys.exit` does with its argument."""
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return stop.code
    errors.write(f"{stop.code}\n")
    return 1


def report(error: BaseException, script: Path) -> str:
    """What to print of an error that ended `script`."""
    if sys.flags.dev_mode:
        return "".join(traceback.format_exception(error))
    if not isinstance(error, rw.ReelwayError):
        return "".join(_own_traceback(error))
    cause = error.__cause__
    shown = cause is not None and not isinstance(cause, rw.ReelwayError) and _from_script(script, cause)
    own = "".join(_own_traceback(cause)) if cause is not None and shown else ""
    line = _line_in(script, error.__traceback__)
    text = f"{own}{script.name}:{line}: {type(error).__name__}: {error}\n"
    return text + (f"  hint: {error.hint}\n" if error.hint else "")


def _own_traceback(error: BaseException) -> Iterator[str]:
    """Python's traceback of `error` and its causes, without the frames that are not the script's doing."""
    near = near_attribute(error)
    if near and sys.version_info < (3, 12):  # from then on `traceback` says so itself
        error.add_note(near)
    shown = traceback.TracebackException.from_exception(error)
    chain: list[traceback.TracebackException | None] = [shown]
    while chain:
        link = chain.pop()
        if link is not None:
            link.stack = traceback.StackSummary.from_list([f for f in link.stack if not _ours(f.filename)])
            chain += [link.__cause__, link.__context__]
    return shown.format()


def _from_script(script: Path, error: BaseException) -> bool:
    """True where the script, or a module beside it, is on the way to `error`."""
    folder = str(script.resolve().parent) + os.sep
    files = (frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(file == str(script) or file.startswith(folder) for file in files)


def _ours(filename: str) -> bool:
    return filename.startswith((_PACKAGE, "<frozen ")) or filename == runpy.__file__


def _line_in(script: Path, frames: TracebackType | None) -> int:
    """The line of `script` that led to the innermost frame."""
    line = 0
    for frame, number in traceback.walk_tb(frames):
        if frame.f_code.co_filename == str(script):
            line = number
    return line
