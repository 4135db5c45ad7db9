"""Declared, typed options: what a filter can be told, checked where it is said.

    class Invert(Filter):
        strength: float = option(1.0, low=0.0, high=1.0, live=True, help="0 keeps, 1 inverts")

An option reads as its value on an instance and as its declaration on the class. Setting it takes a
Python value or text, and refuses what does not fit with an OptionError that says what would.
"""

from __future__ import annotations

import copy
import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reelway.errors import OptionError, StateError, UnknownOptionError, nearest
from reelway.media.kinds import annotated_kind, choose, collection_of, fit_value, kind_name, parse_value
from reelway.media.values import Seconds, Size, format_value

__all__ = [
    "BUILTIN_OPTIONS",
    "REQUIRED",
    "Option",
    "Seconds",
    "Size",
    "apply",
    "declared",
    "describe",
    "option",
    "parse_value",
    "require",
    "values",
]

BUILTIN_OPTIONS = frozenset(
    (
        *("FID", "SID", "N", "FS", "RSID", "TAG", "ITAG", "FBT", "FBU", "FBD", "LT", "DBG", "NCID"),
        *("clone", "nomux", "gfreg", "gfloc", "gfopt", "gpac", "ccp", "ext", "mime", "slot"),
    )
)
"""Options that every filter understands, whatever it declares."""


class _Required(enum.Enum):
    REQUIRED = "required"


REQUIRED: Final = _Required.REQUIRED
_UNSET: Final = object()


class Option:
    """One declared option. A data descriptor: the value lives in the instance's `__dict__`.

    `kind` is the type (from the class annotation when not given), `low` and `high` are inclusive and
    hold for each item of a list, `choices` are the allowed texts or a mapping from texts to values,
    `unit` is for people and for time suffixes, `live` says that it may change while the session runs.
    """

    def __init__(
        self,
        default: Any = REQUIRED,
        *,
        kind: Any = None,
        help: str = "",
        low: Any = None,
        high: Any = None,
        unit: str = "",
        choices: Sequence[str] | Mapping[str, Any] | None = None,
        live: bool = False,
        aliases: Sequence[str] = (),
    ) -> None:
        self.default = default
        self.help = help
        self.low = low
        self.high = high
        self.unit = unit
        self.choices = choices
        self.live = live
        self.aliases = tuple(aliases)
        self.name = ""
        self.owner: type | None = None
        self._kind = kind
        self._initial: Any = _UNSET

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.owner = owner

    @property
    def kind(self) -> Any:
        """The type. Resolved at first use, when the module that declares it has finished loading."""
        if self._kind is None:
            self._kind = annotated_kind(self.owner, self.name, None if self.required else self.default)
        return self._kind

    @property
    def required(self) -> bool:
        """True when there is no default."""
        return self.default is REQUIRED

    def fit(self, value: object, where: str = "") -> Any:
        """`value`, or the text of one, as this option holds it. Raises OptionError when it does not fit.

        `where` begins the message; it defaults to `Class.option`.
        """
        where = where or self._label(self.owner)
        if value is None and (self.default is None or self.kind in (Any, object)):
            return None
        try:
            fitted = self._fit_choices(value) if self.choices else fit_value(self.kind, value, self.unit)
        except OptionError as error:
            raise OptionError(f"{where}: {error}", hint=error.hint or describe(self)) from None
        for item in fitted if isinstance(fitted, (list, tuple, set, frozenset)) else (fitted,):
            self._check_bounds(item, where)
        return fitted

    def _fit_choices(self, value: object) -> Any:
        assert self.choices is not None
        if collection := collection_of(self.kind):
            items = fit_value(list[str], value) if isinstance(value, str) else value
            if isinstance(items, Iterable):
                return collection[0](choose(self.choices, item) for item in items)
        return choose(self.choices, value)

    def _label(self, owner: type | None) -> str:
        return f"{owner.__name__}.{self.name}" if owner else self.name or "option"

    def _check_bounds(self, value: Any, where: str) -> None:
        if value is None or (self.low is None and self.high is None):
            return
        above = self.low is None or value >= self.low  # a NaN is neither above nor below
        if not (above and (self.high is None or value <= self.high)):
            raise OptionError(f"{where}: {value} is out of range, {self._range()} is allowed")

    def _range(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.low is None:
            return f"at most {self.high}{unit}"
        return f"at least {self.low}{unit}" if self.high is None else f"{self.low} to {self.high}{unit}"

    def __get__(self, instance: object | None, owner: type | None = None) -> Any:
        if instance is None:
            return self
        value = instance.__dict__.get(self.name, _UNSET)
        return self._default_for(instance) if value is _UNSET else value

    def _default_for(self, instance: object) -> Any:
        if self.default is REQUIRED:
            raise OptionError(f"{self._label(type(instance))} must be given", hint=describe(self))
        if self._initial is _UNSET:
            # a default may be written as text, "1280x720"
            self._initial = self.fit(self.default) if isinstance(self.default, str) else self.default
        if isinstance(self._initial, (list, dict, set)):
            return instance.__dict__.setdefault(self.name, copy.copy(self._initial))
        return self._initial

    def __set__(self, instance: object, value: object) -> None:
        instance.__dict__[self.name] = self.fit(value, self._label(type(instance)))

    def __repr__(self) -> str:
        return f"<option {describe(self)}>"


def option(
    default: Any = REQUIRED,
    *,
    kind: Any = None,
    help: str = "",
    low: Any = None,
    high: Any = None,
    unit: str = "",
    choices: Sequence[str] | Mapping[str, Any] | None = None,
    live: bool = False,
    aliases: Sequence[str] = (),
) -> Any:
    """Declare an option in a class body. Typed Any, so `strength: float = option(1.0)` type-checks."""
    return Option(
        default,
        kind=kind,
        help=help,
        low=low,
        high=high,
        unit=unit,
        choices=choices,
        live=live,
        aliases=aliases,
    )


def declared(cls: type) -> dict[str, Option]:
    """The options of `cls` by name: base classes first, each in declaration order.

    A subclass that declares one again keeps its place; one that sets it to a plain value removes it.
    """
    found: dict[str, Option] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, Option):
                found[name] = value
            elif name in found:
                del found[name]
    return found


