"""Reelway: media sessions in Python.

The rooms, from the top; imports go down only:

    cli          parses, calls what is public, prints
    compat       faces of libgpac and others, on what is public
    testing      shipped test kits
    session      what a user holds
    catalog      filters by name
    engine       everything that touches av          filters   plain Python        runtime   scheduler, threads
    graph        what may connect
    media        values
    errors

A name here is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelway.errors import (
        DeadlineError as DeadlineError,
    )

__version__ = "0.1.0"

_WHERE = {
    "reelway.errors": "DeadlineError FilterError FormatError InterleaveError LinkError OpenError OptionError"
    " PacketError ReelwayError StateError UnknownNameError UnsupportedError",
    "reelway.graph.caps": "Caps Not",
    "reelway.graph.filter": "Filter",
    "reelway.graph.link": "Limits Link",
    "reelway.graph.merge": "merge",
    "reelway.graph.option": "option",
    "reelway.graph.pid": "Pid",
    "reelway.media.packet": "Packet",
    "reelway.session.run": "run",
    "reelway.session.session": "Session",
}
_NAMES = {name: module for module, names in _WHERE.items() for name in names.split()}
_MODULES = {"events": "reelway.media.events"}

__all__ = sorted([*_NAMES, *_MODULES, "__version__"])


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
