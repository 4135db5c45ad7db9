"""`Gst.debug_bin_to_dot_file`: a bin as a drawing for Graphviz."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reelway.compat.gst.bins import Bin
from reelway.compat.gst.constants import ENUMERATIONS
from reelway.errors import redact

__all__ = ["debug_bin_to_dot_data", "debug_bin_to_dot_file", "debug_bin_to_dot_file_with_ts"]

Details: Any = ENUMERATIONS["DebugGraphDetails"]
_COLOURS = {"source": "#ffaaaa", "sink": "#aaaaff", "both": "#aaffaa", "": "#ffffff"}


def debug_bin_to_dot_data(bin: Bin, details: int) -> str:
    """The drawing as text; `details` are DebugGraphDetails: media types or caps, parameters, states."""
    lines = [
        "digraph pipeline {",
        "  rankdir=LR;",
        '  fontname="sans"; fontsize="10"; labelloc=t; nodesep=.1; ranksep=.3;',
        f'  label="{_said(_title(bin, details))}";',
        '  node [style="filled,rounded", shape=box, fontsize="9", fontname="sans", margin="0.1,0.05"];',
        '  edge [fontsize="7", fontname="monospace"];',
        *_inside(bin, details, "  "),
        *(f"  {line}" for line in _edges(bin, details)),
        "}",
    ]
    return "\n".join(lines) + "\n"


def debug_bin_to_dot_file(bin: Bin, details: int, file_name: str) -> None:
    """Writes `file_name`.dot into the folder GST_DEBUG_DUMP_DOT_DIR; without that variable, nothing."""
    folder = os.environ.get("GST_DEBUG_DUMP_DOT_DIR")
    if folder:
        Path(folder, f"{file_name}.dot").write_text(debug_bin_to_dot_data(bin, details), "utf-8")


def debug_bin_to_dot_file_with_ts(bin: Bin, details: int, file_name: str) -> None:
    """The same, with the time since the machine started in front of the name."""
    now = time.monotonic()
    hours, minutes = int(now // 3600), int(now // 60) % 60
    debug_bin_to_dot_file(bin, details, f"{hours}:{minutes:02}:{now % 60:012.9f}-{file_name}")


def _inside(bin: Bin, details: int, indent: str) -> Iterator[str]:
    for child in bin._children:
        if isinstance(child, Bin):
            yield f"{indent}subgraph cluster_{id(child):x} {{"
            yield f'{indent}  label="{_said(_title(child, details))}";'
            yield f'{indent}  style="filled,rounded"; fillcolor="#f6f6f6";'
            yield from _inside(child, details, indent + "  ")
            yield f"{indent}}}"
        else:
            colour = _COLOURS[_side(child)]
            label = _said("\n".join([_title(child, details), *_parameters(child, details)]))
            yield f'{indent}e_{id(child._core):x} [label="{label}", fillcolor="{colour}"];'


def _edges(bin: Bin, details: int) -> Iterator[str]:
    for edge in bin._root().core.edges:
        source, sink = edge.source.element, edge.sink.element
        label = [f"{edge.source.name} to {edge.sink.name}"]
        stream = edge.source.stream
        if stream:
            from reelway.graph.mediaformats import of_properties

            caps = of_properties(stream)
            first = next(iter(caps), None)
            if details & Details.CAPS_DETAILS and first is not None:
                label += [first.media, *(f"{name}: {value}" for name, value in first.fields.items())]
            elif details & Details.MEDIA_TYPE and first is not None:
                label.append(first.media)
        said = _said("\n".join(label))
        yield f'e_{id(source):x} -> e_{id(sink):x} [label="{said}"];'


def _title(element: Any, details: int) -> str:
    state = f"\n[{element._root().state.value_nick.upper()}]" if details & Details.STATES else ""
    return f"{element._type_name()}\n{element.get_name()}{state}"


def _parameters(element: Any, details: int) -> Iterator[str]:
    core = element._core
    if not details & (Details.NON_DEFAULT_PARAMS | Details.FULL_PARAMS):
        return
    for each in core.kind.properties:
        value = core.values.get(each.name, each.default)
        if details & Details.FULL_PARAMS or value != each.default:
            secret = redact(f"{each.name}=x") != f"{each.name}=x"
            text = "***" if secret and value else redact(str(value))
            yield f"{each.name}={text if len(text) <= 60 else text[:57] + '...'}"


def _side(element: Any) -> str:
    source, sink = bool(element._pad_faces("src")), bool(element._pad_faces("sink"))
    return "both" if source and sink else "source" if source else "sink" if sink else ""


def _said(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
