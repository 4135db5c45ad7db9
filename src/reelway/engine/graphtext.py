"""FFmpeg's filter graphs as text: `[0:v]scale=640:-1[a];[a][logo]overlay=10:10,negate`.

Chains are separated by `;`, filters in them by `,`; a name in brackets before a filter is an input, behind it
an output. An argument may be quoted with `'` and escaped with a backslash (ffmpeg-filters, "Filtergraph
syntax"). A leading `sws_flags=...;` is accepted and passed over.
"""

from __future__ import annotations

from typing import NamedTuple

from reelway.errors import OptionError

__all__ = ["GraphNode", "parse_graph"]


class GraphNode(NamedTuple):
    """One filter: its name, its argument text, and the labels of its inputs and outputs as they were written.

    `follows` is true where it takes the free outputs of the filter before it.
    """

    name: str
    arguments: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    follows: bool


def parse_graph(text: str) -> list[GraphNode]:
    """The filters of a graph, in the order of the text. Raises OptionError that shows where it is wrong."""
    nodes: list[GraphNode] = []
    at = _skip(text, 0)
    if text.startswith("sws_flags=", at):
        at = text.find(";", at) + 1
        if not at:
            raise OptionError(f"the filter graph {text!r} has no filter")
    follows = False
    while True:
        inputs, at = _labels(text, at)
        found, at = _token(text, at, "[,;")
        name, _, arguments = found.partition("=")
        name = name.strip().partition("@")[0]
        if not name:
            raise _error(text, at, "a filter's name is missing")
        outputs, at = _labels(text, at)
        nodes.append(GraphNode(name, arguments.strip(), inputs, outputs, follows))
        if at == len(text):
            return nodes
        if text[at] not in ",;":
            raise _error(text, at, "a , or a ; is missing")
        follows = text[at] == ","
        at = _skip(text, at + 1)
        if at == len(text) and not follows:  # a ; may end the text
            return nodes


def _labels(text: str, at: int) -> tuple[tuple[str, ...], int]:
    labels: list[str] = []
    at = _skip(text, at)
    while at < len(text) and text[at] == "[":
        end = text.find("]", at)
        label = text[at + 1 : end].strip()
        if end < 0 or not label:
            raise _error(text, at, "a label is not closed" if end < 0 else "a label is empty")
        labels.append(label)
        at = _skip(text, end + 1)
    return tuple(labels), at


def _token(text: str, at: int, ends: str) -> tuple[str, int]:
    """Text up to one of `ends`, one level of quotes and backslashes taken off."""
    found: list[str] = []
    start = at
    while at < len(text) and text[at] not in ends:
        if text[at] == "\\" and at + 1 < len(text):
            found.append(text[at + 1])
            at += 2
        elif text[at] == "'":
            close = text.find("'", at + 1)
            if close < 0:
                raise _error(text, at, "a quote is not closed")
            found.append(text[at + 1 : close])
            at = close + 1
        else:
            found.append(text[at])
            at += 1
    if at == start and at < len(text):
        raise _error(text, at, "a filter's name is missing")
    return "".join(found), at


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _error(text: str, at: int, what: str) -> OptionError:
    return OptionError(f"in the filter graph {what} at character {at + 1}: {text}")
