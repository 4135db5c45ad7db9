"""The namespace Gst."""

# ruff: noqa: F401 - what is imported here are names of Gst

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import reelway as rw
from reelway.compat.gst import glib
from reelway.compat.gst.bins import AddError, Bin, Pipeline
from reelway.compat.gst.buffers import Buffer, BufferList, MapInfo, Memory, Sample
from reelway.compat.gst.bus import Bus
from reelway.compat.gst.caps import Caps, CapsFeatures, Structure
from reelway.compat.gst.constants import CONSTANTS, ENUMERATIONS
from reelway.compat.gst.dot import (
    debug_bin_to_dot_data,
    debug_bin_to_dot_file,
    debug_bin_to_dot_file_with_ts,
)
from reelway.compat.gst.elements import Element, Iterator_, LinkError, face_of
from reelway.compat.gst.events import Event, Query
from reelway.compat.gst.factory import ElementFactory, Registry, look_for
from reelway.compat.gst.gstobject import GstObject
from reelway.compat.gst.messages import Message
from reelway.compat.gst.names import namespace_getattr, show_as
from reelway.compat.gst.pads import GhostPad, Pad, PadProbeInfo, PadTemplate
from reelway.compat.gst.running import SystemClock
from reelway.compat.gst.segments import Segment
from reelway.compat.gst.tags import TAGS, TagList
from reelway.compat.gst.values import (
    Bitmask,
    DoubleRange,
    Fraction,
    FractionRange,
    Int64Range,
    IntRange,
    ValueArray,
    ValueList,
    result,
)
from reelway.session.application.build import build

Clock = SystemClock
Iterator = Iterator_
Object = GstObject

_initialised = False


# Beginning


def init(argv: list[str] | None = None) -> list[str]:
    """Ready to use; `argv` comes back as it is."""
    global _initialised
    _initialised = True
    return list(argv or [])


def init_check(argv: list[str] | None = None) -> Any:
    """(True, argv)."""
    return result(". argv", True, init(argv))


def is_initialized() -> bool:
    """`init()` was called."""
    return _initialised


def deinit() -> None:
    """Nothing: pipelines close with NULL, and at the end of the program."""


def version() -> Any:
    """(1, 22, 0, 0): the version whose names and values are here."""
    numbers = (CONSTANTS[f"VERSION_{each}"] for each in ("MAJOR", "MINOR", "MICRO", "NANO"))
    return result("major minor micro nano", *numbers)


def version_string() -> str:
    """For people."""
    return f"GStreamer 1.22.0 (Reelway {rw.__version__})"


# Texts


def parse_launch(pipeline_description: str) -> Any:
    """The pipeline that a text says, or the element where it says one. Raises GLib.Error, with the place."""
    try:
        core = _built(pipeline_description)
    except rw.ReelwayError as error:
        raise _parse_error(error) from error
    if len(core.elements) == 1 and not core.bins:
        (only,) = core.elements
        core.remove(only)
        return face_of(only)
    pipeline = Pipeline()
    pipeline.adopt(core)
    return pipeline


def parse_launchv(argv: Iterable[str]) -> Any:
    """`parse_launch()` of words."""
    return parse_launch(" ".join(argv))


def parse_launch_full(pipeline_description: str, _context: Any = None, _flags: int = 0) -> Any:
    """`parse_launch()`."""
    return parse_launch(pipeline_description)


def parse_bin_from_description(bin_description: str, ghost_unlinked_pads: bool) -> Bin:
    """A bin of a text, with ghost pads for what is not linked. Raises GLib.Error, with the place."""
    try:
        core = _built(bin_description)
    except rw.ReelwayError as error:
        raise _parse_error(error) from error
    made = Bin()
    made.adopt(core)
    if ghost_unlinked_pads:
        made.ghost_unlinked()
    return made


def _built(text: str) -> Any:
    """The pipeline of a text; elements of modules in Python are looked for where one is not known."""
    if not text.strip():
        raise rw.OptionError("empty pipeline not allowed", hint="videotestsrc ! autovideosink")
    try:
        return build(text)
    except rw.ReelwayError as error:
        unknown = getattr(error.__cause__, "name", "")
        if not (unknown and look_for(unknown)):
            raise
    return build(text)


_PARSE = (
    ("no element", 1),
    ("is not part of Reelway", 1),
    ("no property", 2),
    ("has no value", 4),
    ("is no ", 4),
    ("empty", 6),
    ("link", 3),
)


def _parse_error(error: rw.ReelwayError) -> glib.Error:
    """GStreamer's error of a text: its code by what is wrong, and the place."""
    text = str(error)
    code = next((code for words, code in _PARSE if words in text), 0)
    caret = getattr(error, "caret", "")
    made = glib.Error(text, "gst_parse_error", code, hint=error.hint or "")
    if caret:
        made.add_note(caret)
    return made


# Values


def caps_from_string(string: str) -> Caps:
    """`Caps.from_string()`."""
    return Caps.from_string(string)


def util_set_object_arg(object: Any, name: str, value: str) -> None:
    """Sets a property of a text, as pipeline texts have it."""
    object._core.set(name, value)
    object.notify(name)


