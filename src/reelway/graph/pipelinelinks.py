"""The links of a pipeline text: references resolved to elements, and links to bins to what is in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from reelway.errors import PipelineError
from reelway.graph.pipelinetext import Bin, Element, End, Link, PipelineText

if TYPE_CHECKING:
    from reelway.graph.pipelineparse import Node

__all__ = ["resolve", "without_bins"]


def resolve(parsed: PipelineText, links: Iterable[tuple[Node, Node, int]]) -> tuple[Link, ...]:
    """The `links` with numbers in the place of names; names and pads are checked."""
    numbers = _numbers(parsed)

    def end(node: Node, pads: tuple[str, ...]) -> End:
        number = node.number
        if number < 0:
            if node.name not in numbers:
                raise PipelineError.unknown(
                    "element of this text", node.name, numbers, text=parsed.text, at=node.at
                )
            number = numbers[node.name]
        return End(number, pads, node.at)

    resolved: list[Link] = []
    for before, behind, at in links:
        source, sink = end(before, before.source_pads), end(behind, behind.sink_pads)
        if source.pads and sink.pads and len(source.pads) != len(sink.pads):
            raise PipelineError(
                f"{_many(source.pads)} and {_many(sink.pads)} cannot be linked pair by pair",
                text=parsed.text, at=at, hint="name as many on both sides",
            )  # fmt: skip
        resolved.append(Link(source, sink, at))
    _check_pads(parsed, resolved)
    return tuple(resolved)


def _many(pads: tuple[str, ...]) -> str:
    return "one pad" if len(pads) == 1 else f"{len(pads)} pads"


def _numbers(parsed: PipelineText) -> dict[str, int]:
    numbers: dict[str, int] = {}
    nodes = parsed.nodes
    for number, node in enumerate(nodes):
        if not node.name:
            continue
        if node.name in numbers:
            other = nodes[numbers[node.name]]
            raise PipelineError(
                f"two elements are named {node.name!r}, {other.kind} and {node.kind}",
                text=parsed.text, at=node.name_at, length=len(node.name),
                hint="give one of them another name",
            )  # fmt: skip
        numbers[node.name] = number
    return numbers


def _check_pads(parsed: PipelineText, links: Iterable[Link]) -> None:
    taken: set[tuple[str, int, str]] = set()
    for link in links:
        for side, end in (("source", link.source), ("sink", link.sink)):
            for pad in end.pads:
                if (side, end.element, pad) in taken:
                    node = parsed.nodes[end.element]
                    written = f"{node.name}.{','.join(end.pads)}"
                    length = len(written if parsed.text.startswith(written, end.at) else node.kind)
                    raise PipelineError(
                        f"the pad {pad!r} of {node.name or node.kind} is linked twice",
                        text=parsed.text, at=end.at, length=length,
                        hint="a pad has one link; a tee makes more of one stream, a mixer one of several",
                    )  # fmt: skip
                taken.add((side, end.element, pad))


def without_bins(parsed: PipelineText) -> tuple[Link, ...]:
    """See `PipelineText.joined`."""
    inner: dict[int, list[int]] = {}
    _number(parsed.items, 0, inner)
    if not inner:
        return parsed.links
    sources = {link.source.element for link in parsed.links}
    sinks = {link.sink.element for link in parsed.links}
    joined = []
    for link in parsed.links:
        source, sink = link.source, link.sink
        if source.element in inner:
            found = next((each for each in reversed(inner[source.element]) if each not in sources), None)
            source = End(_found(parsed, source, found, "out of"), source.pads, source.at)
            sources.add(source.element)
        if sink.element in inner:
            found = next((each for each in inner[sink.element] if each not in sinks), None)
            sink = End(_found(parsed, sink, found, "into"), sink.pads, sink.at)
            sinks.add(sink.element)
        joined.append(Link(source, sink, link.at))
    return tuple(joined)


def _found(parsed: PipelineText, end: End, found: int | None, way: str) -> int:
    if found is None:
        raise parsed.error(
            f"no element in the bin is free for a link {way} it", end.at, hint="name an element and link that"
        )
    return found


def _number(items: Iterable[Element | Bin], number: int, inner: dict[int, list[int]]) -> int:
    """Fills `inner` with the elements in each bin, by number; gives the next number."""
    for item in items:
        mine = number
        number += 1
        if isinstance(item, Bin):
            inner[mine] = []
            number = _number(item.items, number, inner)
            bins: Any = inner.keys()
            inner[mine] = [each for each in range(mine + 1, number) if each not in bins]
    return number
