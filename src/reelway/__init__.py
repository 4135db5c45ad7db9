"""Reelway: media sessions in Python.

The rooms, from the top; imports go down only, and rooms on one line do not know each other:

    cli         parses, calls what is public, prints
    compat      faces of libgpac and others, on what is public
    testing     shipped test kits
    session     what a user holds
    share       frames between processes  |  display  windows and sound  |  record  event recording
    catalog     filters by name
    engine      everything that touches av  |  filters  plain Python  |  runtime  scheduler, threads, clock
    graph       what may connect
    media       values
    errors

A name below is loaded when it is first used: importing reelway loads neither av nor numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelway import record as record
    from reelway import share as share
    from reelway.errors import DeadlineError as DeadlineError
    from reelway.errors import FilterError as FilterError
    from reelway.errors import FormatError as FormatError
    from reelway.errors import InterleaveError as InterleaveError
    from reelway.errors import LinkError as LinkError
    from reelway.errors import OpenError as OpenError
    from reelway.errors import OptionError as OptionError
    from reelway.errors import PacketError as PacketError
    from reelway.errors import PipelineError as PipelineError
    from reelway.errors import ReelwayError as ReelwayError
    from reelway.errors import StateError as StateError
    from reelway.errors import UnknownNameError as UnknownNameError
    from reelway.errors import UnsupportedError as UnsupportedError
    from reelway.filters.appsink import AppSink as AppSink
    from reelway.filters.appsource import AppSource as AppSource
    from reelway.filters.function import audio_filter as audio_filter
    from reelway.filters.function import video_filter as video_filter
    from reelway.graph.caps import Caps as Caps
    from reelway.graph.caps import Not as Not
    from reelway.graph.filter import Filter as Filter
    from reelway.graph.link import Limits as Limits
    from reelway.graph.link import Link as Link
    from reelway.graph.merge import merge as merge
    from reelway.graph.option import option as option
    from reelway.graph.pid import Pid as Pid
    from reelway.graph.states import State as State
    from reelway.media import events as events
    from reelway.media.packet import Packet as Packet
    from reelway.session.application.application import Application as Application
    from reelway.session.application.launch import launch as launch
    from reelway.session.frames import Frame as Frame
    from reelway.session.frames import Frames as Frames
    from reelway.session.frames import frames as frames
    from reelway.session.frames import frames_async as frames_async
    from reelway.session.graph import Graph as Graph
    from reelway.session.logs import set_logs as set_logs
    from reelway.session.progress import Progress as Progress
    from reelway.session.progress import show_progress as show_progress
    from reelway.session.run import run as run
    from reelway.session.session import Session as Session

__version__ = "0.1.0"

_WHERE = {
    "reelway.errors": "DeadlineError FilterError FormatError InterleaveError LinkError OpenError OptionError"
    " PacketError PipelineError ReelwayError StateError UnknownNameError UnsupportedError",
    "reelway.filters.appsink": "AppSink",
    "reelway.filters.appsource": "AppSource",
    "reelway.filters.function": "audio_filter video_filter",
    "reelway.graph.caps": "Caps Not",
    "reelway.graph.filter": "Filter",
    "reelway.graph.link": "Limits Link",
    "reelway.graph.merge": "merge",
    "reelway.graph.option": "option",
    "reelway.graph.pid": "Pid",
    "reelway.graph.states": "State",
    "reelway.media.packet": "Packet",
    "reelway.session.application.application": "Application",
    "reelway.session.application.launch": "launch",
    "reelway.session.frames": "Frame Frames frames frames_async",
    "reelway.session.graph": "Graph",
    "reelway.session.logs": "set_logs",
    "reelway.session.progress": "Progress show_progress",
    "reelway.session.run": "run",
    "reelway.session.session": "Session",
}
_NAMES = {name: module for module, names in _WHERE.items() for name in names.split()}
_MODULES = {"events": "reelway.media.events", "record": "reelway.record", "share": "reelway.share"}

__all__ = [*_NAMES, *_MODULES, "__version__"]  # noqa: PLE0604 (what loads is what there is)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        value: Any = import_module(_MODULES[name])
    elif name in _NAMES:
        value = getattr(import_module(_NAMES[name]), name)
    else:
        raise AttributeError(f"module 'reelway' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
