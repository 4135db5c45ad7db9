"""The figures of a session as a table."""

from __future__ import annotations

from collections.abc import Sequence

from reelway.runtime.statistics import Statistics

__all__ = ["amount", "columns", "table"]


def table(statistics: Statistics) -> str:
    """Filters, then links; times in seconds."""
    filters = [["filter", "packets in", "out", "bytes out", "turns", "wall s", "cpu s", "errors", "state"]]
    links = [["link", "packets", "dropped", "waiting", "bytes", "grown", "policy"]]
    for each in statistics.filters:
        filters.append(
            [
                each.name,
                str(each.packets_in),
                str(each.packets_out),
                amount(each.bytes_out),
                str(each.turns),
                f"{each.wall_s:.3f}",
                f"{each.cpu_s:.3f}",
                str(each.errors),
                " ".join(filter(None, (each.state, each.status))),
            ]
        )
        links += [
            [
                f"{link.source}.{link.pid} -> {link.consumer}",
                str(link.packets_in),
                str(link.packets_dropped),
                str(link.packets_queued),
                amount(link.bytes_in),
                str(link.grown),
                link.policy,
            ]
            for link in each.inputs
        ]
    lines = [
        *columns(filters),
        "",
        *columns(links),
        "",
        *_latencies(statistics),
        f"{statistics.elapsed_s:.3f} s",
    ]
    if statistics.abandoned:
        lines.append(f"did not come back in time: {', '.join(statistics.abandoned)}")
    return "\n".join(lines) + "\n"


def _latencies(statistics: Statistics) -> list[str]:
    """From capture to each filter, where packets say when they were captured."""
    rows = [["captured before", "packets", "p50 ms", "p99 ms", "max ms"]]
    for each in statistics.filters:
        if (found := each.latency) is not None:
            figures = [f"{seconds * 1000:.1f}" for seconds in (found.p50_s, found.p99_s, found.max_s)]
            rows.append([each.name, str(found.packets), *figures])
    return [*columns(rows), ""] if len(rows) > 1 else []


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, each column as wide as its widest cell; numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = [all(not cell or cell[0].isdigit() for cell in column[1:]) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    ]


def amount(size: int) -> str:
    """`512`, `12.3 kB`, `4.56 GB`; decimal."""
    value = float(size)
    for unit in ("", " kB", " MB", " GB", " TB"):
        if value < 1000 or unit == " TB":
            return f"{size}" if not unit else f"{value:.3g}{unit}"
        value /= 1000
    raise AssertionError
