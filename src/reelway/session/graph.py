"""The graph: what is linked to what at one moment, with figures, as a value that can be drawn.

`str()` is a tree for the terminal; `to_dot()` is for Graphviz, `to_mermaid()` for Markdown pages,
`to_json()` for programs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelway.errors import OpenError, OptionError, UnsupportedError, redact
from reelway.runtime.statistics import state_of
from reelway.session.words import stream_in_words

if TYPE_CHECKING:
    from reelway.graph.filter import Filter
    from reelway.session.plan import Plan

__all__ = ["Graph", "GraphFilter", "GraphLink", "GraphPid", "check_form", "graph_of_plan", "make_graph"]


@dataclass(frozen=True, slots=True)
class GraphFilter:
    """One filter. `number` is its place in the session, from 0; links and PIDs refer to it."""

    number: int
    name: str
    kind: str
    state: str
    status: str
    packets_in: int
    packets_out: int
    bytes_out: int
    errors: int


@dataclass(frozen=True, slots=True)
class GraphPid:
    """One stream that the filter number `source` puts out."""

    source: int
    place: int
    """Among the PIDs of its source, from 0."""
    name: str
    stream_type: str
    codec: str
    summary: str
    """Codec, size, rate in a few words."""
    packets: int
    ended: bool


@dataclass(frozen=True, slots=True)
class GraphLink:
    """One consumer of a PID. packets_in = packets_out + packets_dropped + packets_queued."""

    source: int
    place: int
    """Of the PID among those of its source."""
    pid: str
    consumer: int
    policy: str
    packets_in: int
    packets_out: int
    packets_dropped: int
    packets_queued: int
    bytes_in: int
    max_packets: int
    grown: int

    @property
    def figures(self) -> str:
        """What has passed, and what is remarkable, in a few words."""
        words = [_packets(self.packets_in)]
        if self.packets_queued:
            words.append(f"{self.packets_queued} of {self.max_packets} waiting")
        if self.packets_dropped:
            words.append(f"{self.packets_dropped} dropped ({self.policy})")
        if self.grown:
            words.append(f"grown {self.grown} times" if self.grown > 1 else "grown once")
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Graph:
    """A session's filters, PIDs and links at one moment; nothing in it changes. No secrets in it."""

    filters: tuple[GraphFilter, ...]
    pids: tuple[GraphPid, ...]
    links: tuple[GraphLink, ...]

    def pids_of(self, filter: GraphFilter) -> list[GraphPid]:
        return [pid for pid in self.pids if pid.source == filter.number]

    def links_of(self, pid: GraphPid) -> list[GraphLink]:
        return [link for link in self.links if (link.source, link.place) == (pid.source, pid.place)]

    def to_json(self) -> str:
        """All of it, indented: {"filters": [...], "pids": [...], "links": [...]}, with the fields above."""
        import json

        return json.dumps(asdict(self), indent=2, ensure_ascii=False)

    def to_dot(self) -> str:
        """Graphviz: filters are boxes, links arrows with the stream and its figures."""
        lines = [
            "digraph session {",
            f"  rankdir={'LR' if len(self.filters) <= SHORT else 'TB'}",
            "  nodesep=0.4; ranksep=0.35",
            '  node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica", fontsize=12]',
            '  edge [fontname="Helvetica", fontsize=10, fontcolor="#404040"]',
        ]
        for filter in self.filters:
            label = "\n".join(_lines_of(filter))
            colour = COLOURS.get(filter.state.partition(" ")[0], "")
            told = f", fillcolor={_dot(colour)}" if colour else ""
            lines.append(f"  f{filter.number} [label={_dot(label)}{told}]")
        for number, (pid, links) in enumerate(self._streams()):
            for link in links:
                label = f"{pid.name}: {pid.summary}\n{link.figures}"
                lines.append(f"  f{pid.source} -> f{link.consumer} [label={_dot(label)}]")
            if not links:
                lines.append(f"  n{number} [shape=point]")
                label = f"{pid.name}: {pid.summary}"
                lines.append(f"  f{pid.source} -> n{number} [style=dashed, label={_dot(label)}]")
        return "\n".join([*lines, "}", ""])

    def to_mermaid(self) -> str:
        """Mermaid, for Markdown pages."""
        lines = ["flowchart LR"]
        lines += [f"  f{each.number}({_mermaid(*_lines_of(each))})" for each in self.filters]
        for number, (pid, links) in enumerate(self._streams()):
            stream = f"{pid.name}: {pid.summary}"
            for link in links:
                lines.append(f"  f{pid.source} -->|{_mermaid(stream, link.figures)}| f{link.consumer}")
            if not links:
                lines.append(f"  f{pid.source} -.->|{_mermaid(stream)}| n{number}(( ))")
        return "\n".join([*lines, ""])

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes it to a file in the form that the name's ending says: .dot, .gv, .mmd, .json or .txt.

        .svg and .png are drawn by Graphviz. Raises UnsupportedError where that is not installed, OpenError.
        """
        path = Path(path)
        form = check_form(path)
        if path.suffix.lower() in DRAWN:
            _draw(self.to_dot(), path)
            return
        text: str = getattr(self, form)()
        try:
            path.write_text(text if text.endswith("\n") else text + "\n", "utf-8")
        except OSError as error:
            raise OpenError(f"{path}: {error.strerror}", url=str(path), errno=error.errno) from None

    def __str__(self) -> str:
        fed = {link.consumer for link in self.links}
        roots = [filter for filter in self.filters if filter.number not in fed]
        shown: set[int] = set()
        lines: list[str] = []
        for root in roots or self.filters[:1]:
            lines += self._tree(root, shown)
        return "\n".join(lines)

    def _tree(self, filter: GraphFilter, shown: set[int]) -> Iterator[str]:
        if filter.number in shown:
            yield f"{filter.name} (above)"
            return
        shown.add(filter.number)
        yield ", ".join(_lines_of(filter))
        pids = self.pids_of(filter)
        for pid in pids:
            last = pid is pids[-1]
            links = self.links_of(pid)
            figures = links[0].figures if len(links) == 1 else _packets(pid.packets)
            yield f"{'└─' if last else '├─'} {pid.name}: {pid.summary}; {figures}"
            indent = "   " if last else "│  "
            if not links:
                yield f"{indent}└─ goes nowhere"
            for link in links:
                final = link is links[-1]
                lead = "└─ " if final else "├─ "
                for line in self._tree(self.filters[link.consumer], shown):
                    yield indent + lead + line
                    lead = "   " if final else "│  "

    def _streams(self) -> Iterator[tuple[GraphPid, list[GraphLink]]]:
        return ((pid, self.links_of(pid)) for pid in self.pids)


FORMS = {".dot": "to_dot", ".gv": "to_dot", ".mmd": "to_mermaid", ".json": "to_json", ".txt": "__str__"}
"""Ending of a file's name -> the method that writes it."""

