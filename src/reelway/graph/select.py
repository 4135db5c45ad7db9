"""Link selectors: which pids of a source a filter takes, in GPAC's words.

    #video          every video pid            #PID=1            the pid with ID 1
    #audio2         the second audio pid       #Width=640        Width is 640
    #subs           the pid named "subs"       #Width=!640       Width is not 640 (also #Width!640)
    #Width+640      Width is more than 640     #Width-640        Width is less than 640
    #ID=ItemID      two properties are equal   #Width=640#FPS+25 both hold
    #ServiceID=*    any value (GPAC makes a copy of the sink for each; here it matches all)
    name#video      only from the filter with the identifier `name`; `*` or nothing is any filter

A property that the pid does not have matches, as in GPAC: a selector narrows by what is known. Values
are read as the property's type, so `#CodecID=avc` finds h264 and `#FPS=25` finds 25/1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Literal, NamedTuple

from reelway.errors import OptionError
from reelway.media.names import canonical_stream_type, short_stream_type
from reelway.media.properties import PropertyInfo, PropertyType, lookup, parse, type_of
from reelway.media.values import format_value

__all__ = ["PropertyTest", "Selector", "parse_sources"]

Sign = Literal["=", "!", "+", "-"]
Test = Literal["name", "type", "property"]

_TYPE = re.compile(r"(audio|video|scene|text|font|meta)([1-9]\d*)?")
_PROPERTY = re.compile(r"([^=!+\-]+)(=!|!=|=|!|\+|-)(.*)", re.DOTALL)
_NUMERIC = frozenset(
    (
        PropertyType.INT,
        PropertyType.UINT,
        PropertyType.LONG,
        PropertyType.ULONG,
        PropertyType.FRACTION,
        PropertyType.FRACTION64,
        PropertyType.FLOAT,
        PropertyType.DOUBLE,
    )
)
_TEXTUAL = frozenset((PropertyType.STRING, PropertyType.STRINGS, PropertyType.DATA))


class PropertyTest(NamedTuple):
    """One fragment: a pid's name, a stream type (and which of them), or a property compared."""

    test: Test
    name: str
    sign: Sign = "="
    value: str = ""
    nth: int | None = None

    def matches(self, properties: Mapping[str, object], name: str, ordinal: int) -> bool:
        """See Selector.matches."""
        if self.test == "name":
            return self.name == name
        if self.test == "type":
            found = canonical_stream_type(str(properties.get("StreamType", "")))
            return found == self.name and self.nth in (None, ordinal)
        if self.name not in properties or (self.sign == "=" and self.value in ("", "*")):
            return True
        actual = properties[self.name]
        if other := self._other_property():
            return (other.name in properties and properties[other.name] == actual) == (self.sign == "=")
        return self._compare(actual)

    def _other_property(self) -> PropertyInfo | None:
        """The property whose value is compared with, when the value names one (`#ID=ItemID`)."""
        info = lookup(self.name)
        if self.sign in "+-" or (info is not None and info.type in _TEXTUAL):
            return None
        other = lookup(self.value) if len(self.value) > 1 else None
        return other if other is not None and other.name == self.value else None

    def _compare(self, actual: object) -> bool:
        if self.sign in "+-":
            if isinstance(actual, bool) or not isinstance(actual, (int, float, Fraction)):
                return False
            limit = parse_number(self.value)
            return actual > limit if self.sign == "+" else actual < limit
        if lookup(self.name) is not None:
            equal = parse(self.name, self.value) == actual
        else:
            equal = self._equals_untyped(actual)
        return equal == (self.sign == "=")

    def _equals_untyped(self, actual: object) -> bool:
        """A user-defined property equals the text that writes it, in the type that it happens to have."""
        if format_value(actual) == self.value:
            return True
        kind = type_of(actual)
        if kind is PropertyType.OBJECT:
            return False
        try:
            return parse(self.name, f"{kind.value}@{self.value}") == actual
        except OptionError:
            return False

    def __str__(self) -> str:
        if self.test == "name":
            return f"#{self.name}"
        if self.test == "type":
            return f"#{short_stream_type(self.name)}{self.nth or ''}"
        return f"#{self.name}{'=!' if self.sign == '!' else self.sign}{self.value}"


def parse_number(text: str) -> Fraction:
    """The number that `#PROP+text` compares with: an integer, a decimal, a fraction or `640k`."""
    try:
        value = parse("FPS", text)
    except OptionError:
        raise OptionError(f"{text!r} is not a number, and + and - compare numbers") from None
    assert isinstance(value, Fraction)
    return value


class Selector(NamedTuple):
    """A source identifier (empty for any) and tests that must all hold. An empty selector takes all."""

    source: str = ""
    tests: tuple[PropertyTest, ...] = ()

    @classmethod
    def parse(cls, text: str, *, fragment: str = "#") -> Selector:
        """The selector that `text` writes. Raises OptionError for a value that cannot be the property's.

        A text without `#` is a source identifier. `fragment` is the character that stands for `#`.
        """
        source, *fragments = text.split(fragment)
        tests = tuple(_parse_test(part, text) for part in fragments)
        return cls("" if source == "*" else source, tests)

    @classmethod
    def of_type(cls, name: str, nth: int | None = None) -> Selector:
        """The selector behind `source.video` and `source.audio`: `of_type("video")` is `#video`."""
        return cls("", (PropertyTest("type", canonical_stream_type(name), nth=nth),))

    def matches(self, properties: Mapping[str, object], name: str = "", ordinal: int = 1) -> bool:
        """True when a pid passes every test.

        `name` is the pid's name; `ordinal` its place among the source's pids of its stream type, from 1.
        The source identifier is not looked at: the caller knows which filter it asks about.
        """
        return all(test.matches(properties, name, ordinal) for test in self.tests)

    def __str__(self) -> str:
        return self.source + "".join(map(str, self.tests))


def parse_sources(text: str, *, separator: str = ",", fragment: str = "#") -> list[Selector]:
    """The selectors of a `SID=` option, which is a list: `1,2#video`."""
    return [Selector.parse(part, fragment=fragment) for part in text.split(separator) if part]


def _parse_test(part: str, whole: str) -> PropertyTest:
    if not part:
        raise OptionError(f"selector {whole!r} has nothing after '#'", hint="write #video or #PID=1")
    if match := _TYPE.fullmatch(part):
        nth = int(match[2]) if match[2] else None
        return PropertyTest("type", canonical_stream_type(match[1]), nth=nth)
    match = _PROPERTY.fullmatch(part)
    if match is None:
        return PropertyTest("name", part)
    name, written, value = match[1], match[2], match[3]
    sign: Sign = "!" if "!" in written else "+" if written == "+" else "-" if written == "-" else "="
    info = lookup(name)
    test = PropertyTest("property", info.name if info else name, sign, value)
    try:
        if sign in "+-":
            if info is not None and info.type not in _NUMERIC:
                raise OptionError(f"{info.name} is no number, and + and - compare numbers")
            parse_number(value)
        elif info is not None and value not in ("", "*") and test._other_property() is None:
            parse(info.name, value)
    except OptionError as error:
        if info is None and sign in "+-":
            return PropertyTest("name", part)  # "#cam-left": a pid's name with a hyphen in it
        raise OptionError(f"selector {whole!r}: {error}") from None
    return test
