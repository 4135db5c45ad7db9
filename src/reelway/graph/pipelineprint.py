"""A pipeline text of a graph: elements in their order, links in theirs."""

from __future__ import annotations

import re

from reelway.errors import PipelineError
from reelway.graph.mediacaps import MediaCaps
from reelway.graph.pipelinetext import Bin, Element, End, Link, PipelineText, Setting, quoted

__all__ = ["printed"]


def printed(parsed: PipelineText) -> str:
    """A text that parses to a graph equal to `parsed`.

    Raises ValueError where no text can say the graph: a link to an element without a name that is not its
    neighbour. What `parse` gives can always be printed.
    """
    return _Printer(parsed).print()


class _Printer:
    """Writes words. `tail` is the element that a `!` written now would link, or None."""

    def __init__(self, parsed: PipelineText) -> None:
        self.parsed = parsed
        self.nodes = parsed.nodes
        self.words: list[str] = []
        self.next = 0
        self.tail: int | None = None
        self.open: list[int] = []  # bins whose parenthesis is open
        self.last: dict[int, int] = {}  # bin: the last number in it
        self._number(parsed.items, 0)

    def _number(self, items: tuple[Element | Bin, ...], number: int) -> int:
        for item in items:
            mine, number = number, number + 1
            if isinstance(item, Bin):
                number = self._number(item.items, number)
                self.last[mine] = number - 1
        return number

    def print(self) -> str:
        for link in self.parsed.links:
            self._link(link)
        while self.next < len(self.nodes):
            self._node()
        while self.open:
            self._close()
        return " ".join(self.words)

    def _link(self, link: Link) -> None:
        source, sink = link.source.element, link.sink.element
        if not self._can_be_named(source):  # it is linked where it stands, all of a bin behind it
            while self.next <= self.last.get(source, source):
                self._node()
        if sink >= self.next and (sink == self._neighbour(source) or not self._can_be_named(sink)):
            while self.next < sink:
                self._node()
            self._close_before(sink)
            self._source(link.source)
            self.words += ["!", *_pads(link.sink)]
            self._node()
            return
        if source == self.next:
            self._node()
        self._source(link.source)
        self.words += ["!", self._reference(link.sink)]
        self.tail = None

    def _can_be_named(self, number: int) -> bool:
        """Whether `name.` can refer to it: not where the name has a blank in it, say."""
        return re.fullmatch(r"[A-Za-z0-9_][\w\-%:]*", self.nodes[number].name) is not None

    def _neighbour(self, source: int) -> int:
        """The number that can be written behind `source ! `, with no other in between."""
        beside = source == self.next and source not in self.last
        return self.next + 1 if beside else self.next

    def _source(self, end: End) -> None:
        if end.element in self.open and self.next > self.last[end.element]:
            while self.tail != end.element:
                self._close()
        if self.tail == end.element:
            self.words += _pads(end)
        else:
            self.words.append(self._reference(end))

    def _reference(self, end: End) -> str:
        name = self.nodes[end.element].name
        if not self._can_be_named(end.element):
            raise ValueError(
                f"the {self.nodes[end.element].kind} with the number {end.element} needs a name to be linked"
            )
        return f"{name}.{','.join(end.pads)}"

    def _close_before(self, number: int) -> None:
        while self.open and number > self.last[self.open[-1]]:
            self._close()

    def _close(self) -> None:
        self.words.append(")")
        self.tail = self.open.pop()

    def _node(self) -> None:
        self._close_before(self.next)
        node = self.nodes[self.next]
        settings = [*([f"name={quoted(node.name)}"] if node.name else []), *map(_setting, node.settings)]
        if isinstance(node, Bin):
            self.words += ["(" if node.kind == "bin" else f"{node.kind}.(", *settings]
            self.open.append(self.next)
            self.tail = None
        else:
            self.words += [_inline_caps(node)] if _inline_caps(node) else [node.kind, *settings]
            self.tail = self.next
        self.next += 1


def _pads(end: End) -> list[str]:
    return ["." + ",".join(end.pads)] if end.pads else []


def _setting(setting: Setting) -> str:
    return f"{setting.name}={quoted(setting.value)}"


def _inline_caps(node: Element | Bin) -> str:
    """The caps of a capsfilter as they may stand between two `!`; "" where it has to be written out."""
    if node.kind != "capsfilter" or node.name or [each.name for each in node.settings] != ["caps"]:
        return ""
    text = node.settings[0].value
    try:
        same = str(MediaCaps.parse(text)) == text
    except PipelineError:
        return ""
    plain = not re.search(r"[\\#]|\([^()]*\([^()]*\)", text)
    return text if same and plain and "/" in text else ""
