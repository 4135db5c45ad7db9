"""Caps as text: printing the values of fields, and reading structures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from reelway.errors import PipelineError
from reelway.graph.mediacaps import Array, Choices, Mask, Range, Scalar, Structure, Value

__all__ = ["read", "short", "typed"]

_PLAIN = r"[A-Za-z0-9_+\-:./]+"


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mask):
        return f"0x{int(value):x}"
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, str):
        if re.fullmatch(_PLAIN, value):
            return value
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value) if isinstance(value, float) else str(value)


def _type_name(value: Any) -> str:
    for kind, name in _TYPE_NAMES:
        if isinstance(value, kind):
            return name
    return "string"


def short(value: Value) -> str:
    """The value as people write it; a type only where the text alone would be read as another value."""
    if isinstance(value, (Choices, Array, Range)):
        return _spell(value, short)
    plain = _scalar(value)
    if isinstance(value, Mask) or (isinstance(value, str) and not isinstance(_untyped(plain), str)):
        return f"({_type_name(value)}){plain}"
    return plain


def typed(value: Value) -> str:
    """The value as GStreamer prints it, with its type."""
    if isinstance(value, Choices):
        names = {_type_name(each) for each in value.values}
        if len(names) == 1 and not any(isinstance(each, (Range, Array)) for each in value.values):
            return f"({names.pop()}){_spell(value, _scalar)}"
        return _spell(value, typed)
    if isinstance(value, Range):
        return f"({_type_name(value.low)}){_spell(value, _scalar)}"
    if isinstance(value, Array):
        return _spell(value, typed)
    return f"({_type_name(value)}){_scalar(value)}"


def _spell(value: Choices | Array | Range, spell: Any) -> str:
    if isinstance(value, Range):
        ends = [value.low, value.high, *([value.step] if value.step > 1 else [])]
        return f"[ {', '.join(map(_scalar, ends))} ]"
    left, right = "{}" if isinstance(value, Choices) else "<>"
    return f"{left} {', '.join(map(spell, value.values))} {right}"


_TYPE_NAMES = (
    (bool, "boolean"), (Mask, "bitmask"), (int, "int"), (float, "double"), (Fraction, "fraction"),
    (str, "string"),
)  # fmt: skip
_TYPES = {
    **dict.fromkeys("int i uint u int64 uint64 long ulong gint guint gint64 guint64".split(), "int"),
    **dict.fromkeys("float f double d gfloat gdouble".split(), "float"),
    **dict.fromkeys("fraction GstFraction".split(), "fraction"),
    **dict.fromkeys("boolean bool b gboolean".split(), "boolean"),
    **dict.fromkeys("string str s gchararray".split(), "string"),
    "bitmask": "bitmask",
}
_BOOLEANS = {"true": True, "yes": True, "t": True, "1": True} | {
    "false": False, "no": False, "f": False, "0": False,
}  # fmt: skip
_EXAMPLES = {"int": "640", "float": "0.5", "fraction": "30/1", "boolean": "true", "bitmask": "0x3"}
_MEASURES: dict[str, tuple[int, str]] = {
    "width": (1, "640"), "height": (1, "480"), "rate": (1, "48000"), "channels": (1, "2"),
    "framerate": (0, "30/1"), "max-framerate": (0, "30/1"), "pixel-aspect-ratio": (0, "1/1"),
}  # fmt: skip
"""Fields with the same meaning in all caps: the least value, and an example. A frame rate of 0 varies."""
_LIMITS = {"max": 2**31 - 1, "min": -(2**31)}


def _untyped(text: str) -> Scalar:
    """The value that `text` is when nothing says its type: int, float, fraction, boolean, else text."""
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    if re.fullmatch(r"0[xX][0-9a-fA-F]+", text):
        return int(text, 16)
    if re.fullmatch(r"[+-]?\d+/0*[1-9]\d*", text):
        return Fraction(text)
    if re.fullmatch(r"[+-]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][+-]?\d+)?", text):
        return float(text)
    if text.lower() in ("true", "false", "yes", "no"):
        return _BOOLEANS[text.lower()]
    return text


def read(text: str) -> tuple[Structure, ...]:
    """The structures that `text` writes. Raises PipelineError, which points at the place."""
    return tuple(_Reader(text).structures())


class _Reader:
    """Reads caps text from left to right; every error knows where."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def structures(self) -> Iterator[Structure]:
        while True:
            yield self._structure()
            self._space()
            if self.at == len(self.text):
                return
            if self._take(";") is None:
                if re.compile(r"[\w\-]+\s*=").match(self.text, self.at):
                    raise self._error(
                        "a comma is missing between the fields of caps", hint="write name=value,name=value"
                    )
                raise self._error("after a field of caps a comma, or ';' and other caps, may follow")
            self._space()
            if self.at == len(self.text):
                return

    def _structure(self) -> Structure:
        media = self._take(r"[A-Za-z0-9][\w.+\-]*/[\w.+\-]+")
        if media is None:
            raise self._error("caps begin with a media type", hint="for example video/x-raw,width=640")
        features: frozenset[str] = frozenset()
        if (group := self._take(r"\\?\([^()]*\)")) is not None:
            features = frozenset(filter(None, re.split(r"[\s,]+", group.strip("\\()"))))
        fields: dict[str, Value] = {}
        while self._take(",") is not None:
            start = self._space()
            name = self._take(r"[A-Za-z0-9_][\w\-:.]*")
            if name is None:
                raise self._error(
                    "a field of caps is missing after the comma",
                    hint="take the comma away, or write name=value behind it",
                )
            if self._take("=") is None:
                raise self._error(
                    f"the field {name!r} of caps has no value",
                    at=start,
                    length=len(name),
                    hint="write name=value",
                )
            if name in fields:
                raise self._error(f"the field {name!r} of caps is there twice", at=start, length=len(name))
            at = self._space()
            fields[name] = self._value("")
            self._check_field(name, fields[name], at)
        if features == {"memory:SystemMemory"}:
            features = frozenset()
        return Structure(media, fields, features)

    def _check_field(self, name: str, value: Value, at: int) -> None:
        """No picture is 0 pixels wide and no second has 1/0 frames: nothing could ever meet such caps."""
        if name not in _MEASURES:
            return
        least, example = _MEASURES[name]
        number = (int, Fraction) if "/" in example else int
        for each in value.values if isinstance(value, Choices) else (value,):
            most: Any = each.high if isinstance(each, Range) else each
            if isinstance(most, bool) or not isinstance(most, number) or most < least:
                written = self.text[at : self.at].strip()
                raise self._error(
                    f"{written!r} is no {name}",
                    at=at,
                    length=len(written),
                    hint=f"{'more than 0' if least else 'at least 0'}: {name}={example}",
                )

    def _value(self, kind: str) -> Value:
        start = self._space()
        if (named := self._take(r"\\?\(\s*[\w\-]+\s*\\?\)")) is not None:
            name = named.strip("\\() \t\n")
            if name not in _TYPES:
                raise PipelineError.unknown("type of caps", name, _TYPES, text=self.text, at=start + 1)
            kind = _TYPES[name]
        opened = self._take(r"[{<\[]")
        if opened is None:
            return self._scalar(kind)
        if opened == "[":
            return self._range(kind)
        closing = {"{": "}", "<": ">"}[opened]
        values = self._members(kind, closing)
        if opened == "<":
            return Array(tuple(values))
        if not values:
            raise self._error("choices of caps need at least one value", at=start)
        return Choices(tuple(values)) if len(values) > 1 else values[0]

    def _members(self, kind: str, closing: str) -> list[Any]:
        values: list[Any] = []
        start = self.at - 1
        while self._take(closing) is None:
            if values and self._take(",") is None:
                raise self._error(
                    f"{self.text[start]!r} in caps is never closed by {closing!r}",
                    at=start,
                    hint=f"write {closing!r}",
                )
            values.append(self._value(kind))
        return values

    def _range(self, kind: str) -> Range:
        start = self.at - 1
        ends = [_LIMITS.get(end, end) for end in self._members(kind, "]")]
        if len(ends) not in (2, 3) or not all(isinstance(end, (int, float, Fraction)) for end in ends):
            raise self._error("a range of caps has a least and a greatest number: [ 1, 640 ]", at=start)
        if ends[0] > ends[1]:
            raise self._error(
                f"the range [ {_scalar(ends[0])}, {_scalar(ends[1])} ] of caps is empty", at=start,
                hint="the least number comes first",
            )  # fmt: skip
        return Range(*ends)

    def _scalar(self, kind: str) -> Scalar:
        start = self._space()
        quoted = self._take(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
        if quoted is not None:
            text = re.sub(r"\\(.)", r"\1", quoted[1:-1], flags=re.DOTALL)
            if kind in ("", "string"):
                return text
        else:
            bare = self._take(r"""(?:[^\s,;!(){}\[\]<>"'\\]|\\\S)+""")
            if bare is None:
                if self.text[self.at : self.at + 1] in ('"', "'"):
                    raise self._error("the quotes are never closed")
                raise self._error("a value of caps is missing")
            text = bare.replace("\\", "")
        try:
            return _value_of(kind, text)
        except (ValueError, ZeroDivisionError):
            raise self._error(
                f"{text!r} is no {kind}",
                at=start,
                length=self.at - start,
                hint=f"for example ({kind}){_EXAMPLES[kind]}",
            ) from None

    def _space(self) -> int:
        found = re.compile(r"(?:\s|\\[ \t]*\r?\n)*").match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def _take(self, pattern: str) -> str | None:
        start = self._space()
        found = re.compile(pattern, re.DOTALL).match(self.text, start)
        if found is None:
            return None
        self.at = found.end()
        return found[0]

    def _error(
        self, message: str, *, at: int | None = None, length: int = 1, hint: str | None = None
    ) -> PipelineError:
        where = self.at if at is None else at
        return PipelineError(message, text=self.text, at=where, length=length, hint=hint)


def _value_of(kind: str, text: str) -> Scalar:
    """The value of the named kind; ValueError or ZeroDivisionError where `text` is none."""
    if kind == "":
        return _untyped(text)
    if kind == "string":
        return text
    if kind == "boolean":
        if text.lower() not in _BOOLEANS:
            raise ValueError
        return _BOOLEANS[text.lower()]
    if kind == "int":
        return _LIMITS[text] if text in _LIMITS else int(text, 0)
    if kind == "bitmask":
        return Mask(int(text, 0))
    return Fraction(_LIMITS.get(text, text)) if kind == "fraction" else float(text)
