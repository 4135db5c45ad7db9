"""What an element of a pipeline text is: the data from which a session makes filters.

Names, defaults and units are GStreamer's; what they become are options of Reelway's filters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

__all__ = ["Choice", "ElementKind", "PadTemplate", "Property", "Role"]

Role = Literal["filter", "source", "opener", "closer", "destination", "missing"]
"""What a session makes of an element.

filter       one filter of the catalogue
source       a place to read from, such as filesrc: it tells what follows, an opener, the URL; where no opener
             follows, it is `filter`, which sends what it reads as bytes
opener       a demuxer, decodebin, typefind: it opens the URL that the source before it tells, or its own
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
             element looks at the property by its name
    make     the option's value of the property's, as kbit/s become bit/s
    read     the present value, of the filter; for what changes by itself, as the level of a queue
    choices  for enumerations and flags (`flags`: several, joined by +)
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
    pad_option      the option that gets {pad name: {property: value}} of `pad_properties`
    url             of the properties, the URL that a source or destination stands for
    format          of a closer or opener: the container's name, as Reelway knows it; empty: any
    decodes         an opener whose pads give raw media
    live            packets come in real time, whoever asks
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
    pad_properties: tuple[Property, ...] = ()
    pad_option: str = ""
    url: Callable[[Mapping[str, Any]], str] | None = None
    format: str = ""
    decodes: bool = False
    live: bool = False
    note: str = ""
    instead: str = ""

    def property(self, name: str) -> Property | None:
        """The property called `name`; `_` is as good as `-`."""
        wanted = name.replace("_", "-")
        return next((each for each in self.properties if each.name == wanted), None)
