"""Writes docs/elements.md out of the tables of elements: `python tools/elements_page.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path

from reelway import catalog
from reelway.elements import ElementKind, Property

PAGE = Path(__file__).parents[1] / "docs" / "elements.md"
TITLES = {
    "Test sources": ("testsources",),
    "Sources": ("sources", "devices"),
    "Sinks": ("sinks",),
    "Containers": ("files",),
    "Parsers and depayloaders": ("parsers",),
    "Encoders": ("coders",),
    "Decoders": ("decoders",),
    "Pictures": ("video",),
    "Sound": ("audio",),
    "Flow": ("flow",),
    "NVIDIA's": ("nvidia",),
}
HEAD = """# Elements of pipelines

What the names in a pipeline text stand for here. Names, defaults, ranges and units are GStreamer's (1.22); a
test compares them with it, property by property. Properties with * change while the pipeline plays, where
their filter's option does. Those behind "taken without effect" are checked and change nothing here.

`reelway.elements.find("x264enc")` is this as data: `find(...).filter_options({"bitrate": "500"})` are the
options that the filter gets.

This page is written by `tools/elements_page.py`.
"""
ROLES = {
    "source": "tells what follows what to open; alone, ",
    "opener": "",
    "closer": "",
    "destination": "tells what comes before where to write; alone, ",
}


def page() -> str:
    return "\n".join([*_lines()]).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield HEAD
    for title, tables in TITLES.items():
        yield f"## {title}\n"
        yield "| element | what it is | becomes | properties |"
        yield "|---|---|---|---|"
        for table in tables:
            for kind in sorted(_kinds(table), key=lambda kind: kind.name):
                yield f"| `{kind.name}` | {_help(kind)} | {_becomes(kind)} | {_properties(kind)} |"
        yield ""
    yield "## Known, and not here\n"
    yield "| element | what it is | use instead |"
    yield "|---|---|---|"
    for kind in sorted(_kinds("missing"), key=lambda kind: kind.name):
        yield f"| `{kind.name}` | {kind.help} | {kind.instead} |"


def _kinds(table: str) -> tuple[ElementKind, ...]:
    kinds: tuple[ElementKind, ...] = import_module(f"reelway.elements.{table}").KINDS
    return kinds


def _help(kind: ElementKind) -> str:
    return f"{kind.help}; {kind.note}" if kind.note else kind.help


def _becomes(kind: ElementKind) -> str:
    options = ", ".join(f"{name}={_text(value)}" for name, value in kind.options.items())
    return f"{ROLES.get(kind.role, '')}`{kind.filter}`{f' {options}' if options else ''}"


def _properties(kind: ElementKind) -> str:
    told = [_property(kind, each) for each in kind.properties if not each.ignored]
    if of_pads := _named(each for each in kind.pad_properties if not each.ignored):
        told.append(f"of each pad: {of_pads}")
    if without := _named(each for each in kind.properties if each.ignored):
        told.append(f"taken without effect: {without}")
    return "; ".join(told)


def _named(properties: Iterable[Property]) -> str:
    return ", ".join(f"`{each.name}`" for each in properties)


def _property(kind: ElementKind, each: Property) -> str:
    option = catalog.find(kind.filter).options().get(each.option)
    live = "\\*" if option is not None and option.live else ""
    facts = [each.unit] if each.unit else []
    if not each.writable:
        facts.append("read only")
    elif each.default not in (None, ""):
        facts.append(_text(each.default))
    said = ", ".join(facts)
    return f"`{each.name}`{live} ({said})" if said else f"`{each.name}`{live}"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page())
