"""What an element of a pipeline text is: the data from which a session makes filters.

Names, defaults and units are GStreamer's; what they become are options of Reelway's filters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from reelway.errors import OptionError, UnknownNameError, nearest
from reelway.media.kinds import fit_value

__all__ = ["Choice", "ElementKind", "PadTemplate", "Property", "Role"]

Role = Literal["filter", "source", "opener", "closer", "destination", "missing"]
"""What a session makes of an element.

filter       one filter of the catalogue
source       a place to read from, such as filesrc: it tells what follows, an opener, the URL; where no opener
             follows, it is `filter`, which sends what it reads as bytes
opener       a demuxer, decodebin, typefind: it opens the URL that the source before it tells, or its own. A
             `filter` with a `format` is one too where a source comes straight before it, as jpegdec
closer       a muxer: it writes to the URL that the destination behind it tells
destination  a place to write to, such as filesink; where no closer comes before it, it is `filter`, which
             writes bytes as they come
missing      known, and not there: `instead` says what to use
"""


class Choice(NamedTuple):
    """One value of an enumeration, or one flag: 18, "ball", and what the filter's option gets."""

    number: int
    nick: str
    value: Any


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an element.

    option   the option of the filter that gets `make(value)`, or the value itself; empty: what realises the
             element looks at the property by its name. Several may name one option where each makes a dict
    make     the option's value of the property's, as kbit/s become bit/s; None: the option stays as it is
    read     the present value, of the filter; for what changes by itself, as the level of a queue
    choices  for enumerations and flags (`flags`: several, joined by +); the value is the nick; `make` and the
             option get the choice's `value` (of flags: a list of those)
    ignored  taken, checked, and without an effect here
    """

    name: str
    kind: type
    default: Any = None
    help: str = ""
    unit: str = ""
    option: str = ""
    make: Callable[[Any], Any] | None = None
    read: Callable[[Any], Any] | None = None
    choices: tuple[Choice, ...] = ()
    flags: bool = False
    low: float | None = None
    high: float | None = None
    writable: bool = True
    ignored: bool = False

    def fit(self, value: object) -> Any:
        """`value`, or the text of one, as the property holds it: an enumeration's nick for its number too.

        Raises OptionError, whose hint says what would fit.
        """
        if value is None and self.default is None:
            return None
        if self.choices:
            return self._fit_choices(value)
        if self.kind is object:
            return value
        if self.kind is str:
            return value if isinstance(value, str) else str(value)
        try:
            fitted = _whole(value) if self.kind is int else fit_value(self.kind, value)
        except (OptionError, ValueError):
            raise OptionError(
                f"{self.name}={value} is no {_KINDS.get(self.kind, self.kind.__name__)}", hint=self.describe()
            ) from None
        if (self.low is not None and fitted < self.low) or (self.high is not None and fitted > self.high):
            raise OptionError(f"{self.name}={value} is out of range", hint=self.describe())
        return fitted

    def option_value(self, value: Any) -> Any:
        """What the option gets for a value that `fit` gave; None: nothing."""
        if self.choices:
            by_nick = {choice.nick: choice.value for choice in self.choices}
            value = [by_nick[nick] for nick in _nicks(value)] if self.flags else by_nick[value]
        return self.make(value) if self.make is not None and value is not None else value

    def describe(self) -> str:
        """One line of help: `bitrate (integer, 1 to 2048000 kbit/s, default 2048): ...`."""
        facts = ["|".join(each.nick for each in self.choices) or _KINDS.get(self.kind, self.kind.__name__)]
        unit = f" {self.unit}" if self.unit else ""
        if self.low is not None and self.high is not None:
            facts.append(f"{self.low} to {self.high}{unit}")
        elif self.low is not None:
            facts.append(f"at least {self.low}{unit}")
        elif unit:
            facts.append(f"in{unit}")
        if self.default not in (None, ""):
            default = self.default
            facts.append(f"default {str(default).lower() if isinstance(default, bool) else default}")
        line = f"{self.name} ({', '.join(facts)})"
        return f"{line}: {self.help}" if self.help else line

    def _fit_choices(self, value: object) -> str:
        if not self.flags:
            return self._nick(value)
        if isinstance(value, int) or (isinstance(value, str) and _number(value) is not None):
            bits = value if isinstance(value, int) else _number(value) or 0
            left = bits
            nicks = [each.nick for each in self.choices if each.number and each.number & bits == each.number]
            for each in self.choices:
                left &= ~each.number
            if left:
                raise OptionError(f"{self.name}={value} has flags that are unknown", hint=self.describe())
            return "+".join(nicks)
        return "+".join(self._nick(each) for each in _nicks(str(value)))

    def _nick(self, value: object) -> str:
        number = value if isinstance(value, int) else _number(str(value))
        by_nick = [each for each in self.choices if not isinstance(value, int) and each.nick == value]
        for choice in (*by_nick, *(each for each in self.choices if each.number == number)):
            return choice.nick
        near = nearest(str(value), [choice.nick for choice in self.choices])
        known = ", ".join(choice.nick for choice in self.choices)
        hint = f"did you mean {' or '.join(near)}?" if near else f"it is one of {known}"
        raise OptionError(f"{self.name} has no value {str(value)!r}", hint=hint)


@dataclass(frozen=True, slots=True)
class PadTemplate:
    """Pads that an element has (`always`), gets by itself (`sometimes`) or when asked for (`request`).

    `name` is "src", "sink", or has one %u in it; `caps` is caps text.
    """

    name: str
    direction: Literal["src", "sink"]
    presence: Literal["always", "sometimes", "request"] = "always"
    caps: str = "ANY"


@dataclass(frozen=True, slots=True)
class ElementKind:
    """One kind of element.

    filter          its filter's name in the catalogue
    options         options of the filter that are always so
    caps_options    field of a caps filter behind it -> option of the filter, so that a test source makes what
                    is asked for; a field that is missing here is met by a converter
    caps_values     field -> {its value: what the option gets}, where that is not the value itself
    pad_option      the option that gets {pad name: {property: value}} of `pad_properties`
    url             of the properties, the URL that a source or destination stands for
    format          of a closer or opener: the container's name, as FFmpeg knows it; empty: any
    decodes         an opener whose pads give raw media
    derive          further options, of all properties together: {property: value} -> {option: value}; they
                    win, and one that is None is left as the filter has it
    count_option    the option that gets the number of its request pads
    live            packets come in real time, whoever asks
    maker           makes its filter of the options, in the place of the catalogue's; of elements in Python
    note            said once where it is used: what it is mapped to here
    """

    name: str
    help: str
    klass: str
    filter: str = ""
    role: Role = "filter"
    properties: tuple[Property, ...] = ()
    pads: tuple[PadTemplate, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    caps_options: Mapping[str, str] = field(default_factory=dict)
    caps_values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    pad_properties: tuple[Property, ...] = ()
    pad_option: str = ""
    url: Callable[[Mapping[str, Any]], str] | None = None
    format: str = ""
    decodes: bool = False
    derive: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    count_option: str = ""
    live: bool = False
    maker: Callable[..., Any] | None = None
    note: str = ""
    instead: str = ""

    def property(self, name: str) -> Property | None:
        """The property called `name`; `_` is as good as `-`."""
        wanted = name.replace("_", "-")
        return next((each for each in self.properties if each.name == wanted), None)

    def find(self, name: str) -> Property:
        """The property called `name`. Raises UnknownNameError that names the near ones."""
        found = self.property(name)
        if found is None:
            known = [each.name for each in self.properties]
            raise UnknownNameError.of(f"property of {self.name}", name, known)
        return found

    def fitted(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The value of every property: those that are given, checked, and the defaults of the others."""
        given = {self.find(name).name: self.find(name).fit(value) for name, value in values.items()}
        return {each.name: given.get(each.name, each.default) for each in self.properties}

    def filter_options(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The options of the filter for these properties, with GStreamer's defaults for those not given.

        Raises UnknownNameError and OptionError.
        """
        whole = self.fitted(values)
        made: dict[str, Any] = dict(self.options)
        for each in self.properties:
            if not each.option or not each.writable:
                continue
            value = each.option_value(whole[each.name])
            if value is None:
                continue
            both = isinstance(value, dict) and isinstance(made.get(each.option), dict)
            made[each.option] = {**made[each.option], **value} if both else value
        if self.derive is not None:
            for option, value in self.derive(whole).items():
                if value is None:
                    made.pop(option, None)
                else:
                    made[option] = value
        return made


_KINDS = {bool: "boolean", int: "integer", float: "number", str: "string", Fraction: "fraction"}


def _number(text: str) -> int | None:
    """Decimal, 0x and a sign, as GLib reads numbers; None for anything else."""
    try:
        return int(text.strip(), 0)
    except ValueError:
        return None


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(value)
    number = value if isinstance(value, int) else _number(value)
    if number is None:
        raise ValueError(value)
    return number


def _nicks(text: str) -> list[str]:
    return [each.strip() for each in text.split("+") if each.strip()]
