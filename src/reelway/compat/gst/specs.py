"""An element's properties, as `reelway.elements` has them, in GObject's words."""

from __future__ import annotations

from fractions import Fraction as PlainFraction
from functools import cache
from typing import Any

import reelway as rw
from reelway.compat.gst.caps import Caps
from reelway.compat.gst.enums import GEnum, GFlags, choices, flag_choices, of_nick
from reelway.compat.gst.gtypes import TYPES, ParamFlags, ParamSpec
from reelway.compat.gst.values import Fraction
from reelway.elements.kinds import ElementKind, Property
from reelway.session.application.element import Element as CoreElement

__all__ = ["PropertyError", "spec_of", "specs_of", "to_element", "to_program"]


class PropertyError(rw.OptionError, TypeError):
    """A property got what it cannot take: also gi's TypeError."""


@cache
def _enumeration(kind_name: str, name: str, values: tuple[tuple[str, int], ...], flags: bool) -> Any:
    words = "".join(word.capitalize() for word in name.split("-"))
    return (flag_choices if flags else choices)(f"Gst{kind_name.capitalize()}{words}", dict(values))


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("INT", -(2**31), 2**31 - 1),
    ("UINT", 0, 2**32 - 1),
    ("INT64", -(2**63), 2**63 - 1),
    ("UINT64", 0, 2**64 - 1),
)


def _type_of(kind: ElementKind, found: Property) -> Any:
    if found.choices:
        pairs = tuple((choice.nick, choice.number) for choice in found.choices)
        return _enumeration(kind.name, found.name, pairs, found.flags)
    if _is_caps(found):
        return Caps
    if found.kind is int:
        low = found.low if found.low is not None else -1
        high = found.high if found.high is not None else 2**31 - 1
        fitting = (name for name, least, most in _RANGES if least <= low and high <= most)
        return TYPES[next(fitting, "INT64")]
    return Fraction if found.kind is PlainFraction else found.kind


def _is_caps(found: Property) -> bool:
    return found.kind is str and (found.name == "caps" or found.name.endswith("-caps"))


def specs_of(kind: ElementKind) -> dict[str, ParamSpec]:
    """Property name -> what is known of it."""
    return _specs(kind.name, kind.properties)


@cache
def _specs(kind_name: str, properties: tuple[Property, ...]) -> dict[str, ParamSpec]:
    kind = ElementKind(kind_name, "", "", properties=properties)
    return {each.name: spec_of(kind, each) for each in properties}


def spec_of(kind: ElementKind, found: Property) -> ParamSpec:
    flags = ParamFlags.READWRITE if found.writable else ParamFlags.READABLE
    spec = ParamSpec(
        found.name, _type_of(kind, found), found.name, found.help, None, found.low, found.high, flags
    )
    spec.default_value = to_program(spec, found.default)
    return spec


def to_program(spec: ParamSpec, value: Any) -> Any:
    """A value of an element as the program gets it."""
    if isinstance(spec.kind, type) and issubclass(spec.kind, GEnum):
        return of_nick(spec.kind, str(value)) if value is not None else None
    if isinstance(spec.kind, type) and issubclass(spec.kind, GFlags):
        wanted = set(str(value or "").split("+"))
        named = {name.lower().replace("_", "-"): number for name, number in spec.kind._names.items()}
        return spec.kind(sum(number for nick, number in named.items() if nick in wanted))
    if isinstance(value, CoreElement):
        from reelway.compat.gst.elements import face_of

        return face_of(value)
    if spec.kind is Caps:
        return None if value in (None, "") else Caps(str(value))
    if isinstance(value, PlainFraction):
        return Fraction(value.numerator, value.denominator)
    return value


def to_element(owner: str, spec: ParamSpec, value: Any) -> Any:
    """What the program sets, as the element takes it. Raises PropertyError."""
    if isinstance(value, Caps):
        return str(value.media())
    if isinstance(core := getattr(value, "_core", None), CoreElement):
        return core
    if isinstance(value, Fraction):
        return PlainFraction(value.num, value.denom)
    if isinstance(value, (GEnum, GFlags)):
        return int(value)
    number = spec.value_type.pytype in (int, float)
    if number and (isinstance(value, str) or value is None):
        raise PropertyError(f"{owner}.{spec.name} takes a number, not {value!r}")
    if spec.value_type.pytype is int and isinstance(value, (float, bool)):
        return int(value)
    return value
