"""The face of pythiags: applications of pipeline texts, with metadata on the side. Never here: media work.

`pythiags.headless` has `Standalone`, `pythiags.producer` and `pythiags.consumer` what metadata go through;
`pythiags.recorder` can be imported, and comes later.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["Consumer", "GLib", "GObject", "Gst", "Producer", "Standalone", "VideoRecorder", "logger"]

_WHERE = {
    "Consumer": "reelway.compat.pythiags.consumer",
    "GLib": "reelway.compat.gi.repository",
    "GObject": "reelway.compat.gi.repository",
    "Gst": "reelway.compat.gi.repository",
    "Producer": "reelway.compat.pythiags.producer",
    "Standalone": "reelway.compat.pythiags.headless",
    "VideoRecorder": "reelway.compat.pythiags.recorder",
    "logger": "reelway.compat.pythiags.headless",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        import reelway as rw

        near = rw.UnknownNameError.of("name in pythiags", name, _WHERE)
        hint = f" ({near.hint})" if near.hint and not name.startswith("_") else ""
        raise AttributeError(f"module 'pythiags' has no attribute {name!r}{hint}", name=name)
    found = getattr(import_module(_WHERE[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
