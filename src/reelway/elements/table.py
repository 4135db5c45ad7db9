"""All kinds of elements by name. A table is read when a name is looked for that earlier ones do not have."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module

from reelway.elements.kinds import ElementKind
from reelway.errors import UnknownNameError

__all__ = ["find", "names", "register"]

_TABLES = (
    *("video", "audio", "flow", "testsources", "coders", "decoders", "files", "sources", "sinks", "parsers"),
    *("devices", "nvidia", "missing"),
)
"""Modules of this room, each with its KINDS."""

_registered: dict[str, ElementKind] = {}


def register(kind: ElementKind) -> None:
    """Adds a kind for this process, as a program declares one; before the others of that name."""
    _registered[kind.name] = kind


def find(name: str) -> ElementKind:
    """The kind of element called `name`. Raises UnknownNameError that names the near ones."""
    if name in _registered:
        return _registered[name]
    for table in _TABLES:
        if name in (kinds := _kinds(table)):
            return kinds[name]
    raise UnknownNameError.of("element", name, names())


def names() -> list[str]:
    """All elements' names, those of role `missing` too."""
    return sorted({*_registered, *(name for table in _TABLES for name in _kinds(table))})


@cache
def _kinds(table: str) -> dict[str, ElementKind]:
    kinds: Sequence[ElementKind] = import_module(f"reelway.elements.{table}").KINDS
    return {kind.name: kind for kind in kinds}