SHORT = 6
"""So many filters are drawn from left to right, more from top to bottom: a page is higher than wide."""
COLOURS = {
    "blocked": "#ffe9c7",
    "failed": "#ffd0d0",
    "running": "#d8f0d8",
    "done": "#eeeeee",
    "closed": "#eeeeee",
}
"""By the state of a filter."""
DRAWN = (".svg", ".png")
"""Endings that Graphviz draws."""
DRAW_S = 30.0


def check_form(path: str | os.PathLike[str]) -> str:
    """The method that writes a file of this name. Raises OptionError where its ending says none."""
    suffix = Path(path).suffix.lower()
    if suffix in DRAWN:
        return "to_dot"
    if suffix not in FORMS:
        raise OptionError(
            f"the name {Path(path).name!r} does not say how to draw the graph",
            hint=f"give it one of the endings {', '.join((*FORMS, *DRAWN))}",
        )
    return FORMS[suffix]


def _draw(dot: str, path: Path) -> None:
    """Has Graphviz draw it."""
    import subprocess

    form = path.suffix.lower().removeprefix(".")
    try:
        done = subprocess.run(
            ["dot", f"-T{form}", "-o", str(path)],
            input=dot.encode(),
            capture_output=True,
            timeout=DRAW_S,
            check=False,
        )
    except FileNotFoundError:
        raise UnsupportedError(
            f"{path.name} is drawn by Graphviz, and its program `dot` is not installed",
            hint="install it (apt-get install graphviz), or write .dot, .mmd or .json",
        ) from None
    except subprocess.TimeoutExpired:
        raise OpenError(f"{path}: Graphviz did not draw it in {DRAW_S:g} s", url=str(path)) from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise OpenError(f"{path}: {said or 'Graphviz failed'}", url=str(path))


