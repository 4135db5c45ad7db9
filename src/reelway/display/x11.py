"""An X server that goes away, or a window that somebody kills, takes no process with it.

Xlib's own answer to an error is exit(1), in the middle of what is being recorded. libX11 1.7 and newer let
the exit be replaced, for each connection; the functions that are called before it are one for all, and what
they were before still gets the connections of others.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

from reelway.display import sdl

__all__ = ["outlive"]

_Told = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
_Error = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_Exit = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
_handlers: dict[int, Any] = {}
"""By connection; C keeps calling them for as long as that is there."""
_kept: list[Any] = []
"""What C may still call."""


def outlive(window: Any, gone: Callable[[], None]) -> None:
    """From here on `gone()` is called, by whoever sees it, when the server of `window` goes away."""
    library = sdl.sdl()
    about = library.SDL_SysWMinfo()
    library.SDL_VERSION(about.version)
    if not library.SDL_GetWindowWMInfo(window, about) or about.subsystem != library.SDL_SYSWM_X11:
        return
    if (xlib := _xlib()) is not None:

        def lost(connection: int, _data: int | None) -> None:
            xlib.XUnlockDisplay(connection)  # Xlib holds it for who saw the loss, and others would wait
            gone()

        connection = int(about.info.x11.display or 0)
        _handlers[connection] = handler = _Exit(lost)
        xlib.XSetIOErrorExitHandler(connection, handler, None)


@cache
def _xlib() -> Any:
    """The library that SDL uses too, with its words on a broken connection left out for those known here."""
    try:
        xlib: Any = ctypes.CDLL("libX11.so.6")
        xlib.XSetIOErrorExitHandler.argtypes = (ctypes.c_void_p, _Exit, ctypes.c_void_p)
        xlib.XUnlockDisplay.argtypes = (ctypes.c_void_p,)
    except (OSError, AttributeError):  # none, or an older one
        return None
    _pass_by(xlib, "XSetIOErrorHandler", _Told)
    _pass_by(xlib, "XSetErrorHandler", _Error)
    return xlib


def _pass_by(xlib: Any, name: str, kind: Any) -> None:
    """Has what Xlib calls on errors pass by our connections; those of others go where they went before."""
    replace = getattr(xlib, name)
    replace.argtypes, replace.restype = (kind,), ctypes.c_void_p
    before: list[Any] = []

    def called(connection: int | None, *more: Any) -> int:
        known = connection in _handlers or not before
        return 0 if known else int(before[0](connection, *more))

    function = kind(called)
    _kept.append(function)
    if address := replace(function):
        before.append(kind(address))
