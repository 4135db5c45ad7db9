"""What a desktop does with windows, by Xlib: finding, closing, resizing, naming them."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_uint, c_ulong, c_void_p


class _ClientMessage(ctypes.Structure):
    _fields_ = (
        ("type", c_int),
        ("serial", c_ulong),
        ("send_event", c_int),
        ("display", c_void_p),
        ("window", c_ulong),
        ("message_type", c_ulong),
        ("format", c_int),
        ("data", c_long * 5),
        ("rest", c_long * 24),  # an XEvent is longer
    )


_OnError = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)
_ignore = _OnError(lambda _connection, _error: 0)


class _Key(ctypes.Structure):
    _fields_ = (
        ("type", c_int),
        ("serial", c_ulong),
        ("send_event", c_int),
        ("display", c_void_p),
        ("window", c_ulong),
        ("root", c_ulong),
        ("subwindow", c_ulong),
        ("time", c_ulong),
        ("place", c_int * 4),
        ("state", c_uint),
        ("keycode", c_uint),
        ("same_screen", c_int),
        ("rest", c_long * 24),
    )


class Desktop:
    """A connection of its own to the server. Windows that vanish meanwhile are no error."""

    def __init__(self, display: str) -> None:
        self._x = ctypes.CDLL("libX11.so.6")
        self._x.XOpenDisplay.restype = c_void_p
        self._x.XDefaultRootWindow.restype = c_ulong
        self._x.XInternAtom.restype = c_ulong
        self._x.XSetErrorHandler.argtypes = (c_void_p,)
        self._x.XSetErrorHandler.restype = c_void_p
        self._before = self._x.XSetErrorHandler(ctypes.cast(_ignore, c_void_p))
        self._display = c_void_p(self._x.XOpenDisplay(display.encode()))

    def close_connection(self) -> None:
        self._x.XCloseDisplay(self._display)
        self._x.XSetErrorHandler(self._before)

    def windows(self) -> dict[str, int]:
        """The windows that have a title, by title."""
        root, parent, count = c_ulong(), c_ulong(), c_uint()
        children = POINTER(c_ulong)()
        top = c_ulong(self._x.XDefaultRootWindow(self._display))
        self._x.XQueryTree(self._display, top, byref(root), byref(parent), byref(children), byref(count))
        found = {}
        for window in children[: count.value]:
            if title := self._title(window):
                found[title] = window
        return found

    def _title(self, window: int) -> str:
        kind, form, count, left, text = c_ulong(), c_int(), c_ulong(), c_ulong(), c_char_p()
        name = c_ulong(self._x.XInternAtom(self._display, b"_NET_WM_NAME", 0))
        asked = (c_ulong(window), name, c_long(0), c_long(64), 0, c_ulong(0))
        given = (byref(kind), byref(form), byref(count), byref(left), byref(text))
        self._x.XGetWindowProperty(self._display, *asked, *given)
        return (text.value or b"").decode()

    def press_close_button(self, window: int) -> None:
        """What a window manager sends (ICCCM 4.2.8.1)."""
        message = _ClientMessage(type=33, window=window, format=32)
        message.message_type = self._x.XInternAtom(self._display, b"WM_PROTOCOLS", 0)
        message.data[0] = self._x.XInternAtom(self._display, b"WM_DELETE_WINDOW", 0)
        self._x.XSendEvent(self._display, c_ulong(window), 0, c_long(0), byref(message))
        self._x.XSync(self._display, 0)

    def press_key(self, window: int, name: str) -> None:
        """The window gets the keyboard, and a key is pressed and let go: "q", "space", "Escape"."""
        root = c_ulong(self._x.XDefaultRootWindow(self._display))
        self._x.XStringToKeysym.restype = c_ulong
        sym = c_ulong(self._x.XStringToKeysym(name.encode()))
        code = self._x.XKeysymToKeycode(self._display, sym) & 0xFF
        self._x.XSetInputFocus(self._display, c_ulong(window), 1, c_ulong(0))
        self._x.XSync(self._display, 0)
        for kind, mask in ((2, 1), (3, 2)):  # KeyPress, KeyRelease
            event = _Key(type=kind, window=window, root=root.value, keycode=code, same_screen=1)
            self._x.XSendEvent(self._display, c_ulong(window), 1, c_long(mask), byref(event))
        self._x.XSync(self._display, 0)

    def resize(self, window: int, width: int, height: int) -> None:
        self._x.XResizeWindow(self._display, c_ulong(window), width, height)
        self._x.XSync(self._display, 0)


@contextmanager
def desktop(display: str) -> Iterator[Desktop]:
    made = Desktop(display)
    try:
        yield made
    finally:
        made.close_connection()
