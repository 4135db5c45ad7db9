"""What makes elements: by name, by class, of a text."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

import reelway as rw
from reelway import elements
from reelway.compat.gst.constants import ENUMERATIONS
from reelway.compat.gst.elements import Element, face_of
from reelway.compat.gst.gstobject import GstObject, unused_name
from reelway.compat.gst.names import missing
from reelway.compat.gst.pads import PadTemplate
from reelway.elements.kinds import ElementKind
from reelway.session.application.element import Element as CoreElement

__all__ = ["ElementFactory", "Registry", "class_of", "look_for", "register"]

log = logging.getLogger("reelway.gst")

_classes: dict[str, Any] = {}
"""Elements in Python by their names."""
_ranks: dict[str, int] = {}


def class_of(kind: ElementKind) -> Any:
    """The class of the faces of elements of this kind."""
    if kind.name in ("appsink", "appsrc"):
        from reelway.compat.gst import app

        return {"appsink": app.AppSink, "appsrc": app.AppSrc}[kind.name]
    return _classes.get(kind.name, Element)


def register(name: str, rank: int, kind: Any) -> bool:
    """Lets `name` make elements of a class that inherits from one of GstBase's."""
    found = getattr(kind, "pytype", kind)
    declare = getattr(found, "element_kind", None)
    if declare is None:
        raise missing(
            f"an element of the class {getattr(found, '__name__', found)}",
            "inherit from GstBase.BaseTransform, BaseSrc, PushSrc or BaseSink",
        )
    found._of_program = True
    found._factory_name = name
    _classes[name], _ranks[name] = found, int(rank or 0)
    elements.register(declare(name))
    return True


def _kind_of(name: str) -> ElementKind | None:
    """The kind of that name; None, and a word in the log, where there is none."""
    try:
        kind = elements.find(name)
    except rw.UnknownNameError as error:
        if look_for(name):
            return elements.find(name)
        log.warning("%s%s", error, f" ({error.hint})" if error.hint else "")
        return None
    if kind.role == "missing":
        log.warning("%s is not part of Reelway (%s)", name, kind.instead)
        return None
    return kind


def look_for(name: str) -> bool:
    """Registers what modules say in `__gstelementfactory__`: those that are loaded, and GST_PLUGIN_PATH's."""
    _load_plugins(os.environ.get("GST_PLUGIN_PATH", ""))
    for module in list(sys.modules.values()):
        described = getattr(module, "__gstelementfactory__", None)
        for entry in described if isinstance(described, list) else [described]:
            if isinstance(entry, tuple) and len(entry) == 3 and entry[0] not in _classes:
                register(*entry)
    return name in _classes


@cache
def _load_plugins(folders: str) -> None:
    """Modules in `python` below each folder of the path, as gst-python loads them."""
    for folder in filter(None, folders.split(os.pathsep)):
        for file in sorted(Path(folder, "python").glob("*.py")):
            spec = importlib.util.spec_from_file_location(f"gst_plugin_{file.stem}", file)
            if spec is None or spec.loader is None:
                continue
            module = importlib.util.module_from_spec(spec)
            sys.modules[module.__name__] = module
            spec.loader.exec_module(module)


class ElementFactory(GstObject):
    """What makes elements of one kind."""

    def __init__(self, kind: ElementKind) -> None:
        super().__init__()
        self._kind = kind
        self._name = kind.name

    @classmethod
    def find(cls, name: str) -> ElementFactory | None:
        """The factory of that name; None: there is none."""
        kind = _kind_of(name)
        return None if kind is None else cls(kind)

    @staticmethod
    def make(factoryname: str, name: str | None = None) -> Any:
        """A new element; None, and a word in the log, where there is no such kind."""
        kind = _kind_of(factoryname)
        return None if kind is None else ElementFactory(kind).create(name)

    @staticmethod
    def make_with_properties(factoryname: str, names: list[str], values: list[Any]) -> Any:
        """A new element with these properties."""
        made = ElementFactory.make(factoryname)
        for name, value in zip(names, values, strict=True) if made is not None else ():
            made.set_property(name, value)
        return made

    def create(self, name: str | None = None) -> Any:
        """A new element."""
        if self._kind.name in ("bin", "pipeline"):
            from reelway.compat.gst import bins

            return {"bin": bins.Bin, "pipeline": bins.Pipeline}[self._kind.name](name)
        core = CoreElement(self._kind, name or unused_name(self._kind.name))
        vars(core)["named_by_itself"] = not name  # then it may get another name, where that one is taken
        return face_of(core)

    def get_longname(self) -> str:
        """What it is, in a few words."""
        return self._kind.help

    get_description = get_longname

    def get_klass(self) -> str:
        """Codec/Encoder/Video and so on."""
        return self._kind.klass

    def get_metadata(self, key: str) -> str | None:
        """long-name, klass, description, author."""
        known = {"long-name": self._kind.help, "klass": self._kind.klass, "description": self._kind.help}
        return known.get(key)

    def get_static_pad_templates(self) -> list[PadTemplate]:
        """Its templates."""
        return [PadTemplate.of(each) for each in self._kind.pads]

    def get_num_pad_templates(self) -> int:
        """How many."""
        return len(self._kind.pads)

    def get_rank(self) -> int:
        """How much it is preferred."""
        return _ranks.get(self._kind.name, int(ENUMERATIONS["Rank"].PRIMARY))

    def set_rank(self, rank: int) -> None:
        """Kept; what decodes is not chosen by rank."""
        _ranks[self._kind.name] = int(rank)

    def list_is_type(self, _type: int) -> bool:
        """Raises: look at get_klass()."""
        raise missing("ElementFactory.list_is_type", "look at get_klass()")

    def get_plugin_name(self) -> str:
        """What it came with."""
        return "reelway"

    def has_interface(self, _interface: str) -> bool:
        """False: there are no interfaces."""
        return False


class Registry(GstObject):
    """All kinds of elements."""

    @classmethod
    def get(cls) -> Registry:
        """The one there is."""
        return _REGISTRY

    def lookup_feature(self, name: str) -> ElementFactory | None:
        """The factory of that name; None: there is none."""
        known = name in elements.names() and elements.find(name).role != "missing"
        return ElementFactory(elements.find(name)) if known else None

    def find_feature(self, name: str, _type: Any = None) -> ElementFactory | None:
        """`lookup_feature()`."""
        return self.lookup_feature(name)

    def check_feature_version(self, feature_name: str, *_version: int) -> bool:
        """True where there is such a kind."""
        return self.lookup_feature(feature_name) is not None

    def get_feature_list(self, _type: Any = None) -> list[ElementFactory]:
        """All factories."""
        found = (self.lookup_feature(name) for name in elements.names())
        return [factory for factory in found if factory is not None]

    def scan_path(self, path: str) -> bool:
        """Looks for elements in Python below `path`."""
        _load_plugins(path)
        return True

    def find_plugin(self, name: str) -> Any:
        """Raises: elements come without plugins."""
        raise missing(f"the plugin {name}", "ask for its elements: Gst.ElementFactory.find(name)")


_REGISTRY = Registry()
