"""Types of options and properties, as Python annotations: reading text and fitting values into them.

A kind is bool, int, float, str, bytes, Fraction, Path, Size, Seconds, an Enum, a Literal, `X | None`, a
list, tuple or set of those, or any other class, which then takes Python values only.
`parse_value(kind, format_value(value)) == value` for every kind that text can write.
"""

from __future__ import annotations

import enum
import inspect
import os
import sys
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from numbers import Rational, Real
from operator import index
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from reelway.errors import OptionError, nearest
from reelway.media.values import SCALARS, Seconds, Size

__all__ = ["annotated_kind", "choose", "collection_of", "fit_value", "kind_name", "parse_value"]

_COLLECTIONS = (list, tuple, set, frozenset)


def _members(kind: Any) -> tuple[Any, ...] | None:
    """The alternatives of a union, or None when `kind` is no union."""
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else None


def collection_of(kind: Any) -> tuple[type, Any] | None:
    """(list, item kind) of `list[item]`, or None when `kind` is no collection."""
    origin = get_origin(kind) or kind
    if isinstance(origin, type) and issubclass(origin, _COLLECTIONS):
        return origin, (get_args(kind) or (str,))[0]
    return None


def _enum(kind: Any) -> type[enum.Enum] | None:
    return kind if isinstance(kind, type) and issubclass(kind, enum.Enum) else None


def kind_name(kind: Any) -> str:
    """How a help line names `kind`: `float`, `list of int`, `a|b|c`."""
    if members := _members(kind):
        return " or ".join(kind_name(member) for member in members if member is not type(None))
    if get_origin(kind) is Literal:
        return "|".join(map(str, get_args(kind)))
    if collection := collection_of(kind):
        return f"list of {kind_name(collection[1])}"
    if named := _enum(kind):
        return "|".join(member.name for member in named)
    if kind is str:
        return "text"
    return str(getattr(kind, "__name__", kind)).lower()


def _misfit(kind: Any, value: object) -> OptionError:
    wanted = [member for member in _members(kind) or () if member is not type(None)]
    if len(wanted) == 1:
        return _misfit(wanted[0], value)
    try:
        expected = SCALARS[kind][0]
    except (KeyError, TypeError):
        expected = kind_name(kind)
        if _enum(kind) or get_origin(kind) is Literal:
            expected = f"one of {expected}"
        elif not isinstance(value, str) and isinstance(kind, type) and not collection_of(kind):
            expected = f"a {kind.__name__}"
    return OptionError(f"{value!r} is not {expected}")


def parse_value(kind: Any, text: str | None, unit: str = "") -> Any:
    """The value of type `kind` that `text` writes; None stands for a bare flag and reads as "".

    Lists are written with commas, enums by member name or value. Numbers take the decimal units k, m and
    g (1000 based) and hexadecimal `0x`, and time suffixes where `unit` names the option's time unit
    (`2s` for an option in ms is 2000). Raises OptionError when the text does not fit.
    """
    text = text or ""
    if members := _members(kind):
        if type(None) in members and text.lower() in ("", "none"):
            return None
        for member in members:
            if member is not type(None):
                try:
                    return parse_value(member, text, unit)
                except OptionError:
                    continue
        raise _misfit(kind, text)
    if collection := collection_of(kind):
        return collection[0](parse_value(collection[1], part, unit) for part in text.split(",") if text)
    if get_origin(kind) is Literal:
        for choice in get_args(kind):
            if text == str(choice):
                return choice
        raise _misfit(kind, text)
    if named := _enum(kind):
        for entry in named:
            if text.lower() in (entry.name.lower(), str(entry.value).lower()):
                return entry
        raise _misfit(kind, text)
    if kind not in SCALARS:
        raise OptionError(f"{text!r} is text, and {kind_name(kind)} cannot be written as text")
    try:
        return SCALARS[kind][1](text, unit)
    except ValueError:
        raise _misfit(kind, text) from None


