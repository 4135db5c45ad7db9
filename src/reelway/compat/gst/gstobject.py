"""`Gst.Object`: something with a name and a parent."""

from __future__ import annotations

import itertools
from typing import Any

from reelway.compat.gst.gtypes import ParamSpec
from reelway.compat.gst.objects import Object

__all__ = ["GstObject", "unused_name"]

_counts: dict[str, itertools.count[int]] = {}


def unused_name(kind: str) -> str:
    """bin0, bin1 and so on, as GStreamer names what nobody named."""
    return f"{kind}{next(_counts.setdefault(kind, itertools.count()))}"


class GstObject(Object):
    """Something with a name and a parent."""

    _name = ""
    _parent: Any = None

    def get_name(self) -> str:
        """Its name."""
        return self._name

    def set_name(self, name: str | None) -> bool:
        """Another name; False where it has a parent already."""
        if self._parent is not None:
            return False
        self._name = name or unused_name(type(self).__name__.lower())
        return True

    @property
    def name(self) -> str:
        """Its name."""
        return self.get_name()

    def get_parent(self) -> Any:
        """What it is in; None: nothing."""
        return self._parent

    @property
    def parent(self) -> Any:
        """What it is in; None: nothing."""
        return self._parent

    def get_path_string(self) -> str:
        """Its name and those of all that it is in."""
        above = self._parent.get_path_string() if self._parent is not None else ""
        return f"{above}/{self._type_name()}:{self.get_name()}"

    def _spec_of(self, name: str) -> ParamSpec | None:
        if name == "name":
            return _NAME
        return super()._spec_of(name)

    def _fetch(self, spec: ParamSpec) -> Any:
        return self.get_name() if spec is _NAME else super()._fetch(spec)

    def _store(self, spec: ParamSpec, value: Any) -> None:
        if spec is _NAME:
            self.set_name(value)
        else:
            super()._store(spec, value)

    def _all_specs(self) -> list[ParamSpec]:
        return [_NAME, *super()._all_specs()]


_NAME = ParamSpec("name", str, "Name", "The name of the object")