def value_get_fraction_numerator(value: Fraction) -> int:
    """The numerator."""
    return value.num


def value_get_fraction_denominator(value: Fraction) -> int:
    """The denominator."""
    return value.denom


def util_uint64_scale(val: int, num: int, denom: int) -> int:
    """val * num / denom, downwards."""
    return val * num // denom


util_uint64_scale_int = util_uint64_scale


def util_uint64_scale_round(val: int, num: int, denom: int) -> int:
    """val * num / denom, to the nearest."""
    return (2 * val * num + denom) // (2 * denom)


def util_get_timestamp() -> int:
    """The monotonic clock [ns]."""
    return SystemClock.obtain().get_time()


def TIME_ARGS(time: int) -> str:
    """0:00:01.500000000."""
    if time == CONSTANTS["CLOCK_TIME_NONE"]:
        return "CLOCK_TIME_NONE"
    seconds, ns = divmod(time, CONSTANTS["SECOND"])
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ns:09}"


def CLOCK_DIFF(start: int, end: int) -> int:
    """end - start."""
    return end - start


def uri_is_valid(uri: str) -> bool:
    """It begins with a scheme."""
    head, colon, _ = uri.partition(":")
    return bool(colon) and head[:1].isalpha() and all(each.isalnum() or each in "+-." for each in head)


def filename_to_uri(filename: str) -> str:
    """file:///... of a path."""
    import os

    return glib.filename_to_uri(os.path.abspath(filename))


def uri_get_protocol(uri: str) -> str | None:
    """The scheme."""
    return uri.partition(":")[0] if uri_is_valid(uri) else None


def tag_get_nick(tag: str) -> str:
    """A tag for people."""
    return tag.replace("-", " ")


# Debugging: Reelway has logs of its own


def debug_set_active(_active: bool) -> None:
    """Nothing: `rw.set_logs()` says what is logged."""


def debug_is_active() -> bool:
    """False: `rw.set_logs()` says what is logged."""
    return False


def debug_set_default_threshold(level: int) -> None:
    """What is logged: a DebugLevel."""
    words = {0: "quiet", 1: "error", 2: "warning", 3: "warning", 4: "info"}
    rw.set_logs(f"all@{words.get(int(level), 'debug')}")


def debug_set_threshold_from_string(list: str, _reset: bool) -> None:
    """What is logged: "3", or "*:4"."""
    number = list.rpartition(":")[2].strip()
    if number.isdigit():
        debug_set_default_threshold(int(number))


def debug_remove_log_function(_func: Any = None) -> int:
    """Nothing: there is none."""
    return 0


def debug_add_log_function(_func: Any, *_user_data: Any) -> None:
    """Nothing: Reelway logs with Python's logging, under the name reelway."""


_log = logging.getLogger("reelway.gst")


def error(msg: str) -> None:
    """Logs an error, under the name reelway.gst."""
    _log.error("%s", msg)


def warning(msg: str) -> None:
    """Logs a warning."""
    _log.warning("%s", msg)


def info(msg: str) -> None:
    """Logs what may be of interest."""
    _log.info("%s", msg)


def debug(msg: str) -> None:
    """Logs what is for programmers."""
    _log.debug("%s", msg)


fixme, log, trace, memdump = warning, debug, debug, debug

globals().update(ENUMERATIONS)
globals().update(CONSTANTS)
globals().update({f"TAG_{name}": value for name, value in TAGS.items()})

_LATER = {
    "AtomicQueue": "use queue.SimpleQueue",
    "BufferPool": "memory is Python's",
    "Context": "there are no contexts to share",
    "ControlBinding": "set live properties from a GLib.timeout_add",
    "ControlSource": "set live properties from a GLib.timeout_add",
    "Device": "v4l2src device=/dev/video0, or alsasrc",
    "DeviceMonitor": "v4l2src device=/dev/video0, or alsasrc",
    "DeviceProvider": "v4l2src device=/dev/video0, or alsasrc",
    "Discoverer": "rw.frames, or `reelway inspect`",
    "Meta": "properties of rw.Packet",
    "Plugin": "elements in Python are registered with Gst.Element.register",
    "Preset": "set properties",
    "Promise": "there is no WebRTC here",
    "Stream": "look at the pads of decodebin",
    "StreamCollection": "look at the pads of decodebin",
    "Task": "use threading.Thread",
    "Toc": "chapters come with the file's metadata",
    "Tracer": "session.statistics(), or --trace",
    "TypeFind": "typefind and decodebin look by themselves",
    "URIHandler": "Gst.Element.make_from_uri, or uridecodebin",
}

_HERE = """
    annotations logging Any Iterable rw glib CONSTANTS ENUMERATIONS TAGS GstObject Iterator_ build face_of
    look_for namespace_getattr result show_as
""".split()
__all__ = [name for name in list(globals()) if not name.startswith("_") and name not in _HERE]

show_as("Gst", {name: globals()[name] for name in __all__})
__getattr__ = namespace_getattr("Gst", lambda: __all__, _LATER)
