"""Names that are not there: errors that tell the nearest that is, and what to use instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import FunctionType
from typing import Any, NoReturn

import reelway as rw

__all__ = ["NotThereError", "missing", "namespace_getattr", "nearest_text", "show_as"]


class NotThereError(rw.UnsupportedError):
    """Something of GStreamer's that this face knows of, and does not have."""


def missing(what: str, instead: str = "") -> NotThereError:
    """The error for `what`, which this face does not have; `instead` says what to use."""
    return NotThereError(f"{what} is not in Reelway's face of GStreamer", hint=instead or None)


def nearest_text(name: str, known: Iterable[str]) -> str:
    """ " (did you mean ...?)", or nothing."""
    near = rw.UnknownNameError.nearest(name, known)
    return f" (did you mean {' or '.join(repr(each) for each in near)}?)" if near else ""


def namespace_getattr(
    namespace: str, known: Callable[[], Iterable[str]], later: Mapping[str, str]
) -> Callable[[str], Any]:
    """`__getattr__` of the namespace `Gst`: AttributeError with the nearest name.

    What `later` lists is a class that raises, with what to use instead, when it is called or inherited from.
    """

    def find(name: str) -> Any:
        if name in later:
            return _refusing(f"{namespace}.{name}", later[name])
        near = "" if name.startswith("_") else nearest_text(name, [*known(), *later])
        raise AttributeError(f"'gi.repository.{namespace}' object has no attribute {name!r}{near}", name=name)

    return find


class _Refusing(type):
    """A class that can be named, and neither made nor asked for anything."""

    _what: str
    _instead: str

    def __call__(cls, *_args: object, **_named: object) -> NoReturn:
        raise missing(cls._what, cls._instead)

    def __getattr__(cls, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise missing(f"{cls._what}.{name}", cls._instead)


def _refusing(what: str, instead: str) -> Any:
    def refuse(_heir: type, **_named: object) -> NoReturn:
        raise missing(what, instead)

    members = {
        "_what": what,
        "_instead": instead,
        "__init_subclass__": refuse,
        "__doc__": f"Raises: {instead}",
    }
    return _Refusing(what.rpartition(".")[2], (), members)


def show_as(namespace: str, things: Mapping[str, Any]) -> None:
    """Lets classes and functions say that they are of `gi.repository.Gst`, as messages of gi's do."""
    for thing in things.values():
        if isinstance(thing, (type, FunctionType)) and thing.__module__.startswith("reelway."):
            thing.__module__ = f"gi.repository.{namespace}"
            rename = getattr(thing, "named_anew", None)
            if rename is not None:
                rename()
