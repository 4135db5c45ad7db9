"""Capabilities: what a filter accepts and what it produces, in properties.

A value in `Caps` is one value, a collection of choices, or `Not(...)`. A property that is not mentioned may
be anything. A stream that does not have a mentioned property does not match, except `Not`, which it passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from reelway.errors import OptionError


class Not:
    """Anything but these values; never changed."""

    __slots__ = ("values",)

    def __init__(self, *values: Any) -> None:
        self.values = frozenset(values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Not) and self.values == other.values

    def __hash__(self) -> int:
        return hash((Not, self.values))

    def __repr__(self) -> str:
        return "not " + " or ".join(sorted(map(str, self.values)))


class Caps(Mapping[str, Any]):
    """One bundle of capabilities: every property named in it must fit.

    As an input: what is accepted. As an output: what is made; a property that is not named stays as the
    input has it, and several choices mean that the filter can make any of them.
    """

    __slots__ = ("_wanted",)

    def __init__(self, **wanted: Any) -> None:
        self._wanted: dict[str, frozenset[Any] | Not] = {
            name: value if isinstance(value, Not) else choices(value) for name, value in wanted.items()
        }

    def __getitem__(self, name: str) -> frozenset[Any] | Not:
        return self._wanted[name]

    def __iter__(self) -> Any:
        return iter(self._wanted)

    def __len__(self) -> int:
        return len(self._wanted)

    def __hash__(self) -> int:
        return hash(frozenset(self._wanted.items()))

    def made(self) -> dict[str, Any]:
        """What it says of a stream that is made: a value, or the choices that are open; not `Not`."""
        return {
            name: next(iter(value)) if len(value) == 1 else value
            for name, value in self._wanted.items()
            if value and not isinstance(value, Not)
        }

    def __repr__(self) -> str:
        return "Caps(" + ", ".join(f"{name}={describe(value)}" for name, value in self._wanted.items()) + ")"


def check_bundles(what: str, bundles: Any) -> None:
    """Raises OptionError where `bundles` is anything but a list of `Caps`."""
    if isinstance(bundles, Caps):
        raise OptionError(f"{what} is one Caps, must be a list of them", hint="write [rw.Caps(...)]")
    if isinstance(bundles, str) or not isinstance(bundles, Iterable):
        raise OptionError(f"{what} is {bundles!r}, must be a list of Caps", hint=_bundle_of(bundles))
    for each in bundles:
        if not isinstance(each, Caps):
            raise OptionError(f"{what} has {each!r}, which is no Caps", hint=_bundle_of(each))


def _bundle_of(value: Any) -> str:
    kind = value if value in ("Visual", "Audio", "Text") else "Visual"
    return f"write [rw.Caps(StreamType={kind!r})], for example"


class Mismatch(NamedTuple):
    """The first property that did not fit."""

    name: str
    have: Any
    want: frozenset[Any] | Not

    def __str__(self) -> str:
        have = "not set" if self.have is None else describe(self.have)
        return f"{self.name} is {have}, wanted {describe(self.want)}"


def choices(value: Any) -> frozenset[Any]:
    if isinstance(value, (frozenset, set, list, tuple)):
        return frozenset(value)
    return frozenset((value,))


def describe(value: Any) -> str:
    """A value or its choices, for people: at most five of them."""
    if isinstance(value, Not):
        return repr(value)
    names = sorted(map(str, choices(value)))
    return " or ".join(names[:5]) + (f" or {len(names) - 5} more" if len(names) > 5 else "")


def lost(before: Mapping[str, Any], after: Mapping[str, Any], accepts: Sequence[Caps]) -> Mismatch | None:
    """What does not fit in `after`, of a consumer that took `before` by one of `accepts`."""
    taken = [caps for caps in accepts if not isinstance(match(before, caps), Mismatch)]
    wrong = [found for caps in taken if isinstance(found := match(after, caps), Mismatch)]
    return wrong[0] if wrong and len(wrong) == len(taken) else None


def match(properties: Mapping[str, Any], caps: Caps) -> dict[str, Any] | Mismatch:
    """`properties` narrowed to what `caps` accepts, or why not.

    A property whose value is a frozenset stands for choices that upstream can make, `Not` for any others.
    """
    narrowed = dict(properties)
    for name, want in caps.items():
        have = properties.get(name)
        if isinstance(have, Not):
            if isinstance(want, Not):
                narrowed[name] = Not(*have.values, *want.values)
                continue
            left = want - have.values
        elif isinstance(want, Not):
            left = choices(have) - want.values if have is not None else frozenset((None,))
        else:
            left = choices(have) & want if have is not None else frozenset()
        if not left:
            return Mismatch(name, have, want)
        if have is not None:
            narrowed[name] = left if len(left) > 1 else next(iter(left))
    return narrowed
