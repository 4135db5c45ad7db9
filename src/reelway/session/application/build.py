"""From text to a pipeline: elements with their properties, and the links between them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from reelway.errors import LinkError, PipelineError, ReelwayError, UnknownNameError
from reelway.graph import pipelinetext
from reelway.graph.pipelinetext import End, PipelineText
from reelway.session.application.element import Element, Pad, make_element
from reelway.session.application.pipeline import Pipeline

__all__ = ["build", "check_linked"]


def build(text: str | PipelineText, name: str = "pipeline0") -> Pipeline:
    """The pipeline that `text` says. Raises PipelineError, which points at the place in the text."""
    parsed = pipelinetext.parse(text) if isinstance(text, str) else text
    pipeline = Pipeline(name)
    made: dict[int, Element] = {}
    for number, node in enumerate(parsed.nodes):
        if isinstance(node, pipelinetext.Element):
            made[number] = _element(parsed, node, pipeline)
    _bins(parsed.items, iter(range(len(parsed.nodes))), made, pipeline)
    for link in parsed.joined:
        for source, sink in _pairs(link.source, link.sink):
            with _at(parsed, link.source.at, _word_length(parsed, link.source.at)):
                source_pad = _pad(made[link.source.element], source, "src")
            with _at(parsed, link.sink.at, _word_length(parsed, link.sink.at)):
                sink_pad = _pad(made[link.sink.element], sink, "sink")
            with _at(parsed, link.at, 1):
                pipeline.link(source_pad, sink_pad)
    return pipeline


def check_linked(pipeline: Pipeline) -> None:
    """Raises LinkError for an element that nothing is linked to: in a text that is all, `!` was forgotten."""
    for element in pipeline:
        if element.kind.role == "opener" and element.kind.url is not None and element.values.get("uri"):
            continue  # playbin shows what it finds
        if not any(pad.edge is not None for pad in element.pads):
            error = LinkError(
                f"nothing is linked to {element.name}",
                hint=f"put `!` between {element.kind.name} and what it feeds, or is fed by",
            )
            element.locate(error)
            raise error


def _element(parsed: PipelineText, node: pipelinetext.Element, pipeline: Pipeline) -> Element:
    with _at(parsed, node.at, len(node.kind)):
        element = make_element(node.kind, node.name)
        pipeline.add(element)
    element.written = partial(parsed.error, at=node.at, length=_length(parsed, node))
    for setting in node.settings:
        if setting.name == "name":
            continue
        with _at(parsed, setting.at, len(setting.name)):
            if "::" not in setting.name and not element.kind.find(setting.name).writable:
                element.set(setting.name, setting.value)  # which says that it can only be read
        with _at(parsed, setting.value_at, max(1, len(setting.value)), name=(setting.at, len(setting.name))):
            element.set(setting.name, setting.value)
    return element


def _length(parsed: PipelineText, node: pipelinetext.Element) -> int:
    """Of what stands for the element in the text: its kind; caps or a URL have no other word."""
    if parsed.text.startswith(node.kind, node.at):
        return len(node.kind)
    if node.kind == "capsfilter" and node.settings:
        return len(node.settings[0].value)
    return _word_length(parsed, node.at)


def _word_length(parsed: PipelineText, at: int) -> int:
    found = re.compile(r"\S+").match(parsed.text, at)
    return len(found[0]) if found is not None else 1


def _bins(
    items: tuple[pipelinetext.Element | pipelinetext.Bin, ...],
    numbers: Iterator[int],
    made: dict[int, Element],
    pipeline: Pipeline,
) -> list[Element]:
    """Tells the pipeline which elements are in which bin; the value is all elements of `items`."""
    found: list[Element] = []
    for item in items:
        number = next(numbers)
        if isinstance(item, pipelinetext.Bin):
            inside = _bins(item.items, numbers, made, pipeline)
            pipeline.bins[item.name or f"bin{len(pipeline.bins)}"] = inside
            found += inside
        else:
            found.append(made[number])
    return found


def _pairs(source: End, sink: End) -> Iterator[tuple[str, str]]:
    """The pads to be linked, by name; empty: any."""
    count = max(len(source.pads), len(sink.pads), 1)
    for number in range(count):
        yield (
            source.pads[number] if number < len(source.pads) else "",
            sink.pads[number] if number < len(sink.pads) else "",
        )


def _pad(element: Element, name: str, direction: str) -> Element | Pad:
    if not name:
        return element
    pad = element.pad(name)
    if pad.direction != direction:
        raise LinkError(
            f"{element.name}.{name} is {'an input' if direction == 'src' else 'an output'}",
            hint="streams go from left to right",
        )
    return pad


@contextmanager
def _at(parsed: PipelineText, at: int, length: int, name: tuple[int, int] | None = None) -> Iterator[None]:
    """What is wrong in here is wrong at this place of the text; a name that is unknown, at `name`."""
    try:
        yield
    except PipelineError as error:
        if error.text == parsed.text:
            raise
        raise _within(error, parsed, at, length) from None
    except ReelwayError as error:
        if name is not None and isinstance(error, UnknownNameError):
            at, length = name
        raise parsed.error(
            error.args[0] if error.args else str(error), at, length, hint=error.hint
        ) from error


def _within(error: PipelineError, parsed: PipelineText, at: int, length: int) -> PipelineError:
    """An error in caps that begin at `at`: at the word that it is about, where that is there."""
    if error.text and parsed.text.startswith(error.text, at):
        return error.within(parsed.text, at)
    word = re.search("'([^']+)'", error.reason)
    found = parsed.text.find(word[1], at) if word is not None else -1
    if word is not None and found >= 0:
        at, length = found, len(word[1])
    whole = parsed.error(error.reason, at, length, hint=error.hint)
    whole.near = error.near
    return whole
