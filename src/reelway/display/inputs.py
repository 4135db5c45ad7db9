"""What people do with a window, in words: SDL's events as a kind and its fields.

close                   the window's own button was used
resize                  width, height [pixels]
key-press, key-release  key, as it is called on the keyboard: "q", "Escape", "Space", "Left"
mouse-move              x, y [pixels of the picture, from its upper left corner; may lie outside]
mouse-button-press, mouse-button-release   button (1 left, 2 middle, 3 right), x, y
mouse-scroll            delta_x, delta_y [steps; up and right are positive], x, y
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from reelway.display import sdl

__all__ = ["translate"]

ToPicture = Callable[[int, int], tuple[float, float]]


def translate(event: Any, to_picture: ToPicture) -> tuple[str, dict[str, Any]] | None:
    """The kind and the fields of an event; None for one that tells nothing. The stage's thread only."""
    library = sdl.sdl()
    kind = event.type
    if kind == library.SDL_WINDOWEVENT:
        window = event.window
        if window.event == library.SDL_WINDOWEVENT_CLOSE:
            return "close", {}
        if window.event == library.SDL_WINDOWEVENT_SIZE_CHANGED:
            return "resize", {"width": int(window.data1), "height": int(window.data2)}
    elif kind in (library.SDL_KEYDOWN, library.SDL_KEYUP):
        name = library.SDL_GetKeyName(event.key.keysym.sym).decode(errors="replace")
        key = name.lower() if len(name) == 1 else name
        return "key-press" if kind == library.SDL_KEYDOWN else "key-release", {"key": key}
    elif kind == library.SDL_MOUSEMOTION:
        return "mouse-move", _point(to_picture, event.motion.x, event.motion.y)
    elif kind in (library.SDL_MOUSEBUTTONDOWN, library.SDL_MOUSEBUTTONUP):
        button = event.button
        what = "press" if kind == library.SDL_MOUSEBUTTONDOWN else "release"
        return f"mouse-button-{what}", {
            "button": int(button.button),
            **_point(to_picture, button.x, button.y),
        }
    elif kind == library.SDL_MOUSEWHEEL:
        x, y = ctypes.c_int(), ctypes.c_int()
        library.SDL_GetMouseState(ctypes.byref(x), ctypes.byref(y))
        steps = {"delta_x": int(event.wheel.x), "delta_y": int(event.wheel.y)}
        return "mouse-scroll", {**steps, **_point(to_picture, x.value, y.value)}
    return None


def _point(to_picture: ToPicture, x: int, y: int) -> dict[str, float]:
    across, down = to_picture(x, y)
    return {"x": across, "y": down}
