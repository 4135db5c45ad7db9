"""Pipeline texts as people write them, and wrong ones: data that several tests read.

`texts.toml` has, for each text, its graph, whether it runs to an end (`runs`), whether gst-launch-1.0 runs it
too (`gstreamer`), the extension of what it writes to `{out}`, and what is in that file: codecs, sizes, frames
or seconds, as gst-launch-1.0 with ffprobe says, or as they must be. `{film}` is an mp4 of H.264 and AAC.
`wrong.toml` has texts that must be refused: the message, what the caret is under, the hint.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from reelway.graph.pipelinetext import Bin, Element, End, PipelineText

__all__ = ["TEXTS", "WRONG", "Text", "Wrong", "compact"]


@dataclass(frozen=True, slots=True)
class Text:
    """One pipeline text; `made` is "" where nothing is written or known."""

    name: str
    text: str
    graph: str
    runs: bool = False
    gstreamer: bool = False
    out: str = ""
    made: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """One wrong text: `error` is the message, `under` the part of the text that the caret is under.

    `about` says who finds it: "language" the parser, "elements" who knows elements and their properties.
    """

    name: str
    text: str
    error: str
    under: str
    hint: str = ""
    about: str = "language"


def _read(name: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((Path(__file__).parent / name).read_text("utf-8"))


TEXTS = [Text(name, **entry) for name, entry in _read("texts.toml").items()]
WRONG = [Wrong(name, **entry) for name, entry in _read("wrong.toml").items()]


def compact(parsed: PipelineText) -> str:
    """The graph in a few lines: elements with their numbers, indented in bins, and what links to what."""
    lines: list[str] = []

    def add(items: tuple[Element | Bin, ...], indent: str) -> None:
        for item in items:
            words = [f"{name}={value!r}" for name, value in (("name", item.name),) if value]
            words += [f"{setting.name}={setting.value!r}" for setting in item.settings]
            opening = " (" if isinstance(item, Bin) else ""
            lines.append(f"{indent}{len(lines)} {' '.join([item.kind, *words])}{opening}")
            if isinstance(item, Bin):
                add(item.items, indent + "  ")

    add(parsed.items, "")
    links = [f"{_end(link.source)} > {_end(link.sink)}" for link in parsed.links]
    return "\n".join([*lines, ", ".join(links) or "no links"])


def _end(end: End) -> str:
    return ".".join([str(end.element), *([",".join(end.pads)] if end.pads else [])])
