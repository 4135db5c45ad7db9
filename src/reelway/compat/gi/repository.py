"""`gi.repository`: the namespaces, loaded when they are first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from reelway.compat.gi import unknown_namespace

__all__ = ["NAMESPACES", "GLib", "GObject", "Gst", "GstApp", "GstAudio", "GstBase", "GstVideo"]  # noqa: F822

__path__: list[str] = []  # `import gi.repository.Gst` asks for it

NAMESPACES = {
    "GLib": "reelway.compat.gst.glib",
    "GObject": "reelway.compat.gst.gobject",
    "Gst": "reelway.compat.gst.gstreamer",
    "GstApp": "reelway.compat.gst.app",
    "GstAudio": "reelway.compat.gst.audio",
    "GstBase": "reelway.compat.gst.base",
    "GstVideo": "reelway.compat.gst.video",
}
"""Name -> the module that is the namespace."""


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in NAMESPACES:
        raise unknown_namespace(name)
    found = import_module(NAMESPACES[name])
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(NAMESPACES)
