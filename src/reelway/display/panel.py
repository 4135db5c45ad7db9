"""One window of SDL with its renderer and texture. The stage's thread only."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy

from reelway.display import sdl
from reelway.display.inputs import translate
from reelway.display.pictureformat import PictureFormat
from reelway.display.stage import Stage
from reelway.display.x11 import outlive
from reelway.errors import StateError, UnknownNameError, UnsupportedError
from reelway.media.layout import Array

__all__ = ["GONE", "Look", "Panel"]

Told = Callable[[str, Mapping[str, Any]], None]
GONE = "gone"
"""Told when the display went away; not an input of people's."""


class Look(NamedTuple):
    """How a window looks, as its user wants it."""

    title: str = "Reelway"
    width: int = 0
    """0: as the picture."""
    height: int = 0
    x: int | None = None
    """Of its left edge on the screen; None: wherever the desktop puts it."""
    y: int | None = None
    full_screen: bool = False
    force_aspect: bool = True
    renderer: str = ""


class Panel:
    """A window that shows one picture at a time, black around it. `told` gets what people do with it."""

    def __init__(self, stage: Stage, look: Look, format: PictureFormat, told: Told) -> None:
        self.stage = stage
        self.format = format
        self._sdl = library = sdl.sdl()
        self._look = look
        self._told = told
        self._texture: Any = None
        self._filled = False
        """The texture holds a picture."""
        self._before = (0, 0, 0, 0)
        """Place and size before it was full screen."""
        width, height = self._wanted_size()
        anywhere = library.SDL_WINDOWPOS_UNDEFINED
        flags = library.SDL_WINDOW_SHOWN | library.SDL_WINDOW_RESIZABLE
        x, y = (anywhere if place is None else place for place in (look.x, look.y))
        self._window = library.SDL_CreateWindow(look.title.encode(), x, y, width, height, flags)
        if not self._window:
            raise UnsupportedError(f"SDL opens no window: {sdl.error_text()}")
        try:
            self._renderer = self._make_renderer()
            self.number = int(library.SDL_GetWindowID(self._window))
            self.set_format(format)
            if look.full_screen:
                self._fill_screen()
        except Exception:
            library.SDL_DestroyWindow(self._window)
            raise
        stage.windows[self.number] = self
        outlive(self._window, stage.lose)

    def close(self) -> None:
        """The window vanishes."""
        library = self._sdl
        if self.stage.windows.pop(self.number, None) is not self or self.stage.gone:
            return
        self._drop_texture()
        library.SDL_DestroyRenderer(self._renderer)
        library.SDL_DestroyWindow(self._window)
        library.SDL_PumpEvents()  # without it some desktops keep a dead window until the next one comes

    # Pictures

    def set_format(self, format: PictureFormat) -> None:
        """Of the pictures that `show()` gets from now on. Raises UnsupportedError."""
        if self.stage.gone:
            return
        library = self._sdl
        self.format = format
        self._drop_texture()
        library.SDL_SetYUVConversionMode(format.mode)
        self._texture = library.SDL_CreateTexture(
            self._renderer,
            getattr(library, format.texture),
            library.SDL_TEXTUREACCESS_STREAMING,
            format.width,
            format.height,
        )
        if not self._texture:
            size = f"{format.width}x{format.height}"
            raise UnsupportedError(f"SDL takes no pictures of {format.name}, {size}: {sdl.error_text()}")
        library.SDL_SetTextureBlendMode(self._texture, library.SDL_BLENDMODE_NONE)

    def show(self, planes: Sequence[Array]) -> None:
        """Shows a picture of the format that was set; its planes are read before this returns."""
        if self.stage.gone:
            return
        library, texture = self._sdl, self._texture
        library.SDL_SetYUVConversionMode(self.format.mode)  # SDL has one for all textures
        memory = [_as_lines(plane) for plane in planes]
        places = [argument for plane in memory for argument in (_pointer(plane), plane.strides[0])]
        match len(memory):
            case 1:
                failed = library.SDL_UpdateTexture(texture, None, memory[0].ctypes.data, memory[0].strides[0])
            case 2:
                failed = library.SDL_UpdateNVTexture(texture, None, *places)
            case _:
                failed = library.SDL_UpdateYUVTexture(texture, None, *places)
        if failed:
            raise UnsupportedError(f"SDL does not take the picture: {sdl.error_text()}")
        self._filled = True
        self.draw()

    def draw(self) -> None:
        """Shows the last picture again, as after a change of the window's size."""
        self._render()
        self._sdl.SDL_RenderPresent(self._renderer)

    def snapshot(self) -> Array:
        """What the window shows: (lines, columns, 3) uint8, RGB, of the window's own size."""
        library = self._sdl
        self._render()  # what was presented need not be there any more
        width, height = self._size()
        pixels = numpy.zeros((height, width, 4), numpy.uint8)
        failed = library.SDL_RenderReadPixels(
            self._renderer, None, library.SDL_PIXELFORMAT_ABGR8888, pixels.ctypes.data, pixels.strides[0]
        )
        if failed:
            raise UnsupportedError(f"the window cannot be read: {sdl.error_text()}")
        return pixels[:, :, :3]

    # The window

    def set_look(self, look: Look) -> None:
        """Another title, size, place ... while it is open."""
        if self.stage.gone:
            return
        library, before = self._sdl, self._look
        self._look = look
        if look.title != before.title:
            library.SDL_SetWindowTitle(self._window, look.title.encode())
        if look.full_screen != before.full_screen:
            if look.full_screen:
                self._fill_screen()
            else:
                self._leave_full_screen()
        if (look.width, look.height) != (before.width, before.height):
            library.SDL_SetWindowSize(self._window, *self._wanted_size())
        if (look.x, look.y) != (before.x, before.y) and look.x is not None and look.y is not None:
            library.SDL_SetWindowPosition(self._window, look.x, look.y)
        self.draw()

    def on_sdl_event(self, event: Any) -> None:
        library = self._sdl
        if event.type == library.SDL_WINDOWEVENT and event.window.event in (
            library.SDL_WINDOWEVENT_EXPOSED,
            library.SDL_WINDOWEVENT_SIZE_CHANGED,
        ):
            self.draw()
        if told := translate(event, self._to_picture):
            self._told(*told)

    def on_display_gone(self) -> None:
        self._told(GONE, {})

    # Inside

    def _make_renderer(self) -> Any:
        library = self._sdl
        index = -1 if not self._look.renderer else _driver(self._look.renderer)
        renderer = library.SDL_CreateRenderer(self._window, index, 0)
        if not renderer:
            raise UnsupportedError(f"SDL does not draw into its window: {sdl.error_text()}")
        return renderer

    def _fill_screen(self) -> None:
        """Full screen; also where no window manager is there to do it, as on a screen in a machine."""
        library, window = self._sdl, self._window
        numbers = [ctypes.c_int() for _ in range(4)]
        x, y, width, height = (ctypes.byref(number) for number in numbers)
        library.SDL_GetWindowPosition(window, x, y)
        library.SDL_GetWindowSize(window, width, height)
        left, top, wide, high = (number.value for number in numbers)
        self._before = left, top, wide, high
        bounds = library.SDL_Rect(*self._before)
        library.SDL_GetDisplayBounds(max(0, library.SDL_GetWindowDisplayIndex(window)), bounds)
        library.SDL_SetWindowPosition(window, bounds.x, bounds.y)
        library.SDL_SetWindowSize(window, bounds.w, bounds.h)
        library.SDL_SetWindowFullscreen(window, library.SDL_WINDOW_FULLSCREEN_DESKTOP)

    def _leave_full_screen(self) -> None:
        library, (x, y, width, height) = self._sdl, self._before
        library.SDL_SetWindowFullscreen(self._window, 0)
        library.SDL_SetWindowSize(self._window, width, height)
        library.SDL_SetWindowPosition(self._window, x, y)

    def _drop_texture(self) -> None:
        if self._texture:
            self._sdl.SDL_DestroyTexture(self._texture)
        self._texture, self._filled = None, False

    def _wanted_size(self) -> tuple[int, int]:
        """What was asked for; one side gives the other; else the picture's, made to fit the screen."""
        aspect, look = self.format.aspect, self._look
        if look.width or look.height:
            return look.width or round(look.height * aspect), look.height or round(look.width / aspect)
        height = self.format.height
        width = round(height * aspect)
        bounds = self._sdl.SDL_Rect()
        if self._sdl.SDL_GetDisplayUsableBounds(0, bounds) == 0 and bounds.w and bounds.h:
            share = min(1.0, bounds.w / width, bounds.h / height)
            width, height = max(1, int(width * share)), max(1, int(height * share))
        return width, height

    def _size(self) -> tuple[int, int]:
        width, height = ctypes.c_int(), ctypes.c_int()
        self._sdl.SDL_GetRendererOutputSize(self._renderer, ctypes.byref(width), ctypes.byref(height))
        return width.value, height.value

    def _place(self) -> tuple[int, int, int, int]:
        """Where the picture is in the window: x, y, width, height."""
        width, height = self._size()
        if not self._look.force_aspect:
            return 0, 0, width, height
        aspect = self.format.aspect
        inner = min(width, round(height * aspect)), min(height, round(width / aspect))
        return (width - inner[0]) // 2, (height - inner[1]) // 2, *inner

    def _to_picture(self, x: int, y: int) -> tuple[float, float]:
        """A point of the window in pixels of the picture."""
        left, top, width, height = self._place()
        across = (x - left) * self.format.width / max(1, width)
        return across, (y - top) * self.format.height / max(1, height)

    def _render(self) -> None:
        if self.stage.gone:
            raise StateError("the display went away")
        library = self._sdl
        library.SDL_SetRenderDrawColor(self._renderer, 0, 0, 0, 255)
        library.SDL_RenderClear(self._renderer)
        if self._filled:
            place = library.SDL_Rect(*self._place())
            library.SDL_RenderCopy(self._renderer, self._texture, None, place)


def _driver(name: str) -> int:
    """SDL's number of a renderer. Raises UnknownNameError."""
    library = sdl.sdl()
    known = []
    info = library.SDL_RendererInfo()
    for number in range(library.SDL_GetNumRenderDrivers()):
        library.SDL_GetRenderDriverInfo(number, info)
        known.append(info.name.decode())
    if name not in known:
        raise UnknownNameError.of("renderer of SDL", name, known)
    return known.index(name)


def _as_lines(plane: Array) -> Array:
    """The plane, with its samples side by side and its lines below each other; copied where they are not."""
    item = plane.itemsize
    inner = (plane.shape[-1] * item, item) if plane.ndim == 3 else (item,)
    fits = plane.strides[1:] == inner and plane.strides[0] > 0
    return plane if fits else numpy.ascontiguousarray(plane)


def _pointer(plane: Array) -> Any:
    return ctypes.cast(plane.ctypes.data, ctypes.POINTER(ctypes.c_uint8))