def _fit_scalar(kind: Any, value: Any) -> Any:
    """`value` as a `kind` of SCALARS; TypeError or ValueError when it is none."""
    if kind in (Any, object):
        return value
    if kind is bool:
        if isinstance(value, bool) or value in (0, 1):
            return bool(value)
    elif isinstance(value, bool):
        pass  # True is no number here: an option that wants 0 to 1 must not take a flag by mistake
    elif kind is int:
        return index(value)
    elif kind in (float, Seconds):
        if isinstance(value, Real) or hasattr(value, "__float__"):
            return kind(float(value))
    elif kind is Fraction:
        if isinstance(value, Rational):
            return Fraction(value)
        if isinstance(value, Real):
            return Fraction(repr(float(value)))  # 29.97 is 2997/100, not its nearest binary fraction
        if isinstance(value, tuple):
            return Fraction(*value)
    elif kind is Size:
        width, height = value
        return Size(index(width), index(height))
    elif kind is bytes:
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value)
    elif kind is Path:
        return Path(value)
    elif kind is str and isinstance(value, os.PathLike):
        return os.fsdecode(value)
    raise TypeError


def fit_value(kind: Any, value: object, unit: str = "") -> Any:
    """`value` as `kind`: text is parsed, a number widens (int to float), anything else must fit.

    Raises OptionError when it does not. Booleans never pass as numbers, and numbers never as text.
    """
    if members := _members(kind):
        if value is None and type(None) in members:
            return None
        for member in (member for member in members if isinstance(member, type)):
            if member is not type(None) and type(value) is member:
                return value
        if isinstance(value, str):
            return parse_value(kind, value, unit)
        for member in members:
            try:
                return fit_value(member, value, unit)
            except OptionError:
                continue
        raise _misfit(kind, value)
    if isinstance(value, str):
        if isinstance(kind, type) and isinstance(value, kind):
            return value
        return parse_value(kind, value, unit)
    if collection := collection_of(kind):
        if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray)):
            return collection[0](fit_value(collection[1], item, unit) for item in value)
        raise _misfit(kind, value)
    if get_origin(kind) is Literal:
        for choice in get_args(kind):
            if choice == value and type(choice) is type(value):
                return choice
        raise _misfit(kind, value)
    if kind in SCALARS:
        try:
            return _fit_scalar(kind, value)
        except (TypeError, ValueError, ZeroDivisionError):
            raise _misfit(kind, value) from None
    plain = get_origin(kind) or kind
    if isinstance(plain, type) and isinstance(value, plain):
        return value
    if named := _enum(kind):
        for entry in named:
            if entry.value == value:
                return entry
    raise _misfit(kind, value)


def choose(choices: Sequence[str] | Mapping[str, Any], value: object) -> Any:
    """The choice that `value` names (case does not count) or, of a mapping's values, is.

    Raises OptionError with the nearest choice as its hint.
    """
    if isinstance(choices, Mapping):
        if any(value is known or value == known for known in choices.values()):
            return value
    elif value in choices:
        return value
    near: list[str] = []
    if isinstance(value, str):
        for known in choices:
            if known.lower() == value.lower():
                return choices[known] if isinstance(choices, Mapping) else known
        near = nearest(value, choices, limit=1)
    hint = f"did you mean {near[0]!r}?" if near else None
    raise OptionError(f"{value!r} is not one of {', '.join(map(str, choices))}", hint=hint)


def annotated_kind(owner: type | None, name: str, default: object) -> Any:
    """The type that `owner`'s class annotation gives `name`, else the default's type, else str."""
    for cls in owner.__mro__ if owner else ():
        annotation = inspect.get_annotations(cls).get(name)
        if isinstance(annotation, str):
            known = {kind.__name__: kind for kind in (Fraction, Path, Size, Seconds)} | vars(typing)
            known |= vars(sys.modules.get(cls.__module__, typing))
            try:
                annotation = eval(annotation, known, dict(vars(cls)))
            except Exception:  # noqa: BLE001 - a name of some function's scope; the default says enough
                annotation = None
        if annotation is not None and annotation is not Any:
            return annotation
    if default is None:
        return str
    if isinstance(default, list) and default:
        return types.GenericAlias(list, (type(default[0]),))
    return type(default)
