"""Enumerations and flags that look and count as gi's do: ints with a nick and a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import reelway as rw

__all__ = ["GEnum", "GFlags", "choices", "enumerations", "flag_choices", "of_nick"]


class _Named(type):
    """A class that answers a misspelt member with the nearest."""

    def __getattr__(cls, name: str) -> Any:
        known = [each for each in vars(cls) if each.isupper()]
        unknown = rw.UnknownNameError.of(f"member of {cls.__name__}", name, known)
        hint = f" ({unknown.hint})" if unknown.hint else ""
        raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}{hint}", name=name)


class GEnum(int, metaclass=_Named):
    """One value of an enumeration. `T(3)` gives the member; an int that is none raises ValueError."""

    __enum_values__: ClassVar[dict[int, Any]] = {}
    value_name: str
    """As C has it, GST_STATE_PLAYING."""
    value_nick: str
    """As pipeline texts have it, playing."""

    def __new__(cls, value: int = 0) -> Any:
        member = cls.__enum_values__.get(int(value))
        if member is None:
            raise ValueError(f"invalid enum value: {int(value)}")
        return member

    @property
    def real(self) -> int:
        """The number."""
        return int(self)

    @classmethod
    def get_name(cls, value: int) -> str:
        """The nick of `value`, as `Gst.Format.get_name` has it."""
        return str(cls(value).value_nick)

    def __repr__(self) -> str:
        kind = type(self)
        return f"<enum {self.value_name} of type {kind.__module__.rpartition('.')[2]}.{kind.__name__}>"

    __str__ = __repr__

    def __reduce__(self) -> Any:
        return type(self), (int(self),)


class GFlags(int, metaclass=_Named):
    """A set of flags; `|`, `&`, `^` and `~` give the same kind."""

    __flags_values__: ClassVar[dict[int, Any]] = {}
    _names: ClassVar[dict[str, int]] = {}
    _prefix: ClassVar[str] = ""

    def _members(self) -> list[str]:
        number = int(self)
        return [name for name, value in self._names.items() if value and number & value == value]

    @property
    def first_value_name(self) -> str | None:
        """C's name of the first flag that is set."""
        names = self._members() or [name for name, value in self._names.items() if value == int(self)]
        return f"{self._prefix}{names[0]}" if names else None

    @property
    def first_value_nick(self) -> str | None:
        """The nick of the first flag that is set."""
        names = self._members() or [name for name, value in self._names.items() if value == int(self)]
        return _nick(names[0]) if names else None

    @property
    def value_names(self) -> list[str]:
        """C's names of all flags that are set."""
        return [f"{self._prefix}{name}" for name in self._members()]

    @property
    def value_nicks(self) -> list[str]:
        """The nicks of all flags that are set."""
        return [_nick(name) for name in self._members()]

    @classmethod
    def get_name(cls, value: int) -> str:
        """The nick of the first flag in `value`, as `Gst.MessageType.get_name` has it."""
        return cls(value).first_value_nick or "unknown"

    def __or__(self, other: int) -> Any:
        return type(self)(int(self) | int(other))

    def __and__(self, other: int) -> Any:
        return type(self)(int(self) & int(other))

    def __xor__(self, other: int) -> Any:
        return type(self)(int(self) ^ int(other))

    def __invert__(self) -> Any:
        every = 0
        for value in self._names.values():
            every |= value
        return type(self)(every & ~int(self))

    __ror__, __rand__, __rxor__ = __or__, __and__, __xor__

    def __repr__(self) -> str:
        kind = type(self)
        names = " | ".join(self.value_names) or "0"
        return f"<flags {names} of type {kind.__module__.rpartition('.')[2]}.{kind.__name__}>"

    __str__ = __repr__


def _nick(name: str) -> str:
    return name.lower().replace("_", "-")


def _numbered(words: str) -> dict[str, int]:
    """name -> number of "A B=7 C": one more than the one before, from 0 on, where none is said."""
    numbered: dict[str, int] = {}
    number = -1
    for word in words.split():
        name, _, said = word.partition("=")
        number = int(said, 0) if said else number + 1
        numbered[name] = number
    return numbered


def enumerations(namespace: str, table: str, base: type[GEnum] | type[GFlags]) -> dict[str, Any]:
    """Classes of a table whose lines are "Name PREFIX_ A B=7 ..."; a line that begins with space goes on."""
    made: dict[str, Any] = {}
    for line in table.strip().replace("\n ", " ").splitlines():
        name, prefix, words = line.split(maxsplit=2)
        made[name] = _made(f"gi.repository.{namespace}", name, prefix, _numbered(words), base)
    return made


def _made(module: str, name: str, prefix: str, numbers: Mapping[str, int], base: type) -> Any:
    if issubclass(base, GFlags):
        meta: Any = type(base)
        kind: Any = meta(name, (base,), {"__module__": module, "_names": dict(numbers), "_prefix": prefix})
        members = {each: kind(number) for each, number in numbers.items()}
        kind.__flags_values__ = {int(member): member for member in members.values()}
    else:
        meta = type(base)
        kind = meta(name, (base,), {"__module__": module, "__enum_values__": {}})
        members = {
            each: _member(kind, number, prefix + each, _nick(each)) for each, number in numbers.items()
        }
    for each, member in members.items():
        setattr(kind, each, member)
    return kind


def _member(kind: Any, number: int, name: str, nick: str) -> Any:
    """The member with that number: made, or the one there is, under a second name."""
    if number not in kind.__enum_values__:
        member = int.__new__(kind, number)
        member.value_name, member.value_nick = name, nick
        kind.__enum_values__[number] = member
    return kind.__enum_values__[number]


def choices(name: str, values: Mapping[str, int], module: str = "__main__") -> Any:
    """An enumeration of an element's property: nick -> number."""
    meta: Any = type(GEnum)
    kind: Any = meta(name, (GEnum,), {"__module__": module, "__enum_values__": {}})
    for nick, number in values.items():
        member = _member(kind, number, nick, nick)
        setattr(kind, nick.upper().replace("-", "_"), member)
    return kind


def flag_choices(name: str, values: Mapping[str, int], module: str = "__main__") -> Any:
    """Flags of an element's property: nick -> number."""
    numbers = {nick.upper().replace("-", "_"): number for nick, number in values.items()}
    return _made(module, name, "", numbers, GFlags)


def of_nick(kind: Any, text: str) -> Any:
    """The member of an enumeration whose nick or name is `text`; None where there is none."""
    return next((m for m in kind.__enum_values__.values() if text in (m.value_nick, m.value_name)), None)
