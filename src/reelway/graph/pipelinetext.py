"""Pipelines as text, in gst-launch's language: read into a graph of elements, and printed again.

The grammar is in pipeline.lark. This module knows what the text says, not what its elements are: values
of properties stay text, and nobody has checked that a kind of element exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from reelway.errors import OptionError, PipelineError

__all__ = ["Bin", "Element", "End", "Link", "PipelineText", "Setting", "check_text", "join", "parse"]


@dataclass(frozen=True, slots=True)
class Setting:
    """`name=value`, the value without its quotes and escapes; it stands at `value_at`, the name at `at`."""

    name: str
    value: str
    at: int = field(default=0, compare=False)
    value_at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Element:
    """One element. `name` is the one that the text gives it, at `name_at`, or "".

    Caps between two `!` are an element of kind `capsfilter` with the setting `caps`, and a URL is the
    element that reads or writes it: what was written says `text`, at `at`.
    """

    kind: str
    name: str = ""
    settings: tuple[Setting, ...] = ()
    at: int = field(default=0, compare=False)
    name_at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Bin:
    """Elements in parentheses: of kind `bin`, or of the kind written before `.(`."""

    kind: str
    name: str = ""
    settings: tuple[Setting, ...] = ()
    items: tuple[Element | Bin, ...] = ()
    at: int = field(default=0, compare=False)
    name_at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class End:
    """One end of a link: the number of an element or bin in `PipelineText.nodes`, and its pads, if named."""

    element: int
    pads: tuple[str, ...] = ()
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Link:
    """`source ! sink`; `at` is the place of the `!`."""

    source: End
    sink: End
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class PipelineText:
    """What a pipeline text says: elements and bins as they stand, and links in the order of their `!`.

    Two are equal when they say the same graph, wherever in the text. `str()` is a text of that graph.
    """

    items: tuple[Element | Bin, ...]
    links: tuple[Link, ...] = ()
    text: str = field(default="", compare=False)

    @property
    def nodes(self) -> tuple[Element | Bin, ...]:
        """Every element and bin in the order of the text, a bin before what is in it: links number these."""
        return tuple(_flat(self.items))

    @property
    def joined(self) -> tuple[Link, ...]:
        """The links with elements at both ends.

        A link to a bin goes to the first element in it that no other link goes to, one from a bin comes from
        the last element in it that no other link comes from. Raises PipelineError where there is none.
        """
        from reelway.graph.pipelinelinks import without_bins

        return without_bins(self)

    def __str__(self) -> str:
        from reelway.graph.pipelineprint import printed

        return printed(self)

    def error(self, message: str, at: int, length: int = 1, *, hint: str | None = None) -> PipelineError:
        """An error that points at the place `at` of this text, for who finds that it asks too much."""
        return PipelineError(message, text=self.text, at=at, length=length, hint=hint)


def _flat(items: Iterable[Element | Bin]) -> Iterator[Element | Bin]:
    for item in items:
        yield item
        if isinstance(item, Bin):
            yield from _flat(item.items)


def parse(text: str) -> PipelineText:
    """The graph that `text` says.

    Raises PipelineError, which points at the place, for what the language does not allow: a `!` without
    an element on both sides, a name that two elements have or that none has, a pad that is linked twice ...
    """
    from reelway.graph.pipelineparse import read  # lark is loaded for who parses, and for nobody else

    check_text(text)
    return read(text)


def check_text(text: object) -> None:
    """Raises OptionError for what is no text at all."""
    if not isinstance(text, str):
        raise OptionError(
            f"a pipeline is text, not {type(text).__name__}", hint='"videotestsrc ! autovideosink"'
        )


def join(arguments: Iterable[str]) -> str:
    """The pipeline text that a shell has split into `arguments`, put together again.

    A property with white space in its value was one word for the shell and stays one value:
    `["filesrc", "location=my film.mp4"]` gives `filesrc location="my film.mp4"`. One argument alone is the
    text itself.
    """
    arguments = list(arguments)
    if len(arguments) == 1:
        return arguments[0]
    words = []
    for argument in arguments:
        if re.fullmatch(r"[\w\-:]+=\s*[^\"'].*\s.*|[\w\-:]+=.*\s.*[^\"']", argument, re.DOTALL):
            name, _, value = argument.partition("=")
            argument = f"{name}={quoted(value)}"
        words.append(argument)
    return " ".join(words)


def quoted(value: str) -> str:
    """`value` as it is written behind `name=`: in quotes where it needs them."""
    if value and not re.search(r"[\s\"'\\]", value) and value != "!":
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquoted(written: str) -> str:
    """The value of a `written` one: without outer quotes, and without backslashes outside inner ones."""
    if len(written) > 1 and written[0] in "\"'" and written[-1] == written[0]:
        written = written[1:-1]
    if "\\" not in written:
        return written
    value, inner, at = [], False, 0
    while at < len(written):
        character = written[at]
        if character == "\\" and not inner and at + 1 < len(written):
            at += 1
            value.append(written[at])
        else:
            if character == '"' and not (inner and at and written[at - 1] == "\\"):
                inner = not inner
            value.append(character)
        at += 1
    return "".join(value)