def apply(instance: object, options: Mapping[str, object], *, running: bool = False) -> None:
    """Set many options by name or alias. All are checked before any is set.

    Raises UnknownOptionError (naming the near ones) and OptionError; and, when `running`, StateError for
    an option that is not live.
    """
    cls = type(instance)
    known = declared(cls)
    by_alias = {alias: item for item in known.values() for alias in item.aliases}
    fitted: dict[str, Any] = {}
    for name, value in options.items():
        item = known.get(name) or by_alias.get(name)
        if item is None:
            near = nearest(name, [*known, *by_alias])
            hint = None if near else f"{cls.__name__} has {', '.join(known) or 'no options'}"
            message = f"{cls.__name__} has no option {name!r}"
            raise UnknownOptionError(message, name=name, near=near, hint=hint)
        if running and not item.live:
            raise StateError(f"{cls.__name__}.{item.name} cannot change while the session runs")
        fitted[item.name] = item.fit(value, f"{cls.__name__}.{item.name}")
    instance.__dict__.update(fitted)


def require(instance: object) -> None:
    """Raise OptionError when an option without a default was not given; it names all of them."""
    missing = [name for name, item in declared(type(instance)).items() if item.required]
    missing = [name for name in missing if name not in instance.__dict__]
    if missing:
        raise OptionError(f"{type(instance).__name__} needs {' and '.join(missing)}")


def values(instance: object) -> dict[str, Any]:
    """The present value of each declared option; one that is required and not given is left out."""
    known = declared(type(instance))
    return {n: getattr(instance, n) for n, item in known.items() if n in vars(instance) or not item.required}


def describe(declaration: Option) -> str:
    """One line of help: `strength (float, 0.0 to 1.0, default 1.0, live): 0 keeps, 1 inverts`."""
    facts = ["|".join(declaration.choices) if declaration.choices else kind_name(declaration.kind)]
    if declaration.low is not None or declaration.high is not None:
        facts.append(declaration._range())
    elif declaration.unit:
        facts.append(f"in {declaration.unit}")
    if declaration.required:
        facts.append("required")
    elif declaration.default is not None:
        facts.append(f"default {format_value(declaration.default) or repr(declaration.default)}")
    if declaration.live:
        facts.append("live")
    line = f"{declaration.name} ({', '.join(facts)})"
    return f"{line}: {declaration.help}" if declaration.help else line