def make_graph(filters: Sequence[Filter]) -> Graph:
    """The graph of these filters. Reads counters only, so it may be taken while they run."""
    numbers = {filter: number for number, filter in enumerate(filters)}
    nodes: list[GraphFilter] = []
    pids: list[GraphPid] = []
    links: list[GraphLink] = []
    for filter, number in numbers.items():
        inputs, outputs = tuple(filter.ipids), tuple(filter.opids)
        sent = {pid: max((each.packets_in for each in pid.links), default=0) for pid in outputs}
        nodes.append(
            GraphFilter(
                number=number,
                name=filter.name,
                kind=filter.registry_name or type(filter).__name__,
                state=state_of(filter.context),  # type: ignore[arg-type]  # in a session it is a Node
                status=redact(filter.status),
                packets_in=sum(link.packets_out for link in inputs),
                packets_out=sum(sent.values()),
                bytes_out=sum(max((each.bytes_in for each in pid.links), default=0) for pid in outputs),
                errors=getattr(filter.context, "errors", 0),
            )
        )
        for place, pid in enumerate(outputs):
            pids.append(
                GraphPid(
                    source=number,
                    place=place,
                    name=pid.name,
                    stream_type=str(pid.properties.get("StreamType", "")),
                    codec=str(pid.properties.get("CodecID", "")),
                    summary=stream_in_words(pid.properties),
                    packets=sent[pid] + pid.packets_unlinked,
                    ended=pid.ended,
                )
            )
            links += [
                GraphLink(
                    source=number,
                    place=place,
                    pid=pid.name,
                    consumer=numbers[link.filter],
                    policy=link.limits.policy,
                    packets_in=link.packets_in,
                    packets_out=link.packets_out,
                    packets_dropped=link.packets_dropped,
                    packets_queued=len(link),
                    bytes_in=link.bytes_in,
                    max_packets=link.max_packets,
                    grown=link.grown,
                )
                for link in tuple(pid.links)
                if link.filter in numbers
            ]
    return Graph(tuple(nodes), tuple(pids), tuple(links))


def graph_of_plan(plan: Plan, filters: Sequence[Filter]) -> Graph:
    """What would be linked, converters too, before anything runs."""
    numbers = {filter: number for number, filter in enumerate(filters)}
    nodes = [_planned(number, each.name, each.registry_name) for each, number in numbers.items()]
    pids: list[GraphPid] = []
    links: list[GraphLink] = []
    places: dict[int, int] = {}

    def pid(source: int, name: str, properties: Mapping[str, Any]) -> GraphPid:
        place = places[source] = places.get(source, -1) + 1
        codec = str(properties.get("CodecID", ""))
        kind = str(properties.get("StreamType", ""))
        made = GraphPid(source, place, name, kind, codec, stream_in_words(properties), 0, ended=False)
        pids.append(made)
        return made

    def link(made: GraphPid, consumer: int) -> None:
        links.append(GraphLink(made.source, made.place, made.name, consumer, "block", 0, 0, 0, 0, 0, 0, 0))

    for stream in plan.streams:
        if stream.source not in numbers:
            continue
        begun = pid(numbers[stream.source], stream.name, stream.properties)
        for route in stream.routes:
            here = begun
            for at, step in enumerate(route.chain.steps):
                nodes.append(_planned(len(nodes), step.name, step.name, step.options))
                link(here, nodes[-1].number)
                last = at == len(route.chain.steps) - 1
                here = pid(nodes[-1].number, stream.name, route.chain.properties if last else {})
            link(here, numbers[route.consumer])
    return Graph(tuple(nodes), tuple(pids), tuple(links))


def _planned(number: int, name: str, kind: str, options: Mapping[str, Any] | None = None) -> GraphFilter:
    status = ", ".join(f"{key}={value}" for key, value in (options or {}).items())
    return GraphFilter(number, name, kind or name, "planned", status, 0, 0, 0, 0)


def _lines_of(filter: GraphFilter) -> list[str]:
    kind = "" if filter.name.rstrip("0123456789") == filter.kind else f" [{filter.kind}]"
    errors = [f"{filter.errors} errors" if filter.errors > 1 else "1 error"] if filter.errors else []
    return [filter.name + kind, filter.state, *errors, *([filter.status] if filter.status else [])]


def _packets(count: int) -> str:
    return "1 packet" if count == 1 else f"{count} packets"


def _dot(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _mermaid(*lines: str) -> str:
    text = "<br/>".join(
        line.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
        for line in lines
    )
    return f'"{text}"'
