"""What the benchmarks share: contestants that take turns, whole processes, and tables of ratios.

Two things that run by turns meet the same disturbances, so a ratio is taken round by round and its median is
told, with the lowest and highest beside it: that is the noise.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]  # for `from tests.media import make`

__all__ = ["Finished", "arguments", "environment", "heading", "measure", "process", "python", "table", "work"]

Name = TypeVar("Name", bound=Hashable)


class Finished(NamedTuple):
    """A process that has ended well. CPU time and memory are the system's own accounts of it."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def arguments(text: str | None, rounds: int) -> argparse.Namespace:
    """`--rounds N`, and `--tiny` for a look whether it works at all."""
    parser = argparse.ArgumentParser(description=(text or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=rounds, help=f"how often each runs (default {rounds})")
    parser.add_argument("--tiny", action="store_true", help="one round on tiny input, to see that it runs")
    given = parser.parse_args()
    if given.tiny:
        given.rounds = 1
    return given


def heading() -> str:
    """Python, PyAV and the machine in one line."""
    import av

    kind = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = dict(line.split("\t: ", 1) for line in cpuinfo.read_text().splitlines() if "\t: " in line)
        kind = " ".join(lines.get("model name", kind).split())
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return (
        f"Python {platform.python_version()}, PyAV {av.__version__}, {platform.system()}, "
        f"{os.cpu_count()} cores ({kind}), load {load:.1f}"
    )


@contextmanager
def work() -> Iterator[Path]:
    """A folder for what is made and written: in memory where the system has such a place, so that no disk
    is measured."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 8 << 30
    with tempfile.TemporaryDirectory(prefix="reelway-bench-", dir=memory if roomy else None) as folder:
        yield Path(folder)


def environment(folder: Path) -> dict[str, str]:
    """Byte code is kept, as an installed package has it: compiling is not measured."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


def python(code: str, *given: str | Path) -> list[str]:
    """A command that runs `code`."""
    return [sys.executable, "-c", code, *map(str, given)]


def process(command: Sequence[str], folder: Path) -> Finished:
    """Runs a whole process, from its start to its end. Raises RuntimeError where it fails."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        child = subprocess.Popen(
            command,
            env=environment(folder),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(child.pid, 0)
        wall_s = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            output.seek(0)
            said = output.read()[-2000:].decode(errors="replace")
            raise RuntimeError(f"{command[0]} ended with {child.returncode}:\n{said}")
    scale = 1 if sys.platform == "darwin" else 1024
    return Finished(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss * scale / 1e6)


def measure(runs: Mapping[Name, Callable[[], float]], rounds: int, warm: int = 1) -> dict[Name, list[float]]:
    """Lets every one of `runs` run once a round, and gives what each gave; `warm` rounds do not count."""
    found: dict[Name, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + warm):
        for name, run in runs.items():
            value = run()
            if turn >= warm:
                found[name].append(value)
    return found


def table(
    found: Mapping[str, Sequence[float]],
    reference: str,
    *,
    unit: str = "s",
    scale: float = 1.0,
    limit: Mapping[str, float] | None = None,
) -> None:
    """Prints medians, and how many times the reference each took; `limit` are budgets for that ratio."""
    width = max(map(len, found))
    for name, values in found.items():
        ratios = sorted(value / base for value, base in zip(values, found[reference], strict=True))
        line = f"  {name:{width}}  {statistics.median(values) * scale:8.3f} {unit}"
        line += f" (least {min(values) * scale:.3f})"
        if name != reference:
            ratio = statistics.median(ratios)
            line += f"   {ratio:5.2f} times {reference} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
            if limit and name in limit:
                line += f"   budget {limit[name]:.2f}: {'kept' if ratio <= limit[name] else 'MISSED'}"
        print(line, flush=True)
