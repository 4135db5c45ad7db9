"""Where media come from at this machine: cameras, screens, microphones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reelway.elements.declare import MAX, ONE_SRC, base_src, boolean, choices, enum, integer, string
from reelway.elements.kinds import ElementKind
from reelway.media.addresses import device_of

__all__ = ["KINDS"]


def _device(scheme: str, name: str) -> str:
    """The address of a device, which may be one already."""
    return name if device_of(name) else f"{scheme}:{name}"


def _screen(values: Mapping[str, Any]) -> str:
    """The address of a part of the screen; GStreamer counts the last column and line in."""
    place = values["startx"], values["starty"]
    ends = values["endx"], values["endy"]
    query = [] if values["show-pointer"] else ["draw_mouse=0"]
    if all(ends):
        query.insert(0, f"size={ends[0] - place[0] + 1}x{ends[1] - place[1] + 1}")
    address = f"screen:{values['display-name'] or ''}" + (f"+{place[0]},{place[1]}" if any(place) else "")
    return "?".join(filter(None, [address, "&".join(query)]))


KINDS = (
    ElementKind(
        "v4l2src",
        "Pictures of a camera at this machine",
        "Source/Video",
        "live",
        "opener",
        (
            string("device", "/dev/video0", "the camera", "src"),
            enum(
                "io-mode",
                "auto",
                choices("auto", "rw", "mmap", "userptr", "dmabuf", "dmabuf-import"),
                "how pictures get here",
                ignored=True,
            ),
            boolean("force-aspect-ratio", True, "refuse other shapes of pixels", ignored=True),
            *base_src(),
        ),
        ONE_SRC,
        url=lambda values: _device("v4l2", values.get("device") or ""),
        decodes=True,
        live=True,
    ),
    ElementKind(
        "ximagesrc",
        "Pictures of the screen, as an X server has it",
        "Source/Video",
        "live",
        "opener",
        (
            string("display-name", None, "the X server; where it is not said, DISPLAY is it"),
            integer("startx", 0, "left edge", unit="pixels", low=0, high=MAX),
            integer("starty", 0, "upper edge", unit="pixels", low=0, high=MAX),
            integer("endx", 0, "right edge, the last column of it; 0: the screen's", low=0, high=MAX),
            integer("endy", 0, "lower edge, the last line of it; 0: the screen's", low=0, high=MAX),
            boolean("show-pointer", True, "the mouse is seen"),
            boolean("use-damage", True, "look at what has changed only", ignored=True),
            boolean("remote", False, "the X server is elsewhere", ignored=True),
            *base_src(),
        ),
        ONE_SRC,
        url=_screen,
        decodes=True,
        live=True,
    ),
    ElementKind(
        "alsasrc",
        "Sound of a microphone",
        "Source/Audio",
        "live",
        "opener",
        (
            string("device", "default", "as ALSA calls it: default, hw:1,0"),
            integer("buffer-time", 200_000, unit="us", low=1, high=MAX, ignored=True),
            integer("latency-time", 10_000, unit="us", low=1, high=MAX, ignored=True),
            boolean("provide-clock", True, "others keep its time", ignored=True),
            *base_src(),
        ),
        ONE_SRC,
        url=lambda values: _device("alsa", values.get("device") or "default"),
        decodes=True,
        live=True,
    ),
)
