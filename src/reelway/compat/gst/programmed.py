"""Elements written in Python, on the way to being kinds of `reelway.elements`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from reelway.compat.gst.caps import Caps
from reelway.compat.gst.elements import Element
from reelway.compat.gst.gstobject import unused_name
from reelway.compat.gst.pads import PadTemplate
from reelway.elements.kinds import ElementKind, Property
from reelway.graph import caps as graph_caps
from reelway.session.application.element import Element as CoreElement

__all__ = ["ProgrammedElement", "bundles_of"]


class ProgrammedElement(Element):
    """What the classes of GstBase share: each element of them has a filter that calls its methods."""

    _factory_name: ClassVar[str] = ""
    _klass: ClassVar[str] = "Generic"
    _more: ClassVar[tuple[Property, ...]] = ()
    _caps_options: ClassVar[dict[str, str]] = {}
    _long_names: ClassVar[tuple[str, ...]] = ()
    _pads: ClassVar[tuple[tuple[str, Any], ...]] = ()
    """(name, direction) of the pads that it has without a template of its own."""

    def __new__(cls, *arguments: Any, **named: Any) -> Any:
        made = super().__new__(cls, *arguments, **named)
        made._core = None
        kind = cls.element_kind(cls._factory_name or cls.__name__.lower())
        core = CoreElement(kind, unused_name(kind.name))
        vars(core)["named_by_itself"] = True
        made._bind(core)
        return made

    def _prepare(self) -> None:
        """It has a core already."""

    def _bind(self, core: CoreElement) -> None:
        said = dict(core.values)
        super()._bind(core)
        core.kind = replace(core.kind, maker=partial(self._filter_class(), self))
        for name, value in said.items():
            if name in type(self)._specs:
                self.set_property(name, value)

    def _filter_class(self) -> Any:
        """The class of its filter."""
        raise NotImplementedError

    @classmethod
    def element_kind(cls, name: str) -> ElementKind:
        """The kind that elements of this class are of, under this name."""
        described = cls.__gstmetadata__ or (cls.__name__, cls._klass, cls.__doc__ or "", "")
        own = tuple(
            Property(spec.name, _plain(spec.value_type.pytype), spec.default_value, spec.blurb)
            for spec in cls._specs.values()
        )
        names = {each.name for each in own}
        more = tuple(each for each in cls._more if each.name not in names)
        pads = tuple(template.core() for template in cls.templates().values())
        return ElementKind(
            name,
            str(described[0]),
            str(described[1]),
            properties=own + more,
            pads=pads,
            caps_options=cls._caps_options,
        )

    @classmethod
    def templates(cls) -> dict[str, PadTemplate]:
        """Its pad templates by name, those that it does not declare with any caps."""
        from reelway.compat.gst.pads import PadPresence

        declared = cls.__gsttemplates__ or ()
        if isinstance(declared, PadTemplate):
            declared = (declared,)
        found = {each.name_template: each for each in declared}
        for name, direction in cls._pads:
            found.setdefault(name, PadTemplate(name, direction, PadPresence.ALWAYS, Caps.new_any()))
        return found

    def template_caps(self, name: str) -> Caps:
        """The caps of one of its templates."""
        return type(self).templates()[name].caps

    def hook(self, name: str) -> Any:
        """The method that the program wrote under this name; None: it wrote none.

        gi wants do_gst_push_src_create where do_create would mean two things; both are understood.
        """
        found = getattr(self, name, None)
        for long in type(self)._long_names if found is None else ():
            found = found or getattr(self, f"do_{long}_{name.removeprefix('do_')}", None)
        return found


def _plain(kind: Any) -> type:
    return kind if kind in (bool, int, float, str) else object


def bundles_of(caps: Caps) -> list[graph_caps.Caps]:
    """Caps as a filter declares what it takes or makes."""
    from reelway.graph.mediaformats import to_bundles

    return [graph_caps.Caps()] if caps.is_any() else to_bundles(caps.media())
