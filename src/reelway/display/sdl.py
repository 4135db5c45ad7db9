"""SDL, loaded when the first window or sound is opened, and never before.

PySDL2 is the extra `display`; its companion pysdl2-dll brings the library. One lock guards the beginning and
the end of SDL's parts, which count their users without one; nothing else of a user runs under it.
"""

from __future__ import annotations

import importlib
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from reelway.errors import DeadlineError, UnsupportedError

__all__ = ["begin", "end", "error_text", "sdl"]

HINTS = {
    "SDL_NO_SIGNAL_HANDLERS": "1",  # Ctrl-C is Python's
    "SDL_QUIT_ON_LAST_WINDOW_CLOSE": "0",
    "SDL_APP_NAME": "Reelway",
    "SDL_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR": "0",  # else desktops flicker as a window comes and goes
    "SDL_FRAMEBUFFER_ACCELERATION": "0",  # drawing in software loads no OpenGL to look at it
    "SDL_RENDER_SCALE_QUALITY": "linear",
}
"""What SDL is told before anything else; variables of the environment with these names win."""

LOCK_S = 10.0
_lock = threading.Lock()


@cache
def sdl() -> Any:
    """PySDL2's module. Raises UnsupportedError where it, or SDL itself, is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of the library that pysdl2-dll brings
            found: Any = importlib.import_module("sdl2")
            # not among the module's names in every version
            found.SDL_SetYUVConversionMode = importlib.import_module("sdl2.surface").SDL_SetYUVConversionMode
    except ImportError as error:
        raise UnsupportedError(
            f"windows and sound need PySDL2, which does not load: {error}",
            hint='pip install "reelway[display]", or pysdl2 and pysdl2-dll; '
            "or put a file or `null` in its place",
        ) from error
    return found


def begin(part: int) -> str:
    """Starts a part of SDL (SDL_INIT_VIDEO ...), counted; what it said where it could not, else empty."""
    library = sdl()
    with _one_at_a_time():
        for name, value in HINTS.items():
            library.SDL_SetHint(name.encode(), value.encode())
        failed: bool = library.SDL_InitSubSystem(part) != 0
        return error_text() or "no reason given" if failed else ""


def end(part: int) -> None:
    """Undoes one `begin(part)`."""
    with _one_at_a_time():
        sdl().SDL_QuitSubSystem(part)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    if not _lock.acquire(timeout=LOCK_S):  # a server that does not answer keeps who asked it
        raise DeadlineError(
            f"SDL has been busy for {LOCK_S:g} s", hint="is the X server, or its network, alive?"
        )
    try:
        yield
    finally:
        _lock.release()


def error_text() -> str:
    """What SDL said of its last failure on this thread."""
    text: str = sdl().SDL_GetError().decode(errors="replace")
    return text
