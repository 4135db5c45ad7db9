"""From pipeline text to its graph, by the grammar in pipeline.lark; loads lark."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from reelway.errors import PipelineError
from reelway.graph.mediacaps import MediaCaps
from reelway.graph.pipelinelinks import resolve
from reelway.graph.pipelinemistakes import mistake
from reelway.graph.pipelinetext import Bin, Element, PipelineText, Setting, unquoted

__all__ = ["read"]

# Scheme of a URL: the element that reads it, and the one that writes to it, each with the property that takes
# the URL, or only the path of it.
_LOCATIONS: dict[str, tuple[tuple[str, str] | None, tuple[str, str] | None]] = {
    "file": (("filesrc", "location"), ("filesink", "location")),
    "http": (("souphttpsrc", "location"), None),
    "https": (("souphttpsrc", "location"), None),
    "rtsp": (("rtspsrc", "location"), None),
    "rtsps": (("rtspsrc", "location"), None),
    "rtmp": (("uridecodebin", "uri"), ("rtmpsink", "location")),
    "rtmps": (("uridecodebin", "uri"), ("rtmpsink", "location")),
    "udp": (("udpsrc", "uri"), None),
    "v4l2": (("v4l2src", "device"), None),
}


@cache
def _grammar() -> Lark:
    text = files(__package__).joinpath("pipeline.lark").read_text("utf-8")
    return Lark(text, parser="lalr", lexer="contextual", maybe_placeholders=False)


def read(text: str) -> PipelineText:
    """See `pipelinetext.parse`."""
    try:
        tree = _grammar().parse(text)
    except UnexpectedInput as error:
        raise mistake(text, error) from None
    if not tree.children:
        raise PipelineError(
            "the pipeline text has no element", text=text, hint="for example: videotestsrc ! autovideosink"
        )
    return _Graph(text).read(tree)


class Node:
    """What stands between two `!`: a number among the elements, or a reference that is resolved later."""

    __slots__ = ("at", "name", "number", "sink_pads", "source_pads")

    def __init__(self, at: int, number: int = -1, name: str = "") -> None:
        self.at = at
        self.number = number
        self.name = name
        self.sink_pads: tuple[str, ...] = ()
        self.source_pads: tuple[str, ...] = ()


class _Graph:
    """Walks the tree once; elements get their numbers in the order of the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.count = 0
        self.links: list[tuple[Node, Node, int]] = []

    def read(self, tree: Any) -> PipelineText:
        items = tuple(item for chain in tree.children for item in self._chain(chain))
        self.links.sort(key=lambda link: link[2])
        parsed = PipelineText(items, (), self.text)
        return PipelineText(items, resolve(parsed, self.links), self.text)

    def _chain(self, tree: Any) -> list[Element | Bin]:
        items: list[Element | Bin] = []
        before: Node | None = None
        link: Any = None
        sink_pads: tuple[str, ...] = ()
        for child in tree.children:
            if isinstance(child, Token):
                if child.type == "LINK":
                    link = child
                else:
                    sink_pads = _pads(child)
                continue
            node, item = self._node(child, first=before is None)
            if item is not None:
                items.append(item)
            if before is not None:
                self._connect(before, node, link, sink_pads)
            before, sink_pads = node, ()
        if before is not None and before.number < 0 and len(tree.children) == 1:
            raise self._error(
                f"{before.name + '.'!r} refers to an element, and no '!' links it", before.at,
                len(before.name) + 1, hint=f"write {before.name}. ! or ! {before.name}.",
            )  # fmt: skip
        return items

    def _connect(self, before: Node, node: Node, link: Any, sink_pads: tuple[str, ...]) -> None:
        if node.number < 0 and sink_pads:
            raise self._error("pads are named twice here", node.at, hint="write name.pad")
        if before.sink_pads and before.number < 0 and not before.source_pads:
            raise self._error(
                f"after {before.name}.{','.join(before.sink_pads)} a chain ends", link.start_pos,
                hint=f"begin the next one with {before.name}. !",
            )  # fmt: skip
        if sink_pads:
            node.sink_pads = sink_pads
        if node.number < 0:  # of a reference behind "!", the pads are those of its sink
            node.sink_pads, node.source_pads = node.sink_pads or node.source_pads, ()
        self.links.append((before, node, link.start_pos))

    def _node(self, tree: Any, first: bool) -> tuple[Node, Element | Bin | None]:
        what = tree.children[0]
        pads = _pads(tree.children[1]) if len(tree.children) > 1 else ()
        if isinstance(what, Tree):
            number = self.count
            self.count += 1
            item = self._element(what) if what.data == "element" else self._bin(what)
            node = Node(item.at, number)
        elif what.type == "REFERENCE":
            name, _, named = what.partition(".")
            node, item = Node(what.start_pos, name=str(name)), None
            node.source_pads = _names(named)
        else:
            item = self._word(what, first)
            node = Node(what.start_pos, self.count)
            self.count += 1
        if pads:
            if node.source_pads:
                raise self._error("pads are named twice here", node.at, hint="write name.pad")
            node.source_pads = pads
        return node, item

    def _word(self, token: Token, first: bool) -> Element:
        """The element that a caps filter or a URL stands for."""
        at = token.start_pos or 0
        word = str(token)
        if token.type == "QUOTED":
            word, at = unquoted(word), at + 1
            if re.match(r"\s*[A-Za-z0-9][\w.+\-]*/[\w.+\-]", word):
                return self._caps(word, at)
            if not re.match(r"[A-Za-z][A-Za-z0-9+.\-]*://|\.{0,2}/", word):
                raise self._error(
                    f"{str(token)!r} is in quotes and no element", at - 1, len(token),
                    hint="caps and URLs may be in quotes; an element and its properties are not",
                )  # fmt: skip
            return self._location(word, at, first)
        if token.type == "CAPS":
            return self._caps(word, at)
        return self._location(unquoted(word), at, first)

    def _caps(self, word: str, at: int) -> Element:
        try:
            caps = MediaCaps.parse(word)
        except PipelineError as error:
            raise error.within(self.text, at) from None
        return Element("capsfilter", "", (Setting("caps", str(caps), at, at),), at)

    def _location(self, word: str, at: int, first: bool) -> Element:
        scheme, colon, rest = word.partition("://")
        if not colon:
            scheme, rest = "file", word
        if scheme.lower() not in _LOCATIONS:
            known = PipelineError.unknown("scheme", scheme, _LOCATIONS).hint
            raise self._error(f"nothing is known to read {scheme}: URLs", at, len(scheme), hint=known)
        found = _LOCATIONS[scheme.lower()][0 if first else 1]
        if found is None:
            raise self._error(f"nothing is known to write to {scheme}: URLs", at, len(word))
        kind, name = found
        value = rest if name == "device" or scheme.lower() == "file" else word
        if not value:
            raise self._error(f"after {scheme}:// a place is missing", at, len(word))
        return Element(kind, "", (Setting(name, value, at, at),), at)

    def _element(self, tree: Any) -> Element:
        kind, *settings = tree.children
        name, rest = self._settings(settings)
        return Element(str(kind), name.value, rest, kind.start_pos, name.value_at)

    def _bin(self, tree: Any) -> Bin:
        opening = tree.children[0]
        settings = [
            child for child in tree.children[1:] if isinstance(child, Token) and child.type == "SETTING"
        ]
        chains = [child for child in tree.children if isinstance(child, Tree)]
        if not chains:
            raise self._error(
                "the parentheses have no element in them",
                opening.start_pos,
                len(opening),
                hint="take them away",
            )
        name, rest = self._settings(settings)
        items = tuple(item for chain in chains for item in self._chain(chain))
        kind = opening.rstrip("(.") or "bin"
        return Bin(kind, name.value, rest, items, opening.start_pos, name.value_at)

    def _settings(self, tokens: list[Any]) -> tuple[Setting, tuple[Setting, ...]]:
        """The name, a setting that is empty where none is given, and the other settings."""
        name, settings = Setting("name", ""), []
        for token in tokens:
            key, _, written = token.partition("=")
            written = written.lstrip()
            value_at = token.end_pos - len(written) + (written[0] in "\"'")
            setting = Setting(key.rstrip(), unquoted(written), token.start_pos, value_at)
            if setting.name != "name":
                settings.append(setting)
            elif name.value:
                raise self._error(
                    "the element gets a second name", setting.at, 4, hint="take one of them away"
                )
            elif not setting.value:
                raise self._error("the name is empty", setting.at, 4, hint="write name=something")
            else:
                name = setting
        return name, tuple(settings)

    def _error(
        self, message: str, at: int | None, length: int = 1, *, hint: str | None = None
    ) -> PipelineError:
        return PipelineError(message, text=self.text, at=at or 0, length=length, hint=hint)


def _names(pads: str) -> tuple[str, ...]:
    return tuple(pad.strip() for pad in pads.split(",") if pad.strip())


def _pads(token: Any) -> tuple[str, ...]:
    return _names(token[1:])
